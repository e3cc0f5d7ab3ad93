"""The clusters: one card each, with size, core, how much more often than others, the grade in plain words."""

from __future__ import annotations

from typing import Any

import polars as pl
import polars.selectors as cs

from workbench.chart_style import cluster_colour
from workbench.charts import chart_cluster_ratios, chart_cluster_sizes
from workbench.findings import Card, ChanceTest, Claim, Confidence, Figure, KeyNumber, Observation, Section, TableView
from workbench.sections.base import (
    make_figure,
    make_table,
    name_trace,
    say_count,
    say_percent,
    say_share,
    say_times,
    say_window,
)
from workbench.sections.behaviour import compare_in_words

MOST_CARDS = 20
MOST_OBJECTS = 8
MOSTLY_AT_START = 0.5
_OBJECTS = {
    "url": "links", "domain": "web sites", "repost": "posts", "fast_repost": "posts", "reply": "posts",
    "quote": "posts", "same_text": "texts", "similar_text": "texts", "hashtag": "hashtags",
    "hashtag_sequence": "sequences of hashtags", "mention": "mentioned accounts", "media": "images",
}  # fmt: skip
_GRADES = {
    "beyond shared interest": (
        (
            "Beyond shared interest: they acted together more often than interest in the same things explains, and "
            "faster than is usual for such things."
        ),
        (
            "Innocent reasons remain: sister pages of a newsroom, a fan club with a schedule, a party's local "
            "branches, one person's several open accounts, or strangers who answer one source's alerts at once earn "
            "this grade too. It does not say inauthentic."
        ),
    ),
    "closed group": (
        (
            "Closed group: they acted together faster than is usual, on things hardly anybody else in the data "
            "touched. With so few others to compare with, shared interest cannot be ruled out."
        ),
        (
            "Innocent reasons remain: a group with a common timetable and an audience of its own looks the same, and a "
            "release that holds only the accounts taken down has few others by its making. It does not say inauthentic."
        ),
    ),
}


def describe_clusters(
    clusters: pl.DataFrame,
    *,
    n_accounts: int,
    traces: list[str],
    n_shuffles: int,
    max_fdr: float,
    top_objects: pl.DataFrame | None = None,
    has_control: bool = False,
    agreement: pl.DataFrame | None = None,
    crossed: pl.DataFrame | None = None,
    repeats: tuple[pl.DataFrame, pl.DataFrame] | None = None,
) -> Section:
    """Return the section on clusters: one card per cluster, never above coordination.

    Args:
        clusters: from `find_coordinated_clusters`, one row per clustered account.
        n_accounts: accounts with an action, the denominator.
        traces: the traces they were found on.
        n_shuffles: shuffles behind the test.
        max_fdr: the limit the clusters were kept at.
        top_objects: cluster_id, object_id, n_accounts, n_actions: what each cluster acted on most.
        has_control: whether a control dataset was loaded beside the release.
        agreement: from `compare_groups`: how far clusters agree with groups of like behaviour.
        crossed: from `cross_groups`, with `agreement`.
        repeats: both tables of `repeat_clusters`: how far other splits find the same.
    """
    if n_accounts == 0:
        return Section(
            "clusters", empty_reason="No account acted by the traces asked for, so there is no group to test."
        )
    test = "split halves with swapped delays and shuffled accounts"
    if clusters.is_empty():
        text = f"No group of accounts acted together beyond chance at a false discovery rate of {max_fdr:.0%}."
        evidence = ChanceTest(test, "No candidate group was confirmed.", n_shuffles=n_shuffles, fdr=max_fdr)
        basis = "Absence of a finding: slow or small groups can escape this test."
        whole = f"{n_accounts:,} accounts with an action"
        claim = Claim(
            text, "coordination", Confidence("moderate", basis), (evidence,), whole, is_headline=True, is_absence=True
        )
        return Section("clusters", [claim])
    each = _one_row_each(clusters)
    if repeats is not None:
        again = repeats[1].select("cluster_id", "n_repeats", "n_found_again", "mean_jaccard")
        each = each.join(again, on="cluster_id", how="left", maintain_order="left")
    carded = each.head(MOST_CARDS)
    first_of_grade = dict(carded.group_by("grade").agg(pl.col("cluster_id").min()).iter_rows())
    cards = [
        _card(
            row,
            claim=_ratio_claim(row, traces=traces, test=test, n_shuffles=n_shuffles, has_control=has_control),
            n_accounts=n_accounts,
            top_objects=top_objects,
            explained_at=first_of_grade[row["grade"]],
        )
        for row in carded.rows(named=True)
    ]
    labels = {"account_id": "Account", "cluster_id": "Cluster", "strength": "Strength", "is_core": "In the core"}
    members = clusters.select("account_id", "cluster_id", pl.col("strength").round(2), "is_core")
    note = "Strength: the weights of the account's edges inside its cluster, summed. Names as they may be shown."
    tables = [make_table("cluster_members", "Accounts in clusters", members, note=note, labels=labels)]
    if repeats is not None:
        tables.append(_repeats_table(repeats[0]))
    total = _total(clusters, each, n_accounts=n_accounts, test=test, n_shuffles=n_shuffles, max_fdr=max_fdr)
    numbers = _key_numbers(clusters, each, n_accounts=n_accounts)
    compared = compare_in_words(agreement, crossed) if agreement is not None and crossed is not None else ([], [])
    claims, tables = [total, *compared[0]], [*tables, *compared[1]]
    return Section("clusters", claims, (), _figures(clusters, each), tables, cards=cards, key_numbers=numbers)


