"""Every capture format: recognised by its content, mapped as written down by hand, bad records set aside by line."""

# ruff: noqa: E501
import csv
import gzip
import io
import json
from datetime import UTC, datetime

import polars as pl
import pytest
import samples as s
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.schema import SourceError
from workbench.sources import SOURCES, capture, load_release
from workbench.sources.capture import UnreadableError, count, read_moment
from workbench.sources.json_parts import read_objects
from workbench.sources.mastodon import read_html
from workbench.sources.parts import Part

AT = datetime(2020, 9, 13, 12, 26, 40, tzinfo=UTC)
LINK = ["https://linden.example/a"]


def as_lines(*records):
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def as_csv(*records):
    stream = io.StringIO()
    writer = csv.DictWriter(stream, fieldnames=list(records[0]))
    writer.writeheader()
    writer.writerows(records)
    return stream.getvalue()


def load(tmp_path, text, *, name="capture.ndjson", toml=""):
    (tmp_path / name).write_text(text, encoding="utf-8", newline="")
    if toml:
        (tmp_path / "dataset.toml").write_text(toml, encoding="utf-8")
        return load_release(tmp_path)
    return load_release(tmp_path / name)


def posts_of(release):
    return {row["post_id"]: row for row in release.posts.iter_rows(named=True)}


def accounts_of(release):
    return {row["account_id"]: row for row in release.accounts.iter_rows(named=True)}


def seen(row, *names):
    return tuple(row[name] for name in names)


COUNTS = ("n_reposts", "n_likes", "n_replies")

# name, file, post id, platform, account id, kind, handle, urls, hashtags, counts
PLAIN = [
    ("twarc v2 page", as_lines(s.V2_PAGE), s.TWEET_ID, "twitter", "11", "account", "LindenVoice1", LINK, ["LindenAwake"]),
    ("twarc v2 flat", as_lines(s.V2_FLAT), s.TWEET_ID, "twitter", "11", "account", "LindenVoice1", LINK, ["LindenAwake"]),
    ("zeeschuimer X", as_lines(s.ZEESCHUIMER_X), s.TWEET_ID, "twitter", "11", "account", "LindenVoice1", LINK, ["LindenAwake"]),
    ("4CAT X items", as_lines(s.X_ITEM), s.TWEET_ID, "twitter", "11", "account", "LindenVoice1", LINK, ["LindenAwake"]),
    ("zeeschuimer TikTok", as_lines(s.ZEESCHUIMER_TIKTOK), "71", "tiktok", "11", "account", "lindenvoice", [], ["LindenAwake"]),
    ("4CAT TikTok items", as_lines(s.TIKTOK_ITEM), "71", "tiktok", "11", "account", "lindenvoice", [], ["LindenAwake"]),
    ("telethon", as_lines(s.TELETHON), "channel77/5", "telegram", "channel77", "channel", None, LINK, []),
    ("mastodon", as_lines(s.MASTODON), "500", "mastodon", "11", "account", "lv@m.example", LINK, ["lindenawake"]),
    ("bluesky views", as_lines(s.BLUESKY), s.BLUESKY["uri"], "bluesky", "did:plc:one", "account", "lv.example", LINK, ["LindenAwake"]),
    ("bluesky page", json.dumps({"posts": [s.BLUESKY]}, indent=1), s.BLUESKY["uri"], "bluesky", "did:plc:one", "account", "lv.example", LINK, ["LindenAwake"]),
    ("reddit", as_lines(s.SUBMISSION), "t3_s1", "reddit", "t2_11", "account", "LindenVoice1", ["https://linden.example/a?x=1&y=2"], []),
    ("crowdtangle page", as_csv(s.CROWDTANGLE), "900/posts/1", "facebook", "900", "page", "lindenvoice", LINK, ["LindenAwake"]),
    ("crowdtangle group", as_csv(s.CROWDTANGLE_GROUP), "groups/901/permalink/1", "facebook", "901", "group", "lindenvoice", LINK, ["LindenAwake"]),
    ("content library", as_csv(s.CONTENT_LIBRARY), "777", "facebook", "900", "page", "lindenvoice", LINK, ["LindenAwake"]),
    ("4CAT", as_csv(s.FOUR_CAT), "10", "twitter", "11", "account", "LindenVoice1", LINK, ["LindenAwake", "Bridge"]),
    ("youtube videos", as_csv(s.YOUTUBE_VIDEO), "v1", "youtube", "UC1", "channel", None, LINK, ["LindenAwake"]),
]  # fmt: skip


