"""Charts of the state-media section: one table -> one chart, as in charts.py."""

from __future__ import annotations

import polars as pl

from workbench.chart_library import altair as alt
from workbench.chart_stretch import Stretch, cut_to, say_stretch
from workbench.chart_style import (
    GREY,
    PALETTE,
    check_chart_table,
    cluster_colours,
    colour,
    day_tip,
    dress,
    listed,
    log_axis,
    log_scale,
    plot,
    rows_px,
    say_span,
    say_when,
    time_axis,
    tip,
    with_text_days,
)

_OUTCOMES = {"meets": PALETTE[1], "does not meet": PALETTE[0], "undetermined": "#D9D9D9"}
_MOST_POINTS = 2_000
_MOST_POINTS_CLOSE = 400
_SHORT = {"meets": "meets it", "does not meet": "does not", "undetermined": "unclear"}
"""as they fit a cell on a phone"""
_RATIOS = ("ratio", "ratio_low", "ratio_high")
_STEPS = {"1d": "day", "1w": "week", "1mo": "month"}


def chart_determinations(table: pl.DataFrame) -> alt.LayerChart:
    """Return what each policy makes of each outlet (`outlet`, `policy`, `outcome`) as a table of coloured words."""
    check_chart_table(table, "outlet", "policy", "outcome")
    n_outlets = table["outlet"].n_unique()
    base = plot(table.with_columns(word=pl.col("outcome").replace(_SHORT))).encode(
        x=alt.X(
            "policy:N",
            title=None,
            axis=alt.Axis(
                orient="top",
                labelAngle=0,
                labelLimit=200,
                labelExpr="split(datum.label, ' ')",
                labelPadding=20,  # room for two lines: a top axis sets the first where the only one would be
                ticks=False,
                domain=False,
            ),
        ),
        y=alt.Y("outlet:N", title=None),
        tooltip=[tip("outlet", "Outlet"), tip("policy", "Policy"), tip("outcome", "Outcome")],
    )
    scale = alt.Scale(domain=list(_OUTCOMES), range=list(_OUTCOMES.values()))
    cells = base.mark_rect(stroke="white", strokeWidth=2).encode(color=alt.Color("outcome:N", scale=scale, legend=None))
    words = base.mark_text(fontSize=12).encode(
        text="word:N",
        color=alt.condition(alt.datum.outcome == "undetermined", alt.value("#1A1A1A"), alt.value("white")),
    )
    each = "; ".join(
        _say_outcomes(policy, of_policy)
        for (policy,), of_policy in table.sort("policy").group_by("policy", maintain_order=True)
    )
    is_open = "undetermined" in table["outcome"].to_list()
    unclear = " In the picture “unclear” stands for undetermined." if is_open else ""
    return dress(
        cells + words,
        title="What each policy makes of each outlet",
        description=f"{n_outlets} outlet{'s' * (n_outlets != 1)}, screened by each policy for itself. {each}.{unclear}",
        height_px=rows_px(n_outlets),
    )


def _say_outcomes(policy: object, table: pl.DataFrame) -> str:
    counts = [(outcome, table.filter(pl.col("outcome") == outcome).height) for outcome in _OUTCOMES]
    one = {"meets": "meets it", "does not meet": "does not meet it", "undetermined": "is undetermined"}
    more = {"meets": "meet it", "does not meet": "do not meet it", "undetermined": "are undetermined"}
    return f"{policy}: {listed([f'{n} {(one if n == 1 else more)[outcome]}' for outcome, n in counts if n])}"


def chart_reference_ratios(table: pl.DataFrame) -> alt.LayerChart:
    """Return how many times the share of others' posts each cluster's share is that refers to an outlet.

    Columns `label`, `cluster_id`, `ratio`, `ratio_low`, `ratio_high`; the line at 1 is everybody outside clusters.
    """
    check_chart_table(table, "label", "cluster_id", "ratio", "ratio_low", "ratio_high")
    clusters = table["cluster_id"].unique().sort().to_list()
    scale = log_scale(table.with_columns(pace=1.0), "ratio", "ratio_low", "ratio_high", "pace")
    base = plot(table).encode(y=alt.Y("label:N", title=None, sort=None))
    shade = colour("cluster_id", clusters, title=None, colours=cluster_colours(clusters), legend=False)
    points = base.mark_point(filled=True, size=90, opacity=1).encode(
        x=alt.X("ratio:Q", title="Times the share outside clusters", scale=scale, axis=log_axis()),
        color=shade,
        tooltip=[tip("label", "Cluster and outlet"), tip("ratio", "Times the share", ".1f")],
    )
    bars = base.mark_rule(strokeWidth=2).encode(x=alt.X("ratio_low:Q", scale=scale), x2="ratio_high:Q", color=shade)
    line = plot(pl.DataFrame({"pace": [1.0]})).mark_rule(strokeDash=[4, 4], color=GREY).encode(x="pace:Q")
    return dress(
        line + bars + points,
        title="How much more of their posts referred to an outlet, clusters against everybody else",
        description=f"Ratio of shares with 95% interval, on a logarithmic scale. {_say_ratios(table)}",
        height_px=rows_px(table["label"].n_unique()),
    )


