"""An account taken out of a case at somebody's request: its data, what was kept of it, and every report that held it.

The dataset's files stay as they are; from now on they are read without the account. All versions of the report are
withdrawn, because any of their tables, pictures and notebooks may hold it, and a new version is made that says that
something was removed, not what.

A removal that was cut off is asked again and goes on: what is public goes first, and that the account is left out is
noted last, so that it is found again until then.
"""

from __future__ import annotations

import hashlib
import html
import json
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
from rich.console import Console

from workbench.case import Case, home, open_case
from workbench.catalogue import CATALOGUE_FILES, read_manifest, renew_catalogue
from workbench.csv_header import check_header
from workbench.keys import read_key
from workbench.platforms import find_second
from workbench.privacy import protect_release
from workbench.run import Run, RunError, hold_case, run_case
from workbench.schema import ParameterError, Release, SourceError, WorkbenchError
from workbench.sharing.match import pair_names
from workbench.sources import load_release
from workbench.sources.removed import leave_out_removed, note_removal
from workbench.spoken_names import find_telling_names
from workbench.versions import AS_WRITTEN, list_history, mend_versions, number_version, replace_version

REASON = "Data was removed at somebody's request."
_MIN_LENGTH = 6
"""a shorter name is found in any text, and tells nothing"""
_BINARY = (".parquet", ".npy", ".png", ".woff2", ".lock")


@dataclass(frozen=True)
class Removal:
    """What was done."""

    withdrawn: tuple[int, ...]
    """versions of the report that were withdrawn"""
    run: Run | None
    """the new version; None where the case had no report, or the new version had been made already"""
    files_that_hold_it: tuple[str, ...]
    """names of the dataset's own files, which are not ours to change; none where it had been noted already"""


def remove_account(
    case: str,
    account_id: str,
    *,
    out: Path | str | None = None,
    notebooks: Path | str | None = None,
    console: Console | None = None,
) -> Removal:
    """Remove an account from a case: its dataset as it is read, what is kept of it, and all versions of its report.

    Args:
        case: name of a folder in `datasets/`, or the path of a dataset; the second platform's counts too, be it beside
            it or the one its report was made with.
        account_id: the id as the dataset has it.
        out: folder of all reports; None = `reports/` beside `datasets/`.
        notebooks: folder of the notebooks; None = `notebooks/` beside `datasets/`.
        console: where progress is shown; None = nowhere.

    Raises:
        ParameterError: no account or post of the case has this id, and none that had it was removed before.
        SourceError: the label file beside the dataset is no CSV, so that its words cannot be taken out of it.
        RunError: the case is being run, the new report could not be made (those that held the account stay withdrawn),
            or a file still holds the account.

    Asked again it goes on where it was cut off; once finished, it changes nothing but a catalogue that is behind.

    Beware: packages and reports already handed on are out of reach; the log of packages says who received one.
    """
    opened = open_case(case)
    reports = Path(out) if out else home() / "reports"
    named = str(_read_parameters(reports / opened.name, None).get("second_dataset", ""))
    releases = {place: load_release(place) for place in _list_datasets(opened, named)}
    holders = {place: release for place, release in releases.items() if _holds(release, account_id)}
    noted = [one for place, release in releases.items() if (one := _find_noted(release, place, account_id))]
    if not holders and not noted:
        raise ParameterError(
            f"No account or post of '{opened.name}' has the id '{account_id[:60]}'; nothing was changed. Give the id "
            "as the dataset has it, not a handle or a pseudonym."
        )
    labels_file = opened.beside("narrative_labels.csv")
    labels = _read_labels(labels_file)
    names = {name for release in (*holders.values(), *noted) for name in _list_names(release, account_id)}
    with hold_case(reports, opened.name):
        mend_versions(reports, opened.name)
        current = reports / opened.name
        places = [place for place in (*list_history(reports, opened.name), current) if place.is_dir()]
        parameters = _read_parameters(current, console)
        is_due = bool(holders or (current.is_dir() and _is_withdrawn(current)) or find_remains(places, names))
        if is_due:
            for place in places:
                _withdraw(place, opened.name)
            # Before the run, too: where no new report can be made, the catalogue must not go on showing the old ones.
            renew_catalogue(reports)
            if labels is not None and holders:
                _forget_words(labels, holders.values(), account_id, labels_file)
            _clear(opened, reports)
            for place in holders:
                note_removal(place, account_id)
        withdrawn = tuple(number_version(place, read_manifest(place)) for place in places if _is_withdrawn(place))
    run = None
    if withdrawn and is_due:
        try:
            run = run_case(
                case, parameters=parameters, out=out, notebooks=notebooks, correction=REASON, console=console
            )
        except WorkbenchError as error:
            why = str(error).removesuffix(" Reports are as they were.")
            raise RunError(
                f"The account is left out from now on and {len(withdrawn)} versions of its report are withdrawn, but "
                f"no new one could be made: {why} Mend that, then ask again with the same command."
            ) from error
    renew_catalogue(reports)
    remains = find_remains(_places_of(opened, reports), names)
    if remains:
        raise RunError(
            f"The account was removed, but {len(remains)} files still hold a name of it: "
            f"{', '.join(str(file) for file in remains[:5])}. Where it is the catalogue, remove the account from the "
            "other cases that hold it; delete other files by hand, and report this as a fault."
        )
    files = sorted({file for release in holders.values() for file in _list_files(release, account_id)})
    return Removal(withdrawn=withdrawn, run=run, files_that_hold_it=tuple(files))


