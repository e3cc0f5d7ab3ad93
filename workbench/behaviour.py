"""profiles -> accounts that behave alike, and how that agrees with who acted together.

None of the features knows who acted with whom. So where the two groupings agree, that is found and not built in; where
they do not, nothing is refuted: people of one trade behave alike without knowing each other.
"""

from __future__ import annotations

import hdbscan
import numpy as np
import polars as pl
from sklearn.metrics import adjusted_rand_score

from workbench.schema import ParameterError, SchemaError

MIN_POSTS = 10
MIN_ACCOUNTS = 30
SMALLEST_GROUP = 10
SMALLEST_GROUP_FRAC = 0.01
FARTHEST = 3.0
MIN_MEMBERSHIP = 0.2

_PACE = (pl.col("n_posts") / pl.col("n_active_days").clip(1)).log()
_FOLLOWING = ((pl.col("n_followers") + 1) / (pl.col("n_following") + 1)).log()
FEATURES: dict[str, tuple[pl.Expr, str]] = {
    "pace": (_PACE, "posts per day on which it posted, as a logarithm"),
    "reposts": (pl.col("repost_frac"), "share of its posts that are reposts"),
    "replies": (pl.col("reply_frac"), "share that are replies"),
    "links": (pl.col("link_frac"), "share that hold a link"),
    "hours": (pl.col("busiest_hours_frac"), "share in its busiest nine hours of the day"),
    "one tool": (pl.col("main_client_frac"), "share posted from its commonest application"),
    "following": (_FOLLOWING, "followers over accounts followed, each plus one, as a logarithm"),
    "age": (pl.col("created_at").dt.epoch("d").cast(pl.Float64), "the day it was made"),
}
"""name -> (from the profile, what it is); eight, so that distances still mean something"""
_COLUMNS = [
    "account_id",
    *sorted({column for expression, _ in FEATURES.values() for column in expression.meta.root_names()}),
]


def scale_features(profiles: pl.DataFrame) -> pl.DataFrame:
    """Return account_id and the features of `FEATURES`, comparable with each other, of accounts with ten posts or more.

    Each is its distance from the median of all, in units of half the spread of the middle half (of a normal feature,
    0.67 standard deviations), at most three either way; what is unknown stands at the median. A feature that hardly
    varies is 0 throughout.

    Args:
        profiles: from `profile_accounts`.

    Raises:
        SchemaError: `profiles` lacks a column.
    """
    lacking = [column for column in _COLUMNS if column not in profiles.columns]
    if lacking:
        raise SchemaError(
            f"profiles lacks column '{lacking[0]}' (has {profiles.columns}). Pass the table of profile_accounts."
        )
    judged = profiles.filter(pl.col("n_posts") >= MIN_POSTS)
    raw = judged.select("account_id", **{name: expression for name, (expression, _) in FEATURES.items()})
    spread = {name: pl.col(name).quantile(0.75) - pl.col(name).quantile(0.25) for name in FEATURES}
    away = {name: ((pl.col(name) - pl.col(name).median()) / (spread[name] / 2)).fill_nan(0.0) for name in FEATURES}
    scaled = {
        name: pl.when(spread[name] > 1e-9).then(away[name].clip(-FARTHEST, FARTHEST)).otherwise(0.0).fill_null(0.0)
        for name in FEATURES
    }
    return raw.select("account_id", **scaled)


def cluster_profiles(profiles: pl.DataFrame) -> pl.DataFrame:
    """Return which accounts behave alike, by density, on the eight scaled features of `FEATURES`.

    The smallest group is ten accounts or one in a hundred, whichever is more. Accounts that only lie at a group's far
    edge (membership below 0.2) are left out of it: on planted groups, no member was that far out. Neither the order of
    rows nor the names of accounts change anything, and nothing is drawn by lot.

    Args:
        profiles: from `profile_accounts`; accounts with fewer than ten posts are left out.

    Returns:
        account_id, behaviour_id (i64, 1 = largest group; null where the account is like no group), membership (0 to 1,
        how deep inside its group; 0 outside); one row per account judged, sorted by account_id. With fewer than thirty
        accounts to judge, nobody is grouped.

    Raises:
        SchemaError: `profiles` lacks a column.

    Source: HDBSCAN, Campello, Moulavi and Sander 2013, package hdbscan.
        Differs from the name in the literature on troll accounts (behavioural traces): counts and shares only.
    Beware: density finds groups in any cloud. Accounts of one trade, one country or one app behave alike; that says
        nothing about acting together, and acting together says nothing about deceiving.
    """
    scaled = scale_features(profiles).sort(*FEATURES)
    if scaled.height < MIN_ACCOUNTS:
        alone = scaled.select("account_id", behaviour_id=pl.lit(None, pl.Int64), membership=pl.lit(0.0))
        return alone.sort("account_id")
    smallest = max(SMALLEST_GROUP, round(SMALLEST_GROUP_FRAC * scaled.height))
    fit = hdbscan.HDBSCAN(
        min_cluster_size=smallest, min_samples=SMALLEST_GROUP, approx_min_span_tree=False, core_dist_n_jobs=1
    ).fit(scaled.select(*FEATURES).to_numpy())
    found = pl.DataFrame(
        {"account_id": scaled["account_id"], "label": fit.labels_.astype(np.int64), "membership": fit.probabilities_}
    )
    is_inside = (pl.col("label") >= 0) & (pl.col("membership") >= MIN_MEMBERSHIP)
    found = found.with_columns(
        label=pl.when(is_inside).then("label").otherwise(-1),
        membership=pl.when(is_inside).then("membership").otherwise(0),
    )
    # Numbered by size, ties by what their first account looks like: the rows are in the order of the features.
    sizes = found.filter(pl.col("label") >= 0).group_by("label", maintain_order=True).len("n")
    numbers = sizes.sort("n", descending=True, maintain_order=True).select(
        "label", behaviour_id=pl.int_range(1, pl.len() + 1, dtype=pl.Int64)
    )
    return (
        found.join(numbers, on="label", how="left")
        .select("account_id", "behaviour_id", "membership")
        .sort("account_id")
    )


