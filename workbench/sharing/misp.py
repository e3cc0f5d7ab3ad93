"""Indicators as a MISP event, out and in.

Source: MISP core format; object templates twitter-account, facebook-account, facebook-page, facebook-group,
telegram-account, user-account, social-media-group and narrative of MISP/misp-objects; taxonomies tlp and
estimative-language; galaxy disarm-techniques.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from workbench.privacy import defang
from workbench.schema import SourceError
from workbench.sharing.addresses import profile_address
from workbench.sharing.cover import Cover, fixed_uuid
from workbench.sharing.indicators import build_indicators
from workbench.sharing.techniques import Technique

# name: (template uuid, version, relation of the handle, of the id, of the name shown)
_TEMPLATES = {
    "twitter-account": ("8066563f-881e-4f6a-9d6c-a9d15b8658bb", 7, "name", "id", "displayed-name"),
    "facebook-account": ("b9862b95-7d78-4938-a2b5-13e45c60f25a", 1, "account-name", "account-id", None),
    "facebook-page": ("e76892db-c168-4289-b957-56e3021c46b9", 1, "page-alias", "page-id", "page-name"),
    "facebook-group": ("165c5507-1cba-4cec-9be4-66e21b590ee6", 2, "group-alias", "id", "group-name"),
    "telegram-account": ("06f02ecf-5afb-42c5-9cb0-b362e222f52c", 2, "username", "id", "first_name"),
    "user-account": ("49606b06-22f0-4ac8-8eee-2f12ad46f3d3", 6, "username", "user-id", "display-name"),
}
_NARRATIVE = ("83bea299-514a-4719-a84b-f6fd0997fac1", 4)
_TEMPLATE_OF = {
    ("twitter", "account"): "twitter-account",
    ("facebook", "account"): "facebook-account",
    ("facebook", "page"): "facebook-page",
    ("facebook", "group"): "facebook-group",
    ("telegram", "channel"): "telegram-account",
    ("telegram", "account"): "telegram-account",
}
_KIND_OF = {"facebook-page": "page", "facebook-group": "group", "telegram-account": "channel"}
_ACCOUNT_TYPES = ("account", "page", "group", "channel")
_ATTRIBUTE_TYPES = {
    "url": ("url", "Network activity"),
    "domain": ("domain", "Network activity"),
    "email": ("email", "Social network"),
    "phone": ("phone-number", "Person"),
    "ip": ("ip-dst", "Network activity"),
}
_HASH_TYPES = {"md5": "md5", "sha1": "sha1", "sha256": "sha256", "text-sha256": "sha256"}
_DECLARED = {
    "url": "url",
    "link": "url",
    "uri": "url",
    "domain": "domain",
    "hostname": "domain",
    "email": "email",
    "email-src": "email",
    "phone-number": "phone",
    "ip-dst": "ip",
    "ip-src": "ip",
    "md5": "media_hash",
    "sha1": "media_hash",
    "sha256": "media_hash",
    "twitter-id": "account",
    "github-username": "account",
}
_ENCODE = json.JSONEncoder(ensure_ascii=False).encode
_PLATFORM_OF_TYPE = {"twitter-id": "twitter", "github-username": "github"}


def write_misp(indicators: pl.DataFrame, path: Path, *, cover: Cover, techniques: tuple[Technique, ...] = ()) -> Path:
    """Write indicators as a MISP event (JSON, to import as it is) and return the path; same input, same bytes.

    Args:
        indicators: the indicators table.
        path: ends in .json.
        cover: the package's head; its summary becomes a narrative object.
        techniques: DISARM techniques observed, as galaxy tags.
    """
    event_uuid = fixed_uuid("misp-event", cover.case, cover.as_of, cover.level)
    stamp = str(int(datetime.fromisoformat(cover.as_of).replace(tzinfo=UTC).timestamp()))
    maker = _Maker(event_uuid=event_uuid, stamp=stamp)
    event = {
        "uuid": event_uuid,
        "info": cover.title,
        "date": cover.as_of,
        "timestamp": stamp,
        "threat_level_id": "4",
        "analysis": "2",
        "distribution": "0",
        "published": False,
        "Orgc": {"name": cover.producer, "uuid": fixed_uuid("organisation", cover.producer)},
        "Tag": [{"name": name} for name in _tags(cover, techniques)],
    }
    head = json.dumps({"Event": event}, ensure_ascii=False, indent=1).removesuffix("\n }\n}")
    objects = []
    with path.open("w", encoding="utf-8") as stream:
        stream.write(head + ',\n  "Attribute": [')
        before = "\n   "
        for row in indicators.iter_rows(named=True):
            if row["indicator_type"] in _ACCOUNT_TYPES and _is_ours(row):
                objects.append(maker.account(row))
            elif (attribute := maker.attribute(row)) is not None:
                stream.write(before + _write_flat(attribute))
                before = ",\n   "
        stream.write("],\n" if before == "\n   " else "\n  ],\n")
        rest = json.dumps([*objects, maker.narrative(cover)], ensure_ascii=False, indent=1).replace("\n", "\n  ")
        stream.write(f'  "Object": {rest}\n }}\n}}\n')
    return path


def _write_flat(attribute: dict[str, Any]) -> str:
    """One attribute as it stands in the event: written part by part, a hundred thousand of them need no room."""
    fields = [f'"{name}": {_ENCODE(value)}' for name, value in attribute.items()]
    return "{\n    " + ",\n    ".join(fields) + "\n   }"


def read_misp(content: dict[str, Any], *, name: str) -> pl.DataFrame:
    """Return the indicators of a MISP event, or of a search answer holding several.

    Args:
        content: the parsed JSON.
        name: the file's name, for messages.

    Raises:
        SourceError: an attribute without type or value, or one that is no text; the message says which.
    """
    events = content["response"] if isinstance(content.get("response"), list) else [content]
    rows: list[dict[str, Any]] = []
    for event in events:
        body = event.get("Event") if isinstance(event, dict) else None
        if not isinstance(body, dict):
            raise SourceError(
                f"{name}: expected a MISP event with the key 'Event'; found {str(event)[:60]}. Ask for it again."
            )
        for n, attribute in enumerate(_list(body, "Attribute", where=name), start=1):
            _require(attribute, "type", "value", where=f"{name}: attribute {n}")
            rows.extend(_attribute_rows(attribute))
        for n, item in enumerate(_list(body, "Object", where=name), start=1):
            _require(item, "name", where=f"{name}: object {n}")
            rows.extend(_object_rows(item, where=f"{name}: object {n}"))
    return build_indicators({**row, "line": n} for n, row in enumerate(rows, start=1))


def _is_ours(row: dict[str, Any]) -> bool:
    return row["match_key"] is not None and row["role"] == "operation"


def _tags(cover: Cover, techniques: tuple[Technique, ...]) -> list[str]:
    tags = [cover.tlp.lower()]
    if cover.confidence:
        tags.append(f'estimative-language:confidence-in-analytic-judgment="{cover.confidence}"')
    tags += [f'misp-galaxy:disarm-techniques="{item.name}"' for item in techniques]
    return [*tags, 'workflow:state="complete"', *(["synthetic data"] if cover.is_synthetic else [])]


class _Maker:
    """Attributes and objects of one event; ids follow from content."""

    def __init__(self, *, event_uuid: str, stamp: str) -> None:
        self.event_uuid, self.stamp = event_uuid, stamp

    def attribute(self, row: dict[str, Any]) -> dict[str, Any] | None:
        """An attribute of the event itself: an address, a hash, or words; accounts are objects instead."""
        kind, key = row["indicator_type"], row["match_key"]
        if kind in _ATTRIBUTE_TYPES and _is_ours(row):
            name, category = _ATTRIBUTE_TYPES[kind]
            return self._plain(name, key, category=category, comment=row["note"] or "", is_for_detection=True)
        if kind in ("text_hash", "media_hash", "minhash", "keyed_hash") and key:
            label, _, digest = key.rpartition(":")
            if label in _HASH_TYPES:
                return self._plain(_HASH_TYPES[label], digest, category="Payload delivery", comment=kind)
            return self._plain("text", key, category="Other", comment=kind)
        if not row["indicator_value"]:
            return None
        return self._plain("text", row["indicator_value"], category="Other", comment=kind)

    def account(self, row: dict[str, Any]) -> dict[str, Any]:
        """An account, page, group or channel."""
        platform, kind = row["platform"] or "", row["indicator_type"]
        name = _TEMPLATE_OF.get((platform, kind), "user-account")
        uuid, version, handle_as, id_as, shown_as = _TEMPLATES[name]
        handle, account_id = row.get("handle"), row.get("account_id")
        # Templates ask for one of their own leading fields; the id serves where no handle is given.
        fields = [(handle_as, handle), (id_as, account_id or (None if handle else row["match_key"]))]
        if shown_as:
            needs_name = name in ("facebook-page", "facebook-group")
            fields.append((shown_as, row.get("display_name") or (row["match_key"] if needs_name else None)))
        if name == "facebook-account":
            fields = [(relation, value or None) for relation, value in fields]
        if name == "user-account":
            fields += [("account-type", platform or None), ("description", kind)]
        described = " ".join(
            f"{label} {row[column]}"
            for label, column in (("cluster", "cluster_id"), ("evidence level", "evidence_level"))
            if row.get(column) not in (None, "")
        )
        content = {"fields": fields, "comment": described}
        return self._object(name, "misc", uuid, version, key=f"{platform}:{kind}:{row['match_key']}", **content)

    def narrative(self, cover: Cover) -> dict[str, Any]:
        """The package's summary."""
        uuid, version = _NARRATIVE
        fields = [("narrative-summary", defang(f"{cover.title}. {cover.summary}"))]
        return self._object("narrative", "misc", uuid, version, key=cover.case, fields=fields, comment="")

    def _plain(
        self, name: str, value: str, *, category: str, comment: str = "", is_for_detection: bool = False
    ) -> dict[str, Any]:
        return {
            "uuid": fixed_uuid("misp-attribute", self.event_uuid, name, value),
            "type": name,
            "category": category,
            "value": value,
            "comment": comment,
            "to_ids": is_for_detection,
            "disable_correlation": False,
            "distribution": "5",
            "timestamp": self.stamp,
        }

    def _object(
        self, name: str, category: str, template: str, version: int, *, key: str, fields: list, comment: str
    ) -> dict[str, Any]:
        own = fixed_uuid("misp-object", self.event_uuid, name, key)
        return {
            "uuid": own,
            "name": name,
            "meta-category": category,
            "template_uuid": template,
            "template_version": str(version),
            "comment": comment,
            "distribution": "5",
            "timestamp": self.stamp,
            "Attribute": [
                {
                    **self._plain("text", str(value), category="Other"),
                    "uuid": fixed_uuid("misp-object-attribute", own, relation),
                    "object_relation": relation,
                }
                for relation, value in fields
                if value not in (None, "")
            ],
        }


