"""The main job where there is no network at all, and a notebook that looks for one under the hook of other tests."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from faults.shuffled_case import make_case

from workbench.case import home
from workbench.run import RunError, run_case

HOOK = Path(__file__).parent / "faults" / "no_network"
CLOSED = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
"""A network of its own with loopback alone: a notebook's process talks to the runner by it."""
NOWHERE = "192.0.2.1"
"""an address that RFC 5737 keeps for documents: nobody answers there"""
CONNECT = f"import socket\nsocket.create_connection(('{NOWHERE}', 80), timeout=5)"
RUN = """
import sys
from workbench.run import run_case

run_case(sys.argv[1], parameters={"n_shuffles": 2}, out=sys.argv[2], notebooks=sys.argv[3])
"""


def why_not():
    """Why no process can be closed in here; empty where it can."""
    if not (shutil.which("unshare") and shutil.which("ip")):
        return "needs unshare and ip, of Linux"
    tried = subprocess.run([*CLOSED, "true"], capture_output=True, text=True, check=False)
    return f"needs the right to make a network namespace: {tried.stderr.strip()}" if tried.returncode else ""


@pytest.fixture
def closed():
    if reason := why_not():
        pytest.skip(reason)
    return CLOSED


def test_the_closed_network_has_no_way_out(closed):
    tried = subprocess.run([*closed, sys.executable, "-c", CONNECT], capture_output=True, text=True, check=False)
    assert tried.returncode == 1
    assert "unreachable" in tried.stderr, "at once, by the system, and not for want of an answer"


@pytest.mark.notebook
def test_the_whole_main_job_needs_no_network(closed, tmp_path):
    dataset = make_case(tmp_path)
    reports, notebooks = tmp_path / "reports", home() / "notebooks"
    own = {"WORKBENCH_HOME": str(tmp_path), "WORKBENCH_KEY_FILE": str(tmp_path / "key")}
    command = [*closed, sys.executable, "-c", RUN, str(dataset), str(reports), str(notebooks)]
    ran = subprocess.run(command, env={**os.environ, **own}, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-2_000:]
    assert (reports / dataset.name / "report.html").stat().st_size > 10_000
    assert (reports / dataset.name / "package.zip").is_file()
    manifest = json.loads((reports / dataset.name / "manifest.json").read_text(encoding="utf-8"))
    assert [row["notebook"] for row in manifest["notebooks"]] == sorted(file.name for file in notebooks.glob("*.ipynb"))


@pytest.mark.notebook
def test_a_notebook_that_looks_for_a_way_out_ends_under_the_hook_and_is_logged(tmp_path, monkeypatch):
    (tmp_path / "datasets" / "quay").mkdir(parents=True)
    (tmp_path / "notebooks").mkdir()
    parameters = nbformat.v4.new_code_cell('dataset = "quay"\nreports_folder = ""', metadata={"tags": ["parameters"]})
    cells = [nbformat.v4.new_markdown_cell("## Step"), parameters, nbformat.v4.new_code_cell(CONNECT)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "notebooks" / "01_reach_out.ipynb")
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    monkeypatch.setenv("WORKBENCH_KEY_FILE", str(tmp_path / "key"))
    monkeypatch.setenv("PYTHONPATH", str(HOOK))
    monkeypatch.setenv("NETWORK_LOG", str(tmp_path / "network.log"))
    with pytest.raises(RunError):
        run_case("quay", out=tmp_path / "reports")
    assert NOWHERE in (tmp_path / "network.log").read_text(encoding="utf-8")
    assert not (tmp_path / "reports" / "quay").exists()
