"""The page that lists all reports of a folder: searchable, with versions and what they share, as feed and JSON too."""

from __future__ import annotations

import html
import itertools
import json
import re
import uuid
from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
from markupsafe import Markup

from workbench.chart_display import NARROW_PX, draw_svg
from workbench.charts import chart_case_timeline
from workbench.findings import Findings
from workbench.report import hash_block, page_environment, read_asset
from workbench.report_text import defang_cell
from workbench.schema import ParameterError, SchemaError, SourceError, WorkbenchError

NOT_REPORTS = (".draft", ".failed", ".history", ".package")
CATALOGUE_FILES = ("index.html", "catalogue.json", "feed.xml")
MOST_EXAMPLES = 3
MOST_OVERLAPS_SHOWN = 100
SIZES = {100: "under 100 accounts", 1_000: "100 to 999 accounts", 10_000: "1,000 to 9,999 accounts"}
"""Upper bound, not included -> how a release of fewer accounts is filed."""
_LARGEST, _UNSIZED = "10,000 accounts or more", "accounts not listed"
_SHARED_COLUMNS = {"account_id": "account", "object_id": "object", "indicator": "indicator"}


@dataclass(frozen=True)
class Version:
    """One version of a report: where it is, when it was made, and why it was made anew ("" for the first)."""

    version: int
    href: str
    made_at: str
    reason: str


@dataclass(frozen=True)
class Entry:
    """One report in the catalogue."""

    case: str
    title: str
    href: str
    platform: str
    origin: str
    target: str
    is_synthetic: bool
    as_of: str
    version: int
    versions: tuple[Version, ...]
    """all there are, the newest first"""
    goes_as_far_as: str
    size: str
    n_accounts: int | None
    n_posts: int | None
    n_clustered: int
    n_clusters: int
    first_day: str
    last_day: str
    headline: str
    marks: frozenset[tuple[str, str]] = field(default=frozenset(), repr=False)
    """what this case could share with another: (kind, value)"""


def write_catalogue(folder: str | Path, *, address: str = "") -> Path:
    """Write `index.html`, `catalogue.json` and `feed.xml` for all reports in a folder, and return the page's path.

    A report is a sub-folder with `findings.json` and `report.html`. Drafts, failed runs, earlier versions and packages
    are left out; a report that cannot be read is listed as such, with the reason.

    Args:
        folder: the folder of reports; pages link by relative addresses, so it works from a disk and from any host.
        address: where the folder will stand, as `https://example.org/reports/`; the feed names it as the base of its
            links, for readers that keep a feed away from where they found it.

    Raises:
        SourceError: no such folder.
        ParameterError: the address is not one of the web.
    """
    if address and not re.fullmatch(r"https?://[^\s/]+(?:/\S*)?", address):
        raise ParameterError(f"A catalogue's address begins with https://; found '{address}'. Give it whole.")
    base = f"{address.rstrip('/')}/" if address else ""
    root = Path(folder)
    if not root.is_dir():
        raise SourceError(f"Expected a folder of reports; found no folder '{root.name}'. Run a case first.")
    entries, unread = [], []
    for record in sorted(root.glob("*/findings.json")):
        if not _is_report(record.parent):
            continue
        try:
            entries.append(_read_entry(record))
        except WorkbenchError as error:
            unread.append((record.parent.name, str(error).replace(str(record.parent), record.parent.name)))
    entries.sort(key=lambda entry: (entry.as_of, entry.case), reverse=True)
    shared = find_shared(entries)
    (root / "catalogue.json").write_text(_to_json(entries, shared), encoding="utf-8")
    feed = _render("feed.xml.j2", entries=entries, updated=_updated(entries), base=base)
    (root / "feed.xml").write_text(feed, encoding="utf-8")
    path = root / "index.html"
    path.write_text(_render_page(entries, shared, unread), encoding="utf-8", newline="\n")
    return path


