"""Families of images by perceptual hash: one picture scaled, recompressed or lightly edited.

Only the bits of hashes are compared: nothing is decoded, nothing is looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations, pairwise

import numpy as np
import polars as pl

from workbench.schema import ParameterError

PIECE_BITS = 16
PAIRS_PER_STEP = 2_000_000


def group_near_hashes(hashes: pl.Series, *, max_bits: Mapping[int, int]) -> pl.DataFrame:
    """Return for each distinct hash the family it belongs to, named by the family's most frequent hash.

    Families grow around the hash that comes most often (ties by the smaller hash), so every member is near that one:
    no chains. The search is exact: of two hashes within a radius of r bits, cut in n pieces of 16 bits, at least one
    piece differs by r // n bits at most.

    Args:
        hashes: hexadecimal, null where there is none; case does not matter.
        max_bits: length in bits -> how many bits may differ, below 4 in each 16. A hash of another length, or one
            that is not hexadecimal, is in a family with its equals only.

    Returns:
        Columns `hash` (as given) and `family`, one row per distinct hash.

    Raises:
        ParameterError: a radius that is negative or as large as a quarter of the hash.
    """
    counted = (
        pl.DataFrame({"hash": hashes}, schema={"hash": pl.String})
        .drop_nulls()
        .group_by("hash")
        .agg(n=pl.len().cast(pl.Int64))
        .with_columns(key=pl.col("hash").str.strip_chars().str.to_lowercase())
    )
    keys = counted.group_by("key").agg(pl.col("n").sum()).sort(["n", "key"], descending=[True, False])["key"]
    family = dict(zip(keys, keys, strict=True))
    for n_bits, radius in max_bits.items():
        if not 0 <= radius < n_bits // 4:
            raise ParameterError(
                f"a radius of {radius} bits was asked for hashes of {n_bits}; expected 0 to {n_bits // 4 - 1}. "
                "Hashes further apart are of different pictures."
            )
        own = keys.filter(keys.str.contains(rf"^[0-9a-f]{{{n_bits // 4}}}$"))
        family |= dict(zip(own, own.gather(_find_heads(own, n_bits, radius)), strict=True))
    return counted.select("hash", family=pl.col("key").replace_strict(family, return_dtype=pl.String))


def _find_heads(keys: pl.Series, n_bits: int, radius: int) -> np.ndarray:
    """Return each hash's family head: the earliest hash within the radius that is in no other's family."""
    pieces = np.frombuffer(bytes.fromhex("".join(keys.to_list())), ">u2").reshape(-1, n_bits // PIECE_BITS)
    low, high = _near_pairs(pieces.astype(np.uint16), radius)
    head = np.arange(len(keys))
    starts = np.searchsorted(low, np.arange(len(keys) + 1))
    for first in np.unique(low):
        if head[first] == first:
            near = high[starts[first] : starts[first + 1]]
            head[near[head[near] == near]] = first
    return head


def _near_pairs(pieces: np.ndarray, radius: int) -> tuple[np.ndarray, np.ndarray]:
    """Return all pairs of rows, low < high, that differ in at most `radius` bits, sorted."""
    n_rows, n_pieces = pieces.shape
    flips = [
        sum(1 << bit for bit in bits)
        for n in range(radius // n_pieces + 1)
        for bits in combinations(range(PIECE_BITS), n)
    ]
    found = [np.empty(0, np.int64)]
    for piece in pieces.T:
        order = np.argsort(piece, kind="stable")
        for flip in np.array(flips, np.uint16):
            lo, hi = (np.searchsorted(piece[order], piece ^ flip, side=side) for side in ("left", "right"))
            found += _within(pieces, order, lo, hi - lo, radius)
    codes = np.unique(np.concatenate(found))
    return codes // n_rows, codes % n_rows


def _within(pieces: np.ndarray, order: np.ndarray, first: np.ndarray, n: np.ndarray, radius: int) -> list[np.ndarray]:
    """Compare each row with the n rows from `first` of the order; return the near ones, low * rows + high."""
    before = np.concatenate([[0], np.cumsum(n)])
    cuts = np.unique([*np.searchsorted(before, np.arange(0, before[-1], PAIRS_PER_STEP)), len(pieces)])
    found = []
    for lo, hi in pairwise(cuts):
        left = np.repeat(np.arange(lo, hi), n[lo:hi])
        right = order[np.arange(len(left)) + np.repeat(first[lo:hi] - (before[lo:hi] - before[lo]), n[lo:hi])]
        left, right = left[left < right], right[left < right]
        n_differing = np.bitwise_count(pieces[left] ^ pieces[right]).sum(axis=1, dtype=np.int64)
        found.append((left * len(pieces) + right)[n_differing <= radius])
    return found
