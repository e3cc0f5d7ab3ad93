"""Two lists of outlets made one: which outlet is which of the other list, and facts stated for many at once."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import NamedTuple

import polars as pl

from workbench.schema import ParameterError
from workbench.state_media.facts import check_facts, check_outlets, merge_facts, merge_outlets
from workbench.state_media.sites import SiteIndex, name_site

_CROSSWALK = {
    "other_id": pl.String,
    "outlet_id": pl.String,
    "how": pl.String,
    "because": pl.String,
    "is_joined": pl.Boolean,
}


class JoinedLists(NamedTuple):
    """Two lists as one, and which outlet of the second was taken for which of the first."""

    outlets: pl.DataFrame
    facts: pl.DataFrame
    crosswalk: pl.DataFrame


def find_same_outlets(others: pl.DataFrame, outlets: pl.DataFrame) -> pl.DataFrame:
    """Return which outlets of another list are outlets of ours: by domain, else by handle, else by exact name.

    Args:
        others: an outlets table, as from `read_state_media_matrix`; its editions may all be one outlet of ours.
        outlets: ours.

    Returns:
        other_id, outlet_id, how (domain, handle, name), because (the domain, handle or name), is_joined. Not joined
        are those that fit several of ours, and namesakes whose domains are others.

    Raises:
        SchemaError: a table breaks its contract.
    """
    ours = check_outlets(outlets)
    index, names = SiteIndex(ours), index_names(ours)
    with_domains = set(ours.filter(pl.col("domains").list.len() > 0)["outlet_id"])
    rows = []
    for other in check_outlets(others).iter_rows(named=True):
        how, because, found = _find_same(other, index, names)
        namesake = how == "name" and bool(other["domains"]) and bool(found & with_domains)
        is_joined = len(found) == 1 and not namesake
        rows += [(other["outlet_id"], outlet, how, because, is_joined) for outlet in sorted(found)]
    return pl.DataFrame(rows, schema=_CROSSWALK, orient="row")


def join_outlet_lists(
    outlets: pl.DataFrame, facts: pl.DataFrame, *, other_outlets: pl.DataFrame, other_facts: pl.DataFrame
) -> JoinedLists:
    """Return two lists as one: outlets that are the same go by our outlet_id, name, owner and country.

    Args:
        outlets: ours.
        facts: about ours.
        other_outlets: the other list, as from `read_state_media_matrix`.
        other_facts: its facts; all are kept, those that contradict ours too.

    Raises:
        SchemaError: a table breaks its contract.
    """
    crosswalk = find_same_outlets(other_outlets, outlets)
    known_as = dict(crosswalk.filter("is_joined").select("other_id", "outlet_id").iter_rows())
    renamed = pl.col("outlet_id").replace(known_as)
    is_ours = pl.col("outlet_id").is_in(list(known_as))
    theirs = check_outlets(other_outlets).with_columns(
        outlet_id=renamed,
        countries=pl.when(~is_ours).then("countries").otherwise(pl.lit([], dtype=pl.List(pl.String))),
        owner=pl.when(~is_ours).then("owner"),
    )
    return JoinedLists(
        merge_outlets(check_outlets(outlets), theirs),
        merge_facts(facts, check_facts(other_facts).with_columns(outlet_id=renamed)),
        crosswalk,
    )


def spread_facts(facts: pl.DataFrame, *, outlet_ids: Iterable[str]) -> pl.DataFrame:
    """Return the facts with those stated for many outlets written out for each.

    A fact whose outlet_id holds a `*`, as `china-media-group/*`, is stated for every outlet whose id fits; the note
    of each says so. The evidence has to speak of all of them.

    Raises:
        SchemaError: the facts break their contract.
        ParameterError: a pattern fits no outlet.
    """
    checked, ids = check_facts(facts), list(outlet_ids)
    is_pattern = pl.col("outlet_id").str.contains("*", literal=True)
    rows = []
    for fact in checked.filter(is_pattern).iter_rows(named=True):
        fitting = [outlet for outlet in ids if fnmatchcase(outlet, fact["outlet_id"])]
        if not fitting:
            raise ParameterError(
                f"{fact['file'] or 'facts'}: '{fact['outlet_id']}' fits none of {len(ids)} outlets. Correct it."
            )
        note = f"{fact['note'] or ''} (stated for {fact['outlet_id']})".strip()
        rows += [{**fact, "outlet_id": outlet, "note": note} for outlet in fitting]
    spread = pl.DataFrame(rows, schema=checked.schema)
    return merge_facts(checked.filter(~is_pattern), spread)


def index_names(outlets: pl.DataFrame) -> dict[str, set[str]]:
    """Return the outlets by each of their names, compared by `same_name`."""
    names: dict[str, set[str]] = {}
    for row in outlets.iter_rows(named=True):
        for name in [row["name"], *row["names"]]:
            names.setdefault(same_name(name), set()).add(row["outlet_id"])
    return names


def same_name(name: str) -> str:
    """Return a name as names are compared: case, width and spacing aside."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _find_same(other: dict, index: SiteIndex, names: dict[str, set[str]]) -> tuple[str, str, set[str]]:
    by_domain = [(outlet, url) for url in other["domains"] for outlet in index.find_url(url).outlet_ids]
    if by_domain:
        hosts = sorted({name_site(url).host for _, url in by_domain})
        return "domain", ", ".join(hosts), {outlet for outlet, _ in by_domain}
    pairs = (handle.partition(":") for handle in other["handles"])
    by_handle = {outlet: f"{p}:{n}" for p, _, n in pairs for outlet in index.find_handle(p, n)}
    if by_handle:
        return "handle", ", ".join(sorted(set(by_handle.values()))), set(by_handle)
    return "name", other["name"], names.get(same_name(other["name"]), set())
