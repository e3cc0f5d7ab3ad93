"""Bluesky posts: views as the API gives them, feeds with reposts, pages of either, and Jetstream's commits.

Source: AT protocol lexicons app.bsky.feed.defs (postView, feedViewPost), app.bsky.feed.post; Jetstream README.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

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
)
from workbench.sources.signature import Signature
from workbench.sources.tables import Recognised, Tables

VIEWS = Signature("bluesky", "post views", ("uri", "cid", "author", "record"), is_json=True)
FEED = Signature("bluesky", "feed", ("post",), is_json=True)
PAGES = Signature("bluesky", "pages of posts", ("posts",), is_json=True)
FEED_PAGES = Signature("bluesky", "pages of a feed", ("feed",), is_json=True)
COMMITS = Signature("bluesky", "Jetstream commits", ("did", "time_us", "kind"), is_json=True)
LAYOUTS = (VIEWS, FEED, PAGES, FEED_PAGES, COMMITS)
OPTIONS = ()
_TAG, _MENTION, _LINK = (f"app.bsky.richtext.facet#{name}" for name in ("tag", "mention", "link"))


def read(found: list[Recognised], about: About) -> Tables:  # noqa: ARG001
    """Return accounts, posts, decisions and quarantine of the recognised files."""
    return read_captures(found, _rows_of, split=_split)


def _split(record: Record) -> Iterable[Record]:
    for key in ("posts", "feed"):
        if isinstance(record.get(key), list):
            return record[key]
    return [record]


def _rows_of(record: Record, item: Recognised) -> Iterator[Row]:
    if item.layout is COMMITS:
        yield from _rows_of_commit(record)
        return
    view = record["post"] if isinstance(record.get("post"), dict) else record
    yield from _rows_of_view(view)
    reason = record.get("reason") or {}
    if str(reason.get("$type", "")).endswith("reasonRepost"):
        yield from _repost(reason, view)


def _rows_of_view(view: Record) -> Iterator[Row]:
    author = view["author"]
    yield _account(author)
    yield _post(
        view["uri"],
        author["did"],
        view["record"],
        n_reposts=view.get("repostCount"),
        n_likes=view.get("likeCount"),
        n_replies=view.get("replyCount"),
    )


def _repost(reason: Record, view: Record) -> Iterator[Row]:
    by = reason["by"]
    yield _account(by)
    own = reason.get("uri") or f"at://{by['did']}/app.bsky.feed.repost/of/{view['uri']}"
    text = dig(view, "record", "text")
    origin = {"repost_of_id": view["uri"], "repost_of_account_id": view["author"]["did"]}
    yield post("bluesky", own, by["did"], reason["indexedAt"], text=text, **origin)


def _rows_of_commit(record: Record) -> Iterator[Row]:
    commit = record.get("commit") or {}
    kind = str(commit.get("collection", "")).rpartition(".")[2]
    if record["kind"] != "commit" or commit.get("operation") != "create" or kind not in ("post", "repost"):
        raise UnreadableError(
            f"is no new post or repost but {record['kind']} {commit.get('operation', '')} {kind}".rstrip()
        )
    uri = f"at://{record['did']}/{commit['collection']}/{commit['rkey']}"
    yield account("bluesky", record["did"])
    if kind == "post":
        yield _post(uri, record["did"], commit["record"], at=record["time_us"])
        return
    origin = commit["record"]["subject"]["uri"]
    references = {"repost_of_id": origin, "repost_of_account_id": _owner(origin)}
    yield post("bluesky", uri, record["did"], record["time_us"], **references)


def _account(author: Record) -> Row:
    return account(
        "bluesky",
        author["did"],
        handle=author.get("handle"),
        display_name=author.get("displayName"),
        created_at=read_moment(author["createdAt"])[0] if author.get("createdAt") else None,
        n_followers=author.get("followersCount"),
        n_following=author.get("followsCount"),
        description=author.get("description"),
    )


def _post(uri: str, did: str, record: Record, *, at: object = None, **numbers: object) -> Row:
    features = [feature for facet in items(record, "facets") for feature in items(facet, "features")]
    links = [feature["uri"] for feature in features if feature.get("$type") == _LINK]
    embed = record.get("embed") or {}
    card = dig(embed, "external", "uri") or dig(embed, "media", "external", "uri")
    parent = dig(record, "reply", "parent", "uri")
    quoted = dig(embed, "record", "uri") or dig(embed, "record", "record", "uri")
    images = [
        dig(image, "image", "ref", "$link") for image in items(embed, "images") or items(embed, "media", "images")
    ]
    languages = items(record, "langs")
    return post(
        "bluesky",
        uri,
        did,
        # Authors set createdAt themselves, at will; what a server saw is better where it is given.
        at or record["createdAt"],
        text=record.get("text"),
        lang=languages[0] if len(languages) == 1 else None,
        urls=[*links, *([card] if card and card not in links else [])],
        hashtags=[*[one["tag"] for one in features if one.get("$type") == _TAG], *items(record, "tags")],
        mentions=[one["did"] for one in features if one.get("$type") == _MENTION],
        reply_to_id=parent,
        reply_to_account_id=_owner(parent),
        quote_of_id=quoted,
        media_hashes=[f"cid:{link}" for link in images if link],
        **numbers,
    )


def _owner(uri: object) -> str | None:
    parts = str(uri or "").split("/")
    return parts[2] if len(parts) > 2 and parts[0] == "at:" else None
