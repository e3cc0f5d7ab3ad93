"""Distinct texts -> topics, block by block; past a bound, topics of a part and the rest placed with the nearest."""

from __future__ import annotations

import numpy as np
import polars as pl
import scipy.sparse as sp

from workbench.narratives.blocks import assign_blocks
from workbench.narratives.topics import find_topics
from workbench.narratives.vocabulary import Vocabulary, describe_texts, unit_rows
from workbench.schema import decision

_MIN_COSINE = 0.05
_TEXTS_PER_CHUNK = 50_000
_STABILITY = {
    "block": pl.String,
    "resolution": pl.Float64,
    "n_topics": pl.Int64,
    "agreement": pl.Float64,
    "is_chosen": pl.Boolean,
}


def place_texts(
    texts: pl.DataFrame, *, max_texts: int, resolutions: tuple[float, ...], seed: int
) -> tuple[pl.DataFrame, pl.DataFrame, list[pl.DataFrame]]:
    """Return each distinct text's topic with its cosine to the topic's middle, how stable topics were, and decisions.

    Args:
        texts: one row per distinct text: family_id, form, n_posts, language.
        max_texts: topics are made from at most about this many, shared out over the blocks by their size.
        resolutions: grains to choose from, per block.
        seed: of sampling, Leiden and stability.

    Returns:
        `texts` sorted by form with topic (null where nothing is near) and similarity; the stability table; decisions.
    """
    in_order = texts.sort("form").with_columns(block=pl.lit(None, pl.String))
    if not texts.height:
        nothing = in_order.with_columns(topic=pl.lit(None, pl.Int64), similarity=pl.lit(None, pl.Float64))
        return nothing, pl.DataFrame(schema=_STABILITY), []
    in_order = in_order.with_columns(block=assign_blocks(in_order))
    is_learnt = _choose_texts(in_order, max_texts=max_texts, seed=seed)
    parts, stability, n_topics = [], [], 0
    for block in in_order["block"].unique().sort():
        is_here = in_order["block"] == block
        placed, tried = _place_block(
            in_order.filter(is_here & is_learnt),
            in_order.filter(is_here & ~is_learnt),
            resolutions=resolutions,
            seed=seed,
        )
        parts.append(placed.with_columns(pl.col("topic") + n_topics))
        n_topics = int(parts[-1]["topic"].max()) + 1
        stability.append(tried.select(pl.lit(block).alias("block"), pl.all()))
    return pl.concat(parts).sort("form"), pl.concat(stability), _note_sampling(is_learnt, max_texts=max_texts)


def _choose_texts(texts: pl.DataFrame, *, max_texts: int, seed: int) -> pl.Series:
    """Return which texts topics are made from: all, or the most copied of each block and others by chance."""
    if texts.height <= max_texts:
        return pl.Series([True] * texts.height)
    chance = pl.Series(np.random.default_rng(seed).permutation(texts.height))
    room = (pl.len() * (max_texts / texts.height)).ceil()
    is_copied = pl.col("n_posts") > 1
    by_copies = pl.struct(-pl.col("n_posts").cast(pl.Int64), "form").rank("ordinal").over("block")
    ranked = texts.with_columns(chance=chance).with_columns(
        room=room.over("block"), is_first=is_copied & (by_copies <= room.over("block") / 2)
    )
    by_chance = pl.struct(~pl.col("is_first"), "chance").rank("ordinal").over("block")
    return ranked.select(by_chance <= pl.col("room")).to_series()


def _place_block(
    learnt: pl.DataFrame, rest: pl.DataFrame, *, resolutions: tuple[float, ...], seed: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    vocabulary, words, features = describe_texts(learnt["form"].to_list())
    topics = find_topics(features, seed=seed, resolutions=resolutions)
    weight = np.sqrt(topics.term_weight[: words.shape[1]])
    unit = unit_rows((words @ sp.diags_array(weight)).tocsr())
    middles = _find_middles(unit, topics.membership)
    cosine = np.asarray(unit.multiply(middles[topics.membership]).sum(axis=1)).ravel().astype(np.float64)
    placed = learnt.with_columns(topic=pl.Series(topics.membership), similarity=pl.Series(cosine))
    tried = topics.stability.with_columns(is_chosen=pl.col("resolution") == topics.resolution)
    return pl.concat([placed, _place_rest(rest, vocabulary, weight, middles)]), tried


def _find_middles(unit: sp.csr_matrix, membership: np.ndarray) -> sp.csr_matrix:
    """Return the mean direction of each topic's texts, in weighted words."""
    n = membership.size
    indicator = sp.csr_matrix((np.ones(n, np.float32), (membership, np.arange(n))))
    return unit_rows((indicator @ unit).tocsr())


def _place_rest(rest: pl.DataFrame, vocabulary: Vocabulary, weight: np.ndarray, middles: sp.csr_matrix) -> pl.DataFrame:
    """Return the texts with the topic whose middle is nearest, or none where nothing is near."""
    turned = middles.T.tocsr()
    topics, cosines = [np.empty(0, np.int64)], [np.empty(0)]
    for start in range(0, rest.height, _TEXTS_PER_CHUNK):
        forms = rest["form"].slice(start, _TEXTS_PER_CHUNK).to_list()
        unit = unit_rows((vocabulary.weigh(forms) @ sp.diags_array(weight)).tocsr())
        near = (unit @ turned).tocsr()
        topics.append(np.asarray(near.argmax(axis=1)).ravel().astype(np.int64))
        cosines.append(np.asarray(near.max(axis=1).todense()).ravel().astype(np.float64))
    placed = rest.with_columns(topic=pl.Series(np.concatenate(topics)), similarity=pl.Series(np.concatenate(cosines)))
    return placed.with_columns(topic=pl.when(pl.col("similarity") >= _MIN_COSINE).then("topic"))


def _note_sampling(is_learnt: pl.Series, *, max_texts: int) -> list[pl.DataFrame]:
    if is_learnt.all():
        return []
    return [
        decision(
            "read",
            "narratives made from part of the distinct texts, the others placed with the nearest one",
            f"more than {max_texts:,} distinct texts; the most copied are in, the others by chance",
            n_before=is_learnt.len(),
            n_after=int(is_learnt.sum()),
        )
    ]
