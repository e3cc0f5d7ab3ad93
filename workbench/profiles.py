"""accounts + posts -> one row per account: how it was made, when and how it posts, and where its behaviour changed."""

from __future__ import annotations

from dataclasses import replace
from importlib import resources

import polars as pl

from workbench.schema import Release, check_table
from workbench.text import normalise_text

MIN_POSTS_EACH_SIDE = 10
MIN_SWITCH_GAIN = 0.2
DORMANT_DAYS = 180


def profile_accounts(accounts: pl.DataFrame, posts: pl.DataFrame) -> pl.DataFrame:
    """Return one row per account of what its making and posting show.

    Args:
        accounts: table `accounts`.
        posts: table `posts`; accounts that only appear here get no row.

    Returns:
        account_id and, per account:

        - created_at, n_followers, n_following as in `accounts`; followers_per_following (null where it follows none).
          Beware: bought followers and follow-back rings lift it; a real newcomer has little.
        - n_posts, repost_frac, first_at, last_at, n_active_days.
        - n_clients, main_client, main_client_frac. Beware: newsrooms schedule through tools too.
        - longest_gap_days, gap_ended_at, is_revived (a gap of 180 days or more with 10 posts or more on each side).
          Source: repurposed accounts, Uren, Thomas and Wallis 2019. Beware: people pause and come back.
        - language_before, language_after, switched_at, switch_gain: the split in time that best tells two main
          languages apart; null unless each side has 10 posts and the split explains at least 20 points more of the
          posts than one language does. Beware: people move, learn languages and change jobs.
        - n_resale_phrases: posts that read like trying out a bought account ("test new owner").
          Source: E. Thomas 2019. Beware: "test" is what many first posts say.
        - handle_tail_digits: digits at the end of the handle. Beware: platforms propose such handles to everybody.
        - n_same_description: other accounts with the same biography. Beware: slogans and empty phrases repeat.

    Raises:
        SchemaError: a table lacks its columns.
    """
    accounts, posts = check_table(accounts, "accounts"), check_table(posts, "posts")
    parts = [_activity(posts), _clients(posts), _gaps(posts), _language_switches(posts), _resale_phrases(posts)]
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
    shape = pl.col("handle_shape") if "handle_shape" in accounts.columns else pl.col("handle")
    return accounts.select(
        "account_id",
        "created_at",
        "n_followers",
        "n_following",
        followers_per_following=pl.when(pl.col("n_following") > 0).then(pl.col("n_followers") / pl.col("n_following")),
        handle_tail_digits=shape.str.extract(r"(\d*)$").str.len_chars().cast(pl.Int64),
        n_same_description=pl.when(bio != "").then(pl.len().over(bio).cast(pl.Int64) - 1),
    )


def _activity(posts: pl.DataFrame) -> pl.DataFrame:
    is_repost = pl.col("repost_of_id").is_not_null() | pl.col("repost_of_account_id").is_not_null()
    return posts.group_by("account_id").agg(
        n_posts=pl.len().cast(pl.Int64),
        repost_frac=is_repost.mean(),
        first_at=pl.col("posted_at").min(),
        last_at=pl.col("posted_at").max(),
        n_active_days=pl.col("posted_at").dt.date().n_unique().cast(pl.Int64),
    )


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


def _gaps(posts: pl.DataFrame) -> pl.DataFrame:
    ordered = posts.select("account_id", "posted_at").sort("account_id", "posted_at")
    steps = ordered.with_columns(
        gap_days=pl.col("posted_at").diff().over("account_id").dt.total_seconds() / 86_400,
        n_before=pl.int_range(pl.len()).over("account_id"),
        n=pl.len().over("account_id"),
    )
    longest = steps.drop_nulls("gap_days").sort("gap_days", "posted_at", descending=[True, False])
    enough = (pl.col("n_before") >= MIN_POSTS_EACH_SIDE) & (pl.col("n") - pl.col("n_before") >= MIN_POSTS_EACH_SIDE)
    return (
        longest.group_by("account_id", maintain_order=True)
        .first()
        .select(
            "account_id",
            longest_gap_days="gap_days",
            gap_ended_at="posted_at",
            is_revived=(pl.col("gap_days") >= DORMANT_DAYS) & enough,
        )
    )


def _language_switches(posts: pl.DataFrame) -> pl.DataFrame:
    """For each account, the split in time that best tells a language before from a language after."""
    known = (
        posts.select("account_id", "posted_at", "lang")
        .filter(pl.col("lang").is_not_null(), pl.col("lang") != "und")
        .sort("account_id", "posted_at")
        .with_columns(place=pl.int_range(pl.len()).over("account_id"), n=pl.len().over("account_id").cast(pl.Int64))
        .filter(pl.col("n") >= 2 * MIN_POSTS_EACH_SIDE)
    )
    languages = known.group_by("account_id", "lang").len("n_lang").with_columns(pl.col("n_lang").cast(pl.Int64))
    counted = (
        known.join(languages, on="account_id", suffix="_of")
        .sort("account_id", "lang_of", "place")
        .with_columns(
            before=(pl.col("lang") == pl.col("lang_of")).cast(pl.Int64).cum_sum().over("account_id", "lang_of")
        )
        .with_columns(after=pl.col("n_lang") - pl.col("before"))
    )
    split = (
        counted.sort("account_id", "place", "lang_of")
        .group_by("account_id", "place", maintain_order=True)
        .agg(
            pl.col("n").first(),
            one_language=pl.col("n_lang").max(),
            explained=pl.col("before").max() + pl.col("after").max(),
            language_before=pl.col("lang_of").get(pl.col("before").arg_max()),
            language_after=pl.col("lang_of").get(pl.col("after").arg_max()),
        )
        .with_columns(
            switch_gain=(pl.col("explained") - pl.col("one_language")) / pl.col("n"), n_before=pl.col("place") + 1
        )
        .filter(
            pl.col("n_before") >= MIN_POSTS_EACH_SIDE,
            pl.col("n") - pl.col("n_before") >= MIN_POSTS_EACH_SIDE,
            pl.col("switch_gain") >= MIN_SWITCH_GAIN,
        )
        .sort("switch_gain", "place", descending=[True, False])
        .group_by("account_id", maintain_order=True)
        .first()
    )
    after = known.select("account_id", place=pl.col("place") - 1, switched_at="posted_at")
    return split.join(after, on=["account_id", "place"], how="left").select(
        "account_id", "language_before", "language_after", "switched_at", "switch_gain"
    )


def _resale_phrases(posts: pl.DataFrame) -> pl.DataFrame:
    lines = resources.files("workbench").joinpath("data/resale_phrases.txt").read_text(encoding="utf-8").splitlines()
    phrases = "|".join(f"(?:{line})" for line in lines if line and not line.startswith("#"))
    reads_so = normalise_text(pl.col("text")).str.contains(phrases).fill_null(value=False)
    return posts.group_by("account_id").agg(n_resale_phrases=reads_so.sum().cast(pl.Int64))
