"""Each account's phases, cut where its mix of narratives changes, and the campaigns that several accounts were in.

A bought account has an earlier life: other subjects, another language, adverts. Its posts before the change are not
part of what its cluster pushed later, and a report that mixes both says something false about either.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from workbench.narratives.change_points import find_change_points
from workbench.narratives.find import Narratives
from workbench.narratives.timeline import join_narratives
from workbench.schema import ParameterError

_OWN_CATEGORIES = 12
_UNPLACED = 0
_MAX_GAP_DAYS = 30
_MIN_SHARE = 0.2
_MOST_FRAC = 0.5
_COMMON_FRAC = 0.25

PHASE_COLUMNS: dict[str, pl.DataType | type[pl.DataType]] = {
    "account_id": pl.String,
    "cluster_id": pl.Int64,
    "phase": pl.Int64,
    "first_at": pl.Datetime("us", "UTC"),
    "last_at": pl.Datetime("us", "UTC"),
    "n_posts": pl.Int64,
    "narrative_ids": pl.List(pl.Int64),
    "language": pl.String,
    "shared_frac": pl.Float64,
    "common_frac": pl.Float64,
    "kind": pl.String,
}
"""`narrative_ids`: those with at least a fifth of the phase's posts, most first. `shared_frac`: share of n_posts in
narratives that enough accounts of the cluster posted in the same months, `common_frac` in narratives that a quarter of
the cluster's accounts posted at any time. `kind`: campaign, side or apart."""


def find_phases(
    posts: pl.DataFrame,
    narratives: Narratives,
    *,
    clusters: pl.DataFrame | None = None,
    campaign_narratives: list[int] | None = None,
    min_accounts: int = 3,
    min_items: int = 8,
) -> pl.DataFrame:
    """Return each account's phases, and whether each was part of what its cluster pushed.

    An account's phases are cut at change points in its narratives over time; a narrative counts once a day, so that a
    burst is one item. Where at least half of a phase's posts are in narratives that at least a quarter of the cluster's
    accounts posted (or in those you name), it is `campaign`. Else, where half are in narratives that `min_accounts`
    accounts of the cluster, itself included, posted in the same calendar month, it is `side`: shared with a few, as the
    adverts of bought accounts or an earlier campaign are. All other phases are `apart`.

    Args:
        posts: the posts table.
        narratives: from `find_narratives` on these posts.
        clusters: account_id, cluster_id; only their accounts are looked at. None: all accounts, as one group.
        campaign_narratives: ids that make a phase a campaign, as somebody who read them decided; None: those of a
            quarter of the cluster's accounts.
        min_accounts: at least 2.
        min_items: fewest narrative-days in a phase.

    Returns:
        Columns of `PHASE_COLUMNS`, sorted by cluster, account and phase.

    Raises:
        ParameterError: min_accounts below 2 or min_items below 1.

    Beware: people change subjects too, and what many post in one month may be the news. `apart` is not "innocent",
        `campaign` is not "inauthentic".
    """
    if min_accounts < 2 or min_items < 1:
        raise ParameterError(
            f"min_accounts must be at least 2 and min_items at least 1, got {min_accounts} and {min_items}. "
            "Try 3 and 8."
        )
    joined = join_narratives(posts, narratives, clusters=clusters)
    if clusters is not None:
        joined = joined.filter(pl.col("cluster_id").is_not_null())
    if not joined.height:
        return pl.DataFrame(schema=PHASE_COLUMNS)
    shared = _mark_shared(joined, campaign_narratives=campaign_narratives, min_accounts=min_accounts)
    phased = pl.concat([_cut_account(account, min_items=min_items) for account in _split(shared)])
    return _describe_phases(phased)


def _mark_shared(joined: pl.DataFrame, *, campaign_narratives: list[int] | None, min_accounts: int) -> pl.DataFrame:
    """Mark the posts whose narrative several accounts of the cluster share at the time, and those many share at all."""
    month = pl.col("posted_at").dt.truncate("1mo")
    n_now = pl.col("account_id").n_unique().over("cluster_id", "narrative_id", month)
    n_ever = pl.col("account_id").n_unique().over("cluster_id", "narrative_id")
    n_all = pl.col("account_id").n_unique().over("cluster_id")
    is_placed = pl.col("narrative_id").is_not_null()
    if campaign_narratives is None:
        is_common = is_placed & (n_ever >= min_accounts) & (n_ever >= _COMMON_FRAC * n_all)
    else:
        is_common = pl.col("narrative_id").is_in(campaign_narratives).fill_null(value=False)
    return joined.with_columns(is_shared=is_placed & (n_now >= min_accounts), is_common=is_common)


def _split(joined: pl.DataFrame) -> list[pl.DataFrame]:
    return joined.sort("account_id", "posted_at", "post_id").partition_by("account_id", maintain_order=True)