@pytest.mark.parametrize("case", PLAIN, ids=[case[0] for case in PLAIN])
def test_format_is_known_and_mapped(tmp_path, case):
    _, text, post_id, platform, account_id, kind, handle, urls, hashtags = case
    release = load(tmp_path, text, name="drag_and_drop.txt")
    post, account = posts_of(release)[post_id], accounts_of(release)[account_id]
    assert seen(post, "account_id", "platform", "urls", "hashtags") == (account_id, platform, urls, hashtags)
    assert post["posted_at"].replace(microsecond=0) == AT
    assert seen(account, "kind", "handle", "platform") == (kind, handle, platform)
    assert release.about.platform == platform
    assert release.quarantine.is_empty()
    assert post["n_likes"] in (5, 1005)
    assert "bridge" in post["text"] or platform == "telegram"


def test_tweet_times_come_from_their_ids(tmp_path):
    for number, record in enumerate((s.V2_PAGE, s.V2_FLAT, s.V1_TWEET, s.ZEESCHUIMER_X)):
        post = posts_of(load(tmp_path, as_lines(record), name=f"{number}.jsonl"))[s.TWEET_ID]
        assert post["posted_at"] == AT.replace(microsecond=123_000)
        assert post["time_resolution_s"] == 0.001


@pytest.mark.parametrize("record", [s.V2_PAGE, s.V2_FLAT, s.V1_RETWEET])
def test_retweets_carry_the_whole_text_and_the_original(tmp_path, record):
    posts = posts_of(load(tmp_path, as_lines(record)))
    assert len(posts) == 2
    retweet = posts[str(int(s.TWEET_ID) + 5)]
    assert seen(retweet, "repost_of_id", "repost_of_account_id", "account_id") == (s.TWEET_ID, "11", "12")
    assert retweet["text"].startswith("The bridge")


def test_replies_and_quotes(tmp_path):
    replied = {**s.V2_TWEET, "in_reply_to_user_id": "78", "referenced_tweets": [{"type": "replied_to", "id": "77"}]}
    quoted = {
        **s.V2_TWEET,
        "id": "5",
        "referenced_tweets": [{"type": "quoted", "id": "76"}, {"type": "new", "id": "1"}],
    }
    posts = posts_of(load(tmp_path, as_lines(replied, quoted)))
    assert seen(posts[s.TWEET_ID], "reply_to_id", "reply_to_account_id") == ("77", "78")
    assert posts["5"]["quote_of_id"] == "76"
    x = posts_of(load(tmp_path, as_lines(s.ZEESCHUIMER_X), name="x.ndjson"))[s.TWEET_ID]
    assert seen(x, "reply_to_id", "reply_to_account_id", "client") == ("77", "78", "Web App")


def test_retweets_in_zeeschuimer(tmp_path):
    legacy = {**s.X_ITEM["legacy"], "id_str": "5", "retweeted_status_result": {"result": {"tweet": s.X_ITEM}}}
    item = {**s.X_ITEM, "rest_id": "5", "legacy": legacy}
    posts = posts_of(load(tmp_path, as_lines({**s.ZEESCHUIMER_X, "data": {"tweet": item}})))
    assert seen(posts["5"], "repost_of_id", "repost_of_account_id") == (s.TWEET_ID, "11")


