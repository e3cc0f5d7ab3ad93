"""A workbench folder of its own to do harm in: one small dataset, quick notebooks or the real ones, and what to check.

Nothing here touches the repository's reports. The main job runs in a process of its own, so that it can be killed at
any moment.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import nbformat

from workbench.simulate import simulate_release

REPOSITORY = Path(__file__).resolve().parents[2]
CASE = "tiny"
AIMED_FRAC, MOVE_S = 0.2, 0.02
"""Part of the kills that are aimed at the move into place, and how long after its last file they come at most."""
RUN = (
    "import sys\n"
    "from workbench.run import run_case\n"
    "from workbench.schema import WorkbenchError\n"
    "try:\n"
    "    run_case('tiny', parameters={'PARAMETER': sys.argv[1]}, out=sys.argv[2] if len(sys.argv) > 2 else None)\n"
    "except WorkbenchError as error:\n"
    "    sys.exit(f'{type(error).__name__}: {error}')\n"
)
PARAMETERS = 'dataset = "tiny"\nreports_folder = ""\ncache_folder = ""\nseed = 7'
LOAD = """
import workbench as wb
case = wb.open_case(dataset, reports_folder=reports_folder, cache_folder=cache_folder)
release = case.keep(wb.load_release, case.dataset)
"""
COUNT = """
actions = case.keep(wb.extract_actions, release.posts, traces=["repost"])
edges = case.keep(wb.count_co_actions, actions, time_window_s=60)
section = wb.Section("coordination", empty_reason=f"The seed is {seed}; {edges.height} pairs were counted.")
case.save("07_write_report", release, sections=[section], parameters={"seed": seed})
"""
WRITE = """
from pathlib import Path
for number in range(40):
    Path(reports_folder, f"table_{number}.csv").write_text(f"seed\\n{seed}\\n" * 5_000)
wb.render_report(case.gather(), case.folder)
"""
SHARES = "object_id,account_id,content_id,timestamp_share\n" + "".join(
    f"link_{n % 7},account_{n % 11}xyz,share_{n},{1_900_000_000 + n}\n" for n in range(300)
)


@dataclass(frozen=True)
class FaultHome:
    """The folder, and the parameter that makes two different reports."""

    root: Path
    parameter: str

    @property
    def reports(self) -> Path:
        """The folder of reports."""
        return self.root / "reports"

    @property
    def temporary(self) -> Path:
        """The folder for temporary files of its processes."""
        return self.root / "temporary"

    def start(self, value: int, *, out: Path | None = None, **environment: str) -> subprocess.Popen[str]:
        """Start the main job in a process group of its own."""
        command = [sys.executable, "-c", RUN.replace("PARAMETER", self.parameter), str(value), *([out] if out else [])]
        return subprocess.Popen(
            command,
            env={**os.environ, **self.environment(), **environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, value: int, *, out: Path | None = None, **environment: str) -> tuple[int, str]:
        """Run the main job to its end and return its exit status and last words."""
        process = self.start(value, out=out, **environment)
        _, said = process.communicate()
        return process.returncode, said.strip().splitlines()[-1] if said.strip() else ""

    def environment(self) -> dict[str, str]:
        """Variables that make a process use this folder."""
        self.temporary.mkdir(exist_ok=True)
        return {
            "WORKBENCH_HOME": str(self.root),
            "WORKBENCH_KEY_FILE": str(self.root / "key"),
            "TMPDIR": str(self.temporary),
        }


def make_quick_home(root: Path) -> FaultHome:
    """Return a home whose one notebook loads, counts, keeps results and writes forty tables and a page."""
    (root / "datasets" / CASE).mkdir(parents=True)
    (root / "datasets" / CASE / "shares.csv").write_text(SHARES)
    (root / "notebooks").mkdir()
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("## Load, count, write")])
    notebook.cells.append(nbformat.v4.new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}))
    notebook.cells.extend(nbformat.v4.new_code_cell(cell.strip()) for cell in (LOAD, COUNT, WRITE))
    nbformat.write(notebook, root / "notebooks" / "07_write_report.ipynb")
    return FaultHome(root, "seed")


def make_real_home(root: Path) -> FaultHome:
    """Return a home with the notebooks of the workbench and its smallest synthetic release."""
    simulate_release(root / "datasets" / CASE, n_accounts=1_000, n_posts=5_000, seed=11)
    shutil.copytree(REPOSITORY / "notebooks", root / "notebooks")
    return FaultHome(root, "n_shuffles")


def find_faults(home: FaultHome, reference: Reference | None = None) -> list[str]:
    """Return what is wrong with the reports folder: half a report, a file not as its manifest says, something left.

    With a reference, a report that is neither of its two is a fault, too: one of files of both, say.
    """
    faults = []
    places = [home.reports / CASE, *(home.reports / f"{CASE}.history").glob("v*")]
    for place in places:
        if not place.exists():
            continue
        name = place.relative_to(home.reports)
        absent = [file for file in ("report.html", "findings.json", "manifest.json") if not (place / file).is_file()]
        if absent:
            faults.append(f"{name} lacks {absent}")
            continue
        faults += [f"{name}: {file} is not as its manifest says" for file in list_changed(place)]
        if reference and list_outputs(place) not in (reference.first, reference.second):
            faults.append(f"{name} is neither the report before nor the new one")
    known = {CASE, f"{CASE}.history", f"{CASE}.failed"}
    faults += [
        f"left behind: {one.name}" for one in home.reports.iterdir() if one.name[0] != "." and one.name not in known
    ]
    return faults


def list_temporary(home: FaultHome, reports: Path | None = None) -> list[str]:
    """Return what runs left that only they needed: drafts of reports and of kept results, temporary files.

    Beware: a killed process may leave some; its next run throws drafts of reports away, a later one those of results.
    """
    places = [
        *(reports or home.reports).glob(f".{CASE}.running-*"),
        *(home.root / ".cache").rglob(".draft-*"),
        *home.temporary.glob("*"),
    ]
    return sorted(place.name for place in places)


def list_changed(place: Path) -> list[str]:
    """Return files of a report that are absent, other than written, or in no manifest."""
    written = json.loads((place / "manifest.json").read_text(encoding="utf-8"))["outputs"]
    found = {
        file.relative_to(place).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in place.rglob("*")
        if file.is_file() and file.name != "manifest.json"
    }
    # A superseded page gets a line that says so; the page as first written lies beside it.
    if "report_as_written.html" in found:
        found["report.html"] = found.pop("report_as_written.html")
    return sorted(name for name in written.keys() | found.keys() if written.get(name) != found.get(name))


def list_outputs(place: Path) -> dict[str, str]:
    """Return the sha256 of every file of a report, by name."""
    return json.loads((place / "manifest.json").read_text(encoding="utf-8"))["outputs"]


@dataclass(frozen=True)
class Reference:
    """What undisturbed runs give: reports of one version to start from, and the two versions' outputs."""

    start: Path
    first: dict[str, str]
    second: dict[str, str]
    seconds: float
    """how long the second run took"""


