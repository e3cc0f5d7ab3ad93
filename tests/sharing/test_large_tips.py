"""A tip of any size takes work and memory in proportion, however often it repeats itself, and is stopped where not."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_case import account, post, release

from workbench.schema import SourceError
from workbench.sharing import joins, match_indicators, read_indicators
from workbench.sharing.indicators import build_indicators
from workbench.sharing.near_text import find_near, sign_texts
from workbench.sharing.touches import _host, find_hosts, find_touches

URL_PARTS = [
    "http://", "https://", "HTTPS://", "www.", "a.com", "B.org", "..", "-", "/", "//", "%20", "?q=1", "#f", "@", ":80",
    " ", "\t", "é", "中", "[", "]", ".", "1.2.3.4", "xn--e1a.",
]  # fmt: skip
LINK = "https://lindenport.example/x"


def crowd(n=60):
    accounts = [
        account(f"id{k}", platform="twitter", handle=f"harbourfan{k}", display_name="Harbour Fan") for k in range(n)
    ]
    words = {"text": "the ferry of the east quay is late again today", "urls": [LINK]}
    return release(
        accounts, [post(f"p{k}", f"id{k}", platform="twitter", minutes=k, **words) for k in range(n)],
        name="crowd", platform="twitter",
    )  # fmt: skip


def tip(values, **more):
    return build_indicators({"indicator_value": value, **more} for value in values)


def test_what_a_tip_says_twice_is_matched_once_and_both_lines_say_so():
    report = match_indicators(tip([LINK, "https://elsewhere.example/y", LINK], declared="url"), crowd())
    assert report.hits["line"].unique().to_list() == [1]
    assert report.indicators["status"].to_list() == ["hit", "miss", "hit"]
    assert report.indicators["n_accounts"].to_list() == [60, 0, 60]
    assert report.indicators["reason"].to_list()[2].startswith("said in an earlier line")
    assert report.accounts["n_indicators"].unique().to_list() == [1]


@pytest.mark.parametrize(
    ("values", "more"),
    [
        ([f"twitter.com/harbourfan{k}" for k in range(1000, 1400)], {"procedure": "0.9.4"}),
        ([LINK] * 400, {"declared": "url"}),
        (["Harbour Fan"] * 400, {"declared": "persona"}),
        (["#ferry"] * 400, {}),
    ],
)
def test_the_touches_of_a_tip_that_repeats_itself_do_not_multiply(values, more):
    """400 lines and 60 accounts: not 24,000 pairs, but as many as 20 lines give at most."""
    report = match_indicators(tip(values, **more), crowd())
    assert report.hits.height <= joins.MAX_LINES_PER_NAME * 60


def test_numbered_handles_still_resemble_one_another():
    report = match_indicators(tip(["twitter.com/harbourfan900"], procedure="0.9.4"), crowd(3))
    assert report.hits.select("match_kind", "account_id").rows() == [("handle_stem", f"id{k}") for k in range(3)]


@pytest.mark.parametrize(
    ("values", "more", "on"),
    [
        ([f"the ferry of the east quay is late again today {k}" for k in range(40)], {"declared": "text"}, "near_text"),
        ([LINK.replace("https", scheme) for scheme in ("https", "http")], {"declared": "url"}, "url"),
    ],
)
def test_more_touches_than_can_be_held_are_refused_before_they_are_made(monkeypatch, values, more, on):
    monkeypatch.setattr(joins, "MAX_TOUCHES", 30)
    monkeypatch.setattr(joins, "_MAX_PER_ROW", 0)
    with pytest.raises(SourceError, match=rf"touch one's own data [\d,]+ times, [\d,]+ of them by the {on}"):
        find_touches(tip(values, **more), crowd(), min_similarity=0.5)


def test_a_long_list_is_built_in_parts_and_comes_out_as_in_one(monkeypatch):
    rows = [{"indicator_value": f"d{k}.example", **({"handle": "late"} if k == 6 else {})} for k in range(7)]
    whole = build_indicators(rows)
    monkeypatch.setattr("workbench.sharing.indicators._PART_ROWS", 3)
    parts = build_indicators(rows)
    assert parts.equals(whole)
    assert parts["line"].to_list() == list(range(1, 8))
    assert parts["handle"].to_list() == [None] * 6 + ["late"]
    assert build_indicators([]).height == 0


@pytest.mark.parametrize("declared", ["", "minhash"])
def test_a_signature_of_another_method_is_one_bad_row_and_no_failed_match(declared):
    rows = [{"indicator_value": "text-minhash:" + "ab" * 40, "declared": declared}, {"indicator_value": LINK}]
    report = match_indicators(build_indicators(rows), crowd())
    assert report.indicators["status"].to_list() == ["not checkable", "hit"]
    assert "another method" in report.disputes["dispute"].to_list()[0]


def test_a_file_larger_than_any_tip_is_refused_by_name(tmp_path, monkeypatch):
    (tmp_path / "huge.csv").write_text("Tactic,Technique,Procedure,Indicator\n")
    monkeypatch.setattr("workbench.sharing.formats.MAX_BYTES", 10)
    with pytest.raises(SourceError, match=r"huge\.csv: 37 bytes"):
        read_indicators(tmp_path / "huge.csv")


@given(st.lists(st.lists(st.sampled_from(URL_PARTS), max_size=6).map("".join), max_size=30))
@settings(max_examples=300, deadline=None)
def test_hosts_are_found_in_passing_as_one_by_one(urls):
    assert find_hosts(pl.Series(urls, dtype=pl.String)).to_list() == [_host(url) for url in urls]


def test_pairs_are_compared_in_parts_and_come_out_as_at_once(monkeypatch):
    texts = pl.Series([f"the ferry of harbour city leaves at {n % 9} from quay {n}" for n in range(60)])
    signatures = sign_texts(texts)
    at_once = find_near(signatures[:20], signatures, min_similarity=0.5)
    monkeypatch.setattr("workbench.sharing.near_text._PAIRS", 7)
    assert find_near(signatures[:20], signatures, min_similarity=0.5).equals(at_once)
    assert at_once.height > 60
