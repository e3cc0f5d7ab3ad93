"""Candidate groups found on one half of the objects, and what the other half, which they never saw, says of them.

Candidates are found liberally: edges beyond the usual pace of objects of like size, grouped by Leiden (CPM) at several
resolutions. Two shuffles of the other half are honest nulls for them:

- *within object*: accounts dealt anew among an object's actions. Does shared interest explain it? Mean and variance
  are worked out exactly; nothing needs shuffling.
- *swap*: each object gets the delays of another of like size. Does the usual pace explain it?
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import igraph
import numpy as np
from scipy import stats

from workbench.chance import poisson_score
from workbench.clusters import group_by_leiden
from workbench.coordinated.cells import FILLED_FRAC, Cells
from workbench.coordinated.clock import NO_CLOCK, Clock, Together, share_at_start, weigh_clock
from workbench.coordinated.half import Half
from workbench.coordinated.swap import moments_of_swap

RESOLUTIONS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
MAX_EDGE_WEIGHT = 10.0
MAX_EDGE_TAIL = 0.02
MIN_MEMBERS = 3
FEW_OUTSIDERS_FRAC = 0.2
PSEUDO_PAIRS = 20.0
MIN_RATIO = 2.0
MAX_PLAUSIBLE_P = 0.05


@dataclass(frozen=True)
class Group:
    """A group found on one half (0 or 1), with what the other half says of it."""

    members: np.ndarray
    """account codes, sorted"""
    found_on: int
    window_us: int
    n_pairs: float
    """pairs of its members' actions on one object, whatever the gap"""
    seen: float
    """co-actions among its members"""
    due: float
    """co-actions its members would have at the rate of their outsiders on the same objects"""
    outsiders_frac: float
    """share of the actions on its objects that are by others, each object weighing as its pairs of members"""
    within: tuple[float, float]
    """mean and variance of `seen` when accounts are dealt anew within each object"""
    swap: tuple[float, float] | None
    """mean and variance of `seen` when each object gets the delays of another; None where other signs ruled it out"""
    clock: Clock = NO_CLOCK
    """the shared clock that explains most of it"""
    at_start_frac: float = float("nan")
    """share of the objects it met on where it met within the window of the object's first action"""

    @property
    def ratio(self) -> float:
        """How many times as often as their outsiders the members acted together."""
        return self.seen / max(self.due, 1e-9)

    @property
    def p_within(self) -> float:
        """Chance of so many co-actions if only shared interest were at work."""
        return count_tail(self.seen, *self.within)

    @property
    def p_swap(self) -> float:
        """Chance of so many co-actions at the usual pace of objects of like size; 1 where it was not worked out."""
        return count_tail(self.seen, *self.swap) if self.swap else 1.0

    @property
    def is_closed(self) -> bool:
        """Whether hardly anybody else is on its objects, so that the within-object shuffle is blind."""
        return self.outsiders_frac < FEW_OUTSIDERS_FRAC

    @property
    def p(self) -> float:
        """The p-value that decides: the larger of the two, or the swap alone for a closed group."""
        return self.p_swap if self.is_closed else max(self.p_within, self.p_swap)

    @property
    def is_plausible(self) -> bool:
        """Whether all but the swap allow that it is coordinated; the swap costs most and is spared for the others."""
        return self.ratio >= MIN_RATIO and (self.is_closed or self.p_within <= MAX_PLAUSIBLE_P)

    @property
    def gain(self) -> float:
        """Log-likelihood gained by giving the group a co-action rate of its own."""
        return self.seen * np.log(self.ratio) - self.seen + self.due if self.seen > self.due else 0.0


def list_filled(half: Half, groups: Sequence[Group]) -> np.ndarray:
    """Return the objects of the half that any of these groups fills."""
    log, is_filled = half.log, np.zeros(len(half.size), bool)
    for group in groups:
        is_member = np.zeros(len(log.accounts), bool)
        is_member[group.members] = True
        n_rows = np.bincount(log.object_code[is_member[log.account_code]], minlength=len(half.size))
        is_filled |= (n_rows > 1) & (n_rows >= FILLED_FRAC * half.size)
    return np.flatnonzero(is_filled)


def count_tail(seen: float, mean: float, variance: float) -> float:
    """Return the chance of `seen` or more of a count with this mean and variance.

    Negative binomial where the variance exceeds the mean, else Poisson (which errs on the safe side).
    """
    if seen <= 0:
        return 1.0
    mean = max(mean, 1e-9)
    if variance <= mean * 1.0001:
        return float(stats.poisson.sf(seen - 1, mean))
    share = mean / variance
    return float(stats.nbinom.sf(seen - 1, mean * share / (1 - share), share))


