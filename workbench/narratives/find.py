"""Posts -> narratives: near-duplicates first, then topics over one text per family, then cards of who and when."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from workbench.languages import name_languages, simplify_chinese
from workbench.narratives.bridge import join_topics_across_languages, load_multilingual_encoder
from workbench.narratives.cards import describe_cards
from workbench.narratives.place import place_texts
from workbench.narratives.topics import RESOLUTIONS
from workbench.near_duplicates import group_near_duplicates
from workbench.schema import ParameterError, SchemaError, decision, empty_table
from workbench.text import normalise_text

Embed = Callable[[Sequence[str]], np.ndarray]
NameTopic = Callable[[list[str], list[str]], str]

_NEEDED = ("post_id", "account_id", "platform", "posted_at", "text", "repost_of_id", "urls", "hashtags", "mentions")


@dataclass(frozen=True)
class Narratives:
    """What the posts said: which post is in which narrative, a card for each, and what could not be placed."""

    posts: pl.DataFrame
    """narrative_id, post_id, similarity (cosine of the post's text to its narrative's middle), platform, family_id"""
    cards: pl.DataFrame
    """one row per narrative: see `describe_cards`"""
    families: pl.DataFrame
    """post_id, platform, family_id, similarity (share of characters in common with the exemplar), is_exemplar,
    language; one row per post with something to read"""
    decisions: pl.DataFrame
    n_posts: int
    """posts asked about, the denominator of coverage"""
    stability: pl.DataFrame
    """block, resolution, n_topics, agreement (between runs on parts of the data), is_chosen"""

    @property
    def coverage_frac(self) -> float:
        """Share of all posts that are in a narrative."""
        return self.posts.height / self.n_posts if self.n_posts else 0.0


def find_narratives(
    posts: pl.DataFrame,
    *,
    seed: int,
    clusters: pl.DataFrame | None = None,
    min_similarity: float = 0.7,
    max_texts: int = 20_000,
    resolutions: tuple[float, ...] = RESOLUTIONS,
    join_languages: bool = False,
    embed: Embed | None = None,
    name_topic: NameTopic | None = None,
) -> Narratives:
    """Return the narratives in the posts, without being told how many there are.

    Near-duplicates are gathered first and count as one text; narratives are communities among these texts. Every post
    with something to read takes part, however short and in whatever script. Those that read like no other post stay
    outside, and a decision says how many.

    Args:
        posts: the posts table; text, or its absence, decides nothing about who may be in.
        seed: of hash functions, Leiden and stability.
        clusters: account_id, cluster_id; fills `n_clusters` and `cluster_ids` of the cards.
        min_similarity: 0 to 1; how like two texts must be to count as copies (`group_near_duplicates`).
        max_texts: past this many families, narratives are made from the most copied ones and a sample of the others,
            and the rest is placed with the narrative it is nearest to.
        resolutions: grains to choose from by stability.
        join_languages: whether narratives that tell one story in two languages become one. Needs an encoder: `embed`,
            or else the optional extra behind `load_multilingual_encoder`.
        embed: texts -> one row of numbers each, alike where the meaning is, whatever the language.
        name_topic: (terms, exemplar texts) -> a name, for whoever has a language model at hand. None: the terms.

    Raises:
        SchemaError: posts lacks a column.
        ParameterError: max_texts below 2.
        MissingExtraError: join_languages without an encoder.

    Beware: a narrative is what texts have in common, not what anybody intended. Organic accounts on one event share
        words; look at who posted, when, and how much was copied.
    """
    _check_posts(posts, max_texts=max_texts)
    # Of equal copies the first row speaks for its family: let that be the earliest post, however the rows came.
    posts = posts.sort("posted_at", "platform", "post_id", nulls_last=True)
    read, decisions = _read_posts(posts, min_similarity=min_similarity, seed=seed)
    texts = read.filter("is_exemplar").select("family_id", "form", "n_posts", "language")
    placed, stability, note = place_texts(texts, max_texts=max_texts, resolutions=resolutions, seed=seed)
    decisions += note
    if join_languages:
        placed, note = join_topics_across_languages(placed, embed=embed or load_multilingual_encoder())
        decisions += note
    members, note = _number_narratives(read, placed)
    families = read.select("post_id", "platform", "family_id", "likeness", "is_exemplar", "language")
    families = families.rename({"likeness": "similarity"})
    return Narratives(
        posts=members.select("narrative_id", "post_id", "similarity", "platform", "family_id"),
        cards=describe_cards(posts, members, families, clusters=clusters, name_topic=name_topic),
        families=families,
        decisions=pl.concat([*decisions, *note]) if decisions or note else empty_table("decisions"),
        n_posts=posts.height,
        stability=stability,
    )


def _check_posts(posts: pl.DataFrame, *, max_texts: int) -> None:
    for column in _NEEDED:
        if column not in posts.columns:
            found = ", ".join(f"'{name}'" for name in posts.columns)
            raise SchemaError(f"posts lacks column '{column}' (has {found}). Pass the posts table of load_release.")
    if max_texts < 2:
        raise ParameterError(f"max_texts must be at least 2, got {max_texts}. Try 20000.")


def _read_posts(posts: pl.DataFrame, *, min_similarity: float, seed: int) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Return the posts with something to read: their family, likeness, language and the text compared."""
    families = group_near_duplicates(posts["text"], min_similarity=min_similarity, seed=seed)
    given = posts["lang"] if "lang" in posts.columns else None
    read = (
        posts.select("post_id", "account_id", "platform", "text")
        .with_columns(
            families["family_id"],
            likeness=families["similarity"],
            is_exemplar=families["is_exemplar"],
            language=name_languages(posts["text"], given=given),
        )
        .filter(pl.col("family_id").is_not_null())
        .with_columns(n_posts=pl.len().over("family_id"))
    )
    forms = read.filter("is_exemplar").select("family_id", form=normalise_text(pl.col("text")))
    forms = forms.with_columns(form=pl.Series(simplify_chinese(forms["form"].fill_null("")), dtype=pl.String))
    notes = []
    if read.height < posts.height:
        notes.append(
            decision(
                "read",
                "posts without anything to read set aside",
                "their text is missing, blank, or only links and mentions",
                n_before=posts.height,
                n_after=read.height,
            )
        )
    return read.join(forms, on="family_id", how="left", maintain_order="left").drop("text"), notes


def _number_narratives(read: pl.DataFrame, placed: pl.DataFrame) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Return the placed posts, narratives numbered from the one with most posts, and how many stayed outside."""
    found = read.join(placed.select("family_id", "block", "topic", "similarity"), on="family_id", maintain_order="left")
    sizes = (
        found.drop_nulls("topic")
        .group_by("topic")
        .agg(n=pl.len(), first_form=pl.col("form").min())
        .filter(pl.col("n") > 1)
        .sort([-pl.col("n").cast(pl.Int64), pl.col("first_form")])
        .with_row_index("narrative_id", offset=1)
        .select("topic", pl.col("narrative_id").cast(pl.Int64))
    )
    members = found.join(sizes, on="topic", maintain_order="left").with_columns(
        pl.col("similarity").cast(pl.Float64).clip(0, 1).round(4)
    )
    if members.height == read.height:
        return members, []
    return members, [
        decision(
            "read",
            "posts that read like no other left outside every narrative",
            "they share no telling term with any other post",
            n_before=read.height,
            n_after=members.height,
        )
    ]
