"""scored edges -> the coordination network: one igraph graph of the edges beyond chance, traces fused, layers kept.

And out of it: pruned by centrality, laid out, written for Gephi.
"""

from __future__ import annotations

import random
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from warnings import catch_warnings, simplefilter

import igraph as ig
import numpy as np
import polars as pl

from workbench.action_log import ActionLog
from workbench.content_order import order_by_content
from workbench.gexf import clean_text, format_gexf
from workbench.schema import ParameterError, SourceError, check_table

WEIGHT_STEPS = 1_000_000_000
"""weights are told apart to so many steps of 1"""


def build_network(scored: pl.DataFrame, *, max_fdr: float) -> ig.Graph:
    """Return the network of the edges whose false discovery rate is at or under `max_fdr`.

    Args:
        scored: table `scored` (edges of one or several traces).
        max_fdr: 0..1, the line drawn in each trace.

    Returns:
        An undirected igraph graph. Vertices: name (account_id), sorted. Edges: weight (0..1, the largest over the
        traces of score / that trace's largest kept score), n_co_actions (sum over traces), traces (names, joined by
        a blank), and per trace `n_<trace>` and `score_<trace>` (0 where the pair has no kept edge in that trace).
        Graph attributes: max_fdr, n_edges_seen, n_edges_kept, traces: what was kept, and of how many.

    Raises:
        ParameterError: `max_fdr` outside 0..1.
        SchemaError: `scored` is not a table of scored edges.

    Source: union of layers by largest weight as in Luceri et al. 2024. Differs: their weight is a cosine.
    Beware: an edge at the line is as likely false as `max_fdr` says; read clusters, not single edges.
    """
    if not 0 <= max_fdr <= 1:
        raise ParameterError(f"max_fdr is {max_fdr}; expected a share from 0 to 1.")
    scored = check_table(scored, "scored")
    kept = scored.filter(pl.col("fdr") <= max_fdr).with_columns(
        pl.col("account_a", "account_b").cast(pl.String),
        weight=(pl.col("score") / pl.col("score").max().over("trace")).fill_nan(1.0).clip(0, 1),
    )
    traces = scored["trace"].cast(pl.String).unique().sort().to_list()
    layers = [
        pl.when(trace=name).then(pl.col(column)).otherwise(0).sum().alias(f"{short}_{name}")
        for name in traces
        for short, column in (("n", "n_co_actions"), ("score", "score"))
    ]
    fused = (
        kept.group_by("account_a", "account_b")
        .agg(
            pl.col("weight").max(),
            pl.col("n_co_actions").sum(),
            pl.col("trace").cast(pl.String).sort().str.join(" ").alias("traces"),
            *layers,
        )
        .sort("account_a", "account_b")
    )
    network = _graph(fused)
    network["max_fdr"] = max_fdr
    network["n_edges_seen"] = scored.select("account_a", "account_b").unique().height
    network["n_edges_kept"] = fused.height
    network["traces"] = " ".join(traces)
    return network


def connect_members(edges: pl.DataFrame, clusters: pl.DataFrame) -> ig.Graph:
    """Return the co-actions among clustered accounts as a graph, for a picture: every edge between two members.

    Args:
        edges: table `edges`; traces are added up.
        clusters: rows with account_id; accounts without an edge are in the graph too.

    Returns:
        An undirected graph: vertices with name, edges with n_co_actions and weight (0..1, logarithmic).
    """
    members = clusters["account_id"].implode()
    inside = edges.with_columns(pl.col("account_a", "account_b").cast(pl.String)).filter(
        pl.col("account_a").is_in(members), pl.col("account_b").is_in(members)
    )
    added = inside.group_by("account_a", "account_b").agg(pl.col("n_co_actions").sum()).sort("account_a", "account_b")
    log = pl.col("n_co_actions").log1p()
    graph = _graph(added.with_columns(weight=log / log.max()))
    lonely = sorted(set(clusters["account_id"]) - set(graph.vs["name"] if graph.vcount() else []))
    graph.add_vertices(len(lonely), {"name": lonely})
    return graph


