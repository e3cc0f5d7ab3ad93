"""`make determinism`: the same case on several Pythons, with one thread and many, and with its rows shuffled.

Every run has a folder, a cache and kernels of its own. Each file of its report is held against that of the first run,
in three grades: the same bytes; the same but for what must differ (the versions of packages that the report names,
checksums of the inputs, which were shuffled, and of files that name those, the line at which an advert stands in its
file); other. Only manifest.json is left out, for it holds the times. A Python that is not found is no success, unless
variants are named. The case has two platforms and lists for screening, see shuffled_case.py.

    python tests/faults/determinism.py [--folder reports/determinism] [--environments FOLDER] [--only NAME,NAME]
"""

from __future__ import annotations

import argparse
import base64
import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from shuffled_case import CASE, N_ACCOUNTS, N_POSTS, count_crossings, make_case, shuffle_datasets

REPOSITORY = Path(__file__).resolve().parents[2]
PYTHONS = ("3.11", "3.12", "3.13")
N_SHUFFLES = 5
THREADS = ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
GRADES = ("same", "same but for versions, checksums and lines", "other")
_CHECKSUM = re.compile(rb"\b[0-9a-f]{64}\b|(?<=Record <code>)[0-9a-f]{16}(?=</code>)")
_LINE = re.compile(rb'(\badverts_\w+\.\w+(?:,|, line |</td><td class="number">|",\s+"line": ))\d+')
_EMBEDDED = re.compile(rb"base64,([A-Za-z0-9+/]+=*)")


@dataclass(frozen=True)
class Variant:
    """One way to run the case; the first is what the others are held against."""

    name: str
    python: str
    environment: dict[str, str] = field(default_factory=dict)
    shuffled: bool = False


def list_variants(environments: Path, only: set[str]) -> tuple[list[Variant], list[str]]:
    """Return the variants that can be run here, and the versions of Python that were not found.

    Args:
        environments: where environments of other versions are or are made, for those that are run.
        only: words of the names of those to run beside the first; empty = all.
    """
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    many = dict.fromkeys(THREADS, str(max(4, os.cpu_count() or 1)))
    variants = [
        Variant(f"Python {own}, many threads", sys.executable, many),
        Variant(f"Python {own}, one thread", sys.executable, dict.fromkeys(THREADS, "1")),
        Variant(f"Python {own}, rows shuffled", sys.executable, many, shuffled=True),
    ]
    variants += [Variant(f"Python {version}, many threads", "", many) for version in PYTHONS if version != own]
    wanted = [variants[0], *(one for one in variants[1:] if not only or any(word in one.name for word in only))]
    there, absent = [], []
    for one in wanted:
        version = one.name.removeprefix("Python ").split(",")[0]
        python = one.python or make_environment(version, environments)
        if python is None:
            absent.append(version)
        else:
            there.append(replace(one, python=str(python)))
    return there, absent


def make_environment(version: str, environments: Path) -> Path | None:
    """Return the Python of an environment with the locked packages, made where it is not there; None without it."""
    place = environments / f"env-{version}"
    python = place / "bin" / "python"
    if (place / ".ready").exists():
        return python
    found = find_python(version)
    if found is None:
        return None
    subprocess.run([found, "-m", "venv", str(place)], check=True)
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if shutil.which("uv"):
        install = ["uv", "pip", "install", "--quiet", "--python", str(python)]
    subprocess.run([*install, "--require-hashes", "-r", str(REPOSITORY / "requirements.lock")], check=True)
    subprocess.run([*install, "--no-deps", "--no-build-isolation", "-e", str(REPOSITORY)], check=True)
    (place / ".ready").touch()
    return python


def find_python(version: str) -> str | None:
    """Return an interpreter of this version that starts: on the path, else among those of pyenv."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    known = [shutil.which(f"python{version}"), *sorted(map(str, pyenv.glob(f"{version}.*/bin/python")))]
    question = "import sys, venv, ensurepip; print(f'{sys.version_info.major}.{sys.version_info.minor}')"
    for one in filter(None, known):
        answer = subprocess.run([one, "-c", question], capture_output=True, text=True, check=False)
        if answer.stdout.strip() == version:
            return one
    return None


def run_variant(variant: Variant, home: Path, datasets: dict[bool, Path], key: Path) -> tuple[Path, float]:
    """Run the case in a home of its own; return the folder of its report, and how long it took in seconds."""
    shutil.copytree(datasets[variant.shuffled], home / "datasets")
    shutil.copytree(REPOSITORY / "notebooks", home / "notebooks")
    code = f"from workbench.run import run_case; run_case({CASE!r}, parameters={{'n_shuffles': {N_SHUFFLES}}})"
    environment = {**os.environ, **variant.environment, "PYTHONPATH": str(REPOSITORY)}
    environment |= {"WORKBENCH_HOME": str(home), "WORKBENCH_KEY_FILE": str(key)}
    began = time.monotonic()
    done = subprocess.run([variant.python, "-c", code], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{variant.name} failed: {done.stderr.strip().splitlines()[-1:]}")
    return home / "reports" / CASE, time.monotonic() - began


def compare_reports(first: Path, other: Path) -> dict[str, str]:
    """Return the grade of each file of two reports; the manifest, which holds the times, is left out."""
    versions = [_read_versions(folder) for folder in (first, other)]
    return {
        name: _grade(*(folder / name for folder in (first, other)), versions)
        for name in sorted(_list_files(first) | _list_files(other))
    }


def _list_files(folder: Path) -> set[str]:
    names = {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}
    return names - {"manifest.json"}


def _read_versions(folder: Path) -> dict[str, str]:
    versions: dict[str, str] = json.loads((folder / "findings.json").read_bytes())["provenance"]["versions"]
    return versions


def _grade(one: Path, other: Path, versions: list[dict[str, str]]) -> str:
    if not (one.is_file() and other.is_file()):
        return "other"
    if one.read_bytes() == other.read_bytes():
        return "same"
    masked = _mask_both(one, other, versions)
    return GRADES[1] if masked[0] == masked[1] else "other"


def _mask_both(one: Path, other: Path, versions: list[dict[str, str]]) -> list[bytes]:
    contents = (one.read_bytes(), other.read_bytes())
    return [_mask(content, *pair) for content, pair in zip(contents, (versions, versions[::-1]), strict=True)]


def _mask(content: bytes, own: dict[str, str], others: dict[str, str]) -> bytes:
    """Take out checksums, lines of advert files, and versions of packages that the two runs do not have in common."""
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            content = b"".join(name.encode() + archive.read(name) for name in archive.namelist())
    elif b'"nbformat"' in content:
        content = _drop_plain_tables(content)
    for package, version in own.items():
        if version != others.get(package):
            content = re.sub(rb"(?<![\d.])" + re.escape(version.encode()) + rb"(?![\d.]*\d)", b"<version>", content)
    return _mask_text(_EMBEDDED.sub(lambda link: _mask_text(base64.b64decode(link[1])), content))


def _drop_plain_tables(content: bytes) -> bytes:
    """Leave out what a notebook shows as HTML beside it: there, a line's number may break anywhere within its cell."""
    notebook = json.loads(content)
    for output in (output for cell in notebook["cells"] for output in cell.get("outputs", [])):
        if "text/html" in output.get("data", {}):
            output["data"].pop("text/plain", None)
    return json.dumps(notebook).encode()


