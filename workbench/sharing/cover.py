"""What stands on the cover of a findings package: what case, for whom, how long, how sure; the same in every format."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from datetime import date, timedelta

from workbench.schema import ParameterError

LEVELS = {
    "public": "TLP:CLEAR",
    "trusted": "TLP:AMBER",
    "hashed": "TLP:AMBER",
}
"""Sharing level -> Traffic Light Protocol mark: pseudonyms; ids, for a trusted partner; hashes under an agreed salt."""

EVIDENCE_LEVELS = ("co-action", "coordination", "inauthentic", "attributed")
_NAMESPACE = uuid.UUID("b3b3a7cb-5c8f-5a43-9d61-0f0b6d9f6a11")


@dataclass(frozen=True)
class Cover:
    """The head of a package and of every export in it.

    Args:
        case: file-safe name of the case.
        title: what the case is, in words.
        level: one of `LEVELS`.
        as_of: the day the data is of, ISO.
        retention_until: the day by which the receiver deletes it, ISO.
        contact: where to answer, dispute or ask.
        producer: who made it.
        tool_version: of this workbench.
        summary: a few sentences, none above what the claims support.
        confidence: low, moderate or high; "" where no claim is made.
        evidence_level: the highest rung any claim stands on; "" where no claim is made.
        caveats: sentences that must travel with the rest.
        is_synthetic: whether the data is invented.
    """

    case: str
    title: str
    level: str
    as_of: str
    retention_until: str
    contact: str
    producer: str
    tool_version: str
    summary: str
    confidence: str = ""
    evidence_level: str = ""
    caveats: tuple[str, ...] = ()
    is_synthetic: bool = False

    def __post_init__(self) -> None:
        if self.level not in LEVELS:
            raise ParameterError(f"A sharing level is one of {', '.join(LEVELS)}; found '{self.level}'. Choose one.")
        for name in ("as_of", "retention_until"):
            _read_day(getattr(self, name), name=name)

    @property
    def tlp(self) -> str:
        """The Traffic Light Protocol mark."""
        return LEVELS[self.level]


def retention_date(as_of: str, *, n_days: int) -> str:
    """Return the ISO day `n_days` after `as_of`."""
    return (_read_day(as_of, name="as_of") + timedelta(days=n_days)).isoformat()


def _read_day(text: str, *, name: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ParameterError(f"{name} is an ISO date like 2019-08-19; found '{text}'. Mend it.") from error


def fixed_uuid(*parts: str) -> str:
    """Return the UUID these words always have, so that the same findings give the same bytes."""
    return uuid5_text(_NAMESPACE.bytes, "\x1f".join(parts))


def uuid5_text(namespace: bytes, name: str) -> str:
    """Return what `str(uuid.uuid5(...))` returns, in a fifth of the time."""
    digest = hashlib.sha1(namespace + name.encode(), usedforsecurity=False).hexdigest()
    variant = "89ab"[int(digest[16], 16) & 3]
    return f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-{variant}{digest[17:20]}-{digest[20:32]}"
