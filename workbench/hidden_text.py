"""Texts without the names in them: mentions, links to profiles, handles and names as plain words, mail and phones."""

from __future__ import annotations

import re
from collections.abc import Callable

import polars as pl

from workbench.profile_links import HOSTS, PROFILE_LINK, rewrite_profile_link
from workbench.pseudonyms import Names
from workbench.spoken_names import find_site_name, find_standing

_INVISIBLE = r"[\x{200B}-\x{200F}\x{2060}\x{FEFF}\x{AD}]"
_AT = r"(?:@|%(?:25)*40)"
_DISGUISED_AT = rf"(?:&#0*64;|&#[xX]0*40;|&commat;|[@＠]|\\u0040){_INVISIBLE}*"
_WIDE = "０-９Ａ-Ｚａ-ｚ＿"
_HAN = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}"
_TWITTER_MENTION = rf"{_AT}(?:[A-Za-z0-9_{_WIDE}]+(?:\.[a-z0-9_]+)*|[\w&&[^\x00-\x7F]][\w\-]{{0,29}})"
_OTHER_MENTION = rf"{_AT}\w(?:[\w.\-]*\w)?(?:@[\w\-]+(?:\.[\w\-]+)+)?"
_REDDIT_MENTION = r"\bu/[\w\-]{3,20}"
_HOST_OF_A_LINK = r"\bhttps?://[A-Za-z0-9_.\-]+"
_NAME, _LABEL = rf"[\w.+\-%&&[^{_HAN}]]", rf"[\w\-&&[^{_HAN}]]"
_EMAIL = rf"{_NAME}+(?:@|%(?:25)*40|\s?[\[(]\s?(?:@|at)\s?[\])]\s?){_LABEL}+(?:(?:\.|\[\.\]){_LABEL}+)+"
_PHONE = (
    r"\+\d[\d\s().\-]{6,16}\d|\b1[3-9]\d{9}\b|\(\d{3}\)\s?\d{3}[\s\-.]\d{4}\b|\b\d{3}[\-.]\d{3}[\-.]\d{4}\b"
    r"|(?:(?i:\b(?:tel|phone|call|fax|whatsapp))|电话|電話|手机|手機)\s?[:：.]?\s?\(?\d[\d\s().\-]{5,16}\d"
)
_CONTACT = r"(?i:微信号?|wechat|weixin|qq|skype|line id)\s?[:：]\s?[A-Za-z0-9_.\-]{4,30}"
LOOSE_PHONE = r"\+?\d[\d\s().\-]{6,}\d"
"""In a profile, any long row of digits may be a phone number."""
_MARK, _TOKEN = "\x00", "\x01"


def protect_text(texts: pl.Series, names: Names) -> pl.Series:
    """Return texts without what names somebody who may not be named, or leads to them.

    One pass each, on the texts that have any: together the patterns have no literal to search for and take minutes.
    """
    texts = _protect_addresses(texts, names, show_word=names.show_word)
    text = pl.col("text")
    texts = _replace_inside(texts, _PHONE, text.str.contains(r"\d[\d\s().\-]{5,}\d"), lambda _: "[phone]")
    return _replace_inside(texts, _CONTACT, text.str.contains(r"[:：]"), lambda _: "[contact]")


def find_mail_and_phones(texts: pl.Series) -> dict[str, pl.Series]:
    """Return the distinct e-mail addresses and telephone numbers written in texts, under "e-mail" and "phone"."""
    texts = texts.drop_nulls().unique().str.replace_all("＠", "@")
    phones = texts.filter(texts.str.contains(r"\d[\d\s().\-]{5,}\d")).str.extract_all(_PHONE)
    mails = texts.filter(texts.str.contains("@", literal=True)).str.extract_all(_EMAIL)
    return {
        "e-mail": mails.explode().drop_nulls().unique().sort(),
        "phone": phones.explode().drop_nulls().str.extract(r"(\+?\(?\d.*)").drop_nulls().unique().sort(),
    }


def protect_urls(urls: pl.Series, names: Names) -> pl.Series:
    """Return addresses without names. Numbers and plain words in them are no phones and no handles."""
    return _protect_addresses(urls, names, show_word=names.show_unlike_word)


def _protect_addresses(texts: pl.Series, names: Names, *, show_word: Callable[[str], str]) -> pl.Series:
    text = pl.col("text")
    mention = _TWITTER_MENTION if names.platform == "twitter" else _OTHER_MENTION
    if names.platform == "reddit":
        mention = rf"{mention}|{_REDDIT_MENTION}"

    def show_link(link: str) -> str:
        return rewrite_profile_link(link, show_name=names.show_mention, show_post=names.show_post)

    texts = _undisguise(texts)
    texts = _replace_inside(
        texts, PROFILE_LINK, text.str.contains_any(list(HOSTS), ascii_case_insensitive=True), show_link
    )
    has_at = text.str.contains_any(["@", "u/", "40", "(at)", "[at]", "[@]", "( at )"], ascii_case_insensitive=True)
    texts = _replace_inside(texts, rf"{mention}|{_EMAIL}", has_at, lambda token: _show_at(token, names))
    texts = _replace_inside(texts, r"\d{7,}", text.str.contains(r"\d{7}"), names.show_number)
    texts = _replace_names(texts, names.spelled_phrases, ignores_case=True)
    texts = _replace_names(texts, names.spelled_names)
    words = sorted(names.telling_handles | names.spoken_words.keys())
    if not words:
        return texts
    has_word = text.str.contains_any(words, ascii_case_insensitive=True)
    return _replace_inside(
        texts, rf"{_HOST_OF_A_LINK}|[A-Za-z0-9_]+", has_word, lambda word: _show_part(word, show_word)
    )


