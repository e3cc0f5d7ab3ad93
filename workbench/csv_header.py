"""The header of somebody's CSV, looked at before the file is read: a reader pays for every column, used or not."""

from __future__ import annotations

import csv
import io

from workbench.schema import SourceError

MAX_COLUMNS = 2_000


def check_header(raw: bytes, *, name: str, separator: str = ",", comment_prefix: str | None = None) -> None:
    """Refuse a CSV whose header is none, or has more columns than any table that people make.

    A reader keeps a kilobyte per column: one megabyte of commas would take a gigabyte.

    Args:
        raw: the whole file.
        name: of the file, for the message.
        separator: the mark between columns.
        comment_prefix: lines that begin so are no header; None: there are none.

    Raises:
        SourceError: there are too many columns, or the first record is no line of names.
    """
    lines = (line.decode("utf-8", "replace") for line in io.BytesIO(raw))
    told = (line for line in lines if line.strip() and not (comment_prefix and line.startswith(comment_prefix)))
    try:
        columns = next(csv.reader(told, delimiter=separator), [])
    except csv.Error as error:
        raise SourceError(f"{name[:200]}: the header is no line of column names ({error}). Save it as CSV.") from error
    if len(columns) > MAX_COLUMNS:
        raise SourceError(f"{name[:200]}: the header has {len(columns):,} columns, no table has so many. Check it.")
