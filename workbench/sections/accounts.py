"""The accounts and their making: days on which many were made, the clocks their posting fits, changes of language."""

from __future__ import annotations

from typing import Any

import polars as pl

from workbench.chart_stretch import drop_strays
from workbench.charts import chart_account_creation, chart_languages_over_time, chart_week_hours
from workbench.findings import ChanceTest, Claim, Confidence, Figure, Observation, Section, TableView
from workbench.sections.base import make_figure, make_table, say_count, say_language, say_list, say_percent, say_share
from workbench.sections.origin import LEAST_OFFICE_FRAC

_INNOCENT = (
    "Innocent reasons for each of these exist. A news event, the launch of an app or an invitation brings many people "
    "on one day; posts are scheduled and people work shifts; people move, learn languages, pause and come back. "
    "None of these features alone, nor all of them together, shows that an account is inauthentic."
)
_HOURS_OF = "all posts of the accounts profiled, at most 50 counted per account"
_COUNTED = Confidence("high", "Counted in the released tables.")


def _is_far_out(column: str) -> pl.Expr:
    """Whether a value lies more than three robust standard deviations above the middle of all."""
    above = pl.col(column) - pl.col(column).median()
    return above > 3 * pl.max_horizontal(above.abs().median() * 1.4826, 0.1)


_TRAITS = {
    "came back after half a year or more of silence": pl.col("is_revived"),
    "changed main language for good": pl.col("switched_at").is_not_null(),
    "posted a phrase that reads like trying out an account": pl.col("n_resale_phrases") > 0,
    "carry the same biography as another account": pl.col("n_same_description") > 0,
    "carry a handle that ends in five digits or more": pl.col("handle_tail_digits") >= 5,
    "carry nearly the same biography as another account": pl.col("n_similar_description") > 0,
    "carry the same display name as another account": pl.col("n_same_name") > 0,
    "carry a handle that reads like a random string": _is_far_out("handle_surprise"),
    "carry a display name that ends in five digits or more": pl.col("name_tail_digits") >= 5,
    "carry a display name that reads like a random string": _is_far_out("name_surprise"),
    "turned to other hashtags and sites": pl.col("topic_switched_at").is_not_null(),
    "posted four times as much, or a quarter as much, from some week on": pl.col("volume_changed_at").is_not_null(),
    "follow others and are followed by none": (pl.col("n_following") > 0) & (pl.col("n_followers") == 0),
}
_READ_FROM_POSTS = {"is_revived", "switched_at", "n_resale_phrases", "topic_switched_at", "volume_changed_at"}


def describe_accounts(
    profiles: pl.DataFrame,
    *,
    bursts: pl.DataFrame | None = None,
    created: pl.DataFrame | None = None,
    created_per: str = "month",
    week_hours: pl.DataFrame | None = None,
    utc_offset_h: int = 0,
    fitted_hours: pl.DataFrame | None = None,
    languages: pl.DataFrame | None = None,
    features: pl.DataFrame | None = None,
    who: str = "listed in the release",
) -> Section:
    """Return the section on how the accounts were made and run.

    Args:
        profiles: from `profile_accounts`, one row per account.
        bursts: from `find_creation_bursts`.
        created: from `count_created`.
        created_per: its period: "day", "month" or "year".
        week_hours: from `count_week_hours`.
        utc_offset_h: the clock it was counted on.
        fitted_hours: from `fit_working_hours`.
        languages: posts per month and language: period (date), language, n_posts.
        features: from `list_features`: what each feature means, its source and what would be innocent.
        who: which accounts these are, as it follows "accounts": "in clusters".
    """
    if profiles.is_empty():
        return Section("accounts", empty_reason="The release lists no accounts, so nothing is known of their making.")
    claims = [*_burst_claims(bursts, who=who), *_trait_claims(profiles, who=who), *_hour_claims(fitted_hours)]
    figures: list[Figure] = []
    if created is not None and not created.is_empty():
        figures.append(make_figure("account_creation", chart_account_creation(created, period=created_per), created))
    if week_hours is not None and week_hours["n_posts"].sum():
        chart = chart_week_hours(week_hours, time_zone=_clock(utc_offset_h))
        figures.append(make_figure("week_hours", chart, week_hours))
    if languages is not None and languages.filter(~pl.col("language").is_in(["und", "other"])).height:
        named = languages.with_columns(pl.col("language").map_elements(say_language, return_dtype=pl.String))
        within = drop_strays(named, when="period")
        figures.append(make_figure("languages_over_time", chart_languages_over_time(named, within=within), named))
    tables = [*_burst_tables(bursts), _traits(profiles, who=who), *_feature_tables(features)]
    return Section("accounts", claims, [_INNOCENT], figures, tables)


