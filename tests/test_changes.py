"""Changes of topic and pace: planted ones are found at their time, steady accounts have none."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from test_actions import make_posts
from test_profiles import START

from workbench.changes import find_topic_switches, find_volume_changes


def tagged(seed: int, *, name: str, n: int, switch_at: int | None) -> list[dict]:
    """One post a day with one or two hashtags of ten, the second ten from the day of the switch on."""
    rng = np.random.default_rng([seed, *name.encode()])
    rows = []
    for day in range(n):
        first = 10 if switch_at is not None and day >= switch_at else 0
        tags = [f"Tag{first + k}" for k in rng.choice(10, rng.integers(1, 3), replace=False)]
        rows.append(
            {"account_id": name, "post_id": f"{name}{day}", "posted_at": START + timedelta(days=day), "hashtags": tags}
        )
    return rows


@pytest.mark.parametrize("seed", range(5))
def test_only_planted_topic_switches_are_found_near_their_day(seed):
    rows = [row for k in range(20) for row in tagged(seed, name=f"steady{k:02}", n=60, switch_at=None)]
    rows += [row for k in range(10) for row in tagged(seed, name=f"turned{k}", n=60, switch_at=30)]
    found = find_topic_switches(make_posts(*rows))
    assert found["account_id"].sort().to_list() == [f"turned{k}" for k in range(10)]
    assert (found["topic_gain"] > 0.4).all()
    assert set(found["topic_switched_at"]) == {START + timedelta(days=30)}


def test_linked_sites_are_topics_too_and_too_few_posts_are_not_judged():
    def linked(n: int) -> list[dict]:
        sites = ["https://www.trams.example/a?b=1"] * n + ["http://umbrellas.example/x"] * n
        return [
            {"account_id": "a", "post_id": f"p{k}", "posted_at": START + timedelta(days=k), "urls": [url]}
            for k, url in enumerate(sites)
        ]

    assert find_topic_switches(make_posts(*linked(10)))["topic_gain"].to_list() == [1.0]
    assert find_topic_switches(make_posts(*linked(9))).is_empty()
    assert find_topic_switches(make_posts()).is_empty()


def weekly(seed: int, rates: list[float], *, name: str = "a") -> list[dict]:
    rng = np.random.default_rng([seed, *name.encode()])
    days = [7 * week + float(day) for week, rate in enumerate(rates) for day in rng.uniform(0, 7, rng.poisson(rate))]
    return [
        {"account_id": name, "post_id": f"{name}{k}", "posted_at": START + timedelta(days=day)}
        for k, day in enumerate(days)
    ]


@pytest.mark.parametrize("seed", range(5))
def test_a_planted_change_of_pace_is_found_within_a_few_weeks(seed):
    found = find_volume_changes(make_posts(*weekly(seed, [2] * 40 + [20] * 40)))
    assert found["volume_ratio"][0] == pytest.approx(10, rel=0.4)
    assert abs((found["volume_changed_at"][0] - date(2018, 1, 1)).days - 280) <= 21
    slower = find_volume_changes(make_posts(*weekly(seed, [20] * 40 + [2] * 40)))
    assert slower["volume_ratio"][0] == pytest.approx(0.1, rel=0.4)


def test_steady_accounts_do_not_change_their_pace():
    rows = [row for k in range(200) for row in weekly(k, [3] * 50, name=f"a{k}")]
    assert find_volume_changes(make_posts(*rows)).height == 0


def test_short_histories_are_not_judged():
    assert find_volume_changes(make_posts(*weekly(1, [1] * 5 + [30] * 5))).is_empty()
    assert find_volume_changes(make_posts()).schema == {
        "account_id": pl.String, "volume_changed_at": pl.Date, "volume_ratio": pl.Float64
    }  # fmt: skip
