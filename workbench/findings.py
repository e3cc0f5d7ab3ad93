"""Findings: what a report may say. Claims, figures and tables by section, with decisions, caveats and provenance.

The report says only what this record says, so the record is complete, checked where it is made, and the same bytes
each time it is written.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench.claims import (
    LEVELS,
    ChanceTest,
    Citation,
    Claim,
    ClaimError,
    Confidence,
    Deception,
    Evidence,
    Observation,
    name_likelihood,
)
from workbench.findings_parts import SECTIONS, Card, Figure, KeyNumber, Section, TableView
from workbench.rows import Table, plain_cell, to_rows
from workbench.schema import About, PublishedFigure, Quote, SchemaError, SourceError

__all__ = [
    "SECTIONS",
    "Card",
    "ChanceTest",
    "Citation",
    "Claim",
    "ClaimError",
    "Confidence",
    "Deception",
    "Evidence",
    "Figure",
    "Findings",
    "KeyNumber",
    "Observation",
    "Section",
    "TableView",
    "name_likelihood",
]

SCHEMA_VERSION = 1

_HEADLINE_ORDER = ("clusters", "coordination", "narratives", "prevalence", "accounts", "origin")
_NOT_RUN = "Not part of this run: no notebook handed this section its tables."


@dataclass(frozen=True)
class Findings:
    """Everything a report may say about one case.

    Args:
        about: what is known of the dataset besides its rows.
        sections: in any order; the report prints all of `SECTIONS`, saying why where one is missing.
        decisions: the decisions table, as a frame or rows.
        caveats: sentences that stand in every report beside the findings.
        parameters: what the run was asked to do: name -> plain value.
        provenance: how to get the same again: command, versions, seed, sha256 of inputs, commit, as-of date.
    """

    about: About
    sections: Sequence[Section]
    decisions: Table = ()
    caveats: Sequence[str] = ()
    parameters: dict[str, Any] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("parameters", "provenance"):
            if not isinstance(getattr(self, name), dict):
                raise SchemaError(f"The {name} of findings are a table of names and values. Run the case again.")
        order = list(SECTIONS)
        object.__setattr__(self, "decisions", to_rows(self.decisions))
        object.__setattr__(self, "caveats", tuple(self.caveats))
        object.__setattr__(self, "sections", tuple(sorted(self.sections, key=lambda s: order.index(s.name))))
        names = [section.name for section in self.sections]
        parts = [part.name for section in self.sections for part in (*section.figures, *section.all_tables)]
        for kind, found in (("section", names), ("figure or table", parts)):
            twice = sorted({name for name in found if found.count(name) > 1})
            if twice:
                raise SchemaError(f"Each {kind} has its own name; found '{twice[0]}' twice. Rename or merge them.")

    def section(self, name: str) -> Section:
        """Return the named section, or one that says it was not part of this run."""
        if name not in SECTIONS:
            raise SchemaError(f"A section is one of {', '.join(SECTIONS)}; found '{name}'. Choose one.")
        found = [section for section in self.sections if section.name == name]
        return found[0] if found else Section(name, empty_reason=_NOT_RUN)

    @property
    def level(self) -> str | None:
        """The highest rung on which something was found; None where nothing is claimed."""
        claims = [claim for section in self.sections for claim in section.all_claims]
        levels = [LEVELS.index(claim.level) for claim in claims if not claim.is_absence]
        return LEVELS[max(levels)] if levels else None

    @property
    def headlines(self) -> tuple[Claim, ...]:
        """The three to five claims that open the report: those marked, the gravest first, filled up to three."""
        first = [self.section(name) for name in _HEADLINE_ORDER]
        in_order = [*first, *(section for section in self.sections if section.name not in _HEADLINE_ORDER)]
        every = [claim for section in in_order for claim in section.all_claims]
        marked = [claim for claim in every if claim.is_headline][:5]
        rest = [section.claims[0] for section in in_order if section.claims and section.claims[0] not in marked]
        rest.sort(key=lambda claim: claim.confidence.level == "low")  # a weak sign opens no report
        chosen = marked + rest[: max(0, 3 - len(marked))]
        return tuple(claim for claim in every if claim in chosen)

    def to_json(self) -> str:
        """Return the record as JSON text: same findings, same bytes."""
        content = {"schema": "takedown-workbench/findings", "schema_version": SCHEMA_VERSION, **_plain(self)}
        return json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Findings:
        """Return the record that `to_json` wrote.

        Raises:
            SourceError: the text is not such JSON, or of another schema version.
            ClaimError: a claim in it says more than its evidence supports.
        """
        try:
            content = json.loads(text)
            version = content["schema_version"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise SourceError(
                f"Expected the JSON of a findings record; found something else ({error}). Run the case again."
            ) from error
        if version != SCHEMA_VERSION:
            raise SourceError(
                f"Expected findings of schema version {SCHEMA_VERSION}; found {version}. "
                "Read it with the version of the workbench that wrote it, or run the case again."
            )
        try:
            return _read_findings(content)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise SourceError(
                f"The findings record lacks a field or has one too many: {error}. Run the case again."
            ) from error

    def save(self, path: Path) -> Path:
        """Write the record as JSON and return the path."""
        path.write_text(self.to_json(), encoding="utf-8")
        return path

    @classmethod
    def load(cls, path: Path) -> Findings:
        """Read a record written by `save`.

        Raises:
            SourceError: there is no such file, or it holds something else.
        """
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError as error:
            raise SourceError(
                f"Expected a findings record at {path.name}; found no such file. Run the case first."
            ) from error
        except (OSError, UnicodeDecodeError) as error:
            raise SourceError(
                f"Expected a findings record at {path.name[:200]}; it cannot be read ({error}). Run the case again."
            ) from error
        return cls.from_json(text)


def _plain(value: Any) -> Any:
    """Return dataclasses as dicts (evidence with its kind), so that reading needs no guessing."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        content = {item.name: _plain(getattr(value, item.name)) for item in dataclasses.fields(value)}
        return {"kind": type(value).__name__, **content} if isinstance(value, Evidence) else content
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | bool) or value is None else plain_cell(value)


