"""State media and adverts: what policies say of the outlets, who carried them, which adverts a policy would bar."""

from __future__ import annotations

from typing import Any

import polars as pl

from workbench.chart_state_media import chart_determinations, chart_reference_ratios, chart_references_per_day
from workbench.findings import Citation, Claim, Confidence, Figure, Observation, Section, TableView
from workbench.sections.base import make_figure, make_table, say_count, say_list, say_percent, say_share, say_times

MOST_ROWS = 60
MOST_OUTLETS_DRAWN = 30
_OUTCOMES = ("meets", "does not meet", "undetermined")
_OVERT = (
    "Overt is not covert. An outlet that a state runs openly deceives nobody by that, its sister outlets posting "
    "together are not hidden either, and who links to state media may simply read it."
)
_NO_RESULT = (
    "A determination says what a policy's words make of the facts listed, not what an outlet publishes; a platform may "
    "have decided otherwise. Outlets that were not asked for a reply are marked so, and should be asked."
)
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
        n_adverts_read: adverts read, matched to an outlet or not.
        origin: where the list of outlets comes from, in words.
    """
    if screened.is_empty():
        return Section("state_media", empty_reason="No outlet was given to screen.")
    names = dict(screened.select("outlet_id", "name").iter_rows())
    claims = [_claim_policy(screened, policy) for policy in policies.policies]
    tables = [_determinations(screened), _policies(policies)]
    figures = _outcome_figure(screened, policies)
    if defence is not None and not defence.is_empty():
        tables.append(_defence(defence, names))
    if amplification is not None and not amplification.is_empty():
        claims += _claim_amplification(amplification, names)
        tables.append(_amplification(amplification, names))
        figures += _ratio_figure(amplification, names)
    if first is not None and not first.is_empty():
        claims += _claim_first(first, names)
        tables.append(_first(first, names))
    if by_day is not None and not by_day.is_empty():
        figures += _day_figure(by_day)
    if judged is not None and not judged.is_empty() and adverts is not None:
        claims += [claim for policy in policies.policies for claim in _claim_adverts(judged, policy, n_adverts_read)]
        tables += [_adverts(adverts, names), _judged(judged, names)]
    where = [f"The list of outlets and facts is {origin}."] if origin else []
    return Section("state_media", claims=claims, prose=[*where, _OVERT, _NO_RESULT], figures=figures, tables=tables)


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


def _claim_adverts(judged: pl.DataFrame, policy: Any, n_read: int) -> list[Claim]:
    ours = judged.filter(pl.col("policy_id") == policy.policy_id)
    if not policy.adverts_barred_in or ours.is_empty():
        return []
    n = {v: ours.filter(pl.col("verdict") == v)["advert_id"].n_unique() for v in ("barred", "undetermined")}
    matched = ours["advert_id"].n_unique()
    barred = ours.filter(pl.col("verdict") == "barred").unique("advert_id")
    money = [_say_money(group) for _, group in barred.sort("currency").group_by("currency", maintain_order=True)]
    spent = f", with spending of {say_list(money)}" if money else ""
    where = "" if "*" in policy.adverts_barred_in else f" in {say_list(list(policy.adverts_barred_in))}"
    text = (
        f"“{policy.title}” would bar {say_share(n['barred'], matched, noun='matched advert')}{where}{spent}; "
        f"{n['undetermined']:,} {'stays' if n['undetermined'] == 1 else 'stay'} undetermined."
    )
    shown = Observation("Adverts by verdict, outlet and currency, and one by one.", "state_media_adverts")
    basis = "Advertisers are matched by handle or exact name; amounts are the libraries' own ranges, never converted."
    whole = f"{matched:,} adverts matched to an outlet, of {max(n_read, matched):,} read"
    return [Claim(text, "co-action", Confidence("moderate", basis), (shown,), whole)]


def _say_money(adverts: pl.DataFrame) -> str:
    currency = adverts["currency"][0] or "an unnamed currency"
    stated = adverts.filter(pl.col("spend_min").is_not_null())
    if stated.is_empty():
        return f"an unstated amount ({currency})"
    low = f"{stated['spend_min'].sum():,.0f}"
    if stated["spend_max"].null_count():
        return f"at least {currency} {low}"
    high = f"{stated['spend_max'].sum():,.0f}"
    return f"{currency} {low}" if low == high else f"{currency} {low} to {high}"


def _outcome_figure(screened: pl.DataFrame, policies: Any) -> list[Figure]:
    if screened["outlet_id"].n_unique() > MOST_OUTLETS_DRAWN:
        return []
    labels = {
        policy.policy_id: f"{policy.platform.capitalize()} {policy.published_on.year}" for policy in policies.policies
    }
    table = screened.select(
        outlet="name", policy=pl.col("policy_id").replace_strict(labels, return_dtype=pl.String), outcome="outcome"
    )
    return [make_figure("state_media_outcomes", chart_determinations(table), table)]


def _ratio_figure(table: pl.DataFrame, names: dict[str, str]) -> list[Figure]:
    shown = table.filter(
        pl.col("outlet_id").is_not_null()
        & (pl.col("n_references") > 0)
        & (pl.col("ratio_low") > 0)
        & pl.all_horizontal(pl.col("ratio", "ratio_high").is_not_null())
    ).sort("cluster_id", "ratio", descending=[False, True])
    if shown.is_empty():
        return []
    label = pl.format("Cluster {}, {}", "cluster_id", pl.col("outlet_id").replace(names))
    rounded = [pl.col(column).round(3) for column in ("ratio", "ratio_low", "ratio_high")]
    drawn = shown.head(MOST_OUTLETS_DRAWN).select(label.alias("label"), "cluster_id", *rounded)
    return [make_figure("state_media_ratios", chart_reference_ratios(drawn), drawn)]


def _day_figure(by_day: pl.DataFrame) -> list[Figure]:
    cluster = pl.col("cluster_id")
    group = (
        pl.when(cluster.is_null())
        .then(pl.lit("outside clusters"))
        .when(cluster > 5)
        .then(pl.lit("other clusters"))
        .otherwise(pl.format("cluster {}", cluster))
    )
    table = by_day.group_by("day", group.alias("group")).agg(n_posts=pl.col("n_posts").sum()).sort("day", "group")
    every = next((size for size in ("1d", "1w", "1mo") if table.height <= 2000 or size == "1mo"), "1d")
    if every != "1d":
        coarse = table.group_by(pl.col("day").dt.truncate(every), "group")
        table = coarse.agg(pl.col("n_posts").sum()).sort("day", "group")
    return [make_figure("state_media_days", chart_references_per_day(table), table)]


def _determinations(screened: pl.DataFrame) -> TableView:
    columns = ["name", "policy_id", "outcome", "ground", "decided_by", "missing", "not_shown", "contested"]
    wanted = screened.sort("name", "policy_id").select(*columns, "right_of_reply").head(MOST_ROWS)
    note = (
        f"{wanted.height:,} of {screened.height:,} determinations. Decided by: factor=finding (Admiralty grade, day, "
        "source). Not shown: what the outlet would have to show. Contested: facts contradict each other, none stronger."
    )
    labels = {"name": "Outlet", "policy_id": "Policy", "not_shown": "Not shown by the outlet"}
    return make_table(
        "state_media_determinations", "What each policy makes of each outlet", wanted, note=note, labels=labels
    )


def _policies(policies: Any) -> TableView:
    rows = [
        {
            "policy_id": policy.policy_id,
            "kind": rule.kind,
            "text": rule.text,
            "reading": rule.reading,
            "source_url": rule.source_url or policy.source_url,
            "published_on": policy.published_on,
        }
        for policy in policies.policies
        for rule in policy.rules
    ]
    labels = {"policy_id": "Policy", "text": "The policy's words", "reading": "Our reading", "published_on": "Of"}
    note = "The platforms disagree by design: each policy is screened for itself."
    return make_table("state_media_policies", "The policies as rules", pl.DataFrame(rows), note=note, labels=labels)


def _defence(defence: pl.DataFrame, names: dict[str, str]) -> TableView:
    telling = defence.filter(~pl.col("role").is_in(["does not decide"]))
    ranked = telling.with_columns(outlet=pl.col("outlet_id").replace(names)).sort(
        "outlet", "policy_id", "rule_id", "factor"
    )
    columns = ["outlet", "policy_id", "rule_id", "rule_holds", "factor", "role", "finding", "grade", "evidence_at"]
    shown = ranked.select(*columns, "evidence_url", "note").head(5 * MOST_ROWS)
    note = f"{shown.height:,} of {telling.height:,} lines that decide, are missing, or do not count, with the reason."
    labels = {"policy_id": "Policy", "rule_id": "Rule", "evidence_at": "Of", "evidence_url": "Evidence"}
    return make_table("state_media_lines", "Each determination, line by line", shown, note=note, labels=labels)


def _amplification(table: pl.DataFrame, names: dict[str, str]) -> TableView:
    outlet = pl.col("outlet_id").replace(names).fill_null("any outlet of the list")
    rounded = [pl.col(c).round(4) for c in ("references_frac", "rest_frac")]
    rounded += [pl.col(c).round(2) for c in ("ratio", "ratio_low", "ratio_high")]
    shown = table.with_columns(*rounded).select(outlet.alias("outlet"), pl.exclude("outlet_id"))
    note = (
        "Posts that link to, repost, quote or copy an outlet, as share of the cluster's posts and of the posts of "
        "accounts in no cluster. Posts of the outlets' own accounts count on neither side; a cluster of them is a newsroom."
    )
    ranked = shown.sort("cluster_id", "n_references", descending=[False, True]).head(MOST_ROWS)
    return make_table("state_media_amplification", "Who carried which outlet", ranked, note=note)


def _first(first: pl.DataFrame, names: dict[str, str]) -> TableView:
    shown = first.select(pl.col("outlet_id").replace(names).alias("outlet"), pl.exclude("outlet_id")).head(MOST_ROWS)
    note = (
        "Addresses and texts posted by both. Unknown: the outlet's own post of it is not in the data. Lead in seconds, "
        "positive where the outlet was first."
    )
    return make_table("state_media_first", "Who was first, outlet or cluster", shown, note=note)


def _adverts(adverts: pl.DataFrame, names: dict[str, str]) -> TableView:
    shown = adverts.with_columns(outlet=pl.col("outlet_id").replace(names)).select(
        "outlet", pl.exclude("outlet_id", "outlet")
    )
    note = "Amounts as the libraries give them, never converted or added across currencies; an empty maximum is open."
    return make_table("state_media_adverts", "Adverts each policy would bar", shown.head(MOST_ROWS), note=note)


def _judged(judged: pl.DataFrame, names: dict[str, str]) -> TableView:
    shown = judged.with_columns(outlet=pl.col("outlet_id").replace(names)).select(
        "advert_id", "platform", "outlet", "matched_by", "policy_id", "verdict", "why", "missing", "is_before_policy",
        "started_at", "ended_at", "spend_min", "spend_max", "currency", "countries",
    )  # fmt: skip
    note = f"{min(shown.height, MOST_ROWS):,} of {shown.height:,} rows. A match by link alone leaves open who paid."
    return make_table("state_media_advert_lines", "Adverts one by one", shown.head(MOST_ROWS), note=note)