def _require(item: Any, *keys: str, where: str) -> None:
    lacking = [key for key in keys if not isinstance(item, dict) or item.get(key) in (None, "")]
    if lacking:
        raise SourceError(f"{where}: expected {' and '.join(keys)}; '{lacking[0]}' is missing. Export the event again.")
    nested = [key for key in keys if isinstance(item[key], list | dict)]
    if nested:
        raise SourceError(
            f"{where}: expected '{nested[0]}' as text; found {str(item[nested[0]])[:60]}. Export it again."
        )


def _list(content: dict[str, Any], key: str, *, where: str, is_needed: bool = False) -> list[Any]:
    items = content.get(key)
    if items is None and not is_needed:
        return []
    if not isinstance(items, list):
        raise SourceError(f"{where}: expected '{key}' as a list; found {str(items)[:60]}. Export the event again.")
    return items


def _attribute_rows(attribute: dict[str, Any]) -> Iterator[dict[str, Any]]:
    kind, value, comment = str(attribute["type"]), str(attribute["value"]), str(attribute.get("comment") or "")
    declared = _DECLARED.get(kind, "")
    if kind in ("md5", "sha1", "sha256"):
        declared = "text_hash" if comment == "text_hash" and kind == "sha256" else "media_hash"
        value = f"{'text-' if declared == 'text_hash' else ''}{kind}:{value}"
    if kind == "text" and comment in ("minhash", "keyed_hash", "media_hash", "text", "hashtag", "persona", "free_text"):
        declared = comment
    if kind == "twitter-id":
        value = profile_address("twitter", "account", value)
    row = {"declared": declared, "indicator_value": value, "platform": _PLATFORM_OF_TYPE.get(kind)}
    yield row if comment == declared else {**row, "note": comment or None}


