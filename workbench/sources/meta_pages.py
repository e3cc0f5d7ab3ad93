"""Posts of Facebook pages and groups and of Instagram: Meta Content Library's CSV, and CrowdTangle's exports.

Who acts is the place a post stands in (page, group), as others count it; in a group whose posts name their writer
(Content Library) it is the writer.

Source: Meta Content Library, data dictionary (post_owner, surface, statistics); CrowdTangle historical report columns.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from workbench.schema import About
from workbench.sources.capture import Record, Row, account, count, post, read_captures, read_moment
from workbench.sources.signature import Signature
from workbench.sources.tables import Recognised, Tables

LIBRARY = Signature(
    "meta_pages", "Content Library", ("id", "creation_time", "text", "post_owner.id", "post_owner.type")
)
LIBRARY_BARE = Signature("meta_pages", "Content Library", ("id", "creation_time", "post_owner.id"))
"""Whoever asks for no fields gets no text; not all results say what kind the owner is."""
FACEBOOK = Signature("meta_pages", "CrowdTangle Facebook", ("Facebook Id", "Post Created", "Message", "URL", "Type"))
INSTAGRAM = Signature("meta_pages", "CrowdTangle Instagram", ("Account", "User Name", "Post Created", "URL", "Photo"))
LAYOUTS = (LIBRARY, LIBRARY_BARE, FACEBOOK, INSTAGRAM)
OPTIONS = ()
_GROUP_IN_URL = re.compile(r"facebook\.com/groups/", re.IGNORECASE)
_REACTIONS = ("Likes", "Love", "Wow", "Haha", "Sad", "Angry", "Care")
_CREATED = ("Page Created", "Group Created")


def read(found: list[Recognised], about: About) -> Tables:
    """Return accounts, posts, decisions and quarantine of the recognised files."""
    platform = about.platform if about.platform in ("facebook", "instagram", "threads") else ""
    return read_captures(found, lambda record, item: _rows_of(record, item, platform))


def _rows_of(row: Record, item: Recognised, platform: str) -> Iterator[Row]:
    if item.layout is FACEBOOK:
        yield from _crowdtangle_facebook(row)
    elif item.layout is INSTAGRAM:
        yield from _crowdtangle_instagram(row)
    else:
        yield from _library(row, platform)


def _library(row: Record, platform: str) -> Iterator[Row]:
    where = platform or ("instagram" if "instagram.com" in str(row.get("mcl_url")) else "facebook")
    owner = {name: row.get(f"post_owner.{name}") for name in ("id", "type", "name", "username")}
    surface = {name: row.get(f"surface.{name}") for name in ("id", "type", "name", "username")}
    if surface["id"] and surface["id"] != owner["id"]:
        yield account(where, surface["id"], kind=_kind(surface["type"]), **_named(surface))
    followers = row.get("post_owner.follower_count") or row.get("statistics.follower_count")
    yield account(where, owner["id"], kind=_kind(owner["type"]), n_followers=followers, **_named(owner))
    link = row.get("link_attachment.link")
    own_links = {"urls": [link]} if link else {}
    yield post(
        where,
        row["id"],
        owner["id"],
        row["creation_time"],
        text=row.get("text"),
        lang=row.get("lang"),
        repost_of_id=row.get("shared_post_id"),
        n_reposts=row.get("statistics.share_count"),
        n_likes=row.get("statistics.reaction_count") or row.get("statistics.like_count"),
        n_replies=row.get("statistics.comment_count"),
        **own_links,
    )


def _named(party: Record) -> Record:
    return {"handle": party["username"], "display_name": party["name"]}


def _kind(said: object) -> str:
    word = str(said or "").lower()
    return next((kind for kind in ("page", "group", "channel") if kind in word), "account")


def _crowdtangle_facebook(row: Record) -> Iterator[Row]:
    address = row["URL"]
    is_group = "Group Name" in row or bool(_GROUP_IN_URL.search(address))
    created = next((row[name] for name in _CREATED if row.get(name)), None)
    yield account(
        "facebook",
        row["Facebook Id"],
        kind="group" if is_group else "page",
        handle=row.get("User Name"),
        display_name=row.get("Page Name") or row.get("Group Name"),
        created_at=_moment(created),
        # The export's two counts: who follows, or (older exports, groups) who likes or is a member.
        n_followers=row.get("Followers at Posting") or row.get("Likes at Posting") or row.get("Members"),
        location=row.get("Page Admin Top Country"),
        description=row.get("Page Description"),
    )
    links = [row[name] for name in ("Final Link", "Link") if row.get(name)]
    own = [link for link in links[:1] if not _is_own(link, address)]
    text = "\n".join(filter(None, (row["Message"], row.get("Image Text"))))
    yield post(
        "facebook",
        _post_id(address),
        row["Facebook Id"],
        row["Post Created"],
        text=row["Message"] or text,
        urls=own,
        n_reposts=row.get("Shares"),
        n_likes=_sum(row, _REACTIONS),
        n_replies=row.get("Comments"),
    )


def _crowdtangle_instagram(row: Record) -> Iterator[Row]:
    yield account(
        "instagram",
        row["User Name"],
        handle=row["User Name"],
        display_name=row["Account"],
        n_followers=row.get("Followers at Posting"),
    )
    yield post(
        "instagram",
        _post_id(row["URL"]),
        row["User Name"],
        row["Post Created"],
        text=row.get("Description"),
        urls=[],
        n_likes=row.get("Likes"),
        n_replies=row.get("Comments"),
    )


def _post_id(address: str) -> str:
    return address.strip().rstrip("/").rpartition("facebook.com/")[2].rpartition("/p/")[2]


def _is_own(link: str, address: str) -> bool:
    """A post's link is often the post itself (a photo, a status): that shares nothing."""
    return link.rstrip("/") == address.rstrip("/") or "facebook.com/photo" in link


def _moment(value: object) -> object:
    return read_moment(value)[0] if value else None


def _sum(row: Record, names: tuple[str, ...]) -> int | None:
    found = [number for name in names if (number := count(row.get(name))) is not None]
    return sum(found) if found else None
