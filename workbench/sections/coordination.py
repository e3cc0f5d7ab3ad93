"""The network of co-actions: how many pairs acted on the same things at once, and how many of them beyond chance."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from workbench.chart_network import MOST_NODES, pack_network
from workbench.charts import chart_network, chart_weight_distribution
from workbench.findings import ChanceTest, Claim, Confidence, Figure, Observation, Section, TableView
from workbench.sections.base import make_figure, make_table, name_trace, say_count, say_share, say_window

MOST_EDGES_DRAWN = 1500
MOST_NODES_DRAWN = 3000
_INNOCENT = (
    "Pairs like these arise innocently: colleagues on one newsroom's schedule, fans of one band, members of one party, "
    "people who follow the same account. A pair beyond chance shares more than an interest in the same things; "
    "it does not show an inauthentic account. Single pairs explain the clusters; they do not decide them."
)
_GROUPS_ONLY = (
    "No single pair stands out, and yet groups do (see the section on the clusters). A pair has few co-actions, and "
    "where hardly anybody else acts on the same things, exchanging who acted among those who did changes little. The "
    "test of groups adds up the co-actions of all members, and also asks whether they were faster than is usual."
)


def describe_coordination(
    scored: pl.DataFrame,
    *,
    actions: pl.DataFrame,
    time_window_s: float | None,
    max_fdr: float,
    n_shuffles: int,
    chance_weights: pl.DataFrame | None = None,
    clusters: pl.DataFrame | None = None,
    places: pl.DataFrame | None = None,
    clocks: pl.DataFrame | None = None,
) -> Section:
    """Return the section on edges: counted, beyond chance, by trace and weight, with the picture of the clusters.

    Args:
        scored: from `score_edges`.
        actions: the actions the edges were counted on.
        time_window_s: the window of the count.
        max_fdr: the limit up to which an edge counts as beyond chance.
        n_shuffles: shuffles behind the scores.
        chance_weights: mean number of pairs per weight over the shuffles: n_co_actions, n_edges.
        clusters: table `clusters`, for the picture.
        places: from `place_accounts`, for the picture.
        clocks: from `find_shared_clocks`, to say which groups were set apart.
    """
    if actions.is_empty():
        return Section("coordination", empty_reason="No post carries a trace that was asked for, so no action to pair.")
    if scored.is_empty():
        reason = f"No two accounts acted on the same thing within {say_window(time_window_s)}."
        return Section("coordination", empty_reason=reason)
    traces = _count_by_trace(scored, actions, max_fdr=max_fdr)
    claims = _claims(scored, actions, time_window_s=time_window_s, max_fdr=max_fdr, n_shuffles=n_shuffles)
    figures = [_weights(scored, chance_weights)]
    if clusters is not None and places is not None and not clusters.is_empty():
        figures += _picture(scored, clusters, places)
    labels = {
        "trace": "Trace", "n_accounts": "Accounts acting", "n_actions": "Actions", "n_pairs": "Pairs with a co-action",
        "n_co_actions": "Co-actions", "n_pairs_kept": "Pairs beyond chance", "n_accounts_kept": "Accounts in them",
    }  # fmt: skip
    note = f"Within {say_window(time_window_s)}; beyond chance at a false discovery rate of at most {max_fdr:.0%}."
    named = traces.with_columns(pl.col("trace").map_elements(name_trace, return_dtype=pl.String))
    tables = [make_table("traces", "Co-actions by trace", named, note=note, labels=labels)]
    has_clusters = clusters is not None and not clusters.is_empty()
    prose = [_GROUPS_ONLY] if has_clusters and not traces["n_pairs_kept"].sum() else []
    prose.append(_INNOCENT)
    if clocks is not None:
        each = clocks.group_by("cluster_id").agg(
            n_accounts=pl.len(), **{name: pl.col(name).first() for name in ("clock_s", "ratio", "clock_ratio")}
        )
        prose.append(_say_clocks(each))
        tables += [_table_clocks(each.sort("cluster_id"))] if each.height else []
    return Section("coordination", claims, prose, figures, tables)


def _say_clocks(each: pl.DataFrame) -> str:
    if each.is_empty():
        return "No group that acted together was set apart because a shared clock explains it."
    return (
        f"{say_count(each.height, 'group')} of {say_count(int(each['n_accounts'].sum()), 'account')} in all acted "
        "together more often than others, but a shared clock explains it: schedulers on the full hour, readers of one "
        "feed, people awake at the same hours. They are listed, and not called coordinated."
    )


def _table_clocks(each: pl.DataFrame) -> TableView:
    shown = each.select(
        "n_accounts",
        (pl.col("clock_s") / 60).cast(pl.Int64).alias("clock_minutes"),
        pl.col("ratio").round(1),
        pl.col("clock_ratio").round(1),
    )
    labels = {
        "n_accounts": "Accounts", "clock_minutes": "Clock, minutes", "ratio": "Times as often as others",
        "clock_ratio": "Times as often as the clock gives",
    }  # fmt: skip
    note = "Below twice what the clock gives, or first on the object by the turn of the clock: explained by it."
    return make_table("shared_clocks", "Groups that a shared clock explains", shown, note=note, labels=labels)


def _claims(
    scored: pl.DataFrame, actions: pl.DataFrame, *, time_window_s: float | None, max_fdr: float, n_shuffles: int
) -> list[Claim]:
    pairs = scored.select("account_a", "account_b").unique().height
    n_accounts = actions["account_id"].n_unique()
    text = (
        f"{say_count(pairs, 'pair')} of accounts acted on the same thing within {say_window(time_window_s)} "
        f"at least once, {say_count(int(scored['n_co_actions'].sum()), 'time')} in all."
    )
    confidence = Confidence("high", "An exact count on the posts as released.")
    where = (Observation("Co-actions counted per trace.", "traces"),)
    possible = n_accounts * (n_accounts - 1) // 2
    seen = Claim(text, "co-action", confidence, where, f"{possible:,} possible pairs of {n_accounts:,} acting accounts")
    kept = scored.filter(pl.col("fdr") <= max_fdr).select("account_a", "account_b").unique()
    test = ChanceTest(
        "shuffle of accounts among the actions on each object",
        f"{n_shuffles} shuffles keep every object's times and every account's objects and hours of the day; "
        f"{kept.height:,} pairs reach a false discovery rate of {max_fdr:.0%} or less.",
        n_shuffles=n_shuffles,
        fdr=max_fdr,
    )
    if kept.is_empty():
        text = f"No pair of them, taken alone, acted together beyond chance at a false discovery rate of {max_fdr:.0%}."
    else:
        text = (
            f"{say_share(kept.height, pairs, noun='pair')} acted together beyond chance: at most {max_fdr:.0%} of them "
            "are there by luck."
        )
    basis = (
        "The shuffles are calibrated on worlds with known truth; the released posts are all there is to compare with."
    )
    judged = Claim(
        text,
        "coordination",
        Confidence("moderate", basis),
        (test, *where),
        f"{pairs:,} pairs with a co-action",
        is_absence=kept.is_empty(),
    )
    return [seen, judged]


def _count_by_trace(scored: pl.DataFrame, actions: pl.DataFrame, *, max_fdr: float) -> pl.DataFrame:
    acting = actions.group_by("trace").agg(n_accounts=pl.col("account_id").n_unique(), n_actions=pl.len())
    seen = scored.group_by("trace").agg(n_pairs=pl.len(), n_co_actions=pl.col("n_co_actions").sum())
    ends = pl.concat_list("account_a", "account_b")
    kept = (
        scored.filter(pl.col("fdr") <= max_fdr)
        .group_by("trace")
        .agg(n_pairs_kept=pl.len(), n_accounts_kept=ends.explode().n_unique())
    )
    counted = acting.join(seen, on="trace", how="left").join(kept, on="trace", how="left")
    return counted.with_columns(pl.exclude("trace").fill_null(0).cast(pl.Int64)).sort("trace")


def _weights(scored: pl.DataFrame, chance_weights: pl.DataFrame | None) -> Figure:
    observed = scored.group_by("n_co_actions").agg(n_edges=pl.len().cast(pl.Float64))
    parts = [observed.select("n_co_actions", pl.lit("observed").alias("kind"), "n_edges")]
    if chance_weights is not None:
        by_chance = chance_weights.with_columns(pl.lit("by chance").alias("kind"), pl.col("n_edges").cast(pl.Float64))
        parts.append(by_chance.select("n_co_actions", "kind", "n_edges"))
    table = pl.concat(parts).filter(pl.col("n_edges") > 0).sort("kind", "n_co_actions", descending=[True, False])
    return make_figure("weight_distribution", chart_weight_distribution(table.head(5000)), table)


def _picture(scored: pl.DataFrame, clusters: pl.DataFrame, places: pl.DataFrame) -> list[Figure]:
    """Draw the edges between clustered accounts that are furthest beyond chance, as many as a still picture holds.

    All of them, not only those that pass the limit singly: the cluster test decides, and it weighs them together.
    """
    member = clusters.select("account_id", "cluster_id", "is_core")
    nodes = places.select("account_id", pl.col("x").round(3), pl.col("y").round(3)).join(
        member, on="account_id", how="inner", maintain_order="left"
    )
    nodes = nodes.head(MOST_NODES)
    furthest = (
        scored.with_columns(pl.col("account_a", "account_b").cast(pl.String))
        .group_by("account_a", "account_b")
        .agg(pl.col("score").max(), pl.col("n_co_actions").sum())
    )
    a = nodes.select(account_a="account_id", x="x", y="y", cluster_a="cluster_id")
    b = nodes.select(account_b="account_id", x2="x", y2="y", cluster_b="cluster_id")
    joined = furthest.join(a, on="account_a").join(b, on="account_b")
    ranked = joined.sort("score", "account_a", "account_b", descending=[True, False, False])
    same = pl.when(pl.col("cluster_a") == pl.col("cluster_b")).then(pl.col("cluster_a"))
    drawn = ranked.head(MOST_EDGES_DRAWN).select("x", "y", "x2", "y2", same.alias("cluster_id"))
    if nodes.is_empty():
        return []
    still = chart_network(
        nodes.head(MOST_NODES_DRAWN),
        drawn.sort("cluster_id", maintain_order=True),
        n_accounts=clusters["account_id"].n_unique(),
        n_pairs=ranked.height,
    )
    figure, graph = make_figure("network", still, nodes), pack_network(nodes, ranked)
    holds = f"{say_count(graph['n_nodes'], 'account')} and {say_count(graph['n_edges'], 'pair')}"
    alive = f" Where scripts may run, the picture can be searched and moved, and holds {holds}."
    return [replace(figure, description=figure.description + alive, graph=graph)]
