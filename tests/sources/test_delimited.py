"""Blocks of rows from delimited files, and damaged files."""

import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.schema import SourceError
from workbench.sources.delimited import read_blocks, read_header
from workbench.sources.parts import Part


def read(path, **given):
    part = Part(path)
    blocks = list(read_blocks(part, read_header(part), **given))
    rows = [row for block in blocks for row in block.rows.rows()]
    quarantine = [row for block in blocks for row in block.quarantine.rows()]
    assert sum(block.n_records for block in blocks) == len(rows) + len(quarantine)
    return rows, quarantine


def test_rows_carry_the_line_they_start_on(write):
    rows, quarantine = read(write("a.csv", 'x,y\n1,"two\nlines"\n\n2,b\n'))
    assert rows == [("1", "two\nlines", 2), ("2", "b", 5)]
    assert quarantine == []


@pytest.mark.parametrize(("separator", "name"), [(",", "comma"), ("\t", "tab"), (";", "semicolon")])
def test_separator_is_told_from_the_header(write, separator, name):
    text = f"x{separator}y\n1{separator}2\n"
    assert read(write(f"{name}.csv", text))[0] == [("1", "2", 2)]


def test_byte_order_mark_and_windows_line_ends(write):
    path = write("bom.csv", b"\xef\xbb\xbfx,y\r\n1,2\r\n3,\r\n")
    assert read_header(Part(path)).columns == ["x", "y"]
    assert read(path)[0] == [("1", "2", 2), ("3", "", 3)]


def test_a_last_line_without_newline_is_read(write):
    assert read(write("a.csv", "x,y\n1,2"))[0] == [("1", "2", 2)]


def test_a_header_and_no_rows(write):
    assert read(write("a.csv", "x,y\n")) == ([], [])


def test_broken_records_stand_in_quarantine_with_their_line(write):
    rows, quarantine = read(write("a.csv", 'x,y\n"1","a"\n"2","say "no" now"\n"4","b"\n5\n'))
    assert [row[0] for row in rows] == ["1", "4"]
    assert [(file, line) for file, line, _ in quarantine] == [("a.csv", 3), ("a.csv", 5)]


def test_nul_bytes_are_set_aside(write):
    rows, quarantine = read(write("a.csv", b"x,y\n1,a\0b\n2,c\n"))
    assert rows == [("2", "c", 3)]
    assert quarantine == [("a.csv", 2, "holds a NUL byte, which is no text")]


def test_bytes_that_are_not_utf8_are_set_aside(write):
    rows, quarantine = read(write("a.csv", b"x,y\n1,caf\xe9\n2,\xe5\x8c\x97\n"))
    assert rows == [("2", "北", 3)]
    assert quarantine == [("a.csv", 2, "holds bytes that are not UTF-8")]


def test_a_file_mostly_not_utf8_is_refused(write):
    path = write("a.csv", b"x,y\n" + "1,茶\n".encode("gb18030") * 40)
    with pytest.raises(SourceError, match=r"40 of 40 records are not UTF-8.*Save it as UTF-8"):
        read(path)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_utf16_and_utf32_are_refused(write, encoding):
    path = write("a.csv", "x,y\n1,2\n".encode(encoding))
    with pytest.raises(SourceError, match=r"is UTF-16.*expected UTF-8"):
        read_header(Part(path))


def test_a_header_that_is_not_utf8_is_refused(write):
    with pytest.raises(SourceError, match="header is not UTF-8"):
        read_header(Part(write("a.csv", b"x,caf\xe9\n1,2\n")))


def test_a_header_that_is_no_line_of_names_is_refused(write):
    with pytest.raises(SourceError, match="header is no line of column names"):
        read_header(Part(write("a.csv", b"x,y\rz\n1,2\n")))


def test_old_macintosh_line_ends_are_refused(write):
    with pytest.raises(SourceError, match="CR only"):
        read_header(Part(write("a.csv", b"x,y\r1,2\r")))


def test_a_blank_file_is_refused(write):
    with pytest.raises(SourceError, match="is empty"):
        read_header(Part(write("a.csv", b" \n")))


def test_a_column_named_twice_is_refused(write):
    with pytest.raises(SourceError, match="names column 'x' twice"):
        read_header(Part(write("a.csv", "x,y,x\n")))


def test_a_truncated_gzip_says_how_far_it_reads(write):
    packed = gzip.compress("".join(f"{i},{i * 7919 % 1009}\n" for i in range(60_000)).encode())
    path = write("a.csv.gz", gzip.compress(b"x,y\n") + packed[: len(packed) // 2])
    with pytest.raises(SourceError, match=r"cut short .*whole only up to about line (\d,?)+\. Fetch it again"):
        read(path)


def test_a_corrupt_gzip_is_refused(write):
    packed = bytearray(gzip.compress(b"x,y\n" + b"1,2\n" * 5000))
    packed[30] ^= 0xFF
    with pytest.raises(SourceError, match="damaged or cut short"):
        read(write("a.csv.gz", bytes(packed)))


def test_a_quote_left_open_does_not_hold_up_a_long_file(write):
    lines = ["x,y", '1,"open'] + [f"{i},b" for i in range(200_000)]
    rows, quarantine = read(write("a.csv", "\n".join(lines)), block_bytes=100_000)
    assert len(rows) == 200_000
    assert [(line, reason) for _, line, reason in quarantine] == [(2, quarantine[0][2])]
    assert "opens a quote" in quarantine[0][2]


rows_of_text = st.lists(st.tuples(*[st.text(alphabet='ab,"\n 字', max_size=5)] * 2), min_size=1, max_size=30)


@settings(deadline=None, max_examples=40)
@given(rows_of_text, st.integers(12, 60))
def test_block_size_changes_nothing(tmp_path_factory, table, block_bytes):
    quoted = ["{},{}".format(*('"' + cell.replace('"', '""') + '"' for cell in row)) for row in table]
    path = tmp_path_factory.mktemp("blocks") / "a.csv"
    path.write_bytes(("x,y\n" + "\n".join(quoted) + "\n").encode())
    assert read(path, block_bytes=block_bytes) == read(path)
    assert [row[:2] for row in read(path)[0]] == table
