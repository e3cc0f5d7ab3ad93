"""Outlets and the facts about them: one row per outlet, one row per finding, each finding with its evidence.

A fact says what somebody found about one factor of one outlet: yes, no or unclear, where it is written, of which day,
and how far source and information can be relied on (Admiralty grade). Facts are never edited: a newer one is added,
and `weighing` says which of several stands.
"""

from __future__ import annotations

import difflib
import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dataframely as dy
import dataframely.exc
import polars as pl

from workbench.schema import SchemaError, SourceError
from workbench.state_media.files import number_records, read_table
from workbench.state_media.sites import name_site

FINDINGS = ("yes", "no", "unclear")
_LISTS = ("names", "countries", "domains", "handles")
_COMMENT = "#"
_GRADE = r"^[A-F][1-6]$"


class Outlets(dy.Schema):
    """One row per outlet."""

    outlet_id = dy.String(nullable=False, min_length=1, description="short name, stable across files")
    name = dy.String(nullable=False, min_length=1, description="name shown")
    names = dy.List(dy.String(), nullable=False, description="other names, as advertisers or sources write them")
    countries = dy.List(dy.String(), nullable=False, description="countries it is run from; more than one is possible")
    owner = dy.String(nullable=True, description="who owns or runs it")
    domains = dy.List(dy.String(), nullable=False, description="hosts or addresses it publishes at")
    handles = dy.List(dy.String(), nullable=False, description="platform:handle, as twitter:harbourwire")
    identity_url = dy.String(nullable=True, description="where names, domains and handles are written")
    reply_asked_at = dy.Datetime(nullable=True, time_zone="UTC", time_unit="us", description="when it was asked")
    reply_at = dy.Datetime(nullable=True, time_zone="UTC", time_unit="us", description="when it answered")
    reply = dy.String(nullable=True, description="its answer, in its own words")


class Facts(dy.Schema):
    """One row per finding about one factor of one outlet."""

    outlet_id = dy.String(nullable=False, min_length=1, description="which outlet")
    factor = dy.String(nullable=False, min_length=1, description="which question, a key of factors.toml")
    finding = dy.String(nullable=False, check=lambda c: c.is_in(FINDINGS), description="yes, no or unclear")
    evidence_url = dy.String(nullable=True, description="where it is written")
    evidence_at = dy.Datetime(nullable=True, time_zone="UTC", time_unit="us", description="of which day it is")
    grade = dy.String(nullable=True, regex=_GRADE, description="Admiralty: source A to F, information 1 to 6")
    note = dy.String(nullable=True, description="what the evidence says, in a sentence")
    file = dy.String(nullable=True, description="file the row came from")

    @dy.rule()
    def settled_finding_has_evidence(cls) -> pl.Expr:  # noqa: N805  dataframely passes the class
        """A yes or a no has address, day and grade; unclear may stand without."""
        return (pl.col("finding") == "unclear") | (
            pl.col("evidence_url").str.contains("^https?://").fill_null(value=False)
            & pl.col("evidence_at").is_not_null()
            & pl.col("grade").is_not_null()
        )

    @dy.rule()
    def evidence_is_not_of_the_future(cls) -> pl.Expr:  # noqa: N805  dataframely passes the class
        """No evidence is newer than tomorrow, which somewhere has begun."""
        return (pl.col("evidence_at") < datetime.now(UTC) + timedelta(days=1)).fill_null(value=True)


