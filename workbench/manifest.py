"""What a report was made from and with: inputs, outputs, packages, and the commit."""

from __future__ import annotations

import importlib.metadata
import platform
import subprocess
from pathlib import Path
from typing import Any

from workbench.cache_key import hash_file


def describe_inputs(place: Path) -> list[dict[str, Any]]:
    """Return name, size and sha256 of every file of a dataset folder, or of one file."""
    if place.is_file():
        return [_describe(place, place.name)]
    files = sorted(file for file in place.rglob("*") if file.is_file())
    return [_describe(file, file.relative_to(place).as_posix()) for file in files]


def describe_outputs(folder: Path) -> dict[str, str]:
    """Return the sha256 of every file of a report folder but its manifest, by name."""
    files = sorted(file for file in folder.rglob("*") if file.is_file() and file.name != "manifest.json")
    return {file.relative_to(folder).as_posix(): hash_file(file) for file in files}


def describe_tools(repository: Path) -> dict[str, Any]:
    """Return the versions of Python and all packages the workbench requires, and the commit of the repository."""
    packages = {"takedown-workbench": importlib.metadata.version("takedown-workbench")}
    for requirement in importlib.metadata.requires("takedown-workbench") or []:
        if "extra ==" not in requirement:
            name = requirement.split(";")[0].split(">")[0].split("=")[0].split("<")[0].split("~")[0].strip()
            packages[name] = importlib.metadata.version(name)
    commit = _ask_git(repository, "rev-parse", "HEAD")
    changed = _ask_git(repository, "status", "--porcelain", "--", "workbench", "notebooks", "datasets")
    return {
        "python": platform.python_version(),
        "packages": packages,
        "git": {"commit": commit, "has_local_changes": None if commit is None else bool(changed)},
    }


def _describe(file: Path, name: str) -> dict[str, Any]:
    return {"name": name, "n_bytes": file.stat().st_size, "sha256": hash_file(file)}


def _ask_git(repository: Path, *question: str) -> str | None:
    """Git's answer; None where there is no git or no repository, as in a folder unpacked from an archive."""
    try:
        answer = subprocess.run(
            ["git", "-C", str(repository), *question], capture_output=True, text=True, check=True, timeout=30
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()
