"""The walk over everything that leaves: which files name an account that may not be named."""

from __future__ import annotations

import base64
import html
import io
import re
import urllib.parse
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from workbench.addresses import refang
from workbench.hidden_text import find_mail_and_phones
from workbench.profile_links import HOSTS
from workbench.pseudonyms import is_named_in_clear
from workbench.schema import Release, SourceError
from workbench.spoken_names import find_standing, find_telling_names, is_telling_name

LEAKS = {"file": pl.String, "place": pl.String, "kind": pl.String, "value": pl.String}
_ARCHIVES = (".zip", ".docx", ".xlsx")
_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".woff", ".woff2", ".parquet", ".npy")
_WORD = re.compile(r"(?<!\w)(?<!\d\.)\w+")
_ASCII_WORD = re.compile(r"(?<![A-Za-z0-9_])(?<!\d\.)[A-Za-z0-9_]+")
"""Words; in Chinese and the like a handle stands among them without spaces."""
_DATA_LINK = re.compile(r"data:([^,\"'\s<>]{0,100}),([\w+/=%.~!*'();:@&$,?\-\s]{4,})")
_ID_COLUMN = re.compile(r"(?:.*_)?account(?:_id|_a|_b|s)?|author|user_?id|mentions?")
_MAX_MEMBER_BYTES = 1 << 30


def find_leaks(folder: Path | str, release: Release) -> pl.DataFrame:
    """Return where the files of a report or package folder name an account that may not be named.

    Looked for are ids, handles and display names of all accounts of the release, listed or not, that `protect_release`
    hides. Files are also read as what is inside them: members of archives, data links, escapes of HTML, JSON and URLs.
    E-mails and telephone numbers of the release are looked for, too. Short, plain or numeric names, and a bystander's
    handle that posts use as a word too, count only where they can be nothing else: behind @, in a link to a profile,
    in quotes or in a column of accounts. A display name counts if it is more than a plain word, unless many accounts
    use the words, or it is a place's, or the dataset's title has it.

    Args:
        folder: a report folder, a package folder, or one file.
        release: the release as loaded, before `protect_release`.

    Returns:
        One row per file and name: file, place (member or data link inside it), kind (account_id, handle,
        display_name, e-mail, phone), value.

    Raises:
        SourceError: there is no such folder, or an archive in it is damaged.

    Beware: pictures are not read. A name nobody lists, inside a text, cannot be known.
    """
    root = Path(folder)
    if not root.exists():
        raise SourceError(f"There is no folder {root} to look through. Give the folder of a report or package.")
    hidden = _hidden_names(release)
    files = [root] if root.is_file() else sorted(file for file in root.rglob("*") if file.is_file())
    rows = [
        {"file": file.relative_to(root).as_posix() if root.is_dir() else file.name, "place": place, **found}
        for file in files
        for place, text in _read_texts(file.name, file.read_bytes())
        for found in hidden.find(text)
    ]
    return pl.DataFrame(rows, schema=LEAKS).unique(maintain_order=True)


@dataclass(frozen=True)
class _Hidden:
    """Names that may not appear."""

    words: dict[str, str]
    """ids and handles made of letters and digits, in lower case -> account_id or handle"""
    phrases: dict[str, str]
    """ids, handles and display names with anything else in them, e-mails and telephone numbers"""
    common: frozenset[str]
    """handles of bystanders that posts also use as a plain word or as part of a web address, in lower case"""

    def find(self, text: str) -> Iterator[dict[str, str]]:
        for view in _views(text):
            for word in sorted(_words_in(view)):
                kind = self.words.get(word.lower())
                if kind and _is_meant(word, view, is_common=word.lower() in self.common):
                    yield {"kind": kind, "value": word}
            for phrase in self._phrases_in(view):
                yield {"kind": self.phrases[phrase], "value": phrase}

    def _phrases_in(self, view: str) -> list[str]:
        if not self.phrases:
            return []
        found = pl.Series([view]).str.extract_many(list(self.phrases), overlapping=True).explode().drop_nulls()
        return [phrase for phrase in found.unique().sort() if find_standing(phrase, view)]


def _hidden_names(release: Release) -> _Hidden:
    accounts, posts = release.accounts, release.posts
    is_clear = is_named_in_clear(release.about)
    clear, hidden = accounts.filter(is_clear), accounts.filter(~is_clear)
    mentions = posts["mentions"].explode().drop_nulls().str.strip_chars_start("@＠")
    acting = [posts[name] for name in ("account_id", "repost_of_account_id", "reply_to_account_id")]
    said = posts["text"].drop_nulls().str.extract_all(r"(?:^|[^A-Za-z0-9_.+\-])[@＠]\w+").explode().drop_nulls()
    said = said.str.replace(r"^[^@＠]?[@＠]", "")
    ids = pl.concat([hidden["account_id"], mentions, *acting]).drop_nulls().unique()
    handles = pl.concat([hidden["handle"], mentions, said]).drop_nulls().unique()
    names = _telling_names(hidden, release)
    may_appear = {
        name.lower() for column in ("account_id", "handle", "display_name") for name in clear[column].drop_nulls()
    }
    kinds = dict.fromkeys(names, "display_name") | dict.fromkeys(handles, "handle") | dict.fromkeys(ids, "account_id")
    kinds = {name: kind for name, kind in kinds.items() if name.lower() not in may_appear}
    is_word = {name: bool(_WORD.fullmatch(name)) and kind != "display_name" for name, kind in kinds.items()}
    words = {name.lower(): kind for name, kind in kinds.items() if is_word[name]}
    return _Hidden(
        common=_used_plainly(posts)
        & (frozenset(words) - frozenset(accounts["handle"].drop_nulls().str.to_lowercase())),
        words=words,
        phrases={name: kind for name, kind in kinds.items() if not is_word[name]} | _contacts(release),
    )


