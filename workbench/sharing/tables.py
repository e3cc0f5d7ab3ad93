"""Tables of a package as CSV: addresses defanged, formulas guarded, a mark by which Excel knows UTF-8."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any

import polars as pl

from workbench.privacy import defang

_DEFANGED = ("url", "domain", "indicator_value", "note", "text", "indicator", "handle", "display_name")
_FORMULA = re.compile(r"^'* *[=+\-@\t\r\n＝＋－＠]")


def write_table(table: pl.DataFrame, path: Path) -> Path:
    """Write a table and return its path."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(table.columns)
    for row in table.iter_rows(named=True):
        writer.writerow([_cell(name, value) for name, value in row.items()])
    path.write_text(text.getvalue(), encoding="utf-8-sig", newline="")
    return path


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
