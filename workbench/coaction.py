"""actions -> edges: which pairs of accounts acted on the same object within a time window, counted exactly.

`action_log.py` turns actions into numbers and `pairs.py` counts them; here stands what is counted, of whom, and what
is refused. Nothing here knows what a trace means, and no other file defines what a co-action is.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from functools import partial

import numpy as np
import polars as pl
from polars.io.plugins import register_io_source

from workbench.action_log import ActionLog, pack_actions, pack_traces
from workbench.cost import refuse_too_many_pairs
from workbench.pairs import count_pairs, count_partners, iterate_counts, iterate_pairs, window_in_us
from workbench.schema import ParameterError

__all__ = [
    "ActionLog",
    "count_co_actions",
    "count_pairs",
    "count_partners",
    "iterate_co_actions",
    "iterate_pairs",
    "pack_actions",
    "pack_traces",
    "window_in_us",
]

MAX_PAIRS = 20_000_000_000
PART_EDGES = 1_000_000
ENUM_FROM_EDGES = 5_000_000


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
        max_pairs: refuse to start where one trace has more pairs than this within the window; see `predict_cost`.

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
            min_actions=min_actions, max_pairs=max_pairs,
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
) -> Iterator[pl.DataFrame]:
    """Yield the edges of `count_co_actions` in sorted parts, for results larger than memory.

    The account columns are one Enum of all accounts that acted on an object. At least one part comes, if empty.
    Parameters and errors are those of `count_co_actions`; errors come with the first part.
    """
    yield from _count_parts(
        *_pack_names(actions, min_participation=min_participation),
        time_window_s=time_window_s, min_co_actions=min_co_actions, min_participation=min_participation,
        min_actions=min_actions, max_pairs=max_pairs,
    )  # fmt: skip


def scan_co_actions(
    actions: pl.DataFrame,
    *,
    time_window_s: float | None,
    min_co_actions: int = 1,
    min_participation: int = 1,
    min_actions: int = 1,
    max_pairs: int = MAX_PAIRS,
) -> pl.LazyFrame:
    """Return the edges of `count_co_actions` as a LazyFrame: counted when collected, and never all in memory at once.

    For results larger than memory, written or reduced as they come:
    `scan_co_actions(actions, time_window_s=60).sink_parquet("edges.parquet")`. It is also the fastest way to a file:
    polars writes while the next edges are counted. Every `collect` or `sink` counts anew.

    The account columns are one Enum of all accounts that acted on an object; rows are sorted as long as the query
    keeps their order. Parameters are those of `count_co_actions`.

    Raises:
        ParameterError: a window or minimum out of range; more pairs than `max_pairs`, once the edges are asked for.
        SchemaError: `actions` is not a table of actions.
    """
    logs, names = _pack_names(actions, min_participation=min_participation)
    count = partial(
        _count_parts,
        names=names, time_window_s=time_window_s, min_co_actions=min_co_actions, min_participation=min_participation,
        min_actions=min_actions, max_pairs=max_pairs,
    )  # fmt: skip
    nothing = next(count([]))

    def read(
        columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, _: int | None
    ) -> Iterator[pl.DataFrame]:
        left = sys.maxsize if n_rows is None else n_rows
        for edges in count(logs):
            part = edges.head(left)
            left -= part.height
            part = part if predicate is None else part.filter(predicate)
            yield part if columns is None else part.select(columns)
            if left == 0:
                return

    return register_io_source(read, schema=nothing.schema)


def _pack_names(actions: pl.DataFrame, *, min_participation: int) -> tuple[list[ActionLog], pl.Series]:
    """Return the actions of each trace as arrays, and all their accounts as one sorted Enum."""
    logs = pack_traces(actions, with_posts=min_participation > 1)
    names = pl.concat([pl.Series("account_id", [], pl.String), *(log.accounts for log in logs)]).unique().sort()
    return logs, names.cast(pl.Enum(names))


def _count_parts(
    logs: list[ActionLog],
    names: pl.Series,
    *,
    time_window_s: float | None,
    min_co_actions: int,
    min_participation: int,
    min_actions: int,
    max_pairs: int,
) -> Iterator[pl.DataFrame]:
    """Yield the edges of all logs in sorted parts, an empty one first."""
    window_us = window_in_us(time_window_s)
    for name, value in (("min_co_actions", min_co_actions), ("min_participation", min_participation)):
        if value < 1:
            raise ParameterError(f"{name} is {value}; expected 1 or more.")
    yield _edges("", names, *[np.empty(0, np.uint32)] * 2, np.empty(0, np.int64))
    for log in logs:
        n_actions = np.bincount(log.account_code, minlength=1)
        log = log.keep(n_actions[log.account_code] >= max(min_actions, min_participation))
        n_after = count_partners(log, window_us=window_us)
        refuse_too_many_pairs(log, n_after, max_pairs=max_pairs)
        either = _participants(log, window_us=window_us, k=min_participation) if min_participation > 1 else None
        own_names = log.accounts.cast(names.dtype)
        for a, b, n in _in_parts(iterate_counts(log, n_after=n_after, either=either)):
            edges = _edges(log.trace, own_names, a, b, n)
            yield edges if min_co_actions == 1 else edges.filter(pl.col("n_co_actions") >= min_co_actions)


def _participants(log: ActionLog, *, window_us: int | None, k: int) -> np.ndarray:
    """Return, per account code, whether it has at least k rows among the posts that are in any co-action."""
    is_in_pair = np.zeros(len(log), bool)
    for i, j in iterate_pairs(log, window_us=window_us):
        is_in_pair[i] = is_in_pair[j] = True
    has_paired_post = np.zeros(len(log.posts), bool)
    has_paired_post[log.post_code[is_in_pair]] = True
    rows = has_paired_post[log.post_code]
    return np.bincount(log.account_code[rows], minlength=len(log.accounts)) >= k


def _in_parts(counts: Iterable[tuple[np.ndarray, ...]]) -> Iterator[tuple[np.ndarray, ...]]:
    """Yield the same columns in longer pieces, of about PART_EDGES rows."""
    held: list[tuple[np.ndarray, ...]] = []
    n_held = 0
    for columns in counts:
        held.append(columns)
        n_held += len(columns[0])
        if n_held >= PART_EDGES:
            yield tuple(np.concatenate(column) for column in zip(*held, strict=True))
            held, n_held = [], 0
    if held:
        yield tuple(np.concatenate(column) for column in zip(*held, strict=True))


def _edges(trace: str, names: pl.Series, a: np.ndarray, b: np.ndarray, n: np.ndarray) -> pl.DataFrame:
    ends = [names.gather(pl.Series(code)).alias(f"account_{end}") for end, code in (("a", a), ("b", b))]
    return pl.DataFrame([*ends, pl.Series("n_co_actions", n)]).select(pl.lit(trace).alias("trace"), pl.all())
