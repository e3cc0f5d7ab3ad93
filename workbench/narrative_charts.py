"""Charts of narratives: what was said over time, by which cluster, and the campaigns in their order."""

from __future__ import annotations

from datetime import date

import polars as pl

from workbench.chart_library import altair as alt
from workbench.chart_stretch import Stretch, cut_to, say_stretch
from workbench.chart_style import (
    GREY,
    PALETTE,
    SEQUENTIAL,
    check_chart_table,
    colour,
    day_tip,
    dress,
    legend_on_top,
    name_period,
    plot,
    rows_px,
    say_span,
    say_when,
    time_axis,
    tip,
    with_text_days,
)

_OUTSIDE = "not in a cluster"
_OTHERS = "all others"


def chart_narrative_stream(table: pl.DataFrame, *, within: Stretch | None = None) -> alt.Chart:
    """Return posts per period and narrative (`period`, `narrative`, `n_posts`) as a stream, widest where most.

    Clusters, where the table has them, are added up.
    """
    check_chart_table(cut_to(table, within, when="period"), "period", "narrative", "n_posts")
    whole = table.group_by("period", "narrative").agg(pl.col("n_posts").sum()).sort("period", "narrative")
    order, summed = _by_size(whole), cut_to(whole, within, when="period")
    chart = (
        plot(with_text_days(_fill_periods(summed, order), "period"))
        .mark_area(interpolate="monotone")
        .encode(
            x=time_axis("period"),
            y=alt.Y("n_posts:Q", stack="center", title="Posts", axis=None),
            color=colour("narrative", order, title="Narrative", colours=_colours(order)),
            order=alt.Order("rank:Q"),
            tooltip=[day_tip("period"), tip("narrative", "Narrative"), tip("n_posts", "Posts", ",")],
        )
    )
    total = int(summed["n_posts"].sum())
    name = _by_size(summed)[0]
    largest = int(summed.filter(pl.col("narrative") == name)["n_posts"].sum())
    peak = summed.group_by("period").agg(pl.col("n_posts").sum()).sort(["n_posts", "period"], descending=[True, False])
    step = name_period(whole["period"])
    description = (
        f"Posts per {step} by narrative, {say_span(summed['period'], step)}. The largest is “{name}” with "
        f"{largest:,} of {total:,} posts. The busiest {step} is {_say_step(peak['period'][0], step)}, with "
        f"{peak['n_posts'][0]:,} posts.{say_stretch(whole, within, when='period', period=step)}"
    )
    return dress(chart, title="What was said, over time", description=description, height_px=280)


def chart_narrative_heat_map(table: pl.DataFrame, *, within: Stretch | None = None) -> alt.Chart:
    """Return posts by cluster, narrative and period (`cluster_id`, `narrative`, `n_posts`, `period`) as a heat map.

    One row per narrative and cluster, one column per period; colour is the number of posts.
    """
    shown = cut_to(table, within, when="period")
    check_chart_table(shown, "period", "cluster_id", "narrative", "n_posts")
    named = shown.with_columns(
        row=pl.format(
            "{} · {}",
            pl.when(pl.col("cluster_id").is_null())
            .then(pl.lit(_OUTSIDE))
            .otherwise(pl.format("cluster {}", pl.col("cluster_id").fill_null(0))),
            "narrative",
        )
    )
    short = "%Y-%m" if name_period(table["period"]) == "month" else "%Y-%m-%d"
    is_rest = (pl.col("narrative") == _OTHERS).first()
    rows = named.group_by("row", "cluster_id").agg(pl.col("n_posts").sum(), is_rest=is_rest)
    keys = ["cluster_id", "is_rest", "n_posts", "row"]
    order = rows.sort(keys, descending=[False, False, True, False], nulls_last=True)
    chart = (
        plot(named.with_columns(pl.col("period").dt.strftime(short)))
        .mark_rect(stroke=None)
        .encode(
            x=alt.X("period:O", title=None, axis=alt.Axis(labelAngle=-45, labelOverlap=True)),
            y=alt.Y("row:O", title=None, sort=order["row"].to_list()),
            color=alt.Color(
                "n_posts:Q",
                title="Posts",
                scale=alt.Scale(range=list(SEQUENTIAL), type="sqrt", domainMin=0),
                legend=legend_on_top(),
            ),
            tooltip=[tip("row", "Narrative"), tip("period", "From"), tip("n_posts", "Posts", ",")],
        )
    )
    most = named.sort(["n_posts", "row", "period"], descending=[True, False, False]).row(0, named=True)
    step = name_period(table["period"])
    description = (
        f"Posts by narrative and cluster, one column per {step}, {say_span(shown['period'], step)}. The most in one "
        f"cell: {most['n_posts']:,} of {shown['n_posts'].sum():,} posts ({most['row']}, "
        f"{_say_step(most['period'], step)}).{say_stretch(table, within, when='period', period=step)}"
    )
    title = "Which cluster said what, and when"
    return dress(chart, title=title, description=description, height_px=rows_px(order.height))


