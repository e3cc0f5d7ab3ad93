"""Costs told beforehand are those of counting; a hub is left out only by a decision on record."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_coaction import LOG, WINDOW, make_actions

from workbench import pairs
from workbench.coaction import count_co_actions
from workbench.cost import drop_hubs, predict_cost
from workbench.schema import ParameterError, SchemaError, check_table

HUB = make_actions(*[(f"a{k}", "hub", k) for k in range(5)], ("a0", "x", 0), ("a1", "x", 1), ("a1", None, 0))


def test_pairs_and_the_objects_they_come_from():
    cost = predict_cost(HUB, time_window_s=60)
    expected = {
        "trace": "repost", "n_actions": 7, "n_accounts": 5, "n_objects": 2, "n_pairs": 11, "n_edges": 10,
        "edges_bytes": 160,
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


@settings(deadline=None, max_examples=40)
@given(LOG, WINDOW)
def test_of_few_accounts_the_edges_are_told_exactly(rows, window_s):
    actions = make_actions(*rows)
    told = predict_cost(actions, time_window_s=window_s)["n_edges"].sum()
    assert told == count_co_actions(actions, time_window_s=window_s).height


@pytest.mark.parametrize("seed", range(4))
def test_of_many_accounts_they_are_told_within_a_tenth(seed, monkeypatch):
    monkeypatch.setattr(pairs, "SAMPLED_ACCOUNTS", 150)
    rng = np.random.default_rng(seed)
    n = 20_000
    who = np.searchsorted(np.cumsum(rng.lognormal(0, 1, 900)), rng.random(n) * 1_400)
    rows = zip(who.tolist(), rng.geometric(0.02, n).tolist(), (rng.random(n) * 5_000).tolist(), strict=True)
    actions = make_actions(*[(f"a{a}", f"o{o}", s) for a, o, s in rows])
    counted = count_co_actions(actions, time_window_s=60)
    cost = predict_cost(actions, time_window_s=60)
    assert cost["n_edges"].item() == pytest.approx(counted.height, rel=0.1)
    assert cost["n_edges"].item() != counted.height
    monkeypatch.setattr(pairs, "SAMPLED_PAIRS", 10_000)
    assert predict_cost(actions, time_window_s=60)["n_edges"].item() == pytest.approx(counted.height, rel=0.5)


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
