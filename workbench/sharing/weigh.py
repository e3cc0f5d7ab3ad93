"""How much an account's hits weigh: how many are independent, and how easily chance gives as many."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TypeVar

import numpy as np
import polars as pl
from scipy.stats import poisson

from workbench.sharing.contacts import CONTACT_TYPES
from workbench.sharing.touches import IDENTITY_KINDS

_FAMILY_OF_MATCH = {
    "url": "link",
    "domain": "link",
    "profile_link": "link",
    "text": "text",
    "near_text": "text",
    "hashtag": "hashtag",
    "media": "media",
    **dict.fromkeys(CONTACT_TYPES, "contact"),
    **dict.fromkeys(IDENTITY_KINDS, "identity"),
}
K = TypeVar("K")
_MERGED = ("text", "media")
_SPECIFIC = {"url": 0, "profile_link": 1, "domain": 2}


def name_things(touches: pl.DataFrame, indicators: pl.DataFrame) -> pl.DataFrame:
    """Return touches with family and thing, so that two indicators that say the same count as one thing.

    A link and its domain are one thing: of what a post touches with its links only the most specific stays. A text's
    hash, its signature and its near copies are one thing: indicators one post touches as a text are merged. An
    account's name is one thing, however many indicators name it.
    """
    keys = indicators.select("line", key=pl.coalesce("match_key", "indicator_value")).unique("line")
    named = touches.join(keys, on="line", how="left").with_columns(
        family=pl.col("match_kind").replace_strict(_FAMILY_OF_MATCH)
    )
    rank = pl.col("match_kind").replace_strict(_SPECIFIC, default=0)
    is_best = rank == rank.min().over("post_id", "family")
    named = named.filter((pl.col("family") != "link") | is_best)
    merged = _merge(named.filter(pl.col("family").is_in(_MERGED)))
    return (
        named.join(merged, on=["family", "line"], how="left")
        .with_columns(
            thing=pl.when(pl.col("family") == "identity")
            .then(pl.lit("name"))
            .otherwise(pl.coalesce("component", "key"))
        )
        .drop("key", "component")
    )


def weigh_accounts(
    touches: pl.DataFrame, *, n_posts: pl.DataFrame, n_accounts: int, rates: pl.DataFrame
) -> pl.DataFrame:
    """Return one row per account hit, with what its hits weigh.

    Args:
        touches: from `name_things`.
        n_posts: account_id, n_posts: original posts in one's own data.
        n_accounts: accounts looked at, those without any hit included.
        rates: family, thing, rate: share of posts that touch a thing, from `touch_rates`.

    Returns:
        account_id, n_indicators, n_independent, n_kinds, kinds, n_posts_hit, n_posts, expected_n, chance_frac, fdr,
        is_same.
    """
    summed = touches.group_by("account_id").agg(
        n_indicators=pl.col("line").n_unique().cast(pl.Int64),
        n_posts_hit=pl.col("post_id").drop_nulls().n_unique().cast(pl.Int64),
        is_same=(pl.col("match_kind") == "same_account").any(),
    )
    weighed = (
        summed.join(_count_independent(touches), on="account_id", how="left")
        .join(n_posts, on="account_id", how="left")
        .with_columns(pl.col("n_posts").fill_null(0))
        .sort("account_id")
    )
    rate = rates["rate"].to_numpy()
    by_activity = {n: float((1 - (1 - rate) ** n).sum()) for n in weighed["n_posts"].unique()}
    expected = np.array([by_activity[n] for n in weighed["n_posts"]]) + _loose_name_rate(touches, n_accounts)
    chance = poisson.sf(weighed["n_independent"].to_numpy() - 1, expected)
    return weighed.with_columns(
        expected_n=pl.Series(expected, dtype=pl.Float64),
        chance_frac=pl.Series(chance, dtype=pl.Float64),
        fdr=pl.Series(_false_discovery(chance, n_tests=n_accounts), dtype=pl.Float64),
    )


def touch_rates(touches: pl.DataFrame, compared: pl.DataFrame, *, n_posts: int) -> pl.DataFrame:
    """Return per thing the share of posts that touch it, with half a post added: nothing is quite impossible.

    Args:
        touches: from `name_things`: the things asked about.
        compared: touches of the data the rates are taken from; may be the same.
        n_posts: original posts in that data.
    """
    things = touches.filter(pl.col("family") != "identity").select("family", "line", "thing").unique()
    counted = compared.select("family", "line", "post_id").join(things, on=["family", "line"], how="inner")
    counts = counted.group_by("family", "thing").agg(n=pl.col("post_id").n_unique())
    known = things.select("family", "thing").unique().join(counts, on=["family", "thing"], how="left")
    rates = known.select("family", "thing", rate=(pl.col("n").fill_null(0) + 0.5) / (n_posts + 1))
    return rates.sort("family", "thing")  # they are added up: another order is another last digit


def _merge(touches: pl.DataFrame) -> pl.DataFrame:
    """Connect lines that one post touches in one family: family, line, component."""
    parent: dict[tuple[str, int], tuple[str, int]] = {}

    def root(node: tuple[str, int]) -> tuple[str, int]:
        while parent.setdefault(node, node) != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    together = touches.group_by("family", "post_id").agg(pl.col("line").unique().sort()).unique(["family", "line"])
    for family, lines in together.select("family", "line").sort("family", "line").iter_rows():
        for line in lines:
            parent[root((family, line))] = root((family, lines[0]))
    rows = [(family, line, f"{root((family, line))[1]}") for family, line in sorted(parent)]
    schema = {"family": pl.String, "line": pl.Int64, "component": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _loose_name_rate(touches: pl.DataFrame, n_accounts: int) -> float:
    """Share of all accounts whose name resembles a listed one: what chance must at least give."""
    loose = touches.filter(pl.col("match_kind").is_in(IDENTITY_KINDS[1:]))
    return loose["account_id"].n_unique() / max(n_accounts, 1)


def _count_independent(touches: pl.DataFrame) -> pl.DataFrame:
    """Hits of an account that can each be pinned to a post of its own, at most; its name counts once.

    Kinds are counted among the hits so pinned: one post that holds a listed text with a listed link is of one kind.
    """
    rows = []
    columns = ("account_id", "family", "thing", "post_id")
    hits = touches.select(columns).unique().sort(columns)
    for account_id, its_hits in groupby(hits.iter_rows(), key=itemgetter(0)):
        choices: dict[tuple[str, str], list[str]] = {}
        for _, family, thing, post_id in its_hits:
            choices.setdefault((family, thing), []).append(post_id)
        has_name = choices.pop(("identity", "name"), None) is not None
        pinned = _pin(choices)
        kinds = sorted({family for family, _ in pinned} | ({"identity"} if has_name else set()))
        rows.append((account_id, len(pinned) + has_name, len(kinds), ", ".join(kinds)))
    schema = {"account_id": pl.String, "n_independent": pl.Int64, "n_kinds": pl.Int64, "kinds": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _pin(choices: dict[tuple[str, str], list[str]]) -> list[tuple[str, str]]:
    """Return as many things as can each have a post of their own (Kuhn's matching), of as many kinds as can be."""
    posts_of_kind: dict[str, list[str]] = {}
    for (family, _), posts in choices.items():
        posts_of_kind.setdefault(family, []).extend(posts)
    first: dict[str, str] = {}
    taken_by_kind: dict[str, str] = {}
    for family in sorted(posts_of_kind):
        _augment(family, posts_of_kind, first, taken_by_kind)
    post_of: dict[tuple[str, str], str] = {}
    taken_by: dict[str, tuple[str, str]] = {}
    for family, post in first.items():
        thing = next(thing for thing, posts in choices.items() if thing[0] == family and post in posts)
        post_of[thing], taken_by[post] = post, thing
    for thing in choices:
        if thing not in post_of:
            _augment(thing, choices, post_of, taken_by)
    return sorted(post_of)


def _augment(start: K, choices: dict[K, list[str]], post_of: dict[K, str], taken_by: dict[str, K]) -> None:
    """Give `start` a post, moving others along where that makes room; without recursion."""
    came_from: dict[str, K] = {}
    queue = [start]
    while queue:
        thing = queue.pop()
        for post in choices[thing]:
            if post in came_from:
                continue
            came_from[post] = thing
            if post in taken_by:
                queue.append(taken_by[post])
                continue
            free: str | None = post
            while free is not None:
                owner = came_from[free]
                before = post_of.get(owner)
                post_of[owner], taken_by[free] = free, owner
                free = before if owner != start else None
            return


def _false_discovery(chance: np.ndarray, *, n_tests: int) -> np.ndarray:
    """Benjamini and Hochberg over all accounts looked at; those without any hit count as tested, too."""
    order = np.argsort(chance, kind="stable")
    ranked = chance[order] * n_tests / np.arange(1, len(chance) + 1)
    monotone = np.minimum.accumulate(ranked[::-1])[::-1] if len(chance) else ranked
    result = np.empty_like(chance)
    result[order] = np.minimum(monotone, 1.0)
    return result
