"""JSON of a capture, one object after the other: JSON lines, one JSON array, or one JSON document."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import IO, Any

from workbench.schema import SourceError
from workbench.sources.delimited import END_OF_FILE
from workbench.sources.parts import READ_ERRORS, Part

MAX_LINE_BYTES = 50_000_000
MAX_DOCUMENT_BYTES = 1_000_000_000
_N_TRIES = 20
_BLANK = b" \t\r\n" + END_OF_FILE

Found = tuple[int, dict[str, Any] | None, str]
"""line where it starts; the object, or None; why it could not be read, or blank"""


def is_json(part: Part) -> bool:
    """Whether the part starts as JSON does.

    Raises:
        SourceError: it cannot be unpacked.
    """
    with part.open() as stream:
        try:
            head = stream.read(4096)
        except READ_ERRORS as error:
            raise _damaged(part, 1, error) from error
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[")


def read_keys(part: Part) -> list[str]:
    """Return the keys of the first object that can be read; none where the first lines hold none."""
    for n, (_, found, _) in enumerate(read_objects(part)):
        if found is not None:
            return list(found)
        if n >= _N_TRIES:
            break
    return []


def read_objects(part: Part) -> Iterator[Found]:
    """Yield every object of a part; of what is none, the reason.

    Raises:
        SourceError: the part is damaged, or is one document too large to hold.
    """
    with part.open() as stream:
        first = _line(stream, part, 1)
        bare = first.removeprefix(b"\xef\xbb\xbf").strip()
        if not bare.startswith(b"[") and _parses(bare):
            yield from _json_lines(stream, part, first)
        else:
            yield from _document(stream, part, first)


def _json_lines(stream: IO[bytes], part: Part, first: bytes) -> Iterator[Found]:
    n, line = 1, first.removeprefix(b"\xef\xbb\xbf")
    while line:
        if line.strip(_BLANK):
            yield n, *_parse(line.rstrip(_BLANK))
        n += 1
        line = _line(stream, part, n)


def _document(stream: IO[bytes], part: Part, first: bytes) -> Iterator[Found]:
    try:
        rest = stream.read(MAX_DOCUMENT_BYTES)
    except READ_ERRORS as error:
        raise _damaged(part, 1, error) from error
    if len(rest) >= MAX_DOCUMENT_BYTES:
        raise SourceError(
            f"{part.label} is one JSON document of over {MAX_DOCUMENT_BYTES:,} bytes. Write it as JSON lines, one "
            "object a line (jq -c '.[]' does), and load that."
        )
    text = (first + rest).removeprefix(b"\xef\xbb\xbf").rstrip(_BLANK)
    try:
        content = _load(text)
    except (ValueError, RecursionError) as error:
        said = str(error)[:120]
        raise SourceError(
            f"{part.label} is neither JSON lines nor one JSON document ({said}). Fetch it again."
        ) from error
    items = content if isinstance(content, list) else [content]
    for n, item in enumerate(items, start=1):
        yield (n, item, "") if isinstance(item, dict) else (n, None, "is no JSON object")


def _line(stream: IO[bytes], part: Part, n: int) -> bytes:
    try:
        line = stream.readline(MAX_LINE_BYTES)
    except READ_ERRORS as error:
        raise _damaged(part, n, error) from error
    if len(line) >= MAX_LINE_BYTES:
        raise SourceError(f"{part.label}, line {n} is longer than {MAX_LINE_BYTES:,} bytes. Is it a capture?")
    return line


def _damaged(part: Part, n: int, error: Exception) -> SourceError:
    whole = f"whole only up to line {n - 1:,}" if n > 1 else "not one line of it can be read"
    return SourceError(f"{part.label} is damaged or cut short ({error}): {whole}. Fetch the file again.")


def _load(text: bytes) -> Any:
    """The content; half of a surrogate pair alone is no text that can be written down again, so it becomes `?`."""
    content = json.loads(text)
    if b"\xed" in text or b"\\ud" in text or b"\\uD" in text:
        content = json.loads(json.dumps(content, ensure_ascii=False).encode("utf-8", "replace"))
    return content


def _parses(line: bytes) -> bool:
    return _parse(line)[0] is not None


def _parse(line: bytes) -> tuple[dict[str, Any] | None, str]:
    try:
        content = _load(line)
    except UnicodeDecodeError:
        return None, "is not UTF-8"
    except (ValueError, RecursionError) as error:
        return None, f"does not parse as JSON ({type(error).__name__})"
    return (content, "") if isinstance(content, dict) else (None, "is no JSON object")
