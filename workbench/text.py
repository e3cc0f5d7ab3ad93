"""What makes two texts, or two addresses, the same one: normal forms shared by traces and narratives.

Both functions map a polars expression to an expression, so they run inside any `with_columns` or `select`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import polars as pl

_URL = r"(?i)(?:https?://|\bwww\.)[^\s\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}。、】」》”]+"
"""A link; Chinese and the like is written before and behind it without a space."""
_MENTION = r"[@＠][A-Za-z0-9_][A-Za-z0-9_.-]*(?:@[A-Za-z0-9.-]+)?"  # not \w: Chinese text follows a handle unspaced
_REPOST_MARK = r"(?i)^\s*rt\s+" + _MENTION + r":?\s*"
_TRAILING_IDS = r"(?:\s+[#\[(]?[a-z]*\d[a-z\d]{4,}[\])]?)+\s*$"
_BLANK = r"\s\p{Z}\u{200B}-\u{200F}\u{2060}\u{FEFF}"
_SPACE = rf" [{_BLANK}]+|[[{_BLANK}]--\x20][{_BLANK}]*"
"""White space and invisible marks, but for the single spaces that most of it is: they would become themselves."""
_TRACKING = re.compile(
    r"(?i)^(utm_.*|fbclid|gclid|dclid|msclkid|yclid|igshid|igsh|mc_[ce]id|ref_src|ref_url|_hs\w+|spm)$"
)
_PLAIN_URL = r"^https?://(?:www\.)?([a-z0-9.\-]+)((?:/[A-Za-z0-9_.~/%:@!$&'()*+,;=\-]*)?)$"
"""Most addresses: nothing in them but the scheme has to change, and they need not be taken apart one by one."""
_DEFAULT_PORTS = {"http": 80, "https": 443}


def normalise_text(text: pl.Expr) -> pl.Expr:
    """Return the text as it counts for sameness; null where nothing is left.

    In this order: Unicode NFKC (full-width signs become ordinary ones), lower case, a leading `RT @name:` away, links
    away, mentions away, white space (and invisible marks) to one space, trailing ids away. A trailing id is a last
    token made of letters, a digit and at least four more letters or digits, as tools append to get past filters.
    Hashtags, punctuation and emoji stay.

    Beware: two short, common texts ("good morning") are the same text without anybody having copied.
    """
    bare = (
        text.map_batches(_write_signs_plainly, return_dtype=pl.String)
        .str.to_lowercase()
        .str.replace(_REPOST_MARK, "")
        .str.replace_all(_URL, " ")
        .str.replace_all(_MENTION, " ")
        .str.replace_all(_SPACE, " ")
        .str.strip_chars()
    )
    # An id goes with the space before it, so a text that is nothing but an id keeps it. One step after the other: an
    # expression that is used twice is worked out twice.
    return bare.str.replace(_TRAILING_IDS, "").replace("", None)


def _write_signs_plainly(texts: pl.Series) -> pl.Series:
    """Unicode NFKC. ASCII is written plainly already, and is told by its length at once."""
    is_other = texts.str.len_bytes() != texts.str.len_chars()
    return texts.clone().scatter(is_other.arg_true(), texts.filter(is_other).str.normalize("NFKC"))


def canonical_url(url: pl.Expr) -> pl.Expr:
    """Return the address as it counts for sameness; null where blank.

    Scheme becomes https, the host lower case without `www.` and default port; tracking parameters (utm_*, fbclid,
    gclid, ...) and the fragment go, other parameters are sorted; a trailing slash goes. A shortener's address stays
    what it is: nothing is looked up. What is no address at all (an opaque id) is returned stripped.
    """
    return url.map_batches(_canonical_urls, return_dtype=pl.String)


def _canonical_urls(urls: pl.Series) -> pl.Series:
    distinct = urls.unique().drop_nulls()
    parts = pl.DataFrame({"url": distinct}).select(
        "url", host=pl.col("url").str.extract(_PLAIN_URL, 1), path=pl.col("url").str.extract(_PLAIN_URL, 2)
    )
    plain = parts.select(pl.format("https://{}{}", "host", pl.col("path").str.strip_chars_end("/"))).to_series()
    is_plain = (parts["host"] != "www.").fill_null(value=False)
    others = iter([_canonical_url(url) for url in distinct.filter(~is_plain)])
    canonical = plain if is_plain.all() else _fill(plain, is_plain, others)
    return urls.replace_strict(distinct, canonical, default=None, return_dtype=pl.String)


def _fill(values: pl.Series, is_known: pl.Series, others: Iterator[str | None]) -> pl.Series:
    """The values that are known, and where none is, the next of the others."""
    filled = [value if known else next(others) for value, known in zip(values, is_known, strict=True)]
    return pl.Series(filled, dtype=pl.String)


def _canonical_url(url: str) -> str | None:
    url = url.strip()
    if not url:
        return None
    has_scheme = url.lower().startswith(("http://", "https://"))
    if not has_scheme and not re.match(r"^[^\s/@:]+\.[^\s/@:.]{2,}(?:[/?#:]|$)", url):
        return url
    try:
        parts = urlsplit(url if has_scheme else "https://" + url)
        host, port = (parts.hostname or "").removeprefix("www."), parts.port
    except ValueError:  # a port or bracket nobody could open: still the same string for those who posted it
        return url
    if not host:
        return url
    if port and port != _DEFAULT_PORTS.get(parts.scheme.lower()):
        host = f"{host}:{port}"
    kept = [(key, value) for key, value in parse_qsl(parts.query, keep_blank_values=True) if not _TRACKING.match(key)]
    path = quote(parts.path, safe="/%:@!$&'()*+,;=~-._").rstrip("/")
    return urlunsplit(("https", host, path, urlencode(sorted(kept)), ""))
