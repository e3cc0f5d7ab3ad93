"""Indicators: what the clusters shared that others did not, and what a tip of it finds on a second platform."""

from __future__ import annotations

import polars as pl

from workbench.chart_sharing import chart_bridge, chart_verdicts
from workbench.findings import ChanceTest, Claim, Confidence, Figure, Observation, Section, TableView
from workbench.sections.base import make_figure, make_table, say_count, say_list, say_platform, say_share
from workbench.sharing.match import VERDICTS, MatchReport
from workbench.sharing.summary import META_CAUTION

MOST_ROWS = 300
MOST_EDGES_DRAWN = 1500
_SHOWN = ("account", "page", "group", "channel", "url", "domain", "hashtag", "text_hash", "media_hash")
_NOUNS = {
    "account": "account",
    "page": "page",
    "group": "group",
    "channel": "channel",
    "url": "address",
    "domain": "domain",
    "hashtag": "hashtag",
    "text_hash": "text",
    "media_hash": "picture or film",
}
_INNOCENT = (
    "An indicator says what clustered accounts posted more than others in the data did. It makes nobody who posts it "
    f"part of anything. Of its own lists Meta says: {META_CAUTION}."
)
_TWO_KINDS = (
    "Corroborated means: at least two independent indicators of at least two kinds (a link, a text, a hashtag, a "
    "name), each pinned to a post of its own, and more of them than an ordinary account as active would touch by "
    "chance. Whoever shared the links alone stays below: one kind only, or single for one hit; chance says that an "
    "ordinary account as active touches as much. A corroborated account is a reason to look, never a verdict."
)


def describe_indicators(
    indicators: pl.DataFrame,
    *,
    n_accounts: int,
    report: MatchReport | None = None,
    platform: str = "",
    max_fdr: float = 0.05,
    bridges: pl.DataFrame | None = None,
    places: pl.DataFrame | None = None,
    clusters: pl.DataFrame | None = None,
    n_shuffles: int | None = None,
) -> Section:
    """Return the section on indicators: the list, what the tip hit on a second platform, and who bridges the two.

    Args:
        indicators: as they may be published, from `read_indicators` of a public package.
        n_accounts: accounts in the data they come from.
        report: what matching gave, accounts hidden (`hide_accounts`).
        platform: where it was matched.
        max_fdr: the limit used in matching.
        bridges: from `list_bridges`: edges among the accounts concerned.
        places: from `place_accounts` of these.
        clusters: clusters of both platforms' releases combined.
        n_shuffles: shuffles behind these clusters.
    """
    listed = indicators.filter(pl.col("indicator_type").is_in(_SHOWN))
    if listed.is_empty() and report is None:
        return Section("indicators", empty_reason="No cluster was handed on, so there is nothing distinctive to list.")
    claims = [_list_claim(listed, n_accounts)] if not listed.is_empty() else []
    tables, figures = [_list_table(listed)] if not listed.is_empty() else [], []
    prose = [_INNOCENT]
    if report is not None:
        claims.append(_match_claim(report, platform, max_fdr=max_fdr))
        figures += _verdict_figure(report)
        tables += _match_tables(report, platform)
        prose.append(_TWO_KINDS)
    if bridges is not None and places is not None and bridges["is_bridge"].any():
        claims.append(_bridge_claim(bridges))
        figures.append(_bridge_figure(bridges, places))
    spanning = _spanning(clusters) if clusters is not None else pl.DataFrame()
    if report is not None and not spanning.is_empty():
        claims.append(_spanning_claim(spanning, n_accounts + report.n_accounts, n_shuffles))
        note = "Clusters with members on more than one platform."
        named = spanning.with_columns(pl.col("platform").map_elements(_place, return_dtype=pl.String))
        labels = {"cluster_id": "Group", "grade": "Grade", "platform": "Platform", "n_accounts": "Accounts"}
        tables.append(make_table("spanning_clusters", "Groups on both platforms", named, note=note, labels=labels))
    return Section("indicators", claims, prose, figures, tables)