def _key_numbers(clusters: pl.DataFrame, each: pl.DataFrame, *, n_accounts: int) -> list[KeyNumber]:
    strongest = each.sort("ratio", descending=True).row(0, named=True)
    return [
        KeyNumber(f"{clusters.height:,}", "accounts in clusters", f"of {n_accounts:,} accounts with an action"),
        KeyNumber(
            f"{each.height:,}",
            "cluster" if each.height == 1 else "clusters",
            "a group beyond chance" if each.height == 1 else "groups beyond chance, largest first",
        ),
        KeyNumber(
            f"{strongest['ratio']:,.0f}×" if strongest["ratio"] >= 10 else f"{strongest['ratio']:.1f}×",
            "as often as others, at most",
            f"cluster {strongest['cluster_id']}, on the same objects",
        ),
    ]


def _one_row_each(clusters: pl.DataFrame) -> pl.DataFrame:
    per_cluster = [name for name in clusters.columns if name not in ("account_id", "cluster_id", "strength", "is_core")]
    sizes = [pl.len().cast(pl.Int64).alias("n_members"), pl.col("is_core").sum().cast(pl.Int64).alias("n_core")]
    first = [pl.col(name).first() for name in per_cluster]
    return clusters.group_by("cluster_id").agg(*sizes, *first).sort("cluster_id")


def _total(
    clusters: pl.DataFrame, each: pl.DataFrame, *, n_accounts: int, test: str, n_shuffles: int, max_fdr: float
) -> Claim:
    text = (
        f"{say_share(clusters.height, n_accounts, noun='account')} acted together beyond chance, in "
        f"{say_count(each.height, 'cluster')}."
    )
    statement = f"Each cluster was found on one half of the objects and confirmed on the other, at {max_fdr:.0%}."
    evidence = ChanceTest(test, statement, n_shuffles=n_shuffles, fdr=max_fdr)
    confidence = Confidence("moderate", "Confirmed on data that had no part in finding them; one dataset.")
    whole = f"{n_accounts:,} accounts with an action"
    return Claim(text, "coordination", confidence, (evidence,), whole, is_headline=True)


def _card(
    row: dict[str, Any], *, claim: Claim, n_accounts: int, top_objects: pl.DataFrame | None, explained_at: int
) -> Card:
    number, size = row["cluster_id"], row["n_members"]
    plain, innocent = _GRADES[row["grade"]]
    if explained_at != number:
        innocent = f"Innocent reasons remain, the same as for cluster {explained_at}. It does not say inauthentic."
    facts = {
        "Accounts": say_share(size, n_accounts, noun="account"),
        "Core": say_share(row["n_core"], size, noun="account") if row["n_core"] < size else "nothing sets one apart",
        "As often as others": say_times(row["ratio"]),
        "Others on the same things": f"{say_percent(row['outsiders_frac'])} of the actions",
    }
    if row.get("n_co_actions") is not None:
        seen, due = row["n_co_actions"], row["expected_n"]
        facts["Co-actions seen and due"] = f"{seen:,} seen, {due:,.1f} due at the others' rate"
    if row.get("clock_ratio") is not None:
        facts["As often as a shared clock alone gives"] = say_times(row["clock_ratio"])
    if row.get("time_window_s") is not None:
        facts["Time window"] = say_window(row["time_window_s"])
    if row.get("n_repeats") is not None:
        found, alike = f"{row['n_found_again']} of {row['n_repeats']}", say_percent(row["mean_jaccard"])
        facts["Found again with other splits"] = f"{found}, on average {alike} the same accounts"
    tables = []
    if top_objects is not None:
        own = top_objects.filter(pl.col("cluster_id") == number).drop("cluster_id", "first_at", "last_at", strict=False)
        kind = cs.by_name("trace", require_all=False)
        own = own.with_columns(kind.map_elements(name_trace, return_dtype=pl.String)).head(MOST_OBJECTS)
        if own.height:
            labels = {"object_id": "Object", "n_accounts": "Accounts", "n_actions": "Actions", "trace": "Kind"}
            title = f"What cluster {number} acted on most"
            quoted = {"object_id": ""}
            tables.append(make_table(f"objects_of_cluster_{number}", title, own, labels=labels, quoted=quoted))
    prose = [plain, innocent, *_say_start(row.get("at_start_frac"))]
    return Card(f"Cluster {number}", [claim], facts, prose, tables, cluster_colour(number))


