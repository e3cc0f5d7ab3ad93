"""The tally: any numbers in any batches, in memory or on disk, are counted as numpy counts them."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench.tally as tally_room
from workbench.tally import Tally, run_ahead


def tally_all(batches, *, memory_bytes: int, n_slices: int = 8) -> tuple[np.ndarray, np.ndarray, bool]:
    everything = np.concatenate([*batches, np.empty(0, np.uint64)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tally_room, "PAIRS_PER_SLICE", max(1, len(everything) // n_slices))
        tally = Tally(everything[::3], n_expected=len(everything), memory_bytes=memory_bytes)
    with ThreadPoolExecutor(2) as pool:
        list(run_ahead(pool, lambda batch: tally.add(batch.copy()), batches))
        was_on_disk = tally.is_on_disk
        slices = list(tally.slices(pool))
    return np.concatenate([s[0] for s in slices]), np.concatenate([s[1] for s in slices]), was_on_disk


BATCHES = st.lists(
    st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 5) | st.just(2**40), max_size=30), min_size=1, max_size=6
)


@settings(deadline=None)
@given(BATCHES, st.sampled_from([0, 100, 10**9]))
def test_counts_as_numpy_does(numbers, memory_bytes):
    batches = [np.array(batch, np.uint64) for batch in numbers]
    found, n, _ = tally_all(batches, memory_bytes=memory_bytes)
    expected, counts = np.unique(np.concatenate(batches), return_counts=True)
    assert found.tolist() == expected.tolist()
    assert n.tolist() == counts.tolist()


def test_goes_to_disk_only_past_the_memory_allowed_and_leaves_nothing_there(monkeypatch, tmp_path):
    monkeypatch.setattr(tally_room.tempfile, "tempdir", str(tmp_path))
    batches = [np.arange(k, 10_000, 7, dtype=np.uint64) for k in range(5)]
    assert tally_all(batches, memory_bytes=10**9)[2] is False
    found, n, was_on_disk = tally_all(batches, memory_bytes=5_000)
    assert was_on_disk
    assert n.sum() == sum(len(batch) for batch in batches)
    assert (np.diff(found.astype(np.int64)) > 0).all()
    assert list(Path(tmp_path).iterdir()) == []


def test_a_reader_that_stops_early_leaves_nothing_on_disk(monkeypatch, tmp_path):
    monkeypatch.setattr(tally_room.tempfile, "tempdir", str(tmp_path))
    tally = Tally(np.empty(0, np.uint64), n_expected=10, memory_bytes=0)
    tally.add(np.arange(10, dtype=np.uint64))
    with ThreadPoolExecutor(1) as pool:
        slices = tally.slices(pool)
        next(slices)
        slices.close()
    assert list(Path(tmp_path).iterdir()) == []


def test_results_come_in_order_and_errors_come_out():
    with ThreadPoolExecutor(3) as pool:
        assert list(run_ahead(pool, lambda k: k * k, range(20))) == [k * k for k in range(20)]
        with pytest.raises(ZeroDivisionError):
            list(run_ahead(pool, lambda k: 1 // k, [1, 0]))
