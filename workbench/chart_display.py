"""Charts as pictures: static SVG for the report, and a renderer by which notebooks show charts without a network."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from typing import Any

import vl_convert

from workbench.chart_library import altair as alt
from workbench.invisible import spell_invisible, unstack_marks

VEGA_LITE_VERSION = "6.4"
NARROW_PX = 340
MOST_CHARACTERS = 80

_NARROW = {"axisY": {"labelLimit": 150}, "legend": {"columns": 2, "labelLimit": 130}}
_WHOLE = ("$schema", "description", "font")

_ROLE = re.compile(r'\s(?:role|aria-[a-z]+)="[^"]*"')
_LONG_NUMBER = re.compile(r"(?<![\w.#])-?\d+\.\d{3,}(?:e-\d+)?(?![\w.])")
_TAG = re.compile(r"<[^<>]*>")  # between tags stand labels: 0.001 on an axis is no rounding error
_OUTLINE = re.compile(r'(?<= d=")[^"]*(?=")')
_LONG_IN_OUTLINE = re.compile(r"-?\d+\.\d{2,}(?:e-\d+)?")
_POINTS = re.compile(r"(?:L-?[\d.]+,-?[\d.]+){3,}")
_USELESS = re.compile(
    r'<path class="(?:background|foreground)" d="(?:M0,0h0v0h0Z)?"[^<>]*/>|(?<=<svg )aria-hidden="true" '
    r'|\s(?:pointer-events="none"|opacity="1"|xmlns:xlink="[^"]*"|font-family="[^"]*"(?=[^<>]*>[^<>]*</text>))'
)
_LINE = r'<line transform="translate\(([-\d.]+),([-\d.]+)\)"(?: x2="([-\d.]+)")?(?: y2="([-\d.]+)")?([^<>]*)/>'
_MANY_LINES = re.compile(r'(?:<line transform="[^<>]*/>){40,}')
_ONE_LINE = re.compile(_LINE)
_CIRCLE = re.compile(
    r'<path transform="translate\(([-\d.]+),([-\d.]+)\)" '
    r'd="M([\d.]+),0A\3,\3,0,1,1,-\3,0A\3,\3,0,1,1,\3,0"([^<>]*)/>'
)
_PAPER = re.compile(r'^(<svg\b[^<>]*>)<rect [^<>]*fill="white"/>')
_PART = re.compile(r"\b(clip|gradient_)(\d+)\b(?=[\")])")


def enable_charts() -> None:
    """Let notebooks show charts offline: live where the front end can, as SVG elsewhere, in words at the least.

    JupyterLab 4.6 draws Vega-Lite 5 itself and nothing newer; our charts use nothing that 5 lacks, so they are offered
    as such. nbconvert and other viewers take the SVG.
    """
    alt.renderers.register("workbench", bundle_chart)
    alt.renderers.enable("workbench")


def bundle_chart(spec: dict[str, Any], **_metadata: Any) -> dict[str, Any]:
    """Return one chart in every form a notebook may show it in, keyed by MIME type."""
    spec = _tame(spec)
    older = {**spec, "$schema": "https://vega.github.io/schema/vega-lite/v5.20.1.json"}
    return {
        "application/vnd.vegalite.v5+json": older,
        "image/svg+xml": vl_convert.vegalite_to_svg(spec, vl_version=VEGA_LITE_VERSION),
        "text/plain": f"{read_title(spec)}. {spec.get('description', '')}",
    }


def fit_page(spec: dict[str, Any]) -> dict[str, Any]:
    """Return a spec for use inside a page: no title or roles (the page has them as text), no paper of its own."""
    tame = {key: _tame(value) for key, value in spec.items() if key != "title"}
    return {**tame, "background": "transparent", "config": {**tame.get("config", {}), "aria": False}}


def draw_svg(spec: dict[str, Any], *, width_px: int | None = None) -> str:
    """Return a spec's picture as SVG, drawn without access to any address.

    The picture is hidden from assistive technology: its description and its table stand beside it.
    """
    sized = fit_page(spec) if width_px is None else _narrow(fit_page(spec), width_px)
    svg = vl_convert.vegalite_to_svg(sized, vl_version=VEGA_LITE_VERSION, allowed_base_urls=[])
    return tidy_svg(svg, name=json.dumps(sized, sort_keys=True))


def _narrow(spec: dict[str, Any], width_px: int) -> dict[str, Any]:
    """Return a spec for a phone: labels and legends leave room for what they belong to. report.js does the same."""
    config = {**spec.get("config", {})}
    for part, narrow in _NARROW.items():
        config[part] = {**config.get(part, {}), **narrow}
    return {**spec, "width": width_px, "config": config}


def tidy_svg(svg: str, *, name: str) -> str:
    """Return a drawn picture as a page holds it: slim, without paper, its parts named apart from other pictures'.

    Args:
        svg: as vl-convert drew it.
        name: any text that no other picture of the page has.
    """
    drawn = _ROLE.sub("", _TAG.sub(lambda tag: _LONG_NUMBER.sub(_shorten, tag.group(0)), _PAPER.sub(r"\1", svg)))
    return _name_parts(_slim(drawn), name).replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)


def bundle_script(snippet: str) -> str:
    """Return Vega, Vega-Lite and vegaEmbed with a snippet that uses them, as one script to write into a page."""
    return vl_convert.javascript_bundle(snippet, vl_version=VEGA_LITE_VERSION)


def read_title(spec: dict[str, Any]) -> str:
    """Return a spec's title as text."""
    title = spec.get("title", "")
    text = title.get("text", "") if isinstance(title, dict) else title
    return " ".join(text) if isinstance(text, list) else str(text)


