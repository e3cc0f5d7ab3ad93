"""What the users file shows of each account: ids, names, biographies, followers."""

from __future__ import annotations

import base64
import hashlib

import numpy as np
import polars as pl

from workbench.simulate.accounts import Cast
from workbench.simulate.phrases import ACCOUNT_LANGUAGES, TOPICS, load_texts

SNOWFLAKE_EPOCH_MS = 1_288_834_974_657
HASHED_BELOW = 5_000
_SNOWFLAKE_ACCOUNTS_FROM_MS = 1_454_284_800_000
"""Accounts made from February 2016 on carry time-stamped ids; older ones were numbered up to about 4.8e9."""
_FIRST_ACCOUNT_MS = 1_167_609_600_000
_LETTERS = np.array(list("abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ0123456789"))


def describe_accounts(cast: Cast, *, seed: int) -> pl.DataFrame:
    """Return one row per account, in code order: the ten columns of the users file, and `handle` as posts show it.

    Accounts with 1 to 4,999 followers have their id and names replaced by a hash; those with none do not, as in the
    real release of 2019.
    """
    rng = np.random.default_rng([seed, 2])
    plain_id = _ids(rng, cast.created_ms)
    handle, display_name = _names(rng, cast)
    followers, following = _followers(rng, cast)
    is_hashed = (followers > 0) & (followers < HASHED_BELOW)
    hashes = pl.Series([_hash(seed, one) for one in plain_id.to_list()], dtype=pl.String)
    shown = {"id": plain_id.cast(pl.String), "name": display_name, "handle": handle, "hash": hashes}
    table = pl.DataFrame({**shown, "is_hashed": is_hashed})
    return table.select(
        userid=_hashed_or("id"),
        user_display_name=_hashed_or("name"),
        user_screen_name=_hashed_or("handle"),
        user_reported_location=_locations(rng, is_hashed),
        user_profile_description=_bios(rng, cast, is_hashed),
        user_profile_url=pl.lit(""),
        follower_count=pl.Series(followers),
        following_count=pl.Series(following),
        account_creation_date=pl.Series(cast.created_ms).cast(pl.Datetime("ms")).dt.strftime("%Y-%m-%d"),
        account_language=_languages(rng, cast),
        handle=pl.col("handle"),
    )


def _hashed_or(column: str) -> pl.Expr:
    return pl.when("is_hashed").then("hash").otherwise(column)


def _hash(seed: int, account_id: int) -> str:
    digest = hashlib.sha256(f"synthetic {seed} {account_id}".encode()).digest()
    return base64.b64encode(digest).decode().replace("/", "+")


def _ids(rng: np.random.Generator, created_ms: np.ndarray) -> pl.Series:
    """Ids in the order of creation: a short running number at first, time-stamped later."""
    n = len(created_ms)
    snowflake = ((created_ms - SNOWFLAKE_EPOCH_MS) << 22) | rng.permutation(2**22)[np.arange(n) % 2**22]
    age = (created_ms - _FIRST_ACCOUNT_MS) / (_SNOWFLAKE_ACCOUNTS_FROM_MS - _FIRST_ACCOUNT_MS)
    order = np.argsort(np.argsort(created_ms, kind="stable"), kind="stable")
    running = (np.clip(age, 0, 1) ** 2 * 4.8e9).astype(np.int64) + order + 10_000
    return pl.Series(np.where(created_ms >= _SNOWFLAKE_ACCOUNTS_FROM_MS, snowflake, running))


def _names(rng: np.random.Generator, cast: Cast) -> tuple[pl.Series, pl.Series]:
    """Handle and display name; bought and bulk-made accounts often carry a tail of digits or a random string."""
    n, syllables = len(cast), pl.Series(load_texts()["accounts"]["syllables"])
    pick = [syllables.gather(rng.integers(0, len(syllables), n)) for _ in range(5)]
    serial = pl.Series(np.arange(n)).cast(pl.String)
    random = pl.Series(["".join(row) for row in _LETTERS[rng.integers(0, len(_LETTERS), (n, 9))]], dtype=pl.String)
    digits = pl.Series(rng.integers(10_000, 99_999_999, n)).cast(pl.String)
    is_operation = cast.group == "operation"
    draw = rng.random(n)
    style = np.where(is_operation, np.where(draw < 0.4, 1, np.where(draw < 0.65, 2, 0)), np.where(draw < 0.12, 1, 0))
    table = pl.DataFrame({"a": pick[0], "b": pick[1], "c": pick[2], "serial": serial, "random": random})
    table = table.with_columns(digits=digits, style=pl.Series(style), d=pick[3], e=pick[4])
    # The running number keeps handles apart where syllables meet.
    word = pl.concat_str("a", "b", "c")
    handle = (
        pl.when(pl.col("style") == 1)
        .then(pl.concat_str("a", "b", "digits"))
        .when(pl.col("style") == 2)
        .then("random")
        .otherwise(pl.concat_str(word, pl.lit("_"), "d"))
    )
    names = table.select(
        handle=pl.concat_str(handle, pl.lit("x"), "serial"),
        name=pl.concat_str(
            pl.concat_str("a", "b").str.to_titlecase(), pl.lit(" "), pl.concat_str("d", "e").str.to_titlecase()
        ),
    )
    return _public_names(cast, names["handle"], names["name"])


