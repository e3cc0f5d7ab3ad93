"""A calendar of public holidays, so that working hours can be told from days off: yours, or one that comes with us."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import polars as pl

from workbench.csv_header import check_header
from workbench.schema import SourceError

CALENDARS = {"cn_2017_2019": "holidays_cn_2017_2019.csv"}
"""name -> file in `workbench/data`; mainland China's, after the State Council's yearly notices (2016-12-01, 2017-11-30,
2018-12-06 and its change of 2019-03-22)"""
_COLUMNS = {"day": pl.Date, "is_workday": pl.Boolean}


def read_holidays(calendar: str) -> pl.DataFrame:
    """Return a calendar of days off: day (date), is_workday (true where a weekend day is worked in exchange).

    Args:
        calendar: the name of one that comes with the workbench (`cn_2017_2019`), or the path of a CSV with the columns
            day (2019-02-04) and is_workday (true or false); empty = no days.

    Raises:
        SourceError: no such calendar, or a file without these columns, with another day than a date, or a day twice.

    Beware: a calendar is a hypothesis brought to the data. Test several; that one country's days off are quiet is
        consistent with that country and with everybody who follows its news or its markets.
    """
    if not calendar:
        return pl.DataFrame(schema=_COLUMNS)
    known = CALENDARS.get(calendar)
    path = Path(calendar)
    if known is None and not _is_file(path):
        raise SourceError(
            f"There is no calendar '{calendar[:80]}'. Pass one of {', '.join(CALENDARS)}, or the path of a CSV with "
            "the columns day and is_workday."
        )
    text = resources.files("workbench").joinpath("data", known).read_bytes() if known else path.read_bytes()
    return _read(text, name=path.name)


def _read(text: bytes, *, name: str) -> pl.DataFrame:
    check_header(text, name=name)
    try:
        filled = ~pl.all_horizontal(pl.all().is_null())  # an empty line is no day
        table = (
            pl.read_csv(text, infer_schema=False)
            .filter(filled)
            .select(
                pl.col("day").str.strip_chars().str.to_date("%Y-%m-%d"),
                pl.col("is_workday")
                .str.strip_chars()
                .str.to_lowercase()
                .replace_strict({"true": True, "false": False}),
            )
        )
    # polars lets some damage escape as a panic of its Rust side, which is no PolarsError
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise SourceError(
            f"{name} is not a calendar ({str(error).splitlines()[0][:120]}). Give it the columns day (2019-02-04) and "
            "is_workday (true or false)."
        ) from error
    if table.null_count().sum_horizontal().item():
        raise SourceError(f"{name} has a row without a day or without is_workday. Correct it, or remove it.")
    if table["day"].is_duplicated().any():
        raise SourceError(f"{name} names {table.filter(pl.col('day').is_duplicated())['day'][0]} twice. Remove one.")
    return table.sort("day")


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name longer than any file's
        return False
