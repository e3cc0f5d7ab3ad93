"""Who carried state outlets' content: which posts refer to which outlet and how, and whether more than others did.

Overt is not covert. An outlet's own accounts are set apart from those that amplify it; a state's outlets quoting each
other are its newsroom, openly; and many people link to state media because they read it.
"""

from __future__ import annotations

import polars as pl

from workbench.schema import SchemaError
from workbench.state_media.ratios import estimate_ratio
from workbench.state_media.references import select_outlet_posts
from workbench.state_media.wrappers import unwrap_url
from workbench.text import canonical_url, normalise_text

REFERENCE_KINDS = ("link", "repost", "quote", "copy")


def measure_amplification(
    references: pl.DataFrame, posts: pl.DataFrame, clusters: pl.DataFrame, *, outlet_accounts: pl.DataFrame
) -> pl.DataFrame:
    """Return, per cluster and outlet, how much of its output refers to it, against all accounts outside clusters.

    Args:
        references: from `find_references`.
        posts: the same posts.
        clusters: the clusters table; accounts in none of them are the rest.
        outlet_accounts: from `find_outlet_accounts`; their posts count on neither side, and a cluster says how many
            of its members they are (n_outlet_accounts): a cluster of a state's own outlets is overt.

    Returns:
        cluster_id, outlet_id (null: any outlet), n_accounts, n_referring_accounts, n_outlet_accounts, n_posts,
        n_references and one column per kind (n_link, n_repost, n_quote, n_copy), references_frac; the same of the
        rest (rest_n_accounts, rest_n_posts, rest_n_references, rest_frac); ratio of the two shares with ratio_low and
        ratio_high (95 % interval, see `estimate_ratio`). ratio is null where the rest never refers to the outlet.

    Beware: the rest is what the data holds, not the platform. In a release of removed accounts alone it is no organic
    control, and the ratio then compares removed with removed.
    """
    own = outlet_accounts.select("account_id").unique()
    grouped = posts.select("post_id", "account_id").join(own, on="account_id", how="anti")
    membership = clusters.select("account_id", "cluster_id")
    if membership["account_id"].is_duplicated().any():
        raise SchemaError("clusters names an account twice; an account is in one cluster. Keep its first row.")
    grouped = grouped.join(membership, on="account_id", how="left")
    per_account = grouped.group_by("account_id", "cluster_id").agg(n_posts=pl.len().cast(pl.Int64))
    counted = pl.concat([references, references.with_columns(outlet_id=pl.lit(None, dtype=pl.String))]).unique(
        ["post_id", "outlet_id"], keep="first", maintain_order=True
    )
    hits = counted.group_by("account_id", "outlet_id", "how").agg(n=pl.len().cast(pl.Int64))
    owned = membership.join(own, on="account_id").group_by("cluster_id").len().rows()
    n_owned = dict(owned)
    rest = per_account.filter(pl.col("cluster_id").is_null())
    rows = []
    for outlet_id in [None, *references["outlet_id"].unique().sort().to_list()]:
        its_hits = hits.filter(pl.col("outlet_id").eq_missing(outlet_id))
        rest_counts = _count(rest, its_hits)
        for cluster_id in sorted(membership["cluster_id"].unique().to_list()):
            members = per_account.filter(pl.col("cluster_id") == cluster_id)
            rows.append(_compare(cluster_id, outlet_id, members, its_hits, rest_counts, n_owned.get(cluster_id, 0)))
    return pl.DataFrame(rows, schema=_amplification_schema(), orient="row")


def count_references_by_day(references: pl.DataFrame, clusters: pl.DataFrame) -> pl.DataFrame:
    """Return day, cluster_id (null: in no cluster), outlet_id, n_posts, n_accounts, by UTC day."""
    placed = references.join(clusters.select("account_id", "cluster_id"), on="account_id", how="left")
    by_day = placed.group_by(pl.col("posted_at").dt.date().alias("day"), "cluster_id", "outlet_id")
    counted = by_day.agg(
        n_posts=pl.col("post_id").n_unique().cast(pl.Int64), n_accounts=pl.col("account_id").n_unique().cast(pl.Int64)
    )
    return counted.sort("day", "cluster_id", "outlet_id", nulls_last=True)


