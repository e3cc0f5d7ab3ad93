"""Records of an input as another reader counts them, and what a reader of ours lost of them.

Judged is what was read, not what was refused. Where a damaged file leaves unsure what a record is, nothing is said: a
judge that guesses would call a good reader broken.
"""

from __future__ import annotations

import csv
import io
import json
import re
import tomllib
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import polars as pl
from fuzz_samples import Sample

from workbench.schema import Release
from workbench.state_media.adverts import AdvertFile
from workbench.state_media.folder import ScreeningLists
from workbench.state_media.matrix import OutletList, make_slug
from workbench.state_media.policies import Policies

_PAGES = ("twarc v2 pages", "zeeschuimer X", "zeeschuimer TikTok", "bluesky views", "telegram telethon")
"""formats of which one line may hold several records"""
_WHOLE = ("twitter", "share log", "messages")
"""formats of which every record is one account or one post"""
_ONE_POST = (
    *("4CAT", "CrowdTangle", "Content Library", "YouTube", "zeeschuimer TikTok", "telegram", "reddit", "generic"),
    "bluesky jetstream",
)
"""formats of which every record is one post; one met before fills the blanks of the first and is told in a decision"""


def _name_view(view: dict[str, Any]) -> list[Any]:
    own, reason = view.get("post", view)["uri"], view.get("reason") or {}
    if not reason.get("$type", "").endswith("reasonRepost"):
        return [own]
    return [own, reason.get("uri") or f"at://{reason['by']['did']}/app.bsky.feed.repost/of/{own}"]


_OWN_POST: dict[str, Callable[[Any], list[Any]]] = {
    "twarc v2 pages": lambda page: [one["id"] for one in page["data"]],
    "twarc v2 flat": lambda tweet: [tweet["id"]],
    "twarc v1": lambda tweet: [tweet["id_str"]],
    "zeeschuimer X": lambda item: [item["data"]["legacy"].get("id_str") or item["data"]["rest_id"]],
    "mastodon": lambda status: [status["id"]],
    "bluesky views": _name_view,
}
"""formats of which a record is a post and others that it quotes, so that rows cannot be counted: the ids of its own"""
_ROWS = ("facts", "outlets")
"""formats whose reader gives what it kept and the quarantine"""
_SHEETS = {"Meta sheet, kill chain": ",", "Meta sheet, flat": ",", "Meta sheet, tabs": "\t"}
_TABLES = ("package, its indicators", "narrative labels", "calendar of holidays")
"""formats of which every record is a row of the one table that is given"""
_STIX_VALUES = ("url", "domain-name", "email-addr", "ipv4-addr", "ipv6-addr")

N_JUDGED = 52
"""formats of which a lost record is called broken: all of them; a reader that loses its last row is tried for each"""
NOT_COUNTED = {
    **dict.fromkeys(_OWN_POST, "a record holds posts it quotes too, and what is met twice is one row"),
    "bluesky page": "a record holds posts it quotes too",
    "STIX 2.1": "what a bundle says twice, as patterns and observables do, is one row",
    "State Media Matrix": "rows of one outlet are joined",
    "outlet list": "rows of one outlet are joined",
    "screening lists": "rows of one outlet are joined",
    **dict.fromkeys(("telegram telethon", "zeeschuimer TikTok"), "one line may hold several records"),
    **dict.fromkeys(("telegram desktop", "generic, dataset.toml"), "what is damaged says what is a record"),
    **dict.fromkeys(
        ("twitter tweets, gzip", "twitter zip", "share log, parquet", "4CAT, parquet"),
        "of what is packed and damaged no other reader is sure what comes out",
    ),
}
"""format -> why rows are not compared with the records of the file

Of them, the posts, outlets and values that the file names are looked up one by one, or the reader's own ledger of what
it read is compared with its tables.
"""


def find_loss(name: str, sample: Sample, result: Any, files: dict[str, bytes]) -> str:
    """Say which records are neither kept nor in quarantine; blank where all are accounted for, or none can be."""
    content = files[sample.damaged]
    if isinstance(result, Release):
        return _find_loss_of_release(name, sample, result, content)
    if name == "STIX 2.1":
        return _find_loss_of_bundle(result, content)
    if isinstance(result, OutletList | ScreeningLists):
        return _find_loss_of_outlets(name, sample, result, content)
    if isinstance(result, AdvertFile):
        n_kept, n_bad = result.adverts.height, result.quarantine.height
    elif name in _ROWS:
        n_kept, n_bad = (table.height for table in result)
    else:
        n_kept, n_bad = _size(result), 0
    n_expected = _count_records(name, sample, files)
    if n_expected is not None and n_expected != n_kept + n_bad:
        return f"{n_expected:,} records in the file, {n_kept:,} kept, {n_bad:,} in quarantine"
    return ""