def test_telegram_forwards_media_and_desktop_export(tmp_path):
    post = posts_of(load(tmp_path, as_lines(s.TELETHON)))["channel77/5"]
    assert seen(post, "repost_of_id", "repost_of_account_id", "media_hashes") == (
        "channel88/9",
        "channel88",
        ["telegram-photo:345"],
    )
    release = load(tmp_path, json.dumps(s.DESKTOP, indent=1), name="result.json")
    post = posts_of(release)["channel77/5"]
    assert seen(post, "text", "urls", "reply_to_id") == ("see https://linden.example/a", LINK, "channel77/4")
    assert post["repost_of_account_id"] == "name:Other Talk"
    assert accounts_of(release)["channel77"]["display_name"] == "Linden Talk"
    assert "somebody joined" in release.quarantine["reason"].item()
    whole = {"about": "x", "chats": {"list": [{**s.DESKTOP, "type": "private_supergroup"}]}}
    assert set(posts_of(load(tmp_path, json.dumps(whole), name="whole.json"))) == {"chat77/5"}


def test_telegram_service_messages_and_groups(tmp_path):
    said = {
        **s.TELETHON,
        "id": 6,
        "post": False,
        "from_id": {"user_id": 3},
        "fwd_from": None,
        "reply_to": {"reply_to_msg_id": 5},
    }
    release = load(tmp_path, as_lines(s.TELETHON, {**s.TELETHON, "_": "MessageService"}, said))
    assert posts_of(release)["channel77/6"]["reply_to_id"] == "channel77/5"
    assert accounts_of(release)["user3"]["kind"] == "account"
    assert release.quarantine["line"].to_list() == [2]


def test_mastodon_boosts_and_words(tmp_path):
    posts = posts_of(load(tmp_path, as_lines(s.MASTODON_BOOST)))
    assert set(posts) == {"500", "501"}
    assert seen(posts["501"], "repost_of_id", "repost_of_account_id") == ("500", "11")
    assert posts["500"]["text"] == "The bridge #LindenAwake see here & there"
    assert read_html("<p>a</p><b>c") == ("a c", [])


def test_bluesky_reposts_replies_and_jetstream(tmp_path):
    release = load(tmp_path, as_lines(s.BLUESKY_FEED))
    repost = next(row for row in posts_of(release).values() if row["repost_of_id"])
    assert seen(repost, "account_id", "repost_of_account_id") == ("did:plc:three", "did:plc:one")
    original = posts_of(release)[s.BLUESKY["uri"]]
    assert seen(original, "reply_to_account_id", "media_hashes", "mentions", "lang") == (
        "did:plc:two",
        ["cid:baf1"],
        ["did:plc:mayor"],
        "en",
    )
    deleted = {**s.JETSTREAM, "commit": {**s.JETSTREAM["commit"], "operation": "delete"}}
    release = load(tmp_path, as_lines(s.JETSTREAM, s.JETSTREAM_REPOST, deleted), name="jet.jsonl")
    posts = posts_of(release)
    assert posts["at://did:plc:one/app.bsky.feed.post/a"]["posted_at"] == AT.replace(microsecond=123_456)
    assert posts["at://did:plc:one/app.bsky.feed.repost/r"]["repost_of_account_id"] == "did:plc:two"
    assert release.quarantine["reason"].to_list() == ["is no new post or repost but commit delete post"]


def test_reddit_deleted_accounts_are_not_one_account(tmp_path):
    listing = {"kind": "Listing", "data": {"children": [{"kind": "t1", "data": s.COMMENT}]}}
    release = load(tmp_path, as_lines(s.SUBMISSION, s.COMMENT, {**s.COMMENT, "id": "c2"}))
    assert {"deleted:c1", "deleted:c2"} <= set(accounts_of(release))
    comment = posts_of(release)["t1_c1"]
    assert seen(comment, "reply_to_id", "n_likes", "urls") == ("t3_s1", 0, LINK)
    assert posts_of(release)["t3_s1"]["text"] == "The bridge\nis & was broken"
    assert set(posts_of(load(tmp_path, as_lines(listing), name="l.json"))) == {"t1_c1"}