def _telling_names(hidden: pl.DataFrame, release: Release) -> list[str]:
    """Display names as `protect_release` takes them out of texts; what the dataset says of itself may be said."""
    about = " ".join([release.about.title, release.about.origin, *release.about.notes])
    places = {place.lower() for place in release.accounts["location"].drop_nulls()}
    names = [name for name in hidden["display_name"].drop_nulls().unique() if is_telling_name(name)]
    telling = find_telling_names(names, release.posts)
    return sorted(name for name in telling if name not in about and name.lower() not in places)


def _contacts(release: Release) -> dict[str, str]:
    """E-mails and telephone numbers in texts and profiles."""
    said = pl.concat([release.posts["text"], release.accounts["description"], release.accounts["display_name"]])
    found = find_mail_and_phones(said)
    return dict.fromkeys(found["e-mail"], "e-mail") | dict.fromkeys(found["phone"], "phone")


def _words_in(view: str) -> set[str]:
    return set(_WORD.findall(view)) | set(_ASCII_WORD.findall(view))


def _used_plainly(posts: pl.DataFrame) -> frozenset[str]:
    """Words of texts that are not mentions, and of the hosts of links: a newspaper's handle is often its address."""
    texts = posts["text"].drop_nulls().unique().str.replace_all(r"[@＠]\w+", " ")
    hosts = posts["urls"].explode().drop_nulls().unique().str.extract(r"^\w+://([^/?#]+)").drop_nulls()
    return frozenset(pl.concat([texts, hosts]).str.to_lowercase().str.extract_all(r"\w+").explode().drop_nulls())


def _is_meant(value: str, view: str, *, is_common: bool) -> bool:
    """Whether the value stands for an account here, and is not a number or word that happens to be the same."""
    if not is_common and len(value) >= 6 and not value.isdecimal() and re.search(r"[\d_+/=]", value):
        return True
    if value.isdecimal() and len(value) >= 15:
        return True
    name = re.escape(value)
    hosts = "|".join(re.escape(host) for host in HOSTS)
    if re.search(rf"(?:[@＠]|(?:{hosts})/(?:#!/)?(?:[a-z]{{1,8}}/)?@?){name}(?![A-Za-z0-9_])", view, re.IGNORECASE):
        return True
    in_json = rf'"(?:{_ID_COLUMN.pattern})"\s*:\s*(?:\[[^\]]*)?"{name}"'
    if re.search(in_json, view):
        return True
    if value.isdecimal() and len(value) >= 6 and re.search(rf"""(["'>]){name}(["'<])""", view):
        return True
    return _in_account_column(value, view)


def _in_account_column(value: str, view: str) -> bool:
    header, _, rest = view.lstrip("\ufeff").partition("\n")
    columns = [column.strip('"\r ') for column in header.split(",")]
    at = [i for i, column in enumerate(columns) if _ID_COLUMN.fullmatch(column) or column == "handle"]
    if len(columns) < 2 or not at or len(header) > 2000:
        return False
    table = pl.read_csv(io.StringIO(f"{header}\n{rest}"), infer_schema=False, truncate_ragged_lines=True,
                        ignore_errors=True, quote_char='"')  # fmt: skip
    return any(value in table.to_series(i).str.strip_chars("'@").to_list() for i in at)


def _views(text: str) -> list[str]:
    """The text as it is, and as a reader of HTML, JSON, URLs or defanged addresses would see it."""
    views = [text]
    for decode in (html.unescape, _unescape_json, urllib.parse.unquote, refang):
        decoded = decode(views[-1])
        if decoded != views[-1]:
            views.append(decoded)
    return views


def _unescape_json(text: str) -> str:
    text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda code: chr(int(code[1], 16)), text)
    return text.replace("\\/", "/").replace('\\"', '"').encode("utf-8", "replace").decode()


def _read_texts(name: str, content: bytes, place: str = "") -> Iterator[tuple[str, str]]:
    if name.lower().endswith(_ARCHIVES):
        yield from _read_archive(name, content, place)
    elif not name.lower().endswith(_PICTURES):
        text = content.decode("utf-8", errors="replace")
        yield place, text
        yield from _read_data_links(text, place)


def _read_archive(name: str, content: bytes, place: str) -> Iterator[tuple[str, str]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.infolist():
                inside = f"{place}{member.filename}"
                if member.file_size > _MAX_MEMBER_BYTES:
                    raise SourceError(f"{name} holds {inside} of {member.file_size:,} bytes, more than can be checked.")
                yield inside, member.filename
                yield from _read_texts(member.filename, archive.read(member), f"{inside} > ")
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise SourceError(f"{name} cannot be looked into: {error}. Make the archive again.") from error


def _read_data_links(text: str, place: str) -> Iterator[tuple[str, str]]:
    for link in _DATA_LINK.finditer(text):
        inside = f"{place}data link at {link.start()}"
        if "base64" not in link[1]:
            yield inside, urllib.parse.unquote(html.unescape(link[2]))
            continue
        packed = re.sub(r"\s", "", urllib.parse.unquote(link[2]))
        packed = packed[: len(packed) - len(packed) % 4]
        if re.fullmatch(r"[A-Za-z0-9+/]*={0,2}", packed):
            yield inside, base64.b64decode(packed).decode("utf-8", errors="replace")
