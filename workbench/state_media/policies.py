"""Policies as readable rule sets: a condition over facts that comes out true, false or undetermined, and says why."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from workbench.schema import ParameterError, SourceError
from workbench.state_media.files import read_toml

Kind = Literal["requirement", "exemption", "safeguard"]
KINDS: tuple[str, ...] = ("requirement", "exemption", "safeguard")
_TEXTS = ("policy_id", "title", "platform", "publisher", "source_url", "consequence")


@dataclass(frozen=True)
class Verdict:
    """What a condition comes to: `holds` is None where facts are missing."""

    holds: bool | None
    deciding: frozenset[str] = frozenset()
    """factors whose findings decided it"""
    missing: frozenset[str] = frozenset()
    """factors that could still decide it"""


@dataclass(frozen=True)
class Condition:
    """`n` or more of the parts must hold; a leaf has a factor and the finding it asks for instead of parts."""

    parts: tuple[Condition, ...] = ()
    n: int = 0
    factor: str = ""
    wanted: str = ""
    is_negated: bool = False

    @property
    def factors(self) -> frozenset[str]:
        """Every factor the condition asks about."""
        return frozenset([self.factor]) if self.factor else frozenset().union(*(part.factors for part in self.parts))

    def judge(self, findings: Mapping[str, str]) -> Verdict:
        """Return what the condition comes to, given settled findings (yes or no) by factor.

        Three-valued: enough parts that hold decide it, and so do enough that do not; else what is missing is named.
        """
        verdict = self._judge_leaf(findings) if self.factor else self._judge_parts(findings)
        if not self.is_negated or verdict.holds is None:
            return verdict
        return Verdict(not verdict.holds, verdict.deciding)

    def _judge_leaf(self, findings: Mapping[str, str]) -> Verdict:
        found = findings.get(self.factor)
        if found is None:
            return Verdict(None, missing=frozenset([self.factor]))
        return Verdict(found == self.wanted, frozenset([self.factor]))

    def _judge_parts(self, findings: Mapping[str, str]) -> Verdict:
        verdicts = [part.judge(findings) for part in self.parts]
        true = [verdict for verdict in verdicts if verdict.holds is True]
        false = [verdict for verdict in verdicts if verdict.holds is False]
        if len(true) >= self.n:
            return Verdict(True, _join(true))
        if len(self.parts) - len(false) < self.n:
            return Verdict(False, _join(false))
        return Verdict(None, missing=frozenset().union(*(verdict.missing for verdict in verdicts)))


@dataclass(frozen=True)
class Rule:
    """One rule of a policy: its words, our reading of them, and the condition."""

    rule_id: str
    kind: Kind
    text: str
    reading: str
    when: Condition
    is_burden_on_outlet: bool = False
    source_url: str = ""


@dataclass(frozen=True)
class Policy:
    """One platform's policy about state media."""

    policy_id: str
    title: str
    platform: str
    publisher: str
    source_url: str
    published_on: date
    in_force_on: date
    consequence: str
    adverts_barred_in: tuple[str, ...]
    """"*" for everywhere, or country codes; empty where no advert is barred"""
    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class Policies:
    """Policies and the factors their facts may be about: factor -> question."""

    policies: tuple[Policy, ...]
    factors: dict[str, str]

    def __getitem__(self, policy_id: str) -> Policy:
        found = [policy for policy in self.policies if policy.policy_id == policy_id]
        if not found:
            known = ", ".join(policy.policy_id for policy in self.policies)
            raise ParameterError(f"No policy '{policy_id}'; these are read: {known}. Choose one.")
        return found[0]


def read_policies(*paths: Path | str) -> Policies:
    """Read the policies that come with the workbench, then those of your own TOML files.

    A file has `[[policy]]` tables laid out as in policies.toml and, where it asks about something new, a `[factors]`
    table. A policy_id that stands in a later file replaces the earlier one.

    Raises:
        SourceError: a file is absent, is no TOML, or a policy lacks a field.
        ParameterError: a rule asks about a factor nobody declared, or is of no known kind.
    """
    package = resources.files("workbench.state_media")
    contents = [tomllib.loads(package.joinpath(name).read_text("utf-8")) for name in ("factors.toml", "policies.toml")]
    contents += [read_toml(Path(path), kind="a policy file") for path in paths]
    factors: dict[str, str] = {}
    policies: dict[str, Policy] = {}
    for content in contents:
        factors |= _of_type(content, "factors", dict, where="The policy file", default={})
    for content in contents:
        for table in _of_type(content, "policy", list, where="The policy file", default=[]):
            policy = _read_policy(table, factors=factors)
            policies[policy.policy_id] = policy
    return Policies(policies=tuple(policies.values()), factors=factors)


