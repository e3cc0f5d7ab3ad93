"""The network of kept edges: fused by hand-computed weights, drawn the same twice, and read back from GraphML."""

import igraph as ig
import polars as pl
import pytest

from workbench.network import build_network, network_edges, place_accounts, write_network
from workbench.schema import ParameterError, SchemaError, SourceError

SCORED = pl.DataFrame(
    [
        ("repost", "a", "b", 9, 1.0, 10.0, 0.0),
        ("repost", "a", "c", 3, 1.0, 5.0, 0.05),
        ("repost", "c", "d", 1, 1.0, 0.5, 0.6),
        ("url", "a", "c", 4, 1.0, 8.0, 0.01),
    ],
    schema=["trace", "account_a", "account_b", "n_co_actions", "expected_n", "score", "fdr"],
    orient="row",
)


def test_edges_are_kept_by_fdr_and_fused_by_the_largest_normalised_score():
    network = build_network(SCORED, max_fdr=0.05)
    assert network_edges(network).rows() == [
        ("a", "b", 1.0, 9, "repost", 9, 10.0, 0, 0.0),
        ("a", "c", 1.0, 7, "repost url", 3, 5.0, 4, 8.0),
    ]
    assert (network["n_edges_seen"], network["n_edges_kept"], network["traces"]) == (3, 2, "repost url")
    assert build_network(SCORED, max_fdr=0.02).vs["name"] == ["a", "b", "c"]


def test_nothing_beyond_chance_is_an_empty_network():
    network = build_network(SCORED, max_fdr=0.0).subgraph([])
    assert network_edges(network).height == 0
    assert place_accounts(network, seed=1).height == 0
    assert build_network(SCORED.clear(), max_fdr=0.5).vcount() == 0


def test_bad_parameters():
    with pytest.raises(ParameterError, match=r"max_fdr is 1\.5; expected a share from 0 to 1"):
        build_network(SCORED, max_fdr=1.5)
    with pytest.raises(SchemaError, match="scored lacks column 'fdr'"):
        build_network(SCORED.drop("fdr"), max_fdr=0.5)


def test_the_same_seed_draws_the_same_picture():
    network = build_network(SCORED, max_fdr=0.05)
    assert place_accounts(network, seed=3).equals(place_accounts(network, seed=3))
    assert place_accounts(network, seed=3).columns == ["account_id", "x", "y"]


def test_graphml_round_trip_keeps_names_weights_traces_and_clusters(tmp_path):
    network = build_network(SCORED.with_columns(account_b=pl.col("account_b").replace("b", "港口 <b>&")), max_fdr=0.05)
    clusters = pl.DataFrame({"account_id": ["a"], "cluster_id": [1], "strength": [2.5], "is_core": [True]})
    path = write_network(network, tmp_path / "network.graphml", clusters=clusters)
    back = ig.Graph.Read_GraphML(str(path))
    assert back.vs["name"] == network.vs["name"]
    assert back.vs["cluster_id"] == [1, 0, 0]
    assert back.vs["is_core"] == [True, False, False]
    assert back.es["weight"] == network.es["weight"]
    assert back.es["traces"] == network.es["traces"]


def test_unwritable_targets_are_named(tmp_path):
    network = build_network(SCORED, max_fdr=0.05)
    with pytest.raises(ParameterError, match=r"expected a name ending in \.graphml"):
        write_network(network, tmp_path / "network.gexf")
    with pytest.raises(SourceError, match="cannot write"):
        write_network(network, tmp_path / "no such folder" / "network.graphml")