def _list_claim(listed: pl.DataFrame, n_accounts: int) -> Claim:
    counts = listed["indicator_type"].value_counts()
    by_type = dict(zip(counts["indicator_type"], counts["count"], strict=True))
    parts = [say_count(by_type[kind], noun) for kind, noun in _NOUNS.items() if kind in by_type]
    verb = "is" if listed.height == 1 else "are"
    text = f"{say_list(parts, most=len(parts))} {verb} listed as {'an indicator' if verb == 'is' else 'indicators'}."
    confidence = Confidence("high", "an exact count of who posted what in the data at hand")
    return Claim(
        text, "co-action", confidence, (Observation("listed in full", "indicators"),), f"{n_accounts:,} accounts"
    )


def _match_claim(report: MatchReport, platform: str, *, max_fdr: float) -> Claim:
    found = report.accounts.filter(pl.col("verdict").is_in(VERDICTS[:2]))
    kinds = [
        say_count(count, kind)
        for kind, count in found["kind"].value_counts().sort("count", descending=True).iter_rows()
    ]
    below = report.accounts.height - found.height
    what = f"{say_list(kinds)} {'is' if found.height == 1 else 'are'}" if found.height else "No account is"
    text = (
        f"On {_place(platform)}, {what} hit by independent indicators of two kinds or more; "
        f"{say_count(below, 'other')} touched something on the list and {'stays' if below == 1 else 'stay'} below that."
    )
    test = ChanceTest(
        "independent hits against what an account as active touches by chance",
        f"Poisson tail, false discovery rate of {max_fdr:.0%} or less over all {report.n_accounts:,} accounts.",
        fdr=max_fdr,
    )
    basis = "two kinds of indicator agree; how common each is was taken from the same data, which errs on the low side"
    confidence = Confidence("moderate", basis)
    seen = Observation("listed with their hits", "matched_accounts")
    return Claim(text, "co-action", confidence, (seen, test), f"{report.n_accounts:,} accounts", is_headline=True)


def _bridge_claim(bridges: pl.DataFrame) -> Claim:
    across = bridges.filter("is_bridge")
    ends = pl.concat([across["account_a"], across["account_b"]]).n_unique()
    text = (
        f"{say_share(across.height, bridges.height, noun='pair')} of accounts that posted the same thing at the same "
        f"time stand on two platforms; {say_count(ends, 'account')} {'has' if ends == 1 else 'have'} such a pair."
    )
    confidence = Confidence("high", "an exact count on the posts of both platforms")
    seen = (Observation("drawn", "bridge"),)
    return Claim(text, "co-action", confidence, seen, f"{bridges.height:,} pairs among the accounts handed on and hit")


def _list_table(listed: pl.DataFrame) -> TableView:
    shown = listed.sort(pl.col("indicator_type").replace_strict({name: n for n, name in enumerate(_SHOWN)}), "line")
    note = f"All {listed.height:,} rows."
    if listed.height > MOST_ROWS:
        # The most shared first, and some of every type.
        shown = shown.with_columns(n=pl.int_range(pl.len()).over("indicator_type")).sort("n", "line").head(MOST_ROWS)
        note = f"{MOST_ROWS} of {listed.height:,} rows; the findings package has all of them."
    table = shown.select("indicator_type", indicator="indicator_value", platform="platform", note="note")
    table = table.sort("indicator_type", maintain_order=True)
    labels = {"indicator_type": "What", "indicator": "Indicator (defanged)", "platform": "Platform", "note": "Note"}
    return make_table("indicators", "Indicators", table, note=note, labels=labels)


def _verdict_figure(report: MatchReport) -> list[Figure]:
    if report.accounts.is_empty():
        return []
    order = pl.col("verdict").replace_strict(list(VERDICTS), list(range(len(VERDICTS))))
    table = report.accounts.group_by("verdict", "kind").agg(n_accounts=pl.len().cast(pl.Int64)).sort(order, "kind")
    return [make_figure("match_verdicts", chart_verdicts(table), table)]


