"""Which currency an amount is in: as it is written, and its ISO code where the writing means one currency only."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from functools import cache
from importlib import resources

_SIGN = "[$£¤¥฿৳₠-⃀﷼＄￡￥￦]"
# A sign with the letters before it (HK$), or a code in capitals; words are looked up in the data file.
_MARK = re.compile(rf"[Uu]\$[Ss]|(?<![A-Za-z\d])[A-Za-z]{{1,3}}{_SIGN}|{_SIGN}|(?<![A-Za-z])[A-Z]{{3}}(?![A-Za-z])")


def name_currency(given: str | None) -> str | None:
    """Return the ISO code of a currency as a source writes it, or nothing where the writing may mean several."""
    key = _plain(given)
    if not key:
        return None
    codes, no_codes = _read_names()
    if key in codes:
        return codes[key]
    return key.upper() if re.fullmatch("[a-z]{3}", key) and key not in no_codes else None


def split_currency(text: str) -> tuple[str, str | None]:
    """Return a cell without its currency, and the currency as it is written there.

    Raises:
        ValueError: the cell names two currencies.
    """
    found = [match.group().strip() for match in _MARK.finditer(text)]
    rest = _MARK.sub(" ", text)
    codes, no_codes = _read_names()
    for word in re.findall(r"[^\W\d_]{2,}(?: [^\W\d_]+)*", rest):
        if _plain(word) in codes or _plain(word) in no_codes:
            found.append(word)
            rest = rest.replace(word, " ")
    if len({name_currency(mark) or _plain(mark) for mark in found}) > 1:
        raise ValueError(f"'{text}' names two currencies")
    return rest.strip(), found[0] if found else None


def _plain(given: str | None) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", given or "")).casefold()


@cache
def _read_names() -> tuple[dict[str, str], frozenset[str]]:
    content = tomllib.loads(resources.files("workbench.state_media").joinpath("currencies.toml").read_text("utf-8"))
    return {_plain(name): code for name, code in content["codes"].items()}, frozenset(content["no_codes"]["words"])
