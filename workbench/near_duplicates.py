"""Families of near-duplicate texts: one text copied, cut, decorated or moved to the other Chinese script.

Characters are compared, not words, so that text without spaces is treated like any other and no post is too short.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import polars as pl
import scipy.sparse as sp

from workbench.languages import clean_texts, simplify_chinese
from workbench.schema import ParameterError
from workbench.text import normalise_text

_N_BANDS, _ROWS_PER_BAND = 16, 4
_TEXTS_PER_CHUNK = 20_000
_PAIRS_PER_CHUNK = 200_000
_MIX = np.uint64(0x9E3779B97F4A7C15)


def group_near_duplicates(
    texts: Iterable[str | None], *, min_similarity: float = 0.7, shingle_chars: int = 4, seed: int = 7
) -> pl.DataFrame:
    """Return for each text the family of near-duplicates it belongs to, and how like the family's exemplar it is.

    Texts are brought to one form first (`normalise_text`, then simplified Chinese, then letters, digits and marks
    only; a text made of signs and emoji alone keeps them). Equal forms are one text. Of the rest, MinHash signatures
    in bands propose pairs, and the exact Jaccard similarity of their character shingles decides. Families grow around
    the text with most copies, so every member is at least `min_similarity` like its exemplar: no chains.

    Args:
        texts: any texts, in any order.
        min_similarity: 0 to 1, above 0; share of shingles two texts must have in common.
        shingle_chars: characters in a shingle. A text shorter than that matches only texts equal to it.
        seed: of the hash functions.

    Returns:
        One row per text, in order: `family_id` (i64, 1 = most texts; null where nothing is left to read),
        `similarity` (to the exemplar; 1.0 for an equal form), `is_exemplar` (true once per family).

    Raises:
        ParameterError: a parameter outside its range.

    Source: Broder 1997 (resemblance and shingles); Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, ch. 3.
        A pair at 0.7 is proposed with probability 0.99, at 0.8 with 0.9998.

    Beware: greetings, quotations and headlines are shared by people who never copied from each other.
    """
    if not 0 < min_similarity <= 1:
        raise ParameterError(f"min_similarity must be above 0 and at most 1, got {min_similarity}. Try 0.7.")
    if not 1 <= shingle_chars <= 20:
        raise ParameterError(f"shingle_chars must be 1 to 20, got {shingle_chars}. Try 4.")
    forms = pl.DataFrame({"form": comparable_forms(texts)}).with_row_index("row")
    distinct = (
        forms.drop_nulls("form")
        .group_by("form")
        .agg(n_copies=pl.len(), first_row=pl.col("row").min())
        .sort([-pl.col("n_copies").cast(pl.Int64), pl.col("form").str.len_chars(), pl.col("form")])
    )
    keys = distinct["form"]
    left, right, similarity = _find_similar_pairs(
        keys, min_similarity=min_similarity, shingle_chars=shingle_chars, seed=seed
    )
    exemplar, likeness = _gather_families(keys.len(), left, right, similarity)
    return _number_families(forms, distinct.with_columns(exemplar=exemplar, similarity=likeness))


def comparable_forms(texts: Iterable[str | None]) -> pl.Series:
    """Return the form in which texts are compared: null where nothing is left to read."""
    raw = (texts if isinstance(texts, pl.Series) else pl.Series(clean_texts(texts), dtype=pl.String)).alias("raw")
    known = raw.drop_nulls().unique().to_frame().with_columns(text=normalise_text(pl.col("raw")))
    distinct = known["text"].drop_nulls().unique()
    simple = pl.DataFrame({"text": distinct, "simple": pl.Series(simplify_chinese(distinct), dtype=pl.String)})
    read = simple.with_columns(form=keep_letters(pl.col("simple")))
    forms = known.join(read, on="text", how="left")
    return raw.to_frame().join(forms, on="raw", how="left", maintain_order="left")["form"]


def keep_letters(simple: pl.Expr) -> pl.Expr:
    """Return normalised, simplified texts without all that is no letter, digit or mark; of signs alone, as they are."""
    letters = simple.str.replace_all(r"[^\p{L}\p{N}\p{M}]+", "")
    return pl.when(letters != "").then(letters).otherwise(simple)


def _find_similar_pairs(
    keys: pl.Series, *, min_similarity: float, shingle_chars: int, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return pairs of rows (left < right) whose shingles are similar enough, with their Jaccard similarity."""
    if keys.len() < 2:
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
    bounds = range(0, keys.len(), _TEXTS_PER_CHUNK)
    shingles = [_hash_shingles(keys.slice(start, _TEXTS_PER_CHUNK), shingle_chars) for start in bounds]
    with ThreadPoolExecutor(pl.thread_pool_size()) as pool:
        signatures = np.concatenate(list(pool.map(lambda chunk: _sign(*chunk, seed=seed), shingles)))
    left, right = _propose_pairs(signatures)
    # The signature estimates the similarity with a standard error of about 0.06: three of them below is safe to skip.
    agreeing = _estimate(signatures, left, right) >= min_similarity - 0.18
    left, right = left[agreeing], right[agreeing]
    sets = _as_sets(shingles)
    similarity = np.concatenate(
        [np.empty(0)]
        + [
            _jaccard(sets, left[start : start + _PAIRS_PER_CHUNK], right[start : start + _PAIRS_PER_CHUNK])
            for start in range(0, left.size, _PAIRS_PER_CHUNK)
        ]
    )
    similar = similarity >= min_similarity
    return left[similar], right[similar], similarity[similar]


