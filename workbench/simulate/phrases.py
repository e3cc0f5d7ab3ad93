"""Invented sentences, drawn by the thousand: every text of a synthetic release comes from `texts.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import polars as pl

LANGUAGES = ("en", "zh-Hans", "zh-Hant", "es", "id")
TWEET_LANGUAGES = ("en", "zh", "zh", "es", "in", "und")
"""What the release calls the languages; the last one stands for posts without words."""
UNDETERMINED = 5
ACCOUNT_LANGUAGES = ("en", "zh-cn", "zh-tw", "es", "id")
TOPICS = ("cooking", "birds", "football", "gardens", "trains", "computers", "photos", "running")
STORIES = ("tram", "toll", "market", "clock")


@cache
def load_texts() -> dict[str, Any]:
    """Return the content of `texts.toml`."""
    return tomllib.loads(files("workbench.simulate").joinpath("texts.toml").read_text(encoding="utf-8"))


class Deck:
    """Phrases in numbered groups; `draw` deals one of its group to every row at once."""

    def __init__(self, groups: Iterable[list[str]]):
        groups = list(groups)
        self._phrases = pl.Series([phrase for group in groups for phrase in group], dtype=pl.String)
        self._count = np.array([len(group) for group in groups])
        self._start = np.cumsum(self._count) - self._count

    def draw(self, rng: np.random.Generator, group: np.ndarray) -> pl.Series:
        """Return one phrase of each row's group."""
        pick = self._start[group] + (rng.random(len(group)) * self._count[group]).astype(np.int64)
        return self._phrases.gather(pick)


class Sentences:
    """Three decks in a row (opening, middle, closing), their `{n}` replaced by a number."""

    def __init__(self, *decks: Deck):
        self._decks = decks

    def draw(self, rng: np.random.Generator, *groups: np.ndarray) -> pl.Series:
        """Return one sentence per row; `groups` names the group in each deck."""
        parts = [deck.draw(rng, group) for deck, group in zip(self._decks, groups, strict=True)]
        number = pl.Series("number", rng.integers(2, 100, len(groups[0]))).cast(pl.String)
        table = pl.DataFrame([number, *(part.alias(str(i)) for i, part in enumerate(parts))])
        joined = pl.concat_str(pl.exclude("number"))
        return table.select(text=joined.str.replace_all("{n}", pl.col("number"), literal=True))["text"]


def traditional(text: str) -> str:
    """Return a simplified text of `texts.toml` in traditional characters."""
    pairs = load_texts()["traditional"]
    return text.translate(str.maketrans(pairs["simplified"], pairs["traditional"]))


def phrases(table: dict[str, Any], language: str, part: str) -> list[str]:
    """Return the phrases of a part in a language; English stands in where a text was not written in it."""
    if language == "zh-Hant":
        return [traditional(phrase) for phrase in phrases(table, "zh-Hans", part)]
    if language not in table:
        return phrases(table, "en", part)
    return table[language] if part == "" else table[language][part]


@cache
def chatter() -> Sentences:
    """Everyday talk; groups: language, language * 8 + topic, language, language."""
    texts = load_texts()
    return Sentences(
        Deck(_spaced(phrases(texts["chatter"], lang, "openings"), lang) for lang in LANGUAGES),
        Deck(phrases(texts["interests"][topic], lang, "") for lang in LANGUAGES for topic in TOPICS),
        Deck(phrases(texts["chatter"], lang, "details") for lang in LANGUAGES),
        Deck(phrases(texts["chatter"], lang, "closings") for lang in LANGUAGES),
    )


@cache
def comments(kind: str) -> Deck:
    """One short remark on a link; groups: language."""
    return Deck(phrases(load_texts()[kind], lang, "comments") for lang in LANGUAGES)


@cache
def headlines(kind: str) -> Sentences:
    """Headlines of `news` or `fans`, adverts of `spam`; groups: language, three times."""
    marks = {"news": (" ", " "), "fans": (" ", ". "), "spam": ("", "")}
    return Sentences(*(Deck(groups) for groups in _parts(load_texts()[kind], marks=marks[kind])))


@cache
def slogans() -> Sentences:
    """What planted stories say; groups: story * 5 + language, three times."""
    stories = [_parts(load_texts()["stories"][story], marks=(" ", ". ")) for story in STORIES]
    return Sentences(*(Deck(group for story in stories for group in story[part]) for part in range(3)))


def _parts(table: dict[str, Any], *, marks: tuple[str, str]) -> list[list[list[str]]]:
    """Openings, events and closings per language; `marks` are what follows an opening and an event outside Chinese."""
    openings, events, closings = [], [], []
    for lang in LANGUAGES:
        written = lang if lang in table or (lang == "zh-Hant" and "zh-Hans" in table) else "en"
        after_opening, after_event = marks
        if written.startswith("zh"):
            after_opening, after_event = "", "。" if after_event == ". " else ""
        openings.append([opening + after_opening for opening in phrases(table, written, "openings")])
        events.append([event + after_event for event in phrases(table, written, "events")])
        closings.append(phrases(table, written, "closings"))
    return [openings, events, closings]


def _spaced(texts: list[str], language: str) -> list[str]:
    return texts if language.startswith("zh") else [text + " " for text in texts]
