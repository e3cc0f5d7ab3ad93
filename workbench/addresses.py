"""Addresses inside texts: written so that no program makes them a link, and given back as they were."""

from __future__ import annotations

import ipaddress
import re

import polars as pl

_RUN = r"(?:[\w+\-]|\[\.\]|\.)++"
_SEPARATOR = r":(?:\\?/){2}|%3[Aa]%2[Ff]%2[Ff]"
_AT_A_HOST = re.compile(r"(?:/\\?/|%2[Ff]%2[Ff])$")
_PIECE = re.compile(
    r"(?<![\w.:\]])(?P<ip6>(?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{0,4})(?![\w:.])"
    rf"|(?P<run>{_RUN})(?:(?P<separator>{_SEPARATOR})|@(?P<mail>{_RUN}))?"
)
"""A run of letters, digits, dots and hyphens is read once and whole, so a long word takes no longer than many short."""
_ADDRESS_SIGN = re.compile(r"\.[\w+\-\[.]|:(?:/|\\/|[0-9a-fA-F]{0,4}:)|%3[Aa]")

_CJK = r"\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef"
_TOP = re.compile(
    r"(?:[a-z]{2,24}|[A-Z]{2,24}|(?i:com|net|org|info)|xn--[a-z0-9\-]{2,59}"
    rf"|рф|укр|бел|срб|中国|中國|香港|台湾|台灣|公司|网络|網絡|한국)(?=$|[\-{_CJK}])"
)
"""How the last label of a domain begins: Chinese and the like is written behind it without a space."""
_FILE_ENDINGS = frozenset(
    (
        "html", "htm", "xhtml", "php", "asp", "aspx", "jsp", "css", "js", "csv", "tsv", "json", "jsonl", "ndjson",
        "txt", "xml", "yaml", "yml", "toml", "lock", "pdf", "doc", "docx", "xls", "xlsx", "ppt", "pptx", "jpg", "jpeg",
        "png", "gif", "svg", "webp", "gz", "parquet", "ipynb", "graphml", "gexf",
    )
)  # fmt: skip
"""Last parts of file names that are no top-level domain."""
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_TO_FANG, _FROM_FANG = str.maketrans("tT", "xX"), str.maketrans("xX*", "tTt")
_DOT = re.compile(r"(?<!\[)\.(?=[\w\-])")
_PLAIN = r"^http(s?)://((?:[a-z0-9\-]+\.)+[a-z]{2,24})((?:/[A-Za-z0-9_\-]*)*)$"
"""Most addresses: a scheme, a host, and a path without a full stop; they need not be taken apart one by one."""
_PLAIN_DEFANGED = r"^hxxps?://(?:[a-z0-9\-]+\[\.\])+[a-z]{2,24}(?:/[A-Za-z0-9_\-]*)*$"
_MAY_HOLD_ADDRESS = r"[.%]|:[/\\]|:[^:]*:"


def defang(text: str) -> str:
    """Return the text with every address, domain, e-mail and IP written so that no program makes it a link.

    `https://a.example/x` becomes `hxxps://a[.]example/x`, `b@a.example` becomes `b[@]a[.]example`, `192.0.2.7`
    becomes `192[.]0[.]2[.]7`. Addresses inside addresses (archives, redirects) are defanged too. What is defanged
    already stays as it is; `refang` gives the address back. File names and numbers of an outline (0.9.11.0) are none.

    Beware: `end.start` with a full stop and no space looks like a domain, and is taken for one.
    """
    if not _may_hold_address(text):
        return text
    return _PIECE.sub(_defang_piece, text)


def defang_each(texts: pl.Series) -> pl.Series:
    """Return texts as `defang` leaves them, in order, null where null: a column in a tenth of the time."""
    parts = (
        texts.alias("text")
        .to_frame()
        .select(
            "text", **{name: pl.col("text").str.extract(_PLAIN, n) for n, name in enumerate(("s", "host", "path"), 1)}
        )
    )
    address = pl.format("hxxp{}://{}{}", "s", pl.col("host").str.replace_all(".", "[.]", literal=True), "path")
    stays = pl.col("text").str.contains(_PLAIN_DEFANGED) | ~pl.col("text").str.contains(_MAY_HOLD_ADDRESS)
    untouched = pl.when(stays).then("text")
    done = parts.select(pl.coalesce(address, untouched)).to_series()
    others = texts.filter(done.is_null()).drop_nulls().unique()
    changed = pl.Series([defang(text) for text in others], dtype=pl.String)
    rest = texts.replace_strict(others, changed, default=None, return_dtype=pl.String)
    return done.fill_null(rest).alias(texts.name)


def _may_hold_address(text: str) -> bool:
    """Whether the text has what any address has: most cells of a table have not, and are told so at once."""
    if "." not in text and "%" not in text and ":/" not in text and ":\\" not in text and text.count(":") < 2:
        return False
    return _ADDRESS_SIGN.search(text) is not None


