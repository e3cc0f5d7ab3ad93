"""Normal forms: what counts as the same text and the same address."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.text import _canonical_url, canonical_url, normalise_text


def normalised(text: str | None) -> str | None:
    return pl.select(normalise_text(pl.lit(text, dtype=pl.String))).item()


def canonical(url: str | None) -> str | None:
    return pl.select(canonical_url(pl.lit(url, dtype=pl.String))).item()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The Lantern  Festival\nopens!", "the lantern festival opens!"),
        ("RT @harbour_news: The tram is late", "the tram is late"),
        ("The tram is late https://tram.example/a?b=1", "the tram is late"),
        ("@one @two The tram is late", "the tram is late"),
        ("The tram is late x8f3a21", "the tram is late"),
        ("The tram is late in 2019", "the tram is late in 2019"),
        ("ＴＨＥ　ＴＲＡＭ　＃港口", "the tram #港口"),
        ("电车晚点了", "电车晚点了"),
        ("@harbour_7电车晚点了", "电车晚点了"),
        ("电车晚点了https://t.example/a1", "电车晚点了"),
        ("看https://t.example/a1，电车晚点了", "看 电车晚点了"),
        ("https://t.example/a1电车晚点了", "电车晚点了"),
        ("@tram@social.example 电车晚点了", "电车晚点了"),
        ("a\u200bb", "a b"),
        ("98765432", "98765432"),
        ("https://tram.example", None),
        ("  ", None),
        (None, None),
    ],
)
def test_normalise_text(text, expected):
    assert normalised(text) == expected


@given(st.text(max_size=60))
def test_normalising_twice_changes_nothing_more_than_once_for_plain_words(text):
    words = " ".join(part for part in text.split() if part.isalpha() and part.isascii())
    once = normalised(words)
    assert once is None or normalised(once) == once


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("HTTP://WWW.Tram.Example:80/Line/?utm_source=x&b=2&a=1#top", "https://tram.example/Line?a=1&b=2"),
        ("https://tram.example/line/", "https://tram.example/line"),
        ("tram.example/line", "https://tram.example/line"),
        ("https://sho.rt/AbC?fbclid=1", "https://sho.rt/AbC"),
        ("https://tram.example:8443/", "https://tram.example:8443"),
        ("https://电车.example/线路", "https://电车.example/%E7%BA%BF%E8%B7%AF"),
        ("https://tram.example/%E7%BA%BF", "https://tram.example/%E7%BA%BF"),
        ("bc46f3cae46cd007", "bc46f3cae46cd007"),
        ("https://[broken", "https://[broken"),
        ("https://tram.example:99999/", "https://tram.example:99999/"),
        ("https:///only/path", "https:///only/path"),
        ("   ", None),
        (None, None),
    ],
)
def test_canonical_url(url, expected):
    assert canonical(url) == expected


URL_PARTS = [
    "http://", "https://", "HTTPS://", "www.", "a.com", "B.org", "x.y.z", "..", "-", "/", "//", "a", "%20", "?q=1",
    "?b=2&a=1", "#f", "@", "user:p@", ":80", ":443", ":8080", " ", "\t", "é", "中", ";", "=", "'", "[", "]", "&", ".",
    "utm_source=1", "1.2.3.4", "xn--e1a.",
]  # fmt: skip


@given(st.lists(st.lists(st.sampled_from(URL_PARTS), max_size=6).map("".join), max_size=30))
@settings(max_examples=300, deadline=None)
def test_plain_addresses_are_made_canonical_in_passing_as_one_by_one(urls):
    made = pl.DataFrame({"url": urls}, schema={"url": pl.String}).select(canonical_url(pl.col("url"))).to_series()
    assert made.to_list() == [_canonical_url(url) for url in urls]
