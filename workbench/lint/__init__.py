"""The linter: what a report or an indicator sheet must not be published with."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import polars as pl

from workbench.addresses import refang
from workbench.findings import Findings, Observation, TableView
from workbench.lint.page import Page, read_page
from workbench.lint.page import Table as PageTable
from workbench.lint.words import (
    find_bare_addresses,
    find_loose_attribution,
    find_miscounts,
    find_mixed_likelihood,
    find_placeholders,
    find_shares_without_whole,
    find_wrong_numbers,
    find_wrong_shares,
)
from workbench.profile_links import HOSTS
from workbench.schema import SourceError

__all__ = ["Fault", "lint_report"]

_ADVICE = {
    "placeholder": "Fill it in or take the sentence out.",
    "number": "Make word and number agree.",
    "share": "Work the percentage out again from its two numbers.",
    "denominator": "Say what the percentage is of.",
    "total": "Work the total out again, or say why it differs.",
    "table": "Take the number from the table.",
    "likelihood": "Say how likely it is in one sentence and how sure you are in another.",
    "attribution": "Quote who found it, with source and date, or say what it does not show.",
    "account link": "Take the link out: it leads readers to an account.",
    "address": "Defang it: hxxps and [.].",
    "alternative": "Give it in words as well.",
    "name": "Put the pseudonym there: the account has fewer than 5,000 followers or is not published in clear.",
}
_BAD_LINKS = ("http://", "javascript:", "data:text/html", "vbscript:", "file:")
_FANGED = re.compile(r"\[\.\]|hxxps?:")
_WORDS = re.compile(r"[^\s“”\"'()<>,;]+?(?=[.:!?]?(?:[\s“”\"'()<>,;]|$))")
_QUOTED = re.compile("“[^”]*”")
_TOTAL = re.compile(r"(?:(?:grand )?totals?|sum|in all|altogether)(?: [a-z]+)?", re.IGNORECASE)
MOST_INDICATOR_CHARACTERS = 300


@dataclass(frozen=True)
class Fault:
    """One thing to mend before publishing: which rule, where, what was found, what to do."""

    rule: str
    place: str
    found: str
    advice: str


def lint_report(path: str | Path, *, leaks: pl.DataFrame | None = None) -> list[Fault]:
    """Return what must be mended in a report (`.html`) or in an indicator sheet (`.csv`, `.tsv`, `.md`, `.txt`).

    Of a report it reads the page and, if it lies beside it, the record `findings.json`: numbers in claims are compared
    with the tables they refer to.

    Args:
        path: the file.
        leaks: from `find_leaks`, which knows the release: names of accounts that may not be named.

    Raises:
        SourceError: no such file, or of another kind.

    Beware: rules about words find what is usually wrong; a clean report can still be wrong.
    """
    file = Path(path)
    readers = {".html": _lint_page, ".csv": _lint_sheet, ".tsv": _lint_sheet, ".md": _lint_lines, ".txt": _lint_lines}
    if file.suffix.lower() not in readers or not file.is_file():
        raise SourceError(
            f"Expected a file ending in {', '.join(readers)}; found '{file.name}'. Give a report or sheet."
        )
    faults = readers[file.suffix.lower()](file)
    record = file.with_name("findings.json")
    if file.suffix.lower() == ".html" and record.is_file():
        faults += _lint_record(Findings.load(record))
    if leaks is not None:
        faults += [_fault("name", row["file"], row["value"]) for row in leaks.iter_rows(named=True)]
    return list(dict.fromkeys(faults))


def _lint_page(file: Path) -> list[Fault]:
    page = read_page(_read_text(file))
    faults = []
    for block in page.blocks:
        faults += _lint_text(_drop_quotes(block.own), place=block.place, is_claim=block.is_claim)
        faults += [_fault("address", block.place, found) for found in find_bare_addresses(block.text, only_links=True)]
    for place, label in page.labels:
        faults += [_fault("placeholder", place, found) for found in find_placeholders(_drop_quotes(label))]
    for table in page.tables:
        faults += _lint_table(table)
    faults += _lint_links(page) + _lint_indicators(page)
    return faults + [_fault("alternative", place, found) for place, found in page.without_words]


def _lint_table(table: PageTable) -> list[Fault]:
    faults = [_fault("total", table.place, found) for found in _wrong_totals(table.rows)]
    for row in table.rows:
        for cell in row:
            faults += [_fault("address", table.place, found) for found in find_bare_addresses(cell)]
    for cell in table.own:
        own = _drop_quotes(cell)
        faults += [_fault("placeholder", table.place, found) for found in find_placeholders(own)]
        faults += [_fault("number", table.place, found) for found in find_miscounts(own)]
        faults += [_fault("share", table.place, found) for found in find_wrong_shares(own)]
    return faults


def _lint_links(page: Page) -> list[Fault]:
    faults = []
    for place, link in page.links:
        if _is_platform(link):
            faults.append(_fault("account link", place, link))
        elif link.strip().lower().startswith(_BAD_LINKS):
            faults.append(_fault("address", place, link))
        elif link.strip() in ("", "#") or find_placeholders(link):
            faults.append(_fault("placeholder", place, f"a link to '{link}'"))
        elif link.startswith("#") and link[1:] not in page.ids:
            faults.append(_fault("placeholder", place, f"a link to '{link}', which is not on the page"))
    return faults


def _is_platform(link: str) -> bool:
    """Whether a link leads to a platform where accounts live: with or without scheme, user, port or a last dot."""
    try:
        host = (urlsplit(link.strip().replace("\\", "/")).hostname or "").rstrip(".")
    except ValueError:  # brackets that are no IPv6 address: no browser follows it
        return False
    return any(host == name or host.endswith(f".{name}") for name in HOSTS)


def _lint_indicators(page: Page) -> list[Fault]:
    """Look for indicators that a table of the page gives defanged and a sentence gives whole."""
    cells = {
        cell for table in page.tables for row in table.rows for cell in row if len(cell) < MOST_INDICATOR_CHARACTERS
    }
    whole = {refang(cell) for cell in cells if _FANGED.search(cell) and " " not in cell}
    return [
        _fault("address", block.place, found)
        for block in page.blocks
        for found in sorted(set(_WORDS.findall(block.text)) & whole)
    ]


def _lint_sheet(file: Path) -> list[Fault]:
    text = _read_text(file)
    rows = list(csv.reader(io.StringIO(text), delimiter="\t" if file.suffix.lower() == ".tsv" else ","))
    faults = [_fault("total", file.name, found) for found in _wrong_totals(rows)]
    for number, row in enumerate(rows, start=1):
        for cell in row:
            faults += _lint_text(cell, place=f"{file.name}, row {number}", is_claim=True)
            faults += [_fault("address", f"{file.name}, row {number}", found) for found in find_bare_addresses(cell)]
    return faults


def _lint_lines(file: Path) -> list[Fault]:
    lines = _read_text(file).splitlines()
    return [
        fault
        for number, line in enumerate(lines, start=1)
        for fault in _lint_text(line, place=f"{file.name}, line {number}", is_claim=False)
    ]


def _read_text(file: Path) -> str:
    """Text of UTF-8, or of UTF-16 that says so in its first bytes; of another encoding, what can be read of it."""
    with file.open("rb") as stream:
        encoding = "utf-16" if stream.read(2) in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    return file.read_text(encoding=encoding, errors="replace")


def _lint_text(text: str, *, place: str, is_claim: bool) -> list[Fault]:
    """Apply the rules for sentences; a claim carries its denominator and its source beside it."""
    found = {
        "placeholder": find_placeholders(text),
        "number": find_miscounts(text),
        "share": find_wrong_shares(text),
        "likelihood": find_mixed_likelihood(text),
        "address": find_bare_addresses(text, only_links=True),
        "denominator": [] if is_claim else find_shares_without_whole(text),
        "attribution": [] if is_claim else find_loose_attribution(text),
    }
    return [_fault(rule, place, words) for rule, matches in found.items() for words in matches]


def _lint_record(findings: Findings) -> list[Fault]:
    """Compare numbers in claims with the tables their evidence names."""
    parts = [part for section in findings.sections for part in (*section.figures, *section.all_tables)]
    tables = {part.name: part.rows if isinstance(part, TableView) else part.table for part in parts}
    faults = []
    for section in findings.sections:
        for claim in section.all_claims:
            named = [piece.shown_in for piece in claim.evidence if isinstance(piece, Observation)]
            rows = [row for name in named for row in tables.get(name, ())]
            faults += [
                _fault("table", section.name, found)
                for found in find_wrong_numbers(claim.text, rows, whole=claim.denominator)
            ]
    return faults


def _wrong_totals(rows: list[list[str]]) -> list[str]:
    """Rows that call themselves a total and are not the sum of the rows above."""
    faults = []
    for at, row in enumerate(rows):
        if at < 3 or not row or not _TOTAL.fullmatch(row[0].strip(" :")):
            continue
        for column in range(1, len(row)):
            above = [_number(other[column]) for other in rows[1:at] if column < len(other)]
            total = _number(row[column])
            addends = [value for value in above if value is not None]
            is_percent = row[column].strip().endswith("%")
            if total is not None and len(addends) > 1 and not is_percent and abs(sum(addends) - total) > 1e-6:
                faults.append(f"{row[0]}: {row[column]}, but the rows above add up to {sum(addends):,g}")
    return faults


def _drop_quotes(text: str) -> str:
    """Others' words are theirs: only the marks stay, which say that somebody is quoted."""
    return _QUOTED.sub("“”", text)


def _number(text: str) -> float | None:
    try:
        return float(text.replace(",", "").strip())
    except ValueError:
        return None


def _fault(rule: str, place: str, found: str) -> Fault:
    return Fault(rule, place, found if len(found) <= 160 else found[:159] + "…", _ADVICE[rule])