def read_facts(path: Path | str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Read a CSV of facts into facts and quarantine.

    Args:
        path: a CSV with the columns of `Facts`; `file` is set here, days may be written as 2019-08-19.

    Returns:
        The facts that hold their contract, and the quarantine table with file, line and reason of the others.

    Raises:
        SourceError: no such file, or a column is missing.
    """
    table = _read_csv(
        path, schema=Facts, required=("outlet_id", "factor", "finding", "evidence_url", "evidence_at", "grade")
    )
    table = _complete(table, Facts).with_columns(_day(pl.col("evidence_at")), file=pl.lit(Path(path).name))
    table = _number_lines(table, Path(path))
    table = table.with_columns(pl.col("finding").str.to_lowercase(), pl.col("grade").str.to_uppercase())
    return _split_good(table, Facts, file=Path(path).name)


def read_outlets(path: Path | str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Read a CSV of outlets into outlets and quarantine; list columns hold their items between `|` or `;`.

    A domain may be an address whose path narrows it to a part of a site: `https://gov.example/tv`.

    Raises:
        SourceError: no such file, or a column is missing or unknown.
    """
    table = _complete(_read_csv(path, schema=Outlets, required=("outlet_id", "name")), Outlets)
    table = table.with_columns(
        *(split_list(pl.col(column)) for column in _LISTS), _day(pl.col("reply_asked_at")), _day(pl.col("reply_at"))
    )
    table = _number_lines(table, Path(path))
    bad = [(row["line"], reason) for row in table.iter_rows(named=True) if (reason := find_address_fault(row))]
    good, quarantine = _split_good(
        table.filter(~pl.col("line").is_in([line for line, _ in bad])), Outlets, file=Path(path).name
    )
    return good, pl.concat([_quarantine(bad, file=Path(path).name), quarantine]).sort("line")


def find_address_fault(outlet: dict) -> str:
    """Return what is wrong with an outlet's domains or handles, or nothing."""
    for domain in outlet["domains"]:
        kind = name_site(domain).kind
        if kind in ("none", "shortener"):
            return f"domain '{domain}' is {'a shortener' if kind == 'shortener' else 'no address of a site'}"
    for handle in outlet["handles"]:
        platform, mark, name = handle.partition(":")
        if not mark or not name.strip() or not platform.strip().isalnum():
            return f"handle '{handle}' does not say its platform, as twitter:harbourwire"
    return ""


def split_list(column: pl.Expr) -> pl.Expr:
    """Return a text column's items, parted by `|` or `;`, as a list without blanks; null becomes an empty list."""
    parted = column.fill_null("").str.replace_all(";", "|", literal=True).str.split("|")
    items = parted.list.eval(pl.element().str.strip_chars())
    return items.list.eval(pl.element().filter(pl.element() != ""))


def check_facts(facts: pl.DataFrame) -> pl.DataFrame:
    """Return the facts in their agreed columns, or say what is wrong with them.

    Raises:
        SchemaError: a column is missing or of another type, or a settled finding lacks evidence, day or grade.
    """
    return _check(facts, Facts, "facts")


def check_outlets(outlets: pl.DataFrame) -> pl.DataFrame:
    """Return the outlets in their agreed columns, or say what is wrong with them.

    Raises:
        SchemaError: a column is missing or of another type, or an outlet_id stands twice (see `merge_outlets`).
    """
    checked = _check(outlets, Outlets, "outlets")
    twice = checked.filter(pl.col("outlet_id").is_duplicated())["outlet_id"].unique().sort().to_list()
    if twice:
        raise SchemaError(f"outlets holds '{twice[0]}' more than once. Join the rows with merge_outlets(table).")
    return checked


def merge_facts(*tables: pl.DataFrame) -> pl.DataFrame:
    """Return all facts of several tables, each once, sorted; those that contradict each other are all kept."""
    said = [column for column in Facts.column_names() if column != "file"]
    merged = pl.concat([check_facts(table) for table in tables]) if tables else Facts.create_empty()
    return merged.unique(subset=said, keep="first", maintain_order=True).sort(said, nulls_last=True)


def merge_outlets(*tables: pl.DataFrame) -> pl.DataFrame:
    """Return one row per outlet_id: lists joined, the first name kept and the others among `names`.

    Rows are one outlet if they share a name, a site or a handle. Owners and replies that differ are all kept, parted
    by `|`.

    Raises:
        SchemaError: a table breaks its contract, or one outlet_id stands for two outlets.
    """
    every = pl.concat([_check(table, Outlets, "outlets") for table in tables]) if tables else Outlets.create_empty()
    _refuse_strangers(every)
    lists = [
        pl.col(column).explode(empty_as_null=True).drop_nulls().unique(maintain_order=True) for column in _LISTS[1:]
    ]
    names = pl.concat([pl.col("name"), pl.col("names").explode(empty_as_null=True)]).drop_nulls()
    said = [pl.col(column).drop_nulls().unique(maintain_order=True).str.join(" | ") for column in ("owner", "reply")]
    merged = every.group_by("outlet_id", maintain_order=True).agg(
        pl.col("name").first(),
        names.unique(maintain_order=True).alias("names"),
        *lists,
        *said,
        pl.col("identity_url").drop_nulls().first(),
        *(pl.col(column).max() for column in ("reply_asked_at", "reply_at")),
    )
    own = merged.with_columns(
        pl.col("names").list.set_difference(pl.concat_list("name")), pl.col("owner", "reply").replace("", None)
    )
    return check_outlets(own)


def _refuse_strangers(outlets: pl.DataFrame) -> None:
    twice = outlets.filter(pl.col("outlet_id").is_duplicated())
    for _, rows in twice.group_by("outlet_id", maintain_order=True):
        known: set[str] = set()
        waiting = [(row, _name_identities(row)) for row in rows.iter_rows(named=True)]
        first = waiting[0][0]
        while waiting:
            joined = [pair for pair in waiting if not known or pair[1] & known]
            if not joined:
                other = waiting[0][0]
                raise SchemaError(
                    f"outlet_id '{first['outlet_id']}' stands for {first['name']} and for {other['name']}, which share "
                    "no name, site or handle. Give one another outlet_id, or list what they share."
                )
            known |= joined[0][1]
            waiting.remove(joined[0])


def _name_identities(row: dict) -> set[str]:
    names = {f"name {' '.join(name.casefold().split())}" for name in (row["name"], *row["names"])}
    return names | {name_site(domain).key for domain in row["domains"]} | {handle.lower() for handle in row["handles"]}


def name_version(facts: pl.DataFrame) -> str:
    """Return a short name for exactly this set of facts: its number, newest day and digest, whatever the order."""
    ordered = merge_facts(facts).drop("file")
    digest = hashlib.sha256(ordered.write_csv().encode()).hexdigest()[:12]
    newest = ordered["evidence_at"].max()
    return f"{ordered.height} facts to {newest:%Y-%m-%d}, {digest}" if newest else f"{ordered.height} facts, {digest}"


def _read_csv(path: Path | str, *, schema: type[dy.Schema], required: tuple[str, ...]) -> pl.DataFrame:
    path = Path(path)
    table = read_table(path, comment_prefix=_COMMENT)
    missing = [column for column in required if column not in table.columns]
    if missing:
        has = ", ".join(table.columns)
        raise SourceError(f"{path.name} lacks column '{missing[0]}' (has {has}). Add it to the header.")
    refuse_unknown_columns(table.columns, schema.column_names(), file=path.name)
    return table.with_columns(pl.col(pl.String).str.strip_chars().replace("", None))


def refuse_unknown_columns(columns: list[str], known: list[str], *, file: str) -> None:
    """Refuse a column nobody reads, so that a slip of the pen does not pass for an empty column.

    Raises:
        SourceError: names file, column and the columns allowed.
    """
    for column in columns:
        if column not in known:
            near = difflib.get_close_matches(column, known, n=1)
            hint = f"Did you mean '{near[0]}'?" if near else "Rename it or take it out."
            raise SourceError(f"{file} has a column '{column}'; known are {', '.join(known)}. {hint}")


def _number_lines(table: pl.DataFrame, path: Path) -> pl.DataFrame:
    lines = number_records(path, n_records=table.height, comment_prefix=_COMMENT)
    return table.with_columns(line=pl.Series(lines, dtype=pl.Int64))


def _complete(table: pl.DataFrame, schema: type[dy.Schema]) -> pl.DataFrame:
    absent = [column for column in schema.column_names() if column not in table.columns]
    return table.with_columns(pl.lit(None, dtype=pl.String).alias(column) for column in absent).select(
        schema.column_names()
    )


def _day(column: pl.Expr) -> pl.Expr:
    # A day that does not parse becomes null, which the contract refuses for a settled finding: quarantined, not lost.
    return column.str.slice(0, 10).str.to_datetime("%Y-%m-%d", strict=False, time_unit="us", time_zone="UTC")


def _split_good(table: pl.DataFrame, schema: type[dy.Schema], *, file: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    rows = table.drop("line")
    good, failure = schema.filter(rows, cast=True)
    if good.height == table.height:
        return good, _quarantine([], file=file)
    reasons = [
        (int(line), _name_failure(row, schema))
        for line, row in zip(table["line"], rows.iter_slices(1), strict=True)
        if schema.filter(row, cast=True)[0].is_empty()
    ]
    assert len(reasons) == len(failure)
    return good, _quarantine(reasons, file=file)


def _name_failure(row: pl.DataFrame, schema: type[dy.Schema]) -> str:
    rules = sorted(schema.filter(row, cast=True)[1].counts())
    words = {
        "evidence_is_not_of_the_future": "evidence_at lies in the future",
        "settled_finding_has_evidence": "a yes or no needs an evidence_url, an evidence_at (2019-08-19) and a grade",
        "finding|check": "finding is yes, no or unclear",
        "grade|regex": "grade is a letter A to F and a digit 1 to 6",
    }
    return "; ".join(words.get(rule, rule.replace("|", ": ")) for rule in rules)


def _quarantine(reasons: list[tuple[int, str]], *, file: str) -> pl.DataFrame:
    schema = {"file": pl.String, "line": pl.Int64, "reason": pl.String}
    return pl.DataFrame([(file, line, reason) for line, reason in reasons], schema=schema, orient="row")


def _check(table: pl.DataFrame, schema: type[dy.Schema], name: str) -> pl.DataFrame:
    missing = [column for column in schema.column_names() if column not in table.columns]
    if missing:
        raise SchemaError(
            f"{name} lacks column '{missing[0]}' (has {', '.join(table.columns)}). "
            "Add it, with nulls where nothing is known."
        )
    try:
        good, failure = schema.filter(table.select(schema.column_names()), cast=True)
    except (pl.exceptions.PolarsError, dataframely.exc.SchemaError) as error:
        raise SchemaError(f"{name} has a column of the wrong type: {str(error).splitlines()[0]}") from error
    if good.height < table.height:
        rules = ", ".join(f"{rule.replace('|', ': ')} ({n} rows)" for rule, n in sorted(failure.counts().items()))
        raise SchemaError(f"{name} breaks its contract: {rules} of {table.height}. See workbench.state_media.facts.")
    return good
