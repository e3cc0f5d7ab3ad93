"""actions -> edges: which pairs of accounts acted on the same object within a time window, counted exactly.

The kernel sorts actions by object and time and lays all objects on one integer line, so that two actions are within
the window if and only if their places on the line are. One binary search then tells every action its partners, and
the sum of those is the number of pairs, known before any pair is made. Pairs come in batches small enough for the
processor's cache; `tally.py` counts them, on disk where memory does not suffice.

Nothing here knows what a trace means, and no other file defines what a co-action is.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import polars as pl

from workbench.schema import ParameterError, check_table
from workbench.tally import Tally, run_ahead

BATCH_PAIRS = 500_000
N_SAMPLED_PAIRS = 400_000
N_THREADS = min(8, os.cpu_count() or 1)
MAX_PAIRS = 20_000_000_000
MEMORY_BYTES = 1_000_000_000
ENUM_FROM_EDGES = 5_000_000
_LINE_END = 2**62


@dataclass(frozen=True)
class ActionLog:
    """The actions of one trace as arrays, sorted by object, then time, then row order.

    All arrays have one entry per action: `object_code`, `account_code`, `post_code` number the sorted distinct names
    from 0; `time_us` is microseconds since 1970. `accounts`, `objects` and `posts` are the names, code by code. A log
    packed without posts has none.
    """

    trace: str
    object_code: np.ndarray
    account_code: np.ndarray
    post_code: np.ndarray
    time_us: np.ndarray
    accounts: pl.Series
    objects: pl.Series
    posts: pl.Series

    def __len__(self) -> int:
        """Number of actions."""
        return len(self.time_us)

    def keep(self, rows: np.ndarray) -> ActionLog:
        """Return the log of the actions where `rows` is true; codes and names stay as they are."""
        arrays = ["object_code", "account_code", "time_us", *(["post_code"] if len(self.post_code) else [])]
        return replace(self, **{name: getattr(self, name)[rows] for name in arrays})


def count_co_actions(
    actions: pl.DataFrame,
    *,
    time_window_s: float | None,
    min_co_actions: int = 1,
    min_participation: int = 1,
    min_actions: int = 1,
    max_pairs: int = MAX_PAIRS,
    memory_bytes: int = MEMORY_BYTES,
) -> pl.DataFrame:
    """Count, per trace and pair of accounts, the pairs of actions on one object within the window.

    Args:
        actions: table `actions`. Null and blank objects are never objects.
        time_window_s: longest gap in seconds between two actions, inclusive; `None` = any gap.
        min_co_actions: lightest edge returned (counting itself is not affected).
        min_participation: CooRTweet's filter, applied exactly: an edge's co-actions count only where one of the two
            accounts has at least this many rows among the posts that are in any co-action.
        min_actions: accounts with fewer actions in a trace are left out before pairing.
        max_pairs: refuse to start where one trace has more pairs than this within the window.
        memory_bytes: what pairs may hold in memory while they are counted; more goes to a temporary folder.

    Returns:
        Table `edges`: trace, account_a < account_b, n_co_actions; sorted. The account columns are strings, or one
        shared Enum where there are more than five million edges.

    Raises:
        ParameterError: a window or minimum out of range, or more pairs than `max_pairs`.
        SchemaError: `actions` is not a table of actions.

    Source: Giglietto et al. 2020; Righetti and Balluff, CooRTweet 2.1 (`detect_groups`).
    Differs: the window is inclusive as there, but self-pairs never count.
    Beware: fans of one idol, readers of one breaking story and a newsroom's own pages all co-act.
    """
    edges = pl.concat(
        iterate_co_actions(
            actions,
            time_window_s=time_window_s, min_co_actions=min_co_actions, min_participation=min_participation,
            min_actions=min_actions, max_pairs=max_pairs, memory_bytes=memory_bytes,
        )
    )  # fmt: skip
    return edges if edges.height > ENUM_FROM_EDGES else edges.cast({"account_a": pl.String, "account_b": pl.String})


def iterate_co_actions(
    actions: pl.DataFrame,
    *,
    time_window_s: float | None,
    min_co_actions: int = 1,
    min_participation: int = 1,
    min_actions: int = 1,
    max_pairs: int = MAX_PAIRS,
    memory_bytes: int = MEMORY_BYTES,
) -> Iterator[pl.DataFrame]:
    """Yield the edges of `count_co_actions` in sorted parts, for results larger than memory.

    The account columns are one Enum of all account ids of the actions. At least one part comes, if empty. Parameters
    and errors are those of `count_co_actions`; errors come with the first part.
    """
    window_us = window_in_us(time_window_s)
    for name, value in (("min_co_actions", min_co_actions), ("min_participation", min_participation)):
        if value < 1:
            raise ParameterError(f"{name} is {value}; expected 1 or more.")
    accounts = check_table(actions, "actions")["account_id"].unique().sort()
    yield _edges("", accounts, accounts, *[np.empty(0, np.int64)] * 3)
    for log in pack_traces(actions, with_posts=min_participation > 1):
        log = log.keep(
            np.bincount(log.account_code, minlength=1)[log.account_code] >= max(min_actions, min_participation)
        )
        _refuse_too_many_pairs(log, window_us=window_us, max_pairs=max_pairs)
        either = _participants(log, window_us=window_us, k=min_participation) if min_participation > 1 else None
        for a, b, n in _counted_pairs(log, window_us=window_us, either=either, memory_bytes=memory_bytes):
            enough = n >= min_co_actions
            yield _edges(log.trace, log.accounts, accounts, a[enough], b[enough], n[enough])


def pack_traces(actions: pl.DataFrame, *, with_posts: bool = True) -> list[ActionLog]:
    """Return one `ActionLog` per trace of the actions, in order of the traces' names; without posts if not needed.

    Raises:
        SchemaError: `actions` is not a table of actions.
        ParameterError: the times span more than 146,000 years, which no 64-bit line holds.
    """
    actions = check_table(actions, "actions").filter(pl.col("object_id").str.strip_chars() != "")
    traces = actions["trace"].unique().sort()
    return [pack_actions(actions.filter(pl.col("trace") == trace), with_posts=with_posts) for trace in traces]


def pack_actions(actions: pl.DataFrame, *, with_posts: bool = True) -> ActionLog:
    """Return the actions of a single trace as an `ActionLog`.

    Raises:
        ParameterError: more than one trace, or times that span more than 146,000 years.
    """
    traces = actions["trace"].unique()
    if len(traces) > 1:
        raise ParameterError(f"expected actions of one trace, found {sorted(traces)}. Use pack_traces.")
    columns = ("object_id", "account_id", "post_id") if with_posts else ("object_id", "account_id")
    names = {column: actions[column].unique().sort() for column in columns}
    codes = [pl.col(column).cast(pl.Enum(names[column])).to_physical().cast(pl.Int64) for column in columns]
    coded = actions.select(*codes, pl.col("acted_at").dt.epoch("us")).sort("object_id", "acted_at", maintain_order=True)
    time_us = coded["acted_at"].to_numpy()
    if len(time_us) and int(time_us.max()) - int(time_us.min()) > _LINE_END:
        raise ParameterError("the actions' times span more than 146,000 years; check the unit of acted_at.")
    return ActionLog(
        trace=traces[0] if len(traces) else "",
        object_code=coded["object_id"].to_numpy(),
        account_code=coded["account_id"].to_numpy(),
        post_code=coded["post_id"].to_numpy() if with_posts else np.empty(0, np.int64),
        time_us=time_us,
        accounts=names["account_id"],
        objects=names["object_id"],
        posts=names.get("post_id", pl.Series(dtype=pl.String)),
    )


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
    ends = np.empty(n, np.int64)
    for lo, hi in _stretches(step, starts):
        line = np.cumsum(step[lo:hi])
        ends[lo:hi] = np.searchsorted(line, line + window_us, side="right") + lo
    return ends - np.arange(n) - 1


def iterate_pairs(log: ActionLog, *, window_us: int | None, batch_pairs: int = BATCH_PAIRS) -> Iterator[tuple]:
    """Yield batches (i, j) of row numbers of the log, i < j, within the window and by different accounts."""
    n_after = count_partners(log, window_us=window_us)
    before = np.concatenate([[0], np.cumsum(n_after)])
    for lo, hi in _batches(before, batch_pairs):
        i, j = _expand(np.arange(len(log)), n_after, before, lo, hi)
        other = log.account_code[i] != log.account_code[j]
        yield i[other], j[other]


def count_pairs(
    log: ActionLog, *, window_us: int | None, either: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the edges of one log as arrays (a, b, n): account codes a < b and their co-actions, sorted by (a, b).

    Args:
        log: actions of one trace.
        window_us: microseconds, inclusive; None = any gap.
        either: true per account code; a pair counts only where one of its two accounts is true.
    """
    parts = list(_counted_pairs(log, window_us=window_us, either=either, memory_bytes=MEMORY_BYTES))
    a, b, n = (np.concatenate(column) for column in zip(*parts, strict=True))
    return a, b, n


