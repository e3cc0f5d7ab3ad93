"""actions -> what other windows and other lines would have found: a finding that stands at one setting is none."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from workbench.coordinated import SHARED_CLOCK
from workbench.coordinated.find import find_groups_in
from workbench.coordinated.half import draw_objects, fuse_traces

MAX_ACTIONS = 300_000


def compare_settings(
    actions: pl.DataFrame,
    *,
    time_windows_s: Iterable[float],
    max_fdrs: Iterable[float],
    n_shuffles: int,
    seed: int,
    max_actions: int = MAX_ACTIONS,
) -> pl.DataFrame:
    """Return, per window and line, how many accounts in how many clusters would have been found.

    Candidates are found and weighed once per window; only the line is drawn anew. Of a very large dataset some objects
    are drawn, the same for all settings, so that trying nine settings does not cost several times the finding itself.

    Args:
        actions: table `actions`.
        time_windows_s: windows in seconds.
        max_fdrs: lines, each 0..1.
        n_shuffles: as for `find_coordinated_clusters`.
        seed: as there; also of the draw.
        max_actions: most actions looked at, on objects that two or more actions are on.

    Returns:
        time_window_s, max_fdr, n_accounts, n_clusters, actions_frac (share of those actions that was looked at, 1 for
        all); one row per combination; none where there is no action.

    Raises:
        ParameterError: as `find_coordinated_clusters`.
    """
    lines = list(max_fdrs)
    rows = []
    whole = fuse_traces(actions)
    log = draw_objects(whole, max_actions=max_actions, seed=seed)
    frac = len(log) / max(len(whole), 1)
    for window_s in time_windows_s if len(whole) else []:
        tables = find_groups_in(log, time_window_s=window_s, n_shuffles=n_shuffles, max_fdrs=lines, seed=seed)
        for max_fdr, groups in zip(lines, tables, strict=True):
            found = groups.filter(pl.col("grade") != SHARED_CLOCK)
            rows.append((float(window_s), float(max_fdr), found.height, found["cluster_id"].n_unique(), frac))
    columns = {"time_window_s": pl.Float64, "max_fdr": pl.Float64, "n_accounts": pl.Int64, "n_clusters": pl.Int64}
    columns["actions_frac"] = pl.Float64
    return pl.DataFrame(rows, schema=columns, orient="row")
