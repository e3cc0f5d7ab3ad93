"""Who belongs to a confirmed group: each account, weighed on the half the group was not found on.

An account's evidence is on how many objects it acted *near* the group (within the window of a member other than
itself), against how often the outsiders of those same objects did. Objects are counted, not pairs: whoever stumbles
once into a burst of forty meets forty accounts, and that is one coincidence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from workbench.coaction import ActionLog
from workbench.coordinated.candidates import Group
from workbench.coordinated.half import Half, count_members_near

PSEUDO_ROWS = 5.0
MIN_OBJECTS = 2
MIN_EXCESS = 2.0
N_ROUNDS = 4
N_GROWTHS = 6
MAX_GROWTH_TAIL = 0.001


@dataclass(frozen=True)
class Membership:
    """What speaks for each account (one entry per account code) belonging to one group."""

    n_near: np.ndarray
    """objects on which it acted near the group"""
    due: np.ndarray
    """objects on which it would have, acting like an outsider"""
    p: np.ndarray
    """chance of so many objects or more by luck"""
    closeness: np.ndarray
    """share it was near to, of the group's actions on the objects it acted on"""
    is_member: np.ndarray


def weigh_membership(
    groups: Sequence[Group], halves: Mapping[tuple[int, int], Half], *, grouped: np.ndarray, max_fdr: float
) -> Membership:
    """Return what speaks for each account belonging to a group.

    Args:
        groups: the group as found on one half, or as found on each of the two.
        halves: the `Half` per (half, window in microseconds).
        grouped: per account code, whether it is in any confirmed group, and so no outsider.
        max_fdr: share of members that may be there by luck (Benjamini and Hochberg, over all accounts that acted on
            the group's objects).

    Beware: outsiders that react to the group within the window (close readers, copying bots) act near it too.
    """
    inside = grouped.copy()
    for _ in range(N_ROUNDS):  # who counts as an outsider hangs on who belongs
        evidence = np.zeros((5, len(grouped)))
        for group in groups:
            evidence += weigh_nearness(halves[1 - group.found_on, group.window_us], group.members, inside)
        n_near, due, n_acted, n_met, n_present = evidence
        p = tail_of_luck(n_near, due)
        enough = (n_near >= MIN_OBJECTS) & (n_near >= MIN_EXCESS * due)
        is_member = enough & (adjust_p(p, among=n_acted > 0) <= max_fdr)
        if np.array_equal(is_member | grouped, inside):
            break
        inside = is_member | grouped
    return Membership(n_near, due, p, n_met / np.maximum(n_present, 1), is_member)


def grow_group(half: Half, members: np.ndarray, *, grouped: np.ndarray) -> np.ndarray:
    """Return the members and those who act near them on the half they were found on, so that sparse groups are whole.

    Liberal on purpose: who belongs is decided on the other half. Members of other groups are left to those.
    """
    taken, inside = grouped.copy(), grouped.copy()
    taken[members], inside[members] = False, True
    for _ in range(N_GROWTHS):
        n_near, due = weigh_nearness(half, members, inside)[:2]
        is_near = (n_near >= MIN_OBJECTS) & (tail_of_luck(n_near, due) < MAX_GROWTH_TAIL)
        grown = np.union1d(members, np.flatnonzero(is_near & ~taken))
        if len(grown) == len(members):
            break
        members, inside[grown] = grown, True
    return members


def adjust_p(p: np.ndarray, *, among: np.ndarray | None = None) -> np.ndarray:
    """Return the p-values adjusted for many looks: the smallest false discovery rate at which each is kept.

    Args:
        p: p-values.
        among: which of them were looks at all; the others get 1 and do not count. None: all.

    Source: Benjamini and Hochberg 1995.
    """
    looks = np.arange(len(p)) if among is None else np.flatnonzero(among)
    order = looks[np.argsort(p[looks])]
    raw = p[order] * len(looks) / np.arange(1, len(looks) + 1)
    adjusted = np.ones(len(p))
    adjusted[order] = np.minimum.accumulate(np.minimum(raw, 1.0)[::-1])[::-1]
    return adjusted


def tail_of_luck(n: np.ndarray, due: np.ndarray) -> np.ndarray:
    """Return the chance of n or more where `due` are expected (Poisson)."""
    return np.where(n > 0, stats.poisson.sf(n - 1, np.maximum(due, 1e-9)), 1.0)


def weigh_nearness(half: Half, members: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Return five rows per account: objects near the members, due, acted on; members' actions met, present."""
    of_group = np.zeros(len(inside), bool)
    of_group[members] = True
    n_objects = len(half.log.objects)
    n_members = np.bincount(half.log.object_code, of_group[half.log.account_code], n_objects)
    log = half.log.keep(n_members[half.log.object_code] > 0)
    o, a = log.object_code, log.account_code
    n_met = count_members_near(log, of_group[a], half.window_us)
    n_present = n_members[o] - of_group[a]
    chance = np.where(n_present > 0, _outsiders_chance(half, log, n_met > 0, ~inside[a], n_members), 0.0)
    key, code = np.unique(a * n_objects + o, return_inverse=True)
    is_near = np.bincount(code, n_met, len(key)) > 0
    is_due = 1 - np.exp(np.bincount(code, np.log1p(-chance), len(key)))
    near_posts = np.unique(a[n_met > 0] * len(log.posts) + log.post_code[n_met > 0]) // len(log.posts)
    per_object = [np.bincount(key // n_objects, x, len(inside)) for x in (is_near, is_due, np.ones(len(key)))]
    per_action = [np.bincount(a, x, len(inside)) for x in (n_met, n_present)]
    # One post near the group is one coincidence, in however many traces.
    per_object[0] = np.minimum(per_object[0], np.bincount(near_posts, minlength=len(inside)))
    return np.array(per_object + per_action)


def _outsiders_chance(
    half: Half, log: ActionLog, is_near: np.ndarray, is_outside: np.ndarray, n_members: np.ndarray
) -> np.ndarray:
    """Return, per action, how likely an outsider's action on its object is near the group.

    An outsider's own action does not count for itself. Objects with few outsiders lean on all the group's objects;
    and where the group has no outsiders at all, on the usual pace of objects of like size.
    """
    o, n_objects = log.object_code, len(n_members)
    n_rows, n_near = np.bincount(o, is_outside, n_objects), np.bincount(o, is_outside & is_near, n_objects)
    usual = 1 - (1 - np.clip(half.usual_rate, 0, 1)) ** n_members
    usual = usual[n_members > 0].mean() if len(log) else 0.0
    overall = (n_near.sum() + PSEUDO_ROWS * usual) / (n_rows.sum() + PSEUDO_ROWS)
    chance = (n_near[o] - (is_outside & is_near) + PSEUDO_ROWS * overall) / (n_rows[o] - is_outside + PSEUDO_ROWS)
    return np.clip(chance, 0, 1 - 1e-9)
