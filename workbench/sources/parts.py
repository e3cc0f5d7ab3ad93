"""The pieces a release comes in: plain files, gzip files, members of a zip, parquet; opened the same way."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from workbench.schema import SourceError

TABLE_SUFFIXES = (".csv", ".tsv", ".txt", ".parquet", ".gz", ".zip", ".jsonl", ".ndjson", ".json")
MAX_UNPACKED_RATIO = 500
"""no honest table is this much smaller when packed; beyond it a zip is a trap that fills the disk or the memory"""
_FREE_BYTES = 100_000_000
_BUFFER_BYTES = 262_144
READ_ERRORS = (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile, OSError)


@dataclass(frozen=True)
class Part:
    """One table of the input: a file, or a member of an archive."""

    file: Path
    member: str | None = None

    @property
    def label(self) -> str:
        """How decisions and quarantine name it."""
        return f"{self.file.name}/{self.member}" if self.member else self.file.name

    @property
    def is_parquet(self) -> bool:
        """True where the file starts as parquet files do."""
        with self.file.open("rb") as stream:
            return self.member is None and stream.read(4) == b"PAR1"

    @contextmanager
    def open(self) -> Generator[IO[bytes]]:
        """Open for reading, unpacked.

        Raises:
            SourceError: the archive cannot be opened, or its member is encrypted.
        """
        with ExitStack() as opened:
            try:
                if self.member is None:
                    raw: IO[bytes] = opened.enter_context(self.file.open("rb"))
                else:
                    archive = opened.enter_context(zipfile.ZipFile(self.file))
                    raw = opened.enter_context(archive.open(self.member))
                stream = _unpacked(raw)
            except (*READ_ERRORS, NotImplementedError, RuntimeError) as error:
                raise SourceError(
                    f"{self.label} cannot be unpacked: {error}. Unpack it by hand and load the unpacked file."
                ) from error
            yield stream


def list_parts(files: list[Path]) -> tuple[list[Part], list[str]]:
    """Return the tables in these files, and the archive members left aside because they are no tables.

    Raises:
        SourceError: a file is empty, is a damaged, encrypted or nested archive, or is a spreadsheet.
    """
    parts: list[Part] = []
    aside: list[str] = []
    for file in files:
        if file.stat().st_size == 0:
            raise SourceError(f"{file.name} is empty (0 bytes). Fetch the file again.")
        if _starts_as_zip(file):
            members, others = _list_members(file)
            parts.extend(members)
            aside.extend(others)
        else:
            parts.append(Part(file))
    return parts, aside


def _list_members(file: Path) -> tuple[list[Part], list[str]]:
    try:
        with zipfile.ZipFile(file) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir()]
    except zipfile.BadZipFile as error:
        raise SourceError(f"{file.name} is a damaged zip archive ({error}). Fetch the file again.") from error
    if any(info.filename == "[Content_Types].xml" for info in infos):
        raise SourceError(
            f"{file.name} is a spreadsheet, which rounds long ids. Load the file it was made from, "
            "or export it as CSV UTF-8 with the id columns as text."
        )
    parts, aside = [], []
    for info in infos:
        name = info.filename
        if name.startswith("__MACOSX/") or Path(name).name.startswith("."):
            continue
        if not name.lower().endswith(TABLE_SUFFIXES):
            aside.append(f"{file.name}/{name}")
            continue
        _refuse_member(file, info)
        parts.append(Part(file, name))
    if not parts:
        found = ", ".join(aside[:5]) or "no files"
        raise SourceError(
            f"{file.name} holds no table: expected .csv, .tsv or .csv.gz members, found {found}. Load the archive that "
            "holds the tables."
        )
    return parts, aside


def _refuse_member(file: Path, info: zipfile.ZipInfo) -> None:
    label = f"{file.name}/{info.filename}"
    if info.flag_bits & 1:
        raise SourceError(f"{label} is encrypted. Unpack it with its password and load the unpacked file.")
    if info.filename.lower().endswith(".zip"):
        raise SourceError(f"{label} is a zip inside a zip. Unpack the outer archive and load the inner one.")
    if info.file_size > _FREE_BYTES and info.file_size > MAX_UNPACKED_RATIO * max(info.compress_size, 1):
        raise SourceError(
            f"{label} would unpack to {info.file_size:,} bytes from {info.compress_size:,}, "
            f"more than {MAX_UNPACKED_RATIO} times its size. Unpack it by hand if you trust it."
        )


def _starts_as_zip(file: Path) -> bool:
    with file.open("rb") as stream:
        return stream.read(4) in (b"PK\x03\x04", b"PK\x05\x06")


def _unpacked(raw: IO[bytes]) -> IO[bytes]:
    magic = raw.read(2)
    raw.seek(0)
    if magic == b"\x1f\x8b":
        raw = cast(IO[bytes], _Gunzip(raw))
    # Lines of an archive's member are found one by one in Python: a buffer before it makes that a hundred times faster.
    return cast(IO[bytes], io.BufferedReader(cast(io.RawIOBase, raw), _BUFFER_BYTES))


class _Gunzip(gzip.GzipFile):
    """A gzip stream that stops where it unpacks to more than any honest table would."""

    def __init__(self, packed: IO[bytes]) -> None:
        super().__init__(fileobj=packed)
        self._packed = packed
        self._n_unpacked, self._allowed = 0, _FREE_BYTES

    def read(self, size: int | None = -1) -> bytes:
        """Return the next bytes, or say that the file is a trap."""
        piece = super().read(size)
        self._n_unpacked += len(piece)
        if self._n_unpacked > self._allowed:
            n_packed = self._packed.tell()
            self._allowed = max(_FREE_BYTES, MAX_UNPACKED_RATIO * n_packed)
            if self._n_unpacked > self._allowed:
                raise gzip.BadGzipFile(f"it unpacks to over {self._n_unpacked:,} bytes from {n_packed:,}, as traps do")
        return piece
