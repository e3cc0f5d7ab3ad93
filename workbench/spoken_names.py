"""Names inside texts: which of them tell somebody apart, and which are words that everybody uses."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

import polars as pl

N_SPEAKERS_OF_A_WORD = 5
"""A word that as many accounts use, each in a text of its own, is a word, whoever else is called by it."""
N_DIGITS_OF_AN_ID = 15
"""A number as long is the id of the account that has it, wherever it is written."""
_CJK = r"\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff"
_NO_SPACE_SCRIPT = re.compile(rf"[{_CJK}]")
_SPACED = re.compile(rf"[^\W{_CJK}]")
_UNLIKE_A_WORD = re.compile(r"(?=.*[0-9_])(?=.*[a-z])[a-z0-9_]{6,}")
_WORD_LIKE = re.compile(r"[a-z]{6,}")
_ADDRESS = re.compile(r"[\w\-]+(?:[.\-][\w\-]+)+")
_GLUE = re.compile(r"[.\-][A-Za-z0-9_]")
_PLAIN_WORD = re.compile(r"[A-Za-z0-9_]*")
_MARKED = re.compile(r"(?=.*[^\W\d_])(?=.*(?:[\d_]|[^\w\s\-'’&+!?…])).{6,}", re.DOTALL)
_SEVERAL_WORDS = re.compile(r"[^\W\d_]\W+[^\W_]")
_MIXED = re.compile(r"(?=.*[^\W\d_])(?:.*[\d_]|.*[a-z][A-Z])", re.DOTALL)
_PEOPLES_HOSTS = (".bsky.social",)
"""Behind each name under these stands one person: whoever types the handle has linked it."""
_LINKS_AND_MENTIONS = r"\w+://\S+|[@＠][\w.]+"


def is_unlike_a_word(handle: str) -> bool:
    """Whether a handle in lower case cannot be mistaken for a word: it has a digit or an underscore."""
    return _UNLIKE_A_WORD.fullmatch(handle) is not None


def is_unlike_a_phrase(name: str) -> bool:
    """Whether a handle or an id with signs beyond letters of ASCII, digits and _ is one wherever it stands.

    It has a dot, a colon or a digit, as `tram.fan.example` and `did:plc:77`; `well-known` is what two words may be.
    """
    return _PLAIN_WORD.fullmatch(name) is None and _MARKED.fullmatch(name) is not None


def is_unlike_words(name: str) -> bool:
    """Whether a handle or an id, of whatever signs, is one wherever it stands."""
    is_id = name.isdecimal() and len(name) >= N_DIGITS_OF_AN_ID
    return is_id or is_unlike_a_word(name.lower()) or is_unlike_a_phrase(name)


def find_sites(names: Iterable[str], posts: pl.DataFrame) -> frozenset[str]:
    """Return the names, in lower case, that posts link to: a newspaper's handle is its address, or a part of it.

    Args:
        names: handles, in lower case; a number is no site.
        posts: table `posts`.
    """
    asked = {name for name in names if not name.isdecimal() and not name.endswith(_PEOPLES_HOSTS)}
    if not asked:
        return frozenset()
    hosts = posts["urls"].explode().drop_nulls().unique().str.extract(r"^\w+://([^/?#]+)").drop_nulls()
    hosts = hosts.str.to_lowercase().unique()
    hosts = hosts.filter(hosts.str.contains_any(sorted(asked)))
    labels = frozenset(word for host in hosts for word in re.findall(r"\w+", find_site_name(host)))
    ends = (host.split(".")[at:] for host in hosts for at in range(host.count(".")))
    return frozenset(asked & (labels | {".".join(parts) for parts in ends}))


def find_site_name(host: str) -> str:
    """Return the end of a host that somebody registered: `quay.example` of `www.quay.example`, three of `.co.uk`."""
    parts = host.split(".")
    n_parts = 3 if len(parts) > 2 and len(parts[-2]) <= 3 and len(parts[-1]) == 2 else 2
    return ".".join(parts[-n_parts:])


def find_telling_handles(handles: list[str], posts: pl.DataFrame) -> frozenset[str]:
    """Return the handles, in lower case, that stand for their account wherever they are written.

    Args:
        handles: in lower case.
        posts: table `posts`; handles of letters alone are words where `N_SPEAKERS_OF_A_WORD` accounts use them.
    """
    telling = frozenset(handle for handle in handles if is_unlike_a_word(handle))
    words = pl.Series(sorted(handle for handle in set(handles) if _WORD_LIKE.fullmatch(handle)), dtype=pl.String)
    if words.is_empty():
        return telling
    said = _said(posts, words.to_list(), ignores_case=True)
    said = said.with_columns(phrase=pl.col("text").str.to_lowercase().str.extract_all(r"[a-z0-9_]+"))
    return telling | (
        frozenset(words) - _common(said.explode("phrase").filter(pl.col("phrase").is_in(words.implode())))
    )


def find_telling_names(names: list[str], posts: pl.DataFrame) -> frozenset[str]:
    """Return the display names that stand for their account wherever they are written.

    A name tells somebody apart if it is more than one plain word, and few accounts use the words.
    """
    telling = pl.Series(sorted({name for name in names if is_telling_name(name)}), dtype=pl.String)
    if telling.is_empty():
        return frozenset()
    said = _said(posts, telling.to_list(), ignores_case=False)
    said = said.with_columns(phrase=pl.col("text").str.extract_many(telling.to_list(), overlapping=True))
    return frozenset(telling) - _common(said.explode("phrase").drop_nulls())


def is_telling_name(name: str) -> bool:
    """Whether a display name is more than one plain word: several words, mixed with digits, or three Chinese signs."""
    if name != name.strip() or not name:
        return False
    if _NO_SPACE_SCRIPT.search(name):
        return len(name) >= 3
    return bool(len(name) >= 5 and _SEVERAL_WORDS.search(name)) or bool(len(name) >= 6 and _MIXED.match(name))


def spell(name: str) -> set[str]:
    """Return a name as it stands in a text, in an address and in HTML."""
    quoted = quote(name)
    return {name, quoted, quoted.lower(), quote_plus(name), html.escape(name, quote=False), html.escape(name)}


def find_standing(name: str, text: str) -> list[int]:
    """Return where a name stands by itself in a text: `fan.example` is not in `tram.fan.example`.

    Chinese and the like is written without spaces around it.
    """
    places, at = [], text.find(name)
    is_address = _ADDRESS.fullmatch(name) is not None
    while at >= 0:
        end = at + len(name)
        is_part = _is_glued(text[at - 1 : at], name[0]) or _is_glued(name[-1], text[end : end + 1])
        if not (is_part or (is_address and _is_in_address(text, at, end))):
            places.append(at)
        at = text.find(name, max(end, at + 1))
    return places


def _is_in_address(text: str, start: int, end: int) -> bool:
    before, after = text[max(start - 2, 0) : start], text[end : end + 2]
    return any(_GLUE.fullmatch(pair) is not None for pair in (before[::-1], after))


def _is_glued(left: str, right: str) -> bool:
    return bool(_SPACED.fullmatch(left) and _SPACED.fullmatch(right))


def _said(posts: pl.DataFrame, phrases: list[str], *, ignores_case: bool) -> pl.DataFrame:
    """Each distinct text that may hold a phrase, without links and mentions, with the first account that wrote it."""
    holds = pl.col("text").str.contains_any(phrases, ascii_case_insensitive=ignores_case)
    texts = posts.select("account_id", "text").drop_nulls("text").filter(holds).unique("text", keep="first")
    return texts.with_columns(pl.col("text").str.replace_all(_LINKS_AND_MENTIONS, " "))


def _common(said: pl.DataFrame) -> frozenset[str]:
    speakers = said.group_by("phrase").agg(n=pl.col("account_id").n_unique())
    return frozenset(speakers.filter(pl.col("n") >= N_SPEAKERS_OF_A_WORD)["phrase"])
