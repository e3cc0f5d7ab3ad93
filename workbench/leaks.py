"""The walk over everything that leaves: which files name an account that may not be named."""

from __future__ import annotations

import base64
import hashlib
import html
import io
import re
import urllib.parse
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import polars as pl

from workbench.hidden_text import find_mail_and_phones
from workbench.leak_views import View, decode_views, find_words, read_pieces
from workbench.pseudonyms import is_named_in_clear
from workbench.schema import Release, SourceError
from workbench.spoken_names import (
    find_sites,
    find_standing,
    find_telling_names,
    is_telling_name,
    is_unlike_a_word,
    is_unlike_words,
)

LEAKS = {"file": pl.String, "place": pl.String, "kind": pl.String, "value": pl.String}
_ARCHIVES = (".zip", ".docx", ".xlsx")
_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".woff", ".woff2", ".parquet", ".npy")
_WORD = re.compile(r"\w+")
_DATA_LINK = re.compile(r"data:([^,\"'\s<>]{0,100}),([\w+/=%.~!*'();:@&$,?\-\s]{4,})")
_MAX_MEMBER_BYTES = 1 << 30
_BATCH_CHARACTERS = 1 << 23
_Met = dict[int, tuple[set[str], set[str]]]
"""view -> words and phrases in it"""
_Text = TypeVar("_Text", bound=tuple[object, object, str])


