"""What a source is to the loader: the column layouts it knows, and the tables it returns."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field

import polars as pl

from workbench.schema import SourceError, decision
from workbench.sources.parts import Part


@dataclass(frozen=True)
class Layout:
    """The columns by which a table of a source is known."""

    source: str
    name: str
    read: tuple[str, ...]
    """columns the reader needs"""
    unread: tuple[str, ...] = ()
    """columns that belong to the layout but that nothing is made of, so they may be missing"""

    def nearness(self, columns: list[str]) -> float:
        """Columns in common over columns in either, 0 to 1."""
        known = {*self.read, *self.unread}
        return len(known.intersection(columns)) / len(known.union(columns))

    def missing(self, columns: list[str]) -> list[str]:
        """Needed columns that are not there."""
        return [column for column in self.read if column not in columns]


@dataclass(frozen=True)
class Recognised:
    """A part of the input and the layout it has."""

    part: Part
    layout: Layout
    columns: list[str]


@dataclass
class Tables:
    """What a source read: pieces of the release's tables, in reading order."""

    accounts: list[pl.DataFrame] = field(default_factory=list)
    posts: list[pl.DataFrame] = field(default_factory=list)
    decisions: list[pl.DataFrame] = field(default_factory=list)
    quarantine: list[pl.DataFrame] = field(default_factory=list)

    def decide(self, action: str, reason: str, *, n_before: int, n_after: int) -> None:
        """Record one decision of the loading stage."""
        self.decisions.append(decision("load", action, reason, n_before=n_before, n_after=n_after))


def recognise(part: Part, columns: list[str], layouts: list[Layout]) -> Recognised:
    """Return the layout nearest to the columns, if all it needs is there.

    Raises:
        SourceError: no layout fits; says which is nearest, what it lacks, and what was looked for.
    """
    if not layouts:
        raise SourceError(f"{part.label} is JSON, and the dataset's map is for columns of a table. Save it as CSV.")
    nearest = max(layouts, key=lambda layout: layout.nearness(columns))
    if not nearest.missing(columns):
        return Recognised(part, nearest, columns)
    shown = ", ".join(f"'{column}'" for column in columns[:40]) or "none"
    if nearest.nearness(columns) < 0.3:
        known = "; ".join(f"{lay.source} {lay.name} ({', '.join(lay.read[:4])}, ...)" for lay in layouts)
        raise SourceError(
            f"{part.label} has no format we know. Looked for the columns of: {known}. Found columns: {shown}. "
            "Is it a table of posts from elsewhere? Put a dataset.toml beside it that says which column is which: "
            '[options.columns] with post_id, account_id, posted_at, text = "..."; datasets/README.md has the list. '
            "If it is no table of the release, move it away, or list the files to read in dataset.toml."
        )
    raise SourceError(f"{part.label} looks like {nearest.source} {nearest.name} but {_say_missing(nearest, columns)}")


def _say_missing(layout: Layout, columns: list[str]) -> str:
    others = [column for column in columns if column not in (*layout.read, *layout.unread)]
    said = []
    for column in layout.missing(columns):
        near = difflib.get_close_matches(column, others, n=1)
        said.append(f"'{column}' (rename '{near[0]}'?)" if near else f"'{column}'")
    has = ", ".join(repr(column) for column in columns[:40])
    return f"lacks column {', '.join(said)}; has {has}. Rename what it has, or fetch the file again."
