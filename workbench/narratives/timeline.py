"""Narratives over time, by cluster: the tables behind the stream, the heat map and the list of campaigns."""

from __future__ import annotations

import polars as pl

from workbench.narratives.find import Narratives
from workbench.schema import ParameterError

_KEY = ["platform", "post_id"]
_PERIODS = ("1d", "1w", "1mo", "1q", "1y")
_OTHERS = "all others"


def join_narratives(
    posts: pl.DataFrame, narratives: Narratives, *, clusters: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Return the posts that can be read, each with its narrative, language and its account's cluster.

    Returns:
        account_id, cluster_id (null outside clusters), post_id, platform, posted_at, narrative_id (null where in none),
        family_id, language; one row per post, in order of time.
    """
    read = narratives.families.select(*_KEY, "family_id", "language").join(
        narratives.posts.select(*_KEY, "narrative_id"), on=_KEY, how="left"
    )
    own = posts.select("account_id", *_KEY, "posted_at").unique(_KEY, keep="first").join(read, on=_KEY)
    if clusters is None:
        own = own.with_columns(cluster_id=pl.lit(None, pl.Int64))
    else:
        members = clusters.select("account_id", "cluster_id").unique("account_id", keep="first", maintain_order=True)
        own = own.join(members, on="account_id", how="left")
    return own.select("account_id", "cluster_id", *_KEY, "posted_at", "narrative_id", "family_id", "language").sort(
        "posted_at", *_KEY
    )


def count_narratives_over_time(
    posts: pl.DataFrame,
    narratives: Narratives,
    *,
    every: str,
    clusters: pl.DataFrame | None = None,
    max_narratives: int = 7,
) -> pl.DataFrame:
    """Return how many posts each narrative had in each period, by cluster.

    Args:
        posts: the posts table.
        narratives: from `find_narratives` on these posts.
        every: "1d", "1w", "1mo", "1q" or "1y".
        clusters: account_id, cluster_id; without it cluster_id is null everywhere.
        max_narratives: the largest so many are told apart, the rest is "all others".

    Returns:
        period (date), cluster_id, narrative_id (null for all others), narrative (number and label), n_posts,
        n_accounts. Periods without posts have no row.

    Raises:
        ParameterError: an unknown period, or max_narratives below 1.
    """
    if every not in _PERIODS:
        raise ParameterError(f"every must be one of {', '.join(_PERIODS)}, got {every!r}. Try '1w'.")
    if max_narratives < 1:
        raise ParameterError(f"max_narratives must be at least 1, got {max_narratives}. Try 7.")
    joined = join_narratives(posts, narratives, clusters=clusters).drop_nulls("narrative_id")
    is_large = pl.col("narrative_id") <= max_narratives
    return (
        joined.with_columns(narrative_id=pl.when(is_large).then("narrative_id"))
        .group_by("cluster_id", "narrative_id", period=pl.col("posted_at").dt.truncate(every).dt.date())
        .agg(n_posts=pl.len().cast(pl.Int64), n_accounts=pl.col("account_id").n_unique().cast(pl.Int64))
        .join(name_narratives(narratives.cards), on="narrative_id", how="left")
        .with_columns(pl.col("narrative").fill_null(_OTHERS))
        .select("period", "cluster_id", "narrative_id", "narrative", "n_posts", "n_accounts")
        .sort("period", "cluster_id", "narrative_id", nulls_last=True)
    )


def name_narratives(cards: pl.DataFrame) -> pl.DataFrame:
    """Return each narrative's number and label in one short name."""
    return cards.select("narrative_id", narrative=pl.format("{} {}", "narrative_id", "label"))
