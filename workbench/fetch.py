"""Public research releases by name: fetched piece by piece, checked by hash, described for the loader.

The only room that touches the network, and only when asked to. A broken transfer goes on where it stopped. What the
registry announces must come; where an archive lists its own files, their sha256 is written down at the first fetch and
must be the same at every later one.
"""

from __future__ import annotations

import difflib
import json
import shutil
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pooch
import requests

from workbench.schema import ParameterError, SourceError

FETCHED = "fetched.toml"
TIMEOUT_S = 60
MAX_RECORD_BYTES = 10_000_000
_CHUNK = 8 << 10
"""small: of a transfer that breaks off no more than this is lost"""
_SPARE_BYTES = 200_000_000
_KEYS = ("title", "record", "licence", "citation", "about", "platform", "files")
_FILE_KEYS = ("url", "n_bytes", "hash")
_NAMES_OF_HASHES = ("md5", "sha1", "sha256", "sha512")

Progress = Callable[[str, int, int], None]
"""called with file name, bytes so far, bytes in all (0 = not known)"""


@dataclass(frozen=True)
class RemoteFile:
    """A file to fetch: where, how large, and the hash it must have, as "sha256:..."; blank where none is announced."""

    name: str
    url: str
    n_bytes: int
    hash: str


@dataclass(frozen=True)
class PublicRelease:
    """One entry of the registry."""

    name: str
    title: str
    licence: str
    citation: str
    about: str = ""
    record: str = ""
    platform: str = "unknown"
    files: tuple[RemoteFile, ...] = field(default=())


def read_registry(path: Path) -> dict[str, PublicRelease]:
    """Return the releases of a registry file, by name.

    Raises:
        SourceError: no such file, no TOML, or an entry lacks a key or has one we do not know.
    """
    if not path.is_file():
        raise SourceError(f"Expected the registry of public releases at {path.name}; found none.")
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SourceError(f"{path.name} is no TOML ({error}). Mend it.") from error
    return {name: _read_entry(name, entry) for name, entry in content.items()}


def fetch_release(name: str, folder: str | Path, *, registry: Path, progress: Progress | None = None) -> Path:
    """Fetch a public release into `folder/<name>` and return that folder; what is there and whole is not fetched again.

    Args:
        name: a key of the registry.
        folder: usually `datasets/`.
        registry: the registry file.
        progress: told how far it is.

    Returns:
        A folder `load_release` opens once the release's own format is known or mapped: the files, `fetched.toml` with
        their sha256, and `dataset.toml` with title, licence and citation, if there was none.

    Raises:
        ParameterError: no release of that name.
        SourceError: no connection, no space, a wrong size or a wrong hash; a file that came wrong is removed.
    """
    releases = read_registry(registry)
    if name not in releases:
        near = difflib.get_close_matches(name, releases, n=1)
        hint = f"Did you mean '{near[0]}'?" if near else f"There are: {', '.join(releases) or 'none'}."
        raise ParameterError(f"no public release '{name}' in the registry. {hint}")
    release = releases[name]
    place = Path(folder) / name
    place.mkdir(parents=True, exist_ok=True)
    try:
        files = release.files or _list_record(release.record)
        known = _read_fetched(place)
        _check_space(place, files)
        digests = {
            file.name: _fetch_file(file, place, known=known.get(file.name, ""), progress=progress) for file in files
        }
        _write_fetched(place, release, files, digests)
    finally:
        # Where nothing came, no empty folder is left that looks like a dataset.
        if not any(place.iterdir()):
            place.rmdir()
    return place


def _read_entry(name: str, entry: Any) -> PublicRelease:
    if not isinstance(entry, dict):
        raise SourceError(f"registry: '{name}' is expected to be a table; found {type(entry).__name__}.")
    unknown = [key for key in entry if key not in _KEYS]
    if unknown:
        near = difflib.get_close_matches(unknown[0], _KEYS, n=1)
        hint = f"Did you mean '{near[0]}'?" if near else f"Known are {', '.join(_KEYS)}."
        raise SourceError(f"registry: '{name}' has the unknown key '{unknown[0]}'. {hint}")
    lacking = [key for key in ("title", "licence", "citation") if not entry.get(key)]
    if lacking or not (entry.get("files") or entry.get("record")):
        raise SourceError(f"registry: '{name}' lacks {lacking[0] if lacking else 'files (or record)'}. Add it.")
    files = tuple(_read_file(name, file, given) for file, given in entry.get("files", {}).items())
    texts = {key: str(value) for key, value in entry.items() if key != "files"}
    return PublicRelease(name, files=files, **texts)


