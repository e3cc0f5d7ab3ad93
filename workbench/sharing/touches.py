"""Which account of one's own data touches which indicator, and by which post, before anything is weighed."""

from __future__ import annotations

import hashlib
import re

import numpy as np
import polars as pl

from workbench.schema import Release
from workbench.sharing.addresses import clean_handle, find_profile, split_address
from workbench.sharing.classify import host_key
from workbench.sharing.contacts import find_contacts
from workbench.sharing.joins import join_within_bounds, keep_few_per_name
from workbench.sharing.near_text import find_near, read_signatures, sign_texts
from workbench.sharing.salts import hash_values
from workbench.text import canonical_url, normalise_text

_ACCOUNT_TYPES = ("account", "page", "group", "channel")
_DIGITS_TAIL = re.compile(r"[\d_.\-]+$")
_PLAIN_HOST = r"^https?://([a-z0-9.\-]+)(?:[/?#]|$)"
"""Of most addresses the host stands where a pattern finds it; all the others are taken apart one by one."""
_MIN_STEM = 6
_MIN_NAME = 5
_MAX_PDQ = 31
_TOUCH = {"line": pl.Int64, "match_kind": pl.String, "account_id": pl.String, "post_id": pl.String}

MATCH_KINDS = {
    "same_account": "the account itself, by platform and id or handle",
    "same_handle": "the same handle on another platform",
    "handle_stem": "the same handle up to digits at its end",
    "same_name": "the same display name",
    "profile_link": "a link to the account's page",
    "url": "the same address",
    "domain": "an address on the domain",
    "text": "the same text",
    "near_text": "nearly the same text",
    "hashtag": "the same hashtag",
    "media": "the same picture or film",
    "email": "the same e-mail address in a post or profile",
    "phone": "the same telephone number in a post or profile",
    "ip": "the same IP address in a post, link or profile",
}
"""Match kind -> what it means. The first four are identity, the others content."""

IDENTITY_KINDS = ("same_account", "same_handle", "handle_stem", "same_name")


def find_touches(
    indicators: pl.DataFrame, release: Release, *, min_similarity: float, key: bytes | None = None
) -> pl.DataFrame:
    """Return every touch: line (of the indicator), match_kind, account_id, post_id (null where identity).

    Args:
        indicators: the indicators table; rows whose role is not "operation" touch nothing.
        release: one's own data, as loaded: pseudonyms hide handles and profile links.
        min_similarity: least share of common shingles for two texts to count as nearly the same.
        key: from `derive_key`, to compare keyed hashes; None where there are none.
    """
    wanted = indicators.filter((pl.col("role") == "operation") & pl.col("match_key").is_not_null())
    links = _links(release.posts)
    texts = _texts(release.posts)
    parts = [
        _touch_accounts(wanted, release.accounts),
        _touch_links(wanted, links),
        _touch_texts(wanted, texts, min_similarity=min_similarity, key=key),
        _touch_lists(wanted, release.posts),
        find_contacts(wanted, release),
    ]
    if key is not None:
        parts.append(_touch_hashes(wanted, release, links, texts, key=key))
    return pl.concat(parts).unique().sort("line", "match_kind", "account_id", "post_id")


def touchable(release: Release) -> dict[str, int]:
    """Return how many values of one's own data each family of indicators can be compared with."""
    accounts, posts = release.accounts, release.posts
    return {
        "account": accounts.height,
        "persona": int(accounts["display_name"].is_not_null().sum()),
        "url": int((posts["urls"].list.len() > 0).sum()),
        "text": int(posts["text"].is_not_null().sum()),
        "hashtag": int((posts["hashtags"].list.len() > 0).sum()),
        "media": int((posts["media_hashes"].list.len() > 0).sum()),
        "contact": posts["text"].count() + accounts["description"].count(),
    }


def fold_name(name: str) -> str:
    """Return a display name as it counts for sameness."""
    return " ".join(name.casefold().split())


def handle_stem(handle: str) -> str | None:
    """Return a handle without the digits at its end; None where too little is left to mean anything."""
    stem = _DIGITS_TAIL.sub("", clean_handle(handle))
    return stem if len(stem) >= _MIN_STEM else None


