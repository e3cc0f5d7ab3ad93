"""An earlier version stays, says by what it was superseded, and can be checked against its own manifest."""

import html
import json
import re
import shutil
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


def files_of(reports: Path) -> dict[int, str]:
    return {row["version"]: row["files"] for row in list_versions(reports, "ferry")}


def test_a_forged_page_of_a_superseded_version_is_named_though_its_copy_is_whole(reports):
    page = reports / "ferry.history" / "v1" / "report.html"
    page.write_text(read(page).replace("Text 1", "Forged"))
    assert files_of(reports) == {3: "as written", 2: "as written", 1: "changed or gone: report.html"}
    mend_versions(reports, "ferry")
    assert files_of(reports)[1] == "as written", "the next run makes the page anew from its copy"


def test_a_copy_beside_the_page_that_stands_does_not_excuse_a_forged_page(reports):
    page = reports / "ferry" / "report.html"
    (reports / "ferry" / AS_WRITTEN).write_bytes(page.read_bytes())
    page.write_text("Forged")
    assert files_of(reports)[3] == f"changed or gone: report.html; added: {AS_WRITTEN}"


def test_files_that_no_manifest_lists_are_named(reports):
    (reports / "ferry" / "tables").mkdir()
    (reports / "ferry" / "tables" / "more.csv").write_text("a")
    (reports / "ferry.history" / "v2" / "manifest.json.bak").write_text("a")
    assert files_of(reports) == {
        3: "changed or gone: none; added: tables/more.csv",
        2: "changed or gone: none; added: manifest.json.bak",
        1: "as written",
    }
    answer = CliRunner().invoke(main, ["versions", "ferry", "--out", str(reports)])
    assert answer.exit_code == 1
    assert "added: tables/more.csv" in answer.output


def test_a_manifest_that_lists_no_files_checks_nothing_and_says_so(reports):
    file = reports / "ferry" / "manifest.json"
    file.write_text(json.dumps({key: value for key, value in json.loads(read(file)).items() if key != "outputs"}))
    assert files_of(reports)[3].startswith("changed or gone: manifest.json, which lists no files. Restore it")


def test_no_file_outside_the_version_is_looked_at(reports):
    file = reports / "ferry" / "manifest.json"
    (reports / "outside.txt").write_text("a")
    content = json.loads(read(file))
    content["outputs"] |= {"../outside.txt": hash_file(reports / "outside.txt"), "a\x00b": "0", "x" * 5000: "0"}
    file.write_text(json.dumps(content))
    assert "../outside.txt" in files_of(reports)[3]


def test_a_page_cannot_be_checked_against_a_line_whose_manifest_is_damaged_and_a_run_goes_on(reports):
    (reports / "ferry.history" / "v2" / "manifest.json").write_text("[]")
    assert files_of(reports)[1] == "changed or gone: report.html, or only the later manifest.json"
    assert "workbench report" not in files_of(reports)[2], "a new version does not mend an earlier one"
    (reports / "ferry.history" / "v1" / AS_WRITTEN).write_bytes(b"<body>\xff")
    mend_versions(reports, "ferry")
    page = (reports / "ferry.history" / "v1" / "report.html").read_bytes()
    assert b"version 2</a></strong>: why is not known" in page
    assert page.endswith(b"\xff")


def test_a_report_whose_manifest_is_damaged_becomes_a_version_of_its_own_right(reports):
    (reports / "ferry" / "manifest.json").write_bytes(b"\xff")
    assert move_in(draft(reports, "Text 3", version=4), reports, "ferry", 4)
    assert [row["version"] for row in list_versions(reports, "ferry")] == [4, 3, 2, 1]


def test_an_earlier_version_put_back_says_no_longer_that_it_was_superseded(reports):
    shutil.rmtree(reports / "ferry")
    mend_versions(reports, "ferry")
    assert "Superseded" not in read(reports / "ferry" / "report.html")
    assert files_of(reports) == {2: "as written", 1: "as written"}
