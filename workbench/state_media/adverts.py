"""Public advert libraries' exports, read as one table of adverts, money as given."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from workbench.schema import ParameterError, SourceError
from workbench.state_media.amounts import Amount, find_decimal_marks, read_amount
from workbench.state_media.cells import read_countries, read_day, read_items
from workbench.state_media.currencies import name_currency
from workbench.state_media.files import read_table, read_text, read_toml

_TIME = pl.Datetime("us", "UTC")
_ROWS_AT_ONCE = 20_000
_Places = dict[str, list[tuple[str, str]]]
"""our column -> the export's columns that may hold it, best first, each with the currency code its name carries"""
ADVERTS: dict[str, Any] = {
    "advert_id": pl.String,
    "platform": pl.String,
    "advertiser_id": pl.String,
    "advertiser": pl.String,
    "handle": pl.String,
    "paid_by": pl.String,
    "urls": pl.List(pl.String),
    "countries": pl.List(pl.String),
    "regions": pl.List(pl.String),
    "started_at": _TIME,
    "ended_at": _TIME,
    "spend_min": pl.Float64,
    "spend_max": pl.Float64,
    "currency": pl.String,
    "currency_given": pl.String,
    "impressions_min": pl.Int64,
    "impressions_max": pl.Int64,
    "text": pl.String,
    "file": pl.String,
    "line": pl.Int64,
}
"""Columns of the adverts table. spend_max and impressions_max are null where the source names no upper bound; a day
without hour is midnight. Spending stays in the currency of the source: currency_given is how it is written there,
currency its ISO code, null where the writing may mean several ("$")."""


class AdvertFile(NamedTuple):
    """What a file of adverts gives."""

    adverts: pl.DataFrame
    quarantine: pl.DataFrame
    layout_id: str


def read_adverts(
    path: Path | str,
    *,
    layout: str | None = None,
    columns: dict[str, str] | None = None,
    platform: str | None = None,
    currency: str | None = None,
    countries: list[str] | None = None,
    layouts: Path | str | None = None,
) -> AdvertFile:
    """Read an advert library's export: Meta (CSV or JSON), Google political ads, Twitter 2018-19, or any by a map.

    Args:
        path: a CSV, a JSON answer of Meta's API (an object with `data`, or a list), or one JSON object per line.
        layout: a layout_id of `list_advert_layouts`; recognised from the header where not given.
        columns: for any other layout, your column -> ours, as {"Ad": "advert_id", "Cost": "spend"}; ours are the
            columns of the adverts table, and spend or impressions for a cell that holds a range.
        platform: platform of the accounts, where `columns` is given.
        currency: currency of the amounts, where the file names none or only "$"; never used to convert.
        countries: country codes the export was made for, where the file names none.
        layouts: a TOML file of further layouts, laid out as advert_layouts.toml.

    Returns:
        adverts, quarantine (file, line, reason) and the layout used. Rows in = adverts + quarantine.

    Raises:
        SourceError: no such file, unreadable, or of no known layout.
        ParameterError: an unknown layout, or a mapped column that is not there.

    Beware: spending is a range in most libraries and adds up to a range. Libraries hold political and issue adverts
    only; a state outlet's other adverts are in none of them. Google's whole file is long: of 200,000 rows each took
    0.07 ms and 2 kB of memory on one core of a busy machine, so a million want about 70 s and 2 GB.
    """
    path = Path(path)
    export = _read_export(path)
    header = {_plain(name): name for name in export.names}
    chosen = _mapped_layout(columns, platform, header, path) if columns else _choose(layout, layouts, header, path)
    places = _locate(chosen["columns"], export.names)
    marks = _find_marks(export, places)
    everywhere = sorted({code.upper() for code in countries or []})
    parts, rows, bad = [pl.DataFrame(schema=ADVERTS)], [], []
    for line, record in export.iter_records():
        row, reason = _read_advert(record, places, marks)
        if reason:
            bad.append((path.name, line, reason))
            continue
        row["currency_given"] = row["currency_given"] or currency
        row["currency"] = name_currency(row["currency_given"]) or name_currency(currency)
        row["countries"] = row["countries"] or everywhere
        rows.append({**row, "platform": chosen["platform"], "file": path.name, "line": line})
        # A row as Python objects weighs many times what it does in a table.
        if len(rows) == _ROWS_AT_ONCE:
            parts, rows = [*parts, pl.DataFrame(rows, schema=ADVERTS)], []
    quarantine = pl.DataFrame(bad, schema={"file": pl.String, "line": pl.Int64, "reason": pl.String}, orient="row")
    return AdvertFile(pl.concat([*parts, pl.DataFrame(rows, schema=ADVERTS)]), quarantine, chosen["layout_id"])


