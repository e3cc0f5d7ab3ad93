"""Findings -> one HTML file that needs nothing else, with its tables as CSV and the record as JSON beside it."""

from __future__ import annotations

import base64
import gzip
import hashlib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from workbench.chart_display import NARROW_PX, bundle_script, draw_svg, fit_page
from workbench.claims import (
    CONFIDENCE_LEVELS,
    LEVELS,
    LIKELIHOOD_BANDS,
    ChanceTest,
    Citation,
    Claim,
    Deception,
    Evidence,
)
from workbench.findings import SECTIONS, Figure, Findings, Section, TableView
from workbench.invisible import spell_invisible
from workbench.profile_links import HOSTS
from workbench.report_csv import make_data_link, write_csv
from workbench.report_language import name_attributes
from workbench.report_text import embed_json, is_number_column, show_cell, show_plain, show_sentence, show_text
from workbench.schema import ParameterError, SchemaError

MOST_ROWS_SHOWN = 100
MOST_ROWS_OPEN = 20
MOST_COLUMNS_OPEN = 7
MOST_CARDS_OPEN = 4
MOST_CHARACTERS_SHORT = 70
MOST_CSV_BYTES = 100_000
MOST_NARROW_BYTES = 100_000
MOST_PLAIN_SPEC_BYTES = 10_000
_CHARTS_ALIVE = ("report.js", "network.js")
_OPTIONAL = (
    "as_of", "command", "contact", "corrections", "notebooks", "replies", "version", "version_of_workbench",
)  # fmt: skip
_OWN_TEMPLATE = ("findings", "decisions", "reproduce", "reply")


@dataclass(frozen=True)
class _Picture:
    """A figure as it is printed: still pictures for wide and, unless heavy, narrow pages; what a live one is drawn of.

    That is the spec, or of a network its graph, as plain or packed text.
    """

    figure: Figure
    wide: Markup
    narrow: Markup | None
    spec: Markup
    is_packed: bool
    data: TableView


def render_report(findings: Findings, out: str | Path) -> Path:
    """Write the report and what belongs to it, and return the path of the report.

    Args:
        findings: the record; the report says nothing that is not in it.
        out: folder, made if absent: `report.html`, `findings.json`, `tables/*.csv`.

    Raises:
        ParameterError: `out` is a file.
        SchemaError: a chart would fetch data or follow a link.
    """
    folder = Path(out)
    if folder.is_file() or folder.suffix == ".html":
        raise ParameterError(f"Expected a folder to write the report into; found '{folder.name}'. Name its folder.")
    page = render_page(findings)
    tables = {name: write_csv(rows) for name, rows in _all_tables(findings).items()}
    (folder / "tables").mkdir(parents=True, exist_ok=True)
    for name, text in tables.items():
        (folder / "tables" / f"{name}.csv").write_text(text, encoding="utf-8", newline="")
    findings.save(folder / "findings.json")
    path = folder / "report.html"
    path.write_text(page, encoding="utf-8", newline="\n")
    return path


def render_page(findings: Findings) -> str:
    """Return the report as the text of one HTML page: same findings, same bytes.

    Raises:
        SchemaError: a chart would fetch data or follow a link.
    """
    pictures = {figure.name: _draw(figure) for section in findings.sections for figure in section.figures}
    style = read_asset("report.css")
    script = bundle_script("".join(map(read_asset, _CHARTS_ALIVE))) if pictures else ""
    return (
        page_environment()
        .get_template("report.html.j2")
        .render(
            findings=findings,
            about=findings.about,
            provenance=dict.fromkeys(_OPTIONAL, "") | findings.provenance,
            sections=[(number, name, heading) for number, (name, heading) in enumerate(SECTIONS.items(), start=1)],
            own_template=_OWN_TEMPLATE,
            pictures=pictures,
            part_names=_name_parts(findings),
            key_numbers=[number for section in findings.sections for number in section.key_numbers][:6],
            decisions=_view_decisions(findings),
            rungs=_count_rungs(findings),
            bands=LIKELIHOOD_BANDS,
            confidence_levels=CONFIDENCE_LEVELS,
            style=Markup(style),
            style_hash=hash_block(style),
            script=Markup(script),
            script_hash=hash_block(script),
            record_hash=hashlib.sha256(findings.to_json().encode()).hexdigest(),
            most_rows=MOST_ROWS_SHOWN,
            most_rows_open=MOST_ROWS_OPEN,
            most_columns_open=MOST_COLUMNS_OPEN,
            most_cards_open=MOST_CARDS_OPEN,
            most_short=MOST_CHARACTERS_SHORT,
        )
    )