def _touches(frame: pl.DataFrame, match_kind: str) -> pl.DataFrame:
    if "post_id" not in frame.columns:
        frame = frame.with_columns(post_id=pl.lit(None, dtype=pl.String))
    return frame.select("line", pl.lit(match_kind).alias("match_kind"), "account_id", "post_id").cast(_TOUCH)  # ty: ignore


def _none() -> pl.DataFrame:
    return pl.DataFrame(schema=_TOUCH)


def _by(wanted: pl.DataFrame, *types: str) -> pl.DataFrame:
    return wanted.filter(pl.col("indicator_type").is_in(types))


def _column(frame: pl.DataFrame, name: str) -> pl.Series:
    return frame[name] if name in frame.columns else pl.Series(name, [None] * frame.height, dtype=pl.String)


def _map(values: pl.Series, function) -> pl.Series:
    distinct = values.unique().drop_nulls()
    mapped = pl.Series([function(value) for value in distinct], dtype=pl.String)
    return values.replace_strict(distinct, mapped, default=None, return_dtype=pl.String)


def _touch_accounts(wanted: pl.DataFrame, accounts: pl.DataFrame) -> pl.DataFrame:
    listed = _by(wanted, *_ACCOUNT_TYPES)
    listed = listed.select(
        "line",
        "platform",
        handle=pl.col("match_key"),
        known_id=_column(listed, "account_id"),
        name=_map(_column(listed, "display_name"), fold_name),
        stem=_map(listed["match_key"], handle_stem),
    )
    own = accounts.select(
        "account_id",
        own_platform=pl.col("platform"),
        handle=_map(accounts["handle"], clean_handle),
        stem=_map(accounts["handle"], handle_stem),
        name=_map(accounts["display_name"], fold_name),
    )
    same_platform = pl.col("platform").is_null() | (pl.col("platform") == pl.col("own_platform"))
    by_handle = join_within_bounds(listed, own, "handle")
    # A sheet may give the id where we look for a handle, and the other way round.
    by_id = pl.concat(
        [
            join_within_bounds(
                listed.select("line", "platform", account_id=on), own.select("account_id", "own_platform"), "account_id"
            )
            for on in ("known_id", "handle")
        ]
    )
    stems = join_within_bounds(keep_few_per_name(listed, "stem"), own, "stem").filter(
        pl.col("handle") != pl.col("handle_right")
    )
    personas = _by(wanted, "persona").select("line", name=pl.col("match_key"))
    names = pl.concat([listed.select("line", "name"), personas]).filter(pl.col("name").str.len_chars() >= _MIN_NAME)
    return pl.concat(
        [
            _touches(by_handle.filter(same_platform), "same_account"),
            _touches(by_id.filter(same_platform), "same_account"),
            _touches(by_handle.filter(~same_platform), "same_handle"),
            _touches(stems, "handle_stem"),
            _touches(join_within_bounds(keep_few_per_name(names, "name"), own, "name"), "same_name"),
        ]
    )


def _links(posts: pl.DataFrame) -> pl.DataFrame:
    """One row per address posted: url (canonical), host, profile."""
    found = (
        posts.filter(pl.col("urls").list.len() > 0).select("account_id", "post_id", url=pl.col("urls")).explode("url")
    )
    found = found.with_columns(url=canonical_url(pl.col("url"))).drop_nulls("url")
    return found.with_columns(host=find_hosts(found["url"]), profile=_map(found["url"], _profile))


def find_hosts(urls: pl.Series) -> pl.Series:
    """Return the host of each address as it counts for sameness; null where there is none."""
    distinct = urls.unique().drop_nulls()
    plain = distinct.str.extract(_PLAIN_HOST)
    written = plain.unique().drop_nulls()
    keys = pl.Series([_host(f"https://{host}") for host in written], dtype=pl.String)
    hosts = plain.replace_strict(written, keys, default=None, return_dtype=pl.String)
    others = distinct.filter(plain.is_null())
    own = pl.Series([_host(url) for url in others], dtype=pl.String)
    known = pl.concat([pl.DataFrame({"url": distinct, "host": hosts}).filter(plain.is_not_null()),
                       pl.DataFrame({"url": others, "host": own})])  # fmt: skip
    return urls.replace_strict(known["url"], known["host"], default=None, return_dtype=pl.String)