def test_pages_and_groups_keep_their_kind_and_followers(tmp_path):
    page = accounts_of(load(tmp_path, as_csv(s.CROWDTANGLE), name="ct.csv"))["900"]
    assert seen(page, "n_followers", "created_at", "location") == (
        1234,
        datetime(2019, 1, 2, 3, 4, 5, tzinfo=UTC),
        "LP",
    )
    library = accounts_of(load(tmp_path, as_csv(s.CONTENT_LIBRARY), name="mcl.csv"))
    assert [library[name]["kind"] for name in ("900", "901")] == ["page", "group"]
    instagram = load(tmp_path, as_csv(s.CROWDTANGLE_INSTAGRAM), name="ig.csv")
    assert seen(accounts_of(instagram)["lindenvoice"], "platform", "n_followers") == ("instagram", None)
    assert set(posts_of(instagram)) == {"Cab"}


def test_a_link_to_the_post_itself_is_no_link(tmp_path):
    own = {**s.CROWDTANGLE, "Final Link": "", "Link": s.CROWDTANGLE["URL"] + "/"}
    assert posts_of(load(tmp_path, as_csv(own), name="ct.csv"))["900/posts/1"]["urls"] == []


def test_4cat_retweets_platform_and_negative_scores(tmp_path):
    retweet = {**s.FOUR_CAT, "is_retweet": "yes", "retweeted_user": "first", "thread_id": "10", "like_count": "-2"}
    release = load(tmp_path, as_csv(retweet), name="4cat.csv")
    post = posts_of(release)["10"]
    assert seen(post, "repost_of_account_id", "reply_to_id", "n_likes") == ("first", None, 0)
    toml = 'title = "t"\nplatform = "gab"\n'
    (tmp_path / "named").mkdir()
    assert load(tmp_path / "named", as_csv(s.FOUR_CAT), name="4cat.csv", toml=toml).about.platform == "gab"


def test_4cat_telegram_numbers_messages_per_chat(tmp_path):
    """Newer exports name the chat in the id, older ones give the bare number; a chat is no post to answer."""
    common = {"thread_id": "linden", "chat": "linden", "timestamp": "2020-09-13 12:26:40", "author": "77",
              "author_username": "LindenVoice", "body": "The bridge", "author_forwarded_from_name": "",
              "reply_to": ""}  # fmt: skip
    release = load(tmp_path, as_csv({**common, "id": "linden-5"}), name="new.csv")
    assert seen(posts_of(release)["linden-5"], "platform", "reply_to_id") == ("telegram", None)
    (tmp_path / "old").mkdir()
    release = load(tmp_path / "old", as_csv({**common, "id": "6", "reply_to": "5"}), name="old.csv")
    assert posts_of(release)["linden-6"]["reply_to_id"] == "linden-5"


def test_4cat_results_without_thread_or_author_columns(tmp_path):
    base = {"id": "8", "timestamp": "2020-09-13 12:26:40", "unix_timestamp": "1600000000", "body": "The bridge"}
    samples = {
        "facebook": {**base, "author": "lindenvoice", "author_name": "LV", "is_in_group": "no", "group_name": ""},
        "douyin": {**base, "thread_id": "0", "author_user_id": "77", "author_nickname": "LV", "digg_count": "5"},
        "bluesky": {**base, "id": "at://a/1", "thread_id": "at://a/0", "author": "lv.example", "author_id": "did:plc:one",
                    "replied_to_post": "at://a/0", "tags": "Bridge", "links": "https://linden.example/a",
                    "author_display_name": "LV", "author_created_at": "2020-01-02T03:04:05"},
    }  # fmt: skip
    for platform, row in samples.items():
        (tmp_path / platform).mkdir()
        release = load(tmp_path / platform, as_csv(row), name="4cat.csv")
        assert release.about.platform == platform
        assert release.quarantine.is_empty()
        assert release.accounts["display_name"].to_list() == ["LV"]
    post = release.posts.row(0, named=True)
    assert seen(post, "reply_to_id", "hashtags", "urls") == ("at://a/0", ["Bridge"], ["https://linden.example/a"])


def test_content_library_results_with_default_fields_have_no_text(tmp_path):
    bare = {name: value for name, value in s.CONTENT_LIBRARY.items() if name not in ("text", "lang", "mcl_url")}
    release = load(tmp_path, as_csv(bare), name="mcl.csv")
    assert seen(posts_of(release)["777"], "platform", "text") == ("facebook", None)


