import csv
import io
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.report_csv import BYTE_ORDER_MARK, make_data_link, write_csv
from workbench.report_text import (
    defang_cell,
    embed_json,
    is_number_column,
    show_cell,
    show_number,
    show_plain,
    show_text,
)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("a & b", "a &amp; b"),
        ("https://ferry.example/x", "hxxps://ferry[.]example/x"),
        ("tweets.csv", "tweets.csv"),
        ("https://ferry.example/a.html", "hxxps://ferry[.]example/a.html"),
        (
            "https://archive.example/web/https://ferry.example/a",
            "hxxps://archive[.]example/web/hxxps://ferry[.]example/a",
        ),
        ("abc\u202edef", "abc⟨U+202E⟩def"),
        ("渡轮 timetable", '<span lang="zh-Hans">渡轮</span> timetable'),
        ("العبارة", '<bdi lang="ar" dir="rtl">العبارة</bdi>'),
        ("e" + "\u0301" * 40, "e" + "\u0301" * 3),
    ],
)
def test_text_is_shown_harmless(text, html):
    assert str(show_text(text)) == html


def test_long_text_is_cut_and_says_so():
    html = str(show_text("x" * 100_000))
    assert len(html) < 800
    assert "100,000 characters in all; whole in the CSV" in html


@given(st.text())
def test_no_text_can_open_a_tag_or_hide_its_direction(text):
    html = str(show_text(text))
    html = re.sub(r'<(?:span|bdi) lang="[a-zA-Z-]+"(?: dir="rtl")?>|<span class="cut">|</(?:span|bdi)>', "", html)
    assert "<" not in html
    assert ">" not in html
    assert not set(html) & set("\u202a\u202b\u202d\u202e\u2066\u2067\u2068\x00")


@pytest.mark.parametrize(
    ("value", "column", "shown"),
    [
        (None, "n_posts", '<span class="none">–</span>'),
        (True, "is_core", "yes"),
        (False, "is_core", "no"),
        (1234567, "n_posts", "1,234,567"),
        (2.0, "n_posts", "2"),
        (0.1234, "posts_frac", "12.3%"),
        (0.0004, "posts_frac", "&lt; 0.1%"),
        (0, "posts_frac", "0.0%"),
        (1e-9, "fdr", "&lt; 0.001"),
        (0.05, "fdr", "0.05"),
        (1234.56, "strength", "1,234.6"),
        (27.31, "ratio", "27.3"),
        (2031, "year", "2031"),
    ],
)
def test_cells_show_numbers_as_their_column_says(value, column, shown):
    assert str(show_cell(value, column=column)) == shown


def test_number_columns_are_those_with_nothing_but_numbers():
    rows = ({"a": 1, "b": "x", "c": None, "d": True}, {"a": None, "b": 2, "c": None, "d": False})
    assert [is_number_column(rows, column) for column in "abcd"] == [True, False, False, False]
    assert show_number(12, column="n") == "12"


def test_plain_text_for_attributes_has_no_invisible_characters():
    assert show_plain("a\u202eb https://x.example") == "a⟨U+202E⟩b hxxps://x[.]example"
    assert defang_cell("package.zip") == "package.zip"
    assert defang_cell("get package.zip; now") == "get package[.]zip; now"


@given(
    st.recursive(
        st.text() | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_embedded_json_cannot_end_its_script_and_reads_back(value):
    text = str(embed_json(value))
    assert not set(text) & set("<>&\u2028\u2029")
    assert json.loads(text) == value


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r", " =", "＝", "＠"])
def test_no_text_starts_a_formula(start):
    text = write_csv(({"name": f"{start}cmd|' /C calc'!A0"},))
    cell = list(csv.reader(io.StringIO(text.removeprefix(BYTE_ORDER_MARK))))[1][0]
    assert cell.startswith("'")


def test_csv_keeps_numbers_and_quotes_text():
    text = write_csv(
        ({"=name": 'a "quoted", one', "n": -5, "none": None}, {"=name": "two\nlines", "n": 0.5, "none": ""})
    )
    rows = list(csv.reader(io.StringIO(text.removeprefix(BYTE_ORDER_MARK), newline="")))
    assert rows == [["'=name", "n", "none"], ['a "quoted", one', "-5", ""], ["two\nlines", "0.5", ""]]
    assert write_csv(()) == BYTE_ORDER_MARK + "\r\n"


def test_csv_defangs_and_travels_as_a_data_link():
    text = write_csv(({"link": "https://ferry.example/a"},))
    assert "hxxps://ferry[.]example/a" in text
    assert make_data_link("a").startswith("data:text/csv;charset=utf-8;base64,YQ")
