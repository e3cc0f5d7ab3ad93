"""Indicators as STIX 2.1, out and in.

Core objects only: identity, report, user-account, url, domain-name, email-addr, file (of a text or picture: its
hashes), indicator, attack-pattern (DISARM), relationship, note, marking-definition. What the standard has no place for
(cluster, evidence level, MinHash, PDQ, keyed hashes) stands in one declared property extension.

Source: OASIS STIX 2.1; DAD-CDM findings of February 2025 (leave the core alone).
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import stix2
from stix2.exceptions import STIXError

from workbench.privacy import defang
from workbench.schema import SourceError
from workbench.sharing.addresses import profile_address
from workbench.sharing.cover import Cover, fixed_uuid
from workbench.sharing.indicators import build_indicators
from workbench.sharing.stix_bundle import Bundle
from workbench.sharing.stix_pattern import Comparison, read_pattern
from workbench.sharing.techniques import Technique

EXTENSION_ID = "extension-definition--" + fixed_uuid("stix-extension", "1")
EXTRA_FIELDS = ("cluster_id", "evidence_level", "minhash", "pdq", "keyed_hash", "hashed_kind", "kind", "n_sharers")
_ACCOUNT_TYPES = ("account", "page", "group", "channel")
_TLP = {"TLP:CLEAR": "TLP_WHITE", "TLP:GREEN": "TLP_GREEN", "TLP:AMBER": "TLP_AMBER", "TLP:RED": "TLP_RED"}
_CONFIDENCE = {"low": 15, "moderate": 50, "high": 85}
_HASH_NAMES = {"md5": "MD5", "sha1": "SHA-1", "sha256": "SHA-256", "text-sha256": "SHA-256"}
_HASH_DIGITS = {"MD5": 32, "SHA-1": 40, "SHA-256": 64}
_TEXT_FIELDS = (
    *("type", "value", "user_id", "account_login", "display_name", "account_type"),
    *("content", "abstract", "name", "pattern", "pattern_type"),
)
_PLAIN = {"url": "url", "domain-name": "domain", "email-addr": "email", "ipv4-addr": "ip", "ipv6-addr": "ip"}
_ACCOUNT_FIELDS = ("account_type", "user_id", "account_login", "display_name")
_MAX_ACCOUNTS = 10_000
"""accounts that one pattern may make by giving several names and several platforms"""
_NO_INDICATORS = (
    "attack-pattern", "campaign", "course-of-action", "extension-definition", "grouping", "identity", "incident",
    "infrastructure", "intrusion-set", "language-content", "location", "malware", "malware-analysis",
    "marking-definition", "opinion", "relationship", "report", "sighting", "threat-actor", "tool", "vulnerability",
)  # fmt: skip
"""Kinds that tell of the case and name nothing that could be met in a post; every other object has its rows."""
_ABOUT_ITSELF = (
    "type",
    "id",
    "spec_version",
    "created",
    "modified",
    "created_by_ref",
    "object_marking_refs",
    "defanged",
)


def write_stix(indicators: pl.DataFrame, path: Path, *, cover: Cover, techniques: tuple[Technique, ...] = ()) -> Path:
    """Write indicators as a STIX 2.1 bundle and return the path; same input, same bytes.

    Args:
        indicators: the indicators table, with `handle`, `account_id`, `display_name`, `cluster_id`, `evidence_level`
            where known.
        path: ends in .json.
        cover: the package's head.
        techniques: DISARM techniques observed.
    """
    moment = f"{cover.as_of}T00:00:00.000Z"
    producer = stix2.Identity(
        id="identity--" + fixed_uuid("identity", cover.producer),
        created=moment,
        modified=moment,
        name=cover.producer,
        identity_class="organization",
        contact_information=cover.contact,
    )
    mark = getattr(stix2, _TLP[cover.tlp])
    common = {"created": moment, "modified": moment, "created_by_ref": producer.id, "object_marking_refs": [mark.id]}
    bundle = Bundle()
    for row in indicators.iter_rows(named=True):
        observed = _add_observable(bundle, row, marks=common["object_marking_refs"])
        pattern = _add_indicator(bundle, row, common=common)
        if observed and pattern:
            _add_link(bundle, pattern, observed, common=common)
        _add_note(bundle, row, common=common, about=producer.id)
    for technique in techniques:
        bundle.take(_attack_pattern(technique, common=common))
    report_id = "report--" + fixed_uuid("report", cover.case, cover.as_of, cover.level)

    def report(ids: list[str]) -> Any:
        return stix2.Report(
            id=report_id,
            name=cover.title,
            description=defang("\n\n".join((cover.summary, *cover.caveats))),
            published=moment,
            report_types=["observed-data"],
            object_refs=ids or [producer.id],
            labels=["synthetic"] if cover.is_synthetic else ["coordination"],
            **({"confidence": _CONFIDENCE[cover.confidence]} if cover.confidence else {}),
            **common,
        )

    bundle_id = "bundle--" + fixed_uuid("bundle", report_id)
    bundle.write(path, bundle_id=bundle_id, first=[producer, mark, _extension(common)], report=report)
    return path


def read_stix(content: dict[str, Any], *, name: str) -> pl.DataFrame:
    """Return the indicators of a STIX 2.1 bundle: what patterns compare, what was observed, and notes.

    What cannot be compared with posts (other comparisons than "equals", other fields, patterns in other languages,
    observables of other kinds) has a row too, which says so in `problem`. What the bundle says twice has one row.

    Args:
        content: the parsed JSON.
        name: the file's name, for messages.

    Raises:
        SourceError: not a bundle of STIX 2.1, or an object in it breaks the standard; the message names the object.
    """
    objects = content.get("objects", [])
    if not isinstance(objects, list) or not all(isinstance(item, dict) for item in objects):
        raise SourceError(f"{name}: expected a list of objects in the bundle; found another kind. Ask for it again.")
    if content.get("spec_version") == "2.0":
        raise SourceError(f"{name}: expected STIX 2.1; found a bundle of 2.0. Convert it with stix2-elevator.")
    rows: dict[tuple[object, ...], tuple[int, dict[str, Any]]] = {}
    known = [(n, item) for n, item in enumerate(objects, start=1) if not _is_about_case(item)]
    # Observables first: a pattern often repeats one of them, and says less of it.
    for n, item in sorted(known, key=lambda pair: pair[1].get("type") == "indicator"):
        _check_object(item, n=n, name=name)
        for row in _rows_of(item):
            rows.setdefault(_sameness(row), (n, row))
    ordered = sorted(rows.values(), key=lambda pair: pair[0])
    # A pattern makes several rows, and whoever matches a tip tells rows apart by their line.
    return build_indicators({**row, "line": line} for line, (_, row) in enumerate(ordered, start=1))


def _is_about_case(item: dict[str, Any]) -> bool:
    """Whether an object tells of the case; tactics and their matrix, as ATT&CK and DISARM write them, do too."""
    return item.get("type") in _NO_INDICATORS or str(item.get("type")).startswith("x-mitre-")


def _sameness(row: dict[str, Any]) -> tuple[object, ...]:
    if row["declared"] in _ACCOUNT_TYPES:
        return "account", row.get("platform"), row.get("account_id") or row["indicator_value"]
    if row["declared"] in ("text_hash", "media_hash"):
        return "hash", row["indicator_value"].rpartition(":")[2]
    return row["declared"], row["indicator_value"]


def _extension(common: dict[str, Any]) -> stix2.ExtensionDefinition:
    return stix2.ExtensionDefinition(
        id=EXTENSION_ID,
        name="Takedown workbench: what was observed of an account or a text",
        description="Cluster number, evidence level (co-action, coordination, inauthentic, attributed), near-duplicate "
        "and perceptual hashes, and keyed hashes two parties can compare without showing what they stand for.",
        schema=json.dumps({"type": "object", "properties": {field: {"type": "string"} for field in EXTRA_FIELDS}}),
        version="1.0.0",
        extension_types=["property-extension"],
        **{**common, "created": "2019-08-19T00:00:00.000Z", "modified": "2019-08-19T00:00:00.000Z"},
    )


def _extra(row: dict[str, Any], **more: str) -> dict[str, Any]:
    found = {name: str(row[name]) for name in EXTRA_FIELDS if row.get(name) not in (None, "")} | more
    if row["indicator_type"] in _ACCOUNT_TYPES:
        found["kind"] = row["indicator_type"]
    return {"extensions": {EXTENSION_ID: {"extension_type": "property-extension", **found}}} if found else {}


def _add_observable(bundle: Bundle, row: dict[str, Any], *, marks: list[str]) -> str | None:
    """What was seen; it carries the marking itself, since a platform may store it apart from the report."""
    kind, key = row["indicator_type"], row["match_key"]
    if key is None or row["role"] != "operation":
        return None
    if kind in _ACCOUNT_TYPES or row.get("hashed_kind") == "account":
        fields = _account_fields(row)
        return bundle.add(stix2.UserAccount, fields | _extra(row), object_marking_refs=marks)
    if kind in ("text_hash", "media_hash", "minhash", "keyed_hash"):
        return bundle.add(stix2.File, _file_fields(row), object_marking_refs=marks)
    plain = {"url": stix2.URL, "domain": stix2.DomainName, "email": stix2.EmailAddress}.get(kind)
    return bundle.add(plain, {"value": key} | _extra(row), object_marking_refs=marks) if plain else None


def _add_link(bundle: Bundle, pattern: str, observed: str, *, common: dict[str, Any]) -> None:
    """By this a platform shows the indicator on the page of what was seen, and the other way round."""
    fields = {
        "id": "relationship--" + fixed_uuid("relationship", pattern, observed),
        "source_ref": pattern,
        "target_ref": observed,
    }
    bundle.add(stix2.Relationship, fields, relationship_type="based-on", **common)


def _account_fields(row: dict[str, Any]) -> dict[str, Any]:
    fields = {
        "account_type": row["platform"],
        "user_id": row.get("account_id") or row["match_key"],
        "account_login": row.get("handle"),
        "display_name": row.get("display_name"),
        "account_created": row.get("created_at"),
    }
    return {name: value for name, value in fields.items() if value not in (None, "")}


def _file_fields(row: dict[str, Any]) -> dict[str, Any]:
    """A text or picture is known by its hashes; where none is of a kind STIX knows, by a name made of them."""
    kind, _, digest = row["match_key"].rpartition(":")
    what = "text" if row["indicator_type"] in ("text_hash", "minhash") else "media"
    if kind in _HASH_NAMES:
        named = {"hashes": {_HASH_NAMES[kind]: digest}, "name": f"{what} {digest[:16]}"}
        if len(digest) != _HASH_DIGITS[_HASH_NAMES[kind]]:
            stix2.File(**named)  # it says what is wrong with the hash
        return named | _extra(row)
    field = {"text-minhash": "minhash", "pdq": "pdq"}.get(kind, "keyed_hash")
    return {"name": f"{kind} {digest[:16]}"} | _extra(row, **{field: row["match_key"]})


def _add_indicator(bundle: Bundle, row: dict[str, Any], *, common: dict[str, Any]) -> str | None:
    pattern = _pattern(row)
    if pattern is None:
        return None
    fields = {
        "id": "indicator--" + fixed_uuid("indicator", common["created_by_ref"], pattern),
        "name": f"{row['indicator_type']} on {row['platform']}" if row["platform"] else row["indicator_type"],
        "pattern": pattern,
    }
    fixed = {"pattern_type": "stix", "valid_from": common["created"], "indicator_types": ["unknown"]}
    return bundle.add(stix2.Indicator, fields, **fixed, **common)


def _pattern(row: dict[str, Any]) -> str | None:
    kind, key = row["indicator_type"], row["match_key"]
    if key is None or row["role"] != "operation":
        return None
    if kind in _ACCOUNT_TYPES:
        fields = _account_fields(row)
        tests = [
            f"user-account:{name} = {_quote(fields[name])}" for name in ("account_type", "user_id") if name in fields
        ]
        return f"[{' AND '.join(tests)}]"
    path = {"url": "url:value", "domain": "domain-name:value", "email": "email-addr:value"}.get(kind)
    if path:
        return f"[{path} = {_quote(key)}]"
    name, _, digest = key.rpartition(":")
    is_hash = kind in ("text_hash", "media_hash") and name in _HASH_NAMES
    return f"[file:hashes.'{_HASH_NAMES[name]}' = {_quote(digest)}]" if is_hash else None


def _quote(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _attack_pattern(technique: Technique, *, common: dict[str, Any]) -> Any:
    return stix2.AttackPattern(
        id="attack-pattern--" + fixed_uuid("attack-pattern", technique.disarm_id),
        name=technique.name,
        external_references=[{"source_name": "DISARM", "external_id": technique.disarm_id}],
        kill_chain_phases=[{"kill_chain_name": "disarm", "phase_name": technique.phase}],
        **common,
    )


def _add_note(bundle: Bundle, row: dict[str, Any], *, common: dict[str, Any], about: str) -> None:
    """What is words or a total, and so no observable."""
    if row["match_key"] is not None and row["role"] == "operation" and row["indicator_type"] not in ("hashtag", "text"):
        return
    if row["indicator_value"]:
        named = fixed_uuid("note", row["indicator_type"], row["indicator_value"], str(row["procedure"]))
        fields = {"id": "note--" + named, "abstract": row["indicator_type"], "content": row["indicator_value"]}
        bundle.add(stix2.Note, fields, object_refs=[about], **common)


def _check_object(item: dict[str, Any], *, n: int, name: str) -> None:
    try:
        stix2.parse(item, allow_custom=True, version="2.1")
        # The library makes text of whatever stands there; we would take a list or an object for an identity.
        inner = item.get("objects") if item["type"] == "observed-data" else None
        told = [item, *(inner or {}).values()]
        odd = [field for one in told for field in _TEXT_FIELDS if not isinstance(one.get(field, ""), str)]
        if odd:
            raise TypeError(f"{odd[0]} is not text")
    except (STIXError, ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        what = f"{item.get('type')} ({str(item.get('id'))[:60]})"
        raise SourceError(
            f"{name}: object {n}, {what}, breaks STIX 2.1: {str(error).splitlines()[0][:200]}. Mend or drop it."
        ) from error


def _rows_of(item: dict[str, Any]) -> Iterator[dict[str, Any]]:
    extra = {}
    for content in (item.get("extensions") or {}).values():
        extra |= {name: content[name] for name in EXTRA_FIELDS if isinstance(content, dict) and name in content}
    kind = item["type"]
    if kind == "user-account":
        row = _account_row(item, extra)
        yield row if row["indicator_value"] else _left_out(_tell(item), "the account has neither id nor name")
    elif kind == "indicator" and item.get("pattern_type", "stix") == "stix":
        yield from _pattern_rows(item["pattern"])
    elif kind == "indicator":
        yield _left_out(item["pattern"], f"its pattern is in the language {item['pattern_type']}, which we do not read")
    elif kind == "file":
        found = list(_hash_rows(item.get("hashes") or {}, extra, name=item.get("name", "")))
        yield from found or [_left_out(_tell(item), "the file has no hash, and by nothing else can it be compared")]
    elif kind == "observed-data":
        for inner in (item.get("objects") or {}).values():
            yield from _rows_of(inner)
    elif kind == "note":
        known = item.get("abstract", "")
        yield {"declared": known, "indicator_value": item["content"]}
    elif kind in _PLAIN:
        yield {"declared": _PLAIN[kind], "indicator_value": item["value"], **extra}
    else:
        yield _left_out(_tell(item), f"an object of type {kind} is nothing that posts hold")


def _left_out(value: str, problem: str) -> dict[str, Any]:
    """A row for what cannot be compared: it is counted as not checkable, with the reason, and not lost."""
    known = {"declared": "free_text", "role": "operation"}
    said = {"indicator_value": value, "problem": problem}  # half a sign (a lone surrogate) no table can hold
    return known | {name: text.encode("utf-8", "backslashreplace").decode() for name, text in said.items()}


def _tell(item: dict[str, Any]) -> str:
    content = {key: value for key, value in item.items() if key not in _ABOUT_ITSELF}
    return json.dumps(content, ensure_ascii=False)


def _account_row(item: dict[str, Any], extra: dict[str, Any]) -> dict[str, Any]:
    platform = str(item.get("account_type") or "").lower() or None
    kind = extra.pop("kind", None) or "account"
    handle, user_id = item.get("account_login"), item.get("user_id")
    is_hash = str(user_id or "").startswith("hmac:")
    value = profile_address(platform, kind, handle) if handle and not is_hash else user_id
    found = {"handle": handle, "account_id": user_id, "display_name": item.get("display_name")}
    return {
        "declared": "keyed_hash" if is_hash else kind if kind in _ACCOUNT_TYPES else "account",
        "indicator_value": value or item.get("display_name") or "",
        "platform": platform,
        **{name: text for name, text in found.items() if text},
        **extra,
    }


def _pattern_rows(pattern: str) -> Iterator[dict[str, Any]]:
    """Every comparison of a pattern: as an indicator where it asks for a name, an address or a hash, else left out."""
    observed = read_pattern(pattern)
    if not observed:
        yield _left_out(pattern, "its pattern has a part that we cannot read")
        return
    for one in observed:
        for n, branch in enumerate(one.branches):
            named = _accounts_of([*one.shared, *branch])
            yield from named
            for test in [*one.shared, *branch] if n == 0 else branch:
                if not (named and _tells_account(test)):
                    yield from _comparison_rows(test)


def _tells_account(test: Comparison) -> bool:
    return test.type == "user-account" and test.field in _ACCOUNT_FIELDS and bool(test.values)


def _accounts_of(tests: list[Comparison]) -> list[dict[str, Any]]:
    """The accounts that comparisons name together by id or handle; several where a field may equal several values."""
    said: dict[str, list[str]] = {}
    for test in filter(_tells_account, tests):
        said.setdefault(test.field, []).extend(test.values)
    if not said.keys() & {"user_id", "account_login"} or math.prod(map(len, said.values())) > _MAX_ACCOUNTS:
        return []
    rows = (_account_row(dict(zip(said, values, strict=True)), {}) for values in itertools.product(*said.values()))
    return [row for row in rows if row["indicator_value"]]


def _comparison_rows(test: Comparison) -> Iterator[dict[str, Any]]:
    hash_name = test.field.removeprefix("hashes.").strip("'\"")
    if not test.values:
        why = f"its pattern compares {test.type}:{test.field} by {test.operator}, and we compare what equals a text"
        yield _left_out(test.text, why)
    elif _tells_account(test):
        yield _left_out(test.text, "its pattern names no account by id or handle, or too many at once")
    elif test.type == "file" and test.field.startswith("hashes."):
        for value in test.values:
            yield from _hash_rows({hash_name: value}, {}, name="")
    elif test.field == "value" and test.type in _PLAIN:
        for value in test.values:
            yield {"declared": _PLAIN[test.type], "indicator_value": value}
    else:
        yield _left_out(test.text, f"its pattern asks for {test.type}:{test.field}, which is nothing that posts hold")


def _hash_rows(hashes: dict[str, str], extra: dict[str, Any], *, name: str) -> Iterator[dict[str, Any]]:
    is_text = name.startswith("text")
    for kind, digest in hashes.items():
        label = kind.lower().replace("sha-", "sha")
        declared = "text_hash" if is_text and label == "sha256" else "media_hash"
        value = f"{'text-' if declared == 'text_hash' else ''}{label}:{digest}"
        yield {"declared": declared, "indicator_value": value, **extra}
    for field, declared in (("minhash", "minhash"), ("pdq", "media_hash"), ("keyed_hash", "keyed_hash")):
        if field in extra:
            rest = {key: value for key, value in extra.items() if key != field}
            yield {"declared": declared, "indicator_value": extra[field], **rest}
