"""Cells of advert exports: ranges of money and impressions, days, lists and countries, as each library writes them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

Bounds = tuple[float | None, float | None]

_UNITS = {"": 1, "k": 1_000, "m": 1_000_000, "b": 1_000_000_000}
# A comma or a space is read as a thousands mark only where three digits follow: "1,50" is refused, not taken for 150.
_NUMBER = r"(\d{1,3}(?:[,\u00a0\u202f ]\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)\s*([kmb]?)"
_BETWEEN = re.compile(rf"{_NUMBER}\s*(?:-|–|—|to)\s*{_NUMBER}", re.IGNORECASE)
_AT_MOST = re.compile(rf"(?:≤|<=|<|less than|under|up to)\s*{_NUMBER}", re.IGNORECASE)
_AT_LEAST = re.compile(rf"(?:≥|>=|>|more than|over)\s*{_NUMBER}|{_NUMBER}\s*\+", re.IGNORECASE)
_ONE = re.compile(_NUMBER, re.IGNORECASE)
_CURRENCY = re.compile(r"[$€£¥₹₽₺₩₪฿₫₴]|^[A-Z]{3}\b|\b[A-Z]{3}$")
_BOUND = re.compile(r"(lower|upper)_bound\W+(\d+(?:\.\d+)?)")
_DAYS = ("%Y-%m-%d", "%Y/%m/%d", "%d %b %Y", "%b %d, %Y", "%m/%d/%Y", "%m/%d/%y")


def read_range(cell: Any) -> Bounds:
    """Return the lower and upper bound a cell names; an open end is null, a single number both.

    Reads `{"lower_bound": "100", "upper_bound": "199"}`, `lower_bound: 100, upper_bound: 199`, `10k-100k`, `≤ 10k`,
    `> 10M`, `$1,234.50`.

    Raises:
        ValueError: the cell holds something else, or its bounds are the wrong way round.
    """
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        return None, None
    if isinstance(cell, dict):
        low, high = (_to_number(cell.get(f"{end}_bound")) for end in ("lower", "upper"))
    elif isinstance(cell, int | float) and not isinstance(cell, bool):
        low = high = float(cell)
    else:
        low, high = _read_words(str(cell))
    if low is not None and high is not None and low > high:
        raise ValueError(f"the range '{cell}' ends below its start")
    return low, high


def read_day(cell: Any) -> datetime | None:
    """Return a date or time as UTC; null where the cell is empty.

    Raises:
        ValueError: the cell holds something else. Days with the month first are read as American.
    """
    text = "" if cell is None else str(cell).strip()
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text.replace(" UTC", "+00:00"))
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except ValueError:  # no ISO date: one of the other forms may still fit
        pass
    for form in _DAYS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:  # not this form: try the next
            continue
    raise ValueError(f"'{text}' is no date (expected 2019-08-19)")


def read_items(cell: Any) -> list[str]:
    """Return the items of a cell: a list, JSON text of one, regions with percentages, or plain text as one item."""
    if cell is None:
        return []
    if isinstance(cell, str):
        text = cell.strip()
        if text[:1] in ("[", "{"):
            try:
                return read_items(json.loads(text))
            except ValueError:  # it only looks like JSON: it is text
                return [text]
        return [text] if text else []
    if isinstance(cell, dict):
        named = cell.get("region") or cell.get("name") or cell.get("country")
        return [str(named)] if named else [str(key) for key in cell]
    if isinstance(cell, Sequence):
        return [item for part in cell for item in read_items(part)]
    return [str(cell)]


def read_countries(cell: Any) -> list[str]:
    """Return the two-letter country codes of a cell, upper case, sorted; other words are no codes and are left out."""
    words = [word for item in read_items(cell) for word in re.split(r"[,;|\s]+", item)]
    return sorted({word.upper() for word in words if re.fullmatch(r"[A-Za-z]{2}", word)})


def _to_number(value: Any) -> float | None:
    return None if value in (None, "") else float(str(value).replace(",", ""))


def _scale(number: str, unit: str | None) -> float:
    return float(re.sub(r"[,\u00a0\u202f ]", "", number)) * _UNITS[(unit or "").lower()]


def _read_words(text: str) -> Bounds:
    bounds = dict(_BOUND.findall(text))
    if bounds:
        return _to_number(bounds.get("lower")), _to_number(bounds.get("upper"))
    plain = _CURRENCY.sub("", text.strip()).strip()
    between, most, least, one = (form.fullmatch(plain) for form in (_BETWEEN, _AT_MOST, _AT_LEAST, _ONE))
    if between:
        return _scale(*between.group(1, 2)), _scale(*between.group(3, 4))
    if most:
        return 0.0, _scale(*most.group(1, 2))
    if least:
        number, unit = least.group(1, 2) if least.group(1) else least.group(3, 4)
        return _scale(number, unit), None
    if one:
        return _scale(*one.group(1, 2)), _scale(*one.group(1, 2))
    raise ValueError(f"'{text}' is no amount or range")
