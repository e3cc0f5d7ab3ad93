"""Which adverts each policy would bar: adverts matched to outlets, judged by the outlets' determinations, added up."""

from __future__ import annotations

import polars as pl

from workbench.schema import SchemaError
from workbench.state_media.adverts import ADVERTS
from workbench.state_media.crosswalk import index_names, same_name
from workbench.state_media.facts import check_outlets
from workbench.state_media.policies import Policies, Policy
from workbench.state_media.sites import SiteIndex

BARRED, NOT_BARRED, UNDETERMINED = "barred", "not barred", "undetermined"
_WEAK = {
    "name and link": "advertiser or payer bears the outlet's name and the advert links to it; neither is an identity",
    "name": "advertiser or payer bears the outlet's name, which anybody may",
    "link": "the advert links to the outlet; who paid is not shown to be the outlet",
}
_NEEDED = ("outlet_id", "policy_id", "outcome", "missing")


def match_adverts(adverts: pl.DataFrame, outlets: pl.DataFrame) -> pl.DataFrame:
    """Return the adverts with the outlet behind each, how it was matched, and whether the outlet is the advertiser.

    The advertiser is matched by handle or page id on its platform, else by its exact name (case, width and spacing
    aside) or that of the payer, else by a link to an outlet's domain. Only a handle or id makes the outlet the
    advertiser: anybody may bear a name or link to a page. What one export of an advert leaves empty (ids, names,
    links, countries, regions) is taken from another that has it. To settle a match by name, add the advertiser's id to
    the outlet's handles, as `google:AR123` or `facebook:12345`.

    Args:
        adverts: from `read_adverts`.
        outlets: the outlets table.

    Returns:
        All adverts, with outlet_id (null: no outlet of the list), matched_by (handle, name and link, name, link),
        is_advertiser, is_ambiguous where several outlets fit, each of which has a row, and repeats: file and line of
        the row that counts, where the same advert stands in several exports (null: this row counts).

    Raises:
        SchemaError: a table lacks a column.

    Beware: of an advert that stands twice the row with the higher amounts counts: libraries count on while it runs.
    """
    missing = [name for name in ADVERTS if name not in adverts.columns]
    if missing:
        raise SchemaError(f"adverts lacks column '{missing[0]}' (has {', '.join(adverts.columns)}). Use read_adverts.")
    checked = check_outlets(outlets)
    index, names = SiteIndex(checked), index_names(checked)
    adverts = _fill_from_repeats(_mark_repeats(adverts))
    rows = []
    for n, advert in enumerate(adverts.iter_rows(named=True)):
        matched_by, found = _match_one(advert, index, names)
        rows += [(n, outlet, matched_by, matched_by == "handle", len(found) > 1) for outlet in found]
    schema = {
        "row": pl.UInt32,
        "outlet_id": pl.String,
        "matched_by": pl.String,
        "is_advertiser": pl.Boolean,
        "is_ambiguous": pl.Boolean,
    }
    matches = pl.DataFrame(rows, schema=schema, orient="row")
    return adverts.with_row_index("row").join(matches, on="row", how="left", maintain_order="left_right").drop("row")


