"""The synthetic release: its layout, its truth, and whether accounts act together as much as they should."""

import csv
import gzip
import hashlib
import io
import re
import tomllib
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.actions import extract_actions
from workbench.coaction import count_co_actions
from workbench.published import check_published
from workbench.schema import ParameterError
from workbench.simulate import release as release_module
from workbench.simulate import simulate_release
from workbench.simulate.accounts import make_accounts
from workbench.simulate.drafts import NONE, OUTSIDE, Pool, join_drafts, make_draft
from workbench.simulate.layout import TWEET_COLUMNS, USER_COLUMNS, lay_out
from workbench.simulate.phrases import load_texts, traditional
from workbench.simulate.profiles import SNOWFLAKE_EPOCH_MS, describe_accounts
from workbench.simulate.writer import ReleaseWriter
from workbench.sources import load_release

DEMO = Path(__file__).parents[1] / "datasets" / "demo"
SMALL = {"n_accounts": 1_500, "n_posts": 12_000, "seed": 3}
CAST = make_accounts(n_accounts=1_000, seed=1)
USERS = "tidehaven_synthetic_users.csv.gz"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simulate_release(tmp_path_factory.mktemp("simulated") / "small", **SMALL)


@pytest.fixture(scope="module")
def users(folder: Path) -> pl.DataFrame:
    return pl.read_csv(folder / USERS, infer_schema=False)


@pytest.fixture(scope="module")
def tweets(folder: Path) -> pl.DataFrame:
    files = sorted(folder.glob("*_tweets_*.csv.gz"))
    return pl.concat(pl.read_csv(file, infer_schema=False) for file in files)


@pytest.fixture(scope="module")
def truth(folder: Path) -> pl.DataFrame:
    return _read_truth(folder)


@pytest.fixture(scope="module")
def planted(folder: Path) -> pl.DataFrame:
    return _read_planted(folder)


def _read_planted(folder: Path) -> pl.DataFrame:
    """The campaign posts, with their local time at UTC+8."""
    tweets = pl.concat(pl.read_csv(file, infer_schema=False) for file in folder.glob("*_tweets_*.csv.gz"))
    posts = pl.read_csv(folder / "truth_posts.csv.gz", infer_schema=False).drop("account_id")
    at = pl.col("tweet_time").str.to_datetime("%Y-%m-%d %H:%M").dt.offset_by("8h")
    return posts.join(tweets, left_on="post_id", right_on="tweetid").with_columns(at=at)


def _read_truth(folder: Path) -> pl.DataFrame:
    strings = dict.fromkeys(("account_id", "cluster", "story"), pl.String)
    return pl.read_csv(folder / "truth.csv", schema_overrides=strings).with_columns(
        pl.col("cluster", "story").fill_null("")
    )


def _is_hashed(column: str) -> pl.Expr:
    return pl.col(column).str.contains(r"^[A-Za-z0-9+]{43}=$")


# --- files -----------------------------------------------------------------------------------------------------------


def test_same_arguments_give_the_same_bytes(folder: Path, tmp_path: Path):
    again = simulate_release(tmp_path / "again", **SMALL)
    assert {file.name: file.read_bytes() for file in again.iterdir()} == {
        file.name: file.read_bytes() for file in folder.iterdir()
    }


def test_another_seed_gives_other_accounts(users: pl.DataFrame, tmp_path: Path):
    other = simulate_release(tmp_path / "other", **{**SMALL, "seed": 4})
    assert users["userid"].is_in(pl.read_csv(other / USERS, infer_schema=False)["userid"].implode()).mean() < 0.01


