"""Texts as their readers see them: decoded, cut into words, and searched for places where a word means an account.

What a file holds is read once for all names together: a release hides thousands, and a report has hundreds of texts.
"""

from __future__ import annotations

import html
import io
import re
import urllib.parse
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cached_property

import polars as pl

from workbench.addresses import refang
from workbench.profile_links import BEFORE_A_NAME, HOSTS, NO_NAME
from workbench.spoken_names import is_unlike_words

_WORD = re.compile(r"\w+")
_ASCII_WORD = re.compile(r"[A-Za-z0-9_]+")
"""Words; in Chinese and the like a handle stands among them without spaces."""
_BLANKS = bytes(byte if byte >= 0x80 or chr(byte).isalnum() or byte == ord("_") else 0x20 for byte in range(256))
_ID_COLUMN = re.compile(r"(?!(?:.*_)?n_)(?:.*_)?account(?:_id|_a|_b|s)?|author|user_?id|mentions?")
_PLATFORM = re.compile(r"[a-z_]+:")
"""What stands before an id where a case has several platforms."""
_ID_VALUE = re.compile(
    r'(?:"(?:account(?:_id|_a|_b|s)?|author|user_?id|mentions?)|_account(?:_id|_a|_b|s)?)"\s*:\s*'
    r'(?=(?:"([^"\n]+)"|\[([^\]]*)))'
)
_IN_QUOTES = re.compile(r'"([^"\n]+)"')
_NUMBER = re.compile(r"""["'>](?:[a-z_]+:)?(\d{6,})(?=["'<])""")
_MENTION = re.compile(r"[@＠]([A-Za-z0-9_]+)")
_NAME_IN_PATH = re.compile(r"@?([a-z0-9_]+)")
_STYLE = re.compile(r"<style\b.*?</style>", re.DOTALL)
_HOSTS = "|".join(re.escape(host) for host in HOSTS)


_BLOCK_CHARACTERS = 1 << 22
_OPEN, _CLOSED = "[({", "])}"
_FANGED_LINE = (
    r"(?i)[\[({][\s\x1c-\x1f]?(?:\.|dot|@|at)|\\\.|\[\.|\.\]|\[:\]|\[/\]|^(?:\.|dot|@|at)"
    r"|s?fx?t?ps?(?:[\[(:]|%3A)"
)
_OTHER_STYLE = r"\s\[\.\]|\[\.\]\s|[\x1c-\x1f]|(?i:[a-z0-9]hxxp)"
"""`refang` takes the space around brackets away, and leaves a scheme that is the end of a word.

Its letters are those of any case: the long s and the sign of kelvin are among them.
"""
_SCHEME = r"(?i)h(?:xx|\*\*|tt)ps?(?:[\[(:]|%3A)"


def decode_views(text: str) -> dict[int, str]:
    """Return the text as it is (0), and as a reader of HTML, JSON, URLs or defanged addresses would see it (1 to 4).

    Each is what the one before becomes; one that changes nothing is left out.
    """
    views = {0: text}
    for stage, decode in enumerate(_DECODERS, start=1):
        before = views[max(views)]
        decoded = "".join(decode(block) for block in _cut(before))
        if decoded != before:
            views[stage] = decoded
    return views


def read_pieces(text: str) -> Iterator[tuple[int, str]]:
    """Yield all that is to be searched: the text block by block, and of each later view the lines that changed.

    A name may be written over two lines: each block begins with the line before it, each change has its neighbours.
    """
    line_before = ""
    for block in _cut(text):
        before = block
        yield 0, line_before + before
        for stage, decode in enumerate(_DECODERS, start=1):
            after = decode(before)
            if after != before:
                yield stage, _changed_lines(before.split("\n"), after.split("\n"))
            before = after
        line_before = block[block.rfind("\n", 0, -1) + 1 :]


def _changed_lines(before: list[str], after: list[str]) -> str:
    known = set(before)
    changed = [at for at, line in enumerate(after) if line not in known]
    shown = sorted({near for at in changed for near in (at - 1, at, at + 1) if 0 <= near < len(after)})
    return "\n".join(after[at] for at in shown)


