import polars as pl
import pytest
import worlds

from workbench.coordinated import find_coordinated_clusters, list_clusters, repeat_clusters
from workbench.schema import ParameterError

OPTIONS = {"time_window_s": 60, "n_shuffles": 5, "max_fdr": 0.05, "seed": 7}
TINY = {"n_organic": 400, "n_objects": 500, "n_events": 30}


def test_other_splits_find_a_planted_group_again_and_say_what_they_cover():
    actions = worlds.make_world("bursts", seed=91, group_sizes=(20,), **TINY).actions
    clusters = find_coordinated_clusters(actions, **OPTIONS)
    runs, each = repeat_clusters(actions, clusters, **OPTIONS, n_repeats=2)
    assert runs["seed"].to_list() == [7, 8, 9]
    assert runs["ari"][0] == 1
    assert runs["ari"].min() > 0.8
    assert runs["coverage_frac"][0] == clusters.height / actions["account_id"].n_unique()
    assert each.select("cluster_id", "n_accounts", "n_repeats", "n_found_again").row(0) == (1, clusters.height, 2, 2)
    assert each["min_jaccard"][0] > 0.8
    again = find_coordinated_clusters(actions, **OPTIONS | {"seed": 9})
    assert runs.row(2)[1:3] == (again["cluster_id"].n_unique(), again.height)


def test_a_cluster_of_strangers_is_not_found_again():
    """What no split confirms has agreement 0, though it covers as much."""
    world = worlds.make_world("bursts", seed=91, group_sizes=(20,), **TINY)
    clusters = find_coordinated_clusters(world.actions, **OPTIONS)
    outside = ~pl.col("account_id").is_in(clusters["account_id"].implode())
    strangers = world.actions.filter(outside)["account_id"].unique().sort().head(clusters.height)
    made_up = clusters.with_columns(account_id=strangers)
    runs, each = repeat_clusters(world.actions, made_up, **OPTIONS, n_repeats=1)
    assert abs(runs["ari"][1]) < 0.01
    assert each["n_found_again"].to_list() == [0] * each.height
    assert each["mean_jaccard"].max() == 0


def test_where_nothing_is_found_there_is_no_agreement_to_speak_of():
    actions = worlds.make_world("organic", seed=91, **TINY).actions
    nothing = find_coordinated_clusters(actions, **OPTIONS)
    runs, each = repeat_clusters(actions, nothing, **OPTIONS, n_repeats=1)
    assert (runs["ari"].to_list(), runs["coverage_frac"].to_list()) == ([None, None], [0.0, 0.0])
    assert each.is_empty()
    with pytest.raises(ParameterError, match="n_repeats is 0"):
        repeat_clusters(actions, nothing, **OPTIONS, n_repeats=0)


def test_answering_alerts_is_early_and_a_low_share_at_the_start_rules_it_out():
    """The refutable claim: strangers who answer one source meet when things are new; planted groups need not."""
    share = {}
    for regime in ("alerts", "bursts", "camouflage"):
        world = worlds.make_world(regime, seed=92, group_sizes=(20,), **TINY)
        found = list_clusters(find_coordinated_clusters(world.actions, **OPTIONS))
        share[regime] = found.sort("n_accounts")["at_start_frac"].to_list()[-1]
    assert share["alerts"] > 0.9
    assert max(share["bursts"], share["camouflage"]) < 0.5
