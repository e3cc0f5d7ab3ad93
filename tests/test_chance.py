from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
import worlds
from scipy import stats

from workbench.chance import (
    check_window,
    co_action_rates,
    judge_edges,
    poisson_score,
    score_edges,
)
from workbench.coaction import count_co_actions, count_pairs, pack_actions
from workbench.content_order import order_by_content
from workbench.rhythm import Rhythm
from workbench.schema import ParameterError
from workbench.shuffle import Shuffle

START = datetime(2031, 1, 1, tzinfo=UTC)


def actions_of(rows: list[tuple[str, str, float]], trace: str = "url") -> pl.DataFrame:
    """Rows are (account, object, second)."""
    return pl.DataFrame(
        {
            "account_id": [row[0] for row in rows],
            "post_id": [f"{trace}{n}" for n in range(len(rows))],
            "trace": [trace] * len(rows),
            "object_id": [row[1] for row in rows],
            "acted_at": [START + timedelta(seconds=row[2]) for row in rows],
        },
        schema_overrides={"acted_at": pl.Datetime("us", "UTC")},
    )


# a and b act at once on x, c comes later; b and c at once on y; d and e are alone together on z.
SMALL = actions_of(
    [("a", "x", 0), ("b", "x", 10), ("c", "x", 1000), ("b", "y", 0), ("c", "y", 30), ("d", "z", 0), ("e", "z", 5)]
)


def score(actions: pl.DataFrame, *, n_shuffles: int = 5, seed: int = 1) -> pl.DataFrame:
    edges = count_co_actions(actions, time_window_s=60)
    return score_edges(edges, actions, time_window_s=60, n_shuffles=n_shuffles, seed=seed)


def test_expectation_is_the_share_of_close_pairs_summed_over_common_objects():
    scored = score(SMALL)
    # On x one of three pairs is close; y and z have a single pair each, which is close.
    assert scored.select("account_a", "account_b", "n_co_actions").rows() == [
        ("a", "b", 1),
        ("b", "c", 1),
        ("d", "e", 1),
    ]
    assert scored["expected_n"].to_list() == pytest.approx([1 / 3, 1 / 3 + 1, 1])
    assert scored["score"].to_list() == pytest.approx([-np.log(1 - np.exp(-x)) for x in (1 / 3, 4 / 3, 1)])


def test_expectation_is_the_mean_of_the_shuffles():
    world = worlds.make_world("fans", seed=3, n_organic=60, n_objects=40)
    log = pack_actions(world.actions)
    window_us = 60_000_000
    rng, total, shuffle = np.random.default_rng(1), 0, Shuffle(log)
    scored = score(world.actions)
    pairs = {(a, b): e for a, b, e in scored.select("account_a", "account_b", "expected_n").rows()}
    names = log.accounts.to_list()
    for _ in range(200):
        a, b, n = count_pairs(shuffle.deal(rng), window_us=window_us)
        total += sum(int(k) for x, y, k in zip(a, b, n, strict=True) if (names[x], names[y]) in pairs)
    expected = 200 * sum(pairs.values())
    assert total == pytest.approx(expected, rel=0.03)


def test_rates_are_zero_where_an_object_has_no_pair():
    log = pack_actions(actions_of([("a", "x", 0), ("b", "x", 10), ("c", "x", 1000), ("a", "lone", 0)]))
    assert dict(zip(log.objects, co_action_rates(log, window_us=60_000_000), strict=True)) == {"lone": 0, "x": 1 / 3}


@pytest.mark.parametrize(("n", "expected"), [(1, 0.2), (4, 2.5), (30, 2.0), (400, 1.5)])
def test_score_is_the_poisson_tail_also_where_it_underflows(n, expected):
    exact = -stats.poisson.logsf(n - 1, expected) if n < 100 else None
    value = float(poisson_score(np.array([n]), np.array([expected]))[0])
    if exact is not None and np.isfinite(exact):
        assert value == pytest.approx(float(exact), rel=1e-6)
    leading = -(n * np.log(expected) - expected - np.cumsum(np.log(np.arange(1, n + 1)))[-1])
    assert value <= leading + 1e-9
    assert value == pytest.approx(leading, rel=0.01 if n > 100 else 1)


