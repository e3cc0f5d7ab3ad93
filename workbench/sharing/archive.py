"""Files of a package, in a folder or a .zip: same content, same bytes when packed; opened with distrust."""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from workbench.schema import SourceError

MAX_FILES = 1_000
MAX_BYTES = 2 * 1024**3
MAX_RATIO = 200
_FREE_BYTES = 10 * 1024**2
_FIXED_TIME = (1980, 1, 1, 0, 0, 0)
_CHUNK = 1 << 20


def pack_folder(folder: Path, target: Path) -> Path:
    """Write every file of a folder into one .zip and return its path: sorted, undated, so same content, same bytes."""
    draft = target.with_name(target.name + ".part")
    with zipfile.ZipFile(draft, "w", compression=zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                info = zipfile.ZipInfo(file.relative_to(folder).as_posix(), date_time=_FIXED_TIME)
                info.compress_type, info.external_attr, info.create_system = zipfile.ZIP_DEFLATED, 0o644 << 16, 3
                archive.writestr(info, file.read_bytes())
    draft.replace(target)
    return target


def open_files(path: Path) -> dict[str, bytes]:
    """Return the files of a package, name -> content, from a folder or a .zip; nothing is written anywhere.

    Raises:
        SourceError: no such package; or a .zip that is damaged, encrypted, leads outside itself, holds links, names a
            file twice, or unpacks to more than it should.
    """
    if path.is_dir():
        return dict(_read_folder(path))
    if not path.is_file():
        raise SourceError(f"Expected a package folder or .zip at {path.name}; found nothing there. Check the path.")
    try:
        with zipfile.ZipFile(path) as archive:
            return dict(_read_zip(archive, name=path.name))
    except (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, NotImplementedError, EOFError, OSError) as error:
        raise SourceError(
            f"{path.name}: expected a .zip; it is damaged or of a kind we do not open ({error}). Ask for it again."
        ) from error


def _read_folder(folder: Path) -> Iterator[tuple[str, bytes]]:
    total = 0
    for n, file in enumerate(sorted(folder.rglob("*"))):
        if file.is_symlink():
            raise SourceError(f"{folder.name}: '{file.name}' is a link, which a package never holds. Do not trust it.")
        if file.is_file():
            total += file.stat().st_size
            if n > MAX_FILES or total > MAX_BYTES:
                raise SourceError(_too_much(folder.name, f"over {MAX_FILES} files or {MAX_BYTES:,} bytes"))
            yield file.relative_to(folder).as_posix(), file.read_bytes()


def _read_zip(archive: zipfile.ZipFile, *, name: str) -> Iterator[tuple[str, bytes]]:
    members = [info for info in archive.infolist() if not info.is_dir()]
    if len(members) > MAX_FILES:
        raise SourceError(_too_much(name, f"{len(members):,} files"))
    names = [_safe_name(info, name=name) for info in members]
    twice = sorted({item for item in names if names.count(item) > 1})
    if twice:
        raise SourceError(f"{name}: '{twice[0]}' is in it twice, so what is read may not be what was checked. Refused.")
    left = MAX_BYTES
    for info, safe in zip(members, names, strict=True):
        content = _read_member(archive, info, name=name, left=left)
        left -= len(content)
        yield safe, content


def _safe_name(info: zipfile.ZipInfo, *, name: str) -> str:
    # orig_filename is what the archive says; filename has separators already changed and is cut at a NUL.
    said = info.orig_filename
    path = PurePosixPath(said.replace("\\", "/"))
    leads_out = path.is_absolute() or ".." in path.parts or ":" in said or "\\" in said or "\x00" in said
    if leads_out or not path.parts:
        raise SourceError(f"{name}: the member '{said[:80]!r}' leads outside the package. Refused.")
    if stat.S_ISLNK(info.external_attr >> 16):
        raise SourceError(f"{name}: the member '{said[:80]}' is a link, which a package never holds. Refused.")
    if info.flag_bits & 0x1:
        raise SourceError(f"{name}: the member '{said[:80]}' is encrypted. Decrypt it before handing it over.")
    return path.as_posix()


def _read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, *, name: str, left: int) -> bytes:
    """Read with a counter of our own: the size an archive states may be a lie."""
    limit = min(left, max(_FREE_BYTES, info.compress_size * MAX_RATIO))
    parts, total = [], 0
    with archive.open(info) as stream:
        while part := stream.read(_CHUNK):
            total += len(part)
            if total > limit:
                raise SourceError(_too_much(name, f"over {limit:,} bytes from '{info.filename[:80]}'"))
            parts.append(part)
    return b"".join(parts)


def _too_much(name: str, what: str) -> str:
    return f"{name}: it unpacks to {what}, more than a package holds (a zip bomb looks like this). Refused."
