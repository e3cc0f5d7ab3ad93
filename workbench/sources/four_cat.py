"""4CAT's CSV results, of whichever data source: the columns all have, and what single sources add.

Source: digitalmethodsinitiative/4cat, map_item of its data sources. The platform is told from the columns that a source
adds, or given in dataset.toml.
"""

from __future__ import annotations

from collections.abc import Iterator

from workbench.schema import About
from workbench.sources.capture import Record, Row, account, post, read_captures
from workbench.sources.signature import Signature
from workbench.sources.tables import Recognised, Tables

RESULTS = Signature("four_cat", "4CAT results", ("id", "thread_id", "timestamp", "body", "author"))
LAYOUTS = (RESULTS,)
OPTIONS = ()
_TOLD_BY = {
    "tiktok_url": "tiktok",
    "author_forwarded_from_name": "telegram",
    "is_retweet": "twitter",
    "retweeted_user": "twitter",
    "subreddit": "reddit",
    "youtube_url": "youtube",
    "page_id": "facebook",
    "likes_love": "facebook",
    "usertags": "instagram",
    "board": "4chan",
}
_FOLLOWERS = ("author_followers", "author_follower_count", "page_followers", "followers")
_LIKES = ("like_count", "likes", "num_likes", "amount_likes", "score", "diggCount")
_REPOSTS = ("retweet_count", "reposts", "shares", "amount_shares", "repost_count", "forwards")
_REPLIES = ("reply_count", "replies", "num_comments", "amount_comments", "comments", "num_replies")
_LINKS = ("urls", "link_attached", "url_original", "linked_url")


def read(found: list[Recognised], about: About) -> Tables:
    """Return accounts, posts, decisions and quarantine of the recognised files."""
    return read_captures(found, lambda record, item: _rows_of(record, _platform(item, about)))


def _platform(item: Recognised, about: About) -> str:
    if about.platform != "unknown":
        return about.platform
    return next((platform for column, platform in _TOLD_BY.items() if column in item.columns), "unknown")


def _rows_of(row: Record, platform: str) -> Iterator[Row]:
    own = _first(row, ("author_id", "page_id", "user_id")) or row["author"]
    yield account(
        platform,
        own,
        kind="page" if row.get("page_id") else "account",
        handle=_first(row, ("author_username", "author")),
        display_name=_first(row, ("author_fullname", "author_name", "page_name")),
        n_followers=_first(row, _FOLLOWERS),
        description=_first(row, ("author_description", "author_bio", "page_description")),
    )
    links = _first(row, _LINKS)
    given = {name: row[name] for name in ("hashtags", "mentions") if row.get(name)}
    is_repost = str(row.get("is_retweet", "")).lower() in ("yes", "true", "1")
    reply = row.get("reply_to") or row.get("parent_id") or (row["thread_id"] if row["thread_id"] != row["id"] else None)
    yield post(
        platform,
        row["id"],
        own,
        row.get("unix_timestamp") or row["timestamp"],
        text=row["body"],
        lang=_first(row, ("language", "lang")),
        client=row.get("source"),
        **({"urls": links} if links else {}),
        **given,
        repost_of_id=_first(row, ("retweet_id", "repost_of_id")) if is_repost else None,
        repost_of_account_id=_first(row, ("retweeted_user", "author_forwarded_from_id")) or None,
        reply_to_id=None if is_repost or reply == row["id"] else reply,
        reply_to_account_id=_first(row, ("replied_user", "replied_author")),
        quote_of_id=row.get("quote_tweet_id"),
        n_reposts=_first(row, _REPOSTS),
        n_likes=_likes(row),
        n_replies=_first(row, _REPLIES),
    )


def _likes(row: Record) -> str | None:
    found = _first(row, _LIKES)
    # A score may be below nothing where people vote against.
    return "0" if found and found.startswith("-") else found


def _first(row: Record, names: tuple[str, ...]) -> str | None:
    return next((row[name] for name in names if row.get(name)), None)
