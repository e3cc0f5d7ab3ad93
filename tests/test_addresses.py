"""Addresses lose their teeth wherever they stand, regain them whole, and lose them only once."""

import re

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.addresses import _PIECE, _defang_piece, defang, defang_each, refang


@pytest.mark.parametrize(
    ("clear", "defanged"),
    [
        ("https://a.example/x.html?y=1", "hxxps://a[.]example/x.html?y=1"),
        ("HTTP://A.EXAMPLE/", "HXXP://A[.]EXAMPLE/"),
        ("http://192.0.2.7:80/", "hxxp://192[.]0[.]2[.]7:80/"),
        ("http://me:pw@a.example/", "hxxp://me:pw[@]a[.]example/"),
        ("http://[2001:db8::1]:80/", "hxxp://[2001[:]db8[:][:]1]:80/"),
        ("http://https://a.b9/", "hxxp://hxxps://a[.]b9/"),
        ("ftps://a.example tg://resolve?domain=lamp", "fxps://a[.]example tg[:]//resolve?domain=lamp"),
        ("ask b.c@mail.example please", "ask b.c[@]mail[.]example please"),
        ("server 192.0.2.7 down", "server 192[.]0[.]2[.]7 down"),
        ("server 2001:db8::1 down", "server 2001[:]db8[:][:]1 down"),
        ("news.ember.example", "news[.]ember[.]example"),
        ("NEWS.EMBER.EXAMPLE and Ember.Com", "NEWS[.]EMBER[.]EXAMPLE and Ember[.]Com"),
        ("xn--e1a.xn--p1ai, пример.рф", "xn--e1a[.]xn--p1ai, пример[.]рф"),
        ("ember.example/path.html", "ember[.]example/path.html"),
        ("//ember.example/path", "//ember[.]example/path"),
        ("It is at ember.example. Go", "It is at ember[.]example. Go"),
        ("at https://ember.example.", "at hxxps://ember[.]example."),
        ("看https://a.example/x，然后", "看hxxps://a[.]example/x，然后"),
        ("看a.example吧，v1.2版", "看a[.]example吧，v1.2版"),
        ("https://a.example，他说v1.2版", "hxxps://a[.]example，他说v1.2版"),
        (
            "https://web.archive.example/web/2019/http://bad.example/bbc.html",
            "hxxps://web[.]archive[.]example/web/2019/hxxp://bad[.]example/bbc.html",
        ),
        ("https://old.example/2019/www.bad.example", "hxxps://old[.]example/2019/www[.]bad[.]example"),
        ("https://old.example/2019/bad.example/x", "hxxps://old[.]example/2019/bad[.]example/x"),
        ("https://go.example/?u=bad.example&t=bbc.html", "hxxps://go[.]example/?u=bad[.]example&t=bbc.html"),
        (
            "https://go.example/?u=https%3A%2F%2Fbad.example%2Fx",
            "hxxps://go[.]example/?u=hxxps%3A%2F%2Fbad[.]example%2Fx",
        ),
    ],
)
def test_defanging_and_back(clear, defanged):
    assert defang(clear) == defanged
    assert defang(defanged) == defanged
    assert refang(defanged) == clear


@pytest.mark.parametrize(
    "text",
    [
        "版本 1.2.3 在 12:30:45",
        "no address here. At all",
        "0.9.11.0 Creating online petitions",
        "see bbc.html, tweets.csv.gz and data/part.one.csv",
        "follow @jane.doe and @a",
        "Well... and e.g. 3.5mm :: ratio 2:1",
        "a@b",
        "[.] [@] ... .",
    ],
)
def test_what_is_no_address_stays(text):
    assert defang(text) == text


def test_what_is_defanged_in_part_is_finished():
    assert defang("hxxps[:]//a.example/x and b(.)bad.example") == "hxxps[:]//a[.]example/x and b(.)bad[.]example"
    assert defang("x.bad[.]example") == "x[.]bad[.]example"
    assert defang("http:\\/\\/a.example\\/x") == "hxxp:\\/\\/a[.]example\\/x"


@pytest.mark.parametrize(
    "written",
    ["hxxps://a[.]example/x", "hXXps://a(.)example/x", "h**ps://a{.}example/x", "https[:]//a[dot]example/x",
     "hxxps[://]a\\.example/x", "hxxps://a[.example/x", "hxxps[:]//a [.] example/x"],
)  # fmt: skip
def test_refanging_knows_the_usual_styles(written):
    assert refang(written) == "https://a.example/x"
    assert refang(f"看{written}") == "看https://a.example/x"


PLAIN = r"(https?|HTTPS?|ftps?|tg)://([a-z0-9]{1,8}\.){1,3}[a-z]{2,6}(:[0-9]{2})?(/[a-z0-9.\-_~%@]{0,8})?(\?[a-z]=[a-z.]{0,8})?"
ADDRESSES = st.one_of(
    st.from_regex(PLAIN, fullmatch=True),
    st.from_regex(rf"{PLAIN}/{PLAIN}", fullmatch=True),
    st.from_regex(r"[a-z0-9._+\-]{1,8}@([a-z0-9]{1,8}\.){1,2}[a-z]{2,6}", fullmatch=True),
    st.ip_addresses().map(str),
    st.from_regex(r"([a-zé中]{1,8}\.){1,3}(com|example|COM|рф)", fullmatch=True),
)


@settings(deadline=None)
@given(ADDRESSES)
def test_refanging_gives_any_address_back(address):
    assert refang(defang(address)) == address


@settings(deadline=None)
@given(st.lists(st.one_of(ADDRESSES, st.text(max_size=20)), max_size=4).map(" ".join))
def test_defanging_twice_changes_nothing_and_leaves_no_link(text):
    once = defang(text)

    assert defang(once) == once
    assert not re.search(r"(?i)(https?|ftp)://", once)


@pytest.mark.parametrize("unit", ["a", "a.", "1.", "a@", "a:", "看a", "-", "https://a.", "h://", "a.b/", "xn--", "[.]"])
def test_a_word_as_long_as_a_book_is_read_in_one_go(unit):
    """Where the time grows with the square of the length, this takes minutes."""
    word = unit * (100_000 // len(unit))
    once = defang(word)

    assert defang(once) == once
    assert len(refang(once)) <= len(word)


@given(st.lists(st.sampled_from([*"a1:/.@%?-+_ é中", "..", "://", ":\\/", "%3A%2F%2F", "[.]", "[:]", "10.0.0.1", "fe80",
                                 "::1", "http", "b.c", "com", "\n", "www.", "0:", "ff:"]), max_size=12))  # fmt: skip
@settings(max_examples=300, deadline=None)
def test_a_text_told_at_once_to_hold_no_address_holds_none(parts):
    text = "".join(parts)
    assert defang(text) == _PIECE.sub(_defang_piece, text)


PIECES = ["http://", "https://", "HTTP://", "hxxps://", "a", "9", "-", "_", ".", "..", "example", "com", "/", "//", "?",
          "#", "=", "%3A%2F%2F", "%", "@", "[.]", "[.]", ":", "::", "192.0.2.7", " ", "\n", "中", "html", "www.",
          "hxxps://a[.]", "example[.]com", "/x"]  # fmt: skip


@given(st.lists(st.lists(st.sampled_from(PIECES), max_size=9).map("".join) | st.none(), max_size=20))
def test_a_column_is_defanged_like_its_cells(texts):
    found = defang_each(pl.Series("url", texts, dtype=pl.String))
    assert found.to_list() == [None if text is None else defang(text) for text in texts]
    assert found.name == "url"
