"""The network's part of the conversation, and a breakout step never above what the data can show."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from workbench.prevalence import count_conversation, find_conversation, measure_prevalence, measure_uptake
from workbench.schema import Quote, check_table
from workbench.sections.breakout import find_step, tabulate_breakout
from workbench.sections.prevalence import describe_prevalence

START = datetime(2031, 3, 1, 12, tzinfo=UTC)
MEMBERS = pl.DataFrame({"account_id": ["n1", "n2", "n3"]})


def posts(*rows: dict) -> pl.DataFrame:
    blank = {
        "platform": "twitter", "time_resolution_s": 1.0, "text": "The ferry is late again.", "lang": "en",
        "client": None, "urls": [], "hashtags": [], "mentions": [], "repost_of_id": None, "repost_of_account_id": None,
        "reply_to_id": None, "reply_to_account_id": None, "quote_of_id": None, "media_hashes": [], "n_reposts": None,
        "n_likes": None, "n_replies": None, "posted_at": START,
    }  # fmt: skip
    full = [blank | {"post_id": f"p{n}"} | row for n, row in enumerate(rows)]
    return check_table(pl.DataFrame(full, infer_schema_length=None), "posts")


SMALL = posts(
    {"account_id": "n1", "hashtags": ["pier"], "n_likes": 30},
    {"account_id": "n2", "hashtags": ["pier", "own"]},
    {"account_id": "a", "hashtags": ["pier"], "n_likes": 10, "posted_at": START + timedelta(days=2)},
    {"account_id": "b", "hashtags": ["own"]},  # only one member used it: not the conversation's
    {"account_id": "c", "repost_of_id": "p0", "n_likes": 500},  # a repost's counts are the repeated post's
    {"account_id": "n3", "repost_of_id": "p6"},
    {"account_id": "d"},
    {"account_id": "e", "hashtags": ["weather"]},
)


def test_the_conversation_is_what_shares_a_hashtag_a_link_or_a_post():
    found = find_conversation(SMALL, MEMBERS)
    assert found["post_id"].to_list() == ["p0", "p1", "p2", "p4", "p5", "p6"]
    assert found["is_network"].to_list() == [True, True, False, False, True, False]


def test_parts_are_of_posts_accounts_and_engagements_without_counting_reposts_twice():
    rows = measure_prevalence(SMALL, MEMBERS).rows()
    assert rows == [
        ("all posts in the data", "posts", 3, 8, 0.375),
        ("all posts in the data", "accounts", 3, 8, 0.375),
        ("all posts in the data", "engagements", 30, 40, 0.75),
        ("the conversation it took part in", "posts", 3, 6, 0.5),
        ("the conversation it took part in", "accounts", 3, 6, 0.5),
        ("the conversation it took part in", "engagements", 30, 40, 0.75),
    ]


def test_days_without_posts_are_counted_as_none():
    table = count_conversation(SMALL, MEMBERS)
    assert table.filter(pl.col("group") == "the network")["n_posts"].to_list() == [3, 0, 0]
    assert table.filter(pl.col("group") == "everybody else")["n_posts"].to_list() == [2, 0, 1]
    assert count_conversation(SMALL.clear(), MEMBERS).is_empty()


def world(*, languages: dict[str, int], platforms: tuple[str, ...] = ("twitter",), seed: int = 1) -> pl.DataFrame:
    """A network's posts reposted by its own and by so many outside accounts of each language."""
    rng = np.random.default_rng(seed)
    rows = [
        {"account_id": "n1", "post_id": f"own-{platform}", "platform": platform, "hashtags": ["pier"]}
        for platform in platforms
    ]
    rows.append({"account_id": "n2", "repost_of_id": f"own-{platforms[0]}", "platform": platforms[0]})
    for language, n in languages.items():
        for k in range(n):
            who = {"account_id": f"{language}{k}", "platform": platforms[0], "lang": language}
            rows.append(who | {"text": "a view of its own, at length"})
            rows.append(who | {"repost_of_id": f"own-{platforms[0]}", "lang": "und", "text": "x"})
    order = rng.permutation(len(rows))
    return posts(*[{"post_id": f"p{n}"} | rows[n] for n in order])


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(
    ("languages", "platforms", "step"),
    [
        ({}, ("twitter",), 1),
        ({"en": 9}, ("twitter",), 1),
        ({"en": 9, "es": 4}, ("twitter",), 1),  # four accounts are no community
        ({"en": 9, "es": 5}, ("twitter",), 2),
        ({"en": 9}, ("facebook", "twitter"), 2),
        ({"en": 9, "es": 6}, ("facebook", "twitter"), 3),
    ],
)
def test_the_planted_breakout_is_the_step_found(languages, platforms, step, seed):
    uptake = measure_uptake(world(languages=languages, platforms=platforms, seed=seed), MEMBERS)
    assert find_step(uptake, platforms=platforms) == step


