"""Versions of a case's report: moved aside and never overwritten, told by what they were superseded, still checkable.

A version that was superseded gets one line on its page that says so. The page as first written stays beside it, and
its sha256 is the one in the version's own manifest.
"""

from __future__ import annotations

import filecmp
import itertools
import os
import re
import shutil
from pathlib import Path
from typing import Any

from workbench.cache_key import hash_file
from workbench.catalogue import read_manifest
from workbench.report import page_environment
from workbench.schema import SourceError

AS_WRITTEN = "report_as_written.html"
"""Name of the page of a superseded version as it was first written."""
_TOP_OF_PAGE = re.compile(r'<body[^>]*>\s*(?:<a class="skip"[^>]*>[^<]*</a>)?')


def list_history(reports: Path, name: str) -> list[Path]:
    """Return the folders of earlier versions, oldest first."""
    folders = (reports / f"{name}.history").glob("v*")
    return sorted((f for f in folders if f.name[1:].isdecimal()), key=lambda folder: int(folder.name[1:]))


def number_version(place: Path, manifest: dict[str, Any]) -> int:
    """Return the number of the version in this folder, whose manifest this is: history's names are the surest.

    Where the manifest of the report that stands does not tell it, it is the one after history's last.
    """
    if place.parent.suffix == ".history":
        return int(place.name[1:])
    earlier = list_history(place.parent, place.name)
    return manifest.get("version", int(earlier[-1].name[1:]) + 1 if earlier else 1)


def next_version(reports: Path, name: str) -> int:
    """Return the number a new version of a case's report would have."""
    earlier = list_history(reports, name)
    last = int(earlier[-1].name[1:]) if earlier else 0
    return last + (2 if (reports / name).exists() else 1)


def move_in(draft: Path, reports: Path, name: str, version: int) -> bool:
    """Put a finished draft in the report's place, and say whether it was new; the one that was there becomes history.

    Two renames, each whole or not at all; `mend_versions` mends a run that was killed between them.
    """
    current = reports / name
    shutil.rmtree(reports / f"{name}.failed", ignore_errors=True)  # what failed before has now been mended
    if current.exists():
        if are_equal(draft, current):
            return False
        history = reports / f"{name}.history"
        history.mkdir(exist_ok=True)
        current.rename(history / f"v{version - 1}")
    draft.rename(current)
    mark_superseded(reports, name)
    return True


def mend_versions(reports: Path, name: str) -> None:
    """Put back a report that a killed run had already moved aside, and tell versions what they were superseded by.

    A version that was being replaced is replaced now (`replace_version`).
    """
    for old in (reports / f".{name}.replaced", *(reports / f"{name}.history").glob(".v*.replaced")):
        place = old.with_name(old.name[1:].removesuffix(".replaced"))
        if old.is_dir() and not place.exists():
            _draft_for(place).rename(place)
        shutil.rmtree(old, ignore_errors=True)
    earlier = list_history(reports, name)
    if earlier and not (reports / name).exists():
        written = earlier[-1] / AS_WRITTEN
        if written.is_file():  # marked already: the report that stood was deleted since
            written.replace(earlier[-1] / "report.html")
        earlier[-1].rename(reports / name)
    mark_superseded(reports, name)


def replace_version(place: Path, files: dict[str, bytes]) -> None:
    """Put these files, by name, in the place of a version's, of which nothing is left.

    Two renames, each whole or not at all; cut off between them, `mend_versions` finishes it.
    """
    draft, old = _draft_for(place), place.with_name(f".{place.name}.replaced")
    for left in (draft, old):
        if left.exists():
            shutil.rmtree(left)
    draft.mkdir()
    for name, content in files.items():
        (draft / name).write_bytes(content)
    place.rename(old)
    draft.rename(place)
    shutil.rmtree(old)


def _draft_for(place: Path) -> Path:
    return place.with_name(f".{place.name}.withdrawn")


def mark_superseded(reports: Path, name: str) -> None:
    """Write into each earlier version's page by what version it was superseded, when and why; keep the page as it was.

    Done twice it changes nothing; where a further version came, the link to the newest follows.
    """
    places = [*list_history(reports, name), reports / name]
    for place, later in itertools.pairwise(places):
        page, written = place / "report.html", place / AS_WRITTEN
        if not written.is_file():
            if not page.is_file():
                continue
            shutil.copy2(page, written)
        marked = _mark(written, later=later, newest=places[-1])
        if page.is_file() and page.read_bytes() == marked:
            continue
        half = page.with_name(".report.html.half")
        half.write_bytes(marked)
        half.replace(page)


