"""network -> clusters: Leiden communities at the resolution that holds still, their core; and who else is tied to them.

These clusters describe the network that was kept; whether a group is beyond chance is for `coordinated` to say.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import combinations

import igraph as ig
import numpy as np
import polars as pl
from sklearn.metrics import adjusted_rand_score

from workbench.network import order_network, seeded
from workbench.schema import ParameterError, check_table, empty_table

MIN_MEMBERS = 3
N_RESOLUTIONS = 9
N_REPEATS = 4
TIE = 0.02
MIN_CORE_CORRELATION = 0.5
MIN_CORE_CONTRAST = 4.0
MOSTLY_NULL_FDR = 0.5


def find_clusters(network: ig.Graph, *, seed: int) -> pl.DataFrame:
    """Return the Leiden communities of a coordination network, at the most stable resolution.

    Args:
        network: from `build_network`: vertices have `name`, edges have `weight` (all 1 where absent).
        seed: of Leiden and of the resampled networks.

    Returns:
        Table `clusters`: accounts in communities of three or more. strength is the sum of the account's edge weights
        inside its cluster; is_core as by `measure_members`.

    Source: Leiden with the constant Potts model, Traag et al. 2011, 2019; core, Borgatti and Everett 1999.
        Differs: the resolution is the one whose clusters change least, see `compare_resolutions`.
    Beware: Leiden finds communities in any network, also in one of chance edges.
    """
    network = order_network(network)
    table = compare_resolutions(network, seed=seed)
    if table.is_empty():
        return empty_table("clusters")
    resolution = table.filter("is_chosen")["resolution"][0]
    weights = _weights(network)
    community = group_by_leiden(network, weights=weights, resolution=resolution, seed=seed)
    ends = np.array(network.get_edgelist(), np.int64).reshape(-1, 2)
    parts = []
    for number in np.flatnonzero(np.bincount(community) >= MIN_MEMBERS):
        members = np.flatnonzero(community == number)
        inside = (community[ends] == number).all(axis=1)
        strength, is_core = measure_members(members, ends[inside, 0], ends[inside, 1], weights[inside])
        names = [network.vs[int(vertex)]["name"] for vertex in members]
        columns = {"account_id": names, "cluster_id": int(number), "strength": strength, "is_core": is_core}
        parts.append(pl.DataFrame(columns, schema_overrides={"cluster_id": pl.Int64}))
    return check_table(number_clusters(pl.concat(parts)), "clusters") if parts else empty_table("clusters")


def compare_resolutions(network: ig.Graph, *, seed: int) -> pl.DataFrame:
    """Return, per resolution, how stable the communities are and how many accounts they cover; read both together.

    Returns:
        resolution, n_clusters (of three or more), coverage_frac (share of accounts in those), stability_seeds and
        stability_bootstrap (mean adjusted Rand index between runs with other seeds, and with networks of resampled
        edges), modularity, is_chosen: the largest product of the two stabilities and coverage; among those within
        0.02 of it, the largest modularity. Empty where the network has no edge.
    """
    if network.ecount() == 0:
        return pl.DataFrame(schema=_RESOLUTION_COLUMNS)
    network = order_network(network)
    weights, rng = _weights(network), np.random.default_rng(seed)
    resamples = [rng.poisson(1.0, len(weights)) for _ in range(N_REPEATS)]
    rows = [_try_resolution(network, weights, resamples, float(r), seed) for r in _resolutions(network, weights)]
    table = pl.DataFrame(rows, schema={k: v for k, v in _RESOLUTION_COLUMNS.items() if k != "is_chosen"}, orient="row")
    worth = (table["coverage_frac"] * table["stability_seeds"] * table["stability_bootstrap"]).to_numpy()
    best = (
        table.with_row_index()
        .filter(worth >= worth.max() - TIE)
        .sort("modularity", "resolution", descending=[True, False])["index"][0]
    )
    return table.with_columns(is_chosen=pl.int_range(pl.len()) == best)


_RESOLUTION_COLUMNS = {
    "resolution": pl.Float64, "n_clusters": pl.Int64, "coverage_frac": pl.Float64, "stability_seeds": pl.Float64,
    "stability_bootstrap": pl.Float64, "modularity": pl.Float64, "is_chosen": pl.Boolean,
}  # fmt: skip


def expand_from(scored: pl.DataFrame, *, seeds: Collection[str]) -> pl.DataFrame:
    """Rank the other accounts by their edges to known accounts, with the chance of standing there by luck.

    Args:
        scored: table `scored`.
        seeds: account_ids already known, for instance from a disclosure.

    Returns:
        One row per other account with a co-action with a known one, best first: account_id, n_seeds (known accounts
        it co-acted with), n_co_actions, expected_n (co-actions chance gives those pairs), best_score, best_seed,
        best_trace, luck_frac: of the accounts ranked at least as high, the share expected there by luck.

    Raises:
        ParameterError: none of the seeds is in `scored`.

    Source: the false edges at a score are those its `fdr` says; they fall on known accounts as often as edges that
        are mostly luck (fdr above one half) do.
    Beware: whoever reacts to the known accounts, to mock or to report them, is tied to them too. Pairs are judged one
        by one; `weigh_accounts` adds up weak signs over many objects and needs the actions.
    """
    scored = check_table(scored, "scored").with_columns(pl.col("account_a", "account_b").cast(pl.String))
    known = pl.Series(sorted(set(seeds)), dtype=pl.String)
    flagged = scored.with_columns(
        a_known=pl.col("account_a").is_in(known.implode()), b_known=pl.col("account_b").is_in(known.implode())
    )
    if not (flagged["a_known"] | flagged["b_known"]).any():
        raise ParameterError(
            f"none of the {len(known)} seeds has an edge in scored. Pass account_ids as they stand there."
        )
    flagged = flagged.with_columns(is_tie=pl.col("a_known") != pl.col("b_known"), n_false=_false_so_far())
    null = flagged.filter(pl.col("fdr") > MOSTLY_NULL_FDR)
    tie_frac = (null if null.height else flagged)["is_tie"].mean()
    ties = flagged.filter("is_tie").with_columns(
        account_id=pl.when("a_known").then("account_b").otherwise("account_a"),
        seed_id=pl.when("a_known").then("account_a").otherwise("account_b"),
    )
    ranked = (
        ties.sort("n_false", "score", "trace", "seed_id", descending=[False, True, False, False])
        .group_by("account_id", maintain_order=True)
        .agg(
            n_seeds=pl.col("seed_id").n_unique().cast(pl.Int64), n_co_actions=pl.col("n_co_actions").sum(),
            expected_n=pl.col("expected_n").sum(), best_score=pl.col("score").first(),
            best_seed=pl.col("seed_id").first(), best_trace=pl.col("trace").first(), n_false=pl.col("n_false").first(),
        )
        .sort("n_false", "n_seeds", "best_score", "account_id", descending=[False, True, True, False])
    )  # fmt: skip
    at_most = (pl.col("n_false") * tie_frac / pl.int_range(1, pl.len() + 1)).clip(0, 1)
    return ranked.with_columns(luck_frac=at_most.reverse().cum_min().reverse()).drop("n_false")


def _false_so_far() -> pl.Expr:
    """False edges among those of the trace that score at least as much as this one."""
    return pl.col("fdr") * pl.col("score").rank("max", descending=True).over("trace")


def group_by_leiden(graph: ig.Graph, *, weights: np.ndarray, resolution: float, seed: int) -> np.ndarray:
    """Return the community of each vertex (Leiden, constant Potts model); the same for the same seed."""
    with seeded(seed):
        clustering = graph.community_leiden("CPM", weights=weights.tolist(), resolution=resolution, n_iterations=4)
    return np.array(clustering.membership, np.int64)


def number_clusters(clusters: pl.DataFrame) -> pl.DataFrame:
    """Return the table with cluster_id 1 for the largest cluster; sorted by cluster_id and account_id.

    Ties go to the strongest cluster, then to the smallest account_id: names may be pseudonyms, which hang on a key.
    """
    by_size = (
        clusters.group_by("cluster_id")
        .agg(n=pl.len(), strength=pl.col("strength").sort().sum(), first=pl.col("account_id").min())
        .sort("n", "strength", "first", descending=[True, True, False])
        .select("cluster_id", number=pl.int_range(1, pl.len() + 1, dtype=pl.Int64))
    )
    numbered = clusters.join(by_size, on="cluster_id").with_columns(cluster_id="number").drop("number")
    return numbered.sort("cluster_id", "account_id")


def measure_members(
    members: np.ndarray, a: np.ndarray, b: np.ndarray, weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the strength of each member and whether it is core, from the edges among members.

    Members in order of strength are cut in two where the pairs above the cut and the pairs below it differ most: the
    correlation of the root of a pair's weight with being above. Ties across the cut say nothing. A core is told apart
    only if its pairs weigh at least four times as much as those below and the correlation is at least one half; else
    all are core, for nothing sets some of them apart.

    Args:
        members: vertex or account numbers, sorted.
        a: one end of each edge, a member.
        b: the other end.
        weight: weight of each edge.

    Source: the discrete core and periphery of Borgatti and Everett 1999, searched along the strengths as by Lip 2011.
        Differs: roots of weights, so that one very busy pair does not decide; a cut that divides evenly is refused.
    Beware: core says who holds the group together, not who commands it.
    """
    n = len(members)
    x, y = np.searchsorted(members, a), np.searchsorted(members, b)
    strength = np.bincount(x, weight, n) + np.bincount(y, weight, n)
    root = np.sqrt(weight)
    tie = np.bincount(x, root, n) + np.bincount(y, root, n)
    order = np.argsort(-tie, kind="stable")
    rank = np.empty(n, np.int64)
    rank[order] = np.arange(n)
    n_core = _cut_core(root, rank[x], rank[y], is_drop=np.diff(tie[order], prepend=np.inf) < -1e-9)
    return strength, rank < n_core