def make_reference(home: FaultHome) -> Reference:
    """Run twice with two values, undisturbed; leave the reports as after the first run."""
    _succeed(home, 2)
    first = list_outputs(home.reports / CASE)
    start = home.root / "start"
    shutil.copytree(home.reports, start / "reports")
    shutil.copytree(home.root / ".cache", start / ".cache")
    began = time.monotonic()
    _succeed(home, 3)
    seconds = time.monotonic() - began
    return Reference(start, first, list_outputs(home.reports / CASE), seconds)


def kill_once(home: FaultHome, reference: Reference, rng: random.Random) -> dict[str, object]:
    """Kill the second run at a random moment, look at what is left, run again, and return what was found."""
    for name in ("reports", ".cache"):
        shutil.rmtree(home.root / name, ignore_errors=True)
        shutil.copytree(reference.start / name, home.root / name)
    began = time.monotonic()
    process = home.start(3)
    is_aimed = rng.random() < AIMED_FRAC
    if is_aimed:
        _await_last_file(home, process)
    pause_s = rng.uniform(0, MOVE_S if is_aimed else 1.05 * reference.seconds)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=pause_s)
    moment_s = time.monotonic() - began
    is_group = rng.random() < 0.5  # else the notebook's own process goes on for a while
    was_running = process.poll() is None
    if was_running:
        os.killpg(process.pid, signal.SIGKILL) if is_group else process.kill()
    process.communicate()
    left = describe_left(home, reference)
    faults = find_faults(home, reference)
    began = time.monotonic()
    status, said = home.run(3)
    again_s = time.monotonic() - began
    if status:
        faults.append(f"the run after it failed: {said}")
    else:
        faults += find_faults(home, reference)
        if list_outputs(home.reports / CASE) != reference.second:
            faults.append("the run after it gave other bytes")
        if list_outputs(home.reports / f"{CASE}.history" / "v1") != reference.first:
            faults.append("the first version is no longer what it was")
        faults += [f"left behind: {one.name}" for one in home.reports.glob(f".{CASE}.running-*")]
    return {
        "moment_s": round(moment_s, 2),
        "is_aimed": is_aimed,
        "was_running": was_running,
        "whole_group": is_group,
        **left,
        "again_s": round(again_s, 1),
        "same_bytes_again": not status and list_outputs(home.reports / CASE) == reference.second,
        "faults": faults,
    }


def _await_last_file(home: FaultHome, process: subprocess.Popen[str]) -> None:
    """Wait until the draft's last file is written: next, the report takes its place."""
    while process.poll() is None and not list(home.reports.glob(f".{CASE}.running-*/manifest.json")):
        time.sleep(0.001)


def describe_left(home: FaultHome, reference: Reference) -> dict[str, object]:
    """Return what a killed run left: which report stands, and how far the unfinished one beside it had come."""
    known = {"the one before": reference.first, "the new one": reference.second}
    is_there = (home.reports / CASE / "manifest.json").is_file()
    stands = list_outputs(home.reports / CASE) if is_there else {}
    drafts = list(home.reports.glob(f".{CASE}.running-*"))
    begun = sorted(file.stem for draft in drafts for file in draft.glob("notebooks/*.ipynb"))
    return {
        "report_left": next(
            (name for name, outputs in known.items() if outputs == stands), "other" if stands else "none"
        ),
        "unfinished_files": sum(file.is_file() for draft in drafts for file in draft.rglob("*")),
        "last_notebook_begun": begun[-1] if begun else "",
    }


def _succeed(home: FaultHome, value: int) -> None:
    status, said = home.run(value)
    if status:
        raise RuntimeError(f"the undisturbed run failed: {said}")
