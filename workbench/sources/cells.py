"""What a cell of text may hold: expressions that read ids, counts, times and lists, and say why one cannot be read.

A reader first collects the reasons (`first_reason`), sets those rows aside, then reads the rest without loss.
"""

from __future__ import annotations

import polars as pl

DIGITS = r"^[0-9]{1,20}$"
HASHED = r"^(?:[A-Za-z0-9+/_-]{36,43}={1,2}|[0-9a-fA-F]{64})$"
"""SHA-256 in base64 (some re-publications lost characters, so 38 to 44 of them) or in hexadecimal"""
HASHED_KEY = r"^(?:[A-Za-z0-9+/_-]{36,43}={1,2}|[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{64})$"
"""the same, and the shorter MD5 and SHA-1 that share logs are published with"""
ROUNDED = r"^[0-9](?:[.,][0-9]+)?[eE][+]?[0-9]{1,2}$"
TIME_FORMATS = (
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
)
ABSENT = ("", "absent")
_QUOTED_ITEM = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""


def is_absent(column: str) -> pl.Expr:
    """True where the cell is blank or says `absent`."""
    return pl.col(column).str.strip_chars().is_in(ABSENT)


def read_text(column: str) -> pl.Expr:
    """The text as it stands; null where blank."""
    return pl.when(pl.col(column).str.strip_chars() != "").then(pl.col(column))


def read_id(column: str) -> pl.Expr:
    """The id as text; null where absent."""
    return pl.when(~is_absent(column)).then(pl.col(column))


def read_count(column: str) -> pl.Expr:
    """The whole number; null where absent."""
    return pl.col(column).str.strip_chars().str.replace(r"\.0+$", "").cast(pl.Int64, strict=False)


def read_time(column: str) -> pl.Expr:
    """The moment in UTC, or midnight UTC of a bare day; null where absent or unreadable."""
    return pl.col(column).map_batches(_parse_times, return_dtype=pl.Datetime("us", "UTC"))


def _parse_times(stamps: pl.Series) -> pl.Series:
    """Try one way of writing a time after the other on what is not read yet: a file mostly keeps to one."""
    bare = stamps.str.strip_chars().str.replace(r"(?:Z| ?UTC|\+00:?00)$", "")
    moments = pl.Series(stamps.name, [None], dtype=pl.Datetime("us")).new_from_index(0, len(stamps))
    for form in TIME_FORMATS:
        is_open = moments.is_null() & (bare != "")
        if not is_open.any():
            break
        found = bare.filter(is_open).str.to_datetime(form, strict=False, time_unit="us")
        moments = found if is_open.all() else moments.scatter(is_open.arg_true(), found)
    return moments.dt.replace_time_zone("UTC")


def has_seconds(column: str) -> pl.Expr:
    """True where the time is written with seconds."""
    return pl.col(column).str.contains(r":[0-9]{2}:[0-9]{2}")


def read_list(column: str, *, unquoted_separator: str = r",\s*") -> pl.Expr:
    """The items of `['a', 'b']`, `[123, 456]`, `[a, b]` or `[]`; an empty list where absent."""
    items = _read_list("cell", unquoted_separator=unquoted_separator)
    return pl.col(column).map_batches(lambda cells: _once_each(cells, items), return_dtype=pl.List(pl.String))


def _once_each(cells: pl.Series, change: pl.Expr) -> pl.Series:
    """Change each distinct cell once, as the column `cell`: most lists of a release are empty or stand there often."""
    known = pl.DataFrame({"cell": cells.unique()}).with_columns(change.alias("changed"))
    both = pl.DataFrame({"cell": cells}).join(known, on="cell", how="left", nulls_equal=True, maintain_order="left")
    return both["changed"]


def _read_list(column: str, *, unquoted_separator: str) -> pl.Expr:
    inner = pl.col(column).str.strip_chars().str.strip_prefix("[").str.strip_suffix("]")
    is_quoted = inner.str.contains(r"^\s*['\"]")
    item = pl.element().str.slice(1, pl.element().str.len_chars() - 2).str.replace_all(r"\\(['\"\\])", "$1")
    quoted = inner.str.extract_all(_QUOTED_ITEM).list.eval(item)
    plain = inner.str.replace_all(unquoted_separator, "\x1f").str.split("\x1f")
    items = pl.when(is_quoted).then(quoted).otherwise(plain)
    return pl.when(is_absent(column) | (inner == "")).then(pl.lit([], dtype=pl.List(pl.String))).otherwise(items)


