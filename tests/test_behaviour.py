"""Groups of like behaviour: planted ones are found, names and order of rows do not matter, agreement is honest."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import adjusted_rand_score

from workbench.behaviour import (
    FEATURES,
    MIN_ACCOUNTS,
    cluster_profiles,
    compare_groups,
    cross_groups,
    describe_behaviour,
    scale_features,
)
from workbench.schema import ParameterError, SchemaError

DAY_0 = datetime(2015, 1, 1, tzinfo=UTC)


def profiles(seed: int, *, kinds: tuple[int, ...], n_scattered: int = 0) -> tuple[pl.DataFrame, np.ndarray]:
    """Accounts of several kinds, each with habits of its own, then accounts with none; and each one's kind."""
    rng = np.random.default_rng(seed)
    kind = np.repeat(np.arange(1, len(kinds) + 1), kinds)
    n, n_all = len(kind), len(kind) + n_scattered
    centre = rng.uniform(0.1, 0.9, (len(kinds), 6))
    shares = np.clip(centre[kind - 1] + rng.normal(0, 0.02, (n, 6)), 0, 1)
    shares = np.concatenate([shares, rng.uniform(0, 1, (n_scattered, 6))])
    return pl.DataFrame(
        {
            "account_id": [f"a{k:04}" for k in range(n_all)],
            "n_posts": 100, "n_active_days": (1 + 50 * shares[:, 0]).astype(int), "repost_frac": shares[:, 1],
            "reply_frac": shares[:, 2], "link_frac": shares[:, 3], "busiest_hours_frac": shares[:, 4],
            "main_client_frac": shares[:, 5], "n_followers": 50, "n_following": 100,
            "created_at": [DAY_0 + timedelta(days=int(1000 * share)) for share in shares[:, 2]],
        }
    ), np.concatenate([kind, np.zeros(n_scattered, int)])  # fmt: skip


@pytest.mark.parametrize("seed", range(5))
def test_planted_kinds_are_found_and_scattered_accounts_mostly_left_out(seed):
    table, kind = profiles(seed, kinds=(60, 40, 30), n_scattered=60)
    found = cluster_profiles(table)["behaviour_id"].fill_null(0).to_numpy()
    assert adjusted_rand_score(kind[kind > 0], found[kind > 0]) > 0.9
    assert (found[kind == 0] > 0).mean() < 0.15


def test_order_of_rows_and_names_of_accounts_do_not_matter():
    table, _ = profiles(1, kinds=(40, 30), n_scattered=30)
    first = cluster_profiles(table)
    again = cluster_profiles(table.sample(fraction=1.0, shuffle=True, seed=5))
    assert first.equals(again)
    renamed = table.with_columns(account_id=pl.col("account_id").str.reverse())
    other = cluster_profiles(renamed).with_columns(account_id=pl.col("account_id").str.reverse()).sort("account_id")
    assert first.equals(other)


def test_features_are_at_most_eight_comparable_and_never_missing():
    table, _ = profiles(2, kinds=(30,), n_scattered=20)
    table = table.with_columns(main_client_frac=None, n_followers=None).cast(
        {"main_client_frac": pl.Float64, "n_followers": pl.Int64}
    )
    scaled = scale_features(table)
    assert len(FEATURES) <= 8
    assert scaled.columns == ["account_id", *FEATURES]
    assert scaled.drop("account_id").null_count().sum_horizontal()[0] == 0
    assert scaled.drop("account_id").select(pl.all().abs().max()).max_horizontal()[0] <= 3
    assert scaled["following"].unique().to_list() == [0.0]


def test_few_accounts_or_posts_are_not_grouped():
    table, _ = profiles(3, kinds=(MIN_ACCOUNTS - 1,))
    assert cluster_profiles(table)["behaviour_id"].null_count() == MIN_ACCOUNTS - 1
    assert cluster_profiles(table.clear()).is_empty()
    assert cluster_profiles(table.with_columns(n_posts=pl.lit(9))).is_empty()


def test_alike_in_everything_is_one_group_or_none():
    table, _ = profiles(4, kinds=(30,))
    same = pl.concat([table.head(1)] * 30).with_columns(account_id=pl.Series([f"a{k}" for k in range(30)]))
    assert cluster_profiles(same)["behaviour_id"].drop_nulls().n_unique() <= 1


def test_a_profile_without_its_columns_is_refused():
    with pytest.raises(SchemaError, match="profiles lacks column 'created_at'"):
        scale_features(profiles(1, kinds=(5,))[0].drop("created_at"))


GROUPS = pl.DataFrame(
    {"account_id": [f"a{k}" for k in range(40)], "behaviour_id": [1] * 15 + [2] * 15 + [None] * 10, "membership": 1.0}
)


def clusters(ids: dict[int, range]) -> pl.DataFrame:
    rows = [(f"a{k}", cluster) for cluster, members in ids.items() for k in members]
    return pl.DataFrame(rows, schema={"account_id": pl.String, "cluster_id": pl.Int64}, orient="row")


def test_equal_groupings_agree_wholly_and_coverage_says_of_how_many():
    both, judged = compare_groups(clusters({1: range(15), 2: range(15, 30), 3: range(100, 110)}), GROUPS, seed=1).rows(
        named=True
    )
    assert (both["ari"], both["low"], both["high"]) == (1, 1, 1)
    assert (both["n_accounts"], both["coverage_frac"]) == (30, 0.75)  # of 40 clustered accounts, ten are not judged
    assert (judged["n_accounts"], judged["coverage_frac"], judged["n_clusters"], judged["n_groups"]) == (40, 1, 2, 2)


def test_unrelated_groupings_agree_as_by_chance():
    hits = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        names = [f"a{k}" for k in range(200)]
        one = pl.DataFrame({"account_id": names, "cluster_id": rng.integers(1, 4, 200)})
        other = pl.DataFrame({"account_id": names, "behaviour_id": rng.integers(1, 4, 200), "membership": 1.0})
        row = compare_groups(one, other, seed=seed).row(0, named=True)
        assert row["ari"] == pytest.approx(0, abs=0.06)
        hits += row["low"] <= 0 <= row["high"]
    assert hits >= 15


def test_nothing_to_compare_is_said():
    nothing = compare_groups(clusters({}), GROUPS, seed=1).row(0, named=True)
    assert (nothing["n_accounts"], nothing["ari"], nothing["coverage_frac"]) == (0, None, None)
    with pytest.raises(ParameterError, match="n_draws is 0"):
        compare_groups(clusters({}), GROUPS, n_draws=0, seed=1)


def test_cross_table_counts_every_judged_account_once():
    crossed = cross_groups(clusters({1: range(10), 2: range(28, 50)}), GROUPS)
    assert crossed.rows() == [(1, 1, 10), (2, 2, 2), (2, None, 10), (None, 1, 5), (None, 2, 13)]


def test_a_group_is_described_by_its_medians():
    table, kind = profiles(5, kinds=(60, 40))
    groups = cluster_profiles(table)
    described = describe_behaviour(table, groups)
    assert described["n_accounts"].sum() == len(kind)
    assert described.columns == ["behaviour_id", "n_accounts", *FEATURES]
