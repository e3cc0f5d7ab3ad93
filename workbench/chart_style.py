"""What all charts share: colours, axes, size, and the checks on the table they are drawn from."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from workbench.chart_library import altair as alt
from workbench.schema import ParameterError, SchemaError

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#B0529B", "#9A7400", "#3F8FC4", "#C0506B")
"""Okabe and Ito's colours, darkened where needed to keep 3:1 against white and against near-black."""
GREY = "#7A7A7A"
SEQUENTIAL = ("#DCE9F2", "#8FBBDB", "#3F8FC4", "#00558A", "#00304F")
FONT = "Arial, Helvetica, 'Liberation Sans', 'Noto Sans CJK SC', sans-serif"
"""A still picture's labels are placed by the width of their letters: the page must set them in letters as wide."""
WIDTH_PX = 640
MAX_ROWS = 5000


def cluster_colour(cluster_id: int | None) -> str:
    """Return the colour a cluster has everywhere: its own for the first seven, grey for the rest."""
    return PALETTE[cluster_id - 1] if cluster_id is not None and 1 <= cluster_id <= len(PALETTE) else GREY


def dress(chart: Any, *, title: str, description: str, height_px: int = 260, zooms: bool = True) -> Any:
    """Give a chart its title, text alternative, size, zoom (with Shift, so that the page still scrolls) and manners."""
    if zooms and not isinstance(chart, alt.LayerChart):
        zoom = alt.selection_interval(name="zoom", bind="scales", encodings=["x"], zoom="wheel![event.shiftKey]")
        chart = (
            chart.add_params(zoom) if chart.encoding.x.to_dict().get("type") in ("temporal", "quantitative") else chart
        )
    sized = chart.properties(title=title, description=description, width=WIDTH_PX, height=height_px, autosize="fit")
    return sized.configure(
        font=FONT,
        axis=alt.AxisConfig(labelFontSize=12, titleFontSize=12, titleFontWeight="normal", gridOpacity=0.5),
        axisY=alt.AxisConfig(labelLimit=260),
        legend=alt.LegendConfig(
            labelFontSize=12, titleFontSize=12, titleFontWeight="normal", labelLimit=240, columns=4
        ),
        title=alt.TitleConfig(anchor="start", fontSize=14, fontWeight=600, offset=12),
        view=alt.ViewConfig(stroke=None),
    )


def plot(table: pl.DataFrame) -> Any:
    """Return a chart of the table; loosely typed, as altair's mark methods hide their return type from checkers."""
    return alt.Chart(table)


def check_chart_table(table: pl.DataFrame, *columns: str) -> None:
    """Refuse a table without the columns, without rows, or with more rows than a chart should carry."""
    for column in columns:
        check_column(table, column)
    if not table.height:
        raise ParameterError(
            "Expected at least one row to draw; found none. Say in words why there is nothing to show."
        )
    if table.height > MAX_ROWS:
        raise ParameterError(f"A chart takes at most {MAX_ROWS} rows; found {table.height}. Aggregate the table first.")


def check_still_picture(nodes: pl.DataFrame, edges: pl.DataFrame, *, advice: str) -> None:
    """Refuse a network too large for one still picture; `advice` says how to make it smaller."""
    if nodes.height + edges.height > MAX_ROWS:
        raise ParameterError(
            f"A still picture holds at most {MAX_ROWS} nodes and edges; found {nodes.height + edges.height}. {advice}"
        )


def check_column(table: pl.DataFrame, column: str) -> None:
    """Refuse a table without the column."""
    if column not in table.columns:
        found = ", ".join(f"'{name}'" for name in table.columns)
        raise SchemaError(f"The chart's table lacks column '{column}' (has {found}). Name or make it before drawing.")


def with_text_days(table: pl.DataFrame, column: str) -> pl.DataFrame:
    """Write days with a time and no zone: browsers take a bare date for UTC and would draw it a day early."""
    return table.with_columns(pl.col(column).dt.strftime("%Y-%m-%dT00:00:00"))


