"""Why an account is in or out: each rule on a hand-made account beside a planted group, and the sentences."""

import polars as pl
import pytest
import worlds
from test_actions import make_posts

from workbench.coaction import count_co_actions
from workbench.coordinated import find_coordinated_clusters
from workbench.explain import RULES, explain_account, explain_accounts
from workbench.explain_words import say_why
from workbench.schema import ParameterError, empty_table

SETTINGS = {"time_window_s": 60, "max_fdr": 0.05, "seed": 3}


@pytest.fixture(scope="module")
def world():
    """A planted group of twenty in a small crowd, and by hand one account for each way of being left out."""
    base = worlds.make_world("bursts", seed=5, group_sizes=(20,), n_organic=400, n_objects=400)
    planted = base.truth["account_id"].to_list()
    events = base.actions.filter(pl.col("account_id") == planted[0]).sort("acted_at")
    late, once = pl.duration(days=30), events.head(1)
    by_hand = [
        ("alone", events.head(1).with_columns(object_id=pl.lit("nobody else's"))),
        ("late", events.head(5).with_columns(acted_at=pl.col("acted_at") + late)),
        ("once", once),
        ("follower", events.head(12)),  # in everything but name
    ]
    rows = [
        part.with_columns(account_id=pl.lit(name), post_id=pl.format("{}-{}", pl.lit(name), "post_id"))
        for name, part in by_hand
    ]
    actions = pl.concat([base.actions, *rows])
    clusters = find_coordinated_clusters(actions.filter(pl.col("account_id") != "follower"), n_shuffles=10, **SETTINGS)
    edges = count_co_actions(actions, time_window_s=60)
    posts = make_posts({"account_id": "mute", "post_id": "m"}, *[{"account_id": n, "post_id": n} for n, _ in by_hand])
    return posts, actions, edges, clusters, planted


def explain(world, account_id, **changes):
    posts, actions, edges, clusters, _ = world
    tables = {"posts": posts, "actions": actions, "edges": edges, "clusters": clusters} | changes
    return explain_account(*tables.values(), account_id=account_id, **SETTINGS)


def test_a_member_is_told_what_counted(world):
    clusters, planted = world[3:]
    assert set(planted) <= set(clusters["account_id"])
    why = explain(world, planted[0])
    assert (why.rule, why.cluster_id) == ("member", 1)
    assert why.tests["half"].to_list()[:3] == ["first half", "second half", "both halves"]
    halves = why.tests.filter(cluster_id=1)["n_objects_near"].to_list()
    assert halves[0] + halves[1] == halves[2] > 20
    assert why.n_partners[1] >= 19
    assert (why.tests["fdr"] >= why.tests["p"]).all(), "of many looks no one can be surer than of one"
    assert why.posts["cluster_id"][0] == 1
    assert why.posts["gap_s"].max() <= 60
    said = " ".join(say_why(why, time_window_s=60))
    assert f"{planted[0]} is in cluster 1, in its " in said
    assert "What counted: on the halves that had no part in finding the cluster it acted near" in said
    assert "does not say inauthentic" in said


@pytest.mark.parametrize(
    ("account", "rule"),
    [
        ("nobody", "no posts"), ("mute", "no action"), ("alone", "alone"), ("late", "never near"), ("once", "too few"),
        ("follower", "borderline"),
    ],
)  # fmt: skip
def test_each_way_of_being_left_out_names_its_rule(world, account, rule):
    why = explain(world, account)
    assert why.rule == rule
    said = say_why(why, time_window_s=60)
    assert said[0] == f"{account} is in no cluster: {RULES[rule]}."
    assert said[-1].endswith("not that there is nothing.")


def test_organic_accounts_are_left_out_for_a_reason_of_their_own(world):
    organic = sorted(set(world[1]["account_id"]) - set(world[3]["account_id"]) - {"alone", "late", "once", "follower"})
    for account in organic[:10]:
        why = explain(world, account)
        assert why.rule in {"alone", "never near", "far", "too few", "no excess", "luck"}
        assert (why.cluster_id is not None) == (why.rule in {"too few", "no excess", "luck"})


def test_a_group_set_apart_for_its_clock_is_the_reason_given(world):
    posts, actions, edges, clusters, planted = world
    clocks = clusters.head(1).with_columns(account_id=pl.lit("once"))
    for account, rule in (("once", "clock"), ("late", "never near"), (planted[0], "member")):
        assert (
            explain_account(posts, actions, edges, clusters, account_id=account, clocks=clocks, **SETTINGS).rule == rule
        )


def test_what_it_did_is_counted_by_trace(world):
    assert explain(world, "late").traces.rows() == [("repost", 5, 4, 4, 0)]  # twice on one object
    assert explain(world, "once").traces.rows() == [("repost", 1, 1, 1, 1)]
    assert explain(world, "mute").traces.is_empty()


def test_without_clusters_the_reason_is_that_there_is_none(world):
    why = explain(world, "once", clusters=empty_table("clusters"))
    assert (why.rule, why.cluster_id, why.tests.height) == ("no cluster", None, 0)


def test_scored_edges_say_what_chance_gives(world):
    scored = world[2].with_columns(expected_n=pl.lit(0.25), score=pl.lit(1.0), fdr=pl.lit(0.01))
    why = explain(world, "once", edges=scored)
    assert {"expected_n", "fdr"} <= set(why.partners.columns)
    assert "where chance gives 0.25" in " ".join(say_why(why, time_window_s=60))


def test_no_window_is_refused(world):
    with pytest.raises(ParameterError, match="time_window_s is None"):
        explain_account(*world[:4], account_id="once", time_window_s=None, max_fdr=0.05, seed=3)


def test_several_accounts_are_told_what_each_is_told_alone(world):
    posts, actions, edges, clusters, planted = world
    names = [planted[0], "nobody", "late", "follower"]
    together = explain_accounts(posts, actions, edges, clusters, account_ids=names, **SETTINGS)
    for name, one in zip(names, together, strict=True):
        alone = explain(world, name)
        assert (one.account_id, one.rule, one.cluster_id) == (name, alone.rule, alone.cluster_id)
        assert one.tests.equals(alone.tests)
        assert one.posts.equals(alone.posts)
