"""Record boundaries, told from bytes."""

import csv
import io
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from workbench.sources import records as records_module
from workbench.sources.records import scan_records


def scan(text: bytes, *, n_fields: int = 3, is_last: bool = True, is_lost: bool = False, max_record_bytes: int = 1000):
    return scan_records(
        np.frombuffer(text, np.uint8),
        separator=ord(","),
        n_fields=n_fields,
        is_last=is_last,
        is_lost=is_lost,
        max_record_bytes=max_record_bytes,
    )


def records(text: bytes, **given):
    found = scan(text, **given)
    return [text[a:z] for a, z in zip(found.starts, found.ends, strict=True)]


def faults(text: bytes, **given):
    return [(text[span.start : span.end], span.fault) for span in scan(text, **given).broken]


def test_records_with_newlines_quotes_and_separators_inside_fields():
    text = b'"1","a\nb","c"\n2,"say ""hi"", all",d\r\n"3","",""\n'
    assert records(text) == [b'"1","a\nb","c"\n', b'2,"say ""hi"", all",d\r\n', b'"3","",""\n']
    assert faults(text) == []


def test_short_and_long_records_are_named_with_their_fields():
    text = b"1,2,3\n1,2\n1,2,3,4\n4,5,6\n"
    assert records(text) == [b"1,2,3\n", b"4,5,6\n"]
    assert faults(text) == [
        (b"1,2\n", "has 2 fields, expected 3"),
        (b"1,2,3,4\n", "has 4 fields, expected 3"),
    ]


def test_blank_lines_are_no_records():
    assert records(b"1,2,3\n\n\r\n4,5,6\n") == [b"1,2,3\n", b"4,5,6\n"]
    assert faults(b"1,2,3\n\n\r\n4,5,6\n") == []


def test_a_broken_quote_costs_one_record_only():
    text = b'"1","a","b"\n"2","he said "hi" to me","b"\n"3","a\nc","b"\n'
    assert records(text) == [b'"1","a","b"\n', b'"3","a\nc","b"\n']
    assert [span for span, _ in faults(text)] == [b'"2","he said "hi" to me","b"\n']


def test_a_field_cut_short_does_not_swallow_the_next_record():
    text = b'"1","a","b"\n"2","cut\n"3","a","b"\n"4","a","b"\n'
    assert records(text) == [b'"1","a","b"\n', b'"3","a","b"\n', b'"4","a","b"\n']
    assert "cannot be told apart" in faults(text)[0][1]


def test_a_quote_that_never_closes_is_one_broken_record_to_the_end():
    text = b'"1","a","b"\n"2","open\nmore\nand more\n'
    assert records(text) == [b'"1","a","b"\n']
    assert faults(text) == [
        (
            b'"2","open\nmore\nand more\n',
            "opens a quote that never closes (the record and what follows it fill 3 lines)",
        )
    ]


def test_an_unfinished_record_waits_for_more_unless_it_is_too_long():
    text = b'"1","a","b"\n"2","open\n'
    waiting = scan(text, is_last=False)
    assert (waiting.used, waiting.broken) == (12, [])
    too_long = scan(text, is_last=False, max_record_bytes=5)
    assert (too_long.used, too_long.is_lost, len(too_long.broken)) == (len(text), True, 1)


def test_reading_goes_on_where_a_whole_record_starts_after_being_lost():
    found = scan(b'rest of it","x"\n"3","a","b"\n', is_lost=True)
    assert (list(found.starts), found.broken) == ([16], [])
    nothing = scan(b"rest of it\nmore of it\n", is_lost=True, is_last=False)
    assert (nothing.used, nothing.is_lost) == (22, True)


cells = st.text(alphabet='ab,"\n\r 字', max_size=6)


@given(st.lists(st.lists(cells, min_size=3, max_size=3), max_size=8))
def test_what_a_csv_writer_wrote_is_found_whole(rows):
    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    text = out.getvalue().encode()
    found = scan(text)
    assert (found.starts.size, found.broken) == (len(rows), [])


@given(st.binary(max_size=80), st.integers(1, 4))
def test_every_byte_of_anything_is_accounted_for(junk, n_fields):
    text = junk + b"\n"
    found = scan(text, n_fields=n_fields)
    spans = sorted([*zip(found.starts, found.ends, strict=True), *((s.start, s.end) for s in found.broken)])
    covered = b"".join(text[a:z] for a, z in spans)
    assert covered.strip(b"\r\n") == b"" or found.used == len(text)
    assert all(a2 >= z1 for (_, z1), (a2, _) in pairwise(spans))
    left = text
    for a, z in reversed(spans):
        left = left[:a] + left[z:]
    assert left.strip(b"\r\n") == b""


@given(
    st.binary(max_size=60).map(lambda b: bytes(b'",\n\ra'[byte % 5] for byte in b)),
    st.booleans(),
    st.sampled_from([8, 16, 24]),
)
def test_the_pieces_a_buffer_is_read_in_change_nothing(text, is_lost, piece_bytes):
    whole = scan(text + b"\n", is_lost=is_lost)
    before, records_module._PIECE_BYTES = records_module._PIECE_BYTES, piece_bytes
    try:
        pieces = scan(text + b"\n", is_lost=is_lost)
    finally:
        records_module._PIECE_BYTES = before

    assert (pieces.starts.tolist(), pieces.ends.tolist()) == (whole.starts.tolist(), whole.ends.tolist())
    assert (pieces.broken, pieces.used) == (whole.broken, whole.used)


def read_byte_by_byte(text: bytes, *, is_odd: bool) -> tuple[list[int], list[int], list[int]]:
    """Faults, record ends and field ends of a buffer in which quotes of one parity open fields, as the rules say it."""
    n_quotes, faults, record_ends, field_ends = int(is_odd), [], [], []
    borders = b'",\n\r'
    for place, byte in enumerate(text):
        n_quotes += byte == records_module.QUOTE
        is_inside = n_quotes % 2 == 1
        if byte == records_module.QUOTE:
            beside = text[max(place - 1, 0) : place] if is_inside else text[place + 1 : place + 2]
            faults += [place] if beside and beside not in borders else []
        elif not is_inside and byte == records_module.NEWLINE:
            record_ends.append(place)
        elif not is_inside and byte == ord(","):
            field_ends.append(place)
    return faults, record_ends, field_ends


@given(st.lists(st.sampled_from(b'",\n\ra'), min_size=1, max_size=300).map(bytes), st.booleans())
def test_words_of_64_places_say_what_reading_byte_by_byte_says(text, is_odd):
    reading = records_module.Marks(np.frombuffer(text, np.uint8), separator=ord(","))._read(is_odd=is_odd)
    faults, record_ends, field_ends = read_byte_by_byte(text, is_odd=is_odd)

    assert (reading.faults.tolist(), reading.record_ends.tolist()) == (faults, record_ends)
    assert reading.field_ends.places.tolist() == field_ends
    places = np.arange(len(text) + 1)
    assert reading.field_ends.count_before(places).tolist() == [sum(one < at for one in field_ends) for at in places]
