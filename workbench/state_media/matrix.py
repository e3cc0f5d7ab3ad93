"""Lists of state media made by others, read as outlets and facts: the State Media Matrix, and any plain list."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from datetime import UTC, date, datetime
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import polars as pl

from workbench.schema import ParameterError, SourceError
from workbench.state_media.facts import Facts, check_facts, find_address_fault, merge_outlets, split_list
from workbench.state_media.files import read_table
from workbench.state_media.sites import name_site

_COLUMNS = ("Country", "Media company", "Main assets", "URL", "Typology")
_PROFILES = {
    "Instagram Link": "instagram",
    "Twitter Link": "twitter",
    "Facebook Link": "facebook",
    "Youtube Link": "youtube",
    "Telegram Link": "telegram",
    "VK Link": "vk",
    "Linkedin link": "linkedin",
    "Ok.ru link": "ok",
    "Tiktok Link": "tiktok",
    "Rutube Link": "rutube",
}


class OutletList(NamedTuple):
    """What a list of outlets gives: the outlets, the facts it states, and the rows it does not let us read."""

    outlets: pl.DataFrame
    facts: pl.DataFrame
    quarantine: pl.DataFrame


def read_state_media_matrix(path: Path | str, *, as_of: date, grade: str = "B2") -> OutletList:
    """Read a file in the layout of the State Media Matrix (ASD at GMF, State Media Monitor) as outlets and facts.

    An outlet is an asset of a media company in a country; its rows (editions, mirrors) are joined, and namesakes in
    two countries stay two outlets. Each row's type becomes the facts that typology.toml lists for it, and no others: a
    type says who funds, owns and edits, not whether there is news, so some policies stay undetermined until you add
    such facts (for many at once: `spread_facts`). A type with a question mark becomes unclear facts. Rows that disagree
    on the type give contradicting facts, all kept. The note of each fact gives the row, its type, Status and Notes. The
    path of a home page narrows an outlet only where another outlet of the list is on the same host.

    Args:
        path: the CSV; read where it lies, never copied.
        as_of: the day the file describes; the file itself does not say.
        grade: Admiralty grade of the list as a source.

    Returns:
        outlets, facts, and a quarantine of rows without company, asset or known type.

    Raises:
        SourceError: no such file, or it lacks a column of the layout.

    Source: State Media Monitor, typology; ASD-at-GMF/state-media-profiles (MIT).
    Beware: profile links were filled in by hand and by WikiData; one account may stand at several outlets.
    """
    path = Path(path)
    rows = _read_rows(path)
    types = _read_typology()
    day = datetime(as_of.year, as_of.month, as_of.day, tzinfo=UTC)
    homes = rows.group_by("Media company", "Main assets").agg(pl.col("Country").n_unique())
    namesakes = set(homes.filter(pl.col("Country") > 1).select("Media company", "Main assets").iter_rows())
    hosts = _find_shared_hosts(rows)
    outlets, facts, bad = [], [], []
    for line, row in enumerate(rows.iter_rows(named=True), start=2):
        code = (row["Typology"] or "").strip()
        reason = _find_fault(row, code, types["type"])
        if reason:
            bad.append((path.name, line, reason))
            continue
        outlet = _make_outlet(row, namesakes, hosts, source_url=types["list_url"])
        outlets.append(outlet)
        note = _cite_row(row, line, code, label=types["type"][code.rstrip("?")]["label"])
        for factor, finding in types["type"][code.rstrip("?")]["findings"].items():
            said = "unclear" if code.endswith("?") else finding
            facts.append((outlet["outlet_id"], factor, said, types["list_url"], day, grade, note, path.name))
    schema = {"file": pl.String, "line": pl.Int64, "reason": pl.String}
    made = pl.DataFrame(facts, schema=Facts.create_empty().schema, orient="row").unique(maintain_order=True)
    return OutletList(
        merge_outlets(pl.DataFrame(outlets, schema=_outlet_schema())),
        check_facts(made),
        pl.DataFrame(bad, schema=schema, orient="row"),
    )


def read_outlet_list(path: Path | str, *, columns: dict[str, str] | None = None) -> OutletList:
    """Read a plain list of outlets (CSV, one row each) that states no facts.

    Args:
        path: the CSV; only a name is needed. Known columns: outlet_id, name, names, country, owner, domain, handles,
            identity_url (the lists hold items between `|` or `;`); others are left out, as they may be anything.
        columns: your column -> our column, as {"Outlet": "name", "Website": "domain"}.

    Returns:
        The outlets; no facts; a quarantine of rows without a name.

    Raises:
        SourceError: no such file, or it has no column of names.
        ParameterError: `columns` names a column the file does not have.
    """
    path = Path(path)
    table = _read_csv(path)
    renames = columns or {}
    absent = [column for column in renames if column not in table.columns]
    if absent:
        raise ParameterError(
            f"{path.name} has no column '{absent[0]}' (has {', '.join(table.columns)}). Correct columns=."
        )
    table = table.rename(renames)
    if "name" not in table.columns:
        raise SourceError(
            f"{path.name} has no column 'name' (has {', '.join(table.columns)}). "
            f'Pass columns={{"{table.columns[0]}": "name"}}.'
        )
    have = set(table.columns)

    def text(column: str) -> pl.Expr:
        return pl.col(column) if column in have else pl.lit(None, dtype=pl.String)

    def joined(*names: str) -> pl.Expr:
        return pl.concat_str([text(name) for name in names], separator="|", ignore_nulls=True)

    rows = table.with_row_index("line", offset=2)
    named = rows.filter(pl.col("name").is_not_null())
    outlets = named.select(
        outlet_id=pl.coalesce(text("outlet_id"), pl.col("name").map_elements(make_slug, return_dtype=pl.String)),
        name="name",
        names=split_list(joined("names")),
        countries=split_list(joined("country", "countries")),
        owner=text("owner"),
        domains=split_list(joined("domain", "domains")),
        handles=split_list(joined("handles")),
        identity_url=text("identity_url"),
        **{column: pl.lit(None, dtype=dtype) for column, dtype in list(_outlet_schema().items())[-3:]},
    )
    faults = [find_address_fault(outlet) for outlet in outlets.iter_rows(named=True)]
    named_lines = named["line"].to_list()
    bad = [(path.name, line, "the row has no name") for line in rows.filter(pl.col("name").is_null())["line"]]
    bad += [(path.name, line, fault) for line, fault in zip(named_lines, faults, strict=True) if fault]
    schema = {"file": pl.String, "line": pl.Int64, "reason": pl.String}
    return OutletList(
        merge_outlets(outlets.filter(pl.Series([not fault for fault in faults], dtype=pl.Boolean))),
        Facts.create_empty(),
        pl.DataFrame(bad, schema=schema, orient="row").sort("line"),
    )


def make_slug(text: str) -> str:
    """Return a text as an id: lower case, words joined by hyphens, letters of any script kept."""
    return re.sub(r"[^\w]+", "-", unicodedata.normalize("NFKC", text).lower()).strip("-")


def _read_csv(path: Path) -> pl.DataFrame:
    return read_table(path).with_columns(pl.col(pl.String).str.strip_chars().replace("", None))


def _read_rows(path: Path) -> pl.DataFrame:
    rows = _read_csv(path)
    missing = [column for column in _COLUMNS if column not in rows.columns]
    if missing:
        raise SourceError(
            f"{path.name} lacks column '{missing[0]}' of the State Media Matrix (has {', '.join(rows.columns)}). "
            "For another list use read_outlet_list."
        )
    return rows


def _read_typology() -> dict:
    text = resources.files("workbench.state_media").joinpath("typology.toml").read_text("utf-8")
    return tomllib.loads(text)


def _find_fault(row: dict, code: str, types: dict) -> str:
    if not row["Media company"] or not row["Main assets"]:
        return "the row names no media company or no asset"
    if not code:
        return "the row has no typology"
    if code.rstrip("?") not in types:
        return f"'{code}' is no type of the matrix ({', '.join(types)})"
    return ""


def _cite_row(row: dict, line: int, code: str, *, label: str) -> str:
    more = [f"{name}: {row[name]}" for name in ("Status", "Notes") if row.get(name)]
    return "; ".join([f"State Media Matrix, row {line}: type {code}, {label}", *more])


def _find_shared_hosts(rows: pl.DataFrame) -> set[str]:
    """Return the hosts on which the list has more than one outlet."""
    listed = rows.select("Media company", "Main assets", host=pl.col("URL").map_elements(_bare_host, pl.String))
    named = listed.drop_nulls("host").unique().group_by("host").len().filter(pl.col("len") > 1)
    return set(named["host"])


def _bare_host(url: str) -> str:
    return name_site(url).host.removeprefix("www.")


def _make_outlet(row: dict, namesakes: set[tuple[str, str]], shared_hosts: set[str], *, source_url: str) -> dict:
    parts = [row["Media company"], row["Main assets"]]
    if tuple(parts) in namesakes:
        parts.append(row["Country"] or "no country")
    handles = []
    for column, platform in _PROFILES.items():
        link = row.get(column)
        site = name_site(link) if link else None
        if site is not None and site.kind == "account" and site.key.startswith(f"{platform}:"):
            handles.append(site.key)
    address = row["URL"]
    site = name_site(address) if address else None
    if site is not None and site.kind == "domain" and _bare_host(address) not in shared_hosts:
        address = site.host
    elif site is not None and site.kind in ("none", "shortener"):
        address = None
    return {
        "outlet_id": "/".join(make_slug(part) for part in parts),
        "name": row["Main assets"],
        "names": [row["Media company"]],
        "countries": [row["Country"]] if row["Country"] else [],
        "owner": row["Media company"],
        "domains": [address] if address else [],
        "handles": handles,
        "identity_url": source_url,
        "reply_asked_at": None,
        "reply_at": None,
        "reply": None,
    }


def _outlet_schema() -> dict[str, pl.DataType]:
    time = pl.Datetime("us", "UTC")
    text, items = pl.String(), pl.List(pl.String)
    return {
        "outlet_id": text,
        "name": text,
        "names": items,
        "countries": items,
        "owner": text,
        "domains": items,
        "handles": items,
        "identity_url": text,
        "reply_asked_at": time,
        "reply_at": time,
        "reply": text,
    }
