"""actions -> edges: which pairs of accounts acted on the same object within a time window, counted exactly.

The kernel sorts actions by object and time and lays all objects on one integer line, so that two actions are within
the window if and only if their places on the line are. One binary search then tells every action its partners, and
the sum of those is the number of pairs, known before any pair is made. Pairs come in batches of a few million; each
batch is sorted and run-length encoded, and the sorted batches are added up slice by slice.

Nothing here knows what a trace means, and no other file defines what a co-action is.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import polars as pl

from workbench.schema import ParameterError, check_table, empty_table

BATCH_PAIRS = 4_000_000
N_THREADS = 2
MAX_PAIRS = 20_000_000_000
ENUM_FROM_EDGES = 5_000_000
_LINE_END = 2**62


@dataclass(frozen=True)
class ActionLog:
    """The actions of one trace as arrays, sorted by object, then time, then row order.

    All arrays have one entry per action: `object_code`, `account_code`, `post_code` number the sorted distinct names
    from 0; `time_us` is microseconds since 1970. `accounts`, `objects` and `posts` are the names, code by code.
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
        arrays = ("object_code", "account_code", "post_code", "time_us")
        return replace(self, **{name: getattr(self, name)[rows] for name in arrays})


def count_co_actions(
    actions: pl.DataFrame,
    *,
    time_window_s: float | None,
    min_co_actions: int = 1,
    min_participation: int = 1,
    min_actions: int = 1,
    max_pairs: int = MAX_PAIRS,
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
    window_us = window_in_us(time_window_s)
    for name, value in (("min_co_actions", min_co_actions), ("min_participation", min_participation)):
        if value < 1:
            raise ParameterError(f"{name} is {value}; expected 1 or more.")
    parts = []
    for log in pack_traces(actions):
        log = log.keep(np.bincount(log.account_code, minlength=1)[log.account_code] >= min_actions)
        log = log.keep(np.bincount(log.account_code, minlength=1)[log.account_code] >= min_participation)
        _refuse_too_many_pairs(log, window_us=window_us, max_pairs=max_pairs)
        either = _participants(log, window_us=window_us, k=min_participation) if min_participation > 1 else None
        a, b, n = count_pairs(log, window_us=window_us, either=either)
        enough = n >= min_co_actions
        parts.append(_edges(log, a[enough], b[enough], n[enough]))
    return pl.concat(parts) if parts else empty_table("edges")


def pack_traces(actions: pl.DataFrame) -> list[ActionLog]:
    """Return one `ActionLog` per trace of the actions, in order of the traces' names.

    Raises:
        SchemaError: `actions` is not a table of actions.
        ParameterError: the times span more than 146,000 years, which no 64-bit line holds.
    """
    actions = check_table(actions, "actions").filter(pl.col("object_id").str.strip_chars() != "")
    traces = actions["trace"].unique().sort()
    return [pack_actions(actions.filter(pl.col("trace") == trace)) for trace in traces]


def pack_actions(actions: pl.DataFrame) -> ActionLog:
    """Return the actions of a single trace as an `ActionLog`.

    Raises:
        ParameterError: more than one trace, or times that span more than 146,000 years.
    """
    traces = actions["trace"].unique()
    if len(traces) > 1:
        raise ParameterError(f"expected actions of one trace, found {sorted(traces)}. Use pack_traces.")
    names = {column: actions[column].unique().sort() for column in ("object_id", "account_id", "post_id")}
    coded = actions.select(
        o=_code("object_id", names), a=_code("account_id", names), p=_code("post_id", names),
        t=pl.col("acted_at").dt.epoch("us"),
    ).sort("o", "t", maintain_order=True)  # fmt: skip
    time_us = coded["t"].to_numpy()
    if len(time_us) and int(time_us.max()) - int(time_us.min()) > _LINE_END:
        raise ParameterError("the actions' times span more than 146,000 years; check the unit of acted_at.")
    return ActionLog(
        trace=traces[0] if len(traces) else "",
        object_code=coded["o"].to_numpy(), account_code=coded["a"].to_numpy(), post_code=coded["p"].to_numpy(),
        time_us=time_us, accounts=names["account_id"], objects=names["object_id"], posts=names["post_id"],
    )  # fmt: skip


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
        yield _expand(log, n_after, before, lo, hi)


def count_pairs(
    log: ActionLog, *, window_us: int | None, either: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the edges of one log as arrays (a, b, n): account codes a < b and their co-actions, sorted by (a, b).

    Args:
        log: actions of one trace.
        window_us: microseconds, inclusive; None = any gap.
        either: true per account code; a pair counts only where one of its two accounts is true.
    """
    n_after = count_partners(log, window_us=window_us)
    before = np.concatenate([[0], np.cumsum(n_after)])
    bits = np.uint64(max(1, int(log.account_code.max(initial=0)).bit_length()))

    def sorted_runs(rows: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        i, j = _expand(log, n_after, before, *rows)
        x, y = log.account_code[i], log.account_code[j]
        if either is not None:
            chosen = either[x] | either[y]
            x, y = x[chosen], y[chosen]
        pair = (np.minimum(x, y).astype(np.uint64) << bits) | np.maximum(x, y).astype(np.uint64)
        pair.sort()
        return _runs(pair)

    with ThreadPoolExecutor(N_THREADS) as pool:
        parts = [part for part in pool.map(sorted_runs, _batches(before, BATCH_PAIRS)) if len(part[0])]
        pair, n = _add_up(parts, pool)
    return (pair >> bits).astype(np.int64), (pair & ((np.uint64(1) << bits) - np.uint64(1))).astype(np.int64), n


def _add_up(parts: list[tuple[np.ndarray, np.ndarray]], pool: ThreadPoolExecutor) -> tuple[np.ndarray, np.ndarray]:
    """Merge sorted batches of (pair, count): cut all at common boundaries, then add up slice by slice."""
    if not parts:
        return np.empty(0, np.uint64), np.empty(0, np.int64)
    if len(parts) == 1:
        return parts[0]
    sample = np.sort(np.concatenate([pair[::997] for pair, _ in parts]))
    bounds = np.unique(sample[:: max(1, len(sample) // 64)])
    cuts = [np.concatenate([[0], np.searchsorted(pair, bounds), [len(pair)]]) for pair, _ in parts]
    count_bits = np.uint64(max(int(n.max()) for _, n in parts).bit_length())
    pair_bits = int(max(int(pair[-1]) for pair, _ in parts)).bit_length()

    def one_slice(k: int) -> tuple[np.ndarray, np.ndarray]:
        pair = np.concatenate([p[c[k] : c[k + 1]] for (p, _), c in zip(parts, cuts, strict=True)])
        n = np.concatenate([m[c[k] : c[k + 1]] for (_, m), c in zip(parts, cuts, strict=True)])
        if not len(pair):
            return pair, n
        if pair_bits + int(count_bits) <= 64:  # one sort of plain numbers is several times faster than an argsort
            packed = (pair << count_bits) | n.astype(np.uint64)
            packed.sort()
            pair, n = packed >> count_bits, (packed & ((np.uint64(1) << count_bits) - np.uint64(1))).astype(np.int64)
        else:
            order = np.argsort(pair)
            pair, n = pair[order], n[order]
        first = np.flatnonzero(np.concatenate([[True], pair[1:] != pair[:-1]]))
        return pair[first], np.add.reduceat(n, first)

    slices = list(pool.map(one_slice, range(len(bounds) + 1)))
    return np.concatenate([s[0] for s in slices]), np.concatenate([s[1] for s in slices])


def _expand(log: ActionLog, n_after: np.ndarray, before: np.ndarray, lo: int, hi: int) -> tuple[np.ndarray, np.ndarray]:
    i = np.repeat(np.arange(lo, hi), n_after[lo:hi])
    j = np.arange(int(before[hi] - before[lo])) - np.repeat(before[lo:hi] - before[lo], n_after[lo:hi]) + i + 1
    other = log.account_code[i] != log.account_code[j]
    return i[other], j[other]


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


def _runs(pair: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if not len(pair):
        return pair, np.empty(0, np.int64)
    first = np.flatnonzero(np.concatenate([[True], pair[1:] != pair[:-1]]))
    return pair[first], np.diff(np.append(first, len(pair)))


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


def _code(column: str, names: dict[str, pl.Series]) -> pl.Expr:
    return pl.col(column).cast(pl.Enum(names[column])).to_physical().cast(pl.Int64)


def _edges(log: ActionLog, a: np.ndarray, b: np.ndarray, n: np.ndarray) -> pl.DataFrame:
    names = log.accounts.cast(pl.Enum(log.accounts)) if len(a) > ENUM_FROM_EDGES else log.accounts
    columns = {"account_a": names.gather(a), "account_b": names.gather(b), "n_co_actions": n}
    return pl.DataFrame(columns).select(pl.lit(log.trace).alias("trace"), pl.all())
