"""Executed notebooks as pages, in a browser: no request, no complaint, nothing broken on a phone."""

import nbformat
import pytest
from test_notebook_page import executed_notebook
from test_report_in_browser import PHONE, opened

from workbench.notebook_page import write_notebook_pages

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    (folder / "notebooks").mkdir()
    nbformat.write(executed_notebook(), folder / "notebooks" / "02_find.ipynb")
    return write_notebook_pages(folder)[0]


@pytest.mark.parametrize("options", [{}, {"viewport": PHONE, "color_scheme": "dark"}, {"java_script_enabled": False}])
def test_a_page_loads_nothing_and_complains_of_nothing(browser, executed, options):
    with opened(browser, executed, **options) as page:
        assert page.locator("figure svg:visible").count() == 2
        assert page.locator("details.code pre:visible").count() == 1
        page.locator("details.code summary").nth(1).click()
        assert page.locator("details.code pre:visible").count() == 2
        assert page.requests_made == [executed.as_uri()]
        assert page.complaints == []
        if options.get("java_script_enabled", True):
            assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


@pytest.mark.parametrize("options", [{}, {"viewport": PHONE, "color_scheme": "dark"}])
def test_no_accessibility_rule_is_broken(browser, executed, options):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    with opened(browser, executed, bypass_csp=True, **options) as page:
        page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        violations = axe.Axe().run(page).response["violations"]
        assert [(rule["id"], [node["target"] for node in rule["nodes"]][:3]) for rule in violations] == []
