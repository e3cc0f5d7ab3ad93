"""What we looked at: what the platform announced, what the files list, what was active, when and in which languages."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import polars as pl

from workbench.chart_stretch import Stretch, find_stretch
from workbench.charts import chart_posts_per_day
from workbench.findings import Claim, Confidence, Figure, KeyNumber, Observation, Section, TableView
from workbench.schema import Release
from workbench.sections.base import (
    make_table,
    say_count,
    say_language,
    say_platform,
    say_share,
)
from workbench.sections.figure_words import say_figure
from workbench.sections.over_time import choose_step, draw_over_time

MOST_POINTS = 400
_READ = Confidence("high", "Counted in the files as released; every record was kept or set aside with its reason.")


def describe_release(release: Release, *, checks: pl.DataFrame | None = None) -> Section:
    """Return the section on what was looked at.

    Args:
        release: the loaded release.
        checks: published figures against ours, from `check_published`.
    """
    if release.accounts.is_empty() and release.posts.is_empty():
        return Section("release", empty_reason="The release holds neither accounts nor posts.")
    numbers = _count(release)
    tables = [
        make_table(
            "release_numbers",
            "What the release holds",
            numbers,
            note="Announced: by the platform. Listed: in the files. Active: with at least one post.",
            labels={"what": "What", "value": "Number", "of_what": "Counted as"},
        )
    ]
    if not release.posts.is_empty():
        tables.append(_languages(release.posts))
    if not release.quarantine.is_empty():
        tables.append(_quarantine(release.quarantine))
    if checks is not None and not checks.is_empty():
        tables.append(_published(checks))
    return Section(
        "release",
        claims=_claims(release),
        figures=_figures(release.posts),
        tables=tables,
        key_numbers=_key_numbers(release),
    )


def _key_numbers(release: Release) -> list[KeyNumber]:
    announced = release.about.announced_accounts
    beside = f"{announced:,} announced by the platform" if announced is not None else _how_listed(release)
    label = "accounts listed" if _has_account_files(release) else "accounts"
    listed = KeyNumber(f"{release.accounts.height:,}", label, beside)
    if release.posts.is_empty():
        return [listed]
    first, last = _period(release.posts)
    active = release.posts["account_id"].n_unique()
    return [
        listed,
        KeyNumber(f"{release.posts.height:,}", "posts", f"by {active:,} accounts, {first:%b %Y} to {last:%b %Y}"),
    ]


def _claims(release: Release) -> list[Claim]:
    about, posts = release.about, release.posts
    listed = release.accounts.height
    active = posts["account_id"].n_unique()
    shown = (Observation("Rows of the release's own tables.", "release_numbers"),)
    announced = (
        f"{say_platform(about.platform)} announced {say_count(about.announced_accounts, 'account')}; the"
        if about.announced_accounts is not None
        else "The"
    )
    text = f"{announced} files list {say_count(listed, 'account')}, of which {active:,} posted."
    if posts.is_empty():
        text = f"{announced} files list {say_count(listed, 'account')} and hold no posts: what they said is not known."
    whole = f"{listed:,} accounts listed in the files"
    if not _has_account_files(release):
        text = f"{announced} files hold posts by {say_count(active, 'account')} and no list of accounts."
        whole = f"{active:,} accounts with a post"
    claims = [Claim(text, "co-action", _READ, shown, whole)]
    if not posts.is_empty():
        first, last = _period(posts)
        text = f"They hold {say_count(posts.height, 'post')} from {first:%-d %B %Y} to {last:%-d %B %Y}."
        claims.append(Claim(text, "co-action", _READ, shown, f"{posts.height:,} posts that could be read"))
    if not release.quarantine.is_empty():
        n = release.quarantine.height
        text = f"{say_count(n, 'record')} could not be read and {'is' if n == 1 else 'are'} set aside, with the reason."
        where = (Observation("One line per record, with file and line.", "quarantine"),)
        whole = n + posts.height + listed
        claims.append(Claim(text, "co-action", _READ, where, f"{whole:,} records: accounts, posts and those set aside"))
    return claims


def _has_account_files(release: Release) -> bool:
    """Whether anything is known of an account but that it posted; of a log of shares nothing is."""
    details = ("handle", "display_name", "created_at", "n_followers", "n_following", "location", "description")
    known = release.accounts.select(pl.any_horizontal(pl.col(name).is_not_null().any() for name in details)).item()
    posted = release.accounts["account_id"].is_in(release.posts["account_id"].unique().implode()).all()
    return known or not posted


def _how_listed(release: Release) -> str:
    return "rows of the account files" if _has_account_files(release) else "accounts with a post; no list was given"


def _count(release: Release) -> pl.DataFrame:
    about, posts = release.about, release.posts
    rows: list[tuple[str, Any, str]] = [
        ("Accounts announced", about.announced_accounts, "the platform's announcement"),
        ("Accounts listed", release.accounts.height, _how_listed(release)),
        ("Accounts active", posts["account_id"].n_unique(), "distinct accounts with a post"),
        ("Posts announced", about.announced_posts, "the platform's announcement"),
        ("Posts", posts.height, "rows of the post files that could be read"),
        ("Reposts among them", posts["repost_of_id"].is_not_null().sum(), "posts that repeat another"),
        ("Posts timed to the millisecond", (posts["time_resolution_s"] < 1).sum(), "time restored from the post id"),
        (
            "Posts timed to the second",
            posts["time_resolution_s"].is_between(1, 60, closed="left").sum(),
            "time as published",
        ),
        ("Posts timed to the minute", (posts["time_resolution_s"] >= 60).sum(), "time as published"),
        ("Records set aside", release.quarantine.height, "could not be read as a row"),
    ]
    table = pl.DataFrame(rows, schema=["what", "value", "of_what"], orient="row")
    is_idle = pl.col("what").str.starts_with("Posts timed") & (pl.col("value") == 0)
    return table.filter(pl.col("value").is_not_null() & ~is_idle)


def _languages(posts: pl.DataFrame) -> TableView:
    name = pl.col("lang").map_elements(say_language, return_dtype=pl.String, skip_nulls=False)
    by_code = posts.group_by("lang").agg(n_posts=pl.len())
    counted = by_code.group_by(name.alias("language")).agg(pl.col("n_posts").sum())
    ranked = counted.sort("n_posts", "language", descending=[True, False]).head(10)
    ranked = ranked.with_columns(posts_frac=(pl.col("n_posts") / posts.height).round(4))
    covered = say_share(sum(ranked["n_posts"].to_list()), posts.height, noun="post")
    note = f"The most frequent, {covered}, as the source labels them."
    labels = {"language": "Language", "n_posts": "Posts", "posts_frac": "Share of all posts"}
    return make_table("languages", "Languages of the posts", ranked, note=note, labels=labels)


def _quarantine(quarantine: pl.DataFrame) -> TableView:
    counted = quarantine.group_by("file", "reason").agg(n_records=pl.len(), first_line=pl.col("line").min())
    return make_table(
        "quarantine",
        "Records set aside",
        counted.sort("n_records", "file", "reason", descending=[True, False, False]).head(50),
        note="Nothing is dropped without being listed; the whole list is in the case's quarantine file.",
        labels={"file": "File", "reason": "Why", "n_records": "Records", "first_line": "First at line"},
    )


def _published(checks: pl.DataFrame) -> TableView:
    """Published figures against ours; columns in which nothing is said are left out."""
    words = pl.col("figure").map_elements(say_figure, return_dtype=pl.String)
    shown = checks.with_columns(words, pl.col("why").replace("", None))
    silent = [name for name in ("why", "computed") if shown[name].null_count() == shown.height]
    silent += [] if (shown["tolerance"] != 0).any() else ["tolerance"]
    labels = {
        "figure": "What was counted", "published": "Published", "computed": "In these files", "tolerance": "Tolerance",
        "verdict": "Verdict", "why": "Why", "source": "Published by",
    }  # fmt: skip
    note = "Each published number, counted again from the files as they are."
    return make_table("published_figures", "Published figures, checked", shown.drop(silent), note=note, labels=labels)


def _figures(posts: pl.DataFrame) -> list[Figure]:
    if posts.is_empty():
        return []
    daily = _count_posts(posts, every="1d")
    within = find_stretch(daily)

    def draw(shown: Stretch | None) -> tuple[Any, pl.DataFrame]:
        every, period = choose_step(shown.n_days) if shown else _choose_whole_step(posts)
        table = _count_posts(posts, every=every)
        return chart_posts_per_day(table, period=period, within=shown), table

    return draw_over_time("posts_over_time", draw, within=within)


def _choose_whole_step(posts: pl.DataFrame) -> tuple[str, str]:
    first, last = _period(posts)
    days = (last - first).days
    return next(
        (every, period)
        for every, period, length in (("1d", "day", 1), ("1w", "week", 7), ("1mo", "month", 30))
        if days / length <= MOST_POINTS or period == "month"
    )


def _count_posts(posts: pl.DataFrame, *, every: str) -> pl.DataFrame:
    counted = posts.group_by(pl.col("posted_at").dt.truncate(every).dt.date().alias("day")).agg(n_posts=pl.len())
    filled = counted.sort("day").upsample("day", every=every).with_columns(pl.col("n_posts").fill_null(0))
    return filled.select("day", pl.lit("all accounts").alias("group"), pl.col("n_posts").cast(pl.Int64))


def _period(posts: pl.DataFrame) -> tuple[datetime, datetime]:
    return posts.select(first=pl.col("posted_at").min(), last=pl.col("posted_at").max()).row(0)
