"""What each policy says of each outlet, with exactly the facts that decided it and the facts that are missing."""

from __future__ import annotations

import difflib
import re
from itertools import product
from typing import NamedTuple

import polars as pl

from workbench.schema import ParameterError
from workbench.state_media.facts import check_outlets
from workbench.state_media.policies import Policies, Policy, Rule, Verdict
from workbench.state_media.weighing import weigh_facts

MEETS, DOES_NOT, UNDETERMINED = "meets", "does not meet", "undetermined"
_RESULT = {
    "outlet_id": pl.String,
    "name": pl.String,
    "policy_id": pl.String,
    "outcome": pl.String,
    "ground": pl.String,
    "decided_by": pl.List(pl.String),
    "missing": pl.List(pl.String),
    "not_shown": pl.List(pl.String),
    "contested": pl.List(pl.String),
    "right_of_reply": pl.String,
}
_LINE = {
    "outlet_id": pl.String,
    "name": pl.String,
    "policy_id": pl.String,
    "outcome": pl.String,
    "ground": pl.String,
    "rule_id": pl.String,
    "kind": pl.String,
    "text": pl.String,
    "reading": pl.String,
    "rule_source_url": pl.String,
    "rule_holds": pl.String,
    "factor": pl.String,
    "question": pl.String,
    "role": pl.String,
    "finding": pl.String,
    "standing": pl.String,
    "grade": pl.String,
    "evidence_at": pl.Datetime("us", "UTC"),
    "evidence_url": pl.String,
    "note": pl.String,
}


class _Screened(NamedTuple):
    outlet_id: str
    policy: Policy
    verdicts: list[tuple[Rule, Verdict]]
    outcome: str
    ground: str
    decided_by: frozenset[str]
    deciding_rules: frozenset[str]
    missing: frozenset[str]
    not_shown: frozenset[str]


def screen_outlets(
    facts: pl.DataFrame, *, policies: Policies, outlets: pl.DataFrame | None = None, weakest_grade: str = "C3"
) -> pl.DataFrame:
    """Return, per outlet and policy, whether the outlet meets it, why, and what is missing to say more.

    Args:
        facts: the facts table; contradicting facts are weighed by `weigh_facts`.
        policies: from `read_policies`.
        outlets: the outlets table; with it, names and right of reply are shown, and outlets nobody knows a fact of
            are listed too.
        weakest_grade: the least Admiralty grade that may decide; weaker facts are shown and do not count.

    Returns:
        outlet_id, name, policy_id; outcome (meets, does not meet, undetermined); ground (the rules that decided);
        decided_by (factor=finding, grade, day and address of each deciding fact); missing (factors that could still
        decide); not_shown (factors an outlet has to show and did not); contested (factors whose facts contradict
        each other with none stronger, among those the policy asks for); right_of_reply.

    Raises:
        SchemaError: facts or outlets break their contract.
        ParameterError: a fact is about a factor no policy file declares, or the grade is none.

    Beware: a determination is as good as its facts and our reading of the policy; both are printed beside it. It says
    nothing about what an outlet publishes, and a platform may have decided otherwise.
    """
    weighed = _weigh(facts, policies=policies, weakest_grade=weakest_grade)
    known = check_outlets(outlets) if outlets is not None else None
    names = dict(known.select("outlet_id", "name").iter_rows()) if known is not None else {}
    replies = _describe_replies(known) if known is not None else {}
    cited = _cite(weighed)
    contested = _find_contested(weighed)
    rows = []
    for item in _screen(weighed, policies=policies, outlet_ids=list(names), contested=contested):
        asked = set().union(*(rule.when.factors for rule in item.policy.rules))
        rows.append(
            (
                item.outlet_id,
                names.get(item.outlet_id, item.outlet_id),
                item.policy.policy_id,
                item.outcome,
                item.ground,
                [line for factor in sorted(item.decided_by) for line in cited.get((item.outlet_id, factor), [])],
                sorted(item.missing),
                sorted(item.not_shown),
                sorted(factor for factor in asked if (item.outlet_id, factor) in contested),
                replies.get(item.outlet_id, "no record of the outlet having been asked"),
            )
        )
    return pl.DataFrame(rows, schema=_RESULT, orient="row")