def _show_part(part: str, show_word: Callable[[str], str]) -> str:
    """A word; of a link's host the names before the site's own, which is no account's."""
    scheme, colon, host = part.partition("://")
    if not colon:
        return show_word(part)
    site = find_site_name(host)
    before = host.removesuffix(site)
    return scheme + colon + re.sub(r"[A-Za-z0-9_]+", lambda word: show_word(word[0]), before) + site


def _undisguise(texts: pl.Series) -> pl.Series:
    """Write signs that only look like @ or a dot as what they stand for; a text without such a sign is not searched."""
    signs = [*_DISGUISES_OF_AT, *_INVISIBLE_SIGNS, *_DISGUISES_OF_DOT]
    return _change_where(texts, signs, _undisguise_each)


def _undisguise_each(texts: pl.Series) -> pl.Series:
    texts = _replace_where(texts, _DISGUISED_AT, "@", signs=[*_DISGUISES_OF_AT, *_INVISIBLE_SIGNS])
    glued = rf"([A-Za-z0-9_]){_INVISIBLE}+([A-Za-z0-9_])"
    texts = _replace_where(texts, glued, "${1}${2}", signs=_INVISIBLE_SIGNS)
    return _replace_where(texts, _DISGUISED_HOST, "${1}.${2}", signs=_DISGUISES_OF_DOT)


def _replace_where(texts: pl.Series, pattern: str, instead: str, *, signs: list[str]) -> pl.Series:
    return _change_where(texts, signs, lambda found: found.str.replace_all(pattern, instead))


def _change_where(texts: pl.Series, signs: list[str], change: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """Change the texts that hold any of the signs, all of them at once."""
    has_sign = texts.str.contains_any(signs, ascii_case_insensitive=True).fill_null(value=False)
    if not has_sign.any():
        return texts
    changed = change(texts.filter(has_sign))
    return texts.clone().scatter(has_sign.arg_true(), changed)  # the clone: it writes into what it is asked of


_DISGUISES_OF_AT = ["&#", "&commat;", "＠", "\\u0040"]
_INVISIBLE_SIGNS = [chr(code) for code in (*range(0x200B, 0x2010), 0x2060, 0xFEFF, 0xAD)]
_DISGUISES_OF_DOT = ["。", "．", "｡", "[.]", "(.)", "{.}", "[dot]", "%2e"]
"""Any of them stands in a text that one of the patterns below finds; none but @ itself is replaced by itself."""
_DISGUISED_HOST = (
    r"(?i)\b("
    + "|".join(sorted({re.escape(host.rpartition(".")[0]) for host in HOSTS}))
    + r")(?:[。．｡]|\[\.\]|\(\.\)|\{\.\}|\[dot\]|%2e)("
    + "|".join(sorted({host.rpartition(".")[2] for host in HOSTS}))
    + r")\b"
)


def _show_at(token: str, names: Names) -> str:
    sign = re.match(r"@|%(?:25)*40|u/", token)
    if sign is None:
        return "[e-mail]"
    name, dot, tail = token[sign.end() :].partition(".")
    if names.platform == "twitter" and dot and names.is_known(name):
        # A full stop without a space behind it ends the name where the shorter one is an account.
        return f"{sign[0]}{names.show_mention(name)}.{tail}"
    return sign[0] + names.show_mention(token[sign.end() :])


def _replace_names(texts: pl.Series, shown: dict[str, str], *, ignores_case: bool = False) -> pl.Series:
    """Write what is shown instead of names; where case is ignored, the names are in lower case."""
    if not shown:
        return texts
    holds = texts.str.contains_any(list(shown), ascii_case_insensitive=ignores_case).fill_null(value=False)
    hits = texts.filter(holds).unique()
    if hits.is_empty():
        return texts
    held = hits.str.extract_many(list(shown), overlapping=True, ascii_case_insensitive=ignores_case)
    changed = [_write_names(text, inside, shown) for text, inside in zip(hits, held, strict=True)]
    return texts.replace(hits, pl.Series(changed, dtype=pl.String))


def _write_names(text: str, inside: pl.Series, shown: dict[str, str]) -> str:
    """The longest first: a name may hold another."""
    for name in sorted(set(inside), key=lambda name: (-len(name), name)):
        for at in reversed(find_standing(name, text)):
            text = text[:at] + (shown.get(name) or shown[name.lower()]) + text[at + len(name) :]
    return text


def _replace_inside(texts: pl.Series, pattern: str, where: pl.Expr, change: Callable[[str], str]) -> pl.Series:
    """Cut the texts at what the pattern matches, change each distinct match once, join again."""
    frame = texts.alias("text").to_frame().with_row_index("at")
    cut = frame.filter(where).with_columns(
        pl.col("text")
        .str.replace_all(rf"[{_MARK}{_TOKEN}]", "\ufffd")
        .str.replace_all(rf"({pattern})", f"{_MARK}{_TOKEN}${{1}}{_MARK}")
        .str.split(_MARK)
    )
    matches = cut["text"].explode().drop_nulls()
    matches = matches.filter(matches.str.starts_with(_TOKEN)).unique()
    if matches.is_empty():
        return texts
    changed = pl.Series([change(match) for match in matches.str.slice(1)], dtype=pl.String)
    rejoined = cut.with_columns(pl.col("text").list.eval(pl.element().replace(matches, changed)).list.join(""))
    spread = frame.join(rejoined, on="at", how="left", maintain_order="left")
    return spread.select(pl.coalesce("text_right", "text").alias(texts.name)).to_series()
