"""What a narrative is about, in its own words: the terms that set it apart, and how far its posts really use them."""

from __future__ import annotations

import re

import numpy as np
import polars as pl
import rjieba
import scipy.sparse as sp

from workbench.narratives.vocabulary import split_runs

_N_TERMS = 8
_N_LABEL_TERMS = 5
_MIN_LIFT = 2
_MAX_TEXTS = 1_000
_UNTELLING = 0.01
_SAID_ALREADY = 0.1
_LETTERS_OF_CONTENT = 6
_ALPHABETS = r"^[\p{Latin}\p{Greek}\p{Cyrillic}]"
_HASHTAG = re.compile(r"#\w+")


def describe_terms(texts: pl.DataFrame) -> pl.DataFrame:
    """Return each narrative's telling terms and the share of its posts that contain one of the first five.

    Terms are words, hashtags and, in Chinese, segmented words, chosen one after the other by class-based TF-IDF. The
    frequency of a term is the share of the narrative's texts and posts that hold it, those that hold a term chosen
    before at a tenth: so the label reaches the wordings its first term does not. The weight against terms used
    everywhere is the logarithm of how many times as common a term is here as in the other narratives of the same
    language; below twice as common it counts next to nothing. In alphabets, words under six letters count less in
    proportion, as most words of grammar are short. So "the" and "de" need no list to be kept out.

    A copied text counts half as one text and half with all its copies. At most 1,000 distinct texts of a narrative are
    read. Terms of Chinese narratives are in simplified characters.

    Args:
        texts: one row per distinct text: narrative_id, block (language or script), form (normalised text), n_posts.

    Returns:
        narrative_id, terms (list, best first, at most 8), faithful_frac (0 to 1).

    Source: Grootendorst 2022, BERTopic, section 3.3 (class-based TF-IDF). Differs: in all of the above.

    Beware: a term sets a narrative apart from the others in this data, not from what people say elsewhere. Mentions are
        no terms, but a name written as a plain word can become one.
    """
    texts = _limit_texts(texts)
    rows = texts.select("narrative_id", "block", "n_posts", term=_list_terms(texts["form"])).with_row_index("text")
    long = rows.explode("term", empty_as_null=True, keep_nulls=True).drop_nulls("term").unique(["text", "term"])
    best = _choose_terms(rows, _weigh_terms(texts, long), long)
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


def _weigh_terms(texts: pl.DataFrame, long: pl.DataFrame) -> pl.DataFrame:
    """Return how telling each term of each narrative is, among the narratives of its block."""
    counts = long.group_by("narrative_id", "block", "term").agg(n=pl.len())
    n_texts = texts.group_by("narrative_id", "block").agg(n_texts=pl.len())
    n_elsewhere = pl.col("n").sum().over("block", "term") - pl.col("n")
    share_elsewhere = (n_elsewhere + 0.5) / (pl.col("n_in_block") - pl.col("n_texts") + 1)
    lifted = (
        counts.join(
            n_texts.with_columns(n_in_block=pl.col("n_texts").sum().over("block")), on=["narrative_id", "block"]
        )
        # Alone in its language, a narrative has nothing to be compared with: no term is more telling than another.
        .with_columns(
            lift=pl.when(pl.col("n_in_block") > pl.col("n_texts"))
            .then(pl.col("n") / pl.col("n_texts") / share_elsewhere)
            .otherwise(1.0)
        )
        # A term of one text alone says nothing about a narrative of several.
        .filter((pl.col("n") >= 2) | (pl.col("n_texts") == 1))
        .group_by("narrative_id", "term")
        .agg(pl.col("lift").max())
    )
    telling = pl.when(pl.col("lift") >= _MIN_LIFT).then(pl.col("lift").log()).otherwise(_UNTELLING)
    length = pl.min_horizontal(pl.col("term").str.len_chars(), _LETTERS_OF_CONTENT) / _LETTERS_OF_CONTENT
    content = pl.when(pl.col("term").str.contains(_ALPHABETS)).then(length).otherwise(1.0)
    return lifted.select("narrative_id", "term", weight=telling * content)


def _choose_terms(rows: pl.DataFrame, weights: pl.DataFrame, long: pl.DataFrame) -> pl.DataFrame:
    """Return narrative_id and terms, best first."""
    within = pl.col("n_posts") / pl.col("n_posts").sum().over("narrative_id")
    shares = rows.select("text", share=(within + 1 / pl.len().over("narrative_id")) / 2)
    held = long.select("narrative_id", "text", "term").join(weights, on=["narrative_id", "term"])
    parts = held.join(shares, on="text").sort("narrative_id", "term", "text").partition_by("narrative_id")
    chosen = [{"narrative_id": part["narrative_id"][0], "terms": _choose_greedily(part)} for part in parts]
    return pl.DataFrame(chosen, schema={"narrative_id": rows.schema["narrative_id"], "terms": pl.List(pl.String)})


def _choose_greedily(held: pl.DataFrame) -> list[str]:
    """Return the terms of one narrative, each the one that says most about the texts not yet spoken for."""
    column = held["term"].rle_id().to_numpy()
    terms = held.unique("term", keep="first", maintain_order=True)
    texts, row = np.unique(held["text"].to_numpy(), return_inverse=True)
    holds = sp.csc_matrix((np.ones(held.height), (row, column)), shape=(texts.size, terms.height))
    share = np.zeros(texts.size)
    share[row] = held["share"].to_numpy()
    weight, open_share = terms["weight"].to_numpy().copy(), share.copy()
    chosen: list[str] = []
    for _ in range(min(_N_TERMS, terms.height)):
        # Rounded, so that sums in another order cannot turn a tie, which the alphabet decides.
        best = int(np.argmax(np.round(weight * (holds.T @ open_share), 12)))
        chosen.append(terms["term"][best])
        weight[best] = -1
        spoken_for = holds[:, [best]].indices
        open_share[spoken_for] = _SAID_ALREADY * share[spoken_for]
    return chosen


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
    # A hashtag in a script without spaces is one name, however its words are cut.
    terms = [tag for tag in _HASHTAG.findall(form) if not tag.isascii()]
    for kind, run in split_runs(form):
        if kind == "unspaced":
            terms += [word for word in rjieba.cut(run) if len(word) > 1]
        elif kind == "tag" or (len(run) > 1 and any(char.isalpha() for char in run)):
            terms.append(run)
    return terms
