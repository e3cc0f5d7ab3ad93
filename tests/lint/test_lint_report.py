from pathlib import Path

import invented_case
import polars as pl
import pytest

from workbench.findings import Claim, Confidence, Observation, Section, TableView
from workbench.lint import Fault, lint_report
from workbench.report import render_report
from workbench.schema import SourceError

WRONG_TOTAL = (
    "<table><caption>Pages</caption><tr><td>where</td><td>n</td></tr><tr><td>a</td><td>7</td></tr>"
    "<tr><td>b</td><td>3</td></tr><tr><td>Total</td><td>12</td></tr></table>"
)

LISTED = "<table><caption>Indicators</caption><tr><td>ferry-times[.]example</td></tr></table>"


def rules(faults: list[Fault]) -> set[str]:
    return {fault.rule for fault in faults}


def page(tmp_path: Path, body: str, *, lang: str = ' lang="en"') -> Path:
    path = tmp_path / "report.html"
    path.write_text(f"<html{lang}><body><section id='clusters'>{body}</section></body></html>", encoding="utf-8")
    return path


def test_our_own_report_is_clean(tmp_path):
    assert lint_report(render_report(invented_case.findings(), tmp_path)) == []


def test_a_page_in_another_encoding_is_read_as_far_as_it_goes(tmp_path):
    path = tmp_path / "report.html"
    path.write_bytes("<section id='a'><p>Café: 15 acounts, TBD.</p></section>".encode("cp1252"))
    assert rules(lint_report(path)) >= {"placeholder", "number"}
    path.write_bytes("<p>TBD</p>".encode("utf-16"))
    assert rules(lint_report(path)) == {"placeholder"}


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ("<p>Around $xx in spending for ads, paid for mostly in xx.</p>", "placeholder"),
        ("<p>We removed 15 acounts.</p>", "number"),
        ("<p>See <a href='#x'>the list</a> (TBD).</p>", "placeholder"),
        ("<p>81 of 940 accounts (9.6%) posted.</p>", "share"),
        ("<p>Reach grew to 40%.</p>", "denominator"),
        ("<p>We say with low confidence that it is likely.</p>", "likelihood"),
        ("<p>The network was run by a ministry.</p>", "attribution"),
        ("<p><a href='https://twitter.com/somebody'>an account</a></p>", "account link"),
        ("<p><a href='javascript:alert(1)'>x</a></p>", "address"),
        ("<p>https://ferry.example</p>", "address"),
        ("<figure><svg></svg></figure>", "alternative"),
        ("<p><img src=x></p>", "alternative"),
        ("<table><tr><th>Name</th></tr></table>", "alternative"),
        ("<table><caption>Links</caption><tr><td>ferry.example</td></tr></table>", "address"),
        ("<table><caption>Spending</caption><tr><td>$xx</td></tr></table>", "placeholder"),
        (WRONG_TOTAL, "total"),
        (WRONG_TOTAL.replace("Total", "Total accounts:"), "total"),
        ("<div>Spending was $xx.</div>", "placeholder"),
        ("<ul><li>We removed 15 acounts<ul><li>in all</li></ul></li></ul>", "number"),
        ("<h6>Findings TBD</h6>", "placeholder"),
        ("<p aria-label='Spending, TODO'>Text.</p>", "placeholder"),
        ("<p>See <a href=''>the list</a>.</p>", "placeholder"),
        ("<p>See <a href='TBD'>the list</a>.</p>", "placeholder"),
        ("<p>See <a href='#nowhere'>the list</a>.</p>", "placeholder"),
        ("<table><caption>Assets</caption><tr><td>15 acounts</td></tr></table>", "number"),
        ("<table><caption>Assets</caption><tr><td>81 of 940 accounts (9.6%)</td></tr></table>", "share"),
        ("<p><a href='//twitter.com/somebody'>an account</a></p>", "account link"),
        ("<p><a href='https://user@twitter.com:443/somebody'>an account</a></p>", "account link"),
        ("<p><a href='https://mobile.x.com./somebody'>an account</a></p>", "account link"),
        ("<p><img alt='' src='https://t.me/somebody/photo.jpg'></p>", "account link"),
        ("<p>https://twitter.com/somebody wrote it.</p>", "address"),
        (LISTED + "<p>They all posted ferry-times.example.</p>", "address"),
        ("<svg></svg>", "alternative"),
        ("<canvas></canvas>", "alternative"),
        ("<figure><figcaption> </figcaption><svg></svg></figure>", "alternative"),
    ],
)
def test_each_fault_is_found_in_a_page(tmp_path, body, rule):
    faults = lint_report(page(tmp_path, body))
    assert rules(faults) == {rule}
    assert faults[0].advice
    assert faults[0].place == "clusters"