def _cut(text: str) -> Iterator[str]:
    """Blocks that end with a line, where no address written over two lines is cut: most of memory is saved so."""
    start = 0
    while len(text) - start > _BLOCK_CHARACTERS:
        end = text.find("\n", start + _BLOCK_CHARACTERS)
        while end >= 0 and _holds_together(text[end - 1 : end], text[end + 1 : end + 2]):
            end = text.find("\n", end + 1)
        if end < 0:
            break
        yield text[start : end + 1]
        start = end + 1
    yield text[start:]


def _holds_together(before: str, after: str) -> bool:
    """Whether brackets stand at the end of a line, so that the next may belong to the same address."""
    return any(bool(sign) and sign in _OPEN + _CLOSED for sign in (before, after))


def _unescape_json(text: str) -> str:
    if "\\" in text:
        text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda code: chr(int(code[1], 16)), text)
        text = text.replace("\\/", "/").replace('\\"', '"')
    return text.encode("utf-8", "replace").decode()


def _refang_lines(text: str) -> str:
    """What `refang` makes of a text, at the price of the lines that have something to refang."""
    lines = text.split("\n")
    said = pl.Series(lines, dtype=pl.String)
    fanged = _is_fanged(said).arg_true()
    done, parts = 0, []
    for at, plain in zip(fanged, _refang_own_style(said.gather(fanged)), strict=True):
        if at < done:
            continue
        first, end = at, at + 1
        while first > done and _holds_together(lines[first - 1][-1:], lines[first][:1]):
            first -= 1
        while end < len(lines) and _holds_together(lines[end - 1][-1:], lines[end][:1]):
            end += 1
        parts += lines[done:first]
        is_alone = end - first == 1
        parts.append(plain if is_alone and plain is not None else refang("\n".join(lines[first:end])))
        done = end
    return "\n".join([*parts, *lines[done:]])


def _is_fanged(lines: pl.Series) -> pl.Series:
    """Whether `refang` may change a line: where not, it does not."""
    return lines.str.contains(_FANGED_LINE) | (lines.str.count_matches(_SCHEME) > lines.str.count_matches("https?://"))


def _refang_own_style(lines: pl.Series) -> pl.Series:
    """Return lines as `refang` leaves them where all there is are `hxxps://` and `[.]`, as we write them; else null."""
    clear = lines.str.replace_all("hxxp(s?)://", "http${1}://").str.replace_all("[.]", ".", literal=True)
    is_other = lines.str.contains(_OTHER_STYLE) | _is_fanged(clear)
    return clear.set(is_other, None)


_DECODERS: tuple[Callable[[str], str], ...] = (html.unescape, _unescape_json, urllib.parse.unquote, _refang_lines)


def find_words(text: str, wanted: Collection[str], *, longest: int | None = None) -> list[str]:
    """Return the distinct words of a text, sorted, whose lower case is wanted; not the digits behind a decimal point.

    Args:
        text: any.
        wanted: words in lower case.
        longest: letters of the longest of them, for who asks often; None counts.
    """
    longest = max(map(len, wanted), default=0) if longest is None else longest
    # Cut as bytes: ten times as fast as a pattern, and most of a report is plain ASCII.
    runs = set(text.encode("utf-8", "surrogatepass").translate(_BLANKS).split())
    words = {run.decode() for run in runs if len(run) <= longest and run.isascii()}
    for run in runs:
        if not run.isascii():
            wide = run.decode("utf-8", "surrogatepass")
            words.update(_WORD.findall(wide), _ASCII_WORD.findall(wide))
    return sorted(word for word in words if word.lower() in wanted and _stands(word, text))


def _stands(word: str, text: str) -> bool:
    """Whether the word is one by itself somewhere: not a part of one, nor the digits behind a decimal point."""
    is_part = _is_ascii_sign if word.isascii() else _is_sign
    at = text.find(word)
    while at >= 0:
        end = at + len(word)
        is_decimal = text[at - 1 : at] == "." and at >= 2 and text[at - 2].isdecimal()
        if not (is_decimal or is_part(text[at - 1 : at]) or is_part(text[end : end + 1])):
            return True
        at = text.find(word, at + 1)
    return False


def _is_sign(sign: str) -> bool:
    return sign == "_" or sign.isalnum()


