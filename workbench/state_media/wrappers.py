"""Addresses taken apart, and the address that an archive, a translation or a forward carries inside itself."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from workbench.state_media.site_rules import read_site_rules

_DOTS = str.maketrans({"。": ".", "．": ".", "｡": "."})
_DEEPEST = 5


class Address(NamedTuple):
    """An address in parts; the host is empty where the text is no address."""

    host: str
    """in Unicode and lower case"""
    segments: tuple[str, ...]
    """of the path, decoded"""
    fields: dict[str, list[str]]


def split_address(url: str) -> Address:
    """Return an address in parts; one without scheme is taken for https."""
    parts, host = _split(url)
    if parts is None or not host:
        return Address("", (), {})
    segments = tuple(unquote(segment) for segment in parts.path.split("/") if segment)
    return Address(host, segments, parse_qs(parts.query, max_num_fields=200) if parts.query.count("&") < 200 else {})


def unwrap_url(url: str) -> str:
    """Return the address that an archive, a translation, a cache or a forward carries, else the address itself.

    Nothing is fetched: a shortener's target is not in its address and stays unknown.

    Beware: who links to an archived copy may do so to keep readers away from the original.
    """
    for _ in range(_DEEPEST):
        inner = _find_inner(url)
        if not inner or not _split(inner)[1]:
            return url
        url = inner
    return url


def _find_inner(url: str) -> str:
    parts, host = _split(url)
    if parts is None or not host:
        return ""
    bare = host.removeprefix("www.").removeprefix("m.")
    if host.endswith(".translate.goog"):
        label = host.removesuffix(".translate.goog").replace("--", "\0").replace("-", ".").replace("\0", "-")
        return f"https://{label}{parts.path}"
    rules = read_site_rules()
    place = bare + parts.path
    known = _list_starts(bare)
    # Google's pages stand under every country's ending.
    generic = f"google.com{parts.path}" if bare.startswith("google.") else place
    starts = [start for start in known if f"{generic}/".startswith((f"{start}/", f"{start}.php"))]
    starts += [start for start in known if "/" not in start and bare.endswith(f".{start}")]
    for start in starts:
        fields = parse_qs(parts.query, max_num_fields=200) if parts.query.count("&") < 200 else {}
        for name in rules.by_field[start]:
            if fields.get(name):
                return fields[name][0]
    whole = place + (f"?{parts.query}" if parts.query else "")
    for pattern in rules.by_pattern:
        match = pattern.match(whole)
        if match:
            return unquote(match.group(1)) if "%3A" in match.group(1)[:12].upper() else match.group(1)
    return ""


@lru_cache(maxsize=20_000)
def _list_starts(bare: str) -> tuple[str, ...]:
    """The beginnings of sites.toml that addresses of this host may have: none, for most hosts."""
    host = "google.com" if bare.startswith("google.") else bare
    starts = read_site_rules().by_field
    return tuple(start for start in starts if host.startswith(start.partition("/")[0]) or bare.endswith(f".{start}"))


@lru_cache(maxsize=1_000)
def _split(url: str) -> tuple[SplitResult | None, str]:
    text = url.strip()
    # Archives write the inner address with one slash where two were folded.
    for scheme in ("https:/", "http:/"):
        if text.lower().startswith(scheme) and not text.lower().startswith(scheme + "/"):
            text = scheme + "/" + text[len(scheme) :]
    try:
        parts = urlsplit(text if _has_scheme(text) else "https://" + text)
        host = parts.hostname or ""
    except ValueError:  # a bracket or port nobody could open is no address of anybody's
        return None, ""
    host = _decode_host(host)
    if "." not in host or " " in host or host.replace(".", "").isdigit():
        return None, ""
    return parts, host


def _has_scheme(text: str) -> bool:
    head, mark, _ = text.partition("://")
    # rt.example/?u=https://... has no scheme of its own.
    return bool(mark) and head.isalpha()


@lru_cache(maxsize=20_000)
def _decode_host(host: str) -> str:
    return ".".join(_decode_label(label) for label in host.translate(_DOTS).strip(".").split("."))


def _decode_label(label: str) -> str:
    if label.lower().startswith("xn--"):
        try:
            label = label[4:].encode("ascii").decode("punycode")
        except UnicodeError:  # not a label anybody could register: keep it as it is written
            return label.lower()
    return unicodedata.normalize("NFKC", label).lower()
