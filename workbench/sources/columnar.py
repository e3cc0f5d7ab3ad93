"""Parquet files -> rows of strings, as the delimited reader gives them."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import polars as pl

from workbench.schema import SourceError
from workbench.sources.parts import Part


def read_parquet_columns(part: Part) -> list[str]:
    """Return the column names.

    Raises:
        SourceError: the file is damaged.
    """
    with name_damage(part):
        return list(pl.read_parquet_schema(part.file))


def read_parquet_rows(part: Part, columns: tuple[str, ...]) -> pl.DataFrame:
    """Return these columns as strings, blank where null, and `line`: the number of the row, 1 = first.

    Raises:
        SourceError: the file is damaged, or a column holds something that is no text, number or time.
    """
    with name_damage(part):
        table = pl.read_parquet(part.file, columns=list(columns))
    nested = [name for name, kind in table.schema.items() if kind.is_nested()]
    if nested:
        raise SourceError(f"{part.label}: column '{nested[0]}' holds {table.schema[nested[0]]}, expected plain values.")
    with name_damage(part):  # bytes that are no text are noticed only here
        rows = table.select(pl.all().cast(pl.String, strict=False).fill_null("")).with_row_index("line", offset=1)
    return rows.with_columns(pl.col("line").cast(pl.Int64))


@contextmanager
def name_damage(part: Part) -> Generator[None]:
    """Turn whatever polars raises of a damaged parquet file, panics too, into a SourceError with advice."""
    try:
        yield
    # polars lets some damage escape as a panic of its Rust side, which is no PolarsError
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        first = (str(error).splitlines() or ["no reason given"])[0]
        raise SourceError(f"{part.label} is a damaged parquet file ({first}). Fetch it again.") from error
