"""Have you seen this? One text -> the posts and narratives nearest to it, by word overlap and by likeness."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
import scipy.sparse as sp
from sklearn.feature_extraction.text import CountVectorizer

from workbench.languages import clean_texts, simplify_chinese
from workbench.narratives.find import Narratives
from workbench.narratives.vocabulary import list_pieces, list_words, split_runs, unit_rows
from workbench.near_duplicates import keep_letters
from workbench.schema import ParameterError, SchemaError
from workbench.text import normalise_text

Runs = list[tuple[str, str]]
_K1, _B = 1.2, 0.75
_KEY = ["platform", "post_id"]
_HIT_COLUMNS = {
    "rank": pl.Int64,
    "similarity": pl.Float64,
    "bm25": pl.Float64,
    "post_id": pl.String,
    "platform": pl.String,
    "account_id": pl.String,
    "posted_at": pl.Datetime("us", "UTC"),
    "text": pl.String,
    "n_posts": pl.Int64,
    "n_accounts": pl.Int64,
    "narrative_id": pl.Int64,
}


@dataclass(frozen=True)
class PostIndex:
    """Distinct texts of some posts, ready to be searched many times."""

    texts: pl.DataFrame
    """form, and of its earliest post: post_id, platform, account_id, posted_at, text; n_posts, n_accounts,
    narrative_id"""
    words: CountVectorizer
    scores: sp.csr_matrix
    pieces: CountVectorizer
    likeness: sp.csr_matrix
    piece_weight: np.ndarray


def find_similar_posts(
    query: str,
    posts: pl.DataFrame | PostIndex,
    *,
    narratives: Narratives | None = None,
    n_results: int = 10,
) -> pl.DataFrame:
    """Return the posts nearest to a text, best first, each distinct text once with its earliest post.

    Args:
        query: a post or a claim, in any script.
        posts: the posts table, or an index of it from `index_posts` for many questions.
        narratives: from `find_narratives`; fills narrative_id. An index brings its own.
        n_results: at least 1.

    Returns:
        rank, similarity (cosine of four-character runs with IDF weights, 0 to 1), bm25 (word overlap, the baseline;
        the higher the better), post_id, platform, account_id, posted_at, text, n_posts and n_accounts (of this text,
        whatever its signs and emoji), narrative_id. Only texts with something in common; sorted by similarity, then
        bm25.

    Raises:
        ParameterError: n_results below 1, or nothing to look for in the query.

    Source: Robertson and Zaragoza 2009 (BM25, k1 = 1.2, b = 0.75).

    Beware: likeness of words, not of meaning: a denial is near the claim it denies.
    """
    if n_results < 1:
        raise ParameterError(f"n_results must be at least 1, got {n_results}. Try 10.")
    form = _compare_forms(pl.Series([query], dtype=pl.String) if _is_valid(query) else pl.Series(clean_texts([query])))
    if not form[0]:
        raise ParameterError("The query has nothing to look for: only links, mentions or blanks. Pass some words.")
    index = posts if isinstance(posts, PostIndex) else index_posts(posts, narratives=narratives)
    if not index.texts.height:
        return pl.DataFrame(schema=_HIT_COLUMNS)
    runs = [split_runs(form[0])]
    asked = unit_rows(index.pieces.transform(runs).astype(np.float64) @ sp.diags_array(index.piece_weight))
    similarity = (index.likeness @ asked.T).toarray().ravel()
    bm25 = (index.scores @ (index.words.transform(runs) > 0).astype(np.float64).T).toarray().ravel()
    return (
        index.texts.with_columns(similarity=pl.Series(similarity).clip(0, 1).round(4), bm25=pl.Series(bm25).round(4))
        .filter((pl.col("similarity") > 0) | (pl.col("bm25") > 0))
        .sort(["similarity", "bm25", "form"], descending=[True, True, False])
        .head(n_results)
        .with_row_index("rank", offset=1)
        .select(pl.col(name).cast(dtype) for name, dtype in _HIT_COLUMNS.items())
    )


def find_similar_narratives(hits: pl.DataFrame, narratives: Narratives) -> pl.DataFrame:
    """Return the narratives among the hits of `find_similar_posts`, nearest first, with what their cards say of them.

    Returns:
        narrative_id, label, similarity (of its nearest hit), n_hits, n_posts, n_accounts, first_at, last_at.
    """
    found = (
        hits.drop_nulls("narrative_id")
        .group_by("narrative_id")
        .agg(similarity=pl.col("similarity").max(), n_hits=pl.len().cast(pl.Int64))
    )
    return (
        found.join(
            narratives.cards.select("narrative_id", "label", "n_posts", "n_accounts", "first_at", "last_at"),
            on="narrative_id",
        )
        .select("narrative_id", "label", "similarity", "n_hits", "n_posts", "n_accounts", "first_at", "last_at")
        .sort(["similarity", "narrative_id"], descending=[True, False])
    )


def index_posts(posts: pl.DataFrame, *, narratives: Narratives | None = None) -> PostIndex:
    """Return an index of the posts' distinct texts for `find_similar_posts`.

    Raises:
        SchemaError: posts lacks a column.
    """
    for column in ("post_id", "platform", "account_id", "posted_at", "text"):
        if column not in posts.columns:
            found = ", ".join(f"'{name}'" for name in posts.columns)
            raise SchemaError(f"posts lacks column '{column}' (has {found}). Pass the posts table of load_release.")
    texts = _list_texts(posts, narratives)
    runs = [split_runs(form) for form in texts["form"]]
    words, counts = _count(runs, list_words)
    pieces, piece_counts = _count(runs, list_pieces)
    idf = _weigh(piece_counts, smooth=1.0)
    likeness = unit_rows((piece_counts.astype(np.float64) @ sp.diags_array(idf)).tocsr())
    return PostIndex(texts, words, _score_bm25(counts), pieces, likeness, idf)


def _list_texts(posts: pl.DataFrame, narratives: Narratives | None) -> pl.DataFrame:
    own = posts.select(*_KEY, "account_id", "posted_at", "text").with_columns(form=_compare_forms(posts["text"]))
    if narratives is None:
        own = own.with_columns(narrative_id=pl.lit(None, pl.Int64))
    else:
        own = own.join(narratives.posts.select(*_KEY, "narrative_id").unique(_KEY), on=_KEY, how="left")
    return (
        own.filter(pl.col("form").is_not_null() & (pl.col("form") != ""))
        .with_columns(letters=keep_letters(pl.col("form")))
        .sort("posted_at", *_KEY)
        .group_by("letters", maintain_order=True)
        .agg(
            *(pl.col(name).first() for name in ("form", *_KEY, "account_id", "posted_at", "text")),
            n_posts=pl.len(),
            n_accounts=pl.col("account_id").n_unique(),
            narrative_id=pl.col("narrative_id").drop_nulls().first(),
        )
        .drop("letters")
        .sort("form", *_KEY)
    )


def _compare_forms(texts: pl.Series) -> pl.Series:
    rows = texts.alias("text").to_frame()
    known = rows.unique()
    normal = known.select(normalise_text(pl.col("text"))).to_series().fill_null("")
    forms = known.with_columns(form=pl.Series(simplify_chinese(normal), dtype=pl.String))
    return rows.join(forms, on="text", how="left", nulls_equal=True, maintain_order="left")["form"]


def _is_valid(text: str) -> bool:
    return not any("\ud800" <= char <= "\udfff" for char in text)


def _count(runs: list[Runs], list_terms: Callable[[Runs], list[str]]) -> tuple[CountVectorizer, sp.csr_matrix]:
    counter = CountVectorizer(analyzer=list_terms, dtype=np.int32)
    try:
        return counter, counter.fit_transform(runs).tocsr()
    except ValueError:  # scikit-learn's way to say that no text has any term
        counter.fit([split_runs("a word to search for")])
        return counter, counter.transform(runs).tocsr()


def _weigh(counts: sp.csr_matrix, *, smooth: float) -> np.ndarray:
    df = np.bincount(counts.indices, minlength=counts.shape[1])
    return np.log1p((counts.shape[0] - df + 0.5) / (df + 0.5)) + smooth - 1


def _score_bm25(counts: sp.csr_matrix) -> sp.csr_matrix:
    """Return what each word of each text adds to the score of a query that holds it."""
    lengths = np.asarray(counts.sum(axis=1), dtype=np.float64).ravel()
    mean = lengths.mean() if lengths.size and lengths.sum() else 1.0
    norm = np.repeat(_K1 * (1 - _B + _B * lengths / mean), np.diff(counts.indptr))
    scored = counts.astype(np.float64)
    scored.data = scored.data * (_K1 + 1) / (scored.data + norm)
    return (scored @ sp.diags_array(_weigh(counts, smooth=1.0))).tocsr()
