"""Seeded ways to damage a valid file: its bytes, its fields, its structure, the archive it lies in.

Each takes a random generator and bytes and gives bytes. The same seed gives the same damage on every machine.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
import re
import struct
import warnings
import zipfile
from collections.abc import Callable
from typing import Any

Mutation = Callable[[random.Random, bytes], bytes]

TOKENS = (
    b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b'"', b'""', b"\n", b"\r", b"\r\n", b"\x1a", b",", b";", b"\t", b"'", b"\\",
    b"[", b"]", b"{", b"}", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x80\xae", b"9" * 400, b"-1", b"1e308",
    b"=cmd|' /C calc'!A0", b"<script>", b"\x1b[31m", b"NaN", b"null", b"\xc2\x85", b"\xe2\x80\xa8", b"%s%n", b"../",
)  # fmt: skip
CELLS = (
    "", " ", "\t", "absent", "null", "nan", "inf", "-1", "0", "1e9", "1.5E+18", "9" * 30, "-9223372036854775809",
    "１２３", "1,234", "0x10", "true", "[]", "['a", "['a', 'b']", '["a"]', "[[", "[" * 3000, "{}", '"', '""', "'",
    "\\", "\n", "\r", "a\nb\r\nc", "\x00", "\x1a", "\x1f", "\u202e", "\ufeff", "\ufffe", "a" + "\u0301" * 300,
    "x" * 5000, "漢" * 2000, "🙂", "2019-02-30", "0000-00-00", "9999-12-31 23:59", "1601-01-01", "99999999999999999",
    "-62135596800", "2019-06-30T06:07:08Z", "2019-06-30 06:07:08.123456789", "10000-01-01", "1" * 19, "=1+1",
    "@SUM(A1)", "javascript:alert(1)", "http://[::1", "hxxps://", "https://" + "a." * 3000, "http://\u202e.example",
    "../../etc/passwd", "{{7*7}}", "<img src=x>", "%00", "RT @x: ", "#", "@", "|||",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    *CELLS, None, True, False, 0, -1, 2**53 + 1, 2**63, 10**400, 1.5, -0.0, float("nan"), float("inf"), 1e300, [], {},
    [None], [[]], {"": None}, ["a", 1, None], {"id": {"id": 1}}, "\ud800",
)  # fmt: skip


def damage(rng: random.Random, content: bytes, *, form: str) -> tuple[bytes, str]:
    """Return the content with one to three mutations that make sense for its form, and their names."""
    names = []
    for _ in range(rng.choice((1, 1, 2, 3))):
        group = rng.choice(FOR_FORM[form])
        mutation = rng.choice(group)
        names.append(mutation.__name__.removeprefix("_"))
        content = mutation(rng, content)
    return content, " + ".join(names)


def _span(rng: random.Random, content: bytes) -> tuple[int, int]:
    start = rng.randrange(len(content) + 1)
    return start, min(len(content), start + rng.choice((1, 2, 8, 64, 1000)))


def _flip_bits(rng: random.Random, content: bytes) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.choice((1, 3, 20)) if content else 0):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _cut_out(rng: random.Random, content: bytes) -> bytes:
    start, end = _span(rng, content)
    return content[:start] + content[end:]


def _cut_short(rng: random.Random, content: bytes) -> bytes:
    return content[: rng.randrange(len(content) + 1)]


def _repeat_span(rng: random.Random, content: bytes) -> bytes:
    start, end = _span(rng, content)
    return content[:end] + content[start:end] * rng.choice((1, 5, 200)) + content[end:]


def _insert_token(rng: random.Random, content: bytes) -> bytes:
    for _ in range(rng.choice((1, 1, 5))):
        at = rng.choice((0, len(content), rng.randrange(len(content) + 1)))
        content = content[:at] + rng.choice(TOKENS) + content[at:]
    return content


def _insert_noise(rng: random.Random, content: bytes) -> bytes:
    at = rng.randrange(len(content) + 1)
    return content[:at] + rng.randbytes(rng.choice((1, 16, 5000))) + content[at:]


def _swap_spans(rng: random.Random, content: bytes) -> bytes:
    (a, b), (c, d) = sorted((_span(rng, content), _span(rng, content)))
    return content if b > c else content[:a] + content[c:d] + content[b:c] + content[a:b] + content[d:]


def _encode_otherwise(rng: random.Random, content: bytes) -> bytes:
    encoding = rng.choice(("utf-16", "utf-16-be", "utf-32", "gb18030", "cp1252", "utf-7", "utf-8-sig"))
    return content.decode("utf-8", "replace").encode(encoding, "replace")


def _end_lines_otherwise(rng: random.Random, content: bytes) -> bytes:
    return content.replace(b"\r\n", b"\n").replace(
        b"\n", rng.choice((b"\r", b"\r\n", b"\n\n", b"\n\r", b"\x00\n", b""))
    )


def _empty(rng: random.Random, content: bytes) -> bytes:
    return rng.choice(
        (b"", b"\n", b" ", b"\x00" * 512, b"\xef\xbb\xbf", b"[]", b"{}", b"PK\x03\x04", b"\x1f\x8b", b"PAR1")
    )


def _rows(content: bytes) -> list[list[str]]:
    csv.field_size_limit(10_000_000)
    text = content.decode("utf-8", "replace").replace("\x00", "")
    return [row for row in csv.reader(io.StringIO(text, newline="")) if row] or [["a"]]


def _as_csv(rows: list[list[str]], *, separator: str = ",") -> bytes:
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=separator, lineterminator="\n").writerows(rows)
    return stream.getvalue().encode("utf-8", "replace")


def _set_cells(rng: random.Random, content: bytes) -> bytes:
    rows = _rows(content)
    for _ in range(rng.choice((1, 2, 6))):
        row = rows[rng.randrange(1, len(rows))] if len(rows) > 1 else rows[0]
        row[rng.randrange(len(row))] = rng.choice(CELLS)
    return _as_csv(rows)


def _set_column(rng: random.Random, content: bytes) -> bytes:
    rows, value = _rows(content), rng.choice(CELLS)
    at = rng.randrange(len(rows[0]))
    return _as_csv([rows[0], *[[*row[:at], value, *row[at + 1 :]] for row in rows[1:]]])


def _change_header(rng: random.Random, content: bytes) -> bytes:
    header, *rows = _rows(content)
    at = rng.randrange(len(header))
    change = rng.randrange(5)
    if change == 0:
        header[at] = rng.choice((*CELLS, header[rng.randrange(len(header))]))
    elif change == 1:
        header = [*header[:at], *header[at + 1 :]]
    elif change == 2:
        header = [*header, rng.choice(CELLS)]
    elif change == 3:
        header, rows = [*header, header[at]], [[*row, "x"] for row in rows]
    else:
        order = rng.sample(range(len(header)), len(header))
        header, rows = [header[i] for i in order], [[row[i] for i in order if i < len(row)] for row in rows]
    return _as_csv([header, *rows])


def _change_rows(rng: random.Random, content: bytes) -> bytes:
    header, *rows = _rows(content)
    change = rng.randrange(6)
    if change == 0:
        rows = []
    elif change == 1:
        rows = [row[: rng.randrange(len(row) + 1)] if rng.random() < 0.3 else row for row in rows]
    elif change == 2:
        rows = [[*row, "x"] if rng.random() < 0.3 else row for row in rows]
    elif change == 3:
        rows = rows * rng.choice((2, 50))
    elif change == 4:
        rows = [*rows, header, *rows]
    else:
        rng.shuffle(rows)
    return _as_csv([header, *rows], separator=rng.choice((",", ",", ";", "\t", "|")))


def _walk(value: Any, rng: random.Random) -> tuple[Any, Any]:
    """A container inside the value and one of its keys, chosen at random."""
    place, key = None, None
    while isinstance(value, dict | list) and value:
        place, key = value, rng.choice(list(value) if isinstance(value, dict) else range(len(value)))
        if rng.random() < 0.25:
            break
        value = value[key]
    return place, key


def _change_value(rng: random.Random, value: Any) -> Any:
    place, key = _walk(value, rng)
    if place is None:
        return rng.choice(VALUES)
    change = rng.randrange(6)
    if change == 0:
        del place[key]
    elif change == 1 and isinstance(place, dict):
        place[rng.choice(CELLS)] = place.pop(key)
    elif change == 2:
        place[key] = [place[key]] * rng.choice((1, 3))
    elif change == 3:
        place[key] = {"data": place[key]}
    else:
        place[key] = rng.choice(VALUES)
    return value


def _json(value: Any) -> bytes:
    return json.dumps(value).encode("utf-8", "replace")


def _set_json_values(rng: random.Random, content: bytes) -> bytes:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return _insert_token(rng, content)
    for _ in range(rng.choice((1, 2, 5))):
        value = _change_value(rng, value)
    return _json(value)


def _set_line_values(rng: random.Random, content: bytes) -> bytes:
    lines = content.split(b"\n")
    at = rng.randrange(len(lines))
    lines[at] = _set_json_values(rng, lines[at]).replace(b"\n", b" ")
    return b"\n".join(lines)


def _restructure_lines(rng: random.Random, content: bytes) -> bytes:
    lines = [line for line in content.split(b"\n") if line]
    return rng.choice(
        (
            b"[" + b",".join(lines) + b"]",
            b"\n".join(lines * 20),
            b"\n\n".join(lines),
            b"".join(lines),
            b"null\n" + b"\n".join(lines),
            b"[" * 100_000,
            b'{"a":' * 50_000,
            b"\n".join([*lines, b"[]", b"1", b'"text"', b"{}", b"{", b'{"id": 1, "id": 2}']),
        )
    )


def _wrap_json(rng: random.Random, content: bytes) -> bytes:
    return rng.choice((b"[" + content + b"]", b'{"data":' + content + b"}", b"[" * 50_000 + content, content * 2))


def _set_toml_values(rng: random.Random, content: bytes) -> bytes:
    lines = content.decode("utf-8", "replace").split("\n")
    at = [i for i, line in enumerate(lines) if re.match(r"[^\[#]+=", line)]
    values = (
        '""',
        "[]",
        "{}",
        "true",
        "-1",
        "nan",
        "inf",
        "1e400",
        "9" * 30,
        "1979-05-27",
        '["a"]',
        "{a = 1}",
        "'../../x'",
    )
    for _ in range(rng.choice((1, 2)) if at else 0):
        where = rng.choice(at)
        key = lines[where].partition("=")[0]
        text = json.dumps(rng.choice(CELLS).replace("\ufffe", ""))
        lines[where] = f"{key}= {rng.choice((*values, text))}"
    return "\n".join(lines).encode("utf-8", "replace")


def _move_toml_lines(rng: random.Random, content: bytes) -> bytes:
    lines = content.split(b"\n")
    at = rng.randrange(len(lines))
    change = rng.randrange(4)
    if change == 0:
        del lines[at]
    elif change == 1:
        lines.insert(at, rng.choice(lines))
    elif change == 2:
        lines.insert(
            at, rng.choice((b"[x]", b"[[published]]", b"[files]", b"[options]", b"a.b.c = 1", b"key", b"title = 1"))
        )
    else:
        rng.shuffle(lines)
    return b"\n".join(lines)


def _pack_again(rng: random.Random, content: bytes) -> bytes:
    """The content inside an archive that misbehaves."""
    name = rng.choice(
        (
            "../../x.csv",
            "/etc/x.csv",
            "C:\\x.csv",
            "a/../../b.csv",
            "x.csv",
            "x\x00.csv",
            "." * 300 + ".csv",
            "漢.csv",
            "-rf.csv",
            ".csv",
        )
    )
    stream = io.BytesIO()
    with zipfile.ZipFile(
        stream, "w", rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2))
    ) as archive:
        with warnings.catch_warnings(action="ignore"):  # of writing one name twice, which is the point
            for _ in range(rng.choice((1, 1, 2))):
                archive.writestr(zipfile.ZipInfo(name), content)
        if rng.random() < 0.2:
            archive.writestr(zipfile.ZipInfo("inner.zip"), b"PK\x05\x06" + b"\0" * 18)
        if rng.random() < 0.2:
            link = zipfile.ZipInfo("link.csv")
            link.external_attr = 0o120777 << 16
            archive.writestr(link, "/etc/passwd")
    packed = bytearray(stream.getvalue())
    if rng.random() < 0.25:  # say that the members are encrypted
        for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            at = packed.find(mark)
            packed[at + offset] |= 1
    if rng.random() < 0.25:  # lie about the sizes
        at = packed.find(b"PK\x01\x02")
        packed[at + 20 : at + 28] = struct.pack("<II", rng.choice((0, 5, 2**31)), rng.choice((0, 5, 2**31, 2**32 - 2)))
    return bytes(packed[: rng.choice((len(packed), len(packed), len(packed) // 2))])


def _gzip_again(rng: random.Random, content: bytes) -> bytes:
    packed = gzip.compress(content, mtime=0)
    return rng.choice(
        (packed, packed[:-4], packed[: len(packed) // 2], packed + b"tail", packed * 2, gzip.compress(packed, mtime=0))
    )


def _make_bomb(rng: random.Random, content: bytes) -> bytes:
    """A few kilobytes that unpack to tens of megabytes."""
    filler = rng.choice((b"\0", b" ", b"\n", b"a", b'"', b",", b"[", b'{"a":1}\n'))
    filler *= rng.choice((10_000_000, 1_000_000)) // len(filler)
    body = rng.choice((filler, content + filler, b"[" + filler))
    if rng.random() < 0.5:
        return gzip.compress(body, compresslevel=1, mtime=0)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(zipfile.ZipInfo("x.csv"), body, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


BYTES: tuple[Mutation, ...] = (
    _flip_bits, _flip_bits, _cut_out, _cut_short, _repeat_span, _insert_token, _insert_token, _insert_noise,
    _swap_spans, _encode_otherwise, _end_lines_otherwise, _empty,
)  # fmt: skip
TABLE: tuple[Mutation, ...] = (
    _set_cells,
    _set_cells,
    _set_cells,
    _set_column,
    _set_column,
    _change_header,
    _change_rows,
)
LINES: tuple[Mutation, ...] = (_set_line_values, _set_line_values, _set_line_values, _restructure_lines)
DOCUMENT: tuple[Mutation, ...] = (_set_json_values, _set_json_values, _set_json_values, _wrap_json)
TOML: tuple[Mutation, ...] = (_set_toml_values, _set_toml_values, _move_toml_lines)
ARCHIVE: tuple[Mutation, ...] = (_pack_again, _pack_again, _gzip_again, _make_bomb)
FOR_FORM: dict[str, tuple[tuple[Mutation, ...], ...]] = {
    "csv": (TABLE, TABLE, TABLE, BYTES, BYTES, ARCHIVE),
    "lines": (LINES, LINES, LINES, BYTES, BYTES, ARCHIVE),
    "json": (DOCUMENT, DOCUMENT, DOCUMENT, BYTES, BYTES, ARCHIVE),
    "toml": (TOML, TOML, BYTES),
    "text": (BYTES,),
    "binary": (BYTES, BYTES, BYTES, ARCHIVE),
}
FILE_NAMES = (
    "x" * 5_000 + ".csv",
    "a\nb.csv",
    "-rf.csv",
    "..csv",
    "漢 字.csv",
    "\u202egnp.csv",
    "<b>.csv",
    "a'b\"c.csv",
    "{x}.csv",
)
"""names a file may really have; the first is longer than any file system takes"""