def _is_ascii_sign(sign: str) -> bool:
    return sign == "_" or (sign.isascii() and sign.isalnum())


class View:
    """One text, with what its mentions, links, JSON and columns say, each read when it is first asked for."""

    def __init__(self, text: str, *, shown: Collection[str] = ()) -> None:
        self.text = text
        self.shown = list(shown)

    def means_account(self, value: str, *, is_common: bool) -> bool:
        """Whether the value stands for an account here, and is not a number or word that happens to be the same.

        Args:
            value: a word of the text, or several with signs between them.
            is_common: it is written as a plain word elsewhere.
        """
        if not is_common and is_unlike_words(value):
            return True
        if self._is_mentioned(value) or value in self._in_json:
            return True
        return (value.isdecimal() and value in self._quoted_numbers) or value in self._in_columns

    def _is_mentioned(self, value: str) -> bool:
        if _ASCII_WORD.fullmatch(value):
            return value.lower() in self._mentioned
        named = rf"(?:[@＠]|(?:{_HOSTS})/(?:#!/)?(?:[a-z]{{1,8}}/)?@?){re.escape(value)}(?![.\-]?[A-Za-z0-9_])"
        return re.search(named, self.text, re.IGNORECASE) is not None

    @cached_property
    def _mentioned(self) -> frozenset[str]:
        """Names behind @ and in links to profiles, of ASCII letters, in lower case."""
        low = _STYLE.sub(" ", self.text.lower())
        if self.shown:
            low = pl.Series([low]).str.replace_many(dict.fromkeys(self.shown, " "), leftmost=True)[0]
        mentioned = set(_MENTION.findall(low))
        return frozenset(mentioned.union(*(_names_behind(f"{host}/", low) for host in HOSTS)))

    @cached_property
    def _in_json(self) -> frozenset[str]:
        """Words in quotes that JSON gives as an account, or in a list of accounts."""
        words: set[str] = set()
        for found in _ID_VALUE.finditer(self.text):
            if _is_key(found, self.text):
                words.update([found[1]] if found[1] else _IN_QUOTES.findall(found[2]))
        return _with_bare(words)

    @cached_property
    def _quoted_numbers(self) -> frozenset[str]:
        return frozenset(_NUMBER.findall(self.text))

    @cached_property
    def _in_columns(self) -> frozenset[str]:
        """What stands in columns of accounts, where the text is a table."""
        header, _, rest = self.text.lstrip("\ufeff").partition("\n")
        columns = [column.strip('"\r ') for column in header.split(",")]
        at = [i for i, column in enumerate(columns) if _ID_COLUMN.fullmatch(column) or column == "handle"]
        if len(columns) < 2 or not at or len(header) > 2000:
            return frozenset()
        table = pl.read_csv(io.StringIO(f"{header}\n{rest}"), infer_schema=False, truncate_ragged_lines=True,
                            ignore_errors=True, quote_char='"')  # fmt: skip
        values = pl.concat([table.to_series(i).str.strip_chars("'@").alias("value") for i in at])
        return _with_bare(values.drop_nulls().unique())


def _with_bare(values: Iterable[str]) -> frozenset[str]:
    """The values, and those of one platform among several without its name before them."""
    return frozenset(form for value in values for form in (value, _PLATFORM.sub("", value, count=1)))


def _names_behind(start: str, low: str) -> Iterator[str]:
    """The names that may follow a platform's host: in the first part of the path, or in the second."""
    at = low.find(start)
    while at >= 0:
        place = at + len(start)
        place += 3 if low.startswith("#!/", place) else 0
        name = _NAME_IN_PATH.match(low, place)
        if name and name[1] in BEFORE_A_NAME and low.startswith("/", name.end()):
            name = _NAME_IN_PATH.match(low, name.end() + 1)
        elif name and name[1] in BEFORE_A_NAME | NO_NAME:
            name = None
        if name:
            yield name[1]
        at = low.find(start, place)


def _is_key(found: re.Match[str], text: str) -> bool:
    """Whether what was found is the end of a JSON key; before an underscore anything on the line may stand."""
    if found[0].startswith('"'):
        return True
    quote = text.rfind('"', 0, found.start())
    return quote >= 0 and "\n" not in text[quote : found.start()]
