"""The network of kept edges: fused by hand-computed weights, pruned, drawn the same twice, written and read back."""

import re
from xml.etree import ElementTree as ET

import igraph as ig
import polars as pl
import pytest

from workbench.gexf import format_gexf
from workbench.network import build_network, network_edges, place_accounts, prune_network, write_network
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


def read_gexf(text: bytes) -> tuple[list[dict], list[dict]]:
    """Accounts and edges of a GEXF document as dictionaries, values in the types it declares."""
    space = {"g": "http://www.gexf.net/1.2draft"}
    casts = {"long": int, "double": float, "string": str, "boolean": lambda value: value == "true"}
    graph = ET.fromstring(text).find("g:graph", space)
    rows = {}
    for kind in ("node", "edge"):
        declared = graph.findall(f"g:attributes[@class='{kind}']/g:attribute", space)
        columns = {one.get("id"): (one.get("title"), casts[one.get("type")]) for one in declared}
        rows[kind] = []
        for item in graph.findall(f"g:{kind}s/g:{kind}", space):
            values = [(columns[v.get("for")], v.get("value")) for v in item.findall("g:attvalues/g:attvalue", space)]
            rows[kind].append(dict(item.attrib) | {name: cast(value) for (name, cast), value in values})
    return rows["node"], rows["edge"]


def test_gexf_round_trip_keeps_names_weights_traces_and_clusters(tmp_path):
    network = build_network(SCORED.with_columns(account_b=pl.col("account_b").replace("b", "港口 <b>&")), max_fdr=0.05)
    clusters = pl.DataFrame({"account_id": ["a"], "cluster_id": [1], "strength": [2.5], "is_core": [True]})
    path = write_network(network, tmp_path / "network.gexf", clusters=clusters)
    nodes, edges = read_gexf(path.read_bytes())
    assert [node["label"] for node in nodes] == [node["name"] for node in nodes] == network.vs["name"]
    assert [node["cluster_id"] for node in nodes] == [1, 0, 0]
    assert [node["is_core"] for node in nodes] == [True, False, False]
    assert [float(edge["weight"]) for edge in edges] == network.es["weight"]
    for attribute in ("traces", "n_co_actions", "n_repost", "score_url"):
        assert [edge[attribute] for edge in edges] == network.es[attribute]
    ends = [tuple(sorted(nodes[int(edge[end])]["label"] for end in ("source", "target"))) for edge in edges]
    assert ends == list(network_edges(network).select("account_a", "account_b").iter_rows())


def test_gexf_of_nothing_and_of_names_xml_cannot_hold():
    assert read_gexf(format_gexf(build_network(SCORED.clear(), max_fdr=0.5))) == ([], [])
    odd = ig.Graph(n=2, edges=[(0, 1)])
    odd.vs["name"] = ["a\x00b", "c\ud800"]
    odd.vs["note"] = [None, "seen"]
    nodes, edges = read_gexf(format_gexf(odd))
    assert [node["label"] for node in nodes] == ["a\ufffdb", "c\ufffd"]
    assert [node.get("note") for node in nodes] == [None, "seen"]
    assert edges[0]["weight"] == "1.0"


@pytest.mark.parametrize("name", ["a\x00b", "a\x01b", "c\ud800", "\ufffe"])
def test_graphml_of_names_xml_cannot_hold(tmp_path, name):
    odd = ig.Graph(n=2, edges=[(0, 1)])
    odd.vs["name"] = [name, '<&>"']
    odd.es["weight"] = [0.5]
    back = ig.Graph.Read_GraphML(str(write_network(odd, tmp_path / "odd.graphml")))
    assert back.vs["name"] == back.vs["label"] == [re.sub("[\x00\x01\ud800\ufffe]", "\ufffd", name), '<&>"']
    assert odd.vs["name"][0] == name


def test_both_formats_open_in_gephi_by_its_conventions(tmp_path):
    """What Gephi's importers look for: labels, weights, undirected, distinct ids, and a word on what was kept."""
    network = build_network(SCORED, max_fdr=0.05)
    graphml = write_network(network, tmp_path / "network.graphml").read_text(encoding="utf-8")
    gexf = write_network(network, tmp_path / "network.gexf").read_text(encoding="utf-8")
    assert 'edgedefault="undirected"' in graphml
    assert 'defaultedgetype="undirected"' in gexf
    for attribute in ("label", "weight"):
        assert f'attr.name="{attribute}"' in graphml
        assert f'title="{attribute}"' not in gexf, "Gephi has a column of its own, filled from the attribute"
    assert "max_fdr: 0.05; n_edges_seen: 3; n_edges_kept: 2; traces: repost url" in gexf
    nodes, edges = read_gexf(gexf.encode())
    assert len({node["id"] for node in nodes}) == 3
    assert len({edge["id"] for edge in edges}) == 2


def test_pruning_keeps_the_most_central_and_says_of_how_many():
    rows = [("repost", "a", b, 9, 1.0, 10.0, 0.0) for b in "bcd"] + [("repost", "x", "y", 1, 1.0, 1.0, 0.0)]
    rows.append(("repost", "b", "c", 9, 1.0, 10.0, 0.0))
    network = build_network(pl.DataFrame(rows, schema=SCORED.schema, orient="row"), max_fdr=0.05)
    pruned = prune_network(network, min_percentile=50)
    assert pruned.vs["name"] == ["a", "b", "c"]
    assert pruned.vs["centrality"][0] == pytest.approx(1.0)
    assert (pruned["n_accounts_seen"], pruned["n_accounts_kept"], pruned["min_percentile"]) == (6, 3, 50)
    assert prune_network(network, min_percentile=0).vs["name"] == network.vs["name"]
    assert prune_network(build_network(SCORED.clear(), max_fdr=0.5)).vcount() == 0
    assert prune_network(ig.Graph(n=2)).vcount() == 2
    with pytest.raises(ParameterError, match="min_percentile is 101; expected 0 to 100"):
        prune_network(network, min_percentile=101)


def test_unwritable_targets_are_named(tmp_path):
    network = build_network(SCORED, max_fdr=0.05)
    with pytest.raises(ParameterError, match=r"expected a name ending in \.graphml or \.gexf"):
        write_network(network, tmp_path / "network.csv")
    with pytest.raises(SourceError, match="cannot write"):
        write_network(network, tmp_path / "no such folder" / "network.graphml")
    with pytest.raises(SourceError, match="cannot write"):
        write_network(network, tmp_path / "no such folder" / "network.gexf")
