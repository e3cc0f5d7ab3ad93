"""Who is shown how: names kept, keyed pseudonyms for the others, the same wherever a name is met."""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from dataclasses import dataclass, field, replace
from functools import cached_property

import polars as pl

from workbench.keys import PrivacyError
from workbench.schema import About
from workbench.spoken_names import (
    N_DIGITS_OF_AN_ID,
    find_sites,
    find_telling_handles,
    find_telling_names,
    is_unlike_a_phrase,
    is_unlike_a_word,
    spell,
)

N_FOLLOWERS_CLEAR = 5_000
N_DIGITS_OF_A_LISTED_ID = 9
"""A listed account's id may be shorter than `N_DIGITS_OF_AN_ID` and still be more than a number in a text."""
SPOKEN = {"name": pl.String, "kind": pl.String, "shown": pl.String}
PSEUDONYM = re.compile(r"(?:acct_[a-z2-7]{12}|post_[0-9a-f]{16})")
_HANDLE = re.compile(r"[\w.\-]{1,40}")
_LETTERS = bytes(b"abcdefghijklmnopqrstuvwxyz234567"[byte % 32] for byte in range(256))


def is_named_in_clear(about: About) -> pl.Expr:
    """Return, over the columns of `accounts`, whether the account may be named: never outside a platform's takedown."""
    is_disclosed = pl.lit(about.announced_accounts is not None)
    return is_disclosed & ~pl.col("is_pseudonymous") & (pl.col("n_followers").fill_null(0) >= N_FOLLOWERS_CLEAR)


@dataclass
class Names:
    """Who is shown how, on one platform."""

    platform: str
    key: bytes
    clear_ids: frozenset[str]
    known_ids: frozenset[str]
    id_by_handle: dict[str, str]
    n_bystanders: int
    telling_handles: frozenset[str]
    """handles of hidden accounts, in lower case, that stand for them even without @"""
    telling_phrases: dict[str, str] = field(default_factory=dict)
    """handles and ids of hidden accounts with other signs in them -> what is shown"""
    telling_names: dict[str, str] = field(default_factory=dict)
    """display names of hidden accounts that stand for them -> what is shown"""
    spoken_words: dict[str, str] = field(default_factory=dict)
    """ids like words, and handles and long ids of the case's other platforms, in lower case -> what is shown"""
    met: frozenset[str] = frozenset()
    """handles of bystanders, in lower case"""
    clear_posts: frozenset[str] = frozenset()
    n_posts: int = 0
    _taken: dict[str, str] = field(default_factory=dict)
    _post_key: bytes = b""

    @cached_property
    def spelled_phrases(self) -> dict[str, str]:
        """`telling_phrases` as they stand in texts, addresses and HTML, in lower case."""
        return {form.lower(): shown for name, shown in self.telling_phrases.items() for form in spell(name)}

    @cached_property
    def spelled_names(self) -> dict[str, str]:
        """`telling_names` as they stand in texts, addresses and HTML."""
        return {form: shown for name, shown in self.telling_names.items() for form in spell(name)}

    def __post_init__(self) -> None:
        self._post_key = hmac.digest(self.key, b"post", "sha256")

    def show_account(self, account_id: str) -> str:
        """An account's id, or its pseudonym."""
        if account_id in self.clear_ids or is_pseudonym(account_id):
            return account_id
        return self._pseudonym("account", account_id)

    def show_mention(self, name: str) -> str:
        """A mention holds an id or a handle; a handle of a listed account must give the pseudonym of its id."""
        name = unicodedata.normalize("NFKC", name).lstrip("@")
        if is_pseudonym(name):
            return name
        owner = self.id_by_handle.get(name.lower())
        if owner is not None:
            return name if owner in self.clear_ids else self.show_account(owner)
        if name in self.known_ids or name.isdecimal() or not _HANDLE.fullmatch(name):
            return self.show_account(name)
        return self._pseudonym("handle", name.lower())

    def is_known(self, name: str) -> bool:
        """Whether a handle or an id is that of an account the source tells of."""
        return name.lower() in self.id_by_handle or name in self.known_ids or name.lower() in self.met

    def show_number(self, number: str) -> str:
        """A long number inside a text that is the id of a known account."""
        is_known = number in self.known_ids or (len(number) >= N_DIGITS_OF_AN_ID and number in self.met)
        return self.show_account(number) if is_known else self.spoken_words.get(number, number)

    def show_word(self, word: str) -> str:
        """A plain word that is the handle of a hidden account."""
        low = word.lower()
        return self.show_mention(word) if low in self.telling_handles else self.spoken_words.get(low, word)

    def show_unlike_word(self, word: str) -> str:
        """The same in an address, where words of letters alone are parts of titles."""
        return self.show_word(word) if is_unlike_a_word(word.lower()) else word

    def show_post(self, post_id: str) -> str:
        """A post's id, or a keyed one where its author is hidden."""
        if post_id in self.clear_posts or is_pseudonym(post_id):
            return post_id
        return self._key_posts(pl.Series([post_id]))[0]

    def show_posts(self, post_ids: pl.Series) -> pl.Series:
        """The same of many posts; a null stays one."""
        is_made = post_ids.str.contains(rf"^{PSEUDONYM.pattern}$")
        is_hidden = ~(post_ids.is_in(list(self.clear_posts)) | is_made)
        shown = self._key_posts(post_ids.filter(is_hidden))
        return shown if shown.len() == post_ids.len() else post_ids.clone().scatter(is_hidden.arg_true(), shown)

    def _key_posts(self, post_ids: pl.Series) -> pl.Series:
        # Millions of these: BLAKE2 with a key is as sound as HMAC and twice as fast, and a loop without calls as well.
        digest, key, prefix = hashlib.blake2b, self._post_key, f"{self.platform}\0".encode()
        ids = post_ids.cast(pl.Binary).to_list()
        keyed = [digest(prefix + name, key=key, digest_size=8).digest() for name in ids]
        return "post_" + pl.Series(keyed, dtype=pl.Binary).bin.encode("hex")

    def _pseudonym(self, space: str, name: str) -> str:
        source = f"{space}\0{self.platform}\0{name}"
        shown = "acct_" + hmac.digest(self.key, source.encode(), "sha256")[:12].translate(_LETTERS).decode()
        if self._taken.setdefault(shown, source) != source:
            raise PrivacyError(
                f"Two accounts of {self.platform} fell on one pseudonym, {shown}; about one release in a million has "
                "this. Use another key: set WORKBENCH_KEY_FILE to a new file."
            )
        return shown


