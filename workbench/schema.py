"""The contract: every table's columns with dtype, unit and meaning; what a release is; and the errors we raise.

Each table is a `dataframely` schema, so the meaning of a column stands in one place and is checked where a table is
made. Suffixes are fixed: `_id` string, `_at` UTC datetime, `_s` seconds, `n_` count, `_frac` 0..1, `is_`/`has_` bool.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from typing import Any

import dataframely as dy
import polars as pl


class WorkbenchError(Exception):
    """Something a user can mend. The message says what was expected, what was found, and what to do."""


class SchemaError(WorkbenchError):
    """A table lacks a column, or a column holds something else than agreed."""


class SourceError(WorkbenchError):
    """A file or folder cannot be read as the release it should be."""


class ParameterError(WorkbenchError):
    """An argument is outside what the function can work with."""


def _id(meaning: str, *, nullable: bool = False) -> dy.String:
    return dy.String(nullable=nullable, min_length=None if nullable else 1, description=meaning)


def _text(meaning: str) -> dy.String:
    return dy.String(nullable=True, description=meaning)


def _time(meaning: str, *, nullable: bool = False) -> dy.Datetime:
    return dy.Datetime(nullable=nullable, time_zone="UTC", time_unit="us", description=meaning)


def _count(meaning: str, *, nullable: bool = False) -> dy.Int64:
    return dy.Int64(nullable=nullable, min=0, description=meaning)


def _list(meaning: str) -> dy.List:
    return dy.List(dy.String(), nullable=False, description=meaning)


class Accounts(dy.Schema):
    """One row per account: what a platform calls a user, page, group or channel."""

    account_id = _id("the platform's own id, or the pseudonym that stands for it")
    platform = _id("lower case: twitter, facebook, ...")
    kind = dy.String(check=lambda c: c.is_in(["account", "page", "group", "channel"]), description="what it is")
    handle = _text("name in the address, without @")
    display_name = _text("name shown")
    created_at = _time("when the account was made; midnight where only the day is known", nullable=True)
    n_followers = _count("followers when the data was collected", nullable=True)
    n_following = _count("accounts it followed then", nullable=True)
    location = _text("as the account wrote it")
    description = _text("biography, as the account wrote it")
    language = _text("interface language the account had set")
    is_pseudonymous = dy.Bool(description="true where the id or handle is already a hash or pseudonym")


class Posts(dy.Schema):
    """One row per post, repost, reply or quote."""

    post_id = _id("the platform's own id, unique within the release's platform")
    account_id = _id("who posted")
    platform = _id("lower case")
    posted_at = _time("when")
    time_resolution_s = dy.Float64(min_exclusive=0, description="how finely posted_at is known, in seconds")
    text = _text("the post's text; of a repost, the text it repeats")
    lang = _text("language code as the source gives it; `und` where undetermined")
    client = _text("application that posted it")
    urls = _list("addresses in the post, expanded where the source does so")
    hashtags = _list("without #, in the order of the post")
    mentions = _list("account ids or handles mentioned")
    repost_of_id = _id("post repeated", nullable=True)
    repost_of_account_id = _id("its author", nullable=True)
    reply_to_id = _id("post answered", nullable=True)
    reply_to_account_id = _id("its author", nullable=True)
    quote_of_id = _id("post quoted", nullable=True)
    media_hashes = _list("perceptual or cryptographic hashes of images and videos")
    n_reposts = _count("engagement when collected", nullable=True)
    n_likes = _count("engagement when collected", nullable=True)
    n_replies = _count("engagement when collected", nullable=True)


class Actions(dy.Schema):
    """One row per thing an account did to an object: the input of the co-action kernel."""

    account_id = _id("who acted")
    post_id = _id("the post by which it acted")
    trace = _id("kind of action: repost, url, same_text, ...")
    object_id = dy.String(nullable=True, description="what it acted on; null and blank are never objects")
    acted_at = _time("when")


class Edges(dy.Schema):
    """One row per trace and unordered pair of accounts with at least one co-action."""

    trace = _id("kind of action")
    account_a = _id("the smaller account_id of the pair")
    account_b = _id("the larger one")
    n_co_actions = dy.Int64(min=1, description="pairs of actions on one object within the time window")


class ScoredEdges(Edges):
    """Edges with what chance would give."""

    expected_n = dy.Float64(min=0, description="co-actions chance would give this pair")
    score = dy.Float64(description="higher = further beyond chance")
    fdr = dy.Float64(min=0, description="share of false edges among those scoring at least this; monotone per trace")


class Clusters(dy.Schema):
    """One row per clustered account."""

    account_id = _id("member")
    cluster_id = dy.Int64(min=1, description="1 = largest; ties by smallest account_id")
    strength = dy.Float64(min=0, description="sum of the weights of its edges inside the cluster")
    is_core = dy.Bool(description="true for the core, false for the periphery")


class Decisions(dy.Schema):
    """One row per filter applied on the way: nothing is dropped without one."""

    stage = _id("load, act, co-act, judge, group, ...")
    action = _id("what was done, as a short clause")
    reason = _id("why")
    n_before = _count("rows before")
    n_after = _count("rows after")


class Quarantine(dy.Schema):
    """One row per input record that could not be read as a row of its table."""

    file = _id("file, and member of an archive")
    line = dy.Int64(min=1, description="line of the file where the record starts, 1 = first")
    reason = _id("why it could not be read, in words")


TABLES: dict[str, type[dy.Schema]] = {
    "accounts": Accounts,
    "posts": Posts,
    "actions": Actions,
    "edges": Edges,
    "scored": ScoredEdges,
    "clusters": Clusters,
    "decisions": Decisions,
    "quarantine": Quarantine,
}


def check_table(table: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return the table with its agreed columns first, or say what is wrong with it.

    Args:
        table: any frame; integers, dates and nested nulls are cast where that loses nothing.
        name: a key of `TABLES`.

    Returns:
        The same rows: agreed columns in agreed order and dtype, then any others as they were.

    Raises:
        SchemaError: a column is missing, has another dtype, or holds a value outside its agreed range.
    """
    schema = TABLES[name]
    wanted = schema.column_names()
    for column in wanted:
        if column not in table.columns:
            near = difflib.get_close_matches(column, table.columns, n=1)
            hint = f'Rename "{near[0]}".' if near else "Add it, with nulls where nothing is known."
            raise SchemaError(f"{name} lacks column '{column}' (has {_names(table.columns)}). {hint}")
    try:
        agreed = table.select(pl.col(column).cast(dtype) for column, dtype in _dtypes(schema).items())
    except pl.exceptions.PolarsError as error:
        expected = ", ".join(f"{column} {dtype}" for column, dtype in _dtypes(schema).items())
        raise SchemaError(
            f"{name} has a column of the wrong type: {_first_line(error)} Expected {expected}."
        ) from error
    result = schema.filter(agreed)
    failures = result.failure.counts() if result.failure is not None else {}
    if failures:
        rules = "; ".join(f"{rule.replace('|', ': ')} in {n} rows" for rule, n in sorted(failures.items()))
        raise SchemaError(
            f"{name} breaks its contract: {rules} of {table.height}. See workbench.schema.TABLES['{name}']."
        )
    others = [column for column in table.columns if column not in wanted]
    return agreed.with_columns(table.select(others)) if others else agreed


