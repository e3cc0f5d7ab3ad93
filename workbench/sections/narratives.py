"""What they said: the narratives, who pushed them, how much was copied, and what the accounts did before."""

from __future__ import annotations

from typing import Any

import polars as pl

from workbench.addresses import defang
from workbench.chart_stretch import Stretch, drop_strays, find_stretch
from workbench.chart_style import GREY, PALETTE
from workbench.findings import Card, Claim, Confidence, Figure, KeyNumber, Observation, Section, TableView
from workbench.narrative_charts import (
    chart_campaigns,
    chart_narrative_heat_map,
    chart_narrative_stream,
    cut_campaigns,
)
from workbench.sections.base import make_figure, make_table, say_count, say_language, say_list, say_percent, say_share
from workbench.sections.over_time import choose_step, draw_over_time

MOST_CARDS = 12
MOST_CAMPAIGNS = 15
_MOST_LINKS = 3
_COUNTED = Confidence("high", "Counted in the released posts.")
_INNOCENT = (
    "A narrative is a set of posts that use the same words; a program put them together, and nobody told it how many "
    "there are. It says nothing about who wrote them or why. Headlines, slogans, share buttons and breaking news make "
    "people who never met post the same sentence. Read the examples before believing a label."
)
_PHASES = (
    "An account's history is cut where its subjects change. “Campaign” marks the stretches spent on what at least a "
    "quarter of its cluster posted; “side” those shared with a few only, as adverts and earlier campaigns are; the "
    "rest stands apart. An earlier life on other subjects fits an account that was bought or taken over, and as well a "
    "person who changed interests."
)


def describe_narratives(
    cards: pl.DataFrame,
    *,
    n_posts: int,
    n_placed: int,
    over_time: pl.DataFrame | None = None,
    by_week: pl.DataFrame | None = None,
    phases: pl.DataFrame | None = None,
    campaigns: pl.DataFrame | None = None,
    who: str = "",
) -> Section:
    """Return the section on narratives: one card each for the largest, the stream, the heat map and the campaigns.

    Args:
        cards: the cards of `find_narratives`, with human labels where there are any.
        n_posts: posts asked about.
        n_placed: posts in a narrative.
        over_time: from `count_narratives_over_time`, by month.
        by_week: the same by week: what a closer look is drawn of.
        phases: from `find_phases`.
        campaigns: from `list_campaigns`.
        who: whose posts these are, as it follows "posts": "by accounts in clusters".
    """
    if cards.is_empty():
        reason = (
            "No two posts with a text share enough words to speak of a narrative."
            if n_posts
            else "There are no posts to read."
        )
        return Section("narratives", empty_reason=reason)
    by = f" {who}" if who else ""
    claims = [
        _total_claim(cards, n_posts=n_posts, n_placed=n_placed, by=by),
        _copy_claim(cards, by=by),
        *_phase_claims(phases),
    ]
    shown = cards.head(MOST_CARDS).rows(named=True)
    prose = [_INNOCENT] if phases is None or phases.is_empty() else [_INNOCENT, _PHASES]
    return Section(
        "narratives",
        claims,
        prose,
        _figures(over_time, by_week, campaigns),
        _tables(cards, campaigns),
        cards=[_card(row, n_posts=n_posts) for row in shown],
        key_numbers=_key_numbers(cards, n_posts=n_posts, n_placed=n_placed, by=by),
    )


def _total_claim(cards: pl.DataFrame, *, n_posts: int, n_placed: int, by: str) -> Claim:
    largest = cards.row(0, named=True)
    languages = say_list([say_language(code) for code in largest["languages"]], most=3)
    text = (
        f"{_say_placed(n_placed, n_posts, by=by)} into {say_count(cards.height, 'narrative')}; the largest, "
        f"{_quote(largest['label'])}, has {say_count(largest['n_posts'], 'post')} by "
        f"{say_count(largest['n_accounts'], 'account')} in {languages}."
    )
    shown = (Observation("Every narrative with its counts.", "narratives"),)
    confidence = Confidence(
        "moderate", "Counts are exact; where one narrative ends and the next begins is an estimate."
    )
    return Claim(
        text,
        "co-action",
        confidence,
        shown,
        f"{n_posts:,} posts{by}{' that were' if by else ''} read",
        is_headline=True,
    )


def _copy_claim(cards: pl.DataFrame, *, by: str) -> Claim:
    n_originals = int(cards["n_originals"].sum())
    n_copied = round(float((cards["copy_paste_frac"].fill_null(0) * cards["n_originals"]).sum()))
    text = (
        f"{say_share(n_copied, n_originals, noun='original post')}{by} repeat, word for word or nearly so, what "
        "another account posted too."
    )
    shown = (Observation("Share of copied originals per narrative.", "narratives"),)
    whole = f"{n_originals:,} posts in narratives that are no reposts"
    return Claim(text, "co-action", _COUNTED, shown, whole, is_headline=True)


