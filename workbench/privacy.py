"""What may be shown of whom: keyed pseudonyms at the door, and addresses nobody can click.

A name stays clear only where the source publishes it in clear and at least 5,000 accounts follow it. Everybody else,
bystanders who were only mentioned or reposted included, becomes a pseudonym before any stage sees the tables, so that
no table, chart, notebook or report made from them can name anybody it should not.

Beware: pseudonymous is not anonymous. Whoever holds the same release can find an account again by its dates and texts.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import polars as pl

from workbench.addresses import defang, refang
from workbench.keys import PrivacyError, read_key
from workbench.profile_links import HOSTS, PROFILE_LINK, rewrite_profile_link
from workbench.names import describe_names
from workbench.schema import About, Accounts, ParameterError, Posts, Release, check_table, decision

__all__ = ["N_FOLLOWERS_CLEAR", "PrivacyError", "defang", "is_named_in_clear", "protect_release", "read_key", "refang"]

N_FOLLOWERS_CLEAR = 5_000
N_USERS_OF_A_COMMON_TAG = 5
_PSEUDONYM = re.compile(r"(?:acct_[a-z2-7]{12}|post_[0-9a-f]{16})")
_UNLIKE_A_WORD = re.compile(r"(?=.*[0-9_])(?=.*[a-z])[a-z0-9_]{6,}")
_HANDLE = re.compile(r"[\w.\-]{1,40}")
_EMAIL = r"[\w.+\-]+@[\w\-]+(?:\.[\w\-]+)+"
_PHONE = r"\+?\d[\d\s().\-]{6,}\d"
_TWITTER_MENTION = r"(?:[@＠]|%40)[A-Za-z0-9_]{1,20}"
_OTHER_MENTION = r"(?:[@＠]|%40)\w(?:[\w.\-]*\w)?(?:@[\w\-]+(?:\.[\w\-]+)+)?"
_LETTERS = bytes(b"abcdefghijklmnopqrstuvwxyz234567"[byte % 32] for byte in range(256))
_DISGUISED_AT = r"(?:&#0*64;|&commat;|[@＠]|\\u0040)[\x{200B}-\x{200F}\x{2060}\x{FEFF}]*"
_MARK, _TOKEN = "\x00", "\x01"


def protect_release(release: Release, *, key: bytes) -> Release:
    """Return the release with pseudonyms for everybody who may not be named, and decisions that say how many.

    A name stays clear only if a platform disclosed it: the dataset says how many accounts were announced, the account
    is listed in `accounts`, not already pseudonymous there, and has at least 5,000 followers. All others, listed or
    only mentioned, reposted or answered, become `acct_` and 12 characters: in ids, handles, display names, mentions,
    `@handles` inside texts, and links to profiles. Ids of posts whose author is not in the clear become `post_` and 16
    digits. E-mail addresses are blotted out. Locations of hidden accounts are removed; their biographies become keyed
    word hashes, so that equal and similar ones can still be found.
    Columns that no contract knows are dropped: what they hold is not known either. What names look like is added, for
    profiles (`describe_names`): none of it tells a name. Applying it twice changes nothing.

    Args:
        release: what `load_release` gives.
        key: at least 16 bytes, from `read_key`.

    Raises:
        ParameterError: the key is too short to hide anything.
        PrivacyError: two names fell on one pseudonym.

    Beware: names written as plain words in a text are not found; a text may quote a person the source never lists.
    """
    if len(key) < 16:
        raise ParameterError(f"key must have at least 16 bytes, got {len(key)}. Use read_key().")
    parts_accounts, parts_posts, names_by_platform = [], [], []
    accounts, posts = release.accounts.with_row_index("_row"), release.posts.with_row_index("_row")
    for platform in pl.concat([accounts["platform"], posts["platform"]]).unique(maintain_order=True):
        its_accounts = accounts.filter(platform=platform)
        its_posts = posts.filter(platform=platform)
        names = _name_accounts(its_accounts, its_posts, about=release.about, platform=platform, key=key)
        parts_accounts.append(_protect_accounts(its_accounts, names))
        parts_posts.append(_protect_posts(its_posts, names))
        names_by_platform.append(names)
    if not names_by_platform:
        return release
    return replace(
        release,
        accounts=check_table(pl.concat(parts_accounts).sort("_row").drop("_row"), "accounts"),
        posts=check_table(pl.concat(parts_posts).sort("_row").drop("_row"), "posts"),
        decisions=_add_decisions(release, names_by_platform),
        quarantine=release.quarantine.with_columns(_hide_values(pl.col("reason"))),
    )


def is_named_in_clear(about: About) -> pl.Expr:
    """Return, over the columns of `accounts`, whether the account may be named: never outside a platform's takedown."""
    is_disclosed = pl.lit(about.announced_accounts is not None)
    return is_disclosed & ~pl.col("is_pseudonymous") & (pl.col("n_followers").fill_null(0) >= N_FOLLOWERS_CLEAR)


