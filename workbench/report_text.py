"""How a report writes what it was given: text that cannot act, addresses nobody can click, numbers with manners.

Everything that came out of a release is somebody else's text, some of it written by people who would rather not be
read. It is escaped, shortened, tagged with its language, and its invisible characters are made visible.
"""

from __future__ import annotations

import json
import re
from typing import Any

from markupsafe import Markup, escape

from workbench.addresses import defang
from workbench.invisible import spell_invisible, unstack_marks
from workbench.report_language import tag_languages

MOST_CHARACTERS = 600
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(?: \d\d:\d\d:\d\d(?: UTC)?)?")
_COUNT = re.compile(r"[<>≈]? ?-?\d{1,3}(?:,\d{3})*(?:\.\d+)? ?%?")
_FILE_NAME = re.compile(r"(?!\w+:/)[\w\-. /]+\.(?:csv|gz|zip|jsonl?|ndjson|parquet|tsv|toml|ipynb|html|py|lock)")


def show_text(value: object, *, most_characters: int = MOST_CHARACTERS) -> Markup:
    """Return text as harmless HTML: escaped, defanged, shortened, invisible characters visible, language tagged."""
    text = str(value)
    length = len(text)
    text = defang_cell(text[:most_characters])
    text = unstack_marks(spell_invisible(text))
    html = tag_languages(text)
    if length > most_characters:
        html += Markup('<span class="cut"> … ({:,} characters in all; whole in the CSV)</span>').format(length)
    return html


def show_sentence(value: object, *, starts: bool = True, stop: str = ".") -> Markup:
    """Return text as one sentence of a report: a capital at its start, a stop at its end, and harmless."""
    text = str(value).strip()
    text = text[:1].upper() + text[1:] if starts else text
    has_end = text.endswith((".", "!", "?", "”", ":"))
    return show_text(text) if has_end or not stop else show_text(text) + stop


def show_plain(value: object, *, most_characters: int = 300) -> str:
    """Return text for attributes and titles: defanged, invisible characters visible, shortened; escape it on use."""
    return spell_invisible(defang(str(value)[:most_characters]))


def defang_cell(text: str) -> str:
    """Return text with its addresses defanged; the name of a file is none, though `.zip` and `.py` are domains too."""
    return text if len(text) < 300 and _FILE_NAME.fullmatch(text) else defang(text)


def show_cell(value: object, *, column: str) -> Markup:
    """Return a table cell: numbers by what their column's name says they are, text made harmless."""
    if value is None or value == "":
        return Markup('<span class="none">–</span>')
    if isinstance(value, bool):
        return Markup("yes" if value else "no")
    if isinstance(value, int | float):
        return escape(show_number(value, column=column))
    if isinstance(value, str) and _MOMENT.fullmatch(value):
        return Markup('<span class="when">{}</span>').format(value)
    return show_text(value)


def show_number(value: float, *, column: str) -> str:
    """Return a number as a reader expects it: thousands apart, shares in per cent, tiny chances as "< 0.001"."""
    if column.endswith("_frac"):
        return f"{100 * value:.1f}%" if value == 0 or abs(value) >= 0.001 else "< 0.1%"
    if column.endswith(("fdr", "p_value", "p_within", "p_swap")) and 0 < value < 0.001:
        return "< 0.001"
    if column in ("year", "line", "first_line", "cluster_id", "hour", "weekday"):
        return str(value)
    if isinstance(value, int) or value == int(value):
        return f"{int(value):,}"
    return f"{value:,.1f}" if abs(value) >= 100 else f"{value:.3g}"


def is_number_column(rows: tuple[dict[str, Any], ...], column: str) -> bool:
    """Whether a column holds numbers, or words that are numbers, and so is set to the right."""
    values = [row.get(column) for row in rows if row.get(column) not in (None, "")]
    return bool(values) and all(
        bool(_COUNT.fullmatch(value))
        if isinstance(value, str)
        else isinstance(value, int | float) and not isinstance(value, bool)
        for value in values
    )


def embed_json(value: object) -> Markup:
    """Return JSON that can stand inside a script element: nothing in it can end the element."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)
