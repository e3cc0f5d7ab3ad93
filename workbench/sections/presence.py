"""Presence on each platform: accounts, pages, groups and channels, who followed them, and what was spent on adverts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from workbench.findings import Claim, Confidence, Observation, Section
from workbench.schema import Quote
from workbench.sections.base import make_table, say_count, say_list, say_platform
from workbench.sections.quoted import quote_others

_KINDS = ("account", "page", "group", "channel")
_HOW_COUNTED = (
    "How to read “followed one or more”: the data gives each account's own number of followers and not who they are. "
    "Whoever follows several is counted in each. So the number of different followers lies between the largest single "
    "number and all of them added up, and the true one is known to the platform alone. Followers are not readers: many "
    "never saw a post, and others saw posts without following."
)
_NETWORK = (
    "“The network”, here and below, is the accounts of the clusters that are handed on as indicators, and whatever the "
    "tip corroborates on a second platform. Clusters of a grade that is not handed on are left out, so the number need "
    "not be that of all accounts in clusters."
)


def describe_presence(
    accounts: pl.DataFrame,
    *,
    members: pl.DataFrame | None = None,
    posts: pl.DataFrame | None = None,
    own_adverts: pl.DataFrame | None = None,
    n_adverts_read: int = 0,
    quoted: Sequence[Quote] = (),
) -> Section:
    """Return the section on presence: per platform and kind how many, how many posted, how many followed them.

    Args:
        accounts: table `accounts` of all platforms in the case, protected.
        members: account_id of the network's accounts; none = every account listed, as in a takedown release.
        posts: their posts, to say how many were active.
        own_adverts: from `find_own_adverts`.
        n_adverts_read: adverts looked through for them.
        quoted: findings of others, from the dataset.
    """
    is_network = members is not None and not members.is_empty()
    chosen = accounts
    if is_network:
        chosen = accounts.filter(pl.col("account_id").is_in(members["account_id"].unique().implode()))
    if chosen.is_empty():
        reason = "The data lists no accounts, only posts, so neither kinds nor followers of accounts are known."
        return Section("presence", empty_reason=reason)
    who = "of the network" if is_network else "listed in the release"
    table = _count(chosen, posts)
    claims = [_presence_claim(table, who=who, listed=accounts.height), *_follower_claims(table, who=who)]
    if n_adverts_read:
        claims.append(_advert_claim(own_adverts, chosen, who=who, n_read=n_adverts_read))
    prose = [_NETWORK if is_network else _whole_release(accounts.height)]
    prose += [_HOW_COUNTED] if table["n_known"].sum() else []
    if not n_adverts_read:
        prose.append("Advert spending: no export of an advert library was given, so nothing is known of it.")
    return Section("presence", [*claims, *quote_others(quoted, about="presence")], prose, (), [_view(table, who=who)])


def _count(accounts: pl.DataFrame, posts: pl.DataFrame | None) -> pl.DataFrame:
    active = posts["account_id"].unique().implode() if posts is not None else pl.Series([[]], dtype=pl.List(pl.String))
    order = pl.col("kind").replace_strict({kind: n for n, kind in enumerate(_KINDS)})
    return (
        accounts.group_by("platform", "kind")
        .agg(
            n_accounts=pl.len().cast(pl.Int64),
            n_active=pl.col("account_id").is_in(active).sum().cast(pl.Int64),
            n_known=pl.col("n_followers").count().cast(pl.Int64),
            followers_least=pl.col("n_followers").max(),
            followers_most=pl.col("n_followers").sum(),
        )
        .with_columns(followers_most=pl.when(pl.col("n_known") > 0).then(pl.col("followers_most")))
        .sort("platform", order)
    )


def _presence_claim(table: pl.DataFrame, *, who: str, listed: int) -> Claim:
    parts = []
    for (platform,), rows in table.group_by("platform", maintain_order=True):
        kinds = say_list([say_count(n, kind) for kind, n in rows.select("kind", "n_accounts").iter_rows()])
        parts.append(f"{kinds} on {say_platform(str(platform))}")
    n = int(table["n_accounts"].sum())
    text = f"Presence of the {n:,} {_name_kinds(table)} {who}: {'; '.join(parts)}."
    if table.height == 1:
        platform, kind = table.select("platform", "kind").row(0)
        are = "is" if n == 1 else "are all"
        text = f"The {say_count(n, kind)} {who} {are} on {say_platform(platform)}."
    shown = (Observation("Counted by platform and kind.", "presence"),)
    basis = "Counted in the account tables; whether one person runs several accounts is not known."
    return Claim(text, "co-action", Confidence("high", basis), shown, f"{listed:,} accounts, pages and groups listed")


def _name_kinds(table: pl.DataFrame) -> str:
    present = table["kind"].unique().to_list()
    return say_list([f"{kind}s" for kind in _KINDS if kind in present])


def _follower_claims(table: pl.DataFrame, *, who: str) -> list[Claim]:
    """One sentence per platform and kind, in the form Meta's reports use."""
    claims = []
    for row in table.iter_rows(named=True):
        these = say_count(row["n_accounts"], row["kind"])
        verb = "joined" if row["kind"] == "group" else "followed"
        where = say_platform(row["platform"])
        if not row["n_known"]:
            claims.append(_unknown_followers(row, who=who, verb=verb))
            continue
        if row["n_known"] == 1:
            text = f"About {say_count(row['followers_most'], 'account')} {verb} this {row['kind']} on {where}."
        else:
            least, most = row["followers_least"], row["followers_most"]
            text = f"About {least:,} to {say_count(most, 'account')} {verb} one or more of these {these} on {where}."
        whole = f"{row['n_known']:,} of {say_count(row['n_accounts'], row['kind'])} {who} with a known number"
        basis = "The lower number is the largest single count, the upper one all counts added up, as of collection."
        shown = (Observation("Followers by platform and kind.", "presence"),)
        claims.append(Claim(text, "co-action", Confidence("moderate", basis), shown, whole))
    return claims


