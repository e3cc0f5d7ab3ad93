"""YouTube videos and comments as YouTube Data Tools exports them (CSV or TSV).

Source: YouTube Data Tools, modules Video List and Video Info and Comments.
"""

from __future__ import annotations

from collections.abc import Iterator

from workbench.schema import About
from workbench.sources.capture import Record, Row, account, post, read_captures
from workbench.sources.signature import Signature
from workbench.sources.tables import Recognised, Tables

VIDEOS = Signature("youtube", "videos", ("videoId", "channelId", "publishedAt", "videoTitle"))
COMMENTS = Signature("youtube", "comments", ("id", "authorName", "text", "publishedAt", "isReplyTo"))
LAYOUTS = (VIDEOS, COMMENTS)
OPTIONS = ()


def read(found: list[Recognised], about: About) -> Tables:  # noqa: ARG001
    """Return accounts, posts, decisions and quarantine of the recognised files."""
    return read_captures(found, lambda record, item: _video(record) if item.layout is VIDEOS else _comment(record))


def _video(row: Record) -> Iterator[Row]:
    yield account("youtube", row["channelId"], kind="channel", display_name=row.get("channelTitle"))
    text = "\n".join(filter(None, (row["videoTitle"], row.get("videoDescription"))))
    yield post(
        "youtube",
        row["videoId"],
        row["channelId"],
        row["publishedAt"],
        text=text,
        lang=row.get("defaultLanguage") or row.get("defaultLAudioLanguage"),
        mentions=[],
        n_likes=row.get("likeCount"),
        n_replies=row.get("commentCount"),
    )


def _comment(row: Record) -> Iterator[Row]:
    own = row.get("authorChannelId") or row["authorName"]
    yield account("youtube", own, display_name=row["authorName"])
    yield post(
        "youtube",
        row["id"],
        own,
        row["publishedAt"],
        text=row["text"],
        reply_to_id=row.get("isReplyTo") or row.get("videoId"),
        reply_to_account_id=row.get("isReplyToId"),
        n_likes=row.get("likeCount"),
        n_replies=row.get("replyCount"),
    )
