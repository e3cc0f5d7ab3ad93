"""What others have published, in their words: the only form in which a report attributes anything to anybody."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from workbench.findings import Citation, Claim, Confidence
from workbench.schema import Quote
from workbench.sections.base import say_day

_NOT_OURS = Confidence("low", "Quoted as published; its evidence was not shown to us and we have not tested it.")


def quote_others(quotes: Sequence[Quote], *, about: str) -> list[Claim]:
    """Return one claim per published finding that bears on a section: presence, prevalence or origin."""
    return [_quote(one) for one in quotes if one.about == about]


def _quote(one: Quote) -> Claim:
    words = one.quote.replace("“", "‘").replace("”", "’").strip()
    day = say_day(date.fromisoformat(one.published_on))
    text = f"{one.publisher} wrote on {day}: “{words}”"
    cited = Citation(one.publisher, one.published_on, words, one.title, one.url)
    level = "attributed" if one.about == "origin" else "co-action"
    return Claim(text, level, _NOT_OURS, (cited,), "one publication of one publisher")
