"""E-mail addresses, telephone numbers and IP addresses of a tip, looked for in one's own texts and profiles."""

from __future__ import annotations

import polars as pl

from workbench.schema import Release

CONTACT_TYPES = ("email", "phone", "ip")
_WRITTEN = {
    "email": r"(?i)[a-z0-9._%+\-]+@[a-z0-9\-]+(?:\.[a-z0-9\-]+)+",
    "phone": r"\+?\(?\d[\d\s().\-]{5,18}\d",
    "ip": r"\b\d{1,3}(?:\.\d{1,3}){3}\b",
}
_MIN_DIGITS = 8
"""A number is the same from its end on: at home it is written without the country, with a 0 before it."""


def find_contacts(wanted: pl.DataFrame, release: Release) -> pl.DataFrame:
    """Return who wrote a wanted contact, in a post or in the profile (post_id null there).

    Args:
        wanted: line, indicator_type and match_key of indicators; other types than `CONTACT_TYPES` are left out.
        release: one's own data, as loaded: `protect_release` blots contacts out.

    Returns:
        line, match_kind (the indicator's type), account_id, post_id.
    """
    texts = _texts(release)
    found = [_find(wanted.filter(indicator_type=kind), texts, kind) for kind in CONTACT_TYPES]
    return pl.concat(found).unique()


def _texts(release: Release) -> pl.DataFrame:
    posts = release.posts.select("account_id", "post_id", text=pl.col("text"))
    links = release.posts.select("account_id", "post_id", text=pl.col("urls").list.join(" "))
    said = pl.concat_str("display_name", "description", "location", separator=" | ", ignore_nulls=True)
    profiles = release.accounts.select("account_id", pl.lit(None, dtype=pl.String).alias("post_id"), text=said)
    joined = pl.concat([posts, links, profiles]).drop_nulls("text")
    return joined.with_columns(pl.col("text").str.replace_all("＠", "@"))


def _find(wanted: pl.DataFrame, texts: pl.DataFrame, kind: str) -> pl.DataFrame:
    keys = wanted.select("line", key=_key(pl.col("match_key"), kind)).drop_nulls()
    written = (
        texts.filter(pl.col("text").str.contains(_WRITTEN[kind]))
        if keys.height
        else texts.clear()
    ).with_columns(key=pl.col("text").str.extract_all(_WRITTEN[kind]))  # fmt: skip
    own = written.explode("key").with_columns(key=_key(pl.col("key"), kind)).drop_nulls("key")
    hits = keys.join(own, on="key", how="inner")
    return hits.select("line", pl.lit(kind).alias("match_kind"), "account_id", "post_id")


def _key(written: pl.Expr, kind: str) -> pl.Expr:
    """What is compared; null for a telephone number too short to be anybody's."""
    if kind != "phone":
        return written.str.to_lowercase()
    digits = written.str.replace_all(r"\D", "").str.strip_chars_start("0")
    return pl.when(digits.str.len_chars() >= _MIN_DIGITS).then(digits.str.tail(_MIN_DIGITS))
