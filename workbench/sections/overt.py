"""Clusters that are outlets' own accounts: said at the cluster too, not in the section on state media alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from workbench.findings import Card, Findings, KeyNumber, Section
from workbench.sections.base import say_count, say_verb

ANY_OUTLET = "any outlet of the list"


def mark_overt_clusters(findings: Findings) -> Findings:
    """Return the findings with a word at each cluster that has outlets' own accounts, and at its key number.

    What an outlet does under its own name is overt: its cluster may be the one that acted together most often, and
    whoever reads of that should read of this.

    Args:
        findings: with the sections on clusters and on state media; without either they are returned as they are.
    """
    tables = [table for section in findings.sections for table in section.tables]
    rows = [row for table in tables if table.name == "state_media_amplification" for row in table.rows]
    overt = {row["cluster_id"]: row for row in rows if row["outlet"] == ANY_OUTLET and row["n_outlet_accounts"]}
    if not overt:
        return findings
    sections = [_mark(section, overt) if section.name == "clusters" else section for section in findings.sections]
    return replace(findings, sections=tuple(sections))


def _mark(section: Section, overt: dict[int, dict[str, Any]]) -> Section:
    titles = {f"Cluster {cluster_id}": row for cluster_id, row in overt.items()}
    cards = [_mark_card(card, titles[card.title]) if card.title in titles else card for card in section.cards]
    wholly = [cluster_id for cluster_id, row in overt.items() if not row["n_accounts"]]
    return replace(section, cards=cards, key_numbers=[_mark_number(n, wholly) for n in section.key_numbers])


def _mark_card(card: Card, row: dict[str, Any]) -> Card:
    own, others = row["n_outlet_accounts"], row["n_accounts"]
    whose = (
        f"{own:,} of {say_count(own + others, 'account')} {say_verb(own, 'is')}"
        if others
        else f"All {own:,} accounts are"
    )
    text = (
        f"{whose} outlets' own, by the list in the section on state media. What outlets do under their own names is "
        "overt, also where they act together."
    )
    return replace(card, prose=[text, *card.prose])


def _mark_number(number: KeyNumber, wholly: list[int]) -> KeyNumber:
    if not any(number.of_what.startswith(f"cluster {cluster_id},") for cluster_id in wholly):
        return number
    return replace(number, of_what=f"{number.of_what}; all outlets' own accounts")
