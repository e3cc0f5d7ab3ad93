"""Traces: each on a hand-written table of posts."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

import workbench.traces
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


def make_accounts(*rows: dict) -> pl.DataFrame:
    """Accounts a1, a2, ... with the given fields; everything else is empty."""
    base = {"platform": "twitter", "kind": "account", "is_pseudonymous": False}
    full = [{"account_id": f"a{k}", **base, **row} for k, row in enumerate(rows, 1)]
    return pl.DataFrame(full, schema=empty_table("accounts").schema)


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
    wide = make_posts({"hashtags": ["＃Ａ", "#b", " c "]}, {"hashtags": ["a", "", "b", "#"]})
    assert objects(wide, "hashtag_sequence") == [("p1", "a b c")]


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


def test_similar_text_groups_cuts_and_scripts_and_drops_no_chinese():
    long = "The night tram to the old harbour stops at the lantern market from Monday on"
    posts = make_posts(
        {"text": long},
        {"text": long + "!! https://t.example/x"},
        {"text": long.removeprefix("The ")},
        {"text": "Nothing of the kind was ever said by anybody at the harbour"},
        {"text": "港口的夜班电车从星期一起停靠灯笼市场"},
        {"text": "港口的夜班電車從星期一起停靠燈籠市場"},
        {"text": "电车"},
        {"text": long, "repost_of_id": "p1"},
        {"text": None},
    )
    found = dict(objects(posts, "similar_text"))
    assert found["p1"] == found["p2"] == found["p3"]
    assert found["p5"] == found["p6"]
    assert found["p7"] == "电车"
    assert len(set(found.values())) == 4
    assert set(found) == {f"p{k}" for k in range(1, 8)}
    assert "p7" not in dict(objects(posts, "similar_text", min_characters=10))


def test_media_within_a_radius_by_the_length_of_the_hash():
    pdq, phash = "0f" * 32, "f0" * 8
    posts = make_posts(
        {"media_hashes": ["ff00", "ff00"]},
        {"media_hashes": [pdq, phash]},
        {"media_hashes": [pdq[:-4] + "ffff", phash[:-1] + "f"]},
        {"media_hashes": ["f0" * 32], "repost_of_id": "p1"},
        {"media_hashes": ["f0" * 32]},
        {"media_hashes": ["ff01"]},
    )
    near = [("p2", pdq), ("p2", phash), ("p3", pdq), ("p3", phash)]
    assert objects(posts, "media") == [("p1", "ff00"), *near, ("p5", "f0" * 32), ("p6", "ff01")]
    exact = objects(posts, "media", max_bits_pdq=0, max_bits_phash=0)
    assert len({what for _, what in exact}) == 7


def test_client_switch_needs_enough_posts_on_both_sides():
    def posts_by(who: str, clients: str, start: int) -> list[dict]:
        minutes = [timedelta(minutes=start + k) for k in range(len(clients))]
        return [
            {
                "account_id": who,
                "post_id": f"{who}{k}",
                "client": client.strip() or None,
                "posted_at": START + minutes[k],
            }
            for k, client in enumerate(clients)
        ]

    posts = make_posts(*posts_by("a", "XXXYYY", 0), *posts_by("b", "XX XYYYX", 50), *posts_by("c", "XYXYXY", 0))
    assert objects(posts, "client_switch") == [("a3", "X > Y"), ("b4", "X > Y")]
    assert ("b7", "Y > X") in objects(posts, "client_switch", min_posts=1)


def test_created_on_pairs_accounts_by_day_at_their_creation():
    posts = make_posts({}, {"account_id": "a1", "post_id": "later", "posted_at": START + timedelta(1)}, {}, {})
    made = [START - timedelta(days=9), START, START - timedelta(days=9, hours=-2), None]
    accounts = make_accounts(*[{"created_at": at} for at in made])
    actions = extract_actions(posts, traces=["created_on"], accounts=accounts)
    assert actions.rows() == [
        ("a1", "p1", "created_on", "2019-05-23", made[0]),
        ("a3", "p3", "created_on", "2019-05-23", made[2]),
    ]


def test_synchrony_puts_busy_accounts_into_bins():
    times = [0, 1_799, 1_800, 3_000]
    posts = make_posts(*[{"account_id": "a", "posted_at": START + timedelta(seconds=s)} for s in times], {})
    first, second = "2019-06-01T00:00:00Z", "2019-06-01T00:30:00Z"
    assert objects(posts, "synchrony", min_posts=2) == [("p1", first), ("p2", first), ("p3", second), ("p4", second)]
    assert objects(posts, "synchrony") == []
    assert {what for _, what in objects(posts, "synchrony", bin_s=86_400, min_posts=1)} == {first}


def test_several_traces_come_sorted_and_carry_the_time():
    posts = make_posts({"repost_of_id": "x"}, {"reply_to_id": "y"})
    actions = extract_actions(posts, traces=["reply", "repost"])
    assert actions.rows() == [("a2", "p2", "reply", "y", START), ("a1", "p1", "repost", "x", START)]


def test_no_posts_give_no_actions():
    nobody = empty_table("accounts")
    assert extract_actions(empty_table("posts"), traces=list(TRACES), accounts=nobody).height == 0


def test_unknown_names_say_the_nearest():
    posts = make_posts({})
    with pytest.raises(ParameterError, match=r"no trace 'repots'\. Did you mean 'repost'"):
        extract_actions(posts, traces=["repots"])
    with pytest.raises(ParameterError, match=r"no setting 'max_delay'\. Did you mean 'max_delay_s'"):
        extract_actions(posts, traces={"fast_repost": {"max_delay": 3}})
    with pytest.raises(ParameterError, match="no trace named"):
        extract_actions(posts, traces=[])
    with pytest.raises(ParameterError, match=r"'created_on' needs the accounts\. Pass accounts=release\.accounts"):
        extract_actions(posts, traces=["created_on"])
    with pytest.raises(ParameterError, match="radius of 99 bits"):
        extract_actions(posts, traces={"media": {"max_bits_pdq": 99}})
    with pytest.raises(SchemaError, match="posts lacks column"):
        extract_actions(posts.drop("text"), traces=["repost"])


def test_every_trace_says_what_it_is_and_what_would_be_innocent():
    listed = list_traces()
    assert listed["trace"].to_list() == sorted(TRACES)
    for column in ("what", "beware", "source"):
        assert listed[column].str.ends_with(".").all(), f"a trace lacks its {column}, or it is cut off"
    assert (listed["what"].str.len_chars() <= 60).all(), "more than fits one line of `workbench traces`"


def test_a_new_trace_is_one_function(monkeypatch):
    monkeypatch.setattr("workbench.traces.TRACES", dict(TRACES))
    monkeypatch.setattr("workbench.actions.TRACES", workbench.traces.TRACES)

    @workbench.traces.trace
    def same_hour(posts: pl.LazyFrame, *, shift_h: int = 0) -> pl.LazyFrame:
        """Posted in the same hour of the day.

        Source: this test,
        on two lines.
        Beware: lunch.
        """
        return posts.select("post_id", object_id=((pl.col("posted_at").dt.hour() + shift_h) % 24).cast(pl.String))

    assert objects(make_posts({}, {"posted_at": START + timedelta(hours=3)}), "same_hour", shift_h=1) == [
        ("p1", "1"),
        ("p2", "4"),
    ]
    assert list_traces().filter(trace="same_hour").row(0) == (
        "same_hour", "Posted in the same hour of the day.", "shift_h=0", "lunch.", "this test, on two lines.",
    )  # fmt: skip