def renew_catalogue(folder: str | Path) -> Path | None:
    """Write a folder's catalogue anew, under the address its feed names; None where there is none to renew."""
    root = Path(folder)
    if not (root / "catalogue.json").is_file():
        return None
    feed = root / "feed.xml"
    text = feed.read_text(encoding="utf-8", errors="replace") if feed.is_file() else ""
    base = re.search(r'xml:base="(https?://[^\s"/]+(?:/[^\s"]*)?)"', text)
    return write_catalogue(root, address=html.unescape(base[1]) if base else "")


def _is_report(folder: Path) -> bool:
    """Whether a folder holds a report that stands, and not a draft, a failed or running run, or an earlier version."""
    ours = folder.name.startswith(".") or folder.suffix in NOT_REPORTS
    return not ours and (folder / "report.html").is_file()


def find_shared(entries: list[Entry]) -> list[dict[str, Any]]:
    """Return what two cases have in common: case_a, case_b, kind, n_shared, examples; most shared first.

    Beware: popular sites, hashtags and texts are shared by everybody. An overlap is a question, not an answer.
    """
    rows = []
    for a, b in itertools.combinations(sorted(entries, key=lambda entry: entry.case), 2):
        common = sorted(a.marks & b.marks)
        for kind in sorted({kind for kind, _ in common}):
            values = [value for its_kind, value in common if its_kind == kind]
            examples = [defang_cell(value) for value in values[:MOST_EXAMPLES]]
            rows.append(
                {"case_a": a.case, "case_b": b.case, "kind": kind, "n_shared": len(values), "examples": examples}
            )
    return sorted(rows, key=lambda row: (-row["n_shared"], row["case_a"], row["case_b"], row["kind"]))


