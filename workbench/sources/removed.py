"""Accounts left out of a dataset at somebody's request: the files stay as they are, the release no longer holds them.

`removed.toml` in the dataset's folder says that accounts were removed, not which: it holds salted hashes of their ids.

Beware: whoever has the list and guesses an id can test the guess. The files of the dataset still hold the account;
delete its rows there too if the request goes that far.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import tomllib
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from workbench.schema import Release, SourceError, decision
from workbench.spoken_names import find_standing, find_telling_handles, find_telling_names

REMOVED_FILE = "removed.toml"
INSTEAD = "[removed]"
_HEAD = (
    "# Accounts left out of this dataset at somebody's request. Salted hashes of their ids, and the day of each.\n"
    "# Deleting this file brings them back: keep it with the data.\n"
)


def note_removal(dataset: Path, account_id: str) -> Path:
    """Write beside a dataset that an account is to be left out from now on, and return the file."""
    file = _removal_file(dataset)
    salt, removed = _read(file) if file.exists() else (secrets.token_hex(16), {})
    removed.setdefault(_digest(account_id, salt), datetime.now(UTC).date().isoformat())
    lines = [f'"{digest}" = "{day}"' for digest, day in sorted(removed.items())]
    half = file.with_name(f".{file.name}.half")
    half.write_text("\n".join([f'{_HEAD}salt = "{salt}"', "", "[removed]", *lines, ""]), encoding="utf-8")
    half.replace(file)
    return file


def leave_out_removed(release: Release, dataset: Path) -> Release:
    """Return the release without the accounts that a dataset's `removed.toml` names, their posts and their words.

    Reposts of their posts go with them, because they repeat their words. Other posts stay: mentions of the accounts
    become `[removed]`, so do handles and display names that tell them apart without a sign, and what they answered or
    quoted is no longer said. A decision says how many were left out.

    Raises:
        SourceError: the file is not what `note_removal` wrote.
    """
    file = _removal_file(dataset)
    if not file.exists():
        return release
    salt, removed = _read(file)
    accounts, posts = release.accounts, release.posts
    columns = [posts[name] for name in ("account_id", "repost_of_account_id", "reply_to_account_id")]
    known = pl.concat([accounts["account_id"], *columns, posts["mentions"].explode()]).drop_nulls().unique()
    gone = [one for one in known if _digest(one, salt) in removed]
    listed = accounts.filter(pl.col("account_id").is_in(gone))
    names = listed["handle"].drop_nulls().to_list()
    own = posts.filter(pl.col("account_id").is_in(gone))["post_id"].implode()
    repeats = pl.col("repost_of_account_id").is_in(gone) | pl.col("repost_of_id").is_in(own)
    kept = posts.filter(~pl.col("account_id").is_in(gone), ~repeats.fill_null(value=False))
    kept = _forget(kept, own=own, gone=gone, names=names)
    kept = _forget_spoken(kept, handles=names, names=listed["display_name"].drop_nulls().to_list(), said=posts)
    others = accounts.filter(~pl.col("account_id").is_in(gone))
    why = "removed at somebody's request; which is not recorded"
    made = [
        decision("load", f"left out {n_before - n_after:,} {what}", why, n_before=n_before, n_after=n_after)
        for what, n_before, n_after in (
            ("accounts", accounts.height, others.height),
            ("posts, reposts of theirs among them", posts.height, kept.height),
        )
    ]
    return replace(release, accounts=others, posts=kept, decisions=pl.concat([release.decisions, *made]))


def _forget(posts: pl.DataFrame, *, own: pl.Series, gone: list[str], names: list[str]) -> pl.DataFrame:
    """Take the accounts out of what others' posts say of them."""
    spoken = sorted({name.lower() for name in (*gone, *names)}, key=len, reverse=True)
    if not spoken:
        return posts
    name = "|".join(re.escape(one) for one in spoken)
    # A handle may be a common word: only behind @, or as the last part of a profile's address, it is a name.
    meant = rf"(?i)([@＠/])(?:{name})\b"
    ids = "|".join(re.escape(one) for one in gone if len(one) >= 6)
    text = pl.col("text").str.replace_all(meant, f"${{1}}{INSTEAD}")
    is_theirs = pl.element().str.contains(meant) | (pl.element().str.contains(ids) if ids else pl.lit(value=False))
    is_named = pl.element().str.to_lowercase().str.strip_chars_start("@＠").is_in(spoken)
    return posts.with_columns(
        text=text.str.replace_all(ids, INSTEAD) if ids else text,
        urls=pl.col("urls").list.eval(pl.element().filter(~is_theirs)),
        mentions=pl.col("mentions").list.eval(pl.element().filter(~is_named)),
        reply_to_account_id=_unless(pl.col("reply_to_account_id").is_in(gone), "reply_to_account_id"),
        reply_to_id=_unless(pl.col("reply_to_id").is_in(own), "reply_to_id"),
        quote_of_id=_unless(pl.col("quote_of_id").is_in(own), "quote_of_id"),
    )


def _forget_spoken(posts: pl.DataFrame, *, handles: list[str], names: list[str], said: pl.DataFrame) -> pl.DataFrame:
    """Take out what stands for the accounts without a sign: listed no longer, nothing later would hide them."""
    telling = sorted(find_telling_handles([handle.lower() for handle in handles], said), key=len, reverse=True)
    spoken = sorted(find_telling_names(names, said), key=len, reverse=True)
    if telling:
        # Chinese and the like is written without spaces around a handle, so only Latin letters and digits glue.
        words = rf"(?i)(?-u:\b)(?:{'|'.join(re.escape(handle) for handle in telling)})(?-u:\b)"
        posts = posts.with_columns(
            text=pl.col("text").str.replace_all(words, INSTEAD),
            hashtags=pl.col("hashtags").list.eval(
                pl.element().filter(~pl.element().str.to_lowercase().is_in(telling).fill_null(value=False))
            ),
        )
    if not spoken:
        return posts
    held = posts["text"].drop_nulls().unique()
    held = held.filter(held.str.contains_any(spoken))
    changed = pl.Series([_strike(text, spoken) for text in held], dtype=pl.String)
    return posts.with_columns(pl.col("text").replace(held, changed))


def _strike(text: str, names: list[str]) -> str:
    for name in names:
        for at in reversed(find_standing(name, text)):
            text = f"{text[:at]}{INSTEAD}{text[at + len(name) :]}"
    return text


def _unless(is_theirs: pl.Expr, column: str) -> pl.Expr:
    return pl.when(~is_theirs.fill_null(value=False)).then(pl.col(column))


def _removal_file(dataset: Path) -> Path:
    place = dataset.parent if dataset.name == "dataset.toml" else dataset
    return place / REMOVED_FILE if place.is_dir() else place.with_name(f"{place.name}.{REMOVED_FILE}")


def _read(file: Path) -> tuple[str, dict[str, str]]:
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
        salt, removed = content["salt"], content["removed"]
        if not (isinstance(salt, str) and salt and _are_texts(removed)):
            raise ValueError("salt or hashes are missing")
    except (OSError, KeyError, ValueError) as error:
        raise SourceError(
            f"{file} is not what `workbench remove` wrote ({error}). Restore it: without it, accounts that were "
            "removed at somebody's request would come back."
        ) from error
    return salt, dict(removed)


def _are_texts(values: object) -> bool:
    parts: Iterable[object] = values.values() if isinstance(values, dict) else [None]
    return all(isinstance(value, str) for value in parts)


def _digest(account_id: str, salt: str) -> str:
    return hmac.new(salt.encode(), account_id.encode(), hashlib.sha256).hexdigest()
