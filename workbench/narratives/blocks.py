"""Texts that could share words at all: one block per language that is common here, the rest by script.

Within a block, "too common to tell anything" and "fine enough" mean something; across languages they do not: the
coarsest and most stable grouping of a bilingual set is its two languages.
"""

from __future__ import annotations

import math
from collections import Counter

import polars as pl

from workbench.narratives.vocabulary import split_words

_MIN_TEXTS = 100
_MIN_FRAC = 0.05
_SCRIPTS = ("Han", "Hiragana", "Hangul", "Arabic", "Cyrillic", "Hebrew", "Thai", "Devanagari", "Greek", "Latin")
_NO_SCRIPT = "signs"
_N_COMPARED = 2_000
_MIN_OVERLAP = 0.5
_CHARS_PER_WORD = {"Han": 1.5, "Hiragana": 2.5, "Hangul": 2.5, "Thai": 4}
_LETTERS_PER_WORD = 5


def assign_blocks(texts: pl.DataFrame) -> pl.Series:
    """Return the block of each text: a language code, or a script where no language is common enough.

    A language with at least 100 texts and 5 % of all has its own block (both Chinese scripts together). Any other
    text joins the largest of these blocks that is written in its script, else the block of its script. So a short
    text whose language was guessed wrongly still meets its like.

    Args:
        texts: form (normalised text), language.
    """
    scripts = texts.select(*(pl.col("form").str.count_matches(rf"\p{{{script}}}").alias(script) for script in _SCRIPTS))
    found = texts.select(language=pl.col("language").str.split("-").list.first()).with_columns(
        script=pl.Series([_name_script(counts) for counts in scripts.iter_rows()], dtype=pl.String)
    )
    common = _common_languages(found)
    renamed = _join_languages(found.with_columns(texts["form"]), common)
    common = common.join(renamed, on=["language", "script"], maintain_order="left").select(
        "language", "script", "n", "by_language"
    )
    largest = common.unique("script", keep="first", maintain_order=True).select("script", by_script="by_language")
    return (
        found.join(common.drop("n"), on=["language", "script"], how="left", maintain_order="left")
        .join(largest, on="script", how="left", maintain_order="left")
        .select(block=pl.coalesce("by_language", "by_script", "script"))["block"]
    )


def _common_languages(found: pl.DataFrame) -> pl.DataFrame:
    return (
        found.filter(pl.col("language") != "und")
        .group_by("language", "script")
        .agg(n=pl.len())
        .filter((pl.col("n") >= _MIN_TEXTS) & (pl.col("n") >= _MIN_FRAC * found.height))
        .sort(["n", "language"], descending=[True, False])
    )


def _join_languages(found: pl.DataFrame, common: pl.DataFrame) -> pl.DataFrame:
    """Return the block of each common language: its own, or that of a commoner one whose words it mostly shares.

    What a guess takes for two languages (Malay and Indonesian, or nonsense) is one where the words are the same.
    """
    vectors: dict[tuple[str, str], dict[str, int]] = {}
    blocks: dict[tuple[str, str], str] = {}
    for language, script, _ in common.iter_rows():
        forms = found.filter(language=language, script=script)["form"].sort().head(_N_COMPARED)
        counts = Counter(word for form in forms for word in set(split_words(form)))
        like = [known for known in vectors if known[1] == script and _cosine(vectors[known], counts) >= _MIN_OVERLAP]
        vectors[language, script] = counts
        blocks[language, script] = blocks[like[0]] if like else language
    rows = [(language, script, block) for (language, script), block in blocks.items()]
    schema = {"language": pl.String, "script": pl.String, "by_language": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _cosine(left: dict[str, int], right: dict[str, int]) -> float:
    common = sum(count * right.get(word, 0) for word, count in left.items())
    lengths = sum(n * n for n in left.values()) * sum(n * n for n in right.values())
    return common / math.sqrt(lengths) if lengths else 0.0


def _name_script(counts: tuple[int, ...]) -> str:
    """Return the script most words are in; kana makes a text Japanese, whatever the number of kanji."""
    n_words = {
        script: count / _CHARS_PER_WORD.get(script, _LETTERS_PER_WORD)
        for script, count in zip(_SCRIPTS, counts, strict=True)
    }
    if n_words["Hiragana"]:
        return "Hiragana"
    script = max(_SCRIPTS, key=lambda name: n_words[name])
    return script if n_words[script] else _NO_SCRIPT
