"""What a package rests on: the clustered accounts, what ties them, and what they shared that others did not."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import polars as pl

from workbench.schema import ParameterError, Release
from workbench.sharing.addresses import is_shared_host, registered_domain
from workbench.sharing.techniques import TECHNIQUE_OF_TRACE, TECHNIQUE_OF_TYPE, Technique
from workbench.sharing.touches import find_hosts, normalise_each
from workbench.text import canonical_url


@dataclass(frozen=True)
class Evidence:
    """The tables of a package, before a sharing level is applied.

    Args:
        accounts: one row per clustered account, with cluster_id, evidence_level, n_posts, first_seen, last_seen.
        signals: edges among them, per trace: time_window_s, n_co_actions, expected_n, fdr.
        urls: addresses at least two of them posted, with how many of them and of others did.
        domains: the same by host.
        contents: the same by text (normalised) and by media hash.
        hashtags: the same by hashtag.
        techniques: DISARM techniques these observations are of.
        last_at: the last moment seen in the data.
    """

    accounts: pl.DataFrame
    signals: pl.DataFrame
    urls: pl.DataFrame
    domains: pl.DataFrame
    contents: pl.DataFrame
    hashtags: pl.DataFrame
    techniques: tuple[Technique, ...]
    last_at: str


_EDGE_COLUMNS = ("trace", "account_a", "account_b", "n_co_actions", "expected_n", "fdr")


def collect_evidence(
    release: Release,
    *,
    clusters: pl.DataFrame,
    scored: pl.DataFrame | None = None,
    time_window_s: float | None = None,
    max_fdr: float = 1.0,
    evidence_level: str = "coordination",
    min_accounts: int = 2,
    min_inside_frac: float = 0.5,
) -> Evidence:
    """Return what ties the clustered accounts, from their release.

    Args:
        release: protected (for a public package) or as loaded (for a partner): ids as in `clusters`.
        clusters: table `clusters`; further columns (grade) stay.
        scored: table `scored`, or None where no edges are to be handed over.
        time_window_s: the window the edges were counted with, in seconds; None for any gap.
        max_fdr: edges above it stay out; by default all ties among the clustered accounts go along with their rate,
            since clusters are tested as wholes and single pairs only explain them.
        evidence_level: the rung the clusters stand on.
        min_accounts: how many clustered accounts must have posted a thing for it to be listed.
        min_inside_frac: a thing is distinctive where at least this share of the accounts that posted it is clustered.

    Raises:
        ParameterError: no clustered account is in the release: the ids are of another form (pseudonyms?).

    Beware: with no accounts outside the clusters in the data nothing can be told distinctive; `is_distinctive` is null.
    """
    found = release.accounts.select("account_id").vstack(release.posts.select("account_id")).unique()
    members = clusters.join(found, on="account_id", how="semi")
    if clusters.height and members.is_empty():
        raise ParameterError(
            f"None of the {clusters.height} clustered accounts is in the release. Pass the release whose ids the "
            "clusters carry: protected with protected, as loaded with as loaded."
        )
    inside = members.get_column("account_id")
    n_outside = found.height - inside.n_unique()
    counting = {"inside": inside, "n_outside": n_outside, "min_accounts": min_accounts, "frac": min_inside_frac}
    posts = release.posts
    originals = _originals(posts)
    urls = _shared(_explode(posts, "urls").with_columns(value=canonical_url(pl.col("value"))), **counting)
    accounts = _describe_members(release, members, evidence_level=evidence_level)
    signals = _signals(scored, inside=inside, time_window_s=time_window_s, max_fdr=max_fdr)
    return Evidence(
        accounts=accounts,
        signals=signals,
        urls=urls.with_columns(host=find_hosts(urls["value"])),
        domains=_shared(_domains(posts), **counting),
        contents=_contents(posts, originals, **counting),
        hashtags=_shared(_explode(originals, "hashtags").with_columns(_fold("value")), **counting),
        techniques=_techniques(accounts, signals),
        last_at=_last_day(posts["posted_at"]) or _last_day(release.accounts["created_at"]),
    )


def _describe_members(release: Release, members: pl.DataFrame, *, evidence_level: str) -> pl.DataFrame:
    posts = release.posts.select("account_id", "posted_at", "platform").join(members, on="account_id", how="semi")
    seen = posts.group_by("account_id").agg(
        n_posts=pl.len().cast(pl.Int64), first_seen=pl.col("posted_at").min(), last_seen=pl.col("posted_at").max()
    )
    platforms = posts.group_by("account_id", maintain_order=True).agg(pl.col("platform").first())
    listed = release.accounts.unique("account_id", keep="first")
    described = (
        members.join(listed, on="account_id", how="left")
        .join(platforms, on="account_id", how="left", suffix="_posted")
        .join(seen, on="account_id", how="left")
        .with_columns(
            pl.coalesce("platform", "platform_posted", pl.lit(release.about.platform)).alias("platform"),
            pl.col("kind").fill_null("account"),
            # A bystander's account is in no list: nothing says its name may be shown.
            pl.col("is_pseudonymous").fill_null(value=False),
            pl.col("n_posts").fill_null(0),
            evidence_level=pl.lit(evidence_level),
        )
        .drop("platform_posted")
    )
    return described.sort("cluster_id", "account_id")


def _signals(
    scored: pl.DataFrame | None, *, inside: pl.Series, time_window_s: float | None, max_fdr: float
) -> pl.DataFrame:
    if scored is None:
        types = {"n_co_actions": pl.Int64, "expected_n": pl.Float64, "fdr": pl.Float64}
        empty = pl.DataFrame(schema={name: types.get(name, pl.String) for name in _EDGE_COLUMNS})
        return empty.with_columns(time_window_s=pl.lit(time_window_s, dtype=pl.Float64))
    both = pl.col("account_a").is_in(inside.implode()) & pl.col("account_b").is_in(inside.implode())
    kept = scored.filter(both & (pl.col("fdr") <= max_fdr)).select(_EDGE_COLUMNS)
    low, high = pl.min_horizontal("account_a", "account_b"), pl.max_horizontal("account_a", "account_b")
    return (
        kept.with_columns(account_a=low, account_b=high)
        .with_columns(time_window_s=pl.lit(time_window_s, dtype=pl.Float64))
        .sort("trace", "account_a", "account_b")
    )


def _shared(things: pl.DataFrame, *, inside: pl.Series, n_outside: int, min_accounts: int, frac: float) -> pl.DataFrame:
    """Count who posted each thing: of the clusters, and of everybody else."""
    is_inside = pl.col("account_id").is_in(inside.implode())
    named = things.filter(pl.col("value").is_not_null() & (pl.col("value") != ""))
    # Most things are one account's own: they are left out before anything else is counted of each.
    own = named.filter(is_inside)
    listed = _count_accounts(own, "n_accounts").filter(pl.col("n_accounts") >= min_accounts)
    posted = own.join(listed, on="value", how="semi")
    spread = posted.group_by("value").agg(
        n_posts=pl.len().cast(pl.Int64), first_at=pl.col("posted_at").min(), last_at=pl.col("posted_at").max()
    )
    others = named.filter(~is_inside).join(listed, on="value", how="semi")
    languages = posted.drop_nulls("lang").group_by("value", "lang").len().sort("len", "lang", descending=[True, False])
    counted = (
        spread.join(listed, on="value")
        .join(_count_accounts(others, "n_accounts_outside"), on="value", how="left")
        .join(languages.unique("value", keep="first").select("value", "lang"), on="value", how="left")
        .select(
            "value", "n_posts", "n_accounts", pl.col("n_accounts_outside").fill_null(0), "first_at", "last_at", "lang"
        )
    )
    share = pl.col("n_accounts") / (pl.col("n_accounts") + pl.col("n_accounts_outside"))
    known = pl.lit(n_outside > 0)
    return counted.with_columns(is_distinctive=pl.when(known).then(share >= frac)).sort(
        "n_accounts", "value", descending=[True, False]
    )


def _count_accounts(things: pl.DataFrame, name: str) -> pl.DataFrame:
    return things.select("value", "account_id").unique().group_by("value").agg(pl.len().cast(pl.Int64).alias(name))


def _explode(posts: pl.DataFrame, column: str) -> pl.DataFrame:
    kept = posts.select("account_id", "posted_at", "lang", value=pl.col(column))
    return kept.filter(pl.col("value").list.len() > 0).explode("value")


def _originals(posts: pl.DataFrame) -> pl.DataFrame:
    is_repost = pl.col("repost_of_id").is_not_null() | pl.col("text").str.starts_with("RT @").fill_null(value=False)
    read = ("account_id", "posted_at", "lang", "text", "hashtags")
    return posts.select(*read, is_repost=is_repost).filter(~pl.col("is_repost"))


def _domains(posts: pl.DataFrame) -> pl.DataFrame:
    urls = _explode(posts, "urls")
    hosts = find_hosts(urls["value"])
    # A host that strangers share says nothing of who posts it.
    own = _map(hosts, lambda host: None if is_shared_host(host) else registered_domain(host))
    return urls.with_columns(value=own)


def _contents(posts: pl.DataFrame, originals: pl.DataFrame, **counting: object) -> pl.DataFrame:
    texts = originals.select("account_id", "posted_at", "lang", value=normalise_each(originals["text"]))
    media = _explode(posts, "media_hashes").with_columns(pl.col("value").str.to_lowercase())
    return pl.concat(
        [
            _shared(texts, **counting).with_columns(kind=pl.lit("text")),  # ty: ignore[invalid-argument-type]
            _shared(media, **counting).with_columns(kind=pl.lit("media")),  # ty: ignore[invalid-argument-type]
        ]
    )


def _techniques(accounts: pl.DataFrame, signals: pl.DataFrame) -> tuple[Technique, ...]:
    by_trace = (TECHNIQUE_OF_TRACE.get(trace) for trace in signals["trace"].unique().to_list())
    by_kind = (TECHNIQUE_OF_TYPE.get(kind) for kind in accounts["kind"].unique().to_list())
    return tuple(sorted({item for item in (*by_trace, *by_kind) if item}, key=lambda item: item.disarm_id))


def _map(values: pl.Series, function: Callable[[str], str | None]) -> pl.Series:
    distinct = values.unique().drop_nulls()
    mapped = pl.Series([function(value) for value in distinct], dtype=pl.String)
    return values.replace_strict(distinct, mapped, default=None, return_dtype=pl.String)


def _fold(column: str) -> pl.Expr:
    return pl.col(column).str.normalize("NFKC").str.to_lowercase()


def _last_day(moments: pl.Series) -> str:
    return moments.to_frame("at").select(pl.col("at").max().dt.date().dt.to_string()).item() or ""


def names_of(techniques: Iterable[Technique]) -> str:
    """Return techniques as one line: id and name."""
    return "; ".join(f"{item.disarm_id} {item.name}" for item in techniques)
