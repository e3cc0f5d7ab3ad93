"""actions -> what other windows and other lines would have found: a finding that stands at one setting is none."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from workbench.coordinated import SHARED_CLOCK, find_groups


def compare_settings(
    actions: pl.DataFrame, *, time_windows_s: Iterable[float], max_fdrs: Iterable[float], n_shuffles: int, seed: int
) -> pl.DataFrame:
    """Return, per window and line, how many accounts in how many clusters would have been found.

    Candidates are found and weighed once per window; only the line is drawn anew.

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
    lines = list(max_fdrs)
    rows = []
    for window_s in [] if actions.is_empty() else time_windows_s:
        tables = find_groups(actions, time_window_s=window_s, n_shuffles=n_shuffles, max_fdrs=lines, seed=seed)
        for max_fdr, groups in zip(lines, tables, strict=True):
            found = groups.filter(pl.col("grade") != SHARED_CLOCK)
            rows.append((float(window_s), float(max_fdr), found.height, found["cluster_id"].n_unique()))
    columns = {"time_window_s": pl.Float64, "max_fdr": pl.Float64, "n_accounts": pl.Int64, "n_clusters": pl.Int64}
    return pl.DataFrame(rows, schema=columns, orient="row")