def prune_network(network: ig.Graph, *, min_percentile: float = 95.0) -> ig.Graph:
    """Return the network of the accounts that are most central: eigenvector centrality at a percentile or above.

    Args:
        network: from `build_network`; its edges have `weight`.
        min_percentile: 0 to 100, of the centralities of this network's accounts; 0 keeps all.

    Returns:
        The subgraph of those accounts, with centrality (0..1) for each; graph attributes min_percentile,
        n_accounts_seen, n_accounts_kept say what was kept, and of how many.

    Raises:
        ParameterError: a percentile outside 0..100.

    Source: Luceri et al. 2024 (node pruning). Differs: they choose the percentile on labelled accounts; here it is
        named beforehand, as labels are what an investigation does not have.
    Beware: centrality gathers in the densest part of the network; a second, smaller operation is pruned away with the
        noise. It ranks, it does not test: in a network of fans the most central fans are kept.
    """
    if not 0 <= min_percentile <= 100:
        raise ParameterError(f"min_percentile is {min_percentile}; expected 0 to 100.")
    graph = network.copy()
    graph.vs["centrality"] = [0.0] * graph.vcount()
    if graph.ecount():
        with catch_warnings():  # that it favours one part of an unconnected network stands under Beware
            simplefilter("ignore", RuntimeWarning)
            graph.vs["centrality"] = graph.eigenvector_centrality(weights="weight")
    centrality = np.array(graph.vs["centrality"])
    # A hair below the percentile, so that accounts equal but for rounding are kept or dropped together.
    line = np.percentile(centrality, min_percentile) - 1e-9 if len(centrality) else 0.0
    pruned = graph.subgraph(np.flatnonzero(centrality >= line).tolist())
    pruned["min_percentile"] = min_percentile
    pruned["n_accounts_seen"], pruned["n_accounts_kept"] = graph.vcount(), pruned.vcount()
    return pruned


def network_edges(network: ig.Graph) -> pl.DataFrame:
    """Return the network's edges as a table: account_a < account_b and every edge attribute."""
    names = network.vs["name"] if network.vcount() else []
    ends = [sorted((names[edge.source], names[edge.target])) for edge in network.es]
    columns = {attribute: network.es[attribute] for attribute in network.es.attributes()}
    return pl.DataFrame(
        {"account_a": [a for a, _ in ends], "account_b": [b for _, b in ends], **columns},
        schema_overrides={"account_a": pl.String, "account_b": pl.String},
    )


def place_accounts(network: ig.Graph, *, seed: int) -> pl.DataFrame:
    """Return where to draw each account: account_id, x, y (no unit), by the force layout of Fruchterman and Reingold.

    The same network and seed give the same places.
    """
    n = network.vcount()
    if n == 0:
        return pl.DataFrame(schema={"account_id": pl.String, "x": pl.Float64, "y": pl.Float64})
    network = order_network(network)
    weights = "weight" if "weight" in network.es.attributes() else None
    with seeded(seed):
        layout = network.layout_fruchterman_reingold(weights=weights, niter=300, grid=n > 1000)
    x, y = np.array(layout.coords).T
    return pl.DataFrame({"account_id": network.vs["name"], "x": x, "y": y}).sort("account_id")