def _find_noted(release: Release, dataset: Path, account_id: str) -> Release | None:
    """A release of this account only, without a post, where it was left out of the dataset before; else None."""
    row = {"account_id": account_id, "platform": release.about.platform, "kind": "account", "is_pseudonymous": False}
    accounts = release.accounts.clear(1).with_columns(pl.lit(value).alias(name) for name, value in row.items())
    alone = replace(release, accounts=accounts, posts=release.posts.clear())
    return None if leave_out_removed(alone, dataset).accounts.height else alone


def _read_parameters(current: Path, console: Console | None) -> dict[str, Any]:
    try:
        return read_manifest(current).get("parameters", {})
    except SourceError as error:
        if console:
            said = (
                f"  ! {error} It is withdrawn all the same; the new version is made with the notebooks' own parameters."
            )
            console.print(said, highlight=False, markup=False)
        return {}


def find_remains(places: list[Path], names: set[str]) -> list[Path]:
    """Return the files under these places, and the archives, in which one of the names stands."""
    wanted = [name.encode() for name in names if len(name) >= _MIN_LENGTH]
    files = [file for place in places for file in ([place] if place.is_file() else sorted(place.rglob("*")))]
    return [
        file
        for file in files
        if file.is_file()
        and file.suffix not in _BINARY
        and any(name in content for content in _read_contents(file) for name in wanted)
    ]


def _read_contents(file: Path) -> Iterator[bytes]:
    yield file.read_bytes()
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            yield from (archive.read(name) for name in archive.namelist())


def _list_datasets(case: Case, named: str) -> list[Path]:
    second = find_second(case.dataset, named=named)
    return [case.dataset, *([second] if second else [])]


def _list_files(release: Release, account_id: str) -> list[str]:
    """Files its rows came from; loaded tables carry them in a column of their own."""
    rows = [table.filter(pl.col("account_id") == account_id) for table in (release.accounts, release.posts)]
    return [file for table in rows for file in table["source_file"].cast(pl.String).drop_nulls().unique()]


def _holds(release: Release, account_id: str) -> bool:
    return account_id in release.accounts["account_id"] or account_id in release.posts["account_id"]


def _list_names(release: Release, account_id: str) -> set[str]:
    """Its id, its pseudonym, its handle behind @, a display name that is its alone: what must stand nowhere after."""
    pairs = pair_names(release, protect_release(release, key=read_key()))
    shown = pairs.filter(pl.col("account_id") == account_id)["shown"].to_list()
    is_it = pl.col("account_id") == account_id
    handles = release.accounts.filter(is_it)["handle"].drop_nulls().to_list()
    others = set(release.accounts.filter(~is_it)["display_name"].drop_nulls())
    own = set(release.accounts.filter(is_it)["display_name"].drop_nulls()) - others
    return {account_id, *shown, *(f"@{handle}" for handle in handles), *find_telling_names(sorted(own), release.posts)}


