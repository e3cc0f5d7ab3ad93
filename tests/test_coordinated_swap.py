"""The swap of delays counts what it says: held against each group counted by itself, at the same times."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import worlds

from workbench.coordinated.cells import FILLED_FRAC, Cells
from workbench.coordinated.half import Half, code_traces, fuse_traces
from workbench.coordinated.swap import Views, gather_views, moments_of_swap

MINUTE_US = 60_000_000
SEED = [7, 2, 0]


@pytest.fixture(params=["bursts", "camouflage", "touching", "closed"])
def asked(request) -> tuple[Half, list[np.ndarray]]:
    """Everything as one half, and overlapping groups: the planted ones, halves of them, and accounts at random."""
    world = worlds.make_world(request.param, seed=81, group_sizes=(30, 20), n_organic=300, n_objects=300, n_events=30)
    log = fuse_traces(world.actions)
    rng = np.random.default_rng(81)
    code = {name: number for number, name in enumerate(log.accounts)}
    planted = [
        np.sort([code[name] for name in part["account_id"]])
        for part in world.truth.partition_by("group_id", maintain_order=True)
    ]
    halves = [np.sort(rng.choice(members, len(members) // 2, replace=False)) for members in planted]
    strangers = [np.sort(rng.choice(len(code), n, replace=False)) for n in (3, 20, 100)]
    return Half(log, trace_code=code_traces(log), window_us=MINUTE_US), [*planted, *halves, *strangers]


def test_groups_swapped_together_are_counted_as_each_would_be(asked):
    half, groups = asked
    half.log.account_code[1::50] = half.log.account_code[::50][: len(half.log.account_code[1::50])]
    half = Half(half.log, trace_code=half.trace_code, window_us=MINUTE_US)  # now accounts meet themselves, too
    together = Views(half, groups)
    assert len(together.own.rows)
    times = half.log.time_us.copy()
    times[together.rows] = all_times(together)
    alone = [Cells(half, [members]) for members in groups]
    assert together.count_swapped(SEED).tolist() == [cells.count_close(times[cells.rows]).sum() for cells in alone]


def test_moments_are_of_all_swaps_and_come_in_the_order_of_the_groups(asked):
    half, groups = asked
    seeds = [[7, 2, k] for k in range(5)]
    for (mean, variance), numbers in zip(
        moments_of_swap(half, groups, swap_seeds=seeds), itertools.count(), strict=False
    ):
        family = next(family for family in gather_views(groups) if numbers in family)
        views = Views(half, [groups[k] for k in family])
        seen = [views.count_swapped(seed)[family.index(numbers)] for seed in seeds]
        assert mean == pytest.approx((sum(seen) + 1) / 5)
        assert variance == pytest.approx(half.traces_per_post * max(np.var(seen, ddof=1), mean))


def test_views_of_one_group_are_gathered_and_others_are_not():
    whole, most, half, other = np.arange(20), np.arange(15), np.arange(9), np.arange(15, 30)
    assert gather_views([half, other, most, whole]) == [[3, 2], [1], [0]]


def test_a_swap_keeps_who_acted_on_what_and_when_it_began(asked):
    half, _ = asked
    everybody = Views(half, [np.arange(len(half.log.accounts))])
    times = all_times(everybody)
    code = half.log.object_code[everybody.rows]
    is_first = np.diff(code, prepend=-1) != 0
    assert (times[is_first] == half.log.time_us[half.first[code[is_first]]]).all()
    assert (np.diff(times)[np.diff(code) == 0] >= 0).all()
    assert (times != half.log.time_us[everybody.rows]).any()


def test_no_group_is_its_own_yardstick(asked):
    half, groups = asked
    filled = _filled_by(half, groups[0])
    views = Views(half, groups[:1])
    donor = views.draw_donors(np.random.default_rng(SEED))[np.isin(views.objects, filled)]
    like = half.like_size
    n_others = [(~np.isin(like.order[like.low[o] : like.high[o]], filled)).mean() for o in filled]
    # Eight draws find another object wherever there are some; a group that fills nearly all has itself, rarely.
    assert np.isin(donor, filled).mean() <= np.mean((1 - np.array(n_others)) ** 8) + 0.1
    assert len(filled)


def all_times(views: Views) -> np.ndarray:
    """Return the times of all actions of the views in the swap of SEED, near to each other or not."""
    return views.give_delays(views.draw_donors(np.random.default_rng(SEED)), np.arange(len(views.rows)))


def _filled_by(half: Half, members: np.ndarray) -> np.ndarray:
    """Return the objects a group fills, worked out the slow way."""
    is_member = np.isin(half.log.account_code, members)
    n = np.bincount(half.log.object_code, is_member, len(half.size))
    return np.flatnonzero((n > 1) & (n >= FILLED_FRAC * half.size))
