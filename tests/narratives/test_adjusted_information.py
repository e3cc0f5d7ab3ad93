"""Agreement of two groupings: scikit-learn's figure, found faster."""

import numpy as np
import pytest
from sklearn.metrics import adjusted_mutual_info_score

from workbench.narratives.adjusted_information import measure_agreement


def groupings(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two groupings of some items, from unrelated to the same, with few or many groups of equal or unequal sizes."""
    rng = np.random.default_rng(seed)
    n, n_groups = int(rng.integers(5, 400)), int(rng.integers(1, 60))
    shares = rng.dirichlet(np.full(n_groups, rng.choice([0.2, 1.0, 20.0])))
    left = rng.choice(n_groups, n, p=shares)
    right = np.where(rng.random(n) < rng.choice([0.0, 0.1, 0.6, 1.0]), rng.choice(n_groups, n, p=shares), left)
    return left, right


@pytest.mark.parametrize("seed", range(100, 160))
def test_the_figure_is_that_of_scikit_learn(seed):
    left, right = groupings(seed)

    assert measure_agreement(left, right) == pytest.approx(adjusted_mutual_info_score(left, right), abs=1e-9)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ([0, 0, 0], [0, 0, 0]),
        ([0, 0, 0], [0, 1, 2]),
        ([0, 1, 2], [0, 1, 2]),
        ([0, 1, 2, 3], [3, 2, 1, 0]),
        ([0, 0, 1, 1], [0, 1, 0, 1]),
        ([0, 0, 5, 5], [9, 9, 1, 1]),
    ],
)
def test_groupings_without_anything_to_share_are_judged_alike(left, right):
    expected = adjusted_mutual_info_score(left, right)

    assert measure_agreement(np.array(left), np.array(right)) == pytest.approx(expected, abs=1e-9)


def test_unrelated_groupings_agree_no_more_than_by_chance():
    found = [measure_agreement(*np.random.default_rng(seed).integers(0, 30, (2, 300))) for seed in range(200, 230)]

    assert abs(float(np.mean(found))) < 0.01
