"""Notebooks and parameters in, one whole report folder out: executed, checked for names, and moved in at once.

A run works in a folder of its own beside the reports. Only when every notebook has finished and no file names anybody
who may not be named does it take the report's place; the report that was there moves to `<case>.history/v1`, `v2`, ...
Whatever goes wrong before leaves the reports as they were.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shlex
import shutil
import sys
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from workbench.case import EDITION_FILE, Case, hide_folders, home, open_case, read_edition, write_edition
from workbench.editions import Edition, add_version
from workbench.findings import Findings
from workbench.keys import PrivacyError
from workbench.leaks import find_leaks
from workbench.lint import lint_report
from workbench.manifest import describe_inputs, describe_outputs, describe_tools
from workbench.notebook_page import write_notebook_pages
from workbench.notebooks import NotebookError, choose_parameters, execute_notebook, list_notebooks, read_parameters
from workbench.platforms import find_second, load_second
from workbench.report import render_report
from workbench.schema import ParameterError, WorkbenchError
from workbench.sources import load_release
from workbench.versions import are_equal, mend_versions, move_in, next_version

_SET_BY_THE_RUNNER = ("dataset", "reports_folder", "cache_folder")
_TAKEN_SUFFIXES = (".draft", ".failed", ".history", ".running")
NOT_STATED = "not stated"
MOST_FAULTS_SAID = 10
_EXPECTED = ("report.html", "findings.json")


class RunError(WorkbenchError):
    """A report could not be made; the reports are as they were."""


@dataclass(frozen=True)
class Run:
    """What a run left behind."""

    folder: Path
    version: int
    is_new: bool
    """false where the report came out as it was, byte for byte, and was left in place"""
    seconds: float


def run_case(
    case: str,
    *,
    parameters: Mapping[str, Any] | None = None,
    out: Path | str | None = None,
    notebooks: Path | str | None = None,
    correction: str = "",
    replies: tuple[str, ...] = (),
    console: Console | None = None,
) -> Run:
    """Run the notebooks on a dataset, in order, and put the report they make in its place.

    Args:
        case: name of a folder in `datasets/`, or the path of a dataset.
        parameters: values for parameters of the notebooks, by name; text is read as the default's type.
        out: folder of all reports; None = `reports/` beside `datasets/`.
        notebooks: folder of the notebooks; None = `notebooks/` beside `datasets/`.
        correction: why the report is made anew; printed in it, in the catalogue and on the version it supersedes.
        replies: answers of those described, to print from this version on.
        console: where progress is shown; None = nowhere.

    Returns:
        Where the report is, its version, and whether it is a new one.

    Raises:
        SourceError: there is no such dataset.
        ParameterError: a parameter does not exist or has a value of another type, or a text is not fit to print.
        RunError: a notebook failed (it is kept in `<case>.failed`), or the case is being run already.
        PrivacyError: a file names an account that may not be named.
    """
    console = console or Console(quiet=True)
    opened = open_case(case)
    name, place = opened.name, opened.dataset
    if name.endswith(_TAKEN_SUFFIXES):
        raise ParameterError(f"A case cannot be named '{name}': {', '.join(_TAKEN_SUFFIXES)} are for our own folders.")
    files = list_notebooks(Path(notebooks) if notebooks else home() / "notebooks")
    chosen = choose_parameters(files, given=dict(parameters or {}), reserved=_SET_BY_THE_RUNNER)
    reports = Path(out) if out else home() / "reports"
    started_at = datetime.now(UTC)
    with hold_case(reports, name):
        _clean_up(reports, name)
        version, current = next_version(reports, name), reports / name
        edition = Edition(
            version=version,
            day=started_at.date().isoformat(),
            command=_say_command(case if place.parent == home() / "datasets" else place.name, parameters),
            contact=_read_contact(chosen),
            correction=correction.strip(),
            replies=tuple(reply.strip() for reply in replies if reply.strip()),
            notebooks=tuple(file.stem for file in files),
        )
        draft = reports / f".{name}.running-{secrets.token_hex(4)}"
        draft.mkdir()
        write_edition(edition, previous=_find_record(current, console), path=draft / EDITION_FILE)
        try:
            timed = _execute_all(files, chosen, draft=draft, dataset=_say_dataset(place), name=name, console=console)
            write_notebook_pages(draft)
            _number_page(draft, current)
            _check_files(draft, name)
            _write_manifest(draft, place, name=name, edition=edition, chosen=chosen, timed=timed, started_at=started_at)
            _check_names(draft, opened, second=str(chosen.get("second_dataset", "")))
            _say_faults(draft, console)
            is_new = move_in(draft, reports, name, version)
        except NotebookError as error:
            kept = _keep_failed(draft, reports, name, error)
            raise RunError(f"{error} The notebook is kept as {kept}. Reports are as they were.") from error
        except OSError as error:
            raise RunError(f"The report of {name} could not be written: {error}. Reports are as they were.") from error
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    seconds = (datetime.now(UTC) - started_at).total_seconds()
    return Run(folder=reports / name, version=version if is_new else version - 1, is_new=is_new, seconds=seconds)


def _execute_all(
    files: list[Path], chosen: dict[str, Any], *, draft: Path, dataset: str, name: str, console: Console
) -> list[dict[str, Any]]:
    folder = draft / "notebooks"
    folder.mkdir()
    fixed = dict(zip(_SET_BY_THE_RUNNER, (dataset, str(draft.resolve()), ""), strict=True))
    hidden = {str(draft.resolve()): f"reports/{name}", str(home()): ".", str(Path(sys.prefix)): "env"}
    timed = []
    for file in files:
        declared = read_parameters(file)
        values = {key: value for key, value in {**chosen, **fixed}.items() if key in declared}
        began = datetime.now(UTC)
        execute_notebook(file, folder / file.name, parameters=values, cwd=home(), hidden=hidden, console=console)
        timed.append({"notebook": file.name, "seconds": round((datetime.now(UTC) - began).total_seconds(), 1)})
    return timed


def _say_dataset(place: Path) -> str:
    """The dataset as a reader can repeat it, without the path of this machine."""
    if place.parent == home() / "datasets":
        return place.name
    try:
        return Path(os.path.relpath(place, home())).as_posix()
    except ValueError:  # another drive of Windows
        return str(place)


def _say_command(case: str, parameters: Mapping[str, Any] | None) -> str:
    said = {name: hide_folders(value) for name, value in sorted((parameters or {}).items())}
    settings = [f"--set {shlex.quote(f'{name}={value}')}" for name, value in said.items()]
    return " ".join(["workbench report", shlex.quote(case), *settings])


def _find_record(current: Path, console: Console) -> Path | None:
    """The record of the report that stands, if this version of the workbench can read it."""
    record = current / "findings.json"
    if not record.is_file():
        return None
    try:
        Findings.load(record)
    except WorkbenchError as error:
        console.print(f"  ! What changes cannot be listed: {error}", highlight=False, markup=False)
        return None
    return record


def _read_contact(chosen: Mapping[str, Any]) -> str:
    contact = str(chosen.get("contact", "")).strip()
    return "" if contact == NOT_STATED else contact


def _number_page(draft: Path, current: Path) -> None:
    """Give the page a new number where the record is as before and yet the page or a file beside it is not."""
    edition, previous = read_edition(draft / EDITION_FILE)
    (draft / EDITION_FILE).unlink()
    shutil.rmtree(draft / "parts", ignore_errors=True)
    if previous is None or not (draft / "findings.json").is_file() or are_equal(draft, current):
        return
    findings = Findings.load(draft / "findings.json")
    if findings.provenance.get("version") != edition.version:
        render_report(add_version(findings, edition, previous=previous), draft)


def _say_faults(draft: Path, console: Console) -> None:
    """What an editor would mend is said, not refused: the linter errs on the side of asking."""
    faults = lint_report(draft / "report.html")
    for fault in faults[:MOST_FAULTS_SAID]:
        console.print(f"  ! {fault.rule} in {fault.place}: {fault.found} {fault.advice}", highlight=False, markup=False)
    if len(faults) > MOST_FAULTS_SAID:
        console.print(f"  ! and {len(faults) - MOST_FAULTS_SAID} more: workbench lint report.html", highlight=False)


def _check_files(draft: Path, name: str) -> None:
    absent = [file for file in _EXPECTED if not (draft / file).is_file()]
    if absent:
        raise RunError(
            f"The notebooks wrote no {' and no '.join(absent)} for {name}. The last one must write them into its "
            "reports_folder. Reports are as they were."
        )


def _check_names(draft: Path, case: Case, *, second: str) -> None:
    """Look for names of both platforms; the second's files are read anew, as notebook 05 reads them."""
    other = load_second(case.dataset, second=str(find_second(case.dataset, named=second) or ""))
    leaks = find_leaks(draft, case.keep(load_release, case.dataset), second=other)
    if leaks.height:
        shown = ", ".join(f"{row['kind']} in {row['file']}" for row in leaks.head(5).iter_rows(named=True))
        raise PrivacyError(
            f"The report of {case.name} names {leaks['value'].n_unique()} accounts that may not be named ({shown}) and "
            "was thrown away. Find the notebook that shows tables made before protect_release()."
        )


