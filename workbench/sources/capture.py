"""Records of a capture -> accounts and posts: a source says what one record holds, everything else is written here.

A source gives `rows_of(record) -> rows` made by `account` and `post`. A record it cannot make sense of raises
`UnreadableError` (or trips over a field of another type), and stands in the quarantine with its line and reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import polars as pl

from workbench.schema import empty_table
from workbench.sources.cells import HASHED_KEY, ROUNDED
from workbench.sources.columnar import name_damage
from workbench.sources.delimited import quarantine_rows, read_blocks, read_header
from workbench.sources.id_time import restore_times
from workbench.sources.json_parts import is_json, read_objects
from workbench.sources.parts import Part
from workbench.sources.tables import Recognised, Tables

Record = dict[str, Any]
_LISTS = ("urls", "hashtags", "mentions", "media_hashes")
_COUNTS = ("n_reposts", "n_likes", "n_replies")
_TEXTS = ("handle", "display_name", "location", "description", "language", "text", "lang", "client")
_LATEST_S = 4_102_444_800
_MILLISECONDS = 100_000_000_000
_INT64 = 2**63
_ZONES = {"UTC": 0, "GMT": 0, "Z": 0, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8}
_ZONES |= {"PDT": -7, "BST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "MSK": 3}
_FORMATS = ("%a %b %d %H:%M:%S %z %Y", "%d/%m/%Y %H:%M:%S", "%Y/%m/%d %H:%M:%S", "%d.%m.%Y %H:%M:%S")
_HASHTAG = re.compile(r"[#＃]([^\s#＃.,;:!?()\[\]{}\"'“”，。、！？]+)")
_MENTION = re.compile(r"(?<![\w.])[@＠](\w[\w.\-]*\w|\w)(?![\w.]*@)")
_URL = re.compile(r"https?://[^\s<>\"'“”，。、！？；：）]+", re.IGNORECASE)
_HASHED = re.compile(HASHED_KEY)
_ROUNDED = re.compile(ROUNDED)


class UnreadableError(ValueError):
    """A record that is no row of its table; the message is the reason that stands in the quarantine."""


@dataclass(frozen=True)
class Row:
    """One row for a table, with its cells by column."""

    table: str
    cells: Record


def account(platform: str, account_id: object, **cells: object) -> Row:
    """Return a row of accounts.

    Args:
        platform: lower case.
        account_id: the platform's own id; numbers become text.
        **cells: other columns of the table; blank text becomes null.

    Raises:
        UnreadableError: no id, or one a spreadsheet rounded.
    """
    own = _id(account_id, "account id")
    known = {name: _fit(name, _plain(value)) for name, value in cells.items()}
    made = {"account_id": own, "platform": platform, "kind": "account", "is_pseudonymous": bool(_HASHED.match(own))}
    counts = {name: count(known.get(name)) for name in ("n_followers", "n_following")}
    return Row("accounts", {**made, **{k: v for k, v in known.items() if v is not None}, **counts})


def post(platform: str, post_id: object, account_id: object, posted_at: object, **cells: object) -> Row:
    """Return a row of posts.

    Args:
        platform: lower case.
        post_id: the platform's own id.
        account_id: who posted.
        posted_at: ISO text, "2021-01-31 10:00:00 EST", seconds or milliseconds since 1970.
        **cells: other columns of the table. Hashtags, mentions and urls not given are read from the text.

    Raises:
        UnreadableError: an id or the time is missing or cannot be read.
    """
    moment, resolution_s = read_moment(posted_at)
    known = {name: _fit(name, _plain(value)) for name, value in cells.items()}
    text = known.get("text")
    lists = {name: _strings(known.get(name)) for name in _LISTS}
    for name, pattern in (("hashtags", _HASHTAG), ("mentions", _MENTION), ("urls", _URL)):
        if name not in known and isinstance(text, str):
            lists[name] = pattern.findall(text)
    ids = {name: _optional_id(value) for name, value in known.items() if name.endswith("_id")}
    made = {
        "post_id": _id(post_id, "post id"),
        "account_id": _id(account_id, "account id"),
        "platform": platform,
        "posted_at": moment,
        "time_resolution_s": resolution_s,
    }
    counts = {name: count(known.get(name)) for name in _COUNTS}
    return Row("posts", {**known, **made, **lists, **ids, **counts})


def read_moment(value: object) -> tuple[datetime, float]:
    """Return a moment in UTC and how finely it is known, in seconds.

    Raises:
        UnreadableError: no time, or none between 1970 and 2100.
    """
    if isinstance(value, bool) or value is None or value == "":
        raise UnreadableError("lacks its time")
    text = str(value).strip()
    if re.fullmatch(r"\d+(?:\.\d+)?", text):
        return _from_epoch(float(text), is_whole="." not in text)
    moment = _from_text(text)
    if not 1970 <= moment.year < 2100:
        raise UnreadableError(f"its time is not within 1970 to 2100 ({text[:40]})")
    if not re.search(r"\d:\d", text):
        return moment, 86_400.0
    if not re.search(r"\d:\d\d:\d", text):
        return moment, 60.0
    return moment, 1e-3 if re.search(r":\d\d\.\d*[1-9]", text) else 1.0


def count(value: object) -> int | None:
    """Return a count: "1,234" and 1234.0 are numbers, blank and "N/A" are none.

    Raises:
        UnreadableError: a negative number, or words.
    """
    if value is None or isinstance(value, bool):
        return None
    text = str(value).strip().replace(",", "")
    if text.lower() in ("", "n/a", "nan", "none", "null", "-"):
        return None
    try:
        number = int(text) if text.lstrip("-").isdecimal() else int(float(text))
    except (ValueError, OverflowError) as error:
        raise UnreadableError(f"a count is no number ({text[:20]})") from error
    if number < 0:
        raise UnreadableError("a count is negative")
    return number if number < _INT64 else None


def items(record: Record, *path: str) -> list[Any]:
    """Return the list found by following keys; empty where any is missing or null."""
    found = dig(record, *path)
    return found if isinstance(found, list) else []


def dig(record: object, *path: str) -> Any:
    """Return what is found by following keys; None where any is missing or null."""
    for key in path:
        record = record.get(key) if isinstance(record, dict) else None
    return record


def read_captures(
    found: list[Recognised],
    rows_of: Callable[[Record, Recognised], Iterable[Row]],
    *,
    split: Callable[[Record], Iterable[Record]] | None = None,
) -> Tables:
    """Return the tables of the recognised parts.

    Args:
        found: parts of one source.
        rows_of: what one record holds.
        split: for formats that put many records into one object (a page of an API's answer).
    """
    tables, store = Tables(), _Store()
    for item in found:
        n_records, refused, n_before = 0, [], store.n_again
        for line, record, reason in _records(item, split):
            n_records += 1
            why = reason if record is None else _take(store, record, item, rows_of, line)
            if why:
                refused.append((line, why))
        label = item.part.label
        reason = "the others are in quarantine with a reason" if refused else "every record is readable"
        action = f"read {item.layout.name} from {label}"
        tables.decide(action, reason, n_before=n_records, n_after=n_records - len(refused))
        if store.n_again > n_before:
            action = f"took posts that {label} holds once more for the ones met before"
            why = "a capture meets a post again when it scrolls by or is quoted"
            n = len(store.rows["posts"])
            tables.decide(action, why, n_before=n + store.n_again - n_before, n_after=n)
        lines = pl.Series([line for line, _ in refused], dtype=pl.Int64)
        tables.quarantine.append(quarantine_rows(label, lines, [why for _, why in refused]))
    tables.accounts.append(_frame(list(store.rows["accounts"].values()), table="accounts"))
    tables.posts.append(_frame(list(store.rows["posts"].values()), table="posts"))
    return tables


def _take(
    store: _Store, record: Record, item: Recognised, rows_of: Callable[[Record, Recognised], Iterable[Row]], line: int
) -> str:
    """Keep what a record holds, all of it or nothing; returns why it was refused, or blank."""
    try:
        rows = list(rows_of(record, item))
    except UnreadableError as error:
        return str(error)
    except (KeyError, TypeError, AttributeError, IndexError, ValueError, OverflowError) as error:
        return f"a field is missing or of another kind ({type(error).__name__}: {error})"[:160]
    for row in rows:
        store.keep(row, line=line, label=item.part.label)
    return ""


def restore_tweet_times(tables: Tables) -> Tables:
    """Return the tables with the milliseconds that tweet ids carry, and the decision that says how many."""
    restored = [restore_times(posts) for posts in tables.posts]
    n = sum(one.n_restored for one in restored)
    tables.posts = [one.posts for one in restored]
    if n:
        action = f"took the time of {n:,} posts from their ids, to the millisecond"
        tables.decide(action, restored[0].reason, n_before=sum(one.posts.height for one in restored), n_after=n)
    return tables


def _records(item: Recognised, split: Callable[[Record], Iterable[Record]] | None) -> Iterator[tuple[int, Any, str]]:
    for line, record, reason in _objects(item.part):
        if record is None or split is None:
            yield line, record, reason
            continue
        try:
            parts = list(split(record))
        except (KeyError, TypeError, AttributeError) as error:
            yield line, None, f"is no page of records ({type(error).__name__})"
            continue
        for one in parts:
            yield (line, one, "") if isinstance(one, dict) else (line, None, "a record on the page is no object")


def _objects(part: Part) -> Iterator[tuple[int, Any, str]]:
    if part.is_parquet:
        with name_damage(part):  # bytes that are no text are noticed only when a row is made of them
            for line, row in enumerate(pl.read_parquet(part.file).iter_rows(named=True), start=1):
                yield line, row, ""
    elif is_json(part):
        yield from read_objects(part)
    else:
        for block in read_blocks(part, read_header(part)):
            for row in block.rows.iter_rows(named=True):
                yield row.pop("line"), row, ""
            for _, line, reason in block.quarantine.iter_rows():
                yield line, None, reason


class _Store:
    """Rows by id, under way. What was met before fills its blanks: an account comes with each of its posts."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Record]] = {"accounts": {}, "posts": {}}
        self.n_again = 0

    def keep(self, row: Row, *, line: int, label: str) -> None:
        own = row.cells["account_id" if row.table == "accounts" else "post_id"]
        there = self.rows[row.table].get(own)
        if there is None:
            self.rows[row.table][own] = {**row.cells, "line": line, "file": label}
            return
        self.n_again += row.table == "posts"
        there.update({name: value for name, value in row.cells.items() if there.get(name) is None})


def _frame(rows: list[Record], *, table: str) -> pl.DataFrame:
    types = {**empty_table(table).schema, "line": pl.Int64(), "file": pl.String()}
    return pl.DataFrame([pl.Series(name, [row.get(name) for row in rows], dtype=kind) for name, kind in types.items()])


def _id(value: object, what: str) -> str:
    found = _optional_id(value)
    if found is None:
        raise UnreadableError(f"lacks its {what}")
    if _ROUNDED.match(found):
        raise UnreadableError(f"its {what} is in scientific notation ({found[:30]}): a spreadsheet rounded it")
    return found


def _optional_id(value: object) -> str | None:
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, float):
        if not value.is_integer() or abs(value) >= 2**53:
            raise UnreadableError("an id went through a decimal number and may be rounded")
        value = int(value)
    if not isinstance(value, str | int):
        raise UnreadableError("an id is neither text nor number")
    text = str(value).strip()
    return text or None


