from datetime import date

import polars as pl
import pytest
from invented_posts import make_posts, tell_stories
from test_phases import bought_accounts

from workbench.narrative_charts import chart_campaigns, chart_narrative_heat_map, chart_narrative_stream
from workbench.narratives import count_narratives_over_time, find_narratives, find_phases, list_campaigns
from workbench.schema import ParameterError, SchemaError
from workbench.sections.narratives import describe_narratives


@pytest.fixture(scope="module")
def tables():
    posts, clusters, _ = bought_accounts()
    narratives = find_narratives(posts, seed=7, clusters=clusters)
    over_time = count_narratives_over_time(posts, narratives, every="1mo", clusters=clusters)
    phases = find_phases(posts, narratives, clusters=clusters)
    return narratives, over_time, phases, list_campaigns(posts, narratives, phases)


def test_numbers_in_prose_are_those_of_the_tables(tables):
    narratives, over_time, phases, campaigns = tables
    section = describe_narratives(
        narratives.cards,
        n_posts=narratives.n_posts,
        n_placed=narratives.posts.height,
        over_time=over_time,
        phases=phases,
        campaigns=campaigns,
    )
    assert narratives.posts.height == 300
    assert section.claims[0].text.startswith("All 300 posts fall into ")
    assert [figure.name for figure in section.figures] == ["narratives_over_time", "narratives_by_cluster", "campaigns"]
    assert len(section.cards) == min(12, narratives.cards.height)
    assert all("of 300 posts" in card.facts["Posts"] for card in section.cards)
    assert {claim.level for claim in section.claims} == {"co-action"}


def test_labels_with_loaded_words_and_links_stay_harmless():
    posts = make_posts(["fake accounts run by bots https://x.example/a"] * 3 + ["bots run fake accounts, evil.example"])
    found = find_narratives(posts, seed=7)
    section = describe_narratives(found.cards, n_posts=found.n_posts, n_placed=found.posts.height)
    shown = str([card.tables for card in section.cards])
    assert "x.example" not in shown
    assert "x[.]example" in shown


def test_posts_without_a_time_are_shown_without_one():
    found = find_narratives(make_posts(["tram line closes"] * 3, posted_at=[None] * 3), seed=7)
    assert found.cards.select("first_at", "first_account_id", "peak_on").row(0) == (None, None, None)
    (card,) = describe_narratives(found.cards, n_posts=3, n_placed=3).cards
    assert card.facts["First and last"] == "no post says when it was written"
    assert "Busiest day" not in card.facts


def test_the_links_most_posted_are_shown_defanged():
    urls = [[f"https://tram.example/{i}"] for i in (1, 1, 2, 3, 4)]
    found = find_narratives(make_posts(["tram line closes"] * 5, urls=urls), seed=7)
    (card,) = describe_narratives(found.cards, n_posts=5, n_placed=5).cards
    expected = "hxxps://tram[.]example/1 · hxxps://tram[.]example/2 · hxxps://tram[.]example/3"
    assert card.facts["Links most posted"] == expected


def test_nothing_to_say_is_said():
    found = find_narratives(make_posts([]), seed=7)
    assert describe_narratives(found.cards, n_posts=0, n_placed=0).empty_reason == "There are no posts to read."
    alone = find_narratives(make_posts(["tram"]), seed=7)
    assert "No two posts" in describe_narratives(alone.cards, n_posts=1, n_placed=0).empty_reason


def test_charts_describe_what_they_show(tables):
    _, over_time, _, campaigns = tables
    for chart in (
        chart_narrative_stream(over_time),
        chart_narrative_heat_map(over_time),
        chart_campaigns(campaigns),
    ):
        spec = chart.to_dict()
        assert spec["title"]
        assert " of " in spec["description"] or "campaigns" in spec["description"]


def test_charts_refuse_empty_and_incomplete_tables(tables):
    with pytest.raises(ParameterError, match="at least one row"):
        chart_narrative_stream(tables[1].head(0))
    with pytest.raises(SchemaError, match="lacks column 'narrative'"):
        chart_narrative_heat_map(tables[1].drop("narrative"))


def test_a_stream_has_every_narrative_in_every_period(tables):
    data = next(iter(chart_narrative_stream(tables[1]).to_dict()["datasets"].values()))
    periods, names = {row["period"] for row in data}, {row["narrative"] for row in data}
    assert len(data) == len(periods) * len(names)
    assert sum(row["n_posts"] for row in data) == tables[1]["n_posts"].sum()