def defend_screening(
    facts: pl.DataFrame, *, policies: Policies, outlets: pl.DataFrame | None = None, weakest_grade: str = "C3"
) -> pl.DataFrame:
    """Return the argument behind each determination, line by line: rule, words, reading, fact, evidence, role.

    One row per outlet, policy, rule and fact the rule asks for: facts that contradict each other have a row each, and
    a factor without any fact has one row without evidence. role says what the line did: decides; settles its rule (the
    rule is settled, another decides or is open); missing; not shown by the outlet; not needed; or why a fact does not
    count (outweighed, contested, unclear, too weak).

    Args:
        facts: the facts table.
        policies: from `read_policies`.
        outlets: the outlets table; with it names are shown, and outlets nobody knows a fact of have their lines too.
        weakest_grade: the least Admiralty grade that may decide.

    Raises:
        SchemaError, ParameterError: as `screen_outlets`.
    """
    weighed = _weigh(facts, policies=policies, weakest_grade=weakest_grade)
    names = dict(check_outlets(outlets).select("outlet_id", "name").iter_rows()) if outlets is not None else {}
    by_factor: dict[tuple[str, str], list[dict]] = {}
    for fact in weighed.iter_rows(named=True):
        by_factor.setdefault((fact["outlet_id"], fact["factor"]), []).append(fact)
    rows = []
    for item in _screen(weighed, policies=policies, outlet_ids=list(names), contested=_find_contested(weighed)):
        name = names.get(item.outlet_id, item.outlet_id)
        for rule, verdict in item.verdicts:
            for factor in sorted(rule.when.factors):
                known = by_factor.get((item.outlet_id, factor)) or [{"standing": "none"}]
                question = policies.factors[factor]
                rows += [_line(item, rule, verdict, factor, fact, name=name, question=question) for fact in known]
    return pl.DataFrame(rows, schema=_LINE, orient="row")


def _line(item: _Screened, rule: Rule, verdict: Verdict, factor: str, fact: dict, *, name: str, question: str) -> tuple:
    holds = {True: "holds", False: "does not hold", None: "undetermined"}[verdict.holds]
    return (
        item.outlet_id,
        name,
        item.policy.policy_id,
        item.outcome,
        item.ground,
        rule.rule_id,
        rule.kind,
        rule.text,
        rule.reading,
        rule.source_url or item.policy.source_url,
        holds,
        factor,
        question,
        _name_role(item, rule, verdict, factor, standing=fact["standing"]),
        *(fact.get(name) for name in ("finding", "standing", "grade", "evidence_at", "evidence_url", "note")),
    )


def _name_role(item: _Screened, rule: Rule, verdict: Verdict, factor: str, *, standing: str) -> str:
    if standing in ("outweighed", "contested", "unclear", "too weak"):
        return standing
    if standing == "stands":
        if factor not in verdict.deciding:
            return "not needed"
        return "decides" if factor in item.decided_by and rule.rule_id in item.deciding_rules else "settles its rule"
    if rule.is_burden_on_outlet and factor in item.not_shown:
        return "not shown by the outlet"
    return "missing" if factor in item.missing and verdict.holds is None else "not needed"


def _weigh(facts: pl.DataFrame, *, policies: Policies, weakest_grade: str) -> pl.DataFrame:
    if not re.fullmatch("[A-F][1-6]", weakest_grade):
        raise ParameterError(f"weakest_grade is a letter A to F and a digit 1 to 6; found '{weakest_grade}'. Try 'C3'.")
    weighed = weigh_facts(facts, weakest_grade=weakest_grade)
    for factor in sorted(set(weighed["factor"]) - policies.factors.keys()):
        near = difflib.get_close_matches(factor, policies.factors, n=1)
        hint = f"Did you mean '{near[0]}'?" if near else "Declare it under [factors] of a policy file."
        files = ", ".join(weighed.filter(pl.col("factor") == factor)["file"].drop_nulls().unique().sort())
        raise ParameterError(
            f"{files or 'facts'}: a fact is about '{factor}', which no policy file declares; "
            f"known are {', '.join(policies.factors)}. {hint}"
        )
    return weighed


def _find_contested(weighed: pl.DataFrame) -> set[tuple[str, str]]:
    return set(weighed.filter(pl.col("standing") == "contested").select("outlet_id", "factor").iter_rows())


def _screen(
    weighed: pl.DataFrame, *, policies: Policies, outlet_ids: list[str], contested: set[tuple[str, str]]
) -> list[_Screened]:
    findings: dict[str, dict[str, str]] = {outlet_id: {} for outlet_id in outlet_ids}
    for outlet_id in weighed["outlet_id"].unique(maintain_order=True):
        findings.setdefault(outlet_id, {})
    for row in weighed.filter(pl.col("standing") == "stands").iter_rows(named=True):
        findings[row["outlet_id"]][row["factor"]] = row["finding"]
    return [
        _screen_one(outlet_id, policy, known, frozenset(factor for outlet, factor in contested if outlet == outlet_id))
        for outlet_id, known in findings.items()
        for policy in policies.policies
    ]


