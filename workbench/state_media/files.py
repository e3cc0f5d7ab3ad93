"""Files of lists and adverts, opened with distrust: what is no table or no text is refused before it is read."""

from __future__ import annotations

import csv
import tomllib
from pathlib import Path
from typing import Any

import polars as pl

from workbench.csv_header import check_header, name_packing
from workbench.schema import SourceError

_MAX_HEADER_BYTES = 1_000_000


def read_table(path: Path, *, comment_prefix: str | None = None) -> pl.DataFrame:
    """Return a CSV's columns as text, as they stand; bytes that are no UTF-8 become the replacement sign.

    Commas, semicolons or tabs part the columns: whichever parts the header into most.

    Raises:
        SourceError: no such file, it is packed or no text, or its records cannot be told apart.
    """
    raw = _read_bytes(path, kind="a CSV")
    header = raw[:_MAX_HEADER_BYTES].lstrip(b"\r\n").split(b"\n", 1)[0]
    if len(header) >= _MAX_HEADER_BYTES:
        raise SourceError(f"Expected {path.name} to be a CSV with a header; its first line is none. Export it again.")
    separator = _find_separator(raw, comment_prefix)
    check_header(raw, name=path.name, separator=separator, comment_prefix=comment_prefix)
    try:
        return pl.read_csv(
            raw,
            infer_schema=False,
            encoding="utf8-lossy",
            comment_prefix=comment_prefix,
            separator=separator,
        )
    # polars lets some damage escape as a panic of its Rust side, which is no PolarsError
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        found = (str(error).splitlines() or ["no reason given"])[0]
        raise SourceError(
            f"Expected {path.name} to be a CSV with a header; {found[:200]}. Save it again as CSV."
        ) from error


def number_records(path: Path, *, n_records: int, comment_prefix: str) -> list[int]:
    """Return the line of a CSV on which each record after the header begins; lines of comment count as lines."""
    starts, is_inside = [], False
    for number, line in enumerate(_read_bytes(path, kind="a CSV").split(b"\n"), start=1):
        if not is_inside and (not line.strip() or line.startswith(comment_prefix.encode())):
            continue
        if not is_inside:
            starts.append(number)
        is_inside ^= line.count(b'"') % 2 == 1
    # Stray quotes: the records as they are counted are then the best there is.
    return starts[1:] if len(starts) == n_records + 1 else list(range(2, n_records + 2))


def read_text(path: Path, *, kind: str) -> str:
    """Return a file's text.

    Args:
        path: the file.
        kind: what it should be, for the message, as "a policy file".

    Raises:
        SourceError: no such file, or it is no UTF-8 text.
    """
    try:
        return _read_bytes(path, kind=kind).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceError(f"Expected {path.name} to be {kind} in UTF-8; {error}. Save it as UTF-8.") from error


def read_toml(path: Path, *, kind: str) -> dict[str, Any]:
    """Return a TOML file's content.

    Raises:
        SourceError: no such file, or it is no TOML in UTF-8.
    """
    try:
        return tomllib.loads(read_text(path, kind=kind))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SourceError(f"Expected {path.name} to be TOML in UTF-8; found otherwise ({error}). Mend it.") from error


def _find_separator(raw: bytes, comment_prefix: str | None) -> str:
    """Return the mark that parts the header into most columns: spreadsheets of many countries write semicolons."""
    lines = (line.decode("utf-8", "replace") for line in raw[:_MAX_HEADER_BYTES].splitlines() if line.strip())
    header = next((line for line in lines if not comment_prefix or not line.startswith(comment_prefix)), "")
    return max(",;\t", key=lambda mark: _count_columns(header, mark))


def _count_columns(header: str, separator: str) -> int:
    try:
        return len(next(csv.reader([header], delimiter=separator), []))
    except csv.Error:  # a name longer than any: not parted here
        return 0


def _read_bytes(path: Path, *, kind: str) -> bytes:
    try:
        raw = path.read_bytes()
    except FileNotFoundError as error:
        raise SourceError(f"Expected {kind} at {path.name}; found no such file. Check the path.") from error
    except OSError as error:
        raise SourceError(f"Expected {kind} at {path.name[:200]}; {error.strerror}. Check the path.") from error
    packed = name_packing(raw)
    if packed:
        raise SourceError(f"Expected {kind} at {path.name}; found {packed}. Unpack it, or export it as plain text.")
    if b"\0" in raw:
        raise SourceError(f"Expected {kind} at {path.name}; it holds NUL bytes, which no text has. Save it as UTF-8.")
    return raw
