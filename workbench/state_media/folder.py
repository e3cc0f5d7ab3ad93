"""The lists a case screens: a folder of outlets, facts, policies and adverts, or the worked examples."""

from __future__ import annotations

import difflib
import re
from datetime import date
from fnmatch import fnmatchcase
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import polars as pl

from workbench.schema import SourceError
from workbench.state_media.adverts import ADVERTS, read_adverts
from workbench.state_media.crosswalk import JoinedLists, join_outlet_lists, spread_facts
from workbench.state_media.facts import Facts, merge_facts, merge_outlets, read_facts, read_outlets
from workbench.state_media.matrix import read_outlet_list, read_state_media_matrix
from workbench.state_media.policies import Policies
from workbench.state_media.policy_files import read_policies

_LAYOUTS = "advert_layouts.toml"
_FILES = (
    "outlets*.csv", "list*.csv", "facts*.csv", "matrix*.csv", "policies*.toml", "adverts*.csv", "adverts*.json",
    "adverts*.jsonl", "adverts*.ndjson", _LAYOUTS,
)  # fmt: skip
_ADVERT = ("platform", "advert_id", "file")
_DATA_ENDS = (".csv", ".tsv", ".toml", ".json", ".jsonl", ".ndjson", ".xlsx", ".xls", ".ods")


class ScreeningLists(NamedTuple):
    """What is screened, and what of it could not be read."""

    outlets: pl.DataFrame
    facts: pl.DataFrame
    policies: Policies
    adverts: pl.DataFrame
    quarantine: pl.DataFrame
    origin: str
    """the folder's name, or that these are the worked examples"""
    crosswalk: pl.DataFrame
    """which outlets of a list of others were taken for which of yours, as `find_same_outlets` gives it"""


def read_screening_lists(folder: Path | str | None = None, *, dataset: Path | str | None = None) -> ScreeningLists:
    """Return the lists of a folder; without one, those beside the dataset; failing these, the worked examples.

    A folder holds `outlets*.csv` (or a plain `list*.csv`), `facts*.csv`, and where you have them `policies*.toml`,
    `adverts*.csv`, `.json` or `.jsonl` (for exports of other layouts a map, `advert_layouts.toml`), and the State
    Media Matrix as `matrix_2023-09-01.csv`, with the day it describes. Beside a dataset it is called
    `<dataset>_state_media`, inside it `state_media`. Several files of a kind are joined; outlets of the matrix that are
    outlets of yours become one (see `find_same_outlets`). Facts about no outlet of the lists are quarantined.

    Raises:
        SourceError: the folder named is not there, holds no outlets, or a file whose name says nothing.
    """
    place = Path(folder) if folder else _find_beside(Path(dataset)) if dataset else None
    if place is None:
        with resources.as_file(resources.files("workbench.state_media")) as package:
            return _read(package, origin="the worked examples of the workbench", is_package=True)
    if not place.is_dir():
        raise SourceError(f"Expected a folder of lists at {place.name}; found none. Check the path, or leave it empty.")
    if not any(list(place.glob(f"{kind}*.csv")) for kind in ("outlets", "list", "matrix")):
        raise SourceError(f"Folder {place.name} holds no outlets*.csv. Add one, laid out as the package's outlets.csv.")
    _refuse_unknown_files(place)
    return _read(place, origin=place.name)


def _find_beside(dataset: Path) -> Path | None:
    places = (dataset / "state_media", dataset.parent / f"{dataset.name}_state_media")
    return next((place for place in places if place.is_dir()), None)


def _refuse_unknown_files(folder: Path) -> None:
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in _DATA_ENDS and not any(fnmatchcase(path.name, pattern) for pattern in _FILES):
            raise SourceError(
                f"Folder {folder.name} holds {path.name}, which is none of {', '.join(_FILES)}. "
                "Rename it, or move it away."
            )


def _read(folder: Path, *, origin: str, is_package: bool = False) -> ScreeningLists:
    outlets = [read_outlets(path) for path in sorted(folder.glob("outlets*.csv"))]
    plain = [read_outlet_list(path) for path in sorted(folder.glob("list*.csv"))]
    facts = [read_facts(path) for path in sorted(folder.glob("facts*.csv"))]
    matrices = [read_state_media_matrix(path, as_of=_read_day(path)) for path in sorted(folder.glob("matrix*.csv"))]
    own = [] if is_package else sorted(folder.glob("policies*.toml"))
    files = [path for end in ("csv", "json", "jsonl", "ndjson") for path in sorted(folder.glob(f"adverts*.{end}"))]
    own_layouts = folder / _LAYOUTS if not is_package and (folder / _LAYOUTS).is_file() else None
    adverts = [read_adverts(path, layouts=own_layouts) for path in files]
    ours = merge_outlets(*(_order(table) for table, _ in outlets), *(_order(read.outlets) for read in plain))
    joined = join_outlet_lists(
        ours,
        Facts.create_empty(),
        other_outlets=merge_outlets(*(_order(read.outlets) for read in matrices)),
        other_facts=merge_facts(*(read.facts for read in matrices)),
    )
    stated, strangers = _place_facts(merge_facts(*(table for table, _ in facts)), joined)
    bad = [quarantine for _, quarantine in (*outlets, *facts)]
    bad += [read.quarantine for read in (*plain, *matrices, *adverts)]
    return ScreeningLists(
        outlets=joined.outlets,
        facts=merge_facts(stated, joined.facts),
        policies=read_policies(*own),
        adverts=_order(pl.concat([pl.DataFrame(schema=ADVERTS), *(read.adverts for read in adverts)]), *_ADVERT),
        quarantine=pl.concat([*bad, strangers]),
        origin=origin,
        crosswalk=joined.crosswalk,
    )


def _order(table: pl.DataFrame, *first: str) -> pl.DataFrame:
    """Sort rows by what they say, not by their line, so that results do not hang on how a file is sorted."""
    names = [*first, *(name for name in table.columns if name not in first)]
    is_list = {name for name, dtype in table.schema.items() if isinstance(dtype, pl.List)}
    return table.sort([pl.col(name).list.join("|") if name in is_list else name for name in names], nulls_last=True)


def _place_facts(facts: pl.DataFrame, joined: JoinedLists) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the facts under the ids of the joined lists, written out where stated for many, and those of nobody."""
    known_as = dict(joined.crosswalk.filter("is_joined").select("other_id", "outlet_id").iter_rows())
    ids = joined.outlets["outlet_id"].to_list()
    # A pattern may be written for the ids of either list.
    placed = spread_facts(facts, outlet_ids=[*ids, *known_as]).with_columns(pl.col("outlet_id").replace(known_as))
    lost = placed.filter(~pl.col("outlet_id").is_in(ids))
    reasons = []
    for row in lost.iter_rows(named=True):
        near = difflib.get_close_matches(row["outlet_id"], ids, n=1)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        reason = f"a fact about '{row['outlet_id']}' ({row['factor']}), which is no outlet of the lists{hint}"
        reasons.append((row["file"], None, reason))
    schema = {"file": pl.String, "line": pl.Int64, "reason": pl.String}
    return placed.filter(pl.col("outlet_id").is_in(ids)), pl.DataFrame(reasons, schema=schema, orient="row")


def _read_day(path: Path) -> date:
    found = re.search(r"(\d{4}-\d{2}-\d{2})\.csv$", path.name)
    if not found:
        raise SourceError(f"{path.name} does not say which day the list describes. Name it matrix_2023-09-01.csv.")
    return date.fromisoformat(found.group(1))