def is_pseudonym(name: str) -> bool:
    """Whether a name is one that was made here."""
    return name.startswith(("acct_", "post_")) and PSEUDONYM.fullmatch(name) is not None


def name_accounts(accounts: pl.DataFrame, posts: pl.DataFrame, *, about: About, platform: str, key: bytes) -> Names:
    """Return who is shown how on one platform, from its own accounts and posts."""
    may_show = is_named_in_clear(about)
    clear_ids = frozenset(accounts.filter(may_show)["account_id"])
    listed = frozenset(accounts["account_id"])
    acting = pl.concat([posts[name] for name in ("account_id", "repost_of_account_id", "reply_to_account_id")])
    known_ids = listed | frozenset(acting.unique().drop_nulls())
    # Where two accounts had one handle, a hidden one comes last and so wins.
    handles = accounts.filter(pl.col("handle").is_not_null()).sort(~may_show, maintain_order=True)
    id_by_handle = {handle.lower(): owner for handle, owner in handles.select("handle", "account_id").rows()}
    mentioned = posts["mentions"].explode().unique().drop_nulls()
    n_bystanders = len(known_ids - listed) + sum(
        name not in known_ids and name.lstrip("@＠").lower() not in id_by_handle for name in mentioned
    )
    met = frozenset(name.lstrip("@＠").lower() for name in mentioned) - id_by_handle.keys()
    telling_handles = _telling_handles(posts, met, id_by_handle, clear_ids)
    names = Names(platform, key, clear_ids, known_ids, id_by_handle, n_bystanders, telling_handles, met=met)
    return replace(
        names,
        spoken_words=_spoken_ids(accounts, names),
        telling_phrases=_telling_phrases(accounts, posts, names),
        telling_names=_telling_names(accounts, posts, names),
        clear_posts=_clear_posts(posts, clear_ids),
        n_posts=posts.height,
    )


def list_spoken(accounts: pl.DataFrame, names: Names) -> pl.DataFrame:
    """Return what stands for a platform's hidden accounts wherever it is written, on other platforms as well.

    Returns:
        name, kind (word, phrase, display name) and shown, its pseudonym; words are in lower case.
    """
    own = [name for pair in _hidden_rows(accounts, names) for name in pair if name]
    met = [name for name in (names.known_ids - names.clear_ids) | names.met if len(name) >= N_DIGITS_OF_AN_ID]
    listed = [name for name in own if len(name) >= N_DIGITS_OF_A_LISTED_ID]
    numbers = [name for name in (*met, *listed) if name.isdecimal()]
    kinds = {
        "word": {name.lower(): names.show_mention(name) for name in own if is_unlike_a_word(name.lower())}
        | {number: names.show_account(number) for number in numbers},
        "phrase": {name: names.show_mention(name) for name in own if is_unlike_a_phrase(name)},
        "display name": names.telling_names,
    }
    rows = [(name, kind, shown) for kind, shown_as in kinds.items() for name, shown in sorted(shown_as.items())]
    return pl.DataFrame(rows, schema=SPOKEN, orient="row")