def _join(verdicts: list[Verdict]) -> frozenset[str]:
    return frozenset().union(*(verdict.deciding for verdict in verdicts))


def _read_policy(table: dict[str, Any], *, factors: dict[str, str]) -> Policy:
    if not isinstance(table, dict):
        raise SourceError(f"A policy file holds {table!r} where a [[policy]] should be. Write it like policies.toml.")
    name = str(table.get("policy_id", "?"))
    where = f"Policy '{name}'"
    rules = tuple(
        _read_rule(rule, policy=name, factors=factors)
        for rule in _of_type(table, "rule", list, where=where, default=[])
    )
    if not any(rule.kind == "requirement" for rule in rules):
        raise SourceError(
            f"Policy '{name}' has no requirement, so every outlet would meet it. Add a rule of that kind."
        )
    try:
        return Policy(
            **{key: _of_type(table, key, str, where=where) for key in _TEXTS},
            published_on=_of_type(table, "published_on", date, where=where),
            in_force_on=_of_type(table, "in_force_on", date, where=where),
            adverts_barred_in=tuple(map(str, _of_type(table, "adverts_barred_in", list, where=where))),
            rules=rules,
        )
    except KeyError as error:
        raise SourceError(f"{where} lacks {error}. Write it like the workbench's policies.toml.") from error


def _of_type(table: dict[str, Any], key: str, kind: type, *, where: str, default: Any = None) -> Any:
    value = table[key] if default is None else table.get(key, default)
    if not isinstance(value, kind):
        raise SourceError(
            f"{where}: '{key}' is {value!r:.80}, expected {kind.__name__}. Write it like the workbench's policies.toml."
        )
    return value


def _read_rule(table: dict[str, Any], *, policy: str, factors: dict[str, str]) -> Rule:
    if not isinstance(table, dict):
        raise SourceError(f"Policy '{policy}' has the rule {table!r:.80}. Write it as a table, like policies.toml.")
    where = f"Rule '{table.get('rule_id', '?')}' of policy '{policy}'"
    try:
        kind, when = table["kind"], _read_condition(table["when"], where=where)
        texts = {key: _of_type(table, key, str, where=where) for key in ("rule_id", "text", "reading")}
        if kind not in KINDS:
            raise ParameterError(f"{where} is of kind '{kind}'; a rule is one of {', '.join(KINDS)}. Choose one.")
        rule = Rule(
            **texts,
            kind=kind,
            when=when,
            is_burden_on_outlet=table.get("burden", "") == "outlet",
            source_url=_of_type(table, "source_url", str, where=where, default=""),
        )
    except KeyError as error:
        raise SourceError(f"{where} lacks {error}. Write it like the workbench's policies.toml.") from error
    for factor in sorted(when.factors - factors.keys()):
        near = difflib.get_close_matches(factor, factors, n=1)
        hint = f"Did you mean '{near[0]}'?" if near else "Declare it, with its question, under [factors]."
        raise ParameterError(f"{where} asks about '{factor}', which is no declared factor. {hint}")
    return rule


def _read_condition(table: Any, *, where: str) -> Condition:
    keys = set(table) if isinstance(table, dict) else set()
    if keys == {"factor", "is"} and isinstance(table["factor"], str) and table["is"] in ("yes", "no"):
        return Condition(factor=table["factor"], wanted=table["is"])
    if keys == {"not"}:
        inner = _read_condition(table["not"], where=where)
        return Condition(parts=(inner,), n=1, is_negated=True)
    groups = {"all": None, "any": 1, "of": table.get("at_least") if keys else None}
    name = next((key for key in groups if key in keys), "")
    is_group = bool(name) and isinstance(table[name], list) and isinstance(groups[name], int | None)
    if not is_group or keys - {name, "at_least"} or not table[name]:
        raise SourceError(
            f"{where} has the condition {str(table)[:200]}; expected {{factor, is = 'yes' or 'no'}}, {{all = [..]}}, "
            "{any = [..]}, {not = ..} or {at_least = 2, of = [..]}. Write it as one of these."
        )
    parts = tuple(_read_condition(part, where=where) for part in table[name])
    n = groups[name] or len(parts)
    if not 1 <= n <= len(parts):
        raise SourceError(f"{where} asks for at least {n} of {len(parts)} conditions. Ask for 1 to {len(parts)}.")
    return Condition(parts=parts, n=n)
