"""A network for looking around in: accounts at their places and who acted with whom, small enough to stand in a page.

Places and pairs are whole numbers in text, each the difference from the one before where that is shorter. The page's
own script draws them on a canvas; without it the still picture stays.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import polars as pl

from workbench.chart_style import check_column, cluster_colour
from workbench.invisible import spell_invisible, unstack_marks

MOST_NODES = 5_000
MOST_EDGES = 50_000
GRID = 9_999
"""places are whole numbers from 0 to this"""
MOST_LABEL_CHARACTERS = 120


def pack_network(nodes: pl.DataFrame, edges: pl.DataFrame) -> dict[str, Any]:
    """Return a network as the page's script reads it.

    Args:
        nodes: `account_id`, `x`, `y`, `cluster_id` (null in none), `is_core`; the first MOST_NODES are kept. A column
            `label` is shown in place of account_id.
        edges: `account_a`, `account_b`, `n_co_actions`, the strongest first; the first MOST_EDGES between kept nodes
            are kept.

    Returns:
        labels (list), cluster, core, x, y (whole numbers as text), first, step, weight (per pair, sorted: how far its
        first account is from that of the pair before, how far its second is from its first, co-actions), colours
        (cluster -> colour), n_nodes, n_edges, n_edges_in_all.

    Raises:
        SchemaError: a column is missing.
    """
    for column in ("account_id", "x", "y", "cluster_id", "is_core"):
        check_column(nodes, column)
    for column in ("account_a", "account_b", "n_co_actions"):
        check_column(edges, column)
    kept = nodes.head(MOST_NODES).with_row_index("place")
    at = kept.select("account_id", pl.col("place").cast(pl.Int64))
    inside = (
        edges.select(pl.col("account_a", "account_b").cast(pl.String), "n_co_actions")
        .join(at.rename({"account_id": "account_a", "place": "a"}), on="account_a", maintain_order="left")
        .join(at.rename({"account_id": "account_b", "place": "b"}), on="account_b", maintain_order="left")
    )
    pairs = inside.head(MOST_EDGES).select(
        a=pl.min_horizontal("a", "b"), b=pl.max_horizontal("a", "b"), n=pl.col("n_co_actions")
    )
    pairs = pairs.sort("a", "b")
    first = pairs["a"].to_list()
    clusters = kept["cluster_id"].drop_nulls().unique().sort().to_list()
    return {
        "labels": [_tame(label) for label in kept["label" if "label" in kept.columns else "account_id"]],
        "cluster": _text(kept["cluster_id"].fill_null(0)),
        "core": _text(kept["is_core"].fill_null(value=False).cast(pl.Int64)),
        "x": _text(_spread(kept["x"])),
        "y": _text(_spread(kept["y"])),
        "first": _text([after - before for before, after in pairwise([0, *first])]),
        "step": _text(pairs["b"] - pairs["a"]),
        "weight": _text(pairs["n"]),
        "colours": {str(cluster): cluster_colour(cluster) for cluster in clusters},
        "n_nodes": kept.height,
        "n_edges": pairs.height,
        "n_edges_in_all": inside.height,
    }


def _spread(values: pl.Series) -> list[int]:
    low, high = min(values, default=0.0), max(values, default=0.0)
    size = (high - low) or 1.0
    return [round(GRID * (value - low) / size) for value in values]


def _tame(label: object) -> str:
    """Return a label that covers no other: no invisible characters, no towers of marks, no page of text."""
    text = unstack_marks(spell_invisible(str(label)[:MOST_LABEL_CHARACTERS]))
    return text + "…" if len(str(label)) > MOST_LABEL_CHARACTERS else text


def _text(numbers: Any) -> str:
    return " ".join(str(int(number)) for number in numbers)
