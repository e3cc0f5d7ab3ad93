"""What may be shown of whom: keyed pseudonyms at the door, and addresses nobody can click.

A name stays clear only where the source publishes it in clear and at least 5,000 accounts follow it. Everybody else,
bystanders who were only mentioned or reposted included, becomes a pseudonym before any stage sees the tables, so that
no table, chart, notebook or report made from them can name anybody it should not.

Beware: pseudonymous is not anonymous. Whoever holds the same release can find an account again by its dates and texts.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from dataclasses import replace

import polars as pl

from workbench.addresses import defang, refang
from workbench.hidden_text import LOOSE_PHONE, protect_text, protect_urls
from workbench.keys import PrivacyError, read_key
from workbench.names import describe_names
from workbench.pseudonyms import (
    N_FOLLOWERS_CLEAR,
    PSEUDONYM,
    SPOKEN,
    Names,
    add_spoken,
    is_named_in_clear,
    list_spoken,
    name_accounts,
)
from workbench.schema import Accounts, ParameterError, Posts, Release, check_table, decision
from workbench.spoken_names import N_SPEAKERS_OF_A_WORD, is_unlike_a_word

__all__ = [
    "N_FOLLOWERS_CLEAR",
    "PrivacyError",
    "defang",
    "is_named_in_clear",
    "list_hidden_names",
    "protect_release",
    "read_key",
    "refang",
]


def protect_release(release: Release, *, key: bytes, beside: pl.DataFrame | None = None) -> Release:
    """Return the release with pseudonyms for everybody who may not be named, and decisions that say how many.

    A name stays clear only if a platform disclosed it: the dataset says how many accounts were announced, the account
    is listed in `accounts`, not already pseudonymous there, and has at least 5,000 followers. All others, listed or
    only mentioned, reposted or answered, become `acct_` and 12 characters: in ids, handles, display names, mentions,
    `@handles` inside texts, and links to profiles. Ids of posts whose author is not in the clear become `post_` and 16
    digits. E-mail addresses are blotted out. Locations of hidden accounts are removed; their biographies become keyed
    word hashes, so that equal and similar ones can still be found.
    Columns that no contract knows are dropped: what they hold is not known either. What names look like is added, for
    profiles (`describe_names`): none of it tells a name. Applying it twice changes nothing.

    Args:
        release: what `load_release` gives.
        key: at least 16 bytes, from `read_key`.
        beside: names that the case's other releases hide, from `list_hidden_names`; None = there are no others.

    Raises:
        ParameterError: the key is too short to hide anything.
        PrivacyError: two names fell on one pseudonym.

    Beware: a text may quote a person the source never lists; their name as plain words is not found.
    """
    platforms = _name_platforms(release, key=key)
    if not platforms:
        return release
    names_by_platform, parts_accounts, parts_posts = [], [], []
    is_alone = len(platforms) == 1
    spoken = {} if is_alone else {platform: list_spoken(accounts, names) for platform, accounts, _, names in platforms}
    for platform, accounts, posts, names in platforms:
        others = [spoken[other] for other in spoken if other != platform] + ([] if beside is None else [beside])
        if others:
            names = add_spoken(names, pl.concat(others), accounts=accounts, posts=posts)
        parts_accounts.append(_protect_accounts(accounts, names))
        parts_posts.append(_protect_posts(posts, names))
        names_by_platform.append(names)
    return replace(
        release,
        accounts=check_table(_join_parts(parts_accounts), "accounts"),
        posts=check_table(_join_parts(parts_posts), "posts"),
        decisions=_add_decisions(release, names_by_platform),
        quarantine=release.quarantine.with_columns(_hide_values(pl.col("reason"))),
    )


def list_hidden_names(release: Release, *, key: bytes) -> pl.DataFrame:
    """Return what stands for a release's hidden accounts in the texts of the case's other platforms.

    Args:
        release: as loaded, before `protect_release`.
        key: at least 16 bytes, from `read_key`.

    Returns:
        name, kind (word, phrase, display name) and shown, its pseudonym. Of handles and ids these are the ones that no
        word can be taken for: with a digit, an underscore or a dot in them. It names accounts: keep it, never show it.
    """
    spoken = [list_spoken(accounts, names) for _, accounts, _, names in _name_platforms(release, key=key)]
    return pl.concat(spoken) if spoken else pl.DataFrame(schema=SPOKEN)


def _name_platforms(release: Release, *, key: bytes) -> list[tuple[str, pl.DataFrame, pl.DataFrame, Names]]:
    """Each platform, its accounts and posts with their row, and who is shown how there."""
    if len(key) < 16:
        raise ParameterError(f"key must have at least 16 bytes, got {len(key)}. Use read_key().")
    accounts, posts = release.accounts.with_row_index("_row"), release.posts.with_row_index("_row")
    platforms = pl.concat([accounts["platform"], posts["platform"]]).unique(maintain_order=True)
    parts = []
    for platform in platforms:
        # A filter that keeps all rows would be a second copy of the release.
        is_only = len(platforms) == 1
        its_accounts = accounts if is_only else accounts.filter(platform=platform)
        its_posts = posts if is_only else posts.filter(platform=platform)
        names = name_accounts(its_accounts, its_posts, about=release.about, platform=platform, key=key)
        parts.append((platform, its_accounts, its_posts, names))
    return parts


def _join_parts(parts: list[pl.DataFrame]) -> pl.DataFrame:
    """The rows of all platforms in their old order."""
    return (parts[0] if len(parts) == 1 else pl.concat(parts).sort("_row")).drop("_row")


def _protect_accounts(accounts: pl.DataFrame, names: Names) -> pl.DataFrame:
    is_clear = pl.col("account_id").is_in(list(names.clear_ids))
    is_ours = pl.col("account_id").str.contains(rf"^{PSEUDONYM.pattern}$")
    shown_id = _map_distinct(accounts["account_id"], names.show_account)
    bios = _map_distinct(
        accounts.select(pl.when(is_clear | is_ours).then(None).otherwise(pl.col("description"))).to_series(),
        lambda bio: _hash_words(bio, key=names.key),
    )
    readable = protect_text(accounts["description"], names).str.replace_all(LOOSE_PHONE, "[phone]")

    said = {column: protect_text(accounts[column], names) for column in ("display_name", "location")}

    def name_or(column: str) -> pl.Expr:
        own = said.get(column, pl.col(column))
        return pl.when(is_clear | is_ours | pl.col(column).is_null()).then(own).otherwise(shown_id).alias(column)

    looks = describe_names(accounts)
    known = accounts.with_columns(looks.drop([column for column in looks.columns if column in accounts.columns]))
    return known.select("_row", *Accounts.column_names(), *looks.columns).with_columns(
        shown_id.alias("account_id"),
        name_or("handle"),
        name_or("display_name"),
        pl.when(is_clear).then(said["location"]).alias("location"),
        pl.when(is_clear).then(readable).when(is_ours).then(pl.col("description")).otherwise(bios).alias("description"),
        is_pseudonymous=pl.col("is_pseudonymous") | ~is_clear,
    )


def _protect_posts(posts: pl.DataFrame, names: Names) -> pl.DataFrame:
    id_columns = ("account_id", "repost_of_account_id", "reply_to_account_id")
    other_posts = ("repost_of_id", "reply_to_id", "quote_of_id")
    shown_ids = _map_distinct(pl.concat([posts[column] for column in id_columns]), names.show_account)
    n = posts.height
    return posts.select("_row", *Posts.column_names()).with_columns(
        *[shown_ids.slice(i * n, n).alias(column) for i, column in enumerate(id_columns)],
        names.show_posts(posts["post_id"]).alias("post_id"),
        *[_change_distinct(posts[column], names.show_posts) for column in other_posts],
        _change_distinct(posts["text"], lambda texts: protect_text(texts, names)),
        _map_lists(posts["urls"], lambda urls: protect_urls(urls, names)),
        _map_lists(posts["mentions"], lambda mentions: _map_distinct(mentions, names.show_mention)),
        _map_lists(posts["hashtags"], lambda tags: _map_distinct(tags, _tag_shower(posts, names))),
        _change_distinct(posts["client"], lambda clients: protect_text(clients, names)),
    )


def _tag_shower(posts: pl.DataFrame, names: Names) -> Callable[[str], str]:
    """A hashtag that is a hidden account's handle stands for it, unless it is a plain word that several use."""
    users = (
        posts.select("account_id", tag="hashtags")
        .explode("tag")
        .drop_nulls()
        .with_columns(pl.col("tag").str.to_lowercase())
    )
    common = frozenset(users.unique().group_by("tag").len().filter(pl.col("len") >= N_SPEAKERS_OF_A_WORD)["tag"])

    def show(tag: str) -> str:
        owner = names.id_by_handle.get(tag.lower())
        if owner is None:
            return names.spoken_words.get(tag.lower()) or (names.telling_names | names.telling_phrases).get(tag, tag)
        is_word = tag.lower() in common and not is_unlike_a_word(tag.lower())
        return tag if owner in names.clear_ids or is_word else names.show_account(owner)

    return show


