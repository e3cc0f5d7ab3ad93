"""The kernel below the table: any batch size gives numpy's own count, and work runs only a little ahead."""

from concurrent.futures import ThreadPoolExecutor
from itertools import combinations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_coaction import LOG, make_actions

from workbench import pairs
from workbench.action_log import group_codes, number_names, order_rows, pack_actions
from workbench.pairs import count_pairs, count_partners, iterate_counts, run_ahead


@settings(deadline=None)
@given(
    LOG, st.sampled_from([0, 1_000_000, None]), st.sampled_from([1, 3, 10**6]), st.sampled_from([0, 10**6]),
    st.none() | st.lists(st.booleans(), max_size=5),
)  # fmt: skip
def test_counts_as_a_loop_does_in_batches_of_any_size(rows, window_us, size, max_cells, chosen):
    log = pack_actions(make_actions(*rows).filter(pl.col("object_id").str.strip_chars() != ""))
    either = None if chosen is None else np.resize(np.array([*chosen, True]), len(log.accounts))
    expected: dict[tuple[int, int], int] = {}
    for i, j in combinations(range(len(log)), 2):
        a, b = sorted((int(log.account_code[i]), int(log.account_code[j])))
        is_near = window_us is None or abs(log.time_us[i] - log.time_us[j]) <= window_us
        if (
            log.object_code[i] == log.object_code[j]
            and a != b
            and is_near
            and (either is None or either[a] or either[b])
        ):
            expected[a, b] = expected.get((a, b), 0) + 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pairs, "BATCH_PAIRS", size)
        patch.setattr(pairs, "MAX_BATCH_PAIRS", size)
        patch.setattr(pairs, "MAX_CELLS_PER_PAIR", max_cells)
        a, b, n = count_pairs(log, window_us=window_us, either=either)
    assert list(zip(a.tolist(), b.tolist(), strict=True)) == sorted(expected)
    assert n.tolist() == [expected[pair] for pair in sorted(expected)]
    assert {a.dtype, b.dtype, n.dtype} == {np.dtype(np.int64)}


def test_an_account_with_more_pairs_than_a_batch_is_counted_in_turns(monkeypatch):
    rows = [("hub", "x", s) for s in range(40)] + [(f"z{k}", "x", k) for k in range(40)]
    log = pack_actions(make_actions(*rows))
    expected = [column.tolist() for column in count_pairs(log, window_us=5_000_000)]
    monkeypatch.setattr(pairs, "BATCH_PAIRS", 7)
    monkeypatch.setattr(pairs, "MAX_BATCH_PAIRS", 7)
    assert [column.tolist() for column in count_pairs(log, window_us=5_000_000)] == expected


def test_parts_come_in_order_and_finished(monkeypatch):
    monkeypatch.setattr(pairs, "BATCH_PAIRS", 10)
    monkeypatch.setattr(pairs, "MAX_BATCH_PAIRS", 10)
    log = pack_actions(make_actions(*[(f"a{k % 9}", f"o{k % 4}", float(k)) for k in range(80)]))
    n_after = count_partners(log, window_us=20_000_000)
    parts = list(iterate_counts(log, n_after=n_after))
    keys = np.concatenate([a.astype(np.int64) * 100 + b for a, b, _ in parts])
    assert len(parts) > 3
    assert (np.diff(keys) > 0).all()


@given(st.lists(st.sampled_from(["b", "a", "é", "账号", ""]), max_size=20))
def test_names_are_numbered_in_their_order(names):
    distinct, code = number_names(pl.Series(names, dtype=pl.String))
    assert distinct.to_list() == sorted(set(names))
    assert [distinct[int(k)] for k in code] == names


@given(st.lists(st.integers(0, 6), max_size=30))
def test_grouping_is_a_stable_sort(codes):
    rows, start = group_codes(np.array(codes, np.int64), 7)
    assert rows.tolist() == np.argsort(np.array(codes, np.int64), kind="stable").tolist()
    assert start.tolist() == np.searchsorted(np.sort(codes), np.arange(8)).tolist()


def test_results_come_in_order_and_errors_come_out():
    with ThreadPoolExecutor(3) as pool:
        assert list(run_ahead(pool, lambda k: k * k, range(20))) == [k * k for k in range(20)]
        with pytest.raises(ZeroDivisionError):
            list(run_ahead(pool, lambda k: 1 // k, [1, 0]))


@given(st.lists(st.integers(-(2**62), 2**62) | st.integers(-3, 3), max_size=40))
def test_rows_come_in_order_of_their_key_and_equal_ones_as_they_stood(keys):
    key = np.array(keys, np.int64)
    assert order_rows(key).tolist() == sorted(range(len(keys)), key=lambda row: keys[row])
