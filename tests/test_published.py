"""Published figures against a release."""

from dataclasses import replace
from datetime import UTC, datetime

import polars as pl
import pytest

from workbench.published import check_published, reconcile
from workbench.published_figures import FIGURES, find_figure
from workbench.schema import About, PublishedFigure, Release, check_table, empty_table
from workbench.sources import load_release


def made(day):
    return datetime.fromisoformat(day).replace(tzinfo=UTC)


ACCOUNTS = pl.DataFrame(
    {
        "account_id": ["1", "2", "3", "4", "5"],
        "platform": "twitter",
        "kind": "account",
        "handle": ["a", "b", "c", "d", "e"],
        "display_name": ["A", "A", None, "D", "E"],
        "created_at": [
            made("2017-08-30"),
            made("2017-08-30"),
            made("2017-08-18"),
            made("2018-01-01"),
            made("2019-01-01"),
        ],
        "n_followers": [0, 10, 20, 5000, 7],
        "n_following": [1, 2, 3, None, 4],
        "location": ["Quay", None, "Quay", None, None],
        "description": ["x", None, None, None, None],
        "language": ["zh-cn", "zh-CN", "en", None, "en"],
        "is_pseudonymous": [False, True, True, False, False],
        "source_file": ["u1.csv", "u1.csv", "u2.csv", "u2.csv", None],
    }
)
HASHTAGS = [["a"], ["a"], [], ["a", "b"], []]
POSTS = empty_table("posts").select(
    pl.lit(pl.Series("post_id", ["11", "12", "13", "14", "15"])),
    account_id=pl.Series(["1", "1", "2", "3", "5"]),
    platform=pl.lit("twitter"),
    # 00:59, 01:00, 09:59, 10:00 UTC are 08:59, 09:00, 17:59, 18:00 in Beijing
    posted_at=pl.Series(
        [
            datetime(2019, 6, 1, 0, 59, 30, tzinfo=UTC),
            datetime(2019, 6, 1, 1, 0, tzinfo=UTC),
            datetime(2019, 6, 1, 9, 59, tzinfo=UTC),
            datetime(2019, 6, 1, 10, 0, tzinfo=UTC),
            datetime(2018, 12, 31, 16, 0, tzinfo=UTC),
        ],
        dtype=pl.Datetime("us", "UTC"),
    ),
    time_resolution_s=pl.lit(60.0),
    text=pl.Series(["hello", "hello", "RT @x: hello", "hello", "hello"]),
    lang=pl.Series(["zh", "zh", "zh", "zh", "en"]),
    client=pl.lit(None, dtype=pl.String),
    urls=pl.lit([], dtype=pl.List(pl.String)),
    hashtags=pl.Series(HASHTAGS),
    mentions=pl.lit([], dtype=pl.List(pl.String)),
    repost_of_id=pl.Series([None, None, None, "9", "8"]),
    repost_of_account_id=pl.Series([None, None, None, "77", "78"]),
    reply_to_id=pl.lit(None, dtype=pl.String),
    reply_to_account_id=pl.lit(None, dtype=pl.String),
    quote_of_id=pl.lit(None, dtype=pl.String),
    media_hashes=pl.lit([], dtype=pl.List(pl.String)),
    n_reposts=pl.lit(0),
    n_likes=pl.lit(0),
    n_replies=pl.lit(0),
    source_file=pl.Series(["t1.csv", "t1.csv", "t1.csv", "t2.csv", "t2.csv"]),
)
HOLDS = {"u1.csv": "accounts", "u2.csv": "accounts", "t1.csv": "posts", "t2.csv": "posts"}


def release(*published, files=("u1.csv", "u2.csv", "t1.csv", "t2.csv"), **about):
    states = {name: "00" if name in files else "absent" for name in HOLDS}
    return Release(
        accounts=check_table(ACCOUNTS, "accounts").filter(
            pl.col("source_file").is_in(files) | pl.col("source_file").is_null()
        ),
        posts=check_table(POSTS, "posts").filter(pl.col("source_file").is_in(files)),
        decisions=empty_table("decisions"),
        quarantine=empty_table("quarantine"),
        about=About("t", "t", "twitter", files=states, published=published, options={"holds": HOLDS}, **about),
    )


def check(name, value=1.0, tolerance=0.0, **given):
    return check_published(release(PublishedFigure(name, value, "us", tolerance), **given)).row(0, named=True)


COUNTED = [
    ("n_accounts_listed", "4"),
    ("n_accounts_active", "4"),
    ("n_display_names_active", "2"),
    ("n_accounts_pseudonymous", "2"),
    ("accounts_language_zh-cn", "1"),
    ("accounts_language_any_case_zh-cn", "2"),
    ("n_account_languages", "3"),
    ("accounts_created_on_2017-08-30", "2"),
    ("accounts_created_in_2017-08", "3"),
    ("accounts_created_in_2017", "3"),
    ("n_creation_days", "3"),
    ("n_created_on_commonest_day", "2"),
    ("first_account_created_on", "2017-08-18"),
    ("last_account_created_on", "2018-01-01"),
    ("followers_sum", "5,030"),
    ("followers_mean", "1,257.5"),
    ("followers_median", "15"),
    ("followers_p75", "1,265"),
    ("followers_max", "5,000"),
    ("followers_n_zero", "1"),
    ("followers_n_at_least_5000", "1"),
    ("followers_n_below_10", "1"),
    ("following_sum", "6"),
    ("following_mean", "2"),
    ("following_median", "2"),
    ("following_p75", "2.5"),
    ("following_max", "3"),
    ("following_n_zero", "0"),
    ("following_n_at_least_2", "2"),
    ("n_locations_filled", "2"),
    ("n_locations", "1"),
    ("n_bios_filled", "1"),
    ("n_posts", "5"),
    ("n_reposts", "2"),
    ("posts_language_zh", "4"),
    ("n_unique_texts", "4"),
    ("n_unique_minutes", "5"),
    ("n_hashtag_lists", "3"),
    ("n_post_languages", "2"),
    ("n_posts_rt", "3"),
    ("posts_rt_frac", "0.6"),
    ("n_posts_not_rt", "2"),
    ("posts_not_rt_language_zh", "2"),
    ("posts_not_rt_language_zh_frac", "1"),
    ("posts_not_rt_languages_en+zh", "2"),
    ("posts_not_rt_languages_en+zh_in_2019", "2"),
    ("posts_working_hours_frac_zh", "0.5"),
    ("posts_working_hours_frac_zh_since_2019-06-01", "0.5"),
]