def _host(url: str) -> str | None:
    host = split_address(url)[0]
    return host_key(host) if host else None


def _profile(url: str) -> str | None:
    profile = find_profile(url)
    return f"{profile.platform}:{profile.handle}" if profile else None


def _touch_links(wanted: pl.DataFrame, links: pl.DataFrame) -> pl.DataFrame:
    urls = _by(wanted, "url").select("line", url=pl.col("match_key"))
    profiles = _by(wanted, *_ACCOUNT_TYPES).select("line", profile=pl.format("{}:{}", "platform", "match_key"))
    domains = _by(wanted, "domain").select("line", domain=pl.col("match_key"))
    return pl.concat(
        [
            _touches(join_within_bounds(urls, links, "url"), "url"),
            _touches(join_within_bounds(profiles.drop_nulls(), links, "profile"), "profile_link"),
            _touches(join_within_bounds(domains, _hosts_above(links), "domain"), "domain"),
        ]
    )


def _hosts_above(links: pl.DataFrame) -> pl.DataFrame:
    """Each link under its host and every domain above it: a domain indicator covers its subdomains."""
    hosts = links["host"].unique().drop_nulls()
    rows = [(host, ".".join(parts[n:])) for host in hosts for parts in [host.split(".")] for n in range(len(parts) - 1)]
    above = pl.DataFrame(rows, schema={"host": pl.String, "domain": pl.String}, orient="row")
    return links.join(above, on="host", how="inner")


def _texts(posts: pl.DataFrame) -> pl.DataFrame:
    """One row per post with words: the normalised text."""
    return posts.select("account_id", "post_id", text=normalise_each(posts["text"])).drop_nulls("text")


def normalise_each(texts: pl.Series) -> pl.Series:
    """Return texts as `normalise_text` leaves them, in order; each distinct one is worked on once."""
    distinct = texts.unique().drop_nulls().alias("text").to_frame()
    known = distinct.with_columns(normal=normalise_text(pl.col("text")))
    return texts.alias("text").to_frame().join(known, on="text", how="left", maintain_order="left")["normal"]


def _touch_texts(
    wanted: pl.DataFrame, texts: pl.DataFrame, *, min_similarity: float, key: bytes | None
) -> pl.DataFrame:
    plain = _by(wanted, "text").select("line", text=pl.col("match_key"))
    hashed = _by(wanted, "text_hash").select("line", digest=pl.col("match_key"))
    signed = _by(wanted, "minhash")
    if plain.is_empty() and hashed.is_empty() and signed.is_empty():
        return _none()
    distinct = texts.select("text").unique().sort("text")
    parts = [_touches(join_within_bounds(plain, texts, "text"), "text")]
    if not hashed.is_empty():
        digests = distinct.with_columns(digest=_map(distinct["text"], _digest))
        parts.append(
            _touches(join_within_bounds(hashed.join(digests, on="digest", how="inner"), texts, "text"), "text")
        )
    lines = [*plain["line"], *signed["line"]]
    if lines:
        # Words may be compared openly even where the partner's signatures are keyed.
        own = {part: sign_texts(distinct["text"], key=part) for part in {b"", key or b""}}
        near = [
            _near(plain["line"], sign_texts(plain["text"]), distinct, own[b""], min_similarity),
            _near(signed["line"], read_signatures(signed["match_key"]), distinct, own[key or b""], min_similarity),
        ]
        exact = parts[0].select("line", "post_id")
        found = join_within_bounds(pl.concat(near), texts, "text").join(exact, on=["line", "post_id"], how="anti")
        parts.append(_touches(found, "near_text"))
    return pl.concat(parts)


def _near(
    lines: pl.Series, wanted: np.ndarray, distinct: pl.DataFrame, own: np.ndarray, min_similarity: float
) -> pl.DataFrame:
    pairs = find_near(wanted, own, min_similarity=min_similarity)
    return pl.DataFrame({"line": lines.gather(pairs["wanted_row"]), "text": distinct["text"].gather(pairs["own_row"])})


