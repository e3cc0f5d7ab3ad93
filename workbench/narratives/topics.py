"""Texts that read alike: a graph of nearest neighbours, its communities, and the grain at which they are most stable.

The number of topics is not asked for. Three things are worked out from the texts alone: which terms tell topics apart,
how fine the grain should be, and how far the grouping would survive the loss of a fifth of the graph.
"""

from __future__ import annotations

import itertools
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import igraph as ig
import numpy as np
import polars as pl
import scipy.sparse as sp

from workbench.narratives.adjusted_information import measure_agreement
from workbench.narratives.vocabulary import unit_rows

RESOLUTIONS = (0.5, 0.7, 1.0, 1.4, 2.0, 2.8)
_N_NEIGHBOURS = 20
_N_ROUNDS = 3
_PRIOR_FRAC = 0.001
_MIN_PRIOR_TEXTS = 3
_N_SUBSAMPLES = 4
_KEPT_FRAC = 0.8
_ROWS_PER_BLOCK = 500
_CELLS_PER_BLOCK = 2_000_000
_SPARSE_COST = 25
"""How much longer a product takes of which both sides are looked up than one of which one side lies in a row."""
_TOLERANCE = 0.005
_MIN_COSINE = 0.1
_MIN_TEXTS = 50
_GRAIN = 1e6
"""Similarities are rounded to a millionth, so that ties fall the same way on every machine."""


@dataclass(frozen=True)
class Topics:
    """Which topic each text is in, how much each term tells topics apart, and how stable each grain was."""

    membership: np.ndarray
    term_weight: np.ndarray
    resolution: float
    stability: pl.DataFrame
    """resolution, n_topics, agreement: mean adjusted mutual information between runs on four fifths of the graph"""


def find_topics(features: sp.csr_matrix, *, seed: int, resolutions: tuple[float, ...] = RESOLUTIONS) -> Topics:
    """Return communities of the nearest-neighbour graph of the rows, at the resolution that is most stable.

    Each text is tied to its 20 nearest by cosine. Leiden's communities give each term a weight, by how unevenly it
    falls on them (Kullback-Leibler divergence, with a prior of one text in a thousand, at least three); with the new
    weights the graph is made anew, three times. Then each resolution is tried on four random samples of 80 % of the
    ties, and the one whose communities agree best with each other is taken; of several within 0.005, the finest. Fewer
    than 50 texts are too few to judge by, and the resolution nearest to 1 is taken. A text that shares no term with any
    other is a topic by itself.

    Args:
        features: one row per text, weighted terms, not normalised. Sort the rows by content for results that do not
            depend on the order of the input.
        seed: of Leiden and the samples.
        resolutions: what to choose from; higher is finer.

    Source: Traag, Waltman and van Eck 2019 (Leiden); Ben-Hur, Elisseeff and Guyon 2002 (stability under subsampling).
    """
    weight = np.ones(features.shape[1], np.float32)
    graph = _build_graph(features)
    has_term = (features > 0).astype(np.float32)
    for _ in range(_N_ROUNDS):
        weight = _weigh_terms(has_term, _find_communities(graph, resolution=1.0, seed=seed))
        graph = _build_graph((features @ sp.diags_array(np.sqrt(weight))).tocsr())
    if features.shape[0] < _MIN_TEXTS:
        resolutions = (min(resolutions, key=lambda resolution: abs(resolution - 1)),)
    stability = _measure_stability(graph, resolutions=resolutions, seed=seed)
    as_stable = stability.filter(pl.col("agreement") >= pl.col("agreement").max() - _TOLERANCE)
    chosen = float(as_stable.select(pl.col("resolution").max()).item())
    membership = _find_communities(graph, resolution=chosen, seed=seed)
    return Topics(membership, weight, chosen, stability)


def _build_graph(features: sp.csr_matrix) -> ig.Graph:
    """Return the union of every row's ties to its nearest rows, weighted by cosine; none below 0.1."""
    rows, columns, similarity = _find_neighbours(unit_rows(features))
    n = features.shape[0]
    directed = sp.csr_matrix((similarity, (rows, columns)), shape=(n, n))
    ties = sp.triu(directed.maximum(directed.T), 1).tocoo()
    graph = ig.Graph(n=n, edges=np.stack([ties.row, ties.col], axis=1))
    graph.es["weight"] = ties.data
    return graph


def _find_neighbours(unit: sp.csr_matrix) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return each row's nearest rows and their cosine; fewer than 20 where fewer share any term with it."""
    n = unit.shape[0]
    turned = unit.T.tocsr()
    with ThreadPoolExecutor(pl.thread_pool_size()) as pool:
        found = list(pool.map(lambda start: _find_nearest(unit, turned, start), range(0, n, _rows_per_block(unit))))
    rows, columns, similarity = (np.concatenate(part) for part in zip(*found, strict=True))
    return rows, columns, similarity


