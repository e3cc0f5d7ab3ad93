"""Creation bursts: planted days are found, honest growth is left alone, and the real files show their known days."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from workbench.creation import count_created, find_creation_bursts
from workbench.schema import ParameterError, empty_table

START = datetime(2016, 1, 1, tzinfo=UTC)


def make_accounts(days) -> pl.DataFrame:
    """One account per entry, made that many days after the start."""
    rows = [
        {"account_id": f"a{k}", "platform": "twitter", "kind": "account", "is_pseudonymous": False,
         "created_at": None if day is None else START + timedelta(days=int(day))}
        for k, day in enumerate(days)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=empty_table("accounts").schema)


def growing_days(rng: np.random.Generator, n: int) -> np.ndarray:
    """Honest growth over four years: more each year, with a season."""
    days = np.arange(1460)
    rate = (1 + days / 365) * (1 + 0.5 * np.sin(days / 58))
    return rng.choice(days, n, p=rate / rate.sum())


def test_expected_is_the_mean_of_the_days_around():
    bursts = find_creation_bursts(make_accounts([0] * 2 + [10] * 28 + [20] * 4), max_fdr=0.05)
    assert bursts["day"].to_list() == [date(2016, 1, 1), date(2016, 1, 11), date(2016, 1, 21)]
    assert bursts["n_accounts"].to_list() == [2, 28, 4]
    # Around day 10 of 21 lie 6 accounts in 20 days; a mean is never taken over fewer than 28.
    assert bursts["expected_n"].to_list() == pytest.approx([32 / 28, 6 / 28, 30 / 28])
    assert bursts["is_burst"].to_list() == [False, True, False]


@pytest.mark.parametrize("seed", range(20))
def test_planted_bursts_are_found_among_honest_growth(seed):
    rng = np.random.default_rng(seed)
    days = np.concatenate([growing_days(rng, 800), [600] * 30, [612] * 15])
    bursts = find_creation_bursts(make_accounts(days), max_fdr=0.05).filter("is_burst")
    assert set(bursts["day"]) >= {(START + timedelta(days=600)).date(), (START + timedelta(days=612)).date()}


def test_honest_growth_seldom_shows_a_burst():
    """At 5 % false discoveries, at most one world in twenty may show anything; allow for luck in 60 worlds."""
    shown = 0
    for seed in range(60):
        rng = np.random.default_rng(1000 + seed)
        bursts = find_creation_bursts(make_accounts(growing_days(rng, 1500)), max_fdr=0.05)
        shown += bursts["is_burst"].any()
    assert shown <= 6


def test_a_lone_pair_is_no_burst_however_quiet_the_days_around():
    assert not find_creation_bursts(make_accounts([0, 700, 700, 1400]), max_fdr=0.05)["is_burst"].any()


def test_no_dates_give_no_days():
    for accounts in (make_accounts([]), make_accounts([None, None])):
        bursts = find_creation_bursts(accounts, max_fdr=0.05)
        assert bursts.height == 0
        assert bursts.columns == ["day", "n_accounts", "expected_n", "p_value", "fdr", "is_burst"]


def test_counting_per_month_marks_the_month_of_a_burst():
    accounts = make_accounts([0] * 2 + [10] * 28 + [40] * 4)
    bursts = find_creation_bursts(accounts, max_fdr=0.05)
    assert count_created(accounts, bursts, every="1mo").rows() == [
        (date(2016, 1, 1), 30, True),
        (date(2016, 2, 1), 4, False),
    ]


def test_a_share_outside_0_to_1_is_refused():
    with pytest.raises(ParameterError, match=r"max_fdr is 2; expected a share from 0 to 1"):
        find_creation_bursts(make_accounts([1]), max_fdr=2)


def test_the_real_hong_kong_accounts_show_their_published_days(shared_data):
    users = pl.read_csv(shared_data / "twitter_io" / "china_082019_1_users_csv_hashed.csv", infer_schema=False)
    made = users["account_creation_date"].str.to_date()
    accounts = make_accounts([(day - START.date()).days for day in made])
    bursts = find_creation_bursts(accounts, max_fdr=0.01).filter("is_burst").sort("n_accounts", descending=True)
    assert set(bursts["day"].head(2)) == {date(2017, 8, 30), date(2017, 8, 18)}