def _digest(text: str) -> str:
    return "text-sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _touch_lists(wanted: pl.DataFrame, posts: pl.DataFrame) -> pl.DataFrame:
    """Hashtags and hashes of pictures and films."""
    tags = _by(wanted, "hashtag").select("line", value=pl.col("match_key"))
    own_tags = _explode(posts, "hashtags").with_columns(pl.col("value").str.normalize("NFKC").str.to_lowercase())
    media = _by(wanted, "media_hash").select("line", value=pl.col("match_key").str.split(":").list.last())
    own_media = _explode(posts, "media_hashes").with_columns(
        pl.col("value").str.to_lowercase().str.split(":").list.last()
    )
    return pl.concat(
        [
            _touches(join_within_bounds(tags, own_tags, "value"), "hashtag"),
            _touches(join_within_bounds(media, own_media, "value"), "media"),
            _touch_pdq(media, own_media),
        ]
    )


def _explode(posts: pl.DataFrame, column: str) -> pl.DataFrame:
    kept = posts.filter(pl.col(column).list.len() > 0).select("account_id", "post_id", value=pl.col(column))
    return kept.explode("value")


def _touch_pdq(media: pl.DataFrame, own: pl.DataFrame) -> pl.DataFrame:
    """PDQ hashes at most 31 of 256 bits apart, as its authors set it."""
    is_pdq = pl.col("value").str.contains(r"^[0-9a-f]{64}$")
    wanted, distinct = media.filter(is_pdq), own.filter(is_pdq).select("value").unique()
    if wanted.is_empty() or distinct.is_empty():
        return _none()
    bits = np.array([np.frombuffer(bytes.fromhex(value), dtype=np.uint8) for value in distinct["value"]])
    rows = []
    for line, value in wanted.iter_rows():
        apart = np.bitwise_count(bits ^ np.frombuffer(bytes.fromhex(value), dtype=np.uint8)).sum(axis=1)
        rows += [(line, distinct["value"][int(n)]) for n in np.flatnonzero(apart <= _MAX_PDQ)]
    near = pl.DataFrame(rows, schema={"line": pl.Int64, "value": pl.String}, orient="row")
    return _touches(join_within_bounds(near, own, "value"), "media")


def _touch_hashes(
    wanted: pl.DataFrame, release: Release, links: pl.DataFrame, texts: pl.DataFrame, *, key: bytes
) -> pl.DataFrame:
    """Hash one's own values under the agreed salt and look for them among the partner's."""
    hashed = _by(wanted, "keyed_hash").select("line", digest=pl.col("match_key"))
    accounts = release.accounts.with_columns(
        handle=_map(release.accounts["handle"], clean_handle), full=pl.format("{}:{}", "platform", "account_id")
    )
    tags = _explode(release.posts, "hashtags").with_columns(pl.col("value").str.normalize("NFKC").str.to_lowercase())
    media = _explode(release.posts, "media_hashes").with_columns(pl.col("value").str.to_lowercase())
    sides = (
        ("account", "same_account", accounts.select("account_id", value=pl.col("full"))),
        ("handle", "same_handle", accounts.select("account_id", value=pl.col("handle"))),
        ("url", "url", links.select("account_id", "post_id", value=pl.col("url"))),
        ("domain", "domain", _hosts_above(links).select("account_id", "post_id", value=pl.col("domain"))),
        ("text", "text", texts.select("account_id", "post_id", value=pl.col("text"))),
        ("hashtag", "hashtag", tags),
        ("media", "media", media),
    )
    return pl.concat([_touch_hashed(hashed, own, kind, match_kind, key=key) for kind, match_kind, own in sides])


def _touch_hashed(hashed: pl.DataFrame, own: pl.DataFrame, kind: str, match_kind: str, *, key: bytes) -> pl.DataFrame:
    values = own["value"].unique().drop_nulls().sort()
    digests = hash_values(kind, values, key=key)
    known = pl.DataFrame(
        {"digest": list(digests), "value": list(digests.values())}, schema={"digest": pl.String, "value": pl.String}
    )
    return _touches(join_within_bounds(hashed.join(known, on="digest", how="inner"), own, "value"), match_kind)
