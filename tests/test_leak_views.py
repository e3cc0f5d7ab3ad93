"""A text read block by block and line by line shows what it shows read at once."""

import html
import urllib.parse

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench import leak_views
from workbench.addresses import refang
from workbench.leak_views import View, _refang_lines, decode_views, find_words, read_pieces

PARTS = [
    *"ab[](){}. \n\\:/,@x7é中ſ", "\n", "dot", "at", "\\.", "[:]", "[/]", "//", "hxxp", "hxxps://", "https://", "HTTP://",
    "h**ps", "fxp://", "%3A%2F%2F", "&amp;", "&#64;", "%40", "\\u0040", "\x1c", "\r\n", "[.]", "(at)", "ps[", "sftp:/",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(PARTS), max_size=16).map("".join)


@pytest.fixture(scope="module", autouse=True)
def small_blocks():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(leak_views, "_BLOCK_CHARACTERS", 6)
        yield


def at_once(text):
    """The views as four passes over the whole text make them."""
    views = [text]
    for decode in (html.unescape, leak_views._unescape_json, urllib.parse.unquote, refang):
        decoded = decode(views[-1])
        if decoded != views[-1]:
            views.append(decoded)
    return views


@given(TEXTS)
@settings(max_examples=500, deadline=None)
def test_views_by_block_are_the_views_of_the_whole(text):
    assert list(decode_views(text).values()) == at_once(text)


@given(TEXTS)
@settings(max_examples=500, deadline=None)
def test_the_pieces_hold_every_line_of_every_view(text):
    pieces = {line for _, piece in read_pieces(text) for line in piece.split("\n")}
    assert pieces >= {line for view in at_once(text) for line in view.split("\n")}


@given(TEXTS)
@settings(max_examples=200, deadline=None)
def test_words_of_the_pieces_are_the_words_of_the_views(text):
    wanted = {"a", "b", "ab", "x7", "é", "中", "aé", "7", "x", "dot", "at", "hxxp", "a中", "aſ"}
    by_piece = {word for _, piece in read_pieces(text) for word in find_words(piece, wanted)}
    assert by_piece == {word for view in at_once(text) for word in find_words(view, wanted)}


def test_a_name_over_two_lines_is_in_one_piece(monkeypatch):
    text = "tram\nfan " * 5
    assert sum(piece.count("tram\nfan") for _, piece in read_pieces(text)) >= 5

    monkeypatch.setattr(leak_views, "_BLOCK_CHARACTERS", 100)
    pieces = [piece for stage, piece in read_pieces(text + "Tram &amp; Bus\nFan") if stage]
    assert len(pieces) == 1
    assert "Tram & Bus\nFan" in pieces[0]


def test_a_word_behind_a_decimal_point_is_none_unless_it_stands_elsewhere_too():
    assert find_words("0.trams and 3.trams", {"trams"}) == []
    assert find_words("0.trams and trams", {"trams"}) == ["trams"]
    assert find_words("电车trams好 Trams", {"trams", "电车trams好"}) == ["Trams", "trams", "电车trams好"]


@pytest.mark.parametrize(
    ("text", "value", "is_meant"),
    [
        ('{"accounts": [\n {"id": "ember"},\n "port"]}', "port", True),
        ('{"places": [\n "port"], "accounts": []}', "port", False),
        ('{"n": 1,\n_account_id": "port"}', "port", False),
        ("place,author\nport,ember\n", "ember", True),
        ("place,author\nport,ember\n", "port", False),
        ("t.me/s/port", "port", True),
        ("tt.example/port", "port", False),
    ],
)
def test_where_a_word_means_an_account(text, value, is_meant):
    assert View(text).means_account(value, is_common=True) == is_meant


SIGNS = ["hxxp://", "hxxps://", "http://", "[.]", "[.", "(.)", ".]", "a", "b.c", "9", "\\", "[", "]", "(", " ", "\t",
         "\x1d", "\u00a0", "\n", "[:]", "dot", "at", "@", "[@]", "f", "ps:", "hxxp", "HXXP", "%3A", "[/]", "é",
         "中", "\u017f", "\u212a"]  # fmt: skip


@settings(max_examples=500)
@given(st.lists(st.sampled_from(SIGNS), max_size=14).map("".join))
def test_lines_in_our_own_style_are_read_at_once_as_one_by_one(text):
    assert _refang_lines(text) == refang(text)


def test_a_run_of_letters_longer_than_any_name_is_none_and_hides_none():
    assert find_words(f"{'f' * 512} linden-{'é' * 40}linden42", {"linden", "linden42"}) == ["linden", "linden42"]
