"""One investigation: where its dataset, its cache and its outputs are, and the findings its notebooks hand on.

A notebook opens its case, keeps heavy results in the case's cache, and at its end saves its sections. The last notebook
gathers what was saved. Started by `workbench report` all of it lies in the report's folder; started by hand in
JupyterLab it lies in `reports/<case>.draft`, so that trying things out never touches a published report.
"""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl

from workbench.cache import Cache
from workbench.editions import Edition, apply_edition
from workbench.findings import Findings, Section
from workbench.schema import About, ParameterError, Release, SourceError

EDITION_FILE = "edition.json"
CASE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True)
class Case:
    """A dataset under study and its two folders."""

    name: str
    dataset: Path
    folder: Path
    cache: Cache

    def keep(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Return what the function gives, from the cache where it has run on the same content before."""
        return self.cache.keep(function, *args, **kwargs)

    def keep_chain(self, first: Callable[..., Any], then: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Return `then(first(*args), **kwargs)`, both kept; where that has run before, the first is not even read."""
        return self.cache.keep_chain(first, then, *args, **kwargs)

    def beside(self, name: str) -> Path:
        """Return where a file lies that goes with the dataset: in its folder; beside it where it is a single file."""
        return (self.dataset if self.dataset.is_dir() else self.dataset.parent) / name

    def save(
        self, notebook: str, release: Release, *, sections: list[Section], parameters: dict[str, Any]
    ) -> pl.DataFrame:
        """Save a notebook's sections, with what was decided on the way, for the report.

        Returns:
            What was saved: section, n_claims, n_figures, n_tables, empty_because.
        """
        part = Findings(
            about=release.about, sections=tuple(sections), decisions=release.decisions, parameters=parameters
        )
        self._parts.mkdir(parents=True, exist_ok=True)
        part.save(self._parts / f"{notebook}.json")
        rows = [
            (section.name, len(section.claims), len(section.figures), len(section.tables), section.empty_reason)
            for section in sections
        ]
        columns = ["section", "n_claims", "n_figures", "n_tables", "empty_because"]
        return pl.DataFrame(rows, schema=columns, orient="row")

    def gather(self) -> Findings:
        """Return the findings of all notebooks saved so far, as one record: the version the runner says it is.

        Raises:
            SourceError: no notebook of this case has saved anything.
            ParameterError: two notebooks were run with different values of one parameter, so that their sections do
                not belong into one report.
        """
        parts = {file.stem: Findings.load(file) for file in sorted(self._parts.glob("*.json"))}
        if not parts:
            raise SourceError(
                f"no notebook of case '{self.name}' has saved its findings in {self._parts}. Run notebooks 01 to 03 "
                f"first, or all of them with `workbench report {self.name}`."
            )
        parameters: dict[str, Any] = {}
        for notebook, part in parts.items():
            for name, value in part.parameters.items():
                if json.dumps(parameters.setdefault(name, value)) != json.dumps(value):
                    raise ParameterError(
                        f"notebook {notebook} was run with {name} = {value!r}, an earlier one with "
                        f"{parameters[name]!r}. Run both with the same value, or `workbench report {self.name}`."
                    )
        about = next(iter(parts.values())).about
        findings = Findings(
            about=about,
            sections=tuple(section for part in parts.values() for section in part.sections),
            decisions=_distinct(row for part in parts.values() for row in part.decisions),
            parameters={name: hide_folders(value) for name, value in parameters.items()},
            provenance=_provenance(self.name, about, parameters),
        )
        told = self.folder / EDITION_FILE
        if not told.is_file():  # tried out by hand: no version
            return findings
        edition, previous = read_edition(told)
        return apply_edition(findings, edition, previous=previous)

    @property
    def _parts(self) -> Path:
        return self.folder / "parts"


def write_edition(edition: Edition, *, previous: Path | None, path: Path) -> None:
    """Write for `gather` which version this would be, and where the record of the report that stands lies."""
    content = {"edition": asdict(edition), "previous": str(previous.resolve()) if previous else ""}
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


def read_edition(path: Path) -> tuple[Edition, Findings | None]:
    """Return what `write_edition` wrote, the record read."""
    content = json.loads(path.read_text(encoding="utf-8"))
    fields: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in content["edition"].items()
    }
    previous = Path(content["previous"]) if content["previous"] else None
    return Edition(**fields), Findings.load(previous) if previous else None


