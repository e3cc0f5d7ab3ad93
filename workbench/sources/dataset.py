"""A dataset folder: what its `dataset.toml` says, and which of its files are here."""

from __future__ import annotations

import difflib
import hashlib
import math
import os
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path, PureWindowsPath
from typing import Any

import polars as pl

from workbench.schema import About, ParameterError, PublishedFigure, Quote, SourceError, decision
from workbench.sources.parts import TABLE_SUFFIXES

ABSENT = "absent"
"""stands in `About.files` for the sha256 of a listed file that is not here"""
FILES_VARIABLE = "WORKBENCH_FILES"
_NO_TABLES = (".", "README", "LICENSE", "narrative_labels.")
"""how names begin of files that lie beside a release: the last is what a human fills and saves there"""
NEEDED_KEYS = ("title", "platform")
TEXT_KEYS = ("title", "platform", "origin", "licence", "collected", "source", "obtain")
KEYS = (*TEXT_KEYS, "is_synthetic", "notes", "announced", "files", "published", "quoted", "sources", "options")
ANNOUNCED_KEYS = ("accounts", "posts")
FILE_KEYS = ("sha256", "holds", "obtain")
PUBLISHED_KEYS = ("name", "value", "tolerance", "source")
QUOTED_KEYS = ("about", "publisher", "published_on", "quote", "title", "url", "breakout_step")
QUOTED_ABOUT = ("presence", "prevalence", "origin")
HOLDS = ("accounts", "posts")


@dataclass(frozen=True)
class Dataset:
    """What is known of a dataset, the files of it that are here, and what was decided about them."""

    about: About
    files: list[Path]
    decisions: list[pl.DataFrame]


def open_dataset(path: str | Path | Sequence[str | Path], *, files: str | Path | None = None) -> Dataset:
    """Return a dataset folder, a plain folder, a file or several files as one dataset.

    Raises:
        SourceError: nothing is there, `dataset.toml` is wrong, or a file is not the announced one.
        ParameterError: the list of files is empty.
    """
    if not isinstance(path, (str, Path)):
        if not path:
            raise ParameterError("path holds no file, expected a dataset folder, a file or several files.")
        return _plain([_existing(Path(one)) for one in path])
    place = _existing(Path(path))
    if place.name == "dataset.toml":
        place = place.parent
    if place.is_file():
        return _plain([place])
    if (place / "dataset.toml").is_file():
        return _described(place, elsewhere=_other_folders(files))
    found = sorted(file for file in place.iterdir() if file.is_file() and _is_table(file))
    if not found:
        raise SourceError(
            f"{place} holds no table: expected dataset.toml or files ending in {', '.join(TABLE_SUFFIXES)}. "
            "Put the files of the release there."
        )
    return _plain(found)


def read_about(file: Path) -> About:
    """Return the content of a `dataset.toml`, with the files it lists and their announced sha256.

    Raises:
        SourceError: it is no TOML, lacks a key, has a key we do not know, or a value of another type.
    """
    return _to_about(file, _read_toml(file))


def _described(folder: Path, *, elsewhere: list[Path]) -> Dataset:
    file = folder / "dataset.toml"
    content = _read_toml(file)
    about = _to_about(file, content)
    if not about.files:
        files = sorted(one for one in folder.iterdir() if one.is_file() and _is_table(one))
        if not files:
            raise SourceError(f"{folder} holds dataset.toml but no table. Put the files of the release beside it.")
        return Dataset(replace(about, files={one.name: _sha256(one) for one in files}), files, [])
    places = [folder, *elsewhere]
    here: dict[str, Path | None] = {name: _find(name, places) for name in about.files}
    obtain = {name: _how_to_obtain(content, name) for name in about.files}
    _refuse_absent(file, here, obtain, places)
    hashes = {name: _sha256(one) if one else ABSENT for name, one in here.items()}
    decisions = [_note_absent(name, obtain[name]) for name, one in here.items() if one is None]
    for name, one in here.items():
        if one is not None and one.name != Path(name).name:
            decisions.append(_note_repacked(name, one))
        elif one is not None and about.files[name] and about.files[name] != hashes[name]:
            raise SourceError(
                f"{name} is not the announced file: expected sha256 {about.files[name]}, found {hashes[name]} "
                f"in {one}. Fetch it again, or correct dataset.toml if the file was changed on purpose."
            )
    return Dataset(replace(about, files=hashes), [one for one in here.values() if one], decisions)


def _plain(files: list[Path]) -> Dataset:
    about = About(
        name=files[0].name.split(".")[0] if len(files) == 1 else files[0].resolve().parent.name,
        title=", ".join(file.name for file in files[:3]) + (" and others" if len(files) > 3 else ""),
        platform="unknown",
        files={file.name: _sha256(file) for file in files},
    )
    return Dataset(about, files, [])


