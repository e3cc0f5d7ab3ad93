"""What groups did on each object: the rows of their members, their pairs, and those of them within the window."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workbench.action_log import find_shared, order_rows
from workbench.coordinated.half import Filled, Half, OwnPairs, count_close

FILLED_FRAC = 1 / 3


class Cells:
    """Each object and group with two or more member rows: rows, pairs by two accounts, and those within the window.

    `rows` are the row numbers in the log of the half, sorted by cell, then time; `objects`, `groups` and the counts
    have one entry per cell.
    """

    def __init__(self, half: Half, groups: Sequence[np.ndarray]):
        """Take disjoint groups, each an array of account codes."""
        log = half.log
        self.n_groups = max(len(groups), 1)
        self.window_us = half.window_us
        group = np.full(len(log.accounts), -1)
        for number, members in enumerate(groups):
            group[members] = number
        rows = np.flatnonzero((group >= 0)[log.account_code])
        rows = rows[find_shared(log.object_code[rows])]  # most objects have one of their rows, and so no cell
        key = log.object_code[rows] * self.n_groups + group[log.account_code[rows]]
        order = order_rows(key)  # times stay sorted within a cell
        starts = np.flatnonzero(np.diff(key[order], prepend=-1) != 0)
        size = np.diff(np.append(starts, len(key)))
        shared = size > 1
        self.rows = rows[order[np.repeat(shared, size)]]
        self.objects, self.groups = np.divmod(key[order[starts[shared]]], self.n_groups)
        self.n_rows = size[shared]
        self._code = np.repeat(np.arange(len(self.n_rows)), self.n_rows)
        self._own = OwnPairs(self._code, log.account_code[self.rows], len(self.n_rows))
        self.n_pairs = self.n_rows * (self.n_rows - 1) / 2 - self._own.n_pairs
        self.n_close = self.count_close(log.time_us[self.rows])

    def count_close(self, time_us: np.ndarray) -> np.ndarray:
        """Return, per cell, the pairs by two accounts within the window when its rows have these times."""
        close = count_close(self._code, time_us, len(self.n_rows), window_us=self.window_us)
        return close - self._own.count_close(time_us, window_us=self.window_us)

    def filled(self, half: Half) -> Filled:
        """Return which objects the groups fill."""
        is_filled = self.n_rows >= FILLED_FRAC * half.size[self.objects]
        return Filled(self.objects[is_filled], self.groups[is_filled])

    def total(self, x: np.ndarray) -> np.ndarray:
        """Return the sum of x, one value per cell, per group."""
        return np.bincount(self.groups, x, self.n_groups)