def page_environment() -> Environment:
    """Return the templates with the filters that make text harmless; nothing undefined is printed as nothing."""
    environment = Environment(
        loader=PackageLoader("workbench"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        words=show_text,
        sentence=show_sentence,
        plain=show_plain,
        verbatim=spell_invisible,
        heading=lambda name: name.replace("_", " ").capitalize(),
    )
    functions: dict[str, Any] = {
        "show_cell": show_cell,
        "cell_attributes": _cell_attributes,
        "number_columns": lambda rows, columns: [name for name in columns if is_number_column(rows, name)],
        "csv_link": _csv_link,
        "evidence_kind": _evidence_kind,
        "is_report": _is_report,
        "safe_link": _safe_link,
        "claim_section": _claim_section,
    }
    environment.globals.update(functions)
    return environment


def _draw(figure: Figure) -> _Picture:
    _refuse_addresses(figure.spec, figure=figure)
    wide, spec = draw_svg(figure.spec), embed_json(figure.graph or fit_page(figure.spec))
    is_packed = len(spec) > MOST_PLAIN_SPEC_BYTES
    return _Picture(
        figure=figure,
        wide=Markup(wide),
        narrow=Markup(draw_svg(figure.spec, width_px=NARROW_PX)) if _is_redrawn(figure, wide) else None,
        spec=_pack(spec) if is_packed else spec,
        is_packed=is_packed,
        data=TableView(figure.name, f"Data: {figure.title}", "", figure.table),
    )


def _is_redrawn(figure: Figure, wide: str) -> bool:
    """Whether a narrow page gets a picture of its own: not where it is heavy, nor of a network, which has no text."""
    return figure.graph is None and len(wide) <= MOST_NARROW_BYTES


def _pack(text: str) -> Markup:
    """A long spec as gzip in base64, a tenth of its size; browsers unpack it themselves."""
    packed = bytearray(gzip.compress(text.encode(), mtime=0))
    packed[9] = 3  # the system it was made on (RFC 1952): Python versions differ in what they write there
    return Markup(base64.b64encode(packed).decode())


def _refuse_addresses(part: Any, *, figure: Figure) -> None:
    """Refuse a spec that loads data or images, or makes links: a report asks nothing of the network."""
    if isinstance(part, dict):
        for key, value in part.items():
            if key in ("url", "href") and value:
                raise SchemaError(
                    f"Figure '{figure.name}' has '{key}' in its spec; a chart in a report neither loads nor links. "
                    "Put the data inline and drop the link."
                )
            if key not in ("datasets", "values"):
                _refuse_addresses(value, figure=figure)
    elif isinstance(part, list):
        for item in part:
            _refuse_addresses(item, figure=figure)


def _name_parts(findings: Findings) -> dict[str, str]:
    parts = [part for section in findings.sections for part in (*section.figures, *section.all_tables)]
    return {part.name: part.title for part in parts}


def _all_tables(findings: Findings) -> dict[str, Any]:
    tables = {table.name: table.rows for section in findings.sections for table in section.all_tables}
    figures = {figure.name: figure.table for section in findings.sections for figure in section.figures}
    decisions = {"decisions": findings.decisions} if findings.decisions else {}
    return {name: rows for name, rows in {**decisions, **tables, **figures}.items() if rows}


def _view_decisions(findings: Findings) -> TableView:
    labels = {
        "stage": "Stage", "action": "What was done", "reason": "Why",
        "n_before": "Rows before", "n_after": "Rows after",
    }  # fmt: skip
    return TableView("decisions", "Decisions", "", findings.decisions, labels)


def _cell_attributes(table: TableView, row: dict[str, Any], column: str, *, numbers: list[str]) -> Markup:
    """What a cell says of itself: numbers stand to the right, others' words have their language and their way."""
    if column in table.quoted:
        return Markup(' class="theirs"{}').format(name_attributes(row.get(table.quoted[column])))
    return Markup(' class="number"' if column in numbers else "")


def _csv_link(table: TableView) -> str:
    """A download inside the page, or where that would weigh too much, the file beside it."""
    text = write_csv(table.rows)
    return make_data_link(text) if len(text.encode()) <= MOST_CSV_BYTES else f"tables/{table.name}.csv"


def _count_rungs(findings: Findings) -> list[tuple[str, int]]:
    claims = [claim for section in findings.sections for claim in section.all_claims]
    return [(level, sum(c.level == level and not c.is_absence for c in claims)) for level in LEVELS]


def _claim_section(findings: Findings, claim: Any) -> Section | None:
    return next((section for section in findings.sections if claim in section.all_claims), None)


def _evidence_kind(piece: Evidence) -> str:
    kinds = {ChanceTest: "chance test", Deception: "deception", Citation: "citation"}
    return kinds.get(type(piece), "observation")


def _is_report(claim: Claim) -> bool:
    """Whether it only says what somebody else wrote, short of who is behind it."""
    return claim.level == "co-action" and all(isinstance(piece, Citation) for piece in claim.evidence)


def _safe_link(url: str) -> str | None:
    """The address if it may be a link: https, and not on a platform where accounts live."""
    host = url.removeprefix("https://").split("/")[0].split("?")[0].lower()
    is_plain = url.startswith("https://") and all(character.isalnum() or character in ".-" for character in host)
    on_platform = any(host == name or host.endswith(f".{name}") for name in HOSTS)
    return url if is_plain and not on_platform and not any(c in url for c in "\"'<>\\ \n\t") else None


def read_asset(name: str) -> str:
    """Return a style or script of the package."""
    return resources.files("workbench").joinpath("templates", name).read_text(encoding="utf-8")


def hash_block(text: str) -> str:
    """Return the hash by which a page's policy admits one inline style or script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
