"""The report that the repository shows: synthetic, small, whole by itself, and clean. `make demo` renews it."""

import html
import re
from pathlib import Path

import pytest

from workbench.case import find_dataset
from workbench.findings import SECTIONS
from workbench.leaks import find_leaks
from workbench.lint import lint_report
from workbench.platforms import load_second
from workbench.sources import load_release

FOLDER = Path(__file__).parents[1] / "docs" / "demo"
MOST_BYTES = 3_000_000


@pytest.fixture(scope="module")
def page() -> str:
    return (FOLDER / "report.html").read_text(encoding="utf-8")


def test_it_says_that_it_is_synthetic(page):
    assert '<aside class="banner" aria-label="Synthetic data">' in page
    assert "Tidehaven" in page


def test_it_is_small_and_has_every_section(page):
    assert len(page.encode()) < MOST_BYTES
    for name in SECTIONS:
        assert f'<section id="{name}"' in page


def test_an_editor_would_mend_nothing(page):
    assert lint_report(FOLDER / "report.html") == []


def test_it_names_nobody_of_either_platform_who_may_not_be_named():
    dataset = find_dataset("demo")
    assert find_leaks(FOLDER, load_release(dataset), second=load_second(dataset)).rows() == []


def test_it_names_no_machine(page):
    bare = html.unescape(re.sub(r'href="data:[^"]+"', "", page))
    assert not re.findall(r"(?:/home/|/root\b|/tmp/|/Users/|[A-Z]:\\Users)\S*", bare)
    unpacked = re.sub(r"[A-Za-z0-9+/=]{200,}", "", bare)  # packed specs hold slashes of their own
    assert not re.findall(r"(?<![\w<:/.\]\[*)\\-])/[A-Za-z][\w.-]*/[\w.-]+", unpacked)  # any path from a root
    assert "file:///" not in bare


def test_every_link_leads_to_a_file_or_a_place_in_it(page):
    for link in re.findall(r'<a\b[^>]*\shref="([^"]+)"', page):
        if link.startswith("#"):
            assert f'id="{link[1:]}"' in page
        elif not link.startswith(("data:text/csv", "https://")):
            assert (FOLDER / link).is_file(), link
