"""actions -> edges: which pairs of accounts acted on the same object within a time window, counted exactly.

`action_log.py` turns actions into numbers and `pairs.py` counts them; here stands what is counted, of whom, and what
is refused. Nothing here knows what a trace means, and no other file defines what a co-action is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import polars as pl

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
    window_us = window_in_us(time_window_s)
    for name, value in (("min_co_actions", min_co_actions), ("min_participation", min_participation)):
        if value < 1:
            raise ParameterError(f"{name} is {value}; expected 1 or more.")
    logs = pack_traces(actions, with_posts=min_participation > 1)
    names = pl.concat([pl.Series("account_id", [], pl.String), *(log.accounts for log in logs)]).unique().sort()
    names = names.cast(pl.Enum(names))
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