def _burst_claims(bursts: pl.DataFrame | None, *, who: str) -> list[Claim]:
    if bursts is None or bursts.is_empty():
        return []
    dated, found = int(bursts["n_accounts"].sum()), bursts.filter("is_burst")
    whole = f"{dated:,} accounts {who} whose day of creation is known"
    if found.is_empty():
        text = "On no day were markedly more accounts made than on the days around it."
        shown = (Observation("Accounts made per day against the 28 days on either side.", "account_creation"),)
        return [Claim(text, "co-action", _COUNTED, shown, whole)]
    made = int(found["n_accounts"].sum())
    due = found["expected_n"].sum()
    text = (
        f"{say_share(made, dated, noun='account')} {who} were made on {say_count(found.height, 'day')}, "
        f"where the days around them would give about {due:,.0f}."
    )
    worst = max(found["fdr"].to_list())
    test = ChanceTest(
        "Poisson test of each day against the 28 days on either side, Benjamini-Hochberg over all days",
        "The least certain of these days is the one the rate is given for.",
        fdr=worst,
    )
    confidence = Confidence("high", "Creation days come from the platform; the rate is that of the same accounts.")
    return [Claim(text, "co-action", confidence, (test,), whole, is_headline=True)]


def _hour_claims(fitted: pl.DataFrame | None) -> list[Claim]:
    if fitted is None or fitted.is_empty():
        return []
    best = fitted.sort("office_frac", "utc_offset_h", descending=[True, False]).row(0, named=True)
    holiday_ratio = best.get("holiday_ratio")
    days = "Monday to Friday" if holiday_ratio is None else "working days"
    shown = (Observation("Share of posting in office hours for every UTC offset.", "week_hours"),)
    if best["low"] < LEAST_OFFICE_FRAC:
        text = (
            f"No clock makes their posting look like office work: at best {say_percent(best['office_frac'])} of it "
            f"falls on {days} between 9:00 and 17:59, where posting at random would give 26.8%."
        )
        low = Confidence("low", "Free evenings look like office hours on a clock far to the west, so none is named.")
        return [Claim(text, "co-action", low, shown, _HOURS_OF)]
    clocks = [_clock(offset) for offset in sorted(fitted.filter("is_plausible")["utc_offset_h"])]
    text = (
        f"{say_percent(best['office_frac'])} of their posting (95% interval {say_percent(best['low'])} to "
        f"{say_percent(best['high'])}; every account weighed alike) falls on {days} between 9:00 and 17:59 "
        f"on a clock at {_clock(best['utc_offset_h'])}, which is the best fit of all clocks. "
    )
    if len(clocks) > 1:
        text += f"The clocks at {say_list(clocks, most=26)} fit about as well. "
    if holiday_ratio is not None:
        times = f"{holiday_ratio:.2f} times as much"
        text += f"On the holidays of the calendar given they posted {times} as on other weekdays. "
    text += "Posting at random over the week would give 26.8%; the fit is consistent with every place on such a clock."
    low = Confidence("low", "One feature alone; scheduled posts, shifts and an audience elsewhere look the same.")
    return [Claim(text, "co-action", low, shown, _HOURS_OF)]


