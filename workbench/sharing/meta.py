"""Meta's indicator sheets, in and out, in both published layouts.

Source: facebook/threat-research. Since 2023 the columns are Tactic, Technique, Procedure, Indicator and sometimes Note;
before that indicator_type, indicator_value, comment, ds. The published files vary in spelling: `Tactic `, `Comments`,
blank separator rows, indicators defanged in several ways or not at all.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from workbench.privacy import defang
from workbench.schema import ParameterError, SourceError
from workbench.sharing.indicators import build_indicators
from workbench.sharing.tables import guard_cell

LAYOUTS = {
    "killchain": ("Tactic", "Technique", "Procedure", "Indicator", "Note"),
    "flat": ("indicator_type", "indicator_value", "comment", "ds"),
}
"""Layout -> its header, as Meta publishes it."""

_COLUMNS = {
    "tactic": "tactic",
    "technique": "technique",
    "procedure": "procedure",
    "indicator": "indicator_value",
    "indicator_value": "indicator_value",
    "value": "indicator_value",
    "indicator_type": "declared",
    "type": "declared",
    "note": "note",
    "notes": "note",
    "comment": "note",
    "comments": "note",
    "ds": "published_on",
    "date": "published_on",
}
_FLAT_NAMES = {"domain": "domain_name", "url": "cib_url"}
_PART_ROWS = 20_000
_SHOWN_LIVE = ("asset_count", "audience_count", "advert_spend", "technique")


def read_meta_sheet(path: Path) -> pl.DataFrame:
    """Return the indicators of one sheet; every row that is not wholly blank.

    Args:
        path: .csv or .tsv, UTF-8 (with or without mark) or UTF-16, as Excel saves it.

    Raises:
        SourceError: the file is no such sheet, is not text, or has a quote that never closes.
    """
    return build_indicators(_read_rows(path))


def write_meta_sheet(
    indicators: pl.DataFrame, path: Path, *, layout: str = "killchain", is_defanged: bool = True
) -> Path:
    """Write indicators as one of Meta's two layouts and return the path; comma for .csv, tab for .tsv.

    Args:
        indicators: the indicators table.
        path: ends in .csv or .tsv.
        layout: "killchain" (Tactic, Technique, Procedure, Indicator, Note) or "flat" (indicator_type, ...).
        is_defanged: write addresses so that nothing opens by a click; False writes each cell exactly as it was
            published, for a copy of somebody else's sheet.

    Raises:
        ParameterError: an unknown layout.

    A cell a spreadsheet would run as a formula gets a leading apostrophe. The file starts with the mark by which
    Excel knows UTF-8.
    """
    if layout not in LAYOUTS:
        raise ParameterError(f"Expected layout 'killchain' or 'flat'; found '{layout}'. Choose one.")
    cells_of = _killchain_cells if layout == "killchain" else _flat_cells
    with path.open("w", encoding="utf-8-sig" if is_defanged else "utf-8", newline="") as stream:
        delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
        writer = csv.writer(stream, delimiter=delimiter, lineterminator="\r\n")
        writer.writerow(LAYOUTS[layout])
        for part in indicators.iter_slices(_PART_ROWS):
            columns = cells_of(part)
            if is_defanged:
                is_live = part["indicator_type"].is_in(_SHOWN_LIVE).to_list()
                columns = [_publish(cells, is_live) for cells in columns]
            writer.writerows(zip(*columns, strict=True))
    return path


def _publish(cells: list[str], is_live: list[bool]) -> list[str]:
    """Each distinct cell is written once: most columns repeat a few."""
    pairs = list(zip(cells, is_live, strict=True))
    written = {(cell, live): guard_cell(cell if live else defang(cell)) for cell, live in set(pairs)}
    return [written[pair] for pair in pairs]


def _killchain_cells(part: pl.DataFrame) -> list[list[str]]:
    return [_words(part[name]) for name in ("tactic", "technique", "procedure", "indicator_value", "note")]


def _flat_cells(part: pl.DataFrame) -> list[list[str]]:
    kinds = [_FLAT_NAMES.get(kind, kind) for kind in part["indicator_type"]]
    if "source_type" in part.columns:
        kinds = [str(stated or kind) for stated, kind in zip(part["source_type"], kinds, strict=True)]
    days = _words(part["published_on"]) if "published_on" in part.columns else [""] * part.height
    return [kinds, _words(part["indicator_value"]), _words(part["note"]), days]


def _words(column: pl.Series) -> list[str]:
    return [str(value or "") for value in column.to_list()]


def _read_rows(path: Path) -> Iterator[dict[str, object]]:
    text = _decode(path)
    first = text.lstrip("\r\n").split("\n", 1)[0]
    delimiter = "\t" if "\t" in first else ";" if first.count(";") > first.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    header: list[str] | None = None
    start = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            raise SourceError(
                f"{path.name}, record starting at line {start}: expected cells with closed quotes; found a broken "
                f"record ({error}). Mend the quotes there."
            ) from error
        line, start = start, reader.line_num + 1
        if not any(cell.strip() for cell in cells):
            continue
        if header is None:
            header = _read_header(cells, path=path)
            continue
        yield _read_row(cells, header=header, line=line)
    if header is None:
        raise SourceError(f"{path.name}: expected a sheet of indicators; found an empty file. Fetch it again.")


def _decode(path: Path) -> str:
    raw = path.read_bytes()
    encoding = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        raise SourceError(
            f"{path.name}: expected UTF-8 or UTF-16 text; byte {error.start} is neither. Save it as 'CSV UTF-8'."
        ) from error


def _read_header(cells: list[str], *, path: Path) -> list[str]:
    names = [_COLUMNS.get(cell.strip().strip("\ufeff").lower().replace(" ", "_"), cell.strip()) for cell in cells]
    if "indicator_value" not in names or not {"procedure", "declared"} & set(names):
        raise SourceError(
            f"{path.name}: expected the columns Tactic, Technique, Procedure, Indicator (or indicator_type, "
            f"indicator_value, comment, ds); found {', '.join(cells[:8])}. Rename the columns."
        )
    return names


def _read_row(cells: list[str], *, header: list[str], line: int) -> dict[str, object]:
    row: dict[str, object] = dict(zip(header, cells, strict=False))
    row.setdefault("indicator_value", "")
    row["line"] = line
    surplus = [cell for cell in cells[len(header) :] if cell.strip()]
    if surplus:
        row["note"] = " | ".join([str(row.get("note") or ""), *surplus]).strip(" |")
        row["problem"] = f"the row has {len(cells)} cells under {len(header)} columns; the surplus stands in the note"
    elif len(cells) < len(header):
        row["problem"] = f"the row has {len(cells)} cells under {len(header)} columns"
    if row.get("declared"):
        row["source_type"] = row["declared"]
    return row
