"""A section's figures and claims as a notebook shows them: the same ones the report will print."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Any

from workbench.chart_display import bundle_chart
from workbench.findings import Section


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
    cards = []
    for card in section.cards:
        facts = [f"- {label}: {value}" for label, value in card.facts.items()]
        parts = [f"**{card.title}**", *(claim.text for claim in card.claims), "\n".join(facts), *card.prose]
        cards.append("\n\n".join(part for part in parts if part))
    text = "\n\n".join(cards) or section.empty_reason or "There is nothing to show a card of."
    return Shown({"text/markdown": html.escape(text, quote=False), "text/plain": text})


def show_claims(section: Section) -> Shown:
    """Return the section's claims as a list: the sentence, its denominator, how sure and why."""
    lines = [
        f"- {claim.text} *Of {claim.denominator}. Confidence {claim.confidence.level}: {claim.confidence.basis}*"
        for claim in section.claims
    ]
    text = "\n".join(lines) or section.empty_reason or "Nothing is claimed here."
    # Claims quote posts: in a page made of the notebook, a tag in a quotation must stay a word.
    return Shown({"text/markdown": html.escape(text, quote=False), "text/plain": text})
