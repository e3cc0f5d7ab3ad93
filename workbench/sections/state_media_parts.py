"""The figures and tables of the state-media section."""

from __future__ import annotations

from typing import Any

import polars as pl

from workbench.chart_state_media import (
    chart_determinations,
    chart_reference_ratios,
    chart_references_per_day,
    coarsen_days,
)
from workbench.chart_stretch import Stretch, find_stretch
from workbench.findings import Figure, TableView
from workbench.sections.base import make_figure, make_table, say_platform
from workbench.sections.over_time import draw_over_time

MOST_OUTLETS_DRAWN = 30


def draw_outcomes(screened: pl.DataFrame, policies: Any) -> list[Figure]:
    """Return what each policy makes of each outlet, drawn; nothing for a long list."""
    if screened["outlet_id"].n_unique() > MOST_OUTLETS_DRAWN:
        return []
    labels = {
        policy.policy_id: f"{say_platform(policy.platform)} {policy.published_on.year}" for policy in policies.policies
    }
    table = screened.select(
        outlet="name", policy=pl.col("policy_id").replace_strict(labels, return_dtype=pl.String), outcome="outcome"
    )
    return [make_figure("state_media_outcomes", chart_determinations(table), table)]


def draw_ratios(table: pl.DataFrame, names: dict[str, str]) -> list[Figure]:
    """Return how much more of their posts clusters gave to outlets; nothing where no interval is bounded."""
    shown = table.filter(
        pl.col("outlet_id").is_not_null()
        & (pl.col("n_references") > 0)
        & (pl.col("ratio_low") > 0)
        & pl.all_horizontal(pl.col("ratio", "ratio_high").is_not_null())
    ).sort("cluster_id", "ratio", descending=[False, True])
    if shown.is_empty():
        return []
    label = pl.format("Cluster {}, {}", "cluster_id", pl.col("outlet_id").replace(names))
    rounded = [pl.col(column).round(3) for column in ("ratio", "ratio_low", "ratio_high")]
    drawn = shown.head(MOST_OUTLETS_DRAWN).select(label.alias("label"), "cluster_id", *rounded)
    return [make_figure("state_media_ratios", chart_reference_ratios(drawn), drawn)]


def draw_days(by_day: pl.DataFrame) -> list[Figure]:
    """Return the posts that refer to outlets per day, week or month."""
    cluster = pl.col("cluster_id")
    group = (
        pl.when(cluster.is_null())
        .then(pl.lit("outside clusters"))
        .when(cluster > 5)
        .then(pl.lit("other clusters"))
        .otherwise(pl.format("cluster {}", cluster))
    )
    table = by_day.group_by("day", group.alias("group")).agg(n_posts=pl.col("n_posts").sum()).sort("day", "group")

    def draw(shown: Stretch | None) -> tuple[Any, pl.DataFrame]:
        return chart_references_per_day(table, within=shown), coarsen_days(table, within=shown)[0]

    return draw_over_time("state_media_days", draw, within=find_stretch(table))


def tabulate_determinations(screened: pl.DataFrame) -> TableView:
    """Return the outcomes with the facts that decided and those that are missing."""
    columns = ["name", "policy_id", "outcome", "ground", "decided_by", "missing", "not_shown", "contested"]
    wanted = screened.sort("name", "policy_id").select(*columns, "right_of_reply")
    note = (
        f"All {wanted.height:,} determinations. Decided by: factor=finding (Admiralty grade, day, source). "
        " Not shown: what the outlet would have to show. Contested: facts contradict each other, none stronger."
    )
    labels = {"name": "Outlet", "policy_id": "Policy", "not_shown": "Not shown by the outlet"}
    return make_table(
        "state_media_determinations", "What each policy makes of each outlet", wanted, note=note, labels=labels
    )


def tabulate_policies(policies: Any) -> TableView:
    """Return the policies' own words beside our reading of them."""
    rows = [
        {
            "policy_id": policy.policy_id,
            "rule_id": rule.rule_id,
            "kind": rule.kind,
            "text": rule.text,
            "reading": rule.reading,
            "asks": f"{rule.when}; the outlet has to show it" if rule.is_burden_on_outlet else str(rule.when),
            "source_url": rule.source_url or policy.source_url,
            "published_on": policy.published_on,
        }
        for policy in policies.policies
        for rule in policy.rules
    ]
    labels = {"policy_id": "Policy", "rule_id": "Rule", "text": "The policy's words", "reading": "Our reading"}
    labels |= {"asks": "What the facts have to say", "published_on": "Of"}
    note = (
        "The platforms disagree by design: each policy is screened for itself. An outlet meets a policy if every "
        "requirement holds and no exemption or safeguard does."
    )
    return make_table("state_media_policies", "The policies as rules", pl.DataFrame(rows), note=note, labels=labels)


