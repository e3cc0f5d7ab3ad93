import itertools

import numpy as np
import polars as pl
import pytest
import worlds
from scipy import stats
from test_chance import actions_of

from workbench.coordinated import (
    find_coordinated_clusters,
    find_groups,
    find_shared_clocks,
    judge_groups,
    list_clusters,
    weigh_accounts,
)
from workbench.coordinated.candidates import Group, count_tail, find_candidates, weigh_groups
from workbench.coordinated.clock import NO_CLOCK, Dial, Together, _is_enough, count_in_turns, weigh_clock
from workbench.coordinated.confirm import split_objects
from workbench.coordinated.grouping import join_fragments, pair_halves, take_apart, unite_overlapping
from workbench.coordinated.half import Half, code_traces, fuse_traces
from workbench.coordinated.membership import adjust_p
from workbench.schema import TABLES, ParameterError

OPTIONS = {"time_window_s": 60, "n_shuffles": 10, "max_fdr": 0.05, "seed": 7}
SMALL = {"n_organic": 800, "n_objects": 1000, "n_events": 40}
TINY = {"n_organic": 400, "n_objects": 500, "n_events": 30}
MINUTE_US = 60_000_000


def found_and_planted(world: worlds.World, clusters: pl.DataFrame) -> tuple[float, float]:
    """Precision and recall of accounts."""
    found, planted = set(clusters["account_id"]), set(world.truth["account_id"])
    return len(found & planted) / max(len(found), 1), len(found & planted) / len(planted)


def half_of(actions: pl.DataFrame, *, window_us: int = MINUTE_US) -> Half:
    log = fuse_traces(actions)
    return Half(log, trace_code=code_traces(log), window_us=window_us)


@pytest.mark.parametrize("regime", ["bursts", "alternating", "rotating", "drip", "camouflage", "closed"])
def test_planted_groups_are_found(regime):
    world = worlds.make_world(regime, seed=71, group_sizes=(20,), **SMALL)
    clusters = find_coordinated_clusters(world.actions, **OPTIONS)
    precision, recall = found_and_planted(world, clusters)
    assert precision >= 0.9
    assert recall >= 0.9
    grade = "closed group" if regime == "closed" else "beyond shared interest"
    assert clusters["grade"].unique().to_list() == [grade]
    assert clusters["ratio"].min() >= 2


@pytest.mark.parametrize("regime", worlds.ORGANIC)
def test_nothing_is_found_where_nothing_is_planted(regime):
    assert find_coordinated_clusters(worlds.make_world(regime, seed=72, **SMALL).actions, **OPTIONS).is_empty()


def test_groups_that_share_objects_and_accounts_are_told_apart():
    world = worlds.make_world("touching", seed=73, group_sizes=(30, 20), **SMALL)
    clusters = find_coordinated_clusters(world.actions, **OPTIONS)
    each = (
        clusters.join(world.truth, on="account_id")
        .group_by("cluster_id", "group_id")
        .len()
        .sort("len", descending=True)
    )
    assert each["cluster_id"].n_unique() == 2
    assert each.filter(pl.col("len") >= 15)["group_id"].sort().to_list() == [0, 1]


def test_two_groups_that_met_once_are_not_fragments_of_one():
    """Seven outlets and a slow drip, both close whenever they meet, have one object in common."""
    rng, rows = np.random.default_rng(1), []
    for k in range(300):
        rows += [(f"n{m}", f"news{k}", 10_000 * k + m) for m in range(7)]
    for k in range(60):
        rows += [(f"d{m}", f"drip{k}", 10_000 * k + m) for m in rng.choice(12, 3, replace=False).tolist()]
    rows += [(f"{who}{m}", "both", 5_000_000 + m) for who in "nd" for m in range(7)]
    half = half_of(actions_of(rows))
    names = half.log.accounts.to_list()
    news, drip = ([names.index(f"{who}{m}") for m in range(n)] for who, n in (("n", 7), ("d", 12)))
    assert len(join_fragments(half, [np.array(news), np.array(drip)])) == 2
    assert len(join_fragments(half, [np.array(news), np.array(drip[:6]), np.array(drip[6:])])) == 2


@pytest.mark.parametrize("regime", ["full_hour", "bell", "feeds"])
def test_strangers_on_one_clock_are_no_coordinated_group(regime):
    actions = worlds.make_world(regime, seed=81, **TINY).actions
    assert find_coordinated_clusters(actions, **OPTIONS).is_empty()
    clocks = list_clusters(find_shared_clocks(actions, **OPTIONS))
    assert clocks["grade"].unique().to_list() == ["shared clock"]
    assert set(clocks["clock_s"]) <= {1800.0, 3600.0, 7200.0, 10_800.0}


