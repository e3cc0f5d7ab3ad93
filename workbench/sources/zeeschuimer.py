"""Zeeschuimer's NDJSON of X and TikTok, as the browser extension saves it and as 4CAT hands it out again.

Source: digitalmethodsinitiative/zeeschuimer; the fields are those the platforms' own web pages receive.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from workbench.schema import About
from workbench.sources.capture import (
    Record,
    Row,
    UnreadableError,
    account,
    dig,
    items,
    post,
    read_captures,
    read_moment,
    restore_tweet_times,
)
from workbench.sources.signature import Signature
from workbench.sources.tables import Recognised, Tables
from workbench.sources.tweet_fields import read_answers_and_counts, read_client

WRAPPED = Signature("zeeschuimer", "capture", ("item_id", "source_platform", "data"), is_json=True)
X_BARE = Signature("zeeschuimer", "X items of 4CAT", ("rest_id", "legacy", "core"), is_json=True)
TIKTOK_BARE = Signature(
    "zeeschuimer", "TikTok items of 4CAT", ("id", "desc", "createTime", "author", "stats"), is_json=True
)
LAYOUTS = (WRAPPED, X_BARE, TIKTOK_BARE)
OPTIONS = ()
_X = ("twitter.com", "x.com")


def read(found: list[Recognised], about: About) -> Tables:  # noqa: ARG001
    """Return accounts, posts, decisions and quarantine of the recognised files."""
    return restore_tweet_times(read_captures(found, _rows_of))


def _rows_of(record: Record, item: Recognised) -> Iterator[Row]:
    if item.layout is X_BARE:
        yield from _rows_of_tweet(record)
    elif item.layout is TIKTOK_BARE:
        yield from _rows_of_video(record)
    elif record["source_platform"] in _X:
        yield from _rows_of_tweet(record["data"])
    elif record["source_platform"] == "tiktok.com":
        yield from _rows_of_video(record["data"])
    else:
        raise UnreadableError(f"is from {record['source_platform']}; only X and TikTok are read")


def _rows_of_tweet(data: Record) -> Iterator[Row]:
    tweet = data.get("tweet") or data
    if "legacy" not in tweet:
        raise UnreadableError("is a tombstone: the post is withheld or gone")
    user, legacy = _user(tweet), tweet["legacy"]
    yield _account(user)
    original = dig(legacy, "retweeted_status_result", "result") or {}
    original = original.get("tweet") or original
    if "legacy" in original:
        yield from _rows_of_tweet(original)
    entities = legacy.get("entities") or {}
    yield post(
        "twitter",
        legacy.get("id_str") or tweet["rest_id"],
        user["rest_id"],
        legacy["created_at"],
        text=_text(original) or _text(tweet),
        lang=legacy.get("lang"),
        client=read_client(tweet.get("source")),
        urls=[url.get("expanded_url") or url.get("url") for url in items(entities, "urls")],
        hashtags=[tag["text"] for tag in items(entities, "hashtags")],
        mentions=[who.get("id_str") or who["screen_name"] for who in items(entities, "user_mentions")],
        repost_of_id=original.get("rest_id"),
        repost_of_account_id=_user(original).get("rest_id") if original else None,
        **read_answers_and_counts(legacy),
    )


def _user(tweet: Record) -> Record:
    return dig(tweet, "core", "user_results", "result") or {}


def _text(tweet: Record) -> Any:
    return dig(tweet, "note_tweet", "note_tweet_results", "result", "text") or dig(tweet, "legacy", "full_text")


def _account(user: Record) -> Row:
    # The page's own format moved name and date from `legacy` to `core` in 2025.
    legacy, core = user.get("legacy") or {}, user.get("core") or {}
    created = legacy.get("created_at") or core.get("created_at")
    return account(
        "twitter",
        user["rest_id"],
        handle=legacy.get("screen_name") or core.get("screen_name"),
        display_name=legacy.get("name") or core.get("name"),
        created_at=read_moment(created)[0] if created else None,
        n_followers=legacy.get("followers_count"),
        n_following=legacy.get("friends_count"),
        location=_place(legacy.get("location") or user.get("location")),
        description=legacy.get("description"),
    )


def _place(location: object) -> object:
    return location.get("location") if isinstance(location, dict) else location


def _rows_of_video(data: Record) -> Iterator[Row]:
    author = data["author"] if isinstance(data["author"], dict) else {"uniqueId": data["author"]}
    stats = data.get("authorStats") or {}
    own_id = author.get("id") or data.get("authorId") or author["uniqueId"]
    yield account(
        "tiktok",
        own_id,
        handle=author.get("uniqueId"),
        display_name=author.get("nickname"),
        n_followers=stats.get("followerCount"),
        n_following=stats.get("followingCount"),
        description=author.get("signature"),
    )
    extra = items(data, "textExtra")
    numbers = data.get("stats") or {}
    duet_of = dig(data, "duetInfo", "duetFromId")
    yield post(
        "tiktok",
        data["id"],
        own_id,
        data["createTime"],
        text=data.get("desc"),
        lang=data.get("textLanguage"),
        hashtags=[tag["hashtagName"] for tag in extra if tag.get("hashtagName")],
        mentions=[tag.get("userId") or tag.get("userUniqueId") for tag in extra if tag.get("userUniqueId")],
        quote_of_id=duet_of if duet_of not in ("0", 0) else None,
        media_hashes=[f"tiktok-music:{dig(data, 'music', 'id')}"] if dig(data, "music", "id") else [],
        n_reposts=numbers.get("shareCount"),
        n_likes=numbers.get("diggCount"),
        n_replies=numbers.get("commentCount"),
    )
