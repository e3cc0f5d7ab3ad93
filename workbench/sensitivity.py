"""actions -> what other windows and other lines would have found: a finding that stands at one setting is none."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

import polars as pl

from workbench.coordinated import find_coordinated_clusters


def compare_settings(
    actions: pl.DataFrame, *, time_windows_s: Iterable[float], max_fdrs: Iterable[float], n_shuffles: int, seed: int
) -> pl.DataFrame:
    """Return, per window and line, how many accounts in how many clusters would have been found.

    Args:
        actions: table `actions`.
        time_windows_s: windows in seconds.
        max_fdrs: lines, each 0..1.
        n_shuffles: as for `find_coordinated_clusters`.
        seed: as there.

    Returns:
        time_window_s, max_fdr, n_accounts, n_clusters; one row per combination; none where there is no action.

    Raises:
        ParameterError: as `find_coordinated_clusters`.
    """
    rows = []
    for window_s, max_fdr in [] if actions.is_empty() else product(time_windows_s, max_fdrs):
        clusters = find_coordinated_clusters(
            actions, time_window_s=window_s, n_shuffles=n_shuffles, max_fdr=max_fdr, seed=seed
        )
        rows.append((float(window_s), float(max_fdr), clusters.height, clusters["cluster_id"].n_unique()))
    columns = {"time_window_s": pl.Float64, "max_fdr": pl.Float64, "n_accounts": pl.Int64, "n_clusters": pl.Int64}
    return pl.DataFrame(rows, schema=columns, orient="row")
