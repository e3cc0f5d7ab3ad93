"""From many overlapping views of the same groups to one: choose, join, complete, and pair what both halves found.

Every choice here asks the half on which the groups were not found, so a fragment that luck made dense does not pass
for a group of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from workbench.coaction import iterate_pairs
from workbench.coordinated.candidates import Group
from workbench.coordinated.half import Half

ALIKE_FRAC = 0.5
SAME_GROUP_FRAC = 0.3
MIN_OBJECTS_ACROSS = 4
MIN_ACROSS_FRAC = 0.2


def choose_disjoint(groups: Sequence[Group]) -> list[Group]:
    """Return one view of each group found on one half.

    From small to large: a larger group takes the place of the smaller ones it covers only if the pairs it adds act
    together about as readily as theirs. So two groups that share objects, or a few accounts, stay two, and parts of
    one group become one. Views from different windows are compared by the likelihood they gain.
    """
    chosen: list[Group] = []
    for group in sorted(groups, key=lambda g: (len(g.members), -g.gain, g.members.tobytes())):
        covered = [g for g in chosen if count_shared(g, group) > len(g.members) / 2]
        if all(g.window_us == group.window_us for g in covered):
            is_better = not covered or _adds_alike(group, covered)
        else:
            is_better = group.gain > sum(g.gain for g in covered)
        if is_better:
            chosen = [g for g in chosen if not any(g is c for c in covered)] + [group]
    return chosen


def join_fragments(half: Half, groups: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Join groups whose members act together across as readily as within: fragments of one large, sparse group.

    Readily is not enough: two groups that met on one object met readily there. Parts of one group also meet on several
    objects, and as often as their members' activity lets one expect; a fifth of that is asked for.

    Args:
        half: the half the groups were not found on, at their window.
        groups: arrays of account codes.

    Source: what is expected is the null model of modularity, Newman and Girvan 2004.
    """
    members = [np.asarray(group) for group in groups]
    seen, pairs, n_objects = _count_across(half, members)
    while len(members) > 1:
        rate = np.divide(seen, pairs, out=np.zeros_like(seen), where=pairs > 0)
        own = np.sqrt(np.outer(np.diag(rate), np.diag(rate)))
        often = (n_objects >= MIN_OBJECTS_ACROSS) & (seen >= MIN_ACROSS_FRAC * _due_across(seen))
        alike = np.divide(rate, own, out=np.zeros_like(rate), where=(own > 0) & often)
        np.fill_diagonal(alike, 0)
        first, second = divmod(int(np.argmax(alike)), len(members))
        if alike[first, second] < ALIKE_FRAC:
            break
        seen, pairs, n_objects = (_add_up(counts, first, second) for counts in (seen, pairs, n_objects))
        members[first] = np.union1d(members[first], members[second])
        del members[second]
    return members


def unite_overlapping(groups: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return the groups with those united that share more than half of the smaller one, and no account left in two."""
    united: list[np.ndarray] = []
    for members in sorted(groups, key=lambda g: (-len(g), g.tobytes())):
        for number, other in enumerate(united):
            if len(np.intersect1d(members, other)) > len(members) / 2:
                united[number] = np.union1d(members, other)
                break
        else:
            united.append(members)
    return take_apart(united)


def take_apart(groups: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return the groups, largest first, each without the accounts of those before it; emptied ones are left out."""
    taken = np.empty(0, np.int64)
    apart = []
    for members in sorted(groups, key=lambda g: (-len(g), g.tobytes())):
        left = np.setdiff1d(members, taken)
        taken = np.union1d(taken, members)
        if len(left):
            apart.append(left)
    return apart


def pair_halves(sides: Sequence[Sequence[Group]]) -> list[list[Group]]:
    """Pair the groups found on either half where they are the same; a group may also be found on one half only."""
    overlaps = []
    for i, first in enumerate(sides[0]):
        for j, second in enumerate(sides[1]):
            shared = count_shared(first, second)
            if shared >= SAME_GROUP_FRAC * min(len(first.members), len(second.members)):
                overlaps.append((-shared / (len(first.members) + len(second.members) - shared), i, j))
    pairs: list[list[Group]] = []
    used: tuple[set[int], set[int]] = (set(), set())
    for _, i, j in sorted(overlaps):
        if i not in used[0] and j not in used[1]:
            used[0].add(i)
            used[1].add(j)
            pairs.append([sides[0][i], sides[1][j]])
    for side in (0, 1):
        for number, group in enumerate(sides[side]):
            is_inside = any(count_shared(group, g) > len(group.members) / 2 for pair in pairs for g in pair)
            if number not in used[side] and not is_inside:
                pairs.append([group])
    return pairs


def count_shared(first: Group, second: Group) -> int:
    """Return how many members two groups share."""
    return len(np.intersect1d(first.members, second.members, assume_unique=True))


def _adds_alike(group: Group, covered: Sequence[Group]) -> bool:
    seen, n_pairs = sum(g.seen for g in covered), sum(g.n_pairs for g in covered)
    added, added_seen = group.n_pairs - n_pairs, group.seen - seen
    # Co-actions across parts of one group: all but those that fall within a part, each part taking its share of ends.
    across = group.seen * (1 - sum((g.seen / max(seen, 1)) ** 2 for g in covered))
    is_tied = len(covered) < 2 or added_seen >= MIN_ACROSS_FRAC * across
    return is_tied and added > 0 and added_seen / added >= ALIKE_FRAC * seen / max(n_pairs, 1)


def _due_across(seen: np.ndarray) -> np.ndarray:
    """Return, per two groups, the co-actions due across if they were one group and each end fell on any member."""
    inside = 2 * np.diag(seen)
    first, second = inside[:, None] + seen, inside[None, :] + seen
    return first * second / np.maximum(first + second, 1)


def _count_across(half: Half, groups: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return group-by-group co-actions, pairs of actions on one object, and objects with a co-action across.

    Co-actions and pairs within a group are on the diagonal.
    """
    log, k = half.log, len(groups)
    group = np.full(len(log.accounts), -1)
    for number, members in enumerate(groups):
        group[members] = number
    part = log.keep(group[log.account_code] >= 0)
    mine = group[part.account_code]
    seen, met = np.zeros(k * k), np.empty(0, np.int64)
    for i, j in iterate_pairs(part, window_us=half.window_us):
        both = np.minimum(mine[i], mine[j]) * k + np.maximum(mine[i], mine[j])
        seen += np.bincount(both, minlength=k * k)
        met = np.union1d(met, part.object_code[i] * (k * k) + both)
    upper, objects = (x.reshape(k, k) for x in (seen, np.bincount(met % (k * k), minlength=k * k)))
    present = sparse.csr_matrix((np.ones(len(part)), (mine, part.object_code)), shape=(k, len(log.objects)))
    pairs = (present @ present.T).toarray()
    np.fill_diagonal(pairs, (np.diag(pairs) - np.asarray(present.sum(axis=1)).ravel()) / 2)
    return upper + np.triu(upper, 1).T, pairs, objects + np.triu(objects, 1).T


def _add_up(counts: np.ndarray, first: int, second: int) -> np.ndarray:
    within = counts[first, first] + counts[second, second] + counts[first, second]
    counts = counts.copy()
    counts[first] += counts[second]
    counts[:, first] = counts[first]
    counts[first, first] = within
    return np.delete(np.delete(counts, second, axis=0), second, axis=1)
