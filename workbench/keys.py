"""The key that pseudonyms are made with: where it lies, and who may read it."""

from __future__ import annotations

import os
import re
import secrets
import sys
from pathlib import Path

from workbench.schema import WorkbenchError

_KEY_BYTES = 32


class PrivacyError(WorkbenchError):
    """Something that must stay private is not, or would not."""


def read_key(path: Path | str | None = None) -> bytes:
    """Return the key all pseudonyms are made with, creating it on first use.

    The same key gives the same pseudonyms, so reports of one newsroom can be compared; another key gives others, so
    nobody else can test a guess. It lies in the user's configuration folder, outside any report or repository;
    the environment variable `WORKBENCH_KEY_FILE` names another place.

    Args:
        path: file with the key as 64 hexadecimal digits; None means the usual place.

    Raises:
        PrivacyError: others can read the file, it holds no key, or it would lie inside the workbench's own folder.
    """
    file = Path(path or os.environ.get("WORKBENCH_KEY_FILE") or _config_folder() / "pseudonym.key").expanduser()
    if file.resolve().is_relative_to(Path(__file__).resolve().parents[1]):
        raise PrivacyError(
            f"The key must lie outside the workbench's own folder, found {file}. Set WORKBENCH_KEY_FILE elsewhere."
        )
    try:
        if not file.exists():
            _create_key(file)
        mode = file.stat().st_mode & 0o777
        text = file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise PrivacyError(
            f"The key file {file} cannot be used: {error}. Set WORKBENCH_KEY_FILE to a place you own."
        ) from error
    if os.name != "nt" and mode & 0o077:
        raise PrivacyError(
            f"The key must be readable by its owner only (mode 600); {file} has mode {mode:o}. Run: chmod 600 '{file}'"
        )
    if not re.fullmatch(r"[0-9a-fA-F]{64}", text):
        raise PrivacyError(
            f"The key file must hold 64 hexadecimal digits; {file} holds {len(text)} characters of something else. "
            "Delete it to get a new key (pseudonyms change), or restore it."
        )
    return bytes.fromhex(text)


def _config_folder() -> Path:
    if os.name == "nt":
        return Path(os.environ.get("APPDATA", Path.home() / "AppData" / "Roaming")) / "takedown-workbench"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "takedown-workbench"
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "takedown-workbench"


def _create_key(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as stream:
        stream.write(secrets.token_hex(_KEY_BYTES) + "\n")
    # Whole or not at all, and never over the key another process made in the same moment.
    if file.exists():
        draft.unlink()
    else:
        draft.replace(file)