def _say_ratios(table: pl.DataFrame) -> str:
    """The ratios that lie above 1 with their whole interval, one by one; of the others how many there are."""
    above = table.filter(pl.col("ratio_low") > 1)
    said = above.select("label", *(pl.Series(c, [_say_ratio(r) for r in above[c]]) for c in _RATIOS))
    each = "; ".join(f"{label}: {ratio} ({low} to {high})" for label, ratio, low, high in said.iter_rows())
    n_below = table.filter(pl.col("ratio_high") < 1).height
    n_unclear = table.height - above.height - n_below
    counts = [f"{n:,} {words}" for n, words in ((n_below, "below 1"), (n_unclear, "on both sides of 1")) if n]
    rest = (
        f"Of {table.height:,} {'interval' if table.height == 1 else 'intervals'}: {' and '.join(counts)}."
        if counts
        else ""
    )
    return " ".join(part for part in (f"Above 1: {each}." if each else "", rest) if part)


def _say_ratio(ratio: float) -> str:
    return f"{ratio:,.0f}" if ratio >= 100 else f"{ratio:.1f}" if ratio >= 0.95 else f"{ratio:.1g}"


def coarsen_days(table: pl.DataFrame, *, within: Stretch | None = None) -> tuple[pl.DataFrame, str]:
    """Return posts per day and group by week or month where a line per group would have too many points, and the step.

    Args:
        table: day, group, n_posts.
        within: the days that will be drawn; without it, all.

    Returns:
        The table, day being the first of its week or month; "1d", "1w" or "1mo".
    """
    drawn = cut_to(table, within, when="day")
    n_days = drawn.select((pl.col("day").max() - pl.col("day").min()).dt.total_days()).item() + 1
    n_points = n_days * table["group"].n_unique()
    most = _MOST_POINTS if within is None else _MOST_POINTS_CLOSE
    every = "1d" if n_points <= most else "1w" if n_points <= 7 * most else "1mo"
    by_step = table.group_by(pl.col("day").dt.truncate(every), "group").agg(pl.col("n_posts").sum())
    return by_step.sort("day", "group"), every


def chart_references_per_day(table: pl.DataFrame, *, within: Stretch | None = None) -> alt.Chart:
    """Return posts that refer to outlets per day (`day`, `group`, `n_posts`) as one line per group.

    A day without a row is drawn as none. Long spans are drawn by week or month.
    """
    check_chart_table(table.head(1), "day", "group", "n_posts")  # its length is mended below
    table, every = coarsen_days(table, within=within)
    shown = cut_to(table, within, when="day")
    days = shown.select(pl.date_range(pl.col("day").min(), pl.col("day").max(), every))
    groups = table["group"].unique().sort().to_list()
    each = days.join(pl.DataFrame({"group": groups}), how="cross").join(shown, on=["day", "group"], how="left")
    filled = each.with_columns(pl.col("n_posts").fill_null(0)).sort("day", "group")
    chart = (
        plot(with_text_days(filled, "day"))
        .mark_line(interpolate="step", strokeWidth=1.6)
        .encode(
            x=time_axis("day"),
            y=alt.Y("n_posts:Q", title="Posts that refer to an outlet"),
            color=colour("group", groups, title="Group"),
            tooltip=[day_tip("day"), tip("group", "Group"), tip("n_posts", "Posts", ",")],
        )
    )
    most = shown.sort("n_posts", "day", descending=[True, False]).row(0, named=True)
    step = _STEPS[every]
    description = (
        f"Posts per {step} that link to, repost, quote or copy an outlet, by {listed(groups)}, "
        f"{say_span(shown['day'], step)}. The most by one group in one {step}: {most['n_posts']:,} "
        f"({most['group']}, {'week of ' if step == 'week' else ''}{say_when(most['day'], step)})."
        f"{say_stretch(table, within, period=step)}"
    )
    return dress(chart, title=f"Posts that refer to an outlet, by {step}", description=description)