def _plain(value: object) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


def _fit(name: str, value: Any) -> Any:
    """A number where text is agreed becomes text; a list or an object there is no text of anybody's."""
    if name not in _TEXTS or value is None or isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise UnreadableError(f"its {name} is no text ({type(value).__name__})")


def _strings(value: object) -> list[str]:
    if isinstance(value, str):
        value = re.split(r"[,;]\s*", value)
    return [str(_plain(item)).strip() for item in value if _plain(item)] if isinstance(value, list | tuple) else []


def _from_epoch(number: float, *, is_whole: bool) -> tuple[datetime, float]:
    resolution_s = 1.0 if is_whole else 1e-3
    if number >= _MILLISECONDS:
        number, resolution_s = number / 1000, 1e-3
    if number >= _MILLISECONDS:
        number, resolution_s = number / 1000, 1e-6
    if not 0 < number < _LATEST_S:
        raise UnreadableError("its time is not within 1970 to 2100 in seconds")
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=round(number * 1e6)), resolution_s


def _from_text(text: str) -> datetime:
    bare, _, zone = text.rpartition(" ")
    if zone.upper() in _ZONES:
        return _from_text(bare).replace(tzinfo=timezone(timedelta(hours=_ZONES[zone.upper()]))).astimezone(UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = _from_formats(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _from_formats(text: str) -> datetime:
    for form in _FORMATS:
        try:
            return datetime.strptime(text, form)
        except ValueError:
            continue
    raise UnreadableError(f"its time does not parse ({text[:40]})")