def _hash_shingles(keys: pl.Series, shingle_chars: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the hashes of all shingles of all texts, end to end, and where each text's shingles start."""
    padded = keys.str.pad_end(shingle_chars, "\x00")
    lengths = padded.str.len_chars().to_numpy().astype(np.int64)
    chars = np.frombuffer("".join(padded.to_list()).encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
    rolled = np.zeros(chars.size - shingle_chars + 1, np.uint64)
    for offset in range(shingle_chars):
        rolled = (rolled + chars[offset : offset + rolled.size] + np.uint64(1)) * _MIX
        rolled ^= rolled >> np.uint64(29)
    n_shingles = lengths - shingle_chars + 1
    is_inside = np.ones(chars.size, dtype=bool)
    ends = np.cumsum(lengths)
    for offset in range(1, shingle_chars):  # the last shingles of a text would reach into the next one
        is_inside[ends - offset] = False
    return rolled[is_inside[: rolled.size]], np.concatenate([[0], np.cumsum(n_shingles)])


def _sign(hashes: np.ndarray, starts: np.ndarray, *, seed: int) -> np.ndarray:
    """Return the MinHash signature of each text: the smallest value of its shingles under each hash function."""
    random = np.random.default_rng(seed)
    n_functions = _N_BANDS * _ROWS_PER_BAND
    factors = random.integers(1, 2**63, n_functions, dtype=np.uint64) | np.uint64(1)
    signature = np.empty((starts.size - 1, n_functions), np.uint32)
    for column, factor in enumerate(factors):
        mixed = ((hashes ^ factor) * factor >> np.uint64(32)).astype(np.uint32)
        signature[:, column] = np.minimum.reduceat(mixed, starts[:-1])
    return signature


def _propose_pairs(signatures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return pairs worth comparing: in each bucket of each band, everything with the bucket's first and its next."""
    n_texts = signatures.shape[0]
    codes = []
    for band in range(_N_BANDS):
        rows = signatures[:, band * _ROWS_PER_BAND : (band + 1) * _ROWS_PER_BAND].astype(np.uint64)
        bucket = np.zeros(n_texts, np.uint64)
        for column in range(_ROWS_PER_BAND):
            bucket = (bucket ^ rows[:, column]) * _MIX
            bucket ^= bucket >> np.uint64(31)
        order = np.argsort(bucket, kind="stable")
        is_same = bucket[order][1:] == bucket[order][:-1]
        starts = np.concatenate([[True], ~is_same])
        first = order[np.maximum.accumulate(np.where(starts, np.arange(n_texts), 0))]
        others = np.flatnonzero(is_same) + 1
        codes += [first[others] * n_texts + order[others], order[others - 1] * n_texts + order[others]]
    pairs = np.unique(np.concatenate(codes))
    return pairs // n_texts, pairs % n_texts


def _estimate(signatures: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return the share of signature values two texts have in common."""
    shares = [np.empty(0)]
    for start in range(0, left.size, _PAIRS_PER_CHUNK):
        chunk = slice(start, start + _PAIRS_PER_CHUNK)
        shares.append((signatures[left[chunk]] == signatures[right[chunk]]).mean(axis=1))
    return np.concatenate(shares)


def _as_sets(shingles: list[tuple[np.ndarray, np.ndarray]]) -> sp.csr_matrix:
    """Return one row per text with a one for each distinct shingle."""
    blocks = []
    for hashes, starts in shingles:
        columns = (hashes >> np.uint64(33)).astype(np.int32)
        block = sp.csr_matrix((np.ones(columns.size, np.int8), columns, starts), shape=(starts.size - 1, 2**31 - 1))
        block.sum_duplicates()
        block.data[:] = 1
        blocks.append(block)
    return sp.vstack(blocks, format="csr")


def _jaccard(sets: sp.csr_matrix, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return the exact share of shingles in common, pair by pair."""
    sizes = np.diff(sets.indptr)
    common = np.asarray(sets[left].multiply(sets[right]).sum(axis=1, dtype=np.int64)).ravel()
    return common / (sizes[left] + sizes[right] - common)


def _gather_families(
    n_texts: int, left: np.ndarray, right: np.ndarray, similarity: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return each text's exemplar and its likeness to it; texts come in order of precedence."""
    exemplar, likeness = np.arange(n_texts), np.ones(n_texts)
    taken = np.zeros(n_texts, dtype=bool)
    starts = np.searchsorted(left, np.arange(n_texts + 1))
    for text in np.unique(left):
        if taken[text]:
            continue
        near = slice(starts[text], starts[text + 1])
        free = ~taken[right[near]] & (exemplar[right[near]] == right[near])
        members = right[near][free]
        exemplar[members], likeness[members], taken[members] = text, similarity[near][free], True
    return exemplar, likeness


def _number_families(forms: pl.DataFrame, distinct: pl.DataFrame) -> pl.DataFrame:
    """Return one row per text in its order, families numbered from the one with most texts."""
    numbered = distinct.with_row_index("text").with_columns(n_texts=pl.col("n_copies").sum().over("exemplar"))
    order = (
        numbered.filter(pl.col("text") == pl.col("exemplar"))
        .sort([-pl.col("n_texts").cast(pl.Int64), pl.col("form")])
        .with_row_index("family_id", offset=1)
        .select("exemplar", pl.col("family_id").cast(pl.Int64), exemplar_row="first_row")
    )
    families = numbered.join(order, on="exemplar").select("form", "family_id", "similarity", "exemplar_row")
    return forms.join(families, on="form", how="left", maintain_order="left").select(
        "family_id", "similarity", is_exemplar=(pl.col("row") == pl.col("exemplar_row")).fill_null(value=False)
    )