def test_youtube_comments_answer_comments(tmp_path):
    post = posts_of(load(tmp_path, as_csv(s.YOUTUBE_COMMENT), name="yt.csv"))["k1"]
    assert seen(post, "reply_to_id", "account_id", *COUNTS) == ("k0", "UC2", None, 5, 6)


GENERIC = """title = "t"
platform = "forum"
[options.columns]
post_id = "Nr"
account_id = "Who"
posted_at = "When"
text = "Words"
hashtags = "Tags"
kind = "Sort"
n_followers = "Fans"
created_at = "Since"
"""
TABLE = 'Nr,Who,When,Words,Tags,Sort,Fans,Since,Other\n1,a,2020-09-13 12:26:40,Hi,"x, y",page,12,2019-01-02,z\n'


def test_any_table_with_a_map(tmp_path):
    release = load(tmp_path, TABLE, name="t.csv", toml=GENERIC)
    assert seen(posts_of(release)["1"], "text", "hashtags", "platform") == ("Hi", ["x", "y"], "forum")
    assert seen(accounts_of(release)["a"], "kind", "n_followers") == ("page", 12)


def test_a_capture_in_a_damaged_parquet_file_is_refused(tmp_path):
    """A row group in which one byte is another: the footer, and with it the columns, can still be read."""
    pl.DataFrame([{**s.FOUR_CAT, "id": str(n)} for n in range(300)]).write_parquet(tmp_path / "c.parquet")
    whole = (tmp_path / "c.parquet").read_bytes()
    n_refused = 0
    for at in range(4, len(whole) - 8, 37):
        damaged = bytearray(whole)
        damaged[at] ^= 1 << at % 8
        (tmp_path / "c.parquet").write_bytes(damaged)
        try:
            load_release(tmp_path / "c.parquet")
        except SourceError as error:
            n_refused += "c.parquet is a damaged parquet file" in str(error) and "Fetch it again." in str(error)
    assert n_refused


def test_a_mapped_parquet_file(tmp_path):
    table = pl.DataFrame({"Nr": [1], "Who": [7], "When": [AT], "Words": ["Hi"], "Tags": [["x"]], "Sort": ["page"]})
    table.with_columns(Fans=pl.lit(3), Since=pl.lit(AT)).write_parquet(tmp_path / "t.parquet")
    (tmp_path / "dataset.toml").write_text(GENERIC)
    release = load_release(tmp_path)
    assert seen(posts_of(release)["1"], "account_id", "posted_at", "hashtags") == ("7", AT, ["x"])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('account_id = "Who"\n', ""), "lacks 'account_id'"),
        (('text = "Words"', 'txet = "Words"'), "Did you mean 'text'"),
        (('text = "Words"', "text = 3"), "Write it as a table"),
        (('text = "Words"', 'text = "Wrods"'), "Wrods"),
        (("[options.columns]", "[options.colums]"), "colums"),
    ],
)
def test_maps_that_are_wrong_say_how(tmp_path, change, said):
    with pytest.raises(SourceError, match=said):
        load(tmp_path, TABLE, name="t.csv", toml=GENERIC.replace(*change))


def test_a_kind_that_is_none_is_refused_by_the_contract(tmp_path):
    from workbench.schema import SchemaError

    with pytest.raises((SchemaError, SourceError)):
        load(tmp_path, TABLE.replace("page", "cult"), name="t.csv", toml=GENERIC)


BAD = [
    ("not json", "does not parse"),
    ("[1]", "no JSON object"),
    ('"words"', "no JSON object"),
    (json.dumps({**s.MASTODON, "id": None}), "lacks its post id"),
    (json.dumps({**s.MASTODON, "id": 1e22}), "rounded"),
    (json.dumps({**s.MASTODON, "id": "1.2e+17"}), "scientific notation"),
    (json.dumps({**s.MASTODON, "id": ["a"]}), "neither text nor number"),
    (json.dumps({**s.MASTODON, "created_at": "yesterday"}), "does not parse"),
    (json.dumps({**s.MASTODON, "created_at": None}), "lacks its time"),
    (json.dumps({**s.MASTODON, "created_at": "0001-01-01"}), "not within 1970"),
    (json.dumps({**s.MASTODON, "favourites_count": -1}), "negative"),
    (json.dumps({**s.MASTODON, "favourites_count": "many"}), "no number"),
    (json.dumps({**s.MASTODON, "account": "lv"}), "of another kind"),
    (json.dumps({**s.MASTODON, "tags": [3]}), "of another kind"),
]


