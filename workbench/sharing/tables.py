"""Tables of a package as CSV: addresses defanged, formulas guarded, a mark by which Excel knows UTF-8."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import polars as pl

from workbench.privacy import defang

_DEFANGED = ("url", "domain", "indicator_value", "note", "text", "indicator", "handle", "display_name")
_PART_ROWS = 20_000
_FORMULA = re.compile(r"^'* *[=+\-@\t\r\n＝＋－＠]")


def write_table(table: pl.DataFrame, path: Path) -> Path:
    """Write a table and return its path."""
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\r\n")
        writer.writerow(table.columns)
        for part in table.iter_slices(_PART_ROWS):
            writer.writerows(zip(*[_cells(column) for column in part.iter_columns()], strict=True))
    return path


def _cells(column: pl.Series) -> list[str]:
    """Each distinct value is written once: most columns repeat a few."""
    values = column.to_list()
    if column.dtype.is_nested() or column.dtype.is_float():  # 0.0 and -0.0 are one value, written in two ways
        return [_cell(column.name, value) for value in values]
    written = {value: _cell(column.name, value) for value in set(values)}
    return [written[value] for value in values]


def guard_cell(text: str) -> str:
    """Return the cell so that no spreadsheet runs it as a formula; `unguard_cell` takes it back."""
    return "'" + text if _FORMULA.match(text) else text


def unguard_cell(text: str) -> str:
    """Return the cell that `guard_cell` guarded."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def _cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    return guard_cell(defang(text) if name in _DEFANGED else text)
