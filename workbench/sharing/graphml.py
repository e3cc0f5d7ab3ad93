"""The network of a package as GraphML, which Gephi and its kin open."""

from __future__ import annotations

from pathlib import Path

import igraph as ig
import polars as pl


def write_graphml(accounts: pl.DataFrame, signals: pl.DataFrame, path: Path) -> Path:
    """Write accounts as nodes and signals as edges, one edge per trace, and return the path.

    Args:
        accounts: the package's accounts.
        signals: the package's signals.
        path: ends in .graphml.
    """
    names = {account_id: n for n, account_id in enumerate(accounts["account_id"])}
    ends = [(names[a], names[b]) for a, b in signals.select("account_a", "account_b").iter_rows()]
    graph = ig.Graph(n=len(names), edges=ends)
    graph.vs["name"] = accounts["account_id"].to_list()
    for column in ("platform", "kind", "cluster_id"):
        graph.vs[column] = ["" if value is None else str(value) for value in accounts[column]]
    graph.es["trace"] = signals["trace"].to_list()
    graph.es["weight"] = signals["n_co_actions"].to_list()
    graph.es["fdr"] = [0.0 if value is None else float(value) for value in signals["fdr"]]
    graph.write_graphml(str(path))
    return path