@pytest.mark.parametrize(("name", "computed"), COUNTED)
def test_each_figure_on_a_release_counted_by_hand(name, computed):
    assert check(name)["computed"] == computed


def test_every_figure_is_counted_above():
    counted = {figure.name for name, _ in COUNTED if (figure := find_figure(name)[0])}
    assert counted == {figure.name for figure in FIGURES}


@pytest.mark.parametrize(
    ("name", "value", "tolerance", "verdict", "why"),
    [
        ("n_posts", 5, 0, "matches", ""),
        ("n_posts", 7, 2, "matches", ""),
        ("n_posts", 8, 2, "differs", "3 less than published, tolerance 2"),
        ("n_posts", 4, 0, "differs", "1 more than published, tolerance 0"),
        ("posts_rt_frac", 0.5, 0.1, "matches", ""),
        ("first_account_created_on", "2017-08-18", 0, "matches", ""),
        ("first_account_created_on", "2017-08-19", 0, "differs", "another value"),
        ("n_post", 5, 0, "cannot be computed", "no figure is called n_post; the nearest is n_posts"),
        ("posts_not_rt_language_fr_frac", 0, 0, "matches", ""),
        ("posts_working_hours_frac_fr", 0.9, 0.1, "cannot be computed", "there is nothing to count"),
    ],
)
def test_verdicts(name, value, tolerance, verdict, why):
    row = check(name, value, tolerance)
    assert (row["verdict"], row["why"]) == (verdict, why)


def test_a_figure_of_one_file_uses_its_rows_only():
    assert check("n_accounts_listed in u1")["computed"] == "2"
    assert check("n_posts in t2")["computed"] == "2"
    assert check("n_posts in u1")["why"] == "there are no posts in u1"


def test_figures_wait_for_absent_files():
    row = check("n_accounts_listed", 4, files=("u1.csv", "t1.csv", "t2.csv"))
    assert (row["verdict"], row["computed"]) == ("cannot be computed", None)
    assert row["why"] == "1 of 2 accounts files is absent (u2.csv); the files here alone give 2"
    only_accounts = ("u1.csv", "u2.csv")
    assert check("n_posts", files=only_accounts)["why"] == "2 of 2 posts files are absent (t1.csv, t2.csv)"
    assert check("n_accounts_listed", 4, files=only_accounts)["verdict"] == "matches"
    assert check("n_accounts_listed in u2", files=("u1.csv",))["why"] == "u2 is not here"
    assert check("n_accounts_listed in u1", 2, files=("u1.csv",))["verdict"] == "matches"


def test_without_posts_figures_of_posts_say_so():
    bare = release(PublishedFigure("n_posts", 3, "us"))
    bare = replace(bare, posts=bare.posts.clear(), about=replace(bare.about, files={}, options={}))
    assert check_published(bare)["why"].to_list() == ["there are no posts"]


def test_nothing_published_gives_an_empty_table():
    table = check_published(release())
    assert (table.height, table.columns) == (
        0,
        ["figure", "published", "computed", "tolerance", "verdict", "why", "source"],
    )


def test_reconciling_announced_listed_and_active():
    assert reconcile(release(announced_accounts=3)).rows() == [
        ("accounts announced", 3, "by the platform"),
        ("accounts listed", 4, "1 more than announced"),
        ("accounts known only from their posts", 1, "no accounts file here lists them"),
        ("accounts active", 4, "with at least one post"),
        ("posts announced", None, "nothing announced"),
        ("posts loaded", 5, "nothing announced to compare with"),
        ("records set aside", 0, "each with its reason in the quarantine table"),
    ]
    partial = reconcile(release(announced_posts=5, files=("u1.csv",))).rows()
    assert partial[1] == ("accounts listed", 2, "1 of 2 accounts files is absent (u2.csv)")
    assert partial[3] == ("accounts active", None, "2 of 2 posts files are absent (t1.csv, t2.csv)")
    assert reconcile(release(announced_posts=5)).rows()[5] == ("posts loaded", 5, "as announced")
    assert reconcile(release(announced_posts=6)).rows()[5] == ("posts loaded", 5, "1 fewer than announced")


def test_hong_kong_with_one_of_its_four_files(shared_data, request):
    folder = request.config.rootpath / "datasets" / "china_082019"
    table = check_published(load_release(folder, files=shared_data / "twitter_io"))
    assert table.filter(verdict="differs").is_empty()
    assert table.filter(verdict="matches")["figure"].to_list() == [
        "n_accounts_listed in china_082019_1_users_csv_hashed",
        "followers_mean in china_082019_1_users_csv_hashed",
        "followers_median in china_082019_1_users_csv_hashed",
    ]
    whys = table.filter(figure="accounts_created_on_2017-08-30")["why"].to_list()
    assert whys == [
        "1 of 2 accounts files is absent (china_082019_2_users_csv_hashed.csv); the files here alone give 119"
    ]
