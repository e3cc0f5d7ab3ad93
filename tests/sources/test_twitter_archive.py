"""Twitter's Information Operations layout, read and judged."""

import gzip
import io
import zipfile
from datetime import UTC, datetime

import polars as pl
import pytest

from workbench.schema import SourceError
from workbench.sources import load_release

HASH = "Q7wMm2zemFOF7kmXoDyX24Bo+TorqhNutpZlATYyxsE="


def reasons(release):
    return release.quarantine.select("line", "reason").rows()


def accounted(release):
    """Rows kept and set aside, which must be the rows that were there."""
    return release.accounts.height, release.posts.height, release.quarantine.height


def test_an_account_row_is_read_column_by_column(write, users_csv):
    release = load_release(write("users.csv", users_csv({"user_reported_location": ""})))
    assert release.accounts.to_dicts() == [
        {
            "account_id": "1001",
            "platform": "twitter",
            "kind": "account",
            "handle": "harbour_lamp",
            "display_name": "Harbour Lamp",
            "created_at": datetime(2017, 8, 30, tzinfo=UTC),
            "n_followers": 12,
            "n_following": 3,
            "location": None,
            "description": "synthetic",
            "language": "zh-cn",
            "is_pseudonymous": False,
            "source_file": "users.csv",
        }
    ]
    assert release.about.platform == "twitter"


def test_a_post_row_is_read_column_by_column(write, tweets_csv):
    row = {
        "tweet_text": "Late again\nas ever #ferry",
        "in_reply_to_userid": "77",
        "in_reply_to_tweetid": "19",
        "quoted_tweet_tweetid": "18",
        "hashtags": "['ferry', 'Lantern']",
        "urls": "['https://example.org/a, b']",
        "user_mentions": "[77, 78]",
    }
    post = load_release(write("tweets.csv", tweets_csv(row))).posts.drop("source_file").row(0, named=True)
    assert post == {
        "post_id": "20",
        "account_id": "1001",
        "platform": "twitter",
        "posted_at": datetime(2019, 6, 30, 6, 7, tzinfo=UTC),
        "time_resolution_s": 60.0,
        "text": "Late again\nas ever #ferry",
        "lang": "en",
        "client": "Web",
        "urls": ["https://example.org/a, b"],
        "hashtags": ["ferry", "Lantern"],
        "mentions": ["77", "78"],
        "repost_of_id": None,
        "repost_of_account_id": None,
        "reply_to_id": "19",
        "reply_to_account_id": "77",
        "quote_of_id": "18",
        "media_hashes": [],
        "n_reposts": 2,
        "n_likes": 1,
        "n_replies": 0,
    }


def test_a_repost_has_the_text_it_repeats(write, tweets_csv):
    rows = [
        {
            "tweetid": "21",
            "is_retweet": "true",
            "retweet_tweetid": "9",
            "retweet_userid": "8",
            "tweet_text": "RT @bay_news: Hi",
        },
        {"tweetid": "22", "tweet_text": "RT @bay_news: typed by hand"},
    ]
    release = load_release(write("tweets.csv", tweets_csv(*rows)))
    assert release.posts.select("text", "repost_of_id", "repost_of_account_id").rows() == [
        ("Hi", "9", "8"),
        ("RT @bay_news: typed by hand", None, None),
    ]
    assert "removed RT and the name from the text of 1 reposts in tweets.csv" in release.decisions["action"].to_list()


@pytest.mark.parametrize(
    ("cell", "items"),
    [
        ("[]", []),
        ("", []),
        ("absent", []),
        ("['a', 'b']", ["a", "b"]),
        ("[a, b]", ["a", "b"]),
        ("[123, 456]", ["123", "456"]),
        ("[\"it's\", 'x']", ["it's", "x"]),
        (r"['it\'s']", ["it's"]),
        ("['#香港', '＃ferry']", ["香港", "ferry"]),
        ("[a,b]", ["a", "b"]),
    ],
)
def test_lists_are_read_however_they_are_quoted(write, tweets_csv, cell, items):
    assert load_release(write("tweets.csv", tweets_csv({"hashtags": cell}))).posts["hashtags"].to_list() == [items]