def chart_campaigns(table: pl.DataFrame, *, within: Stretch | None = None) -> alt.Chart:
    """Return campaigns (columns of `list_campaigns`) as bars from first to last post, one row per narrative.

    With a stretch, only those that begin and end in it.
    """
    shown = cut_campaigns(table, within)
    check_chart_table(shown, "cluster_id", "narrative_id", "label", "kind", "first_at", "last_at", "n_accounts")
    named = shown.with_columns(
        row=pl.format(
            "{}{} {}",
            pl.when(pl.col("cluster_id").is_null())
            .then(pl.lit(""))
            .otherwise(pl.format("cluster {} · ", pl.col("cluster_id").fill_null(0))),
            "narrative_id",
            "label",
        )
    )
    order = named.sort("cluster_id", "first_at", nulls_last=True)["row"].unique(maintain_order=True).to_list()
    kinds = [kind for kind in ("campaign", "side") if kind in named["kind"].to_list()]
    chart = (
        plot(named.with_columns(pl.col("first_at", "last_at").dt.strftime("%Y-%m-%dT%H:%M:%S")))
        .mark_bar(minBandSize=4)
        .encode(
            x=time_axis("first_at"),
            x2=alt.X2("last_at:T"),
            y=alt.Y("row:O", title=None, sort=order),
            color=colour("kind", kinds, title=None, colours=(PALETTE[0], GREY)),
            tooltip=[
                tip("row", "Narrative"),
                tip("kind", "Kind"),
                day_tip("first_at"),
                day_tip("last_at"),
                tip("n_accounts", "Accounts", ","),
            ],
        )
    )
    first = named.sort("first_at").row(0, named=True)
    n = f"{shown.height} {'campaign as a bar' if shown.height == 1 else 'campaigns as bars'}"
    whose = f"{first['n_accounts']:,} {'account' if first['n_accounts'] == 1 else 'accounts'}"
    description = (
        f"{n} from first to last post. The earliest begins on {say_when(first['first_at'])}: {first['row']}, {whose}."
        f"{_say_longer(table.height, shown.height)}"
    )
    title = "Campaigns of these accounts, in their order"
    return dress(chart, title=title, description=description, height_px=rows_px(len(order)))


def cut_campaigns(table: pl.DataFrame, within: Stretch | None) -> pl.DataFrame:
    """Return the campaigns that begin and end in a stretch; all of them without one."""
    if within is None:
        return table
    begins, ends = pl.col("first_at").dt.date(), pl.col("last_at").dt.date()
    return table.filter(begins >= within.first, ends <= within.last)


def _say_longer(n_all: int, n_shown: int) -> str:
    n = n_all - n_shown
    return f" Of all {n_all}, {n} {'begins' if n == 1 else 'begin'} before the days shown or last longer." if n else ""


def _say_step(moment: date, step: str) -> str:
    return f"the week of {say_when(moment)}" if step == "week" else say_when(moment, step)


def _by_size(table: pl.DataFrame) -> list[str]:
    sizes = table.group_by("narrative").agg(pl.col("n_posts").sum(), last=(pl.col("narrative") == _OTHERS).any())
    return sizes.sort(["last", "n_posts", "narrative"], descending=[False, True, False])["narrative"].to_list()


def _colours(order: list[str]) -> list[str]:
    named = iter([*PALETTE, *[GREY] * len(order)])
    return [GREY if name == _OTHERS else next(named) for name in order]


def _fill_periods(table: pl.DataFrame, order: list[str]) -> pl.DataFrame:
    """Return the table with a zero where a narrative has no post in a period: a stream needs every step."""
    steps = {"day": ["1d"], "week": ["1w"], "month": ["1y", "1q", "1mo"]}[name_period(table["period"])]
    every = next(step for step in steps if (table["period"].dt.truncate(step) == table["period"]).all())
    periods = table.select(pl.date_range(pl.col("period").min(), pl.col("period").max(), every))
    grid = periods.join(table.select("narrative").unique(), how="cross")
    filled = grid.join(table, on=["period", "narrative"], how="left").with_columns(pl.col("n_posts").fill_null(0))
    ranks = {name: rank for rank, name in enumerate(order)}
    return filled.with_columns(rank=pl.col("narrative").replace_strict(ranks)).sort("period", "rank")
