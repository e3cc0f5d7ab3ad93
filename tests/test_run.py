"""A run leaves a whole report or none, says what failed, and never overwrites what was published."""

import io
import json
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from rich.console import Console

from workbench.keys import PrivacyError
from workbench.lint import Fault
from workbench.notebooks import choose_parameters, list_notebooks, read_parameters
from workbench.run import RunError, run_case
from workbench.schema import ParameterError, SourceError
from workbench.versions import list_versions

PARAMETERS = 'dataset = "tiny"\nreports_folder = ""\ncache_folder = ""\nseed = 7\nmax_fdr = 0.05'
SHARES = "object_id,account_id,content_id,timestamp_share\n" + "".join(
    f"link_{n % 3},account_{n % 5}xyz,share_{n},{1_900_000_000 + n}\n" for n in range(30)
)
WRITE_REPORT = """
from pathlib import Path
Path(reports_folder, "report.html").write_text(f"seed {seed}")
Path(reports_folder, "findings.json").write_text("{}")
print("written to", reports_folder)
"""
GATHER = """
from workbench.case import open_case
from workbench.findings import Section
from workbench.schema import About, Release, empty_table
case = open_case(dataset, reports_folder=reports_folder)
tables = [empty_table(name) for name in ("accounts", "posts", "decisions", "quarantine")]
release = Release(*tables, About(name="tiny", title="Tiny (synthetic)", platform="twitter"))
limits = Section("limits", empty_reason="Nothing was looked for.")
case.save("01_tiny", release, sections=[limits], parameters={"seed": seed})
case.gather().save(case.folder / "findings.json")
(case.folder / "report.html").write_text("<body>the page</body>")
"""


def write_notebook(file: Path, *cells: str, parameters: str | None = PARAMETERS, heading: str = "## Step") -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(heading)])
    if parameters is not None:
        notebook.cells.append(nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]}))
    notebook.cells.extend(nbformat.v4.new_code_cell(cell.strip()) for cell in cells)
    file.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, file)


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """A workbench folder with a space and braces in its path, one small dataset, and one notebook."""
    folder = tmp_path / "my {work} bench"
    (folder / "datasets" / "tiny").mkdir(parents=True)
    (folder / "datasets" / "tiny" / "shares.csv").write_text(SHARES)
    write_notebook(folder / "notebooks" / "07_write_report.ipynb", WRITE_REPORT)
    monkeypatch.setenv("WORKBENCH_HOME", str(folder))
    monkeypatch.setenv("WORKBENCH_KEY_FILE", str(tmp_path / "key"))
    monkeypatch.setattr("workbench.run.lint_report", lambda _page: [])  # the pages here are no reports
    return folder


def list_reports(home: Path) -> list[str]:
    return sorted(path.name for path in (home / "reports").iterdir() if not path.name.endswith(".lock"))


@pytest.mark.notebook
def test_a_run_makes_a_whole_report_with_its_manifest(home):
    run = run_case("tiny", parameters={"seed": "11"})
    manifest = json.loads((run.folder / "manifest.json").read_text())

    assert (run.folder, run.version, run.is_new) == (home / "reports" / "tiny", 1, True)
    assert (run.folder / "report.html").read_text() == "seed 11"
    assert manifest["parameters"] == {"max_fdr": 0.05, "seed": 11}
    assert manifest["seed"] == 11
    assert [row["name"] for row in manifest["inputs"]] == ["shares.csv"]
    assert len(manifest["inputs"][0]["sha256"]) == 64
    notebooks = {f"notebooks/07_write_report.{ending}" for ending in ("ipynb", "html")}
    assert set(manifest["outputs"]) == {"report.html", "findings.json", *notebooks}
    assert manifest["packages"]["polars"]
    assert list_reports(home) == ["tiny"]


@pytest.mark.notebook
def test_what_an_editor_would_mend_and_an_earlier_record_nobody_can_read_are_said(home, monkeypatch):
    faults = [Fault("placeholder", f"paragraph {k}", "TBD", "Fill it in.") for k in range(12)]
    monkeypatch.setattr("workbench.run.lint_report", lambda _page: faults)
    earlier = home / "reports" / "tiny" / "findings.json"
    earlier.parent.mkdir(parents=True)
    earlier.write_text("{}")
    said = io.StringIO()
    assert run_case("tiny", console=Console(file=said, width=200)).version == 2
    assert "What changes cannot be listed: Expected the JSON of a findings record" in said.getvalue()
    assert "placeholder in paragraph 0: TBD Fill it in." in said.getvalue()
    assert "and 2 more" in said.getvalue()


