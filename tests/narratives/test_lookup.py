import polars as pl
import pytest
from invented_posts import make_posts, tell_stories

from workbench.narratives import find_narratives, find_similar_narratives, find_similar_posts, index_posts
from workbench.schema import ParameterError, SchemaError


def test_the_post_itself_comes_first_and_its_copies_are_counted_once():
    posts = make_posts(["tram line closes", "Tram line closes! 🚋", "bread today", "tram line closes", "tram depot"])
    hits = find_similar_posts("tram line closes", posts)
    assert hits.row(0, named=True)["post_id"] == "p00000"
    assert hits["n_posts"].to_list() == [3, 1]  # signs and emoji make no other text of it
    assert hits["n_accounts"].to_list() == [3, 1]
    assert hits["similarity"].to_list()[0] == 1.0
    assert "bread today" not in hits["text"].to_list()


def test_claims_find_their_story_in_either_chinese_script():
    texts, labels = tell_stories(40, seed=1)
    posts = make_posts(texts)
    narratives = find_narratives(posts, seed=7)
    story = dict(zip(posts["post_id"], labels, strict=True))
    hits = find_similar_posts("電車司機在站台", posts, narratives=narratives, n_results=5)
    assert {story[post_id] for post_id in hits["post_id"]} == {"电车"}
    nearest = find_similar_narratives(hits, narratives)
    assert nearest["narrative_id"][0] == hits["narrative_id"][0]
    assert nearest["similarity"].is_sorted(descending=True)


def test_rare_words_weigh_more_in_the_baseline():
    texts = ["the tram is late"] * 1 + [f"the ferry is late {i}" for i in range(30)]
    hits = find_similar_posts("tram late", make_posts(texts)).sort("bm25", descending=True)
    assert hits["text"][0] == "the tram is late"


def test_an_index_answers_as_the_table_does():
    texts, _ = tell_stories(10, seed=2)
    posts = make_posts(texts)
    assert find_similar_posts(texts[0], index_posts(posts)).equals(find_similar_posts(texts[0], posts))


@pytest.mark.parametrize("texts", [[], [None, ""], ["😀"], ["!!!"]])
def test_nothing_in_common_gives_no_hit(texts):
    assert find_similar_posts("tram", make_posts(texts)).is_empty()


def test_emoji_and_half_surrogates_can_be_asked_for():
    posts = make_posts(["🚋🚋 again", "bread"])
    assert find_similar_posts("🚋", posts)["text"].to_list() == ["🚋🚋 again"]
    assert find_similar_posts("again \ud800", posts)["text"][0] == "🚋🚋 again"


def test_empty_questions_and_wrong_tables_are_refused():
    posts = make_posts(["tram"])
    with pytest.raises(ParameterError, match="nothing to look for"):
        find_similar_posts(" https://x.example ", posts)
    with pytest.raises(ParameterError, match="n_results must be at least 1"):
        find_similar_posts("tram", posts, n_results=0)
    with pytest.raises(SchemaError, match="posts lacks column 'text'"):
        index_posts(pl.DataFrame({"post_id": ["1"], "platform": ["x"], "account_id": ["a"], "posted_at": [None]}))
