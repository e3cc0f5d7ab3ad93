"""A chart of the conversation: the network's posts within everybody's."""

from __future__ import annotations

import polars as pl

from workbench.chart_library import altair as alt
from workbench.chart_stretch import Stretch, cut_to, say_stretch
from workbench.chart_style import (
    GREY,
    PALETTE,
    check_chart_table,
    day_tip,
    dress,
    legend_on_top,
    plot,
    say_span,
    say_when,
    time_axis,
    tip,
    with_text_days,
)

_GROUPS = ("the network", "everybody else")


def chart_conversation(table: pl.DataFrame, *, period: str, within: Stretch | None = None) -> alt.Chart:
    """Return a conversation's posts per day, week or month (`day`, `group`, `n_posts`), the network's at the bottom."""
    shown = cut_to(table, within, when="day")
    check_chart_table(shown, "day", "group", "n_posts")
    ranked = shown.with_columns(rank=pl.col("group").replace_strict({name: n for n, name in enumerate(_GROUPS)}))
    chart = (
        plot(with_text_days(ranked, "day"))
        .mark_area(interpolate="step-after", opacity=1)
        .encode(
            x=time_axis("day"),
            y=alt.Y("n_posts:Q", stack="zero", title=f"Posts per {period}"),
            color=alt.Color(
                "group:N",
                title=None,
                scale=alt.Scale(domain=list(_GROUPS), range=[PALETTE[1], GREY]),
                legend=legend_on_top(),
            ),
            order=alt.Order("rank:Q"),
            tooltip=[day_tip("day"), tip("group", "Whose"), tip("n_posts", "Posts", ",")],
        )
    )
    own = int(shown.filter(pl.col("group") == _GROUPS[0])["n_posts"].sum())
    whole = int(shown["n_posts"].sum())
    peak = shown.filter(pl.col("group") == _GROUPS[0]).sort("n_posts", "day", descending=[True, False]).row(0)
    when = f"on {say_when(peak[0])}" if period == "day" else f"in {say_when(peak[0], period)}"
    when = f"in the week of {say_when(peak[0])}" if period == "week" else when
    description = (
        f"Posts of the conversation per {period}, {say_span(shown['day'], period)}: {own:,} of these {whole:,} are the "
        f"network's. It posted most {when}: {peak[2]:,} posts.{say_stretch(table, within, period=period)}"
    )
    title = f"The conversation per {period}, and the network's part of it"
    return dress(chart, title=title, description=description)
