"""Delimited text -> checked blocks of rows: every record is kept as a row of strings or set aside with its reason."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import IO, TypeVar

import numpy as np
import polars as pl

from workbench.csv_header import MAX_COLUMNS
from workbench.memory import give_memory_back
from workbench.schema import SourceError, empty_table
from workbench.sources.parts import READ_ERRORS, Part
from workbench.sources.records import NEWLINE, Bits, Scan, scan_records

T = TypeVar("T")
BLOCK_BYTES = 32_000_000
STEP_BYTES = 65_536
MAX_RECORD_BYTES = 1_000_000
END_OF_FILE = b"\x1a"
"""the mark old programs of DOS put behind the last line; it is no record"""
SEPARATORS = (",", "\t", ";")
BYTE_ORDER_MARKS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
MAX_UNDECODABLE_FRAC = 0.1
"""past this share of records that are not UTF-8 the whole file is in another encoding, and its texts would be noise"""


@dataclass(frozen=True)
class Header:
    """First line of a delimited file."""

    columns: list[str]
    separator: str


@dataclass(frozen=True)
class Block:
    """Some consecutive records of a file."""

    rows: pl.DataFrame
    """the file's columns as strings, and `line`, where the record starts"""
    quarantine: pl.DataFrame
    n_records: int
    """records seen: rows kept + rows quarantined"""


def read_header(part: Part) -> Header:
    """Return the column names and the separator, as the first line shows them.

    Raises:
        SourceError: the file is empty, is not UTF-8 text, or names a column twice.
    """
    with part.open() as stream:
        head = _read(stream, 1_000_000, part=part, first_line=1)
    if not head.strip():
        raise SourceError(f"{part.label} is empty. Fetch the file again.")
    _refuse_other_encodings(head, part=part)
    first = head.removeprefix(b"\xef\xbb\xbf").split(b"\n", 1)[0].rstrip(b"\r")
    try:
        line = first.decode("utf-8")
        read = [(next(csv.reader([line], delimiter=separator), []), separator) for separator in SEPARATORS]
    except UnicodeDecodeError as error:
        raise SourceError(f"{part.label}: the header is not UTF-8 ({error}). Save the file as UTF-8.") from error
    except csv.Error as error:
        raise SourceError(f"{part.label}: the header is no line of column names ({error}). Fetch it again.") from error
    columns, separator = max(read, key=lambda pair: len(pair[0]))
    if len(columns) > MAX_COLUMNS:
        raise SourceError(f"{part.label}: the first line has {len(columns):,} fields, no header has so many. Check it.")
    columns = [column.strip() for column in columns]
    twice = sorted({column for column in columns if columns.count(column) > 1})
    if twice:
        raise SourceError(f"{part.label} names column '{twice[0]}' twice. Rename or remove one of them.")
    return Header(columns, separator)


def read_blocks(part: Part, header: Header, *, block_bytes: int = BLOCK_BYTES) -> Iterator[Block]:
    """Yield the records of a delimited file, block by block, so memory does not grow with the file.

    Args:
        part: a delimited file or archive member.
        header: as `read_header` returned it.
        block_bytes: about how much to read at a time.

    Raises:
        SourceError: the file is damaged (says up to which line it could be read), or most of it is not UTF-8.
    """
    n_records = n_undecodable = 0
    for buffer, scan, lines in _ahead(_scan_part(part, header, block_bytes=block_bytes)):
        block, n_bad = _make_block(buffer, scan, lines, part=part, header=header)
        n_records += block.n_records
        n_undecodable += n_bad
        yield block
    give_memory_back()  # a file has a thread of its own
    if n_undecodable > 10 and n_undecodable > MAX_UNDECODABLE_FRAC * n_records:
        raise SourceError(
            f"{part.label}: {n_undecodable:,} of {n_records:,} records are not UTF-8, so the file is in another "
            "encoding (often GB 18030 for Chinese, Windows-1252 for English). Save it as UTF-8 and load it again."
        )


class Lines:
    """Line numbers of byte positions in a buffer."""

    def __init__(self, buffer: np.ndarray, *, first_line: int) -> None:
        self._newlines = Bits.of(buffer, NEWLINE)
        self._first_line = first_line

    def at(self, positions: np.ndarray) -> np.ndarray:
        """1-based line of the file on which each position lies."""
        return self._newlines.count_before(positions) + self._first_line


