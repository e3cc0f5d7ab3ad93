"""Traces: each on a hand-written table of posts."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from workbench.actions import TRACES, extract_actions, list_traces
from workbench.schema import ParameterError, SchemaError, empty_table

START = datetime(2019, 6, 1, tzinfo=UTC)


def make_posts(*rows: dict) -> pl.DataFrame:
    """Posts with the given fields; everything else is empty."""
    schema = empty_table("posts").schema
    lists = {"urls": [], "hashtags": [], "mentions": [], "media_hashes": []}
    base = {"platform": "twitter", "time_resolution_s": 1.0, "posted_at": START, **lists}
    full = [{"account_id": f"a{k}", "post_id": f"p{k}", **base, **row} for k, row in enumerate(rows, 1)]
    return pl.DataFrame(full, schema=schema)


def objects(posts: pl.DataFrame, trace: str, **settings) -> list[tuple[str, str]]:
    actions = extract_actions(posts, traces={trace: settings})
    return list(actions.select("post_id", "object_id").iter_rows())


def test_repost():
    posts = make_posts({"repost_of_id": "x"}, {"text": "my own"}, {"repost_of_id": " "})
    assert objects(posts, "repost") == [("p1", "x")]


def test_fast_repost_counts_total_seconds():
    posts = make_posts(
        {"text": "original"},
        {"repost_of_id": "p1", "posted_at": START + timedelta(seconds=10)},
        {"repost_of_id": "p1", "posted_at": START + timedelta(seconds=11)},
        {"repost_of_id": "p1", "posted_at": START + timedelta(days=1, seconds=5)},
        {"repost_of_id": "not here", "posted_at": START},
    )
    assert objects(posts, "fast_repost", max_delay_s=10) == [("p2", "a1")]


def test_url_is_canonical_and_only_the_posts_own():
    posts = make_posts(
        {"urls": ["http://WWW.Tram.example/a/?utm_source=x", "https://tram.example/a", ""]},
        {"urls": ["https://tram.example/a"], "repost_of_id": "p1"},
        {"urls": ["https://tram.example/a"], "text": "RT @harbour: look"},
    )
    assert objects(posts, "url") == [("p1", "https://tram.example/a")]


def test_domain():
    posts = make_posts({"urls": ["https://tram.example/a", "https://www.tram.example/b", "https://port.example"]})
    assert objects(posts, "domain") == [("p1", "port.example"), ("p1", "tram.example")]


def test_hashtag_folds_case_and_width():
    posts = make_posts({"hashtags": ["Lantern", "lantern", "＃港口"]})
    assert objects(posts, "hashtag") == [("p1", "lantern"), ("p1", "港口")]


def test_hashtag_sequence_keeps_order_and_needs_enough_tags():
    posts = make_posts(
        {"hashtags": ["A", "b", "c"]}, {"hashtags": ["b", "a", "c"]}, {"hashtags": ["a", "b"]}, {"hashtags": []}
    )
    assert objects(posts, "hashtag_sequence") == [("p1", "a b c"), ("p2", "b a c")]
    assert objects(posts, "hashtag_sequence", min_hashtags=2)[-1] == ("p3", "a b")


def test_mention_reply_and_quote():
    posts = make_posts({"mentions": ["m", "n"]}, {"reply_to_id": "r"}, {"quote_of_id": "q"})
    assert objects(posts, "mention") == [("p1", "m"), ("p1", "n")]
    assert objects(posts, "reply") == [("p2", "r")]
    assert objects(posts, "quote") == [("p3", "q")]


def test_same_text_normalises_and_never_drops_chinese_for_being_short_in_letters():
    posts = make_posts(
        {"text": "The Tram is LATE  https://t.example/x"},
        {"text": "the tram is late @someone"},
        {"text": "hello"},
        {"text": "电车晚点"},
        {"text": "The tram is late", "repost_of_id": "p1"},
        {"text": None},
    )
    expected = [("p1", "the tram is late"), ("p2", "the tram is late"), ("p4", "电车晚点")]
    assert objects(posts, "same_text") == expected
    assert ("p3", "hello") in objects(posts, "same_text", min_characters=1)


def test_media():
    assert objects(make_posts({"media_hashes": ["ff00", "ff00"]}), "media") == [("p1", "ff00")]


def test_several_traces_come_sorted_and_carry_the_time():
    posts = make_posts({"repost_of_id": "x"}, {"reply_to_id": "y"})
    actions = extract_actions(posts, traces=["reply", "repost"])
    assert actions.rows() == [("a2", "p2", "reply", "y", START), ("a1", "p1", "repost", "x", START)]


def test_no_posts_give_no_actions():
    assert extract_actions(empty_table("posts"), traces=list(TRACES)).height == 0


def test_unknown_names_say_the_nearest():
    posts = make_posts({})
    with pytest.raises(ParameterError, match=r"no trace 'repots'\. Did you mean 'repost'"):
        extract_actions(posts, traces=["repots"])
    with pytest.raises(ParameterError, match=r"no setting 'max_delay'\. Did you mean 'max_delay_s'"):
        extract_actions(posts, traces={"fast_repost": {"max_delay": 3}})
    with pytest.raises(ParameterError, match="no trace named"):
        extract_actions(posts, traces=[])
    with pytest.raises(SchemaError, match="posts lacks column"):
        extract_actions(posts.drop("text"), traces=["repost"])


def test_every_trace_says_what_it_is_and_what_would_be_innocent():
    listed = list_traces()
    assert listed["trace"].to_list() == sorted(TRACES)
    for column in ("what", "beware", "source"):
        assert (listed[column].str.len_chars() > 0).all(), f"a trace lacks its {column}"
