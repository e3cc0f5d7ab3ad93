"""A STIX pattern taken apart into its comparisons, so that none of them is lost, whether it can be matched or not.

The pattern is known to be valid: the official library has checked it. Source: OASIS STIX 2.1, section 9.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_STRING = r"'(?:[^'\\]|\\.)*'"
_STEP = rf"(?:[\w-]+|{_STRING})"
_TOKEN = re.compile(
    rf"""(?P<exists>EXISTS\s+)?(?P<type>[A-Za-z_][\w-]*)\s*:\s*
         (?P<field>{_STEP}(?:\s*\.\s*{_STEP}|\[(?:\d+|\*)\])*)
         (?:\s*(?P<negation>NOT\s*)?(?P<operator><=|>=|<>|!=|==?|<|>|IN|LIKE|MATCHES|ISSUBSET|ISSUPERSET)\s*
            (?P<value>[thb]?{_STRING}|\((?:[^'()]|{_STRING})*\)|[\w.+-]+))?
       | (?P<mark>[()\[\]]|OR\b)
       | (?P<other>(?:AND|FOLLOWEDBY|WITHIN|REPEATS|TIMES|SECONDS|START|STOP)\b|t{_STRING}|\d+(?:\.\d+)?|\s+)
       | (?P<unknown>.)""",
    re.VERBOSE | re.DOTALL,
)
_COMMENT = re.compile(rf"({_STRING})|/\*.*?\*/|//[^\r\n]*", re.DOTALL)
_STRINGS = re.compile(_STRING)


@dataclass(frozen=True)
class Comparison:
    """One comparison, as published; `values` are the texts its field may equal, none where it compares otherwise."""

    text: str
    type: str
    field: str
    operator: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Observed:
    """What one observation compares: `shared` holds with each of the branches of its choice."""

    shared: list[Comparison]
    branches: list[list[Comparison]]


def read_pattern(pattern: str) -> list[Observed] | None:
    """Return what a valid pattern compares, observation by observation; None where a part of it is not understood.

    `[a AND (b OR c)]` shares a and has the branches b and c; `[a AND b OR c]` shares nothing and has the branches a
    with b, and c. A choice within a branch is taken as one more branch.
    """
    observed: list[Observed] = []
    depth, parts = 0, []
    for found in _TOKEN.finditer(_COMMENT.sub(lambda comment: comment[1] or " ", pattern)):
        mark = found["mark"]
        if found["unknown"]:
            return None
        if found["type"]:
            parts.append((depth, _read_comparison(found)))
        elif mark == "OR":
            parts.append((depth, None))
        elif mark == "[":
            depth, parts = 0, []
        elif mark == "]":
            observed.append(_split(parts))
        else:
            depth += {"(": 1, ")": -1}.get(mark or "", 0)
    return observed


def _split(parts: list[tuple[int, Comparison | None]]) -> Observed:
    is_choice = any(depth == 0 and part is None for depth, part in parts)
    shared: list[Comparison] = []
    branches: list[list[Comparison]] = [[]]
    for depth, part in parts:
        if part is None:
            branches.append([])
        elif depth == 0 and not is_choice:
            shared.append(part)
        else:
            branches[-1].append(part)
    return Observed(shared, branches)


def _read_comparison(found: re.Match[str]) -> Comparison:
    said = ("EXISTS",) if found["exists"] else ((found["negation"] or "").strip(), found["operator"])
    operator, value = " ".join(filter(None, said)), found["value"] or ""
    is_of_texts = operator in ("=", "==", "IN") and not _STRINGS.sub("", value).strip("() ,\t\r\n")
    texts = _STRINGS.findall(value) if is_of_texts else []
    values = [re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL) for text in texts]
    path = re.sub(r"\s*\.\s*", ".", found["field"])
    return Comparison(found[0], found["type"], path, operator, tuple(values))