def _to_about(file: Path, content: dict[str, Any]) -> About:
    _check_keys(file, content, KEYS, where="")
    for key in NEEDED_KEYS:
        if not content.get(key):
            raise SourceError(f"{file} lacks '{key}'. Add a line: {key} = \"...\"")
    for key in TEXT_KEYS:
        _check_type(file, key, content.get(key, ""), str)
    _check_type(file, "is_synthetic", content.get("is_synthetic", False), bool)
    for key, kind in (
        ("notes", list),
        ("announced", dict),
        ("files", dict),
        ("published", list),
        ("quoted", list),
        ("sources", dict),
        ("options", dict),
    ):
        _check_type(file, key, content.get(key, kind()), kind)
    for name, citation in content.get("sources", {}).items():
        _check_type(file, f"[sources] {name}", citation, str)
    for note in content.get("notes", []):
        _check_type(file, "notes", note, str)
    announced = content.get("announced", {})
    _check_keys(file, announced, ANNOUNCED_KEYS, where="[announced] ")
    for key, value in announced.items():
        _check_type(file, f"[announced] {key}", value, int)
        if value < 0:
            raise SourceError(
                f"{file}: [announced] {key} is {value}; expected the number the platform gave, 0 or more. Correct it."
            )
    for name in content.get("files", {}):
        _refuse_outside(file, name)
    listed = {name: _file_entry(file, name, entry) for name, entry in content.get("files", {}).items()}
    holds = {name: entry["holds"] for name, entry in listed.items() if "holds" in entry}
    return About(
        name=file.resolve().parent.name,
        **{key: content[key] for key in TEXT_KEYS if key in content and key != "obtain"},
        is_synthetic=content.get("is_synthetic", False),
        files={name: entry.get("sha256", "") for name, entry in listed.items()},
        announced_accounts=announced.get("accounts"),
        announced_posts=announced.get("posts"),
        published=tuple(
            _published(file, entry, sources=content.get("sources", {})) for entry in content.get("published", [])
        ),
        options={**content.get("options", {}), **({"holds": holds} if holds else {})},
        notes=tuple(content.get("notes", [])),
        quoted=tuple(_quoted(file, entry) for entry in content.get("quoted", [])),
    )


def _published(file: Path, entry: Any, *, sources: dict[str, str]) -> PublishedFigure:
    _check_type(file, "[[published]]", entry, dict)
    _check_keys(file, entry, PUBLISHED_KEYS, where="[[published]] ")
    for key in ("name", "value", "source"):
        if key not in entry:
            raise SourceError(
                f"{file}: a [[published]] figure lacks '{key}' (has {', '.join(entry) or 'nothing'}). Add it."
            )
    _check_type(file, "[[published]] value", entry["value"], (int, float, str))
    tolerance = entry.get("tolerance", 0)
    _check_type(file, "[[published]] tolerance", tolerance, (int, float))
    for key, number in (("value", entry["value"]), ("tolerance", tolerance)):
        is_wrong = isinstance(number, float) and not math.isfinite(number)
        if is_wrong or (key == "tolerance" and number < 0):
            raise SourceError(f"{file}: [[published]] {key} is {number}, expected a number, 0 or more. Correct it.")
    for key in ("name", "source"):
        _check_type(file, f"[[published]] {key}", entry[key], str)
    return PublishedFigure(**{**entry, "source": sources.get(entry["source"], entry["source"])})


def _quoted(file: Path, entry: Any) -> Quote:
    _check_type(file, "[[quoted]]", entry, dict)
    _check_keys(file, entry, QUOTED_KEYS, where="[[quoted]] ")
    for key in QUOTED_KEYS[:4]:
        if not entry.get(key):
            raise SourceError(
                f"{file}: a [[quoted]] finding lacks '{key}' (has {', '.join(entry) or 'nothing'}). Add it."
            )
    for key in QUOTED_KEYS[:6]:
        _check_type(file, f"[[quoted]] {key}", entry.get(key, ""), str)
    if entry["about"] not in QUOTED_ABOUT:
        raise SourceError(f"{file}: [[quoted]] about is '{entry['about']}', expected {', '.join(QUOTED_ABOUT)}.")
    try:
        date.fromisoformat(entry["published_on"])
    except ValueError as error:
        found = entry["published_on"]
        raise SourceError(f"{file}: [[quoted]] published_on is '{found}', expected a day as 2019-08-19.") from error
    step = entry.get("breakout_step")
    if step is not None and (isinstance(step, bool) or step not in range(1, 7)):
        raise SourceError(f"{file}: [[quoted]] breakout_step is {step!r}, expected 1 to 6.")
    return Quote(**entry)


