"""Reddit submissions and comments as JSON lines, in the API's fields, as Pushshift and its heirs hand them out.

Source: Reddit API documentation; Pushshift dumps. Ids carry their kind (t1_ comment, t3_ submission).
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator

from workbench.schema import About
from workbench.sources.capture import Record, Row, account, items, post, read_captures, read_moment
from workbench.sources.signature import Signature
from workbench.sources.tables import Recognised, Tables

THINGS = Signature("reddit", "submissions and comments", ("id", "author", "subreddit", "created_utc"), is_json=True)
LISTINGS = Signature("reddit", "API listings", ("kind", "data"), is_json=True)
LAYOUTS = (THINGS, LISTINGS)
OPTIONS = ()
_GONE = ("[deleted]", "[removed]")


def read(found: list[Recognised], about: About) -> Tables:  # noqa: ARG001
    """Return accounts, posts, decisions and quarantine of the recognised files."""
    return read_captures(found, lambda record, _: _rows_of(record), split=_split)


def _split(record: Record) -> Iterable[Record]:
    if "kind" not in record or "subreddit" in record:
        return [record]
    children = items(record, "data", "children")
    return [child["data"] for child in children] if children else [record["data"]]


def _rows_of(thing: Record) -> Iterator[Row]:
    is_comment = "body" in thing
    # All deleted accounts carry one name: taken for one account they would seem the busiest of all.
    is_gone = thing["author"] in _GONE
    own = f"deleted:{thing['id']}" if is_gone else thing.get("author_fullname") or thing["author"]
    created = thing.get("author_created_utc")
    yield account(
        "reddit",
        own,
        handle=None if is_gone else thing["author"],
        created_at=read_moment(created)[0] if created else None,
    )
    words = thing.get("body") if is_comment else "\n".join(filter(None, (thing.get("title"), thing.get("selftext"))))
    text = html.unescape(words) if words and words not in _GONE else None
    link = thing.get("url") if not is_comment and not thing.get("is_self") else None
    parent = str(thing.get("parent_id") or "") or None
    crosspost = thing.get("crosspost_parent")
    own_links = {} if link is None else {"urls": [html.unescape(link)]}
    yield post(
        "reddit",
        f"{'t1' if is_comment else 't3'}_{thing['id']}",
        own,
        thing["created_utc"],
        text=text,
        mentions=[],
        hashtags=[],
        reply_to_id=parent if is_comment else None,
        repost_of_id=crosspost,
        repost_of_account_id=next((one.get("author") for one in items(thing, "crosspost_parent_list")), None),
        n_likes=max(int(thing.get("score") or 0), 0),
        n_reposts=thing.get("num_crossposts"),
        n_replies=thing.get("num_comments"),
        **own_links,
    )
