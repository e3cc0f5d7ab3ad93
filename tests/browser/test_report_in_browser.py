import base64
import csv
import io
import json
import re
from contextlib import contextmanager
from pathlib import Path

import hostile
import invented_case
import pytest

from workbench.catalogue import write_catalogue
from workbench.report import render_report

pytestmark = pytest.mark.browser

DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> Path:
    return render_report(invented_case.findings(), tmp_path_factory.mktemp("reports") / "harbour_city")


@pytest.fixture(scope="module")
def hostile_report(tmp_path_factory) -> Path:
    return render_report(hostile.findings(), tmp_path_factory.mktemp("hostile"))


@contextmanager
def opened(browser, path: Path, **options):
    """A page with everything it asked for and complained of in `page.requests_made` and `page.complaints`."""
    context = browser.new_context(**{"viewport": DESKTOP, **options})
    page = context.new_page()
    page.requests_made, page.complaints = [], []
    page.on("request", lambda request: page.requests_made.append(request.url))
    page.on("console", lambda message: page.complaints.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: page.complaints.append(f"error: {error}"))
    page.on("dialog", lambda dialog: (page.complaints.append("dialog"), dialog.dismiss()))
    page.goto(path.as_uri())
    yield page
    context.close()


def scroll_through(page) -> None:
    height = page.evaluate("document.documentElement.scrollHeight")
    for y in range(0, height, 500):
        page.evaluate(f"window.scrollTo(0, {y})")
        page.wait_for_timeout(40)
    page.wait_for_function(
        "[...document.querySelectorAll('figure')].every(f => f.classList.contains('alive'))", timeout=20_000
    )


@pytest.mark.parametrize("options", [{}, {"color_scheme": "dark"}, {"viewport": PHONE}])
def test_charts_come_alive_with_no_request_and_no_complaint(browser, report, options):
    with opened(browser, report, **options) as page:
        scroll_through(page)
        drawn = page.locator("figure.alive .live svg, figure.alive .explorer canvas[data-drawn]")
        assert drawn.count() == page.locator("figure").count() > 6
        assert page.requests_made == [report.as_uri()]
        assert page.complaints == []


def test_everything_is_there_without_javascript(browser, report):
    with opened(browser, report, java_script_enabled=False) as page:
        stills = page.locator("figure .still svg:visible")
        assert stills.count() == page.locator("figure").count() > 6
        assert all(stills.nth(n).is_visible() for n in range(stills.count()))
        assert page.get_by_role("heading", level=2).count() == 17
        assert page.complaints == []


@pytest.mark.parametrize("options", [{"viewport": PHONE}, {"viewport": {"width": 320, "height": 640}}, {}])
def test_the_page_never_scrolls_sideways(browser, report, hostile_report, options):
    for path in (report, hostile_report):
        with opened(browser, path, **options) as page:
            page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
            assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


@pytest.mark.parametrize("options", [{}, {"color_scheme": "dark"}, {"viewport": PHONE}])
@pytest.mark.parametrize("is_hostile", [False, True])
def test_no_accessibility_rule_is_broken(browser, report, hostile_report, options, is_hostile):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    with opened(browser, hostile_report if is_hostile else report, bypass_csp=True, **options) as page:
        scroll_through(page)
        page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
        results = axe.Axe().run(page, options={"runOnly": {"type": "tag", "values": tags}})
        broken = [
            (rule["id"], [node["target"] for node in rule["nodes"]][:3]) for rule in results.response["violations"]
        ]
        assert broken == []


def test_the_keyboard_reaches_the_findings_first(browser, report):
    with opened(browser, report) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the findings"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"


def test_a_table_can_be_downloaded_from_the_page_alone(browser, report, tmp_path):
    with opened(browser, report, accept_downloads=True) as page:
        with page.expect_download() as download:
            page.locator("#part-cluster_members a[download]").click()
        download.value.save_as(tmp_path / "members.csv")
    lines = (tmp_path / "members.csv").read_text(encoding="utf-8-sig").splitlines()
    assert lines[0] == "account_id,cluster_id,strength,is_core"
    assert len(lines) == 68