def _defang_piece(found: re.Match[str]) -> str:
    if found["ip6"]:
        is_address = _is_ip(found["ip6"]) and found["ip6"].strip(":") != ""
        return found[0].replace(":", "[:]") if is_address else found[0]
    run, before = found["run"], found.string[max(found.start() - 6, 0) : found.start()]
    if found["separator"]:
        head = run.rstrip(_LETTERS)
        return _defang_run(head, before, is_path_end=False) + _defang_scheme(run[len(head) :], found["separator"])
    if found["mail"]:
        host = _bracket_dots(found["mail"])
        return f"{_bracket_dots(run)}{'@' if host == found['mail'] else '[@]'}{host}"
    return _defang_run(run, before, is_path_end=found.string[found.end() : found.end() + 1] == "/")


def _defang_scheme(scheme: str, separator: str) -> str:
    if scheme.lower() in ("http", "https", "ftp", "ftps", "sftp"):
        return scheme.translate(_TO_FANG) + separator
    is_link = scheme and scheme.lower() not in ("hxxp", "hxxps", "fxp", "fxps", "sfxp")
    return scheme + (separator.replace(":", "[:]") if is_link else separator)


def _defang_run(run: str, before: str, *, is_path_end: bool) -> str:
    """Dots in a path are left, unless the part of the path is a host itself; a handle behind @ is no domain."""
    if _AT_A_HOST.search(before):
        return _DOT.sub(r"[\g<0>]", run)
    in_path = before[-1:] == "/"
    if before[-1:] == "@" or (in_path and not is_path_end and not run.startswith("www.")):
        return run
    return _bracket_dots(run)


def _bracket_dots(run: str) -> str:
    """Write each domain and IPv4 address of a run with brackets, the full stop behind it without."""
    if "." not in run:
        return run
    parts = re.split(r"(\[\.\]|\.)", run)
    labels, dots = parts[::2], parts[1::2]
    first = 0
    for at in range(len(labels) + 1):
        if at < len(labels) and labels[at].strip("-_+"):
            continue
        end = first + _count_address_labels(labels[first:at])
        dots[first : max(end - 1, first)] = ["[.]"] * max(end - 1 - first, 0)
        first = at + 1
    return labels[0] + "".join(dot + label for dot, label in zip(dots, labels[1:], strict=True))


def _count_address_labels(labels: list[str]) -> int:
    """How many of the labels, from the first, are an address; 0 where none."""
    if len(labels) == 4 and all(re.fullmatch(r"[0-9]{1,3}", label) for label in labels):
        # 0.x.x.x is nobody's address: it is the number of an outline.
        return 4 if _is_ip(".".join(labels)) and int(labels[0]) else 0
    if labels and labels[-1].lower() in _FILE_ENDINGS:
        return 0
    tops = (n for n in range(len(labels), 1, -1) if _TOP.match(labels[n - 1]))
    return next(tops, 0)


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:  # four numbers with dots can be a version, colons can be a time of day
        return False
    return True


_FANGED_SCHEME = re.compile(
    r"(?<![A-Za-z0-9])(?P<scheme>h(?:xx|\*\*|tt)ps?|s?fx?t?ps?)"
    r"(?:(?:\[:\]|\[:/\]|:)(?://|\\/\\/|\[//\]|/)|\[://\]|\(://\)|(?P<encoded>%3A%2F%2F))",
    re.IGNORECASE,
)
_FANGS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), clear)
    for pattern, clear in (
        (r"(?i)\s?[\[({]\s?(?:\.|dot)\s?[\])}]\s?", "."),
        (r"(?<=\w)\\\.(?=\w)", "."),
        (r"(?<=\w)(?:\[\.|\.\])(?=\w)", "."),
        (r"(?i)\s?[\[({]\s?(?:@|at)\s?[\])}]\s?", "@"),
        (r"\[:\]", ":"),
        (r"(?<=\w)\[/\]", "/"),
    )
)


def refang(text: str) -> str:
    r"""Return the text with its defanged addresses as they work, whichever of the usual styles they are written in.

    Known styles: `hxxp`, `hXXps`, `h**p`, `[:]//`, `[://]`, `[.]`, `(.)`, `{.}`, `[dot]`, `\.`, half a bracket,
    `[@]`, `(at)`, `[:]`.
    """
    text = _FANGED_SCHEME.sub(_refang_scheme, text)
    for fang, clear in _FANGS:
        text = fang.sub(clear, text)
    return text


def _refang_scheme(found: re.Match[str]) -> str:
    scheme = found["scheme"].translate(_FROM_FANG)
    # hXXps is a style of its own; only where all is in capitals were there capitals before.
    is_loud = scheme.isupper()
    return (scheme if is_loud else scheme[0] + scheme[1:].lower()) + (found["encoded"] or "://")
