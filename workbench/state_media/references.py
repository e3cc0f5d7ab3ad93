"""Which posts refer to which outlet, and how: by link, repost, quote or copied text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import polars as pl

from workbench.schema import Posts, Release
from workbench.state_media.facts import check_outlets
from workbench.state_media.sites import SiteIndex
from workbench.text import canonical_url, normalise_text

_REFERENCE = {
    "post_id": pl.String,
    "account_id": pl.String,
    "posted_at": pl.Datetime("us", "UTC"),
    "outlet_id": pl.String,
    "how": pl.String,
    "object_id": pl.String,
    "is_ambiguous": pl.Boolean,
}
_SHORTEST_COPY = 40
_READ = ("post_id", "account_id", "platform", "posted_at", "text", "urls", "repost_of_id", "repost_of_account_id",
         "quote_of_id")  # fmt: skip
"""What a reference is found by: a table of millions of posts is not copied whole."""


def find_outlet_accounts(accounts: pl.DataFrame, outlets: pl.DataFrame) -> pl.DataFrame:
    """Return account_id, outlet_id of the accounts that are an outlet's own, by platform and handle."""
    index = SiteIndex(check_outlets(outlets))
    rows = [
        (row["account_id"], outlet)
        for row in accounts.select("account_id", "platform", "handle").iter_rows(named=True)
        for name in {row["handle"], row["account_id"]} - {None}
        for outlet in index.find_handle(row["platform"], name)
    ]
    schema = {"account_id": pl.String, "outlet_id": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row").unique().sort("account_id", "outlet_id")


def hide_handles(
    outlets: pl.DataFrame, release: Release, *, protect: Callable[..., Release], key: bytes
) -> pl.DataFrame:
    """Return the outlets with their handles also as the protected release will show them.

    Where a release is protected, the handle of an account that is only mentioned or reposted becomes a pseudonym, an
    outlet's like anybody's. With its pseudonym beside it, the outlet is still found, and the report shows no handle.

    Args:
        outlets: the outlets table.
        release: as loaded, before it is protected.
        protect: what protects a release: `protect_release`, handed over because stages do not call each other.
        key: the key it protects with.
    """
    wanted = check_outlets(outlets).select("outlet_id", handle=pl.col("handles")).explode("handle").drop_nulls()
    parts = wanted.with_columns(
        platform=pl.col("handle").str.split(":").list.first(), name=pl.col("handle").str.replace("^[^:]*:", "")
    ).filter(pl.col("platform").is_in(release.posts["platform"].unique().to_list()))
    if parts.is_empty():
        return check_outlets(outlets)
    empty = pl.DataFrame(schema={name: column.dtype for name, column in Posts.columns().items()})
    probe = pl.DataFrame(
        {
            "post_id": [f"probe-{n}" for n in range(parts.height)],
            "account_id": ["probe"] * parts.height,
            "platform": parts["platform"],
            "posted_at": pl.Series([0] * parts.height).cast(pl.Datetime("us", "UTC")),
            "time_resolution_s": [1.0] * parts.height,
            "urls": [[] for _ in range(parts.height)],
            "hashtags": [[] for _ in range(parts.height)],
            "mentions": parts.select(pl.concat_list("name")).to_series(),
            "media_hashes": [[] for _ in range(parts.height)],
        }
    )
    posts = pl.concat([empty, probe.cast({name: empty.schema[name] for name in probe.columns})], how="diagonal")
    shown = protect(replace(release, posts=posts), key=key).posts["mentions"].list.first()
    hidden = parts.select("outlet_id", hidden=pl.concat_str("platform", pl.lit(":"), shown.alias("shown")))
    known = hidden.group_by("outlet_id").agg("hidden")
    joined = check_outlets(outlets).join(known, on="outlet_id", how="left", maintain_order="left")
    return joined.with_columns(
        handles=pl.col("handles").list.set_union(pl.col("hidden").fill_null([])).list.sort()
    ).drop("hidden")


def find_references(
    posts: pl.DataFrame,
    outlets: pl.DataFrame,
    *,
    outlet_accounts: pl.DataFrame,
    outlet_posts: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Return one row per post and outlet it refers to: by link, repost, quote or copied text.

    link: an address at the outlet's domain or account page. repost: of the outlet's account, by id or by `RT @handle`.
    quote: of a post of the outlet's, by id or by its address. copy: the same text as an earlier post of the outlet's,
    at least 40 characters of it. A post that refers to one outlet in two ways counts in the first of quote, repost,
    link, copy. Replies and mentions are no amplification; posts by outlets' own accounts are left out.

    Args:
        posts: the posts table.
        outlets: the outlets table.
        outlet_accounts: from `find_outlet_accounts`: account_id, outlet_id.
        outlet_posts: posts of the outlets from elsewhere, where the release itself holds none.

    Returns:
        post_id, account_id, posted_at, outlet_id, how, object_id (address, post or text referred to), is_ambiguous
        (the address may be of several outlets of the list, each of which has a row).

    Beware: a link to an outlet says nothing of agreement with it, and one to an archived copy, which counts too, may
    be meant to keep readers away. Links behind shorteners are not followed.
    """
    index = SiteIndex(check_outlets(outlets))
    own = outlet_accounts.select("account_id", "outlet_id")
    theirs = select_outlet_posts(posts, outlet_accounts, outlet_posts=outlet_posts)
    others = posts.select(_READ).filter(~pl.col("account_id").is_in(own["account_id"].unique().implode()))
    found = pl.concat(
        [
            _find_quotes(others, theirs),
            _find_reposts(others, theirs, own, index),
            _find_links(others, index),
            _find_copies(others, theirs),
        ]
    )
    order = pl.col("how").replace_strict({"quote": 0, "repost": 1, "link": 2, "copy": 3}, return_dtype=pl.Int8)
    first = found.sort(order, "posted_at", "object_id").unique(["post_id", "outlet_id"], keep="first")
    return first.sort("posted_at", "post_id", "outlet_id")


def select_outlet_posts(
    posts: pl.DataFrame, outlet_accounts: pl.DataFrame, *, outlet_posts: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Return the posts of the outlets' own accounts, in the data and from elsewhere, with outlet_id."""
    extra = [] if outlet_posts is None else [outlet_posts.select(Posts.column_names())]
    every = pl.concat([posts.select(Posts.column_names()), *extra])
    is_own = pl.col("account_id").is_in(outlet_accounts["account_id"].unique().implode())
    # Of a post that stands there twice the first counts, whoever wrote it: only theirs need be looked at for that.
    named = every.filter(pl.col("post_id").is_in(every.filter(is_own)["post_id"].unique().implode()))
    first = named.unique("post_id", keep="first", maintain_order=True)
    return first.join(outlet_accounts.select("account_id", "outlet_id"), on="account_id")


def _as_references(found: pl.DataFrame, how: str, *, is_ambiguous: bool | None = False) -> pl.DataFrame:
    extra = {} if is_ambiguous is None else {"is_ambiguous": pl.lit(is_ambiguous)}
    return found.with_columns(how=pl.lit(how), **extra).select(
        pl.col(name).cast(dtype) for name, dtype in _REFERENCE.items()
    )


def _find_quotes(posts: pl.DataFrame, theirs: pl.DataFrame) -> pl.DataFrame:
    by_id = theirs.select(quote_of_id="post_id", outlet_id="outlet_id")
    found = posts.filter(pl.col("quote_of_id").is_not_null()).join(by_id, on="quote_of_id")
    return _as_references(found.with_columns(object_id="quote_of_id"), "quote")


def _find_reposts(posts: pl.DataFrame, theirs: pl.DataFrame, own: pl.DataFrame, index: SiteIndex) -> pl.DataFrame:
    by_account = posts.join(own.rename({"account_id": "repost_of_account_id"}), on="repost_of_account_id")
    by_post = posts.join(theirs.select(repost_of_id="post_id", outlet_id="outlet_id"), on="repost_of_id")
    mark = pl.col("text").str.extract(r"(?i)^\s*rt\s+[@＠]([\p{L}\p{N}_.\-]+)")
    marked = posts.with_columns(name=mark)
    named = pl.concat(
        [
            marked.filter(pl.col("name").is_not_null()),
            # Some sources give the handle where others give the id.
            marked.filter(pl.col("repost_of_account_id").is_not_null()).with_columns(name="repost_of_account_id"),
        ]
    )
    distinct = named.select("platform", "name").unique()
    rows = [
        (platform, name, outlet, len(outlets) > 1)
        for platform, name in distinct.iter_rows()
        if (outlets := index.find_handle(platform, name))
        for outlet in outlets
    ]
    schema = {"platform": pl.String, "name": pl.String, "outlet_id": pl.String, "is_ambiguous": pl.Boolean}
    known = pl.DataFrame(rows, schema=schema, orient="row")
    by_name = named.join(known, on=["platform", "name"])
    object_id = pl.coalesce("repost_of_id", "repost_of_account_id", pl.lit("a repost without id"))
    return pl.concat(
        [
            _as_references(by_account.with_columns(object_id=object_id), "repost"),
            _as_references(by_post.with_columns(object_id=object_id), "repost"),
            _as_references(by_name.with_columns(object_id=object_id), "repost", is_ambiguous=None),
        ]
    )


def _find_links(posts: pl.DataFrame, index: SiteIndex) -> pl.DataFrame:
    links = posts.select("post_id", "account_id", "posted_at", url="urls").explode("url").drop_nulls("url")
    known = index.find_urls(links["url"].unique().sort())
    found = links.join(known, on="url").with_columns(object_id=canonical_url(pl.col("target")))
    # The address of an account's post is how most sources write a quote.
    is_quote = (pl.col("site_kind") == "account") & pl.col("target").str.contains(
        r"/(status|statuses|posts)/\w|t\.me/[^/]+/\w"
    )
    quotes = _as_references(found.filter(is_quote), "quote", is_ambiguous=None)
    return pl.concat([quotes, _as_references(found.filter(~is_quote), "link", is_ambiguous=None)])


def _find_copies(posts: pl.DataFrame, theirs: pl.DataFrame) -> pl.DataFrame:
    texts = theirs.select("outlet_id", outlet_at="posted_at", object_id=normalise_text(pl.col("text")))
    long = texts.filter(pl.col("object_id").str.len_chars() >= _SHORTEST_COPY)
    earliest = long.group_by("outlet_id", "object_id").agg(pl.col("outlet_at").min())
    # The text of most posts stands there many times, and where no outlet wrote anything none has to be read.
    said = posts.select(pl.col("text").drop_nulls().unique()) if earliest.height else posts.select("text").clear()
    same = said.with_columns(object_id=normalise_text(pl.col("text"))).join(earliest, on="object_id")
    copied = posts.join(same, on="text")
    return _as_references(copied.filter(pl.col("posted_at") >= pl.col("outlet_at")), "copy")