def tabulate_defence(defence: pl.DataFrame, names: dict[str, str]) -> TableView:
    """Return every line of the argument: those that say something before those that no rule needed."""
    is_idle = pl.col("role") == "not needed"
    ranked = defence.with_columns(outlet=pl.col("outlet_id").replace(names)).sort(
        is_idle, "outlet", "policy_id", "rule_id", "factor", "role"
    )
    columns = ["outlet", "policy_id", "outcome", "rule_id", "kind", "rule_holds", "factor", "role", "finding", "grade"]
    shown = ranked.select(*columns, "evidence_at", "evidence_url", "note", "question")
    n_idle = defence.filter(is_idle).height
    note = (
        f"All {shown.height:,} lines; the {n_idle:,} that no rule needed come last. A line is a rule and a fact it "
        "asks for; facts that contradict each other have a line each, and a fact nobody knows has one without "
        "evidence. Role: what the line did to the outcome, or why it does not count. The page shows the first lines; "
        "tables/state_media_lines.csv beside it has them all."
    )
    labels = {"policy_id": "Policy", "rule_id": "Rule", "evidence_at": "Of", "evidence_url": "Evidence"}
    return make_table("state_media_lines", "Each determination, line by line", shown, note=note, labels=labels)


def tabulate_amplification(table: pl.DataFrame, names: dict[str, str]) -> TableView:
    """Return the shares and ratios, cluster by outlet."""
    outlet = pl.col("outlet_id").replace(names).fill_null("any outlet of the list")
    rounded = [pl.col(c).round(4) for c in ("references_frac", "rest_frac")]
    rounded += [pl.col(c).round(2) for c in ("ratio", "ratio_low", "ratio_high")]
    shown = table.with_columns(*rounded).select(outlet.alias("outlet"), pl.exclude("outlet_id"))
    note = (
        "Posts that link to, repost, quote or copy an outlet, as share of the cluster's posts and of those of accounts "
        "in no cluster. Posts of the outlets' own accounts count on neither side; a cluster of them is overt."
    )
    ranked = shown.sort("cluster_id", "n_references", descending=[False, True])
    return make_table("state_media_amplification", "Who carried which outlet", ranked, note=note)


def tabulate_first(first: pl.DataFrame, names: dict[str, str]) -> TableView:
    """Return who was first."""
    shown = first.select(pl.col("outlet_id").replace(names).alias("outlet"), pl.exclude("outlet_id"))
    note = (
        "Addresses and texts posted by both. Unknown: the outlet's own post of it is not in the data. Lead in seconds, "
        "positive where the outlet was first."
    )
    return make_table("state_media_first", "Who was first, outlet or cluster", shown, note=note)


def tabulate_adverts(adverts: pl.DataFrame, names: dict[str, str]) -> TableView:
    """Return the adverts by verdict, outlet and currency."""
    shown = adverts.with_columns(outlet=pl.col("outlet_id").replace(names)).select(
        "outlet", pl.exclude("outlet_id", "outlet")
    )
    note = (
        "Amounts as the libraries give them, never converted or added across currencies; an empty maximum is open. "
        "Amounts without a currency are not added. Repeats: rows of further exports that hold the same advert."
    )
    return make_table("state_media_adverts", "Adverts each policy would bar", shown, note=note)


def tabulate_judged(judged: pl.DataFrame, names: dict[str, str]) -> TableView:
    """Return the adverts one by one."""
    shown = judged.with_columns(outlet=pl.col("outlet_id").replace(names)).select(
        "advert_id", "platform", "outlet", "matched_by", "policy_id", "verdict", "why", "missing", "is_before_policy",
        "started_at", "ended_at", "spend_min", "spend_max", "currency", "currency_given", "countries", "file", "line",
        "repeats",
    )  # fmt: skip
    note = f"All {shown.height:,} rows. A match by name or link leaves open who paid."
    return make_table("state_media_advert_lines", "Adverts one by one", shown, note=note)
