"""One table -> one chart: no joins, no thresholds, a title that says what it shows, a description to stand for it."""

from __future__ import annotations

import polars as pl

from workbench.chart_library import altair as alt
from workbench.chart_stretch import Stretch, cut_to, say_stretch
from workbench.chart_style import (
    GREY,
    PALETTE,
    SEQUENTIAL,
    check_chart_table,
    check_column,
    check_still_picture,
    cluster_colours,
    colour,
    dash,
    day_tip,
    dress,
    legend_on_top,
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

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def chart_posts_per_day(table: pl.DataFrame, *, period: str = "day", within: Stretch | None = None) -> alt.Chart:
    """Return posts per day, week or month (`day`, its first day; `group`; `n_posts`) as one line per group."""
    shown = cut_to(table, within, when="day")
    check_chart_table(shown, "day", "group", "n_posts")
    groups = table["group"].unique().sort().to_list()
    busiest = shown.group_by("day").agg(pl.col("n_posts").sum()).sort("n_posts", "day", descending=[True, False]).row(0)
    base = plot(with_text_days(shown, "day")).mark_line(interpolate="step-after", strokeWidth=1.6)
    chart = base.encode(
        x=time_axis("day"),
        y=alt.Y("n_posts:Q", title=f"Posts per {period}"),
        color=colour("group", groups, title="Group"),
        strokeDash=dash("group", groups, title="Group"),
        tooltip=[day_tip("day"), tip("group", "Group"), tip("n_posts", "Posts", ",")],
    )
    of = "" if groups == ["all accounts"] else f" of {listed(groups)}"
    that = f"that of {say_when(busiest[0])}" if period == "week" else say_when(busiest[0], period)
    description = (
        f"Posts per {period}{of}, {say_span(shown['day'], period)}. The busiest {period} is {that}, with "
        f"{busiest[1]:,} posts.{say_stretch(table, within, period=period)}"
    )
    title = f"Posts per {period}" + (", by group" if len(groups) > 1 else "")
    return dress(chart, title=title, description=description)


def chart_account_creation(table: pl.DataFrame, *, period: str = "month") -> alt.Chart:
    """Return accounts created per period (`created_at`, `n_accounts`, `is_burst`) as bars, bursts in another colour."""
    check_chart_table(table, "created_at", "n_accounts", "is_burst")
    bursts = table.filter("is_burst")
    named = table.with_columns(pl.when("is_burst").then(pl.lit("burst")).otherwise(pl.lit("other")).alias("kind"))
    timeunit = {"day": "yearmonthdate", "month": "yearmonth", "year": "year"}[period]
    chart = (
        plot(with_text_days(named, "created_at"))
        .mark_bar()
        .encode(
            x=time_axis("created_at", timeunit=timeunit),
            y=alt.Y("n_accounts:Q", title=f"Accounts created per {period}"),
            color=alt.Color(
                "kind:N",
                title=None,
                scale=alt.Scale(domain=["other", "burst"], range=[PALETTE[0], PALETTE[1]]),
                legend=legend_on_top() if bursts.height else None,
            ),
            tooltip=[day_tip("created_at"), tip("n_accounts", "Accounts", ","), tip("kind", "Kind")],
        )
    )
    most = table.sort("n_accounts", "created_at", descending=[True, False]).row(0, named=True)
    held = f"holding {bursts['n_accounts'].sum():,} of {table['n_accounts'].sum():,} accounts"
    marked = f"{bursts.height} of {table.height} bars {'is marked as a burst' if bursts.height == 1 else 'are bursts'}"
    description = (
        f"Accounts created per {period}, {say_span(table['created_at'], period)}. The most in one {period}: "
        f"{most['n_accounts']:,}, in {say_when(most['created_at'], period)}. "
        f"{marked + ', ' + held if bursts.height else 'No bar is a burst'}."
    )
    return dress(chart, title=f"When the accounts were created, by {period}", description=description)


def chart_week_hours(table: pl.DataFrame, *, time_zone: str) -> alt.Chart:
    """Return posts by weekday (1 = Monday) and hour (`weekday`, `hour`, `n_posts`) as a heat map in one time zone."""
    check_chart_table(table, "weekday", "hour", "n_posts")
    names = dict(enumerate(WEEKDAYS, start=1))
    named = table.with_columns(pl.col("weekday").replace_strict(names, return_dtype=pl.String))
    total = table["n_posts"].sum()
    office = table.filter((pl.col("weekday") <= 5) & pl.col("hour").is_between(9, 17))["n_posts"].sum()
    chart = (
        plot(named)
        .mark_rect(stroke=None)
        .encode(
            x=alt.X("hour:O", title=f"Hour of the day ({time_zone})", axis=alt.Axis(labelAngle=0, labelOverlap=True)),
            y=alt.Y("weekday:O", title=None, sort=list(WEEKDAYS)),
            color=alt.Color(
                "n_posts:Q", title="Posts", scale=alt.Scale(range=list(SEQUENTIAL), domainMin=0), legend=legend_on_top()
            ),
            tooltip=[tip("weekday", "Day"), tip("hour", "Hour"), tip("n_posts", "Posts", ",")],
        )
    )
    description = (
        f"Posts by weekday and hour, {time_zone} time: {office:,} of {total:,} posts fall on Monday to Friday "
        "between 9:00 and 17:59."
    )
    return dress(chart, title=f"When they posted, in {time_zone} time", description=description, height_px=250)


def chart_languages_over_time(table: pl.DataFrame, *, within: Stretch | None = None) -> alt.Chart:
    """Return the languages of posts per month (`period`, `language`, `n_posts`) as stacked shares."""
    shown = cut_to(table, within, when="period")
    check_chart_table(shown, "period", "language", "n_posts")
    totals = shown.group_by("language").agg(pl.col("n_posts").sum())
    order = totals.sort("n_posts", "language", descending=[True, False])["language"].to_list()
    ranks = {language: rank for rank, language in enumerate(order)}
    chart = (
        plot(with_text_days(shown, "period").with_columns(rank=pl.col("language").replace_strict(ranks)))
        .mark_bar()
        .encode(
            x=time_axis("period", timeunit="yearmonth"),
            y=alt.Y("n_posts:Q", stack="normalize", title="Share of posts", axis=alt.Axis(format="%")),
            color=colour("language", order, title="Language"),
            order=alt.Order("rank:Q"),
            tooltip=[day_tip("period"), tip("language", "Language"), tip("n_posts", "Posts", ",")],
        )
    )
    total = int(shown["n_posts"].sum())
    first = int(totals.filter(pl.col("language") == order[0])["n_posts"].sum())
    description = (
        f"Share of posts by language, {say_span(shown['period'], 'month')}. "
        f"The most used is {order[0]}: {first:,} of {total:,} posts."
        f"{say_stretch(table, within, when='period', period='month')}"
    )
    return dress(chart, title="Languages of the posts over time", description=description)


def chart_weight_distribution(table: pl.DataFrame) -> alt.Chart:
    """Return how many edges have how many co-actions (`n_co_actions`, `kind`, `n_edges`), on logarithmic axes.

    `kind` is "observed" or "by chance"; the two are drawn beside each other.
    """
    check_chart_table(table, "n_co_actions", "kind", "n_edges")
    kinds = ["observed", "by chance"]
    drawn = table.filter(pl.col("n_edges") > 0)
    chart = (
        plot(drawn)
        .mark_point(filled=True, size=46, opacity=1)
        .encode(
            x=alt.X(
                "n_co_actions:Q",
                title="Co-actions of the pair",
                scale=log_scale(drawn, "n_co_actions"),
                axis=log_axis(),
            ),
            y=alt.Y("n_edges:Q", title="Pairs of accounts", scale=log_scale(drawn, "n_edges"), axis=log_axis()),
            color=colour("kind", kinds, title=None, colours=(PALETTE[1], GREY)),
            shape=alt.Shape("kind:N", scale=alt.Scale(domain=kinds, range=["circle", "diamond"]), title=None),
            tooltip=[tip("kind", "Kind"), tip("n_co_actions", "Co-actions", ","), tip("n_edges", "Pairs", ",.1f")],
        )
    )
    seen, chance = (table.filter(pl.col("kind") == kind) for kind in kinds)
    description = (
        f"How many pairs of accounts have how many co-actions, a pair counted once per trace. Observed: "
        f"{seen['n_edges'].sum():,.0f} pairs, up to "
        f"{seen['n_co_actions'].max() or 0:,} co-actions. By chance: {chance['n_edges'].sum():,.0f} pairs, up to "
        f"{chance['n_co_actions'].max() or 0:,}."
    )
    return dress(chart, title="Co-actions per pair, observed and by chance", description=description)


def chart_cluster_sizes(table: pl.DataFrame) -> alt.Chart:
    """Return the accounts of each cluster, core and periphery (`cluster_id`, `role`, `n_accounts`), as bars."""
    check_chart_table(table, "cluster_id", "role", "n_accounts")
    clusters = table["cluster_id"].unique().sort().to_list()
    chart = (
        plot(table)
        .mark_bar()
        .encode(
            y=alt.Y("cluster_id:O", title="Cluster"),
            x=alt.X("n_accounts:Q", title="Accounts"),
            color=colour("cluster_id", clusters, title=None, colours=cluster_colours(clusters), legend=False),
            opacity=alt.Opacity(
                "role:O",
                title=None,
                scale=alt.Scale(domain=["core", "periphery"], range=[1, 0.5]),
                legend=legend_on_top(),
            ),
            order=alt.Order("role:O"),
            tooltip=[tip("cluster_id", "Cluster"), tip("role", "Role"), tip("n_accounts", "Accounts", ",")],
        )
    )
    largest = table.filter(pl.col("cluster_id") == clusters[0])["n_accounts"].sum()
    description = (
        f"{_name_clusters(len(clusters))}; cluster {clusters[0]} has {largest:,} accounts, core and periphery together."
    )
    return dress(chart, title="Accounts in each cluster", description=description, height_px=rows_px(len(clusters)))


def _name_clusters(n: int) -> str:
    return f"{n:,} {'cluster' if n == 1 else 'clusters'}"


def chart_cluster_ratios(table: pl.DataFrame) -> alt.Chart:
    """Return how many times as often as others each cluster acted together, with intervals where given.

    Columns `cluster_id`, `ratio`, `ratio_low`, `ratio_high`, `grade`; the line at 1 is the pace of everybody else.
    """
    check_chart_table(table, "cluster_id", "ratio", "ratio_low", "ratio_high", "grade")
    clusters = table["cluster_id"].unique().sort().to_list()
    scale = log_scale(table.with_columns(pace=1.0), "ratio", "ratio_low", "ratio_high", "pace")
    base = plot(table).encode(y=alt.Y("cluster_id:O", title="Cluster"))
    shade = colour("cluster_id", clusters, title=None, colours=cluster_colours(clusters), legend=False)
    tips = [tip("cluster_id", "Cluster"), tip("ratio", "Times as often", ".1f"), tip("grade", "Grade")]
    points = base.mark_point(filled=True, size=90, opacity=1).encode(
        x=alt.X("ratio:Q", title="Times as often as others, on the same objects", scale=scale, axis=log_axis()),
        color=shade,
        tooltip=tips,
    )
    bars = base.mark_rule(strokeWidth=2).encode(x=alt.X("ratio_low:Q", scale=scale), x2="ratio_high:Q", color=shade)
    line = plot(pl.DataFrame({"pace": [1.0]})).mark_rule(strokeDash=[4, 4], color=GREY).encode(x="pace:Q")
    each = "; ".join(f"cluster {row['cluster_id']}: {row['ratio']:.1f}" for row in table.sort("cluster_id").to_dicts())
    description = f"Co-actions inside each cluster, as a multiple of what others on the same objects give: {each}."
    title = "How much more often than others they acted on the same things at the same time"
    return dress(line + bars + points, title=title, description=description, height_px=rows_px(len(clusters)))


def chart_sensitivity(table: pl.DataFrame) -> alt.Chart:
    """Return what other settings would have found (`time_window_s`, `max_fdr`, `n_accounts`) one line per limit."""
    check_chart_table(table, "time_window_s", "max_fdr", "n_accounts")
    named = table.with_columns(pl.Series("limit", [f"{100 * limit:g}%" for limit in table["max_fdr"]]))
    limits = named.sort("max_fdr")["limit"].unique(maintain_order=True).to_list()
    chart = (
        plot(named)
        .mark_line(point=alt.OverlayMarkDef(size=60, filled=True), strokeWidth=1.6)
        .encode(
            x=alt.X("time_window_s:O", title="Time window (seconds)", axis=alt.Axis(labelAngle=0)),
            y=alt.Y("n_accounts:Q", title="Accounts in clusters"),
            color=colour("limit", limits, title="False discovery limit"),
            tooltip=[
                tip("time_window_s", "Window, s"),
                tip("limit", "False discovery limit"),
                tip("n_accounts", "Accounts", ","),
            ],
        )
    )
    windows = [f"{window:g}" for window in table["time_window_s"].unique().sort()]
    least, most = table.select(least=pl.col("n_accounts").min(), most=pl.col("n_accounts").max()).row(0)
    found = f"{most:,} with every setting" if least == most else f"between {least:,} and {most:,}"
    description = (
        f"Accounts found in clusters with windows of {listed(windows)} seconds and false discovery limits of "
        f"{listed(limits)}: {found}."
    )
    return dress(chart, title="What other windows and thresholds would have found", description=description)


def chart_case_timeline(table: pl.DataFrame) -> alt.Chart:
    """Return when each case's posts begin and end (`case`, `first_day`, `last_day`, `platform`), one bar per case."""
    check_chart_table(table, "case", "first_day", "last_day", "platform")
    order = table.sort("first_day", "case")["case"].to_list()
    days = with_text_days(with_text_days(table, "first_day"), "last_day")
    platforms = table["platform"].unique().sort().to_list()
    bars = plot(days).mark_bar(height=12, cornerRadius=2)
    chart = bars.encode(
        x=time_axis("first_day"),
        x2="last_day:T",
        y=alt.Y("case:N", title=None, sort=order),
        color=colour("platform", platforms, title="Platform"),
        tooltip=[tip("case", "Case"), day_tip("first_day"), tip("platform", "Platform")],
    )
    description = (
        f"{table.height} {'case' if table.height == 1 else 'cases'} with dated posts, "
        f"{say_span(pl.concat([table['first_day'], table['last_day']]))}; the earliest is {order[0]}"
        f"{', the last to begin ' + order[-1] if table.height > 1 else ''}."
    )
    title = "When each case's posts begin and end"
    return dress(chart, title=title, description=description, height_px=rows_px(table.height), zooms=False)


def chart_network(
    nodes: pl.DataFrame, edges: pl.DataFrame, *, n_accounts: int | None = None, n_pairs: int | None = None
) -> alt.LayerChart:
    """Return a still picture of a network: nodes at their places, edges as lines, one colour per cluster.

    Args:
        nodes: `account_id`, `x`, `y`, `cluster_id`, `is_core`.
        edges: `x`, `y`, `x2`, `y2`, `cluster_id` (null between clusters).
        n_accounts: accounts there are in all, where only some are drawn.
        n_pairs: pairs there are between them in all, where only some are drawn.
    """
    check_chart_table(nodes, "account_id", "x", "y", "cluster_id", "is_core")
    for column in ("x", "y", "x2", "y2", "cluster_id"):
        check_column(edges, column)
    check_still_picture(nodes, edges, advice="Draw the backbone: the heaviest edges of the largest clusters.")
    clusters = nodes["cluster_id"].drop_nulls().unique().sort().to_list()
    shade = colour("cluster_id", clusters, title="Cluster", colours=cluster_colours(clusters))
    x = alt.X("x:Q", axis=None, scale=alt.Scale(nice=False, zero=False))
    y = alt.Y("y:Q", axis=None, scale=alt.Scale(nice=False, zero=False))
    strokes = plot(edges).mark_rule(opacity=0.28, strokeWidth=0.8)
    strokes = strokes.encode(x=x, y=y, x2="x2:Q", y2="y2:Q", color=shade)
    points = plot(nodes).mark_point(filled=True, opacity=1)
    points = points.encode(
        x=x,
        y=y,
        color=shade,
        size=alt.Size("is_core:O", scale=alt.Scale(domain=[False, True], range=[22, 64]), legend=None),
        tooltip=[tip("account_id", "Account"), tip("cluster_id", "Cluster")],
    )
    some = f"{nodes.height:,} of {n_accounts:,}" if n_accounts and n_accounts > nodes.height else f"{nodes.height:,}"
    lines = f"{edges.height:,} {'line' if edges.height == 1 else 'lines'}"
    of_all = f", the furthest beyond chance of {n_pairs:,} such pairs" if n_pairs and n_pairs > edges.height else ""
    description = (
        f"{some} accounts in {_name_clusters(len(clusters))}. {lines} join two that acted on the same things at the "
        f"same time{of_all}. Place and distance follow from the layout and mean nothing by themselves."
    )
    title = "Who acted with whom, inside and between the clusters"
    return dress(strokes + points, title=title, description=description, height_px=460, zooms=False)