def _cut_account(account: pl.DataFrame, *, min_items: int) -> pl.DataFrame:
    """Return one account's posts with the number of their phase."""
    days = (
        account.select(day=pl.col("posted_at").dt.date(), narrative_id=pl.col("narrative_id").fill_null(_UNPLACED))
        .unique()
        .sort("day", "narrative_id")
    )
    common = days["narrative_id"].value_counts().sort(["count", "narrative_id"], descending=[True, False])
    kept = common["narrative_id"].head(_OWN_CATEGORIES)
    mix = days.select(pl.when(pl.col("narrative_id").is_in(kept.implode())).then("narrative_id").otherwise(-1))
    cuts = find_change_points(mix["narrative_id"].to_numpy(), min_items=min_items)
    starts = days["day"].gather(cuts).unique().sort()
    phase = np.searchsorted(starts.to_numpy(), account["posted_at"].dt.date().to_numpy(), side="right") + 1
    return account.with_columns(phase=pl.Series(phase.astype(np.int64)))


def _describe_phases(phased: pl.DataFrame) -> pl.DataFrame:
    keys = ["cluster_id", "account_id", "phase"]
    main = (
        phased.drop_nulls("narrative_id")
        .group_by(*keys, "narrative_id")
        .agg(n=pl.len())
        .join(phased.group_by(keys).agg(n_all=pl.len()), on=keys, nulls_equal=True)
        .filter(pl.col("n") >= _MIN_SHARE * pl.col("n_all"))
        .sort(["n", "narrative_id"], descending=[True, False])
        .group_by(keys, maintain_order=True)
        .agg(narrative_ids=pl.col("narrative_id"))
    )
    return (
        phased.group_by(keys)
        .agg(
            first_at=pl.col("posted_at").min(),
            last_at=pl.col("posted_at").max(),
            n_posts=pl.len(),
            language=pl.col("language").mode().sort().first(),
            shared_frac=pl.col("is_shared").mean(),
            common_frac=pl.col("is_common").mean(),
        )
        .join(main, on=keys, how="left", nulls_equal=True)
        .with_columns(
            pl.col("narrative_ids").fill_null([]),
            kind=pl.when(pl.col("common_frac") >= _MOST_FRAC)
            .then(pl.lit("campaign"))
            .when(pl.col("shared_frac") >= _MOST_FRAC)
            .then(pl.lit("side"))
            .otherwise(pl.lit("apart")),
        )
        .select(pl.col(name).cast(dtype) for name, dtype in PHASE_COLUMNS.items())
        .sort(keys, nulls_last=True)
    )


def list_campaigns(
    posts: pl.DataFrame, narratives: Narratives, phases: pl.DataFrame, *, min_accounts: int = 3
) -> pl.DataFrame:
    """Return the campaigns of each cluster in order of time: narratives that several accounts posted at once.

    Posts of one narrative from phases of kind campaign or side belong to one campaign as long as no more than 30 days
    lie between them. So what a cluster, or a part of it, pushed years before the narrative it became known for shows
    as a campaign of its own.

    Args:
        posts: the posts table.
        narratives: from `find_narratives` on these posts.
        phases: from `find_phases` on the same.
        min_accounts: fewest accounts in a campaign.

    Returns:
        cluster_id, narrative_id, label, kind (campaign where most of its posts are from such phases, else side),
        first_at, last_at, n_posts, n_accounts, n_in_largest (accounts that were also in the cluster's largest
        campaign), sorted by cluster and first_at.
    """
    keys = ["cluster_id", "narrative_id"]
    within = (pl.col("posted_at") >= pl.col("first_at")) & (pl.col("posted_at") <= pl.col("last_at"))
    long = (
        join_narratives(posts, narratives)
        .drop_nulls("narrative_id")
        .drop("cluster_id")
        .join(phases.select("account_id", "cluster_id", "first_at", "last_at", "kind"), on="account_id")
        .filter(within & (pl.col("kind") != "apart"))
        .sort(*keys, "posted_at", "post_id", nulls_last=True)
    )
    gap = pl.col("posted_at") - pl.col("posted_at").shift(1).over(keys)
    episodes = (
        long.with_columns(is_new=(gap > pl.duration(days=_MAX_GAP_DAYS)).fill_null(value=False))
        .with_columns(episode=pl.col("is_new").cum_sum().over(keys))
        .group_by(*keys, "episode")
        .agg(
            first_at=pl.col("posted_at").min(),
            last_at=pl.col("posted_at").max(),
            n_posts=pl.len().cast(pl.Int64),
            accounts=pl.col("account_id").unique().sort(),
            kind=pl.when((pl.col("kind") == "campaign").mean() >= _MOST_FRAC)
            .then(pl.lit("campaign"))
            .otherwise(pl.lit("side")),
        )
        .with_columns(n_accounts=pl.col("accounts").list.len().cast(pl.Int64))
        .filter(pl.col("n_accounts") >= min_accounts)
        .sort(["cluster_id", "n_accounts", "first_at", "narrative_id"], descending=[False, True, False, False])
    )
    largest = pl.col("accounts").first().over("cluster_id")
    return (
        episodes.with_columns(largest=largest)
        .with_columns(n_in_largest=pl.col("accounts").list.set_intersection("largest").list.len().cast(pl.Int64))
        .join(narratives.cards.select("narrative_id", "label"), on="narrative_id", how="left")
        .select(*keys, "label", "kind", "first_at", "last_at", "n_posts", "n_accounts", "n_in_largest")
        .sort("cluster_id", "first_at", "narrative_id", nulls_last=True)
    )
