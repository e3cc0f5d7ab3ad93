"""Which of the known formats a file of indicators is, told by its content more than by its name."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl

from workbench.schema import SourceError
from workbench.sharing.meta import read_meta_sheet
from workbench.sharing.misp import read_misp
from workbench.sharing.package import read_package_indicators

MAX_BYTES = 512 * 1024**2
"""some four million rows of a sheet"""
_WANTED = (
    "Meta's indicator sheet (.csv, .tsv), a STIX 2.1 bundle or MISP event (.json), or a findings package (folder, .zip)"
)


def read_any(path: Path) -> pl.DataFrame:
    """Return the indicators of whichever format `path` is."""
    try:
        if path.is_dir():
            return read_package_indicators(path)
        n_bytes = path.stat().st_size
        if n_bytes > MAX_BYTES:
            raise SourceError(
                f"{path.name}: {n_bytes:,} bytes are more than a tip holds ({MAX_BYTES:,}). Ask for it in parts."
            )
        with path.open("rb") as stream:
            head = stream.read(64).lstrip(b"\xef\xbb\xbf \r\n\t")
    except FileNotFoundError as error:
        raise SourceError(f"Expected {_WANTED}; found nothing at {path.name}. Check the path.") from error
    except OSError as error:
        raise SourceError(f"{path.name[:200]} cannot be opened: {error.strerror}. Check the path.") from error
    if head.startswith(b"PK"):
        return read_package_indicators(path)
    if head.startswith((b"{", b"[")):
        return read_json_indicators(path.read_bytes(), name=path.name)
    if path.suffix.lower() in (".json", ".stix", ".zip"):
        raise SourceError(f"{path.name}: expected {_WANTED}; the content is none of these. Fetch it again.")
    return read_meta_sheet(path)


def read_json_indicators(raw: bytes, *, name: str) -> pl.DataFrame:
    """Return the indicators of a STIX bundle or a MISP event.

    Raises:
        SourceError: no JSON, or neither of the two.
    """
    try:
        content = json.loads(raw)
        if (
            b"\xed" in raw or b"\\ud" in raw or b"\\uD" in raw
        ):  # half of a surrogate pair alone is no text: it becomes `?`
            content = json.loads(json.dumps(content, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError) as error:
        raise SourceError(f"{name}: expected JSON; it does not parse ({str(error)[:120]}). Fetch it again.") from error
    if isinstance(content, dict) and content.get("type") == "bundle":
        from workbench.sharing.stix import read_stix

        return read_stix(content, name=name)
    if isinstance(content, dict) and ("Event" in content or isinstance(content.get("response"), list)):
        return read_misp(content, name=name)
    found = ", ".join(list(content)[:6]) if isinstance(content, dict) else type(content).__name__
    raise SourceError(f"{name}: expected {_WANTED}; found JSON with {found or 'nothing in it'}. Check the file.")
