"""Groups and what speaks for their members -> the table of clusters, one row per account."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from workbench.clusters import measure_members, number_clusters
from workbench.coaction import ActionLog, count_pairs
from workbench.coordinated.candidates import Group
from workbench.coordinated.membership import Membership
from workbench.schema import empty_table

MIN_MEMBERS = 3
BEYOND_SHARED_INTEREST = "beyond shared interest"
CLOSED_GROUP = "closed group"
SHARED_CLOCK = "shared clock"

CLUSTER_COLUMNS = {
    "grade": pl.String, "ratio": pl.Float64, "z": pl.Float64, "p_within": pl.Float64, "p_swap": pl.Float64,
    "outsiders_frac": pl.Float64, "n_co_actions": pl.Int64, "expected_n": pl.Float64, "time_window_s": pl.Float64,
    "clock_s": pl.Float64, "clock_ratio": pl.Float64, "at_start_frac": pl.Float64,
}  # fmt: skip
ACCOUNT_COLUMNS = {"n_objects_near": pl.Int64, "expected_objects": pl.Float64, "p_member": pl.Float64}
Weighed = tuple[Sequence[Sequence[Group]], Sequence[Membership]]
"""per group its view from one half or both, and what speaks for each account"""


def list_clusters(clusters: pl.DataFrame) -> pl.DataFrame:
    """Return one row per cluster of `find_coordinated_clusters`: cluster_id, n_accounts, n_core, grade and evidence."""
    sizes = [pl.len().cast(pl.Int64).alias("n_accounts"), pl.col("is_core").sum().cast(pl.Int64).alias("n_core")]
    evidence = [pl.col(column).first() for column in CLUSTER_COLUMNS]
    return clusters.group_by("cluster_id").agg(*sizes, *evidence).sort("cluster_id")


def keep_grades(groups: pl.DataFrame, is_kept: pl.Expr) -> pl.DataFrame:
    """Return the groups of some grades, numbered anew from 1."""
    return number_clusters(groups.filter(is_kept))


def make_table(log: ActionLog, coordinated: Weighed, on_clock: Weighed, *, largest_p: float) -> pl.DataFrame:
    """Return one row per account, in the group whose actions it is closest to.

    An account of a coordinated group is in no group of a shared clock.

    Args:
        log: of which the codes are.
        coordinated: groups that no clock explains.
        on_clock: groups that one does.
        largest_p: the largest p-value that was kept.
    """
    parts, is_free = [], np.ones(len(log.accounts), bool)
    for (groups, weighed), grade in ((coordinated, None), (on_clock, SHARED_CLOCK)):
        closest = _choose_closest(weighed, is_free)
        for number, membership in enumerate(weighed):
            members = np.flatnonzero(closest == number)
            if len(members) < MIN_MEMBERS:
                continue
            is_free[members] = False
            evidence = _describe_group(groups[number], largest_p, grade)
            rows = _rows_of_members(log, membership, members, groups[number][0].window_us)
            parts.append(rows.with_columns(cluster_id=len(parts), **evidence))
    if not parts:
        return empty_groups()
    columns = empty_groups().schema
    return number_clusters(pl.concat(parts).select(pl.col(name).cast(dtype) for name, dtype in columns.items()))


def _choose_closest(weighed: Sequence[Membership], is_free: np.ndarray) -> np.ndarray:
    """Return, per account, the number of the group it belongs to and is closest to; -1 for none."""
    best, closest = np.full(len(is_free), -1), np.zeros(len(is_free))
    for number, membership in enumerate(weighed):
        closeness = np.where(membership.is_member & is_free, membership.closeness, 0)
        best[closeness > closest] = number
        closest = np.maximum(closest, closeness)
    return best


def _rows_of_members(log: ActionLog, membership: Membership, members: np.ndarray, window_us: int) -> pl.DataFrame:
    chosen = np.zeros(len(log.accounts), bool)
    chosen[members] = True
    a, b, n = count_pairs(log.keep(chosen[log.account_code]), window_us=window_us)
    strength, is_core = measure_members(members, a, b, n)
    return pl.DataFrame(
        {
            "account_id": log.accounts.gather(members), "strength": strength, "is_core": is_core,
            "n_objects_near": membership.n_near[members], "expected_objects": membership.due[members],
            "p_member": membership.p[members],
        }
    )  # fmt: skip


def _describe_group(groups: Sequence[Group], largest_p: float, grade: str | None) -> dict[str, pl.Expr]:
    """The evidence on a group, from one or both halves: counts add up, of p-values the larger is shown."""
    clock = max((group.clock for group in groups), key=lambda c: (c.explains, c.due))
    by_clock = sum(g.clock.due for g in groups)
    seen, due = sum(g.seen for g in groups), sum(g.due for g in groups)
    is_closed = any(g.is_closed and g.p_within > largest_p for g in groups)
    nulls = [[g.swap or (0.0, 0.0) for g in groups]] + ([] if is_closed else [[g.within for g in groups]])
    moments = [np.array(null).sum(axis=0) for null in nulls]
    z = min((seen - mean) / max(variance, 1.0) ** 0.5 for mean, variance in moments)
    evidence = {
        "grade": grade or (CLOSED_GROUP if is_closed else BEYOND_SHARED_INTEREST), "ratio": seen / max(due, 1e-9),
        "z": z,
        "p_within": max(g.p_within for g in groups), "p_swap": max(g.p_swap for g in groups),
        "outsiders_frac": float(np.mean([g.outsiders_frac for g in groups])), "n_co_actions": int(seen),
        "expected_n": due, "time_window_s": groups[0].window_us / 1e6, "clock_s": clock.period_s or None,
        "clock_ratio": seen / by_clock if by_clock else None,
        "at_start_frac": float(np.mean([g.at_start_frac for g in groups])),
    }  # fmt: skip
    return {name: pl.lit(value, CLUSTER_COLUMNS[name]) for name, value in evidence.items()}


def empty_groups() -> pl.DataFrame:
    """Return the table without a row."""
    extra = [pl.Series(name, [], dtype) for name, dtype in (CLUSTER_COLUMNS | ACCOUNT_COLUMNS).items()]
    return empty_table("clusters").with_columns(extra)