@pytest.mark.parametrize("account_id", [HASH, HASH.replace("+", ""), "ab12" * 16])
def test_hashed_ids_make_pseudonymous_accounts_whatever_their_followers(write, users_csv, account_id):
    rows = [{"userid": account_id, "follower_count": "9000"}, {"userid": "2", "follower_count": "0"}]
    accounts = load_release(write("users.csv", users_csv(*rows))).accounts
    assert dict(accounts.select("account_id", "is_pseudonymous").iter_rows()) == {account_id: True, "2": False}


def test_accounts_without_posts_and_posts_without_listed_accounts_both_survive(write, users_csv, tweets_csv):
    users = write("users.csv", users_csv({"userid": "1"}, {"userid": "2"}))
    tweets = write("tweets.csv", tweets_csv({"tweetid": "21", "userid": "2"}, {"tweetid": "22", "userid": "3"}))
    release = load_release([tweets, users])
    assert release.accounts.select("account_id", "source_file").rows() == [
        ("1", "users.csv"),
        ("2", "users.csv"),
        ("3", None),
    ]
    added = release.decisions.filter(pl.col("action") == "added 1 accounts known only from their posts")
    assert added.select("n_before", "n_after").row(0) == (2, 3)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"tweetid": "1.14521E+18"}, "tweetid is in scientific notation (1.14521E+18): a spreadsheet rounded it"),
        (
            {"tweetid": "1145212184651132928.0"},
            "tweetid has a decimal point: it went through a number and may be rounded",
        ),
        ({"tweetid": ""}, "lacks its tweetid"),
        ({"tweetid": "no id"}, "tweetid is neither digits nor a hash"),
        ({"userid": "8.2e+9"}, "userid is in scientific notation (8.2e+9): a spreadsheet rounded it"),
        (
            {"retweet_tweetid": "1,1E+18"},
            "retweet_tweetid is in scientific notation (1,1E+18): a spreadsheet rounded it",
        ),
        ({"tweet_time": "30/06/2019 6am"}, "tweet_time does not parse as a time (30/06/2019 6am)"),
        ({"tweet_time": "2019-02-30 06:07"}, "tweet_time does not parse as a time (2019-02-30 06:07)"),
        ({"tweet_time": ""}, "lacks its tweet_time"),
        ({"account_creation_date": "long ago"}, "account_creation_date does not parse as a time (long ago)"),
        ({"like_count": "-3"}, "like_count is negative"),
        ({"retweet_count": "many"}, "retweet_count is not a whole number"),
        ({"reply_count": "1.5"}, "reply_count is not a whole number"),
        ({"follower_count": "-1"}, "follower_count is negative"),
        ({"hashtags": "ferry"}, "hashtags is not a list in brackets"),
        ({"is_retweet": "maybe"}, "is_retweet is neither true nor false"),
    ],
)
def test_what_cannot_be_read_is_set_aside_with_its_reason(write, tweets_csv, change, reason):
    release = load_release(write("tweets.csv", tweets_csv({}, {"tweetid": "21", **change})))
    assert reasons(release) == [(3, reason)]
    assert accounted(release) == (1, 1, 1)


@pytest.mark.parametrize(
    ("stamp", "moment", "resolution_s"),
    [
        ("2019-06-30 06:07", datetime(2019, 6, 30, 6, 7, tzinfo=UTC), 60.0),
        ("2019-06-30 06:07:08", datetime(2019, 6, 30, 6, 7, 8, tzinfo=UTC), 1.0),
        ("2019-06-30T06:07:08Z", datetime(2019, 6, 30, 6, 7, 8, tzinfo=UTC), 1.0),
        ("2019-06-30 06:07:08.250 UTC", datetime(2019, 6, 30, 6, 7, 8, 250000, tzinfo=UTC), 1.0),
    ],
)
def test_stamps_are_read_with_their_resolution(write, tweets_csv, stamp, moment, resolution_s):
    post = load_release(write("tweets.csv", tweets_csv({"tweet_time": stamp}))).posts.row(0, named=True)
    assert (post["posted_at"], post["time_resolution_s"]) == (moment, resolution_s)


def test_a_post_id_that_occurs_twice_is_kept_once(write, tweets_csv):
    one = write("one.csv", tweets_csv({"tweetid": "21"}, {"tweetid": "22"}, {"tweetid": "21", "tweet_text": "other"}))
    two = write("two.csv", tweets_csv({"tweetid": "22"}))
    release = load_release([one, two])
    assert release.quarantine.rows() == [
        ("one.csv", 4, "post_id repeats the id of line 2 of one.csv"),
        ("two.csv", 2, "post_id repeats the id of line 3 of one.csv"),
    ]
    assert release.posts["post_id"].to_list() == ["21", "22"]
    assert "kept the first of 2 posts whose id occurs twice" in release.decisions["action"].to_list()


