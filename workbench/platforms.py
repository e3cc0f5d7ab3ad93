"""Several releases in one case: platforms kept apart by name, co-actions counted within and across them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import polars as pl

from workbench.case import Case, find_dataset, home
from workbench.privacy import list_hidden_names, protect_release
from workbench.schema import TABLES, About, ParameterError, Release, check_table, decision, empty_table
from workbench.sources import load_release

CROSSING_TRACES = ("url", "domain", "same_text", "similar_text", "media", "hashtag", "hashtag_sequence")
"""Traces whose objects exist on more than one platform. A repost or a reply stays on its own."""

_ACCOUNT_IDS = ("account_id", "repost_of_account_id", "reply_to_account_id")
_POST_IDS = ("post_id", "repost_of_id", "reply_to_id", "quote_of_id")


def combine_releases(releases: Sequence[Release], *, name: str, title: str) -> Release:
    """Return one release of several platforms; every id carries its platform, as `facebook:900`.

    Objects that exist on both (links, texts, hashtags, pictures) stay as they are, so every stage after this counts
    co-actions within and across platforms alike, against the same chance.

    Args:
        releases: two or more, protected or not, all alike; of one platform only if of different accounts.
        name: file-safe name of the case.
        title: what the case is, in words.

    Returns:
        The release; `about.notes` name what it was made of, decisions and quarantine are those of all.

    Raises:
        ParameterError: fewer than two, or one account or post in two of them.

    Beware: where platforms stamp times differently coarsely, only windows wider than the coarser stamp mean anything.
    """
    if len(releases) < 2:
        raise ParameterError(f"combine_releases joins two or more releases; found {len(releases)}. Pass a list.")
    accounts = pl.concat([_accounts(release) for release in releases])
    posts = pl.concat([_posts(release) for release in releases])
    for table, key in ((accounts, "account_id"), (posts, "post_id")):
        twice = table.filter(pl.col(key).is_duplicated())
        if twice.height:
            raise ParameterError(
                f"{twice[key].n_unique():,} values of {key} are in two of the releases. Load the files of one platform "
                "as one release."
            )
    n = sum(release.posts.height for release in releases)
    why = "ids carry their platform; nothing is dropped"
    made = decision("combine", f"joined {len(releases)} releases", why, n_before=n, n_after=n)
    return Release(
        accounts=check_table(accounts, "accounts"),
        posts=check_table(posts, "posts"),
        decisions=pl.concat([*[release.decisions for release in releases], made]),
        quarantine=pl.concat([release.quarantine for release in releases]),
        about=_about([release.about for release in releases], name=name, title=title),
    )


def find_second(dataset: str | Path, *, named: str = "") -> Path | None:
    """Return the second platform's dataset of a case.

    Args:
        dataset: the case's own.
        named: as the parameter `second_dataset` names it: a folder in `datasets/`, or a path, taken from the
            workbench's folder, where notebooks run, wherever the command was given. Blank = the one beside the case's
            own, named with `_platform_b` behind; None if absent.
    """
    if named:
        is_known = (home() / "datasets" / named).is_dir()
        return find_dataset(named if is_known else str(home() / Path(named).expanduser()))
    beside = Path(dataset).with_name(f"{Path(dataset).name}_platform_b")
    return beside if beside.is_dir() else None


def _find_place(dataset: str | Path, second: str) -> Path | None:
    return find_dataset(second) if second else find_second(dataset)


def load_second(dataset: str | Path, *, second: str = "") -> Release:
    """Return the second platform's release of a case; one without rows where there is none.

    Args:
        dataset: the case's own dataset folder or file.
        second: name of a folder in `datasets/`, or a path; blank = the folder beside the dataset whose name has
            `_platform_b` behind it, if there is one.
    """
    place = _find_place(dataset, second)
    if place is not None:
        return load_release(place)
    return Release(
        accounts=empty_table("accounts"),
        posts=empty_table("posts"),
        decisions=empty_table("decisions"),
        quarantine=empty_table("quarantine"),
        about=About(name="none", title="no second platform", platform="none"),
    )


def load_protected(case: Case, *, key: bytes, second: str = "") -> Release:
    """Return a case's release as it may be shown, kept: names of its second platform are hidden in it, too.

    Args:
        case: from `open_case`.
        key: from `read_key`.
        second: as for `load_second`.
    """
    place = _find_place(case.dataset, second)
    beside = None if place is None else case.keep_chain(load_release, list_hidden_names, place, key=key)
    return cast(Release, case.keep_chain(load_release, protect_release, case.dataset, key=key, beside=beside))


def protect_second(case: Case, second: Release, *, key: bytes) -> Release:
    """Return the second platform's release as it may be shown: names of the case's own are hidden in it, too.

    Args:
        case: from `open_case`.
        second: from `load_second`.
        key: from `read_key`.
    """
    if second.posts.is_empty() and second.accounts.is_empty():
        return second
    beside = case.keep_chain(load_release, list_hidden_names, case.dataset, key=key)
    return protect_release(second, key=key, beside=beside)


def list_bridges(edges: pl.DataFrame, accounts: pl.DataFrame) -> pl.DataFrame:
    """Return edges with the platform and kind of both ends, and `is_bridge` where the platforms differ.

    Args:
        edges: table `edges` or `scored` of a combined release.
        accounts: its accounts; an account not listed takes the platform from its id.
    """
    known = accounts.select("account_id", "platform", "kind").unique("account_id", keep="first")
    for side in ("a", "b"):
        ends = known.rename({"account_id": f"account_{side}", "platform": f"platform_{side}", "kind": f"kind_{side}"})
        edges = edges.join(ends, on=f"account_{side}", how="left", maintain_order="left").with_columns(
            pl.col(f"platform_{side}").fill_null(pl.col(f"account_{side}").str.extract(r"^([^:]+):", 1)),
            pl.col(f"kind_{side}").fill_null("account"),
        )
    return edges.with_columns(is_bridge=pl.col("platform_a") != pl.col("platform_b"))


def summarise_bridges(bridges: pl.DataFrame) -> pl.DataFrame:
    """Return one row per trace and pair of platforms: edges, co-actions and accounts on each side.

    Args:
        bridges: from `list_bridges`, filtered as wanted (beyond chance, or within clusters).
    """
    low, high = pl.min_horizontal("platform_a", "platform_b"), pl.max_horizontal("platform_a", "platform_b")
    return (
        bridges.group_by("trace", "is_bridge", platforms=pl.format("{} and {}", low, high))
        .agg(
            n_edges=pl.len().cast(pl.Int64),
            n_co_actions=pl.col("n_co_actions").sum(),
            n_accounts=pl.concat([pl.col("account_a"), pl.col("account_b")]).n_unique().cast(pl.Int64),
        )
        .with_columns(
            platforms=pl.when("is_bridge").then("platforms").otherwise(pl.col("platforms").str.split(" ").list[0])
        )
        .sort("trace", "is_bridge", "platforms")
    )


def _named(frame: pl.DataFrame, columns: tuple[str, ...]) -> pl.DataFrame:
    """Ids with their platform before them; one that has it already stays."""
    own = pl.col("platform") + ":"
    return frame.with_columns(
        pl.when(pl.col(name).str.starts_with(own)).then(pl.col(name)).otherwise(own + pl.col(name)).alias(name)
        for name in columns
    )


def _accounts(release: Release) -> pl.DataFrame:
    return _named(check_table(release.accounts, "accounts"), ("account_id",)).select(_columns("accounts"))


def _posts(release: Release) -> pl.DataFrame:
    return _named(check_table(release.posts, "posts"), (*_ACCOUNT_IDS, *_POST_IDS)).select(_columns("posts"))


def _columns(table: str) -> list[str]:
    return TABLES[table].column_names()


def _about(abouts: list[About], *, name: str, title: str) -> About:
    platforms = sorted({about.platform for about in abouts})
    made_of = tuple(f"{about.platform}: {about.title} ({about.origin})" for about in abouts)
    return replace(
        abouts[0],
        name=name,
        title=title,
        platform=" and ".join(platforms),
        origin="; ".join(sorted({about.origin for about in abouts})),
        licence="; ".join(sorted({about.licence for about in abouts})),
        collected="; ".join(about.collected for about in abouts),
        source="; ".join(about.source for about in abouts if about.source),
        is_synthetic=any(about.is_synthetic for about in abouts),
        files={f"{about.name}/{file}": digest for about in abouts for file, digest in about.files.items()},
        announced_accounts=_sum([about.announced_accounts for about in abouts]),
        announced_posts=_sum([about.announced_posts for about in abouts]),
        published=(),
        options={},
        notes=(*made_of, *(note for about in abouts for note in about.notes)),
        quoted=tuple(quote for about in abouts for quote in about.quoted),
    )


def _sum(numbers: list[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if len(known) == len(numbers) else None
