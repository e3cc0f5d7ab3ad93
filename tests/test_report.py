import base64
import csv
import gzip
import html
import os
import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import invented
import invented_case
import pytest

from workbench.findings import SECTIONS, Citation, Claim, Confidence, Figure, Findings, Section, TableView
from workbench.report import MOST_CSV_BYTES, _pack, render_page, render_report
from workbench.schema import ParameterError, SchemaError

VOID = {"meta", "br", "hr", "img", "input", "link", "rect", "path", "line", "circle", "stop"}


@pytest.fixture(scope="module")
def page() -> str:
    return render_page(invented_case.findings())


def small(*sections: Section, **changes) -> Findings:
    return Findings(replace(invented.about(), **changes), sections)


def test_the_page_is_well_formed_and_has_one_of_each_id(page):
    open_tags, ids = [], []

    class Checker(HTMLParser):
        def handle_starttag(self, tag, attrs):
            ids.extend(value for name, value in attrs if name == "id")
            if tag not in VOID:
                open_tags.append(tag)

        def handle_endtag(self, tag):
            if tag not in VOID:
                assert open_tags.pop() == tag

    Checker().feed(page)
    assert open_tags == []
    assert len(ids) == len(set(ids))


def test_every_inner_link_leads_somewhere(page):
    ids = set(re.findall(r' id="([^"]+)"', page))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= ids


def test_sections_come_in_the_fixed_order_and_absent_ones_say_why(page):
    assert re.findall(r'<section id="(\w+)"', page) == list(SECTIONS)
    assert page.count("Not part of this run: no notebook handed this section its tables.") == 5