def list_versions(reports: Path, name: str) -> list[dict[str, Any]]:
    """Return one row per version, the newest first: version, made_on, why, page, files.

    `files` says whether every file is as the version's manifest says it was written, and whether there are others. Of a
    superseded version the page as first written is held against the manifest, and the page that is read against what
    the line about the later version makes of it. Whatever is amiss begins with "changed", a manifest that cannot be
    read, too.

    Raises:
        SourceError: the case has no report.
    """
    places = [*list_history(reports, name), reports / name]
    rows = []
    for place, later in zip(places, [*places[1:], None], strict=True):
        if not (place / "report.html").is_file():
            continue
        try:
            manifest = read_manifest(place)
            files = _check_files(place, manifest, later=later, newest=places[-1])
        except SourceError as error:
            manifest, files = {}, f"changed or gone: manifest.json. {error}"
        rows.append(
            {
                "version": number_version(place, manifest),
                "made_on": manifest.get("ended_at", "")[:10],
                "why": manifest.get("correction", ""),
                "page": (place / "report.html").relative_to(reports).as_posix(),
                "files": files,
            }
        )
    if not rows:
        raise SourceError(f"There is no report of '{name}' in {reports}. Make one with `workbench report {name}`.")
    return rows[::-1]


def are_equal(one: Path, other: Path) -> bool:
    """Whether two reports hold the same bytes, but for the manifest, which holds the times.

    A report whose manifest cannot be read is like no other: the next run must not leave it as it is.
    """

    def list_files(folder: Path) -> list[str]:
        names = [file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()]
        return sorted(name for name in names if name != "manifest.json")

    if not all(_is_told(folder) for folder in (one, other)):
        return False
    names = list_files(one)
    return names == list_files(other) and not any(
        filecmp.cmpfiles(one, other, names, shallow=False)[outcome] for outcome in (1, 2)
    )


def _is_told(folder: Path) -> bool:
    """Whether a version's manifest can be read; one without a manifest tells nothing, and nothing wrong."""
    try:
        read_manifest(folder)
    except SourceError:
        return False
    return True


def _check_files(place: Path, manifest: dict[str, Any], *, later: Path | None, newest: Path) -> str:
    """What differs from the manifest; `later` is the version by which this one was superseded, None for the last."""
    if not manifest:
        return "no manifest to check against"
    if "outputs" not in manifest:
        return f"changed or gone: manifest.json, which lists no files. Restore it from a copy of {place.name}."
    listed = manifest["outputs"]
    found = {
        file.relative_to(place).as_posix(): file
        for file in place.rglob("*")
        if file != place / "manifest.json" and (file.is_symlink() or not file.is_dir())
    }
    changed, written = set(), found.get(AS_WRITTEN)
    if later and written and written.is_file() and AS_WRITTEN not in listed:
        if found["report.html"].read_bytes() != _mark(written, later=later, newest=newest):
            changed.add("report.html" if _is_told(later) else "report.html, or only the later manifest.json")
        found["report.html"] = found.pop(AS_WRITTEN)
    changed |= {
        name for name, sha256 in listed.items()
        if name not in found or not found[name].is_file() or hash_file(found[name]) != sha256
    }  # fmt: skip
    added = sorted(found.keys() - listed.keys())
    if not changed and not added:
        return "as written"
    said = f"changed or gone: {', '.join(sorted(changed)) or 'none'}"
    return f"{said}; added: {', '.join(added)}" if added else said


def _mark(written: Path, *, later: Path, newest: Path) -> bytes:
    """The page of a superseded version, made from the page as first written, with the line about the later one."""
    page, place = written.read_bytes().decode("utf-8", errors="surrogateescape"), written.parent
    try:
        manifest = read_manifest(later)
    except SourceError:
        manifest = {"correction": "why is not known, because its manifest cannot be read."}
    banner = (
        page_environment()
        .get_template("superseded.html.j2")
        .render(
            version=number_version(later, manifest),
            day=manifest.get("ended_at", "")[:10],
            reason=manifest.get("correction", ""),
            later=_relative(later, place),
            newest=_relative(newest, place) if newest != later else "",
            as_written=AS_WRITTEN,
        )
    )
    top = _TOP_OF_PAGE.search(page)
    at = top.end() if top else 0
    return f"{page[:at]}\n{banner.strip()}{page[at:]}".encode("utf-8", errors="surrogateescape")


def _relative(target: Path, place: Path) -> str:
    return Path(os.path.relpath(target / "report.html", place)).as_posix()