def test_it_prints_on_a4_with_whole_charts(browser, report, tmp_path):
    with opened(browser, report) as page:
        scroll_through(page)
        page.emulate_media(media="print")
        page.set_viewport_size({"width": 666, "height": 990})  # the printable part of A4 at 96 pixels per inch
        boxes = page.evaluate(
            "[...document.querySelectorAll('figure')].map(f => ["
            "[...f.querySelectorAll('.still svg')].find(s => s.clientWidth).getBoundingClientRect().width,"
            "f.getBoundingClientRect().height, getComputedStyle(f).breakInside])"
        )
        widths = page.evaluate(
            "[...document.querySelectorAll('.table table')].map(t => t.getBoundingClientRect().width)"
        )
        assert widths
        assert max(widths) <= 667
        assert all(0 < width <= 666 and height < 990 and inside == "avoid" for width, height, inside in boxes)
        page.emulate_media(media=None)
        pdf = page.pdf(prefer_css_page_size=True)
    n_pages = pdf.count(b"/Type /Page\n") or pdf.count(b"/Type /Page")
    assert 8 <= n_pages <= 30


def test_no_short_word_of_a_table_is_broken_on_paper_or_phone(browser, report):
    """A word in one cell has one box per line it stands on."""
    broken = (
        "[...document.querySelectorAll('td, th')].filter(cell => cell.checkVisibility()"
        " && /^[A-Za-z]{2,9}$/.test(cell.textContent.trim())).map(cell => { const words = document.createRange();"
        " words.selectNodeContents(cell); return [cell.textContent, words.getClientRects().length]; })"
    )
    with opened(browser, report) as page:
        page.emulate_media(media="print")
        page.set_viewport_size({"width": 666, "height": 990})
        found = page.evaluate(broken)
        assert len(found) > 20
        assert [word for word, n_lines in found if n_lines > 1] == []
    with opened(browser, report, viewport=PHONE) as page:
        assert [word for word, n_lines in page.evaluate(broken) if n_lines > 1] == []


def test_labels_of_still_charts_stay_inside_their_picture(browser, report):
    """They are placed by widths measured when the report was made, so the page must set them in letters as wide."""
    beyond = (
        "[...document.querySelectorAll('.still svg')].filter(svg => svg.checkVisibility()).flatMap(svg => {"
        " const box = svg.getBoundingClientRect(); return [...svg.querySelectorAll('text')].filter(text => {"
        " const own = text.getBoundingClientRect(); return own.left < box.left - 3 || own.right > box.right + 3; })"
        ".map(text => text.textContent); })"
    )
    for options in ({}, {"viewport": PHONE}):
        with opened(browser, report, java_script_enabled=False, **options) as page:
            assert page.evaluate(beyond) == []


def test_hostile_text_is_inert(browser, hostile_report):
    with opened(browser, hostile_report) as page:
        scroll_through(page)
        page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        page.wait_for_timeout(200)
        assert page.evaluate("window.pwned") is None
        assert page.complaints == []
        assert page.requests_made == [hostile_report.as_uri()]
        assert page.locator("script:not([type])").count() == 1
        attributes = page.evaluate("[...document.querySelectorAll('*')].flatMap(e => e.getAttributeNames())")
        assert not [name for name in attributes if name.startswith("on")]
        links = page.evaluate("[...document.querySelectorAll('a')].map(a => a.getAttribute('href'))")
        allowed = ("#", "data:text/csv;charset=utf-8;base64,", "tables/", "notebooks/")
        outward = {link for link in links if not link.startswith(allowed)}
        assert outward == {"https://tracker.example/pixel.gif?id=1"}  # as plain as any source somebody quotes
        assert (
            page.locator("iframe, object, embed, img, form:not(.vega-bindings), meta[http-equiv=refresh]").count() == 0
        )


def test_accounts_whose_names_act_are_searched_selected_and_listed_as_text(browser, hostile_report):
    with opened(browser, hostile_report) as page:
        figure = page.locator("#part-network")
        figure.scroll_into_view_if_needed()
        figure.locator("canvas[data-drawn]").wait_for()
        for text in hostile.STRINGS:
            figure.get_by_role("searchbox").fill(text[:20].strip())
            figure.get_by_role("button", name="Find").click()
            if figure.locator(".linked button").count():
                figure.locator(".linked button").first.click()
        figure.get_by_role("searchbox").fill("العبارة")
        figure.get_by_role("button", name="Find").click()
        assert figure.get_by_role("status").text_content().startswith("\u2068العبارة <b>bold</b>\u2069, cluster 1")
        assert page.evaluate("window.pwned") is None
        assert page.complaints == []
        assert page.requests_made == [hostile_report.as_uri()]
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


