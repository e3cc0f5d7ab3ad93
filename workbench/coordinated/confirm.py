"""Which candidates hold: found on one half of the objects, confirmed on the other, the many looks paid for."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from typing import Any, TypeVar

import numpy as np

from workbench.coaction import ActionLog
from workbench.coordinated.candidates import MIN_RATIO, Group, add_swaps, find_candidates, list_filled, weigh_groups
from workbench.coordinated.half import Half, code_traces
from workbench.coordinated.membership import adjust_p
from workbench.pairs import N_THREADS

T = TypeVar("T")

N_ROUNDS = 4
Halves = Mapping[tuple[int, int], Half]
"""per half (0 or 1) and window in microseconds"""


@dataclass(frozen=True)
class Confirmed:
    """The groups that hold at one line, the halves they were weighed on, and the largest p-value that passes."""

    halves: Halves
    groups: list[Group]
    largest_p: float
    known: dict[Hashable, Any]
    """what was worked out about groups on these halves, at this line or another"""

    def passes(self, group: Group) -> bool:
        """Whether a group weighed later, on the same halves, holds as well."""
        return passes(group, self.largest_p)

    def recall(self, about: Hashable, work_out: Callable[[], T]) -> T:
        """Return what is known about this on these halves, worked out where it was not asked before."""
        if about not in self.known:
            self.known[about] = work_out()
        return self.known[about]


class Trial:
    """All candidates of a split, weighed once, however many lines are then drawn."""

    def __init__(self, halves: Halves, *, swap_seeds: Sequence[Sequence[int]], seed: int):
        self.halves, self.swap_seeds, self.seed = halves, swap_seeds, seed
        self._weighed: dict[bytes, tuple[Halves, list[Group], dict[Hashable, Any]]] = {}

    def confirm(self, *, max_fdr: float) -> Confirmed:
        """Weigh all candidates, again without the objects of groups already confirmed, until no object is new.

        Objects that a coordinated group fills do not show the usual pace. The first round leaves out those of groups
        that shared interest cannot explain; a closed group is left out once its pace is shown to be unusual.
        """
        left_out = {key: np.empty(0, np.int64) for key in self.halves}
        for _ in range(N_ROUNDS):
            halves, groups, known = self._weigh_without(left_out)
            largest_p = _largest_p(np.array([g.p for g in groups]), max_fdr)
            by_interest = _largest_p(np.array([g.p_within for g in groups]), max_fdr)
            unusual = [g for g in groups if g.ratio >= MIN_RATIO and (g.p_within <= by_interest or g.p <= largest_p)]
            n_before = sum(len(objects) for objects in left_out.values())
            left_out = {
                (side, w): np.union1d(
                    objects,
                    list_filled(
                        self.halves[side, w], [g for g in unusual if (1 - g.found_on, g.window_us) == (side, w)]
                    ),
                )
                for (side, w), objects in left_out.items()
            }
            if sum(len(objects) for objects in left_out.values()) <= n_before:
                break
        return Confirmed(halves, [group for group in groups if passes(group, largest_p)], largest_p, known)

    def _weigh_without(
        self, left_out: Mapping[tuple[int, int], np.ndarray]
    ) -> tuple[Halves, list[Group], dict[Hashable, Any]]:
        key = b"|".join(objects.tobytes() for objects in left_out.values())
        if key not in self._weighed:
            with ThreadPoolExecutor(N_THREADS) as pool:
                without = pool.map(lambda at: self.halves[at].leave_out(left_out[at]), self.halves)
                halves = dict(zip(self.halves, without, strict=True))
                groups = list(chain.from_iterable(pool.map(lambda at: self._weigh_found_on(halves, *at), halves)))
            self._weighed[key] = halves, groups, {}
        return self._weighed[key]

    def _weigh_found_on(self, halves: Halves, side: int, window_us: int) -> list[Group]:
        """Return the candidates of one half, each once, with what the other half says of them."""
        other = halves[1 - side, window_us]
        once: dict[bytes, Group] = {}
        for found in find_candidates(halves[side, window_us], seed=self.seed):
            new = [members for members in found if members.tobytes() not in once]
            once |= {group.members.tobytes(): group for group in weigh_groups(other, new, found_on=side)}
        return add_swaps(other, list(once.values()), swap_seeds=self.swap_seeds)


def passes(group: Group, largest_p: float) -> bool:
    """Whether a group holds where `largest_p` is the largest p-value kept."""
    return group.p <= largest_p and group.ratio >= MIN_RATIO


def split_objects(log: ActionLog, windows_us: Sequence[int], rng: np.random.Generator) -> Halves:
    """Deal objects to two halves, one each of any two neighbours in size; a post goes where its rarest object goes."""
    size = np.bincount(log.object_code, minlength=len(log.objects))
    by_size = np.lexsort((rng.random(len(size)), size))
    side_by_rank = (np.arange(len(size)) + rng.integers(0, 2, (len(size) + 1) // 2).repeat(2)[: len(size)]) % 2
    rank = np.empty(len(size), np.int64)
    rank[by_size] = np.arange(len(size))
    rarest = np.full(len(log.posts), len(size) - 1)
    np.minimum.at(rarest, log.post_code, rank[log.object_code])
    row_side = side_by_rank[rarest[log.post_code]]
    trace_code = code_traces(log)
    return {
        (side, w): Half(log.keep(row_side == side), trace_code=trace_code, window_us=w)
        for side in (0, 1)
        for w in windows_us
    }


def _largest_p(p: np.ndarray, max_fdr: float) -> float:
    """Return the largest p-value that is kept at the false discovery rate; below every p-value if none is."""
    kept = p[adjust_p(p) <= max_fdr]
    return float(kept.max()) if len(kept) else -1.0