def test_a_page_says_its_language(tmp_path):
    assert rules(lint_report(page(tmp_path, "<p>Text.</p>", lang=""))) == {"alternative"}


def test_what_is_in_order_is_left_alone(tmp_path):
    body = (
        "<p>We removed 15 accounts; 81 of 940 accounts (8.6%) posted.</p><p>Run <code>https://a.example TODO</code></p>"
        "<figure><figcaption>A line, in words.</figcaption><svg><text>TBD</text></svg></figure>"
        "<table><caption>Pages</caption><tr><th scope=col>where</th><td>n</td></tr><tr><td>a</td><td>7</td></tr>"
        "<tr><td>b</td><td>3</td></tr><tr><td>Total</td><td>10</td></tr></table>"
        "<div class='claim'><p>The share is 40%.</p></div>"
        "<blockquote><p>TBD, wrote one of 15 acounts.</p></blockquote><p>They wrote “TODO, xx” and “15 acounts”.</p>"
        "<table><caption>Examples</caption><tr><td class='theirs'>good night xx</td><td>2</td></tr></table>"
        "<p>They posted ferry-times[.]example, see <a href='#clusters'>above</a> and"
        " <a href='https://harbour-platform.example/statement'>its statement</a>.</p>"
        "<svg aria-hidden='true'></svg><canvas aria-label='The network'></canvas><img alt='A ferry' src='data:image/x'>"
    ) + LISTED
    assert lint_report(page(tmp_path, body)) == []


def test_the_published_sheets_faults_are_found_in_a_sheet(tmp_path):
    sheet = tmp_path / "network.csv"
    sheet.write_text(
        'Tactic,Indicator\nads,"Around $xx in spending for ads, paid for mostly in xx"\na,15 acounts\nb,(TBD)\n'
    )
    assert [(fault.rule, fault.found) for fault in lint_report(sheet)] == [
        ("placeholder", "$xx"),
        ("placeholder", "xx"),
        ("number", "15 acounts"),
        ("placeholder", "TBD"),
    ]
    notes = tmp_path / "network.md"
    notes.write_text("Summary\n\nWe removed 15 acounts.\n")
    assert lint_report(notes)[0].place == "network.md, line 3"


def test_a_real_published_sheet_shows_its_placeholder(shared_data):
    sheets = sorted((shared_data / "indicators" / "meta").glob("*Q4_2024*"))
    if not sheets:
        pytest.skip("the published sheet of Q4 2024 is not here")
    assert ("placeholder", "$xx") in [(fault.rule, fault.found) for fault in lint_report(sheets[0])]


def test_numbers_in_claims_are_held_against_their_tables(tmp_path):
    table = TableView("joined", "Joined", "", [{"group": "a", "n": 2200}, {"group": "b", "n": 810}])
    low = Confidence("low", "One count.")
    claim = Claim(
        "About 2,220 accounts joined one of these groups.",
        "co-action",
        low,
        (Observation("Counted.", "joined"),),
        "all groups",
    )
    section = Section("presence", [claim], tables=[table])
    faults = lint_report(render_report(invented_case.findings(sections=[section]), tmp_path))
    assert [(fault.rule, fault.found) for fault in faults] == [("table", "2,220, where the table has 2,200")]


def test_leaked_names_are_faults_too(tmp_path):
    leaks = pl.DataFrame({"file": ["report.html"], "place": [""], "kind": ["handle"], "value": ["ferry_fan_1"]})
    faults = lint_report(page(tmp_path, "<p>Text.</p>"), leaks=leaks)
    assert [(fault.rule, fault.found) for fault in faults] == [("name", "ferry_fan_1")]


@pytest.mark.parametrize("name", ["absent.html", "picture.png"])
def test_only_reports_and_sheets_are_read(tmp_path, name):
    (tmp_path / "picture.png").write_bytes(b"")
    with pytest.raises(SourceError, match="Give a report or sheet"):
        lint_report(tmp_path / name)


def test_long_findings_are_cut(tmp_path):
    body = f"<p>Reach grew {'very ' * 60}much, to 40%.</p>"
    assert len(lint_report(page(tmp_path, body))[0].found) == 160
