import polars as pl
import pytest

from workbench.languages import clean_texts, name_languages, simplify_chinese


@pytest.mark.parametrize(
    ("text", "given", "expected"),
    [
        ("the tram is late again this morning", None, "en"),
        ("the tram is late again this morning", "es", "es"),
        ("selamat pagi semua", "in", "id"),
        ("电车今天停用", None, "zh-Hans"),
        ("電車今天停用", "zh", "zh-Hant"),
        ("電車は今日とまります", None, "ja"),
        ("😀😀🚋", None, "und"),
        ("😀", "und", "und"),
        ("https://x.example/the-tram-is-late @the_tram_is_late", None, "und"),
        ("", None, "und"),
        (None, None, "und"),
        ("好", "zh-tw", "zh-Hant"),
        ("好", "zh", "zh-Hans"),
    ],
)
def test_language_of(text, given, expected):
    assert name_languages([text], given=pl.Series([given], dtype=pl.String)).to_list() == [expected]


def test_half_surrogates_become_question_marks():
    assert clean_texts(["a\ud800b", None]) == ["a?b", ""]
    assert name_languages(["\ud800"]).to_list() == ["und"]


def test_simplifying_leaves_other_scripts_alone():
    assert simplify_chinese(["電車 tram", "tram", "трамвай"]) == ["电车 tram", "tram", "трамвай"]


def test_scripts_are_left_out_where_nobody_asks_and_mixed_rows_keep_their_order():
    texts = ["電車今天停用", "the tram is late again this morning", None, "好", "電車今天停用"]
    given = pl.Series(["zh-tw", None, "in", "und", None], dtype=pl.String)
    assert name_languages(texts, given=given).to_list() == ["zh-Hant", "en", "id", "und", "zh-Hant"]
    assert name_languages(texts, given=given, tells_scripts=False).to_list() == ["zh", "en", "id", "und", "zh"]
