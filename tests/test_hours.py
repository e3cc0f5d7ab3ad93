"""Working hours: a planted clock is found, a flat one is not claimed."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from test_actions import make_posts

from workbench.holidays import read_holidays
from workbench.hours import OFFSETS_H, count_week_hours, fit_working_hours
from workbench.schema import ParameterError, SchemaError, SourceError

MONDAY = datetime(2019, 6, 3, tzinfo=UTC)


def office_posts(seed: int, *, offset: int, n_accounts: int = 40, n_each: int = 60, share: float = 0.9) -> pl.DataFrame:
    """Accounts that post mostly Monday to Friday, 9 to 18, on a clock `offset` hours ahead of UTC."""
    rng = np.random.default_rng(seed)
    rows = []
    for account in range(n_accounts):
        for k in range(n_each):
            hour = 24 * rng.integers(0, 5) + rng.uniform(9, 18) if rng.random() < share else rng.uniform(0, 168)
            at = MONDAY + timedelta(hours=float(hour) - offset, weeks=int(rng.integers(0, 8)))
            rows.append({"account_id": f"a{account}", "post_id": f"p{account}-{k}", "posted_at": at})
    return make_posts(*rows)


def test_week_hours_are_counted_on_the_shifted_clock():
    hours = count_week_hours(make_posts({"posted_at": MONDAY - timedelta(hours=8)}), utc_offset_h=8)
    assert hours.height == 168
    assert hours.filter(pl.col("n_posts") > 0).rows() == [(1, 0, 1)]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("offset", [-5, 0, 8])
def test_a_planted_clock_is_among_the_plausible_and_few_are(seed, offset):
    fit = fit_working_hours(office_posts(seed, offset=offset), seed=seed)
    plausible = fit.filter("is_plausible")["utc_offset_h"].to_list()
    assert offset in plausible
    assert len(plausible) <= 3
    row = fit.filter(utc_offset_h=offset).row(0, named=True)
    assert row["low"] <= row["office_frac"] <= row["high"]
    assert row["office_frac"] == pytest.approx(0.9 + 0.1 * 45 / 168, abs=0.03)
    assert row["weekday_ratio"] > 5


def test_round_the_clock_posting_reaches_no_office_share_anywhere():
    fit = fit_working_hours(office_posts(3, offset=0, share=0.0), seed=3)
    assert fit["office_frac"].max() == pytest.approx(45 / 168, abs=0.04)
    assert len(fit.filter("is_plausible")) > 3, "a flat week must not point at one clock"


def test_one_busy_account_does_not_decide():
    many = office_posts(1, offset=8, n_accounts=30, n_each=20)
    one = office_posts(2, offset=-5, n_accounts=1, n_each=2000).with_columns(
        account_id=pl.lit("busy"), post_id=pl.lit("busy") + pl.col("post_id")
    )
    fit = fit_working_hours(pl.concat([many, one]), seed=1)
    assert fit.sort("office_frac", descending=True)["utc_offset_h"][0] in (7, 8, 9)


def test_no_posts_and_bad_parameters():
    assert fit_working_hours(make_posts(), seed=1).height == 0
    assert count_week_hours(make_posts(), utc_offset_h=0)["n_posts"].sum() == 0
    with pytest.raises(ParameterError, match="n_bootstrap is 0"):
        fit_working_hours(make_posts({}), n_bootstrap=0, seed=1)
    with pytest.raises(ParameterError, match=f"from {OFFSETS_H[0]} to {OFFSETS_H[-1]}"):
        count_week_hours(make_posts({}), utc_offset_h=20)


def holiday_posts(seed: int, *, offset: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Office workers on a clock who keep the holidays of 2018 and work the weekend days given for them."""
    days = read_holidays("cn_2017_2019")
    off, worked = set(days.filter(~pl.col("is_workday"))["day"]), set(days.filter("is_workday")["day"])
    rng = np.random.default_rng(seed)
    rows = []
    for k in range(365):
        day = datetime(2018, 1, 1, tzinfo=UTC) + timedelta(days=k)
        if (day.weekday() >= 5 and day.date() not in worked) or day.date() in off:
            continue
        for account in range(12):
            at = day + timedelta(hours=float(rng.uniform(9, 18)) - offset)
            rows.append({"account_id": f"a{account}", "post_id": f"p{k}-{account}", "posted_at": at})
    return make_posts(*rows), days


@pytest.mark.parametrize("seed", range(3))
def test_a_calendar_that_is_kept_fits_better_than_none_and_leaves_its_days_quiet(seed):
    posts, days = holiday_posts(seed, offset=8)
    with_days = fit_working_hours(posts, holidays=days, seed=seed).filter(utc_offset_h=8).row(0, named=True)
    without = fit_working_hours(posts, seed=seed).filter(utc_offset_h=8).row(0, named=True)
    assert with_days["office_frac"] == 1
    assert without["office_frac"] < 0.99, "weekend days worked in exchange look like weekends"
    assert with_days["holiday_ratio"] == 0
    assert without["holiday_ratio"] is None


@pytest.mark.parametrize("seed", range(3))
def test_a_calendar_nobody_keeps_does_not_fit_better(seed):
    posts = office_posts(seed, offset=0)
    days = pl.DataFrame({"day": [(MONDAY + timedelta(days=k)).date() for k in (7, 15, 24)], "is_workday": False})
    fit = fit_working_hours(posts, holidays=days, seed=seed).filter(utc_offset_h=0).row(0, named=True)
    plain = fit_working_hours(posts, seed=seed).filter(utc_offset_h=0).row(0, named=True)
    assert fit["holiday_ratio"] == pytest.approx(1, abs=0.25)
    assert fit["office_frac"] < plain["office_frac"]


def test_holidays_are_read_from_a_name_or_a_file_and_refused_otherwise(tmp_path):
    days = read_holidays("cn_2017_2019")
    assert days.filter(pl.col("day") == datetime(2019, 2, 5).date())["is_workday"].to_list() == [False]
    assert (days.filter("is_workday")["day"].dt.weekday() > 5).all()
    assert read_holidays("").is_empty()
    own = tmp_path / "days.csv"
    own.write_text("day,is_workday,name\n2031-05-01,false,Harbour Day\n2031-05-03,TRUE,\n")
    assert read_holidays(str(own))["is_workday"].to_list() == [False, True]
    own.write_text("day,is_workday\n\n2031-05-01,false\n\n\n")
    assert read_holidays(str(own)).height == 1
    own.write_text("day,is_workday\n,false\n")
    with pytest.raises(SourceError, match="a row without a day"):
        read_holidays(str(own))
    own.write_text("day,is_workday\n2031-05-01,false\n2031-05-01,false\n")
    with pytest.raises(SourceError, match="names 2031-05-01 twice"):
        read_holidays(str(own))
    for text in ("date\n2031-05-01\n", "day,is_workday\n1 May,false\n", "day,is_workday\n2031-05-01,maybe\n", ""):
        own.write_text(text)
        with pytest.raises(SourceError, match=r"days\.csv is not a calendar"):
            read_holidays(str(own))
    with pytest.raises(SourceError, match="no calendar 'mars'"):
        read_holidays("mars")
    with pytest.raises(SchemaError, match="holidays lacks column 'is_workday'"):
        fit_working_hours(make_posts({}), holidays=days.drop("is_workday"), seed=1)