def _counted_pairs(
    log: ActionLog, *, window_us: int | None, either: np.ndarray | None, memory_bytes: int
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield (a, b, n) in sorted parts; a pair of codes a < b is one number while it is counted."""
    n_after = count_partners(log, window_us=window_us)
    before = np.concatenate([[0], np.cumsum(n_after)])
    account = log.account_code.astype(np.uint32)
    bits = np.uint64(max(1, int(account.max(initial=0)).bit_length()))

    def numbers(rows: tuple[int, int]) -> np.ndarray:
        x, y = _expand(account, n_after, before, *rows)
        chosen = x != y
        if either is not None:
            chosen &= either[x] | either[y]
        if not chosen.all():
            x, y = x[chosen], y[chosen]
        pair = np.minimum(x, y).astype(np.uint64)
        pair <<= bits
        pair |= np.maximum(x, y)
        return pair

    n_pairs = int(before[-1])
    batches = _batches(before, BATCH_PAIRS)
    drawn = np.sort(np.random.default_rng(0).choice(len(batches), min(len(batches), 64), replace=False))
    sample = np.concatenate([numbers(batches[k])[::61] for k in drawn] or [np.empty(0, np.uint64)])
    tally = Tally(sample, n_expected=n_pairs, memory_bytes=memory_bytes)
    mask = (np.uint64(1) << bits) - np.uint64(1)
    with ThreadPoolExecutor(N_THREADS) as pool:
        for _ in run_ahead(pool, lambda rows: tally.add(numbers(rows)), batches):
            pass
        for pair, n in tally.slices(pool):
            yield (pair >> bits).astype(np.int64), (pair & mask).astype(np.int64), n


def _expand(
    column: np.ndarray, n_after: np.ndarray, before: np.ndarray, lo: int, hi: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return a column's values at both ends of every pair whose earlier row is in lo..hi."""
    n = n_after[lo:hi]
    # The k-th pair's later row is k, shifted by a constant per earlier row: one repeat instead of a search.
    later = np.arange(int(before[hi] - before[lo]))
    later += np.repeat(np.arange(lo + 1, hi + 1) - (before[lo:hi] - before[lo]), n)
    return np.repeat(column[lo:hi], n), column[later]


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
        fit = int(np.searchsorted(reach, base + _LINE_END, side="right"))
        hi = n if fit >= n else int(starts[np.searchsorted(starts, fit, side="right") - 1])
        hi = hi if hi > lo else int(np.append(starts, n)[np.searchsorted(starts, lo, side="right")])
        yield lo, hi
        lo = hi


def _participants(log: ActionLog, *, window_us: int | None, k: int) -> np.ndarray:
    """Return, per account code, whether it has at least k rows among the posts that are in any co-action."""
    is_in_pair = np.zeros(len(log), bool)
    for i, j in iterate_pairs(log, window_us=window_us):
        is_in_pair[i] = is_in_pair[j] = True
    has_paired_post = np.zeros(len(log.posts), bool)
    has_paired_post[log.post_code[is_in_pair]] = True
    rows = has_paired_post[log.post_code]
    return np.bincount(log.account_code[rows], minlength=len(log.accounts)) >= k


def _refuse_too_many_pairs(log: ActionLog, *, window_us: int | None, max_pairs: int) -> None:
    n_after = count_partners(log, window_us=window_us)
    n_pairs = int(n_after.sum())
    if n_pairs <= max_pairs:
        return
    per_object = np.bincount(log.object_code, weights=n_after)
    worst = np.argsort(per_object)[::-1][:3]
    named = ", ".join(f"'{log.objects[int(o)][:80]}' ({int(per_object[o]):,})" for o in worst)
    raise ParameterError(
        f"trace '{log.trace}' has {n_pairs:,} pairs of actions within the window, more than max_pairs={max_pairs:,}. "
        f"Most come from {named}. Shorten time_window_s, drop those objects, or raise max_pairs."
    )


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


def _edges(
    trace: str, names: pl.Series, all_names: pl.Series, a: np.ndarray, b: np.ndarray, n: np.ndarray
) -> pl.DataFrame:
    names = names.cast(pl.Enum(all_names))
    columns = {"account_a": names.gather(a), "account_b": names.gather(b), "n_co_actions": n}
    return pl.DataFrame(columns).select(pl.lit(trace).alias("trace"), pl.all())
