"""A section's figures and claims as a notebook shows them: the same ones the report will print."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from workbench.chart_display import bundle_chart
from workbench.findings import Card, Claim, Section

_MARKS = re.compile(r"[\\`*_\[\]!#|~$@]|:(?=//)|(?<=www)\.", re.IGNORECASE)


@dataclass(frozen=True)
class Shown:
    """Something a notebook displays, in every form a front end may take."""

    forms: dict[str, Any]

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, Any]:
        return self.forms


def show_figure(section: Section, name: str) -> Shown:
    """Return the section's figure of that name, or one line on why there is none."""
    for figure in section.figures:
        if figure.name == name:
            return Shown(bundle_chart(figure.spec))
    reason = section.empty_reason or "There is too little data for this figure."
    return Shown({"text/plain": reason})


def show_cards(section: Section) -> Shown:
    """Return the section's cards, one after the other: claim, facts with their denominators, what would be innocent."""
    nothing = section.empty_reason or "There is nothing to show a card of."
    return _show_both(lambda write: "\n\n".join(_say_card(card, write) for card in section.cards) or write(nothing))


def show_claims(section: Section) -> Shown:
    """Return the section's claims as a list: the sentence, its denominator, how sure and why."""
    nothing = section.empty_reason or "Nothing is claimed here."
    return _show_both(lambda write: "\n".join(_say_claim(claim, write) for claim in section.claims) or write(nothing))


def _show_both(say: Callable[[Callable[[str], str]], str]) -> Shown:
    return Shown({"text/markdown": say(_escape), "text/plain": say(str)})


def _say_card(card: Card, write: Callable[[str], str]) -> str:
    facts = [f"- {write(label)}: {write(str(value))}" for label, value in card.facts.items()]
    claims = [write(claim.text) for claim in card.claims]
    parts = [f"**{write(card.title)}**", *claims, "\n".join(facts), *[write(prose) for prose in card.prose]]
    return "\n\n".join(part for part in parts if part)


def _say_claim(claim: Claim, write: Callable[[str], str]) -> str:
    sure = f"{claim.confidence.level}: {write(claim.confidence.basis)}"
    return f"- {write(claim.text)} *Of {write(claim.denominator)}. Confidence {sure}*"


def _escape(text: str) -> str:
    """Claims quote posts: a tag, a picture or a link in a quotation must stay words, for a notebook would load it."""
    return _MARKS.sub(r"\\\g<0>", html.escape(" ".join(text.split()), quote=False))
