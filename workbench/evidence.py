"""edges -> what made them: every co-action behind an edge, post by post, and a description of each edge kept.

Count first, describe after: these look only at the accounts of the edges given, so the millions of edges that nobody
keeps cost nothing here.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from workbench.coaction import ActionLog, iterate_pairs, pack_traces, window_in_us
from workbench.schema import check_table

_EDGE = ("trace", "account_a", "account_b")


def co_action_evidence(actions: pl.DataFrame, edges: pl.DataFrame, *, time_window_s: float | None) -> pl.DataFrame:
    """Return the co-actions behind the given edges, one row each.

    Args:
        actions: the table the edges were counted from.
        edges: any rows with trace, account_a, account_b: the edges to explain.
        time_window_s: the window they were counted with, in seconds.

    Returns:
        trace, account_a, account_b, object_id, post_a, post_b, at_a, at_b, gap_s (float, never negative), first
        (account_id of who came first; null where both acted at the same time); sorted by trace, pair and time.

    Raises:
        SchemaError: a table lacks its columns.
        ParameterError: a window out of range.

    Beware: who came first is not who told whom; both may follow a third.
    """
    parts = []
    for log, i, j in _pairs_of(actions, edges, time_window_s):
        swap = log.account_code[i] > log.account_code[j]
        a, b = np.where(swap, j, i), np.where(swap, i, j)
        parts.append(
            pl.DataFrame(
                {
                    "account_a": log.accounts.gather(log.account_code[a]),
                    "account_b": log.accounts.gather(log.account_code[b]),
                    "object_id": log.objects.gather(log.object_code[a]),
                    "post_a": log.posts.gather(log.post_code[a]),
                    "post_b": log.posts.gather(log.post_code[b]),
                    "at_a": _time(log.time_us[a]),
                    "at_b": _time(log.time_us[b]),
                }
            ).with_columns(trace=pl.lit(log.trace))
        )
    found = pl.concat(parts) if parts else _no_evidence()
    gap = (pl.col("at_b") - pl.col("at_a")).dt.total_microseconds() / 1e6
    first = pl.when(gap > 0).then("account_a").when(gap < 0).then("account_b")
    return found.select(*_EDGE, pl.exclude(*_EDGE), gap_s=gap.abs(), first=first).sort(
        *_EDGE, "at_a", "at_b", "object_id"
    )


def describe_edges(edges: pl.DataFrame, actions: pl.DataFrame, *, time_window_s: float | None) -> pl.DataFrame:
    """Add to each edge how many objects made it, how fast, who came first and when.

    Args:
        edges: table `edges` or `scored`.
        actions: the table they were counted from.
        time_window_s: the window they were counted with, in seconds.

    Returns:
        The edges in their order, plus n_objects, mean_gap_s, min_gap_s, n_a_first (how often a was strictly first),
        first_at (earliest action of any of its co-actions), last_at (latest).

    Raises:
        SchemaError: a table lacks its columns, or an edge has no co-action in these actions at this window.
        ParameterError: a window out of range.
    """
    parts = [
        _summarise(log, i, j).with_columns(trace=pl.lit(log.trace))
        for log, i, j in _pairs_of(actions, edges, time_window_s)
    ]
    if not parts:
        parts = [_summarise_nothing()]
    described = (
        pl.concat(parts)
        .group_by(*_EDGE, "object")
        .agg(pl.col("n", "gap", "n_a_first").sum(), pl.col("min_gap_s", "first_at").min(), pl.col("last_at").max())
        .group_by(*_EDGE)
        .agg(
            n_objects=pl.len().cast(pl.Int64),
            mean_gap_s=pl.col("gap").sum() / pl.col("n").sum(),
            min_gap_s=pl.col("min_gap_s").min(),
            n_a_first=pl.col("n_a_first").sum(),
            first_at=pl.col("first_at").min(),
            last_at=pl.col("last_at").max(),
        )
    )
    keys = [pl.col(name).cast(pl.String) for name in ("account_a", "account_b")]
    return check_table(edges, "edges").with_columns(keys).join(described, on=_EDGE, how="left", maintain_order="left")


def rank_objects(actions: pl.DataFrame, clusters: pl.DataFrame, *, most: int = 5) -> pl.DataFrame:
    """Return what each cluster acted on most: cluster_id, trace, object_id, n_accounts, n_actions, first_at, last_at.

    Args:
        actions: table `actions`.
        clusters: rows with account_id and cluster_id.
        most: objects per cluster, by accounts, then actions.

    Beware: the most popular object of a cluster is often popular with everybody.
    """
    own = actions.join(clusters.select("account_id", "cluster_id"), on="account_id")
    counted = own.group_by("cluster_id", "trace", "object_id").agg(
        n_accounts=pl.col("account_id").n_unique().cast(pl.Int64),
        n_actions=pl.len().cast(pl.Int64),
        first_at=pl.col("acted_at").min(),
        last_at=pl.col("acted_at").max(),
    )
    order = ["cluster_id", "n_accounts", "n_actions", "trace", "object_id"]
    ranked = counted.sort(order, descending=[False, True, True, False, False])
    return ranked.group_by("cluster_id", maintain_order=True).head(most)


def _pairs_of(
    actions: pl.DataFrame, edges: pl.DataFrame, time_window_s: float | None
) -> Iterator[tuple[ActionLog, np.ndarray, np.ndarray]]:
    """Yield, batch by batch, the rows of each log that are a co-action of one of the edges."""
    window_us = window_in_us(time_window_s)
    edges = edges.with_columns(pl.col("account_a", "account_b").cast(pl.String))
    wanted_accounts = pl.concat([edges["account_a"], edges["account_b"]]).unique()
    for log in pack_traces(actions.filter(pl.col("account_id").is_in(wanted_accounts.implode()))):
        wanted = edges.filter(pl.col("trace") == log.trace)
        codes = {name: code for code, name in enumerate(log.accounts)}
        known = wanted.filter(
            pl.col("account_a").is_in(log.accounts.implode()), pl.col("account_b").is_in(log.accounts.implode())
        )
        n = len(log.accounts)
        keys = np.array(
            sorted({codes[a] * n + codes[b] for a, b in known.select("account_a", "account_b").iter_rows()}), np.int64
        )
        if not len(keys):
            continue
        for i, j in iterate_pairs(log, window_us=window_us):
            x, y = log.account_code[i], log.account_code[j]
            key = np.minimum(x, y) * n + np.maximum(x, y)
            place = np.minimum(np.searchsorted(keys, key), len(keys) - 1)
            hit = keys[place] == key
            if hit.any():
                yield log, i[hit], j[hit]


def _summarise(log: ActionLog, i: np.ndarray, j: np.ndarray) -> pl.DataFrame:
    """One row per pair and object of a batch; i is the earlier row."""
    x, y = log.account_code[i], log.account_code[j]
    gap = (log.time_us[j] - log.time_us[i]) / 1e6
    batch = pl.DataFrame(
        {
            "a": np.minimum(x, y),
            "b": np.maximum(x, y),
            "object": log.object_code[i],
            "gap": gap,
            "a_first": ((x < y) & (gap > 0)).astype(np.int64),
            "first_at": _time(log.time_us[i]),
            "last_at": _time(log.time_us[j]),
        }
    )
    per_object = batch.group_by("a", "b", "object").agg(
        n=pl.len().cast(pl.Int64),
        gap=pl.col("gap").sum(),
        min_gap_s=pl.col("gap").min(),
        n_a_first=pl.col("a_first").sum(),
        first_at=pl.col("first_at").min(),
        last_at=pl.col("last_at").max(),
    )
    names = {f"account_{side}": log.accounts.gather(per_object[side]) for side in ("a", "b")}
    return per_object.drop("a", "b").with_columns(**names)


def _time(time_us: np.ndarray) -> pl.Series:
    return pl.Series(time_us).cast(pl.Datetime("us", "UTC"))


def _no_evidence() -> pl.DataFrame:
    text = dict.fromkeys(("account_a", "account_b", "object_id", "post_a", "post_b"), pl.String)
    time = dict.fromkeys(("at_a", "at_b"), pl.Datetime("us", "UTC"))
    return pl.DataFrame(schema={**text, **time, "trace": pl.String})


def _summarise_nothing() -> pl.DataFrame:
    time = pl.Datetime("us", "UTC")
    return pl.DataFrame(
        schema={
            "object": pl.Int64, "n": pl.Int64, "gap": pl.Float64, "min_gap_s": pl.Float64, "n_a_first": pl.Int64,
            "first_at": time, "last_at": time, "account_a": pl.String, "account_b": pl.String, "trace": pl.String,
        }
    )  # fmt: skip
