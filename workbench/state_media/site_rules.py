"""The rules of sites.toml: shorteners, wrappers, shared hosts and platforms, ready to look up."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True)
class AccountRule:
    """How a platform's addresses name an account."""

    platform: str
    after: frozenset[str]
    """words the account stands behind"""
    never: frozenset[str]
    """words that are no account"""
    by_field: dict[str, str]
    """page -> the field of the address that holds the account's number"""


@dataclass(frozen=True)
class SiteRules:
    """What sites.toml says."""

    shorteners: frozenset[str]
    by_field: dict[str, tuple[str, ...]]
    """host and path's beginning -> fields that hold the target"""
    by_pattern: tuple[re.Pattern[str], ...]
    by_subdomain: frozenset[str]
    under_any_suffix: frozenset[str]
    own_subdomains: frozenset[str]
    by_path: dict[str, int]
    same_tenant: tuple[tuple[re.Pattern[str], str], ...]
    no_account: frozenset[str]
    accounts: dict[str, AccountRule]
    """domain -> how it names accounts"""


@cache
def read_site_rules() -> SiteRules:
    """Return the rules of sites.toml."""
    content = tomllib.loads(resources.files("workbench.state_media").joinpath("sites.toml").read_text("utf-8"))
    return SiteRules(
        shorteners=frozenset(content["shorteners"]),
        by_field={start: tuple(fields) for start, fields in content["wrappers_by_field"].items()},
        by_pattern=tuple(re.compile(text, re.IGNORECASE) for text in content["wrappers_by_path"]["patterns"]),
        by_subdomain=frozenset(content["hosting_by_subdomain"]),
        under_any_suffix=frozenset(content["hosting_under_any_suffix"]),
        own_subdomains=frozenset(content["own_subdomains"]),
        by_path=content["hosting_by_path"],
        same_tenant=tuple((re.compile(text), known_as) for text, known_as in content["same_tenant"].items()),
        no_account=frozenset(content["no_account"]["domains"]),
        accounts={domain: rule for name, table in content["account"].items() for domain, rule in _account(name, table)},
    )


def _account(platform: str, table: dict) -> list[tuple[str, AccountRule]]:
    rule = AccountRule(
        platform, frozenset(table.get("after", [])), frozenset(table["never"]), table.get("by_field", {})
    )
    return [(domain, rule) for domain in table["domains"]]
