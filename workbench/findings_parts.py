"""What a report is made of: figures, tables, numbers, cards and sections, each checked where it is made."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench.claims import LEVELS, Claim, ClaimError, find_words_above, split_sentences
from workbench.rows import Table, to_rows
from workbench.schema import SchemaError

SECTIONS: dict[str, str] = {
    "findings": "Findings",
    "release": "What we looked at",
    "decisions": "What was set aside, and why",
    "method": "Method card",
    "presence": "Presence on each platform",
    "accounts": "The accounts and their making",
    "coordination": "The network of co-actions",
    "clusters": "The clusters",
    "narratives": "What they said",
    "prevalence": "How much of the conversation it was",
    "origin": "Evidence of origin",
    "state_media": "State media and adverts",
    "indicators": "Indicators",
    "limits": "What could be wrong",
    "reproduce": "How to reproduce this",
    "reply": "Right of reply, corrections, glossary",
}
"""The sections of a report, always all of them, always in this order: name -> heading."""

_DISCLAIMS = (" not ", "n't ", " no ", "neither", " nor ", "never", "cannot", "whether", " if ", "without", "would")
_COLOUR = re.compile("#[0-9A-Fa-f]{6}")


@dataclass(frozen=True)
class Figure:
    """One chart: its title says what it shows, its description stands in for it, its table holds its data.

    Args:
        name: file-safe and unique in the report, as "posts_per_day".
        title: what the chart shows, in words.
        description: one or two sentences that serve whoever cannot see it.
        spec: Vega-Lite, with its data inline.
        table: the same data as a frame or rows; written as CSV.
        graph: of a network, what the page's script draws for looking around in (`pack_network`); the spec then gives
            the still picture only.
    """

    name: str
    title: str
    description: str
    spec: dict[str, Any]
    table: Table
    graph: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "table", to_rows(self.table))
        _require(self, "name", "title", "description", "spec")


@dataclass(frozen=True)
class TableView:
    """One table to print: rows as read, a note that says how to read it, and labels for its columns.

    Args:
        name: file-safe and unique in the report.
        title: the caption.
        note: unit, denominator, or how to read it.
        rows: a frame or rows; written as CSV.
        labels: column -> heading; a column without one gets its own name with spaces.
        quoted: column of somebody else's words -> column with the code of their language (zh-Hant, ar), which is
            written as CSV and not printed; "" where none is known.
    """

    name: str
    title: str
    note: str
    rows: Table
    labels: dict[str, str] = field(default_factory=dict)
    quoted: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", to_rows(self.rows))
        _require(self, "name", "title")


@dataclass(frozen=True)
class KeyNumber:
    """One number for the top of the report: what it counts, and what it is a part of."""

    value: str
    label: str
    of_what: str

    def __post_init__(self) -> None:
        if not (self.value.strip() and self.label.strip() and self.of_what.strip()):
            raise SchemaError(f"A key number needs value, label and of_what; found {self}. Fill in all three.")


@dataclass(frozen=True)
class Card:
    """One thing of several alike (a cluster, a narrative): a title, claims, facts, what would be innocent, tables.

    Args:
        title: as "Cluster 1".
        claims: about this one.
        facts: label -> value, a handful of numbers with their denominators.
        prose: how to read it; the innocent explanation.
        tables: its objects, exemplars.
        colour: hexadecimal, where charts show the same thing in that colour.
    """

    title: str
    claims: Sequence[Claim] = ()
    facts: dict[str, str] = field(default_factory=dict)
    prose: Sequence[str] = ()
    tables: Sequence[TableView] = ()
    colour: str = ""

    def __post_init__(self) -> None:
        _as_tuples(self, "claims", "prose", "tables")
        if not self.title.strip():
            raise SchemaError("A card needs a title; found none. Say what it is a card of.")
        if self.colour and not _COLOUR.fullmatch(self.colour):
            raise SchemaError(f"A card's colour is hexadecimal like #0072B2; found '{self.colour}'. Mend or drop it.")
        for paragraph in self.prose:
            _check_prose(paragraph, claims=self.claims, place=f"card '{self.title}'")


@dataclass(frozen=True)
class Section:
    """One section of the report: claims first, then prose, cards, figures, tables; or the one line why it is empty."""

    name: str
    claims: Sequence[Claim] = ()
    prose: Sequence[str] = ()
    figures: Sequence[Figure] = ()
    tables: Sequence[TableView] = ()
    empty_reason: str = ""
    cards: Sequence[Card] = ()
    key_numbers: Sequence[KeyNumber] = ()

    def __post_init__(self) -> None:
        _as_tuples(self, "claims", "prose", "figures", "tables", "cards", "key_numbers")
        if self.name not in SECTIONS:
            raise SchemaError(f"A section is one of {', '.join(SECTIONS)}; found '{self.name}'. Choose one.")
        if not self.is_empty and self.empty_reason:
            raise SchemaError(f"Section '{self.name}' has content and a reason to be empty. Drop one of the two.")
        if self.is_empty and not self.empty_reason.strip():
            raise SchemaError(f"Section '{self.name}' has nothing in it. Say in empty_reason, in one line, why.")
        for paragraph in self.prose:
            _check_prose(paragraph, claims=self.all_claims, place=f"section '{self.name}'")

    @property
    def all_claims(self) -> tuple[Claim, ...]:
        """The section's claims and those of its cards."""
        return (*self.claims, *(claim for card in self.cards for claim in card.claims))

    @property
    def all_tables(self) -> tuple[TableView, ...]:
        """The section's tables and those of its cards."""
        return (*self.tables, *(table for card in self.cards for table in card.tables))

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show."""
        return not (self.claims or self.prose or self.figures or self.tables or self.cards)


def _as_tuples(part: Section | Card, *names: str) -> None:
    for name in names:
        value = getattr(part, name)
        object.__setattr__(part, name, (value,) if isinstance(value, str) else tuple(value))


def _check_prose(paragraph: str, *, claims: Sequence[Claim], place: str) -> None:
    """Refuse prose that says more than the claims beside it, unless the sentence takes it back."""
    highest = max((LEVELS.index(claim.level) for claim in claims), default=0)
    for sentence in split_sentences(paragraph):
        found = find_words_above(sentence, level=LEVELS[max(highest, 1)])
        if found and not any(word in f" {sentence.lower()} " for word in _DISCLAIMS):
            raise ClaimError(
                f"Prose of {place} says '{found[0]}', which none of its claims supports. "
                "Make it a claim with its evidence, or say what it does not show."
            )


def _require(part: Figure | TableView, *names: str) -> None:
    for name in names:
        if not getattr(part, name):
            raise SchemaError(f"{type(part).__name__} '{part.name}' needs a {name}; found none. Add it.")
    if not part.name.replace("_", "").isalnum() or not part.name.isascii():
        raise SchemaError(f"A figure or table's name is letters, digits and _; found '{part.name}'. Rename it.")
