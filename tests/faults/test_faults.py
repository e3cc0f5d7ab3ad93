"""Runs that are killed, starved, crowded or cut off: a clear word, nothing half-written, nothing lost."""

import contextlib
import json
import os
import random
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from fault_home import (
    CASE,
    FaultHome,
    describe_left,
    find_faults,
    kill_once,
    list_outputs,
    list_temporary,
    make_quick_home,
    make_reference,
)
from run_faults import say_kill

NO_NETWORK = Path(__file__).parent / "no_network"
N_KILLS = 3
HUNGRY = """
import resource
resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
bytearray(4 << 30)
"""
pytestmark = [
    pytest.mark.notebook,
    pytest.mark.skipif(sys.platform == "win32", reason="signals and limits differ"),
]


@pytest.fixture(scope="module")
def wounded(tmp_path_factory):
    """A quick home and what undisturbed runs give in it."""
    home = make_quick_home(tmp_path_factory.mktemp("faults") / "home")
    return home, make_reference(home)


@pytest.fixture(autouse=True)
def _no_temporary_files_stay(request):
    yield
    if "wounded" in request.fixturenames:
        home, _ = request.getfixturevalue("wounded")
        left = list_temporary(home)
        shutil.rmtree(home.temporary, ignore_errors=True)
        shutil.rmtree(home.root / ".cache", ignore_errors=True)
        assert left == [] or "kill" in request.node.name


@contextlib.contextmanager
def read_only(folder, content):
    """Make a folder with this content that nobody may write to, root included."""
    folder.mkdir(parents=True, exist_ok=True)
    is_root = os.geteuid() == 0
    if is_root and subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], check=False).returncode:
        pytest.skip("this machine lets nobody mount, and root may write anywhere")
    try:
        if content:
            shutil.copytree(content, folder, dirs_exist_ok=True)
        if is_root:
            subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
        else:
            _set_modes(folder, 0o555)
        with pytest.raises(OSError, match=r"Read-only|Permission denied"):
            (folder / "new").touch()
        yield
    finally:
        subprocess.run(["umount", folder], check=True) if is_root else _set_modes(folder, 0o755)


def _set_modes(folder, mode):
    for place in (folder, *(one for one in folder.rglob("*") if one.is_dir())):
        place.chmod(mode)


@pytest.mark.parametrize("seed", range(N_KILLS))
def test_a_run_killed_at_any_moment_leaves_whole_reports_and_the_next_gives_the_same_bytes(wounded, seed):
    home, reference = wounded
    found = kill_once(home, reference, random.Random(seed))
    assert found["faults"] == []
    assert found["same_bytes_again"]
    assert found["report_left"] in ("the one before", "the new one", "none")
    assert "same bytes" in say_kill(found)


def test_what_a_kill_may_never_leave_would_be_seen(wounded):
    home, reference = wounded
    shutil.rmtree(home.reports, ignore_errors=True)
    shutil.copytree(reference.start / "reports", home.reports)
    report = home.reports / CASE
    assert (find_faults(home), describe_left(home, reference)["report_left"]) == ([], "the one before")
    page = report / "report.html"
    page.write_bytes(page.read_bytes()[:-100])
    (report / "more.csv").write_text("")
    (home.reports / "draft").mkdir()
    assert find_faults(home) == [
        f"{CASE}: more.csv is not as its manifest says",
        f"{CASE}: report.html is not as its manifest says",
        "left behind: draft",
    ]
    (home.reports / "draft").rmdir()
    (report / "manifest.json").unlink()
    assert find_faults(home) == [f"{CASE} lacks ['manifest.json']"]
    assert describe_left(home, reference)["report_left"] == "none"


class MixingHome(FaultHome):
    """A home whose killed run leaves a report of files of two versions, with a manifest that agrees."""

    def start(self, *_, **__):
        record = json.loads((self.reports / CASE / "manifest.json").read_text())
        record["outputs"].pop("table_1.csv")
        (self.reports / CASE / "table_1.csv").unlink()
        (self.reports / CASE / "manifest.json").write_text(json.dumps(record))
        return subprocess.Popen(["sleep", "60"], stderr=subprocess.PIPE, text=True, start_new_session=True)

    def run(self, *_, **__):
        return 1, "not run"


def test_a_report_of_files_of_two_versions_is_a_fault(wounded):
    home, reference = wounded
    found = kill_once(MixingHome(home.root, home.parameter), replace(reference, seconds=0.2), random.Random(0))
    assert found["report_left"] == "other"
    assert found["faults"][0] == f"{CASE} is neither the report before nor the new one"
    assert "FAULT" in say_kill(found)


def test_an_unchanged_stage_is_not_computed_again_and_a_corrupt_one_is(wounded):
    home, reference = wounded
    shutil.rmtree(home.root / ".cache", ignore_errors=True)
    shutil.copytree(reference.start / ".cache", home.root / ".cache")
    entries = sorted((home.root / ".cache" / CASE).iterdir())
    before = {entry.name: entry.stat().st_mtime_ns for entry in entries}
    assert home.run(5)[0] == 0
    assert {entry.name: entry.stat().st_mtime_ns for entry in sorted(entries[0].parent.iterdir())} == before

    broken = next(file for file in entries[0].glob("*.parquet"))
    whole = broken.read_bytes()
    broken.write_bytes(whole[:-9] + b"x" + whole[-8:])
    shutil.rmtree(home.reports)
    assert home.run(2)[0] == 0
    assert broken.read_bytes() == whole, "made again"
    assert list_outputs(home.reports / CASE) == reference.first