def _unknown_followers(row: dict[str, Any], *, who: str, verb: str) -> Claim:
    these = say_count(row["n_accounts"], row["kind"])
    text = f"How many accounts {verb} the {these} on {say_platform(row['platform'])} is not in the data."
    shown = (Observation("Followers by platform and kind.", "presence"),)
    return Claim(text, "co-action", Confidence("high", "The source gives no number."), shown, f"{these} {who}")


def _advert_claim(own: pl.DataFrame | None, accounts: pl.DataFrame, *, who: str, n_read: int) -> Claim:
    placed = own if own is not None else pl.DataFrame(schema={"account_id": pl.String})
    placed = placed.filter(pl.col("account_id").is_in(accounts["account_id"].unique().implode()))
    whole = f"{n_read:,} adverts in the libraries given"
    shown = (Observation("Advertisers compared by id and handle.", "presence"),)
    confidence = Confidence("low", "Libraries hold political and issue adverts only; others may have paid.")
    if placed.is_empty():
        text = f"None of the {say_count(n_read, 'advert')} looked through was placed by an account {who}."
        return Claim(text, "co-action", confidence, shown, whole)
    money = [_spending(rows) for _, rows in placed.sort("currency").group_by("currency", maintain_order=True)]
    payers = say_count(placed["account_id"].n_unique(), "account")
    text = (
        f"Around {say_list(money)} in spending for {say_count(placed.height, 'advert')}, placed by {payers} {who} "
        f"between {placed['started_at'].min():%B %Y} and {placed['started_at'].max():%B %Y}."
    )
    return Claim(text, "co-action", confidence, shown, whole)


def _spending(adverts: pl.DataFrame) -> str:
    low, high = adverts["spend_min"].fill_null(0).sum(), adverts["spend_max"].sum()
    currency = adverts["currency"][0] or "an unnamed currency"
    if adverts["spend_max"].null_count():
        return f"{low:,.0f} {currency} or more"
    return f"{low:,.0f} {currency}" if low == high else f"{low:,.0f} to {high:,.0f} {currency}"


def _view(table: pl.DataFrame, *, who: str):
    labels = {
        "platform": "Platform", "kind": "Kind", "n_accounts": "How many", "n_active": "Posted in the data",
        "n_known": "Followers known for", "followers_least": "Followed one or more: at least",
        "followers_most": "at most",
    }  # fmt: skip
    shown = table.with_columns(platform=pl.col("platform").map_elements(say_platform, return_dtype=pl.String))
    note = f"Accounts, pages, groups and channels {who}. Of a group, followers are its members."
    return make_table("presence", "Presence, by platform and kind", shown, note=note, labels=labels)


def _whole_release(n: int) -> str:
    return (
        f"No group was told apart beyond chance, so this describes all {say_count(n, 'account')} listed. In a takedown "
        "release these are the accounts the platform took down."
    )
