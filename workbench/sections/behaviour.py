"""Groups of like behaviour beside the clusters: one plain sentence and two tables, coverage always with agreement."""

from __future__ import annotations

import polars as pl

from workbench.findings import Claim, Confidence, Observation, TableView
from workbench.sections.base import make_table, say_count, say_percent, say_share

_LOW = Confidence(
    "low", "Density finds groups in any cloud of points; people of one trade or one app behave alike too."
)


def compare_in_words(agreement: pl.DataFrame, crossed: pl.DataFrame) -> tuple[list[Claim], list[TableView]]:
    """Return the sentence on how far clusters agree with groups of like behaviour, and the tables behind it.

    Args:
        agreement: from `compare_groups`.
        crossed: from `cross_groups`.
    """
    judged = agreement.row(by_predicate=pl.col("over") == "all judged", named=True)
    if judged["ari"] is None or not judged["n_groups"] or not judged["n_clusters"]:
        return [], []
    is_in, is_alike = pl.col("cluster_id").is_not_null(), pl.col("behaviour_id").is_not_null()
    main = (
        crossed.filter(is_alike)
        .group_by("behaviour_id")
        .agg(n=pl.col("n_accounts").sum(), n_in=pl.col("n_accounts").filter(is_in).sum())
    )
    mostly = main.filter(pl.col("n_in") * 2 > pl.col("n"))
    n_in = int(crossed.filter(is_in)["n_accounts"].sum())
    text = (
        f"Grouped by how each behaves alone, without a look at who acted with whom, "
        f"{say_count(judged['n_accounts'], 'account')} fall into {say_count(judged['n_groups'], 'group')} and a rest. "
    )
    if mostly.is_empty():
        text += "In none of these groups are most accounts in a cluster. "
    else:
        n_mostly = int(mostly["n_in"].sum())
        text += (
            f"In {mostly.height:,} of them most accounts are in a cluster: {n_mostly:,} of {mostly['n'].sum():,}, and "
            f"these are {say_share(n_mostly, n_in, noun='clustered account')} that could be judged. "
        )
    text += (
        f"The two groupings agree by {judged['ari']:.2f} (95% interval {judged['low']:.2f} to {judged['high']:.2f}; "
        "0 is chance, 1 the same groups)."
    )
    shown = (Observation("Accounts in each cluster and each group of like behaviour.", "behaviour_by_cluster"),)
    whole = f"{judged['n_accounts']:,} accounts with ten posts or more"
    return [Claim(text, "co-action", _LOW, shown, whole)], [_agreement_table(agreement), _cross_table(crossed)]


def _agreement_table(agreement: pl.DataFrame) -> TableView:
    labels = {
        "over": "Over", "n_accounts": "Accounts", "ari": "Agreement", "interval": "95% interval",
        "coverage": "Coverage", "n_clusters": "Clusters", "n_groups": "Groups",
    }  # fmt: skip
    shown = pl.DataFrame(
        [
            {
                "over": row["over"], "n_accounts": row["n_accounts"],
                "ari": None if row["ari"] is None else round(row["ari"], 2),
                "interval": "" if row["low"] is None else f"{row['low']:.2f} to {row['high']:.2f}",
                "coverage": "" if row["coverage_frac"] is None else say_percent(row["coverage_frac"]),
                "n_clusters": row["n_clusters"], "n_groups": row["n_groups"],
            }
            for row in agreement.iter_rows(named=True)
        ],
        infer_schema_length=None,
    )  # fmt: skip
    note = (
        "Agreement: adjusted Rand index, 0 as by chance, 1 the same groups; interval from random halves of accounts. "
        "Coverage: of the clustered accounts, those also in a group of like behaviour; of all judged, all."
    )
    title = "Clusters and like behaviour: how far they agree"
    return make_table("behaviour_agreement", title, shown, note=note, labels=labels)


def _cross_table(crossed: pl.DataFrame) -> TableView:
    in_order = crossed.sort("cluster_id", "behaviour_id", nulls_last=True)
    columns = in_order.select("behaviour_id").unique().sort("behaviour_id", nulls_last=True)
    group = pl.format("Group {}", "behaviour_id").fill_null("Like no group")
    named = in_order.select(
        "n_accounts", cluster=pl.format("Cluster {}", "cluster_id").fill_null("In no cluster"), behaviour=group
    )
    wide = named.pivot("behaviour", index="cluster", values="n_accounts").fill_null(0)
    wide = wide.select("cluster", *columns.select(group).to_series())
    note = (
        "Accounts with ten posts or more, grouped by density on eight habits of each: pace, reposts, replies, links, "
        "hours, tools, followers and age. Group 1 is the largest."
    )
    title = "Clusters and groups of like behaviour"
    return make_table("behaviour_by_cluster", title, wide, note=note, labels={"cluster": "Accounts of"})
