"""What a narrative is about, in its own words: the terms that set it apart, and how far its posts really use them."""

from __future__ import annotations

import polars as pl
import rjieba

from workbench.narratives.vocabulary import split_runs

_N_TERMS = 8
_N_LABEL_TERMS = 5
_MIN_LIFT = 2
_MAX_TEXTS = 1_000


def describe_terms(texts: pl.DataFrame) -> pl.DataFrame:
    """Return each narrative's telling terms and the share of its posts that contain one of the first five.

    Terms are words, hashtags and, in Chinese, segmented words, scored by class-based TF-IDF over distinct texts: how
    often in this narrative, against how often anywhere. Terms at least twice as common here as in the other narratives
    of the same language come first, weighed by the logarithm of how many times, so that words like "the" need no list
    to be kept out. A copied text counts once for the terms, with all its copies for the share. At most 1,000 distinct
    texts of a narrative are read. Terms of Chinese narratives are in simplified characters.

    Args:
        texts: one row per distinct text: narrative_id, block (language or script), form (normalised text), n_posts.

    Returns:
        narrative_id, terms (list, best first, at most 8), faithful_frac (0 to 1).

    Source: Grootendorst 2022, BERTopic, section 3.3. Differs: a term's count is the number of distinct texts
        with it, and the logarithm of the lift is a further factor.

    Beware: a term sets a narrative apart from the others in this data, not from what people say elsewhere.
    """
    texts = _limit_texts(texts)
    rows = texts.select("narrative_id", "block", "n_posts", term=_list_terms(texts["form"])).with_row_index("text")
    long = rows.explode("term", empty_as_null=True, keep_nulls=True).drop_nulls("term").unique(["text", "term"])
    best = (
        _score_terms(texts, long)
        .sort(["narrative_id", "is_telling", "score", "term"], descending=[False, True, True, False])
        .group_by("narrative_id", maintain_order=True)
        .agg(terms=pl.col("term").head(_N_TERMS))
    )
    return (
        texts.select("narrative_id")
        .unique()
        .join(best, on="narrative_id", how="left")
        .join(_measure_faithfulness(rows, long, best), on="narrative_id", how="left")
        .with_columns(pl.col("terms").fill_null([]), pl.col("faithful_frac").fill_null(0.0))
        .sort("narrative_id")
    )


def _limit_texts(texts: pl.DataFrame) -> pl.DataFrame:
    """Return at most 1,000 texts per narrative: half the most copied, half by their last letters, which say little."""
    chance = pl.col("form").str.reverse().rank("ordinal").over("narrative_id")
    copies = pl.struct(-pl.col("n_posts").cast(pl.Int64), "form").rank("ordinal").over("narrative_id")
    is_few = pl.len().over("narrative_id") <= _MAX_TEXTS
    return texts.filter(is_few | (copies <= _MAX_TEXTS // 2) | (chance <= _MAX_TEXTS // 2))


def _score_terms(texts: pl.DataFrame, long: pl.DataFrame) -> pl.DataFrame:
    """Return class-based TF-IDF per narrative and term, and whether the term is telling in its block."""
    counts = long.group_by("narrative_id", "block", "term").agg(n=pl.len())
    n_texts = texts.group_by("narrative_id", "block").agg(n_texts=pl.len())
    mean_size = counts["n"].sum() / max(1, counts["narrative_id"].n_unique())
    n_elsewhere = pl.col("n").sum().over("block", "term") - pl.col("n")
    share_elsewhere = (n_elsewhere + 0.5) / (pl.col("n_in_block") - pl.col("n_texts") + 1)
    scored = (
        counts.join(
            n_texts.with_columns(n_in_block=pl.col("n_texts").sum().over("block")), on=["narrative_id", "block"]
        )
        .with_columns(lift=pl.col("n") / pl.col("n_texts") / share_elsewhere)
        # A term of one text alone says nothing about a narrative of several.
        .filter((pl.col("n") >= 2) | (pl.col("n_texts") == 1))
        .group_by("narrative_id", "term")
        .agg(pl.col("n").sum(), pl.col("lift").max())
    )
    share = pl.col("n") / pl.col("n").sum().over("narrative_id")
    class_tf_idf = share * (1 + mean_size / pl.col("n").sum().over("term")).log()
    is_telling = pl.col("lift") >= _MIN_LIFT
    emphasis = pl.when(is_telling).then(pl.col("lift").log()).otherwise(1.0)
    return scored.with_columns(is_telling=is_telling, score=class_tf_idf * emphasis)


def _measure_faithfulness(rows: pl.DataFrame, long: pl.DataFrame, best: pl.DataFrame) -> pl.DataFrame:
    label = best.select("narrative_id", term=pl.col("terms").list.head(_N_LABEL_TERMS)).explode(
        "term", empty_as_null=True, keep_nulls=True
    )
    holding = long.join(label, on=["narrative_id", "term"]).select("text").unique()
    is_held = pl.col("text").is_in(holding["text"].implode())
    return rows.group_by("narrative_id").agg(
        faithful_frac=(pl.col("n_posts").filter(is_held).sum() / pl.col("n_posts").sum())
    )


def _list_terms(forms: pl.Series) -> pl.Series:
    return pl.Series([_read_terms(form) for form in forms], dtype=pl.List(pl.String))


def _read_terms(form: str) -> list[str]:
    terms: list[str] = []
    for kind, run in split_runs(form):
        if kind == "unspaced":
            terms += [word for word in rjieba.cut(run) if len(word) > 1]
        elif kind == "tag" or (len(run) > 1 and any(char.isalpha() for char in run)):
            terms.append(run)
    return terms
