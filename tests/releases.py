"""Small invented releases for tests: say what matters of an account or post, the rest is blank."""

import polars as pl

from workbench.schema import About, Release, check_table, empty_table

KEY = b"a key for tests, known to all..."


def make_accounts(rows: list[dict]) -> pl.DataFrame:
    blank = {
        "platform": "twitter",
        "kind": "account",
        "handle": None,
        "display_name": None,
        "created_at": None,
        "n_followers": 0,
        "n_following": 0,
        "location": None,
        "description": None,
        "language": "en",
        "is_pseudonymous": False,
    }
    return check_table(pl.DataFrame([blank | row for row in rows], schema_overrides=_text_columns(blank)), "accounts")


def make_posts(rows: list[dict]) -> pl.DataFrame:
    blank = {
        "platform": "twitter",
        "posted_at": "2019-06-01T00:00:00+00:00",
        "time_resolution_s": 60.0,
        "text": None,
        "lang": "en",
        "client": None,
        "urls": [],
        "hashtags": [],
        "mentions": [],
        "repost_of_id": None,
        "repost_of_account_id": None,
        "reply_to_id": None,
        "reply_to_account_id": None,
        "quote_of_id": None,
        "media_hashes": [],
        "n_reposts": 0,
        "n_likes": 0,
        "n_replies": 0,
    }
    lists = dict.fromkeys(["urls", "hashtags", "mentions", "media_hashes"], pl.List(pl.String))
    frame = pl.DataFrame([blank | row for row in rows], schema_overrides=_text_columns(blank) | lists)
    return check_table(frame.with_columns(pl.col("posted_at").str.to_datetime(time_zone="UTC")), "posts")


def make_release(accounts: list[dict], posts: list[dict]) -> Release:
    return Release(
        accounts=make_accounts(accounts) if accounts else empty_table("accounts"),
        posts=make_posts(posts) if posts else empty_table("posts"),
        decisions=empty_table("decisions"),
        quarantine=empty_table("quarantine"),
        about=About(
            "invented", "Invented release (synthetic)", "twitter", is_synthetic=True, announced_accounts=len(accounts)
        ),
    )


def _text_columns(blank: dict) -> dict:
    return {name: pl.String for name, value in blank.items() if value is None}
