"""Whose an address is: a registered domain, a tenant of a shared host, an account of a platform, or only a forward."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Literal, NamedTuple

import polars as pl
from publicsuffixlist import PublicSuffixList

from workbench.state_media.site_rules import AccountRule, read_site_rules
from workbench.state_media.wrappers import Address, split_address, unwrap_url

SiteKind = Literal["domain", "hosted", "account", "shortener", "none"]


class Site(NamedTuple):
    """Whose an address is."""

    kind: SiteKind
    key: str
    """the registered domain, the tenant's address, platform:handle, the shortener's domain, or nothing"""
    host: str
    """the whole host, in Unicode"""
    path: tuple[str, ...] = ()
    """the path within it, in lower case; a tenant's own part of the path is not in it"""


def name_site(url: str) -> Site:
    """Return whose an address is; of kind none where it is no address.

    Hosts are compared in Unicode, lower case, whether the address is written `xn--...` or not; letters that only look
    alike stay different. The registered domain is the public suffix and one label more (Mozilla's list, as bundled in
    `publicsuffixlist`; nothing is fetched), so `news.city.example` is `city.example` and a blog on a shared host is
    its own site (kind hosted), never the host. Of an archived, translated or forwarded page it is the page itself,
    where the address carries it; a shortener's target is not looked up: it stays unknown.

    Source: publicsuffix.org. Differs: services the list does not know are in sites.toml.
    """
    address = split_address(unwrap_url(url))
    host = address.host
    if not host:
        return Site("none", "", "")
    rules = read_site_rules()
    registered = _find_registered(host)
    if registered in rules.shorteners or host in rules.shorteners:
        return Site("shortener", registered, host)
    bare = host.removeprefix("www.")
    if registered in rules.no_account or bare in rules.no_account:
        return Site("none", "", host)
    account = rules.accounts.get(bare) or rules.accounts.get(registered)
    if account:
        return _name_account(account, address)
    path = tuple(segment.lower() for segment in address.segments)
    depth = rules.by_path.get(bare, 0)
    if depth and len(path) >= depth:
        return _name_tenant("/".join([bare, *path[:depth]]), host, path[depth:])
    tenant = _find_tenant(host, registered)
    if tenant:
        return _name_tenant(tenant, host, path)
    return Site("domain", bare if depth else registered, host, path)


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
        """Take the domains and handles of the outlets table; a domain may be narrowed to a part of its path."""
        self._by_handle: dict[str, set[str]] = defaultdict(set)
        self._by_site: dict[str, list[tuple[Site, str]]] = defaultdict(list)
        for row in outlets.iter_rows(named=True):
            for handle in row["handles"]:
                platform, _, name = handle.partition(":")
                self._by_handle[normalise_handle(platform, name)].add(row["outlet_id"])
            for domain in row["domains"]:
                site = name_site(domain)
                if site.kind == "account":
                    self._by_handle[site.key].add(row["outlet_id"])
                elif site.kind in ("domain", "hosted"):
                    self._by_site[site.key].append((site, row["outlet_id"]))

    def find_handle(self, platform: str, handle: str) -> tuple[str, ...]:
        """Return the outlets that go by this handle on this platform."""
        return tuple(sorted(self._by_handle.get(normalise_handle(platform, handle), ())))

    def find_url(self, url: str) -> Match:
        """Return the outlets an address may belong to.

        An outlet has the hosts listed, what lies under them, and nothing beside them: `news.univ.example` is not
        `phys.univ.example`. Of several that fit, the longest host and then the longest path is taken.
        """
        site = name_site(url)
        if site.kind == "account":
            return Match(tuple(sorted(self._by_handle.get(site.key, ()))), "account")
        if site.kind not in ("domain", "hosted"):
            return Match((), site.kind)
        fitting = [(_closeness(listed), outlet) for listed, outlet in self._by_site[site.key] if _holds(listed, site)]
        closest = max((closeness for closeness, _ in fitting), default=None)
        return Match(tuple(sorted({outlet for closeness, outlet in fitting if closeness == closest})), site.kind)

    def find_urls(self, urls: Iterable[str]) -> pl.DataFrame:
        """Return url, target, outlet_id, is_ambiguous, site_kind for the distinct addresses that match an outlet.

        target is the address itself, or the one that an archive, a translation or a forward carries.
        """
        rows = []
        for url in dict.fromkeys(urls):
            match = self.find_url(url)
            ambiguous, target = len(match.outlet_ids) > 1, unwrap_url(url) if match.outlet_ids else ""
            rows += [(url, target, outlet, ambiguous, match.kind) for outlet in match.outlet_ids]
        texts = dict.fromkeys(("url", "target", "outlet_id"), pl.String)
        schema = {**texts, "is_ambiguous": pl.Boolean, "site_kind": pl.String}
        return pl.DataFrame(rows, schema=schema, orient="row")


def _holds(listed: Site, site: Site) -> bool:
    if site.path[: len(listed.path)] != listed.path:
        return False
    own = listed.host.removeprefix("www.")
    return listed.kind == "hosted" or site.host == own or site.host.endswith(f".{own}")


def _closeness(listed: Site) -> tuple[int, int]:
    return (0 if listed.kind == "hosted" else len(listed.host.removeprefix("www."))), len(listed.path)


@lru_cache(maxsize=20_000)
def _find_registered(host: str) -> str:
    return _suffixes(only_icann=False).privatesuffix(host) or host


@lru_cache(maxsize=20_000)
def _find_tenant(host: str, registered: str) -> str:
    """Return the host of somebody on a shared one, by sites.toml or the suffix list's private part; else nothing."""
    rules, icann = read_site_rules(), _suffixes(only_icann=True)
    labels = host.split(".")
    for n in range(1, len(labels) - 1):
        service = ".".join(labels[n:])
        is_shared = service in rules.by_subdomain or (
            labels[n] in rules.under_any_suffix and icann.privatesuffix(service) == service
        )
        if is_shared and labels[n - 1] not in rules.own_subdomains:
            return ".".join(labels[n - 1 :])
    return registered if icann.privatesuffix(host) not in (None, registered) else ""


def _name_tenant(key: str, host: str, path: tuple[str, ...]) -> Site:
    for pattern, known_as in read_site_rules().same_tenant:
        if pattern.match(key):
            return Site("hosted", pattern.sub(known_as, key), host, path)
    return Site("hosted", key, host, path)


def _name_account(rule: AccountRule, address: Address) -> Site:
    segments = address.segments
    number = address.fields.get(rule.by_field.get(segments[0].lower(), ""), []) if segments else []
    if number:
        return Site("account", normalise_handle(rule.platform, number[0]), address.host)
    path = segments[1:] if segments and segments[0] in rule.after else segments
    # facebook.com/pages/Name/123: the number is the account, the name can be anything.
    if len(path) > 1 and segments[0] == "pages":
        path = path[1:]
    if not path or path[0].lower() in rule.never or path[0].lower() in rule.by_field:
        return Site("none", "", address.host)
    return Site("account", normalise_handle(rule.platform, path[0]), address.host)


@cache
def _suffixes(*, only_icann: bool) -> PublicSuffixList:
    return PublicSuffixList(only_icann=only_icann)
