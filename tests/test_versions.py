"""An earlier version stays, says by what it was superseded, and can be checked against its own manifest."""

import html
import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from workbench.cache_key import hash_file
from workbench.cli import main
from workbench.schema import SourceError
from workbench.versions import AS_WRITTEN, list_versions, mark_superseded, mend_versions, move_in, next_version

PAGE = '<!doctype html>\n<html lang="en">\n<body>\n<a class="skip" href="#main">Skip</a>\n<h1>{}</h1></body></html>\n'


def draft(root: Path, text: str, *, version: int, correction: str = "") -> Path:
    folder = root / ".draft"
    folder.mkdir()
    (folder / "report.html").write_text(PAGE.format(text))
    outputs = {"report.html": hash_file(folder / "report.html")}
    manifest = {"version": version, "correction": correction, "ended_at": f"2031-07-0{version}T10:00:00+00:00"}
    (folder / "manifest.json").write_text(json.dumps({**manifest, "outputs": outputs}))
    return folder


@pytest.fixture
def reports(tmp_path) -> Path:
    """Three versions of one case."""
    for version, correction in enumerate(("", "Two accounts were a <newsroom>'s.", ""), start=1):
        assert next_version(tmp_path, "ferry") == version
        assert move_in(
            draft(tmp_path, f"Text {version}", version=version, correction=correction), tmp_path, "ferry", version
        )
    return tmp_path


def read(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def test_each_earlier_version_says_by_what_when_and_why(reports):
    first, second = (read(reports / "ferry.history" / f"v{n}" / "report.html") for n in (1, 2))

    assert "on 2031-07-02: Two accounts were a &lt;newsroom&gt;&#39;s." in first
    assert "on 2031-07-03: no reason was given." in second
    assert first.index("Skip</a>") < first.index("Superseded by") < first.index("Text 1")
    assert "Superseded" not in read(reports / "ferry" / "report.html")


def test_every_link_of_a_superseded_page_leads_to_a_file(reports):
    for number, links in ((1, {"../v2/report.html", "../../ferry/report.html"}), (2, {"../../ferry/report.html"})):
        folder = reports / "ferry.history" / f"v{number}"
        found = {html.unescape(link) for link in re.findall(r'href="([^"#]+)"', read(folder / "report.html"))}
        assert found == links | {"manifest.json", AS_WRITTEN}
        assert all((folder / link).is_file() for link in found)


def test_the_page_as_first_written_is_kept_byte_for_byte(reports):
    for number in (1, 2):
        folder = reports / "ferry.history" / f"v{number}"
        assert read(folder / AS_WRITTEN) == PAGE.format(f"Text {number}")
        assert hash_file(folder / AS_WRITTEN) == json.loads(read(folder / "manifest.json"))["outputs"]["report.html"]


def test_marking_again_changes_nothing(reports):
    files = sorted(reports.rglob("*.html"))
    before = [file.read_bytes() for file in files]
    mark_superseded(reports, "ferry")
    assert sorted(reports.rglob("*.html")) == files
    assert [file.read_bytes() for file in files] == before


def test_a_run_killed_before_it_could_mark_is_mended(reports):
    folder = reports / "ferry.history" / "v2"
    (folder / AS_WRITTEN).replace(folder / "report.html")
    mend_versions(reports, "ferry")
    assert "Superseded by" in read(folder / "report.html")
    (folder / "report.html").unlink()
    mend_versions(reports, "ferry")
    assert "Superseded by" in read(folder / "report.html")


def test_the_same_bytes_are_no_new_version(reports):
    assert not move_in(draft(reports, "Text 3", version=4), reports, "ferry", 4)
    assert next_version(reports, "ferry") == 4


def test_versions_are_listed_and_checked(reports):
    rows = list_versions(reports, "ferry")
    assert [(row["version"], row["made_on"], row["why"], row["files"]) for row in rows] == [
        (3, "2031-07-03", "", "as written"),
        (2, "2031-07-02", "Two accounts were a <newsroom>'s.", "as written"),
        (1, "2031-07-01", "", "as written"),
    ]
    assert all((reports / row["page"]).is_file() for row in rows)


def test_a_file_that_was_changed_is_named(reports):
    (reports / "ferry.history" / "v1" / AS_WRITTEN).write_text("other")
    (reports / "ferry" / "report.html").unlink()
    (reports / "ferry.history" / "v2" / "manifest.json").unlink()
    assert [row["files"] for row in list_versions(reports, "ferry")] == [
        "no manifest to check against",
        "changed or gone: report.html",
    ]


def test_a_case_without_report_is_an_error(tmp_path):
    with pytest.raises(SourceError, match=r"There is no report of 'ferry'.*workbench report ferry"):
        list_versions(tmp_path, "ferry")


def test_the_command_lists_versions_and_fails_where_a_file_was_changed(reports):
    answer = CliRunner().invoke(main, ["versions", "ferry", "--out", str(reports)])
    assert answer.exit_code == 0
    assert "2\t2031-07-02\tTwo accounts were a <newsroom>'s.\tferry.history/v2/report.html\tas written" in answer.output
    (reports / "ferry" / "report.html").write_text("other")
    assert CliRunner().invoke(main, ["versions", "ferry", "--out", str(reports)]).exit_code == 1
