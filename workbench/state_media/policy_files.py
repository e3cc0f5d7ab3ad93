"""Policy files, read with every key and value checked: a slip of the pen is refused, never taken for a rule."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable
from datetime import date, datetime
from importlib import resources
from pathlib import Path
from typing import Any

from workbench.schema import ParameterError, SourceError
from workbench.state_media.files import read_toml
from workbench.state_media.policies import KINDS, Condition, Policies, Policy, Rule

_POLICY_TEXTS = ("policy_id", "title", "platform", "publisher", "source_url", "consequence")
_POLICY_DAYS = ("published_on", "in_force_on")
_RULE_TEXTS = ("rule_id", "kind", "text", "reading")
_SHAPES = (
    "{factor = .., is = 'yes' or 'no'}, {all = [..]}, {any = [..]}, {not = ..} or {at_least = 2, of = [..]}. "
    "Write it as one of these."
)


def read_policies(*paths: Path | str) -> Policies:
    """Read the policies that come with the workbench, then those of your own TOML files.

    A file has `[[policy]]` tables laid out as in policies.toml and, where it asks about something new, a `[factors]`
    table. A policy_id that stands in a later file replaces the earlier one.

    Raises:
        SourceError: a file is absent, is no TOML, or a key is unknown, missing or of the wrong kind; names file, key
            and what is allowed.
        ParameterError: a rule asks about a factor nobody declared, or is of no known kind.
    """
    package = resources.files("workbench.state_media")
    contents = [
        (name, tomllib.loads(package.joinpath(name).read_text("utf-8"))) for name in ("factors.toml", "policies.toml")
    ]
    contents += [(Path(path).name, read_toml(Path(path), kind="a policy file")) for path in paths]
    factors: dict[str, str] = {}
    for file, content in contents:
        _refuse_unknown(content, ("policy", "factors"), where=file)
        factors |= _read_factors(content.get("factors", {}), factors, file=file)
    policies: dict[str, Policy] = {}
    for file, content in contents:
        own = [_read_policy(table, factors=factors, file=file) for table in _tables(content, "policy", where=file)]
        _refuse_twice([policy.policy_id for policy in own], "policy_id", where=file)
        policies |= {policy.policy_id: policy for policy in own}
    return Policies(policies=tuple(policies.values()), factors=factors)


def _read_factors(table: Any, known: dict[str, str], *, file: str) -> dict[str, str]:
    if not isinstance(table, dict):
        raise SourceError(f'{file}: factors is {table!r:.80}; expected a table of factor = "question". Write it so.')
    for factor, question in table.items():
        _read_text(table, factor, where=f"{file}, [factors]")
        if known.get(factor, question) != question:
            raise SourceError(f"{file} asks another question for '{factor}' than '{known[factor]}'. Rename the factor.")
    return table


def _read_policy(table: dict[str, Any], *, factors: dict[str, str], file: str) -> Policy:
    where = f"{file}, policy '{table.get('policy_id', '?')!s:.60}'"
    required = (*_POLICY_TEXTS, *_POLICY_DAYS, "adverts_barred_in", "rule")
    _refuse_unknown(table, (*required, "adverts_barred_from"), required=required, where=where)
    rules = tuple(_read_rule(rule, factors=factors, where=where) for rule in _tables(table, "rule", where=where))
    _refuse_twice([rule.rule_id for rule in rules], "rule_id", where=where)
    if not any(rule.kind == "requirement" for rule in rules):
        raise SourceError(f"{where} has no requirement, so every outlet would meet it. Add a rule of that kind.")
    days = {key: _read_day(table, key, where=where) for key in _POLICY_DAYS}
    barred_from = _read_day(table, "adverts_barred_from", where=where) if "adverts_barred_from" in table else None
    texts: dict[str, Any] = {key: _read_text(table, key, where=where) for key in _POLICY_TEXTS}
    return Policy(
        **texts,
        **days,
        adverts_barred_from=barred_from or days["in_force_on"],
        adverts_barred_in=_read_places(table["adverts_barred_in"], where=where),
        rules=rules,
    )


def _read_rule(table: dict[str, Any], *, factors: dict[str, str], where: str) -> Rule:
    where = f"{where}, rule '{table.get('rule_id', '?')!s:.60}'"
    required = (*_RULE_TEXTS, "when")
    _refuse_unknown(table, (*required, "burden", "source_url"), required=required, where=where)
    kind = table["kind"]
    if kind not in KINDS:
        raise ParameterError(f"{where}: kind is {kind!r:.80}; a rule is one of {', '.join(KINDS)}. Choose one.")
    if table.get("burden", "outlet") != "outlet":
        raise SourceError(f'{where}: burden is {table["burden"]!r:.80}; allowed is "outlet", or no burden at all.')
    when = read_condition(table["when"], where=where)
    for factor in sorted(when.factors - factors.keys()):
        near = difflib.get_close_matches(factor, factors, n=1)
        hint = f"Did you mean '{near[0]}'?" if near else "Declare it, with its question, under [factors]."
        raise ParameterError(f"{where} asks about '{factor}', which is no declared factor. {hint}")
    texts: dict[str, Any] = {key: _read_text(table, key, where=where) for key in _RULE_TEXTS}
    return Rule(
        **texts,
        when=when,
        is_burden_on_outlet="burden" in table,
        source_url=_read_text(table, "source_url", where=where) if "source_url" in table else "",
    )


def read_condition(table: Any, *, where: str) -> Condition:
    """Return a condition as policies.toml writes it.

    Raises:
        SourceError: it is written in no known form, or asks for more conditions than it has.
    """
    keys = set(table) if isinstance(table, dict) else set()
    if keys == {"factor", "is"} and isinstance(table["factor"], str) and table["is"] in ("yes", "no"):
        return Condition(factor=table["factor"], wanted=table["is"])
    if keys == {"not"}:
        return Condition(parts=(read_condition(table["not"], where=where),), n=1, is_negated=True)
    name = {frozenset({"all"}): "all", frozenset({"any"}): "any", frozenset({"at_least", "of"}): "of"}.get(
        frozenset(keys), ""
    )
    n_wanted = table["at_least"] if name == "of" else 1
    if not name or not isinstance(table[name], list) or not table[name] or type(n_wanted) is not int:
        raise SourceError(f"{where} has the condition {str(table)[:200]}; expected {_SHAPES}")
    parts = tuple(read_condition(part, where=where) for part in table[name])
    n = len(parts) if name == "all" else n_wanted
    if not 1 <= n <= len(parts):
        raise SourceError(f"{where} asks for at least {n} of {len(parts)} conditions. Ask for 1 to {len(parts)}.")
    return Condition(parts=parts, n=n)


def _refuse_unknown(table: dict, known: Iterable[str], *, where: str, required: Iterable[str] = ()) -> None:
    allowed = list(known)
    for key in table:
        if key not in allowed:
            near = difflib.get_close_matches(key, allowed, n=1)
            hint = f"Did you mean '{near[0]}'?" if near else "Take it out."
            raise SourceError(f"{where} has a key '{key}'; allowed are {', '.join(allowed)}. {hint}")
    for key in required:
        if key not in table:
            raise SourceError(f"{where} lacks '{key}'. Write it like the workbench's policies.toml.")


def _refuse_twice(ids: list[str], key: str, *, where: str) -> None:
    twice = [name for name in ids if ids.count(name) > 1]
    if twice:
        raise SourceError(f"{where} has the {key} '{twice[0]}' twice. Give one of them another.")


def _tables(table: dict, key: str, *, where: str) -> list[dict]:
    found = table.get(key, [])
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise SourceError(f"{where}: {key} is {found!r:.80}; expected tables, each under its [[..{key}]]. Write it so.")
    return found


def _read_text(table: dict, key: str, *, where: str) -> str:
    value = table[key]
    if not isinstance(value, str) or not value.strip():
        raise SourceError(f"{where}: {key} is {value!r:.80}; expected a text. Write it in quotes.")
    if key == "source_url" and not re.match("https?://", value):
        raise SourceError(f"{where}: source_url is {value!r:.80}; expected an address with https://. Write it out.")
    return value


def _read_day(table: dict, key: str, *, where: str) -> date:
    value = table[key]
    if not isinstance(value, date) or isinstance(value, datetime):
        raise SourceError(f"{where}: {key} is {value!r:.80}; expected a day. Write it without quotes: 2019-08-19.")
    return value


def _read_places(value: Any, *, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(x, str) and re.fullmatch(r"\*|[A-Z]{2}", x) for x in value):
        raise SourceError(
            f'{where}: adverts_barred_in is {value!r:.80}; allowed are ["*"], a list of country codes in capitals, as '
            '["US", "AT"], or []. Write it so.'
        )
    return tuple(value)
