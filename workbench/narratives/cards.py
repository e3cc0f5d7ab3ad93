"""One card per narrative: who pushed it, when, in which languages, how much was copied, and what it pointed to."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import polars as pl

from workbench.addresses import defang
from workbench.narratives.terms import describe_terms
from workbench.text import canonical_url

_N_EXEMPLARS = 3
_N_TOP = 5
_EXCERPT_CHARS = 40
_N_FINGERPRINTS = 20
_FINGERPRINT_CHARS = 12
_KEY = ["platform", "post_id"]

CARD_COLUMNS: dict[str, pl.DataType | type[pl.DataType]] = {
    "narrative_id": pl.Int64,
    "label": pl.String,
    "n_posts": pl.Int64,
    "n_accounts": pl.Int64,
    "n_clusters": pl.Int64,
    "cluster_ids": pl.List(pl.Int64),
    "first_at": pl.Datetime("us", "UTC"),
    "first_account_id": pl.String,
    "last_at": pl.Datetime("us", "UTC"),
    "peak_on": pl.Date,
    "peak_n_posts": pl.Int64,
    "languages": pl.List(pl.String),
    "language_fracs": pl.List(pl.Float64),
    "repost_frac": pl.Float64,
    "n_originals": pl.Int64,
    "copy_paste_frac": pl.Float64,
    "n_families": pl.Int64,
    "terms": pl.List(pl.String),
    "faithful_frac": pl.Float64,
    "hashtags": pl.List(pl.String),
    "domains": pl.List(pl.String),
    "urls": pl.List(pl.String),
    "targets": pl.List(pl.String),
    "exemplar_post_ids": pl.List(pl.String),
    "exemplars": pl.List(pl.String),
    "exemplar_languages": pl.List(pl.String),
    "translation": pl.String,
    "fingerprints": pl.List(pl.String),
}
"""Columns of the cards. Fractions have these denominators: language_fracs, repost_frac and faithful_frac n_posts;
copy_paste_frac n_originals (posts that are no reposts). Times and first account are null where no post has a time.
`translation` is empty, for a human. `fingerprints` are short hashes of its most copied texts, by which a human's label
finds the narrative again in the next run."""


def describe_cards(
    posts: pl.DataFrame,
    members: pl.DataFrame,
    families: pl.DataFrame,
    *,
    clusters: pl.DataFrame | None = None,
    name_topic: Callable[[list[str], list[str]], str] | None = None,
) -> pl.DataFrame:
    """Return one row per narrative with its counts, times, languages, sources and exemplars.

    Args:
        posts: the posts table.
        members: narrative_id, post_id, platform, account_id, family_id, block, form, language, similarity.
        families: post_id, platform, family_id, is_exemplar.
        clusters: account_id, cluster_id. Without it n_clusters is null and cluster_ids empty.
        name_topic: (terms, exemplar texts) -> label; None: the first three terms,
            or the beginning of an exemplar where no word is shared.

    Returns:
        Columns of `CARD_COLUMNS`. Addresses are defanged. Lists are sorted by count, ties by name, at most five.
        `targets` are accounts mentioned or answered by these posts, by the name or pseudonym the tables carry. Names
        of people in plain words are no targets: nobody can tell from a word alone whether a person may be named.

    Beware: `copy_paste_frac` counts originals whose near-duplicate was also posted by another account. Headlines,
        proverbs and share buttons do that too. Who was first in this data need not be who was first.
    """
    if not members.height:
        return pl.DataFrame(schema=CARD_COLUMNS)
    full = members.select("narrative_id", *_KEY, "family_id", "block", "form", "language", "similarity").join(
        posts.unique(_KEY, keep="first", maintain_order=True).drop("language", "similarity", strict=False),
        on=_KEY,
        maintain_order="left",
    )
    parts = [
        _count_posts(full),
        _find_peak(full),
        _rank_languages(full),
        _measure_copying(full),
        _list_clusters(full, clusters),
        _describe_terms(full),
        _rank_values(full, pl.col("hashtags"), pl.col("value").str.to_lowercase(), name="hashtags"),
        _rank_values(full, pl.col("urls"), canonical_url(pl.col("value")), name="urls"),
        _rank_values(full, pl.col("urls"), _domain(pl.col("value")), name="domains"),
        _rank_values(full, _targets(full), pl.col("value"), name="targets"),
        _pick_exemplars(full, families),
        _take_fingerprints(full),
    ]
    cards = parts[0]
    for part in parts[1:]:
        cards = cards.join(part, on="narrative_id", how="left")
    lists = ["hashtags", "urls", "domains", "targets", "cluster_ids"]
    cards = cards.with_columns(pl.col(lists).fill_null([]))
    cards = cards.with_columns(
        *(_defanged(cards[name], name) for name in ("terms", "urls", "domains")),
        label=_name_cards(cards, name_topic),
        translation=pl.lit(None, pl.String),
    )
    return cards.select(pl.col(name).cast(dtype) for name, dtype in CARD_COLUMNS.items()).sort("narrative_id")


def _describe_terms(full: pl.DataFrame) -> pl.DataFrame:
    texts = full.group_by("narrative_id", "block", "family_id").agg(pl.col("form").first(), n_posts=pl.len())
    return describe_terms(texts)


def _count_posts(full: pl.DataFrame) -> pl.DataFrame:
    in_order = full.sort(["posted_at", *_KEY], nulls_last=True)
    return in_order.group_by("narrative_id", maintain_order=True).agg(
        n_posts=pl.len(),
        n_accounts=pl.col("account_id").n_unique(),
        first_at=pl.col("posted_at").min(),
        first_account_id=pl.col("account_id").filter(pl.col("posted_at").is_not_null()).first(),
        last_at=pl.col("posted_at").max(),
        repost_frac=pl.col("repost_of_id").is_not_null().mean(),
        n_originals=pl.col("repost_of_id").is_null().sum(),
        n_families=pl.col("family_id").n_unique(),
    )


def _find_peak(full: pl.DataFrame) -> pl.DataFrame:
    return (
        full.drop_nulls("posted_at")
        .group_by("narrative_id", peak_on=pl.col("posted_at").dt.date())
        .agg(peak_n_posts=pl.len())
        .sort(["narrative_id", "peak_n_posts", "peak_on"], descending=[False, True, False])
        .unique("narrative_id", keep="first", maintain_order=True)
    )


def _rank_languages(full: pl.DataFrame) -> pl.DataFrame:
    return (
        full.group_by("narrative_id", "language")
        .agg(n=pl.len())
        .sort(["narrative_id", "n", "language"], descending=[False, True, False])
        .group_by("narrative_id", maintain_order=True)
        .agg(languages=pl.col("language"), language_fracs=pl.col("n") / pl.col("n").sum())
    )


def _measure_copying(full: pl.DataFrame) -> pl.DataFrame:
    originals = full.filter(pl.col("repost_of_id").is_null())
    n_authors = pl.col("account_id").n_unique().over("family_id")
    return (
        originals.with_columns(is_shared=n_authors > 1)
        .group_by("narrative_id")
        .agg(copy_paste_frac=pl.col("is_shared").mean())
    )


def _list_clusters(full: pl.DataFrame, clusters: pl.DataFrame | None) -> pl.DataFrame:
    narratives = full.select("narrative_id").unique()
    if clusters is None:
        return narratives.with_columns(cluster_ids=pl.lit(None, pl.List(pl.Int64)), n_clusters=pl.lit(None, pl.Int64))
    found = (
        full.select("narrative_id", "account_id")
        .join(clusters.select("account_id", "cluster_id").unique(), on="account_id")
        .group_by("narrative_id")
        .agg(cluster_ids=pl.col("cluster_id").unique().sort())
    )
    return narratives.join(found, on="narrative_id", how="left").with_columns(
        n_clusters=pl.col("cluster_ids").list.len().fill_null(0).cast(pl.Int64)
    )


def _rank_values(full: pl.DataFrame, values: pl.Expr, value: pl.Expr, *, name: str) -> pl.DataFrame:
    """Return the values found in most posts of each narrative; one post counts once per value."""
    return (
        full.select("narrative_id", *_KEY, value=values)
        .explode("value", empty_as_null=True, keep_nulls=True)
        .drop_nulls("value")
        .select("narrative_id", *_KEY, value.alias(name))
        .filter(pl.col(name).is_not_null() & (pl.col(name) != ""))
        .unique()
        .group_by("narrative_id", name)
        .agg(n=pl.len())
        .sort(["narrative_id", "n", name], descending=[False, True, False])
        .group_by("narrative_id", maintain_order=True)
        .agg(pl.col(name).head(_N_TOP))
    )


def _targets(full: pl.DataFrame) -> pl.Expr:
    """Return whom a post speaks to: mentions and the account it answers."""
    answered = pl.col("reply_to_account_id") if "reply_to_account_id" in full.columns else pl.lit(None, pl.String)
    return pl.concat_list(pl.col("mentions").fill_null([]), pl.concat_list(answered))


def _pick_exemplars(full: pl.DataFrame, families: pl.DataFrame) -> pl.DataFrame:
    """Return the most typical texts of each narrative: most posts in their family, then nearest to the middle."""
    exemplars = full.join(families.filter("is_exemplar").select(_KEY), on=_KEY, how="semi")
    sizes = full.group_by("narrative_id", "family_id").agg(n=pl.len())
    return (
        exemplars.join(sizes, on=["narrative_id", "family_id"])
        .sort(["narrative_id", "n", "similarity", "form"], descending=[False, True, True, False])
        .group_by("narrative_id", maintain_order=True)
        .agg(
            exemplar_post_ids=pl.col("post_id").head(_N_EXEMPLARS),
            exemplars=pl.col("text").head(_N_EXEMPLARS),
            exemplar_languages=pl.col("language").head(_N_EXEMPLARS),
        )
    )


def _take_fingerprints(full: pl.DataFrame) -> pl.DataFrame:
    return (
        full.group_by("narrative_id", "family_id")
        .agg(n=pl.len(), form=pl.col("form").first())
        .sort(["narrative_id", "n", "form"], descending=[False, True, False])
        .group_by("narrative_id", maintain_order=True)
        .agg(pl.col("form").head(_N_FINGERPRINTS))
        .explode("form", empty_as_null=True, keep_nulls=True)
        .with_columns(fingerprints=pl.col("form").map_elements(_hash, return_dtype=pl.String))
        .group_by("narrative_id", maintain_order=True)
        .agg("fingerprints")
    )


def _hash(form: str) -> str:
    return hashlib.sha256(form.encode()).hexdigest()[:_FINGERPRINT_CHARS]


def _name_cards(cards: pl.DataFrame, name_topic: Callable[[list[str], list[str]], str] | None) -> pl.Series:
    names = []
    for terms, exemplars in cards.select("terms", "exemplars").iter_rows():
        plain = " · ".join(terms[:3]) or " ".join(exemplars[0].split())[:_EXCERPT_CHARS]
        names.append(name_topic(terms, exemplars) if name_topic else defang(plain))
    return pl.Series("label", names, dtype=pl.String)


def _domain(url: pl.Expr) -> pl.Expr:
    return canonical_url(url).str.extract(r"^https://([^/?#]+)")


def _defanged(column: pl.Series, name: str) -> pl.Series:
    return pl.Series(name, [[defang(value) for value in values] for values in column], dtype=pl.List(pl.String))
