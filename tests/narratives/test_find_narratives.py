from dataclasses import fields

import numpy as np
import polars as pl
import pytest
from invented_posts import make_posts, tell_stories

from workbench.narratives import evaluate_narratives, find_narratives
from workbench.narratives.cards import CARD_COLUMNS
from workbench.narratives.vocabulary import split_pieces, split_words
from workbench.schema import ParameterError, SchemaError


def measures(narratives, posts, labels) -> dict[str, float]:
    table = evaluate_narratives(narratives, pl.DataFrame({"post_id": posts["post_id"], "label": labels}))
    return dict(zip(table["measure"], table["all"], strict=True))


def test_planted_stories_come_apart_in_both_languages():
    texts, labels = tell_stories(60, seed=1)
    posts = make_posts(texts)
    found = measures(find_narratives(posts, seed=7), posts, labels)
    assert found["homogeneity"] > 0.97
    assert found["nmi"] > 0.9
    assert found["coverage"] == 1


def test_words_without_a_story_agree_with_no_labels():
    texts, labels = tell_stories(60, seed=2)
    posts = make_posts(texts)
    shuffled = np.random.default_rng(0).permutation(labels).tolist()
    assert abs(measures(find_narratives(posts, seed=7), posts, shuffled)["ari"]) < 0.05


def test_row_order_and_names_change_nothing():
    texts, _ = tell_stories(30, seed=3)
    posts = make_posts(texts)
    first = find_narratives(posts, seed=7)
    second = find_narratives(posts.sample(fraction=1, shuffle=True, seed=5), seed=7)
    assert first.posts.sort("post_id").equals(second.posts.sort("post_id"))
    assert first.cards.equals(second.cards)


def test_row_order_changes_nothing_where_texts_are_near_copies():
    texts, _ = tell_stories(15, seed=3)
    posts = make_posts([*texts, *(text.upper() + "!" for text in texts), *(text + " 🚋" for text in texts)])
    first = find_narratives(posts, seed=7)
    for seed in (5, 6):
        second = find_narratives(posts.sample(fraction=1, shuffle=True, seed=seed), seed=7)
        assert first.posts.sort("post_id").equals(second.posts.sort("post_id"))
        assert first.cards.equals(second.cards)


def test_the_exemplar_is_the_earliest_of_equal_copies():
    posts = make_posts(["Tram line closes!", "tram line closes", "TRAM line closes"]).reverse()
    assert find_narratives(posts, seed=7).cards["exemplars"][0].to_list() == ["Tram line closes!"]


def test_same_seed_same_result_and_copies_count_as_one_text():
    texts, _ = tell_stories(20, seed=4, stories=("tram", "bakery"))
    posts = make_posts(texts + [texts[0]] * 500)
    found = find_narratives(posts, seed=7)
    assert found.families["family_id"].n_unique() <= 40
    assert found.posts.height == posts.height
    assert found.cards["n_posts"].sum() == posts.height
    assert all(
        a.equals(b) if isinstance(a, pl.DataFrame) else a == b
        for a, b in ((getattr(found, f.name), getattr(find_narratives(posts, seed=7), f.name)) for f in fields(found))
    )


@pytest.mark.parametrize(
    ("texts", "n_read", "n_placed"),
    [
        ([], 0, 0),
        ([None, "", "https://x.example"], 0, 0),
        (["one tram stops here"], 1, 0),
        (["one tram stops here"] * 50, 50, 50),
        (["😀😀", "😀😀", "🚋🚋"], 3, 2),
        (["مرحبا بالميناء القديم", "مرحبا بالميناء القديم", "الترام متوقف اليوم"], 3, 2),
        (["x" * 10_000, "tram line closes", "tram line opens"], 3, 2),
        (["tram", "bread", "lamp"], 3, 0),
    ],
)
def test_hostile_posts(texts, n_read, n_placed):
    found = find_narratives(make_posts(texts), seed=7)
    assert found.families.height == n_read
    assert found.posts.height == n_placed
    assert found.coverage_frac == (n_placed / len(texts) if texts else 0)
    assert found.cards.schema == pl.Schema(CARD_COLUMNS)
    dropped = sum(found.decisions["n_before"].to_list()) - sum(found.decisions["n_after"].to_list())
    assert dropped == len(texts) - n_placed  # nothing is set aside without a decision


def test_a_million_copies_of_one_text():
    n = 1_000_000
    one = make_posts(["the tram stops at the old pier"])
    posts = pl.concat([one] * n).with_columns(
        post_id=pl.int_range(n).cast(pl.String), account_id=(pl.int_range(n) % 1000).cast(pl.String)
    )
    found = find_narratives(posts, seed=7)
    assert found.cards["n_posts"].to_list() == [n]
    assert found.cards["n_accounts"].to_list() == [1000]


def test_past_the_bound_the_rest_is_placed_and_a_decision_says_so():
    texts, labels = tell_stories(120, seed=5)
    posts = make_posts(texts)
    found = find_narratives(posts, seed=7, max_texts=200)
    assert "placed with the nearest one" in found.decisions["action"][0]
    assert measures(found, posts, labels)["homogeneity"] > 0.95


def test_unspaced_scripts_give_characters_and_pairs_and_mixed_text_is_split():
    assert split_words("iphone手机 #Tram c++ 😀") == ["iphone", "手", "机", "手机", "#Tram", "c++", "😀"]
    assert split_pieces("trams 电车") == [" tra", "tram", "rams", "ams ", "电车"]


def test_a_missing_column_or_a_bound_too_low_is_refused():
    posts = make_posts(["tram"])
    with pytest.raises(SchemaError, match="posts lacks column 'urls'"):
        find_narratives(posts.drop("urls"), seed=7)
    with pytest.raises(ParameterError, match="max_texts must be at least 2"):
        find_narratives(posts, seed=7, max_texts=1)
