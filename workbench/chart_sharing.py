"""Charts of a tip and of two platforms: what was found by how many independent signs, and who bridges the two."""

from __future__ import annotations

import polars as pl

from workbench.chart_library import altair as alt
from workbench.chart_style import (
    GREY,
    PALETTE,
    check_chart_table,
    check_column,
    check_still_picture,
    colour,
    dress,
    listed,
    plot,
    rows_px,
    tip,
)

_SHAPES = {"account": "circle", "page": "square", "group": "triangle-up", "channel": "diamond"}


def chart_verdicts(table: pl.DataFrame) -> alt.Chart:
    """Return how many accounts of each kind stand under each verdict (`verdict`, `kind`, `n_accounts`), as bars."""
    check_chart_table(table, "verdict", "kind", "n_accounts")
    verdicts = table["verdict"].unique(maintain_order=True).to_list()
    kinds = [kind for kind in _SHAPES if kind in table["kind"].to_list()]
    chart = (
        plot(table)
        .mark_bar()
        .encode(
            y=alt.Y("verdict:N", title=None, sort=verdicts),
            x=alt.X("n_accounts:Q", title="Accounts, pages, groups and channels hit"),
            color=colour("kind", kinds, title=None),
            tooltip=[tip("verdict", "Verdict"), tip("kind", "Kind"), tip("n_accounts", "How many", ",")],
        )
    )
    each = "; ".join(
        f"{verdict}: {table.filter(pl.col('verdict') == verdict)['n_accounts'].sum():,}" for verdict in verdicts
    )
    title = "What the tip hits on the second platform, by how well it is corroborated"
    return dress(chart, title=title, description=f"Accounts hit, by verdict: {each}.", height_px=rows_px(len(verdicts)))


def chart_bridge(nodes: pl.DataFrame, edges: pl.DataFrame, *, n_pairs: int | None = None) -> alt.LayerChart:
    """Return a picture of who acted with whom on and across platforms: one colour per platform, one shape per kind.

    Args:
        nodes: `account_id`, `x`, `y`, `platform`, `kind`.
        edges: `x`, `y`, `x2`, `y2`, `is_bridge`.
        n_pairs: pairs there are in all, where only some are drawn.
    """
    check_chart_table(nodes, "account_id", "x", "y", "platform", "kind")
    for column in ("x", "y", "x2", "y2", "is_bridge"):
        check_column(edges, column)
    check_still_picture(nodes, edges, advice="Draw the heaviest edges only.")
    platforms = nodes["platform"].unique().sort().to_list()
    kinds = [kind for kind in _SHAPES if kind in nodes["kind"].to_list()]
    x = alt.X("x:Q", axis=None, scale=alt.Scale(nice=False, zero=False))
    y = alt.Y("y:Q", axis=None, scale=alt.Scale(nice=False, zero=False))
    lines = plot(edges).mark_rule(strokeWidth=0.8)
    lines = lines.encode(
        x=x,
        y=y,
        x2="x2:Q",
        y2="y2:Q",
        color=alt.condition("datum.is_bridge", alt.value(PALETTE[1]), alt.value(GREY)),
        opacity=alt.condition("datum.is_bridge", alt.value(0.5), alt.value(0.15)),
    )
    points = plot(nodes).mark_point(filled=True, opacity=1, size=60)
    points = points.encode(
        x=x,
        y=y,
        color=colour("platform", platforms, title="Platform"),
        shape=alt.Shape(
            "kind:N",
            title="Kind",
            scale=alt.Scale(domain=kinds, range=[_SHAPES[kind] for kind in kinds]),
        ),
        tooltip=[tip("account_id", "Account"), tip("platform", "Platform"), tip("kind", "Kind")],
    )
    n_bridges = int(edges["is_bridge"].sum())
    of_all = f", of {n_pairs:,} pairs in all" if n_pairs and n_pairs > edges.height else ""
    description = (
        f"{nodes.height:,} accounts, pages and groups on {listed(platforms)}. A line joins two that posted the same "
        f"thing at the same time; {n_bridges:,} of the {edges.height:,} lines drawn join two platforms{of_all}. Place "
        "and distance follow from the layout and mean nothing by themselves."
    )
    return dress(
        lines + points,
        title="Who acted with whom, on and across platforms",
        description=description,
        height_px=460,
        zooms=False,
    )
