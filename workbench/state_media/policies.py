"""Policies as readable rule sets: a condition over facts that comes out true, false or undetermined, and says why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from workbench.schema import ParameterError

Kind = Literal["requirement", "exemption", "safeguard"]
KINDS: tuple[str, ...] = ("requirement", "exemption", "safeguard")


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

    def __str__(self) -> str:
        """The condition in words, as `(a is yes or b is yes) and c is no`."""
        if self.factor:
            return f"{self.factor} is {self.wanted}"
        if self.is_negated:
            return f"not ({self.parts[0]})"
        said = [f"({part})" if len(part.parts) > 1 else str(part) for part in self.parts]
        if self.n == len(said):
            return " and ".join(said)
        return " or ".join(said) if self.n == 1 else f"at least {self.n} of: {', '.join(said)}"

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
    adverts_barred_from: date
    """the first day on which the policy's words certainly bar adverts"""
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


def _join(verdicts: list[Verdict]) -> frozenset[str]:
    return frozenset().union(*(verdict.deciding for verdict in verdicts))