def test_fdr_never_rises_with_the_score_and_ties_share_one_value():
    scored = score(worlds.make_world("bursts", seed=5, n_organic=300, n_objects=300, group_sizes=(10,)).actions)
    ordered = scored.sort("score")
    assert (ordered["fdr"].diff().drop_nulls() <= 1e-12).all()
    assert ordered.group_by("score").agg(pl.col("fdr").n_unique())["fdr"].max() == 1
    assert ordered["fdr"].is_between(0, 1).all()


def test_same_seed_same_numbers_whatever_the_order_of_rows():
    world = worlds.make_world("rotating", seed=5, n_organic=200, n_objects=200, group_sizes=(10,))
    edges = count_co_actions(world.actions, time_window_s=60)
    options = {"time_window_s": 60, "n_shuffles": 4, "seed": 9}
    first = score_edges(edges, world.actions, **options)
    again = score_edges(edges.reverse(), world.actions.sample(fraction=1, shuffle=True, seed=1), **options)
    keys = ["trace", "account_a", "account_b"]
    assert first.sort(keys).equals(again.sort(keys))
    assert not first["fdr"].equals(score_edges(edges, world.actions, **options | {"seed": 10})["fdr"])


def test_names_of_objects_and_accounts_change_no_number():
    world = worlds.make_world("rotating", seed=6, n_organic=200, n_objects=200, group_sizes=(10,))
    options = {"time_window_s": 60, "n_shuffles": 4, "seed": 9}
    names = [pl.format("{}{}", (pl.col(c).str.extract(r"(\d+)").cast(pl.Int64) * 7 + 3) % 1_000_003, pl.lit(c)) for c in
             ("account_id", "object_id")]  # fmt: skip
    renamed = world.actions.with_columns(names[0].alias("account_id"), names[1].alias("object_id"))
    first, again = (
        judge_edges(count_co_actions(actions, time_window_s=60), actions, **options)
        for actions in (world.actions, renamed)
    )
    numbers = ["n_co_actions", "expected_n", "score", "fdr"]
    assert first[0].select(numbers).sort(numbers).equals(again[0].select(numbers).sort(numbers))
    assert first[1].equals(again[1])


def test_the_shuffles_of_the_scores_also_count_pairs_by_weight():
    world = worlds.make_world("rotating", seed=6, n_organic=100, n_objects=100, group_sizes=(10,))
    edges = count_co_actions(world.actions, time_window_s=60)
    scored, by_chance = judge_edges(edges, world.actions, time_window_s=60, n_shuffles=3, seed=2)
    assert scored.equals(score_edges(edges, world.actions, time_window_s=60, n_shuffles=3, seed=2))
    log = order_by_content(pack_actions(world.actions))
    shuffle = Shuffle(log, Rhythm(log))
    worlds_of_luck = [shuffle.deal(np.random.default_rng([2, *b"repost", k])) for k in range(3)]
    counts = [count_pairs(dealt, window_us=60_000_000)[2] for dealt in worlds_of_luck]
    n, n_edges = np.unique(np.concatenate(counts), return_counts=True)
    assert by_chance.rows() == list(zip(n.tolist(), (n_edges / 3).tolist(), strict=True))


def test_traces_are_scored_apart():
    both = pl.concat([SMALL, SMALL.with_columns(trace=pl.lit("repost"))])
    scored = score(both)
    alone = score(SMALL)
    assert scored.filter(trace="url").select("account_a", "expected_n").equals(alone.select("account_a", "expected_n"))


def test_no_edges_give_no_scores():
    assert score(actions_of([("a", "x", 0), ("b", "x", 9999)])).is_empty()


