"""The swap of delays: what would groups do if each object had gone at the pace of another of like size?

Many candidates are views of one group. They are swapped together: the rows of everybody in any of them get new times,
the kernel counts the pairs of accounts, and each view adds up the pairs that are its own. Ten views then cost hardly
more than one.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
from scipy import sparse

from workbench.coaction import count_pairs
from workbench.coordinated.cells import FILLED_FRAC
from workbench.coordinated.half import Half
from workbench.pairs import N_THREADS

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

    Per action: `rows`, its number in the log of the half, `rank`, how many actions came before it on its object, and
    `place`, the number of its object among `objects`. `is_filled`: per object code, whether a view fills it (a third of
    the actions or more are its members', and at least two).
    """

    def __init__(self, half: Half, views: Sequence[np.ndarray]):
        """Take views as arrays of account codes."""
        log, n_objects = half.log, len(half.size)
        everybody: np.ndarray = np.unique(np.concatenate(views))
        member = np.searchsorted(everybody, np.concatenate(views))
        number = np.repeat(np.arange(len(views)), [len(members) for members in views])
        self.is_member = sparse.csr_array((np.ones(len(member)), (member, number)), (len(everybody), len(views)))
        code = np.full(len(log.accounts), -1)
        code[everybody] = np.arange(len(everybody))
        rows = np.flatnonzero((code >= 0)[log.account_code])
        n_here = np.bincount(log.object_code[rows], minlength=n_objects)
        self.half, self.rows = half, rows[n_here[log.object_code[rows]] > 1]
        kept = np.zeros(len(log), bool)
        kept[self.rows] = True
        self.log = replace(
            log.keep(kept),
            account_code=code[log.account_code[self.rows]],
            accounts=log.accounts.gather(everybody),
        )
        self.objects, self.place = np.unique(self.log.object_code, return_inverse=True)
        self.rank = (self.rows - half.first[self.log.object_code]).astype(float)
        self.is_filled = np.zeros(n_objects, bool)
        self.is_filled[self._find_filled()] = True

    def _find_filled(self) -> np.ndarray:
        acted = (np.ones(len(self.log)), (self.place, self.log.account_code))
        per_view = sparse.csr_array(acted, (len(self.objects), len(self.log.accounts))) @ self.is_member
        most = per_view.max(axis=1).toarray().ravel()
        return self.objects[(most > 1) & (most >= FILLED_FRAC * self.half.size[self.objects])]

    def count_swapped(self, seed: Sequence[int]) -> np.ndarray:
        """Return, per view, its co-actions in one swap."""
        swapped = replace(self.log, time_us=self.swap_delays(seed))
        a, b, n = count_pairs(swapped, window_us=self.half.window_us)
        n_people = len(self.log.accounts)
        met = sparse.csr_array((n.astype(float), (a, b)), (n_people, n_people)) @ self.is_member
        return met.multiply(self.is_member).sum(axis=0)

    def swap_delays(self, seed: Sequence[int]) -> np.ndarray:
        """Return the times of the rows where each object keeps its accounts and their order, and has another's delays.

        The other is one of like size; where it has another number of actions, its delays are interpolated. An object
        that a view fills gets the delays of one that none fills: no group is its own yardstick.
        """
        time_us, first, size = self.half.log.time_us, self.half.first, self.half.size
        giver = self.draw_donors(np.random.default_rng(seed))
        begins = first[giver]
        moved = time_us[first[self.objects]] - time_us[begins]
        last = size[giver] - 1
        rank = self.rank * (last / np.maximum(size[self.objects] - 1, 1))[self.place]
        below = rank.astype(np.int64)
        above = np.minimum(below + 1, last.astype(np.int64)[self.place])
        begins = begins[self.place]
        earlier, later = time_us[begins + below], time_us[begins + above]
        return moved[self.place] + earlier + ((rank - below) * (later - earlier)).astype(np.int64)

    def draw_donors(self, rng: np.random.Generator) -> np.ndarray:
        """Return, per object of `objects`, the object code whose delays it gets."""
        like = self.half.like_size
        low, n_like = like.low[self.objects], (like.high - like.low)[self.objects]
        donor, again = self.objects.copy(), np.flatnonzero(n_like > 0)
        for _ in range(N_TRIES):
            donor[again] = like.order[low[again] + (rng.random(len(again)) * n_like[again]).astype(np.int64)]
            again = again[self.is_filled[self.objects[again]] & self.is_filled[donor[again]]]
        return donor
