"""Other cells of advert exports: days, lists and countries, as each library writes them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

_DAYS = ("%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%d %b %Y", "%b %d, %Y", "%m/%d/%Y", "%m/%d/%y")


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
            except (ValueError, RecursionError):  # it only looks like JSON: it is text
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
