"""actions -> edges by likeness, without a window: TF-IDF cosine, and the backbone of what stands out of it.

This is how much of the field builds its networks. It is here to compare with, and for data whose times say nothing; it
has no chance baseline of its own.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from scipy import sparse
from sklearn.preprocessing import normalize

from workbench.coaction import pack_actions
from workbench.schema import ParameterError, check_table

CHUNK_ACCOUNTS = 1_000


def project_similarity(
    actions: pl.DataFrame,
    *,
    trace: str,
    min_similarity: float = 0.0,
    min_actions: int = 1,
    is_binary: bool = False,
    is_smooth: bool = False,
) -> pl.DataFrame:
    """Return how alike each pair of accounts is in what it acted on, whatever the time.

    Accounts are documents, objects are terms; an account's weight of an object is how often it acted on it times the
    inverse document frequency; the likeness is the cosine.

    Args:
        actions: table `actions`.
        trace: the trace to project.
        min_similarity: only pairs above this cosine are returned (0..1).
        min_actions: accounts with fewer actions in the trace are left out.
        is_binary: count an object once per account, however often it acted on it (Luceri et al. 2024).
        is_smooth: inverse document frequency as scikit-learn has it, log((1 + n) / (1 + df)) + 1; else log(n / df),
            by which an object that everybody touched weighs nothing (gensim; Tardelli et al. 2024).

    Returns:
        trace, account_a < account_b, similarity (0..1), n_shared_objects; sorted by the pair.

    Raises:
        ParameterError: a share outside 0..1, or a trace that the actions do not have.
        SchemaError: `actions` is not a table of actions.

    Source: Pacheco et al. 2021 (ICWSM); Luceri et al. 2024 (WWW); Nizzoli et al. 2021.
    Beware: two accounts that did one same thing in all their lives are perfectly alike. Set min_actions.
    """
    if not 0 <= min_similarity <= 1:
        raise ParameterError(f"min_similarity is {min_similarity}; expected a cosine from 0 to 1.")
    actions = check_table(actions, "actions")
    traces = actions["trace"].unique().sort().to_list()
    if trace not in traces:
        raise ParameterError(f"no action has trace '{trace}'; there are {', '.join(traces) or 'none'}.")
    own = actions.filter(pl.col("trace") == trace, pl.col("object_id").str.strip_chars() != "")
    log = pack_actions(own.filter(pl.len().over("account_id") >= min_actions), with_posts=False)
    shape = (len(log.accounts), len(log.objects))
    counts = sparse.csr_array((np.ones(len(log)), (log.account_code, log.object_code)), shape=shape)
    has = (counts > 0).astype(float)
    df = np.asarray(has.sum(axis=0)).ravel()
    idf = np.log((1 + shape[0]) / (1 + df)) + 1 if is_smooth else np.log(shape[0] / np.maximum(df, 1))
    weighted = normalize((has if is_binary else counts) @ sparse.diags_array(idf)) if shape[0] else counts
    parts = [_pairs(weighted, has, lo, min_similarity) for lo in range(0, shape[0], CHUNK_ACCOUNTS)]
    a, b, cosine, shared = (np.concatenate([part[k] for part in parts] or [np.empty(0)]) for k in range(4))
    return pl.DataFrame(
        {
            "account_a": log.accounts.gather(a.astype(np.int64)),
            "account_b": log.accounts.gather(b.astype(np.int64)),
            "similarity": np.clip(cosine, 0, 1),
            "n_shared_objects": shared.astype(np.int64),
        }
    ).select(pl.lit(trace).alias("trace"), pl.all())


def find_backbone(edges: pl.DataFrame, *, weight: str, max_alpha: float) -> pl.DataFrame:
    """Return the edges that carry more of an end's weight than a random split of it would: the disparity filter.

    Args:
        edges: account_a, account_b and a column of positive weights.
        weight: the name of that column.
        max_alpha: 0..1; an edge stays where it is significant at this level for at least one of its ends.

    Returns:
        The edges kept, in their order, plus alpha_a and alpha_b (chance that an edge of that end gets so large a
        share of its weight; 1 for an end with one edge only) and alpha, the smaller of the two.

    Raises:
        ParameterError: `max_alpha` outside 0..1, or a weight that is not positive.

    Source: Serrano, Boguñá and Vespignani 2009 (PNAS).
    Beware: the filter keeps an edge because it is large for its account, not because chance would not give it.
    """
    if not 0 <= max_alpha <= 1:
        raise ParameterError(f"max_alpha is {max_alpha}; expected a level from 0 to 1.")
    if not (edges[weight] > 0).all():
        raise ParameterError(f"column '{weight}' has a weight of {edges[weight].min()}; expected only positive ones.")
    ends = pl.concat([edges.select(end=side, w=weight) for side in ("account_a", "account_b")])
    strength = ends.group_by("end").agg(strength=pl.col("w").sum(), degree=pl.len().cast(pl.Int64))
    for side in ("a", "b"):
        alpha = (1 - pl.col(weight) / pl.col("strength")) ** (pl.col("degree") - 1)
        edges = (
            edges.join(strength, left_on=f"account_{side}", right_on="end", how="left", maintain_order="left")
            .with_columns(pl.when(pl.col("degree") > 1).then(alpha).otherwise(1.0).alias(f"alpha_{side}"))
            .drop("strength", "degree")
        )
    scored = edges.with_columns(alpha=pl.min_horizontal("alpha_a", "alpha_b"))
    return scored.filter(pl.col("alpha") <= max_alpha)


def _pairs(weighted: sparse.csr_array, has: sparse.csr_array, lo: int, min_similarity: float) -> tuple[np.ndarray, ...]:
    """Upper-triangle pairs of a band of accounts, above the limit."""
    band = slice(lo, lo + CHUNK_ACCOUNTS)
    alike = sparse.triu((weighted[band] @ weighted.T).tocoo(), k=lo + 1).tocsr()
    alike.sort_indices()
    alike = alike.tocoo()
    over = alike.data > max(min_similarity, 1e-12)
    a, b = alike.row[over].astype(np.int64) + lo, alike.col[over].astype(np.int64)
    shared = np.asarray((has[a].multiply(has[b])).sum(axis=1)).ravel() if len(a) else np.empty(0)
    return a, b, alike.data[over], shared
