"""The nearest texts, by whichever way the cosines are worked out."""

import numpy as np
import pytest
import scipy.sparse as sp

from workbench.narratives import topics
from workbench.narratives.vocabulary import unit_rows


@pytest.mark.parametrize("sparse_cost", [0, 1e12])
def test_neighbours_are_those_of_the_full_table_however_it_is_multiplied(monkeypatch, sparse_cost):
    monkeypatch.setattr(topics, "_SPARSE_COST", sparse_cost)
    monkeypatch.setattr(topics, "_ROWS_PER_BLOCK", 16)
    for seed in range(100, 130):
        random = np.random.default_rng(seed)
        values = random.integers(0, 3, size=(int(random.integers(1, 70)), 12)) * (random.random(12) < 0.5)
        unit = unit_rows(sp.csr_matrix(values, dtype=np.float32))
        cosine = np.rint((unit @ unit.T).toarray().astype(np.float64) * 1e6)
        expected = {
            (row, int(column))
            for row in range(len(cosine))
            for column in sorted(range(len(cosine)), key=lambda other: (row == other, -cosine[row, other], other))[:20]
            if column != row and cosine[row, column] >= 1e5
        }
        rows, columns, similarity = topics._find_neighbours(unit)

        assert set(zip(rows.tolist(), columns.tolist(), strict=True)) == expected
        assert similarity.tolist() == (cosine[rows, columns] / 1e6).tolist()