def find_candidates(half: Half, *, seed: int) -> Iterator[list[np.ndarray]]:
    """Yield partition after partition: the candidates of one resolution, each an array of account codes.

    Edges are judged twice: against the usual pace of objects of like size, and against the pace of the very objects
    where that is faster. The first sees groups that are alone on their objects, the second groups among crowds.
    """
    edges, usual_rate = half.edges, half.usual_rate
    for rate in (usual_rate / 4, np.maximum(usual_rate, half.rate)):
        score = poisson_score(edges.n, edges.expected(rate))
        keep = score > -np.log(MAX_EDGE_TAIL)
        nodes, ends = np.unique(np.concatenate([edges.a[keep], edges.b[keep]]), return_inverse=True)
        graph = igraph.Graph(len(nodes), edges=ends.reshape(2, -1).T)
        weights = np.minimum(score[keep], MAX_EDGE_WEIGHT)
        for resolution in RESOLUTIONS:
            community = group_by_leiden(graph, weights=weights, resolution=resolution, seed=seed)
            order = np.argsort(community, kind="stable")
            groups = np.split(nodes[order], np.flatnonzero(np.diff(community[order])) + 1)
            yield [members for members in groups if len(members) >= MIN_MEMBERS]


def weigh_groups(
    half: Half,
    groups: Sequence[np.ndarray],
    *,
    found_on: int,
    grouped: np.ndarray | None = None,
) -> list[Group]:
    """Return what this half says of disjoint groups found on the other, all but the swap (see `add_swaps`).

    Args:
        half: the half the groups were *not* found on.
        groups: arrays of account codes, no account in two.
        found_on: the half they were found on.
        grouped: per account code, whether it is in any group and so no outsider; None = each group's outsiders are
            all accounts but its own.

    Source: moments of the number of edges that fall into a random set of vertices (Frank 1977).
    """
    cells = Cells(half, groups)
    o, m = cells.objects, cells.n_rows.astype(float)
    n_pairs, seen = cells.total(cells.n_pairs), cells.total(cells.n_close)
    filled = cells.filled(half)
    usual = half.like_size.mean_rate_of_others(o, cells.groups, filled=filled)
    inner_pairs, inner_close = _pairs_without_outsider(half, cells, grouped)
    outside_close = np.maximum(half.n_close[o] - inner_close, 0) + PSEUDO_PAIRS * usual
    due = cells.total(cells.n_pairs * outside_close / (np.maximum(half.n_pairs[o] - inner_pairs, 0) + PSEUDO_PAIRS))
    mean, variance = _moments_of_shuffle(half, cells)
    outsiders = cells.total(cells.n_pairs * (1 - m / half.size[o])) / np.maximum(n_pairs, 1)
    return [
        Group(
            members=np.sort(members), found_on=found_on, window_us=half.window_us, n_pairs=float(n_pairs[k]),
            seen=float(seen[k]), due=float(due[k]), outsiders_frac=float(outsiders[k]),
            within=(float(mean[k]), float(variance[k])), swap=None,
        )
        for k, members in enumerate(groups)
    ]  # fmt: skip


def add_swaps(half: Half, groups: Sequence[Group], *, swap_seeds: Sequence[Sequence[int]]) -> list[Group]:
    """Return the groups, those that are plausible with the mean and variance of their co-actions over swaps of delays.

    Args:
        half: the half the groups were weighed on.
        groups: they may overlap.
        swap_seeds: one seed per swap.
    """
    plausible = [number for number, group in enumerate(groups) if group.is_plausible]
    if not plausible:
        return list(groups)
    moments = moments_of_swap(half, [groups[number].members for number in plausible], swap_seeds=swap_seeds)
    done = list(groups)
    for number, swap in zip(plausible, moments, strict=True):
        done[number] = replace(groups[number], swap=swap)
    return done


def add_clock(half: Half, other: Half, group: Group) -> Group:
    """Return the group with the clock that explains most of it and how often it met at the start of an object.

    `half` is the one it was not found on.
    """
    together = [Together(part, group.members) for part in (half, other)]
    clock = weigh_clock(half, together, seen=group.seen)
    return replace(group, clock=clock, at_start_frac=share_at_start(together))


def _pairs_without_outsider(half: Half, cells: Cells, grouped: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Return per cell the pairs (and close pairs) of its object that have no outsider in them."""
    if grouped is None:
        return cells.n_pairs, cells.n_close
    everyone = Cells(half, [np.flatnonzero(grouped)])
    pairs, close = np.zeros(len(half.size)), np.zeros(len(half.size))
    pairs[everyone.objects], close[everyone.objects] = everyone.n_pairs, everyone.n_close
    return pairs[cells.objects], close[cells.objects]


def _moments_of_shuffle(half: Half, cells: Cells) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance per group of its co-actions when the accounts of each object are dealt anew."""
    o, m = cells.objects, cells.n_rows.astype(float)
    n, close, paths = half.size[o], half.n_close_rows[o], half.n_paths[o]
    two = m * (m - 1) / np.maximum(n * (n - 1), 1)
    three = two * (m - 2) / np.maximum(n - 2, 1)
    four = three * (m - 3) / np.maximum(n - 3, 1)
    variance = close * two + paths * three + (close**2 - close - paths) * four - (close * two) ** 2
    by_two_accounts = cells.n_pairs / np.maximum(m * (m - 1) / 2, 1)
    variance = half.traces_per_post * cells.total(np.maximum(variance, 0))
    return cells.total(close * two * by_two_accounts), variance
