"""An executed notebook as a page: nothing in it runs or loads, whatever a release wrote into its outputs."""

import json
import re

import altair as alt
import nbformat
import polars as pl
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell

from workbench.chart_display import bundle_chart
from workbench.notebook_page import render_notebook, write_notebook_pages

HOSTILE = "<script>window.pwned=1</script><img src=x onerror=window.pwned=1><a href='javascript:1'>x</a>\u202e"
NAMES = ["01_explore", "02_find", "03_cluster"]


def chart_output():
    chart = alt.Chart(pl.DataFrame({"n": [1, 2]})).mark_bar(clip=True).encode(x="n:Q").properties(title="Posts <b>")
    return new_output("display_data", bundle_chart(chart.to_dict()))


def result(**forms):
    return new_output("execute_result", {name.replace("_", "/"): text for name, text in forms.items()})


def code(source, *outputs, **options):
    return new_code_cell(source, outputs=list(outputs), execution_count=2, **options)


def executed_notebook():
    frame = pl.DataFrame({"text": [HOSTILE], "n": [3]})
    return new_notebook(
        cells=[
            new_markdown_cell(f"# 2. Who acted?\n\n**Question.** {HOSTILE} [a link](https://harbour.example/x)"),
            code("seed = 8", metadata={"tags": ["injected-parameters"]}),
            code("frame = made()\nframe", result(text_html=frame._repr_html_(), text_plain="a frame")),
            code("chart", chart_output(), chart_output()),
            code("claims", result(text_markdown=f"- 3 accounts, {HOSTILE} https://x.com/somebody", text_plain="3")),
            code("print('<b>')", new_output("stream", name="stdout", text=f"\x1b[31m{HOSTILE}\x1b[0m\nsecond line\n")),
            code("1 / 0", new_output("error", ename="E", evalue="v", traceback=["Traceback", "ZeroDivisionError"])),
            code("long", result(text_plain="x" * 30_000)),
            code("", result(text_plain="nothing")),
            new_raw_cell("unformatted"),
        ]
    )


@pytest.fixture(scope="module")
def page() -> str:
    return render_notebook(executed_notebook(), name="02_find", names=NAMES)


def test_prose_tables_charts_claims_and_errors_are_there(page):
    assert "<h1>2. Who acted?</h1>" in page
    assert "<title>2. Who acted?: executed notebook</title>" in page
    assert "<th>text</th><th>n</th></tr></thead>" in page, "the row of types is left out"
    assert "<td>3</td>" in page
    assert page.count("<svg") == 2
    assert "<li>3 accounts," in page
    assert "second line" in page
    assert "ZeroDivisionError" in page
    assert "(30,000 characters in all)" in page
    assert "unformatted" not in page


def test_code_is_folded_and_parameters_of_the_run_are_open(page):
    assert page.count('<details class="code">') == 6
    assert page.count('<details class="code" open>') == 1
    assert "<code>frame = made() …</code>" in page


def test_nothing_can_run_load_or_be_clicked(page):
    assert "default-src 'none'; style-src 'sha256-" in page.replace("&#39;", "'")
    assert not re.findall(r"<(?:script|img|iframe|object|link|form)\b", page)
    assert not re.findall(r"<[^>]*\s(?:src|srcset|style|on\w+)\s*=", page)
    links = re.findall(r'href="([^"]*)"', page)
    assert links == ["#main", "../report.html", "01_explore.html", "03_cluster.html", "02_find.ipynb"]
    assert "\u202e" not in page


def test_two_pictures_share_no_names(page):
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert 'fill="white"' not in page


def test_the_same_notebook_gives_the_same_bytes(page):
    again = nbformat.reads(nbformat.writes(executed_notebook()), as_version=4)
    assert render_notebook(again, name="02_find", names=NAMES) == page


def test_pages_lie_beside_their_notebooks_and_say_what_is_synthetic(tmp_path):
    (tmp_path / "notebooks").mkdir()
    for name in ("01_a", "02_b"):
        nbformat.write(executed_notebook(), tmp_path / "notebooks" / f"{name}.ipynb")
    first, second = write_notebook_pages(tmp_path)
    assert (first.name, second.name) == ("01_a.html", "02_b.html")
    assert "Synthetic data" not in first.read_text(encoding="utf-8")
    (tmp_path / "findings.json").write_text(json.dumps({"about": {"is_synthetic": True}}))
    first, _ = write_notebook_pages(tmp_path)
    assert "<strong>Synthetic data.</strong>" in first.read_text(encoding="utf-8")
    for file in (tmp_path / "notebooks").glob("*.html"):
        links = re.findall(r'href="([^"#]+)"', file.read_text(encoding="utf-8"))
        assert all((file.parent / link).exists() for link in links if link != "../report.html")
