"""Share logs of CooRTweet and of the coordination network toolkit."""

from datetime import UTC, datetime

import polars as pl
import pytest

from workbench.actions import extract_actions
from workbench.coaction import count_co_actions
from workbench.schema import SourceError
from workbench.sources import load_release
from workbench.sources.twitter_archive import ACCOUNT_COLUMNS

HEADER = "object_id,account_id,content_id,timestamp_share\n"


def described(write, rows: str, options: str = ""):
    write("log/shares.csv", HEADER + rows)
    toml = write("log/dataset.toml", f'title = "t"\nplatform = "lanternbook"\n[options]\n{options}\n')
    return load_release(toml.parent)


def test_objects_are_reposted_posts_unless_the_dataset_says_otherwise(write):
    release = load_release(write("s.csv", HEADER + "o1,a,c1,1623900291\no1,b,c2,1623900292\n"))
    assert release.posts.select("post_id", "account_id", "repost_of_id", "time_resolution_s").rows() == [
        ("c1", "a", "o1", 1.0),
        ("c2", "b", "o1", 1.0),
    ]
    assert release.posts["posted_at"][0] == datetime(2021, 6, 17, 3, 24, 51, tzinfo=UTC)
    assert release.accounts["account_id"].to_list() == ["a", "b"]
    assert "took the objects of s.csv for reposted posts" in release.decisions["action"].to_list()


@pytest.mark.parametrize(
    ("trace", "column", "value"),
    [
        ("repost", "repost_of_id", "o1"),
        ("url", "urls", ["o1"]),
        ("hashtag", "hashtags", ["o1"]),
        ("same_text", "text", "o1"),
    ],
)
def test_the_option_trace_says_what_objects_are(write, trace, column, value):
    release = described(write, "o1,a,c1,1\n", f'trace = "{trace}"')
    assert release.posts[column].to_list() == [value]
    assert not release.decisions["action"].str.contains("took the objects").any()


def test_an_unknown_trace_is_refused_with_the_nearest(write):
    with pytest.raises(SourceError, match=r"trace is 'reposts', expected one of repost, .* Did you mean 'repost'"):
        described(write, "o1,a,c1,1\n", 'trace = "reposts"')


def test_a_post_with_several_objects_stays_one_post_where_the_trace_allows_lists(write):
    posts = described(write, "o1,a,c1,1\no2,a,c1,1\no1,b,c2,2\n", 'trace = "url"').posts
    assert posts.select("post_id", "urls").rows() == [("c1", ["o1", "o2"]), ("c2", ["o1"])]


def test_and_becomes_one_post_per_object_elsewhere_so_that_no_share_is_lost(write):
    release = described(write, "o1,a,c1,1\no2,a,c1,1\n", 'trace = "repost"')
    assert release.posts.select("post_id", "repost_of_id").rows() == [("c1", "o1"), ("c1#2", "o2")]
    assert release.decisions["action"].str.contains("kept 1 posts of shares.csv that share several objects").any()


def test_one_share_written_twice_is_counted_once(write):
    release = described(write, "o1,a,c1,1\no1,a,c1,1\n")
    assert release.quarantine.rows() == [
        ("shares.csv", 3, "repeats a share of the post on line 2: one share is counted once")
    ]
    assert release.posts.height == 1


@pytest.mark.parametrize("again", ["o2,b,c1,1", "o2,a,c1,9"])
def test_a_content_id_of_another_account_or_time_is_set_aside(write, again):
    release = described(write, f"o1,a,c1,1\n{again}\n", 'trace = "url"')
    assert release.quarantine["reason"].to_list() == ["content_id repeats that of line 2, with another account or time"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (
            "o1,a,c2,1623900291000",
            "timestamp_share is 1623900291000, not within 1970 to 2100 in seconds (milliseconds?)",
        ),
        ("o1,a,c2,-5", "timestamp_share is -5, not within 1970 to 2100 in seconds (milliseconds?)"),
        ("o1,a,c2,nan", "timestamp_share is nan, not within 1970 to 2100 in seconds (milliseconds?)"),
        ("o1,a,c2,inf", "timestamp_share is inf, not within 1970 to 2100 in seconds (milliseconds?)"),
        ("o1,a,c2,noon", "timestamp_share does not parse as a time (noon)"),
        ("o1,a,c2,", "lacks its timestamp_share"),
        (",a,c2,1", "lacks its object_id"),
        ("o1, ,c2,1", "lacks its account_id"),
        ("o1,a,1.14E+18,1", "content_id is in scientific notation (1.14E+18): a spreadsheet rounded it"),
    ],
)
def test_shares_that_cannot_be_read_are_set_aside(write, row, reason):
    release = described(write, f"o1,a,c1,1\n{row}\n")
    assert release.quarantine.rows() == [("shares.csv", 3, reason)]
    assert release.posts.height == 1


def test_times_may_be_written_out_and_may_have_fractions(write):
    release = load_release(write("s.csv", HEADER + "o1,a,c1,2021-06-17 03:24:51\no1,b,c2,1623900291.25\n"))
    assert release.posts["posted_at"].dt.microsecond().to_list() == [0, 250_000]
    assert release.posts["time_resolution_s"].to_list() == [1e-6, 1e-6]


