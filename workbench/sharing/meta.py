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

from workbench.addresses import defang_each
from workbench.schema import ParameterError, SourceError
from workbench.sharing.indicators import build_indicators
from workbench.sharing.tables import guard_cells, unguard_cell, write_cells

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
        is_defanged: write addresses so that nothing opens by a click; False leaves them as they were published, for a
            copy of somebody else's sheet.

    Raises:
        ParameterError: an unknown layout.

    A cell a spreadsheet would run as a formula gets a leading apostrophe; `read_meta_sheet` takes it back, and
    `unguard_cells` for who reads the file otherwise. The file starts with the mark by which
    Excel knows UTF-8.
    """
    if layout not in LAYOUTS:
        raise ParameterError(f"Expected layout 'killchain' or 'flat'; found '{layout}'. Choose one.")
    columns = _killchain_cells(indicators) if layout == "killchain" else _flat_cells(indicators)
    if is_defanged:
        is_live = indicators["indicator_type"].is_in(_SHOWN_LIVE)
        columns = [cells.zip_with(is_live, defang_each(cells)) for cells in columns]
    cells = pl.DataFrame([guard_cells(cells).alias(name) for cells, name in zip(columns, LAYOUTS[layout], strict=True)])
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    return write_cells(cells, path, delimiter=delimiter)


def _killchain_cells(indicators: pl.DataFrame) -> list[pl.Series]:
    return [indicators[name] for name in ("tactic", "technique", "procedure", "indicator_value", "note")]


def _flat_cells(indicators: pl.DataFrame) -> list[pl.Series]:
    kinds = indicators["indicator_type"].replace(_FLAT_NAMES)
    stated, days = (
        indicators[name].cast(pl.String) if name in indicators.columns else pl.repeat(None, indicators.height,
                                                                                      dtype=pl.String, eager=True)
        for name in ("source_type", "published_on")
    )  # fmt: skip
    kinds = stated.replace("", None).fill_null(kinds)
    return [kinds, indicators["indicator_value"], indicators["note"], days]


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
        yield _read_row([unguard_cell(cell) for cell in cells], header=header, line=line)
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
