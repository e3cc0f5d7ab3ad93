"""A report's page as the linter reads it: blocks of text, tables, links, and what has no words beside it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from html.parser import HTMLParser

_BLOCKS = frozenset(
    (
        "p", "li", "dd", "dt", "h1", "h2", "h3", "h4", "h5", "h6", "figcaption", "caption", "summary", "blockquote",
        "title", "label", "option", "button", "legend", "body", "main", "section", "article", "aside", "header",
        "footer", "nav", "div", "ul", "ol", "dl", "table", "thead", "tbody", "tfoot", "tr", "figure", "details", "form",
    )
)  # fmt: skip
_CAPTIONS = {"figcaption": "figure", "caption": "table"}
_CELLS = frozenset(("td", "th"))
_SKIPPED = frozenset(("script", "style", "svg", "code", "pre", "template"))
_VOID = frozenset(("meta", "br", "hr", "img", "input", "link", "source", "col", "wbr", "area", "track", "embed"))
_CLAIMS = frozenset(("claim", "headlines", "evidence", "said"))
_NEED_LABEL = {
    "svg": "a picture", "canvas": "a picture", "iframe": "a frame", "video": "a film", "audio": "a recording",
    "object": "an object",
}  # fmt: skip
_LABELS = ("aria-label", "aria-labelledby", "aria-hidden", "title", "hidden")


@dataclass(frozen=True)
class Block:
    """One paragraph, list item or caption: its text, its section, and whether it is a claim with evidence beside it.

    `own` is the text without what is marked as somebody else's words.
    """

    text: str
    place: str
    is_claim: bool
    own: str


@dataclass(frozen=True)
class Table:
    """One table as rows of text, head first; `own` are the cells that do not hold somebody else's words."""

    rows: list[list[str]]
    place: str
    own: list[str]


@dataclass
class Page:
    """What the linter looks at."""

    blocks: list[Block] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)
    labels: list[tuple[str, str]] = field(default_factory=list)
    """words in attributes, which screen readers speak"""
    without_words: list[tuple[str, str]] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)


def read_page(html: str) -> Page:
    """Return the page's text by block, its tables and links, and the figures and tables that lack words."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    reader.end_block()
    return reader.page


@dataclass
class _Open:
    """An element that has begun and not ended."""

    tag: str
    classes: frozenset[str]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()
        self._place = "page"
        self._open: list[_Open] = []
        self._text: list[tuple[str, bool]] = []
        self._cell: list[str] | None = None
        self._tables: list[Table] = []
        self._words = {"figure": False, "table": False}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in _BLOCKS:
            self.end_block()
        if tag == "section":
            self._place = given.get("id", "page")
        self._read_attributes(tag, given)
        self._find_wordless(tag, given)
        if tag in self._words:
            self._words[tag] = False
        if tag == "table":
            self._tables.append(Table([], self._place, []))
        if tag == "tr" and self._tables:
            self._tables[-1].rows.append([])
        if tag in _CELLS:
            self._cell = []
        if tag not in _VOID:
            self._open.append(_Open(tag, frozenset(given.get("class", "").split())))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Read a tag that closes itself: a void one as any other, of a drawing none holds text."""
        if tag in _VOID:
            self.handle_starttag(tag, attrs)

    def handle_data(self, data: str) -> None:
        if any(one.tag in _SKIPPED for one in self._open):
            return
        if self._cell is not None:
            self._cell.append(data)
        else:
            self._text.append((data, self._is_theirs()))

    def handle_endtag(self, tag: str) -> None:
        if tag in _CELLS:
            self._end_cell()
        if tag in _BLOCKS:
            self.end_block()
        if tag == "table" and self._tables:
            table = self._tables.pop()
            self.page.tables.append(Table([row for row in table.rows if row], table.place, table.own))
        if tag in self._words and not self._words[tag]:
            self.page.without_words.append((self._place, f"a {tag} without a description"))
        while any(one.tag == tag for one in self._open) and self._open.pop().tag != tag:
            pass

    def end_block(self) -> None:
        """End the block of text that is being read, if there is one."""
        if self._cell is not None:
            self._cell.append(" ")
            return
        text = _join(data for data, _ in self._text)
        own = _join("“”" if theirs else data for data, theirs in self._text)
        self._text = []
        if not text:
            return
        is_claim = any(_CLAIMS & one.classes for one in self._open)
        self.page.blocks.append(Block(text, self._place, is_claim, own))
        for one in self._open:
            if one.tag in _CAPTIONS:
                self._words[_CAPTIONS[one.tag]] = True

    def _end_cell(self) -> None:
        if self._tables and self._tables[-1].rows and self._cell is not None:
            text = _join(self._cell)
            self._tables[-1].rows[-1].append(text)
            if not self._is_theirs():
                self._tables[-1].own.append(text)
        self._cell = None

    def _is_theirs(self) -> bool:
        return any(one.tag in ("blockquote", "q") or "theirs" in one.classes for one in self._open)

    def _read_attributes(self, tag: str, given: dict[str, str]) -> None:
        self.page.ids.update(given[name] for name in ("id", "name") if given.get(name))
        if not any(one.tag == "svg" for one in self._open):
            links = [given[name] for name in ("href", "src", "action", "poster") if name in given]
            self.page.links += [(self._place, link) for link in links]
            labels = [given[name] for name in ("alt", "aria-label", "title") if given.get(name)]
            labels += [given["content"]] if tag == "meta" and given.get("name") == "description" else []
            self.page.labels += [(self._place, label) for label in labels]

    def _find_wordless(self, tag: str, given: dict[str, str]) -> None:
        lacks = self.page.without_words
        if tag == "html" and not given.get("lang"):
            lacks.append(("page", "the page does not say its language"))
        if tag == "img" and "alt" not in given:
            lacks.append((self._place, "an image without alt"))
        if tag == "th" and "scope" not in given:
            lacks.append((self._place, "a table heading without scope"))
        in_figure = any(one.tag in ("figure", "svg") for one in self._open)
        if tag in _NEED_LABEL and not in_figure and not any(name in given for name in _LABELS):
            lacks.append((self._place, f"{_NEED_LABEL[tag]} ({tag}) without a label"))


def _join(parts: Iterable[str]) -> str:
    return " ".join("".join(parts).split())