def _phase_claims(phases: pl.DataFrame | None) -> list[Claim]:
    if phases is None or phases.is_empty():
        return []
    n_accounts = phases["account_id"].n_unique()
    in_campaign = phases.filter(pl.col("kind") == "campaign").group_by("account_id").agg(start=pl.col("first_at").min())
    before = phases.filter(pl.col("kind") != "campaign").join(in_campaign, on="account_id")
    changed = before.filter(pl.col("last_at") < pl.col("start"))["account_id"].n_unique()
    if not changed:
        return []
    text = (
        f"{say_share(changed, n_accounts, noun='account')} posted on other subjects for a time before turning to what "
        "the rest of their cluster posts."
    )
    shown = (Observation("Change points in each account's narratives.", "campaigns"),)
    moderate = Confidence("moderate", "Change points are an estimate; accounts with few posts cannot show one.")
    return [Claim(text, "co-action", moderate, shown, f"{n_accounts:,} accounts looked at")]


def _key_numbers(cards: pl.DataFrame, *, n_posts: int, n_placed: int, by: str) -> list[KeyNumber]:
    languages = cards["languages"].explode().drop_nulls().n_unique()
    return [
        KeyNumber(f"{cards.height:,}", "narratives", f"hold {_all_or_some(n_placed, n_posts)} posts{by}"),
        KeyNumber(f"{languages:,}", "languages", "as the source says, or guessed, over all narratives"),
    ]


def _card(row: dict[str, Any], *, n_posts: int) -> Card:
    number = row["narrative_id"]
    facts = {
        "Posts": say_share(row["n_posts"], n_posts, noun="post"),
        "Accounts": say_count(row["n_accounts"], "account"),
        "Languages": _say_languages(row),
        **_say_times(row),
        "Reposts": f"{say_percent(row['repost_frac'])} of its {say_count(row['n_posts'], 'post')}",
        "Copied": _say_copied(row),
        "Label fits": f"{say_percent(row['faithful_frac'])} of its posts hold one of its first five terms",
    }
    if row["cluster_ids"]:
        noun = "cluster" if len(row["cluster_ids"]) == 1 else "clusters"
        facts["Posted by"] = f"{noun} {say_list([str(cluster_id) for cluster_id in row['cluster_ids']], most=8)}"
    for name, column in (
        ("Terms", "terms"),
        ("Hashtags", "hashtags"),
        ("Web sites", "domains"),
        ("Speaks to", "targets"),
    ):
        if row[column]:
            facts[name] = " · ".join(defang(value) for value in row[column])
    if row["urls"]:
        facts["Links most posted"] = " · ".join(row["urls"][:_MOST_LINKS])
    colour = PALETTE[number - 1] if number <= len(PALETTE) else GREY
    return Card(f"Narrative {number}: {_quote(row['label'])}", (), facts, (), [_exemplars(row)], colour)


def _all_or_some(n: int, whole: int) -> str:
    return f"all {whole:,}" if n == whole else f"{n:,} of {whole:,}"


def _say_placed(n_placed: int, n_posts: int, *, by: str) -> str:
    if n_placed == n_posts > 1:
        return f"All {n_posts:,} posts{by} fall"
    return f"{say_share(n_placed, n_posts, noun='post')}{by} {'falls' if n_placed == 1 else 'fall'}"


def _say_languages(row: dict[str, Any]) -> str:
    if len(row["languages"]) == 1:
        return f"{say_language(row['languages'][0])} only"
    shares = zip(row["languages"], row["language_fracs"], strict=True)
    return say_list([f"{say_language(code)} {say_percent(frac)}" for code, frac in shares], most=4) + " of its posts"


def _say_times(row: dict[str, Any]) -> dict[str, str]:
    if row["first_at"] is None:
        return {"First and last": "no post says when it was written"}
    return {
        "First and last": f"{row['first_at']:%Y-%m-%d} to {row['last_at']:%Y-%m-%d}",
        "Busiest day": f"{row['peak_on']:%Y-%m-%d}, {say_share(row['peak_n_posts'], row['n_posts'], noun='post')}",
        "First in this data": row["first_account_id"],
    }


def _say_copied(row: dict[str, Any]) -> str:
    if not row["n_originals"]:
        return "no originals, reposts only"
    return f"{say_percent(row['copy_paste_frac'])} of {say_count(row['n_originals'], 'original post')}"


def _exemplars(row: dict[str, Any]) -> TableView:
    texts = [defang(text) for text in row["exemplars"]]
    translations = [row["translation"] or ""] + [""] * (len(texts) - 1)
    table = pl.DataFrame(
        {"text": texts, "language": row["exemplar_languages"], "translation": translations},
        schema={"text": pl.String, "language": pl.String, "translation": pl.String},
    )
    if not any(translations):
        table = table.drop("translation")
    labels = {
        "text": f"Examples, in the original (mostly {say_language(row['languages'][0])})",
        "translation": "Translation, by a human",
    }
    number = row["narrative_id"]
    title = f"What posts of narrative {number} say"
    return make_table(f"examples_of_narrative_{number}", title, table, labels=labels, quoted={"text": "language"})