def _public_names(cast: Cast, handle: pl.Series, name: pl.Series) -> tuple[pl.Series, pl.Series]:
    """The outlets and the bands go by their real names."""
    sisters, position = cast.codes(group="newsroom"), {}
    titles, handles, names = load_texts()["accounts"]["sisters"], handle.to_list(), name.to_list()
    for code in sisters.tolist():
        team = int(cast.team[code])
        place = position[team] = position.get(team, -1) + 1
        names[code] = titles[place] + (f" {team + 1}" if team else "")
        handles[code] = f"courier_{place + 1}_of_{len(titles)}" + (f"_{team + 1}" if team else "")
    for code in cast.codes(role="idol").tolist():
        team = int(cast.team[code])
        names[code], handles[code] = f"The Foghorns {team + 1}", f"the_foghorns_{team + 1}"
    return pl.Series(handles, dtype=pl.String), pl.Series(names, dtype=pl.String)


def _followers(rng: np.random.Generator, cast: Cast) -> tuple[np.ndarray, np.ndarray]:
    """Followers and following.

    Source: the operation's as published of 2019: median 10, 29 % with none, over a third with 5,000 or more.
    """
    n = len(cast)
    organic = np.floor(np.exp(rng.normal(5.0, 1.6, n))).astype(np.int64)
    organic[rng.random(n) < 0.03] = 0
    few, some = 1 + rng.geometric(0.25, n), np.floor(np.exp(rng.uniform(np.log(11), np.log(5_000), n)))
    many = np.floor(5_000 + np.exp(rng.normal(9.3, 0.9, n)))
    draw = np.where(cast.is_repurposed, 0.30 + 0.70 * rng.random(n), 0.74 * rng.random(n))
    bought = np.select([draw < 0.39, draw < 0.54, draw < 0.65], [0, few, some], many)
    is_public = (cast.group == "newsroom") | (cast.role == "idol")
    followers = np.select([cast.group == "operation", is_public], [bought, 8_000 + many], organic).astype(np.int64)
    following = np.floor(np.exp(rng.normal(np.where(cast.group == "operation", 3.8, 5.2), 1.2))).astype(np.int64)
    return followers, following


def _locations(rng: np.random.Generator, is_hashed: np.ndarray) -> pl.Series:
    places = pl.Series(load_texts()["accounts"]["locations"]).gather(rng.integers(0, 8, len(is_hashed)))
    is_shown = rng.random(len(is_hashed)) < np.where(is_hashed, 0.13, 0.42)
    return pl.DataFrame({"p": places, "s": is_shown}).select(pl.when("s").then("p").otherwise(pl.lit("")))["p"]


def _bios(rng: np.random.Generator, cast: Cast, is_hashed: np.ndarray) -> pl.Series:
    """Biographies, each saying that the account is synthetic; operation accounts share a few by copying."""
    texts, n = load_texts()["accounts"], len(cast)
    is_shown = rng.random(n) < np.where(is_hashed, 0.13, 0.45)
    kinds = {"fans": texts["fan_bios"], "operation": texts["copied_bios"]}
    pick, bios = rng.random(n).tolist(), []
    for group, role, topic, u, shown in zip(cast.group, cast.role, cast.topic, pick, is_shown, strict=True):
        choices = kinds.get(group, texts["own_bios"])
        if role == "sister":
            bios.append(texts["sister_bio"])
        elif role == "idol":
            bios.append(texts["idol_bio"])
        else:
            bios.append(choices[int(u * len(choices))].replace("{topic}", TOPICS[topic]) if shown else "")
    return pl.Series(bios, dtype=pl.String)


def _languages(rng: np.random.Generator, cast: Cast) -> pl.Series:
    """Interface languages; the operation's as published of 2019: two thirds zh-cn, a quarter en, the rest scattered."""
    n = len(cast)
    own = np.array(ACCOUNT_LANGUAGES)[cast.language]
    scattered = rng.choice(["zh-cn", "en", "ru", "es", "zh-tw", "ja"], n, p=[0.67, 0.245, 0.04, 0.02, 0.015, 0.01])
    return pl.Series(np.where(cast.group == "operation", scattered, own))