def test_strangers_who_are_awake_together_are_no_group_either():
    actions = worlds.make_world("by_day", seed=82, **TINY).actions
    assert find_coordinated_clusters(actions, **OPTIONS | {"time_window_s": 3600}).is_empty()
    clocks = find_shared_clocks(actions, **OPTIONS | {"time_window_s": 3600})
    assert clocks["clock_s"].unique().to_list() == [86_400.0]


@pytest.mark.parametrize("regime", ["scheduled", "among_schedulers"])
def test_a_group_is_found_though_it_or_others_keep_a_clock(regime):
    world = worlds.make_world(regime, seed=83, group_sizes=(20,), **SMALL)
    precision, recall = found_and_planted(world, find_coordinated_clusters(world.actions, **OPTIONS))
    assert min(precision, recall) >= 0.9


def test_share_in_phase_counts_pairs_at_different_places_around_the_dial():
    place, phase = np.array([1, 1, 2, 3]), np.array([5, 5, 995, 500])
    # Places 1 and 2 are within 10 across the top of a dial of 1000; place 3 is near to neither.
    assert Dial(place, phase).share_in_phase(period_us=1000, window_us=10) == pytest.approx(1 / 3)
    assert Dial(place, phase).share_in_phase(period_us=1000, window_us=9) == 0
    rng = np.random.default_rng(1)
    uniform = Dial(np.arange(2000), rng.integers(0, 10**6, 2000)).share_in_phase(period_us=10**6, window_us=50_000)
    assert uniform == pytest.approx(0.1, rel=0.05)


def test_pairs_in_one_turn_are_those_of_two_accounts():
    rng = np.random.default_rng(5)
    half = half_of(
        actions_of(
            [(f"a{rng.integers(0, 6)}", f"o{rng.integers(0, 9)}", float(rng.uniform(0, 90_000))) for _ in range(300)]
        )
    )
    log, turn = half.log, half.log.time_us // (3600 * 1_000_000)
    slowly = np.zeros(len(half.size))
    for i, j in itertools.combinations(range(len(log)), 2):
        if log.object_code[i] == log.object_code[j] and log.account_code[i] != log.account_code[j]:
            slowly[log.object_code[i]] += turn[i] == turn[j]
    assert count_in_turns(log, half.own, turn).tolist() == slowly.tolist()
    assert half.own.n_pairs.sum() > 0


def test_no_clock_is_blamed_for_one_meeting():
    half = half_of(actions_of([("a", "x", 0), ("b", "x", 1), ("c", "y", 0), ("d", "y", 9000)]))
    nothing = Half(half.log.keep(half.log.time_us < 0), trace_code=half.trace_code, window_us=MINUTE_US)
    assert weigh_clock(half, [Together(part, np.arange(2)) for part in (half, nothing)], seen=1) == NO_CLOCK


def test_a_clock_is_enough_below_twice_its_due_and_where_the_rest_may_be_luck():
    assert _is_enough(60, seen=100, n_events=50)
    assert not _is_enough(40, seen=100, n_events=50)
    assert _is_enough(4, seen=9, n_events=9)  # 9 where 4 are due is more than twice, and may be luck all the same
    assert _is_enough(20, seen=90, n_events=2)  # two bursts of ten accounts are two coincidences
    assert not _is_enough(0.1, seen=9, n_events=4)


def test_all_lines_are_drawn_on_one_weighing():
    world = worlds.make_world("rotating", seed=84, group_sizes=(20,), **TINY)
    options = {"time_window_s": 60, "n_shuffles": 5, "seed": 7}
    together = find_groups(world.actions, max_fdrs=[0.01, 0.05, 0.2], **options)
    for max_fdr, table in zip([0.01, 0.05, 0.2], together, strict=True):
        assert table.equals(find_groups(world.actions, max_fdrs=[max_fdr], **options)[0])


@pytest.mark.parametrize("n_traces", [1, 3])
def test_p_values_are_uniform_where_accounts_are_dealt_at_random(n_traces):
    """The refutable claim behind every cluster: under the null, so many co-actions or more have chance p.

    A post in three traces meets the same others in each: counted three times, chance must count it three times.
    """
    rng, p = np.random.default_rng(1), []
    for seed in range(6):
        actions = worlds.make_world("fans", seed=seed, **SMALL).actions
        actions = worlds.in_several_traces(actions) if n_traces > 1 else actions
        assert actions["trace"].n_unique() == n_traces
        halves = split_objects(fuse_traces(actions), [MINUTE_US], np.random.default_rng(seed))
        for groups in find_candidates(halves[0, MINUTE_US], seed=1):
            weighed = weigh_groups(halves[1, MINUTE_US], groups, found_on=0)
            # Of small counts no p-value is uniform; of larger ones it is, once ties are broken at random.
            p += [g.p_within - rng.random() * _chance_of_seen(g) for g in weighed if g.within[0] >= 5]
    assert len(p) > 100
    for line in (0.05, 0.2, 0.5, 0.8):
        assert np.mean(np.array(p) <= line) == pytest.approx(line, abs=0.12)


