"""Mastodon statuses as its API gives them, as JSON lines or an array.

Source: docs.joinmastodon.org, entity Status. Ids are the collecting server's; accounts keep that server's id.
"""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser

from workbench.schema import About
from workbench.sources.capture import Record, Row, account, dig, items, post, read_captures, read_moment
from workbench.sources.signature import Signature
from workbench.sources.tables import Recognised, Tables

STATUSES = Signature("mastodon", "statuses", ("id", "account", "content", "created_at", "visibility"), is_json=True)
LAYOUTS = (STATUSES,)
OPTIONS = ()
_BLOCKS = ("p", "br", "div", "li")


def read(found: list[Recognised], about: About) -> Tables:  # noqa: ARG001
    """Return accounts, posts, decisions and quarantine of the recognised files."""
    return read_captures(found, lambda record, _: _rows_of(record))


def _rows_of(status: Record) -> Iterator[Row]:
    who = status["account"]
    yield account(
        "mastodon",
        who["id"],
        kind="group" if who.get("group") else "account",
        handle=who.get("acct") or who.get("username"),
        display_name=who.get("display_name"),
        created_at=read_moment(who["created_at"])[0] if who.get("created_at") else None,
        n_followers=who.get("followers_count"),
        n_following=who.get("following_count"),
        description=read_html(who.get("note") or "")[0],
    )
    original = status.get("reblog") or {}
    if original:
        yield from _rows_of(original)
    text, links = read_html((original or status).get("content") or "")
    card = dig(original or status, "card", "url")
    yield post(
        "mastodon",
        status["id"],
        who["id"],
        status["created_at"],
        text=text,
        lang=status.get("language"),
        client=dig(status, "application", "name"),
        urls=[*links, *([card] if card and card not in links else [])],
        hashtags=[tag["name"] for tag in items(status, "tags")],
        mentions=[one["id"] for one in items(status, "mentions")],
        repost_of_id=original.get("id"),
        repost_of_account_id=dig(original, "account", "id"),
        reply_to_id=status.get("in_reply_to_id"),
        reply_to_account_id=status.get("in_reply_to_account_id"),
        quote_of_id=dig(status, "quote", "quoted_status", "id") or dig(status, "quote", "id"),
        media_hashes=[
            f"blurhash:{one['blurhash']}" for one in items(status, "media_attachments") if one.get("blurhash")
        ],
        n_reposts=status.get("reblogs_count"),
        n_likes=status.get("favourites_count"),
        n_replies=status.get("replies_count"),
    )


def read_html(html: str) -> tuple[str, list[str]]:
    """Return the words of a piece of HTML, and where its links lead; those to hashtags and mentions left out."""
    reader = _Words()
    reader.feed(html)
    reader.close()
    return " ".join("".join(reader.words).split()), reader.links


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _BLOCKS:
            self.words.append(" ")
        given = dict(attrs)
        is_word = {"mention", "hashtag"} & set((given.get("class") or "").split())
        if tag == "a" and given.get("href") and not is_word:
            self.links.append(str(given["href"]))

    def handle_endtag(self, tag: str) -> None:
        if tag in _BLOCKS:
            self.words.append(" ")

    def handle_data(self, data: str) -> None:
        self.words.append(data)