@pytest.mark.parametrize(("line", "said"), BAD)
def test_a_bad_record_is_set_aside_with_line_and_reason(tmp_path, line, said):
    release = load(tmp_path, as_lines(s.MASTODON) + line + "\n" + as_lines({**s.MASTODON, "id": "9"}))
    assert set(posts_of(release)) == {"500", "9"}
    file, number, reason = release.quarantine.row(0)
    assert (file, number) == ("capture.ndjson", 2)
    assert said in reason
    decided = release.decisions.filter(pl.col("action").str.starts_with("read")).row(0, named=True)
    assert decided["n_before"] - decided["n_after"] == 1


def test_bytes_that_are_no_text_and_gzip_and_marks(tmp_path):
    raw = as_lines(s.MASTODON).encode() + b'{"id": "\xff"}\n\n'
    (tmp_path / "a.ndjson.gz").write_bytes(gzip.compress(b"\xef\xbb\xbf" + raw))
    release = load_release(tmp_path / "a.ndjson.gz")
    assert release.quarantine["reason"].to_list() == ["is not UTF-8"]
    (tmp_path / "b.ndjson.gz").write_bytes(gzip.compress(raw * 2000)[:-20])
    with pytest.raises(SourceError, match="damaged"):
        load_release(tmp_path / "b.ndjson.gz")


def test_a_broken_document_and_other_json(tmp_path):
    with pytest.raises(SourceError, match="neither JSON lines nor one JSON document"):
        load(tmp_path, '[\n{"id": 1},\n', name="a.json")
    with pytest.raises(SourceError, match=r"has no format we know.*options.columns"):
        load(tmp_path, '{"a": 1}\n', name="b.json")
    with pytest.raises(SourceError, match="has no format we know"):
        load(tmp_path, "[]", name="c.json")


def test_too_long_lines_and_documents_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("workbench.sources.json_parts.MAX_LINE_BYTES", 100)
    with pytest.raises(SourceError, match="longer than"):
        load(tmp_path, as_lines(s.MASTODON))
    monkeypatch.setattr("workbench.sources.json_parts.MAX_LINE_BYTES", 10_000)
    monkeypatch.setattr("workbench.sources.json_parts.MAX_DOCUMENT_BYTES", 100)
    with pytest.raises(SourceError, match="JSON lines, one object"):
        load(tmp_path, json.dumps([s.MASTODON], indent=1), name="d.json")


def test_pages_that_are_none(tmp_path):
    release = load(tmp_path, as_lines(s.V2_PAGE, {"data": [3], "includes": {}}, {"data": {"a": 1}, "includes": {}}))
    assert release.quarantine["line"].to_list() == [2, 3]


def test_other_zeeschuimer_platforms_and_tombstones(tmp_path):
    other = {**s.ZEESCHUIMER_X, "source_platform": "9gag.com"}
    gone = {**s.ZEESCHUIMER_X, "data": {"__typename": "TweetTombstone"}}
    reasons = load(tmp_path, as_lines(s.ZEESCHUIMER_X, other, gone)).quarantine["reason"].to_list()
    assert reasons == ["is from 9gag.com; only X and TikTok are read", "is a tombstone: the post is withheld or gone"]


def test_a_post_met_again_is_one_post_and_a_decision(tmp_path):
    release = load(tmp_path, as_lines(s.MASTODON, {**s.MASTODON, "language": None}, s.MASTODON))
    assert release.posts.height == 1
    assert any("once more" in action for action in release.decisions["action"])
    assert release.quarantine.is_empty()


def test_several_files_of_one_capture_share_their_accounts(tmp_path):
    for number in range(2):
        text = as_lines({**s.MASTODON, "id": str(number)})
        (tmp_path / f"{number}.ndjson").write_text(text, encoding="utf-8")
    release = load_release(tmp_path)
    assert (release.accounts.height, release.posts.height, release.quarantine.height) == (1, 2, 0)


