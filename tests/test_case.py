"""A case finds its data, keeps its drafts apart from reports, and hands on findings that belong together."""

import polars as pl
import pytest

import workbench.case as case_room
from workbench.case import find_dataset, home, open_case
from workbench.findings import Section
from workbench.schema import About, ParameterError, Release, SourceError, decision, empty_table


@pytest.fixture
def root(tmp_path, monkeypatch):
    (tmp_path / "datasets" / "harbour").mkdir(parents=True)
    (tmp_path / "datasets" / "harbour" / "dataset.toml").write_text('title = "Harbour"\nplatform = "twitter"\n')
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    monkeypatch.delenv("WORKBENCH_HOME", raising=False)
    return tmp_path


def make_release(reason: str = "none") -> Release:
    decisions = decision("load", "kept all", reason, n_before=1, n_after=1)
    about = About(name="harbour", title="Harbour (synthetic)", platform="twitter", files={"a.csv": "0" * 64})
    return Release(empty_table("accounts"), empty_table("posts"), decisions, empty_table("quarantine"), about)


def test_a_name_means_a_folder_in_datasets_and_drafts_lie_apart(root):
    case = open_case("harbour")
    assert case.dataset == root / "datasets" / "harbour"
    assert case.folder == root / "reports" / "harbour.draft"
    assert case.cache.folder == root / ".cache" / "harbour"
    elsewhere = open_case("harbour", reports_folder=str(root / "x"), cache_folder=str(root / "y"))
    assert (elsewhere.folder, elsewhere.cache.folder) == (root / "x", root / "y")


def test_a_path_is_a_dataset_too(root):
    file = root / "my tweets.csv.gz"
    file.write_bytes(b"")
    assert find_dataset(str(file)) == file
    with pytest.raises(ParameterError, match="'my tweets' cannot name a case"):
        open_case(str(file))


def test_an_unknown_dataset_names_the_nearest_or_all(root):
    with pytest.raises(SourceError, match=r"no dataset 'harbor'.*Did you mean 'harbour'"):
        find_dataset("harbor")
    with pytest.raises(SourceError, match=r"There are: harbour\."):
        find_dataset("zzz")
    with pytest.raises(SourceError, match="no dataset ''"):
        find_dataset("")


def test_home_can_be_said_and_is_else_the_nearest_folder_with_both(root, monkeypatch):
    assert home() == root
    monkeypatch.setenv("WORKBENCH_HOME", str(root / "notebooks"))
    assert home() == root / "notebooks"


def test_home_falls_back_to_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.delenv("WORKBENCH_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(case_room, "__file__", str(tmp_path / "a" / "b" / "case.py"))
    assert home() == tmp_path


def test_saved_sections_are_gathered_with_their_decisions_and_parameters(root):
    case = open_case("harbour")
    saved = case.save(
        "01_a", make_release(), sections=[Section("release", empty_reason="empty")], parameters={"seed": 7}
    )
    assert saved.rows() == [("release", 0, 0, 0, "empty")]
    case.save(
        "02_b", make_release(), sections=[Section("limits", empty_reason="none")], parameters={"seed": 7, "w": 60}
    )
    findings = case.gather()
    assert [section.name for section in findings.sections] == ["release", "limits"]
    assert len(findings.decisions) == 1, "one decision that both notebooks saw is one decision"
    assert findings.parameters == {"seed": 7, "w": 60}
    assert findings.provenance["inputs"] == {"a.csv": "0" * 64}
    assert findings.provenance["command"] == "workbench report harbour"


def test_a_record_does_not_say_where_on_whose_disk_files_lie(root):
    case = open_case("harbour")
    given = {"dataset": "../../home/ann/leak/users.csv", "lists_folder": "C:\\ann\\lists\\", "seed": 7}
    given |= {"source": "https://desk.example/a", "traces": ["url"]}
    case.save("01_a", make_release(), sections=[Section("limits", empty_reason="none")], parameters=given)
    assert case.gather().parameters == given | {"dataset": "users.csv", "lists_folder": "lists"}


def test_sections_made_with_different_parameters_do_not_make_one_report(root):
    case = open_case("harbour")
    for notebook, seed in (("01_a", 7), ("02_b", 8)):
        name = "release" if seed == 7 else "limits"
        case.save(notebook, make_release(), sections=[Section(name, empty_reason="x")], parameters={"seed": seed})
    with pytest.raises(ParameterError, match=r"notebook 02_b was run with seed = 8, an earlier one with 7"):
        case.gather()


def test_nothing_saved_says_what_to_run(root):
    with pytest.raises(SourceError, match=r"no notebook of case 'harbour' has saved.*workbench report harbour"):
        open_case("harbour").gather()


def test_heavy_results_are_kept(root):
    case = open_case("harbour")
    frame = pl.DataFrame({"a": [1]})
    assert case.keep(pl.DataFrame.head, frame, 1).equals(frame)


def test_what_goes_with_a_dataset_lies_in_its_folder_or_beside_its_single_file(tmp_path):
    (tmp_path / "harbour").mkdir()
    (tmp_path / "capture.ndjson").write_text("{}")
    for place, expected in (("harbour", tmp_path / "harbour"), ("capture.ndjson", tmp_path)):
        case = open_case(str(tmp_path / place), reports_folder=str(tmp_path / "r"), cache_folder=str(tmp_path / "c"))
        assert case.beside("narrative_labels.csv") == expected.resolve() / "narrative_labels.csv"
