"""Amounts in advert exports: numbers as different countries write them, and ranges of money and impressions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple

from workbench.state_media.currencies import split_currency

_UNITS = {
    **dict.fromkeys(("k", "thousand", "tsd"), 1_000),
    **dict.fromkeys(("m", "mn", "mio", "million", "millions"), 1_000_000),
    **dict.fromkeys(("b", "bn", "billion"), 1_000_000_000),
}
_DIGITS = r"\d(?:[\d.,'’\u00a0\u202f\u2009 ]*\d)?"
_NUMBER = rf"({_DIGITS})\s*({'|'.join(sorted(_UNITS, key=len, reverse=True))})?"
_BETWEEN = re.compile(rf"{_NUMBER}\s*(?:-|–|—|−|to|bis|and)\s*{_NUMBER}", re.IGNORECASE)
_AT_MOST = re.compile(rf"(?:≤|<=|<|less than|under|up to|below)\s*{_NUMBER}", re.IGNORECASE)
_AT_LEAST = re.compile(rf"(?:≥|>=|>|more than|over|above)\s*{_NUMBER}|{_NUMBER}\s*\+", re.IGNORECASE)
_ONE = re.compile(_NUMBER, re.IGNORECASE)
_BOUND = re.compile(rf"(lower|upper)_bound\W*?{_NUMBER}", re.IGNORECASE)
_SPACES = re.compile("['’\u00a0\u202f\u2009 ]")


class Amount(NamedTuple):
    """What a cell names: bounds (an open end is null, a single number is both), and its currency as written."""

    low: float | None
    high: float | None
    currency: str | None = None


def read_amount(cell: Any, *, marks: frozenset[str] = frozenset()) -> Amount:
    """Return the bounds and the currency a cell names.

    Reads `{"lower_bound": "100", "upper_bound": "199"}`, `lower_bound: 1,000, upper_bound: 1,499`, `10k-100k`, `≤ 10k`,
    `> 10M`, `$1,234.50`, `1.234,50 €`, `HK$ 1 000`.

    Args:
        cell: a number, a text or a map of bounds.
        marks: the decimal marks of the file, from `find_decimal_marks`. 1,234 is read as a thousand, as American
            libraries write it, unless the file has decimal commas; 1.234 as a thousand only where it has them.

    Raises:
        ValueError: the cell holds something else, its bounds are the wrong way round, or it can be read in two ways.
    """
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        return Amount(None, None)
    if isinstance(cell, dict):
        low, high = (read_amount(cell.get(f"{end}_bound"), marks=marks).low for end in ("lower", "upper"))
        amount = Amount(low, high)
    elif isinstance(cell, int | float) and not isinstance(cell, bool):
        amount = Amount(float(cell), float(cell))
    else:
        amount = _read_words(str(cell), marks)
    if amount.low is not None and amount.high is not None and amount.low > amount.high:
        raise ValueError(f"the range '{cell}' ends below its start")
    return amount


def find_decimal_marks(cells: Iterable[Any]) -> frozenset[str]:
    """Return the decimal marks (point, comma or both) that the numbers of a file betray: 1.234,50 or 0.99."""
    numbers = (number for cell in cells if isinstance(cell, str) for number in re.findall(_DIGITS, cell))
    return frozenset(mark for number in numbers if (mark := _betray_mark(_SPACES.sub("", number))))


def _betray_mark(number: str) -> str:
    if "," in number and "." in number:
        return "," if number.rfind(",") > number.rfind(".") else "."
    for mark, other in ((".", ","), (",", ".")):
        if number.count(mark) > 1:  # 1.234.567: a mark that stands twice groups thousands
            return other
        if mark in number and not re.fullmatch(rf"[1-9]\d{{0,2}}\{mark}\d{{3}}", number):
            return mark
    return ""


def _read_number(text: str, marks: frozenset[str]) -> float:
    compact = _SPACES.sub("", text)
    mark = _betray_mark(compact)
    if not mark:
        # 1,234 and 1.234 are a thousand or a decimal. A thousand it is where nothing in the file speaks against it.
        if ("," in compact and "," in marks) or ("." in compact and marks != {","}):
            raise ValueError(f"'{text.strip()}' may be a thousand or a decimal")
        mark = "," if "." in compact else "."
    group = "." if mark == "," else ","
    whole, _, decimals = _SPACES.sub(group, text.strip()).partition(mark)
    if not re.fullmatch(rf"\d+|\d{{1,3}}(?:\{group}\d{{3}})+", whole) or not re.fullmatch(r"\d*", decimals):
        raise ValueError(f"'{text.strip()}' is no amount or range")
    return float(f"{whole.replace(group, '')}.{decimals or 0}")


@lru_cache(maxsize=10_000)  # libraries write the same few ranges in millions of rows
def _read_words(text: str, marks: frozenset[str]) -> Amount:
    bounds = {end.lower(): _scale(number, unit, marks) for end, number, unit in _BOUND.findall(text)}
    if bounds:
        return Amount(bounds.get("lower"), bounds.get("upper"))
    plain, currency = split_currency(text)
    plain = re.sub(r"\s+", " ", plain)
    between, most, least, one = (form.fullmatch(plain) for form in (_BETWEEN, _AT_MOST, _AT_LEAST, _ONE))
    if between:
        return Amount(*_read_ends(text, between, marks), currency)
    if most:
        return Amount(0.0, _scale(*most.group(1, 2), marks), currency)
    if least:
        number, unit = least.group(1, 2) if least.group(1) else least.group(3, 4)
        return Amount(_scale(number, unit, marks), None, currency)
    if one:
        value = _scale(*one.group(1, 2), marks)
        return Amount(value, value, currency)
    raise ValueError(f"'{text}' is no amount or range")


def _read_ends(text: str, between: re.Match[str], marks: frozenset[str]) -> tuple[float, float]:
    low, high = _scale(*between.group(1, 2), marks), _scale(*between.group(3, 4), marks)
    shared = _scale(between.group(1), between.group(4), marks)
    if not between.group(2) and between.group(4) and low and shared < high:
        raise ValueError(f"'{text}' may begin at {low:g} or at {shared:,.0f}: write both units")
    return low, high


def _scale(number: str, unit: str | None, marks: frozenset[str]) -> float:
    return _read_number(number, marks) * _UNITS.get((unit or "").lower(), 1)
