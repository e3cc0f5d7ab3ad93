"""Tables of a report as CSV that a spreadsheet opens without running anything."""

from __future__ import annotations

import base64
import csv
import io

from workbench.report_text import defang_cell
from workbench.rows import Cell, Rows

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
BYTE_ORDER_MARK = "\ufeff"


def write_csv(rows: Rows) -> str:
    """Return rows as CSV text: addresses defanged, and no text that a spreadsheet would take for a formula.

    A text that starts like a formula gets an apostrophe before it, which spreadsheets take as "this is text".
    The byte order mark makes Excel read it as UTF-8.

    Source: OWASP, CSV Injection.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    columns = list(rows[0]) if rows else []
    writer.writerow([_guard(column) for column in columns])
    writer.writerows([_guard(row.get(column)) for column in columns] for row in rows)
    return BYTE_ORDER_MARK + out.getvalue()


def make_data_link(text: str) -> str:
    """Return CSV text as a data: address, for a download that needs no other file."""
    return "data:text/csv;charset=utf-8;base64," + base64.b64encode(text.encode()).decode()


def _guard(value: Cell) -> Cell:
    if not isinstance(value, str):
        return value
    text = defang_cell(value).replace("\x00", "")
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA_STARTS) else text
