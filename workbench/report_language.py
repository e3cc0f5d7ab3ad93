"""In which language a text is written and which way it runs, so that a browser speaks and sets it rightly.

A report is in English and quotes the world. Words in another script get a `lang` of their own, and those of scripts
that run from right to left are kept apart from the English around them.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import polars as pl
from markupsafe import Markup, escape

from workbench.languages import UNKNOWN, name_languages

RIGHT_TO_LEFT = frozenset(("ar", "arc", "ckb", "dv", "fa", "he", "iw", "ku", "ps", "sd", "ug", "ur", "yi"))
_HAN = "\u2e80-\u2fdf\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f"
_EAST_ASIA = f"{_HAN}\u3001-\u303f\u3040-\u30ff\u31f0-\u31ff\u1100-\u11ff\uac00-\ud7af\uff01-\uff9f"
_SCRIPTS: dict[str, tuple[str, ...]] = {
    "\u0590-\u05ff\ufb1d-\ufb4f": ("he", "yi"),
    "\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\ufb50-\ufdcf\ufdf0-\ufdff\ufe70-\ufefc": (
        "ar", "fa", "ur", "ps", "ug", "ckb", "sd",
    ),
    "\u0370-\u03ff\u1f00-\u1fff": ("el",),
    "\u0400-\u052f": ("ru", "uk", "bg", "sr", "be", "mk", "kk", "ky", "mn", "tg", "tt"),
    "\u0530-\u058f": ("hy",),
    "\u0900-\u097f": ("hi", "mr", "ne"),
    "\u0980-\u09ff": ("bn", "as"),
    "\u0b80-\u0bff": ("ta",),
    "\u0c00-\u0c7f": ("te",),
    "\u0e00-\u0e7f": ("th",),
    "\u1000-\u109f": ("my",),
    "\u10a0-\u10ff": ("ka",),
    "\u1200-\u139f": ("am", "ti"),
    "\u1780-\u17ff": ("km",),
}  # fmt: skip
"""Letters of a script -> languages written in it, first the one to name where a guess names none of them."""
_INSIDE = r"\s\d.,:;!?'’()/\-–\u060c\u061b\u061f\u0640\u200c\u200d"
_RUNS = re.compile(
    "|".join(
        [f"[{_EAST_ASIA}](?:[{_EAST_ASIA}{_INSIDE}]*[{_EAST_ASIA}])?"]
        + [f"[{letters}](?:[{letters}{_INSIDE}]*[{letters}])?" for letters in _SCRIPTS]
    )
)
_QUOTES = re.compile("(“[^”]*”)")
_LETTERS = re.compile(r"[^\W\d_]")
_LEAST_LETTERS = 2
_CODE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z]{2,8})*")


def tag_languages(text: str) -> Markup:
    """Return text as escaped HTML, each run of another script with its language, and with its way if from the right.

    A text that begins with letters from right to left runs so as a whole, and so does what stands in “quotes”.
    """
    if _runs_from_right(_QUOTES.sub("", text)):
        return _tag_unit(text)
    return Markup("").join(
        Markup("“{}”").format(_tag_unit(part[1:-1])) if part[:1] == "“" and part[-1:] == "”" else _tag_unit(part)
        for part in _QUOTES.split(text)
    )


def _tag_unit(text: str) -> Markup:
    if not _runs_from_right(text):
        return _tag_runs(text)
    run = _RUNS.search(text)
    return _wrap(text, find_language(run.group(0)) if run else None)


def _tag_runs(text: str) -> Markup:
    """Runs of Chinese, Japanese and Korean have one language in a unit: two characters alone would not tell."""
    east = find_language("".join(re.findall(f"[{_EAST_ASIA}]+", text)))
    parts, end = [], 0
    for run in _RUNS.finditer(text):
        language = east if re.match(f"[{_EAST_ASIA}]", run.group(0)) else find_language(run.group(0))
        parts += [escape(text[end : run.start()]), _wrap(run.group(0), language)]
        end = run.end()
    return Markup("").join([*parts, escape(text[end:])])


def _wrap(text: str, language: str | None) -> Markup:
    if _runs_from_right(text):
        return Markup('<bdi lang="{}" dir="rtl">{}</bdi>').format(language or UNKNOWN, text)
    return Markup('<span lang="{}">{}</span>').format(language, text) if language else escape(text)


def _runs_from_right(text: str) -> bool:
    """Whether its first letter that has a direction runs from right to left."""
    ways = (unicodedata.bidirectional(character) for character in text)
    return next((way for way in ways if way in ("L", "R", "AL")), "L") != "L"


@lru_cache(maxsize=10_000)
def find_language(text: str) -> str | None:
    """Return the language of a text that is not in Latin letters, or None: there its letters do not tell.

    Chinese is told apart by script (zh-Hans, zh-Hant), and is `zh` where the text is the same in both. Where one script
    serves several languages, a guess decides between them.
    """
    if re.search("[\u3040-\u30ff]", text):
        return "ja"
    if re.search("[\u1100-\u11ff\uac00-\ud7af]", text):
        return "ko"
    if re.search(f"[{_HAN}]", text):
        either = {name_languages([text], given=pl.Series([code]))[0] for code in ("zh-hans", "zh-hant")}
        return either.pop() if len(either) == 1 else "zh"
    for letters, languages in _SCRIPTS.items():
        if len(_LETTERS.findall("".join(re.findall(f"[{letters}]", text)))) >= _LEAST_LETTERS:
            guess = name_languages([text])[0] if len(languages) > 1 else languages[0]
            return guess if guess in languages else languages[0]
    return None


def name_attributes(code: object) -> Markup:
    """Return `lang` and `dir` for a whole text whose language is known by its code; nothing where it is none."""
    known = str(code or "")
    if known in ("", UNKNOWN) or not _CODE.fullmatch(known):
        return Markup(' dir="auto"')
    way = "rtl" if known.split("-")[0] in RIGHT_TO_LEFT else "auto"
    return Markup(' lang="{}" dir="{}"').format(known, way)