def _find_nearest(unit: sp.csr_matrix, turned: sp.csr_matrix, start: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    near = _multiply(unit, turned, start)
    n_rows, n = near.shape
    # The least like of the twenty nearest and the text itself. Rounding may lift others to it, never by two millionths.
    nth = max(n - _N_NEIGHBOURS - 1, 0)
    least = np.maximum(np.partition(near, nth, axis=1)[:, nth, None], np.float32(_MIN_COSINE))
    row, column = np.nonzero(near >= least - np.float32(2 / _GRAIN))
    rounded = np.rint(near[row, column].astype(np.float64) * _GRAIN)
    is_near = (row + start != column) & (rounded >= _MIN_COSINE * _GRAIN)
    row, column, rounded = row[is_near], column[is_near], rounded[is_near]
    # The nearest first, then the earlier row: an order without ties.
    order = np.lexsort((column, -rounded, row))
    place = np.arange(order.size) - np.searchsorted(row[order], np.arange(n_rows))[row[order]]
    chosen = order[place < _N_NEIGHBOURS]
    return row[chosen] + start, column[chosen], rounded[chosen] / _GRAIN


def _multiply(unit: sp.csr_matrix, turned: sp.csr_matrix, start: int) -> np.ndarray:
    """Return the cosines of some rows with all rows, as a full table, by the cheaper of two ways to the same sums."""
    rows = unit[start : start + _rows_per_block(unit)]
    n_sparse = float(np.diff(turned.indptr)[rows.indices].sum())
    n_full = float(unit.nnz) * rows.shape[0]
    if n_sparse * _SPARSE_COST < n_full:
        return (rows @ turned).toarray()
    return np.ascontiguousarray((unit @ np.ascontiguousarray(rows.toarray().T)).T)


def _rows_per_block(unit: sp.csr_matrix) -> int:
    return int(np.clip(_CELLS_PER_BLOCK // max(*unit.shape, 1), 16, _ROWS_PER_BLOCK))


def _find_communities(graph: ig.Graph, *, resolution: float, seed: int) -> np.ndarray:
    ig.set_random_number_generator(random.Random(seed))
    try:
        found = graph.community_leiden(
            objective_function="modularity", weights="weight", resolution=resolution, n_iterations=4
        )
    finally:
        ig.set_random_number_generator(random)
    return np.asarray(found.membership, dtype=np.int64)


def _weigh_terms(has_term: sp.csr_matrix, membership: np.ndarray) -> np.ndarray:
    """Return how unevenly each term falls on the topics, scaled to a mean of one."""
    n, n_topics = membership.size, int(membership.max()) + 1
    indicator = sp.csr_matrix((np.ones(n, np.float32), (membership, np.arange(n))), shape=(n_topics, n))
    counts = np.asarray((indicator @ has_term).todense(), dtype=np.float64)
    prior = max(_MIN_PRIOR_TEXTS, _PRIOR_FRAC * n)
    share = np.bincount(membership, minlength=n_topics)[:, None] / n
    observed = (counts + prior * share) / (counts.sum(axis=0) + prior)
    divergence = np.maximum((observed * np.log(observed / share)).sum(axis=0), 0)
    mean = divergence.mean() if divergence.size else 0.0
    # One topic only: no term tells it apart from another, so all count the same.
    return (divergence / mean if mean > 1e-12 else np.ones_like(divergence)).astype(np.float32)


def _measure_stability(graph: ig.Graph, *, resolutions: tuple[float, ...], seed: int) -> pl.DataFrame:
    generator = np.random.default_rng(seed)
    samples = []
    for _ in range(_N_SUBSAMPLES):
        kept = np.flatnonzero(generator.random(graph.ecount()) < _KEPT_FRAC)
        samples.append(graph.subgraph_edges(kept.tolist(), delete_vertices=False))
    rows = []
    for resolution in resolutions:
        runs = [
            _find_communities(sample, resolution=resolution, seed=seed + number)
            for number, sample in enumerate(samples)
        ]
        agreement = [measure_agreement(a, b) for a, b in itertools.combinations(runs, 2)]
        rows.append(
            {
                "resolution": resolution,
                "n_topics": round(float(np.mean([len(np.unique(run)) for run in runs]))),
                "agreement": round(float(np.mean(agreement)), 4),
            }
        )
    return pl.DataFrame(rows, schema={"resolution": pl.Float64, "n_topics": pl.Int64, "agreement": pl.Float64})
