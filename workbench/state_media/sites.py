"""Whose an address is: a registered domain, a tenant of a shared host, an account of a platform, or only a forward."""

from __future__ import annotations

import tomllib
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Literal, NamedTuple
from urllib.parse import unquote, urlsplit

import polars as pl
from publicsuffixlist import PublicSuffixList

SiteKind = Literal["domain", "hosted", "account", "shortener", "none"]
_DOTS = str.maketrans({"。": ".", "．": ".", "｡": "."})


class Site(NamedTuple):
    """Whose an address is."""

    kind: SiteKind
    key: str
    """the registered domain, the tenant's address, platform:handle, the shortener's domain, or nothing"""
    host: str
    """the whole host, in Unicode"""


@dataclass(frozen=True)
class _Rules:
    shorteners: frozenset[str]
    by_subdomain: frozenset[str]
    by_path: dict[str, int]
    accounts: dict[str, dict] = field(default_factory=dict)
    """domain -> platform, after, never"""


def name_site(url: str) -> Site:
    """Return whose an address is; of kind none where it is no address.

    Hosts are compared in Unicode, lower case, whether the address is written `xn--...` or not; letters that only look
    alike stay different. The registered domain is the public suffix and one label more (Mozilla's list, as bundled in
    `publicsuffixlist`; nothing is fetched), so `news.city.example` is `city.example` and a blog on a shared host is
    its own site, never the host. A shortener's target is not looked up: it stays unknown.

    Source: publicsuffix.org. Differs: services the list does not know are in sites.toml.
    """
    host, segments = _split(url)
    if not host:
        return Site("none", "", "")
    rules = _rules()
    registered = _suffixes().privatesuffix(host) or host
    if registered in rules.shorteners or host in rules.shorteners:
        return Site("shortener", registered, host)
    if registered in rules.accounts:
        return _name_account(rules.accounts[registered], host, segments)
    if host in rules.by_path:
        return _name_tenant(host, segments, depth=rules.by_path[host])
    if registered in rules.by_subdomain and host != registered:
        return Site("hosted", host, host)
    return Site("domain", registered, host)


def normalise_handle(platform: str, handle: str) -> str:
    """Return platform:handle as handles are compared: lower case, without @."""
    return f"{platform.strip().lower()}:{unicodedata.normalize('NFKC', handle).strip().lstrip('@').lower()}"


def count_link_kinds(posts: pl.DataFrame) -> pl.DataFrame:
    """Return how many links of the posts lead where: kind, n_links, n_posts.

    Shorteners are the links whose outlet nobody can see here: their share bounds what every count of links misses.
    """
    links = posts.select("post_id", pl.col("urls")).explode("urls").drop_nulls()
    distinct = links["urls"].unique()
    kinds = pl.DataFrame({"urls": distinct, "kind": [name_site(url).kind for url in distinct]})
    counted = links.join(kinds, on="urls").group_by("kind")
    return counted.agg(n_links=pl.len().cast(pl.Int64), n_posts=pl.col("post_id").n_unique().cast(pl.Int64)).sort(
        "n_links", "kind", descending=[True, False]
    )


class Match(NamedTuple):
    """The outlets an address may belong to."""

    outlet_ids: tuple[str, ...]
    kind: SiteKind


class SiteIndex:
    """Looks up outlets by address or handle."""

    def __init__(self, outlets: pl.DataFrame) -> None:
        """Take the domains and handles of the outlets table."""
        self._by_handle: dict[str, set[str]] = defaultdict(set)
        self._by_site: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for row in outlets.iter_rows(named=True):
            for handle in row["handles"]:
                platform, _, name = handle.partition(":")
                self._by_handle[normalise_handle(platform, name)].add(row["outlet_id"])
            for domain in row["domains"]:
                site = name_site(domain)
                if site.kind == "account":
                    self._by_handle[site.key].add(row["outlet_id"])
                elif site.kind in ("domain", "hosted"):
                    self._by_site[site.key][site.host.removeprefix("www.")].add(row["outlet_id"])

    def find_handle(self, platform: str, handle: str) -> tuple[str, ...]:
        """Return the outlets that go by this handle on this platform."""
        return tuple(sorted(self._by_handle.get(normalise_handle(platform, handle), ())))

    def find_url(self, url: str) -> Match:
        """Return the outlets an address may belong to.

        Several outlets may share a registered domain (a company's editions): the one listed with the longest host
        that the address ends in is taken; where none fits, all that share the domain are named.
        """
        site = name_site(url)
        if site.kind == "account":
            return Match(tuple(sorted(self._by_handle.get(site.key, ()))), "account")
        hosts = self._by_site.get(site.key)
        if not hosts or site.kind not in ("domain", "hosted"):
            return Match((), site.kind)
        fitting = [host for host in hosts if site.host == host or site.host.endswith("." + host)]
        chosen = hosts[max(fitting, key=len)] if fitting else set().union(*hosts.values())
        return Match(tuple(sorted(chosen)), site.kind)

    def find_urls(self, urls: Iterable[str]) -> pl.DataFrame:
        """Return url, outlet_id, is_ambiguous, site_kind for the distinct addresses that match an outlet."""
        rows = []
        for url in dict.fromkeys(urls):
            match = self.find_url(url)
            rows += [(url, outlet, len(match.outlet_ids) > 1, match.kind) for outlet in match.outlet_ids]
        schema = {"url": pl.String, "outlet_id": pl.String, "is_ambiguous": pl.Boolean, "site_kind": pl.String}
        return pl.DataFrame(rows, schema=schema, orient="row")


def _split(url: str) -> tuple[str, list[str]]:
    text = url.strip()
    try:
        parts = urlsplit(text if "://" in text else "https://" + text)
        host = parts.hostname or ""
    except ValueError:  # a bracket or port nobody could open is no address of anybody's
        return "", []
    host = ".".join(_decode_label(label) for label in host.translate(_DOTS).strip(".").split("."))
    if "." not in host or " " in host or host.replace(".", "").isdigit():
        return "", []
    return host, [unquote(segment) for segment in parts.path.split("/") if segment]


def _decode_label(label: str) -> str:
    if label.lower().startswith("xn--"):
        try:
            label = label[4:].encode("ascii").decode("punycode")
        except UnicodeError:  # not a label anybody could register: keep it as it is written
            return label.lower()
    return unicodedata.normalize("NFKC", label).lower()


def _name_account(rule: dict, host: str, segments: list[str]) -> Site:
    path = segments[1:] if segments and segments[0] in rule["after"] else segments
    # facebook.com/pages/Name/123: the number is the account, the name can be anything.
    if len(path) > 1 and segments[0] == "pages":
        path = path[1:]
    if not path or path[0].lower() in rule["never"]:
        return Site("none", "", host)
    return Site("account", normalise_handle(rule["platform"], path[0]), host)


def _name_tenant(host: str, segments: list[str], *, depth: int) -> Site:
    if len(segments) < depth:
        return Site("domain", host, host)
    return Site("hosted", "/".join([host, *(segment.lower() for segment in segments[:depth])]), host)


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


@cache
def _rules() -> _Rules:
    content = tomllib.loads(resources.files("workbench.state_media").joinpath("sites.toml").read_text("utf-8"))
    accounts = {
        domain: {"platform": platform, "after": rule.get("after", []), "never": rule["never"]}
        for platform, rule in content["account"].items()
        for domain in rule["domains"]
    }
    return _Rules(
        shorteners=frozenset(content["shorteners"]),
        by_subdomain=frozenset(content["hosting_by_subdomain"]),
        by_path=content["hosting_by_path"],
        accounts=accounts,
    )
