from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from invented_posts import DAY_0, make_posts, tell_stories

from workbench.narratives import count_narratives_over_time, find_narratives, find_phases, list_campaigns
from workbench.narratives.change_points import find_change_points
from workbench.schema import ParameterError


def test_a_planted_change_is_found_where_it_is():
    random = np.random.default_rng(0)
    for _ in range(20):
        sequence = np.concatenate(
            [random.choice(4, 40, p=[0.7, 0.2, 0.1, 0]), random.choice(4, 30, p=[0, 0.1, 0.2, 0.7])]
        )
        cuts = find_change_points(sequence)
        assert len(cuts) == 1
        assert abs(cuts[0] - 40) <= 3


def test_a_steady_mix_is_seldom_cut():
    random = np.random.default_rng(1)
    cut = sum(bool(find_change_points(random.choice(5, 60, p=[0.4, 0.3, 0.1, 0.1, 0.1]))) for _ in range(300))
    assert cut / 300 < 0.05


@pytest.mark.parametrize("sequence", [[], [1], [1] * 500, [1, 2] * 3])
def test_too_short_or_constant_has_no_change(sequence):
    assert find_change_points(np.array(sequence, dtype=np.int64)) == []


def bought_accounts():
    """Six accounts: three wrote on bread alone for two months, then all six on the tram; a seventh on lamps only."""
    bread, _ = tell_stories(90, seed=1, stories=("bakery",))
    tram, _ = tell_stories(180, seed=2, stories=("tram",))
    lamps, _ = tell_stories(30, seed=3, stories=("lighthouse",))
    rows = [(f"a{i % 3}", DAY_0 + timedelta(days=2 * (i // 3), hours=i % 3), text) for i, text in enumerate(bread)]
    start = DAY_0 + timedelta(days=200)
    rows += [(f"a{i % 6}", start + timedelta(days=i // 6, hours=i % 6), text) for i, text in enumerate(tram)]
    rows += [("lone", DAY_0 + timedelta(days=3 * i), text) for i, text in enumerate(lamps)]
    posts = make_posts(
        [text for _, _, text in rows], account_id=[row[0] for row in rows], posted_at=[row[1] for row in rows]
    )
    clusters = pl.DataFrame({"account_id": [f"a{i}" for i in range(6)] + ["lone"], "cluster_id": [1] * 7})
    return posts, clusters, start


def test_an_earlier_life_is_told_apart_from_the_campaign():
    posts, clusters, start = bought_accounts()
    narratives = find_narratives(posts, seed=7, clusters=clusters)
    tram = narratives.posts.join(posts.filter(pl.col("posted_at") >= start), on="post_id")["narrative_id"].unique()
    phases = find_phases(posts, narratives, clusters=clusters, campaign_narratives=tram.to_list())
    bought = phases.filter(pl.col("account_id") == "a0")
    assert bought["kind"].to_list() == ["side", "campaign"]  # three accounts shared bread in those months
    assert abs((bought["first_at"][1] - start).days) <= 2
    assert phases.filter(pl.col("account_id") == "a5")["kind"].to_list() == ["campaign"]
    assert set(phases.filter(pl.col("account_id") == "lone")["kind"]) == {"apart"}


def test_by_default_what_a_quarter_of_the_cluster_posted_is_its_campaign():
    posts, clusters, _ = bought_accounts()
    narratives = find_narratives(posts, seed=7)
    phases = find_phases(posts, narratives, clusters=clusters)
    assert set(phases.filter(pl.col("account_id") == "a0")["kind"]) == {"campaign"}  # three of seven wrote on bread
    assert set(phases.filter(pl.col("account_id") == "lone")["kind"]) == {"apart"}


def test_campaigns_come_in_order_with_the_accounts_they_share():
    posts, clusters, start = bought_accounts()
    narratives = find_narratives(posts, seed=7)
    campaigns = list_campaigns(posts, narratives, find_phases(posts, narratives, clusters=clusters))
    assert campaigns["first_at"].is_sorted()
    earlier, later = campaigns.row(0, named=True), campaigns.row(-1, named=True)
    assert (earlier["n_accounts"], earlier["n_in_largest"]) == (3, 3)
    assert later["n_accounts"] == 6
    assert later["first_at"] >= start > earlier["last_at"]


def test_accounts_outside_every_cluster_are_left_out_and_no_posts_give_no_phases():
    posts, _, _ = bought_accounts()
    narratives = find_narratives(posts, seed=7)
    none = pl.DataFrame({"account_id": ["nobody"], "cluster_id": [1]})
    phases = find_phases(posts, narratives, clusters=none)
    assert phases.is_empty()
    assert list_campaigns(posts, narratives, phases).is_empty()


def test_posts_per_period_add_up():
    posts, clusters, _ = bought_accounts()
    narratives = find_narratives(posts, seed=7)
    table = count_narratives_over_time(posts, narratives, every="1mo", clusters=clusters, max_narratives=1)
    assert table["n_posts"].sum() == narratives.posts.height
    assert set(table["narrative_id"].to_list()) == {1, None}
    assert (table.filter(pl.col("narrative_id").is_null())["narrative"] == "all others").all()


def test_parameters_out_of_range_are_refused():
    posts, _, _ = bought_accounts()
    narratives = find_narratives(posts.head(20), seed=7)
    with pytest.raises(ParameterError, match="min_accounts must be at least 2"):
        find_phases(posts, narratives, min_accounts=1)
    with pytest.raises(ParameterError, match="every must be one of"):
        count_narratives_over_time(posts, narratives, every="1h")
    with pytest.raises(ParameterError, match="max_narratives must be at least 1"):
        count_narratives_over_time(posts, narratives, every="1d", max_narratives=0)