@pytest.mark.parametrize(("pattern", "columns"), [("*_users*", USER_COLUMNS), ("*_tweets_*", TWEET_COLUMNS)])
def test_every_field_is_quoted_as_in_the_real_files(folder: Path, pattern: str, columns: tuple[str, ...]):
    assert (len(USER_COLUMNS), len(TWEET_COLUMNS)) == (10, 31)
    for file in folder.glob(pattern):
        text = gzip.decompress(file.read_bytes()).decode("utf-8")
        rows = list(csv.reader(io.StringIO(text, newline="")))
        assert tuple(rows[0]) == columns
        quoted = io.StringIO(newline="")
        csv.writer(quoted, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
        assert quoted.getvalue() == text


def test_files_carry_no_time_of_making_and_match_their_hashes(folder: Path):
    content = tomllib.loads((folder / "dataset.toml").read_text(encoding="utf-8"))
    assert set(content["files"]) == {file.name for file in folder.glob("tidehaven_*")}
    for name, sha256 in content["files"].items():
        raw = (folder / name).read_bytes()
        assert raw[4:8] == b"\0\0\0\0"
        assert hashlib.sha256(raw).hexdigest() == sha256


def test_it_is_labelled_synthetic_everywhere(folder: Path, users: pl.DataFrame):
    content = tomllib.loads((folder / "dataset.toml").read_text(encoding="utf-8"))
    assert content["is_synthetic"] is True
    assert content["title"].startswith("SYNTHETIC")
    assert content["licence"].startswith("SYNTHETIC")
    assert content["notes"][0].startswith("SYNTHETIC")
    readme = (folder / "README.md").read_text(encoding="utf-8")
    assert readme.startswith("# SYNTHETIC")
    assert not re.findall(r"\{\w+\}", readme)  # every figure is filled in
    bios = users.filter(pl.col("user_profile_description") != "")["user_profile_description"]
    assert len(bios) > 100
    assert bios.str.starts_with("Synthetic account").all()


def test_counts_made_while_streaming_equal_those_of_the_files(
    folder: Path, users: pl.DataFrame, tweets: pl.DataFrame, truth
):
    content = tomllib.loads((folder / "dataset.toml").read_text(encoding="utf-8"))
    figures = {figure["name"]: figure["value"] for figure in content["published"]}
    followers = users["follower_count"].cast(pl.Int64)
    assert tweets.height == SMALL["n_posts"] == content["announced"]["posts"] == figures["n_posts"]
    assert users.height == SMALL["n_accounts"] == content["announced"]["accounts"] + 4 == figures["n_accounts_listed"]
    assert figures["n_accounts_active"] == tweets["userid"].n_unique() < users.height
    assert figures["n_reposts"] == tweets.filter(pl.col("is_retweet") == "true").height
    assert (figures["followers_sum"], figures["followers_median"]) == (followers.sum(), followers.median())
    assert figures["posts_language_zh"] == tweets.filter(pl.col("tweet_language") == "zh").height
    counted = truth.join(tweets.group_by("userid").len(), left_on="account_id", right_on="userid", how="left")
    assert counted.filter(pl.col("n_posts") != pl.col("len").fill_null(0)).is_empty()


def test_many_slices_still_give_every_post_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(release_module, "POSTS_PER_SLICE", 1_000)
    folder = simulate_release(tmp_path / "sliced", **SMALL)
    files = list(folder.glob("*_tweets_*.csv.gz"))
    ids = pl.concat(pl.read_csv(file, infer_schema=False)["tweetid"] for file in files)
    assert len(files) >= 11
    assert len(ids) == ids.n_unique() == SMALL["n_posts"]


def test_the_real_reader_reads_all_of_it(folder: Path):
    release = load_release(folder)
    assert release.quarantine.is_empty()
    assert (release.accounts.height, release.posts.height) == (SMALL["n_accounts"], SMALL["n_posts"])
    assert release.about.is_synthetic
    assert (release.posts["time_resolution_s"] == 0.001).all()
    checks = check_published(release)
    assert checks.height >= 10
    assert set(checks["verdict"]) == {"matches"}


# --- rows ------------------------------------------------------------------------------------------------------------


def test_ids_are_unique_and_carry_the_stamp(tweets: pl.DataFrame):
    at_ms = (tweets["tweetid"].cast(pl.Int64) // 2**22) + SNOWFLAKE_EPOCH_MS
    decoded = at_ms.cast(pl.Datetime("ms")).dt.strftime("%Y-%m-%d %H:%M")
    assert tweets["tweetid"].is_unique().all()
    assert (decoded == tweets["tweet_time"]).all()


def test_ids_are_hashed_for_1_to_4999_followers_and_only_then(users: pl.DataFrame, tweets: pl.DataFrame):
    followers = pl.col("follower_count").cast(pl.Int64)
    for table in (users, tweets):
        for column in USER_COLUMNS[:3]:
            assert table.filter(_is_hashed(column) != followers.is_between(1, 4_999)).is_empty()
    plain = users.filter(~_is_hashed("userid"))
    assert plain["userid"].str.contains(r"^\d+$").all()
    assert users["userid"].is_unique().all()


def test_posts_repeat_what_the_users_file_says(users: pl.DataFrame, tweets: pl.DataFrame):
    assert tweets.select(USER_COLUMNS).unique().join(users, on=USER_COLUMNS, how="anti").is_empty()


def test_fields_look_like_the_real_ones(tweets: pl.DataFrame):
    assert tweets["tweet_time"].str.contains(r"^\d{4}-\d\d-\d\d \d\d:\d\d$").all()
    assert set(tweets["is_retweet"]) == {"true", "false"}
    assert set(tweets["latitude"]) == set(tweets["longitude"]) == {"absent"}
    for column in ("hashtags", "urls"):
        assert tweets[column].str.contains(r"^\[('[^']+'(, '[^']+')*)?\]$").all()
    assert tweets["user_mentions"].str.contains(r"^\[([^', ]+(, [^', ]+)*)?\]$").all()
    assert {"zh", "en", "es", "in", "und"} == set(tweets["tweet_language"])
    assert tweets["tweet_text"].str.contains("\n").any()


def test_reposts_follow_what_they_repeat(tweets: pl.DataFrame):
    reposts = tweets.filter(pl.col("is_retweet") == "true")
    assert reposts["tweet_text"].str.starts_with("RT @").all()
    source = tweets.select(retweet_tweetid="tweetid", author="userid", text="tweet_text")
    inside = reposts.join(source, on="retweet_tweetid")
    assert (inside["author"] == inside["retweet_userid"]).all()
    assert (inside["tweetid"].cast(pl.Int64) > inside["retweet_tweetid"].cast(pl.Int64)).all()
    assert inside.filter(~pl.col("tweet_text").str.ends_with(pl.col("text"))).height < 0.1 * inside.height
    assert 0 < reposts.height - inside.height < 0.01 * reposts.height


def test_some_posts_answer_quote_or_mention_accounts_in_and_outside_the_data(tweets: pl.DataFrame, users: pl.DataFrame):
    for column in ("in_reply_to_userid", "user_mentions"):
        named = tweets.select(pl.col(column).str.strip_chars("[]").str.split(", ").explode()).to_series()
        is_inside = named.filter(named != "").is_in(users["userid"].implode())
        assert is_inside.any()
        assert not is_inside.all()
    quotes = tweets.filter(pl.col("quoted_tweet_tweetid") != "")["quoted_tweet_tweetid"]
    assert quotes.is_in(tweets["tweetid"].implode()).all()


def test_nobody_posts_before_the_account_exists(tweets: pl.DataFrame):
    assert tweets.filter(pl.col("tweet_time").str.slice(0, 10) < pl.col("account_creation_date")).is_empty()


def test_every_address_ends_in_the_reserved_example_domain(folder: Path):
    everything = [gzip.decompress(file.read_bytes()).decode() for file in folder.glob("*.gz")]
    hosts = re.findall(r"(?:https?:)?//([^/\s'\"]+)", "".join(everything))
    assert len(hosts) > 1_000
    assert all(host.endswith(".example") for host in hosts)
    assert not re.search(r"\bwww\.|[\w.]+@[\w-]+\.\w", "".join(everything))


# --- truth -----------------------------------------------------------------------------------------------------------


def test_the_truth_covers_every_account_once(users: pl.DataFrame, truth: pl.DataFrame):
    assert sorted(truth["account_id"]) == sorted(users["userid"])
    operation, organic = truth.filter("is_operation"), truth.filter(~pl.col("is_operation"))
    assert 0.06 < operation.height / truth.height < 0.08
    assert set(operation["cluster"]) == {"tram", "toll", "market", ""}
    assert set(operation["group"]) == {"operation"}
    assert set(organic["cluster"]) == set(organic["story"]) == {""}
    assert not organic["is_core"].any()
    assert {"newsroom", "fans", "cooking"} <= set(organic["group"])
    assert truth.filter(pl.col("role") == "sister").height == 7


def test_only_operation_accounts_have_planted_posts(planted: pl.DataFrame, truth: pl.DataFrame):
    authors = truth.filter(pl.col("account_id").is_in(planted["userid"].unique().implode()))
    assert authors["is_operation"].all()
    pushed = planted.join(truth.select("account_id", pushes="story"), left_on="userid", right_on="account_id")
    # The toll accounts had an earlier story.
    assert pushed.filter((pl.col("story") != pl.col("pushes")) & (pl.col("story") != "clock")).is_empty()
    assert set(pushed.filter(pl.col("story") == "clock")["pushes"]) == {"toll"}


def test_the_campaign_keeps_office_hours_lunch_and_quiet_sundays():
    planted = _read_planted(DEMO)
    hour, weekday = planted["at"].dt.hour(), planted["at"].dt.weekday()
    by_hour = np.bincount(hour, minlength=24)
    by_day = np.bincount(weekday, minlength=8)
    assert hour.is_between(9, 17).mean() > 0.85
    assert by_hour[12] < 0.75 * by_hour[[10, 11, 14, 15]].mean()
    assert by_day[7] < 0.6 * by_day[1:6].mean()


def test_organic_accounts_keep_other_hours(tweets: pl.DataFrame, truth: pl.DataFrame):
    organic = tweets.join(truth.filter(pl.col("role") == "member"), left_on="userid", right_on="account_id")
    hour = organic["tweet_time"].str.to_datetime("%Y-%m-%d %H:%M").dt.offset_by("8h").dt.hour()
    assert hour.is_between(9, 17).mean() < 0.55


def test_the_campaign_speaks_chinese_and_english_for_ten_weeks(planted: pl.DataFrame):
    main = planted.filter(pl.col("story") != "clock")
    assert set(main["tweet_language"]) == {"zh", "en"}
    assert main["at"].min().date().isoformat() >= "2021-04-26"
    assert main["at"].max().date().isoformat() <= "2021-07-05"
    copied = main.filter(pl.col("tweet_text").str.contains("电车|電車")).height
    assert copied > 0
    assert main["tweet_text"].str.contains("電車|大橋|大廳").any()


def test_repurposed_accounts_change_language_after_a_silence(tweets: pl.DataFrame, truth: pl.DataFrame):
    repurposed = truth.filter("is_repurposed")
    posts = tweets.join(repurposed, left_on="userid", right_on="account_id")
    before = posts.filter(pl.col("tweet_time") < "2020-03")
    after = posts.filter(pl.col("tweet_time") >= "2020-10")
    assert 0.3 < repurposed.height / truth.filter("is_operation").height < 0.6
    assert set(before["tweet_language"]) == {"en", "es", "in"}
    assert after["tweet_language"].is_in(["zh", "en"]).mean() > 0.9
    assert posts.filter(pl.col("tweet_time").is_between(pl.lit("2020-03"), pl.lit("2020-08-19"))).is_empty()
    assert posts["tweet_text"].str.contains("test new owner|new own|^test").any()


def test_new_operation_accounts_were_made_in_bursts(users: pl.DataFrame, truth: pl.DataFrame):
    joined = users.join(truth, left_on="userid", right_on="account_id")
    days = joined.filter("is_operation")["account_creation_date"].value_counts(sort=True)
    assert set(days["account_creation_date"][:2]) == {"2020-08-19", "2020-08-31"}
    assert 0.25 < days["count"][:2].sum() / days["count"].sum() < 0.42
    organic = joined.filter(~pl.col("is_operation"))["account_creation_date"].value_counts(sort=True)
    assert organic["count"][0] < 0.01 * truth.height


def test_followers_of_the_operation_are_shaped_like_the_published_ones():
    cast = make_accounts(n_accounts=20_000, seed=5)
    accounts = describe_accounts(cast, seed=5)
    followers = accounts["follower_count"].filter(pl.Series(cast.group == "operation"))
    assert 4 <= followers.median() <= 20
    assert 0.2 < (followers == 0).mean() < 0.4
    assert 0.2 < (followers >= 5_000).mean() < 0.45


def test_the_sister_outlets_say_openly_what_they_are(users: pl.DataFrame, truth: pl.DataFrame):
    sisters = users.join(truth.filter(pl.col("group") == "newsroom"), left_on="userid", right_on="account_id")
    assert sisters["user_profile_description"].str.contains("sister outlets of the Tidehaven Courier").all()
    assert (sisters["follower_count"].cast(pl.Int64) >= 5_000).all()


# --- acting together -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rates() -> pl.DataFrame:
    """Pairs of the demo with the objects both touched at any time, and how often within a minute."""
    actions = extract_actions(load_release(DEMO).posts, traces=["url", "repost"])
    soon = count_co_actions(actions, time_window_s=60).rename({"n_co_actions": "soon"})
    ever = count_co_actions(actions, time_window_s=None)
    truth = _read_truth(DEMO).select(
        account_id="account_id",
        kind=pl.when(pl.col("role") == "core").then(pl.concat_str("story", pl.lit(" core"))).otherwise("role"),
    )
    pairs = ever.join(soon, on=["trace", "account_a", "account_b"], how="left").with_columns(
        pl.col("soon").fill_null(0)
    )
    for side in ("a", "b"):
        pairs = pairs.join(
            truth.rename({"account_id": f"account_{side}", "kind": f"kind_{side}"}), on=f"account_{side}"
        )
    return pairs.filter(pl.col("kind_a") == pl.col("kind_b")).rename({"kind_a": "kind"})


def test_core_pairs_act_together_far_more_often_than_is_due(rates: pl.DataFrame):
    urls = rates.filter(pl.col("trace") == "url")
    organic = urls.filter(pl.col("kind") == "member")
    usual = organic["soon"].sum() / organic["n_co_actions"].sum()
    assert usual < 0.1
    for kind in ("tram core", "toll core"):
        core = urls.filter(pl.col("kind") == kind)
        assert core["soon"].sum() > 5 * usual * core["n_co_actions"].sum()
        assert core["soon"].mean() > 3
        assert (core["soon"] > 0).mean() > 0.8


def test_fans_and_sisters_act_together_often_and_innocently(rates: pl.DataFrame):
    fans = rates.filter((pl.col("trace") == "repost") & (pl.col("kind") == "fan"))
    core = rates.filter((pl.col("trace") == "url") & (pl.col("kind") == "tram core"))
    assert fans["soon"].sum() > core["soon"].sum()
    assert fans["soon"].max() > core["soon"].median()
    sisters = rates.filter((pl.col("trace") == "url") & (pl.col("kind") == "sister"))
    assert sisters.height == 21
    assert sisters["soon"].min() > 100


def test_breaking_news_makes_organic_pairs_meet_within_a_minute(rates: pl.DataFrame):
    members = rates.filter(pl.col("kind") == "member")
    assert members["soon"].sum() > 1_000
    assert members["soon"].max() <= 5


# --- the demo --------------------------------------------------------------------------------------------------------


def test_the_demo_is_small_and_what_its_own_command_makes(tmp_path: Path):
    content = tomllib.loads((DEMO / "dataset.toml").read_text(encoding="utf-8"))
    for name, sha256 in content["files"].items():
        assert hashlib.sha256((DEMO / name).read_bytes()).hexdigest() == sha256
    sizes = [file.stat().st_size for file in DEMO.iterdir()]
    assert max(sizes) < 1_400_000
    assert sum(sizes) < 5_300_000
    numbers = re.fullmatch(r"workbench simulate --accounts (\d+) --posts (\d+) --seed (\d+)", content["source"])
    assert numbers
    n_accounts, n_posts, seed = map(int, numbers.groups())
    again = simulate_release(tmp_path / "demo", n_accounts=n_accounts, n_posts=n_posts, seed=seed)
    for file in again.glob("*.gz"):
        assert gzip.decompress(file.read_bytes()) == gzip.decompress((DEMO / file.name).read_bytes()), file.name
    for name in ("truth.csv", "README.md"):
        assert (again / name).read_bytes() == (DEMO / name).read_bytes()


# --- parts -----------------------------------------------------------------------------------------------------------


@given(seed=st.integers(0, 1_000), n=st.integers(1, 60), at_ms=st.integers(0, 2**40), segment=st.integers(0, 4))
def test_a_pool_draws_only_accounts_of_the_segment_that_exist(seed: int, n: int, at_ms: int, segment: int):
    cast, rng = CAST, np.random.default_rng(seed)
    codes = rng.choice(1_000, n, replace=False)
    segments, since = rng.integers(0, 4, n), rng.integers(0, 2**40, n)
    pool = Pool(cast, codes, segment=segments, since_ms=since, activity=rng.integers(0, 3, n).astype(float))
    drawn = pool.draw(rng, np.full(50, at_ms), np.full(50, segment))
    joined = np.maximum(since, cast.created_ms[codes])
    allowed = set(codes[(segments == segment) & (joined <= at_ms)].tolist())
    assert set(drawn.tolist()) <= allowed | {-1}


def test_joined_drafts_still_refer_to_the_same_rows():
    first = make_draft(account=np.array([1, 2]), at_ms=np.array([10, 20]), repost_of=np.array([NONE, 0]))
    second = make_draft(account=np.array([3, 4]), at_ms=np.array([30, 40]), repost_of=np.array([OUTSIDE, 0]))
    joined = join_drafts([first, second])
    assert joined["repost_of"].to_list() == [NONE, 0, OUTSIDE, 2]
    assert joined["account"].to_list() == [1, 2, 3, 4]


def test_traditional_texts_use_no_simplified_character():
    simplified = load_texts()["traditional"]["simplified"]
    for story in load_texts()["stories"].values():
        for part in story["zh-Hans"].values():
            assert not set(traditional("".join(part))) & set(simplified)


# --- bad input -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"n_accounts": 999}, "n_accounts must be at least 1000, found 999"),
        ({"n_posts": 7_499}, r"n_posts must be between 5 per account \(7500\)"),
        ({"n_posts": 10_000_001}, "and 10000000, found 10000001"),
        ({"seed": -1}, "seed must be 0 or more, found -1"),
    ],
)
def test_numbers_out_of_range_are_refused(tmp_path: Path, wrong: dict[str, int], says: str):
    with pytest.raises(ParameterError, match=says):
        simulate_release(tmp_path / "none", **{**SMALL, **wrong})
    assert not (tmp_path / "none").exists()


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path):
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(ParameterError, match="must not exist or be an empty folder"):
        simulate_release(tmp_path, **SMALL)
    with pytest.raises(ParameterError, match="must not exist or be an empty folder"):
        simulate_release(tmp_path / "mine.txt", **SMALL)
    assert (tmp_path / "mine.txt").read_text() == "precious"


def test_a_run_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def fail(self: ReleaseWriter, *, n_posts: int) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(ReleaseWriter, "finish", fail)
    with pytest.raises(OSError, match="disk full"):
        simulate_release(tmp_path / "broken", **SMALL)
    assert list(tmp_path.iterdir()) == []


def test_more_posts_than_ids_in_one_slice_are_refused():
    users = describe_accounts(CAST, seed=1)
    many = np.zeros(2**19 + 1, dtype=np.int64)
    with pytest.raises(ParameterError, match="one slice of days may hold 524288 posts"):
        lay_out(make_draft(account=many, at_ms=many), CAST, users, number=1, rng=np.random.default_rng(1))
