"""The indicators table: one row per published indicator, whatever format it came in.

Every format is one way of writing this table: Meta's CSV and TSV in both layouts, STIX 2.1, MISP, our own package.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

import dataframely as dy
import polars as pl

from workbench.schema import SchemaError
from workbench.sharing.classify import INDICATOR_TYPES, classify_indicator
from workbench.text import canonical_url, normalise_text


class Indicators(dy.Schema):
    """One row per indicator as published."""

    indicator_type = dy.String(check=lambda c: c.is_in(INDICATOR_TYPES), description="what it is")
    indicator_value = dy.String(description="the cell exactly as published; blank where a row names only a procedure")
    tactic = dy.String(nullable=True, description="kill-chain tactic, as published")
    technique = dy.String(nullable=True, description="kill-chain technique, as published")
    procedure = dy.String(nullable=True, description="kill-chain procedure, as published")
    note = dy.String(nullable=True, description="comment, as published")
    platform = dy.String(nullable=True, description="lower case, where known")
    match_key = dy.String(nullable=True, description="what is compared with one's own data: live, never to be shown")
    n_stated = dy.Int64(nullable=True, min=0, description="the number a sentence states")
    unit = dy.String(nullable=True, description="what that number counts")
    role = dy.String(check=lambda c: c.is_in(["operation", "target", "context"]), description="whose it is")
    problem = dy.String(nullable=True, description="what is wrong with the row, in words")
    line = dy.Int64(min=1, description="line or object of the file it came from, 1 = first")


_PART_ROWS = 50_000


def build_indicators(rows: Iterable[dict[str, Any]]) -> pl.DataFrame:
    """Return the checked indicators table of rows as published, each classified.

    Args:
        rows: `indicator_value` and, where known, tactic, technique, procedure, note, line, problem, and `declared`,
            the type the source itself states. Other keys stay as further columns. A row may bring its own `platform`,
            `match_key` or `role`, where its format says them outright.
    """
    numbered = enumerate(rows, start=1)
    # Rows of Python's take ten times the room of a table's: never more than a part of them at once.
    parts = [_build_part(part) for part in iter(lambda: list(islice(numbered, _PART_ROWS)), [])]
    if not parts:
        return pl.DataFrame(schema={name: column.dtype for name, column in Indicators.columns().items()})
    return check_indicators(_make_keys_canonical(pl.concat(parts, how="diagonal_relaxed")))


def _build_part(numbered: list[tuple[int, dict[str, Any]]]) -> pl.DataFrame:
    names = dict.fromkeys(Indicators.column_names()) | dict.fromkeys(
        name for _, row in numbered for name in sorted(row)
    )
    columns: dict[str, list[Any]] = {name: [] for name in names if name != "declared"}
    for n, row in numbered:
        value = row["indicator_value"] or ""
        kind = classify_indicator(
            value,
            tactic=row.get("tactic") or "",
            procedure=row.get("procedure") or "",
            declared=row.get("declared") or "",
        )
        for name, cells in columns.items():
            given = row.get(name)
            cells.append(given if given not in (None, "") else getattr(kind, name, None))
        columns["indicator_value"][-1] = value
        columns["line"][-1] = row.get("line") or n
    known = {name: column.dtype for name, column in Indicators.columns().items()}
    return pl.DataFrame(
        [pl.Series(name, cells, dtype=known.get(name), strict=name in known) for name, cells in columns.items()]
    )


def check_indicators(table: pl.DataFrame) -> pl.DataFrame:
    """Return the table with its agreed columns first, or say what is wrong with it.

    Raises:
        SchemaError: a column is missing or holds something else than agreed.
    """
    wanted = Indicators.column_names()
    lacking = [name for name in wanted if name not in table.columns]
    if lacking:
        raise SchemaError(
            f"Indicators lack column '{lacking[0]}' (has {', '.join(table.columns[:12])}). "
            "Make them with read_indicators, or add it with nulls where nothing is known."
        )
    agreed = table.select(pl.col(name).cast(column.dtype) for name, column in Indicators.columns().items())
    result = Indicators.filter(agreed)
    failures = result.failure.counts()
    if failures:
        rules = "; ".join(f"{rule.replace('|', ': ')} in {n} rows" for rule, n in sorted(failures.items()))
        raise SchemaError(f"Indicators break their contract: {rules} of {table.height}. See sharing.indicators.")
    others = [name for name in table.columns if name not in wanted]
    return agreed.with_columns(table.select(others)) if others else agreed


def summarise_indicators(indicators: pl.DataFrame) -> pl.DataFrame:
    """Return one row per type: how many, of how many platforms, how many can be compared with one's own data."""
    return (
        indicators.group_by("indicator_type")
        .agg(
            n_indicators=pl.len(),
            n_platforms=pl.col("platform").n_unique(),
            n_matchable=(pl.col("match_key").is_not_null() & (pl.col("role") == "operation")).sum(),
        )
        .sort("n_indicators", "indicator_type", descending=[True, False])
        .cast({"n_indicators": pl.Int64, "n_platforms": pl.Int64, "n_matchable": pl.Int64})
    )


def read_indicators(path: str | Path) -> pl.DataFrame:
    """Return the indicators of a file or package, in whichever of the formats we know it is.

    Args:
        path: Meta's CSV or TSV in either published layout, a STIX 2.1 bundle, a MISP event, or a findings package
            (folder or .zip).

    Returns:
        indicator_type, indicator_value (as published), tactic, technique, procedure, note, then what was made of it:
        platform, match_key, n_stated, unit, role, problem, line. Every row that is not wholly blank is here.

    Raises:
        SourceError: the file is none of these, or is damaged; the message says what was looked for.

    Beware: an indicator says what its publisher saw. Sharing a link from such a list makes nobody part of anything.
    """
    from workbench.sharing.formats import read_any

    return read_any(Path(path))


def _make_keys_canonical(table: pl.DataFrame) -> pl.DataFrame:
    is_url, is_text = pl.col("indicator_type") == "url", pl.col("indicator_type") == "text"
    key = pl.col("match_key").cast(pl.String)
    return table.with_columns(
        match_key=pl.when(is_url).then(canonical_url(key)).when(is_text).then(normalise_text(key)).otherwise(key)
    )
