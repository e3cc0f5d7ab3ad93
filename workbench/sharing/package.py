"""The findings package: what one team hands another, and can check, answer and delete."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
import tempfile
from dataclasses import asdict, dataclass, fields
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl

from workbench.findings import Findings
from workbench.schema import ParameterError, SourceError
from workbench.sharing.archive import open_files, pack_folder
from workbench.sharing.cover import Cover, retention_date
from workbench.sharing.evidence import Evidence
from workbench.sharing.graphml import write_graphml
from workbench.sharing.indicators import Indicators, build_indicators
from workbench.sharing.levels import Shareable, apply_level
from workbench.sharing.meta import write_meta_sheet
from workbench.sharing.misp import write_misp
from workbench.sharing.near_text import METHOD
from workbench.sharing.salts import derive_key, salt_check
from workbench.sharing.stix import write_stix
from workbench.sharing.summary import write_limitations, write_summary
from workbench.sharing.tables import unguard_cells, write_table

SCHEMA = "takedown-workbench/findings-package"
SCHEMA_VERSION = "1.0"
_MANIFEST = "manifest.json"
_INDICATORS = "indicators.csv"
_PART_ROWS = 20_000


class PackageError(SourceError):
    """A findings package is damaged, changed, or of a kind this version does not read."""


@dataclass(frozen=True)
class WrittenPackage:
    """Where a package was written, and the hash to read to the receiver over another channel."""

    folder: Path
    archive: Path
    sha256: str


@dataclass(frozen=True)
class Package:
    """A package as received: every file checked against the manifest."""

    cover: Cover
    manifest: dict[str, Any]
    indicators: pl.DataFrame
    tables: dict[str, pl.DataFrame]


def write_package(
    findings: Findings,
    out: str | Path,
    *,
    level: str,
    evidence: Evidence | None = None,
    contact: str = "not stated",
    producer: str = "not stated",
    as_of: str | None = None,
    retention_days: int = 365,
    salt: str | None = None,
) -> WrittenPackage:
    """Write a findings package as a folder and a .zip beside it.

    Args:
        findings: what is said, with its levels, confidence and caveats.
        out: the folder to make; replaced if it holds a package, refused if it holds anything else.
        level: "public" (pseudonyms only), "trusted" (ids) or "hashed" (under a salt both parties know).
        evidence: from `collect_evidence`; None hands over the claims alone.
        contact: where the receiver answers or disputes.
        producer: who made the package.
        as_of: ISO day the data is of; None: the last day seen in the data.
        retention_days: after how many days the receiver deletes it.
        salt: the agreed salt, for "hashed" only.

    Returns:
        Folder, archive and the archive's sha256.

    Raises:
        ParameterError: an unknown level, a salt missing or superfluous, a folder that is something else, no day.
        PrivacyError: a public package would name a small account.
    """
    out = Path(out)
    if (level == "hashed") != (salt is not None):
        raise ParameterError(
            f"The level 'hashed', and no other, takes a salt; found level '{level}' "
            f"{'without' if salt is None else 'with'} one. Agree on one with the receiver, or drop it."
        )
    if out.exists() and not (out / _MANIFEST).is_file() and any(out.iterdir()):
        raise ParameterError(
            f"Expected a new folder or an older package at {out.name}; it holds other files. Move them."
        )
    key = derive_key(salt) if salt else b""
    cover = _cover(findings, evidence, level, contact, producer, as_of, retention_days)
    shown = apply_level(evidence, level=level, key=key) if evidence else Shareable({}, pl.DataFrame())
    out.parent.mkdir(parents=True, exist_ok=True)
    # Whole or not at all: a package half written must never be sent.
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as draft:
        folder = Path(draft) / "package"
        _write_files(folder, findings, evidence, cover=cover, shown=shown)
        _write_manifest(folder, cover=cover, salt_check=salt_check(key) if key else None)
        archive = pack_folder(folder, out.with_name(out.name + ".zip"))
        if out.exists():
            shutil.rmtree(out)
        folder.replace(out)
    return WrittenPackage(out, archive, hashlib.sha256(archive.read_bytes()).hexdigest())


def read_package(path: str | Path) -> Package:
    """Return a package as received, after checking every file against the manifest's sha256.

    Args:
        path: folder or .zip.

    Raises:
        PackageError: a file changed, is missing or not in the manifest (named); no manifest; another version.
        SourceError: the archive is damaged or unsafe.

    Beware: whoever can change a file can change the manifest. Compare the archive's sha256 over another channel.
    """
    files, manifest, cover = _open_package(Path(path))
    tables = {
        file.removesuffix(".csv"): _read_csv(content, name=file)
        for file, content in files.items()
        if file.endswith(".csv") and "/" not in file
    }
    rows = tables.pop("indicators", pl.DataFrame())
    return Package(cover, manifest, _read_indicators(rows), tables)


def read_package_indicators(path: Path) -> pl.DataFrame:
    """Return the indicators of a package, checked as `read_package` does; its other tables are not read.

    Raises:
        PackageError: as `read_package`.
        SourceError: the archive is damaged or unsafe.
    """
    files, _, _ = _open_package(path)
    content = files.get(_INDICATORS)
    return _read_indicators(pl.DataFrame() if content is None else _read_csv(content, name=_INDICATORS))


def _open_package(path: Path) -> tuple[dict[str, bytes], dict[str, Any], Cover]:
    files = open_files(path)
    manifest = _read_manifest(files, name=path.name)
    _check_files(files, manifest, name=path.name)
    return files, manifest, _read_cover(manifest, name=path.name)


def _cover(
    findings: Findings,
    evidence: Evidence | None,
    level: str,
    contact: str,
    producer: str,
    as_of: str | None,
    retention_days: int,
) -> Cover:
    day = as_of or (evidence.last_at if evidence else "") or str(findings.provenance.get("as_of", ""))[:10]
    if not day:
        raise ParameterError('A package needs the day its data is of; found none. Pass as_of="2019-08-19".')
    claims = findings.headlines
    order = ("low", "moderate", "high")
    confidence = min((claim.confidence.level for claim in claims), key=order.index, default="")
    return Cover(
        case=findings.about.name,
        title=findings.about.title,
        level=level,
        as_of=day,
        retention_until=retention_date(day, n_days=retention_days),
        contact=contact,
        producer=producer,
        tool_version=_tool_version(),
        summary=" ".join(claim.text for claim in claims) or "No claims are made; the tables say what was observed.",
        confidence=confidence,
        evidence_level=findings.level or "",
        caveats=tuple(findings.caveats),
        is_synthetic=findings.about.is_synthetic,
    )


def _tool_version() -> str:
    try:
        return version("takedown-workbench")
    except PackageNotFoundError:  # run from a bare checkout
        return "unknown"


def _write_files(
    folder: Path, findings: Findings, evidence: Evidence | None, *, cover: Cover, shown: Shareable
) -> None:
    exports = folder / "exports"
    exports.mkdir(parents=True)
    techniques = evidence.techniques if evidence else ()
    for name, table in shown.tables.items():
        write_table(table, folder / f"{name}.csv")
    indicators = build_indicators(shown.indicator_rows)
    write_table(indicators.drop("match_key"), folder / _INDICATORS)
    write_table(_claims(findings), folder / "claims.csv")
    write_table(_techniques(techniques), folder / "techniques.csv")
    counts = {name: table.height for name, table in shown.tables.items()}
    write_summary(folder / "summary.md", cover=cover, claims=findings.headlines, counts=counts, techniques=techniques)
    write_limitations(folder / "limitations.md", cover=cover, decisions=findings.decisions)
    write_meta_sheet(indicators, exports / "meta_indicators.csv")
    write_meta_sheet(indicators, exports / "meta_indicators.tsv")
    write_stix(indicators, exports / "stix21.json", cover=cover, techniques=techniques)
    write_misp(indicators, exports / "misp_event.json", cover=cover, techniques=techniques)
    if shown.tables:
        write_graphml(shown.tables["accounts"], shown.tables["signals"], exports / "network.graphml")


def _claims(findings: Findings) -> pl.DataFrame:
    rows = [
        {
            "section": section.name,
            "text": claim.text,
            "level": claim.level,
            "confidence": claim.confidence.level,
            "basis": claim.confidence.basis,
            "likelihood": claim.likelihood,
            "denominator": claim.denominator,
        }
        for section in findings.sections
        for claim in section.claims
    ]
    names = ("section", "text", "level", "confidence", "basis", "likelihood", "denominator")
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String))


def _techniques(techniques: tuple[Any, ...]) -> pl.DataFrame:
    rows = [
        {"framework": "DISARM", "id": item.disarm_id, "name": item.name, "phase": item.phase} for item in techniques
    ]
    return pl.DataFrame(rows, schema=dict.fromkeys(("framework", "id", "name", "phase"), pl.String))


def _read_csv(content: bytes, *, name: str) -> pl.DataFrame:
    try:
        reader = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        header = next(reader, [])
        schema = dict.fromkeys(header, pl.String)
        parts = [pl.DataFrame(schema=schema)]
        # Cells of Python's take several times the room of a table's: never more than a part of them at once.
        for rows in iter(lambda: list(islice(reader, _PART_ROWS)), []):
            if any(len(row) != len(header) for row in rows):
                header = []
                break
            parts.append(pl.DataFrame(dict(zip(header, zip(*rows, strict=True), strict=True)), schema=schema))
    except (UnicodeDecodeError, csv.Error) as error:
        raise PackageError(
            f"{name}: expected a CSV table in UTF-8; it does not read ({error}). Ask for the package again."
        ) from error
    if not header:
        raise PackageError(
            f"{name}: expected a table with as many cells in each row as in its header. Ask again for it."
        )
    cells = pl.concat(parts)
    return pl.DataFrame([unguard_cells(column).replace("", None) for column in cells.iter_columns()])


def _write_manifest(folder: Path, *, cover: Cover, salt_check: str | None) -> None:
    names = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())
    manifest = {
        "schema": SCHEMA,
        "schema_version": SCHEMA_VERSION,
        "cover": {**asdict(cover), "tlp": cover.tlp},
        "tool": {"name": "takedown-workbench", "version": cover.tool_version},
        "hashes": {"method": "HMAC-SHA256, key by scrypt from the salt", "salt_check": salt_check}
        if salt_check
        else None,
        "near_text": {"method": METHOD, "is_keyed": bool(salt_check)},
        "files": [_file_entry(folder / name, name) for name in names],
    }
    text = json.dumps(manifest, ensure_ascii=False, indent=1) + "\n"
    (folder / _MANIFEST).write_text(text, encoding="utf-8")


def _file_entry(path: Path, name: str) -> dict[str, Any]:
    content = path.read_bytes()
    return {"path": name, "sha256": hashlib.sha256(content).hexdigest(), "n_bytes": len(content)}


def _read_manifest(files: dict[str, bytes], *, name: str) -> dict[str, Any]:
    if _MANIFEST not in files:
        raise PackageError(
            f"{name}: expected a findings package with {_MANIFEST}; found {', '.join(sorted(files)[:5])}. Check it."
        )
    try:
        manifest = json.loads(files[_MANIFEST])
    except (ValueError, RecursionError) as error:
        raise PackageError(f"{name}: {_MANIFEST} is no JSON ({str(error)[:80]}). Ask for the package again.") from error
    if not isinstance(manifest, dict) or manifest.get("schema") != SCHEMA:
        raise PackageError(f"{name}: expected {_MANIFEST} of schema {SCHEMA}; found another. Is it a package of ours?")
    found = str(manifest.get("schema_version"))
    if found.split(".")[0] != SCHEMA_VERSION.split(".")[0]:
        raise PackageError(
            f"{name}: expected schema version {SCHEMA_VERSION.split('.')[0]}.x; found {found}. "
            "Read it with the version of the workbench that wrote it."
        )
    return manifest


def _check_files(files: dict[str, bytes], manifest: dict[str, Any], *, name: str) -> None:
    entries = manifest.get("files")
    is_list = isinstance(entries, list) and all(isinstance(entry, dict) and "path" in entry for entry in entries)
    if not is_list:
        raise PackageError(f"{name}: {_MANIFEST} lists no files. Ask for the package again.")
    listed = {str(entry["path"]): entry for entry in entries}
    for path, entry in listed.items():
        if path not in files:
            raise PackageError(f"{name}: the file '{path}' is in the manifest and not in the package. Refused.")
        if hashlib.sha256(files[path]).hexdigest() != entry.get("sha256"):
            raise PackageError(
                f"{name}: the file '{path}' is not what the manifest describes: it was changed. Refused."
            )
    surplus = sorted(set(files) - set(listed) - {_MANIFEST})
    if surplus:
        raise PackageError(f"{name}: the file '{surplus[0]}' is in the package and not in the manifest. Refused.")


def _read_cover(manifest: dict[str, Any], *, name: str) -> Cover:
    content = manifest.get("cover")
    wanted = {item.name for item in fields(Cover)}
    if not isinstance(content, dict) or not wanted <= set(content):
        raise PackageError(f"{name}: the manifest's cover lacks fields. Ask for the package again.")
    cover: dict[str, Any] = {key: content[key] for key in wanted}
    if not isinstance(cover["caveats"], list):
        raise PackageError(f"{name}: 'caveats' in the manifest's cover is no list. Ask for the package again.")
    cover["caveats"] = tuple(cover["caveats"])
    words = {key: value for key, value in cover.items() if key not in ("caveats", "is_synthetic")}
    odd = [key for key, value in words.items() if not isinstance(value, str)]
    if odd or not all(isinstance(caveat, str) for caveat in cover["caveats"]):
        raise PackageError(
            f"{name}: '{(odd or ['caveats'])[0]}' in the manifest's cover is not text. Ask for the package again."
        )
    try:
        return Cover(**cover)
    except ParameterError as error:
        raise PackageError(f"{name}: the manifest's cover is of no kind we know. {error}") from error


def _read_indicators(rows: pl.DataFrame) -> pl.DataFrame:
    """Types are as stated; keys are made here, not taken from the sender."""
    if rows.height and "indicator_value" not in rows.columns:
        found = ", ".join(rows.columns[:8])[:200]
        raise PackageError(
            f"indicators.csv: expected a column 'indicator_value'; found {found}. Ask for the package again."
        )
    made_here = {"n_stated", "unit", "role", "problem", "line", "match_key", "declared"}
    kept = [name for name in rows.columns if name not in made_here]
    declared = pl.col("indicator_type") if "indicator_type" in kept else pl.lit(None, dtype=pl.String)
    found = build_indicators(rows.select(kept).with_columns(declared=declared).drop("indicator_type", strict=False))
    others = [name for name in kept if name in found.columns and name not in Indicators.column_names()]
    return found.select(Indicators.column_names() + others)