@pytest.mark.notebook
def test_executed_notebooks_show_nothing_of_this_machine(home):
    text = (run_case("tiny").folder / "notebooks" / "07_write_report.ipynb").read_text()

    assert "written to reports/tiny" in text
    assert str(home) not in text
    assert sys.prefix not in text
    assert "start_time" not in text


@pytest.mark.notebook
def test_the_same_run_again_is_no_new_version_and_another_one_is(home):
    first = run_case("tiny")
    again = run_case("tiny")
    other = run_case("tiny", parameters={"seed": 8})
    third = run_case("tiny", parameters={"seed": 9})

    assert [(run.version, run.is_new) for run in (first, again, other, third)] == [
        (1, True),
        (1, False),
        (2, True),
        (3, True),
    ]
    assert (home / "reports" / "tiny" / "report.html").read_text() == "seed 9"
    history = home / "reports" / "tiny.history"
    assert (history / "v1" / "report_as_written.html").read_text() == "seed 7"
    assert (history / "v2" / "report_as_written.html").read_text() == "seed 8"
    assert [row["files"] for row in list_versions(home / "reports", "tiny")] == ["as written"] * 3


@pytest.mark.notebook
def test_a_correction_is_a_version_that_says_why_and_what_and_where_to_answer(home):
    """One whole life of a report: made, answered to, corrected, and the same correction again."""
    write_notebook(
        home / "notebooks" / "07_write_report.ipynb", GATHER, parameters=f'{PARAMETERS}\ncontact = "not stated"'
    )
    asked = {"parameters": {"contact": "desk@harbour.example", "seed": 9}, "correction": "The seed was wrong."}
    run_case("tiny")
    runs = [run_case("tiny", replies=["The Ferry Desk, 3 May 2031: we agree."], **asked) for _ in range(2)]

    assert [(run.version, run.is_new) for run in runs] == [(2, True), (2, False)]
    record = json.loads((runs[0].folder / "findings.json").read_text())
    assert record["provenance"]["version"] == 2
    assert record["provenance"]["contact"] == "desk@harbour.example"
    assert record["provenance"]["replies"] == ["The Ferry Desk, 3 May 2031: we agree."]
    assert record["provenance"]["command"] == ("workbench report tiny --set contact=desk@harbour.example --set seed=9")
    correction = record["provenance"]["corrections"][0]
    assert (correction["version"], correction["reason"]) == (2, "The seed was wrong.")
    assert "Parameter seed was 7, is 9." in correction["changes"]
    assert "The seed was wrong." in (home / "reports" / "tiny.history" / "v1" / "report.html").read_text()
    assert json.loads((runs[0].folder / "manifest.json").read_text())["correction"] == "The seed was wrong."


@pytest.mark.notebook
def test_a_page_that_differs_alone_is_a_version_too_and_its_number_is_right(home):
    write_notebook(home / "notebooks" / "07_write_report.ipynb", GATHER)
    run_case("tiny")
    write_notebook(home / "notebooks" / "01_more.ipynb", "1 + 1", parameters="seed = 7")
    run = run_case("tiny")
    record = json.loads((run.folder / "findings.json").read_text())

    assert (run.version, run.is_new) == (2, True)
    assert record["provenance"]["version"] == 2
    assert record["provenance"]["corrections"][0]["changes"] == []


@pytest.mark.parametrize(
    "texts",
    [
        {"correction": "x" * 1_001},
        {"correction": "one line\nand another"},
        {"replies": ["\u202egnol"]},
        {"parameters": {"contact": "x" * 201}},
    ],
)
def test_texts_not_fit_to_print_are_refused_before_anything_runs(home, texts):
    write_notebook(home / "notebooks" / "07_write_report.ipynb", WRITE_REPORT, parameters=f'{PARAMETERS}\ncontact = ""')
    with pytest.raises(ParameterError, match="one line of at most"):
        run_case("tiny", **texts)
    assert list_reports(home) == []


@pytest.mark.notebook
def test_a_failed_run_keeps_the_notebook_and_touches_no_report(home):
    run_case("tiny")
    write_notebook(home / "notebooks" / "02_find.ipynb", "# why\nedges = 1 / 0", "print('never')")

    with pytest.raises(
        RunError, match=r"02_find.ipynb failed in cell \[3\] \(edges = 1 / 0\): ZeroDivisionError: division"
    ):
        run_case("tiny", parameters={"seed": 8})
    assert list_reports(home) == ["tiny", "tiny.failed"]
    assert (home / "reports" / "tiny" / "report.html").read_text() == "seed 7"
    assert sorted(path.name for path in (home / "reports" / "tiny.failed").iterdir()) == ["02_find.ipynb", "error.txt"]

    (home / "notebooks" / "02_find.ipynb").unlink()
    run_case("tiny")
    assert list_reports(home) == ["tiny"]


