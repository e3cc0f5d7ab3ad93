"""Exact times out of Twitter's post ids, where the ids are whole."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

TWITTER_EPOCH_MS = 1_288_834_974_657
MIN_FINE_FRAC = 0.05
MAX_ROUND_FRAC = 0.2


@dataclass(frozen=True)
class Restored:
    """Posts with the times their ids carry, and how that went."""

    posts: pl.DataFrame
    n_restored: int
    reason: str


def restore_times(posts: pl.DataFrame) -> Restored:
    """Return the posts with `posted_at` to the millisecond wherever the id agrees with the stamp.

    A post id made since November 2010 holds the millisecond it was made in. It is used only where it falls within the
    stamp's own resolution, and only if the ids of the file as a whole were not rounded on their way.

    Args:
        posts: post_id, posted_at, time_resolution_s of one file.

    Source: Twitter, "Announcing Snowflake" (2010): id >> 22 = milliseconds since 2010-11-04T01:42:54.657Z.
    Beware: a rounded id still decodes to nearly the right time, but stands for another post; such a file's ids are not
        to be trusted for anything finer, so all of it stays at the stamp's resolution.
    """
    number = pl.col("post_id").cast(pl.UInt64, strict=False)
    fault = find_rounding(posts.select(number)["post_id"])
    if fault:
        return Restored(posts, 0, fault)
    own = pl.from_epoch((number // 2**22).cast(pl.Int64) + TWITTER_EPOCH_MS, time_unit="ms")
    own = own.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    gap_us = (own - pl.col("posted_at")).dt.total_microseconds()
    resolution_us = (pl.col("time_resolution_s") * 1e6).cast(pl.Int64)
    agrees = (number >= 2**22) & (gap_us >= 0) & (gap_us < resolution_us) & (pl.col("time_resolution_s") > 0.001)
    agrees = agrees.fill_null(value=False)
    n_restored = int(posts.select(agrees.sum()).item())
    restored = posts.with_columns(
        posted_at=pl.when(agrees).then(own).otherwise("posted_at"),
        time_resolution_s=pl.when(agrees).then(0.001).otherwise("time_resolution_s"),
    )
    return Restored(restored, n_restored, "each of these ids carries its own millisecond, in agreement with the stamp")


def find_rounding(numbers: pl.Series) -> str:
    """Return why the ids of a file look rounded, in words; empty where they look whole.

    Ids kept as floating-point numbers become multiples of a power of two (128 or 256 for those of 2014 to 2021); ids
    kept with 15 or 17 digits end in zeros. Of whole ids about a quarter have something in their lowest seven bits, and
    one in a hundred ends in 00.
    """
    numbers = numbers.drop_nulls()
    numbers = numbers.filter(numbers >= 2**53)
    if numbers.is_empty():
        return ""
    values = numbers.to_numpy()
    # a float64 has 53 bits: from 2^53 on it only holds multiples of its spacing
    fine_frac = float(np.mean(values % np.spacing(values.astype(np.float64)).astype(np.uint64) != 0))
    if fine_frac < MIN_FINE_FRAC:
        return (
            f"only {fine_frac:.1%} of the {len(numbers):,} long ids have anything in their lowest bits (whole ids: "
            "about a quarter), so they went through floating-point numbers, or are too few to tell"
        )
    round_frac = float(np.mean(values % 100 == 0))
    if round_frac > MAX_ROUND_FRAC:
        return f"{round_frac:.0%} of the {len(numbers):,} long ids end in 00, so they were rounded to fewer digits"
    return ""
