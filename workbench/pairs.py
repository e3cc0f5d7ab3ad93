"""The kernel: which actions of a log are within the window of each other, and how often each pair of accounts is.

All objects are laid on one integer line, so that two actions are within the window if and only if their places on the
line are. Sorted, the partners of an action are one run of rows, found by one binary search; the sum of the runs is the
number of pairs, known before any pair is made.

Pairs are then made account by account, each on the side of its smaller account. So what is made is finished when it is
made: a few hundred thousand pairs at a time are brought in order by counting, added up and handed on. Nothing waits
for the rest, nothing is merged, nothing need go to disk, whatever the number of pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice, pairwise
from typing import TypeVar

import numpy as np
import polars as pl
from scipy import sparse

from workbench.action_log import LONGEST_SPAN_US, ActionLog, group_codes
from workbench.schema import ParameterError

T = TypeVar("T")
R = TypeVar("R")
Counts = tuple[np.ndarray, np.ndarray, np.ndarray]  # accounts a < b, and how many co-actions they have

BATCH_PAIRS = 250_000
"""pairs made at a time, so that they stay in the processor's cache"""
BATCH_PAIRS_PER_ACCOUNT = 4
"""counting has a cost per account too: with many accounts a batch is larger, up to MAX_BATCH_PAIRS"""
MAX_BATCH_PAIRS = 8_000_000
MAX_CELLS_PER_PAIR = 6
"""a table of accounts is counted in as long as it has no more cells per pair made than this"""
SAMPLED_ACCOUNTS = 400
SAMPLED_PAIRS = 50_000_000
"""an estimate looks at no more accounts, and makes hardly more pairs, than these"""
N_THREADS = min(8, pl.thread_pool_size())
"""as many as polars has: POLARS_MAX_THREADS=1 is one thread for all of us"""


def window_in_us(time_window_s: float | None) -> int | None:
    """Return the window in whole microseconds, None for any gap.

    Raises:
        ParameterError: the window is negative, not a number or absurd.
    """
    if time_window_s is None:
        return None
    if not 0 <= time_window_s <= 1e12:
        raise ParameterError(f"time_window_s is {time_window_s}; expected seconds from 0, or None for any gap.")
    return round(time_window_s * 1_000_000)


def count_partners(log: ActionLog, *, window_us: int | None) -> np.ndarray:
    """Return, per action, how many later rows of the log are on the same object within the window (int64).

    Their sum is the number of pairs. Pairs of one account with itself are still among them.
    """
    n = len(log)
    if n == 0:
        return np.empty(0, np.int64)
    is_new = np.concatenate([[True], np.diff(log.object_code) != 0])
    starts = np.flatnonzero(is_new)
    if window_us is None:
        ends = np.repeat(np.append(starts[1:], n), np.diff(np.append(starts, n)))
        return ends - np.arange(n) - 1
    # A gap longer than the window may be shortened to window + 1 without changing who is within it of whom.
    step = np.minimum(np.diff(log.time_us, prepend=log.time_us[:1]), window_us + 1)
    step[is_new] = window_us + 1
    n_after = np.zeros(n, np.int64)
    for lo, hi in _stretches(step, starts):
        line = np.cumsum(step[lo:hi])
        met = np.flatnonzero(step[lo + 1 : hi] <= window_us)  # most have not even the next one within reach
        n_after[lo + met] = np.searchsorted(line, line[met] + window_us, side="right") - met - 1
    return n_after


def iterate_pairs(log: ActionLog, *, window_us: int | None, batch_pairs: int = 2 * BATCH_PAIRS) -> Iterator[tuple]:
    """Yield batches (i, j) of row numbers of the log, i < j, within the window and by different accounts."""
    n_after = count_partners(log, window_us=window_us)
    before = _sums_before(n_after)
    for lo, hi in _batches(before, batch_pairs):
        i = np.repeat(np.arange(lo, hi), n_after[lo:hi])
        j = _runs(np.arange(lo + 1, hi + 1), n_after[lo:hi])
        other = log.account_code[i] != log.account_code[j]
        yield i[other], j[other]


def count_pairs(log: ActionLog, *, window_us: int | None, either: np.ndarray | None = None) -> Counts:
    """Return the edges of one log as arrays (a, b, n): account codes a < b and their co-actions, sorted by (a, b).

    Args:
        log: actions of one trace.
        window_us: microseconds, inclusive; None = any gap.
        either: true per account code; a pair counts only where one of its two accounts is true.
    """
    n_after = count_partners(log, window_us=window_us)
    parts = [(np.empty(0, np.int64),) * 3, *iterate_counts(log, n_after=n_after, either=either)]
    a, b, n = (np.concatenate(column, dtype=np.int64) for column in zip(*parts, strict=True))
    return a, b, n