@pytest.mark.notebook
def test_a_kernel_that_dies_is_explained(home):
    write_notebook(home / "notebooks" / "01_die.ipynb", "import os\nos._exit(9)")

    with pytest.raises(RunError, match=r"01_die.ipynb ended in cell 4: its Python process died"):
        run_case("tiny")


@pytest.mark.notebook
def test_notebooks_run_in_order_with_the_parameters_they_declare(home):
    write_notebook(home / "notebooks" / "01_a.ipynb", "seed + 1", parameters="seed = 7")
    write_notebook(home / "notebooks" / "03_c.ipynb", "traces[0]", parameters='dataset = ""\ntraces = ["url"]')
    lines = io.StringIO()
    run = run_case("tiny", parameters={"traces": "repost,url"}, console=Console(width=100, file=lines))
    manifest = json.loads((run.folder / "manifest.json").read_text())

    assert [row["notebook"] for row in manifest["notebooks"]] == ["01_a.ipynb", "03_c.ipynb", "07_write_report.ipynb"]
    assert manifest["parameters"]["traces"] == ["repost", "url"]
    assert "✓ 01 a" in lines.getvalue()


@pytest.mark.notebook
def test_notebooks_that_write_no_report_are_an_error(home):
    write_notebook(home / "notebooks" / "07_write_report.ipynb", "1")

    with pytest.raises(RunError, match=r"no report\.html and no findings\.json"):
        run_case("tiny")
    assert list_reports(home) == []


@pytest.mark.notebook
def test_a_report_that_names_a_hidden_account_is_thrown_away(home):
    write_notebook(home / "notebooks" / "01_show.ipynb", "print('seen: account_3xyz')")

    with pytest.raises(PrivacyError, match=r"names 1 accounts .*account_id in notebooks/01_show\.ipynb"):
        run_case("tiny")
    assert list_reports(home) == []


PAGES = (
    "Page Name,User Name,Facebook Id,Page Category,Followers at Posting,Post Created,Type,Likes,Comments,Shares,URL,"
    "Message,Link,Final Link\r\nTram Riders of Ember,tram.riders_77,100000063352,SYNTHETIC,537,2021-04-27 02:11:17 UTC,"
    "Link,0,0,0,https://www.facebook.com/100000063352/posts/1,The ferry runs late.,https://ferry.example/a,\r\n"
)


@pytest.mark.parametrize(
    ("place", "chosen"), [("tiny_platform_b", ""), ("pages", "pages"), ("pages", "datasets/pages")]
)
@pytest.mark.notebook
def test_a_report_that_names_a_hidden_account_of_the_second_platform_is_thrown_away(home, place, chosen, monkeypatch):
    (home / "datasets" / place).mkdir()
    (home / "datasets" / place / "pages.csv").write_text(PAGES)
    write_notebook(home / "notebooks" / "01_show.ipynb", "print('n')", parameters='second_dataset = ""')
    asked = {"parameters": {"second_dataset": chosen}} if chosen else {}
    monkeypatch.chdir(home.parent)  # notebooks run in the workbench's folder, wherever the command was given
    run_case("tiny", **asked)

    shown = "(Path(reports_folder) / 'hits.csv').write_text('handle,n\\ntram.riders_77,3\\n')"
    write_notebook(home / "notebooks" / "07_write_report.ipynb", f"{WRITE_REPORT}\n{shown}")
    with pytest.raises(PrivacyError, match=r"names 1 accounts .*handle in hits\.csv"):
        run_case("tiny", **asked)
    assert list_reports(home) == ["tiny"]


@pytest.mark.notebook
def test_the_manifest_is_looked_through_like_every_other_file(home):
    (home / "datasets" / "tiny" / "account_3xyz.md").write_text("It lists the names of the dataset's files.")
    with pytest.raises(PrivacyError, match=r"names 1 accounts .*\(account_id in manifest\.json\)"):
        run_case("tiny")
    assert list_reports(home) == []


@pytest.mark.notebook
def test_a_report_that_cannot_be_written_is_explained(home):
    (home / "file").write_text("")
    write_notebook(
        home / "notebooks" / "07_write_report.ipynb",
        WRITE_REPORT,
        "Path(reports_folder, 'notebooks').rename(Path(reports_folder, 'x'))",
    )

    with pytest.raises(RunError, match="could not be written"):
        run_case("tiny")
    assert list_reports(home) == []