@dataclass
class _Names:
    """Who is shown how, on one platform."""

    platform: str
    key: bytes
    clear_ids: frozenset[str]
    known_ids: frozenset[str]
    id_by_handle: dict[str, str]
    n_bystanders: int
    hidden_words: list[str]
    clear_posts: frozenset[str] = frozenset()
    n_posts: int = 0
    _taken: dict[str, str] = field(default_factory=dict)
    _post_key: bytes = b""

    def __post_init__(self) -> None:
        self._post_key = hmac.digest(self.key, b"post", "sha256")

    def show_account(self, account_id: str) -> str:
        if account_id in self.clear_ids or _is_pseudonym(account_id):
            return account_id
        return self._pseudonym("account", account_id)

    def show_mention(self, name: str) -> str:
        """A mention holds an id or a handle; a handle of a listed account must give the pseudonym of its id."""
        name = name.lstrip("@＠")
        if _is_pseudonym(name):
            return name
        owner = self.id_by_handle.get(name.lower())
        if owner is not None:
            return name if owner in self.clear_ids else self.show_account(owner)
        if name in self.known_ids or name.isdecimal() or not _HANDLE.fullmatch(name):
            return self.show_account(name)
        return self._pseudonym("handle", name.lower())

    def show_number(self, number: str) -> str:
        """A long number inside a text that is the id of a known account."""
        return self.show_account(number) if number in self.known_ids else number

    def show_word(self, word: str) -> str:
        """A plain word that is the handle of a hidden account."""
        owner = self.id_by_handle.get(word.lower())
        return (
            word
            if owner is None or owner in self.clear_ids or not _UNLIKE_A_WORD.fullmatch(word.lower())
            else self.show_account(owner)
        )

    def show_post(self, post_id: str) -> str:
        if post_id in self.clear_posts or _is_pseudonym(post_id):
            return post_id
        name = f"{self.platform}\0{post_id}".encode()
        # Millions of these: BLAKE2 with a key is as sound as HMAC and twice as fast.
        return "post_" + hashlib.blake2b(name, key=self._post_key, digest_size=8).hexdigest()

    def _pseudonym(self, space: str, name: str) -> str:
        source = f"{space}\0{self.platform}\0{name}"
        shown = "acct_" + hmac.digest(self.key, source.encode(), "sha256")[:12].translate(_LETTERS).decode()
        if self._taken.setdefault(shown, source) != source:
            raise PrivacyError(
                f"Two accounts of {self.platform} fell on one pseudonym, {shown}; about one release in a million has "
                "this. Use another key: set WORKBENCH_KEY_FILE to a new file."
            )
        return shown


def _is_pseudonym(name: str) -> bool:
    return name.startswith(("acct_", "post_")) and _PSEUDONYM.fullmatch(name) is not None


def _name_accounts(accounts: pl.DataFrame, posts: pl.DataFrame, *, about: About, platform: str, key: bytes) -> _Names:
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
    hidden_words = [h for h, owner in id_by_handle.items() if owner not in clear_ids and _UNLIKE_A_WORD.fullmatch(h)]
    names = _Names(platform, key, clear_ids, known_ids, id_by_handle, n_bystanders, hidden_words)
    return replace(names, clear_posts=_clear_posts(posts, clear_ids), n_posts=posts.height)


def _clear_posts(posts: pl.DataFrame, clear_ids: frozenset[str]) -> frozenset[str]:
    """Ids of posts that somebody in the clear wrote, by every row that says who wrote them."""
    pairs = [
        ("post_id", "account_id"),
        ("repost_of_id", "repost_of_account_id"),
        ("reply_to_id", "reply_to_account_id"),
    ]
    said = pl.concat([posts.select(post_id=pl.col(post), author=pl.col(author)) for post, author in pairs]).drop_nulls()
    by_clear = pl.col("author").is_in(list(clear_ids))
    hidden = said.filter(~by_clear).select("post_id").unique()
    return frozenset(said.filter(by_clear).select("post_id").unique().join(hidden, on="post_id", how="anti")["post_id"])