def _refuse_outside(file: Path, name: str) -> None:
    """A dataset may come from anybody: what it lists must not be a way to any other file of this machine."""
    path = PureWindowsPath(name)  # knows both kinds of separators, and drives
    if not name.strip() or "\0" in name or path.anchor or ".." in path.parts:
        raise SourceError(
            f"{file}: [files] lists '{name[:100]}', which leads out of the dataset's folder. Write the file's name "
            f"alone, and say where it lies by --files FOLDER or the environment variable {FILES_VARIABLE}."
        )


def _file_entry(file: Path, name: str, entry: Any) -> dict[str, str]:
    if isinstance(entry, str):
        entry = {"sha256": entry}
    _check_type(file, f"[files] {name}", entry, dict)
    _check_keys(file, entry, FILE_KEYS, where=f"[files] {name}: ")
    for key, value in entry.items():
        _check_type(file, f"[files] {name} {key}", value, str)
    if entry.get("holds", HOLDS[0]) not in HOLDS:
        raise SourceError(f"{file}: [files] {name} holds '{entry['holds']}', expected {' or '.join(HOLDS)}.")
    return entry


def _check_keys(file: Path, found: Iterable[str], known: Sequence[str], *, where: str) -> None:
    for key in found:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"Did you mean '{near[0]}'?" if near else f"Known keys: {', '.join(known)}."
            raise SourceError(f"{file}: {where}key '{key}' is unknown. {hint}")


def _check_type(file: Path, key: str, value: object, kind: type | tuple[type, ...]) -> None:
    is_wrong_bool = isinstance(value, bool) and kind is not bool
    if not isinstance(value, kind) or is_wrong_bool:
        kinds = kind if isinstance(kind, tuple) else (kind,)
        expected = " or ".join(one.__name__ for one in kinds)
        raise SourceError(f"{file}: '{key}' is {value!r}, expected {expected}. See datasets/README.md.")


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SourceError(f"{file} is no valid TOML: {error}. See datasets/README.md for an example.") from error


def _find(name: str, places: list[Path]) -> Path | None:
    """Return the listed file, or the same table packed otherwise, from the first folder that has it."""
    stem = _stem(name)
    for place in places:
        if (place / name).is_file():
            return place / name
        for suffix in (".csv", ".csv.gz", ".zip"):
            if (place / (stem + suffix)).is_file():
                return place / (stem + suffix)
    return None


def _stem(name: str) -> str:
    for suffix in (".csv.gz", ".csv", ".zip"):
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return name


def _other_folders(files: str | Path | None) -> list[Path]:
    given = (
        [files] if files is not None else [one for one in os.environ.get(FILES_VARIABLE, "").split(os.pathsep) if one]
    )
    folders = [Path(one) for one in given]
    for folder in folders:
        if not folder.is_dir():
            raise SourceError(f"{folder} is no folder, expected the one with the dataset's files.")
    return folders


def _how_to_obtain(content: dict[str, Any], name: str) -> str:
    entry = content["files"][name]
    own = entry.get("obtain") if isinstance(entry, dict) else None
    return own or content.get("obtain", "")


def _refuse_absent(file: Path, here: dict[str, Path | None], obtain: dict[str, str], places: list[Path]) -> None:
    looked = " and ".join(str(place) for place in places)
    for name, found in here.items():
        if found is None and not obtain[name]:
            raise SourceError(
                f'{file} lists {name}, which is not in {looked}. Put it there, or say how to get it: obtain = "..."'
            )
    if not any(here.values()):
        how = next(iter(obtain.values()))
        raise SourceError(
            f"None of the {len(here)} files of {file} is in {looked}. {how} Then put them there, or name their folder: "
            f"--files FOLDER, or the environment variable {FILES_VARIABLE}."
        )


def _note_absent(name: str, how: str) -> pl.DataFrame:
    return decision("load", f"went on without {name}", f"it is listed but not here. {how}", n_before=1, n_after=0)


def _note_repacked(name: str, found: Path) -> pl.DataFrame:
    reason = "the same table packed otherwise; its sha256 cannot be compared with the announced one"
    return decision("load", f"read {found.name} in place of {name}", reason, n_before=1, n_after=1)


def _existing(path: Path) -> Path:
    try:
        if path.exists():
            return path
        beside = sorted(one.name for one in path.parent.iterdir()) if path.parent.is_dir() else []
    except OSError as error:  # a name longer than a file system takes, a folder one may not look into
        raise SourceError(f"{str(path)[:200]} cannot be opened: {error.strerror}. Check the path.") from error
    near = difflib.get_close_matches(path.name, beside, n=1)
    hint = f"Did you mean '{path.parent / near[0]}'?" if near else "Give a dataset folder or a file of a release."
    raise SourceError(f"{path} does not exist. {hint}")


def _is_table(file: Path) -> bool:
    return file.name.lower().endswith(TABLE_SUFFIXES) and not file.name.startswith(_NO_TABLES)


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
