"""Costs told beforehand are those of counting; a hub is left out only by a decision on record."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_coaction import LOG, WINDOW, make_actions

from workbench.coaction import count_co_actions
from workbench.cost import drop_hubs, predict_cost
from workbench.schema import ParameterError, SchemaError, check_table

HUB = make_actions(*[(f"a{k}", "hub", k) for k in range(5)], ("a0", "x", 0), ("a1", "x", 1), ("a1", None, 0))


def test_pairs_and_the_objects_they_come_from():
    cost = predict_cost(HUB, time_window_s=60)
    expected = {
        "trace": "repost", "n_actions": 7, "n_accounts": 5, "n_objects": 2, "n_pairs": 11, "largest_bytes": 160,
        "heaviest_objects": ["hub", "x"], "heaviest_frac": 1.0,
    }  # fmt: skip
    assert cost.to_dicts() == [expected]
    assert predict_cost(HUB, time_window_s=0)["heaviest_objects"].to_list() == [[]]
    assert predict_cost(HUB.clear(), time_window_s=60).height == 0


@settings(deadline=None, max_examples=40)
@given(LOG, WINDOW)
def test_no_more_is_counted_than_was_predicted(rows, window_s):
    actions = make_actions(*rows)
    n_pairs = int(predict_cost(actions, time_window_s=window_s)["n_pairs"].sum())
    assert count_co_actions(actions, time_window_s=window_s, max_pairs=n_pairs)["n_co_actions"].sum() <= n_pairs


def test_dropping_hubs_is_a_decision_on_record():
    kept, decided = drop_hubs(HUB, max_actions=4)
    assert kept["object_id"].to_list() == ["x", "x", None]
    assert check_table(decided, "decisions").select("stage", "n_before", "n_after").rows() == [("act", 8, 3)]
    assert decided["action"][0] == "dropped 1 objects with more than 4 actions: 'hub' (5)"
    same, nothing = drop_hubs(HUB, max_actions=5)
    assert same.equals(HUB)
    assert nothing["action"][0] == "dropped 0 objects with more than 5 actions"


@given(LOG, st.integers(1, 6))
def test_no_hub_stays_and_nothing_else_goes(rows, most):
    kept, decided = drop_hubs(make_actions(*rows), max_actions=most)
    sizes = make_actions(*rows).drop_nulls("object_id").group_by("object_id").len()
    small = sizes.filter(pl.col("len") <= most)["len"].sum()
    n_null = make_actions(*rows)["object_id"].null_count()
    assert kept.height == small + n_null == decided["n_after"][0]


def test_bad_parameters():
    with pytest.raises(ParameterError, match="max_actions is 0; expected 1 or more"):
        drop_hubs(HUB, max_actions=0)
    with pytest.raises(ParameterError, match="time_window_s is -1"):
        predict_cost(HUB, time_window_s=-1)
    for function, settings_ in ((drop_hubs, {"max_actions": 1}), (predict_cost, {"time_window_s": 1})):
        with pytest.raises(SchemaError, match="actions lacks column 'object_id'"):
            function(HUB.drop("object_id"), **settings_)
