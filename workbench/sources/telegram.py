"""Telegram messages: Telethon's objects as JSON lines, and the `result.json` that Telegram Desktop exports.

A message of a channel is the channel's; one in a group is of the person who wrote it. Forwards are reposts.

Source: Telethon documentation (to_dict, to_json); Telegram Desktop export, schema of 2024.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from workbench.schema import About
from workbench.sources.capture import Record, Row, UnreadableError, account, dig, items, post, read_captures
from workbench.sources.signature import Signature
from workbench.sources.tables import Recognised, Tables

TELETHON = Signature("telegram", "Telethon messages", ("_", "id", "peer_id", "date"), is_json=True)
CHAT = Signature("telegram", "Desktop export of a chat", ("name", "type", "id", "messages"), is_json=True)
EXPORT = Signature("telegram", "Desktop export of an account", ("chats", "about"), is_json=True)
LAYOUTS = (TELETHON, CHAT, EXPORT)
OPTIONS = ()
_KEY = "_chat"
_LINKS = ("MessageEntityUrl", "MessageEntityTextUrl")


def read(found: list[Recognised], about: About) -> Tables:  # noqa: ARG001
    """Return accounts, posts, decisions and quarantine of the recognised files."""
    return read_captures(found, _rows_of, split=_split)


def _split(record: Record) -> Iterable[Record]:
    if "messages" in record:
        return [{**message, _KEY: record} for message in record["messages"]]
    if "chats" in record and "peer_id" not in record:
        return [{**message, _KEY: chat} for chat in record["chats"]["list"] for message in chat["messages"]]
    return [record]


def _rows_of(record: Record, item: Recognised) -> Iterator[Row]:
    yield from _rows_of_telethon(record) if item.layout is TELETHON else _rows_of_desktop(record)


def _rows_of_telethon(message: Record) -> Iterator[Row]:
    if message["_"] != "Message":
        raise UnreadableError(f"is a {message['_']}: somebody joined, pinned or called, and wrote nothing")
    place, writer = _peer(message["peer_id"]), _peer(message.get("from_id"))
    # A channel's posts carry no writer; the channel speaks.
    owner = writer or place
    yield account("telegram", owner, kind=_kind(owner, is_channel=bool(message.get("post"))), **_chat_names(message))
    forwarded = message.get("fwd_from") or {}
    text, reply = message.get("message"), message.get("reply_to") or {}
    origin = _peer(forwarded.get("from_id"))
    yield post(
        "telegram",
        f"{place}/{message['id']}",
        owner,
        message["date"],
        text=text,
        urls=_links_of(message, text),
        repost_of_id=f"{origin}/{forwarded['channel_post']}" if origin and forwarded.get("channel_post") else None,
        repost_of_account_id=origin,
        reply_to_id=f"{place}/{reply['reply_to_msg_id']}" if reply.get("reply_to_msg_id") else None,
        media_hashes=_media(message.get("media") or {}),
        n_reposts=message.get("forwards"),
        n_likes=sum(one["count"] for one in items(message, "reactions", "results")) or None,
        n_replies=dig(message, "replies", "replies"),
    )


def _peer(peer: Any) -> str | None:
    """Ids of channels, groups and persons are counted apart, so the kind is part of the id."""
    if not isinstance(peer, dict):
        return None
    for kind in ("channel", "chat", "user"):
        if peer.get(f"{kind}_id") is not None:
            return f"{kind}{peer[f'{kind}_id']}"
    return None


def _kind(owner: str | None, *, is_channel: bool) -> str:
    if str(owner).startswith("user"):
        return "account"
    return "channel" if is_channel or not str(owner).startswith("chat") else "group"


def _chat_names(message: Record) -> dict[str, object]:
    chat = message.get(_KEY) or message.get("chat") or {}
    return {"handle": chat.get("username"), "display_name": chat.get("title")} if message.get("post") else {}


def _links_of(message: Record, text: object) -> list[str]:
    """Telegram counts in UTF-16 units."""
    units = str(text or "").encode("utf-16-le", "surrogatepass")
    found = []
    for entity in items(message, "entities"):
        if entity.get("url"):
            found.append(entity["url"])
        elif entity.get("_") == _LINKS[0]:
            start, length = entity["offset"] * 2, entity["length"] * 2
            found.append(units[start : start + length].decode("utf-16-le", "replace"))
    page = dig(message, "media", "webpage", "url")
    return [*found, page] if page and page not in found else found


def _media(media: Record) -> list[str]:
    """A file keeps its id when it is forwarded: the same id is the same file."""
    for kind in ("photo", "document"):
        if dig(media, kind, "id") is not None:
            return [f"telegram-{kind}:{media[kind]['id']}"]
    return []


def _rows_of_desktop(message: Record) -> Iterator[Row]:
    if message.get("type") != "message":
        raise UnreadableError(f"is of type {message.get('type')}: somebody joined, pinned or called, and wrote nothing")
    chat = message[_KEY]
    is_channel = "channel" in str(chat.get("type"))
    place = f"{'channel' if is_channel else 'chat'}{chat['id']}"
    owner = str(message.get("from_id") or place)
    name = chat.get("name") if owner == place else message.get("from")
    kind = "channel" if owner.startswith("channel") else "group" if owner == place else "account"
    yield account("telegram", owner, kind=kind, display_name=name)
    text, links = _flatten(message.get("text"))
    # The export names whom a message was forwarded from, not their id.
    origin = message.get("forwarded_from")
    yield post(
        "telegram",
        f"{place}/{message['id']}",
        owner,
        message.get("date_unixtime") or message["date"],
        text=text,
        urls=links,
        repost_of_account_id=message.get("forwarded_from_id") or (f"name:{origin}" if origin else None),
        reply_to_id=f"{place}/{message['reply_to_message_id']}" if message.get("reply_to_message_id") else None,
        n_likes=sum(one["count"] for one in items(message, "reactions")) or None,
    )


def _flatten(text: Any) -> tuple[str, list[str]]:
    """The export writes formatted text as a list of strings and pieces."""
    pieces = text if isinstance(text, list) else [text or ""]
    words, links = [], []
    for piece in pieces:
        if isinstance(piece, str):
            words.append(piece)
            continue
        words.append(piece.get("text") or "")
        if piece.get("type") == "link":
            links.append(piece["text"])
        elif piece.get("type") == "text_link":
            links.append(piece["href"])
    return "".join(words), links