def _cut_core(weight: np.ndarray, x: np.ndarray, y: np.ndarray, *, is_drop: np.ndarray) -> int:
    """Return how many of the strongest members are the core; all of them where no cut sets a core apart.

    Args:
        weight: of each edge.
        x: rank of one end, 0 for the strongest member.
        y: rank of the other.
        is_drop: per rank, whether this member is weaker than the one before it: equals are not parted.
    """
    n = len(is_drop)
    k = np.arange(MIN_MEMBERS, n - 1)
    k = k[is_drop[k]]
    if not len(k):
        return n
    above, below = (
        [_sums_by_rank(end, w, n) for w in (weight, weight**2)] for end in (np.maximum(x, y), n - 1 - np.minimum(x, y))
    )
    n_above, n_below = k * (k - 1) / 2, (n - k) * (n - k - 1) / 2
    mean_above, mean_below = above[0][k] / n_above, below[0][n - k] / n_below
    n_pairs = n_above + n_below
    mean = (above[0][k] + below[0][n - k]) / n_pairs
    spread = np.sqrt(np.maximum((above[1][k] + below[1][n - k]) / n_pairs - mean**2, 1e-12))
    correlation = (mean_above - mean_below) * np.sqrt(n_above * n_below) / n_pairs / spread
    best = int(np.argmax(correlation))
    is_apart = correlation[best] >= MIN_CORE_CORRELATION and mean_above[best] >= MIN_CORE_CONTRAST * mean_below[best]
    return int(k[best]) if is_apart else n


