"""Charts with an axis of time: a closer look at the stretch in which most posts lie, and the whole as a strip below."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl

from workbench.chart_library import altair as alt
from workbench.chart_stretch import Stretch
from workbench.findings import Figure
from workbench.sections.base import make_figure

STRIP_PX = 120
MOST_DAYS = 92
MOST_WEEKS = 92

Draw = Callable[[Stretch | None], tuple[Any, pl.DataFrame]]
"""draws a chart of a stretch, of everything without one, and returns the chart and the whole table it is drawn of"""


def draw_over_time(name: str, draw: Draw, *, within: Stretch | None, is_strip: bool = True) -> list[Figure]:
    """Return the chart of a stretch, and the whole below it where more than a few posts lie outside it.

    Every figure has all of the data for download.

    Args:
        name: the figure's; the whole, where it comes second, is `<name>_whole`.
        draw: draws either.
        within: from `find_stretch`; without it there is one figure, of everything.
        is_strip: whether the whole is drawn as a low strip, as suits lines and areas.
    """
    chart, table = draw(within)
    figures = [make_figure(name, chart, table)]
    if within is None or within.is_nearly_all:
        return figures
    chart, table = draw(None)
    title = f"{chart.title}: the whole time"
    whole = _flatten(chart, title) if is_strip else chart.properties(title=title)
    return [*figures, make_figure(f"{name}_whole", whole, table)]


def choose_step(n_days: int) -> tuple[str, str]:
    """Return the step a closer look at so many days is drawn by, as polars and as a reader says it: "1w", "week"."""
    if n_days <= MOST_DAYS:
        return "1d", "day"
    return ("1w", "week") if n_days <= 7 * MOST_WEEKS else ("1mo", "month")


def _flatten(chart: Any, title: str) -> Any:
    """Return a chart as a low strip, without the legend and the axis' name of the picture above it."""
    chart.encoding.y.title = None
    for channel in (chart.encoding.color, chart.encoding.strokeDash):
        if channel is not alt.Undefined:
            channel.legend = None
    return chart.properties(title=title, height=STRIP_PX)