def _size(result: Any) -> int:
    if isinstance(result, pl.DataFrame):
        return result.height
    return len(result.policies if isinstance(result, Policies) else result.sections)


def _find_loss_of_release(name: str, sample: Sample, release: Release, content: bytes) -> str:
    load = release.decisions.filter(pl.col("stage") == "load")
    read = load.filter(pl.col("action").str.contains("(?s)^read .+ from "))
    n_in, n_read = int(read["n_before"].sum()), int(read["n_after"].sum())
    n_repeats = release.quarantine.filter(pl.col("reason").str.contains("repeats the id of line")).height
    if release.quarantine.height != n_in - n_read + n_repeats:
        return (
            f"{n_in:,} records in, {n_read:,} read, {n_repeats:,} repeats, {release.quarantine.height:,} in quarantine"
        )
    again = load.filter(pl.col("action").str.contains("(?s)^took posts that .+ once more"))
    n_again = int(again["n_before"].sum()) - int(again["n_after"].sum())
    n_listed = release.accounts.filter(pl.col("source_file").is_not_null()).height
    if name.startswith(_WHOLE) and release.posts.height + n_listed != n_read - n_repeats:
        return f"{n_read:,} records read, {n_repeats:,} of them repeats, but {release.posts.height + n_listed:,} rows"
    if name.startswith(_ONE_POST) and release.posts.height != n_read - n_repeats - n_again:
        return f"{n_read:,} records read, {n_again:,} of them met before, but {release.posts.height:,} posts"
    n_expected = _count_lines(sample, content) if sample.form == "lines" and name not in _PAGES else None
    if sample.form == "csv":
        n_expected = _count_rows(content)
    if n_expected is not None and n_expected != n_in:
        return f"{n_expected:,} records in the file, {n_in:,} accounted for"
    lost = _own_posts(name, release, content) - set(release.posts["post_id"])
    return f"{len(lost):,} records read of which there is no post, as {min(lost)[:60]}" if lost else ""


def _own_posts(name: str, release: Release, content: bytes) -> set[str]:
    """Ids of the posts that the lines read are about, where they are plain text."""
    refused = set(release.quarantine["line"])
    ids: set[str] = set()
    if name == "bluesky page":
        with suppress(ValueError, KeyError, TypeError, RecursionError):
            ids = {one["uri"].strip() for one in json.loads(content)["posts"]} if not refused else set()
    for n, line in enumerate(content.split(b"\n") if name in _OWN_POST else [], start=1):
        with suppress(ValueError, KeyError, TypeError, AttributeError, RecursionError):
            ids |= {own.strip() for own in _OWN_POST[name](json.loads(line)) if n not in refused}
    return {own for own in ids if own}


def _find_loss_of_bundle(indicators: pl.DataFrame, content: bytes) -> str:
    """What is observed, or said in a note, has a row with its value: rows are not counted, as patterns repeat it."""
    kept = set(indicators["indicator_value"])
    kept |= {value.rpartition(":")[2] for value in kept}
    kept |= set(indicators["account_id"]) if "account_id" in indicators.columns else set()
    lost: list[str] = []
    for item in json.loads(content).get("objects", []):
        told = {
            "note": [item.get("content")],
            "file": list((item.get("hashes") or {}).values()),
            "user-account": [item["user_id"]] if item.get("user_id") else [],
            **{kind: [item.get("value")] for kind in _STIX_VALUES},
        }.get(item.get("type"), [])
        lost += [one for one in told if one not in kept]
    return f"{len(lost):,} values in the file without a row, as {str(lost[0])[:60]}" if lost else ""


def _find_loss_of_outlets(name: str, sample: Sample, read: OutletList | ScreeningLists, content: bytes) -> str:
    """Rows of one outlet are joined: there are at least as many outlets as names, or ids, that are no row set aside."""
    rows = _read_rows(content, may_begin_with_remarks=name == "screening lists")
    key = {"State Media Matrix": "Main assets", "outlet list": "name"}.get(name, "outlet_id")
    if rows is None or key not in rows[0] or (key == "name" and "outlet_id" in rows[0]):
        return ""
    at = rows[0].index(key)
    aside = set(read.quarantine.filter(pl.col("file").str.ends_with(sample.damaged))["line"])
    known = {make_slug(row[at]) for n, row in enumerate(rows[1:], start=2) if n not in aside}
    n_bad = len(aside)
    if read.outlets.height < len(known) - (n_bad if key == "outlet_id" else 0):
        return f"{len(known):,} outlets in the file, {read.outlets.height:,} kept, {n_bad:,} rows in quarantine"
    return ""