def iterate_counts(log: ActionLog, *, n_after: np.ndarray, either: np.ndarray | None = None) -> Iterator[Counts]:
    """Yield the edges of `count_pairs` in sorted parts; `n_after` is what `count_partners` gave for the window.

    Account codes come as uint32, as names are looked up by; counts as int64.
    """
    n_accounts = len(log.accounts)
    size = max(BATCH_PAIRS, min(BATCH_PAIRS_PER_ACCOUNT * n_accounts, MAX_BATCH_PAIRS))
    near = _Neighbourhood.of(*_keep_met(log, n_after))
    blocks = _batches(near.before[near.start], size)
    count = partial(_count_block, near, size=size, either=either)
    if len(blocks) == 1:  # many small logs are counted by many threads already
        yield count(*blocks[0])
        return
    with ThreadPoolExecutor(N_THREADS) as pool:
        yield from run_ahead(pool, lambda block: count(*block), blocks)


def estimate_edges(log: ActionLog, *, n_after: np.ndarray) -> int:
    """Return how many edges `iterate_counts` would give, from the partners of some accounts in all ranges of activity.

    Exact where the accounts are few. `n_after` is what `count_partners` gave for the window.
    """
    near = _Neighbourhood.of(log, n_after)
    made = np.diff(near.before[near.start])
    step = int(max(1, -(-near.n_accounts // SAMPLED_ACCOUNTS), made.sum() // SAMPLED_PAIRS))
    sampled = np.argsort(made, kind="stable")[(step - 1) // 2 :: step]
    n_partners = sum(near.count_met(int(a)) for a in sampled)
    # An edge is met from both its ends.
    return round(made.sum() * n_partners / max(1, made[sampled].sum()) / 2)


def _keep_met(log: ActionLog, n_after: np.ndarray) -> tuple[ActionLog, np.ndarray]:
    """Return log and partners without the actions that are in no pair: a run of partners has none of those in it."""
    is_met = n_after > 0
    is_met[1:] |= n_after[:-1] > 0
    return log.keep(is_met), n_after[is_met]


@dataclass(frozen=True)
class _Neighbourhood:
    """For each row of a log, in order of accounts, the run of rows within its window, itself included.

    `runs`: a matrix whose row 2k + 1 holds, as column numbers, the accounts of the run of the k-th row; `before`: sum
    of the runs' lengths so far; `start`: per account, where its rows start.
    """

    runs: sparse.csr_array
    before: np.ndarray
    start: np.ndarray

    @classmethod
    def of(cls, log: ActionLog, n_after: np.ndarray) -> _Neighbourhood:
        rows, n_accounts = len(log), len(log.accounts)
        end = np.arange(1, rows + 1) + n_after
        # The first row within reach is the number of rows that reach less far: ends never fall along the log.
        first = np.cumsum(np.bincount(end, minlength=rows + 1))[:rows]
        order, start = group_codes(log.account_code, n_accounts)
        # Runs overlap, so no matrix has them end to end. But scipy only looks where a row starts and where the next
        # one does: every second row is a run, and those between, which nobody asks for, jump to the next one's start.
        bounds = np.zeros(2 * rows + 2, np.int64)
        bounds[1:-1:2], bounds[2:-1:2], bounds[-1] = first[order], end[order], rows
        shape = (2 * rows + 1, n_accounts)
        runs = sparse.csr_array((np.ones(rows, np.int8), log.account_code, bounds), shape=shape)
        return cls(runs, _sums_before((end - first)[order]), start)

    @property
    def n_accounts(self) -> int:
        return len(self.start) - 1

    def accounts_near(self, lo: int, hi: int) -> np.ndarray:
        """Return the accounts in the runs of rows lo..hi, end to end: copied run by run, which is what is fast."""
        return self.runs[2 * lo + 1 : 2 * hi : 2].indices

    def count_met(self, account: int) -> int:
        """Return how many others an account meets."""
        is_met = np.zeros(self.n_accounts, bool)
        lo, hi = self.start[account], self.start[account + 1]
        for turn_lo, turn_hi in _batches(self.before[lo : hi + 1], MAX_BATCH_PAIRS):
            is_met[self.accounts_near(lo + turn_lo, lo + turn_hi)] = True
        is_met[account] = False
        return int(np.count_nonzero(is_met))

    def partners(self, lo: int, hi: int, either: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """Return the partners of rows lo..hi that are larger accounts, and their places among all within the runs."""
        other = self.accounts_near(lo, hi)
        account = np.searchsorted(self.start, np.arange(lo, hi), side="right") - 1
        own = np.repeat(account.astype(other.dtype), np.diff(self.before[lo : hi + 1]))
        chosen = other > own
        if either is not None:
            chosen &= either[own] | either[other]
        places = np.flatnonzero(chosen)
        return other[places], places


def _count_block(near: _Neighbourhood, a_from: int, a_to: int, *, size: int, either: np.ndarray | None) -> Counts:
    """Return (a, b, n) for all pairs whose smaller account is one of a_from..a_to."""
    start = near.start[a_from : a_to + 1]
    made = near.before[start] - near.before[start[0]]
    if made[-1] > size:
        return _count_one(near, a_from, size, either)
    if either is None and (a_to - a_from) * near.n_accounts <= MAX_CELLS_PER_PAIR * made[-1]:
        return _count_in_table(near, a_from, a_to, made)
    partner, place = near.partners(start[0], start[-1], either)
    shape = (a_to - a_from, near.n_accounts)
    ones = np.ones(len(partner), np.int8)
    pairs = sparse.csr_array((ones, partner, np.searchsorted(place, made)), shape=shape)
    ordered = pairs.tocsc().tocsr()  # turned on its side and back, each time by counting: partners are now in order
    first = _first_of_runs(ordered.indices, ordered.indptr)
    a = np.repeat(np.arange(a_from, a_to, dtype=np.uint32), np.diff(np.searchsorted(first, ordered.indptr)))
    return a, ordered.indices[first].astype(np.uint32), np.diff(np.append(first, len(partner)))


def _count_in_table(near: _Neighbourhood, a_from: int, a_to: int, made: np.ndarray) -> Counts:
    """Return what `_count_block` does by way of a full table: where accounts meet a good part of all, it is faster."""
    partner = near.accounts_near(near.start[a_from], near.start[a_to])
    n_rows, width = a_to - a_from, near.n_accounts - a_from
    # The smaller the cells, the more of the table stays in the processor's cache.
    cell = np.uint16 if np.diff(made).max() < 2**16 else np.uint32
    pairs = sparse.csr_array((np.ones(len(partner), cell), partner, made), shape=(n_rows, near.n_accounts))
    larger = np.ascontiguousarray(pairs.toarray()[:, a_from:])
    larger[:, :n_rows] = np.triu(larger[:, :n_rows], 1)
    cells = larger.ravel()
    place = np.flatnonzero(cells != 0)
    n_met = np.diff(np.searchsorted(place, np.arange(n_rows + 1) * width))
    a = np.repeat(np.arange(a_from, a_to, dtype=np.uint32), n_met)
    b = (place - np.repeat(np.arange(n_rows) * width - a_from, n_met)).astype(np.uint32)
    return a, b, cells.take(place).astype(np.int64)


def _count_one(near: _Neighbourhood, a: int, size: int, either: np.ndarray | None) -> Counts:
    """Return (a, b, n) for the pairs of one account that has more than fit a batch."""
    n = np.zeros(near.n_accounts, np.int64)
    lo, hi = near.start[a], near.start[a + 1]
    for turn_lo, turn_hi in _batches(near.before[lo : hi + 1], size):
        n += np.bincount(near.partners(lo + turn_lo, lo + turn_hi, either)[0], minlength=len(n))
    b = np.flatnonzero(n)
    return np.full(len(b), a, np.uint32), b.astype(np.uint32), n[b]


def _first_of_runs(column: np.ndarray, row_starts: np.ndarray) -> np.ndarray:
    """Return where a run of equal numbers starts; a row's start starts one too."""
    is_first = np.empty(len(column), bool)
    np.not_equal(column[1:], column[:-1], out=is_first[1:])
    is_first[row_starts[row_starts < len(column)]] = True
    return np.flatnonzero(is_first)


def _runs(first: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Return first, first + 1, ... (n of them) for each row, end to end."""
    before = np.cumsum(n, dtype=first.dtype)
    total = int(before[-1]) if len(before) else 0
    numbers = np.repeat(first - (before - n.astype(first.dtype)), n)
    numbers += np.arange(total, dtype=first.dtype)
    return numbers


def _sums_before(n: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(n)])


def _batches(before: np.ndarray, batch_pairs: int) -> list[tuple[int, int]]:
    """Cut the rows so that each stretch has about `batch_pairs` pairs, and at least one row."""
    cuts, n = [0], len(before) - 1
    while cuts[-1] < n:
        fit = int(np.searchsorted(before, before[cuts[-1]] + batch_pairs, side="right")) - 1
        cuts.append(min(n, max(cuts[-1] + 1, fit)))
    return list(pairwise(cuts))


def _stretches(step: np.ndarray, starts: np.ndarray) -> Iterator[tuple[int, int]]:
    """Cut the rows at starts of objects so that the sum of steps in each stretch fits 64 bits."""
    reach = np.cumsum(step.astype(np.float64))
    lo, n = 0, len(step)
    while lo < n:
        base = reach[lo - 1] if lo else 0.0
        fit = int(np.searchsorted(reach, base + LONGEST_SPAN_US, side="right"))
        hi = n if fit >= n else int(starts[np.searchsorted(starts, fit, side="right") - 1])
        hi = hi if hi > lo else int(np.append(starts, n)[np.searchsorted(starts, lo, side="right")])
        yield lo, hi
        lo = hi


def run_ahead(
    pool: ThreadPoolExecutor, function: Callable[[T], R], items: Iterable[T], *, ahead: int = 2 * N_THREADS
) -> Iterator[R]:
    """Yield function(item) in order, computing only a few items ahead of the reader."""
    left = iter(items)
    waiting: list[Future[R]] = [pool.submit(function, item) for item in islice(left, ahead)]
    while waiting:
        result = waiting.pop(0).result()
        waiting.extend(pool.submit(function, item) for item in islice(left, 1))
        yield result