def _object_rows(item: dict[str, Any], *, where: str) -> Iterator[dict[str, Any]]:
    attributes = _list(item, "Attribute", where=where, is_needed=True)
    fields: dict[str, str] = {}
    for attribute in attributes:
        _require(attribute, "object_relation", "value", where=where)
        fields.setdefault(str(attribute["object_relation"]), str(attribute["value"]))
    template = _TEMPLATES.get(str(item["name"]))
    if template is None:
        if item["name"] == "social-media-group":
            yield _account(fields.get("group-alias"), None, fields.get("group-name"), fields.get("platform"), "group")
        for attribute in attributes if item["name"] not in ("narrative", "social-media-group") else []:
            _require(attribute, "type", where=where)
            yield from _attribute_rows(attribute)
        return
    _, _, handle_as, id_as, shown_as = template
    platform = fields.get("account-type") if item["name"] == "user-account" else item["name"].split("-")[0]
    described = fields.get("description") if item["name"] == "user-account" else None
    kind = described if described in _ACCOUNT_TYPES else _KIND_OF.get(item["name"], "account")
    yield _account(fields.get(handle_as), fields.get(id_as), fields.get(shown_as or ""), platform, kind)


def _account(
    handle: str | None, account_id: str | None, shown: str | None, platform: str | None, kind: str
) -> dict[str, Any]:
    platform = platform.lower() if platform else None
    value = profile_address(platform, kind, handle) if handle else account_id or shown or ""
    found = {"handle": handle, "account_id": account_id, "display_name": shown}
    row = {"declared": kind, "indicator_value": value, "platform": platform}
    return row | {name: text for name, text in found.items() if text}