def _protect_accounts(accounts: pl.DataFrame, names: _Names) -> pl.DataFrame:
    is_clear = pl.col("account_id").is_in(list(names.clear_ids))
    is_ours = pl.col("account_id").str.contains(rf"^{_PSEUDONYM.pattern}$")
    shown_id = _map_distinct(accounts["account_id"], names.show_account)
    bios = _map_distinct(
        accounts.select(pl.when(is_clear | is_ours).then(None).otherwise(pl.col("description"))).to_series(),
        lambda bio: _hash_words(bio, key=names.key),
    )
    readable = _protect_text(accounts["description"], names).str.replace_all(_PHONE, "[phone]")

    said = {column: _protect_text(accounts[column], names) for column in ("display_name", "location")}

    def name_or(column: str) -> pl.Expr:
        own = said.get(column, pl.col(column))
        return pl.when(is_clear | is_ours | pl.col(column).is_null()).then(own).otherwise(shown_id).alias(column)

    looks = describe_names(accounts)
    known = accounts.with_columns(looks.drop([column for column in looks.columns if column in accounts.columns]))
    return known.select("_row", *Accounts.column_names(), *looks.columns).with_columns(
        shown_id.alias("account_id"),
        name_or("handle"),
        name_or("display_name"),
        pl.when(is_clear).then(said["location"]).alias("location"),
        pl.when(is_clear).then(readable).when(is_ours).then(pl.col("description")).otherwise(bios).alias("description"),
        is_pseudonymous=pl.col("is_pseudonymous") | ~is_clear,
    )


def _protect_posts(posts: pl.DataFrame, names: _Names) -> pl.DataFrame:
    id_columns = ("account_id", "repost_of_account_id", "reply_to_account_id")
    post_columns = ("post_id", "repost_of_id", "reply_to_id", "quote_of_id")
    shown_ids = _map_distinct(pl.concat([posts[column] for column in id_columns]), names.show_account)
    shown_posts = _map_distinct(pl.concat([posts[column] for column in post_columns]), names.show_post)
    n = posts.height
    return posts.select("_row", *Posts.column_names()).with_columns(
        *[shown_ids.slice(i * n, n).alias(column) for i, column in enumerate(id_columns)],
        *[shown_posts.slice(i * n, n).alias(column) for i, column in enumerate(post_columns)],
        _protect_text(posts["text"], names).alias("text"),
        _map_lists(posts["urls"], lambda urls: _protect_text(urls, names)),
        _map_lists(posts["mentions"], lambda mentions: _map_distinct(mentions, names.show_mention)),
        _map_lists(posts["hashtags"], lambda tags: _map_distinct(tags, _tag_shower(posts, names))),
        _protect_text(posts["client"], names).alias("client"),
    )


def _tag_shower(posts: pl.DataFrame, names: _Names) -> Callable[[str], str]:
    """A hashtag that is a hidden account's handle stands for it, unless it is a plain word that several use."""
    users = (
        posts.select("account_id", tag="hashtags")
        .explode("tag")
        .drop_nulls()
        .with_columns(pl.col("tag").str.to_lowercase())
    )
    common = frozenset(users.unique().group_by("tag").len().filter(pl.col("len") >= N_USERS_OF_A_COMMON_TAG)["tag"])

    def show(tag: str) -> str:
        owner = names.id_by_handle.get(tag.lower())
        is_word = tag.lower() in common and not _UNLIKE_A_WORD.fullmatch(tag.lower())
        return tag if owner is None or owner in names.clear_ids or is_word else names.show_account(owner)

    return show


def _map_lists(lists: pl.Series, change: Callable[[pl.Series], pl.Series]) -> pl.Series:
    distinct = lists.explode().unique().drop_nulls()
    if distinct.is_empty():
        return lists
    changed = pl.element().replace_strict(distinct, change(distinct), default=None, return_dtype=pl.String)
    return lists.list.eval(changed)


def _map_distinct(values: pl.Series, change: Callable[[str], str]) -> pl.Series:
    """Change each distinct value once: a release names an account a thousand times."""
    distinct = values.unique().drop_nulls()
    if distinct.is_empty():
        return values
    changed = pl.Series([change(value) for value in distinct], dtype=pl.String)
    return values.replace_strict(distinct, changed, default=None, return_dtype=pl.String)


