"""The indicators table: one row per published indicator, whatever format it came in.

Every format is one way of writing this table: Meta's CSV and TSV in both layouts, STIX 2.1, MISP, our own package.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from itertools import islice
from pathlib import Path
from typing import Any

import dataframely as dy
import polars as pl

from workbench.schema import SchemaError
from workbench.sharing.classify import INDICATOR_TYPES, Kind, classify_indicator
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
_KNOWN = {**{name: column.dtype for name, column in Indicators.columns().items()}, "declared": pl.String}
_MADE = tuple(field.name for field in fields(Kind))
_TOLD_BY = ("tactic", "procedure", "declared")
_IS_HASH = ~pl.col("tactic").fill_null("").str.contains("8", literal=True) & (
    (
        pl.col("declared").is_in(["text_hash", "media_hash", "keyed_hash"])
        & pl.col("indicator_value").str.contains(r"^(?:text-sha256|sha256|pdq|hmac):[0-9a-f]{64}$")
    )
    | ((pl.col("declared") == "minhash") & pl.col("indicator_value").str.contains(r"^text-minhash:[0-9a-f]{512}$"))
)
"""Tactic 8 lists whom an operation attacked: its rows are read one by one."""


def build_indicators(rows: Iterable[dict[str, Any]] | pl.DataFrame) -> pl.DataFrame:
    """Return the checked indicators table of rows as published, each classified.

    Args:
        rows: `indicator_value` and, where known, tactic, technique, procedure, note, line, problem, and `declared`,
            the type the source itself states. Other keys stay as further columns. A row may bring its own `platform`,
            `match_key` or `role`, where its format says them outright. A table of them is read like its rows.
    """
    if isinstance(rows, pl.DataFrame):
        parts = [_classify(rows, first=1)] if rows.height else []
    else:
        numbered = enumerate(rows, start=1)
        listed = iter(lambda: list(islice(numbered, _PART_ROWS)), [])
        # Rows of Python's take ten times the room of a table's: never more than a part of them at once.
        parts = [_classify(_as_table([row for _, row in part]), first=part[0][0]) for part in listed]
    if not parts:
        return pl.DataFrame(schema={name: column.dtype for name, column in Indicators.columns().items()})
    return check_indicators(_make_keys_canonical(pl.concat(parts, how="diagonal_relaxed")))


def _as_table(rows: list[dict[str, Any]]) -> pl.DataFrame:
    columns = []
    for name in dict.fromkeys(name for row in rows for name in sorted(row)):
        cells = [None if row.get(name) == "" else row.get(name) for row in rows]
        columns.append(pl.Series(name, cells, dtype=_KNOWN.get(name), strict=name in _KNOWN))
    return pl.DataFrame(columns)


def _classify(given: pl.DataFrame, *, first: int) -> pl.DataFrame:
    """The rows, the first of which has this number, with what each is where it does not say so itself."""
    clear = given.with_columns(pl.col(pl.String).replace("", None))
    said = clear.select(
        pl.col(name) if name in clear.columns else pl.lit(None, dtype=dtype).alias(name)
        for name, dtype in _KNOWN.items()
    )
    said = said.with_columns(pl.col("indicator_value").fill_null("")).with_row_index("n", offset=first)
    said = said.with_columns(line=pl.coalesce(pl.col("line").replace(0, None), "n"))
    is_hash = said.select(_IS_HASH.fill_null(value=False)).to_series()
    kinds = pl.concat([_name_kinds_of_hashes(said.filter(is_hash)), _name_kinds(said.filter(~is_hash))]).sort("n")
    kinds = kinds.drop("n").rename(lambda name: f"made_{name}")
    filled = pl.concat([said, kinds], how="horizontal").with_columns(
        pl.coalesce(name, f"made_{name}").alias(name) for name in _MADE
    )
    others = [name for name in given.columns if name not in _KNOWN]
    return pl.concat([filled.select(Indicators.column_names()), clear.select(others)], how="horizontal")


def _name_kinds(said: pl.DataFrame) -> pl.DataFrame:
    cells = said.select("indicator_value", *(pl.col(name).fill_null("") for name in _TOLD_BY)).iter_rows()
    kinds = [
        classify_indicator(value, tactic=tactic, procedure=procedure, declared=declared)
        for value, tactic, procedure, declared in cells
    ]
    columns = [pl.Series(name, [getattr(kind, name) for kind in kinds], dtype=_KNOWN[name]) for name in _MADE]
    return pl.DataFrame([said["n"], *columns])


def _name_kinds_of_hashes(said: pl.DataFrame) -> pl.DataFrame:
    """What `classify_indicator` says of hashes written as we write them: most of a package's rows, told at once."""
    made = {"indicator_type": "declared", "match_key": "indicator_value", "role": pl.lit("operation")}
    nothing = {name: pl.lit(None, dtype=_KNOWN[name]) for name in _MADE if name not in made}
    return said.select("n", **(made | nothing)).select("n", *_MADE)


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