def _map_lists(lists: pl.Series, change: Callable[[pl.Series], pl.Series]) -> pl.Series:
    distinct = lists.explode().unique().drop_nulls()
    if distinct.is_empty():
        return lists
    changed = pl.element().replace_strict(distinct, change(distinct), default=None, return_dtype=pl.String)
    return lists.list.eval(changed)


def _map_distinct(values: pl.Series, change: Callable[[str], str]) -> pl.Series:
    """Change each distinct value once: a release names an account a thousand times."""
    return _change_distinct(values, lambda distinct: pl.Series([change(value) for value in distinct], dtype=pl.String))


def _change_distinct(values: pl.Series, change: Callable[[pl.Series], pl.Series]) -> pl.Series:
    distinct = values.unique().drop_nulls()
    if distinct.is_empty():
        return values
    return values.replace_strict(distinct, change(distinct), default=None, return_dtype=pl.String)


def _hash_words(text: str, *, key: bytes) -> str:
    """Words, and single characters where a script has no spaces, each as 6 keyed digits in the order of the text."""
    words = re.findall(r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]{1,2}|[^\W_]+", text.lower())
    return " ".join(hmac.digest(key, f"word\0{word}".encode(), "sha256").hex()[:6] for word in words)


def _hide_values(reason: pl.Expr) -> pl.Expr:
    """Keep column names in a reason, but not the ids, handles and words it quotes."""
    quoted = r"""'[^']*[^a-z_'][^']*'|"[^"]*[^a-z_"][^"]*"|[@＠][\w.\-]+|\d{5,}"""
    return reason.str.replace_all(quoted, "[value]")


