"""A STIX 2.1 bundle of many objects of few shapes: the library makes the first of a shape, the others are cast alike.

To check a hundred thousand hashes one by one the library takes minutes, and all differ in a value or two. What it says
of the first (keys, their order, what it adds, that it is valid) holds for every object with the same keys.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import stix2

from workbench.sharing.cover import uuid5_text

_NAMESPACE = uuid.UUID("00abedb4-aa42-466c-9c01-fed23315a9b7").bytes
"""STIX 2.1, section 2.9: identifiers of observables follow from their content."""
_NAMED_BY = {
    "url": ("value",),
    "domain-name": ("value",),
    "email-addr": ("value",),
    "file": ("hashes", "name", "extensions"),
    "user-account": ("account_type", "user_id", "account_login"),
}
_ENCODE = json.encoder.encode_basestring_ascii
_CANONICAL = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode
_SLOT = re.compile(r'"\\ue000(\d+)"')
_END = "\n ]\n}"
_PAGE_OBJECTS = 2_000


class Bundle:
    """Objects of a bundle, by id; the last one with an id stays."""

    def __init__(self) -> None:
        self._moulds: dict[Any, _Mould] = {}
        self._objects: dict[str, tuple[_Mould | None, list[str]]] = {}

    @property
    def ids(self) -> list[str]:
        """Ids of all objects, sorted."""
        return sorted(self._objects)

    def add(self, make: Callable[..., Any], fields: dict[str, Any], **common: Any) -> str:
        """Take an object in and return its id.

        Args:
            make: a class of `stix2`.
            fields: what differs from object to object: text, or dictionaries of text. Without `id`, the object is an
                observable and named by its content.
            **common: what all objects of the bundle have.

        Raises:
            stix2.exceptions.STIXError: the first of its shape breaks the standard.
        """
        keys: list[Any] = [make]
        values: list[str] = []
        _take_apart(fields, keys, values)
        shape = tuple(keys)
        mould = self._moulds.get(shape)
        if mould is None:
            mould = self._moulds[shape] = _Mould(make, fields, common)
        own = fields.get("id") or name_observable(mould.kind, fields)
        self._objects[own] = (mould, values if "id" in fields else [own, *values])
        return own

    def take(self, made: Any) -> None:
        """Take an object in that the library made."""
        self._objects[made["id"]] = (None, ["  " + made.serialize(indent=1).replace("\n", "\n  ")])

    def write(self, path: Path, *, bundle_id: str, first: list[Any], report: Callable[[list[str]], Any]) -> None:
        """Write the bundle.

        Args:
            path: the file.
            bundle_id: its id.
            first: objects of the library that come first.
            report: makes the report that lists the ids it is given.
        """
        ids = self.ids
        listed = report(ids[:1])
        head = stix2.Bundle(id=bundle_id, objects=[*first, listed], allow_custom=False).serialize(indent=1)
        head = head.removesuffix(_END)
        if ids:
            only = f'"object_refs": [\n    "{ids[0]}"\n   ]'
            before, _, after = head.rpartition(only)
            head = before + '"object_refs": [\n' + ",\n".join(f'    "{own}"' for own in ids) + "\n   ]" + after
        with path.open("w", encoding="utf-8", newline="\n") as stream:
            stream.write(head)
            for start in range(0, len(ids), _PAGE_OBJECTS):
                parts = (self._objects[own] for own in ids[start : start + _PAGE_OBJECTS])
                stream.write("".join(",\n" + (mould.fill(values) if mould else values[0]) for mould, values in parts))
            stream.write(_END + "\n")


class _Mould:
    """One shape: the text of the library's own object, cut where values stand."""

    def __init__(self, make: Callable[..., Any], fields: dict[str, Any], common: dict[str, Any]) -> None:
        made = make(**fields, **common)
        self.kind: str = made["type"]
        text = made.serialize(indent=1)
        content = json.loads(text)
        leaves = [*([] if "id" in fields else [(("id",), made["id"])]), *_list_leaves(fields)]
        for n, (path, _) in enumerate(leaves):
            place = content
            for key in path[:-1]:
                place = place[key]
            place[path[-1]] = f"\ue000{n}"
        pieces = _SLOT.split(json.dumps(content, indent=1).replace("\n", "\n  "))
        self._fixed, self._order = ["  " + pieces[0], *pieces[2::2]], [int(n) for n in pieces[1::2]]
        is_alike = self.fill([value for _, value in leaves]) == "  " + text.replace("\n", "\n  ")
        if not is_alike or ("id" not in fields and name_observable(self.kind, fields) != made["id"]):
            raise AssertionError(f"The library writes an object of type {self.kind} in another way than we do.")

    def fill(self, values: list[str]) -> str:
        """The text of the object with these values, as it stands in a bundle."""
        parts = [self._fixed[0]]
        for n, fixed in zip(self._order, self._fixed[1:], strict=True):
            parts += (_ENCODE(values[n]), fixed)
        return "".join(parts)


def name_observable(kind: str, fields: dict[str, Any]) -> str:
    """Return the id that the standard derives from an observable's content."""
    named_by = {key: fields[key] for key in _NAMED_BY[kind] if key in fields}
    return f"{kind}--{uuid5_text(_NAMESPACE, _CANONICAL(named_by))}"


def _take_apart(fields: dict[str, Any], keys: list[Any], values: list[str]) -> None:
    """Add the keys of the fields, with marks where a dictionary begins and ends, and their values, both in order."""
    for key, value in fields.items():
        keys.append(key)
        if isinstance(value, dict):
            keys.append(True)
            _take_apart(value, keys, values)
            keys.append(False)
        else:
            values.append(value)


def _list_leaves(fields: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    for key, value in fields.items():
        if isinstance(value, dict):
            yield from _list_leaves(value, (*path, key))
        else:
            yield (*path, key), value