def list_advert_layouts(layouts: Path | str | None = None) -> pl.DataFrame:
    """Return the layouts `read_adverts` knows: layout_id, platform, title, source_url."""
    names = ("layout_id", "platform", "title", "source_url")
    return pl.DataFrame([{name: layout[name] for name in names} for layout in _read_layouts(layouts)])


def _read_layouts(path: Path | str | None) -> list[dict]:
    text = resources.files("workbench.state_media").joinpath("advert_layouts.toml").read_text("utf-8")
    own = _read_own_layouts(Path(path)) if path else []
    return [*own, *tomllib.loads(text)["layout"]]


def _read_own_layouts(path: Path) -> list[dict]:
    layouts = read_toml(path, kind="a file of advert layouts").get("layout")
    is_list = isinstance(layouts, list)
    for layout in layouts if is_list else [None]:
        is_named = isinstance(layout, dict) and all(
            isinstance(layout.get(name), str) for name in ("layout_id", "platform", "title", "source_url")
        )
        if not (is_named and _are_texts(layout.get("needs")) and _are_texts(layout.get("columns"))):
            raise SourceError(
                f"{path.name}: a [[layout]] needs texts layout_id, platform, title and source_url, a list `needs` of "
                "lists of names, and a table `columns` of lists of names. Write it like advert_layouts.toml."
            )
    return layouts or []


def _are_texts(groups: Any) -> bool:
    """Whether it is a list, or a table, of lists of texts."""
    parts = list(groups.values()) if isinstance(groups, dict) else groups
    return isinstance(parts, list) and all(
        isinstance(part, list) and all(isinstance(text, str) for text in part) for part in parts
    )


def _choose(name: str | None, layouts: Path | str | None, header: dict[str, str], path: Path) -> dict:
    known = _read_layouts(layouts)
    ids = ", ".join(layout["layout_id"] for layout in known)
    if name:
        chosen = [layout for layout in known if layout["layout_id"] == name]
        if not chosen:
            raise ParameterError(f"No advert layout '{name}'; these are known: {ids}. Choose one.")
        return chosen[0]
    for layout in known:
        if all(_locate({"any": need}, list(header))["any"] for need in layout["needs"]):
            return layout
    has = ", ".join(list(header.values())[:12])
    raise SourceError(
        f"{path.name} is of no known advert layout ({ids}); it has {has}. "
        'Pass columns={"your column": "advert_id", ...}, or layout=.'
    )


def _mapped_layout(columns: dict[str, str], platform: str | None, header: dict[str, str], path: Path) -> dict:
    absent = [name for name in columns if _plain(name) not in header]
    if absent:
        has = ", ".join(header.values())
        raise ParameterError(f"{path.name} has no column '{absent[0]}' (has {has}). Correct columns=.")
    known = {*ADVERTS, "spend", "impressions"} - {"file", "line", "platform"}
    unknown = sorted(set(columns.values()) - known)
    if unknown:
        raise ParameterError(f"'{unknown[0]}' is no column of adverts ({', '.join(sorted(known))}). Correct columns=.")
    if not platform:
        raise ParameterError("columns= needs platform=, the platform the adverts ran on, as 'twitter'. Add it.")
    found: dict[str, list[str]] = {}
    for theirs, ours in columns.items():
        found.setdefault(ours, []).append(_plain(theirs))
    return {"layout_id": "columns given", "platform": platform, "columns": found}


class _Export(NamedTuple):
    """An export before it is read: a table, or objects."""

    names: list[str]
    table: pl.DataFrame | None
    objects: list[dict[str, Any]]

    def iter_records(self) -> Iterator[tuple[int, dict[str, Any]]]:
        # Records are counted, not lines: a text cell may hold line breaks.
        if self.table is not None:
            return enumerate(self.table.iter_rows(named=True), start=2)
        return enumerate(self.objects, start=1)

    def list_distinct(self, name: str) -> list[Any]:
        if self.table is not None:
            return self.table[name].unique().to_list()
        return [record.get(name) for record in self.objects]


def _read_export(path: Path) -> _Export:
    if path.suffix.lower() in (".json", ".jsonl", ".ndjson"):
        objects = _read_json(path)
        return _Export(list(dict.fromkeys(name for record in objects for name in record)), None, objects)
    table = read_table(path)
    return _Export(table.columns, table, [])