def _screen_one(outlet_id: str, policy: Policy, findings: dict[str, str], contested: frozenset[str]) -> _Screened:
    verdicts = [(rule, rule.when.judge(findings)) for rule in policy.rules]
    # Who has to show something and does not has not shown it: the policy goes on as if it did not hold.
    unshown = {rule.rule_id for rule, v in verdicts if _is_not_shown(rule, v, findings, contested)}
    not_shown = [v.missing for rule, v in verdicts if rule.rule_id in unshown]
    settled = [(rule, Verdict(False) if rule.rule_id in unshown else v) for rule, v in verdicts]
    needed = [(rule, v) for rule, v in settled if rule.kind == "requirement"]
    released = [(rule, v) for rule, v in settled if rule.kind != "requirement"]
    against = [(rule, v) for rule, v in released if v.holds] + [(rule, v) for rule, v in needed if v.holds is False]
    if against:
        outcome, deciding = DOES_NOT, against
    elif all(v.holds for _, v in needed) and all(v.holds is False for _, v in released):
        outcome, deciding = MEETS, settled
    else:
        outcome, deciding = UNDETERMINED, []
    missing = frozenset().union(*(v.missing for _, v in settled if outcome == UNDETERMINED and v.holds is None))
    kept_unshown = frozenset().union(*not_shown) if outcome != DOES_NOT else frozenset()
    return _Screened(
        outlet_id,
        policy,
        verdicts,
        outcome,
        _name_ground(outcome, deciding, missing=missing, contested=missing & contested, not_shown=kept_unshown),
        frozenset().union(*(v.deciding for _, v in deciding)),
        frozenset(rule.rule_id for rule, _ in deciding),
        missing,
        kept_unshown,
    )


def _is_not_shown(rule: Rule, verdict: Verdict, findings: dict[str, str], contested: frozenset[str]) -> bool:
    """Whether the outlet has to show the rule and did not, however the contested facts would turn out."""
    if not rule.is_burden_on_outlet or verdict.holds is not None:
        return False
    disputed = sorted(verdict.missing & contested)
    worlds = (dict(zip(disputed, answers, strict=True)) for answers in product(("yes", "no"), repeat=len(disputed)))
    return not any(rule.when.judge({**findings, **world}).holds for world in worlds)


def _name_ground(
    outcome: str,
    deciding: list[tuple[Rule, Verdict]],
    *,
    missing: frozenset[str],
    contested: frozenset[str],
    not_shown: frozenset[str],
) -> str:
    if outcome == UNDETERMINED:
        disputed = f"facts contradict each other: {', '.join(sorted(contested))}" if contested else ""
        return "; ".join(filter(None, [disputed, "facts are missing" if missing - contested else ""]))
    if outcome == MEETS:
        unshown = f"; the outlet has not shown: {', '.join(sorted(not_shown))}" if not_shown else ""
        refuted = "; no exemption or safeguard holds" if any(r.kind != "requirement" for r, _ in deciding) else ""
        return f"every requirement holds{refuted}{unshown}"
    words = {"requirement": "requirement not met", "exemption": "exempt", "safeguard": "safeguard"}
    return "; ".join(f"{words[rule.kind]}: {rule.rule_id}" for rule, _ in deciding)


def _cite(weighed: pl.DataFrame) -> dict[tuple[str, str], list[str]]:
    cited: dict[tuple[str, str], list[str]] = {}
    for row in weighed.filter(pl.col("standing") == "stands").iter_rows(named=True):
        line = (
            f"{row['factor']}={row['finding']} ({row['grade']}, {row['evidence_at']:%Y-%m-%d}, {row['evidence_url']})"
        )
        known = cited.setdefault((row["outlet_id"], row["factor"]), [])
        # Rows of one list about one outlet differ in their notes alone, which the lines of the argument hold.
        if line not in known:
            known.append(line)
    return cited


def _describe_replies(outlets: pl.DataFrame) -> dict[str, str]:
    replies = {}
    for row in outlets.iter_rows(named=True):
        if row["reply"]:
            day = f" on {row['reply_at']:%Y-%m-%d}" if row["reply_at"] else ""
            replies[row["outlet_id"]] = f"replied{day}: {row['reply']}"
        elif row["reply_asked_at"]:
            replies[row["outlet_id"]] = f"asked on {row['reply_asked_at']:%Y-%m-%d}; no reply recorded"
    return replies
