"""Evidence of origin, in estimative language: what the signs are consistent with, and who else has said what."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from workbench.findings import Claim, Confidence, Observation, Section, TableView, name_likelihood
from workbench.schema import Quote
from workbench.sections.base import make_table, say_language, say_list, say_percent
from workbench.sections.quoted import quote_others

MOST_CLUSTERS = 5
WIDEST_RANGE_H = 6
SURE_ENOUGH = 0.8
LEAST_OFFICE_FRAC = 0.4
"""of posting in office hours, where posting at any hour gives 45 of 168; people's free evenings give up to 0.35 on a
clock six hours west of theirs"""
LEAST_WEEKDAY_RATIO = 1.15
"""posts per weekday over posts per weekend day: free time knows no weekend, work does"""

_BANDS = {
    -11: "islands of the central Pacific", -10: "Hawaii and Polynesia", -9: "Alaska",
    -8: "the west coast of North America", -7: "the mountain west of North America",
    -6: "the middle of North America and Central America", -5: "eastern North America and western South America",
    -4: "Atlantic Canada, the Caribbean and the middle of South America", -3: "the east of South America",
    -2: "islands of the South Atlantic", -1: "the Azores and Cape Verde",
    0: "the British Isles, Iceland and West Africa", 1: "western and central Europe and West and Central Africa",
    2: "eastern Europe, the eastern Mediterranean and southern Africa",
    3: "western Russia, the Arabian peninsula and East Africa", 4: "the Caucasus and the Gulf",
    5: "the Urals, western Central Asia and the Indus valley", 6: "Central Asia and the Bay of Bengal",
    7: "western Siberia, mainland South-East Asia and western Indonesia",
    8: "central Siberia, East and South-East Asia and Western Australia",
    9: "Japan, Korea, eastern Siberia and eastern Indonesia", 10: "the Pacific coast of Russia and eastern Australia",
    11: "islands of the western Pacific", 12: "New Zealand, Fiji and Kamchatka", 13: "Tonga and Samoa",
    14: "the Line Islands",
}  # fmt: skip
_LOOK_ALIKE = {
    "clock": "posts on a schedule, shift work, an audience elsewhere, and every other place on such a clock",
    "language of posts": "whoever writes for readers of that language, from anywhere, or has posts translated",
    "interface language": "the setting of a bought phone, of the person who opened the account, or of a habit",
    "place stated": "anything an account cares to write about itself",
    "application": "everybody who uses the same common application",
}
_NOT_ATTRIBUTION = (
    "Signs like these are consistent with many origins and can be chosen by whoever runs an account. They say where a "
    "search could begin. This report attributes nothing to anybody; where somebody else has, it is quoted above as "
    "theirs, with its day."
)


def describe_origin(
    signs: pl.DataFrame, *, clocks: pl.DataFrame, quoted: Sequence[Quote] = (), who: str = "cluster"
) -> Section:
    """Return the section on evidence of origin: clocks and languages by cluster, and published attributions quoted.

    Args:
        signs: from `count_origin_signs`.
        clocks: from `fit_cluster_clocks`.
        quoted: findings of others, from the dataset.
        who: what the groups are called; cluster 0 is everybody in the release.
    """
    found = sorted({*signs["cluster_id"].to_list(), *clocks["cluster_id"].to_list()})
    numbers = found[:MOST_CLUSTERS]
    quotes = quote_others(quoted, about="origin")
    if not numbers and not quotes:
        reason = "The data has no time of posting, language, place or application, and no published finding is quoted."
        return Section("origin", empty_reason=reason)
    claims = [*quotes, *_claim_signs(numbers, signs, clocks, who=who)]
    prose = [_NOT_ATTRIBUTION, *_look_alikes(signs, clocks)]
    if len(found) > len(numbers):
        prose.insert(0, f"Looked at are the {len(numbers)} largest of {len(found)} {who}s.")
    if not quotes:
        prose.insert(0, "No published attribution came with this dataset, so none is quoted.")
    if clocks.is_empty():
        prose.insert(0, "Without times of posting nothing can be said of the clock these accounts kept.")
    return Section("origin", claims, prose, (), [_table(numbers, signs, clocks, who=who)] if numbers else ())


def _look_alikes(signs: pl.DataFrame, clocks: pl.DataFrame) -> list[str]:
    seen = [name for name in _LOOK_ALIKE if name in signs["sign"].to_list() or (name == "clock" and clocks.height)]
    each = "; ".join(f"{name}: {_LOOK_ALIKE[name]}" for name in seen)
    return [f"What else would look the same. {each[0].upper()}{each[1:]}."] if seen else []


def _claim_signs(numbers: list[int], signs: pl.DataFrame, clocks: pl.DataFrame, *, who: str) -> list[Claim]:
    """One sentence for all groups of which the same is found; clock and language in one if of the same groups."""
    fits = {number: read_clock(clocks.filter(pl.col("cluster_id") == number)) for number in numbers}
    first = signs.filter(pl.col("sign") == "language of posts").unique("cluster_id", keep="first", maintain_order=True)
    spoken = {row["cluster_id"]: row for row in first.iter_rows(named=True) if row["cluster_id"] in fits}
    by_clock = _put_alike_together({number: fit for number, fit in fits.items() if fit}, _name_clock)
    by_language = _put_alike_together(spoken, lambda row: row["value"])
    claims = {tuple(alike): _clock_claim(list(alike.values()), _groups(alike, who)) for alike in by_clock}
    for alike in by_language:
        claim, same = _language_claim(list(alike.values()), _groups(alike, who)), claims.get(tuple(alike))
        claims[tuple(alike)] = _join(same, claim) if same else claim
    return list(claims.values())


def _put_alike_together(
    results: dict[int, dict[str, Any]], name: Callable[[dict[str, Any]], Any]
) -> list[dict[int, dict[str, Any]]]:
    alike: dict[Any, dict[int, dict[str, Any]]] = {}
    for number in sorted(results):
        alike.setdefault(name(results[number]), {})[number] = results[number]
    return list(alike.values())


def _name_clock(found: dict[str, Any]) -> tuple[Any, ...]:
    return (found["low_h"], found["high_h"], _likelihood(found)) if found["stands_out"] else ()


def _likelihood(found: dict[str, Any]) -> str:
    return name_likelihood(min(max(found["probability"], 0.01), 0.99))


def _clock_claim(alike: list[dict[str, Any]], groups: str) -> Claim:
    found = alike[0]
    shown = (Observation("The signs, group by group.", "origin_signs"),)
    share = f"{_percents(alike, 'office_frac')} of their posting falls into those hours there"
    whole = f"all posts of {groups}, every account weighed alike; posting at random would give 26.8%"
    if not found["stands_out"]:
        text = f"No clock makes the posting of {groups} look like office work: at best, {share}."
        return Claim(text, "co-action", Confidence("low", "One feature alone."), shown, whole)
    word = _likelihood(found)
    text = (
        f"If {groups} kept office hours, it is {word} that the clock was {_range(found['low_h'], found['high_h'])}: "
        f"{share}. {_say_bands(found['low_h'], found['high_h'])}"
    )
    basis = (
        "One feature alone. The likelihood is the share of redraws of the accounts in which a clock of this range fits "
        "best; it takes for granted that these are working hours at all."
    )
    return Claim(text, "co-action", Confidence("low", basis), shown, whole, likelihood=word)


def _percents(alike: list[dict[str, Any]], name: str) -> str:
    percents = [say_percent(found[name]) for found in alike]
    return f"{say_list(percents)} (in this order)" if len(set(percents)) > 1 else percents[0]


def _join(first: Claim, second: Claim) -> Claim:
    """Two sentences about the same groups as one claim, since both rest on the same table."""
    text, whole = f"{first.text} {second.text}", f"{first.denominator}; {second.denominator}"
    basis = f"{first.confidence.basis} {second.confidence.basis}"
    return replace(first, text=text, denominator=whole, confidence=Confidence("low", basis))


def read_clock(fit: pl.DataFrame) -> dict[str, Any] | None:
    """Return the narrowest run of neighbouring clocks that holds four fifths of the draws; None without posts.

    Args:
        fit: from `fit_working_hours`.

    Returns:
        low_h, high_h (UTC offsets), probability (share of draws inside), office_frac (of the best clock), and
        stands_out: the run is at most six hours wide, the best clock holds LEAST_OFFICE_FRAC in all of its interval,
        and weekdays see LEAST_WEEKDAY_RATIO times the posts of weekend days.

    Beware: without both conditions, ordinary people's evenings look like office hours far to the west of them.
    """
    if fit.is_empty():
        return None
    ordered = fit.sort("utc_offset_h")
    offsets, shares = ordered["utc_offset_h"].to_list(), ordered["best_frac"].to_list()
    best = ordered.sort("office_frac", "utc_offset_h", descending=[True, False]).row(0, named=True)
    runs = [
        (end - start, -sum(shares[start : end + 1]), start, end)
        for start in range(len(offsets))
        for end in range(start, len(offsets))
        if sum(shares[start : end + 1]) >= SURE_ENOUGH
    ]
    width, negative, start, end = min(runs)
    return {
        "low_h": offsets[start],
        "high_h": offsets[end],
        "probability": -negative,
        "office_frac": best["office_frac"],
        "stands_out": width <= WIDEST_RANGE_H
        and best["low"] >= LEAST_OFFICE_FRAC
        and (best["weekday_ratio"] is None or best["weekday_ratio"] >= LEAST_WEEKDAY_RATIO),
    }


def _language_claim(alike: list[dict[str, Any]], groups: str) -> Claim:
    row = alike[0]
    beside = "" if row["others_frac"] is None else f", against {say_percent(row['others_frac'])} among everybody else"
    text = (
        f"{_percents(alike, 'frac')} of the posts of {groups} are labelled "
        f"{say_language(row['value'])}{beside}; that says whom they address, not who wrote them."
    )
    shown = (Observation("The signs, group by group.", "origin_signs"),)
    basis = "Languages are those the source gives; a language has readers and writers everywhere."
    whole = f"{say_list([format(one['n_whole'], ',') for one in alike])} posts with a language"
    return Claim(text, "co-action", Confidence("low", basis), shown, whole)


def _table(numbers: list[int], signs: pl.DataFrame, clocks: pl.DataFrame, *, who: str) -> TableView:
    rows = []
    for number in numbers:
        found = read_clock(clocks.filter(pl.col("cluster_id") == number))
        if found is not None:
            seen = (
                _range(found["low_h"], found["high_h"]) if found["stands_out"] else "not like office work on any clock"
            )
            share = f"{say_percent(found['office_frac'])} in office hours at best"
            rows.append(_row(number, "clock", f"{seen}; {share}", "26.8% by chance", who=who))
        own = signs.filter(pl.col("cluster_id") == number)
        for (sign,), values in own.group_by("sign", maintain_order=True):
            seen = say_list(
                [f"{_value(sign, v)} {say_percent(f)}" for v, f in values.select("value", "frac").iter_rows()]
            )
            beside = [
                f"{_value(sign, v)} {say_percent(f)}"
                for v, f in values.select("value", "others_frac").iter_rows()
                if f is not None
            ]
            rows.append(_row(number, str(sign), seen, say_list(beside) or "nobody else in the data", who=who))
    labels = {
        "group": "Group", "sign": "Sign", "seen": "Seen", "others": "Everybody else",
    }  # fmt: skip
    note = "At most three values each, the most frequent first; places only where five accounts or more state them."
    return make_table("origin_signs", "The signs, group by group", pl.DataFrame(rows), note=note, labels=labels)


def _row(number: int, sign: str, seen: str, others: str, *, who: str) -> dict[str, str]:
    group = _group(number, who)
    return {
        "group": group[0].upper() + group[1:], "sign": sign[0].upper() + sign[1:], "seen": seen, "others": others,
    }  # fmt: skip


def _value(sign: object, value: str) -> str:
    return say_language(value) if sign in ("language of posts", "interface language") else f"“{value}”"


def _groups(numbers: Collection[int], who: str) -> str:
    """The groups as a sentence names them: "cluster 1", "clusters 1, 3 and 4"."""
    if len(numbers) == 1:
        return _group(next(iter(numbers)), who)
    return f"{who}s {say_list([str(number) for number in numbers], most=len(numbers))}"


def _group(number: int, who: str) -> str:
    return f"{who} {number}" if number else "the accounts of this release"


def _range(low_h: int, high_h: int) -> str:
    return _offset(low_h) if low_h == high_h else f"{_offset(low_h)} to {_offset(high_h)}"


def _say_bands(low_h: int, high_h: int) -> str:
    if low_h == high_h:
        return f"Such a clock is kept in {_BANDS[low_h]}."
    between = ", and everywhere between" if high_h - low_h > 1 else ""
    return f"Such clocks are kept in {_BANDS[low_h]}; and in {_BANDS[high_h]}{between}."


def _offset(utc_offset_h: int) -> str:
    return f"UTC{utc_offset_h:+d}" if utc_offset_h else "UTC"