def _figures(
    over_time: pl.DataFrame | None, by_week: pl.DataFrame | None, campaigns: pl.DataFrame | None
) -> list[Figure]:
    figures, within = [], None
    if over_time is not None and not over_time.is_empty():
        weeks = over_time if by_week is None else by_week
        within = None if by_week is None else find_stretch(by_week, when="period")
        figures += _draw_streams(over_time, weeks, within)
        clustered, by_cluster = (table.filter(pl.col("cluster_id").is_not_null()) for table in (over_time, weeks))
        if clustered.height:
            figures.append(_draw_heat_map(clustered, by_cluster))
    if campaigns is not None and not campaigns.is_empty():
        figures += _draw_campaigns(_largest(campaigns), within)
    return figures


def _draw_streams(over_time: pl.DataFrame, weeks: pl.DataFrame, within: Stretch | None) -> list[Figure]:
    is_short = choose_step(_count_days(over_time))[1] != "month"

    def draw(shown: Stretch | None) -> tuple[Any, pl.DataFrame]:
        table = weeks if is_short or (shown and choose_step(shown.n_days)[1] != "month") else over_time
        summed = table.group_by("period", "narrative_id", "narrative", maintain_order=True).agg(pl.col("n_posts").sum())
        return chart_narrative_stream(summed, within=shown), summed

    return draw_over_time("narratives_over_time", draw, within=within)


def _draw_heat_map(over_time: pl.DataFrame, weeks: pl.DataFrame) -> Figure:
    within = drop_strays(weeks, when="period")
    n_days = within.n_days if within else _count_days(over_time)
    table = weeks if choose_step(n_days)[1] != "month" else over_time
    return make_figure("narratives_by_cluster", chart_narrative_heat_map(table, within=within), table)


def _count_days(over_time: pl.DataFrame) -> int:
    first, last = over_time.select(first=pl.col("period").min(), last=pl.col("period").max()).row(0)
    return (last - first).days + 31


def _draw_campaigns(campaigns: pl.DataFrame, within: Stretch | None) -> list[Figure]:
    """The campaigns as bars, and those of the weeks with most posts apart, where most are of these weeks."""
    close = within if 2 * cut_campaigns(campaigns, within).height >= campaigns.height else None

    def draw(shown: Stretch | None) -> tuple[Any, pl.DataFrame]:
        return chart_campaigns(campaigns, within=shown), campaigns

    return draw_over_time("campaigns", draw, within=close, is_strip=False)


def _largest(campaigns: pl.DataFrame) -> pl.DataFrame:
    keys = ["n_accounts", "first_at", "narrative_id"]
    chosen = campaigns.sort(keys, descending=[True, False, False]).head(MOST_CAMPAIGNS)
    return chosen.sort("cluster_id", "first_at", "narrative_id", nulls_last=True)


def _tables(cards: pl.DataFrame, campaigns: pl.DataFrame | None) -> list[TableView]:
    labels = {
        "narrative_id": "No.", "label": "Label", "n_posts": "Posts", "n_accounts": "Accounts", "languages": "Languages",
        "first_at": "First", "last_at": "Last", "repost_frac": "Reposts", "copy_paste_frac": "Copied originals",
        "n_families": "Distinct texts", "faithful_frac": "Label fits",
    }  # fmt: skip
    listed = cards.with_columns(
        pl.col("languages").list.head(4).list.join(", "),
        pl.col("first_at", "last_at").dt.date(),
        pl.col("repost_frac", "copy_paste_frac", "faithful_frac").round(3),
    ).select(*labels)
    note = (
        "Reposts: share of the posts. Copied originals: share of the posts that are no reposts. Label fits: share of "
        "posts that hold one of the first five terms."
    )
    quoted = {"label": ""}
    tables = [make_table("narratives", "All narratives", listed, note=note, labels=labels, quoted=quoted)]
    if campaigns is not None and not campaigns.is_empty():
        names = {
            "cluster_id": "Cluster", "narrative_id": "No.", "label": "Narrative", "kind": "Kind", "first_at": "First",
            "last_at": "Last", "n_posts": "Posts", "n_accounts": "Accounts", "n_in_largest": "of them in the largest",
        }  # fmt: skip
        dated = campaigns.with_columns(pl.col("first_at", "last_at").dt.date()).select(*names)
        note = "Largest: the campaign of the same cluster with most accounts."
        tables.append(
            make_table("campaign_list", "Campaigns, in order of time", dated, note=note, labels=names, quoted=quoted)
        )
    return tables


def _quote(label: str) -> str:
    return f"“{label.replace('“', '').replace('”', '')}”"
