"""Joins of a tip with one's own data that no tip, careless or hostile, can blow up."""

from __future__ import annotations

import polars as pl

from workbench.privacy import defang
from workbench.schema import SourceError

MAX_LINES_PER_NAME = 20
"""So many indicators that resemble one another are compared by resemblance; an account's name counts once anyway."""
MAX_TOUCHES = 2_000_000
_MAX_PER_ROW = 20
_SAME = ("indicator_type", "platform", "match_key", "role", "account_id", "display_name", "hashed_kind")


def first_lines(indicators: pl.DataFrame) -> pl.Series:
    """Return per indicator the line that says the same first; its own where none does."""
    same = [name for name in _SAME if name in indicators.columns]
    first = pl.when(pl.col("match_key").is_null()).then("line").otherwise(pl.col("line").min().over(same))
    return indicators.select(first_line=first).to_series()


def keep_few_per_name(listed: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return the rows that have a name, the first 20 of each: numbered handles come by the thousand."""
    named = listed.drop_nulls(name)
    return named.filter(pl.int_range(pl.len()).over(name) < MAX_LINES_PER_NAME)


def join_within_bounds(listed: pl.DataFrame, own: pl.DataFrame, on: str) -> pl.DataFrame:
    """Return every pair of a listed and an own row that agree, counted before it is made.

    Raises:
        SourceError: there would be more than 2 million, and more than 20 for each own row.
    """
    counts = listed.group_by(on).len("n_listed").join(own.group_by(on).len("n_own"), on=on)
    counts = counts.with_columns(n=pl.col("n_listed").cast(pl.Int64) * pl.col("n_own")).sort("n", on)
    n = int(counts["n"].sum())
    if n > max(MAX_TOUCHES, _MAX_PER_ROW * own.height):
        most = counts.row(-1, named=True)
        raise SourceError(
            f"The tip would touch one's own data {n:,} times, {most['n']:,} of them by the {on} "
            f"'{defang(str(most[on]))[:80]}', which it lists {most['n_listed']:,} times and our data holds "
            f"{most['n_own']:,} times. Expected at most {MAX_TOUCHES:,}. Take it out of the tip, or match in parts."
        )
    return listed.join(own, on=on, how="inner")
