"""Characters that act on a text without being read: invisible ones are spelled out, towers of marks cut short."""

from __future__ import annotations

import re

_INVISIBLE = re.compile(
    "[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069"
    "\ufdd0-\ufdef\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff]"
)

_STACKED = re.compile(
    "([\u0300-\u036f\u0483-\u0489\u0e31-\u0e4e\u1ab0-\u1aff\u20d0-\u20ff]{3})[\u0300-\u036f\u0483-\u0489\u0e31-\u0e4e\u1ab0-\u1aff\u20d0-\u20ff]+"
)


def spell_invisible(text: str) -> str:
    """Return the text with control, zero-width and direction characters as ⟨U+202E⟩; tab and newline stay.

    The joiners U+200C and U+200D stay too: Persian, Hindi and emoji are spelled with them.
    """
    return _INVISIBLE.sub(lambda found: f"⟨U+{ord(found.group(0)):04X}⟩", text)


def unstack_marks(text: str) -> str:
    """Return the text with at most three marks on one letter: writing needs no more, and towers cover other lines."""
    return _STACKED.sub(r"\1", text)
