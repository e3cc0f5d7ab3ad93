"""The edges of one half: pairs of accounts that co-act on it, and what each is due at any pace of its objects.

Which objects the two ends of an edge have in common does not hang on the pace, so it is worked out once. What an edge
is due at a pace is then one sum, however often other objects count as usual.
"""

from __future__ import annotations

import numpy as np

from workbench.chance import Expectation
from workbench.coaction import ActionLog, count_pairs
from workbench.pairs import iterate_pairs

MAX_EDGES = 5_000_000
MAX_COMMON_PAIRS = 100_000_000
"""pairs of accounts with an object in common, per object: so many are looked through to find those that are edges"""
MAX_KEPT = 20_000_000
"""so many of these are kept, in 16 bytes each; beyond, what edges are due is worked out anew for each pace"""
MAX_TABLE_CELLS = 30_000_000


class Edges:
    """The pairs of accounts `a` < `b` (codes) with `n` co-actions on a half; the lightest go where there are too many.

    On very dense logs the lightest edges make no candidates, so that work stays bounded.
    """

    def __init__(self, log: ActionLog, *, window_us: int):
        self._log = log
        self.a, self.b, self.n = count_pairs(log, window_us=window_us)
        least = 1
        while len(self.n) > MAX_EDGES:
            least += 1
            self.a, self.b, self.n = (column[self.n >= least] for column in (self.a, self.b, self.n))
        self._common = _find_common(log, self.a, self.b)

    def expected(self, rate: np.ndarray) -> np.ndarray:
        """Return, per edge, the sum over the objects of both accounts of actions x actions x rate (per object code)."""
        if self._common is None:
            return Expectation(self._log, rate).of_pairs(self.a, self.b)
        edge, objects, n_pairs = self._common
        return np.bincount(edge, n_pairs * rate[objects], len(self.n))


def _find_common(log: ActionLog, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Return the number of an edge, an object both its accounts acted on, and the pairs of their actions there.

    None where that would be too much to look through, or to keep.
    """
    n_accounts = len(log.accounts)
    key, n_actions = np.unique(log.object_code * n_accounts + log.account_code, return_counts=True)
    objects, accounts = np.divmod(key, n_accounts)
    n_here = np.bincount(objects).astype(float)
    if (n_here * (n_here - 1) / 2).sum() > MAX_COMMON_PAIRS:
        return None
    find = _Finder(a, b, n_accounts)
    present = ActionLog.of_codes(objects, accounts, np.zeros(len(key), np.int64))
    parts, n_kept = [(np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0))], 0
    for i, j in iterate_pairs(present, window_us=None):
        edge = find.number_of(accounts[i], accounts[j])
        is_edge = np.flatnonzero(edge >= 0)
        n_kept += len(is_edge)
        if n_kept > MAX_KEPT:
            return None
        i, j = i[is_edge], j[is_edge]
        parts.append((edge[is_edge].astype(np.int32), objects[i].astype(np.int32), 1.0 * n_actions[i] * n_actions[j]))
    edge, objects, n_pairs = (np.concatenate(column) for column in zip(*parts, strict=True))
    return edge, objects, n_pairs


class _Finder:
    """Finds the number of the edge between two accounts a < b, -1 where there is none: in a table where one fits."""

    def __init__(self, a: np.ndarray, b: np.ndarray, n_accounts: int):
        self._key, self._n_accounts = a * n_accounts + b, n_accounts
        self._table = None
        if n_accounts**2 <= MAX_TABLE_CELLS:
            self._table = np.full(n_accounts**2, -1, np.int32)
            self._table[self._key] = np.arange(len(a))

    def number_of(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        key = a * self._n_accounts + b
        if self._table is not None:
            return self._table[key]
        if not len(self._key):
            return np.full(len(key), -1)
        place = np.minimum(np.searchsorted(self._key, key), len(self._key) - 1)
        return np.where(self._key[place] == key, place, -1)