def add_spoken(names: Names, spoken: pl.DataFrame, *, accounts: pl.DataFrame, posts: pl.DataFrame) -> Names:
    """Return the names with those of the case's other platforms that stand for an account in this one's texts, too.

    Args:
        names: of one platform.
        spoken: from `list_spoken`, of all the others.
        accounts: of this platform: what its accounts in the clear, or places, are called means them.
        posts: of this platform: what they link to is a site's name, and what many write is a word.
    """
    left = _names_left(accounts, names) | names.clear_ids
    strange = spoken.filter(~pl.col("name").str.to_lowercase().is_in(list(left)))
    by_kind = {kind[0]: dict(part.select("name", "shown").iter_rows()) for kind, part in strange.group_by("kind")}
    words, phrases, called = (by_kind.get(kind, {}) for kind in ("word", "phrase", "display name"))
    sites = find_sites([*words, *(phrase.lower() for phrase in phrases)], posts)
    telling = _find_spoken_names(list(called), posts)
    return replace(
        names,
        spoken_words={word: shown for word, shown in words.items() if word not in sites} | names.spoken_words,
        telling_phrases={phrase: shown for phrase, shown in phrases.items() if phrase.lower() not in sites}
        | names.telling_phrases,
        telling_names={name: shown for name, shown in called.items() if name in telling} | names.telling_names,
    )


def _hidden_rows(accounts: pl.DataFrame, names: Names) -> list[tuple[str | None, str]]:
    """Handle and id of each hidden account whose own they are; a hash in their place stands in no text."""
    is_hidden = ~pl.col("account_id").is_in(list(names.clear_ids)) & ~pl.col("is_pseudonymous")
    return accounts.filter(is_hidden).select("handle", "account_id").rows()


def _telling_handles(
    posts: pl.DataFrame, met: frozenset[str], id_by_handle: dict[str, str], clear_ids: frozenset[str]
) -> frozenset[str]:
    """Of listed accounts words of letters alone tell, too; of bystanders these are the names of papers and places."""
    listed = [handle for handle, owner in id_by_handle.items() if owner not in clear_ids]
    bystanders = frozenset(name for name in met if is_unlike_a_word(name))
    return find_telling_handles([name for name in listed if not is_pseudonym(name)], posts) | bystanders


def _spoken_ids(accounts: pl.DataFrame, names: Names) -> dict[str, str]:
    ids = [account_id for _, account_id in _hidden_rows(accounts, names)]
    return {name.lower(): names.show_account(name) for name in ids if is_unlike_a_word(name.lower())}


def _telling_phrases(accounts: pl.DataFrame, posts: pl.DataFrame, names: Names) -> dict[str, str]:
    """Handles like `tram.fan.example`, listed accounts' and bystanders'; one that posts link to is a site's name."""
    own = [name for pair in _hidden_rows(accounts, names) for name in pair if name]
    phrases = {name for name in (*own, *names.met) if is_unlike_a_phrase(name)}
    sites = find_sites([phrase.lower() for phrase in phrases], posts)
    return {phrase: names.show_mention(phrase) for phrase in sorted(phrases) if phrase.lower() not in sites}


def _telling_names(accounts: pl.DataFrame, posts: pl.DataFrame, names: Names) -> dict[str, str]:
    """Names that a clear account or a place has as well are left; a platform's own hash of a name is none."""
    is_hash = pl.col("display_name") == pl.col("account_id")
    known = accounts.filter(~is_hash).select("display_name", "account_id").drop_nulls().unique(maintain_order=True)
    left = _names_left(accounts, names)
    owners = {
        name: owner
        for name, owner in known.rows()
        if owner not in names.clear_ids and name.lower() not in left and not is_pseudonym(name)
    }
    telling = _find_spoken_names(list(owners), posts)
    return {name: names.show_account(owner) for name, owner in owners.items() if name in telling}


def _find_spoken_names(names: list[str], posts: pl.DataFrame) -> set[str]:
    telling = find_telling_names(names, posts)
    sites = find_sites([name.lower() for name in telling], posts)
    return {name for name in telling if name.lower() not in sites}


def _names_left(accounts: pl.DataFrame, names: Names) -> set[str]:
    """What accounts in the clear and places are called, in lower case."""
    clear = accounts.filter(pl.col("account_id").is_in(list(names.clear_ids)))
    left = pl.concat([clear["display_name"], clear["handle"], accounts["location"]])
    return {name.lower() for name in left if name}


def _clear_posts(posts: pl.DataFrame, clear_ids: frozenset[str]) -> frozenset[str]:
    """Ids of posts that somebody in the clear wrote, by every row that says who wrote them."""
    pairs = [
        ("post_id", "account_id"),
        ("repost_of_id", "repost_of_account_id"),
        ("reply_to_id", "reply_to_account_id"),
    ]
    said = pl.concat([posts.select(post_id=pl.col(post), author=pl.col(author)) for post, author in pairs]).drop_nulls()
    by_clear = pl.col("author").is_in(list(clear_ids))
    clear = said.filter(by_clear)["post_id"].unique()
    by_hidden = said.filter(pl.col("post_id").is_in(clear.implode()) & ~by_clear)["post_id"]
    return frozenset(clear) - frozenset(by_hidden)