def test_parquet_reads_like_text_and_float_ids_are_set_aside(tmp_path):
    table = pl.DataFrame(
        {
            "object_id": ["o1", "o1"],
            "account_id": ["a", None],
            "content_id": ["c1", "c2"],
            "timestamp_share": [1.0, 2.0],
        }
    ).with_columns(pl.col("object_id").cast(pl.Categorical))
    table.write_parquet(tmp_path / "s.parquet")
    release = load_release(tmp_path / "s.parquet")
    assert release.posts["repost_of_id"].to_list() == ["o1"]
    assert release.quarantine.rows() == [("s.parquet", 2, "lacks its account_id")]
    table.with_columns(content_id=pl.Series([1.1452121846511329e18, 2.5e18])).write_parquet(tmp_path / "f.parquet")
    with pytest.raises(
        SourceError, match="none of 2 records can be read; most often: content_id is in scientific notation"
    ):
        load_release(tmp_path / "f.parquet")


def test_a_damaged_parquet_file_is_refused(write, tmp_path):
    with pytest.raises(SourceError, match="damaged parquet file"):
        load_release(write("s.parquet", b"PAR1 and then nothing of the kind"))
    columns = ("object_id", "account_id", "content_id", "timestamp_share")
    pl.DataFrame({name: [f"{name}{i}" for i in range(5000)] for name in columns}).write_parquet(tmp_path / "s.parquet")
    content = bytearray((tmp_path / "s.parquet").read_bytes())
    content[200:260] = b"\0" * 60
    with pytest.raises(SourceError, match="damaged parquet file"):
        load_release(write("s.parquet", bytes(content)))


def test_a_parquet_column_of_lists_is_refused(tmp_path):
    table = pl.DataFrame({"object_id": [["o"]], "account_id": ["a"], "content_id": ["c"], "timestamp_share": [1]})
    table.write_parquet(tmp_path / "s.parquet")
    with pytest.raises(SourceError, match=r"column 'object_id' holds List\(String\), expected plain values"):
        load_release(tmp_path / "s.parquet")


def test_the_eight_columns_of_the_toolkit(write):
    rows = [
        "message_id,user_id,username,repost_id,reply_id,message,timestamp,urls",
        "1,u1,lamp,,,hello,1606451170.5,\"['https://example.org/2', 'https://example.org/3']\"",
        "2,u2,quay,1,,,1606451171,https://example.org/2  https://example.org/4",
        "3,u1,lamp,,2,ahoy,1606451172,",
    ]
    release = load_release(write("m.csv", "\ufeff" + "\n".join(rows) + "\n"))
    assert release.posts.select("post_id", "account_id", "text", "urls", "repost_of_id", "reply_to_id").rows() == [
        ("1", "u1", "hello", ["https://example.org/2", "https://example.org/3"], None, None),
        ("2", "u2", None, ["https://example.org/2", "https://example.org/4"], "1", None),
        ("3", "u1", "ahoy", [], None, "2"),
    ]
    assert release.accounts.select("account_id", "handle").rows() == [("u1", "lamp"), ("u2", "quay")]


def test_the_real_reposts_keep_every_share(shared_data):
    path = shared_data / "cooRTweet" / "russian_coord_tweets.parquet"
    release = load_release(path)
    shares = pl.read_parquet(path).select(pl.col("object_id", "account_id").cast(pl.String), "timestamp_share")
    assert release.quarantine.height == 1
    kept = release.posts.select(
        object_id="repost_of_id",
        account_id="account_id",
        timestamp_share=pl.col("posted_at").dt.epoch("s").cast(pl.Float64),
    )
    assert kept.sort(kept.columns).equals(shares.unique().sort(shares.columns))
    assert release.posts["post_id"].is_unique().all()


@pytest.mark.parametrize(
    ("trace", "time_window_s", "min_participation"), [("repost", 60, 1), ("url", 60, 2), ("url", 10, 2)]
)
def test_co_actions_of_the_loaded_shares_are_those_of_the_reference(
    shared_data, write, tmp_path, trace, time_window_s, min_participation
):
    folder = shared_data / "cooRTweet"
    files = '[files]\n"russian_coord_tweets.parquet" = ""\n'
    write("ru/dataset.toml", f'title = "t"\nplatform = "twitter"\n{files}[options]\ntrace = "{trace}"\n')
    actions = extract_actions(load_release(tmp_path / "ru", files=folder).posts, traces=[trace])
    ours = count_co_actions(actions, time_window_s=time_window_s, min_participation=min_participation)
    theirs = pl.read_csv(
        folder / f"cooRTweet_ru_tw{time_window_s}_mp{min_participation}_g0_edges.csv", infer_schema=False
    )
    pair = [pl.min_horizontal("from", "to").alias("account_a"), pl.max_horizontal("from", "to").alias("account_b")]
    expected = theirs.select(*pair, n_co_actions=pl.col("weight").cast(pl.Int64))
    assert ours.select(expected.columns).sort("account_a", "account_b").equals(expected.sort("account_a", "account_b"))


def test_the_toolkits_own_files(shared_data):
    for name, n in (("qut_sample_data.csv", 100), ("qut_coretweet_test_input.csv", 15)):
        release = load_release(shared_data / "qut" / name)
        assert (release.posts.height, release.quarantine.height) == (n, 0)


def test_an_account_that_is_listed_too_is_the_listed_one(write):
    listed = dict.fromkeys(ACCOUNT_COLUMNS, "")
    listed |= {"userid": "11", "user_screen_name": "lamp", "follower_count": "9", "following_count": "1"}
    listed |= {"account_creation_date": "2019-01-01", "account_language": "en"}
    write("both/a_shares.csv", HEADER + "o1,11,1,1623900291\no1,12,2,1623900292\n")
    users = write("both/z_users.csv", ",".join(ACCOUNT_COLUMNS) + "\n" + ",".join(listed.values()) + "\n")
    release = load_release(users.parent)
    assert dict(release.accounts.select("account_id", "handle").rows()) == {"11": "lamp", "12": None}
    assert release.quarantine.is_empty(), "no row of a file was left out"