def _read_file(name: str, file: str, given: Any) -> RemoteFile:
    if not isinstance(given, dict) or set(given) != set(_FILE_KEYS):
        raise SourceError(f"registry: file '{file}' of '{name}' needs {', '.join(_FILE_KEYS)}, and nothing else.")
    return RemoteFile(_safe_name(file), str(given["url"]), int(given["n_bytes"]), _known_hash(str(given["hash"])))


def _list_record(address: str) -> tuple[RemoteFile, ...]:
    """Return the files an archive's record lists, in Zenodo's JSON."""
    try:
        with requests.get(_web_address(address), timeout=TIMEOUT_S, stream=True) as answer:
            answer.raise_for_status()
            raw = answer.raw.read(MAX_RECORD_BYTES, decode_content=True)
        listed = json.loads(raw)["files"]
        return tuple(
            RemoteFile(
                _safe_name(entry["key"]), entry["links"]["self"], int(entry["size"]), _known_hash(entry["checksum"])
            )
            for entry in listed
        )
    except requests.RequestException as error:
        raise SourceError(
            f"{address} cannot be reached ({_why(error)}). Check the connection and try again."
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise SourceError(f"{address} gave no list of files we know ({_short(error)}). Fetch them by hand.") from error


def _safe_name(name: str) -> str:
    """A name from outside never leads out of the folder."""
    if Path(name).name != name or name in ("", ".", "..", FETCHED, "dataset.toml") or "\\" in name or "\x00" in name:
        raise SourceError(f"'{name[:80]}' is no name a fetched file may have. Do not trust this registry or record.")
    return name


def _known_hash(text: str) -> str:
    kind, _, digest = text.partition(":")
    if kind not in _NAMES_OF_HASHES or not digest or set(digest.lower()) - set("0123456789abcdef"):
        raise SourceError(f"expected a hash like sha256:0123...; found '{text[:80]}'. Mend the registry.")
    return text.lower()


def _web_address(address: str) -> str:
    if urlsplit(address).scheme not in ("http", "https"):
        raise SourceError(f"expected an address that starts with https://; found '{address[:80]}'. Mend the registry.")
    return address


def _check_space(place: Path, files: tuple[RemoteFile, ...]) -> None:
    wanted = sum(file.n_bytes for file in files if not (place / file.name).exists())
    free = shutil.disk_usage(place).free
    if wanted + _SPARE_BYTES > free:
        raise SourceError(f"{wanted:,} bytes are to come and {free:,} are free. Make room, or name another folder.")


def _fetch_file(file: RemoteFile, place: Path, *, known: str, progress: Progress | None) -> str:
    """Fetch one file unless it is there and whole; returns its sha256."""
    target = place / file.name
    wanted = known or file.hash
    if target.exists() and _matches(target, wanted):
        return pooch.file_hash(str(target))
    partial = target.with_name(target.name + ".part")
    _Resuming(file, progress)(_web_address(file.url), str(partial), None)
    if file.n_bytes and partial.stat().st_size != file.n_bytes:
        n = partial.stat().st_size
        partial.unlink()
        raise SourceError(f"{file.name}: {file.n_bytes:,} bytes were announced and {n:,} came. Try again.")
    for expected in filter(None, (file.hash, known)):
        if not _matches(partial, expected):
            partial.unlink()
            kind = expected.partition(":")[0]
            raise SourceError(
                f"{file.name} came with another {kind} than announced: it was changed or damaged on the way, and was "
                "removed. Try again; if it stays so, ask the publisher."
            )
    partial.replace(target)
    return pooch.file_hash(str(target))


def _matches(path: Path, expected: str) -> bool:
    kind, _, digest = expected.partition(":")
    return bool(expected) and pooch.file_hash(str(path), alg=kind) == digest


class _Resuming:
    """A downloader as pooch calls them, that goes on where a broken transfer stopped."""

    def __init__(self, file: RemoteFile, progress: Progress | None) -> None:
        self.file, self.progress = file, progress

    def __call__(self, url: str, output_file: str, pooch_: Any) -> None:  # noqa: ARG002
        target = Path(output_file)
        there = target.stat().st_size if target.exists() else 0
        if self.file.n_bytes and there >= self.file.n_bytes:
            # Nothing is left to ask for; whether what is there is right, its hash will say.
            return
        try:
            self._transfer(url, target, there)
        except requests.RequestException as error:
            n = target.stat().st_size if target.exists() else 0
            raise SourceError(
                f"{self.file.name} broke off at {n:,} bytes ({_why(error)}). Fetch again: it goes on from there."
            ) from error
        except OSError as error:
            raise SourceError(
                f"{self.file.name} cannot be written ({_short(error)}). Make room and fetch again."
            ) from error

    def _transfer(self, url: str, target: Path, there: int) -> None:
        # As the file is: a packed transfer could not be resumed, nor its bytes be counted.
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={there}-"} if there else {})
        with requests.get(url, headers=headers, timeout=TIMEOUT_S, stream=True) as answer:
            if there and answer.status_code == requests.codes.requested_range_not_satisfiable:
                target.unlink()
                self._transfer(url, target, 0)
                return
            answer.raise_for_status()
            # A server that cannot resume sends the whole file again: then we start over, too.
            goes_on = answer.status_code == requests.codes.partial_content and _starts_at(answer, there)
            so_far = there if goes_on else 0
            with target.open("ab" if goes_on else "wb") as stream:
                for chunk in answer.iter_content(_CHUNK):
                    so_far += len(chunk)
                    if self.file.n_bytes and so_far > self.file.n_bytes:
                        raise SourceError(
                            f"{self.file.name} is larger than announced. It was not kept whole; do not trust it."
                        )
                    stream.write(chunk)
                    if self.progress is not None:
                        self.progress(self.file.name, so_far, self.file.n_bytes)


def _starts_at(answer: requests.Response, there: int) -> bool:
    return answer.headers.get("Content-Range", "").startswith(f"bytes {there}-")


def _read_fetched(place: Path) -> dict[str, str]:
    """File name -> "sha256:..." as written down by an earlier fetch."""
    path = place / FETCHED
    if not path.is_file():
        return {}
    try:
        files = tomllib.loads(path.read_text(encoding="utf-8"))["files"]
        return {name: _known_hash(f"sha256:{digest}") for name, digest in files.items()}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, AttributeError) as error:
        raise SourceError(
            f"{FETCHED} in {place.name} is damaged ({_short(error)}). Delete it and fetch again."
        ) from error


