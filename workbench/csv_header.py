"""The header of somebody's CSV, looked at before the file is read: a reader pays for every column, used or not."""

from __future__ import annotations

import csv
import io

from workbench.schema import SourceError

MAX_COLUMNS = 2_000
MAX_NAME = 10_000
_PACKED = {
    b"\x1f\x8b": "a gzip file",
    b"x\x01": "zlib data",
    b"x\x9c": "zlib data",
    b"x\xda": "zlib data",
    b"\x28\xb5\x2f\xfd": "a zstandard file",
    b"PK\x03\x04": "a zip archive or spreadsheet",
    b"PAR1": "a parquet file",
}
"""How packed files begin, and what they are. Polars would unpack most of them unasked, however large they become."""


def name_packing(raw: bytes) -> str | None:
    """Return what a packed file is, as "a gzip file"; None for one that is not packed."""
    return next((what for mark, what in _PACKED.items() if raw.startswith(mark)), None)


def check_header(raw: bytes, *, name: str, separator: str = ",", comment_prefix: str | None = None) -> None:
    """Refuse a CSV that is packed, whose header is none, or that has more columns than any table that people make.

    A reader keeps a kilobyte per column: one megabyte of commas would take a gigabyte.

    Args:
        raw: the whole file.
        name: of the file, for the message.
        separator: the mark between columns.
        comment_prefix: lines that begin so are no header; None: there are none.

    Raises:
        SourceError: it is packed, there are too many columns, or the first record is no line of names.
    """
    packed = name_packing(raw)
    if packed:
        raise SourceError(f"{name[:200]} is {packed}, not a CSV as it stands. Unpack it.")
    lines = (line.decode("utf-8", "replace") for line in io.BytesIO(raw))
    told = (line for line in lines if line.strip() and not (comment_prefix and line.startswith(comment_prefix)))
    try:
        columns = next(csv.reader(told, delimiter=separator), [])
    except csv.Error as error:
        raise SourceError(f"{name[:200]}: the header is no line of column names ({error}). Save it as CSV.") from error
    if max(map(len, columns), default=0) > MAX_NAME:
        raise SourceError(f"{name[:200]}: the header has a name of over {MAX_NAME:,} characters. Save it as CSV.")
    if len(columns) > MAX_COLUMNS:
        raise SourceError(f"{name[:200]}: the header has {len(columns):,} columns, no table has so many. Check it.")