def test_a_file_that_grows_past_what_the_disk_takes_is_explained_and_leaves_nothing(wounded):
    """A limit on the size of files stands in for a full disk, where nobody may mount one."""
    home, _ = wounded
    out = home.root / "elsewhere"
    code = (
        "import resource, runpy, sys\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "from workbench.run import run_case\n"
        "from workbench.schema import WorkbenchError\n"
        "try:\n    run_case('tiny', out=sys.argv[1])\n"
        "except WorkbenchError as error:\n    sys.exit(str(error))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(out)],
        env={**os.environ, **home.environment()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "File too large" in done.stderr
    assert "Traceback" not in done.stderr.splitlines()[-1]
    assert not (out / CASE).exists()
    assert list_temporary(home, out) == []


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may mount")
def test_a_full_disk_is_explained_and_keeps_the_report_that_was_there(wounded, tmp_path):
    home, reference = wounded
    pages = sum(-(-file.stat().st_size // 4096) + 1 for file in (reference.start / "reports").rglob("*"))
    room = f"size={pages * 4 * 3 // 2}k"  # for the report that is there and half of another
    if subprocess.run(["mount", "-t", "tmpfs", "-o", room, "tmpfs", tmp_path], check=False).returncode:
        pytest.skip("this machine lets nobody mount")
    try:
        shutil.copytree(reference.start / "reports", tmp_path / "reports")
        before = list_outputs(tmp_path / "reports" / CASE)
        status, said = home.run(9, out=tmp_path / "reports")
        assert status
        assert "No space left" in said
        assert list_outputs(tmp_path / "reports" / CASE) == before == reference.first
        assert list_temporary(home, tmp_path / "reports") == []
    finally:
        subprocess.run(["umount", tmp_path], check=True)


def test_a_folder_one_may_not_write_to_is_explained(wounded, tmp_path):
    home, _ = wounded
    (tmp_path / "file").write_text("")
    status, said = home.run(2, out=tmp_path / "file" / "reports")
    assert status == 1
    assert said.startswith("RunError: Nothing can be written in")


def test_reports_one_may_only_read_are_explained_and_stay(wounded, tmp_path):
    home, reference = wounded
    with read_only(tmp_path / "reports", reference.start / "reports"):
        status, said = home.run(3, out=tmp_path / "reports")
        assert status == 1
        assert said.startswith("RunError: Nothing can be written in")
        assert list_outputs(tmp_path / "reports" / CASE) == reference.first
        assert list_temporary(home, tmp_path / "reports") == []


def test_where_results_cannot_be_kept_the_run_goes_on_and_says_so(wounded, tmp_path):
    home, _ = wounded
    with read_only(home.root / ".cache", None):
        status, said = home.run(3, out=tmp_path)
        assert (status, list((home.root / ".cache").iterdir())) == (0, []), said
    notebook = (tmp_path / CASE / "notebooks" / "07_write_report.ipynb").read_text()
    assert notebook.count("could not be kept") == 3
    assert list_temporary(home, tmp_path) == []


def test_a_dataset_one_may_only_read_is_enough(wounded, tmp_path):
    home, reference = wounded
    shutil.copytree(home.root / "datasets" / CASE, tmp_path / "dataset")
    with read_only(home.root / "datasets" / CASE, tmp_path / "dataset"):
        status, said = home.run(3, out=tmp_path / "reports")
    assert status == 0, said
    tables = [name for name in reference.second if name.endswith(".csv")]
    outputs = list_outputs(tmp_path / "reports" / CASE)
    assert [outputs[name] for name in tables] == [reference.second[name] for name in tables]


def test_too_little_memory_ends_in_one_line_and_keeps_the_report_that_was_there(wounded):
    home, reference = wounded
    shutil.rmtree(home.reports, ignore_errors=True)
    shutil.copytree(reference.start / "reports", home.reports)
    file = home.root / "notebooks" / "07_write_report.ipynb"
    whole = file.read_bytes()
    notebook = nbformat.read(file, as_version=4)
    notebook.cells.insert(2, nbformat.v4.new_code_cell(HUNGRY))
    nbformat.write(notebook, file)
    status, said = home.run(3)
    file.write_bytes(whole)
    assert status == 1
    assert "MemoryError" in said or "lack of memory" in said
    assert find_faults(home) == []
    assert list_outputs(home.reports / CASE) == reference.first


def test_of_two_runs_at_once_one_wins_and_the_other_says_so(wounded):
    home, _ = wounded
    shutil.rmtree(home.reports, ignore_errors=True)
    both = [home.start(2), home.start(3)]
    said = [process.communicate()[1] for process in both]
    statuses = sorted(process.returncode for process in both)
    assert statuses in ([0, 1], [0, 0]), said  # [0, 0] where the machine started the second after the first had ended
    assert statuses == [0, 0] or any("run already by another process" in one for one in said)
    assert find_faults(home) == []


def test_a_run_opens_no_way_out_of_this_machine(wounded, tmp_path):
    home, _ = wounded
    log = tmp_path / "network.log"
    status, said = home.run(4, PYTHONPATH=str(NO_NETWORK), NETWORK_LOG=str(log))
    assert (status, log.exists()) == (0, False), f"{said} {log.read_text() if log.exists() else ''}"


def test_the_watch_over_ways_out_would_see_one(tmp_path):
    log = tmp_path / "network.log"
    code = "import urllib.request; urllib.request.urlopen('http://192.0.2.1/', timeout=1)"
    environment = {**os.environ, "PYTHONPATH": str(NO_NETWORK), "NETWORK_LOG": str(log)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=False)
    assert done.returncode == 97
    assert "192.0.2.1" in log.read_text()
