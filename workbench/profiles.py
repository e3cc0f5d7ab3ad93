"""accounts + posts -> one row per account: how it was made, when and how it posts, and where its behaviour changed."""

from __future__ import annotations

from dataclasses import replace
from importlib import resources

import numpy as np
import polars as pl

from workbench.changes import find_gaps, find_language_switches, find_topic_switches, find_volume_changes
from workbench.names import MAX_HANDLE_CHARS, describe_names
from workbench.near_duplicates import group_near_duplicates
from workbench.schema import Release, check_table
from workbench.text import normalise_text

OFFICE_DAY_H = 9


def profile_accounts(accounts: pl.DataFrame, posts: pl.DataFrame) -> pl.DataFrame:
    """Return one row per account of what its making and posting show.

    Args:
        accounts: table `accounts`.
        posts: table `posts`; accounts that only appear here get no row.

    Returns:
        account_id and, per account, the columns that `list_features` explains one by one, with the source of each and
        what would be innocent. Counts are 0 and everything else is null for an account without posts.

    Raises:
        SchemaError: a table lacks its columns.

    Source: see `list_features`.
    Beware: no feature, nor all of them together, shows that an account is inauthentic, or where anybody sits.
    """
    accounts, posts = check_table(accounts, "accounts"), check_table(posts, "posts")
    parts = [
        _activity(posts), _busiest_hours(posts), _clients(posts), find_gaps(posts), find_language_switches(posts),
        find_topic_switches(posts), find_volume_changes(posts), _resale_phrases(posts),
    ]  # fmt: skip
    profile = _making(accounts)
    for part in parts:
        profile = profile.join(part, on="account_id", how="left", maintain_order="left")
    return profile.with_columns(
        pl.col("n_posts", "n_active_days", "n_clients", "n_resale_phrases").fill_null(0),
        pl.col("is_revived").fill_null(value=False),
    )


def count_languages(posts: pl.DataFrame, *, every: str, most: int = 6) -> pl.DataFrame:
    """Return posts per period and language: period (date), language, n_posts; languages past the `most` are `other`.

    Args:
        posts: table `posts`; a post without a language counts as `und`.
        every: "1d", "1mo" or another period that polars knows.
        most: how many languages keep their name.
    """
    language = pl.col("lang").fill_null("und")
    named = posts.select(period=pl.col("posted_at").dt.date().dt.truncate(every), language=language)
    kept = named["language"].value_counts(sort=True).sort("count", "language", descending=[True, False])["language"]
    shown = pl.when(pl.col("language").is_in(kept.head(most).implode())).then("language").otherwise(pl.lit("other"))
    return named.group_by("period", language=shown).agg(n_posts=pl.len().cast(pl.Int64)).sort("period", "language")


def only_clustered(release: Release, clusters: pl.DataFrame) -> Release:
    """Return the release of the clustered accounts alone, or the whole where no account is clustered."""
    if clusters.is_empty():
        return release
    is_member = pl.col("account_id").is_in(clusters["account_id"].implode())
    return replace(release, accounts=release.accounts.filter(is_member), posts=release.posts.filter(is_member))


def _making(accounts: pl.DataFrame) -> pl.DataFrame:
    bio = pl.col("description").str.strip_chars()
    names = describe_names(accounts)
    hidden = [column for column in names.columns if column in accounts.columns]  # read before the names were hidden
    shape = pl.col("handle_shape")
    tail = pl.when(shape.str.len_chars() <= MAX_HANDLE_CHARS).then(shape.str.extract(r"(\d*)$").str.len_chars())
    family = group_near_duplicates(accounts["description"])["family_id"]
    return accounts.with_columns(names.drop(hidden), family_id=family).select(
        "account_id",
        "created_at",
        "n_followers",
        "n_following",
        followers_per_following=pl.when(pl.col("n_following") > 0).then(pl.col("n_followers") / pl.col("n_following")),
        handle_tail_digits=tail.cast(pl.Int64),
        handle_surprise="handle_surprise",
        name_tail_digits="name_tail_digits",
        name_surprise="name_surprise",
        n_same_name="n_same_name",
        n_same_description=pl.when(bio != "").then(pl.len().over(bio).cast(pl.Int64) - 1),
        n_similar_description=pl.when(pl.col("family_id").is_not_null()).then(
            pl.len().over("family_id").cast(pl.Int64) - 1
        ),
    )


def _activity(posts: pl.DataFrame) -> pl.DataFrame:
    is_repost = pl.col("repost_of_id").is_not_null() | pl.col("repost_of_account_id").is_not_null()
    return posts.group_by("account_id").agg(
        n_posts=pl.len().cast(pl.Int64),
        repost_frac=is_repost.mean(),
        reply_frac=(pl.col("reply_to_id").is_not_null() | pl.col("reply_to_account_id").is_not_null()).mean(),
        link_frac=(pl.col("urls").list.len() > 0).mean(),
        first_at=pl.col("posted_at").min(),
        last_at=pl.col("posted_at").max(),
        n_active_days=pl.col("posted_at").dt.date().n_unique().cast(pl.Int64),
    )


def _busiest_hours(posts: pl.DataFrame) -> pl.DataFrame:
    """Share of an account's posts in the nine hours of the day, one after the other, that hold most of them."""
    counted = posts.group_by("account_id", hour=pl.col("posted_at").dt.hour()).agg(n=pl.len()).sort("account_id")
    names, row = counted["account_id"].unique(maintain_order=True), counted["account_id"].rle_id().to_numpy()
    day = np.zeros((len(names), 24))
    day[row, counted["hour"].to_numpy()] = counted["n"].to_numpy()
    stretches = sum(np.roll(day, -shift, axis=1) for shift in range(OFFICE_DAY_H))
    share = np.max(stretches, axis=1, initial=0) / np.maximum(day.sum(axis=1), 1)
    return pl.DataFrame({"account_id": names, "busiest_hours_frac": share})


def _clients(posts: pl.DataFrame) -> pl.DataFrame:
    per_client = posts.drop_nulls("client").group_by("account_id", "client").len("n")
    return (
        per_client.sort("n", "client", descending=[True, False])
        .group_by("account_id", maintain_order=True)
        .agg(
            n_clients=pl.len().cast(pl.Int64),
            main_client=pl.col("client").first(),
            main_client_frac=pl.col("n").first() / pl.col("n").sum(),
        )
    )


def _resale_phrases(posts: pl.DataFrame) -> pl.DataFrame:
    lines = resources.files("workbench").joinpath("data/resale_phrases.txt").read_text(encoding="utf-8").splitlines()
    phrases = "|".join(f"(?:{line})" for line in lines if line and not line.startswith("#"))
    said = posts.select("account_id", "text").drop_nulls("text")
    telling = said.select("text").unique().filter(normalise_text(pl.col("text")).str.contains(phrases))
    return (
        said.join(telling, on="text", how="semi").group_by("account_id").agg(n_resale_phrases=pl.len().cast(pl.Int64))
    )