def wrong_id(column: str, *, is_needed: bool = False) -> pl.Expr:
    """Why the cell is not an id: null where it is one, or is absent and need not be there."""
    cell = pl.col(column)
    missing = pl.lit(f"lacks its {column}") if is_needed else pl.lit(None, dtype=pl.String)
    return (
        pl.when(cell.str.contains(DIGITS))
        .then(None)
        .when(is_absent(column))
        .then(missing)
        .when(cell.str.contains(HASHED))
        .then(None)
        .when(cell.str.contains(ROUNDED))
        .then(pl.format("{} is in scientific notation ({}): a spreadsheet rounded it", pl.lit(column), cell))
        .when(cell.str.contains(r"^[0-9]+\.[0-9]*$"))
        .then(pl.lit(f"{column} has a decimal point: it went through a number and may be rounded"))
        .otherwise(pl.lit(f"{column} is neither digits nor a hash"))
    )


def wrong_key(column: str) -> pl.Expr:
    """Why the cell is no key of any kind: null unless it is blank or a number that was rounded on its way."""
    cell = pl.col(column)
    return (
        pl.when(cell.str.strip_chars() == "")
        .then(pl.lit(f"lacks its {column}"))
        .when(cell.str.contains(ROUNDED))
        .then(pl.format("{} is in scientific notation ({}): a spreadsheet rounded it", pl.lit(column), cell))
    )


def wrong_count(column: str, *, count: str) -> pl.Expr:
    """Why the cell is not a count, given the column `count` read from it: null where it is one, or is absent."""
    return (
        pl.when(pl.col(count) >= 0)
        .then(None)
        .when(is_absent(column))
        .then(None)
        .when(pl.col(count) < 0)
        .then(pl.lit(f"{column} is negative"))
        .otherwise(pl.lit(f"{column} is not a whole number"))
    )


def wrong_time(column: str, *, moment: str, is_needed: bool) -> pl.Expr:
    """Why the cell is not a time, given the column `moment` read from it: null where it is, or may be absent."""
    missing = pl.lit(f"lacks its {column}") if is_needed else pl.lit(None, dtype=pl.String)
    return (
        pl.when(pl.col(moment).is_not_null())
        .then(None)
        .when(is_absent(column))
        .then(missing)
        .otherwise(pl.format("{} does not parse as a time ({})", pl.lit(column), pl.col(column).str.slice(0, 40)))
    )


def wrong_list(column: str) -> pl.Expr:
    """Why the cell is not a list: null where it is one, or is absent."""
    reason = _wrong_list("cell", name=column)
    return pl.col(column).map_batches(lambda cells: _once_each(cells, reason), return_dtype=pl.String)


def _wrong_list(column: str, *, name: str) -> pl.Expr:
    cell = pl.col(column).str.strip_chars()
    is_list = cell.str.contains(r"(?s)^\[.*\]$")
    is_quoted = cell.str.contains(r"^\[\s*['\"]")
    is_whole = cell.str.contains(rf"(?s)^\[\s*(?:{_QUOTED_ITEM})(?:\s*,\s*(?:{_QUOTED_ITEM}))*\s*\]$")
    return (
        pl.when(~is_absent(column) & ~is_list)
        .then(pl.lit(f"{name} is not a list in brackets"))
        .when(~is_absent(column) & is_quoted & ~is_whole)
        .then(pl.lit(f"{name} has an item whose quotes do not close"))
    )


def wrong_flag(column: str) -> pl.Expr:
    """Why the cell is not true or false: null where it is, or is absent."""
    is_flag = pl.col(column).str.strip_chars().str.to_lowercase().is_in(("true", "false"))
    return pl.when(~is_absent(column) & ~is_flag).then(pl.lit(f"{column} is neither true nor false"))


def first_reason(*reasons: pl.Expr) -> pl.Expr:
    """The first reason that is not null; null where the row can be read."""
    return pl.coalesce(*reasons)