def _chance_of_seen(group: Group) -> float:
    return group.p_within - count_tail(group.seen + 1, *group.within)


def test_the_moments_of_the_shuffle_are_exact():
    world = worlds.make_world("fans", seed=74, n_organic=200, n_objects=200)
    half = half_of(world.actions)
    members = np.arange(0, 40)
    group = weigh_groups(half, [members], found_on=0)[0]
    rng, seen = np.random.default_rng(1), []
    for _ in range(300):
        order = np.lexsort((rng.random(len(half.log)), half.log.object_code))
        shuffled = half.log.account_code[order]
        log = type(half.log)(**{**half.log.__dict__, "account_code": shuffled})
        seen.append(
            weigh_groups(Half(log, trace_code=half.trace_code, window_us=MINUTE_US), [members], found_on=0)[0].seen
        )
    assert np.mean(seen) == pytest.approx(group.within[0], rel=0.05)
    assert np.var(seen) == pytest.approx(group.within[1], rel=0.3)


def test_one_lucky_stumble_into_bursts_makes_no_member():
    world = worlds.make_world("bursts", seed=75, group_sizes=(20,), **SMALL)
    burst = world.actions.filter(pl.col("account_id").is_in(world.truth["account_id"].implode()))
    moment = burst.group_by("object_id").agg(pl.len(), pl.col("acted_at").median()).sort("len").row(-1, named=True)
    stumbler = burst.head(1).with_columns(
        account_id=pl.lit("stumbler"), post_id=pl.lit("stumble"), object_id=pl.lit(moment["object_id"]),
        acted_at=pl.lit(moment["acted_at"]).cast(pl.Datetime("us", "UTC")),
    )  # fmt: skip
    actions = pl.concat([world.actions, stumbler])
    assert "stumbler" not in set(find_coordinated_clusters(actions, **OPTIONS)["account_id"])
    weighed = weigh_accounts(actions, known=world.truth["account_id"].to_list(), time_window_s=60)
    assert weighed.row(by_predicate=pl.col("account_id") == "stumbler", named=True)["n_objects_near"] == 1


def renamed(actions: pl.DataFrame, *, seed: int) -> tuple[pl.DataFrame, dict[str, str]]:
    """The same actions in another order by accounts, posts and objects of other names; and the accounts' old names."""
    rng, old_names = np.random.default_rng(seed), {}
    for column in ("account_id", "post_id", "object_id"):
        old = actions[column].unique().sort()
        new = pl.Series([f"{number:08x}" for number in rng.permutation(len(old))])
        actions = actions.with_columns(pl.col(column).replace_strict(old, new))
        old_names |= dict(zip(new, old, strict=True)) if column == "account_id" else {}
    return actions.sample(fraction=1, shuffle=True, seed=seed), old_names


@pytest.mark.parametrize("regime", ["touching", "drip"])
def test_names_change_nothing(regime):
    """Pseudonyms hang on a key, and so do the names of reposted posts: a result must not."""
    world = worlds.make_world(regime, seed=80, group_sizes=(20, 20), **TINY)
    actions = world.actions.with_columns(pl.col("acted_at").dt.truncate("1m"))  # many ties in time
    first = find_coordinated_clusters(actions, **OPTIONS)
    again, old_names = renamed(actions, seed=3)
    second = find_coordinated_clusters(again, **OPTIONS).with_columns(pl.col("account_id").replace_strict(old_names))
    keys = ["cluster_id", "account_id"]
    assert first.height >= 36
    assert first.sort(keys).equals(second.sort(keys))


def test_the_order_of_rows_changes_nothing_and_columns_are_as_agreed():
    world = worlds.make_world("rotating", seed=76, group_sizes=(20,), **SMALL)
    first = find_coordinated_clusters(world.actions, **OPTIONS)
    assert first.equals(find_coordinated_clusters(world.actions.sample(fraction=1, shuffle=True, seed=3), **OPTIONS))
    assert first.columns[:4] == TABLES["clusters"].column_names()
    each = list_clusters(first)
    assert each.height == first["cluster_id"].n_unique()
    assert each["n_accounts"].sum() == first.height
    assert find_coordinated_clusters(world.actions.clear(), **OPTIONS).schema == first.schema


def test_several_windows_and_traces_are_one_question():
    world = worlds.make_world("drip", seed=77, group_sizes=(20,), **SMALL)
    half = pl.col("object_id").hash(1) % 2 == 0
    actions = world.actions.with_columns(trace=pl.when(half).then(pl.lit("url")).otherwise(pl.lit("same_text")))
    clusters = find_coordinated_clusters(actions, **OPTIONS | {"time_window_s": [10, 60, 600]})
    precision, recall = found_and_planted(world, clusters)
    assert min(precision, recall) >= 0.9


