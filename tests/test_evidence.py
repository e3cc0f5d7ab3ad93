"""What made an edge: hand-written logs, and agreement with the counts."""

from datetime import timedelta

import polars as pl
from hypothesis import given, settings
from test_coaction import LOG, START, make_actions

from workbench.coaction import count_co_actions
from workbench.evidence import co_action_evidence, describe_edges


def at(seconds: float):
    return START + timedelta(seconds=seconds)


ACTIONS = make_actions(("b", "x", 0), ("a", "x", 5), ("a", "y", 100), ("b", "y", 100), ("c", "x", 3), ("b", "x", 500))


def test_evidence_names_posts_times_and_who_came_first():
    edges = count_co_actions(ACTIONS, time_window_s=60).filter(pl.col("account_b") == "b")
    assert co_action_evidence(ACTIONS, edges, time_window_s=60).rows() == [
        ("repost", "a", "b", "x", "p1", "p0", at(5), at(0), 5.0, "b"),
        ("repost", "a", "b", "y", "p2", "p3", at(100), at(100), 0.0, None),
    ]


def test_describe_edges_keeps_order_and_counts_objects_gaps_and_firsts():
    edges = count_co_actions(ACTIONS, time_window_s=60).sort("account_b", descending=True)
    described = describe_edges(edges, ACTIONS, time_window_s=60)
    assert described.columns[4:] == ["n_objects", "mean_gap_s", "min_gap_s", "n_a_first", "first_at", "last_at"]
    assert described.filter(account_a="a", account_b="b").row(0)[3:] == (2, 2, 2.5, 0.0, 0, at(0), at(100))
    assert described.filter(account_a="a", account_b="c").row(0)[3:] == (1, 1, 2.0, 2.0, 0, at(3), at(5))
    assert described.select(edges.columns).equals(edges)


def test_edges_of_accounts_not_in_the_actions_have_no_evidence():
    edges = count_co_actions(ACTIONS, time_window_s=60).with_columns(account_b=pl.lit("zz"))
    assert co_action_evidence(ACTIONS, edges, time_window_s=60).height == 0
    assert describe_edges(edges, ACTIONS, time_window_s=60)["n_objects"].null_count() == edges.height


@settings(deadline=None, max_examples=60)
@given(LOG)
def test_as_many_rows_of_evidence_as_co_actions(rows):
    actions = make_actions(*rows)
    edges = count_co_actions(actions, time_window_s=60)
    evidence = co_action_evidence(actions, edges, time_window_s=60)
    counted = evidence.group_by("trace", "account_a", "account_b").agg(n_co_actions=pl.len().cast(pl.Int64))
    assert counted.sort("account_a", "account_b").equals(edges)
    described = describe_edges(edges, actions, time_window_s=60)
    assert (described["n_objects"] <= described["n_co_actions"]).all()
    assert (described["min_gap_s"] <= described["mean_gap_s"] + 1e-9).all()