def _sums_by_rank(rank: np.ndarray, weight: np.ndarray, n: int) -> np.ndarray:
    """Return, for k from 0 to n, the sum of the weights whose rank is below k."""
    return np.concatenate([[0.0], np.cumsum(np.bincount(rank, weight, n))])


def _resolutions(network: ig.Graph, weights: np.ndarray) -> np.ndarray:
    """From the density of the whole network to that of its strongest edges, evenly in ratio."""
    n = network.vcount()
    lowest = 2 * weights.sum() / (n * max(n - 1, 1))
    return np.geomspace(lowest / 2, max(np.quantile(weights, 0.9), lowest), N_RESOLUTIONS)


def _try_resolution(
    network: ig.Graph, weights: np.ndarray, resamples: list[np.ndarray], resolution: float, seed: int
) -> tuple[float, int, float, float, float, float]:
    runs = [group_by_leiden(network, weights=weights, resolution=resolution, seed=seed + k) for k in range(N_REPEATS)]
    redrawn = [
        group_by_leiden(network, weights=weights * times, resolution=resolution, seed=seed) for times in resamples
    ]
    sizes = np.bincount(runs[0])
    is_big = sizes >= MIN_MEMBERS
    covered = is_big[runs[0]]
    by_seed = float(np.mean([adjusted_rand_score(x, y) for x, y in combinations(runs, 2)]))
    # Only accounts in clusters: single accounts agree with themselves at any resolution.
    by_edges = [adjusted_rand_score(runs[0][covered], other[covered]) for other in redrawn] if covered.any() else [0.0]
    modularity = network.modularity(runs[0].tolist(), weights=weights.tolist())
    return resolution, int(is_big.sum()), float(covered.mean()), by_seed, float(np.mean(by_edges)), float(modularity)


def _weights(network: ig.Graph) -> np.ndarray:
    has_weights = "weight" in network.es.attributes()
    return np.array(network.es["weight"] if has_weights else [1.0] * network.ecount(), float)
