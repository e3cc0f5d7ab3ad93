"""State media and adverts: what policies say of the outlets, who carried them, which adverts a policy would bar."""

from __future__ import annotations

from typing import Any

import polars as pl

from workbench.findings import Citation, Claim, Confidence, Observation, Section
from workbench.sections.base import say_count, say_day, say_list, say_percent, say_share, say_times
from workbench.sections.state_media_parts import (
    draw_days,
    draw_outcomes,
    draw_ratios,
    tabulate_adverts,
    tabulate_amplification,
    tabulate_defence,
    tabulate_determinations,
    tabulate_first,
    tabulate_judged,
    tabulate_policies,
)

_OUTCOMES = ("meets", "does not meet", "undetermined")
_OVERT = (
    "Overt is not covert. An outlet that a state runs openly deceives nobody by that, its sister outlets posting "
    "together are not hidden either, and who links to state media may simply read it."
)
_NO_CLUSTER = "No cluster was found in this data, so there is none whose posts could be held against those of others."
_NO_RESULT = (
    "A determination says what a policy's words make of the facts listed, not what an outlet publishes; a platform may "
    "have decided otherwise. Outlets that were not asked for a reply are marked so, and should be asked."
)
_COUNTRIES = {"US": "the United States", "GB": "the United Kingdom"}
"""of codes in policies; any other stays a code"""
_FACTS = Confidence(
    "moderate", "Rests on the facts listed and on our reading of each policy, both printed line by line."
)


def describe_state_media(
    screened: pl.DataFrame,
    *,
    policies: Any,
    defence: pl.DataFrame | None = None,
    amplification: pl.DataFrame | None = None,
    first: pl.DataFrame | None = None,
    by_day: pl.DataFrame | None = None,
    judged: pl.DataFrame | None = None,
    adverts: pl.DataFrame | None = None,
    n_adverts_read: int = 0,
    n_references: int | None = None,
    n_posts: int | None = None,
    link_kinds: pl.DataFrame | None = None,
    origin: str = "",
) -> Section:
    """Return the section on state media.

    Args:
        screened: from `screen_outlets`.
        policies: the policies it was screened by.
        defence: from `defend_screening`: the argument line by line.
        amplification: from `measure_amplification`; the rows of single outlets are shown.
        first: from `compare_first`.
        by_day: from `count_references_by_day`.
        judged: from `judge_adverts`.
        adverts: from `summarise_adverts`.
        n_adverts_read: adverts read, matched to an outlet or not, each once though it stands in two exports.
        n_references: rows of `find_references`; where it is 0 and no advert was read, the section is one line.
        n_posts: posts that could refer to an outlet, where that is known.
        link_kinds: from `count_link_kinds`: says how many links nobody could follow here.
        origin: where the list of outlets comes from, in words.
    """
    if screened.is_empty():
        return Section("state_media", empty_reason="No outlet was given to screen.")
    if n_references == 0 and n_adverts_read == 0:
        return Section("state_media", empty_reason=_say_no_reference(screened["outlet_id"].n_unique(), n_posts))
    names = dict(screened.select("outlet_id", "name").iter_rows())
    claims = [_claim_policy(screened, policy) for policy in policies.policies]
    tables = [tabulate_determinations(screened), tabulate_policies(policies)]
    figures = draw_outcomes(screened, policies)
    if defence is not None and not defence.is_empty():
        tables.append(tabulate_defence(defence, names))
    if amplification is not None and not amplification.is_empty():
        claims += _claim_overt(amplification) + _claim_amplification(amplification, names)
        tables.append(tabulate_amplification(amplification, names))
        figures += draw_ratios(amplification, names)
    if first is not None and not first.is_empty():
        claims += _claim_first(first, names)
        tables.append(tabulate_first(first, names))
    if by_day is not None and not by_day.is_empty():
        figures += draw_days(by_day)
    if judged is not None and not judged.is_empty() and adverts is not None:
        claims += [
            claim for policy in policies.policies for claim in _claim_adverts(judged, adverts, policy, n_adverts_read)
        ]
        tables += [tabulate_adverts(adverts, names), tabulate_judged(judged, names)]
    alone = [_NO_CLUSTER] if amplification is not None and amplification.is_empty() else []
    where = [f"The list of outlets and facts is {origin}."] if origin else []
    return Section(
        "state_media",
        claims=claims,
        prose=[*where, *_say_unseen(link_kinds), *alone, _OVERT, _NO_RESULT],
        figures=figures,
        tables=tables,
    )


