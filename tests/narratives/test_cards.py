from datetime import timedelta

import polars as pl
from invented_posts import DAY_0, make_posts

from workbench.narratives import find_narratives
from workbench.narratives.terms import describe_terms

TRAM = "the old tram line over the harbour bridge will close for repairs"
BREAD = "fresh rye loaves, stone kiln, each dawn"


def example():
    """Five posts on the tram (three copies by two accounts, one repost), two on bread, one with nothing to read."""
    texts = [TRAM, TRAM, TRAM + "!", TRAM, "tram line over the bridge: repairs begin", BREAD, BREAD, None]
    return make_posts(
        texts,
        account_id=["a", "b", "a", "c", "d", "e", "e", "f"],
        posted_at=[DAY_0 + timedelta(hours=h) for h in (0, 1, 2, 30, 31, 3, 4, 5)],
        repost_of_id=[None, None, None, "p00000", None, None, None, None],
        hashtags=[["Tram"], ["tram"], [], [], [], [], [], []],
        urls=[["https://www.tram.example/a?utm_source=x"], ["https://tram.example/a"], [], [], [], [], [], []],
        mentions=[["a", "b"], ["b"], [], [], [], [], [], []],
        reply_to_account_id=[None, "z", None, None, None, None, None, None],
        lang=["en"] * 8,
    )


def test_card_of_a_hand_written_table():
    clusters = pl.DataFrame({"account_id": ["a", "c", "e"], "cluster_id": [2, 1, 1]})
    cards = find_narratives(example(), seed=7, clusters=clusters).cards
    tram, bread = cards.row(0, named=True), cards.row(1, named=True)
    assert (tram["n_posts"], tram["n_accounts"], tram["n_families"]) == (5, 4, 2)
    assert (tram["n_clusters"], tram["cluster_ids"]) == (2, [1, 2])
    assert (tram["first_at"], tram["first_account_id"]) == (DAY_0, "a")
    assert tram["last_at"] == DAY_0 + timedelta(hours=31)
    assert (tram["peak_on"], tram["peak_n_posts"]) == (DAY_0.date(), 3)
    assert (tram["repost_frac"], tram["n_originals"]) == (0.2, 4)
    assert tram["copy_paste_frac"] == 0.75  # three of four originals are in a family of two accounts
    assert (tram["hashtags"], tram["urls"], tram["domains"]) == (
        ["tram"],
        ["hxxps://tram[.]example/a"],
        ["tram[.]example"],
    )
    assert tram["targets"] == ["b", "a", "z"]
    assert (tram["languages"], tram["language_fracs"]) == (["en"], [1.0])
    assert tram["exemplar_post_ids"][0] == "p00000"
    assert tram["exemplars"][0] == TRAM
    assert tram["translation"] is None
    assert (bread["n_posts"], bread["n_accounts"], bread["copy_paste_frac"]) == (2, 1, 0.0)
    assert (bread["n_clusters"], bread["cluster_ids"]) == (1, [1])


def test_without_clusters_their_number_is_unknown():
    card = find_narratives(example(), seed=7).cards.row(0, named=True)
    assert (card["n_clusters"], card["cluster_ids"]) == (None, [])


def test_a_name_may_come_from_a_plain_function():
    cards = find_narratives(example(), seed=7, name_topic=lambda terms, texts: f"{len(terms)} and {len(texts)}").cards
    assert cards["label"][0] == f"{len(cards['terms'][0])} and 2"


def test_terms_tell_apart_and_faithfulness_is_the_share_that_hold_one():
    texts = pl.DataFrame(
        {
            "narrative_id": [1, 1, 1, 2, 2],
            "block": ["en"] * 5,
            "form": ["the tram line", "the tram depot", "the ferry", "the rye bread", "the rye bread again"],
            "n_posts": [1, 1, 2, 1, 1],
        }
    )
    found = describe_terms(texts)
    assert found["terms"][0].to_list()[0] == "tram"
    assert found["terms"][1].to_list()[:2] == ["bread", "rye"]
    assert found["faithful_frac"].to_list()[1] == 1.0
    assert describe_terms(texts.filter(pl.col("form") != "the ferry"))["faithful_frac"][0] == 1.0


def test_chinese_terms_are_words():
    found = find_narratives(make_posts(["电车今天停用了", "电车明天停用吗", "电车停用"]), seed=7)
    assert found.cards["terms"][0].to_list()[:2] == ["停用", "电车"]


def test_a_label_reaches_the_posts_its_first_term_does_not():
    """Two wordings of one story: rarer words of the commoner wording must not fill the label."""
    tram = [f"tram depot rails {word}" for word in ("morning", "evening", "noon", "night", "today", "soon")]
    pier = ["pier closes early", "pier closes late", "pier closes again"]
    other = ["fresh rye bread", "stone oven bread", "bread at dawn", "sour dough bread"]
    forms = [*tram, *pier, *other]
    ids = [1] * (len(tram) + len(pier)) + [2] * len(other)
    texts = pl.DataFrame({"narrative_id": ids, "block": "en", "form": forms, "n_posts": 1})
    found = describe_terms(texts)
    assert {"tram", "depot", "rails"} & set(found["terms"][0][:2])
    assert {"pier", "closes"} & set(found["terms"][0][:2])
    assert found["faithful_frac"][0] == 1.0


def test_short_words_of_grammar_do_not_lead_where_nothing_is_there_to_compare_with():
    """One narrative alone in its language: no list of stop words, and still no "de"."""
    forms = ["paraguas de colores", "paraguas de la playa", "sandalias de la playa", "sandalias de verano"]
    texts = pl.DataFrame({"narrative_id": 1, "block": "es", "form": forms, "n_posts": 1})
    assert set(describe_terms(texts)["terms"][0][:2]) == {"paraguas", "sandalias"}


def test_chinese_hashtags_stay_whole():
    forms = ["大桥常新 #北渡桥", "司机都明白 #北渡桥", "面包很香", "面包不贵"]
    texts = pl.DataFrame({"narrative_id": [1, 1, 2, 2], "block": "zh", "form": forms, "n_posts": 1})
    assert describe_terms(texts)["terms"][0][0] == "#北渡桥"