@pytest.mark.skipif(sys.platform == "win32", reason="signals differ")
@pytest.mark.notebook
def test_a_second_run_at_once_says_so_and_a_killed_one_leaves_nothing(home):
    write_notebook(home / "notebooks" / "01_wait.ipynb", "import time\ntime.sleep(60)")
    code = "from workbench.run import run_case; run_case('tiny')"
    running = subprocess.Popen([sys.executable, "-c", code])
    deadline = time.monotonic() + 30
    while not list((home / "reports").glob(".tiny.running-*/notebooks")) and time.monotonic() < deadline:
        time.sleep(0.1)
    with pytest.raises(RunError, match="run already by another process"):
        run_case("tiny")
    running.kill()
    running.wait()
    (home / "notebooks" / "01_wait.ipynb").unlink()

    assert run_case("tiny").version == 1
    assert list_reports(home) == ["tiny"]


@pytest.mark.notebook
def test_a_run_killed_between_its_two_renames_loses_no_report(home):
    run_case("tiny")
    history = home / "reports" / "tiny.history"
    history.mkdir()
    (home / "reports" / "tiny").rename(history / "v1")
    run = run_case("tiny", parameters={"seed": 8})

    assert run.version == 2
    assert (history / "v1" / "report_as_written.html").read_text() == "seed 7"
    assert "Superseded by" in (history / "v1" / "report.html").read_text()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"sede": 8}, r"No notebook has a parameter 'sede'. Did you mean 'seed'\?"),
        ({"zzz": 8}, r"There are: max_fdr, seed\."),
        ({"seed": "seven"}, r"seed must be int like 7, got 'seven'"),
        ({"seed": 1.5}, "seed must be int"),
        ({"seed": True}, "seed must be int"),
        ({"seed": None}, "seed must be int"),
        ({"max_fdr": "low"}, "max_fdr must be float"),
        ({"dataset": "other"}, "'dataset' is set by the runner"),
    ],
)
def test_wrong_parameters_are_refused_before_anything_runs(home, given, message):
    with pytest.raises(ParameterError, match=message):
        run_case("tiny", parameters=given)
    assert not (home / "reports").exists()


@pytest.mark.parametrize(
    ("line", "given", "read"),
    [
        ("a = 1", "2", 2),
        ("a = 0.5", "1", 1.0),
        ("a = 0.5", 1, 1.0),
        ("a = True", "false", False),
        ("a = 'x'", "60", "60"),
        ("a = 'x # y'", "it's", "it's"),
        ("a = ['x']", "y", ["y"]),
        ("a = ['x']", "y, z", ["y", "z"]),
        ("a = ['x']", "['y']", ["y"]),
        ("a = [1]", (2, 3), [2, 3]),
        ("a: int | None = 60", "none", None),
        ("a: int | None = 60", "10", 10),
        ("a = None", "None", None),
    ],
)
def test_values_are_read_as_the_type_of_the_default(tmp_path, line, given, read):
    write_notebook(tmp_path / "01.ipynb", parameters=line)
    chosen = choose_parameters([tmp_path / "01.ipynb"], given={"a": given}, reserved=())["a"]

    assert chosen == read
    assert type(chosen) is type(read)


@pytest.mark.parametrize("text", ["a\nimport os", "\x1b[31m", "x" * 1001])
def test_texts_that_could_be_code_are_refused(tmp_path, text):
    write_notebook(tmp_path / "01.ipynb", parameters="a = 'x'")
    with pytest.raises(ParameterError, match="control characters"):
        choose_parameters([tmp_path / "01.ipynb"], given={"a": text}, reserved=())


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (None, "has 0 cells tagged 'parameters'"),
        ("a = 1 +", "no Python"),
        ("import os", "is 'import os'; expected name = literal"),
        ("a = b", "is 'a = b'; expected name = literal"),
        ("a: int", "expected name = literal"),
        ("a[0] = 1", "expected name = literal"),
    ],
)
def test_a_parameters_cell_holds_literals_only(tmp_path, parameters, message):
    write_notebook(tmp_path / "01.ipynb", parameters=parameters)
    with pytest.raises(ParameterError, match=message):
        read_parameters(tmp_path / "01.ipynb")


@pytest.mark.parametrize("case", ["../tiny", "tiny/../../x", "absent", "", "tiny\x00"])
def test_a_case_that_does_not_exist_is_refused(home, case):
    with pytest.raises((SourceError, ParameterError)):
        run_case(case)


def test_names_of_our_own_folders_are_refused(home):
    (home / "datasets" / "tiny").rename(home / "datasets" / "tiny.failed")
    with pytest.raises(ParameterError, match="for our own folders"):
        run_case("tiny.failed")


def test_a_folder_without_notebooks_is_refused(tmp_path):
    with pytest.raises(SourceError, match="holds no notebooks"):
        list_notebooks(tmp_path)