def find_leaks(folder: Path | str, release: Release, *, second: Release | None = None) -> pl.DataFrame:
    """Return where the files of a report or package folder name an account that may not be named.

    Looked for are ids, handles and display names of all accounts of the release, listed or not, that `protect_release`
    hides. Files are also read as what is inside them: members of archives, data links, escapes of HTML, JSON and URLs.
    E-mails and telephone numbers of the release are looked for, too. Short, plain or numeric names, and a bystander's
    handle that posts use as a word too, count only where they can be nothing else: behind @, in a link to a profile,
    in quotes or in a column of accounts. A display name counts if it is more than a plain word, unless many accounts
    use the words, or it is a place's, or the dataset's title has it. What one platform shows in clear may appear; a
    handle of one counts in the other's web addresses only where it is an account, for there nobody took it out.

    Args:
        folder: a report folder, a package folder, or one file.
        release: the release as loaded, before `protect_release`.
        second: the second platform's, likewise; None, or one without rows, where there is none.

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
    hidden = _hidden_names([release, second] if second is not None else [release])
    files = [root] if root.is_file() else sorted(file for file in root.rglob("*") if file.is_file())
    texts = (
        (file.relative_to(root).as_posix() if root.is_dir() else file.name, place, text)
        for file in files
        for place, text in _read_texts(file.name, file.read_bytes())
    )
    rows = [
        {"file": file, "place": place, "kind": kind, "value": value}
        for batch in _in_batches(texts)
        for (file, place, _), found in zip(batch, hidden.find([text for _, _, text in batch]), strict=True)
        for kind, value in found
    ]
    return pl.DataFrame(rows, schema=LEAKS).unique(maintain_order=True)


def _in_batches(texts: Iterable[_Text]) -> Iterator[list[_Text]]:
    """Many texts at a time: to prepare the search for thousands of phrases takes longer than to search one text."""
    batch: list[_Text] = []
    n_characters = 0
    for one in texts:
        batch.append(one)
        n_characters += len(one[2])
        if n_characters > _BATCH_CHARACTERS:
            yield batch
            batch, n_characters = [], 0
    yield batch


@dataclass
class _Hidden:
    """Names that may not appear."""

    words: dict[str, str]
    """ids and handles made of letters and digits, in lower case -> account_id or handle"""
    phrases: dict[str, str]
    """ids and handles with anything else in them, in lower case"""
    sayings: dict[str, str]
    """display names, e-mails and telephone numbers: nothing but their owner is called so"""
    bystanders: frozenset[str]
    """words and phrases of which no listed account is the owner"""
    said: list[tuple[pl.DataFrame, pl.DataFrame]]
    """accounts and posts of each platform"""
    shown: frozenset[str] = frozenset()
    """names in the clear with other signs in them, in lower case: `quay.example` does not name `quay`"""
    _common: dict[str, bool] = field(default_factory=dict)
    """handles -> whether posts whose platform does not list them have them in web addresses, too, or as plain words"""
    _known: dict[bytes, list[tuple[str, str]]] = field(default_factory=dict)
    """digest of a text -> names in it: an archive holds what its folder holds"""

    @cached_property
    def _longest(self) -> int:
        return max(map(len, self.words), default=0)

    def find(self, texts: list[str]) -> list[list[tuple[str, str]]]:
        """Return, for each text, kind and value of every name in it; the same text is read once."""
        digests = [hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest() for text in texts]
        new = {digest: text for digest, text in zip(digests, texts, strict=True) if digest not in self._known}
        met = self._meet(new)
        self._learn_common({name.lower() for stages in met.values() for names, _ in stages.values() for name in names})
        for digest, text in new.items():
            self._known[digest] = list(dict.fromkeys(self._judge(text, met[digest])))
        return [self._known[digest] for digest in digests]

    def _meet(self, texts: dict[bytes, str]) -> dict[bytes, _Met]:
        """What in each text may be a name, and what surely is one, by the view in which it is first seen."""
        met: dict[bytes, _Met] = {digest: {} for digest in texts}
        pieces = ((digest, *piece) for digest, text in texts.items() for piece in read_pieces(text))
        for batch in _in_batches(pieces):
            pieces_of_batch = [piece for _, _, piece in batch]
            phrases = _find_all(pieces_of_batch, list(self.phrases), ignores_case=True)
            sayings = _find_all(pieces_of_batch, list(self.sayings))
            for (digest, stage, piece), its_phrases, its_sayings in zip(batch, phrases, sayings, strict=True):
                names, said = met[digest].setdefault(stage, (set(), set()))
                names.update(find_words(piece, self.words, longest=self._longest), its_phrases)
                said.update(its_sayings)
        return met

    def _judge(self, text: str, met: _Met) -> Iterator[tuple[str, str]]:
        """Names by view: a word in a view is asked about in all later ones, where more may say that it is meant."""
        names: set[str] = set()
        views: dict[int, str] = {}
        for stage in sorted(met):
            names |= met[stage][0]
            asked = sorted(names)
            if asked and not views:
                views = decode_views(text)
            view = View(views.get(stage, ""), shown=self.shown)
            for name in asked:
                if view.means_account(name, is_common=self._common.get(name.lower(), False)):
                    yield self.phrases.get(name.lower()) or self.words[name.lower()], name
            yield from ((self.sayings[said], said) for said in sorted(met[stage][1]))

    def _learn_common(self, names: set[str]) -> None:
        asked = {name for name in names if is_unlike_words(name)} - self._common.keys()
        used: set[str] = set()
        for accounts, posts in self.said:
            used |= find_sites(asked, posts) | _used_in_texts(accounts, posts, asked & self.bystanders)
        self._common.update((name, name in used) for name in asked)


def _find_all(texts: list[str], sought: list[str], *, ignores_case: bool = False) -> list[list[str]]:
    """What is sought of each text, as it is written there, where it stands by itself."""
    if not sought:
        return [[] for _ in texts]
    said = pl.Series(texts, dtype=pl.String)
    found = said.str.extract_many(sought, overlapping=True, ascii_case_insensitive=ignores_case)
    return [
        [name for name in inside.unique() if find_standing(name, text)]
        for inside, text in zip(found, texts, strict=True)
    ]


def _hidden_names(releases: list[Release]) -> _Hidden:
    may_appear = frozenset(name for release in releases for name in _clear_names(release))
    kinds: dict[str, str] = {}
    for release in reversed(releases):
        kinds |= dict.fromkeys(_telling_names(release, releases), "display_name") | _handles_and_ids(release)
    kinds = {name: kind for name, kind in kinds.items() if name.lower() not in may_appear}
    is_word = {name: bool(_WORD.fullmatch(name)) and kind != "display_name" for name, kind in kinds.items()}
    words = {name.lower(): kind for name, kind in kinds.items() if is_word[name]}
    phrases = {name.lower(): kind for name, kind in kinds.items() if not is_word[name] and kind != "display_name"}
    sayings = dict.fromkeys((name for name, kind in kinds.items() if kind == "display_name"), "display_name")
    for release in releases:
        sayings |= {said: kind for said, kind in _contacts(release).items() if said.lower() not in may_appear}
    return _Hidden(
        words=words,
        phrases=phrases,
        sayings=sayings,
        bystanders=frozenset([*words, *phrases]).difference(
            *(_listed_handles(release.accounts) for release in releases)
        ),
        said=[part for release in releases for part in _split_platforms(release)],
        shown=frozenset(name for name in may_appear if not _WORD.fullmatch(name) and _WORD.match(name)),
    )


def _split_platforms(release: Release) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    platforms = pl.concat([release.accounts["platform"], release.posts["platform"]]).unique()
    if len(platforms) == 1:  # a filter that keeps all rows would be a second copy
        yield release.accounts, release.posts
        return
    for platform in platforms:
        yield release.accounts.filter(platform=platform), release.posts.filter(platform=platform)


def _listed_handles(accounts: pl.DataFrame) -> frozenset[str]:
    return frozenset(accounts["handle"].drop_nulls().str.to_lowercase())


def _clear_names(release: Release) -> Iterator[str]:
    clear = release.accounts.filter(is_named_in_clear(release.about))
    for name in pl.concat([clear[column] for column in ("account_id", "handle", "display_name")]).drop_nulls():
        yield name.lower()
        # `quay24.example` is shown, and in it the handle that the same people may have elsewhere.
        yield from (word for word in _WORD.findall(name.lower()) if is_unlike_a_word(word))


def _handles_and_ids(release: Release) -> dict[str, str]:
    """Handles and ids of everybody hidden, listed or only met in posts -> which of the two."""
    hidden, posts = release.accounts.filter(~is_named_in_clear(release.about)), release.posts
    mentions = posts["mentions"].explode().drop_nulls().str.strip_chars_start("@＠")
    acting = [posts[name] for name in ("account_id", "repost_of_account_id", "reply_to_account_id")]
    ids = pl.concat([hidden["account_id"], mentions, *acting]).drop_nulls().unique()
    handles = pl.concat([hidden["handle"], mentions, _mentioned_in_texts(posts)]).drop_nulls().unique()
    return dict.fromkeys(handles, "handle") | dict.fromkeys(ids, "account_id")


def _mentioned_in_texts(posts: pl.DataFrame) -> pl.Series:
    """Names behind @; on Twitter a full stop ends one, elsewhere it may be a part."""
    has_at = posts.select("platform", "text").filter(pl.col("text").str.contains("[@＠]"))
    parts = []
    for (platform,), its in has_at.group_by("platform", maintain_order=True):
        name = r"\w+" if platform == "twitter" else r"\w+(?:[.\-]\w+)*"
        parts.append(its["text"].str.extract_all(rf"(?:^|[^A-Za-z0-9_.+\-])[@＠]{name}").explode().drop_nulls())
    said = pl.concat(parts) if parts else pl.Series(dtype=pl.String)
    return said.str.replace(r"^[^@＠]?[@＠]", "")


def _telling_names(release: Release, releases: list[Release]) -> list[str]:
    """Display names as `protect_release` takes them out of texts; what a dataset says of itself may be said."""
    about = " ".join(word for one in releases for word in (one.about.title, one.about.origin, *one.about.notes))
    places = {place.lower() for one in releases for place in one.accounts["location"].drop_nulls()}
    hidden = release.accounts.filter(~is_named_in_clear(release.about))
    telling = [name for name in hidden["display_name"].drop_nulls().unique() if is_telling_name(name)]
    sites = set()
    for one in releases:
        telling = list(find_telling_names(telling, one.posts))
        sites |= find_sites([name.lower() for name in telling], one.posts)
    return sorted(name for name in telling if name not in about and name.lower() not in places | sites)


def _contacts(release: Release) -> dict[str, str]:
    """E-mails and telephone numbers in texts and profiles."""
    said = pl.concat([release.posts["text"], release.accounts["description"], release.accounts["display_name"]])
    found = find_mail_and_phones(said)
    return dict.fromkeys(found["e-mail"], "e-mail") | dict.fromkeys(found["phone"], "phone")


def _used_in_texts(accounts: pl.DataFrame, posts: pl.DataFrame, names: set[str]) -> set[str]:
    """Which names, in lower case, stand in texts or profiles and are no mentions, or are hashtags."""
    if not names:
        return set()
    tags = names.intersection(posts["hashtags"].explode().drop_nulls().unique().str.to_lowercase())
    links = posts["urls"].explode()
    said = pl.concat([posts["text"], links, posts["client"], accounts["description"], accounts["location"]])
    said = said.drop_nulls().unique()
    said = said.str.replace_all(r"[@＠]\w+(?:[.\-]\w+)*", " ").str.to_lowercase()
    said = said.filter(said.str.contains_any(sorted(names)))
    held = said.str.extract_many(sorted(names), overlapping=True)
    pairs = ((name, text) for text, inside in zip(said, held, strict=True) for name in set(inside))
    return tags | {name for name, text in pairs if find_standing(name, text)}


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
