"""A report's page as the linter reads it: blocks of text, tables, links, and what has no words beside it."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

_BLOCKS = frozenset(("p", "li", "dd", "dt", "h1", "h2", "h3", "h4", "figcaption", "caption", "summary", "blockquote"))
_SKIPPED = frozenset(("script", "style", "svg", "code", "pre", "template"))
_VOID = frozenset(("meta", "br", "hr", "img", "input", "link", "source", "col", "wbr"))


@dataclass(frozen=True)
class Block:
    """One paragraph, list item or caption: its text, its section, and whether it is a claim with evidence beside it."""

    text: str
    place: str
    is_claim: bool


@dataclass(frozen=True)
class Table:
    """One table as rows of text, head first."""

    rows: list[list[str]]
    place: str


@dataclass
class Page:
    """What the linter looks at."""

    blocks: list[Block] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)
    without_words: list[tuple[str, str]] = field(default_factory=list)


def read_page(html: str) -> Page:
    """Return the page's text by block, its tables and links, and the figures and tables that lack words."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.page


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()
        self._place = "page"
        self._open: list[tuple[str, str]] = []
        self._text: list[str] = []
        self._rows: list[list[str]] = []
        self._words = {"figure": False, "table": False}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "html" and not given.get("lang"):
            self.page.without_words.append(("page", "the page does not say its language"))
        if tag == "section":
            self._place = given.get("id", "page")
        if tag == "a" and "href" in given:
            self.page.links.append((self._place, given["href"]))
        if tag == "img" and "alt" not in given:
            self.page.without_words.append((self._place, "an image without alt"))
        if tag == "th" and "scope" not in given:
            self.page.without_words.append((self._place, "a table heading without scope"))
        if tag in self._words:
            self._words[tag] = False
        if tag == "table":
            self._rows = []
        if tag == "tr":
            self._rows.append([])
        if tag in _BLOCKS or tag in ("td", "th"):
            self._text = []
        if tag not in _VOID:
            self._open.append((tag, given.get("class", "")))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Tags that close themselves hold no text."""

    def handle_data(self, data: str) -> None:
        if not any(tag in _SKIPPED for tag, _ in self._open):
            self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        text = " ".join("".join(self._text).split())
        if tag in ("td", "th") and self._rows:
            self._rows[-1].append(text)
            self._text = []
        elif tag in _BLOCKS:
            self._end_block(tag, text)
        if tag == "table":
            self.page.tables.append(Table([row for row in self._rows if row], self._place))
        if tag in self._words and not self._words[tag]:
            self.page.without_words.append((self._place, f"a {tag} without a description"))
        while self._open and self._open.pop()[0] != tag:
            pass

    def _end_block(self, tag: str, text: str) -> None:
        if text:
            is_claim = any(
                {"claim", "headlines", "evidence", "said"} & set(classes.split()) for _, classes in self._open
            )
            self.page.blocks.append(Block(text, self._place, is_claim))
        if text and tag == "figcaption":
            self._words["figure"] = True
        if text and tag == "caption":
            self._words["table"] = True
        self._text = []