def _add_decisions(release: Release, names_by_platform: list[Names]) -> pl.DataFrame:
    n_accounts = release.accounts.height
    n_clear = sum(len(names.clear_ids) for names in names_by_platform)
    n_bystanders = sum(names.n_bystanders for names in names_by_platform)
    post_ids = set().union(*(names.clear_posts for names in names_by_platform))
    n_clear_posts = release.posts["post_id"].is_in(list(post_ids)).sum()
    listed = (
        f"published in clear by the source and {N_FOLLOWERS_CLEAR:,} followers or more; the other "
        f"{n_accounts - n_clear:,} are shown by keyed pseudonyms"
    )
    bystanders = "mentioned, reposted or answered, but not part of the release: all are shown by keyed pseudonyms"
    posts = "an id leads to its author; posts of accounts shown by pseudonyms have keyed ids"
    rows = [
        ("name listed accounts in clear", listed, n_accounts, n_clear),
        ("name bystanders in clear", bystanders, n_bystanders, 0),
        ("show post ids in clear", posts, release.posts.height, int(n_clear_posts)),
    ]
    new = pl.concat([decision("protect", a, r, n_before=before, n_after=after) for a, r, before, after in rows])
    if release.decisions.filter(stage="protect").height:
        return release.decisions
    return pl.concat([release.decisions, new.select(release.decisions.columns)])