def _write_fetched(place: Path, release: PublicRelease, files: tuple[RemoteFile, ...], digests: dict[str, str]) -> None:
    head = [
        f"title = {_toml(release.title)}",
        f"platform = {_toml(release.platform)}",
        f"origin = {_toml(release.citation)}",
        f"licence = {_toml(release.licence)}",
        f"source = {_toml(release.about or release.record)}",
    ]
    listed = [f"{_toml(file.name)} = {_toml(digests[file.name])}" for file in files]
    text = "\n".join([*head, "", "[files]", *listed]) + "\n"
    (place / FETCHED).write_text(text, encoding="utf-8")
    described = place / "dataset.toml"
    if not described.exists():
        described.write_text(text, encoding="utf-8")


def _toml(text: str) -> str:
    """A basic string of TOML is a string of JSON, but for characters JSON would leave as they are."""
    return json.dumps(text, ensure_ascii=True)


def _why(error: requests.RequestException) -> str:
    """What went wrong on the way, without the inside of the library's messages."""
    if isinstance(error, requests.Timeout):
        return f"no answer within {TIMEOUT_S} seconds"
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"the server answers {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate cannot be trusted"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    return _short(error)


def _short(error: Exception) -> str:
    return str(error).splitlines()[0][:160] if str(error) else type(error).__name__
