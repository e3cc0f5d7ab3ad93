"""The lists a case screens: a folder of outlets, facts, policies and adverts, or the worked examples."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import NamedTuple

import polars as pl

from workbench.schema import SourceError
from workbench.state_media.adverts import ADVERTS, read_adverts
from workbench.state_media.facts import merge_facts, merge_outlets, read_facts, read_outlets
from workbench.state_media.policies import Policies
from workbench.state_media.policy_files import read_policies


class ScreeningLists(NamedTuple):
    """What is screened, and what of it could not be read."""

    outlets: pl.DataFrame
    facts: pl.DataFrame
    policies: Policies
    adverts: pl.DataFrame
    quarantine: pl.DataFrame
    origin: str
    """the folder's name, or that these are the worked examples"""


def read_screening_lists(folder: Path | str | None = None, *, dataset: Path | str | None = None) -> ScreeningLists:
    """Return the lists of a folder; without one, those beside the dataset; failing these, the worked examples.

    A folder holds `outlets*.csv`, `facts*.csv`, and where you have them `policies*.toml` and `adverts*.csv`, `.json` or
    `.jsonl`. Beside a dataset it is called `<dataset>_state_media`, inside it `state_media`. Several files of
    a kind are joined.

    Raises:
        SourceError: the folder named is not there, or holds no outlets.
    """
    place = Path(folder) if folder else _find_beside(Path(dataset)) if dataset else None
    if place is None:
        with resources.as_file(resources.files("workbench.state_media")) as package:
            return _read(package, origin="the worked examples of the workbench", is_package=True)
    if not place.is_dir():
        raise SourceError(f"Expected a folder of lists at {place.name}; found none. Check the path, or leave it empty.")
    if not list(place.glob("outlets*.csv")):
        raise SourceError(f"Folder {place.name} holds no outlets*.csv. Add one, laid out as the package's outlets.csv.")
    return _read(place, origin=place.name)


def _find_beside(dataset: Path) -> Path | None:
    places = (dataset / "state_media", dataset.parent / f"{dataset.name}_state_media")
    return next((place for place in places if place.is_dir()), None)


def _read(folder: Path, *, origin: str, is_package: bool = False) -> ScreeningLists:
    outlets = [read_outlets(path) for path in sorted(folder.glob("outlets*.csv"))]
    facts = [read_facts(path) for path in sorted(folder.glob("facts*.csv"))]
    own = [] if is_package else sorted(folder.glob("policies*.toml"))
    files = [path for end in ("csv", "json", "jsonl", "ndjson") for path in sorted(folder.glob(f"adverts*.{end}"))]
    adverts = [read_adverts(path) for path in files]
    bad = [quarantine for _, quarantine in (*outlets, *facts)] + [read.quarantine for read in adverts]
    return ScreeningLists(
        outlets=merge_outlets(*(table for table, _ in outlets)),
        facts=merge_facts(*(table for table, _ in facts)),
        policies=read_policies(*own),
        adverts=pl.concat([pl.DataFrame(schema=ADVERTS), *(read.adverts for read in adverts)]),
        quarantine=pl.concat(bad),
        origin=origin,
    )
