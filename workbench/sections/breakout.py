"""The breakout scale: how far content spread out of its first circle, by what the data can show and no further.

Source: Nimmo, The Breakout Scale: Measuring the impact of influence operations, Brookings 2020.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from workbench.findings import Claim, Confidence, Observation, TableView
from workbench.schema import Quote
from workbench.sections.base import make_table, say_count, say_language, say_list, say_platform

STEPS = {
    1: "One platform, one community",
    2: "Several platforms or several communities",
    3: "Several platforms and several communities",
    4: "Mainstream media repeat it",
    5: "A prominent person amplifies it",
    6: "A policy, or a call to violence, follows from it",
}
HIGHEST_SEEN = 3
"""the highest step that posts alone can show"""


def find_step(uptake: pl.DataFrame, *, platforms: Sequence[str]) -> int:
    """Return the step, 1 to 3, that the posts show.

    Args:
        uptake: from `measure_uptake`.
        platforms: where the network's accounts posted.
    """
    has_platforms = len(set(platforms)) > 1
    has_communities = len(_communities(uptake)) > 1
    return 1 + has_platforms + has_communities


def claim_breakout(uptake: pl.DataFrame, *, platforms: Sequence[str]) -> Claim:
    """Return the step with the evidence for it."""
    step = find_step(uptake, platforms=platforms)
    where = say_list([say_platform(name) for name in sorted(set(platforms))])
    communities = _communities(uptake)
    languages = say_list([say_language(code) for code in communities])
    who = (
        f"outside accounts of {say_count(len(communities), 'language')} ({languages}) took its posts up"
        if communities
        else "no community outside it of five accounts or more took its posts up"
    )
    text = (
        f"On the breakout scale of 1 to 6 the posts show step {step}, “{STEPS[step].lower()}”: its accounts posted on "
        f"{where}, and {who}."
    )
    basis = (
        "Communities are told apart by language only, so the step is at least this; steps 4 to 6 happen outside the "
        "data and would need evidence of their own."
    )
    shown = (Observation("Each step, and what the data shows of it.", "breakout"),)
    return Claim(
        text, "co-action", Confidence("low", basis), shown, f"6 steps, of which posts can show the first {HIGHEST_SEEN}"
    )


def tabulate_breakout(uptake: pl.DataFrame, *, platforms: Sequence[str], quoted: Sequence[Quote] = ()) -> TableView:
    """Return the six steps with what is known of each: shown by the data, reported by others, or not visible here."""
    reached = find_step(uptake, platforms=platforms)
    communities = _communities(uptake)
    n = len(set(platforms))
    seen = (
        f"{say_count(n, 'platform')}; {say_count(len(communities), 'outside community', plural='outside communities')}"
    )
    reports = {one.breakout_step: one for one in quoted if one.breakout_step}
    rows = []
    for step, meaning in STEPS.items():
        if step in reports:
            known, why = "reported by others", f"{reports[step].publisher}, {reports[step].published_on}"
        elif step <= HIGHEST_SEEN:
            known, why = ("shown" if step <= reached else "not shown"), seen
        else:
            known, why = "not visible in this data", "no report of it was given"
        rows.append({"step": step, "meaning": meaning, "known": known, "why": why})
    labels = {"step": "Step", "meaning": "What it means", "known": "Here", "why": "By what"}
    note = "Breakout scale: Nimmo 2020, Brookings. It says how far content spread, not whether anybody believed it."
    return make_table("breakout", "The breakout scale", pl.DataFrame(rows), note=note, labels=labels)


def _communities(uptake: pl.DataFrame) -> list[str]:
    return sorted(uptake.filter("is_community")["community"].unique().to_list()) if uptake.height else []
