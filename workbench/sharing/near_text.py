"""Signatures by which two parties find near-duplicate texts without showing each other the texts.

One-permutation MinHash: every 4-character shingle of the normalised text is hashed once, the hash picks one of 64 bins
and each bin keeps its smallest hash. Bins that are equal in both, over bins filled in either, estimate the share of
shingles two texts have in common (Jaccard). Characters, not words, so that an unsegmented Chinese text counts as well.

Source: Li, Owen, Zhang 2012, One Permutation Hashing. Differs: empty bins are compared as empty, not filled up.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from workbench.schema import ParameterError
from workbench.sharing.joins import join_within_bounds

N_BINS = 64
N_CHARACTERS = 4
_EMPTY = np.uint32(0xFFFFFFFF)
_BAND = 2
_BATCH = 20_000
_PAIRS = 50_000
"""compared at once: more do not fit into the processor's own memory"""
METHOD = f"one-permutation MinHash, {N_BINS} bins of 32 bits, {N_CHARACTERS}-character shingles"


def sign_texts(normalised: pl.Series, *, key: bytes = b"") -> np.ndarray:
    """Return one signature per text: an array of 64 uint32, all ones where a bin is empty.

    Args:
        normalised: texts as `workbench.text.normalise_text` leaves them; null counts as blank.
        key: with a key only its holders can compare (and nobody else can guess words); blank for the public form.
    """
    texts = normalised.fill_null("").to_list()
    parts = [_sign_batch(texts[at : at + _BATCH], key) for at in range(0, len(texts), _BATCH)]
    return np.concatenate(parts) if parts else np.empty((0, N_BINS), dtype=np.uint32)


def write_signature(signature: np.ndarray) -> str:
    """Return a signature as `text-minhash:` and hexadecimal digits."""
    return "text-minhash:" + signature.astype(">u4").tobytes().hex()


def read_signatures(values: pl.Series) -> np.ndarray:
    """Return the signatures that `write_signature` wrote.

    Raises:
        ParameterError: a value of another length or alphabet.
    """
    rows = []
    for value in values:
        digits = value.removeprefix("text-minhash:")
        if len(digits) != N_BINS * 8 or set(digits) - set("0123456789abcdef"):
            raise ParameterError(
                f"A signature has {N_BINS * 8} hexadecimal digits; found {len(digits)}. It is of another method."
            )
        rows.append(np.frombuffer(bytes.fromhex(digits), dtype=">u4").astype(np.uint32))
    return np.array(rows, dtype=np.uint32).reshape(-1, N_BINS)


def find_near(wanted: np.ndarray, own: np.ndarray, *, min_similarity: float) -> pl.DataFrame:
    """Return the pairs of signatures at least that similar: wanted_row, own_row, similarity.

    Args:
        wanted: signatures looked for.
        own: signatures looked through.
        min_similarity: least estimated share of common shingles, 0 to 1; below 0.3 candidates may be missed.

    Raises:
        ParameterError: a similarity outside 0 to 1.
    """
    if not 0 < min_similarity <= 1:
        raise ParameterError(
            f"min_similarity lies above 0 and up to 1; found {min_similarity}. Use 0.5 for near copies."
        )
    pairs = _candidates(wanted, own)
    parts = [_compare(wanted, own, pairs[at : at + _PAIRS]) for at in range(0, len(pairs), _PAIRS)]
    similarity = np.concatenate(parts) if parts else np.empty(0)
    keep = similarity >= min_similarity
    columns = {"wanted_row": pairs[keep, 0], "own_row": pairs[keep, 1], "similarity": similarity[keep]}
    return pl.DataFrame(columns, schema={"wanted_row": pl.Int64, "own_row": pl.Int64, "similarity": pl.Float64})


def _compare(wanted: np.ndarray, own: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    a, b = wanted[pairs[:, 0]], own[pairs[:, 1]]
    either = ((a != _EMPTY) | (b != _EMPTY)).sum(axis=1)
    both = ((a == b) & (a != _EMPTY)).sum(axis=1)
    return both / np.maximum(either, 1)


def _candidates(wanted: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Pairs that agree in at least one band of two bins, none of them empty."""
    found = []
    for band in range(0, N_BINS, _BAND):
        left, right = _band(wanted, band), _band(own, band)
        joined = join_within_bounds(left, right.rename({"row": "row_own"}), "near_text")
        found.append(joined.select(pl.col("row"), pl.col("row_own")))
    return pl.concat(found).unique().sort("row", "row_own").to_numpy().reshape(-1, 2).astype(np.int64)


def _band(signatures: np.ndarray, band: int) -> pl.DataFrame:
    high, low = signatures[:, band], signatures[:, band + 1]
    key = (high.astype(np.uint64) << np.uint64(32)) | low.astype(np.uint64)
    filled = (high != _EMPTY) & (low != _EMPTY)
    return pl.DataFrame({"near_text": key, "row": np.arange(len(signatures), dtype=np.int64)}).filter(pl.Series(filled))


def _sign_batch(texts: list[str], key: bytes) -> np.ndarray:
    signature = np.full((len(texts), N_BINS), _EMPTY, dtype=np.uint32)
    bare = ["".join(text.split()) for text in texts]
    lengths = np.array([len(text) for text in bare], dtype=np.int64)
    codes = np.frombuffer("".join(bare).encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    n_shingles = np.where(lengths > 0, np.maximum(lengths - N_CHARACTERS + 1, 1), 0)
    owner = np.repeat(np.arange(len(texts)), n_shingles)
    start = np.repeat(np.cumsum(lengths) - lengths, n_shingles)
    end = np.repeat(np.cumsum(lengths), n_shingles)
    at = start + np.arange(len(owner)) - np.repeat(np.cumsum(n_shingles) - n_shingles, n_shingles)
    hashed = np.zeros(len(owner), dtype=np.uint64)
    for step in range(N_CHARACTERS):
        # A text shorter than a shingle is one shingle, ended early.
        inside = at + step < end
        code = np.where(inside, codes[np.minimum(at + step, len(codes) - 1)], np.uint64(0)) if len(codes) else at
        hashed = _mix(hashed * np.uint64(0x100000001B3) + code.astype(np.uint64))
    hashed = _mix(hashed ^ _key_number(key))
    bins = (hashed >> np.uint64(58)).astype(np.int64)
    values = (hashed & np.uint64(0xFFFFFFFE)).astype(np.uint32)
    np.minimum.at(signature, (owner, bins), values)
    return signature


def _mix(x: np.ndarray) -> np.ndarray:
    """The finaliser of splitmix64: every bit of the input reaches every bit of the output."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _key_number(key: bytes) -> np.uint64:
    return np.uint64(int.from_bytes(key[:8].ljust(8, b"\0"), "little"))
