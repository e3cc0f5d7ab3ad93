"""Where the records of a delimited file begin and end, told from its bytes, broken quotes included.

A parser that only counts quotes loses everything after one broken quote, and most fill short rows in silence. Here a
quote must open right after a separator or line start and close right before one, so a broken quote is noticed at once;
reading goes on at the next line that starts a whole record with the right number of fields.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

QUOTE, NEWLINE, RETURN = 0x22, 0x0A, 0x0D


@dataclass(frozen=True)
class Span:
    """Bytes `start` to `end` (end excluded, its newline included), and what is wrong with them, if anything."""

    start: int
    end: int
    fault: str


@dataclass(frozen=True)
class Scan:
    """What one buffer holds."""

    starts: np.ndarray
    """first byte of each whole record with the right number of fields"""
    ends: np.ndarray
    """one past its last byte, newline included"""
    broken: list[Span]
    """records that cannot be read, in order"""
    used: int
    """bytes accounted for; the rest belongs to a record that is not complete yet"""
    is_lost: bool
    """the broken record at the end goes on in the next buffer"""


class _ByParity(dict[int, np.ndarray]):
    """Positions outside quotes under each of the two readings, made when first asked for: most buffers need one."""

    def __init__(self, positions: np.ndarray, *, quotes: np.ndarray) -> None:
        super().__init__()
        self._positions = positions
        self._parity = np.searchsorted(quotes, positions) % 2

    def __missing__(self, parity: int) -> np.ndarray:
        self[parity] = self._positions[self._parity == parity]
        return self[parity]


class Marks:
    """Positions of quotes, newlines and separators in one buffer.

    Quote number i opens a field if i has the parity of the first quote of its record. So there are two readings of a
    buffer, by parity, and they cover every place where reading may start again.
    """

    def __init__(self, buffer: np.ndarray, *, separator: int) -> None:
        self.size = buffer.size
        self.quotes = np.flatnonzero(buffer == QUOTE)
        self.newlines = np.flatnonzero(buffer == NEWLINE)
        is_border = np.zeros(256, bool)
        is_border[[separator, NEWLINE, RETURN, QUOTE]] = True
        may_open = is_border[buffer[self.quotes - 1]] | (self.quotes == 0)
        may_close = is_border[buffer[np.minimum(self.quotes + 1, self.size - 1)]] | (self.quotes == self.size - 1)
        self._faults = [self._find_faults(may_open, may_close, parity) for parity in (0, 1)]
        self._record_ends = _ByParity(self.newlines, quotes=self.quotes)
        self._field_ends = _ByParity(np.flatnonzero(buffer == separator), quotes=self.quotes)

    def _find_faults(self, may_open: np.ndarray, may_close: np.ndarray, parity: int) -> np.ndarray:
        opening, closing = slice(parity, None, 2), slice(1 - parity, None, 2)
        wrong_open = self.quotes[opening][~may_open[opening]]
        wrong_close = self.quotes[closing][~may_close[closing]]
        return np.sort(np.concatenate((wrong_open, wrong_close)))

    def parity_at(self, position: int) -> int:
        """Which reading applies to a record that starts at this byte."""
        return int(np.searchsorted(self.quotes, position)) % 2

    def first_fault(self, position: int) -> int:
        """Where the first impossible quote stands at or after a record start; the buffer's size if nowhere."""
        faults = self._faults[self.parity_at(position)]
        at = int(np.searchsorted(faults, position))
        return int(faults[at]) if at < faults.size else self.size

    def ends_between(self, start: int, stop: int) -> np.ndarray:
        """Newlines that end records, read from a record start up to a byte."""
        ends = self._record_ends[self.parity_at(start)]
        return ends[np.searchsorted(ends, start) : np.searchsorted(ends, stop)]

    def count_fields(self, start: int, ends: np.ndarray) -> np.ndarray:
        """Fields of the records that follow one another from `start` and end at `ends`."""
        fields = self._field_ends[self.parity_at(start)]
        until = np.searchsorted(fields, ends)
        return np.diff(until, prepend=np.searchsorted(fields, start)) + 1


def scan_records(
    buffer: np.ndarray, *, separator: int, n_fields: int, is_last: bool, is_lost: bool, max_record_bytes: int
) -> Scan:
    """Return the records of a buffer that starts where a record starts (or, when lost, anywhere).

    Args:
        buffer: bytes as uint8; the last buffer of a file must end in a newline.
        separator: byte between fields.
        n_fields: fields of a whole record.
        is_last: nothing follows, so what is unfinished is broken.
        is_lost: the buffer starts inside a broken record already reported.
        max_record_bytes: a record longer than this is taken for broken.
    """
    marks = Marks(buffer, separator=separator)
    starts: list[np.ndarray] = []
    ends: list[np.ndarray] = []
    broken: list[Span] = []
    position = 0
    if is_lost:
        position = _next_whole_record(marks, -1, n_fields=n_fields)
        if position == marks.size and not is_last:
            return Scan(np.empty(0, int), np.empty(0, int), [], marks.size, True)
    while position < marks.size:
        fault = marks.first_fault(position)
        found = marks.ends_between(position, fault)
        if found.size:
            first = np.concatenate(([position], found[:-1] + 1))
            _sort_out(marks, position, first, found, n_fields, starts, ends, broken, buffer)
            position = int(found[-1]) + 1
            continue
        is_waiting = not is_last and marks.size - position <= max_record_bytes
        if is_waiting and fault == marks.size:
            break
        resume = _next_whole_record(marks, position, n_fields=n_fields)
        if resume == marks.size and is_waiting:
            break
        broken.append(Span(position, resume, _name_fault(buffer, position, fault, resume)))
        position = resume
        if resume == marks.size and not is_last:
            return Scan(_joined(starts), _joined(ends), broken, marks.size, True)
    return Scan(_joined(starts), _joined(ends), broken, position, False)


def _sort_out(
    marks: Marks,
    position: int,
    first: np.ndarray,
    last: np.ndarray,
    n_fields: int,
    starts: list[np.ndarray],
    ends: list[np.ndarray],
    broken: list[Span],
    buffer: np.ndarray,
) -> None:
    n_found = marks.count_fields(position, last)
    is_blank = (last == first) | ((last == first + 1) & (buffer[first] == RETURN))
    is_whole = (n_found == n_fields) & ~(is_blank & (n_fields > 1))
    starts.append(first[is_whole])
    ends.append(last[is_whole] + 1)
    broken.extend(
        Span(int(first[i]), int(last[i]) + 1, f"has {n_found[i]} fields, expected {n_fields}")
        for i in np.flatnonzero(~is_whole & ~is_blank)
    )


def _next_whole_record(marks: Marks, position: int, *, n_fields: int) -> int:
    """Return the first line start after `position` from which a whole record reads; the buffer's size if none."""
    for newline in marks.newlines[np.searchsorted(marks.newlines, position) :]:
        start = int(newline) + 1
        ends = marks.ends_between(start, marks.first_fault(start))
        if ends.size and marks.count_fields(start, ends[:1])[0] == n_fields:
            return start
    return marks.size


def _name_fault(buffer: np.ndarray, start: int, fault: int, resume: int) -> str:
    n_lines = int(np.count_nonzero(buffer[start:resume] == NEWLINE))
    lines = f" (the record and what follows it fill {n_lines} lines)" if n_lines > 1 else ""
    if fault < buffer.size:
        return f"has a quote in the middle of a field or a field cut short: the record cannot be told apart{lines}"
    return f"opens a quote that never closes{lines}"


def _joined(pieces: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(pieces) if pieces else np.empty(0, int)