def judge_adverts(matched: pl.DataFrame, screened: pl.DataFrame, *, policies: Policies) -> pl.DataFrame:
    """Return, per matched advert and policy, whether the policy would bar it, and why.

    Args:
        matched: from `match_adverts`; adverts of no outlet are left out.
        screened: from `screen_outlets`.
        policies: the same policies.

    Returns:
        The matched columns with policy_id, outcome (of the outlet), verdict (barred, not barred, undetermined), why,
        missing (facts still wanted), and is_before_policy: the advert ran before the policy barred adverts, so the
        policy would have barred it and did not.

    Raises:
        SchemaError: screened is not what `screen_outlets` gives.
    """
    absent = [name for name in _NEEDED if name not in screened.columns]
    if absent:
        raise SchemaError(f"screened lacks column '{absent[0]}'. Pass what screen_outlets returns.")
    known = {
        (row["outlet_id"], row["policy_id"]): (row["outcome"], row["missing"])
        for row in screened.select(_NEEDED).iter_rows(named=True)
    }
    ours = matched.filter(pl.col("outlet_id").is_not_null())
    rows = []
    for advert in ours.iter_rows(named=True):
        for policy in policies.policies:
            outcome, missing = known.get((advert["outlet_id"], policy.policy_id), ("undetermined", ["any fact"]))
            verdict, why, wanted = _judge(advert, policy, outcome, missing)
            ended = advert["ended_at"] or advert["started_at"]
            before = ended is not None and ended.date() < policy.adverts_barred_from
            rows.append({**advert, **_verdict(policy, outcome, verdict, why, wanted), "is_before_policy": before})
    schema = {**ours.schema, **_verdict_schema(), "is_before_policy": pl.Boolean}
    return pl.DataFrame(rows, schema=schema)


def summarise_adverts(judged: pl.DataFrame) -> pl.DataFrame:
    """Return the sums per policy, verdict, outlet and currency; amounts in two currencies are never added.

    An advert that stands in several exports counts once. Where the writing of a currency may mean several ("$"), each
    file is summed for itself; amounts without any currency are not summed.

    Returns:
        policy_id, verdict, outlet_id, currency (ISO code, or as given and the file), n_adverts, n_before_policy (ran
        before the policy barred adverts), spend_min, spend_max (null where an advert has no upper bound: at least
        spend_min), n_without_spend, impressions_min, impressions_max, first_at, last_at, countries, regions,
        is_ambiguous (an advert that fits several outlets counts at each), n_repeats (rows of other exports left out).
    """
    group = ("policy_id", "verdict", "outlet_id", "currency")
    named = judged.with_columns(currency=name_money())
    counted, repeats = named.filter(pl.col("repeats").is_null()), named.filter(pl.col("repeats").is_not_null())
    sums = counted.group_by(group).agg(
        n_adverts=pl.len().cast(pl.Int64),
        n_before_policy=pl.col("is_before_policy").sum().cast(pl.Int64),
        spend_min=_add("spend_min"),
        spend_max=_add("spend_max"),
        n_without_spend=pl.col("spend_min").is_null().sum().cast(pl.Int64),
        impressions_min=_add("impressions_min"),
        impressions_max=_add("impressions_max"),
        first_at=pl.col("started_at").min(),
        last_at=pl.max_horizontal(pl.col("ended_at"), pl.col("started_at")).max(),
        countries=pl.col("countries").explode(empty_as_null=True).drop_nulls().unique().sort(),
        regions=pl.col("regions").explode(empty_as_null=True).drop_nulls().unique().sort(),
        is_ambiguous=pl.col("is_ambiguous").any(),
    )
    # Money without a currency is no sum of anything.
    money = [pl.when(pl.col("currency").is_not_null()).then(pl.col(name)) for name in ("spend_min", "spend_max")]
    again = repeats.group_by(group).agg(n_repeats=pl.len().cast(pl.Int64))
    joined = sums.with_columns(money).join(again, on=group, how="left", nulls_equal=True)
    return joined.with_columns(pl.col("n_repeats").fill_null(0)).sort(group, nulls_last=True)


def name_money() -> pl.Expr:
    """Return the currency a row may be summed in: its code, else as it is written there and in which file."""
    as_given = pl.format("{} as written in {}", "currency_given", "file")
    return pl.coalesce("currency", as_given)


def _add(column: str) -> pl.Expr:
    unbounded = pl.col(column).is_null() & pl.col(column.replace("_max", "_min")).is_not_null()
    return pl.when(unbounded.any() | pl.col(column).is_null().all()).then(None).otherwise(pl.col(column).sum())


