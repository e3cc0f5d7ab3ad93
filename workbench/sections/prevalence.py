"""How much of the conversation the network was, by day, and how far it broke out of its own circle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from workbench.chart_conversation import chart_conversation
from workbench.chart_stretch import Stretch, find_stretch
from workbench.findings import Claim, Confidence, Figure, KeyNumber, Observation, Section, TableView
from workbench.schema import Quote
from workbench.sections.base import (
    make_table,
    say_count,
    say_day,
    say_language,
    say_percent,
    say_platform,
    say_share,
)
from workbench.sections.breakout import claim_breakout, tabulate_breakout
from workbench.sections.over_time import draw_over_time
from workbench.sections.quoted import quote_others

MIN_PERIOD_POSTS = 20
MIN_OF_BUSIEST = 0.1
_CONVERSATION = "the conversation it took part in"
_WHAT_IT_IS = (
    "The conversation is every post in the data that carries a hashtag or link which two or more of the network's "
    "accounts carried, or that repeats a post they wrote or repeated. Everybody else in it is an ordinary participant: "
    "taking part in a conversation that a network also joined is no sign of anything."
)

_WHOLE = (
    "A release that holds only the accounts a platform took down shows little of the conversation around them: there, "
    "read these shares as upper bounds."
)


def describe_prevalence(
    prevalence: pl.DataFrame,
    *,
    by_period: pl.DataFrame,
    period: str,
    uptake: pl.DataFrame,
    platforms: Sequence[str],
    denominator_source: str,
    quoted: Sequence[Quote] = (),
) -> Section:
    """Return the section on prevalence: the network's part of posts, accounts and engagements, and its breakout.

    Args:
        prevalence: from `measure_prevalence`.
        by_period: from `count_conversation`.
        period: its period: "day", "week" or "month".
        uptake: from `measure_uptake`.
        platforms: where the network's accounts posted.
        denominator_source: where the posts come from that the network is a part of, as "the release by Twitter".
        quoted: findings of others, from the dataset.
    """
    if prevalence.is_empty() or not prevalence.filter(pl.col("what") == "posts")["n_network"].sum():
        reason = (
            "No network with posts was told apart beyond chance, so there is nothing whose part of the conversation "
            "could be measured."
        )
        return Section("prevalence", empty_reason=reason)
    source = f"the whole is what was collected ({denominator_source}), not all that was posted on the platform"
    claims = [
        *_share_claims(prevalence, source=source),
        *_peak_claim(by_period, period=period),
        *_uptake_claim(uptake),
        claim_breakout(uptake, platforms=platforms),
        *quote_others(quoted, about="prevalence"),
    ]
    tables = [_view(prevalence), *_view_uptake(uptake), tabulate_breakout(uptake, platforms=platforms, quoted=quoted)]
    prose = [_WHAT_IT_IS, _WHOLE]
    return Section("prevalence", claims, prose, _figure(by_period, period=period), tables, key_numbers=_key(prevalence))


def _rows(prevalence: pl.DataFrame, scope: str) -> dict[str, dict]:
    return {row["what"]: row for row in prevalence.filter(pl.col("scope") == scope).iter_rows(named=True)}


def _share_claims(prevalence: pl.DataFrame, *, source: str) -> list[Claim]:
    inner, everything = _rows(prevalence, _CONVERSATION), _rows(prevalence, "all posts in the data")
    shown = (Observation("The network's part of posts, accounts and engagements.", "prevalence"),)
    high = Confidence(
        "high", "An exact count; which accounts are the network is the finding of the section on clusters."
    )
    n, whole = everything["posts"]["n_network"], everything["posts"]["n_whole"]
    text = f"The network wrote {say_share(n, whole, noun='post')} in the data."
    claims = [Claim(text, "co-action", high, shown, f"{whole:,} posts in the data; {source}")]
    if not inner["posts"]["n_network"]:
        return claims
    n, whole = inner["posts"]["n_network"], inner["posts"]["n_whole"]
    text = (
        f"Of the conversation it took part in, the network wrote {say_share(n, whole, noun='post')}, by "
        f"{say_share(inner['accounts']['n_network'], inner['accounts']['n_whole'], noun='account')}."
    )
    claims.append(Claim(text, "co-action", high, shown, f"{whole:,} posts of the conversation", is_headline=True))
    if "engagements" in inner and inner["engagements"]["n_whole"]:
        n, whole = inner["engagements"]["n_network"], inner["engagements"]["n_whole"]
        text = (
            f"Its posts drew {say_share(n, whole, noun='engagement')} of that conversation: reposts, likes and replies "
            "as the source counts them."
        )
        basis = "The counts are the source's own, taken when it collected them; some may come from the network itself."
        whole_said = f"{whole:,} engagements with original posts of the conversation"
        claims.append(Claim(text, "co-action", Confidence("moderate", basis), shown, whole_said))
    return claims


def _peak_claim(by_period: pl.DataFrame, *, period: str) -> list[Claim]:
    whole = by_period.group_by("day").agg(n_whole=pl.col("n_posts").sum())
    own = by_period.filter(pl.col("group") == "the network").select("day", "n_posts")
    enough = max(MIN_PERIOD_POSTS, MIN_OF_BUSIEST * max(whole["n_whole"].to_list(), default=0))
    busy = own.join(whole, on="day").filter(pl.col("n_whole") >= enough, pl.col("n_posts") > 0)
    if busy.is_empty():
        return []
    share = pl.col("n_posts") / pl.col("n_whole")
    day, n, total = busy.sort(share, "day", descending=[True, False]).row(0)
    when = f"on {say_day(day)}" if period == "day" else f"in the {period} from {say_day(day)}"
    text = f"At its highest, {when}, it wrote {say_share(n, total, noun='post')} of it."
    shown = (Observation(f"Posts per {period}, the network's and everybody else's.", "conversation"),)
    basis = f"An exact count over every {period} with at least {enough:,.0f} posts."
    whole_said = f"{total:,} posts of the conversation in that {period}"
    return [Claim(text, "co-action", Confidence("high", basis), shown, whole_said)]


def _uptake_claim(uptake: pl.DataFrame) -> list[Claim]:
    if uptake.is_empty():
        return []
    own = int(uptake.filter("is_network")["n_posts"].sum())
    outside = uptake.filter(~pl.col("is_network"))
    n, accounts = int(outside["n_posts"].sum()), int(outside["n_accounts"].sum())
    text = (
        f"Of {say_count(own + n, 'repost')} and quotes of its posts seen in the data, {own:,} "
        f"({say_percent(own / (own + n))}) came from the network itself and {n:,} from "
        f"{say_count(accounts, 'account')} outside it."
    )
    shown = (Observation("Who took up the network's posts.", "uptake"),)
    basis = "Counted in the data; reposts by accounts that were not collected are not seen."
    whole = f"{own + n:,} reposts and quotes of posts by the network"
    return [Claim(text, "co-action", Confidence("moderate", basis), shown, whole)]


def _view(prevalence: pl.DataFrame) -> TableView:
    labels = {
        "scope": "Of what", "what": "Counted", "n_network": "The network's", "n_whole": "All",
        "network_frac": "The network's share",
    }  # fmt: skip
    note = "Engagements: reposts, likes and replies of original posts, where the source counts them."
    return make_table("prevalence", "The network's part", prevalence, note=note, labels=labels)


def _view_uptake(uptake: pl.DataFrame) -> list[TableView]:
    if uptake.is_empty():
        return []
    who = pl.when("is_network").then(pl.lit("the network itself")).otherwise(pl.lit("outside accounts"))
    spoken = (
        pl.when("is_network")
        .then(pl.lit(""))
        .otherwise(pl.col("community").map_elements(say_language, return_dtype=pl.String))
    )
    where = pl.col("platform").map_elements(say_platform, return_dtype=pl.String)
    table = uptake.select(where, who.alias("who"), spoken.alias("community"), "n_accounts", "n_posts", "is_community")
    table = table.head(40)
    labels = {
        "platform": "Platform", "who": "Who", "community": "Mostly post in", "n_accounts": "Accounts",
        "n_posts": "Reposts and quotes", "is_community": "Counted as a community",
    }  # fmt: skip
    note = "A community here: five or more outside accounts that mostly post in one language. A lower bound."
    return [make_table("uptake", "Who took up the network's posts", table, note=note, labels=labels)]


def _figure(by_period: pl.DataFrame, *, period: str) -> list[Figure]:
    if by_period.is_empty():
        return []

    def draw(shown: Stretch | None) -> tuple[Any, pl.DataFrame]:
        return chart_conversation(by_period, period=period, within=shown), by_period

    return draw_over_time("conversation", draw, within=find_stretch(by_period))


def _key(prevalence: pl.DataFrame) -> list[KeyNumber]:
    row = _rows(prevalence, _CONVERSATION)["posts"]
    if not row["n_whole"]:
        return []
    label = "of the conversation was the network"
    return [KeyNumber(say_percent(row["n_network"] / row["n_whole"]), label, f"of {row['n_whole']:,} posts")]