def _read_labels(file: Path) -> pl.DataFrame | None:
    """The label file that goes with the dataset, read before anything is changed."""
    if not file.is_file():
        return None
    raw = file.read_bytes()
    check_header(raw, name=file.name)
    try:
        return pl.read_csv(raw, infer_schema=False)
    # polars lets some damage escape as a panic of its Rust side, which is no PolarsError
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise SourceError(
            f"{file.name} beside the dataset is no CSV ({str(error).splitlines()[0][:120]}), so nothing was removed: "
            "it may hold words of the account. Mend it, or delete it."
        ) from error


def _forget_words(labels: pl.DataFrame, releases: Any, account_id: str, file: Path) -> None:
    """Take its words out of the example texts of the labels, and write those anew where there were any."""
    own = pl.concat([r.posts.filter(pl.col("account_id") == account_id)["text"] for r in releases]).drop_nulls()
    said = [text for text in own.unique() if len(text) >= _MIN_LENGTH]
    if said and "exemplar" in labels.columns:
        is_theirs = pl.any_horizontal(pl.col("exemplar").str.contains(text, literal=True) for text in said)
        labels.with_columns(exemplar=pl.when(~is_theirs.fill_null(value=False)).then("exemplar")).write_csv(file)


def _clear(case: Case, reports: Path) -> None:
    """Delete what is kept of the case, and what notebooks, packages and failed runs left of it."""
    if case.cache.folder:
        shutil.rmtree(case.cache.folder, ignore_errors=True)
    for left in (*_list_byways(case, reports), *reports.glob(f".{case.name}.running-*")):
        if left.is_dir():
            shutil.rmtree(left)
        else:
            left.unlink(missing_ok=True)


def _places_of(case: Case, reports: Path) -> list[Path]:
    cache = [case.cache.folder] if case.cache.folder else []
    listing = [reports / name for name in CATALOGUE_FILES if (reports / name).is_file()]
    return [reports / case.name, reports / f"{case.name}.history", *_list_byways(case, reports), *cache, *listing]


def _list_byways(case: Case, reports: Path) -> list[Path]:
    return [reports / f"{case.name}{suffix}" for suffix in (".draft", ".failed", ".package", ".package.zip", ".match")]


def _is_withdrawn(place: Path) -> bool:
    """Whether nothing is left of a version but what `_withdraw` writes, and the line about the later version."""
    try:
        manifest = read_manifest(place)
    except SourceError:
        return False
    if manifest.get("correction") != REASON or list(manifest.get("outputs", {})) != ["report.html"]:
        return False
    written = place / (AS_WRITTEN if (place / AS_WRITTEN).is_file() else "report.html")
    files = {file.name for file in place.iterdir()}
    is_ours = files <= {"report.html", AS_WRITTEN, "manifest.json"} and written.is_file()
    return is_ours and hashlib.sha256(written.read_bytes()).hexdigest() == manifest["outputs"]["report.html"]


def _withdraw(place: Path, case: str) -> None:
    """Leave of a version its number, its day and one line that says it was withdrawn; of the last, its parameters.

    With these the new version is made, also where the removal is cut off and asked again.
    """
    if _is_withdrawn(place):
        return
    try:
        manifest = read_manifest(place)
    except SourceError:  # said where parameters are read; what cannot be read must go all the same
        manifest = {}
    number = number_version(place, manifest)
    title = f"{html.escape(case)}, version {number}"
    page = (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>\n'
        f"<body><h1>{title}</h1>\n<p>This version was withdrawn on {datetime.now(UTC).date().isoformat()}. "
        f"{REASON}</p></body></html>\n"
    ).encode()
    is_last = place.parent.suffix != ".history"
    keys = ("started_at", "ended_at", *(["parameters"] if is_last else []))
    said = {
        "case": case,
        **{key: manifest[key] for key in keys if key in manifest},
        "version": number,
        "correction": REASON,
        "outputs": {"report.html": hashlib.sha256(page).hexdigest()},
    }
    replace_version(place, {"report.html": page, "manifest.json": (json.dumps(said, indent=2) + "\n").encode()})