def test_steps_beyond_the_data_are_reported_by_others_or_not_visible():
    uptake = measure_uptake(world(languages={"en": 9, "es": 9}), MEMBERS)
    quote = Quote("prevalence", "The Almanac", "2031-05-04", "we printed it", breakout_step=4)
    rows = tabulate_breakout(uptake, platforms=["twitter"], quoted=[quote]).rows
    assert [row["known"] for row in rows] == [
        "shown", "shown", "not shown", "reported by others", "not visible in this data", "not visible in this data",
    ]  # fmt: skip
    assert rows[3]["why"] == "The Almanac, 2031-05-04"


def describe(table: pl.DataFrame, **changes):
    given = {
        "by_period": count_conversation(table, MEMBERS),
        "period": "day",
        "uptake": measure_uptake(table, MEMBERS),
        "platforms": ["twitter"],
        "denominator_source": "an invented release",
    }
    return describe_prevalence(measure_prevalence(table, MEMBERS), **{**given, **changes})


def test_the_section_says_shares_peak_uptake_and_step_with_their_wholes():
    table = world(languages={"en": 9, "es": 6})
    section = describe(table, quoted=[Quote("prevalence", "The Almanac", "2031-05-04", "we printed it")])
    said = [claim.text for claim in section.claims]
    assert said[0] == "The network wrote 2 of 32 posts (6.2%) in the data."
    assert said[1].startswith(
        "Of the conversation it took part in, the network wrote 2 of 17 posts (11.8%), by 2 of 17"
    )
    assert (
        "Of 16 reposts and quotes of its posts seen in the data, 1 (6.2%) came from the network itself and 15"
        in said[2]
    )
    assert "show step 2, “several platforms or several communities”" in said[3]
    assert "outside accounts of 2 languages (English and Spanish) took its posts up" in said[3]
    assert said[4] == "The Almanac wrote on 4 May 2031: “we printed it”"
    assert "an invented release" in section.claims[0].denominator
    assert {table.name for table in section.tables} == {"prevalence", "uptake", "breakout"}
    assert section.figures[0].name == "conversation"
    assert all(claim.level == "co-action" for claim in section.claims)


def test_the_highest_share_needs_a_day_with_enough_posts():
    busy = [{"account_id": f"x{n}", "hashtags": ["pier"]} for n in range(30)]
    late = {"hashtags": ["pier"], "posted_at": START + timedelta(days=9)}
    section = describe(posts({"account_id": "n1", "hashtags": ["pier"]}, {"account_id": "n2", **late}, *busy))
    assert section.claims[2].text == "At its highest, on 1 March 2031, it wrote 1 of 31 posts (3.2%) of it."


def test_years_of_next_to_nothing_are_not_drawn_but_counted():
    early = {"account_id": "n1", "hashtags": ["pier"], "posted_at": START - timedelta(days=900)}
    busy = [{"account_id": "n2" if n < 40 else f"x{n}", "hashtags": ["pier"]} for n in range(201)]
    section = describe(posts(early, *busy))
    (figure,) = section.figures
    drawn = [row for row in next(iter(figure.spec["datasets"].values())) if row["n_posts"]]
    assert {row["day"][:10] for row in drawn} == {"2031-03-01"}
    assert "Of all 202 posts, 201 lie in the days shown; 1 lies before them, back to 12 September 2028" in (
        figure.description
    )
    assert sum(row["n_posts"] for row in figure.table) == 202
    assert section.tables[0].rows[0]["n_whole"] == 202


def test_without_a_network_it_says_why_it_is_empty():
    nobody = MEMBERS.clear()
    section = describe_prevalence(
        measure_prevalence(SMALL, nobody),
        by_period=count_conversation(SMALL, nobody),
        period="day",
        uptake=measure_uptake(SMALL, nobody),
        platforms=[],
        denominator_source="x",
    )
    assert section.empty_reason.startswith("No network with posts was told apart")
