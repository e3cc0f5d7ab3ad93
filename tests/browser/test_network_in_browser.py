"""The network view in a real browser: by keyboard, mouse and search, large, dark, without motion and without script."""

from dataclasses import replace
from pathlib import Path

import invented_case
import pytest
import test_chart_network
from test_report_in_browser import PHONE, opened

from workbench.chart_network import pack_network
from workbench.report import render_report

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> Path:
    return render_report(invented_case.findings(), tmp_path_factory.mktemp("network"))


@pytest.fixture(scope="module")
def large_report(tmp_path_factory) -> Path:
    record = invented_case.findings()
    network = record.section("coordination")
    graph = pack_network(*test_chart_network.big(3))
    figures = [replace(one, graph=graph) if one.graph else one for one in network.figures]
    sections = [one for one in record.sections if one.name not in ("coordination", "clusters")]
    larger = replace(record, sections=[*sections, replace(network, figures=figures)])
    return render_report(larger, tmp_path_factory.mktemp("large"))


def shown(page):
    figure = page.locator("#part-network")
    figure.scroll_into_view_if_needed()
    figure.locator("canvas[data-drawn]").wait_for()
    return figure


def said(figure) -> str:
    return figure.get_by_role("status").text_content()


def is_painted(page) -> bool:
    return page.evaluate(
        "(() => { const c = document.querySelector('#part-network canvas');"
        "const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
        "return d.some((value) => value > 0); })()"
    )


@pytest.mark.parametrize("options", [{}, {"color_scheme": "dark"}, {"viewport": PHONE}, {"reduced_motion": "reduce"}])
def test_the_keyboard_goes_from_account_to_account(browser, report, options):
    with opened(browser, report, **options) as page:
        figure = shown(page)
        figure.get_by_role("searchbox").focus()
        page.keyboard.type("acct_0003")
        page.keyboard.press("Enter")
        assert said(figure).startswith("acct_0003, cluster 1, in its core: linked with ")
        assert figure.locator(".linked caption").text_content().startswith("Linked with acct_0003: ")
        for _ in range(6):  # Find, the choice of clusters, three buttons, the picture
            page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.tagName") == "CANVAS"
        before = said(figure)
        for key in ("ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"):
            page.keyboard.press(key)
        assert said(figure) != before
        for key in ("+", "-", "0", "Shift+ArrowLeft"):
            page.keyboard.press(key)
        page.keyboard.press("Escape")
        assert said(figure) == "Nothing is selected."
        assert figure.locator(".linked").is_hidden()
        page.keyboard.press("Tab")  # it keeps nobody in
        assert page.evaluate("document.activeElement.tagName") != "CANVAS"
        assert is_painted(page)
        assert page.complaints == []
        assert page.requests_made == [report.as_uri()]


def test_focus_is_visible(browser, report):
    with opened(browser, report) as page:
        shown(page).locator("canvas").focus()
        assert page.evaluate("parseFloat(getComputedStyle(document.activeElement).outlineWidth)") >= 2


def test_a_linked_account_is_one_click_away_and_a_cluster_can_be_shown_alone(browser, report):
    with opened(browser, report) as page:
        figure = shown(page)
        figure.get_by_role("searchbox").fill("ACCT_0003")
        figure.get_by_role("button", name="Find").click()
        name = figure.locator(".linked button").first.text_content()
        figure.locator(".linked button").first.click()
        assert said(figure).startswith(f"{name}, cluster 1")
        figure.get_by_role("combobox").select_option("2")
        assert said(figure) == "Cluster 2: 18 accounts here."
        figure.get_by_role("searchbox").fill("nobody <b>")
        figure.get_by_role("button", name="Find").click()
        assert said(figure) == "No account here has “nobody <b>” in its name."
        figure.get_by_role("searchbox").fill("acct_000")
        figure.get_by_role("button", name="Find").click()
        figure.get_by_role("button", name="Find").click()
        assert "Match 2 of 10" in said(figure)


def test_a_click_selects_dragging_moves_and_the_wheel_scrolls_the_page_until_it_is_in_use(browser, report):
    with opened(browser, report, reduced_motion="reduce") as page:
        figure = shown(page)
        canvas = figure.locator("canvas")
        figure.get_by_role("searchbox").fill("acct_0003")
        figure.get_by_role("button", name="Find").click()
        page.keyboard.press("Escape")
        box = canvas.bounding_box()
        page.mouse.move(box["x"] + 30, box["y"] + 30)
        top = page.evaluate("scrollY")
        page.mouse.wheel(0, 120)
        page.wait_for_timeout(300)
        assert page.evaluate("scrollY") != top
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.mouse.click(*middle)  # the account that was found is in the middle
        assert said(figure).startswith("acct_0003")
        top = page.evaluate("scrollY")
        page.mouse.wheel(0, -240)
        page.mouse.down()
        page.mouse.move(middle[0] + 80, middle[1], steps=4)
        page.mouse.up()
        page.wait_for_timeout(300)
        assert page.evaluate("scrollY") == top
        assert said(figure).startswith("acct_0003")  # a drag selects nothing else


def test_five_thousand_accounts_and_fifty_thousand_pairs_are_drawn(browser, large_report):
    assert large_report.stat().st_size < 2_000_000
    with opened(browser, large_report) as page:
        figure = shown(page)
        assert figure.locator("canvas").get_attribute("data-drawn") == "50000"
        assert is_painted(page)
        figure.get_by_role("searchbox").fill("acct_04999")
        figure.get_by_role("button", name="Find").click()
        assert said(figure).startswith("acct_04999, cluster ")
        figure.locator("canvas").focus()
        for key in ("+", "ArrowLeft", "Shift+ArrowUp", "-", "0", "Escape"):
            page.keyboard.press(key)
        assert said(figure) == "Nothing is selected."
        assert page.complaints == []


def test_without_script_and_on_paper_the_still_picture_stands(browser, report):
    with opened(browser, report, java_script_enabled=False) as page:
        figure = page.locator("#part-network")
        assert figure.locator(".still svg").is_visible()
        assert figure.locator(".explorer").is_hidden()
    with opened(browser, report) as page:
        figure = shown(page)
        assert figure.locator(".still").is_hidden()
        page.emulate_media(media="print")
        assert figure.locator(".still svg").is_visible()
        assert figure.locator(".explorer").is_hidden()