def test_hostile_text_is_inert_in_csv_and_json(hostile_report):
    """Both the files beside the page and the downloads inside it."""
    page = hostile_report.read_text(encoding="utf-8")
    inside = re.findall(r'href="data:text/csv;charset=utf-8;base64,([^"]+)"', page)
    texts = [path.read_text(encoding="utf-8-sig") for path in (hostile_report.parent / "tables").iterdir()]
    texts += [base64.b64decode(link).decode("utf-8-sig") for link in inside]
    assert len(inside) >= 2
    cells = [cell for text in texts for row in csv.reader(io.StringIO(text)) for cell in row]
    assert any("HYPERLINK" in cell for cell in cells)
    assert not [cell for cell in cells if cell.lstrip().startswith(("=", "+", "-", "@")) and not is_number(cell)]
    assert not [cell for cell in cells if "https://tracker" in cell]
    json.loads((hostile_report.parent / "findings.json").read_text(encoding="utf-8"))
    assert all(
        path.name.replace("_", "").removesuffix(".csv").isalnum()
        for path in (hostile_report.parent / "tables").iterdir()
    )


def is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


FOLDERS = (
    "<img src=x onerror=window.pwned=1>", "javascript:window.pwned=1", "=cmd+1", "a&amp;b #c?d=%2e%2e", "\u202egnp.exe",
    "' onclick='window.pwned=1", "{{ 7*7 }}", "W" * 200,
)  # fmt: skip


@pytest.mark.parametrize("options", [{}, {"viewport": PHONE}])
def test_a_catalogue_of_folders_whose_names_act_links_and_does_nothing_else(browser, tmp_path, options):
    record = hostile.findings()
    for name in FOLDERS:
        (tmp_path / name).mkdir()
        record.save(tmp_path / name / "findings.json")
        (tmp_path / name / "report.html").write_text("<title>reached</title>")
        correction = {"version": 2, "ended_at": "2021-06-01T00:00:00+00:00", "correction": hostile.STRINGS[1]}
        (tmp_path / name / "manifest.json").write_text(json.dumps(correction))
    index = write_catalogue(tmp_path)
    with opened(browser, index, **options) as page:
        page.get_by_role("searchbox").fill("<img")
        page.wait_for_timeout(100)
        assert page.evaluate("window.pwned") is None
        assert page.complaints == []
        assert page.requests_made == [index.as_uri()]
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
        links = page.evaluate("[...document.querySelectorAll('table.reports th a:not(.of)')].map(a => a.href)")
        assert len(links) == len(FOLDERS)
        for link in links:
            page.goto(link)
            assert page.title() == "reached"


def test_a_catalogue_of_manifests_that_act_calls_them_unreadable_and_does_nothing(browser, tmp_path):
    for n, said in enumerate(hostile.STRINGS):
        (tmp_path / f"case{n}").mkdir()
        hostile.findings().save(tmp_path / f"case{n}" / "findings.json")
        (tmp_path / f"case{n}" / "report.html").write_text("<title>reached</title>")
        (tmp_path / f"case{n}" / "manifest.json").write_text(json.dumps({"version": 1, "ended_at": said, said: said}))
    with opened(browser, write_catalogue(tmp_path)) as page:
        assert page.evaluate("window.pwned") is None
        assert page.complaints == []
        assert page.get_by_text("ended_at is no moment").count() == len(hostile.STRINGS)


@pytest.mark.parametrize("options", [{}, {"color_scheme": "dark"}, {"viewport": PHONE}])
def test_the_catalogue_searches_sorts_and_breaks_no_rule(browser, report, options):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    index = write_catalogue(report.parents[1])
    with opened(browser, index, bypass_csp=True, **options) as page:
        assert page.locator("tbody tr:visible").first.is_visible()
        page.get_by_role("searchbox").fill("no such report")
        assert page.get_by_role("status").text_content().startswith("0 of ")
        page.get_by_role("searchbox").fill("harbour")
        page.get_by_role("button", name="Accounts").click()
        assert page.locator("th[aria-sort=ascending]").count() == 1
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
        assert axe.Axe().run(page).response["violations"] == []
    with opened(browser, index, **options) as page:
        page.wait_for_timeout(200)
        assert page.complaints == []
        assert page.requests_made == [index.as_uri()]