def _read_entry(record: Path) -> Entry:
    """What the catalogue says of a report.

    Raises:
        SourceError: its record or its manifest cannot be read, or holds something else than the workbench writes.
    """
    case = record.parent.name
    manifest = read_manifest(record.parent)
    try:
        findings = Findings.load(record)
        entry = _make_entry(case, findings, manifest, _list_versions(record.parent, manifest))
        _check_entry(entry)
    except SourceError:
        raise
    except (WorkbenchError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SourceError(
            f"Its findings.json holds something else than the workbench writes ({_say_error(error)}). Restore it from "
            f"a copy, or make a new version: workbench report {case}."
        ) from error
    return entry


def _make_entry(case: str, findings: Findings, manifest: dict[str, Any], versions: tuple[Version, ...]) -> Entry:
    about, provenance = findings.about, findings.provenance
    numbers = {row["what"]: row["value"] for row in _rows(findings, "release_numbers")}
    members = _rows(findings, "cluster_members")
    days = sorted(str(row["day"]) for row in _rows(findings, "posts_over_time") if row.get("n_posts"))
    headlines = findings.headlines
    return Entry(
        case=case,
        title=about.title,
        href=f"{case}/report.html",
        platform=about.platform,
        origin=about.origin,
        target=str(about.options.get("target", "not stated")),
        is_synthetic=about.is_synthetic,
        as_of=str(provenance.get("as_of") or manifest.get("ended_at", "")[:10] or about.collected),
        version=versions[0].version,
        versions=versions,
        goes_as_far_as=findings.level or "nothing claimed",
        size=name_size(numbers.get("Accounts listed")),
        n_accounts=numbers.get("Accounts listed"),
        n_posts=numbers.get("Posts"),
        n_clustered=len({row["account_id"] for row in members}),
        n_clusters=len({row["cluster_id"] for row in members}),
        first_day=days[0] if days else "",
        last_day=days[-1] if days else "",
        headline=headlines[0].text if headlines else "No claim was made.",
        marks=_read_marks(findings),
    )


def _check_entry(entry: Entry) -> None:
    """Refuse what no page, feed or JSON can hold: a record may have been edited or damaged.

    Raises:
        SchemaError: a text, count or yes-or-no is something else.
        ValueError: a day is none, or a text holds half a character.
    """
    for name in ("title", "platform", "origin", "headline"):
        if not isinstance(getattr(entry, name), str):
            raise SchemaError(f"{name} is no text")
    for name in ("n_accounts", "n_posts"):
        count = getattr(entry, name)
        if count is not None and (type(count) is not int or not 0 <= count < 2**63):
            raise SchemaError(f"{name} is no count")
    if not isinstance(entry.is_synthetic, bool):
        raise SchemaError("is_synthetic is neither true nor false")
    for day in (entry.first_day, entry.last_day):
        if day:
            date.fromisoformat(day[:10])
    texts = [value for value in vars(entry).values() if isinstance(value, str)]
    "".join([*texts, *itertools.chain(*entry.marks)]).encode("utf-8")


def _list_versions(folder: Path, manifest: dict[str, Any]) -> tuple[Version, ...]:
    """All versions of the report in this folder, whose manifest this is; what an earlier one does not tell is said."""
    history = folder.with_name(f"{folder.name}.history")
    earlier = [
        place for place in history.glob("v*") if place.name[1:].isdecimal() and (place / "report.html").is_file()
    ]
    numbers = {place: int(place.name[1:]) for place in earlier}
    found = [_make_version(folder, manifest.get("version", max(numbers.values(), default=0) + 1), manifest)]
    for place, number in numbers.items():
        try:
            told = read_manifest(place)
        except SourceError:
            told = {"correction": "Its manifest.json cannot be read. Restore it from a copy."}
        found.append(_make_version(place, number, told))
    return tuple(sorted(found, key=lambda version: version.version, reverse=True))


def _make_version(place: Path, number: int, manifest: dict[str, Any]) -> Version:
    root = place.parent.parent if place.parent.suffix == ".history" else place.parent
    href = f"{place.relative_to(root).as_posix()}/report.html"
    return Version(number, href, manifest.get("ended_at", ""), manifest.get("correction", ""))


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a report's folder; empty where it has none.

    What is there is what the workbench writes: `version` a number from 1, `started_at` and `ended_at` moments,
    `case` and `correction` texts, `parameters` by name, `outputs` a sha256 by file.

    Raises:
        SourceError: there is a manifest, and it cannot be read as one.
    """
    path = folder / "manifest.json"
    if not path.exists():
        return {}
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        fault = _find_fault(manifest)
    except (OSError, ValueError, RecursionError) as error:
        manifest, fault = {}, _say_error(error).replace(str(folder), folder.name)
    if fault:
        is_earlier = folder.parent.suffix == ".history"
        name = f"{folder.parent.name}/{folder.name}" if is_earlier else folder.name
        anew = "" if is_earlier else f", or make a new version: workbench report {folder.name}"
        raise SourceError(f"The manifest.json of {name} cannot be read ({fault}). Restore it from a copy{anew}.")
    return manifest


def _find_fault(manifest: Any) -> str:
    """What is wrong with a manifest as read; "" where nothing is.

    Raises:
        ValueError: a text in it holds half a character.
    """
    if not isinstance(manifest, dict) or not manifest:
        return "it holds no fields"
    json.dumps(manifest, ensure_ascii=False).encode("utf-8")
    version = manifest.get("version", 1)
    if type(version) is not int or version < 1:
        return "version is no number from 1"
    for name in ("case", "correction"):
        if not isinstance(manifest.get(name, ""), str):
            return f"{name} is no text"
    for name in ("started_at", "ended_at"):
        if manifest.get(name, "") != "" and not _is_moment(manifest[name]):
            return f"{name} is no moment"
    for name in ("parameters", "outputs"):
        if not isinstance(manifest.get(name, {}), dict):
            return f"{name} is no table"
    if not all(isinstance(sha256, str) for sha256 in manifest.get("outputs", {}).values()):
        return "outputs is no table of texts"
    return ""


def _is_moment(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(datetime.fromisoformat(value))
    except ValueError:
        return False


def _say_error(error: Exception) -> str:
    """An error in one line that can be printed; of a lookup, which name was looked for."""
    text = " ".join(str(error).split())[:200].rstrip(".") or type(error).__name__
    return f"{text} is missing" if isinstance(error, KeyError) else text.encode("utf-8", "replace").decode("utf-8")


def name_size(n_accounts: int | None) -> str:
    """Return how a release that lists so many accounts is filed."""
    if not n_accounts:
        return _UNSIZED
    return next((name for bound, name in SIZES.items() if n_accounts < bound), _LARGEST)


def _rows(findings: Findings, name: str) -> tuple[dict[str, Any], ...]:
    for section in findings.sections:
        for figure in section.figures:
            if figure.name == name:
                return figure.table
        for table in section.all_tables:
            if table.name == name:
                return table.rows
    return ()


def _read_marks(findings: Findings) -> frozenset[tuple[str, str]]:
    """Accounts in clusters, what clusters acted on, and indicators: what may turn up in another case."""
    tables = [table for section in findings.sections for table in section.all_tables]
    told = [t for t in tables if t.name in ("cluster_members", "indicators") or t.name.startswith("objects_of_cluster")]
    return frozenset(
        (kind, str(row[column]))
        for table in told
        for row in table.rows
        for column, kind in _SHARED_COLUMNS.items()
        if row.get(column)
    )


def _render_page(entries: list[Entry], shared: list[dict[str, Any]], unread: list[tuple[str, str]]) -> str:
    style = read_asset("report.css") + read_asset("catalogue.css")
    script = read_asset("catalogue.js")
    facets = {
        name: sorted(Counter(getattr(entry, name) for entry in entries).items(), key=lambda item: (-item[1], item[0]))
        for name in ("platform", "origin", "target", "size")
    }
    return _render(
        "catalogue.html.j2",
        entries=entries,
        earlier=[entry for entry in entries if len(entry.versions) > 1],
        shared=shared[:MOST_OVERLAPS_SHOWN],
        n_overlaps_left=max(0, len(shared) - MOST_OVERLAPS_SHOWN),
        links={entry.case: entry.href for entry in entries},
        unread=unread,
        facets=facets,
        timeline=_draw_timeline(entries),
        style=Markup(style),
        style_hash=hash_block(style),
        script=Markup(script),
        script_hash=hash_block(script),
    )


def _render(template: str, **content: Any) -> str:
    return page_environment().get_template(template).render(**content)


def _draw_timeline(entries: list[Entry]) -> dict[str, Any] | None:
    dated = [entry for entry in entries if entry.first_day]
    if not dated:
        return None
    rows = [
        {
            "case": entry.case,
            "first_day": date.fromisoformat(entry.first_day[:10]),
            "last_day": date.fromisoformat(entry.last_day[:10]),
            "platform": entry.platform,
        }
        for entry in dated
    ]
    spec = chart_case_timeline(pl.DataFrame(rows)).to_dict()
    narrow = Markup(draw_svg(spec, width_px=NARROW_PX))
    return {
        "title": spec["title"],
        "description": spec["description"],
        "wide": Markup(draw_svg(spec)),
        "narrow": narrow,
    }


def _to_json(entries: list[Entry], shared: list[dict[str, Any]]) -> str:
    plain = [{key: value for key, value in asdict(entry).items() if key != "marks"} for entry in entries]
    content = {"schema": "takedown-workbench/catalogue", "schema_version": 1, "reports": plain, "shared": shared}
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def _updated(entries: list[Entry]) -> dict[str, dict[str, str]]:
    """For the feed: each case's id, stable across versions of its report, and the moment it was last made."""
    return {
        entry.case: {
            "id": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'takedown-workbench/{entry.case}')}",
            "at": _say_moment(entry.versions[0].made_at or entry.as_of),
        }
        for entry in entries
    }


def _say_moment(text: str) -> str:
    """The moment as Atom wants it; the beginning of time where a report says none."""
    try:
        moment = datetime.fromisoformat(text)
        known = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):  # the latter at the ends of time, a zone away
        return "1970-01-01T00:00:00Z"
    return known.isoformat(timespec="seconds").replace("+00:00", "Z")
