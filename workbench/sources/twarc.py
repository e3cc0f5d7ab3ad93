"""Tweets as twarc writes them: API v2 in pages or flattened, and API v1.1.

Source: twarc documentation; Twitter API v2 and v1.1 data dictionaries.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from workbench.schema import About
from workbench.sources.capture import (
    Record,
    Row,
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

PAGES = Signature("twarc", "v2 pages", ("data", "includes"), is_json=True)
PAGES_BARE = Signature("twarc", "v2 pages", ("data", "meta"), is_json=True)
FLAT = Signature("twarc", "v2 flattened", ("id", "author_id", "text", "created_at"), is_json=True)
V1 = Signature("twarc", "v1.1", ("id_str", "user", "created_at"), is_json=True)
LAYOUTS = (PAGES, PAGES_BARE, FLAT, V1)
OPTIONS = ()
_REFERENCES = {"retweeted": "repost_of", "replied_to": "reply_to", "quoted": "quote_of"}


def read(found: list[Recognised], about: About) -> Tables:  # noqa: ARG001
    """Return accounts, posts, decisions and quarantine of the recognised files."""
    return restore_tweet_times(read_captures(found, _rows_of, split=_split))


def _split(record: Record) -> Iterable[Record]:
    """A page holds tweets, and beside them the accounts and tweets they refer to."""
    if "data" not in record or "id" in record:
        return [record]
    users = {user["id"]: user for user in items(record, "includes", "users")}
    tweets = record["data"] if isinstance(record["data"], list) else [record["data"]]
    known = {tweet["id"]: tweet for tweet in (*items(record, "includes", "tweets"), *tweets)}
    return [_join(tweet, users, known) for tweet in (*tweets, *items(record, "includes", "tweets"))]


def _join(tweet: Record, users: dict[str, Record], known: dict[str, Record]) -> Record:
    references = [{**known.get(item["id"], {}), **item} for item in items(tweet, "referenced_tweets")]
    return {**tweet, "author": users.get(tweet.get("author_id", "")), "referenced_tweets": references}


def _rows_of(record: Record, item: Recognised) -> Iterator[Row]:
    yield from _rows_of_v1(record) if item.layout is V1 else _rows_of_v2(record)


def _rows_of_v2(tweet: Record) -> Iterator[Row]:
    author = tweet.get("author")
    if isinstance(author, dict):
        yield _account_v2(author)
    references: dict[str, object] = {}
    for item in items(tweet, "referenced_tweets"):
        stem = _REFERENCES.get(item["type"])
        if stem:
            references[f"{stem}_id"] = item["id"]
            if stem != "quote_of":
                references[f"{stem}_account_id"] = item.get("author_id")
        # A flattened tweet carries the whole of what it refers to.
        if "text" in item and "author_id" in item:
            yield from _rows_of_v2({**item, "referenced_tweets": []})
    references["reply_to_account_id"] = references.get("reply_to_account_id") or tweet.get("in_reply_to_user_id")
    original = next((item for item in items(tweet, "referenced_tweets") if item["type"] == "retweeted"), {})
    entities = tweet.get("entities") or {}
    metrics = tweet.get("public_metrics") or {}
    yield post(
        "twitter",
        tweet["id"],
        tweet["author_id"],
        tweet["created_at"],
        # The retweet's own text is cut off; the original's is whole.
        text=original.get("text") or tweet.get("text"),
        lang=tweet.get("lang"),
        client=tweet.get("source"),
        urls=[url.get("expanded_url") or url.get("url") for url in items(entities, "urls")],
        hashtags=[tag["tag"] for tag in items(entities, "hashtags")],
        mentions=[who.get("id") or who["username"] for who in items(entities, "mentions")],
        n_reposts=metrics.get("retweet_count"),
        n_likes=metrics.get("like_count"),
        n_replies=metrics.get("reply_count"),
        **references,
    )


def _account_v2(user: Record) -> Row:
    return account(
        "twitter",
        user["id"],
        handle=user.get("username"),
        display_name=user.get("name"),
        created_at=_created(user.get("created_at")),
        n_followers=dig(user, "public_metrics", "followers_count"),
        n_following=dig(user, "public_metrics", "following_count"),
        location=user.get("location"),
        description=user.get("description"),
    )


def _rows_of_v1(tweet: Record) -> Iterator[Row]:
    user = tweet["user"]
    yield account(
        "twitter",
        user["id_str"],
        handle=user.get("screen_name"),
        display_name=user.get("name"),
        created_at=_created(user.get("created_at")),
        n_followers=user.get("followers_count"),
        n_following=user.get("friends_count"),
        location=user.get("location"),
        description=user.get("description"),
        language=user.get("lang"),
    )
    original = tweet.get("retweeted_status") or {}
    if original:
        yield from _rows_of_v1(original)
    whole = tweet.get("extended_tweet") or tweet
    entities = whole.get("entities") or {}
    source = original.get("extended_tweet") or original or whole
    yield post(
        "twitter",
        tweet["id_str"],
        user["id_str"],
        tweet["created_at"],
        text=source.get("full_text") or source.get("text"),
        lang=tweet.get("lang"),
        client=read_client(tweet.get("source")),
        urls=[url.get("expanded_url") or url.get("url") for url in items(entities, "urls")],
        hashtags=[tag["text"] for tag in items(entities, "hashtags")],
        mentions=[who["id_str"] for who in items(entities, "user_mentions")],
        repost_of_id=original.get("id_str"),
        repost_of_account_id=dig(original, "user", "id_str"),
        **read_answers_and_counts(tweet),
    )


def _created(value: object) -> object:
    return read_moment(value)[0] if value else None