def test_words_are_read_in_two_languages():
    texts, _ = tell_stories(20, seed=1, stories=("tram", "电车"))
    found = find_narratives(make_posts(texts), seed=7)
    section = describe_narratives(found.cards, n_posts=40, n_placed=found.posts.height)
    languages = " ".join(card.facts["Languages"] for card in section.cards)
    assert "English" in languages
    assert "Chinese (simplified)" in languages
    assert pl.Series(section.claims).len() == 2


def test_each_example_carries_its_own_language():
    texts = ["渡輪時刻表已經公佈，請大家轉發", "渡輪時刻表已經公佈，請大家轉發吧", "渡輪時刻表已經公佈，請大家轉發了"]
    found = find_narratives(make_posts(texts), seed=7)
    (card,) = describe_narratives(found.cards, n_posts=3, n_placed=3).cards
    assert {row["language"] for row in card.tables[0].rows} == {"zh-Hant"}
    assert card.tables[0].quoted == {"text": "language"}


def grow(every: str) -> pl.DataFrame:
    """Posts of two clusters over seven years, most of them in three months, by narrative and period."""
    first = pl.date_range(date(2031, 1, 6), date(2037, 12, 28), "1w", eager=True)
    is_campaign = first.is_between(date(2037, 3, 1), date(2037, 5, 31))
    n_posts = pl.select(pl.when(pl.lit(is_campaign)).then(200).otherwise(3)).to_series().cast(pl.Int64)
    weeks = pl.DataFrame({"period": first.dt.truncate(every), "n_posts": n_posts})
    names = pl.DataFrame({"narrative_id": [1, 2], "narrative": ["1 tram", "2 pier"], "cluster_id": [1, 2]})
    summed = weeks.group_by("period").agg(pl.col("n_posts").sum(), n_accounts=pl.lit(3))
    return summed.sort("period").join(names, how="cross")


def test_most_posts_in_three_of_eighty_months_are_looked_at_more_closely(tables):
    cards = tables[0].cards
    campaigns = pl.DataFrame(
        {
            "cluster_id": [1, 1, 2], "narrative_id": [1, 2, 1], "label": ["tram", "pier", "tram"],
            "kind": ["campaign", "side", "campaign"], "n_posts": [900, 40, 800], "n_accounts": [9, 2, 8],
            "n_in_largest": [9, 0, 8],
            "first_at": ["2037-03-04", "2032-01-01", "2037-03-09"],
            "last_at": ["2037-05-20", "2034-01-01", "2037-05-30"],
        }
    ).with_columns(pl.col("first_at", "last_at").str.to_datetime(time_unit="us", time_zone="UTC"))  # fmt: skip
    section = describe_narratives(
        cards, n_posts=9_000, n_placed=9_000, over_time=grow("1mo"), by_week=grow("1w"), campaigns=campaigns,
        who="by accounts in clusters",
    )  # fmt: skip
    figures = {figure.name: figure for figure in section.figures}
    assert list(figures) == [
        "narratives_over_time", "narratives_over_time_whole", "narratives_by_cluster", "campaigns", "campaigns_whole",
    ]  # fmt: skip
    close, whole = figures["narratives_over_time"], figures["narratives_over_time_whole"]
    assert "Posts per week" in close.description
    assert "Posts per month" in whole.description
    n_all = grow("1w")["n_posts"].sum()
    assert f"Of all {n_all:,} posts, " in close.description
    assert sum(row["n_posts"] for row in close.table) == sum(row["n_posts"] for row in whole.table) == n_all
    assert figures["campaigns"].description.startswith("2 campaigns as bars")
    assert figures["campaigns"].description.endswith("Of all 3, 1 begins before the days shown or last longer.")
    assert len(figures["campaigns"].table) == 3
    assert section.claims[0].text.startswith("All 9,000 posts by accounts in clusters fall into ")


def test_a_short_release_is_drawn_by_week_and_whole(tables):
    is_near = pl.col("period").is_between(date(2037, 2, 1), date(2037, 7, 1))
    weeks, months = (grow(every).filter(is_near) for every in ("1w", "1mo"))
    section = describe_narratives(tables[0].cards, n_posts=9, n_placed=9, over_time=months, by_week=weeks)
    assert [figure.name for figure in section.figures] == ["narratives_over_time", "narratives_by_cluster"]
    assert "one column per week" in section.figures[1].description
    assert "Posts per week" in section.figures[0].description
    assert "Of all" not in section.figures[0].description