def _read_findings(content: dict[str, Any]) -> Findings:
    about = dict(content["about"])
    about["published"] = tuple(PublishedFigure(**figure) for figure in about["published"])
    about["notes"] = tuple(about["notes"])
    about["quoted"] = tuple(Quote(**quote) for quote in about.get("quoted", ()))
    return Findings(
        about=About(**about),
        sections=tuple(_read_section(section) for section in content["sections"]),
        decisions=to_rows(content["decisions"]),
        caveats=tuple(content["caveats"]),
        parameters=content["parameters"],
        provenance=content["provenance"],
    )


def _read_section(content: dict[str, Any]) -> Section:
    return Section(
        name=content["name"],
        claims=tuple(_read_claim(claim) for claim in content["claims"]),
        prose=tuple(content["prose"]),
        figures=tuple(Figure(**figure) for figure in content["figures"]),
        tables=tuple(TableView(**table) for table in content["tables"]),
        empty_reason=content["empty_reason"],
        cards=tuple(_read_card(card) for card in content["cards"]),
        key_numbers=tuple(KeyNumber(**number) for number in content["key_numbers"]),
    )


def _read_card(content: dict[str, Any]) -> Card:
    fields: dict[str, Any] = dict(content)
    fields["claims"] = tuple(_read_claim(claim) for claim in content["claims"])
    fields["tables"] = tuple(TableView(**table) for table in content["tables"])
    return Card(**fields)


def _read_claim(content: dict[str, Any]) -> Claim:
    kinds = {kind.__name__: kind for kind in (Observation, ChanceTest, Deception, Citation)}
    fields: dict[str, Any] = dict(content)
    pieces = [dict(piece) for piece in content["evidence"]]
    fields["evidence"] = tuple(kinds[piece.pop("kind")](**piece) for piece in pieces)
    fields["confidence"] = Confidence(**content["confidence"])
    return Claim(**fields)