def _write_manifest(
    draft: Path,
    place: Path,
    *,
    name: str,
    edition: Edition,
    chosen: dict[str, Any],
    timed: list[dict[str, Any]],
    started_at: datetime,
) -> None:
    manifest = {
        "case": name,
        "version": edition.version,
        "correction": edition.correction,
        "parameters": chosen,
        "seed": chosen.get("seed"),
        "started_at": started_at.isoformat(timespec="seconds"),
        "ended_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "notebooks": timed,
        "inputs": describe_inputs(place),
        "outputs": describe_outputs(draft),
        **describe_tools(home()),
    }
    text = json.dumps(manifest, indent=2, ensure_ascii=False, default=str)
    (draft / "manifest.json").write_text(text + "\n", encoding="utf-8")


def _keep_failed(draft: Path, reports: Path, name: str, error: NotebookError) -> Path:
    """Keep the notebooks of a failed run, and nothing that could be taken for a report."""
    failed = reports / f"{name}.failed"
    shutil.rmtree(failed, ignore_errors=True)
    (draft / "notebooks").rename(failed)
    (failed / "error.txt").write_text(f"{error}\n", encoding="utf-8")
    return failed / error.notebook


def _clean_up(reports: Path, name: str) -> None:
    """Mend what a killed run left: throw its draft away, and put a report back that it had already moved aside."""
    for left in reports.glob(f".{name}.running-*"):
        shutil.rmtree(left, ignore_errors=True)
    mend_versions(reports, name)


@contextlib.contextmanager
def hold_case(reports: Path, name: str) -> Generator[None]:
    """Hold the case's lock; the system lets go of it when the process ends, however it ends.

    Raises:
        RunError: another process holds it, or nothing can be written there.
    """
    try:
        reports.mkdir(parents=True, exist_ok=True)
        file = (reports / f".{name}.lock").open("a+", encoding="ascii")
    except OSError as error:
        raise RunError(f"Nothing can be written in {reports}: {error.strerror}. Free space, or use --out.") from error
    with file as stream:
        try:
            _lock(stream.fileno())
        except OSError as error:
            raise RunError(
                f"{name} is being run already by another process. Wait for it to end, then run again if needed."
            ) from error
        yield


def _lock(descriptor: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