def _say_no_reference(n_outlets: int, n_posts: int | None) -> str:
    screened = say_count(n_outlets, "outlet") + " screened"
    if n_posts == 0:
        return f"There are no posts in this data, so none can refer to the {screened}, and no advert was given."
    none = "The outlet screened is not" if n_outlets == 1 else f"None of the {screened} is"
    these = "these posts" if n_posts is None else f"the {say_count(n_posts, 'post')} of this data"
    return f"{none} linked, reposted, quoted, mentioned or copied in {these}."


def _say_unseen(link_kinds: pl.DataFrame | None) -> list[str]:
    hidden = 0 if link_kinds is None else int(link_kinds.filter(pl.col("kind") == "shortener")["n_links"].sum())
    if link_kinds is None or not hidden:
        return []
    share = say_share(hidden, int(link_kinds["n_links"].sum()), noun="link")
    return [f"{share} go through shorteners, whose targets are not looked up: every count of links is a lower bound."]


def _claim_policy(screened: pl.DataFrame, policy: Any) -> Claim:
    ours = screened.filter(pl.col("policy_id") == policy.policy_id)
    n = {outcome: ours.filter(pl.col("outcome") == outcome).height for outcome in _OUTCOMES}
    met = ours.filter(pl.col("outcome") == "meets")["name"].to_list()
    who = f" ({say_list(met)})" if met else ""
    text = (
        f"Under “{policy.title}” ({policy.published_on.year}), {n['meets']:,} of {say_count(ours.height, 'outlet')} "
        f"{'meets' if n['meets'] == 1 else 'meet'} the policy{who}, {n['does not meet']:,} "
        f"{'does' if n['does not meet'] == 1 else 'do'} not, and {n['undetermined']:,} "
        f"{'is' if n['undetermined'] == 1 else 'are'} undetermined for want of facts."
    )
    words = "; ".join(rule.text for rule in policy.rules if rule.kind == "requirement")
    cited = Citation(policy.publisher, policy.published_on.isoformat(), words, policy.title, policy.source_url)
    shown = Observation(
        "Each outcome with the facts that decided it and the facts missing.", "state_media_determinations"
    )
    return Claim(text, "co-action", _FACTS, (shown, cited), f"{ours.height:,} outlets of the list")


def _claim_amplification(table: pl.DataFrame, names: dict[str, str]) -> list[Claim]:
    single = table.filter(pl.col("outlet_id").is_not_null() & (pl.col("ratio_low") > 1))
    claims = []
    for row in single.sort("ratio_low", descending=True).head(3).iter_rows(named=True):
        share = say_share(row["n_references"], row["n_posts"], noun="post")
        if row["ratio"] is None:
            against = f"against none of {say_count(row['rest_n_posts'], 'post')} by accounts outside clusters"
        else:
            upper = "without upper bound" if row["ratio_high"] is None else f"to {row['ratio_high']:.1f}"
            against = (
                f"{say_times(row['ratio'])} the share among accounts outside clusters "
                f"({say_percent(row['rest_frac'])}; 95% interval {row['ratio_low']:.1f} {upper})"
            )
        name = names.get(row["outlet_id"], row["outlet_id"])
        text = f"In cluster {row['cluster_id']}, {share} refer to {name}, {against}."
        shown = Observation("Shares and interval, cluster by outlet.", "state_media_amplification")
        basis = (
            "The interval allows for accounts that post much; the comparison is with the accounts in this data only."
        )
        whole = f"{row['n_posts']:,} posts of the cluster's {row['n_accounts']:,} accounts"
        claims.append(Claim(text, "co-action", Confidence("moderate", basis), (shown,), whole))
    return claims


