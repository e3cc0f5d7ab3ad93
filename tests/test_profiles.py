"""Account profiles on hand-written posts."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from test_actions import make_posts

from workbench.features import list_features
from workbench.profiles import profile_accounts
from workbench.schema import SchemaError, empty_table

START = datetime(2018, 1, 1, tzinfo=UTC)


def make_accounts(*rows: dict) -> pl.DataFrame:
    base = {"platform": "twitter", "kind": "account", "is_pseudonymous": False}
    return pl.DataFrame([{**base, **row} for row in rows], schema=empty_table("accounts").schema)


def posts_at(account_id: str, days, **fields) -> list[dict]:
    return [
        {
            "account_id": account_id,
            "post_id": f"{account_id}-{day}-{k}",
            "posted_at": START + timedelta(days=day),
            **fields,
        }
        for k, day in enumerate(days)
    ]


def profile_of(account_id: str, accounts: pl.DataFrame, posts: pl.DataFrame) -> dict:
    return profile_accounts(accounts, posts).filter(account_id=account_id).row(0, named=True)


def test_an_account_without_posts_has_zeros_and_nulls():
    accounts = make_accounts({"account_id": "a", "n_followers": 10, "n_following": 0, "handle": "tram1984"})
    profile = profile_of("a", accounts, make_posts())
    assert (profile["n_posts"], profile["n_active_days"], profile["n_resale_phrases"]) == (0, 0, 0)
    assert profile["followers_per_following"] is None
    assert profile["handle_tail_digits"] == 4
    assert profile["is_revived"] is False
    assert profile["language_before"] is None


def test_activity_and_clients():
    posts = make_posts(*posts_at("a", [0, 0, 1], client="Web"), *posts_at("a", [2], client="Phone", repost_of_id="x"))
    profile = profile_of("a", make_accounts({"account_id": "a"}), posts)
    assert (profile["n_posts"], profile["repost_frac"], profile["n_active_days"]) == (4, 0.25, 3)
    assert (profile["n_clients"], profile["main_client"], profile["main_client_frac"]) == (2, "Web", 0.75)


def test_a_long_pause_with_posts_on_both_sides_is_a_revival():
    accounts = make_accounts({"account_id": "a"}, {"account_id": "b"})
    posts = make_posts(
        *posts_at("a", range(10)), *posts_at("a", range(200, 210)),
        *posts_at("b", range(10)), *posts_at("b", range(200, 209)),
    )  # fmt: skip
    profile = profile_of("a", accounts, posts)
    assert (profile["longest_gap_days"], profile["is_revived"]) == (191.0, True)
    assert profile["gap_ended_at"] == START + timedelta(days=200)
    assert profile_of("b", accounts, posts)["is_revived"] is False


def test_a_language_switch_is_found_at_its_time():
    posts = make_posts(
        *posts_at("a", range(20), lang="es"), *posts_at("a", [20, 21], lang="und"),
        *posts_at("a", range(22, 40), lang="zh"),
    )  # fmt: skip
    profile = profile_of("a", make_accounts({"account_id": "a"}), posts)
    assert (profile["language_before"], profile["language_after"]) == ("es", "zh")
    assert profile["switched_at"] == START + timedelta(days=22)
    assert profile["switch_gain"] == pytest.approx(18 / 38)


@pytest.mark.parametrize(
    "languages",
    [["en"] * 40, ["en", "zh"] * 20, ["en"] * 35 + ["zh"] * 5, ["en"] * 9 + ["zh"] * 9],
    ids=["one language", "two mixed", "too few after", "too few in all"],
)
def test_no_switch_without_a_clear_one(languages):
    rows = [row | {"lang": lang} for row, lang in zip(posts_at("a", range(len(languages))), languages, strict=True)]
    assert profile_of("a", make_accounts({"account_id": "a"}), make_posts(*rows))["language_before"] is None


def test_resale_phrases_and_shared_biographies():
    accounts = make_accounts(
        {"account_id": "a", "description": "Loves trams"},
        {"account_id": "b", "description": " Loves trams "},
        {"account_id": "c", "description": ""},
    )
    posts = make_posts(
        {"account_id": "a", "text": "Test new owner"}, {"account_id": "a", "text": "the test of the new owner's car"}
    )
    profile = profile_accounts(accounts, posts)
    assert profile["n_resale_phrases"].to_list() == [1, 0, 0]
    assert profile["n_same_description"].to_list() == [1, 1, None]


def test_biographies_that_differ_by_a_word_are_near_duplicates():
    bio = "Born beside the tram depot of Tidehaven, raised on ferries and gulls, writes about timetables {}"
    bios = [bio.format("daily"), bio.format("weekly"), "Knits.", None]
    accounts = make_accounts(
        *({"account_id": name, "description": text} for name, text in zip("abcd", bios, strict=True))
    )
    profile = profile_accounts(accounts, make_posts())
    assert profile["n_same_description"].to_list() == [0, 0, 0, None]
    assert profile["n_similar_description"].to_list() == [1, 1, 0, None]


def test_what_posts_are_and_when_in_the_day():
    posts = make_posts(
        *posts_at("a", [0], urls=["https://a.example"]),
        *posts_at("a", [1, 2], reply_to_id="x"),
        *posts_at("a", [0.5], repost_of_id="y"),  # twelve hours from the others
    )
    profile = profile_of("a", make_accounts({"account_id": "a"}), posts)
    assert (profile["link_frac"], profile["reply_frac"], profile["repost_frac"]) == (0.25, 0.5, 0.25)
    assert profile["busiest_hours_frac"] == 0.75


def test_a_hash_in_place_of_a_handle_has_no_tail():
    accounts = make_accounts({"account_id": "a", "handle": "f" * 40 + "1234"}, {"account_id": "b", "handle": "tram12"})
    assert profile_accounts(accounts, make_posts())["handle_tail_digits"].to_list() == [None, 2]


def test_what_was_read_of_names_before_they_were_hidden_is_kept():
    accounts = make_accounts({"account_id": "a", "handle": "acct_qwertzuiopas"}).with_columns(
        handle_shape=pl.lit("aaaa00"), handle_surprise=pl.lit(7.5), n_same_name=pl.lit(3, pl.Int64),
        name_tail_digits=pl.lit(4, pl.Int64), name_surprise=pl.lit(6.5),
    )  # fmt: skip
    profile = profile_of("a", accounts, make_posts())
    assert (profile["handle_tail_digits"], profile["handle_surprise"], profile["n_same_name"]) == (2, 7.5, 3)
    assert (profile["name_tail_digits"], profile["name_surprise"]) == (4, 6.5)


def test_every_column_is_explained_and_nothing_else():
    features = list_features()
    assert ["account_id", *features["feature"].sort()] == [
        "account_id",
        *sorted(set(profile_accounts(make_accounts(), make_posts()).columns) - {"account_id"}),
    ]
    assert features["feature"].is_unique().all()
    assert all(text.endswith(".") for column in ("what", "source", "beware") for text in features[column])


def test_the_wrong_table_is_refused():
    with pytest.raises(SchemaError, match="accounts lacks column"):
        profile_accounts(make_posts(), make_posts())