def _mark_repeats(adverts: pl.DataFrame) -> pl.DataFrame:
    amounts = ["spend_max", "spend_min", "impressions_max", "impressions_min"]
    same = ["platform", "advert_id"]
    order = adverts.with_row_index("row").sort(*amounts, descending=True, nulls_last=True, maintain_order=True)
    # An open upper bound is the highest there is, so it is looked at after the lower one.
    order = order.sort("spend_min", "impressions_min", descending=True, nulls_last=True, maintain_order=True)
    kept = pl.format("{}, line {}", pl.col("file").first().over(same), pl.col("line").first().over(same))
    is_first = pl.col("row") == pl.col("row").first().over(same)
    return order.with_columns(repeats=pl.when(~is_first).then(kept)).sort("row").drop("row")


def _fill_from_repeats(adverts: pl.DataFrame) -> pl.DataFrame:
    texts, lists = ("advertiser_id", "handle", "advertiser", "paid_by"), ("urls", "countries", "regions")
    same = ["platform", "advert_id"]
    held = [pl.col(name).drop_nulls().first().over(same).alias(name) for name in texts]
    held += [pl.col(name).sort_by(pl.col(name).list.len()).last().over(same).alias(name) for name in lists]
    known = adverts.select(held)
    return adverts.with_columns(
        *(pl.col(name).fill_null(known[name]) for name in texts),
        *(pl.when(pl.col(name).list.len() == 0).then(known[name]).otherwise(name).alias(name) for name in lists),
    )


def _match_one(advert: dict, index: SiteIndex, names: dict[str, set[str]]) -> tuple[str | None, list[str]]:
    for handle in (advert["handle"], advert["advertiser_id"]):
        found = index.find_handle(advert["platform"], handle) if handle else ()
        if found:
            return "handle", list(found)
    linked = {outlet for url in advert["urls"] for outlet in index.find_url(url).outlet_ids}
    for name in (advert["advertiser"], advert["paid_by"]):
        by_name = names.get(same_name(name), set()) if name else set()
        if by_name & linked:
            return "name and link", sorted(by_name & linked)
        if by_name:
            return "name", sorted(by_name)
    return ("link", sorted(linked)) if linked else (None, [])


def _judge(advert: dict, policy: Policy, outcome: str, missing: list[str]) -> tuple[str, str, list[str]]:
    if not policy.adverts_barred_in:
        return NOT_BARRED, "the policy labels and bars no advert", []
    if not advert["is_advertiser"]:
        return UNDETERMINED, _WEAK[advert["matched_by"]], ["who the advertiser is"]
    if advert["is_ambiguous"]:
        return UNDETERMINED, "several outlets of the list go by this handle", ["which outlet the advertiser is"]
    if outcome == "does not meet":
        return NOT_BARRED, "the outlet does not meet the policy", []
    if outcome == "undetermined":
        return UNDETERMINED, "the outlet is undetermined for want of facts", list(missing)
    if "*" in policy.adverts_barred_in:
        return BARRED, "the outlet meets the policy", []
    where, barred_in = ", ".join(policy.adverts_barred_in), set(policy.adverts_barred_in)
    if not advert["countries"]:
        return UNDETERMINED, f"barred in {where} only; the export does not say where it ran", ["country of delivery"]
    if barred_in & set(advert["countries"]):
        elsewhere = " and elsewhere: its amounts are of all countries" if set(advert["countries"]) - barred_in else ""
        return BARRED, f"the outlet meets the policy and the advert ran in {where}{elsewhere}", []
    return NOT_BARRED, f"barred in {where} only, and it did not run there", []


def _verdict(policy: Policy, outcome: str, verdict: str, why: str, missing: list[str]) -> dict:
    values = (policy.policy_id, outcome, verdict, why, missing)
    return dict(zip(_verdict_schema(), values, strict=True))


def _verdict_schema() -> dict:
    text = pl.String()
    return {"policy_id": text, "outcome": text, "verdict": text, "why": text, "missing": pl.List(pl.String)}
