"""Times out of ids, and ids that must not be trusted."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from workbench.sources.id_time import TWITTER_EPOCH_MS, find_rounding, restore_times

START = datetime(2019, 6, 30, 6, 7, tzinfo=UTC)


def whole_ids(n: int, *, seed: int = 7) -> list[int]:
    """Ids as the platform makes them: three in four have nothing in their lowest bits."""
    rng = np.random.default_rng(seed)
    ms = int(START.timestamp() * 1000) + np.sort(rng.integers(0, 86_400_000, n)) - TWITTER_EPOCH_MS
    sequence = np.where(rng.random(n) < 0.26, rng.integers(1, 5, n), 0)
    return [
        int(m) << 22 | int(w) << 12 | int(s) for m, w, s in zip(ms, rng.integers(0, 1024, n), sequence, strict=True)
    ]


def posts(ids, stamps, resolution_s=60.0):
    return pl.DataFrame(
        {"post_id": [str(i) for i in ids], "posted_at": stamps, "time_resolution_s": [resolution_s] * len(ids)},
        schema_overrides={"posted_at": pl.Datetime("us", "UTC")},
    )


def stamps_of(ids, *, every_s: int = 60):
    """What the archive would print: the moment in the id, cut to the minute or the second."""
    seconds = [((i >> 22) + TWITTER_EPOCH_MS) // 1000 // every_s * every_s for i in ids]
    return [datetime.fromtimestamp(second, UTC) for second in seconds]


def test_a_known_id_gives_its_known_millisecond():
    # 1212092628029698048 | 2019-12-31T19:26:16.771Z: the worked example of Twitter's own documentation of ids, made odd
    found = restore_times(posts([1212092628029698049], [datetime(2019, 12, 31, 19, 26, tzinfo=UTC)]))
    assert found.posts.row(0) == (
        "1212092628029698049",
        datetime(2019, 12, 31, 19, 26, 16, 771000, tzinfo=UTC),
        0.001,
    )
    assert found.n_restored == 1


def test_only_ids_that_agree_with_their_stamp_to_the_minute_count():
    ids = whole_ids(200)
    stamps = stamps_of(ids)
    stamps[3] += timedelta(minutes=1)
    stamps[4] -= timedelta(minutes=1)
    found = restore_times(posts(ids, stamps))
    assert found.n_restored == 198
    assert found.posts["posted_at"][3] == stamps[3]
    assert found.posts["time_resolution_s"][3] == 60.0
    assert found.posts["time_resolution_s"][5] == 0.001


def test_old_and_hashed_ids_keep_their_stamp():
    stamp = datetime(2008, 5, 1, 10, 0, tzinfo=UTC)
    found = restore_times(posts(["801234567", "Q7w" + "a" * 40 + "="], [stamp, stamp]))
    assert found.n_restored == 0
    assert found.posts["posted_at"].to_list() == [stamp, stamp]


def test_stamps_with_seconds_are_refined_within_their_second():
    ids = whole_ids(50)
    assert restore_times(posts(ids, stamps_of(ids, every_s=1), 1.0)).n_restored == 50


def keep_digits(number: int, n: int) -> int:
    return int(str(number)[:n].ljust(len(str(number)), "0"))


@pytest.mark.parametrize(
    ("round_id", "reason"),
    [
        (lambda number: int(float(number)), "floating-point"),
        (lambda number: keep_digits(number, 15), "end in 00"),
        (lambda number: keep_digits(number, 17), "end in 00"),
    ],
    ids=["float64", "15 digits", "17 digits"],
)
def test_rounded_ids_restore_nothing(round_id, reason):
    ids = [round_id(i) for i in whole_ids(300)]
    found = restore_times(posts(ids, stamps_of(ids)))
    assert found.n_restored == 0
    assert set(found.posts["time_resolution_s"]) == {60.0}
    assert reason in found.reason


def test_too_few_ids_to_tell_restore_nothing():
    assert "too few to tell" in find_rounding(pl.Series([1212092628029698048], dtype=pl.UInt64))


@pytest.mark.parametrize("seed", range(20))
def test_whole_ids_pass_whatever_the_draw(seed):
    assert find_rounding(pl.Series(whole_ids(60, seed=seed), dtype=pl.UInt64)) == ""
