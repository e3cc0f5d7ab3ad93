"""accounts -> days on which suspiciously many of them were made."""

from __future__ import annotations

import numpy as np
import polars as pl
from scipy import stats

from workbench.schema import ParameterError, check_table

DAYS_EACH_SIDE = 28
MIN_ACCOUNTS = 5


def find_creation_bursts(accounts: pl.DataFrame, *, max_fdr: float) -> pl.DataFrame:
    """Return, for each day on which an account was made, how many were made and how many were due.

    Due is the mean of the 28 days on each side, the day itself left out, and at least half an account in that time.
    The tail is Poisson; the false discovery rate (Benjamini and Hochberg) runs over all days between the first and the
    last. A burst has at least five accounts.

    Args:
        accounts: table `accounts`; those without `created_at` are left out.
        max_fdr: 0..1, the share of false bursts put up with.

    Returns:
        day (date), n_accounts, expected_n, p_value, fdr, is_burst; one row per day with an account, sorted by day.

    Raises:
        ParameterError: `max_fdr` outside 0..1.
        SchemaError: `accounts` is not a table of accounts.

    Source: creation bursts as in Bellingcat 2020 (#MilesGuo); the test is ours.
    Beware: a news event, an app's launch or an invitation campaign brings many honest people in one day.
    """
    if not 0 <= max_fdr <= 1:
        raise ParameterError(f"max_fdr is {max_fdr}; expected a share from 0 to 1.")
    days = check_table(accounts, "accounts").select(day=pl.col("created_at").dt.date()).drop_nulls()
    counts = days.group_by("day").agg(n_accounts=pl.len().cast(pl.Int64)).sort("day")
    if counts.is_empty():
        return counts.with_columns(
            expected_n=pl.lit(0.0), p_value=pl.lit(1.0), fdr=pl.lit(1.0), is_burst=pl.lit(value=False)
        )
    every = counts.upsample("day", every="1d").with_columns(pl.col("n_accounts").fill_null(0))
    n = every["n_accounts"].to_numpy()
    expected = _local_mean(n)
    p_value = stats.poisson.sf(n - 1, expected)
    return (
        every.with_columns(expected_n=expected, p_value=p_value, fdr=stats.false_discovery_control(p_value))
        .with_columns(is_burst=(pl.col("fdr") <= max_fdr) & (pl.col("n_accounts") >= MIN_ACCOUNTS))
        .filter(pl.col("n_accounts") > 0)
    )


def count_created(accounts: pl.DataFrame, bursts: pl.DataFrame, *, every: str) -> pl.DataFrame:
    """Return accounts made per period: created_at (date), n_accounts, is_burst (a burst day lies in the period).

    Args:
        accounts: table `accounts`.
        bursts: from `find_creation_bursts`.
        every: "1d", "1mo" or another period that polars knows.

    Raises:
        SchemaError: `accounts` is not a table of accounts.
    """
    made = check_table(accounts, "accounts").select(created_at=pl.col("created_at").dt.date()).drop_nulls()
    days = bursts.filter("is_burst").select(created_at="day")
    periods = made.with_columns(pl.col("created_at").dt.truncate(every))
    hit = days.with_columns(pl.col("created_at").dt.truncate(every)).unique()
    return (
        periods.group_by("created_at")
        .agg(n_accounts=pl.len().cast(pl.Int64))
        .join(hit.with_columns(is_burst=pl.lit(value=True)), on="created_at", how="left")
        .with_columns(pl.col("is_burst").fill_null(value=False))
        .sort("created_at")
    )


def _local_mean(n: np.ndarray) -> np.ndarray:
    """Mean of the days on each side, the day itself left out; shorter at the ends, never nothing."""
    total = np.concatenate([[0], np.cumsum(n)])
    at = np.arange(len(n))
    lo, hi = np.maximum(at - DAYS_EACH_SIDE, 0), np.minimum(at + DAYS_EACH_SIDE + 1, len(n))
    return np.maximum(total[hi] - total[lo] - n, 0.5) / np.maximum(hi - lo - 1, DAYS_EACH_SIDE)