def _protect_text(texts: pl.Series, names: _Names) -> pl.Series:
    """Replace what names somebody inside texts: profile links, e-mails, mentions, and hidden handles as plain words.

    One pass each, on the texts that have any: together the patterns have no literal to search for and take minutes.
    """
    text = pl.col("text")
    mention = _TWITTER_MENTION if names.platform == "twitter" else _OTHER_MENTION

    def show(token: str) -> str:
        return _protect_token(token, names)

    texts = texts.str.replace_all(_DISGUISED_AT, "@")
    texts = _replace_inside(texts, PROFILE_LINK, text.str.contains_any(list(HOSTS), ascii_case_insensitive=True), show)
    texts = _replace_inside(texts, rf"{mention}|{_EMAIL}", text.str.contains(r"[\w.+\-]@\w"), show)
    texts = _replace_inside(texts, mention, text.str.contains("@|＠|%40"), show)
    texts = _replace_inside(texts, r"\d{15,}", text.str.contains(r"\d{15}"), names.show_number)
    if not names.hidden_words:
        return texts
    has_word = text.str.contains_any(names.hidden_words, ascii_case_insensitive=True)
    return _replace_inside(texts, r"[A-Za-z0-9_]+", has_word, names.show_word)


def _replace_inside(texts: pl.Series, pattern: str, where: pl.Expr, change: Callable[[str], str]) -> pl.Series:
    """Cut the texts at what the pattern matches, change each distinct match once, join again."""
    frame = texts.alias("text").to_frame().with_row_index("at")
    cut = frame.filter(where).with_columns(
        pl.col("text")
        .str.replace_all(rf"[{_MARK}{_TOKEN}]", "\ufffd")
        .str.replace_all(rf"({pattern})", f"{_MARK}{_TOKEN}${{1}}{_MARK}")
        .str.split(_MARK)
    )
    matches = cut["text"].explode().drop_nulls()
    matches = matches.filter(matches.str.starts_with(_TOKEN)).unique()
    if matches.is_empty():
        return texts
    changed = pl.Series([change(match) for match in matches.str.slice(1)], dtype=pl.String)
    rejoined = cut.with_columns(pl.col("text").list.eval(pl.element().replace(matches, changed)).list.join(""))
    spread = frame.join(rejoined, on="at", how="left", maintain_order="left")
    return spread.select(pl.coalesce("text_right", "text").alias(texts.name)).to_series()


def _protect_token(token: str, names: _Names) -> str:
    sign = next((sign for sign in ("@", "＠", "%40") if token.startswith(sign)), None)
    if sign is not None:
        return sign + names.show_mention(token[len(sign) :])
    if re.fullmatch(_EMAIL, token):
        return "[e-mail]"
    return rewrite_profile_link(token, show_name=names.show_mention, show_post=names.show_post)


def _hash_words(text: str, *, key: bytes) -> str:
    """Words, and single characters where a script has no spaces, each as 6 keyed digits in the order of the text."""
    words = re.findall(r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]{1,2}|[^\W_]+", text.lower())
    return " ".join(hmac.digest(key, f"word\0{word}".encode(), "sha256").hex()[:6] for word in words)


def _hide_values(reason: pl.Expr) -> pl.Expr:
    """Keep column names in a reason, but not the ids, handles and words it quotes."""
    quoted = r"""'[^']*[^a-z_'][^']*'|"[^"]*[^a-z_"][^"]*"|[@＠][\w.\-]+|\d{5,}"""
    return reason.str.replace_all(quoted, "[value]")


def _add_decisions(release: Release, names_by_platform: list[_Names]) -> pl.DataFrame:
    n_accounts = release.accounts.height
    n_clear = sum(len(names.clear_ids) for names in names_by_platform)
    n_bystanders = sum(names.n_bystanders for names in names_by_platform)
    post_ids = set().union(*(names.clear_posts for names in names_by_platform))
    n_clear_posts = release.posts["post_id"].is_in(list(post_ids)).sum()
    listed = (
        f"published in clear by the source and {N_FOLLOWERS_CLEAR:,} followers or more; the other "
        f"{n_accounts - n_clear:,} are shown by keyed pseudonyms"
    )
    bystanders = "mentioned, reposted or answered, but not part of the release: all are shown by keyed pseudonyms"
    posts = "an id leads to its author; posts of accounts shown by pseudonyms have keyed ids"
    rows = [
        ("name listed accounts in clear", listed, n_accounts, n_clear),
        ("name bystanders in clear", bystanders, n_bystanders, 0),
        ("show post ids in clear", posts, release.posts.height, int(n_clear_posts)),
    ]
    new = pl.concat([decision("protect", a, r, n_before=before, n_after=after) for a, r, before, after in rows])
    if release.decisions.filter(stage="protect").height:
        return release.decisions
    return pl.concat([release.decisions, new.select(release.decisions.columns)])
