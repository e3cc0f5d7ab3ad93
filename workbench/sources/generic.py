"""Any table of posts, with a map of its columns in dataset.toml.

    [options.columns]
    post_id = "Post number"
    account_id = "Writer"
    posted_at = "Date"
    text = "Words"

Columns of the posts table stand left, the file's right; handle, display_name, kind, n_followers and created_at describe
the writer. Lists (urls, hashtags, mentions) are split at commas.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import replace

from workbench.schema import About, Accounts, Posts, SourceError
from workbench.sources.capture import Record, Row, account, post, read_captures, read_moment
from workbench.sources.signature import Signature
from workbench.sources.tables import Recognised, Tables

NEEDED = ("post_id", "account_id", "posted_at")
OF_POSTS = tuple(name for name in Posts.column_names() if name not in ("platform", "time_resolution_s"))
OF_ACCOUNTS = tuple(
    name for name in Accounts.column_names() if name not in ("account_id", "platform", "is_pseudonymous")
)
MAPPED = Signature("generic", "mapped table", NEEDED)
LAYOUTS: tuple[Signature, ...] = ()
OPTIONS = ("columns",)


def layouts_for(about: About) -> tuple[Signature, ...]:
    """Return the layout a dataset maps itself; none where it maps nothing.

    Raises:
        SourceError: the map is none, lacks a needed column, or names one that no table has.
    """
    if "columns" not in about.options:
        return ()
    mapping = _mapping(about)
    return (replace(MAPPED, read=tuple(mapping.values())),)


def read(found: list[Recognised], about: About) -> Tables:
    """Return accounts, posts, decisions and quarantine of the recognised files."""
    mapping = _mapping(about)
    return read_captures(found, lambda record, _: _rows_of(record, mapping, about.platform))


def _mapping(about: About) -> dict[str, str]:
    mapping = about.options["columns"]
    if not isinstance(mapping, dict) or not all(isinstance(value, str) for value in mapping.values()):
        raise SourceError(
            f"dataset.toml of {about.name}: [options.columns] maps columns of the posts table to the file's, as "
            f'post_id = "Id"; found {type(mapping).__name__}. Write it as a table.'
        )
    for name in mapping:
        if name not in (*OF_POSTS, *OF_ACCOUNTS):
            near = difflib.get_close_matches(name, (*OF_POSTS, *OF_ACCOUNTS), n=1)
            hint = f"Did you mean '{near[0]}'?" if near else f"Known are {', '.join(OF_POSTS)}."
            raise SourceError(f"dataset.toml of {about.name}: [options.columns] key '{name}' is unknown. {hint}")
    lacking = [name for name in NEEDED if name not in mapping]
    if lacking:
        raise SourceError(
            f"dataset.toml of {about.name}: [options.columns] lacks '{lacking[0]}'. Say which column it is."
        )
    return mapping


def _rows_of(record: Record, mapping: dict[str, str], platform: str) -> Iterator[Row]:
    row = {name: record[column] for name, column in mapping.items()}
    described = {name: row.pop(name) for name in OF_ACCOUNTS if name in row}
    if described.get("created_at"):
        described["created_at"] = read_moment(described["created_at"])[0]
    yield account(platform, row["account_id"], **described)
    yield post(platform, row.pop("post_id"), row.pop("account_id"), row.pop("posted_at"), **row)
