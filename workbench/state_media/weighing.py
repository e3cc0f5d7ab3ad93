"""Facts that contradict each other: which stands, which is outweighed, and when none may decide."""

from __future__ import annotations

import polars as pl

from workbench.state_media.facts import check_facts


def weigh_facts(facts: pl.DataFrame, *, weakest_grade: str) -> pl.DataFrame:
    """Return the facts with `standing`: which of several about one factor of one outlet stands.

    A fact is outweighed by another that is at least as new and at least as well graded, source and information both,
    and better in one of the three. Where those left agree, they stand. Where they do not, neither wins: they are
    contested, and the factor counts as unknown. A fact graded below `weakest_grade` in source or information (F and 6,
    cannot be judged, are the lowest) is too weak to decide and outweighs nothing.

    Args:
        facts: the facts table.
        weakest_grade: the least grade that may decide, as "C3".

    Returns:
        The same rows with standing: stands, outweighed, contested, unclear or too weak.
    """
    checked = check_facts(facts)
    rows = checked.with_row_index("row")
    standing = ["" for _ in range(rows.height)]
    for _, group in rows.group_by("outlet_id", "factor", maintain_order=True):
        for row, word in _weigh_group(group.to_dicts(), weakest_grade=weakest_grade):
            standing[row] = word
    return checked.with_columns(standing=pl.Series(standing, dtype=pl.String))


def _weigh_group(rows: list[dict], *, weakest_grade: str) -> list[tuple[int, str]]:
    judged = {row["row"]: "too weak" if _is_weak(row["grade"], weakest_grade) else "" for row in rows}
    strong = [row for row in rows if not judged[row["row"]]]
    front = [row for row in strong if not any(_outweighs(other, row) for other in strong)]
    findings = {row["finding"] for row in front}
    word = "contested" if len(findings) > 1 else "unclear" if findings == {"unclear"} else "stands"
    inside = {row["row"] for row in front}
    return [(row, weak or (word if row in inside else "outweighed")) for row, weak in judged.items()]


def _is_weak(grade: str | None, weakest: str) -> bool:
    # An unclear finding may come without a grade: it decides nothing either way.
    return grade is not None and (grade[0] > weakest[0] or grade[1] > weakest[1])


def _outweighs(better: dict, worse: dict) -> bool:
    first, second = _rank(better), _rank(worse)
    return first != second and all(a >= b for a, b in zip(first, second, strict=True))


def _rank(row: dict) -> tuple[float, int, int]:
    day = row["evidence_at"].timestamp() if row["evidence_at"] else float("-inf")
    grade = row["grade"] or "F6"
    return day, -ord(grade[0]), -int(grade[1])
