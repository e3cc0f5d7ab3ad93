"""How well narratives agree with labels somebody gave: never a quality without its coverage."""

from __future__ import annotations

import numpy as np
import polars as pl
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import (
    adjusted_rand_score,
    homogeneity_completeness_v_measure,
    normalized_mutual_info_score,
)

from workbench.narratives.find import Narratives
from workbench.schema import ParameterError, SchemaError

_OUTSIDE = -1
_SCHEMA = {"measure": pl.String, "placed": pl.Float64, "all": pl.Float64}


def evaluate_narratives(narratives: Narratives | pl.DataFrame, labels: pl.DataFrame) -> pl.DataFrame:
    """Return how far narratives agree with labels: on the posts placed, and on all labelled posts.

    Args:
        narratives: from `find_narratives`, or its `posts` table.
        labels: post_id, label; one row per post.

    Returns:
        measure, placed, all. `placed` looks at labelled posts that are in a narrative; `all` counts every other one
        as one more narrative, so that leaving hard posts out does not pay. Measures: nmi (arithmetic mean), ari,
        homogeneity, completeness, v_measure, accuracy (best one-to-one matching of narratives to labels), coverage
        (placed share of labelled posts), found_k, true_k, n_posts.

    Raises:
        SchemaError: a column is missing, or a post is labelled twice.
        ParameterError: no labelled post.

    Source: Strehl and Ghosh 2002 (NMI); Hubert and Arabie 1985 (ARI); Rosenberg and Hirschberg 2007 (V-measure).
    """
    posts = narratives.posts if isinstance(narratives, Narratives) else narratives
    joined = _join_labels(posts, labels)
    truth = joined["label"].rank("dense").to_numpy()
    found = joined["narrative_id"].fill_null(_OUTSIDE).to_numpy()
    is_placed = found != _OUTSIDE
    measures = {"placed": _measure(truth[is_placed], found[is_placed]), "all": _measure(truth, found)}
    for name in measures:
        measures[name]["coverage"] = float(is_placed.mean())
    return pl.DataFrame(
        [{"measure": key, "placed": measures["placed"][key], "all": measures["all"][key]} for key in measures["all"]],
        schema=_SCHEMA,
    )


def _join_labels(posts: pl.DataFrame, labels: pl.DataFrame) -> pl.DataFrame:
    for table, name, columns in (
        (posts, "narratives", ("post_id", "narrative_id")),
        (labels, "labels", ("post_id", "label")),
    ):
        for column in columns:
            if column not in table.columns:
                found = ", ".join(f"'{other}'" for other in table.columns)
                raise SchemaError(f"{name} lacks column '{column}' (has {found}). Rename or add it.")
    if labels["post_id"].is_duplicated().any():
        raise SchemaError("labels must name each post once; found a post_id twice. Keep one label per post.")
    if not labels.height:
        raise ParameterError("Expected at least one labelled post; found none. Pass labels with post_id and label.")
    narratives = posts.unique("post_id", keep="first", maintain_order=True).select("post_id", "narrative_id")
    return labels.select("post_id", "label").join(narratives, on="post_id", how="left", maintain_order="left")


def _measure(truth: np.ndarray, found: np.ndarray) -> dict[str, float]:
    if not truth.size:
        names = ("nmi", "ari", "homogeneity", "completeness", "v_measure", "accuracy", "coverage")
        return {name: float("nan") for name in names} | {"found_k": 0.0, "true_k": 0.0, "n_posts": 0.0}
    homogeneity, completeness, v_measure = homogeneity_completeness_v_measure(truth, found)
    return {
        "nmi": float(normalized_mutual_info_score(truth, found)),
        "ari": float(adjusted_rand_score(truth, found)),
        "homogeneity": float(homogeneity),
        "completeness": float(completeness),
        "v_measure": float(v_measure),
        "accuracy": _match_best(truth, found),
        "coverage": float("nan"),
        "found_k": float(np.unique(found[found != _OUTSIDE]).size),
        "true_k": float(np.unique(truth).size),
        "n_posts": float(truth.size),
    }


def _match_best(truth: np.ndarray, found: np.ndarray) -> float:
    """Return the share of posts on the diagonal under the best one-to-one matching (Hungarian method)."""
    _, rows = np.unique(truth, return_inverse=True)
    _, columns = np.unique(found, return_inverse=True)
    table = np.zeros((rows.max() + 1, columns.max() + 1))
    np.add.at(table, (rows, columns), 1)
    return float(table[linear_sum_assignment(-table)].sum() / truth.size)