def time_axis(column: str, *, timeunit: Any = alt.Undefined) -> alt.X:
    """Return the horizontal axis for a column of days."""
    axis = alt.Axis(labelOverlap=True, labelSeparation=12, tickCount=8)
    return alt.X(f"{column}:T", title=None, timeUnit=timeunit, axis=axis)


def log_axis() -> alt.Axis:
    """Return an axis for logarithmic scales, with few labels, written out: "0.5" and "1,000", never "500m" and "1k"."""
    return alt.Axis(format=",~r", labelOverlap="greedy", tickCount=4)


def log_scale(table: pl.DataFrame, *columns: str) -> alt.Scale:
    """Return a logarithmic scale that holds all values of these columns, with room around them."""
    drawn = [float(value) for row in table.select(columns).rows() for value in row if value]
    return alt.Scale(type="log", domain=[min(drawn) * 0.8, max(drawn) * 1.3], nice=False)


def legend_on_top(**options: Any) -> alt.Legend:
    """Return a legend above the chart, where it costs no width on a phone."""
    return alt.Legend(orient="top", direction="horizontal", symbolOpacity=1, **options)


def colour(column: str, domain: list, *, title: str | None, colours: Any = None, legend: bool = True) -> alt.Color:
    """Return colours by category in a fixed order, past the palette grey; no legend where there is one category."""
    chosen = list(colours or (*PALETTE, *[GREY] * len(domain)))[: len(domain)]
    scale = alt.Scale(domain=domain, range=chosen)
    return alt.Color(
        f"{column}:N", title=title, scale=scale, legend=legend_on_top() if legend and len(domain) > 1 else None
    )


def cluster_colours(clusters: list[int]) -> list[str]:
    """Return each cluster's own colour."""
    return [cluster_colour(cluster_id) for cluster_id in clusters]


def dash(column: str, domain: list, *, title: str | None) -> alt.StrokeDash:
    """Return dash patterns by category, so that lines differ without colour too; one legend with their colours."""
    patterns = [[1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [12, 4]]
    scale = alt.Scale(domain=domain, range=[patterns[index % len(patterns)] for index in range(len(domain))])
    legend = legend_on_top() if len(domain) > 1 else None
    return alt.StrokeDash(f"{column}:N", title=title, scale=scale, legend=legend)


def tip(column: str, title: str, number_format: str | None = None) -> alt.Tooltip:
    """Return one line of a tooltip; a number format makes it a quantity."""
    return alt.Tooltip(f"{column}:{'Q' if number_format else 'N'}", title=title, format=number_format or alt.Undefined)


def day_tip(column: str) -> alt.Tooltip:
    """Return one line of a tooltip for a column of days."""
    return alt.Tooltip(f"{column}:T", title="Day", format="%Y-%m-%d")


def say_when(moment: date, period: str = "day") -> str:
    """Return a day, the first day of a week, or a month in words: "3 June 2019", "June 2019"."""
    return (
        f"{moment:%B %Y}"
        if period == "month"
        else f"{moment:%Y}"
        if period == "year"
        else f"{moment.day} {moment:%B %Y}"
    )


def say_span(days: pl.Series, period: str = "day") -> str:
    """Return the first and last of some days in words: "June 2019 to May 2020"."""
    in_order = days.drop_nulls().sort().to_list()
    first, last = say_when(in_order[0], period), say_when(in_order[-1], period)
    return first if first == last else f"{first} to {last}"


def name_period(days: pl.Series) -> str:
    """Return what a series of first days stands for: "month", "week" or "day"."""
    if (days.dt.day() == 1).all():
        return "month"
    return "week" if (days.dt.weekday() == 1).all() else "day"


def rows_px(count: int) -> int:
    """Return the height of a chart with this many rows."""
    return max(120, 60 + 26 * count)


def listed(names: list[str]) -> str:
    """Return names as a phrase: a, b and c."""
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else str(names[0])