def _count_records(name: str, sample: Sample, files: dict[str, bytes]) -> int | None:
    """Records as another reader counts them; None where it is not sure."""
    content = files[sample.damaged]
    if name in _SHEETS:
        return _count_rows(content, delimiter=_SHEETS[name], is_sheet=True)
    if name in _TABLES:
        return _count_rows(content, is_sheet=name.startswith("package"))
    if name in _ROWS:
        return _count_rows(content, may_begin_with_remarks=True)
    if name == "package, its manifest":
        return _count_rows(files["indicators.csv"], is_sheet=True)
    if name == "package, zip":
        return _count_packed(content)
    if name == "advert layouts":
        return _count_rows(files["adverts.csv"])
    if sample.form == "lines":
        return _count_lines(sample, content)
    if sample.form == "csv":  # adverts: an empty line of them is quarantined
        return None if b"\n\n" in content else _count_rows(content)
    with suppress(ValueError, RecursionError, UnicodeDecodeError):
        return _count_parts(name, sample, content)
    return None


def _count_parts(name: str, sample: Sample, content: bytes) -> int | None:
    if name == "policies":
        ours, read = (tomllib.loads(text.decode()) for text in (sample.files[sample.damaged], content))
        listed = [*ours["policy"], *read.get("policy", [])]  # the workbench's own come first, whatever the file says
        return len({policy["policy_id"] for policy in listed})
    found = json.loads(content)
    if name == "findings record":
        return len(found.get("sections", []))
    if name == "MISP":
        events = found["response"] if isinstance(found.get("response"), list) else [found]
        return sum(_count_event(event["Event"]) for event in events)
    return len(found["data"]) if isinstance(found, dict) and isinstance(found.get("data"), list) else None


def _count_event(event: dict[str, Any]) -> int:
    """Attributes, and objects that are an account or a group; of other objects, their attributes."""
    n = len(event.get("Attribute") or [])
    for item in event.get("Object") or []:
        if item["name"].endswith(("-account", "-page", "-group")):
            n += 1
        elif item["name"] != "narrative":
            n += len(item["Attribute"])
    return n


def _count_packed(content: bytes) -> int | None:
    wrong = (OSError, EOFError, ValueError, RuntimeError, zlib.error, zipfile.BadZipFile)
    with suppress(*wrong), zipfile.ZipFile(io.BytesIO(content)) as archive:
        named = [info for info in archive.infolist() if re.search(r"(?:^|/)indicators\.csv$", info.filename)]
        return _count_rows(archive.read(named[0]), is_sheet=True) if len(named) == 1 else None
    return None


def _count_lines(sample: Sample, content: bytes) -> int | None:
    lines = content.removeprefix(b"\xef\xbb\xbf").rstrip(b"\x1a \t\r\n").split(b"\n")
    try:
        is_lines = isinstance(json.loads(lines[0]), dict)
    except (ValueError, RecursionError):
        return None
    filled = [line for line in lines if line.strip()]
    is_clear = all(line.decode("utf-8", "replace").strip() for line in filled)  # else of spaces no ASCII knows
    return len(filled) if is_lines and is_clear else None


def _count_rows(content: bytes, **more: Any) -> int | None:
    rows = _read_rows(content, **more)
    return None if rows is None else len(rows) - 1


def _read_rows(
    content: bytes, *, delimiter: str = ",", is_sheet: bool = False, may_begin_with_remarks: bool = False
) -> list[list[str]] | None:
    """Header and rows of a CSV that is read in one way only; None where it is not sure."""
    try:
        text = content.decode("utf-8-sig")
        if may_begin_with_remarks:
            text = re.sub(r"\A(?:#[^\n]*\n)+", "", text)
        if is_sheet:  # it ends its lines as Windows does
            text = text.replace("\r\n", "\n")
        if re.search(r"[\x00\r]", text) or (may_begin_with_remarks and re.search(r"(?m)^#", text)):
            return None
        csv.field_size_limit(10_000_000)
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True) if row]
    except (UnicodeDecodeError, csv.Error):
        return None
    if is_sheet:
        rows = [row for row in rows if any(cell.strip() for cell in row)]
    n_needed = 2 if rows and "day" in rows[0] else 3
    is_table = len(rows) > 1 and len(rows[0]) >= n_needed and all(len(row) == len(rows[0]) for row in rows)
    return rows if is_table else None