def _match_tables(report: MatchReport, platform: str) -> list[TableView]:
    columns = ("account_id", "kind", "verdict", "n_independent", "n_kinds", "kinds", "n_posts_hit", "n_posts")
    top = report.accounts.select(*columns, "expected_n", "fdr").head(MOST_ROWS)
    labels = {
        "account_id": "Account",
        "kind": "Kind",
        "verdict": "Verdict",
        "n_independent": "Independent hits",
        "n_kinds": "Kinds of hit",
        "kinds": "Which",
        "n_posts_hit": "Posts hit",
        "n_posts": "Posts",
        "expected_n": "Hits due by chance",
        "fdr": "False discovery rate",
    }
    note = f"Hit on {_place(platform)}, of {report.n_accounts:,} accounts; strongest first."
    by_status = report.indicators.group_by("status").agg(n_indicators=pl.len().cast(pl.Int64)).sort("status")
    tables = [
        make_table("matched_accounts", "Accounts the tip hits", top, note=note, labels=labels),
        make_table(
            "tip_result",
            "The tip: hits and misses",
            by_status,
            note=f"Of {report.indicators.height:,} indicators.",
            labels={"status": "Result", "n_indicators": "Indicators"},
        ),
    ]
    disputes = report.disputes.select("indicator_type", "indicator", "organic_frac", "dispute").head(MOST_ROWS)
    if disputes.height:
        note = "To be sent back to whoever sent the tip."
        tables.append(make_table("tip_disputes", "Indicators we dispute", disputes, note=note))
    return tables


def _spanning_claim(spanning: pl.DataFrame, n_accounts: int, n_shuffles: int | None) -> Claim:
    n_groups = spanning["cluster_id"].n_unique()
    members = spanning.group_by("platform").agg(pl.col("n_accounts").sum()).sort("platform")
    each = say_list([f"{n:,} on {_place(name)}" for name, n in members.iter_rows()])
    text = (
        f"{say_count(n_groups, 'group')} with members on both platforms posted the same links and texts at the same "
        f"time more often than others did, beyond chance: {each}."
    )
    test = ChanceTest(
        "groups found on one half of the links and texts, confirmed on the other",
        "above both shuffles of the half that the candidates never saw",
        n_shuffles=n_shuffles,
    )
    confidence = Confidence("moderate", "two platforms, two traces; who is behind it cannot be read from timing")
    seen = Observation("listed by platform", "spanning_clusters")
    return Claim(text, "coordination", confidence, (seen, test), f"{n_accounts:,} accounts", is_headline=True)


def _spanning(clusters: pl.DataFrame) -> pl.DataFrame:
    """Clusters with members on more than one platform: cluster_id, grade, platform, n_accounts."""
    table = (
        clusters.with_columns(platform=pl.col("account_id").str.extract(r"^([^:]+):", 1))
        .group_by("cluster_id", "grade", "platform")
        .agg(n_accounts=pl.len().cast(pl.Int64))
    )
    return table.filter(pl.col("platform").n_unique().over("cluster_id") > 1).sort("cluster_id", "platform")


def _place(platform: str) -> str:
    return say_platform(platform) if platform else "the second platform"


def _bridge_figure(bridges: pl.DataFrame, places: pl.DataFrame) -> Figure:
    order = bridges.sort("is_bridge", "n_co_actions", "account_a", "account_b", descending=[True, True, False, False])
    drawn = order.unique(["account_a", "account_b"], keep="first", maintain_order=True).head(MOST_EDGES_DRAWN)
    ends = pl.concat(
        [
            drawn.select(account_id=f"account_{side}", platform=f"platform_{side}", kind=f"kind_{side}")
            for side in ("a", "b")
        ]
    ).unique("account_id", keep="first")
    nodes = places.join(ends, on="account_id", how="inner").sort("account_id")
    at = places.select("account_id", "x", "y")
    edges = (
        drawn.join(at.rename({"account_id": "account_a"}), on="account_a", how="inner", maintain_order="left")
        .join(
            at.rename({"account_id": "account_b", "x": "x2", "y": "y2"}),
            on="account_b",
            how="inner",
            maintain_order="left",
        )
        .select("account_a", "account_b", "x", "y", "x2", "y2", "is_bridge")
    )
    shown = drawn.select("account_a", "account_b", "platform_a", "platform_b", "n_co_actions", "is_bridge")
    named = nodes.with_columns(pl.col("platform").map_elements(_place, return_dtype=pl.String))
    n_pairs = bridges.select("account_a", "account_b").unique().height
    return make_figure("bridge", chart_bridge(named, edges, n_pairs=n_pairs), shown)
