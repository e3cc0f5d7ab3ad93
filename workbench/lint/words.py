"""Rules for sentences: each takes a text and returns the words that break it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import Any

from workbench.claims import LIKELIHOOD_BANDS, find_words_above, split_sentences
from workbench.report_text import defang_cell

_PLACEHOLDER = re.compile(
    r"[$€£]\s?x{2,}\b"
    r"|(?<![\w/.\-])(?:xx+|XX+|TB[DCA]|tb[dc]|TODO|FIXME|[Ll]orem(?: [Ii]psum)?|NN+|tk tk|TKTK)(?![\w\-])"
    r"|\[(?:insert|name|date|number|link|source|your|to be)\b[^\]]{0,40}\]|\?\?\?+"
    r"|\bto be (?:confirmed|determined|added)\b"
)
_NOUNS = (
    "account", "page", "group", "channel", "post", "repost", "reply", "cluster", "narrative", "follower", "indicator",
    "pair", "edge", "object", "action", "co-action", "link", "domain", "hashtag", "language", "record", "outlet",
    "advert", "country", "platform", "event", "day", "week", "month", "year", "hour", "minute", "second", "person",
)  # fmt: skip
_PLURAL = {"reply": "replies", "country": "countries", "person": "people"}
_PLURALS = {noun: _PLURAL.get(noun, f"{noun}s") for noun in _NOUNS}
_FORMS = frozenset(
    (
        *_NOUNS, *_PLURALS.values(), "pages", "profile", "profiles", "persons", "recount", "recounts", "discount",
        "discounts", "recorded", "outlasts", "advent",
    )
)  # fmt: skip
_SPELT = tuple(sorted(word for word in {*_NOUNS, *_PLURALS.values()} if len(word) >= 7))
_BETWEEN = (
    "new", "other", "more", "distinct", "different", "separate", "further", "single", "suspended", "removed", "active",
    "fake", "listed", "released", "original", "unique", "facebook", "instagram", "twitter", "telegram", "tiktok",
    "youtube", "x",
)  # fmt: skip
_COUNT = r"(?P<count>\d{1,3}(?:,\d{3})+|\d+|[Oo]ne)"
_COUNTED = re.compile(
    rf"(?<![\w.,$€£\-/#]){_COUNT}(?: (?i:{'|'.join(_BETWEEN)}))? (?P<noun>[A-Za-z\-]{{3,}})(?=[.,;:)]|\s|$)"
)
_AFTER_NOUN = re.compile(r"\s(?:of|in|on|by|from|with|were|are|that|which|who|and|or|to|at|for|posted|acted|made)\b")
_STARTS_WITH_COUNT = re.compile(
    rf"(?:^|[.;:] ){_COUNT} (?P<noun>{'|'.join((*_PLURALS.values(), *_NOUNS))}) (?P<verb>was|were|is|are|has|have)\b"
)
_SHARE = re.compile(
    r"(\d[\d,]*) (?:of|out of) (?:the )?(\d[\d,]*)(?: [A-Za-z\-]+){0,6}? "
    r"\((?:about |or )?(\d+(?:\.\d+)?) ?(?:%|per cent)\)"
)
_PERCENT = re.compile(r"\d(?:\.\d+)? ?%|\d per ?cent")
_WHOLE_NAMED = re.compile(
    r"\b(of|among|per(?! ?cent)|rates?|interval|shares?|at most|at least|limit|clocks?|denominator|window)\b|\d–\d"
)
_OF_NOTHING = re.compile(
    r"\b(?:in spite|because|instead|as|regardless|ahead|kind|sort|by means|on top|outside|inside|course|in front|"
    r"in view|in terms|out) of\b(?! (?:the )?[\d,]+)"
)
_CONFIDENCE = re.compile(r"\b(?:low|moderate|medium|high)(?:[- ]to[- ]\w+)? confidence|\bconfiden(?:ce|t)\b")
_LIKELIHOOD = re.compile(rf"\b(?:{'|'.join(LIKELIHOOD_BANDS)}|probably|probable|improbable)\b")
_SPOKEN = re.compile(
    r"\b(according to|said|says|wrote|writes|stated|announced|reported|assess(?:ed|es)?|if|whether|consistent with|"
    r"neither|cannot|would)\b|^(?:none|no|nothing|nobody)\b|“",
    re.IGNORECASE,
)
"""What makes a whole sentence somebody's, or no assertion."""
_DENIED = re.compile(r"\b(not|no|none|never|nor|nobody|nothing|without|who|pretending|saying)\b|n't", re.IGNORECASE)
"""What takes back the part of a sentence it stands in, and no other."""
_PART = re.compile(r"[,;:—] |[()]")
_ASSERTS = re.compile(r"\b(?:is|are|was|were|acts?|acted|posts?|posted|runs?|ran|used?|worked?)\b")
_LIVE = re.compile(r"\b(?:https?|ftp)://[^\s<>\"'”’)]+", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\w.,\-])\d{1,3}(?:,\d{3})+(?![\w,])|(?<![\w.,\-])\d+(?:\.\d+)?(?![\w,]*\d)")


