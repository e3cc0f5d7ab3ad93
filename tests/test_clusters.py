import igraph as ig
import numpy as np
import polars as pl
import pytest

from workbench.clusters import (
    compare_resolutions,
    expand_from,
    find_clusters,
    group_by_leiden,
    measure_members,
    number_clusters,
)
from workbench.network import connect_members, place_accounts
from workbench.schema import ParameterError, check_table, empty_table


def cliques(*sizes: int, bridge: bool = False) -> ig.Graph:
    """Cliques of these sizes with account names a00, a01, ...; a bridge links each to the next."""
    edges, first = [], 0
    for size in sizes:
        edges += [(first + i, first + j) for j in range(size) for i in range(j)]
        if bridge and first:
            edges.append((first - 1, first))
        first += size
    graph = ig.Graph(n=first, edges=edges)
    graph.vs["name"] = [f"a{k:02}" for k in range(first)]
    graph.es["weight"] = [1.0] * len(edges)
    return graph


def test_cliques_joined_by_single_edges_are_told_apart():
    clusters = find_clusters(cliques(6, 9, 6, bridge=True), seed=1)
    assert clusters.group_by("cluster_id").len().sort("cluster_id").rows() == [(1, 9), (2, 6), (3, 6)]
    first_of_each = clusters.group_by("cluster_id").agg(pl.col("account_id").min()).sort("cluster_id")
    assert first_of_each["account_id"].to_list() == ["a06", "a00", "a15"]  # largest first, ties by smallest account_id
    assert clusters.filter(account_id="a00")["strength"][0] == 5.0


def test_hangers_on_are_periphery():
    graph = cliques(8)
    graph.add_vertices(2, {"name": ["z1", "z2"]})
    graph.add_edges([(0, 8), (1, 8), (0, 9), (2, 9)], {"weight": [1.0] * 4})
    clusters = find_clusters(graph, seed=1)
    core = dict(clusters.select("account_id", "is_core").rows())
    assert all(core[f"a{k:02}"] for k in range(8))
    assert not any(core.get(name, False) for name in ("z1", "z2"))


def test_the_same_seed_gives_the_same_clusters():
    rng = np.random.default_rng(4)
    graph = ig.Graph(n=80, edges=[tuple(rng.choice(80, 2, replace=False)) for _ in range(400)])
    graph.vs["name"] = [f"a{k:02}" for k in range(80)]
    assert find_clusters(graph, seed=3).equals(find_clusters(graph, seed=3))
    weights = np.ones(graph.ecount())
    one, other = (group_by_leiden(graph, weights=weights, resolution=0.2, seed=7) for _ in range(2))
    assert (one == other).all()


def test_stability_and_coverage_come_together():
    table = compare_resolutions(cliques(6, 9, 6, bridge=True), seed=1)
    assert table["is_chosen"].sum() == 1
    chosen = table.row(by_predicate=pl.col("is_chosen"), named=True)
    assert chosen["n_clusters"] == 3
    assert chosen["coverage_frac"] == 1
    assert chosen["stability_seeds"] == pytest.approx(1)
    assert chosen["stability_bootstrap"] > 0.9


def test_a_network_without_edges_has_no_clusters():
    assert find_clusters(ig.Graph(), seed=1).equals(empty_table("clusters"))
    assert compare_resolutions(ig.Graph(), seed=1).is_empty()


def test_numbers_follow_size_then_strength_then_account():
    ids = {"account_id": ["c", "d", "a", "b", "x"], "cluster_id": [5, 5, 9, 9, 1]}
    table = pl.DataFrame(ids | {"strength": [1.0] * 5})
    assert number_clusters(table)["account_id"].to_list() == ["a", "b", "c", "d", "x"]
    assert number_clusters(table)["cluster_id"].to_list() == [1, 1, 2, 2, 3]
    stronger = pl.DataFrame(ids | {"strength": [1.0, 1.5, 1.0, 1.0, 9.0]})
    assert number_clusters(stronger)["account_id"].to_list() == ["c", "d", "a", "b", "x"]