def _tame(part: Any, *, key: str = "") -> Any:
    """Make every text of a spec safe to draw.

    One control character ends vl-convert, and Python with it; very long labels take it minutes to measure.
    """
    if isinstance(part, dict):
        return {name: _tame(value, key=name) for name, value in part.items()}
    if isinstance(part, list):
        return [_tame(item, key=key) for item in part]
    if not isinstance(part, str):
        return part
    text = unstack_marks(spell_invisible(part))
    return text if len(text) <= MOST_CHARACTERS or key in _WHOLE else text[:MOST_CHARACTERS] + "…"


def _slim(svg: str) -> str:
    """Take out what a still picture does not need, and write a network's lines and points as few, short elements."""
    svg = _USELESS.sub("", svg)
    svg = _OUTLINE.sub(lambda outline: _POINTS.sub(_straighten, _LONG_IN_OUTLINE.sub(_shorten, outline.group(0))), svg)
    svg = _CIRCLE.sub(r'<circle cx="\1" cy="\2" r="\3"\4/>', svg)
    return _MANY_LINES.sub(_join_lines, svg)


def _shorten(number: re.Match[str]) -> str:
    short = f"{float(number.group(0)):.1f}".removesuffix(".0")
    return "0" if short == "-0" else short


def _straighten(run: re.Match[str]) -> str:
    """Leave out the points in the middle of a straight level line: a quiet year drawn by weeks is mostly those."""
    points = [point.split(",") for point in run.group(0).removeprefix("L").split("L")]
    middle = [
        point
        for before, point, after in zip(points, points[1:], points[2:], strict=False)
        if not before[1] == point[1] == after[1]
    ]
    return "".join(f"L{x},{y}" for x, y in [points[0], *middle, points[-1]])


def _join_lines(run: re.Match[str]) -> str:
    lines = [match.groups(default="0") for match in _ONE_LINE.finditer(run.group(0))]
    return "".join(
        f'<path d="{"".join(f"M{x} {y}l{dx} {dy}" for x, y, dx, dy, _ in alike)}" fill="none"{look}/>'
        for look, alike in itertools.groupby(lines, key=lambda line: line[4])
    )


def _name_parts(svg: str, name: str) -> str:
    """Give clips and gradients names of their own: Vega counts on from chart to chart, and a page holds many."""
    prefix = "v" + hashlib.sha256(name.encode()).hexdigest()[:10]
    names: dict[str, str] = {}

    def rename(part: re.Match[str]) -> str:
        return names.setdefault(part.group(0), f"{prefix}_{len(names)}")

    return _PART.sub(rename, svg)