def find_placeholders(text: str) -> list[str]:
    """Return what stands where something was to be filled in: "$xx", "TBD", "[insert name]"."""
    return [match.group(0) for match in _PLACEHOLDER.finditer(text)]


def find_miscounts(text: str) -> list[str]:
    """Return numbers whose noun or verb is in the wrong number, or misspelt: "1 accounts", "15 acounts"."""
    faults = []
    for match in _COUNTED.finditer(text):
        is_one, word = match["count"].lower() in ("1", "one"), match["noun"].lower()
        rest = text[match.end() :]
        ends_phrase = not rest or rest[0] in ".,;:)" or _AFTER_NOUN.match(rest) is not None
        is_one_too_many = is_one and word in _PLURALS.values()
        is_one_too_few = not is_one and word in _NOUNS and ends_phrase
        if is_one_too_many or is_one_too_few or _is_misspelt(word):
            faults.append(match.group(0))
    for match in _STARTS_WITH_COUNT.finditer(text):
        is_one = match["count"].lower() in ("1", "one")
        if (
            match["noun"] in (_NOUNS if is_one else _PLURALS.values())
            and (match["verb"] in ("was", "is", "has")) != is_one
        ):
            faults.append(match.group(0).lstrip(".;: "))
    return faults


def find_wrong_shares(text: str) -> list[str]:
    """Return shares that their own two numbers do not give: "81 of 940 accounts (9.6%)"."""
    faults = []
    for match in _SHARE.finditer(text):
        part, whole = (int(match.group(group).replace(",", "")) for group in (1, 2))
        decimals = len(match.group(3).partition(".")[2])
        if not whole or abs(100 * part / whole - float(match.group(3))) > 0.51 * 10**-decimals:
            faults.append(match.group(0))
    return faults


def find_shares_without_whole(text: str) -> list[str]:
    """Return sentences with a percentage that do not say, in the same part of the sentence, what it is of."""
    return [
        sentence
        for sentence in split_sentences(text)
        if any(
            _PERCENT.search(part) and not _WHOLE_NAMED.search(_OF_NOTHING.sub("", part.lower()))
            for part in re.split(r"[;:]\s", sentence)
        )
    ]


def find_mixed_likelihood(text: str) -> list[str]:
    """Return sentences that say how likely and how sure in one breath.

    Source: ICD 203.
    """
    return [
        sentence
        for sentence in split_sentences(text)
        if _CONFIDENCE.search(sentence.lower()) and _LIKELIHOOD.search(sentence.lower())
    ]


def find_loose_attribution(text: str) -> list[str]:
    """Return sentences that say who is behind it, or that it is fake, in nobody's name and with no hedge.

    Somebody's name hedges the sentence; "not" and the like hedge only the part between two commas they stand in.
    """
    return [sentence for sentence in split_sentences(text) if _attributes(sentence)]