def test_an_account_listed_twice_is_kept_once(write, users_csv):
    release = load_release(write("users.csv", users_csv({"userid": "1"}, {"userid": "1"})))
    assert reasons(release) == [(3, "account_id repeats the id of line 2 of users.csv")]


def packed(**members: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return out.getvalue()


def test_plain_gzip_and_zip_parts_read_alike(write, tweets_csv):
    text = tweets_csv({"tweetid": "21"}, {"tweetid": "22", "tweet_time": "never"})
    plain = load_release(write("t.csv", text))
    for path in (write("t.csv.gz", gzip.compress(text.encode())), write("t.zip", packed(**{"in/t.csv": text}))):
        release = load_release(path)
        assert release.posts.drop("source_file").equals(plain.posts.drop("source_file"))
        assert release.quarantine.select("line", "reason").equals(plain.quarantine.select("line", "reason"))
    assert release.quarantine["file"].to_list() == ["t.zip/in/t.csv"]


def test_a_zip_of_several_parts_leaves_out_what_is_no_table(write, users_csv, tweets_csv):
    content = packed(
        **{
            "users.csv": users_csv({}),
            "tweets_1.csv": tweets_csv({"tweetid": "21"}),
            "tweets_2.csv": tweets_csv({"tweetid": "22"}),
            "__MACOSX/._users.csv": "junk",
            ".DS_Store": "junk",
            "readme.pdf": "junk",
        }
    )
    release = load_release(write("release.zip", content))
    assert accounted(release) == (1, 2, 0)
    assert "left release.zip/readme.pdf aside" in release.decisions["action"].to_list()


def test_columns_that_nothing_is_made_of_may_be_missing_and_others_are_left_out(write, tweets_csv):
    table = pl.read_csv(tweets_csv({}).encode(), infer_schema=False).drop("latitude").with_columns(note=pl.lit("x"))
    release = load_release(write("t.csv", table.write_csv()))
    actions = release.decisions["action"].to_list()
    assert "left out columns 'note' of t.csv" in actions
    assert "read t.csv without its columns 'latitude'" in actions
    assert release.posts.height == 1


def test_a_missing_column_is_named(write, tweets_csv):
    table = pl.read_csv(tweets_csv({}).encode(), infer_schema=False).drop("tweet_time")
    with pytest.raises(SourceError, match=r"t\.csv looks like twitter_archive tweets but lacks column 'tweet_time'"):
        load_release(write("t.csv", table.write_csv()))


def test_a_misnamed_column_is_named_with_its_nearest(write, users_csv):
    text = users_csv({}).replace("follower_count", "followers_count")
    with pytest.raises(SourceError, match=r"lacks column 'follower_count' \(rename 'followers_count'\?\)"):
        load_release(write("u.csv", text))


def test_the_broken_sample_of_twitters_own_files(shared_data):
    release = load_release(shared_data / "twitter_io" / "ira_tweets_sample_broken_quote.csv")
    assert (release.posts.height, release.quarantine.height) == (407, 1)
    file, line, reason = release.quarantine.row(0)
    assert (file, line) == ("ira_tweets_sample_broken_quote.csv", 998)
    assert "quote" in reason
    assert release.posts["time_resolution_s"].unique().to_list() == [0.001]


def test_rounded_ids_of_a_republished_file_restore_no_time(shared_data):
    release = load_release(shared_data / "twitter_io" / "china_082019_tweets_hk_42rows.csv")
    assert (release.posts.height, release.quarantine.height) == (42, 0)
    assert release.posts["time_resolution_s"].unique().to_list() == [60.0]
    assert release.decisions["action"].str.contains("kept the stamps of all 42 posts").any()


def test_the_real_users_file(shared_data):
    release = load_release(shared_data / "twitter_io" / "china_082019_1_users_csv_hashed.csv")
    assert accounted(release) == (744, 0, 0)
    assert release.accounts["is_pseudonymous"].sum() == 254
    assert release.accounts.filter(pl.col("is_pseudonymous"))["n_followers"].is_between(1, 4999).all()
