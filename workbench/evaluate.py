"""clusters -> how good they are, against labels or planted truth, with intervals; two customary methods beside them.

Every measure hides something, so they come together: precision without coverage rewards finding nothing, agreement
without weighted precision rewards many clusters of one good account each.
"""

from __future__ import annotations

from collections.abc import Callable

import igraph as ig
import numpy as np
import polars as pl
from scipy import sparse
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.metrics import adjusted_rand_score, roc_auc_score

from workbench.clusters import measure_members, number_clusters
from workbench.schema import ParameterError, SchemaError, check_table, empty_table

CHUNK_ACCOUNTS = 500


def evaluate_clusters(
    clusters: pl.DataFrame,
    labels: pl.DataFrame,
    *,
    precision_at: tuple[int, ...] = (10, 50),
    n_bootstrap: int = 200,
    seed: int = 0,
) -> pl.DataFrame:
    """Return how well clusters agree with what is known of the accounts.

    Args:
        clusters: table `clusters`; its strength ranks the accounts for AUC and precision at k.
        labels: account_id and label, one row per account that could have been found; label (any group or role) is
            null where the account belongs to none. Clustered accounts without a row here are judged as null.
        precision_at: the k of precision among the k strongest accounts.
        n_bootstrap: resamples of accounts behind the intervals; 0 = none.
        seed: of the resamples.

    Returns:
        measure, value, low, high (95 % interval), null where undefined:
        precision, recall and f1 of being clustered as a sign of having a label; auc of strength; precision_at_k;
        weighted_precision = sum(n p^2) / sum(n p) over clusters of n accounts with share p of their commonest label;
        ari between clusters and labels over accounts that have both; coverage_frac of accounts in any cluster.

    Raises:
        SchemaError: labels lacks a column or names an account twice.

    Source: weighted precision as in Iannucci et al. 2025, who show that methods win plain precision by singletons.
        Differs: the commonest label stands in place of one positive class, so that it also serves for roles.
    Beware: labels of a takedown are the platform's; an account without one may be undetected. Recall and F1 say
        nothing where every account has a label.
    """
    clusters = check_table(clusters, "clusters")
    for column in ("account_id", "label"):
        if column not in labels.columns:
            raise SchemaError(
                f"labels lacks column '{column}' (has {labels.columns}). One row per account, label null for none."
            )
    if labels["account_id"].is_duplicated().any():
        raise SchemaError("labels names an account twice; expected one row per account. Decide on one label each.")
    known = labels.select("account_id", pl.col("label").cast(pl.String))
    rows = known.join(clusters, on="account_id", how="full", coalesce=True).sort("account_id")
    columns = (
        rows["label"].rank("dense").cast(pl.Int64).fill_null(0).to_numpy(),
        rows["cluster_id"].fill_null(0).to_numpy(),
        rows["strength"].fill_null(0.0).to_numpy(),
    )
    measures: dict[str, Callable[..., float]] = {
        "precision": _precision, "recall": _recall, "f1": _f1, "auc": _auc,
        **{f"precision_at_{k}": _precision_at(k) for k in precision_at},
        "weighted_precision": _weighted_precision, "ari": _ari, "coverage_frac": _coverage,
    }  # fmt: skip
    rng = np.random.default_rng(seed)
    resamples = [rng.integers(0, rows.height, rows.height) for _ in range(n_bootstrap)] if rows.height else []
    table = []
    for name, measure in measures.items():
        redrawn = np.array([measure(*(column[pick] for column in columns)) for pick in resamples])
        known_values = redrawn[~np.isnan(redrawn)] if len(redrawn) else redrawn
        low, high = np.quantile(known_values, [0.025, 0.975]) if len(known_values) else (np.nan, np.nan)
        table.append((name, measure(*columns), float(low), float(high)))
    schema = {"measure": pl.String, "value": pl.Float64, "low": pl.Float64, "high": pl.Float64}
    return pl.DataFrame(table, schema=schema, orient="row").with_columns(pl.col("value", "low", "high").fill_nan(None))


