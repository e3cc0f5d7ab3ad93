"""What other windows and lines would have found."""

import polars as pl
import pytest
import worlds

from workbench.coordinated import find_coordinated_clusters
from workbench.coordinated.confirm import Confirmed
from workbench.coordinated.find import find_groups_in
from workbench.coordinated.half import fuse_traces
from workbench.schema import ParameterError
from workbench.sections.limits import describe_limits
from workbench.sensitivity import compare_settings

OPTIONS = {"time_windows_s": [10, 60], "max_fdrs": [0.01, 0.05], "n_shuffles": 10, "seed": 5}


@pytest.fixture(scope="module")
def world():
    return worlds.make_world("bursts", seed=61, n_organic=800, n_objects=1000, n_events=40)


def test_each_setting_finds_what_the_test_finds_there(world):
    table = compare_settings(world.actions, **OPTIONS)
    assert table.select("time_window_s", "max_fdr").rows() == [(10, 0.01), (10, 0.05), (60, 0.01), (60, 0.05)]
    assert table["actions_frac"].to_list() == [1.0] * 4
    for row in table.rows(named=True):
        found = find_coordinated_clusters(
            world.actions, time_window_s=row["time_window_s"], n_shuffles=10, max_fdr=row["max_fdr"], seed=5
        )
        assert (row["n_accounts"], row["n_clusters"]) == (found.height, found["cluster_id"].n_unique())


def test_of_a_large_dataset_whole_objects_are_drawn_the_same_whatever_the_names(world):
    half = compare_settings(world.actions, **OPTIONS, max_actions=world.actions.height // 2)
    assert 0.4 < half["actions_frac"][0] <= 0.55
    planted = world.truth.height
    assert 0.8 * planted <= half.filter(time_window_s=60, max_fdr=0.05)["n_accounts"][0] <= 1.2 * planted
    renamed = world.actions.with_columns(
        account_id="z" + pl.col("account_id").str.reverse(), object_id="z" + pl.col("object_id").str.reverse()
    ).sample(fraction=1, shuffle=True, seed=1)
    assert compare_settings(renamed, **OPTIONS, max_actions=world.actions.height // 2).equals(half)


def test_a_part_is_said_to_be_one(world):
    table = compare_settings(world.actions, **OPTIONS)
    said = describe_limits(time_window_s=60, n_shuffles=10, sensitivity=table).claims[0]
    assert "part" not in said.text
    part = describe_limits(
        time_window_s=60, n_shuffles=10, sensitivity=table.with_columns(actions_frac=pl.lit(0.27))
    ).claims[0]
    assert "a part of what was acted on" in part.text
    assert "27% of the actions" in part.denominator


def test_no_action_gives_no_row_and_a_bad_line_is_refused(world):
    assert compare_settings(world.actions.clear(), **OPTIONS).is_empty()
    with pytest.raises(ParameterError, match="max_fdr"):
        compare_settings(world.actions, **{**OPTIONS, "max_fdrs": [1.5]})


@pytest.mark.parametrize(("kind", "seed"), [("drip", 3103), ("among_schedulers", 3105)])
def test_what_is_remembered_of_a_group_changes_no_number(kind, seed, monkeypatch):
    log = fuse_traces(worlds.make_world(kind, seed=seed, group_sizes=(30,), n_organic=300, n_objects=300).actions)
    asked = {"time_window_s": 60, "n_shuffles": 4, "max_fdrs": [0.01, 0.05], "seed": seed}
    remembered = find_groups_in(log, **asked)
    monkeypatch.setattr(Confirmed, "recall", lambda *about: about[-1]())
    worked_out = find_groups_in(log, **asked)
    assert all(one.equals(other) for one, other in zip(remembered, worked_out, strict=True))
    assert worked_out[1].height