def _claim_overt(table: pl.DataFrame) -> list[Claim]:
    overt = table.filter(pl.col("outlet_id").is_null() & (pl.col("n_outlet_accounts") > 0)).sort("cluster_id")
    claims = []
    for row in overt.iter_rows(named=True):
        own, others = row["n_outlet_accounts"], row["n_accounts"]
        are = "is an outlet’s own account" if own == 1 else "are outlets’ own accounts"
        whose = f"Of the accounts of cluster {row['cluster_id']}, {own:,} {are}"
        overt = "what outlets do under their own names is overt"
        if others:
            text = f"{whose} and {others:,} {'is' if others == 1 else 'are'} not: {overt}."
        else:
            text = f"{whose}, and there are no others: {overt}."
        shown = Observation("Outlets' own accounts, cluster by cluster.", "state_media_amplification")
        basis = "Accounts are known by the handles in the list of outlets."
        whole = f"{own + others:,} accounts of the cluster that are listed outlets or posted"
        claims.append(Claim(text, "co-action", Confidence("high", basis), (shown,), whole))
    return claims


def _claim_first(first: pl.DataFrame, names: dict[str, str]) -> list[Claim]:
    known = first.with_columns(n_known=pl.col("n_objects") - pl.col("n_unknown")).filter(pl.col("n_known") > 0)
    claims = []
    for row in known.sort("n_known", descending=True).head(2).iter_rows(named=True):
        name = names.get(row["outlet_id"], row["outlet_id"])
        text = (
            f"Of {say_count(row['n_known'], 'address or text', plural='addresses and texts')} that both cluster "
            f"{row['cluster_id']} and {name} posted, {name} was first with {row['n_outlet_first']:,} and the cluster "
            f"with {row['n_cluster_first']:,}."
        )
        shown = Observation("Who was first, and by how much.", "state_media_first")
        basis = "Compares the times of posts in this data; what was posted elsewhere is not seen."
        whole = (
            f"{row['n_objects']:,} addresses and texts, {row['n_unknown']:,} of them without a post by the outlet here"
        )
        claims.append(Claim(text, "co-action", Confidence("moderate", basis), (shown,), whole))
    return claims


def _claim_adverts(judged: pl.DataFrame, sums: pl.DataFrame, policy: Any, n_read: int) -> list[Claim]:
    counted = judged.filter(pl.col("repeats").is_null()).with_columns(advert_id=pl.concat_str("platform", "advert_id"))
    ours = counted.filter(pl.col("policy_id") == policy.policy_id)
    if not policy.adverts_barred_in or ours.is_empty():
        return []
    n = {v: ours.filter(pl.col("verdict") == v)["advert_id"].n_unique() for v in ("barred", "undetermined")}
    matched = ours["advert_id"].n_unique()
    barred = sums.filter((pl.col("policy_id") == policy.policy_id) & (pl.col("verdict") == "barred"))
    money = [_say_money(group) for _, group in barred.sort("currency").group_by("currency", maintain_order=True)]
    spent = f", with spending of {say_list(money)}" if money else ""
    n_before = ours.filter((pl.col("verdict") == "barred") & pl.col("is_before_policy"))["advert_id"].n_unique()
    early = (
        f"; {n_before:,} of these ran before {say_day(policy.adverts_barred_from)}, when it barred none"
        if n_before
        else ""
    )
    places = [_COUNTRIES.get(code, code) for code in policy.adverts_barred_in]
    where = "" if "*" in places else f" in {say_list(places)}"
    text = (
        f"“{policy.title}” would bar {say_share(n['barred'], matched, noun='matched advert')}{where}{spent}{early}; "
        f"{n['undetermined']:,} {'stays' if n['undetermined'] == 1 else 'stay'} undetermined."
    )
    shown = Observation("Adverts by verdict, outlet and currency, and one by one.", "state_media_adverts")
    basis = (
        "Advertisers are known by handle or page id, a name or a link settles nothing; amounts are the libraries' own "
        "ranges, never converted."
    )
    whole = f"{matched:,} adverts matched to an outlet, of {max(n_read, matched):,} read"
    return [Claim(text, "co-action", Confidence("moderate", basis), (shown,), whole)]


def _say_money(sums: pl.DataFrame) -> str:
    currency = sums["currency"][0]
    if currency is None or sums["spend_min"].null_count() == sums.height:
        n = int(sums["n_adverts"].sum())
        return f"an unstated amount or currency in {say_count(n, 'advert')}"
    low, is_open = f"{sums['spend_min'].sum():,.0f}", sums["spend_max"].null_count() > 0
    if is_open:
        return f"at least {currency} {low}"
    high = f"{sums['spend_max'].sum():,.0f}"
    return f"{currency} {low}" if low == high else f"{currency} {low} to {high}"