def cut_by_weight(edges: pl.DataFrame, *, quantile: float = 0.0, n_accounts: int | None = None) -> pl.DataFrame:
    """Return the connected components of edges heavier than a quantile of all weights, as CooRTweet draws its line.

    Args:
        edges: table `edges`; weights are added up over traces.
        quantile: 0..1; CooRTweet's default is 0.5, CooRnet used 0.9 to 0.995.
        n_accounts: in place of a quantile, the heaviest edges that reach that many accounts: two methods can be
            compared only where both hold as many accounts to be coordinated.

    Raises:
        ParameterError: quantile outside 0..1, or n_accounts below 0.

    Source: Righetti and Balluff, CooRTweet 2.1 (`generate_coordinated_network`, `edge_weight`).
    """
    if not 0 <= quantile <= 1:
        raise ParameterError(f"quantile is {quantile}; expected a share from 0 to 1.")
    edges = check_table(edges, "edges").with_columns(pl.col("account_a", "account_b").cast(pl.String))
    added = edges.group_by("account_a", "account_b").agg(weight=pl.col("n_co_actions").sum().cast(pl.Float64))
    if n_accounts is not None:
        return _components(_reach_accounts(added, n_accounts))
    line = added["weight"].quantile(quantile, "linear")
    return _components(added.filter(pl.col("weight") > line) if line is not None else added)


def cut_by_similarity(
    actions: pl.DataFrame, *, top_frac: float = 0.005, n_accounts: int | None = None, min_actions: int = 10
) -> pl.DataFrame:
    """Return the connected components of the most similar pairs by TF-IDF cosine of their objects.

    Args:
        actions: table `actions`; an object is (trace, object).
        top_frac: share of pairs with any similarity that is kept, above 0, at most 1.
        n_accounts: in place of a share, the most similar pairs that reach that many accounts.
        min_actions: accounts with fewer actions are left out first.

    Raises:
        ParameterError: top_frac outside its range, or n_accounts below 0.

    Source: Pacheco et al. 2021, case 4 (co-retweets): at least ten, TF-IDF, cosine, top 0.5 %, components.
    """
    if not 0 < top_frac <= 1:
        raise ParameterError(f"top_frac is {top_frac}; expected a share above 0, at most 1.")
    pairs = _similar_pairs(actions, min_actions=min_actions)
    if n_accounts is not None:
        return _components(_reach_accounts(pairs, n_accounts))
    n_kept = int(np.ceil(top_frac * pairs.height))
    return _components(pairs.sort("weight", descending=True, maintain_order=True).head(n_kept))


def _similar_pairs(actions: pl.DataFrame, *, min_actions: int) -> pl.DataFrame:
    """Every pair of accounts with an object in common, and the TF-IDF cosine of their objects as weight."""
    actions = check_table(actions, "actions").filter(pl.col("object_id").str.strip_chars() != "")
    actions = actions.filter(pl.len().over("account_id") >= min_actions)
    if actions.is_empty():
        return pl.DataFrame(schema={"account_a": pl.String, "account_b": pl.String, "weight": pl.Float64})
    names = actions["account_id"].unique().sort()
    account = actions.select(pl.col("account_id").rank("dense"))["account_id"].to_numpy().astype(np.int64) - 1
    thing = actions.select(pl.struct("trace", "object_id").rank("dense")).to_series().to_numpy().astype(np.int64) - 1
    counts = sparse.csr_matrix((np.ones(len(account)), (account, thing)), shape=(len(names), int(thing.max()) + 1))
    vectors = sparse.csr_matrix(TfidfTransformer().fit_transform(counts))
    parts = []
    for start in range(0, len(names), CHUNK_ACCOUNTS):
        block = (vectors[start : start + CHUNK_ACCOUNTS] @ vectors.T).tocoo()
        upper = block.col > block.row + start
        parts.append(np.column_stack([block.row[upper] + start, block.col[upper], block.data[upper]]))
    a, b, weight = np.concatenate(parts).T
    ends = {"account_a": names.gather(a.astype(np.int64)), "account_b": names.gather(b.astype(np.int64))}
    return pl.DataFrame({**ends, "weight": weight})


