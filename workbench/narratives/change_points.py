"""Where a sequence of categories changes its mix: exact segmentation by marginal likelihood."""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln

_MAX_BINS = 80
_PSEUDO_COUNT = 0.5


def find_change_points(categories: np.ndarray, *, min_items: int = 8) -> list[int]:
    """Return the positions at which the mix of categories changes: each starts a new segment; empty where it is one.

    Every segment is a draw from one unknown mix (Dirichlet prior, half a count per category); of all ways to cut the
    sequence the one with the highest marginal likelihood is taken, a further cut costing the logarithm of the number
    of places it could be at. Long sequences are cut at one of 80 places only.

    Args:
        categories: whole numbers, in order of time.
        min_items: fewest items in a segment.

    Source: Fearnhead 2006, Exact and efficient Bayesian inference for multiple changepoint problems. Differs: the
        best segmentation by dynamic programming, not draws from the posterior.

    Beware: the items must be more or less independent. A thread of ten posts on one matter is not ten items.
    """
    n = categories.size
    if n < 2 * min_items:
        return []
    _, codes = np.unique(categories, return_inverse=True)
    edges = np.linspace(0, n, min(_MAX_BINS, n) + 1).round().astype(np.int64)
    counts = np.zeros((n + 1, int(codes.max()) + 1))
    counts[np.arange(1, n + 1), codes] = 1
    cumulative = counts.cumsum(axis=0)[edges]
    cuts = _cut_best(cumulative, edges, min_items=min_items, cost=np.log(edges.size))
    return [int(edges[cut]) for cut in cuts]


def _cut_best(cumulative: np.ndarray, edges: np.ndarray, *, min_items: int, cost: float) -> list[int]:
    """Return the inner edges of the best segmentation, by dynamic programming over the end of the last segment."""
    n_edges = edges.size
    best = np.full(n_edges, -np.inf)
    best[0] = 0.0
    previous = np.zeros(n_edges, np.int64)
    for end in range(1, n_edges):
        starts = np.flatnonzero(edges[end] - edges[:end] >= min_items)
        if not starts.size:
            continue
        total = best[starts] + _log_likelihood(cumulative[end] - cumulative[starts]) - cost * (starts > 0)
        winner = int(np.argmax(total))
        best[end], previous[end] = total[winner], starts[winner]
    cuts, end = [], int(previous[-1])
    while end > 0:
        cuts.append(end)
        end = int(previous[end])
    return cuts[::-1]


def _log_likelihood(counts: np.ndarray) -> np.ndarray:
    """Return the log marginal likelihood of each row of counts under a Dirichlet prior."""
    prior = _PSEUDO_COUNT * counts.shape[1]
    within = gammaln(counts + _PSEUDO_COUNT).sum(axis=1) - counts.shape[1] * gammaln(_PSEUDO_COUNT)
    return gammaln(prior) - gammaln(prior + counts.sum(axis=1)) + within