def order_network(network: ig.Graph) -> ig.Graph:
    """Return the network with vertices and edges in an order that hangs on ties and weights, not on names.

    Communities and layouts break ties by that order; accounts' names are pseudonyms, which hang on a key.
    """
    ends = np.array(network.get_edgelist(), np.int64).reshape(-1, 2)
    weight = np.array(network.es["weight"] if "weight" in network.es.attributes() else np.ones(len(ends)), float)
    log = ActionLog(
        trace="edge",
        object_code=np.repeat(np.arange(len(ends)), 2),
        account_code=ends.ravel(),
        post_code=np.empty(0, np.int64),
        time_us=np.repeat((weight * WEIGHT_STEPS).round().astype(np.int64), 2),
        accounts=pl.Series(network.vs["name"] if network.vcount() else [], dtype=pl.String),
        objects=pl.int_range(len(ends), eager=True).cast(pl.String),
        posts=pl.Series(dtype=pl.String),
    )
    names = order_by_content(log).accounts.to_list()
    place = {name: number for number, name in enumerate(names)}
    rank = np.array([place[name] for name in log.accounts], np.int64)
    moved = np.sort(rank[ends], axis=1)
    order = np.lexsort((moved[:, 1], moved[:, 0]))
    ordered = ig.Graph(n=len(names), edges=moved[order])
    ordered.vs["name"] = names
    for column in network.es.attributes():
        values = network.es[column]
        ordered.es[column] = [values[number] for number in order]
    return ordered


_ONE_AT_A_TIME = Lock()


@contextmanager
def seeded(seed: int) -> Generator[None]:
    """Make igraph's own random choices (Leiden, layouts) follow the seed inside the block, and no longer after it."""
    with _ONE_AT_A_TIME:  # igraph has one generator for all threads
        ig.set_random_number_generator(random.Random(seed))
        try:
            yield
        finally:
            ig.set_random_number_generator(random)


def write_network(network: ig.Graph, path: str | Path, *, clusters: pl.DataFrame | None = None) -> Path:
    """Write the network as GraphML or GEXF; both open in Gephi with names, weights, traces and clusters.

    Args:
        network: from `build_network`.
        path: where to; its ending, `.graphml` or `.gexf`, says as what. Characters that XML cannot hold become U+FFFD.
        clusters: table `clusters`; adds cluster_id (0 = in none), strength and is_core to the accounts.

    Raises:
        ParameterError: another ending.
        SourceError: the folder cannot be written.
    """
    path = Path(path)
    if path.suffix not in (".graphml", ".gexf"):
        raise ParameterError(f"cannot write a network as '{path.suffix}'; expected a name ending in .graphml or .gexf.")
    graph = network.copy()
    graph.vs["label"] = graph.vs["name"] if graph.vcount() else []
    if clusters is not None:
        known = {row["account_id"]: row for row in clusters.iter_rows(named=True)}
        found = [known.get(name) for name in (graph.vs["name"] if graph.vcount() else [])]
        graph.vs["cluster_id"] = [row["cluster_id"] if row else 0 for row in found]
        graph.vs["strength"] = [row["strength"] if row else 0.0 for row in found]
        graph.vs["is_core"] = [bool(row["is_core"]) if row else False for row in found]
    try:
        if path.suffix == ".gexf":
            path.write_bytes(format_gexf(graph))
        else:
            _clean(graph).write_graphml(str(path))
    except OSError as error:
        raise SourceError(
            f"cannot write {path}: {error.strerror or error}. Choose a folder you may write to."
        ) from error
    return path


def _clean(graph: ig.Graph) -> ig.Graph:
    """Return the graph with its texts such as XML can hold; igraph would cut or refuse them."""
    for items in (graph.vs, graph.es):
        for name in items.attributes():
            items[name] = [clean_text(value) if isinstance(value, str) else value for value in items[name]]
    return graph


def _graph(fused: pl.DataFrame) -> ig.Graph:
    names = pl.concat([fused["account_a"], fused["account_b"]]).unique().sort()
    codes = pl.Enum(names)
    ends = fused.select(pl.col("account_a", "account_b").cast(codes).to_physical().cast(pl.Int64)).to_numpy()
    graph = ig.Graph(n=len(names), edges=ends)
    graph.vs["name"] = names.to_list()
    for column in fused.columns[2:]:
        graph.es[column] = fused[column].to_list()
    return graph
