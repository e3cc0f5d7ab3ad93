"""An account taken out leaves no name, no pseudonym and no word behind, in any file that is ours."""

import io
import json
import zipfile

import nbformat
import polars as pl
import pytest

from workbench.keys import read_key
from workbench.privacy import protect_release
from workbench.removal import REASON, find_remains, remove_account
from workbench.run import RunError, hold_case, run_case
from workbench.schema import ParameterError, SourceError
from workbench.sharing.match import pair_names
from workbench.sources import load_release
from workbench.sources.removed import REMOVED_FILE, note_removal
from workbench.versions import list_versions

GONE, HANDLE, WORDS = "10077001", "quietlamp", "The lamp at pier nine burns green tonight"
HEADER = "message_id,user_id,username,repost_id,reply_id,message,timestamp,urls\n"
ROWS = [
    ("m1", GONE, HANDLE, "", "", WORDS, "https://linden.example/lamp"),
    ("m2", "10077002", "ferrybell", "m1", "", WORDS, "https://linden.example/lamp"),
    ("m3", "10077002", "ferrybell", "", "m1", f"@{HANDLE} which pier? ask 10077001", ""),
    ("m4", "10077003", "eastquay", "", "", "Morning on the quay", f"https://twitter.com/{HANDLE}/status/m1"),
    ("m5", "10077003", "eastquay", "", "", "quietlamps are sold here", "https://linden.example/quietlamp-shop"),
]
SHARES = HEADER + "".join(
    ",".join([*row[:5], row[5], str(1_900_000_000 + n), row[6]]) + "\n" for n, row in enumerate(ROWS)
)
PARAMETERS = 'dataset = "quay"\nreports_folder = ""\ncache_folder = ""\nseed = 7'
REPORT = """
from pathlib import Path

import workbench as wb

case = wb.open_case(dataset, reports_folder=reports_folder, cache_folder=cache_folder)
release = case.keep(wb.load_release, case.dataset)
shown = wb.protect_release(release, key=wb.read_key())
shown.posts.select("post_id", "account_id", "text").write_csv(Path(reports_folder, "posts.csv"))
section = wb.Section("release", empty_reason=f"The seed is {seed}.")
case.save("07_write_report", release, sections=[section], parameters={"seed": seed})
wb.render_report(case.gather(), case.folder)
shown.accounts
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A case whose report shows every post under pseudonyms."""
    (tmp_path / "datasets" / "quay").mkdir(parents=True)
    (tmp_path / "datasets" / "quay" / "messages.csv").write_text(SHARES)
    (tmp_path / "datasets" / "quay" / "dataset.toml").write_text('title = "Invented quay"\nplatform = "twitter"\n')
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("## Step")])
    notebook.cells.append(nbformat.v4.new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}))
    notebook.cells.append(nbformat.v4.new_code_cell(REPORT.strip()))
    (tmp_path / "notebooks").mkdir()
    nbformat.write(notebook, tmp_path / "notebooks" / "07_write_report.ipynb")
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    monkeypatch.setenv("WORKBENCH_KEY_FILE", str(tmp_path / "key"))
    return tmp_path


def dataset(home):
    return home / "datasets" / "quay"


def contents(place):
    """Every file under a place as text, tables and archives opened."""
    for file in sorted(place.rglob("*")):
        if file.is_dir():
            continue
        yield file, file.read_bytes()
        if file.suffix == ".parquet":
            yield file, pl.read_parquet(file).write_ndjson().encode()
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as archive:
                yield from ((file, archive.read(name)) for name in archive.namelist())


