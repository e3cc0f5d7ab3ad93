"""A group's accounts and posts -> the signs of where they may have been run from, beside those of everybody else.

None of these signs is evidence by itself: each is chosen by whoever runs an account.
"""

from __future__ import annotations

import polars as pl

from workbench.hours import fit_working_hours
from workbench.schema import check_table

SIGNS = ("language of posts", "interface language", "place stated", "application")
MOST_VALUES = 3
MIN_ACCOUNTS_OF_A_PLACE = 5
"""a place that fewer accounts state could point at somebody"""

_SIGNS = {
    "cluster_id": pl.Int64, "sign": pl.String, "value": pl.String, "n": pl.Int64, "n_whole": pl.Int64,
    "frac": pl.Float64, "others_frac": pl.Float64,
}  # fmt: skip


def count_origin_signs(accounts: pl.DataFrame, posts: pl.DataFrame, clusters: pl.DataFrame) -> pl.DataFrame:
    """Return each cluster's most frequent language, interface language, stated place and application.

    Args:
        accounts: table `accounts`.
        posts: table `posts`.
        clusters: rows with account_id, cluster_id; none = everybody is one group, numbered 0.

    Returns:
        cluster_id, sign (of SIGNS), value, n (posts, or accounts for interface language and place), n_whole (those
        where it is known), frac, others_frac (the same value's share among everybody in no cluster; null where
        nobody is left). At most three values per cluster and sign, the most frequent first.

    Raises:
        SchemaError: `accounts` or `posts` is not such a table.
    """
    accounts, posts = check_table(accounts, "accounts"), check_table(posts, "posts")
    member = _members(accounts, posts, clusters)
    language = pl.col("lang").str.to_lowercase().str.replace("[-_].*$", "")
    stated = [
        posts.select("account_id", sign=pl.lit(SIGNS[0]), value=pl.when(language != "und").then(language)),
        accounts.select("account_id", sign=pl.lit(SIGNS[1]), value=pl.col("language").str.to_lowercase()),
        accounts.select("account_id", sign=pl.lit(SIGNS[2]), value=pl.col("location").str.strip_chars()),
        posts.select("account_id", sign=pl.lit(SIGNS[3]), value="client"),
    ]
    known = pl.concat(stated).filter(pl.col("value").str.len_chars() > 0)
    counted = (
        known.join(member, on="account_id", how="left")
        .group_by("cluster_id", "sign", "value")
        .agg(n=pl.len().cast(pl.Int64))
        .with_columns(n_whole=pl.col("n").sum().over("cluster_id", "sign"))
        .with_columns(frac=pl.col("n") / pl.col("n_whole"))
    )
    few = (pl.col("sign") == SIGNS[2]) & (pl.col("n") < MIN_ACCOUNTS_OF_A_PLACE)
    inside, others = (
        counted.filter(pl.col("cluster_id").is_not_null() & ~few),
        counted.filter(pl.col("cluster_id").is_null()),
    )
    beside = others.select("sign", "value", others_frac="frac")
    any_others = others.select("sign", has_others=pl.lit(value=True)).unique()
    rank = pl.col("sign").replace_strict({sign: n for n, sign in enumerate(SIGNS)})
    ranked = (
        inside.join(beside, on=["sign", "value"], how="left")
        .join(any_others, on="sign", how="left")
        .with_columns(pl.when("has_others").then(pl.col("others_frac").fill_null(0.0)).alias("others_frac"))
        .sort("cluster_id", rank, "n", "value", descending=[False, False, True, False])
        .group_by("cluster_id", "sign", maintain_order=True)
        .head(MOST_VALUES)
    )
    return ranked.select(pl.col(name).cast(dtype) for name, dtype in _SIGNS.items())


def fit_cluster_clocks(
    posts: pl.DataFrame, clusters: pl.DataFrame, *, n_bootstrap: int = 200, seed: int
) -> pl.DataFrame:
    """Return the fit of office hours for each cluster: cluster_id and the columns of `fit_working_hours`.

    Args:
        posts: table `posts`.
        clusters: rows with account_id, cluster_id; none = everybody is one group, numbered 0.
        n_bootstrap: draws of accounts for the intervals.
        seed: of the draws; each cluster has draws of its own.

    Raises:
        SchemaError: `posts` is not a table of posts.
        ParameterError: no draws.
    """
    posts = check_table(posts, "posts")
    parts = []
    member = clusters.select("account_id", pl.col("cluster_id").cast(pl.Int64))
    grouped = posts.join(member, on="account_id", how="inner") if clusters.height else posts.with_columns(cluster_id=0)
    for cluster_id in sorted(grouped["cluster_id"].unique().to_list()):
        own = grouped.filter(pl.col("cluster_id") == cluster_id)
        fit = fit_working_hours(own, n_bootstrap=n_bootstrap, seed=seed + int(cluster_id))
        parts.append(fit.select(pl.lit(cluster_id, pl.Int64).alias("cluster_id"), pl.all()))
    empty = fit_working_hours(posts.clear(), seed=seed)
    return pl.concat(parts) if parts else empty.select(pl.lit(0, pl.Int64).alias("cluster_id"), pl.all())


def _members(accounts: pl.DataFrame, posts: pl.DataFrame, clusters: pl.DataFrame) -> pl.DataFrame:
    if clusters.height:
        return clusters.select("account_id", pl.col("cluster_id").cast(pl.Int64)).unique("account_id", keep="first")
    everybody = pl.concat([accounts["account_id"], posts["account_id"]]).unique().sort()
    return pl.DataFrame({"account_id": everybody}).with_columns(cluster_id=pl.lit(0, pl.Int64))