def describe_behaviour(profiles: pl.DataFrame, groups: pl.DataFrame) -> pl.DataFrame:
    """Return what each group is like: behaviour_id, n_accounts and the median of each scaled feature; null = the rest.

    Args:
        profiles: from `profile_accounts`.
        groups: from `cluster_profiles` on the same profiles.
    """
    both = groups.join(scale_features(profiles), on="account_id")
    return (
        both.group_by("behaviour_id")
        .agg(pl.len().cast(pl.Int64).alias("n_accounts"), pl.col(*FEATURES).median().round(2))
        .sort("behaviour_id", nulls_last=True)
    )


def cross_groups(clusters: pl.DataFrame, groups: pl.DataFrame) -> pl.DataFrame:
    """Return how many accounts are in each cluster and each group of like behaviour.

    The columns are cluster_id, behaviour_id and n_accounts; null stands for no cluster, or no group. Only accounts
    that could be in both are counted: those of `groups`.
    """
    both = groups.join(clusters.select("account_id", "cluster_id"), on="account_id", how="left")
    return (
        both.group_by("cluster_id", "behaviour_id")
        .agg(n_accounts=pl.len().cast(pl.Int64))
        .sort("cluster_id", "behaviour_id", nulls_last=True)
    )


def compare_groups(clusters: pl.DataFrame, groups: pl.DataFrame, *, n_draws: int = 200, seed: int) -> pl.DataFrame:
    """Return how far clusters and groups of like behaviour agree, over two sets of accounts, with coverage beside.

    Args:
        clusters: rows with account_id, cluster_id.
        groups: from `cluster_profiles`.
        n_draws: halves drawn for the interval.
        seed: of the draws.

    Returns:
        Two rows: over ("accounts in both" groupings; "all judged", where being in no cluster, or in no group, counts as
        a group of its own), n_accounts, ari (adjusted Rand index: 1 = the same groups, 0 = as by chance; null for
        fewer than two accounts), low, high (95 %, from random halves of the accounts, whose spread is that of the
        whole), coverage_frac (n_accounts as a share of the clustered accounts, and of all judged), n_clusters,
        n_groups.

    Raises:
        ParameterError: no draws.

    Source: Hubert and Arabie 1985; half-samples in place of a bootstrap, whose repeated accounts would agree with
        themselves.
    """
    if n_draws < 1:
        raise ParameterError(f"n_draws is {n_draws}; expected 1 or more.")
    judged = groups.join(clusters.select("account_id", "cluster_id"), on="account_id", how="left").sort("account_id")
    both = judged.drop_nulls(["cluster_id", "behaviour_id"])
    rng = np.random.default_rng(seed)
    rows = []
    for over, table, whole in (("accounts in both", both, clusters.height), ("all judged", judged, judged.height)):
        a, b = (table[column].fill_null(0).to_numpy() for column in ("cluster_id", "behaviour_id"))
        ari = float(adjusted_rand_score(a, b)) if len(a) > 1 else None
        draws = [rng.permutation(len(a))[: len(a) // 2] for _ in range(n_draws)] if len(a) >= 4 else []
        low, high = (
            np.quantile([adjusted_rand_score(a[x], b[x]) for x in draws], [0.025, 0.975]) if draws else (None, None)
        )
        n_clusters, n_groups = (table[column].drop_nulls().n_unique() for column in ("cluster_id", "behaviour_id"))
        rows.append((over, len(a), ari, low, high, len(a) / whole if whole else None, n_clusters, n_groups))
    return pl.DataFrame(rows, schema=_COMPARED, orient="row")


_COMPARED = {
    "over": pl.String, "n_accounts": pl.Int64, "ari": pl.Float64, "low": pl.Float64, "high": pl.Float64,
    "coverage_frac": pl.Float64, "n_clusters": pl.Int64, "n_groups": pl.Int64,
}  # fmt: skip
