from datetime import UTC, datetime

import polars as pl
import pytest
from test_chance import actions_of

from workbench.coaction import count_co_actions
from workbench.evaluate import cut_by_similarity, cut_by_weight, evaluate_clusters
from workbench.schema import ParameterError, SchemaError, check_table, empty_table

LABELS = pl.DataFrame({"account_id": list("abcdefghij"), "label": ["red", "red", "red", "blue", "blue", *[None] * 5]})


def clusters(rows: list[tuple[str, int, float]]) -> pl.DataFrame:
    table = pl.DataFrame(rows, schema=["account_id", "cluster_id", "strength"], orient="row")
    return check_table(table.with_columns(is_core=pl.lit(True)), "clusters")


def measured(found: pl.DataFrame, labels: pl.DataFrame = LABELS) -> dict[str, float | None]:
    return dict(evaluate_clusters(found, labels, precision_at=(2, 50), n_bootstrap=0).select("measure", "value").rows())


def test_measures_of_a_small_case_by_hand():
    # Cluster 1: a, b, c (red) and f (none). Cluster 2: d (blue) and g (none). e is missed.
    got = measured(clusters([("a", 1, 9.0), ("b", 1, 8.0), ("c", 1, 3.0), ("f", 1, 4.0), ("d", 2, 2.0), ("g", 2, 1.0)]))
    assert got["precision"] == pytest.approx(4 / 6)
    assert got["recall"] == pytest.approx(4 / 5)
    assert got["f1"] == pytest.approx(8 / 11)
    assert got["precision_at_2"] == 1
    assert got["precision_at_50"] == pytest.approx(4 / 6)
    # sum(n p^2) / sum(n p) with n = 4, p = 3/4 and n = 2, p = 1/2
    assert got["weighted_precision"] == pytest.approx((4 * 9 / 16 + 2 / 4) / (3 + 1))
    assert got["ari"] == 1
    assert got["coverage_frac"] == pytest.approx(6 / 10)
    # strengths of labelled 9 8 3 2 0 against 4 1 0 0 0: pairs won 5 + 5 + 4 + 4 + 1.5 of 25
    assert got["auc"] == pytest.approx(19.5 / 25)


def test_singletons_win_precision_but_not_recall():
    got = measured(clusters([("a", 1, 1.0)]))
    assert (got["precision"], got["weighted_precision"], got["recall"]) == (1, 1, 0.2)


def test_nothing_found_is_no_precision_at_all():
    got = measured(empty_table("clusters"))
    assert got["precision"] is None
    assert got["weighted_precision"] is None
    assert (got["recall"], got["f1"], got["coverage_frac"]) == (0, 0, 0)


def test_intervals_hold_the_value_and_follow_the_seed():
    found = clusters([("a", 1, 9.0), ("b", 1, 8.0), ("f", 1, 4.0)])
    first, again = (evaluate_clusters(found, LABELS, n_bootstrap=50, seed=3) for _ in range(2))
    assert first.equals(again)
    recall = first.row(by_predicate=pl.col("measure") == "recall", named=True)
    assert recall["low"] <= recall["value"] <= recall["high"]
    assert recall["low"] < recall["high"]


def test_labels_are_checked():
    with pytest.raises(SchemaError, match="labels lacks column 'label'"):
        evaluate_clusters(empty_table("clusters"), LABELS.drop("label"))
    with pytest.raises(SchemaError, match="names an account twice"):
        evaluate_clusters(empty_table("clusters"), pl.concat([LABELS, LABELS.head(1)]))


# a, b, c share three links at once; x and y one; z nothing.
ROWS = [(who, f"link{n}", 10 * k) for n in range(3) for k, who in enumerate("abc")]
ACTIONS = actions_of([*ROWS, ("x", "other", 0), ("y", "other", 5), ("z", "lone", 0)])


def test_weight_cut_keeps_what_is_heavier_than_the_quantile():
    edges = count_co_actions(ACTIONS, time_window_s=60)
    assert cut_by_weight(edges, quantile=0.1)["account_id"].to_list() == ["a", "b", "c"]
    assert cut_by_weight(edges, quantile=0.99).is_empty()
    assert cut_by_weight(empty_table("edges"), quantile=0.5).is_empty()


def test_similarity_cut_keeps_the_most_similar_pairs():
    found = cut_by_similarity(ACTIONS, top_frac=1.0, min_actions=3)
    assert found["account_id"].to_list() == ["a", "b", "c"]
    assert found["strength"].to_list() == pytest.approx([2, 2, 2])  # cosine 1 with either of the others
    assert cut_by_similarity(ACTIONS, min_actions=100).is_empty()


def test_cuts_reach_as_many_accounts_as_another_method_found():
    edges = count_co_actions(ACTIONS, time_window_s=60)
    assert cut_by_weight(edges, n_accounts=3)["account_id"].to_list() == ["a", "b", "c"]
    assert cut_by_weight(edges, n_accounts=4)["account_id"].to_list() == ["a", "b", "c", "x", "y"]  # an edge has two
    assert cut_by_similarity(ACTIONS, n_accounts=2, min_actions=1).height == 2
    assert cut_by_similarity(ACTIONS, n_accounts=99, min_actions=1).height == 5
    for found in (cut_by_weight(edges, n_accounts=0), cut_by_weight(empty_table("edges"), n_accounts=3)):
        assert found.is_empty()


def test_cuts_say_what_is_out_of_range():
    with pytest.raises(ParameterError, match="n_accounts is -1"):
        cut_by_weight(empty_table("edges"), n_accounts=-1)
    with pytest.raises(ParameterError, match="quantile is 2"):
        cut_by_weight(empty_table("edges"), quantile=2)
    with pytest.raises(ParameterError, match="top_frac is 0"):
        cut_by_similarity(ACTIONS, top_frac=0)


def test_real_roles_of_a_troll_factory(shared_data):
    """Same text within ten minutes: plain clusters of one week follow the roles that researchers gave the accounts."""
    rows = pl.read_parquet(shared_data / "ira" / "ira_tweets_2015-11-23_29.parquet").filter(pl.col("retweet") == 0)
    actions = rows.select(
        account_id="author_id",
        post_id=pl.format("post{}", pl.int_range(pl.len())),
        trace=pl.lit("same_text"),
        object_id=pl.col("content").str.replace_all(r"https?://\S+", "").str.strip_chars(),
        acted_at=pl.col("publish_date").str.to_datetime(time_unit="us").dt.replace_time_zone("UTC"),
    ).filter(pl.col("object_id").str.len_chars() >= 20)
    assert actions["acted_at"].min() >= datetime(2015, 11, 23, tzinfo=UTC)
    labels = rows.group_by(account_id="author_id").agg(label=pl.col("account_type").mode().sort().first())
    found = cut_by_weight(count_co_actions(actions, time_window_s=600), quantile=0.5)
    by_role = measured(found, labels)["weighted_precision"]
    shuffled = labels.with_columns(label=pl.col("label").shuffle(seed=1))
    by_luck = measured(found, shuffled)["weighted_precision"]
    assert by_role > by_luck + 0.1