def _ahead(items: Iterator[T]) -> Iterator[T]:
    """Yield the same items, each made in a second thread while the one before is worked on."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        coming = pool.submit(lambda: list(islice(items, 1)))
        while ready := coming.result():
            coming = pool.submit(lambda: list(islice(items, 1)))
            yield ready[0]


def _scan_part(part: Part, header: Header, *, block_bytes: int) -> Iterator[tuple[bytes, Scan, Lines]]:
    line, is_lost, rest, is_last = 1, False, b"", False
    with part.open() as stream:
        while not is_last:
            text = _read(stream, block_bytes, part=part, first_line=line, rest=rest)
            is_last = len(text) - len(rest) < block_bytes
            if is_last:
                text = text.rstrip(END_OF_FILE)
            if is_last and text and not text.endswith(b"\n"):
                text += b"\n"
            if line == 1:
                text = text[text.find(b"\n") + 1 :]
                line = 2
            buffer = np.frombuffer(text, np.uint8)
            scan = scan_records(
                buffer,
                separator=ord(header.separator),
                n_fields=len(header.columns),
                is_last=is_last,
                is_lost=is_lost,
                max_record_bytes=MAX_RECORD_BYTES,
            )
            lines = Lines(buffer, first_line=line)
            yield text, scan, lines
            line = int(lines.at(np.array([scan.used]))[0])
            rest, is_lost = text[scan.used :], scan.is_lost


def _make_block(text: bytes, scan: Scan, lines: Lines, *, part: Part, header: Header) -> tuple[Block, int]:
    starts, ends = scan.starts, scan.ends
    bad: list[tuple[int, str]] = [(span.start, span.fault) for span in scan.broken]
    if b"\0" in text:
        holds_nul = np.array([b"\0" in text[a:z] for a, z in zip(starts, ends, strict=True)], bool)
        bad += [(int(start), "holds a NUL byte, which is no text") for start in starts[holds_nul]]
        starts, ends = starts[~holds_nul], ends[~holds_nul]
    rows, undecodable, unparsed = _parse(text, starts, ends, header=header)
    reasons = ((undecodable, "holds bytes that are not UTF-8"), (unparsed, "cannot be parsed as delimited text"))
    bad += [(int(starts[i]), reason) for rejected, reason in reasons for i in rejected]
    kept = np.delete(starts, np.concatenate((undecodable, unparsed)))
    rows = rows.with_columns(pl.Series("line", lines.at(kept), dtype=pl.Int64))
    quarantine = quarantine_rows(part.label, lines.at(np.array([at for at, _ in bad], int)), [why for _, why in bad])
    return Block(rows, quarantine, len(bad) + rows.height), len(undecodable)


def quarantine_rows(label: str, lines: np.ndarray | pl.Series, reasons: list[str] | pl.Series) -> pl.DataFrame:
    """Return rows of the quarantine table for one file."""
    rows = pl.DataFrame({"line": pl.Series(lines, dtype=pl.Int64), "reason": pl.Series(reasons, dtype=pl.String)})
    return rows.select(file=pl.lit(label), line="line", reason="reason") if rows.height else empty_table("quarantine")


def _parse(
    text: bytes, starts: np.ndarray, ends: np.ndarray, *, header: Header
) -> tuple[pl.DataFrame, np.ndarray, np.ndarray]:
    """Return the rows, and which records are not UTF-8 or not parseable (as indices)."""
    nothing = np.empty(0, int)
    rows = _parse_fast(text, starts, ends, header=header)
    if rows is not None:
        return rows, nothing, nothing
    is_text = np.array([_decodes(text[a:z]) for a, z in zip(starts, ends, strict=True)], bool)
    undecodable, chosen = np.flatnonzero(~is_text), np.flatnonzero(is_text)
    rows = _parse_fast(text, starts[chosen], ends[chosen], header=header)
    if rows is not None:
        return rows, undecodable, nothing
    parsed = [_parse_one(text[starts[i] : ends[i]], header=header) for i in chosen]
    unparsed = chosen[[fields is None for fields in parsed]]
    good = [fields for fields in parsed if fields is not None]
    return pl.DataFrame(good, schema=_schema(header), orient="row"), undecodable, unparsed


def _parse_fast(text: bytes, starts: np.ndarray, ends: np.ndarray, *, header: Header) -> pl.DataFrame | None:
    """Return the rows as polars reads them, or None where it does not see exactly these records."""
    if not starts.size:
        return pl.DataFrame(schema=_schema(header))
    breaks = np.flatnonzero(starts[1:] != ends[:-1])
    runs = zip(starts[np.append(0, breaks + 1)], ends[np.append(breaks, starts.size - 1)], strict=True)
    records = b"".join(text[start:end] for start, end in runs)
    try:
        rows = pl.read_csv(
            records,
            has_header=False,
            schema=_schema(header),
            separator=header.separator,
            empty_string_is_null=False,
            extra_columns="raise",
            missing_columns="raise",
        )
    except pl.exceptions.PolarsError:
        return None
    # In one piece: else every step that follows would put its columns together again.
    return rows.rechunk() if rows.height == starts.size else None


def _parse_one(record: bytes, *, header: Header) -> list[str] | None:
    lines = io.StringIO(record.decode("utf-8"), newline="")
    try:
        found = list(csv.reader(lines, delimiter=header.separator, strict=True))
    except csv.Error:
        return None
    return found[0] if len(found) == 1 and len(found[0]) == len(header.columns) else None


def _schema(header: Header) -> dict[str, type[pl.String]]:
    return dict.fromkeys(header.columns, pl.String)


def _decodes(record: bytes) -> bool:
    try:
        record.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _read(stream: IO[bytes], n_bytes: int, *, part: Part, first_line: int, rest: bytes = b"") -> bytes:
    """Return the rest and up to n_bytes, in small steps so that a damaged file's last good line is known."""
    pieces = [rest]
    wanted = n_bytes
    try:
        while wanted and (piece := stream.read(min(wanted, STEP_BYTES))):
            pieces.append(piece)
            wanted -= len(piece)
    except READ_ERRORS as error:
        n_lines = first_line - 1 + sum(piece.count(b"\n") for piece in pieces)
        whole = f"whole only up to about line {n_lines:,}" if n_lines else "not one line of it can be read"
        raise SourceError(
            f"{part.label} is damaged or cut short ({error}): {whole}. Fetch it again; half a release is not loaded, "
            "because its counts would mislead."
        ) from error
    return b"".join(pieces)


def _refuse_other_encodings(head: bytes, *, part: Part) -> None:
    encoding = BYTE_ORDER_MARKS.get(head[:2])
    if encoding is None and head[:2000].count(0) > len(head[:2000]) // 4:
        encoding = "UTF-16 or UTF-32"
    if encoding:
        raise SourceError(f"{part.label} is {encoding} text, expected UTF-8. Save it as UTF-8 and load it again.")
    if b"\n" not in head and b"\r" in head:
        raise SourceError(f"{part.label} ends its lines with CR only (old Macintosh). Save it with LF line ends.")