def hide_folders(value: Any) -> Any:
    """Return a path without its folders: whose disk a file lies on, and where, is nobody's business."""
    is_path = isinstance(value, str) and ("/" in value or "\\" in value) and "://" not in value
    return value.replace("\\", "/").rstrip("/").rpartition("/")[2] if is_path else value


def _distinct(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return list({json.dumps(row, sort_keys=True): row for row in rows}.values())


def _provenance(name: str, about: About, parameters: dict[str, Any]) -> dict[str, Any]:
    packages = ("polars", "numpy", "scipy", "igraph", "altair")
    return {
        "command": f"workbench report {name}",
        "version_of_workbench": version("takedown-workbench"),
        "seed": parameters.get("seed"),
        "inputs": about.files,
        "versions": {package: version(package) for package in packages},
    }


def open_case(dataset: str, *, reports_folder: str = "", cache_folder: str = "") -> Case:
    """Return the case of a dataset.

    Args:
        dataset: name of a folder in `datasets/`, or the path of a folder or file.
        reports_folder: folder for this case's outputs; empty = `reports/<case>.draft` beside `datasets/`.
        cache_folder: folder for kept results; empty = `.cache/<case>` beside `datasets/`.

    Raises:
        SourceError: there is no such dataset; the message names those there are.
        ParameterError: the dataset's name cannot be the name of a folder.
    """
    place = find_dataset(dataset)
    name = place.name.split(".")[0] if place.is_file() else place.name
    if not CASE_NAME.fullmatch(name):
        raise ParameterError(f"'{name}' cannot name a case; expected letters, digits, dot, dash and underscore.")
    root = home()
    folder = Path(reports_folder) if reports_folder else root / "reports" / f"{name}.draft"
    cache = Path(cache_folder) if cache_folder else root / ".cache" / name
    return Case(name=name, dataset=place, folder=folder, cache=Cache(cache))


def find_dataset(dataset: str) -> Path:
    """Return the folder or file of a dataset given by its name in `datasets/` or by its path.

    Raises:
        SourceError: there is no such dataset.
    """
    folder = home() / "datasets"
    named = dataset.rstrip("/\\")  # demo/ is what a shell completes demo to
    if CASE_NAME.fullmatch(named) and (folder / named).is_dir():
        return folder / named
    try:
        if dataset and Path(dataset).expanduser().exists():
            return Path(dataset).expanduser().resolve()
    except (OSError, RuntimeError) as error:  # a name no file system takes, a home that nobody has
        raise SourceError(f"no dataset '{dataset[:100]}': {error.args[-1]}. Give a name or a path.") from error
    known = sorted(file.parent.name for file in folder.glob("*/dataset.toml"))
    near = difflib.get_close_matches(dataset, known, n=1)
    hint = f"Did you mean '{near[0]}'?" if near else f"There are: {', '.join(known) or 'none'}."
    raise SourceError(f"no dataset '{dataset}' in {folder}, and no such path. {hint} Or give the path of a folder.")


def home() -> Path:
    """Return the folder that holds `datasets/` and `reports/`: `WORKBENCH_HOME`, or the nearest one above with both."""
    if os.environ.get("WORKBENCH_HOME"):
        return Path(os.environ["WORKBENCH_HOME"]).expanduser().resolve()
    here = Path.cwd()
    for folder in (here, *here.parents, Path(__file__).resolve().parents[1]):
        if (folder / "datasets").is_dir() and (folder / "notebooks").is_dir():
            return folder
    return here
