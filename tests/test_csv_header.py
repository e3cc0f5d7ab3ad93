"""What somebody's CSV begins with: too many columns, or none, is said before it costs memory, by every reader."""

from __future__ import annotations

import gzip
import zlib
from functools import partial

import pytest

from workbench.csv_header import MAX_COLUMNS, check_header
from workbench.holidays import read_holidays
from workbench.narratives import read_narrative_labels
from workbench.schema import SourceError
from workbench.state_media.files import read_table

READERS = {
    "calendar": lambda path: read_holidays(str(path)),
    "labels": read_narrative_labels,
    "list": read_table,
    "adverts": partial(read_table, comment_prefix="#"),
}
WIDE = {
    "one line": b"day,is_workday" + b"," * MAX_COLUMNS + b"\n",
    "lines within quotes": b"day" + b',"\n"' * MAX_COLUMNS + b"\n",
    "behind empty lines": b"\n\nday" + b",a" * MAX_COLUMNS + b"\n",
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("header", WIDE)
def test_a_header_of_thousands_of_columns_is_refused(tmp_path, reader, header):
    path = tmp_path / "wide.csv"
    path.write_bytes(WIDE[header])
    with pytest.raises(SourceError, match=r"2,0\d\d columns"):
        READERS[reader](path)


@pytest.mark.parametrize("reader", READERS)
def test_a_name_longer_than_any_is_refused(tmp_path, reader):
    path = tmp_path / "long.csv"
    path.write_bytes(b"a" * 200_000 + b",b\n1,2\n")
    with pytest.raises(SourceError, match="header"):
        READERS[reader](path)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress], ids=["gzip", "zlib"])
def test_what_is_packed_is_refused_before_it_is_unpacked(tmp_path, reader, pack):
    path = tmp_path / "packed.csv"
    path.write_bytes(pack(b"day,is_workday,label,translation,fingerprints\n" + b"\n" * 1_000_000))
    with pytest.raises(SourceError, match=r"Unpack it|header|NUL"):
        READERS[reader](path)


@pytest.mark.parametrize("separator", [";", "\t"])
def test_other_separators_are_counted_too(tmp_path, separator):
    path = tmp_path / "wide.csv"
    path.write_text("# a list\nname" + separator * MAX_COLUMNS + "\n", encoding="utf-8")
    with pytest.raises(SourceError, match="columns"):
        read_table(path, comment_prefix="#")


def test_what_tables_begin_with_passes():
    for raw in (b"", b"\n", b"a,b\r\n1,2\r\n", b'\xef\xbb\xbf"a\nb",c\n', b"# said\n" + b"a,b", b"\xff\xfe,b\n"):
        check_header(raw, name="table.csv", comment_prefix="#")
    check_header(b"," * (MAX_COLUMNS - 1), name="table.csv")