def find_bare_addresses(text: str, *, only_links: bool = False) -> list[str]:
    """Return addresses that are not defanged; `only_links` leaves domains without a scheme alone."""
    live = [match.group(0) for match in _LIVE.finditer(text) if "[" not in match.group(0).split("/")[2]]
    if live or only_links:
        return live
    return [text.strip()] if defang_cell(text) != text and not _LIVE.search(text) else []


def find_wrong_numbers(text: str, rows: Sequence[dict[str, Any]], *, whole: str = "") -> list[str]:
    """Return numbers of a claim that its table nearly has, and has not: the usual slip of a digit.

    The table has its cells, the number of its rows and, per column, the sum of all rows and of those that share a word
    (all pages, everybody outside). A number far from all of them is taken
    to come from elsewhere (a window, a year); two digits exchanged or one added or lost, to be a slip. Numbers of the
    claim's own denominator (`whole`) are none.
    """
    cells = [value for row in rows for value in row.values() if isinstance(value, int) and not isinstance(value, bool)]
    columns = {name for row in rows for name, value in row.items() if isinstance(value, int | float)}
    sums = [sum(row[name] for row in rows if isinstance(row.get(name), int | float)) for name in columns]
    known = {str(round(value)) for value in (*cells, *sums, len(rows))}
    fine = (
        known
        | {number.replace(",", "") for number in _NUMBER.findall(whole)}
        | {str(round(value)) for value in _sum_groups(rows)}
    )
    faults = []
    for match in _NUMBER.finditer(text):
        digits = match.group(0).replace(",", "")
        if len(digits) >= 3 and "." not in digits and digits not in fine:
            faults += [
                f"{match.group(0)}, where the table has {int(near):,}"
                for near in sorted(known)
                if _is_slip(digits, near)
            ]
    return faults


def _sum_groups(rows: Sequence[dict[str, Any]]) -> list[float]:
    """Column sums over the rows that share a word: all pages, everybody outside, one day."""
    sums: dict[tuple[str, object, str], float] = {}
    for row in rows:
        words = [(name, value) for name, value in row.items() if isinstance(value, str | bool)]
        counts = [
            (name, value) for name, value in row.items() if isinstance(value, int) and not isinstance(value, bool)
        ]
        for word in words:
            for name, value in counts:
                sums[*word, name] = sums.get((*word, name), 0) + value
    return list(sums.values())


def _attributes(sentence: str) -> bool:
    """Whether it names who is behind it, or asserts deception; a title or a heading asserts nothing."""
    if _SPOKEN.search(sentence):
        return False
    return any(_asserts_too_much(part) and not _DENIED.search(part) for part in _PART.split(sentence))


def _asserts_too_much(part: str) -> bool:
    if find_words_above(part, level="inauthentic"):
        return True
    return bool(find_words_above(part, level="coordination") and _ASSERTS.search(part))


def _is_misspelt(word: str) -> bool:
    if word in _FORMS:
        return False
    return len(word) >= 6 and bool(difflib.get_close_matches(word, _SPELT, 1, 0.9))


def _is_slip(digits: str, near: str) -> bool:
    """Two digits exchanged (1,032 for 1,302), one doubled (2,220 for 2,200), one added or lost."""
    if len(near) < 3 or digits == near:
        return False
    if len(digits) == len(near):
        differ = [i for i in range(len(digits)) if digits[i] != near[i]]
        if len(differ) == 1:
            at = differ[0]
            return digits[at] in (digits[at - 1 : at] + digits[at + 1 : at + 2])
        return len(differ) == 2 and sorted(digits) == sorted(near)
    longer, shorter = sorted((digits, near), key=len, reverse=True)
    return len(longer) - len(shorter) == 1 and any(longer[:i] + longer[i + 1 :] == shorter for i in range(len(longer)))
