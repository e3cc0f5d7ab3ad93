"""The catalogue of dozens of reports, in a browser: found, chosen and sorted with scripts, whole without them."""

import json
from dataclasses import replace
from pathlib import Path

import invented
import invented_case
import pytest
from test_report_in_browser import PHONE, opened

from workbench.catalogue import write_catalogue
from workbench.findings import Findings

pytestmark = pytest.mark.browser
N_REPORTS = 40


@pytest.fixture(scope="module")
def index(tmp_path_factory) -> Path:
    """Forty reports of three platforms, one of them in its second version; only their records are real."""
    root = tmp_path_factory.mktemp("reports")
    record = invented_case.findings()
    long, short = (
        Findings(record.about, [record.section(n) for n in ns]) for ns in (("release", "clusters"), ("release",))
    )
    for number in range(N_REPORTS):
        folder = root / f"case_{number:02d}"
        folder.mkdir()
        platform = ("twitter", "facebook", "telegram")[number % 3]
        replace(
            long if number < 3 else short, about=invented.about(title=f"Ferry accounts {number}", platform=platform)
        ).save(folder / "findings.json")
        (folder / "report.html").write_text("<title>a report</title>")
    earlier = root / "case_07.history" / "v1"
    earlier.mkdir(parents=True)
    (earlier / "report.html").write_text("<title>an earlier report</title>")
    manifest = {"version": 2, "ended_at": "2031-07-02T10:00:00+00:00", "correction": "A newsroom was no part of it."}
    (root / "case_07" / "manifest.json").write_text(json.dumps(manifest))
    return write_catalogue(root)


def rows_shown(page) -> list[str]:
    return page.locator("table.reports tbody tr:visible th").all_inner_texts()


def test_reports_are_found_chosen_and_sorted(browser, index):
    with opened(browser, index) as page:
        assert page.get_by_role("status").text_content() == "40 of 40 reports"
        page.get_by_role("combobox", name="Platform").select_option("telegram")
        assert page.get_by_role("status").text_content() == "13 of 40 reports"
        page.get_by_role("searchbox").fill("ferry case_05")
        assert [text.split(" synthetic")[0] for text in rows_shown(page)] == ["Ferry accounts 5"]
        page.get_by_role("searchbox").fill("")
        page.get_by_role("combobox", name="Platform").select_option("")
        page.get_by_role("button", name="Case").focus()
        page.keyboard.press("Enter")
        assert "Ferry accounts 0" in rows_shown(page)[0]
        assert "Ferry accounts 39" in rows_shown(page)[-1]
        page.keyboard.press("Enter")
        assert "Ferry accounts 39" in rows_shown(page)[0]
        assert page.requests_made == [index.as_uri()]
        assert page.complaints == []


@pytest.mark.parametrize("options", [{}, {"viewport": PHONE}])
def test_everything_is_there_without_javascript(browser, index, options):
    with opened(browser, index, java_script_enabled=False, **options) as page:
        assert len(rows_shown(page)) == N_REPORTS
        assert page.get_by_role("search").count() == 0
        assert page.get_by_text("A newsroom was no part of it.").is_visible()
        assert page.locator("#timeline svg:visible").count() == 1
        assert page.complaints == []
        page.get_by_role("link", name="version 1 of case_07").click()
        assert page.title() == "an earlier report"


@pytest.mark.parametrize("options", [{}, {"color_scheme": "dark"}, {"viewport": PHONE}])
def test_no_accessibility_rule_is_broken(browser, index, options):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    with opened(browser, index, bypass_csp=True, **options) as page:
        assert axe.Axe().run(page).response["violations"] == []
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
