"""Where the records of a delimited file begin and end, told from its bytes, broken quotes included.

A parser that only counts quotes loses everything after one broken quote, and most fill short rows in silence. Here a
quote must open right after a separator or line start and close right before one, so a broken quote is noticed at once;
reading goes on at the next line that starts a whole record with the right number of fields.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

QUOTE, NEWLINE, RETURN = 0x22, 0x0A, 0x0D
_PIECE_BYTES = 262_144


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


class Bits:
    """One bit for each byte of a buffer, 64 to a word: where a mark stands. There is always room behind the last byte.

    Counting and comparing 64 places at once is what makes a release of millions of posts read in seconds.
    """

    def __init__(self, words: np.ndarray) -> None:
        self.words = words

    @classmethod
    def of(cls, buffer: np.ndarray, byte: int) -> Bits:
        """Where a byte stands, found piece by piece: pieces that fit into the processor's cache are read faster."""
        starts = range(0, buffer.size, _PIECE_BYTES)
        bits = [np.packbits(buffer[start : start + _PIECE_BYTES] == byte, bitorder="little") for start in starts]
        words = np.zeros(buffer.size // 64 + 1, "<u8")
        words.view(np.uint8)[: -(-buffer.size // 8)] = np.concatenate([np.empty(0, np.uint8), *bits])
        return cls(words)

    @cached_property
    def places(self) -> np.ndarray:
        """Where the marks stand, in order."""
        held = np.flatnonzero(self.words)
        row, bit = np.nonzero(np.unpackbits(self.words[held].view(np.uint8), bitorder="little").reshape(-1, 64))
        return held[row] * 64 + bit

    def count_before(self, places: np.ndarray) -> np.ndarray:
        """How many marks stand before each place."""
        word, bit = np.divmod(places, 64)
        below = self.words[word] & ((np.uint64(1) << bit.astype(np.uint64)) - np.uint64(1))
        return self._n_before_word[word] + np.bitwise_count(below)

    @cached_property
    def _n_before_word(self) -> np.ndarray:
        return np.cumsum(np.bitwise_count(self.words), dtype=np.int64) - np.bitwise_count(self.words)


@dataclass(frozen=True)
class Reading:
    """One buffer, read as if quotes of one parity opened fields."""

    faults: np.ndarray
    """places of quotes that open a field behind something else than a border, or close one before something else"""
    record_ends: np.ndarray
    """places of the newlines that end records"""
    field_ends: Bits


class Marks:
    """Quotes, newlines and separators of one buffer.

    Quote number i opens a field if i has the parity of the first quote of its record. So there are two readings of a
    buffer, by parity, and they cover every place where reading may start again. Most buffers need one: each is made
    when first asked for.
    """

    def __init__(self, buffer: np.ndarray, *, separator: int) -> None:
        self.size = buffer.size
        self._quotes, self._newlines = Bits.of(buffer, QUOTE), Bits.of(buffer, NEWLINE)
        self._separators = Bits.of(buffer, separator)
        self._borders = self._quotes.words | self._newlines.words | self._separators.words
        self._borders |= Bits.of(buffer, RETURN).words
        self._readings: dict[int, Reading] = {}

    @property
    def newlines(self) -> np.ndarray:
        """All of them, inside quotes as well."""
        return self._newlines.places

    def parity_at(self, position: int) -> int:
        """Which reading applies to a record that starts at this byte."""
        return int(self._quotes.count_before(np.array([position]))[0]) % 2

    def first_fault(self, position: int) -> int:
        """Where the first impossible quote stands at or after a record start; the buffer's size if nowhere."""
        faults = self._reading_at(position).faults
        at = int(np.searchsorted(faults, position))
        return int(faults[at]) if at < faults.size else self.size

    def ends_between(self, start: int, stop: int) -> np.ndarray:
        """Newlines that end records, read from a record start up to a byte."""
        ends = self._reading_at(start).record_ends
        return ends[np.searchsorted(ends, start) : np.searchsorted(ends, stop)]

    def count_fields(self, start: int, ends: np.ndarray) -> np.ndarray:
        """Fields of the records that follow one another from `start` and end at `ends`."""
        return np.diff(self._reading_at(start).field_ends.count_before(np.append(start, ends))) + 1

    def _reading_at(self, position: int) -> Reading:
        parity = self.parity_at(position)
        if parity not in self._readings:
            self._readings[parity] = self._read(is_odd=parity == 1)
        return self._readings[parity]

    def _read(self, *, is_odd: bool) -> Reading:
        quotes, last = self._quotes.words, np.uint64(63)
        inside = _count_is_odd(quotes, is_odd=is_odd)  # at a quote: it opens
        # The bytes before and behind each; beyond the buffer are borders.
        before, behind = self._borders << np.uint64(1), self._borders >> np.uint64(1)
        before[1:] |= self._borders[:-1] >> last
        behind[:-1] |= self._borders[1:] << last
        before[0] |= np.uint64(1)
        at_end = self.size - 1
        behind[at_end // 64] |= np.uint64(1) << np.uint64(at_end % 64)
        wrong = quotes & ~((inside & before) | (~inside & behind))
        ends = Bits(self._newlines.words & ~inside)
        return Reading(Bits(wrong).places, ends.places, Bits(self._separators.words & ~inside))


def _count_is_odd(words: np.ndarray, *, is_odd: bool) -> np.ndarray:
    """Return whether the number of marks up to and with each place is odd; `is_odd`: before the first."""
    odd = words.copy()
    for shift in (1, 2, 4, 8, 16, 32):
        odd ^= odd << np.uint64(shift)
    carried = np.bitwise_xor.accumulate(odd >> np.uint64(63))
    carried = np.concatenate(([np.uint64(0)], carried[:-1])) ^ np.uint64(is_odd)
    return odd ^ (np.uint64(0) - carried)  # all bits of a word turn where an odd number lies before it


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
