"""What an indicator is: account, page, URL, domain, e-mail, a number told in prose, or words."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from workbench.privacy import refang
from workbench.sharing.addresses import clean_handle, find_profile, split_address

INDICATOR_TYPES = (
    "account",
    "page",
    "group",
    "channel",
    "persona",
    "url",
    "domain",
    "email",
    "phone",
    "ip",
    "hashtag",
    "text",
    "text_hash",
    "minhash",
    "media_hash",
    "keyed_hash",
    "asset_count",
    "audience_count",
    "advert_spend",
    "technique",
    "free_text",
)
"""What `read_indicators` tells apart. `technique` is a row that names a procedure and no indicator."""


@dataclass(frozen=True)
class Kind:
    """What one cell turned out to be.

    Args:
        indicator_type: one of `INDICATOR_TYPES`.
        platform: lower case, where the cell or its procedure says; else None.
        match_key: what is compared with one's own data: refanged, lower case; None for what cannot be. Of a URL or a
            text it is the refanged cell; `read_indicators` makes those canonical, all at once.
        n_stated: the number told in prose.
        unit: what it counts: account, page, group, follower, member, a currency.
        role: "operation", or "target" where the sheet lists whom it attacked, or "context" where it is about the case.
        problem: what is wrong with the cell, in words; None where nothing is.
    """

    indicator_type: str
    platform: str | None = None
    match_key: str | None = None
    n_stated: int | None = None
    unit: str | None = None
    role: str = "operation"
    problem: str | None = None


_PLATFORM_OF_PROCEDURE = {
    "0.9.1": "facebook",
    "0.9.2": "instagram",
    "0.9.3": "threads",
    "0.9.4": "twitter",
    "0.9.5": "youtube",
    "0.9.6": "tiktok",
    "0.9.7": "telegram",
    "0.9.10": "pinterest",
}
_PLATFORM_WORDS = {
    "facebook": "facebook",
    "instagram": "instagram",
    "threads": "threads",
    "twitter": "twitter",
    "x": "twitter",
    "youtube": "youtube",
    "tiktok": "tiktok",
    "telegram": "telegram",
}
_APPROXIMATELY = r"(?:(?:about|around|approximately|roughly|nearly|almost|over|more than|at least|some)\s+)?"
_NUMBER = r"(?P<n>\d[\d,. ]*|no|one|two|three|four|five|six|seven|eight|nine|ten|xx+)"
_WORDS = {
    word: n
    for n, word in enumerate(["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"])
}
_ASSETS = re.compile(
    rf"{_APPROXIMATELY}{_NUMBER}\s+(?:(?P<platform>[a-z]+)\s+)?"
    r"(?P<unit>ac{1,2}ounts?|pages?|groups?|channels?|profiles?|events?|websites?|domains?)\s*\.?",
    re.IGNORECASE,
)
_AUDIENCE = re.compile(
    rf"{_APPROXIMATELY}{_NUMBER}\s+(?:\w+\s+)?ac{{1,2}}ounts?\s+(?:(?:had|were|have)\s+)?(?P<verb>follow\w*|join\w*)",
    re.IGNORECASE,
)
_SPEND = re.compile(
    r"(?P<currency>US\$|[$€£¥₫])\s?(?P<n>\d[\d,.]*|xx+)\s*(?P<scale>million|thousand|billion)?", re.IGNORECASE
)
_TELLS_NUMBER = re.compile(r"[$€£¥₫]|(?:ount|age|oup|nel|file|vent|site|main)s?\b", re.IGNORECASE)
_CURRENCIES = {"US$": "USD", "$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "₫": "VND"}
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9}
_EMAIL = re.compile(r"[a-z0-9._%+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}", re.IGNORECASE)
_PHONE = re.compile(r"\+?\(?\d[\d\s().-]{6,18}\d")
_IP = re.compile(r"(?:\d{1,3}\.){3}\d{1,3}")
_HASHTAG = re.compile(r"[#＃]([^\s#＃]+)")
_HOST = re.compile(r"(?:[\w-]+\.)+[^\W\d_][\w-]{1,}", re.IGNORECASE)
_HANDLE = re.compile(r"@?[\w.+-]{2,40}")
_HASH = re.compile(
    r"(?P<kind>md5|sha1|sha256|pdq|text-sha256|text-minhash|hmac):(?P<hex>[0-9a-f]{32,2048})", re.IGNORECASE
)
_SIGNATURE = re.compile(r"text-minhash:[0-9a-f]{512}")
_NOT_A_NAME = re.compile(r"(?i)^(?:\w+ing\b|the |these |those |most |some |several |all |this |a |an )|[.!?]$")
_MAY_BE_DEFANGED = re.compile(r"[\[\](){}\\*]|xx|fx|dot|\bat\b", re.IGNORECASE)
_DECLARED = {
    "telegram_url": "url",
    "cib_url": "url",
    "url": "url",
    "domain_name": "domain",
    "domain": "domain",
    "email": "email",
    "email_address": "email",
    "phone": "phone",
    "phone_number": "phone",
    "text": "text",
    "hashtag": "hashtag",
}


@lru_cache(maxsize=20_000)
def classify_indicator(value: str, *, tactic: str = "", procedure: str = "", declared: str = "") -> Kind:
    """Return what a published indicator cell is, from the cell, the procedure it stands under, and its stated type.

    Args:
        value: the cell as published, defanged or not.
        tactic: Meta's kill-chain tactic of the row; tactic 8 lists whom the operation attacked.
        procedure: Meta's kill-chain procedure of the row; 0.9.x are accounts by platform, 6.1.x published words.
        declared: the type a sheet states itself (`cib_url`, `domain_name`, ... or one of `INDICATOR_TYPES`).
    """
    is_defanged = not _HASH.fullmatch(value) and _MAY_BE_DEFANGED.search(value)
    text = (refang(value) if is_defanged else value).strip().removeprefix("'").strip()
    number = _leading_number(procedure)
    role = "target" if tactic.strip().startswith("8") else "operation"
    if not text:
        return Kind("technique", role="context")
    stated = declared.strip().lower()
    if stated in INDICATOR_TYPES and stated not in _DECLARED:
        return _as_declared(stated, text, number=number, role=role)
    found = (
        _as_number(text, number=number)
        or _as_contact(text, number=number, role=role)
        or _as_address(text, number=number, role=role)
        or _as_name(text, number=number, role=role, stated=_DECLARED.get(stated, ""))
    )
    return found or Kind("free_text", role="context")


def host_key(host: str) -> str:
    """Return a host as it counts for sameness: no `www.`, lower case, international names in their ASCII form."""
    bare = host.lower().removeprefix("www.").rstrip(".")
    try:
        return bare.encode("idna").decode("ascii")
    except UnicodeError:  # a label too long or empty: compared as written
        return bare


@lru_cache(maxsize=10_000)
def _leading_number(procedure: str) -> str:
    found = re.match(r"\s*(\d+(?:\.\d+)*)", procedure)
    return found.group(1).rstrip(".") if found else ""


@lru_cache(maxsize=10_000)
def _under(number: str, *stems: str) -> bool:
    return any(number == stem or number.startswith(stem + ".") for stem in stems)


@lru_cache(maxsize=10_000)
def _platform_of(number: str) -> str | None:
    return next((name for stem, name in _PLATFORM_OF_PROCEDURE.items() if _under(number, stem)), None)


def _as_number(text: str, *, number: str) -> Kind | None:
    """Totals told in prose: assets (0.9), audience (7.2), advert spending (7.1)."""
    if not _TELLS_NUMBER.search(text):
        return None
    spend = _SPEND.search(text)
    if spend and (_under(number, "7.1") or re.search(r"\b(?:ads?|adverts?|advertis\w+)\b", text)):
        amount = _to_number(spend["n"], scale=(spend["scale"] or "").lower())
        return _count("advert_spend", amount, unit=_CURRENCIES[spend["currency"].upper()], platform="facebook")
    audience = _AUDIENCE.search(text)
    if audience:
        unit = "member" if audience["verb"].lower().startswith("join") else "follower"
        platform = "instagram" if _under(number, "7.2.4") else _platform_in(text) or "facebook"
        return _count("audience_count", _to_number(audience["n"]), unit=unit, platform=platform)
    assets = _ASSETS.fullmatch(text)
    if assets:
        unit = re.sub(r"ac+ounts?", "account", assets["unit"].lower()).rstrip("s")
        platform = _PLATFORM_WORDS.get((assets["platform"] or "").lower()) or _platform_of(number)
        return _count("asset_count", _to_number(assets["n"]), unit=unit, platform=platform)
    return None


def _platform_in(text: str) -> str | None:
    words = re.findall(r"[a-z]+", text.lower())
    return next((name for word, name in _PLATFORM_WORDS.items() if len(word) > 1 and word in words), None)


def _count(kind: str, n: int | None, *, unit: str, platform: str | None) -> Kind:
    problem = None if n is not None else "a placeholder stands where the number should be"
    return Kind(kind, platform=platform, n_stated=n, unit=unit, role="context", problem=problem)


def _to_number(text: str, *, scale: str = "") -> int | None:
    word = text.strip().lower()
    if word in _WORDS:
        return _WORDS[word]
    if word.startswith("x"):
        return None
    digits = word.replace(" ", "").rstrip(".,")
    if not scale and re.fullmatch(r"\d{1,3}(?:[.,]\d{3})+", digits):
        digits = re.sub(r"[.,]", "", digits)
    return round(float(digits.replace(",", "")) * _SCALES.get(scale, 1))


def _as_contact(text: str, *, number: str, role: str) -> Kind | None:
    email = _EMAIL.fullmatch(text) or (_EMAIL.search(text) if _under(number, "0.2") else None)
    if email:
        return Kind("email", match_key=email.group(0).lower(), role=role)
    if _IP.fullmatch(text):
        return Kind("ip", match_key=text, role=role)
    phone = _PHONE.fullmatch(text)
    if phone and (_under(number, "0.3") or text.startswith("+")):
        return Kind("phone", match_key=re.sub(r"[^\d+]", "", text), role=role)
    tag = _HASHTAG.fullmatch(text)
    if tag:
        return Kind("hashtag", match_key=unicodedata.normalize("NFKC", tag.group(1)).casefold(), role=role)
    hashed = _HASH.fullmatch(text)
    if hashed:
        return _as_hash(_hash_type(hashed["kind"]), text.lower(), role=role)
    return None


def _as_hash(kind: str, key: str, *, role: str) -> Kind:
    """A signature of another length cannot be compared: its row says so, and the others are matched all the same."""
    if kind == "minhash" and not _SIGNATURE.fullmatch(key):
        return Kind(kind, role=role, problem="expected a signature of 512 hexadecimal digits: it is of another method")
    return Kind(kind, match_key=key, role=role)


def _hash_type(kind: str) -> str:
    types = {"text-minhash": "minhash", "text-sha256": "text_hash", "hmac": "keyed_hash"}
    return types.get(kind.lower(), "media_hash")


def _as_address(text: str, *, number: str, role: str) -> Kind | None:
    """One word that is an address: an account where its form says so, else a domain or a URL."""
    host, path, query = split_address(text)
    if not host or re.search(r"\s", text):
        return None
    profile = find_profile(text, is_account_listed=_under(number, "0.9"))
    if profile:
        return Kind(profile.kind, platform=profile.platform, match_key=profile.handle, role=role)
    if path in ("", "/") and not query and _HOST.fullmatch(host):
        return Kind("domain", match_key=host_key(host), role=role)
    return Kind("url", match_key=text, role=role)


def _as_name(text: str, *, number: str, role: str, stated: str) -> Kind | None:
    """Words: a bare handle under an account procedure, a persona's name, or a text the operation published."""
    platform = _platform_of(number)
    if (platform or text.startswith("@")) and _HANDLE.fullmatch(text):
        return Kind("account", platform=platform, match_key=clean_handle(text), role=role)
    if _under(number, "1.2", "1.3", "9.1", "9.3") and len(text.split()) <= 4 and not _NOT_A_NAME.search(text):
        return Kind("persona", match_key=" ".join(text.casefold().split()), role=role)
    if stated == "text" or _under(number, "6.1"):
        return Kind("text", match_key=text, role=role)
    return None


def _as_declared(stated: str, text: str, *, number: str, role: str) -> Kind:
    """A type stated in our own words is believed; its key is still made here."""
    if stated in ("account", "page", "group", "channel"):
        profile = find_profile(text, is_account_listed=True)
        platform = profile.platform if profile else _platform_of(number)
        return Kind(stated, platform=platform, match_key=profile.handle if profile else clean_handle(text), role=role)
    if stated in ("asset_count", "audience_count", "advert_spend"):
        return _as_number(text, number=number) or Kind(stated, role="context", problem="no number found in it")
    if stated == "persona":
        return Kind(stated, match_key=" ".join(text.casefold().split()), role=role)
    if stated in ("technique", "free_text"):
        return Kind(stated, role="context")
    return _as_hash(stated, text.lower(), role=role)
