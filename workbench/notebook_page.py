"""An executed notebook as one HTML file for researchers: what it asked, what came out, the code folded, no request.

The page holds no script. Outputs are cleaned before they are written into it, because their texts come out of a
release: tables keep their cells and nothing else, charts are the still pictures the run drew.
"""

from __future__ import annotations

import json
import re
import warnings
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
from markupsafe import Markup

from workbench.chart_display import tidy_svg
from workbench.invisible import spell_invisible
from workbench.report import hash_block, page_environment, read_asset

MOST_OUTPUT_CHARACTERS = 20_000
_TAGS = {
    "table", "thead", "tbody", "tr", "th", "td", "div", "p", "span", "small", "b", "strong", "i", "em", "code", "pre",
    "br", "ul", "ol", "li", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6",
}  # fmt: skip
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_STYLE = re.compile(r"<(style|script)\b.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
_TYPES_ROW = re.compile(r"(</tr>)<tr>((?:<td>[^<]*</td>)+)</tr></thead>")


@dataclass(frozen=True)
class Step:
    """One cell of the page: prose, or code with what came out of it."""

    prose: Markup | None = None
    code: Markup | None = None
    first_line: str = ""
    number: int | None = None
    is_open: bool = False
    outputs: tuple[Markup, ...] = ()


def write_notebook_pages(folder: Path) -> list[Path]:
    """Write a page beside each executed notebook in a report's `notebooks/`, and return the pages.

    Args:
        folder: the report's folder; whether its data is synthetic is read from `findings.json`, where there is one.
    """
    files = sorted((folder / "notebooks").glob("*.ipynb"))
    record = folder / "findings.json"
    about = json.loads(record.read_text(encoding="utf-8")).get("about", {}) if record.is_file() else {}
    pages = []
    for file in files:
        page = file.with_suffix(".html")
        names = [other.stem for other in files]
        text = render_notebook(
            nbformat.read(file, as_version=4),
            name=file.stem,
            names=names,
            is_synthetic=about.get("is_synthetic", False),
        )
        page.write_text(text, encoding="utf-8", newline="\n")
        pages.append(page)
    return pages


def render_notebook(notebook: Any, *, name: str, names: list[str], is_synthetic: bool = False) -> str:
    """Return an executed notebook as one HTML page: same notebook, same bytes.

    Args:
        notebook: an executed notebook of nbformat 4.
        name: its file's name without ending.
        names: of all notebooks of the report, in order.
        is_synthetic: whether its data is invented; then the page says so.
    """
    style = read_asset("report.css") + read_asset("notebook.css")
    at = names.index(name)
    steps = [_read_step(cell, place=f"{name}-{number}") for number, cell in enumerate(notebook.cells, start=1)]
    return (
        page_environment()
        .get_template("notebook.html.j2")
        .render(
            title=_read_title(notebook) or name,
            name=name,
            number=at + 1,
            n_notebooks=len(names),
            before=names[at - 1] if at else "",
            after=names[at + 1] if at + 1 < len(names) else "",
            steps=[step for step in steps if step.prose or step.code],
            is_synthetic=is_synthetic,
            style=Markup(style),
            style_hash=hash_block(style),
        )
    )


def _read_title(notebook: Any) -> str:
    for cell in notebook.cells:
        heading = re.search(r"^# (.+)", cell.source, re.MULTILINE) if cell.cell_type == "markdown" else None
        if heading:
            return heading[1].strip()
    return ""


def _read_step(cell: Any, *, place: str) -> Step:
    if cell.cell_type == "markdown":
        return Step(prose=_render_markdown(cell.source))
    if cell.cell_type != "code" or not cell.source.strip():
        return Step()
    outputs = [_render_output(output, place=f"{place}-{n}") for n, output in enumerate(cell.outputs, start=1)]
    lines = cell.source.strip().splitlines()
    return Step(
        code=_render_code(cell.source.strip()),
        first_line=lines[0] + (" …" if len(lines) > 1 else ""),
        number=cell.execution_count,
        is_open="injected-parameters" in cell.metadata.get("tags", []),
        outputs=tuple(output for output in outputs if output),
    )


def _render_output(output: Any, *, place: str) -> Markup:
    if output.output_type == "stream":
        return _render_text(output.text)
    if output.output_type == "error":
        return _render_text("\n".join(output.traceback))
    forms = output.get("data", {})
    words = str(forms.get("text/plain", ""))
    if "image/svg+xml" in forms:
        picture = Markup(tidy_svg(str(forms["image/svg+xml"]), name=place))
        return Markup('<figure><div class="still">{}</div><figcaption>{}</figcaption></figure>').format(
            picture, spell_invisible(words)
        )
    if "text/html" in forms:
        table = _clean_html(_TYPES_ROW.sub(r"\1</thead>", str(forms["text/html"])))
        return Markup('<div class="scroll" role="region" aria-label="Result {}" tabindex="0">{}</div>').format(
            place.rpartition("-")[0].rpartition("-")[2], table
        )
    if "text/markdown" in forms:
        return _render_markdown(str(forms["text/markdown"]))
    return _render_text(words)


def _render_text(text: str) -> Markup:
    plain = _spell_lines(_ANSI.sub("", text))
    cut = plain[:MOST_OUTPUT_CHARACTERS]
    left = f"\n… ({len(plain):,} characters in all)" if len(plain) > len(cut) else ""
    return Markup('<pre tabindex="0" aria-label="Output">{}</pre>').format(cut + left)


def _render_markdown(text: str) -> Markup:
    """Prose as HTML; addresses in it are no links, because some of its words come from posts."""
    return Markup('<div class="prose">{}</div>').format(_clean_html(_markdown().render(text)))


def _render_code(source: str) -> Markup:
    _, highlight = _converters()
    return Markup(highlight(source, language="python"))


def _clean_html(html: str) -> Markup:
    clean, _ = _converters()
    return Markup(_spell_lines(clean(_STYLE.sub("", html), tags=_TAGS, attributes={}, strip=True)))


def _spell_lines(text: str) -> str:
    """The text with invisible characters made visible, but for the ends of its lines."""
    return "\n".join(spell_invisible(line) for line in text.splitlines())


@cache
def _markdown() -> Any:
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath, import_plugin

    renderer = IPythonRenderer(escape=True, allow_harmful_protocols=False, exclude_anchor_links=True)
    return MarkdownWithMath(renderer, plugins=[import_plugin("table"), import_plugin("strikethrough")])


@cache
def _converters() -> tuple[Any, Any]:
    """The cleaner and the highlighter of nbconvert, imported late: it brings much along."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from nbconvert.filters.highlight import Highlight2HTML
        from nbconvert.preprocessors import sanitize
    return sanitize.clean, Highlight2HTML(pygments_lexer="python")
