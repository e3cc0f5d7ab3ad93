"""A network packed for the page: what comes out again is what went in."""

from itertools import accumulate

import numpy as np
import polars as pl
import pytest

from workbench.chart_network import GRID, MOST_EDGES, MOST_NODES, pack_network
from workbench.schema import SchemaError

NODES = pl.DataFrame(
    {
        "account_id": ["a", "b", "c"],
        "x": [0.0, 5.0, 10.0],
        "y": [2.0, 2.0, 2.0],
        "cluster_id": [1, 1, None],
        "is_core": [True, False, False],
    }
)
EDGES = pl.DataFrame({"account_a": ["a", "b", "a"], "account_b": ["c", "a", "z"], "n_co_actions": [7, 3, 9]})


def numbers(text: str) -> list[int]:
    return [int(part) for part in text.split()]


def unpack(graph: dict) -> list[tuple[int, int, int]]:
    first = list(accumulate(numbers(graph["first"])))
    return [
        (a, a + more, n) for a, more, n in zip(first, numbers(graph["step"]), numbers(graph["weight"]), strict=True)
    ]


def test_a_small_network_is_packed_as_written_by_hand():
    assert pack_network(NODES, EDGES) == {
        "labels": ["a", "b", "c"],
        "cluster": "1 1 0",
        "core": "1 0 0",
        "x": "0 5000 9999",
        "y": "0 0 0",
        "first": "0 0",
        "step": "1 2",
        "weight": "3 7",
        "colours": {"1": "#0072B2"},
        "n_nodes": 3,
        "n_edges": 2,
        "n_edges_in_all": 2,
    }


def test_labels_stand_in_place_of_ids_where_given():
    assert pack_network(NODES.with_columns(label=pl.Series(["x", "y", "z"])), EDGES)["labels"] == ["x", "y", "z"]


def test_labels_that_would_cover_others_are_tamed():
    labels = ["a\u202eb\x00", "x" * 100_000, "e" + "\u0301" * 40]
    shown = pack_network(NODES.with_columns(label=pl.Series(labels)), EDGES)["labels"]
    assert shown == ["a⟨U+202E⟩b⟨U+0000⟩", "x" * 120 + "…", "e" + "\u0301" * 3]


@pytest.mark.parametrize("seed", [1, 2])
def test_the_strongest_fifty_thousand_pairs_of_five_thousand_accounts_are_kept(seed):
    nodes, edges = big(seed)
    graph = pack_network(nodes, edges)
    assert (graph["n_nodes"], graph["n_edges"]) == (MOST_NODES, MOST_EDGES)
    kept = {(f"acct_{a:05d}", f"acct_{b:05d}", n) for a, b, n in unpack(graph)}
    wanted = edges.filter(pl.col("account_b") < f"acct_{MOST_NODES:05d}").head(MOST_EDGES)
    assert kept == set(wanted.rows())
    assert max(numbers(graph["x"])) == GRID
    assert graph["n_edges_in_all"] > MOST_EDGES


def big(seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Six thousand accounts in forty clusters, eighty thousand pairs, strongest first."""
    rng = np.random.default_rng(seed)
    n = 6_000
    cluster = rng.integers(1, 41, n)
    nodes = pl.DataFrame(
        {
            "account_id": [f"acct_{k:05d}" for k in range(n)],
            "x": np.cos(cluster) * 20 + rng.normal(size=n),
            "y": np.sin(cluster * 3) * 20 + rng.normal(size=n),
            "cluster_id": cluster,
            "is_core": rng.random(n) < 0.6,
        }
    )
    ends = np.sort(rng.integers(0, n, (80_000, 2)), axis=1)
    ends = ends[ends[:, 0] < ends[:, 1]]
    edges = pl.DataFrame(
        {
            "account_a": [f"acct_{k:05d}" for k in ends[:, 0]],
            "account_b": [f"acct_{k:05d}" for k in ends[:, 1]],
            "n_co_actions": rng.integers(1, 90, len(ends)),
        }
    ).unique(["account_a", "account_b"], keep="first", maintain_order=True)
    return nodes, edges.sort("n_co_actions", "account_a", "account_b", descending=[True, False, False])


def test_nothing_to_draw_is_packed_as_nothing():
    graph = pack_network(NODES.clear(), EDGES.clear())
    assert (graph["labels"], graph["x"], graph["first"], graph["n_edges"]) == ([], "", "", 0)


def test_missing_columns_are_named():
    with pytest.raises(SchemaError, match="is_core"):
        pack_network(NODES.drop("is_core"), EDGES)
    with pytest.raises(SchemaError, match="n_co_actions"):
        pack_network(NODES, EDGES.drop("n_co_actions"))
