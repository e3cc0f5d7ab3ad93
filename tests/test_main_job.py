"""The main job, whole: a small synthetic release through every notebook, by the runner, to a report one can read."""

import json
from pathlib import Path

import nbformat
import polars as pl
import pytest

from workbench.case import home
from workbench.run import run_case
from workbench.simulate import simulate_release

QUICK = {"n_shuffles": 3}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run on a release of 1,000 accounts; the repository itself is left alone."""
    root = tmp_path_factory.mktemp("main job")
    dataset = simulate_release(root / "tidehaven", n_accounts=1_000, n_posts=8_000, seed=11)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_KEY_FILE", str(root / "key"))
        # Any notebook's process that looks for a way out of this machine ends at once, and says where it wanted to go.
        patch.setenv("PYTHONPATH", str(Path(__file__).parent / "faults" / "no_network"))
        patch.setenv("NETWORK_LOG", str(root / "network.log"))
        notebooks = home() / "notebooks"
        patch.setenv("WORKBENCH_HOME", str(root))
        run = run_case(str(dataset), parameters=QUICK, out=root / "reports", notebooks=notebooks)
    return dataset, run


@pytest.mark.notebook
def test_a_release_becomes_a_report_in_one_go(finished):
    _, run = finished
    assert run.is_new
    assert run.version == 1
    names = {path.name for path in run.folder.iterdir()}
    expected = {"report.html", "findings.json", "manifest.json", "tables", "notebooks"}
    assert names == expected | {"narrative_labels.csv", "package", "package.zip"}
    assert (run.folder / "report.html").stat().st_size < 3_000_000
    assert [path.name for path in run.folder.parent.iterdir() if path.suffix != ".lock"] == [run.folder.name]


@pytest.mark.notebook
def test_no_stage_of_it_opened_a_way_out_of_this_machine(finished):
    _, run = finished
    assert not (run.folder.parents[1] / "network.log").exists()


@pytest.mark.notebook
def test_the_planted_core_is_found_and_nobody_is_called_inauthentic(finished):
    dataset, run = finished
    findings = json.loads((run.folder / "findings.json").read_text(encoding="utf-8"))
    claims = [claim for section in findings["sections"] for claim in section["claims"]]
    assert {claim["level"] for claim in claims} <= {"co-action", "coordination"}
    assert all(claim["denominator"] and claim["confidence"]["basis"] for claim in claims)
    n_operation = pl.read_csv(dataset / "truth.csv", infer_schema=False).filter(pl.col("is_operation") == "true").height
    members = pl.read_csv(run.folder / "tables" / "cluster_members.csv").height
    assert 0 < members <= n_operation + 20, "the core, its amplifiers and a newsroom; not the fans"


@pytest.mark.notebook
def test_every_notebook_ran_in_order_without_an_error(finished):
    _, run = finished
    files = sorted((run.folder / "notebooks").glob("*.ipynb"))
    assert [file.name for file in files] == sorted(file.name for file in (home() / "notebooks").glob("*.ipynb"))
    for file in files:
        cells = [cell for cell in nbformat.read(file, 4).cells if cell.cell_type == "code"]
        assert all(cell.execution_count for cell in cells), f"{file.name} has a cell that did not run"
        assert not [out for cell in cells for out in cell.outputs if out.output_type == "error"]


@pytest.mark.notebook
def test_every_number_of_the_manifest_is_that_of_the_run(finished):
    _, run = finished
    manifest = json.loads((run.folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["parameters"]["n_shuffles"] == QUICK["n_shuffles"]
    assert manifest["parameters"]["seed"] == 7
    text = json.dumps(manifest)
    assert str(run.folder) not in text, "a machine's path is nobody's business"
