"""A few old posts stretch no axis, an even spread is drawn whole, and every post outside a picture is counted."""

import re
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from workbench.chart_stretch import LEAST_DAYS, cut_to, drop_strays, find_stretch, say_stretch
from workbench.charts import chart_posts_per_day
from workbench.sections.over_time import choose_step, draw_over_time

YEARS = (date(2031, 1, 1), date(2037, 12, 31))
CAMPAIGN = (date(2037, 3, 1), date(2037, 5, 31))


def spread(rng, first: date, last: date, n: int) -> list[date]:
    return [first + timedelta(days=int(day)) for day in rng.integers(0, (last - first).days + 1, n)]


def count(days: list[date], *, every: str = "1d") -> pl.DataFrame:
    by_step = pl.DataFrame({"day": days}).group_by(pl.col("day").dt.truncate(every)).agg(n_posts=pl.len())
    return by_step.with_columns(group=pl.lit("all"), n_posts=pl.col("n_posts").cast(pl.Int64)).sort("day")


@pytest.mark.parametrize("every", ["1d", "1w", "1mo"])
@pytest.mark.parametrize("n_stray", [3, 40, 1500])
@pytest.mark.parametrize("seed", range(100, 110))
def test_a_planted_campaign_is_the_stretch(seed, n_stray, every):
    rng = np.random.default_rng(seed)
    table = count([*YEARS, *spread(rng, *YEARS, n_stray), *spread(rng, *CAMPAIGN, 2500)], every=every)
    found = find_stretch(table)
    slack = timedelta(days=45 if every == "1mo" else 28)
    assert CAMPAIGN[0] - slack <= found.first <= CAMPAIGN[0]
    assert CAMPAIGN[1] <= found.last <= CAMPAIGN[1] + slack
    assert found.is_nearly_all is (n_stray < 50)
    assert (drop_strays(table, when="day") is None) is (n_stray > 50)


@pytest.mark.parametrize("n_posts", [60, 500, 20_000])
@pytest.mark.parametrize("seed", range(100, 130))
def test_an_even_spread_is_drawn_whole(seed, n_posts):
    assert find_stretch(count(spread(np.random.default_rng(seed), *YEARS, n_posts))) is None


@pytest.mark.parametrize("seed", range(100, 110))
def test_growth_weekly_habits_and_two_campaigns_far_apart_are_drawn_whole(seed):
    rng = np.random.default_rng(seed)
    n_days = (YEARS[1] - YEARS[0]).days
    growing = [YEARS[0] + timedelta(days=int(n_days * part)) for part in np.sqrt(rng.random(3000))]
    assert find_stretch(count(growing)) is None
    workdays = [day for day in spread(rng, *YEARS, 3000) if day.weekday() < 5]
    assert find_stretch(count(workdays)) is None
    twice = [*spread(rng, date(2032, 2, 1), date(2032, 4, 30), 1000), *spread(rng, *CAMPAIGN, 1000)]
    assert find_stretch(count(twice)) is None


def test_a_wrong_date_in_the_future_is_left_out_as_one_in_the_past():
    days = [*spread(np.random.default_rng(1), *CAMPAIGN, 300), date(1970, 1, 1), date(2099, 12, 31)]
    table = count(days)
    found = find_stretch(table)
    assert found.is_nearly_all
    assert say_stretch(table, found, period="day") == (
        " Of all 302 posts, 300 lie in the days shown; 1 lies before them, back to 1 January 1970, and 1 lies after "
        "them, up to 31 December 2099."
    )


def test_one_busy_day_has_weeks_around_it():
    found = find_stretch(count([CAMPAIGN[0]] * 500 + [*YEARS]))
    assert found.n_days >= LEAST_DAYS
    assert found.first < CAMPAIGN[0] < found.last


def test_few_posts_or_none_have_no_stretch():
    assert find_stretch(count([*YEARS, *[CAMPAIGN[0]] * 40])) is None
    assert find_stretch(count([*YEARS]).clear()) is None
    assert find_stretch(count([CAMPAIGN[0]] * 500)) is None
    assert say_stretch(count([*YEARS]), None, period="day") == ""


def test_a_week_or_month_that_begins_before_the_stretch_is_shown_whole():
    found = find_stretch(count([*YEARS, *spread(np.random.default_rng(2), *CAMPAIGN, 900)]))
    weeks = pl.DataFrame({"day": [found.first - timedelta(days=found.first.weekday())], "n_posts": [1]})
    assert cut_to(weeks, found, when="day").height == 1
    months = pl.DataFrame({"day": [found.first.replace(day=1)], "n_posts": [1]})
    assert cut_to(months, found, when="day").height == 1


@pytest.mark.parametrize("every", ["1d", "1w", "1mo"])
@pytest.mark.parametrize("seed", range(100, 105))
def test_no_post_is_lost_between_picture_sentence_and_table(seed, every):
    rng = np.random.default_rng(seed)
    table = count([*spread(rng, *YEARS, 900), *spread(rng, *CAMPAIGN, 2500)], every=every)
    found, period = find_stretch(table), {"1d": "day", "1w": "week", "1mo": "month"}[every]

    def draw(within):
        return chart_posts_per_day(table, period=period, within=within), table

    close, whole = draw_over_time("posts", draw, within=found)
    assert (close.name, whole.name) == ("posts", "posts_whole")
    assert whole.title == f"{close.title}: the whole time"
    drawn, all_drawn = (
        sum(row["n_posts"] for row in next(iter(figure.spec["datasets"].values()))) for figure in (close, whole)
    )
    n_all, n_inside, n_before, n_after = read_sentence(close.description)
    assert n_all == n_inside + n_before + n_after == all_drawn == sum(row["n_posts"] for row in close.table)
    assert n_inside == drawn < n_all
    assert "Of all" not in whole.description


def read_sentence(text: str) -> list[int]:
    found = re.search(
        r"Of all ([\d,]+) posts, ([\d,]+) lie in the \w+ shown; (\S+) (?:lies? )?before.*and (\S+) ", text
    )
    return [0 if number == "none" else int(number.replace(",", "")) for number in found.groups()]


def test_a_picture_that_holds_nearly_all_stands_alone():
    table = count([*YEARS, *spread(np.random.default_rng(3), *CAMPAIGN, 900)])

    def draw(within):
        return chart_posts_per_day(table, within=within), table

    (figure,) = draw_over_time("posts", draw, within=find_stretch(table))
    assert len(figure.table) == table.height


def test_the_step_of_a_closer_look_is_as_fine_as_its_width_bears():
    assert [choose_step(n)[1] for n in (56, 92, 93, 600, 700)] == ["day", "day", "week", "week", "month"]
