"""Numbers in, counted numbers out, in bounded memory: how often each pair was seen, smallest pair first.

Pairs of accounts come by the hundred million. They are cut into slices of the number line as they come, each slice is
kept as differences from its start (four bytes a pair, mostly), and past the memory allowed the slices go to disk. At
the end each slice is sorted by itself; together they are in order.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import TypeVar

import numpy as np

T = TypeVar("T")
R = TypeVar("R")

PAIRS_PER_SLICE = 2_000_000
MAX_SLICES = 4_096
REPEATED_FRAC = 0.3
"""a batch in which at least so many pairs repeat others is kept as pairs with counts"""


class Tally:
    """Counts of unsigned 64-bit numbers, added in batches from any thread, read slice by slice.

    Args:
        sample: numbers drawn from those to come, by which the line is cut evenly; not counted.
        n_expected: how many will come, about.
        memory_bytes: what the slices may hold before they go to disk.
    """

    def __init__(self, sample: np.ndarray, *, n_expected: int, memory_bytes: int) -> None:
        n_slices = int(np.clip(n_expected // PAIRS_PER_SLICE, 1, MAX_SLICES))
        cuts = np.sort(sample)[:: max(1, len(sample) // n_slices)][1:]
        self.starts = np.unique(np.append(np.uint64(0), cuts.astype(np.uint64)))
        self._memory_bytes = memory_bytes
        self._held: list[list[tuple[np.ndarray, np.ndarray | None]]] = [[] for _ in self.starts]
        self._n_bytes = 0
        self._lock = Lock()
        self._folder: tempfile.TemporaryDirectory | None = None

    def add(self, numbers: np.ndarray) -> None:
        """Count a batch; the array is sorted in place and must not be used after."""
        numbers.sort()
        counts = None
        if len(numbers):
            is_first = np.empty(len(numbers), bool)
            is_first[0] = True
            np.not_equal(numbers[1:], numbers[:-1], out=is_first[1:])
            if np.count_nonzero(is_first) < (1 - REPEATED_FRAC) * len(numbers):
                first = np.flatnonzero(is_first)
                counts = np.diff(np.append(first, len(numbers))).astype(np.uint32)
                numbers = numbers[first]
        cuts = np.append(np.searchsorted(numbers, self.starts), len(numbers))
        for k in np.flatnonzero(np.diff(cuts)):
            part = slice(cuts[k], cuts[k + 1])
            offset = numbers[part] - self.starts[k]
            narrow = offset.astype(np.uint32) if offset[-1] < 2**32 else offset
            self._hold(int(k), narrow, None if counts is None else counts[part].copy())
        if self._n_bytes > self._memory_bytes:
            self._spill()

    def slices(self, pool: ThreadPoolExecutor) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield (numbers, counts) slice by slice: distinct numbers in rising order, uint64 and int64."""
        try:
            yield from run_ahead(pool, self._finish, range(len(self.starts)))
        finally:
            self.close()

    @property
    def is_on_disk(self) -> bool:
        """Whether memory did not suffice."""
        return self._folder is not None

    def close(self) -> None:
        """Forget everything, on disk too."""
        self._held = [[] for _ in self.starts]
        if self._folder is not None:
            self._folder.cleanup()

    def _hold(self, k: int, offset: np.ndarray, counts: np.ndarray | None) -> None:
        self._held[k].append((offset, counts))
        with self._lock:
            self._n_bytes += offset.nbytes + (0 if counts is None else counts.nbytes)

    def _spill(self) -> None:
        with self._lock:
            if self._n_bytes <= self._memory_bytes:  # another thread was faster
                return
            if self._folder is None:
                self._folder = tempfile.TemporaryDirectory(prefix="workbench-tally-")
            for k, parts in enumerate(self._held):
                self._held[k] = []
                with self._file(k).open("ab") as file:
                    for offset, counts in parts:
                        np.save(file, offset, allow_pickle=False)
                        np.save(file, np.empty(0, np.uint32) if counts is None else counts, allow_pickle=False)
            self._n_bytes = 0

    def _finish(self, k: int) -> tuple[np.ndarray, np.ndarray]:
        parts, self._held[k] = [*self._read(k), *self._held[k]], []
        if not parts:
            return np.empty(0, np.uint64), np.empty(0, np.int64)
        offset = np.concatenate([part for part, _ in parts])
        if all(counts is None for _, counts in parts):
            del parts
            offset.sort()
            first = _first_of_runs(offset)
            return offset[first] + self.starts[k], np.diff(np.append(first, len(offset)))
        counts = np.concatenate([np.ones(len(part), np.uint32) if n is None else n for part, n in parts])
        order = np.argsort(offset)
        offset, counts = offset[order], counts[order]
        first = _first_of_runs(offset)
        return offset[first] + self.starts[k], np.add.reduceat(counts.astype(np.int64), first)

    def _read(self, k: int) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
        if self._folder is None or not self._file(k).exists():
            return
        size = self._file(k).stat().st_size
        with self._file(k).open("rb") as file:
            while file.tell() < size:
                offset, counts = np.load(file, allow_pickle=False), np.load(file, allow_pickle=False)
                yield offset, counts if len(counts) else None

    def _file(self, k: int) -> Path:
        assert self._folder is not None
        return Path(self._folder.name) / f"{k}.npy"


def run_ahead(
    pool: ThreadPoolExecutor, function: Callable[[T], R], items: Iterable[T], *, ahead: int = 4
) -> Iterator[R]:
    """Yield function(item) in order, computing only a few items ahead of the reader."""
    left = iter(items)
    waiting: list[Future[R]] = [pool.submit(function, item) for item in islice(left, ahead)]
    while waiting:
        result = waiting.pop(0).result()
        waiting.extend(pool.submit(function, item) for item in islice(left, 1))
        yield result


def _first_of_runs(sorted_numbers: np.ndarray) -> np.ndarray:
    is_first = np.empty(len(sorted_numbers), bool)
    is_first[:1] = True
    np.not_equal(sorted_numbers[1:], sorted_numbers[:-1], out=is_first[1:])
    return np.flatnonzero(is_first)
