"""accounts -> what handles and display names look like, without saying what they are: shape, surprise, repeats.

It lies apart from the profiles because names must be read before they are hidden: what is kept of them here stays with
an account whose handle may not be shown.
"""

from __future__ import annotations

import numpy as np
import polars as pl

MAX_HANDLE_CHARS = 30
"""Longer handles are hashes that stand for one: no platform read here lets an account choose as many."""
MIN_HANDLE_CHARS = 4
MIN_HANDLES = 50
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789_"
_OTHER, _EDGE = len(_LETTERS), len(_LETTERS) + 1
_N_CODES = _EDGE + 1


def describe_names(accounts: pl.DataFrame) -> pl.DataFrame:
    """Return what the names of accounts look like, one row each, in order.

    Args:
        accounts: table `accounts`.

    Returns:
        handle_shape (every letter `a`, every digit `0`), handle_surprise (bits per character, see `rate_surprise`;
        rounded to a tenth, so that it tells no handle apart), name_tail_digits and name_surprise (the same of display
        names: digits at the end; bits per character, null where hardly a letter is one of a handle's) and n_same_name
        (other accounts of the platform with the same display name, read without case and spaces). The last three are
        null where there is no name, or a hash stands for it.
    """
    name = pl.col("display_name").str.to_lowercase().str.replace_all(r"\s+", "")
    is_hash = pl.col("display_name") == pl.col("account_id")
    shown = accounts.select(
        shown=pl.when((name != "") & ~is_hash).then(name),
        latin=pl.when((name != "") & ~is_hash & (name.str.count_matches(r"[a-z]") * 2 >= name.str.len_chars())).then(
            name
        ),
    )
    return accounts.select(
        handle_shape=pl.col("handle").str.replace_all(r"\p{L}", "a").str.replace_all(r"\p{N}", "0"),
        handle_surprise=rate_surprise(accounts["handle"]).round(1),
        name_tail_digits=shown["shown"].str.extract(r"(\d*)$").str.len_chars().cast(pl.Int64),
        name_surprise=rate_surprise(shown["latin"]).round(1),
        n_same_name=pl.when((name != "") & ~is_hash).then(pl.len().over("platform", name).cast(pl.Int64) - 1),
    )


def rate_surprise(handles: pl.Series) -> pl.Series:
    """Return how surprising each handle's letters follow each other, in bits per character, beside all the others.

    A handle made of words or syllables follows the habits of the other handles; a random string does not. Each handle
    is judged by the pairs of neighbouring characters in all handles but itself. Digits at the end are left out: they
    are counted apart.

    Args:
        handles: names in addresses; null where unknown.

    Returns:
        Bits, in order. Null where fewer than four characters are left or more than thirty are (a hash), and for all
        where fewer than fifty handles are there to learn from.

    Source: character bigrams, Shannon 1951, as in tests for generated names (Beskow and Carley 2018).
    Beware: initials, abbreviations and handles in a script or language of few look random too.
    """
    bare = handles.str.to_lowercase().str.replace(r"\d+$", "")
    frame = pl.DataFrame({"bare": bare, "n": handles.str.len_chars()}).with_row_index("row")
    read = frame.filter(pl.col("bare").str.len_chars() >= MIN_HANDLE_CHARS, pl.col("n") <= MAX_HANDLE_CHARS)
    if read.height < MIN_HANDLES:
        return pl.Series("handle_surprise", [None] * len(handles), dtype=pl.Float64)
    row, before, after = _neighbours(read["bare"])
    seen = np.bincount(before * _N_CODES + after, minlength=_N_CODES**2).astype(float)
    own_key, own_pair = np.unique(row * _N_CODES**2 + before * _N_CODES + after, return_inverse=True)
    own = np.bincount(own_pair, minlength=len(own_key))[own_pair]
    first_key, first_pair = np.unique(row * _N_CODES + before, return_inverse=True)
    own_first = np.bincount(first_pair, minlength=len(first_key))[first_pair]
    of_first = seen.reshape(_N_CODES, _N_CODES).sum(axis=1)
    chance = (seen[before * _N_CODES + after] - own + 1) / (of_first[before] - own_first + _N_CODES)
    bits = np.bincount(row, -np.log2(chance)) / np.bincount(row)
    rated = read.select("row", handle_surprise=pl.Series(bits))
    return frame.join(rated, on="row", how="left", maintain_order="left")["handle_surprise"]


def _neighbours(names: pl.Series) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Number of the name, character before and character after, for every pair of neighbours, edges included."""
    n = names.str.len_chars().to_numpy().astype(np.int64)
    code = {letter: place for place, letter in enumerate(_LETTERS)}
    inner = np.array([code.get(letter, _OTHER) for name in names for letter in name])
    row = np.repeat(np.arange(len(n)), n + 1)
    before, after = np.full(len(row), _EDGE), np.full(len(row), _EDGE)
    starts = np.concatenate([[0], np.cumsum(n + 1)[:-1]])
    is_start, is_end = np.zeros(len(row), bool), np.zeros(len(row), bool)
    is_start[starts], is_end[starts + n] = True, True
    before[~is_start], after[~is_end] = inner, inner
    return row, before, after