def empty_table(name: str) -> pl.DataFrame:
    """Return the named table with no rows."""
    return pl.DataFrame(schema=_dtypes(TABLES[name]))


def decision(stage: str, action: str, reason: str, *, n_before: int, n_after: int) -> pl.DataFrame:
    """Return one row of the decisions table."""
    row = {"stage": stage, "action": action, "reason": reason, "n_before": n_before, "n_after": n_after}
    return check_table(pl.DataFrame([row]), "decisions")


@dataclass(frozen=True)
class PublishedFigure:
    """A number somebody published about a dataset, to be reproduced."""

    name: str
    value: float | str
    source: str
    tolerance: float = 0.0


@dataclass(frozen=True)
class Quote:
    """A finding somebody else published about the dataset, in their words: the only form in which we attribute."""

    about: str
    """what it bears on: presence, prevalence or origin"""
    publisher: str
    published_on: str
    """ISO date"""
    quote: str
    title: str = ""
    url: str = ""
    breakout_step: int | None = None
    """the step of the breakout scale (1 to 6) it is evidence for, where it bears on prevalence"""


@dataclass(frozen=True)
class About:
    """What is known of a dataset besides its rows: the content of its `dataset.toml`."""

    name: str
    title: str
    platform: str
    origin: str = "not stated"
    licence: str = "not stated"
    collected: str = "not stated"
    source: str = ""
    is_synthetic: bool = False
    files: dict[str, str] = field(default_factory=dict)
    """file name -> sha256, as announced or, where not announced, as read"""
    announced_accounts: int | None = None
    announced_posts: int | None = None
    published: tuple[PublishedFigure, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    """hints for the source, e.g. {"trace": "url"} for a share log"""
    notes: tuple[str, ...] = ()
    """sentences a report must carry: who attributed what to whom, with source and date; known gaps"""
    quoted: tuple[Quote, ...] = ()


@dataclass(frozen=True)
class Release:
    """The tables of one dataset, checked, with what was decided and set aside on the way."""

    accounts: pl.DataFrame
    posts: pl.DataFrame
    decisions: pl.DataFrame
    quarantine: pl.DataFrame
    about: About


def _names(columns: list[str]) -> str:
    shown = ", ".join(f"'{column}'" for column in columns[:12])
    return shown + (f" and {len(columns) - 12} more" if len(columns) > 12 else "")


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0].rstrip(".") + "."


def _dtypes(schema: type[dy.Schema]) -> dict[str, pl.DataType]:
    return {name: column.dtype for name, column in schema.columns().items()}
