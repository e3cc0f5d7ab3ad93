"""actions -> clusters beyond chance.

1. *Find.* Candidates of any size on one half of the objects, liberally (`candidates.py`).
2. *Confirm.* Each is weighed on the other half, which it never saw, against its own outsiders and two shuffles. Then
   the halves change roles. All candidates of all windows, resolutions and both halves pay together for the many looks
   (`confirm.py`). Views of one group become one (`grouping.py`).
3. *Excuse.* Groups that a shared clock explains are set apart (`clock.py`).
4. *Belong.* Each account is weighed for acting near a confirmed group, on the half that group was not found on
   (`membership.py`): nobody is a member because of the luck that made the group.

Several traces are one log here, an object being (trace, object), so accounts that act together in any of them are
found once. A post with actions in several traces falls into one half only. Nothing hangs on names (`content_order`):
another key of the pseudonyms gives the same groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import numpy as np
import polars as pl

from workbench.chance import check_window
from workbench.coaction import ActionLog
from workbench.coordinated.candidates import Group, add_clock, add_swaps, weigh_groups
from workbench.coordinated.confirm import Confirmed, Halves, Trial, split_objects
from workbench.coordinated.describe import SHARED_CLOCK, empty_groups, keep_grades, make_table
from workbench.coordinated.grouping import (
    ALIKE_FRAC,
    choose_disjoint,
    count_shared,
    join_fragments,
    pair_halves,
    take_apart,
    unite_overlapping,
)
from workbench.coordinated.half import fuse_traces
from workbench.coordinated.membership import grow_group, weigh_membership
from workbench.pairs import N_THREADS
from workbench.schema import ParameterError


def find_coordinated_clusters(
    actions: pl.DataFrame,
    *,
    time_window_s: float | Sequence[float],
    n_shuffles: int,
    max_fdr: float,
    seed: int,
) -> pl.DataFrame:
    """Find the groups of accounts that act together beyond what shared interest and the usual pace explain.

    Args:
        actions: table `actions`, of one trace or several. Load a control dataset beside a takedown where you can: the
            outsiders are the yardstick.
        time_window_s: seconds, inclusive; one window or several (say 10, 60), the many looks paid for.
        n_shuffles: swaps of delays per half and window, at least 2 (20 is usual).
        max_fdr: share of clusters, and of members in each, that may be there by luck (0 < max_fdr < 1).
        seed: of the split, Leiden and the swaps; the order of the rows changes nothing.

    Returns:
        Table `clusters` (one row per clustered account; empty where nothing is beyond chance). strength is the
        account's co-actions with its cluster. Further columns, repeated per cluster: grade ("beyond shared interest"
        or "closed group"), ratio (acted together that many times as often as outsiders did on the same objects), z
        (standard deviations above the nearer null), p_within, p_swap, outsiders_frac, n_co_actions and expected_n
        (co-actions of the group, and due at the outsiders' rate, both on halves that had no part in finding it),
        time_window_s, clock_s (period of the shared clock that explains most of it, null where none matters),
        clock_ratio (acted together that many times as often as by keeping that clock alone) and at_start_frac (share
        of the objects it met on where it met within the window of the object's first action). Per account:
        n_objects_near (objects on which it acted within the window of another member), expected_objects (by luck) and
        p_member, again on those halves. `list_clusters` gives a row per cluster.

    Raises:
        ParameterError: a window, number of shuffles or max_fdr out of range.
        SchemaError: `actions` is not a table of actions.

    Source: split-sample inference (Cox 1975) on communities found by Leiden with CPM (Traag et al. 2011, 2019).
        Differs from a percentile cut of a similarity network (Pacheco et al. 2021; CooRTweet): the error is stated.
    Beware: groups that a shared clock explains (posts on the full hour, polling of one feed, being awake at the same
        hours) are left out; `find_shared_clocks` lists them. Alerts are no clock: strangers who follow one source and
        answer its alerts within the window are found here. They meet when things are new, so a low at_start_frac rules
        them out; a high one does not show them, for a group that puts things up itself is early too. A newsroom's
        sister pages and a fan club earn both grades. Coordination is not inauthenticity. A group active on a handful
        of objects cannot be confirmed: one half is not enough.
    """
    return judge_groups(actions, time_window_s=time_window_s, n_shuffles=n_shuffles, max_fdr=max_fdr, seed=seed)[0]


def find_shared_clocks(
    actions: pl.DataFrame,
    *,
    time_window_s: float | Sequence[float],
    n_shuffles: int,
    max_fdr: float,
    seed: int,
) -> pl.DataFrame:
    """Find the groups that pass the test of `find_coordinated_clusters`, but that a shared clock explains.

    They are no finding of coordination: schedulers, pollers of a feed and people who are awake at the same hours meet
    without meaning to. They are listed so that nobody has to guess why they are missing.

    Args:
        actions: as for `find_coordinated_clusters`, and so are the rest.
        time_window_s: seconds, inclusive; one window or several.
        n_shuffles: at least 2.
        max_fdr: 0 < max_fdr < 1.
        seed: of the split, Leiden and the swaps.

    Returns:
        The same columns; grade is "shared clock" throughout, clock_s the period of the clock.

    Raises:
        ParameterError: a window, number of shuffles or max_fdr out of range.

    Beware: a group that really works by a clock, on new things of its own, ends here too.
    """
    return judge_groups(actions, time_window_s=time_window_s, n_shuffles=n_shuffles, max_fdr=max_fdr, seed=seed)[1]


def judge_groups(
    actions: pl.DataFrame,
    *,
    time_window_s: float | Sequence[float],
    n_shuffles: int,
    max_fdr: float,
    seed: int,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return what `find_coordinated_clusters` and `find_shared_clocks` find, from one test: each costs as much alone.

    Args:
        actions: as for `find_coordinated_clusters`, and so are the rest.
        time_window_s: seconds, inclusive; one window or several.
        n_shuffles: at least 2.
        max_fdr: 0 < max_fdr < 1.
        seed: of the split, Leiden and the swaps.

    Returns:
        The clusters, and the groups that a shared clock explains: two tables of the same columns.

    Raises:
        ParameterError: a window, number of shuffles or max_fdr out of range.
    """
    groups = find_groups(actions, time_window_s=time_window_s, n_shuffles=n_shuffles, max_fdrs=[max_fdr], seed=seed)[0]
    by_clock = pl.col("grade") == SHARED_CLOCK
    return keep_grades(groups, ~by_clock), keep_grades(groups, by_clock)


def find_groups(
    actions: pl.DataFrame,
    *,
    time_window_s: float | Sequence[float],
    n_shuffles: int,
    max_fdrs: Sequence[float],
    seed: int,
) -> list[pl.DataFrame]:
    """Return, per line, the groups of all three grades; candidates are found and weighed once for all lines."""
    log = fuse_traces(actions)
    return find_groups_in(log, time_window_s=time_window_s, n_shuffles=n_shuffles, max_fdrs=max_fdrs, seed=seed)


def find_groups_in(
    log: ActionLog,
    *,
    time_window_s: float | Sequence[float],
    n_shuffles: int,
    max_fdrs: Sequence[float],
    seed: int,
) -> list[pl.DataFrame]:
    """Return the same of a log that `fuse_traces` made."""
    windows_us = _check_parameters(time_window_s, n_shuffles, max_fdrs)
    if not len(log):
        return [empty_groups() for _ in max_fdrs]
    halves = split_objects(log, windows_us, np.random.default_rng([seed, 1]))
    trial = Trial(halves, swap_seeds=[[seed, 2, k] for k in range(n_shuffles)], seed=seed)
    tables = []
    for max_fdr in max_fdrs:
        confirmed = trial.confirm(max_fdr=max_fdr)
        with ThreadPoolExecutor(N_THREADS) as pool:
            settle = partial(_settle_side, confirmed, swap_seeds=trial.swap_seeds)
            both = list(pool.map(settle, (0, 1)))
        apart = _excuse([side[0] for side in both], [side[1] for side in both])
        grouped = _mask([group.members for sides in apart for side in sides for group in side], len(log.accounts))
        found = []
        for sides in apart:
            pairs = pair_halves(sides)
            found.append(
                (pairs, [weigh_membership(p, confirmed.halves, grouped=grouped, max_fdr=max_fdr) for p in pairs])
            )
        tables.append(make_table(log, *found, largest_p=confirmed.largest_p))
    return tables


def _check_parameters(time_window_s: float | Sequence[float], n_shuffles: int, max_fdrs: Sequence[float]) -> list[int]:
    windows = time_window_s if isinstance(time_window_s, Sequence) else [time_window_s]
    if not windows:
        raise ParameterError("time_window_s is empty; expected seconds, one window or several.")
    if n_shuffles < 2:
        raise ParameterError(f"n_shuffles is {n_shuffles}; expected 2 or more (20 is usual).")
    for max_fdr in max_fdrs:
        if not 0 < max_fdr < 1:
            raise ParameterError(f"max_fdr is {max_fdr}; expected a share between 0 and 1, such as 0.05.")
    return sorted({check_window(window) for window in windows})


def _settle_side(
    confirmed: Confirmed, side: int, *, swap_seeds: Sequence[Sequence[int]]
) -> tuple[list[Group], list[Group]]:
    """Return one view of each group found on this side: those that no clock explains, and those that one does.

    Views of one window are chosen first, so that a lucky part of a group on a clock goes with it.
    """
    views = [group for group in confirmed.groups if group.found_on == side]
    chosen = [
        _with_clock(group, confirmed)
        for window_us in sorted({group.window_us for group in views})
        for group in choose_disjoint([group for group in views if group.window_us == window_us])
    ]
    on_clock = choose_disjoint([group for group in chosen if group.clock.explains])
    others = choose_disjoint([group for group in chosen if not group.clock.explains])
    settled = [_with_clock(group, confirmed) for group in _settle(others, confirmed, swap_seeds=swap_seeds)]
    found_late = [group for group in settled if group.clock.explains]
    on_clock = _settle([*on_clock, *found_late], confirmed, swap_seeds=swap_seeds)
    return [group for group in settled if not group.clock.explains], [_with_clock(g, confirmed) for g in on_clock]


def _with_clock(group: Group, confirmed: Confirmed) -> Group:
    half, other = (confirmed.halves[side, group.window_us] for side in (1 - group.found_on, group.found_on))
    about = ("clock", group.found_on, group.window_us, group.members.tobytes())
    known = confirmed.recall(about, lambda: add_clock(half, other, group))  # the swap may be another by now
    return replace(group, clock=known.clock, at_start_frac=known.at_start_frac)


def _excuse(sides: list[list[Group]], on_clock: list[list[Group]]) -> tuple[list[list[Group]], list[list[Group]]]:
    """Set apart as well the groups that are, as found on the other half, explained by a clock."""
    is_excused = [
        [any(_is_alike(group, other) for other in on_clock[1 - side]) for group in groups]
        for side, groups in enumerate(sides)
    ]
    kept = [[g for g, out in zip(*pair, strict=True) if not out] for pair in zip(sides, is_excused, strict=True)]
    moved = [[g for g, out in zip(*pair, strict=True) if out] for pair in zip(sides, is_excused, strict=True)]
    return kept, [[*first, *more] for first, more in zip(on_clock, moved, strict=True)]


def _is_alike(group: Group, other: Group) -> bool:
    return count_shared(group, other) >= ALIKE_FRAC * max(len(group.members), len(other.members))


def _settle(chosen: list[Group], confirmed: Confirmed, *, swap_seeds: Sequence[Sequence[int]]) -> list[Group]:
    """Make one view of each group chosen on one half whole: join fragments, complete, weigh again.

    A group whose completed form does not pass is kept as it was confirmed.
    """
    settled: list[Group] = []
    for window_us in sorted({group.window_us for group in chosen}):
        views = [group for group in chosen if group.window_us == window_us]
        whole, before = confirmed.recall(
            ("whole", views[0].found_on, window_us, *(group.members.tobytes() for group in views)),
            partial(_complete, views, confirmed.halves, swap_seeds=swap_seeds),
        )
        whole = [group for group in whole if confirmed.passes(group)]
        settled += whole
        settled += [b for b in before if confirmed.passes(b) and not any(count_shared(b, w) for w in whole)]
    return settled


def _complete(
    views: list[Group], halves: Halves, *, swap_seeds: Sequence[Sequence[int]]
) -> tuple[list[Group], list[Group]]:
    """Return the groups whole, and as they were found; both weighed again, fragments joined."""
    side, window_us = views[0].found_on, views[0].window_us
    own, other = halves[side, window_us], halves[1 - side, window_us]
    found = take_apart(join_fragments(other, [group.members for group in views]))
    grouped = _mask(found, len(own.log.accounts))
    grown = unite_overlapping([grow_group(own, members, grouped=grouped) for members in found])
    grouped = _mask([*found, *grown], len(own.log.accounts))
    whole, before = (
        add_swaps(other, weigh_groups(other, groups, found_on=side, grouped=grouped), swap_seeds=swap_seeds)
        for groups in (grown, found)
    )
    return whole, before


def _mask(groups: Sequence[np.ndarray], n_accounts: int) -> np.ndarray:
    is_in = np.zeros(n_accounts, bool)
    is_in[np.concatenate([np.empty(0, np.int64), *groups])] = True
    return is_in