def _mask_text(content: bytes) -> bytes:
    return _LINE.sub(rb"\1<line>", _CHECKSUM.sub(b"<checksum>", content))


def show_difference(first: Path, other: Path, name: str) -> str:
    """Return where a file of two reports parts, in a few words of each; what must differ is left out."""
    if not ((first / name).is_file() and (other / name).is_file()):
        return "only in one of the two"
    texts = _mask_both(first / name, other / name, [_read_versions(folder) for folder in (first, other)])
    at = next((i for i, (a, b) in enumerate(zip(*texts, strict=False)) if a != b), min(map(len, texts)))
    return " | ".join(repr(text[max(0, at - 60) : at + 40].decode("utf-8", "replace")) for text in texts)


def check_crossings(report: Path) -> dict[str, int]:
    """Say and return what of the report hangs on the second platform and the lists; refuse a report without any."""
    crossings = count_crossings(report)
    lacking = [name for name, n in crossings.items() if not n]
    if lacking:
        raise RuntimeError(f"the case shows nothing about {', '.join(lacking)}: its report has none")
    _say("; ".join(f"{name}: {n}" for name, n in crossings.items()))
    return crossings


def main(folder: Path, environments: Path | None, only: set[str]) -> int:
    """Run all variants, print and write what is equal and what is not.

    Returns how many files are other, and where all variants were to be run, how many Pythons were not found.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        make_case(root / "plain")
        shuffle_datasets(root / "plain", root / "shuffled", seed=5)
        datasets = {False: root / "plain", True: root / "shuffled"}
        variants, absent = list_variants(environments or root / "environments", only)
        compared, seconds, first = [], [], None
        for number, variant in enumerate(variants):
            report, took = run_variant(variant, root / f"home_{number}", datasets, root / "key")
            if first is None:
                first, crossings = report, check_crossings(report)
            seconds.append(round(took, 1))
            compared.append(compare_reports(first, report))
            _say(f"{variant.name:<32} {took:6.1f} s  {_count(compared[-1])}")
            for name in [name for name, grade in compared[-1].items() if grade == "other"][:40]:
                _say(f"    {name}: {show_difference(first, report, name)}")
    for version in absent:
        _say(f"Python {version:<25} not found on this machine")
    table = {variant.name: grades for variant, grades in zip(variants, compared, strict=True)}
    _write(folder, table, seconds, absent, crossings)
    n_other = sum(grade == "other" for grades in compared for grade in grades.values())
    return n_other + (0 if only else len(absent))


def _count(grades: dict[str, str]) -> str:
    found = list(grades.values())
    return ", ".join(f"{found.count(grade)} {grade}" for grade in GRADES if grade in found)


def _write(
    folder: Path,
    table: dict[str, dict[str, str]],
    seconds: list[float],
    absent: list[str],
    crossings: dict[str, int],
) -> None:
    figures = {
        "date": datetime.now(UTC).date().isoformat(),
        "command": "make determinism",
        "case": f"{N_ACCOUNTS} accounts, {N_POSTS} posts, {N_SHUFFLES} shuffles, two platforms, lists, all notebooks",
        "crossings": crossings,
        "seconds": dict(zip(table, seconds, strict=True)),
        "not_found": absent,
        "left_out": "manifest.json, which holds the times",
        "held_against": next(iter(table)),
        "counts": {name: _count(grades) for name, grades in table.items()},
    }
    (folder / "figures.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    with (folder / "files.csv").open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["file", *table])
        for name in sorted({name for grades in table.values() for name in grades}):
            writer.writerow([name, *(grades.get(name, "") for grades in table.values())])


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Run one case in several ways and compare every file.")
    parser.add_argument("--folder", type=Path, default=Path("reports/determinism"))
    parser.add_argument("--environments", type=Path, default=None, help="where environments are kept between runs")
    parser.add_argument("--only", default="", help="words of the names of the variants to run, with commas between")
    given = parser.parse_args()
    wanted = {word.strip() for word in given.only.split(",") if word.strip()}
    sys.exit(1 if main(given.folder, given.environments, wanted) else 0)
