"""A frame as plain rows, the form in which a findings record keeps its tables: text, numbers and nothing else."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl

from workbench.schema import SchemaError

Cell = str | int | float | bool | None
Rows = tuple[dict[str, Cell], ...]
Table = Any
"""A frame or rows where a part of the record is made; always `Rows` once it is made."""


def to_rows(table: pl.DataFrame | Iterable[dict[str, Any]]) -> Rows:
    """Return a table as plain rows: times as ISO text, lists joined by "; ", not-a-number as nothing."""
    rows = table.iter_rows(named=True) if isinstance(table, pl.DataFrame) else table
    return tuple({name: plain_cell(value) for name, value in row.items()} for row in rows)


def plain_cell(value: Any) -> Cell:
    """Return one value as text, number or nothing."""
    if isinstance(value, datetime):
        moment = value.astimezone(UTC) if value.tzinfo else value
        return moment.isoformat(sep=" ", timespec="seconds").replace("+00:00", " UTC")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int | bool):
        return value
    if isinstance(value, list | tuple | pl.Series):
        return "; ".join(str(plain_cell(item)) for item in value)
    raise SchemaError(f"A cell holds text, number, time or a list of those; found {type(value).__name__}. Convert it.")