def compare_first(
    references: pl.DataFrame,
    posts: pl.DataFrame,
    clusters: pl.DataFrame,
    *,
    outlet_accounts: pl.DataFrame,
    outlet_posts: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Return who was first, the outlet or the cluster, per cluster and outlet.

    Compared are addresses and texts that both posted (links and copies; a repost or quote follows by construction),
    by the outlet's earliest post of the same address or text in the data.

    Returns:
        cluster_id, outlet_id, n_objects, n_outlet_first, n_cluster_first, n_same_time, n_unknown (the outlet's own
        post of it is not in the data), median_lead_s (over the known ones; positive: the outlet was first).

    Beware: an outlet's page is older than any link to it, whoever linked first; where its posts are not in the data
    the order is unknown, not the outlet's.
    """
    theirs = select_outlet_posts(posts, outlet_accounts, outlet_posts=outlet_posts)
    objects = pl.concat(
        [
            theirs.select("outlet_id", "posted_at", object_id="urls")
            .explode("object_id")
            .with_columns(canonical_url(pl.col("object_id").map_elements(unwrap_url, return_dtype=pl.String))),
            theirs.select("outlet_id", "posted_at", object_id=normalise_text(pl.col("text"))),
        ]
    ).drop_nulls("object_id")
    first_by_outlet = objects.group_by("outlet_id", "object_id").agg(outlet_at=pl.col("posted_at").min())
    kept = references.filter(pl.col("how").is_in(["link", "copy"])).join(
        clusters.select("account_id", "cluster_id"), on="account_id"
    )
    first = kept.group_by("cluster_id", "outlet_id", "object_id").agg(cluster_at=pl.col("posted_at").min())
    pairs = first.join(first_by_outlet, on=["outlet_id", "object_id"], how="left")
    lead = (pl.col("cluster_at") - pl.col("outlet_at")).dt.total_microseconds() / 1e6

    def count(condition: pl.Expr) -> pl.Expr:
        return condition.fill_null(value=False).sum().cast(pl.Int64)

    return (
        pairs.with_columns(lead_s=lead)
        .group_by("cluster_id", "outlet_id")
        .agg(
            n_objects=pl.len().cast(pl.Int64),
            n_outlet_first=count(pl.col("lead_s") > 0),
            n_cluster_first=count(pl.col("lead_s") < 0),
            n_same_time=count(pl.col("lead_s") == 0),
            n_unknown=count(pl.col("lead_s").is_null()),
            median_lead_s=pl.col("lead_s").median(),
        )
        .sort("cluster_id", "outlet_id")
    )


def _count(accounts: pl.DataFrame, hits: pl.DataFrame) -> pl.DataFrame:
    per_account = hits.group_by("account_id").agg(n_references=pl.col("n").sum())
    return accounts.join(per_account, on="account_id", how="left").with_columns(pl.col("n_references").fill_null(0))


def _compare(
    cluster_id: int,
    outlet_id: str | None,
    members: pl.DataFrame,
    hits: pl.DataFrame,
    rest: pl.DataFrame,
    n_outlet_accounts: int,
) -> tuple:
    counts = _count(members, hits)
    kinds = dict(
        hits.join(members.select("account_id"), on="account_id").group_by("how").agg(pl.col("n").sum()).iter_rows()
    )
    n_posts, n_references = int(counts["n_posts"].sum()), int(counts["n_references"].sum())
    rest_posts, rest_references = int(rest["n_posts"].sum()), int(rest["n_references"].sum())
    estimate = estimate_ratio(counts["n_references"], counts["n_posts"], rest["n_references"], rest["n_posts"])
    return (
        cluster_id,
        outlet_id,
        counts.height,
        counts.filter(pl.col("n_references") > 0).height,
        n_outlet_accounts,
        n_posts,
        n_references,
        *(kinds.get(kind, 0) for kind in REFERENCE_KINDS),
        n_references / n_posts if n_posts else None,
        rest.height,
        rest_posts,
        rest_references,
        rest_references / rest_posts if rest_posts else None,
        *estimate,
    )


def _amplification_schema() -> dict[str, pl.DataType | type[pl.DataType]]:
    counts = ["n_accounts", "n_referring_accounts", "n_outlet_accounts", "n_posts", "n_references"]
    counts += [f"n_{kind}" for kind in REFERENCE_KINDS]
    return {
        "cluster_id": pl.Int64,
        "outlet_id": pl.String,
        **dict.fromkeys(counts, pl.Int64),
        "references_frac": pl.Float64,
        **dict.fromkeys(["rest_n_accounts", "rest_n_posts", "rest_n_references"], pl.Int64),
        **dict.fromkeys(["rest_frac", "ratio", "ratio_low", "ratio_high"], pl.Float64),
    }
