"""Which version of a report a record is, why it was made anew, what differs from the last one, and who answered.

A version is counted, never overwritten. What changed is computed from the two records, so that a correction cannot
leave out what it would rather not say.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.findings import SECTIONS, Findings, Section
from workbench.schema import ParameterError

MOST_CHANGES = 60
_MOST_CHARACTERS = {"command": 2_000, "contact": 200, "correction": 1_000}
_MOST_REPLY_CHARACTERS = 3_000
_UNREADABLE = "The record of the earlier version cannot be read by this workbench, so what changed is not listed."
_KEPT = ("version", "corrections", "replies")
_ABOUT = ("title", "platform", "origin", "licence", "collected", "source", "notes", "announced_accounts",
          "announced_posts", "published")  # fmt: skip


@dataclass(frozen=True)
class Edition:
    """What the runner knows of a report and its record does not.

    Args:
        version: the number a new version would have.
        day: the day a new version would be made on, ISO.
        command: what repeats the run.
        contact: where those described may answer; "" where nobody said.
        correction: why the report is made anew; "" where nobody said.
        replies: answers to print, each with who gave it and when.
        notebooks: names of the notebooks that are run, in order.

    Raises:
        ParameterError: a text is too long, or has control or invisible characters.
    """

    version: int
    day: str
    command: str
    contact: str = ""
    correction: str = ""
    replies: tuple[str, ...] = ()
    notebooks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        texts = [(name, getattr(self, name), most) for name, most in _MOST_CHARACTERS.items()]
        texts += [("reply", reply, _MOST_REPLY_CHARACTERS) for reply in self.replies]
        for name, text, most in texts:
            if len(text) > most or not text.isprintable():
                raise ParameterError(
                    f"A {name} is one line of at most {most:,} visible characters; found {len(text):,} characters, or "
                    "one that is invisible. Shorten or retype it."
                )


def apply_edition(findings: Findings, edition: Edition, *, previous: Findings | None) -> Findings:
    """Return the record with its version, corrections, replies, contact and command.

    A record equal to the previous one stays that version, unless a new reason or a new reply makes it another.

    Args:
        findings: as the notebooks gave it.
        edition: what the runner knows.
        previous: the record of the report that stands; None where there is none, or none that can be read.
    """
    plain = _extend(findings, command=edition.command, contact=edition.contact, notebooks=list(edition.notebooks))
    if previous is None and edition.version == 1:
        return _extend(plain, version=1, replies=list(edition.replies))
    if previous is None:
        return add_version(plain, edition, previous=None)
    if _without_edition(plain) == _without_edition(previous) and not _says_more(edition, previous):
        kept = {name: previous.provenance[name] for name in _KEPT if name in previous.provenance}
        return _extend(plain, **kept)
    return add_version(plain, edition, previous=previous)


def add_version(findings: Findings, edition: Edition, *, previous: Findings | None) -> Findings:
    """Return the record as a new version: numbered, with its reason and every difference from the previous one.

    Where the previous record cannot be read, that is said in place of the differences.
    """
    told = previous.provenance if previous else {}
    entry = {
        "version": edition.version,
        "day": edition.day,
        "reason": edition.correction,
        "changes": list_changes(findings, previous) if previous else [_UNREADABLE],
    }
    earlier = told.get("replies", [])
    replies = [*earlier, *(reply for reply in edition.replies if reply not in earlier)]
    corrections = [entry, *told.get("corrections", [])]
    return _extend(findings, version=edition.version, corrections=corrections, replies=replies)


def list_changes(findings: Findings, previous: Findings) -> list[str]:
    """Return what differs from the previous record, one sentence each; at most `MOST_CHANGES`, then how many more."""
    changes = [
        *_changed_about(findings, previous),
        *_changed_values("Parameter", findings.parameters, previous.parameters),
        *_changed_provenance(findings, previous),
        *_changed_decisions(findings, previous),
    ]
    for name, heading in SECTIONS.items():
        changes += [
            f"{heading}: {change}" for change in _changed_section(findings.section(name), previous.section(name))
        ]
    left = len(changes) - MOST_CHANGES
    return changes[:MOST_CHANGES] + ([f"{left:,} more differences; compare the two findings.json."] if left > 0 else [])


def _extend(findings: Findings, **more: Any) -> Findings:
    told = {name: value for name, value in more.items() if value not in ("", [])}
    return dataclasses.replace(findings, provenance={**findings.provenance, **told})


def _without_edition(findings: Findings) -> str:
    provenance = {name: value for name, value in findings.provenance.items() if name not in _KEPT}
    return dataclasses.replace(findings, provenance=provenance).to_json()


def _says_more(edition: Edition, previous: Findings) -> bool:
    """Whether a reason or reply is given that the previous version does not have: the same words again are not."""
    last = (previous.provenance.get("corrections") or [{"reason": ""}])[0]
    is_new_reason = bool(edition.correction) and edition.correction != last["reason"]
    return is_new_reason or not set(edition.replies) <= set(previous.provenance.get("replies", []))


def _changed_about(findings: Findings, previous: Findings) -> Iterator[str]:
    for name in _ABOUT:
        new, old = getattr(findings.about, name), getattr(previous.about, name)
        if new != old and isinstance(new, str):
            yield f"About the data: {name} was “{old}”, is “{new}”."
        elif new != old:
            yield f"About the data: {name.replace('_', ' ')} differs."
    yield from _changed_values("Input file", findings.about.files, previous.about.files, with_values=False)


def _changed_provenance(findings: Findings, previous: Findings) -> Iterator[str]:
    new, old = findings.provenance, previous.provenance
    if new.get("contact", "") != old.get("contact", ""):
        yield "The address for replies differs."
    if new.get("version_of_workbench") != old.get("version_of_workbench"):
        yield f"Made with workbench {new.get('version_of_workbench')}, before with {old.get('version_of_workbench')}."
    yield from _changed_values("Package", new.get("versions", {}), old.get("versions", {}))


def _changed_values(what: str, new: dict[str, Any], old: dict[str, Any], *, with_values: bool = True) -> Iterator[str]:
    for name in sorted(new.keys() | old.keys()):
        if name not in old:
            yield f"{what} {name} is new{f': {new[name]}' if with_values else ''}."
        elif name not in new:
            yield f"{what} {name} is gone."
        elif new[name] != old[name]:
            yield f"{what} {name} {f'was {old[name]}, is {new[name]}' if with_values else 'has other content'}."


def _changed_decisions(findings: Findings, previous: Findings) -> Iterator[str]:
    n_new = sum(row not in previous.decisions for row in findings.decisions)
    n_gone = sum(row not in findings.decisions for row in previous.decisions)
    if n_new or n_gone:
        yield f"{SECTIONS['decisions']}: {n_gone} of {len(previous.decisions)} entries are gone, {n_new} are new."


def _changed_section(new: Section, old: Section) -> Iterator[str]:
    claims, earlier = ({claim.text: claim for claim in section.all_claims} for section in (new, old))
    yield from _changed_claims(list(claims), list(earlier))
    for text, claim in claims.items():
        if text in earlier and claim != earlier[text]:
            yield f"the grounds of “{text}” differ: its level, confidence, denominator or evidence."
    parts, before = _read_parts(new), _read_parts(old)
    for name in sorted(parts.keys() | before.keys()):
        if name not in parts:
            yield f"“{before[name][0]}” is gone."
        elif name not in before:
            yield f"“{parts[name][0]}” is new."
        elif parts[name][1] != before[name][1]:
            yield _say_rows(parts[name][0], parts[name][1], before[name][1])
    if new.empty_reason != old.empty_reason and new.is_empty and old.is_empty:
        yield "the reason why it is empty differs."


def _changed_claims(new: Sequence[str], old: Sequence[str]) -> Iterator[str]:
    """Sentences that are gone, new or reworded; a reworded one stands beside the nearest that is gone."""
    gone = [text for text in old if text not in new]
    for text in (text for text in new if text not in old):
        nearest = difflib.get_close_matches(text, gone, n=1)
        if nearest:
            gone.remove(nearest[0])
            yield f"was “{nearest[0]}”, is “{text}”"
        else:
            yield f"newly said: “{text}”"
    yield from (f"no longer said: “{text}”" for text in gone)


def _read_parts(section: Section) -> dict[str, tuple[str, tuple[dict[str, Any], ...]]]:
    """Tables and figures by name: title and rows. A figure and a table never share a name."""
    tables = {table.name: (table.title, table.rows) for table in section.all_tables}
    return tables | {figure.name: (figure.title, figure.table) for figure in section.figures}


def _say_rows(title: str, new: tuple[dict[str, Any], ...], old: tuple[dict[str, Any], ...]) -> str:
    rows, before = (Counter(json.dumps(row, sort_keys=True) for row in table) for table in (new, old))
    return (
        f"“{title}” differs: {len(old):,} rows before, {len(new):,} now, {(rows & before).total():,} of them as before."
    )
