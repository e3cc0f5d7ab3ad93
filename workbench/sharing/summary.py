"""The two pages of a package that are read by people: what was found, and what it does not show."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from workbench.claims import Claim
from workbench.privacy import defang
from workbench.sharing.cover import Cover
from workbench.sharing.evidence import names_of
from workbench.sharing.techniques import Technique

META_CAUTION = (
    "“the mere sharing of these operations' links or engaging with them by online users would be insufficient to "
    "attribute accounts to a given campaign without corroborating evidence” (facebook/threat-research, README)"
)
"""What Meta says of its own lists; it holds for ours."""

_LEVEL_WORDS = {
    "public": "Accounts are shown by pseudonyms, except those with 5,000 followers or more that the source names. "
    "Times are rounded to the day, followers and posts of an account to two leading digits. Whoever holds the same "
    "release may still recognise an account by what it posted.",
    "trusted": "Accounts are shown by their own ids: for the receiver only, not to be passed on or published.",
    "hashed": "Accounts, links and texts are hashes under the agreed salt: compare, do not try to undo them. "
    "Whoever holds the salt can test guesses, and handles and popular links are easily guessed: "
    "keep the salt as you would the names.",
}


def write_summary(
    path: Path, *, cover: Cover, claims: Iterable[Claim], counts: dict[str, int], techniques: tuple[Technique, ...]
) -> Path:
    """Write summary.md and return its path."""
    lines = [f"# {cover.title}", ""]
    if cover.is_synthetic:
        lines += ["**Synthetic data: every account and text in this package is invented.**", ""]
    lines += [
        f"{cover.tlp} · data as of {cover.as_of} · delete by {cover.retention_until} · contact: {cover.contact}",
        "",
        "## Findings",
        "",
        *(_claim_lines(claims) or [cover.summary]),
        "",
        "## In this package",
        "",
        *[f"- {name}.csv: {count:,} rows" for name, count in counts.items()],
        "- indicators.csv: the same as one list; exports/ has it as Meta's sheet (CSV, TSV), STIX 2.1 and MISP",
        f"- techniques: {names_of(techniques) or 'none named'}",
        "",
        _LEVEL_WORDS[cover.level],
        "",
        "## Answer",
        "",
        f"Please send hits, misses and disputes to {cover.contact}. Whoever is named can ask for a correction there.",
        "",
    ]
    path.write_text(defang_lines(lines), encoding="utf-8")
    return path


def write_limitations(path: Path, *, cover: Cover, decisions: Iterable[dict[str, Any]]) -> Path:
    """Write limitations.md and return its path."""
    lines = [
        "# What this does not show",
        "",
        "- Coordination is not inauthenticity: a fan club and a newsroom's pages coordinate too.",
        f"- Of such lists Meta says: {META_CAUTION}.",
        "- A link or text is listed only where clustered accounts posted it more than others in the data did.",
        *[f"- {caveat}" for caveat in cover.caveats],
        "",
        "## What was set aside on the way",
        "",
        *[
            f"- {row['stage']}: {row['action']} ({row['reason']}); {row['n_before']} to {row['n_after']}"
            for row in decisions
        ],
        "",
    ]
    path.write_text(defang_lines(lines), encoding="utf-8")
    return path


def defang_lines(lines: list[str]) -> str:
    """Return lines as one text in which no address can be clicked; file names stay as they are."""
    names = (".csv", ".md", ".json")
    return "\n".join(
        line if line.startswith("- ") and any(n in line for n in names) else defang(line) for line in lines
    )


def _claim_lines(claims: Iterable[Claim]) -> list[str]:
    return [
        f"- {claim.text} (level: {claim.level}; confidence: {claim.confidence.level}, {claim.confidence.basis}; "
        f"of {claim.denominator})"
        for claim in claims
    ]
