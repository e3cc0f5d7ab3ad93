"""4CAT's CSV results, of whichever data source: the columns all have, and what single sources add.

Source: digitalmethodsinitiative/4cat, map_item of its data sources, among them telegram, bsky, facebook, douyin and
twitter. The platform is told from the columns that a source adds, or given in dataset.toml.
"""

from __future__ import annotations

from collections.abc import Iterator

from workbench.schema import About
from workbench.sources.capture import Record, Row, account, post, read_captures, read_moment
from workbench.sources.signature import Signature
from workbench.sources.tables import Recognised, Tables

RESULTS = Signature("four_cat", "4CAT results", ("id", "thread_id", "timestamp", "body", "author"))
NO_THREAD = Signature("four_cat", "4CAT results without threads", ("id", "timestamp", "body", "author"))
DOUYIN = Signature(
    "four_cat", "4CAT Douyin results", ("id", "thread_id", "timestamp", "body", "author_user_id", "author_nickname")
)
LAYOUTS = (RESULTS, NO_THREAD, DOUYIN)
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
    "replied_to_post": "bluesky",
    "is_in_group": "facebook",
    "author_nickname": "douyin",
}
_FORUMS = ("4chan", "8chan", "8kun", "reddit", "twitter", "bluesky", "unknown")
"""Where a thread is named by the post that began it. Elsewhere it is a chat, a page or the post itself."""
_NAMES = ("author_fullname", "author_full", "author_name", "author_display_name", "author_nickname", "page_name")
_FOLLOWERS = ("author_followers", "author_follower_count", "page_followers", "followers")
_LIKES = ("like_count", "likes", "num_likes", "amount_likes", "score", "diggCount", "digg_count")
_REPOSTS = ("retweet_count", "reposts", "shares", "amount_shares", "repost_count", "forwards", "share_count")
_REPLIES = ("reply_count", "replies", "num_comments", "amount_comments", "comments", "num_replies", "comment_count")
_LINKS = ("urls", "links", "link_attached", "url_original", "linked_url")
_LISTS = {"hashtags": ("hashtags", "tags"), "mentions": ("mentions", "entities_mentioned")}


def read(found: list[Recognised], about: About) -> Tables:
    """Return accounts, posts, decisions and quarantine of the recognised files."""
    return read_captures(found, lambda record, item: _rows_of(record, _platform(item, about)))


def _platform(item: Recognised, about: About) -> str:
    if about.platform != "unknown":
        return about.platform
    return next((platform for column, platform in _TOLD_BY.items() if column in item.columns), "unknown")


def _rows_of(row: Record, platform: str) -> Iterator[Row]:
    own = _first(row, ("author_id", "page_id", "user_id", "author_user_id")) or row["author"]
    created = _first(row, ("author_created_at",))
    yield account(
        platform,
        own,
        kind="page" if row.get("page_id") else "account",
        handle=_first(row, ("author_username", "author")),
        display_name=_first(
            row,
            ("author_fullname", "author_full", "author_name", "author_display_name", "author_nickname", "page_name"),
        ),
        created_at=read_moment(created)[0] if created else None,
        n_followers=_first(row, _FOLLOWERS),
        description=_first(row, ("author_description", "author_bio", "author_profile", "page_description")),
    )
    links = _first(row, _LINKS)
    given = {name: found for name, columns in _LISTS.items() if (found := _first(row, columns))}
    is_repost = str(row.get("is_retweet", "")).lower() in ("yes", "true", "1")
    own_id, reply = _post_ids(row, platform)
    yield post(
        platform,
        own_id,
        own,
        row.get("unix_timestamp") or row["timestamp"],
        text=row["body"],
        lang=_first(row, ("language", "lang", "language_guess")),
        client=row.get("source"),
        **({"urls": links} if links else {}),
        **given,
        repost_of_id=_first(row, ("retweet_id", "repost_of_id")) if is_repost else None,
        repost_of_account_id=_first(row, ("retweeted_user", "author_forwarded_from_id")) or None,
        reply_to_id=None if is_repost or reply == own_id else reply,
        reply_to_account_id=_first(row, ("replied_user", "replied_author", "replied_to_user")),
        quote_of_id=_first(row, ("quote_tweet_id", "quoted_post")),
        n_reposts=_first(row, _REPOSTS),
        n_likes=_likes(row),
        n_replies=_first(row, _REPLIES),
    )


def _post_ids(row: Record, platform: str) -> tuple[str, str | None]:
    """A post's id, and that of the post it answers. Telegram numbers messages per chat, so an id needs its chat."""
    own, thread = row["id"], row.get("thread_id")
    reply = _first(row, ("reply_to", "replied_to_post", "parent_id"))
    if platform == "telegram" and thread:
        own = own if own.startswith(f"{thread}-") else f"{thread}-{own}"
        return own, f"{thread}-{reply}" if reply and reply.isdecimal() else reply
    if not reply and platform in _FORUMS:
        reply = thread
    return own, reply


def _likes(row: Record) -> str | None:
    found = _first(row, _LIKES)
    # A score may be below nothing where people vote against.
    return "0" if found and found.startswith("-") else found


def _first(row: Record, names: tuple[str, ...]) -> str | None:
    return next((row[name] for name in names if row.get(name)), None)