def _say_start(frac: float | None) -> list[str]:
    """Whether alerts about new things could explain the group: whoever answers those is early."""
    if frac is None:
        return []
    text = f"On {say_percent(frac)} of the things they met on, they met when the thing was new, within the time window "
    text += "of the first action on it. "
    if frac >= MOSTLY_AT_START:
        text += "People who answer one source's alerts look like that, and so does a group that puts things up itself: "
        return [text + "times cannot tell these apart."]
    text += "On the others somebody had acted before, so answering one source's alerts about new things does not "
    return [text + "explain those."]


def _repeats_table(runs: pl.DataFrame) -> TableView:
    shown = runs.select("seed", "n_clusters", "n_accounts", "coverage_frac", pl.col("ari").round(3))
    shown = shown.with_columns(pl.col("coverage_frac").map_elements(say_percent, return_dtype=pl.String))
    labels = {
        "seed": "Seed", "n_clusters": "Clusters", "n_accounts": "Accounts in them",
        "coverage_frac": "Of all accounts with an action", "ari": "Agreement with the first run",
    }  # fmt: skip
    note = (
        "Each run splits the objects anew; the first is the one reported. Agreement: adjusted Rand index over all "
        "accounts, 0 by chance, 1 the same groups. Read it beside the coverage: few accounts agree easily."
    )
    title = "The clusters with other splits of the objects"
    return make_table("cluster_repeats", title, shown, note=note, labels=labels)


def _ratio_claim(row: dict[str, Any], *, traces: list[str], test: str, n_shuffles: int, has_control: bool) -> Claim:
    kinds = {_OBJECTS.get(trace, "things") for trace in traces}
    objects = kinds.pop() if len(kinds) == 1 else "things"
    number, size = row["cluster_id"], row["n_members"]
    text = (
        f"The {say_count(size, 'account')} of cluster {number} acted together {say_times(row['ratio'])} as often as "
        f"others did on the same {objects}."
    )
    p_value = max(row["p_within"], row["p_swap"]) if row["grade"] == "beyond shared interest" else row["p_swap"]
    statement = f"{row['z']:.1f} standard deviations above the nearer of the two shuffles."
    evidence = ChanceTest(test, statement, n_shuffles=n_shuffles, p_value=p_value, fdr=row.get("cluster_fdr"))
    shown = Observation(f"Ratio of cluster {number} beside the others.", "cluster_ratios")
    confidence = _weigh(row, has_control=has_control)
    whole = f"{size:,} accounts of cluster {number}; {say_percent(row['outsiders_frac'])} of the actions are others'"
    return Claim(text, "coordination", confidence, (evidence, shown), whole, is_headline=number == 1)


def _weigh(row: dict[str, Any], *, has_control: bool) -> Confidence:
    n_repeats, n_found = row.get("n_repeats") or 0, row.get("n_found_again") or 0
    if n_repeats and n_found <= n_repeats / 2:
        return Confidence("low", f"Only {n_found} of {n_repeats} other splits of the objects find it again.")
    if row["grade"] == "closed group":
        return Confidence("low", "Too few other accounts act on the same things to compare with.")
    if has_control:
        return Confidence("high", "Confirmed on a half it was not found on, with a control dataset beside it.")
    return Confidence("moderate", "Confirmed on a half it was not found on; no control dataset was loaded.")


def _figures(clusters: pl.DataFrame, each: pl.DataFrame) -> list[Figure]:
    first = pl.col("cluster_id") <= MOST_CARDS
    role = pl.when("is_core").then(pl.lit("core")).otherwise(pl.lit("periphery")).alias("role")
    sizes = clusters.filter(first).group_by("cluster_id", role).agg(n_accounts=pl.len().cast(pl.Int64))
    sizes = sizes.sort("cluster_id", "role")
    absent = [pl.lit(None, pl.Float64).alias(name) for name in ("ratio_low", "ratio_high") if name not in each.columns]
    shown = each.filter(first).with_columns(absent)
    ratios = shown.select("cluster_id", pl.col("ratio").round(2), "ratio_low", "ratio_high", "grade")
    return [
        make_figure("cluster_ratios", chart_cluster_ratios(ratios), ratios),
        make_figure("cluster_sizes", chart_cluster_sizes(sizes), sizes),
    ]