def _reach_accounts(pairs: pl.DataFrame, n_accounts: int) -> pl.DataFrame:
    """The heaviest pairs, as few as reach so many accounts; all of them where they do not."""
    if n_accounts < 0:
        raise ParameterError(f"n_accounts is {n_accounts}; expected 0 or more.")
    ordered = pairs.sort("weight", "account_a", "account_b", descending=[True, False, False])
    first_met = (
        pl.concat([ordered.select(account=end, place=pl.int_range(pl.len())) for end in ("account_a", "account_b")])
        .group_by("account")
        .agg(pl.col("place").min())["place"]
        .sort()
    )
    n_kept = 0 if n_accounts == 0 else first_met[min(n_accounts, len(first_met)) - 1] + 1 if len(first_met) else 0
    return ordered.head(n_kept)


def _components(edges: pl.DataFrame) -> pl.DataFrame:
    if edges.is_empty():
        return empty_table("clusters")
    names = pl.concat([edges["account_a"], edges["account_b"]]).cast(pl.String).unique().sort()
    a, b = (names.search_sorted(edges[column].cast(pl.String)).to_numpy() for column in ("account_a", "account_b"))
    component = np.array(ig.Graph(len(names), edges=np.column_stack([a, b])).connected_components().membership)
    strength, is_core = measure_members(np.arange(len(names)), a, b, edges["weight"].to_numpy())
    columns = {"account_id": names, "cluster_id": component, "strength": strength, "is_core": is_core}
    return check_table(number_clusters(pl.DataFrame(columns)), "clusters")


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else np.nan


def _precision(label: np.ndarray, cluster: np.ndarray, strength: np.ndarray) -> float:  # noqa: ARG001
    return _ratio(((label > 0) & (cluster > 0)).sum(), (cluster > 0).sum())


def _recall(label: np.ndarray, cluster: np.ndarray, strength: np.ndarray) -> float:  # noqa: ARG001
    return _ratio(((label > 0) & (cluster > 0)).sum(), (label > 0).sum())


def _f1(label: np.ndarray, cluster: np.ndarray, strength: np.ndarray) -> float:  # noqa: ARG001
    return _ratio(2 * ((label > 0) & (cluster > 0)).sum(), (label > 0).sum() + (cluster > 0).sum())


def _auc(label: np.ndarray, cluster: np.ndarray, strength: np.ndarray) -> float:  # noqa: ARG001
    has_label = label > 0
    return float(roc_auc_score(has_label, strength)) if 0 < has_label.sum() < len(label) else np.nan


def _precision_at(k: int) -> Callable[..., float]:
    def precision_at(label: np.ndarray, cluster: np.ndarray, strength: np.ndarray) -> float:
        best = np.argsort(-strength, kind="stable")[:k]
        best = best[cluster[best] > 0]
        return _ratio((label[best] > 0).sum(), len(best))

    return precision_at


def _weighted_precision(label: np.ndarray, cluster: np.ndarray, strength: np.ndarray) -> float:  # noqa: ARG001
    above = below = 0.0
    for number in np.unique(cluster[cluster > 0]):
        inside = label[cluster == number]
        n_commonest = np.bincount(inside[inside > 0], minlength=1).max() if (inside > 0).any() else 0
        above, below = above + n_commonest**2 / len(inside), below + n_commonest
    return _ratio(above, below)


def _ari(label: np.ndarray, cluster: np.ndarray, strength: np.ndarray) -> float:  # noqa: ARG001
    both = (label > 0) & (cluster > 0)
    return float(adjusted_rand_score(label[both], cluster[both])) if both.sum() > 1 else np.nan


def _coverage(label: np.ndarray, cluster: np.ndarray, strength: np.ndarray) -> float:  # noqa: ARG001
    return _ratio((cluster > 0).sum(), len(label))
