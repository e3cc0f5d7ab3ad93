"""The swap of delays: what would groups do if each object had gone at the pace of another of like size?

Many candidates are views of one group. They are swapped together: the rows of everybody in any of them get new times,
and who then meets whom is counted, once. Objects whose new pace lets no two actions meet are not even looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from workbench.action_log import ActionLog, find_shared
from workbench.coordinated.cells import FILLED_FRAC
from workbench.coordinated.half import Half, OwnPairs
from workbench.pairs import N_THREADS, count_partners

VIEW_JACCARD = 0.5
N_TRIES = 8


def moments_of_swap(
    half: Half, groups: Sequence[np.ndarray], *, swap_seeds: Sequence[Sequence[int]]
) -> list[tuple[float, float]]:
    """Return mean and variance per group of its co-actions when each object gets the delays of another.

    Args:
        half: the half they are asked about on.
        groups: arrays of account codes, sorted; they may overlap.
        swap_seeds: one seed per swap, two or more.
    """
    moments: dict[int, tuple[float, float]] = {}
    with ThreadPoolExecutor(N_THREADS) as pool:
        for numbers in gather_views(groups):
            views = Views(half, [groups[number] for number in numbers])
            seen = np.array(list(pool.map(views.count_swapped, swap_seeds)))
            mean = (seen.sum(axis=0) + 1) / len(seen)  # one more, so that luck never shows as certainty
            variance = half.traces_per_post * np.maximum(seen.var(axis=0, ddof=1), mean)
            moments.update(zip(numbers, zip(mean.tolist(), variance.tolist(), strict=True), strict=True))
    return [moments[number] for number in range(len(groups))]


def gather_views(groups: Sequence[np.ndarray]) -> list[list[int]]:
    """Return the numbers of the groups, views of one group together: half of all accounts in two of them are in both.

    The largest of them is what the others are compared with.
    """
    gathered: list[list[int]] = []
    for number in sorted(range(len(groups)), key=lambda k: (-len(groups[k]), groups[k].tobytes())):
        members = groups[number]
        for numbers in gathered:
            largest = groups[numbers[0]]
            n_both = len(np.intersect1d(largest, members, assume_unique=True))
            if n_both >= VIEW_JACCARD * (len(largest) + len(members) - n_both):
                numbers.append(number)
                break
        else:
            gathered.append([number])
    return gathered


class Views:
    """Views of one group: everybody in any of them, on the objects that two or more of their actions are on.

    Per action: `rows`, its number in the log of the half, `rank`, how many actions came before it on its object,
    and `place`, the number of its object among `objects`. `is_in`: per view, whether each action is its members'.
    `own`: the actions of accounts that have another on the object. `is_filled`: per object code, whether a view fills
    it (a third of the actions or more are its members', and at least two).
    """

    def __init__(self, half: Half, views: Sequence[np.ndarray]):
        """Take views as arrays of account codes."""
        log = half.log
        is_any = np.zeros(len(log.accounts), bool)
        is_any[np.concatenate(views)] = True
        rows = np.flatnonzero(is_any[log.account_code])
        self.half, self.rows = half, rows[find_shared(log.object_code[rows])]
        account = log.account_code[self.rows]
        self.objects, self.place = np.unique(log.object_code[self.rows], return_inverse=True)
        self.rank = (self.rows - half.first[log.object_code[self.rows]]).astype(float)
        self.is_in = [np.isin(account, members) for members in views]
        self.own = OwnPairs(self.place, account, len(self.objects))
        self.is_filled = np.zeros(len(half.size), bool)
        self.is_filled[self._find_filled()] = True

    def _find_filled(self) -> np.ndarray:
        most = np.max([np.bincount(self.place[is_in], minlength=len(self.objects)) for is_in in self.is_in], axis=0)
        return self.objects[(most > 1) & (most >= FILLED_FRAC * self.half.size[self.objects])]

    def count_swapped(self, seed: Sequence[int]) -> np.ndarray:
        """Return, per view, its co-actions in one swap."""
        giver = self.draw_donors(np.random.default_rng(seed))
        is_near = self._is_near(giver)
        near, own = np.flatnonzero(is_near), np.flatnonzero(is_near[self.own.rows])
        time_us = np.zeros(len(self.rows), np.int64)
        time_us[near] = self.give_delays(giver, near)
        partners = self._count_partners(self.place[near], time_us[near])
        met = np.flatnonzero(partners)
        first, last = near[met], met + partners[met]
        own_rows = self.own.rows[own]
        with_itself = self._count_partners(self.own.code[own], time_us[own_rows])
        seen = []
        for is_in in self.is_in:
            n_theirs = np.cumsum(is_in[near])  # so many of the partners of an action, a run of rows, are theirs
            theirs = np.flatnonzero(is_in[first])
            n_met = n_theirs[last[theirs]] - n_theirs[met[theirs]]
            seen.append(n_met.sum() - with_itself[is_in[own_rows]].sum())
        return np.array(seen)

    def _count_partners(self, code: np.ndarray, time_us: np.ndarray) -> np.ndarray:
        return count_partners(ActionLog.of_codes(code, code, time_us), window_us=self.half.window_us)

    def _is_near(self, giver: np.ndarray) -> np.ndarray:
        """Return, per action, whether its object was given delays short enough for two actions to meet."""
        stretch = (self.half.size[giver] - 1) / np.maximum(self.half.size[self.objects] - 1, 1)
        least_us = stretch * self.half.least_gap_us[giver]  # delays between two that follow each other, at the least
        return (least_us <= self.half.window_us + 1)[self.place]

    def give_delays(self, giver: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return the times of actions where each object keeps its accounts and their order, and has another's delays.

        Where the other has another number of actions, its delays are interpolated.

        Args:
            giver: per object of `objects`, the object code whose delays it gets.
            rows: numbers of the actions asked for.
        """
        time_us, first, size = self.half.log.time_us, self.half.first, self.half.size
        place = self.place[rows]
        moved = time_us[first[self.objects]] - time_us[first[giver]]
        last = size[giver] - 1
        rank = self.rank[rows] * (last / np.maximum(size[self.objects] - 1, 1))[place]
        below = rank.astype(np.int64)
        above = np.minimum(below + 1, last.astype(np.int64)[place])
        begins = first[giver][place]
        earlier, later = time_us[begins + below], time_us[begins + above]
        return moved[place] + earlier + ((rank - below) * (later - earlier)).astype(np.int64)

    def draw_donors(self, rng: np.random.Generator) -> np.ndarray:
        """Return, per object of `objects`, the object code whose delays it gets: one of like size.

        For an object that a view fills it is one that none fills: no group is its own yardstick.
        """
        like = self.half.like_size
        low, n_like = like.low[self.objects], (like.high - like.low)[self.objects]
        donor, again = self.objects.copy(), np.flatnonzero(n_like > 0)
        for _ in range(N_TRIES):
            donor[again] = like.order[low[again] + (rng.random(len(again)) * n_like[again]).astype(np.int64)]
            again = again[self.is_filled[self.objects[again]] & self.is_filled[donor[again]]]
        return donor