def test_a_post_is_in_one_half_only_and_says_one_thing_only():
    world = worlds.make_world("fans_and_news", seed=78, **SMALL)
    twice = pl.concat([world.actions, world.actions.with_columns(trace=pl.lit("same_text"))])
    log = fuse_traces(twice)
    halves = split_objects(log, [MINUTE_US], np.random.default_rng(1))
    posts = [set(halves[side, MINUTE_US].log.post_code.tolist()) for side in (0, 1)]
    assert not posts[0] & posts[1]
    assert len(posts[0] | posts[1]) == len(set(log.post_code.tolist()))
    assert halves[0, MINUTE_US].traces_per_post == 2
    assert find_coordinated_clusters(twice, **OPTIONS).is_empty()


def test_an_account_does_not_co_act_with_itself():
    rows = [("a", "x", k) for k in range(10)] + [("b", "x", 5000), ("c", "y", 0), ("d", "y", 5)]
    half = half_of(actions_of(rows))
    assert half.n_close.sum() == 1
    codes = [half.log.accounts.to_list().index(name) for name in "ab"]
    group = weigh_groups(half, [np.array(codes)], found_on=0)[0]
    assert (group.seen, group.n_pairs) == (0, 10)


def test_weighing_accounts_counts_objects_near_the_known():
    rows = [(who, f"o{n}", 1000 * n + k) for n in range(4) for k, who in enumerate(["k1", "k2", "m"])]
    rows += [(f"out{n}", f"o{n % 4}", 50_000 + 300 * n) for n in range(40)]
    weighed = weigh_accounts(actions_of(rows), known=["k1", "k2"], time_window_s=60)
    by_name = {row["account_id"]: row for row in weighed.rows(named=True)}
    assert (by_name["m"]["n_objects"], by_name["m"]["n_objects_near"], by_name["m"]["is_known"]) == (4, 4, False)
    assert by_name["k1"]["is_known"]
    assert by_name["m"]["fdr"] < 0.01 < by_name["out1"]["fdr"]
    with pytest.raises(ParameterError, match="none of the 1 known accounts"):
        weigh_accounts(actions_of(rows), known=["zoe"], time_window_s=60)


def test_tail_of_a_count():
    assert count_tail(0, 3, 3) == 1
    assert count_tail(5, 3, 3) == pytest.approx(stats.poisson.sf(4, 3))
    share = 3 / 9
    assert count_tail(5, 3, 9) == pytest.approx(stats.nbinom.sf(4, 3 * share / (1 - share), share))


def test_p_values_are_adjusted_as_by_hand():
    assert adjust_p(np.array([0.01, 0.04, 0.03, 0.5])).tolist() == pytest.approx([0.04, 0.16 / 3, 0.16 / 3, 0.5])
    adjusted = adjust_p(np.array([0.5, 0.01, 1.0, 1.0]), among=np.array([True, True, False, False]))
    assert adjusted.tolist() == pytest.approx([0.5, 0.02, 1.0, 1.0])


def test_accounts_that_did_nothing_do_not_make_the_others_surer():
    p = np.ones(3_000)
    p[:40] = 0.2
    acted = np.arange(3_000) < 60
    assert adjust_p(p, among=acted)[:40] == pytest.approx(0.3)
    assert adjust_p(p, among=acted).tolist()[60:] == [1.0] * 2_940


def test_overlapping_groups_are_united_or_taken_apart():
    one, two, three = np.arange(10), np.arange(4, 12), np.arange(9, 14)
    assert [g.tolist() for g in unite_overlapping([two, one])] == [list(range(12))]
    assert [g.tolist() for g in take_apart([three, one])] == [list(range(10)), [10, 11, 12, 13]]
    assert pair_halves([[], []]) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"time_window_s": None}, "time_window_s is None"),
        ({"time_window_s": []}, "time_window_s is empty"),
        ({"n_shuffles": 1}, "n_shuffles is 1"),
        ({"max_fdr": 0}, "max_fdr is 0"),
    ],
)
def test_parameters_are_checked(change, message):
    with pytest.raises(ParameterError, match=message):
        find_coordinated_clusters(actions_of([("a", "x", 0), ("b", "x", 1)]), **OPTIONS | change)


def test_both_kinds_of_groups_come_from_one_test():
    world = worlds.make_world(worlds.PLANTED_ON_CLOCKS[0], seed=71, **SMALL)
    clusters, clocks = judge_groups(world.actions, **OPTIONS)
    assert clusters.equals(find_coordinated_clusters(world.actions, **OPTIONS))
    assert clocks.equals(find_shared_clocks(world.actions, **OPTIONS))