def test_headings_do_not_skip_a_level(page):
    levels = [int(level) for level in re.findall(r"<h([1-6])", page)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_nothing_is_loaded_from_anywhere(page):
    body = re.sub(r"<script>.*?</script>", "", page, flags=re.S)
    assert not re.findall(r'\s(?:src|srcset|data|action|poster)="', body)
    assert "<link" not in body
    assert not re.findall(r"url\((?!#)", body)
    assert set(re.findall(r'href="(https?://[^"]+)"', body)) == {"https://harbour-platform.example/statement"}


def test_the_policy_admits_two_hashed_blocks_and_nothing_else(page):
    policy = html.unescape(re.search(r'Content-Security-Policy" content="([^"]+)"', page).group(1))
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    assert page.count("<style>") == 1
    assert page.count("<script>") == 1
    assert ' style="' not in page


def test_the_same_findings_give_the_same_bytes(page, tmp_path):
    again = Findings.from_json(invented_case.findings().to_json())
    assert render_page(again) == page


def test_a_report_is_one_small_file_with_tables_and_record_beside_it(tmp_path):
    record = invented_case.findings()
    path = render_report(record, tmp_path / "case")
    assert path == tmp_path / "case" / "report.html"
    assert path.stat().st_size < 3_000_000
    assert Findings.load(tmp_path / "case" / "findings.json") == record
    tables = {table.stem for table in (tmp_path / "case" / "tables").iterdir()}
    assert {"decisions", "cluster_members", "posts_over_time", "method_card"} <= tables
    with (tmp_path / "case" / "tables" / "cluster_members.csv").open(encoding="utf-8-sig", newline="") as file:
        assert len(list(csv.DictReader(file))) == 67


def test_a_file_is_no_place_for_a_report(tmp_path):
    with pytest.raises(ParameterError, match="Expected a folder"):
        render_report(small(), tmp_path / "report.html")


def test_every_claim_carries_denominator_confidence_and_rung(page):
    record = invented_case.findings()
    claims = [claim for section in record.sections for claim in section.all_claims]
    text = html.unescape(re.sub(r"<[^>]+>", "", page))
    assert page.count('<div class="claim">') == len(claims)
    for claim in claims:
        assert claim.denominator in text
        assert claim.confidence.basis in text


def test_synthetic_data_is_labelled_at_the_top_and_at_every_chart(page):
    assert '<aside class="banner" aria-label="Synthetic data">' in page
    figures = sum(len(section.figures) for section in invented_case.findings().sections)
    assert page.count("<strong>Synthetic data.</strong>") == figures + 1
    assert 'class="banner"' not in render_page(small(is_synthetic=False))


def test_an_empty_record_is_an_honest_page():
    page = render_page(small())
    assert "No section of this run made a claim" in page
    assert "No provenance was recorded" in page
    assert "Nothing was left out on the way" in page
    assert "script-src 'none'" in html.unescape(page)


def test_a_correction_says_its_version_day_reason_and_what_differs():
    correction = {"version": 2, "day": "2031-07-01", "reason": "A newsroom was no part of it.", "changes": ["a count."]}
    page = render_page(replace(small(), provenance={"version": 2, "corrections": [correction]}))
    assert "Version 2, 2031-07-01: A newsroom was no part of it." in page
    assert "<li>a count.</li>" in page
    page = render_page(replace(small(), provenance={"corrections": [correction | {"reason": "", "changes": []}]}))
    assert "Version 2, 2031-07-01: no reason was given" in page
    assert "Nothing in the findings, tables, figures or parameters differs" in page


def test_who_can_answer_is_told_where():
    assert "asked to set one with the parameter" in render_page(small())
    page = render_page(replace(small(), provenance={"contact": "the desk", "replies": ["We disagree."]}))
    assert "Write to <b>the desk</b>." in page
    assert "We disagree." in page
    page = render_page(replace(small(), provenance={"contact": "desk@harbour.example, <b>5 Quay St</b>"}))
    assert "desk@harbour.example, &lt;b&gt;5 Quay St&lt;/b&gt;" in page, "who answers must be able to copy it"


@pytest.mark.parametrize(
    "spec",
    [
        {"mark": "point", "data": {"url": "https://tracker.example/x.json"}},
        {"layer": [{"mark": "image", "encoding": {"url": {"field": "u"}}}]},
        {"mark": "point", "encoding": {"href": {"field": "u"}}},
    ],
)
def test_charts_that_load_or_link_are_refused(spec):
    figure = Figure("f", "Title", "A description.", spec, [{"u": 1}])
    with pytest.raises(SchemaError, match="neither loads nor links"):
        render_page(small(Section("release", figures=[figure])))


@pytest.mark.parametrize(
    ("url", "is_link"),
    [
        ("https://harbour.example/a", True),
        ("http://harbour.example/a", False),
        ("javascript:alert(1)", False),
        ("https://twitter.com/somebody", False),
        ("https://mobile.twitter.com/somebody", False),
        ('https://harbour.example/"onclick=x', False),
        ("https://user@harbour.example", False),
    ],
)
def test_only_plain_addresses_away_from_platforms_are_links(url, is_link):
    cited = Citation("Harbour Platform", "2031-05-04", "an operation", url=url)
    low = Confidence("low", "One statement.")
    claim = Claim("Harbour Platform said so.", "attributed", low, (cited,), "one statement")
    links = re.findall(r'href="((?!#)[^"]+)"', render_page(small(Section("origin", [claim]))))
    assert (url in links) is is_link
    assert len(links) == int(is_link)


def test_a_heavy_table_is_linked_beside_the_page_not_inside_it():
    rows = [{"account_id": f"acct_{n:08d}", "text": "x" * 80} for n in range(MOST_CSV_BYTES // 80)]
    page = render_page(small(Section("clusters", tables=[TableView("members", "Members", "", rows)])))
    assert 'href="tables/members.csv"' in page
    assert f"The first 100 of {len(rows):,} rows." in page
    assert len(page) < MOST_CSV_BYTES


def test_quoted_words_say_their_language_and_their_way():
    rows = [
        {"text": "تم نشر جدول العبارات", "language": "ar"},
        {"text": "渡輪時刻表已經公佈", "language": "zh-Hant"},
        {"text": "xx un barco", "language": "es"},
        {"text": "7", "language": ""},
    ]
    table = TableView("examples", "Examples", "", rows, quoted={"text": "language"})
    page = render_page(small(Section("narratives", tables=[table])))
    assert '<td class="theirs" lang="ar" dir="rtl">' in page
    assert '<td class="theirs" lang="zh-Hant" dir="auto">' in page
    assert '<td class="theirs" lang="es" dir="auto">xx un barco</td>' in page
    assert '<td class="theirs" dir="auto">7</td>' in page
    assert "<td>es</td>" not in page
    assert "Language</th>" not in page


def test_numbers_of_each_rung_are_told(page):
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
    assert "Inauthentic Deception shown by named evidence. 1 claim" in text
    assert "not claimed" in render_page(small())


def test_the_words_and_structure_of_the_page_are_the_golden_ones(page):
    """Without style, script and pictures. After a wanted change: WORKBENCH_GOLDEN=write pytest tests/test_report.py."""
    bare = re.sub(r"<(style|script|svg)\b.*?</\1>", "", page, flags=re.S)
    bare = re.sub(r'href="data:[^"]+"', 'href="data:"', bare)
    bare = re.sub(r"sha256-[\w+/=]+|\b[0-9a-f]{16}(?:[0-9a-f]{48})?\b", "HASH", bare)
    bare = "\n".join(line.strip() for line in bare.splitlines() if line.strip()) + "\n"
    golden = Path(__file__).parent / "golden" / "report.html"
    if os.environ.get("WORKBENCH_GOLDEN") == "write":
        golden.write_text(bare, encoding="utf-8")
    assert bare.splitlines() == golden.read_text(encoding="utf-8").splitlines()


def test_a_long_spec_is_packed_alike_by_every_python(monkeypatch):
    written = gzip.compress(b"a chart", mtime=0)
    for system in (3, 255):
        as_there = written[:9] + bytes([system]) + written[10:]
        monkeypatch.setattr("workbench.report.gzip.compress", lambda *_, one=as_there, **__: one)
        packed = base64.b64decode(_pack("a chart"))
        assert (packed[9], gzip.decompress(packed)) == (3, b"a chart")
