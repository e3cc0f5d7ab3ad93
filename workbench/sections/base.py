"""What every section's sentences share: counts, shares and names in words, charts and tables as parts of a report."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import polars as pl

from workbench.findings import Figure, TableView

_PLATFORMS = {
    "tiktok": "TikTok",
    "vk": "VK",
    "linkedin": "LinkedIn",
    "youtube": "YouTube",
    "unknown": "the platform (not named)",
}
_LANGUAGES = {
    "ar": "Arabic", "bn": "Bengali", "ca": "Catalan", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek",
    "en": "English", "es": "Spanish", "et": "Estonian", "fa": "Persian", "fi": "Finnish", "fil": "Filipino",
    "fr": "French", "he": "Hebrew", "hi": "Hindi", "hu": "Hungarian", "id": "Indonesian", "in": "Indonesian",
    "it": "Italian", "iw": "Hebrew", "ja": "Japanese", "ko": "Korean", "lt": "Lithuanian", "lv": "Latvian",
    "ms": "Malay", "nl": "Dutch", "no": "Norwegian", "pl": "Polish", "pt": "Portuguese", "ro": "Romanian",
    "ru": "Russian", "sv": "Swedish", "th": "Thai", "tl": "Filipino", "tr": "Turkish", "uk": "Ukrainian",
    "und": "undetermined", "ur": "Urdu", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip
_SCRIPTS = {"hans": "simplified", "cn": "simplified", "hant": "traditional", "tw": "traditional", "hk": "traditional"}
_TRACES = {"url": "link", "domain": "web site"}
_PLURALS = {"is": "are", "was": "were", "has": "have"}


def say_count(count: float, noun: str, *, plural: str | None = None) -> str:
    """Return a number with its noun in the right number: "1 account", "2,040 accounts"."""
    word = noun if count == 1 else plural or _pluralise(noun)
    return f"{count:,} {word}"


def say_share(part: float, whole: float, *, noun: str, plural: str | None = None) -> str:
    """Return a part with its whole and the share: "81 of 940 accounts (8.6%)"."""
    of = f"{part:,} of {say_count(whole, noun, plural=plural)}"
    return f"{of} ({say_percent(part / whole)})" if whole else of


def say_percent(frac: float) -> str:
    """Return a share of 1 in per cent, with manners at the ends: "< 0.1%", "> 99.9%"."""
    percent = 100 * frac
    if 0 < percent < 0.1:
        return "< 0.1%"
    if 99.9 < percent < 100:
        return "> 99.9%"
    return f"{percent:.0f}%" if percent >= 99.95 or percent == 0 else f"{percent:.1f}%"


def say_times(ratio: float) -> str:
    """Return how many times as often, as exact as it deserves: "27 times", "3.4 times"."""
    return f"{ratio:,.0f} times" if ratio >= 10 else f"{ratio:.1f} times"


def say_list(names: Sequence[str], *, most: int = 5) -> str:
    """Return names as a phrase: "a, b and c", or "a, b and 7 others"."""
    shown = list(names[:most])
    if len(names) > most:
        return f"{', '.join(shown)} and {say_count(len(names) - most, 'other')}"
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else "".join(shown)


def say_verb(count: float, verb: str) -> str:
    """Return is, was or has for one, and the other form for any other number."""
    return verb if count == 1 else _PLURALS[verb]


def say_window(time_window_s: float | None) -> str:
    """Return a time window in words: "60 seconds", "2 hours", "any time"."""
    if time_window_s is None:
        return "any time"
    for size, noun in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if time_window_s > size and time_window_s % size == 0:
            return say_count(int(time_window_s // size), noun)
    return f"{time_window_s:g} {'second' if time_window_s == 1 else 'seconds'}"


def say_platform(platform: str) -> str:
    """Return a platform's name as it writes itself: "TikTok", "Facebook"."""
    return _PLATFORMS.get(platform, platform.capitalize())


def say_language(code: str | None) -> str:
    """Return a language's English name: "Chinese (traditional)"; a code we do not know stays a code."""
    if code is None:
        return "not given"
    head, _, tail = code.replace("_", "-").partition("-")
    name = _LANGUAGES.get(head.lower(), code)
    script = _SCRIPTS.get(tail.lower()) if head.lower() == "zh" else None
    return f"{name} ({script})" if script else name


def name_trace(trace: str) -> str:
    """Return a trace's name as a reader reads it: "link", "hashtag sequence"."""
    return _TRACES.get(trace, trace.replace("_", " "))


def say_day(moment: date) -> str:
    """Return a day in words, the same on every system: "3 June 2019"."""
    return f"{moment.day} {moment:%B %Y}"


def say_period(posts: pl.DataFrame) -> str:
    """Return the first and last day of posts in words: "1 March 2019 to 20 May 2019"."""
    if posts.is_empty():
        return "no posts"
    first, last = posts.select(first=pl.col("posted_at").min(), last=pl.col("posted_at").max()).row(0)
    return f"{say_day(first)} to {say_day(last)}"


def make_figure(name: str, chart: Any, table: pl.DataFrame) -> Figure:
    """Return a chart and its data as a figure; title and description are the chart's own."""
    spec = chart.to_dict()
    return Figure(name, spec["title"], spec["description"], spec, table)


def make_table(
    name: str,
    title: str,
    table: pl.DataFrame,
    *,
    note: str = "",
    labels: dict[str, str] | None = None,
    quoted: dict[str, str] | None = None,
) -> TableView:
    """Return a frame as a printed table."""
    return TableView(name, title, note, table, labels or {}, quoted or {})


def _pluralise(noun: str) -> str:
    head, _, last = noun.rpartition(" ")
    if last.endswith("y") and last[-2:-1] not in "aeiou":
        last = last[:-1] + "ies"
    elif last.endswith(("s", "x", "ch", "sh")):
        last += "es"
    else:
        last += "s"
    return f"{head} {last}".strip()