def test_estimated_error_is_the_true_one():
    """The refutable claim: on worlds with planted truth the fdr says how many edges are false."""
    differences = []
    for regime in ("bursts", "rotating", "drip", "camouflage", "fans"):
        world = worlds.make_world(regime, seed=61, n_organic=1500, n_objects=1500)
        scored = score(world.actions, n_shuffles=8).sort("score", descending=True)
        planted = world.truth["account_id"].implode()
        is_true = scored.select(pl.col("account_a").is_in(planted) & pl.col("account_b").is_in(planted)).to_series()
        true_fdr = 1 - is_true.cast(pl.Float64).cum_sum() / pl.Series(range(1, scored.height + 1))
        differences += [scored["fdr"][n - 1] - true_fdr[n - 1] for n in (200, 500, 1000, 2000, 5000)]
    assert abs(float(np.mean(differences))) < 0.03
    assert max(abs(d) for d in differences) < 0.2


def true_fdr_at(scored: pl.DataFrame, world: worlds.World, *, line: float) -> tuple[float, float]:
    """The share of false edges among those kept at the line, and the share of true ones kept."""
    planted = world.truth["account_id"].implode()
    is_true = pl.col("account_a").is_in(planted) & pl.col("account_b").is_in(planted)
    judged = scored.select(is_true=is_true, is_kept=pl.col("fdr") <= line)
    kept = judged.filter("is_kept")["is_true"]
    return 1 - (kept.mean() or 0.0), kept.sum() / judged["is_true"].sum()


def test_strangers_awake_together_are_no_more_than_chance():
    """The refutable claim: where all others keep days, the plain shuffle flatters, and this one does not."""
    options = {"time_window_s": 60, "n_shuffles": 5, "seed": 1}
    world = worlds.make_world("among_sleepers", seed=63, n_organic=1500, n_objects=1500)
    edges = count_co_actions(world.actions, time_window_s=60)
    plain = true_fdr_at(score_edges(edges, world.actions, **options, keeps_hours=False), world, line=0.05)
    ours = true_fdr_at(score_edges(edges, world.actions, **options), world, line=0.05)
    assert plain[0] > 0.07
    assert ours[0] <= 0.05
    assert ours[1] >= 0.95
    nobody = worlds.make_world("by_day", seed=63, n_organic=1500, n_objects=1500).actions
    edges = count_co_actions(nobody, time_window_s=60)
    assert score_edges(edges, nobody, **options, keeps_hours=False)["fdr"].min() < 0.5
    assert score_edges(edges, nobody, **options)["fdr"].min() > 0.8


def test_where_nobody_keeps_hours_nothing_changes():
    world = worlds.make_world("organic", seed=64, n_organic=600, n_objects=600)
    edges = count_co_actions(world.actions, time_window_s=60)
    assert Rhythm(order_by_content(pack_actions(world.actions))).is_flat
    options = {"time_window_s": 60, "n_shuffles": 3, "seed": 1}
    assert score_edges(edges, world.actions, **options).equals(
        score_edges(edges, world.actions, **options, keeps_hours=False)
    )


def test_nothing_is_kept_where_nothing_is_planted():
    for regime in ("fans_and_news", "time_zones"):
        scored = score(worlds.make_world(regime, seed=62, n_organic=1500, n_objects=1500).actions)
        assert (scored["fdr"] <= 0.05).sum() == 0


def test_score_edges_says_what_is_wrong():
    edges = count_co_actions(SMALL, time_window_s=60)
    with pytest.raises(ParameterError, match="n_shuffles is 0"):
        score_edges(edges, SMALL, time_window_s=60, n_shuffles=0, seed=1)
    with pytest.raises(ParameterError, match="rows of traces that actions lacks"):
        score_edges(edges.with_columns(trace=pl.lit("reply")), SMALL, time_window_s=60, n_shuffles=1, seed=1)
    stranger = edges.with_columns(account_b=pl.lit("zoe"))
    with pytest.raises(ParameterError, match="has no action in trace"):
        score_edges(stranger, SMALL, time_window_s=60, n_shuffles=1, seed=1)


@pytest.mark.parametrize("window", [None, -1])
def test_chance_needs_a_window(window):
    with pytest.raises(ParameterError, match="expected seconds from 0"):
        check_window(window)
