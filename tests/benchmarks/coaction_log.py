"""A synthetic stress log: shares whose objects, delays and accounts are as uneven as in the worst real bursts.

Objects follow Zipf's law with exponent 1.1, none above 1 % of all shares; a share comes a lognormal delay after its
object (median about an hour); accounts are lognormally busy. At 3.6 million shares and a window of 60 s this makes
about 169 million co-actions. Pairs grow with the square of the shares, as they do in life.

Usage: python tests/benchmarks/coaction_log.py N_SHARES OUT.parquet
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

ZIPF_EXPONENT, MAX_SHARE = 1.1, 0.01
MEDIAN_DELAY_S, DELAY_SIGMA = 3_770.0, 1.5
SHARES_PER_OBJECT, SHARES_PER_ACCOUNT, ACCOUNT_SIGMA = 12, 120, 1.0
PERIOD_S = 90 * 86_400
START_S = int(datetime(2019, 6, 1, tzinfo=UTC).timestamp())
FIRST_ID = 1_130_000_000_000_000_000
"""ids as long as the platforms' own"""


def make_stress_log(n_shares: int, *, seed: int) -> pl.DataFrame:
    """Return a synthetic table `actions` of one trace, in order of its posts."""
    rng = np.random.default_rng(seed)
    n_objects, n_accounts = max(200, n_shares // SHARES_PER_OBJECT), max(50, n_shares // SHARES_PER_ACCOUNT)
    objects = rng.choice(n_objects, n_shares, p=_object_shares(n_objects))
    busy = np.cumsum(rng.lognormal(0, ACCOUNT_SIGMA, n_accounts))
    accounts = np.searchsorted(busy, rng.random(n_shares) * busy[-1])
    appeared_s = rng.integers(START_S, START_S + PERIOD_S, n_objects)[objects]
    delay_s = np.minimum(rng.lognormal(np.log(MEDIAN_DELAY_S), DELAY_SIGMA, n_shares), PERIOD_S)
    ids = {"account_id": accounts * 7_919, "post_id": np.arange(n_shares) * 131, "object_id": objects * 104_729}
    return pl.DataFrame(
        {name: (values + FIRST_ID).astype(np.int64) for name, values in ids.items()}
        | {"acted_at": (appeared_s + delay_s.astype(np.int64)) * 1_000_000}
    ).select(
        pl.col("account_id", "post_id").cast(pl.String),
        pl.lit("repost").alias("trace"),
        pl.col("object_id").cast(pl.String),
        pl.col("acted_at").cast(pl.Datetime("us", "UTC")),
    )


def _object_shares(n_objects: int) -> np.ndarray:
    """Zipf's law with its head cut at MAX_SHARE; what is cut off goes to the others in proportion."""
    share = np.arange(1, n_objects + 1) ** -ZIPF_EXPONENT
    share /= share.sum()
    while share.max() > MAX_SHARE * 1.000_001:
        is_capped = share >= MAX_SHARE
        share[is_capped] = MAX_SHARE
        share[~is_capped] *= (1 - MAX_SHARE * is_capped.sum()) / share[~is_capped].sum()
    return share / share.sum()


if __name__ == "__main__":
    make_stress_log(int(sys.argv[1]), seed=7).write_parquet(Path(sys.argv[2]))
