"""Tables of a package as CSV: addresses defanged, formulas guarded, a mark by which Excel knows UTF-8."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import polars as pl

from workbench.addresses import defang_each

_DEFANGED = ("url", "domain", "indicator_value", "note", "text", "indicator", "handle", "display_name")
_FORMULA = r"^'* *[=+\-@\t\r\n＝＋－＠]"


def write_table(table: pl.DataFrame, path: Path) -> Path:
    """Write a table and return its path."""
    return write_cells(pl.DataFrame([_cells(column) for column in table.iter_columns()]), path)


def write_cells(cells: pl.DataFrame, path: Path, *, delimiter: str = ",") -> Path:
    """Write cells that are text already, as they are, and return the path; a null is a blank cell."""
    # Readers skip an empty line: where a blank cell is a row's only one, quotes say that it is there.
    filled = cells.with_columns(pl.all().fill_null("") if cells.width == 1 else pl.all().replace("", None))
    filled.write_csv(path, separator=delimiter, include_bom=True, line_terminator="\r\n", null_value="")
    return path


def guard_cells(cells: pl.Series) -> pl.Series:
    """Return cells so that no spreadsheet runs one as a formula; `unguard_cells` takes it back."""
    is_formula = pl.col("cell").str.contains(_FORMULA)
    return _change(cells, pl.when(is_formula).then(pl.format("'{}", "cell")).otherwise("cell"))


def unguard_cells(cells: pl.Series) -> pl.Series:
    """Return the cells that `guard_cells` guarded."""
    is_guarded = pl.col("cell").str.starts_with("'") & pl.col("cell").str.contains(_FORMULA)
    return _change(cells, pl.when(is_guarded).then(pl.col("cell").str.slice(1)).otherwise("cell"))


def unguard_cell(cell: str) -> str:
    """The same of one cell."""
    return cell[1:] if cell.startswith("'") and re.match(_FORMULA, cell) else cell


def _change(cells: pl.Series, by: pl.Expr) -> pl.Series:
    return cells.alias("cell").to_frame().select(by.alias(cells.name)).to_series()


def _cells(column: pl.Series) -> pl.Series:
    if column.dtype.is_integer():
        return column.cast(pl.String)
    if column.dtype.is_float():
        return pl.Series(column.name, [None if value is None else str(value) for value in column], dtype=pl.String)
    words = column if column.dtype == pl.String else _write_each(column)
    return guard_cells(defang_each(words) if column.name in _DEFANGED else words)


def _write_each(column: pl.Series) -> pl.Series:
    """Each distinct value is written once: most columns repeat a few."""
    if column.dtype.is_nested():
        return pl.Series(column.name, [_write(value) for value in column.to_list()], dtype=pl.String)
    distinct = column.unique().drop_nulls()
    written = pl.Series([_write(value) for value in distinct.to_list()], dtype=pl.String)
    return column.replace_strict(distinct, written, default=None, return_dtype=pl.String)


def _write(value: Any) -> str | None:
    if value is None:
        return None
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