def _trait_claims(profiles: pl.DataFrame, *, who: str) -> list[Claim]:
    counted = _count_traits(profiles)
    frequent = [row for row in counted.rows(named=True) if row["n_accounts"] > 1][:1]
    return [
        Claim(
            _say_trait(row, f"{who}{known}"),
            "co-action",
            _COUNTED,
            (Observation("Accounts with each trait.", "account_traits"),),
            f"{say_count(row['n_known'], 'account')} {who}{known}",
        )
        for row in frequent
        for known in ("" if row["n_known"] == profiles.height else " of which the source tells",)
    ]


def _say_trait(row: dict[str, Any], who: str) -> str:
    if row["n_accounts"] == row["n_known"]:
        return f"All {say_count(row['n_known'], 'account')} {who} {row['trait']}."
    share = say_percent(row["accounts_frac"])
    return f"Of {say_count(row['n_known'], 'account')} {who}, {row['n_accounts']:,} ({share}) {row['trait']}."


def _count_traits(profiles: pl.DataFrame) -> pl.DataFrame:
    rows = [
        (trait, *profiles.select(n=where.fill_null(value=False).sum(), n_known=where.is_not_null().sum()).row(0))
        for trait, where in ((trait, _of_posters(where, profiles)) for trait, where in _TRAITS.items())
        if set(where.meta.root_names()) <= set(profiles.columns)
    ]
    table = pl.DataFrame(rows, schema=["trait", "n_accounts", "n_known"], orient="row")
    # Where the source tells of nobody (handles are hashed, say), nobody having the trait is no finding.
    known = table.filter(pl.col("n_known") > 0)
    return known.with_columns(accounts_frac=(pl.col("n_accounts") / pl.col("n_known")).round(4)).sort(
        "n_accounts", descending=True, maintain_order=True
    )


def _of_posters(where: pl.Expr, profiles: pl.DataFrame) -> pl.Expr:
    """What is read from posts is not known of who has none in the data."""
    reads_posts = bool(_READ_FROM_POSTS & set(where.meta.root_names())) and "n_posts" in profiles.columns
    return pl.when(pl.col("n_posts") > 0).then(where) if reads_posts else where


def _traits(profiles: pl.DataFrame, *, who: str) -> TableView:
    labels = {"trait": "These accounts …", "n_accounts": "Accounts", "n_known": "out of", "accounts_frac": "Share"}
    counted = _count_traits(profiles)
    shown, absent = counted.filter(pl.col("n_accounts") > 0), counted.filter(pl.col("n_accounts") == 0)
    note = (
        f"Accounts {who}, out of those of which the source tells; one may have several traits, and each trait has "
        "innocent reasons."
    )
    if absent.height:
        note += f" Looked for and found in none: {'; '.join(absent['trait'])}."
    return make_table("account_traits", "What stands out, and in how many", shown, note=note, labels=labels)


def _feature_tables(features: pl.DataFrame | None) -> list[TableView]:
    if features is None:
        return []
    labels = {"feature": "Feature", "what": "What it is", "source": "Source", "beware": "What would be innocent"}
    note = (
        "Every column of an account's profile. No feature shows that an account is inauthentic, or where anybody sits."
    )
    return [make_table("account_features", "What is read of an account", features, note=note, labels=labels)]


def _burst_tables(bursts: pl.DataFrame | None) -> list[TableView]:
    if bursts is None or bursts.filter("is_burst").is_empty():
        return []
    shown = bursts.filter("is_burst").sort("n_accounts", "day", descending=[True, False]).head(20)
    table = shown.select("day", "n_accounts", pl.col("expected_n").round(2), "fdr")
    labels = {"day": "Day", "n_accounts": "Accounts made", "expected_n": "Expected", "fdr": "False discovery rate"}
    note = "Expected: the mean of the 28 days on either side."
    return [make_table("creation_bursts", "Days on which many accounts were made", table, note=note, labels=labels)]


def _clock(utc_offset_h: int) -> str:
    return f"UTC{utc_offset_h:+d}" if utc_offset_h else "UTC"