@pytest.mark.notebook
def test_nothing_of_a_removed_account_is_left_and_a_new_version_says_only_that_something_was_removed(home):
    run_case("quay")
    run_case("quay", parameters={"seed": 8})
    original = load_release(dataset(home))
    names = pair_names(original, protect_release(original, key=read_key()))
    pseudonym = names.filter(pl.col("account_id") == GONE)["shown"][0]
    reports, cache = home / "reports", home / ".cache"
    (reports / "quay.package").mkdir()
    (reports / "quay.package" / "accounts.csv").write_text(pseudonym)
    with zipfile.ZipFile(reports / "quay.package.zip", "w") as archive:
        archive.writestr("accounts.csv", pseudonym)
    (reports / "quay.draft").mkdir()
    (reports / "quay.draft" / "page.html").write_text(f"@{HANDLE}")
    (dataset(home) / "narrative_labels.csv").write_text(f"label,translation,fingerprints,exemplar\nLamp,,a b,{WORDS}\n")
    assert find_remains([reports], {pseudonym}), "or the test would prove nothing"
    source = (dataset(home) / "messages.csv").read_bytes()

    removal = remove_account("quay", GONE)

    assert removal.withdrawn == (1, 2)
    assert (removal.run.version, removal.run.is_new) == (3, True)
    assert removal.files_that_hold_it == ("messages.csv",)
    assert (dataset(home) / "messages.csv").read_bytes() == source, "the files are the user's"
    ours = [reports, cache, dataset(home) / REMOVED_FILE, dataset(home) / "narrative_labels.csv"]
    for name in (GONE, pseudonym, f"@{HANDLE}", WORDS):
        for place in ours:
            texts = contents(place) if place.is_dir() else [(place, place.read_bytes())]
            assert not [file for file, content in texts if name.encode() in content], f"{name} in {place}"
    assert "Lamp" in (dataset(home) / "narrative_labels.csv").read_text(), "what a human wrote stays"
    rows = list_versions(reports, "quay")
    assert [(row["version"], row["why"], row["files"]) for row in rows] == [
        (3, REASON, "as written"), (2, REASON, "as written"), (1, REASON, "as written"),
    ]  # fmt: skip
    assert "was withdrawn on" in (reports / "quay.history" / "v1" / "report.html").read_text()
    findings = json.loads((reports / "quay" / "findings.json").read_text())
    said = [row for row in findings["decisions"] if "request" in row["reason"]]
    assert [(row["action"][:10], row["n_before"] - row["n_after"]) for row in said] == [
        ("left out 1", 1),
        ("left out 2", 2),
    ]
    assert json.loads((reports / "quay" / "manifest.json").read_text())["parameters"]["seed"] == 8


def test_the_release_no_longer_holds_the_account_and_others_keep_what_is_theirs(home):
    note_removal(dataset(home), GONE)
    release = load_release(dataset(home))
    posts = {row["post_id"]: row for row in release.posts.iter_rows(named=True)}

    assert sorted(posts) == ["m3", "m4", "m5"], "its post and the repost of it are gone"
    assert posts["m3"]["text"] == "@[removed] which pier? ask [removed]"
    assert posts["m3"]["reply_to_id"] is None
    assert posts["m4"]["urls"] == []
    assert posts["m5"]["text"] == "quietlamps are sold here", "a longer word is no name"
    assert set(release.accounts["account_id"]) == {"10077002", "10077003"}


def test_a_removal_is_noted_once_and_names_nobody(home):
    file = note_removal(dataset(home), GONE)
    first = file.read_text()
    assert note_removal(dataset(home), GONE).read_text() == first
    assert GONE not in first
    note_removal(dataset(home), "10077002")
    assert load_release(dataset(home)).posts.height == 2


def test_a_single_file_has_its_list_beside_it(home):
    single = dataset(home) / "messages.csv"
    assert note_removal(single, GONE).name == "messages.csv.removed.toml"
    assert GONE not in load_release(single).accounts["account_id"]


@pytest.mark.parametrize("content", ["x", 'salt = ""\n[removed]\n', 'salt = "a"\n[removed]\na = 1\n', 'salt = "a"\n'])
def test_a_broken_list_stops_the_loading_so_that_nobody_comes_back(home, content):
    (dataset(home) / REMOVED_FILE).write_text(content)
    with pytest.raises(SourceError, match="would come back"):
        load_release(dataset(home))


def test_an_id_nobody_has_changes_nothing(home):
    with pytest.raises(ParameterError, match="nothing was changed"):
        remove_account("quay", HANDLE)
    assert not (dataset(home) / REMOVED_FILE).exists()


def test_a_case_under_way_is_left_alone(home):
    (home / "reports").mkdir()
    with hold_case(home / "reports", "quay"), pytest.raises(RunError, match="being run already"):
        remove_account("quay", GONE)
    assert not (dataset(home) / REMOVED_FILE).exists()


def test_a_case_without_a_report_needs_no_run(home):
    removal = remove_account("quay", GONE)
    assert (removal.withdrawn, removal.run) == ((), None)


def test_what_still_holds_a_name_is_found_in_archives_too(tmp_path):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.csv", "acct_abcdef")
    (tmp_path / "p.zip").write_bytes(packed.getvalue())
    (tmp_path / "b.txt").write_text("short")
    assert find_remains([tmp_path], {"acct_abcdef", "short"}) == [tmp_path / "p.zip"], "short names are in any text"


def test_a_label_file_that_cannot_be_read_stops_a_removal_before_anything_is_changed(home):
    labels = dataset(home) / "narrative_labels.csv"
    labels.write_bytes(b"label,exemplar\n\xff\xfe" + b"a" * 20 + b'\n"')
    with pytest.raises(SourceError, match="nothing was removed"):
        remove_account("quay", GONE)
    assert not (dataset(home) / REMOVED_FILE).exists()
