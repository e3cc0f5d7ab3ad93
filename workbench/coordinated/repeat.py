"""Would another split have found the same groups? Stability and coverage, side by side: either alone says little."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from sklearn.metrics import adjusted_rand_score

from workbench.coordinated.find import find_coordinated_clusters
from workbench.schema import ParameterError

MIN_JACCARD = 0.5


def repeat_clusters(
    actions: pl.DataFrame,
    clusters: pl.DataFrame,
    *,
    time_window_s: float | Sequence[float],
    n_shuffles: int,
    max_fdr: float,
    seed: int,
    n_repeats: int,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Find the clusters again with other splits of the objects, and say how far they are the same.

    Args:
        actions: the actions the clusters were found on.
        clusters: from `find_coordinated_clusters` with the same window, shuffles, line and seed.
        time_window_s: seconds, inclusive; one window or several.
        n_shuffles: as for `find_coordinated_clusters`.
        max_fdr: as there.
        seed: the repeats take the seeds after it.
        n_repeats: how many other splits, at least 1; each costs as much as the clusters did.

    Returns:
        Two tables. Per run, the first being the given clusters: seed, n_clusters, n_accounts, coverage_frac (of the
        accounts with an action), ari (adjusted Rand index with the given clusters, over all accounts with an action,
        each account in no cluster being alone; null where neither run found any). Per given cluster: cluster_id,
        n_accounts, n_repeats, n_found_again (repeats with a cluster that shares at least half of all accounts in
        either: Jaccard index 0.5), mean_jaccard and min_jaccard (with the most similar cluster of each repeat).

    Raises:
        ParameterError: no repeat asked for, or a parameter that `find_coordinated_clusters` refuses.

    Source: Hubert and Arabie 1985 (ARI); cluster by cluster as in Hennig 2007, who resamples rows in place of splits.
    Beware: a stable cluster may be a stable mistake: sister pages come back with every split.
    """
    if n_repeats < 1:
        raise ParameterError(f"n_repeats is {n_repeats}; expected 1 or more other splits.")
    accounts = actions.select(pl.col("account_id").cast(pl.String).unique().sort())
    again = [
        find_coordinated_clusters(
            actions, time_window_s=time_window_s, n_shuffles=n_shuffles, max_fdr=max_fdr, seed=seed + k
        )
        for k in range(1, n_repeats + 1)
    ]
    given = _label(accounts, clusters)
    runs = []
    for k, found in enumerate([clusters, *again]):
        is_empty = clusters.is_empty() and found.is_empty()
        ari = None if is_empty else float(adjusted_rand_score(given, _label(accounts, found)))
        coverage = found.height / max(accounts.height, 1)
        runs.append((seed + k, found["cluster_id"].n_unique(), found.height, coverage, ari))
    return pl.DataFrame(runs, schema=_RUN_COLUMNS, orient="row"), _compare_each(clusters, again)


_RUN_COLUMNS = {
    "seed": pl.Int64, "n_clusters": pl.Int64, "n_accounts": pl.Int64, "coverage_frac": pl.Float64, "ari": pl.Float64,
}  # fmt: skip
_CLUSTER_COLUMNS = {
    "cluster_id": pl.Int64, "n_accounts": pl.Int64, "n_repeats": pl.Int64, "n_found_again": pl.Int64,
    "mean_jaccard": pl.Float64, "min_jaccard": pl.Float64,
}  # fmt: skip


def _label(accounts: pl.DataFrame, clusters: pl.DataFrame) -> np.ndarray:
    """Return the cluster of each account; an account in none has a label of its own."""
    label = clusters.select("account_id", "cluster_id")
    placed = accounts.join(label, on="account_id", how="left", maintain_order="left")
    alone = -1 - pl.int_range(pl.len())
    return placed.select(pl.col("cluster_id").fill_null(alone)).to_series().to_numpy()


def _compare_each(clusters: pl.DataFrame, again: list[pl.DataFrame]) -> pl.DataFrame:
    rows = []
    repeats = [_members(found) for found in again]
    for cluster_id, members in _members(clusters).items():
        best = [
            max((len(members & other) / len(members | other) for other in groups.values()), default=0.0)
            for groups in repeats
        ]
        n_found = sum(jaccard >= MIN_JACCARD for jaccard in best)
        rows.append((cluster_id, len(members), len(best), n_found, float(np.mean(best)), min(best)))
    return pl.DataFrame(rows, schema=_CLUSTER_COLUMNS, orient="row")


def _members(clusters: pl.DataFrame) -> dict[int, set[str]]:
    grouped = clusters.group_by("cluster_id").agg("account_id").sort("cluster_id")
    return {number: set(names) for number, names in grouped.iter_rows()}