def ring(*, core: int, others: int, weights: tuple[float, float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Strength and is_core where pairs in the core, across, and among the others have these weights."""
    n = core + others
    a, b = np.triu_indices(n, 1)
    weight = np.array(weights)[(a >= core).astype(int) + (b >= core)]
    return measure_members(np.arange(n), a[weight > 0], b[weight > 0], weight[weight > 0])


def test_a_core_is_told_from_its_ring():
    strength, is_core = ring(core=5, others=20, weights=(16.0, 1.0, 0.25))
    assert is_core.tolist() == [True] * 5 + [False] * 20
    assert strength.tolist() == [4 * 16 + 20] * 5 + [5 + 19 * 0.25] * 20


@pytest.mark.parametrize(
    "shape",
    [
        {"core": 5, "others": 20, "weights": (2.0, 1.0, 1.0)},  # above differs from below, but not by enough
        {"core": 0, "others": 12, "weights": (0, 0, 3.0)},  # all alike
        {"core": 3, "others": 0, "weights": (3.0, 0, 0)},  # nobody to be a ring
    ],
)
def test_where_nothing_sets_a_core_apart_all_are_core(shape):
    assert ring(**shape)[1].all()


@pytest.mark.parametrize("mean", [0.3, 2.0, 30.0])
def test_luck_alone_makes_no_core(mean):
    """The refutable claim: in groups whose members all act alike, differences of strength are no core."""
    for seed in range(20):
        a, b = np.triu_indices(40, 1)
        n = np.random.default_rng(seed).poisson(mean, len(a))
        assert measure_members(np.arange(40), a[n > 0], b[n > 0], n[n > 0])[1].all()


def test_equals_are_not_parted():
    a, b = np.array([0, 0, 1, 2, 3]), np.array([1, 2, 2, 3, 4])
    is_core = measure_members(np.arange(5), a, b, np.array([9.0, 9.0, 9.0, 1.0, 1.0]))[1]
    assert is_core.tolist() in ([True, True, True, False, False], [True] * 5)


def scored(rows: list[tuple[str, str, int, float, float, float]]) -> pl.DataFrame:
    columns = ["account_a", "account_b", "n_co_actions", "expected_n", "score", "fdr"]
    table = pl.DataFrame(rows, schema=columns, orient="row").with_columns(trace=pl.lit("url"))
    return check_table(table, "scored")


def test_expand_ranks_by_the_strongest_edge_to_a_known_account():
    table = scored(
        [
            ("k1", "k2", 9, 1.0, 20.0, 0.01),
            ("k1", "m", 7, 1.0, 12.0, 0.02),
            ("k2", "m", 6, 1.0, 9.0, 0.04),
            ("k1", "n", 2, 1.0, 1.5, 0.9),
            ("n", "o", 2, 1.0, 1.4, 1.0),
            ("o", "p", 2, 1.0, 1.3, 1.0),
            ("m", "p", 2, 1.0, 1.2, 1.0),
        ]
    )
    ranked = expand_from(table, seeds=["k1", "k2"])
    assert ranked["account_id"].to_list() == ["m", "n"]  # o and p never met a known account
    best = ranked.row(0, named=True)
    assert (best["n_seeds"], best["n_co_actions"], best["expected_n"], best["best_seed"]) == (2, 13, 2.0, "k1")
    # One in four edges that are mostly luck ties a known account: 0.25 x (0.02 x 2 edges) over the one account kept.
    assert best["luck_frac"] == pytest.approx(0.25 * 0.02 * 2)
    assert ranked["luck_frac"].is_sorted()


def test_expand_says_when_the_seeds_are_unknown():
    with pytest.raises(ParameterError, match="none of the 1 seeds has an edge"):
        expand_from(scored([("a", "b", 1, 1.0, 1.0, 1.0)]), seeds=["zoe"])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_names_change_neither_communities_nor_places(seed):
    """Pseudonyms hang on a key: a result must not."""
    rng = np.random.default_rng(seed)
    a, b = np.triu_indices(30, 1)
    group = np.arange(30) // 10
    drawn = rng.random(len(a)) < np.where(group[a] == group[b], 0.7, 0.25)
    weight = rng.integers(1, 4, drawn.sum())  # many ties

    def network(names: list[str]) -> ig.Graph:
        rows = [tuple(sorted((names[x], names[y]))) for x, y in zip(a[drawn], b[drawn], strict=True)]
        edges = pl.DataFrame(rows, schema=["account_a", "account_b"], orient="row").with_columns(
            trace=pl.lit("url"), n_co_actions=pl.Series(weight)
        )
        return connect_members(edges, pl.DataFrame({"account_id": names}))

    old = [f"a{n:02d}" for n in range(30)]
    new = [f"b{n:02d}" for n in rng.permutation(30)]
    back = dict(zip(new, old, strict=True))
    first, second = network(old), network(new)
    renamed = find_clusters(second, seed=7).with_columns(pl.col("account_id").replace_strict(back))
    parts = [
        sorted(sorted(names) for names in found.group_by("cluster_id").agg("account_id")["account_id"].to_list())
        for found in (find_clusters(first, seed=7), renamed)
    ]
    assert parts[0] == parts[1]
    assert compare_resolutions(first, seed=7).equals(compare_resolutions(second, seed=7))
    places = place_accounts(second, seed=7).with_columns(pl.col("account_id").replace_strict(back)).sort("account_id")
    assert places.equals(place_accounts(first, seed=7))