def _read_json(path: Path) -> list[dict[str, Any]]:
    text = read_text(path, kind="an advert export")
    try:
        if path.suffix.lower() == ".json":
            content = json.loads(text)
            items = content.get("data", [content]) if isinstance(content, dict) else content
        else:
            items = [json.loads(line) for line in text.splitlines() if line.strip()]
    except (ValueError, RecursionError) as error:
        raise SourceError(f"Expected {path.name} to be JSON; found otherwise ({error}). Export it again.") from error
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise SourceError(f"Expected {path.name} to hold one object per advert; found other values. Export it again.")
    return items


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.strip().lower().lstrip("\ufeff")).strip("_")


def _locate(columns: dict[str, list[str]], names: list[str]) -> _Places:
    """Return where an export holds each of our columns."""
    plain = [(name, _plain(name)) for name in names]
    places: _Places = {}
    for ours, options in columns.items():
        patterns = [re.compile(re.escape(option).replace(r"\{cur\}", "([a-z]{3})")) for option in options]
        matches = ((name, pattern.fullmatch(text)) for pattern in patterns for name, text in plain)
        places[ours] = [(name, "".join(match.groups()).upper()) for name, match in matches if match]
    return places


def _find(record: dict[str, Any], places: list[tuple[str, str]]) -> tuple[str, str] | None:
    """Return the first of the places the record has a value at."""
    return next((place for place in places if record.get(place[0]) not in (None, "", [])), None)


def _find_marks(export: _Export, places: _Places) -> frozenset[str]:
    held = [found for ours, found in places.items() if ours.startswith(("spend", "impressions"))]
    wanted = dict.fromkeys(name for found in held for name, _ in found)
    return find_decimal_marks(cell for name in wanted for cell in export.list_distinct(name))


def _read_advert(record: dict[str, Any], places: _Places, marks: frozenset[str]) -> tuple[dict[str, Any], str]:
    def cell(ours: str) -> Any:
        found = _find(record, places.get(ours, []))
        return record[found[0]] if found else None

    row: dict[str, Any] = {}
    for name in ("advert_id", "advertiser_id", "advertiser", "handle", "paid_by", "text"):
        items = read_items(cell(name))
        row[name] = items[0].strip() if items else None
    if not row["advert_id"]:
        return {}, "the row has no advert id"
    if not (row["advertiser"] or row["handle"] or row["advertiser_id"]):
        return {}, "the row names no advertiser"
    try:
        row["started_at"], row["ended_at"] = read_day(cell("started_at")), read_day(cell("ended_at"))
        money = _read_money(record, places, marks)
        row |= {"spend_min": money.low, "spend_max": money.high, "currency_given": money.currency}
        seen = _read_bounds(record, places, "impressions", marks)
        row["impressions_min"], row["impressions_max"] = (None if n is None else round(n) for n in seen[:2])
    except ValueError as error:
        return {}, str(error)
    row["urls"] = read_items(cell("urls"))
    row["regions"] = read_items(cell("regions"))
    row["countries"] = read_countries(cell("countries"))
    return row, ""


def _read_bounds(record: dict[str, Any], places: _Places, name: str, marks: frozenset[str]) -> Amount:
    ends = [_find(record, places.get(f"{name}_{end}", [])) for end in ("min", "max")]
    if any(ends):
        low, high = (read_amount(record[end[0]], marks=marks) if end else Amount(None, None) for end in ends)
        return Amount(low.low, high.low, low.currency or high.currency)
    found = _find(record, places.get(name, []))
    return read_amount(record[found[0]], marks=marks) if found else Amount(None, None)


def _read_money(record: dict[str, Any], places: _Places, marks: frozenset[str]) -> Amount:
    # A source may give one amount in several currencies: the first it gives is kept, with its own two bounds.
    stated = _find(record, places.get("currency", []))
    given = str(record[stated[0]]).strip() if stated else ""
    amounts = {ours: places.get(ours, []) for ours in ("spend_min", "spend_max", "spend")}
    lead = _find(record, [place for found in amounts.values() for place in found])
    if lead is None:
        return Amount(None, None, given or None)
    inside = lead[1]
    pinned = {ours: [place for place in found if place[1] in ("", inside)] for ours, found in amounts.items()}
    money = _read_bounds(record, pinned, "spend", marks)
    said = sorted({code for text in (given, inside, money.currency) if (code := name_currency(text))})
    if len(said) > 1:
        raise ValueError(f"the row names its amount in {' and '.join(said)}")
    return money._replace(currency=given or inside or money.currency)