@pytest.mark.parametrize(
    ("text", "expected", "resolution"),
    [
        ("2020-09-13T12:26:40.123Z", AT.replace(microsecond=123_000), 1e-3),
        ("2020-09-13T14:26:40+02:00", AT, 1.0),
        ("2020-09-13 08:26:40 EDT", AT, 1.0),
        ("2020-09-13 12:26", AT.replace(second=0), 60.0),
        ("2020-09-13", AT.replace(hour=0, minute=0, second=0), 86_400.0),
        ("13/09/2020 12:26:40", AT, 1.0),
        (1_600_000_000, AT, 1.0),
        ("1600000000.5", AT.replace(microsecond=500_000), 1e-3),
        (1_600_000_000_123, AT.replace(microsecond=123_000), 1e-3),
        (1_600_000_000_123_456, AT.replace(microsecond=123_456), 1e-6),
    ],
)
def test_moments(text, expected, resolution):
    assert read_moment(text) == (expected, resolution)


@pytest.mark.parametrize("text", ["", None, True, 0, "12:30", "2020-13-45", "99999999999999999999"])
def test_no_moments(text):
    with pytest.raises(UnreadableError):
        read_moment(text)


def test_counts():
    assert [count(value) for value in ("1,234", 7.0, "", "N/A", None, 2**70)] == [1234, 7, None, None, None, None]


def test_real_captures_are_read_whole(shared_data):
    expected = {
        "mastodon_statuses.jsonl": (1, 10),
        "telegram_telethon.jsonl": (1, 3),
        "twarc_v2_flattened.jsonl": (33, 33),
        "twarc_v2_pages.jsonl": (153, 164),
        "zeeschuimer_tiktok.ndjson": (19, 20),
        "zeeschuimer_twitter.ndjson": (16, 20),
    }
    for name, (n_accounts, n_posts) in expected.items():
        release = load_release(shared_data / "formats" / name)
        assert (release.accounts.height, release.posts.height, release.quarantine.height) == (n_accounts, n_posts, 0)


def test_every_source_says_what_it_reads():
    for name, module in SOURCES.items():
        assert module.__doc__, name
        assert all(layout.source == name for layout in module.LAYOUTS)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
RECORDS = [
    s.V2_FLAT,
    s.V1_RETWEET,
    s.ZEESCHUIMER_X,
    s.ZEESCHUIMER_TIKTOK,
    s.TELETHON,
    s.MASTODON,
    s.BLUESKY_FEED,
    s.SUBMISSION,
]


def replace_somewhere(record, path, value):
    """Walk down by the numbers of `path` and put the value where it ends."""
    if not path or not isinstance(record, dict | list) or not record:
        return value
    keys = list(record) if isinstance(record, dict) else list(range(len(record)))
    key = keys[path[0] % len(keys)]
    changed = dict(record) if isinstance(record, dict) else list(record)
    changed[key] = replace_somewhere(record[key], path[1:], value)
    return changed


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(RECORDS), st.lists(st.integers(0, 30), min_size=1, max_size=5), JSON)
def test_no_record_is_lost_whatever_stands_in_it(tmp_path, record, path, value):
    """Rows in = rows kept + rows set aside, or one clear error; never another exception."""
    text = as_lines(record, replace_somewhere(record, path, value))
    (tmp_path / "fuzz.ndjson").write_text(text, encoding="utf-8", errors="surrogatepass")
    release = load_release(tmp_path / "fuzz.ndjson")
    decided = release.decisions.filter(pl.col("action").str.starts_with("read")).row(0, named=True)
    assert decided["n_before"] - decided["n_after"] == release.quarantine.height


def test_records_are_yielded_with_their_lines(tmp_path):
    (tmp_path / "a.json").write_text('{"a": 1}\n\n{"b": 2}')
    assert [line for line, _, _ in read_objects(Part(tmp_path / "a.json"))] == [1, 3]
    assert capture.items({"a": 3}, "a") == []
