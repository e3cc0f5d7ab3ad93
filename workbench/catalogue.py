"""The page that lists all reports of a folder: searchable, with what they share, as Atom feed and as JSON too."""

from __future__ import annotations

import itertools
import json
import uuid
from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
from markupsafe import Markup

from workbench.chart_display import NARROW_PX, draw_svg
from workbench.charts import chart_case_timeline
from workbench.findings import Findings
from workbench.report import hash_block, page_environment, read_asset
from workbench.report_text import defang_cell
from workbench.schema import SourceError, WorkbenchError

NOT_REPORTS = (".draft", ".failed", ".history", ".package")
MOST_EXAMPLES = 3
_SHARED_COLUMNS = {"account_id": "account", "object_id": "object", "indicator": "indicator"}


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
    goes_as_far_as: str
    n_accounts: int | None
    n_posts: int | None
    n_clustered: int
    n_clusters: int
    first_day: str
    last_day: str
    headline: str
    marks: frozenset[tuple[str, str]] = field(default=frozenset(), repr=False)
    """what this case could share with another: (kind, value)"""


def write_catalogue(folder: str | Path) -> Path:
    """Write `index.html`, `catalogue.json` and `feed.xml` for all reports in a folder, and return the page's path.

    A report is a sub-folder with `findings.json` and `report.html`. Drafts, failed runs, earlier versions and packages
    are left out; a report that cannot be read is listed as such, with the reason.

    Args:
        folder: the folder of reports; pages link by relative addresses, so it works from a disk and from any host.

    Raises:
        SourceError: no such folder.
    """
    root = Path(folder)
    if not root.is_dir():
        raise SourceError(f"Expected a folder of reports; found no folder '{root.name}'. Run a case first.")
    entries, unread = [], []
    for record in sorted(root.glob("*/findings.json")):
        if record.parent.suffix in NOT_REPORTS or not record.with_name("report.html").is_file():
            continue
        try:
            entries.append(_read_entry(record))
        except (WorkbenchError, ValueError, KeyError) as error:
            unread.append((record.parent.name, str(error)))
    entries.sort(key=lambda entry: (entry.as_of, entry.case), reverse=True)
    shared = find_shared(entries)
    (root / "catalogue.json").write_text(_to_json(entries, shared), encoding="utf-8")
    (root / "feed.xml").write_text(_render("feed.xml.j2", entries=entries, updated=_updated(entries)), encoding="utf-8")
    path = root / "index.html"
    path.write_text(_render_page(entries, shared, unread), encoding="utf-8", newline="\n")
    return path


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
    findings = Findings.load(record)
    manifest_path = record.with_name("manifest.json")
    manifest = json.loads(manifest_path.read_text(encoding="utf-8")) if manifest_path.is_file() else {}
    about, provenance = findings.about, findings.provenance
    numbers = {row["what"]: row["value"] for row in _rows(findings, "release_numbers")}
    members = _rows(findings, "cluster_members")
    days = sorted(str(row["day"]) for row in _rows(findings, "posts_over_time") if row.get("n_posts"))
    headlines = findings.headlines
    return Entry(
        case=record.parent.name,
        title=about.title,
        href=f"{record.parent.name}/report.html",
        platform=about.platform,
        origin=about.origin,
        target=str(about.options.get("target", "not stated")),
        is_synthetic=about.is_synthetic,
        as_of=str(provenance.get("as_of") or manifest.get("ended_at", "")[:10] or about.collected),
        version=int(manifest.get("version") or provenance.get("version") or 1),
        goes_as_far_as=findings.level or "nothing claimed",
        n_accounts=numbers.get("Accounts listed"),
        n_posts=numbers.get("Posts"),
        n_clustered=len({row["account_id"] for row in members}),
        n_clusters=len({row["cluster_id"] for row in members}),
        first_day=days[0] if days else "",
        last_day=days[-1] if days else "",
        headline=headlines[0].text if headlines else "No claim was made.",
        marks=_read_marks(findings),
    )


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
        for name in ("platform", "origin", "target")
    }
    return _render(
        "catalogue.html.j2",
        entries=entries,
        shared=shared,
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
            "at": f"{_iso_day(entry.as_of)}T00:00:00Z",
        }
        for entry in entries
    }


def _iso_day(text: str) -> str:
    try:
        return date.fromisoformat(text[:10]).isoformat()
    except ValueError:
        return "1970-01-01"
