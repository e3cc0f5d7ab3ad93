"""Twitter's Information Operations archive: a table of accounts and a table of their tweets.

Source: Twitter Transparency, "Information Operations" releases 2018 to 2021: their README files and the files.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from workbench.schema import About
from workbench.sources import cells
from workbench.sources.delimited import Block, quarantine_rows, read_blocks, read_header
from workbench.sources.id_time import restore_times
from workbench.sources.tables import Layout, Recognised, Tables

ACCOUNT_COLUMNS = (
    "userid",
    "user_display_name",
    "user_screen_name",
    "user_reported_location",
    "user_profile_description",
    "follower_count",
    "following_count",
    "account_creation_date",
    "account_language",
)
POST_COLUMNS = (
    "tweetid",
    *ACCOUNT_COLUMNS,
    "tweet_language",
    "tweet_text",
    "tweet_time",
    "tweet_client_name",
    "in_reply_to_userid",
    "in_reply_to_tweetid",
    "quoted_tweet_tweetid",
    "is_retweet",
    "retweet_userid",
    "retweet_tweetid",
    "reply_count",
    "like_count",
    "retweet_count",
    "hashtags",
    "urls",
    "user_mentions",
)
NOT_READ = ("user_profile_url", "latitude", "longitude", "quote_count", "poll_choices")
USERS = Layout("twitter_archive", "users", ACCOUNT_COLUMNS, ("user_profile_url",))
TWEETS = Layout("twitter_archive", "tweets", POST_COLUMNS, NOT_READ)
LAYOUTS = (USERS, TWEETS)
OPTIONS: tuple[str, ...] = ()
ACCOUNT_TYPED = {
    "created_at": cells.read_time("account_creation_date"),
    "n_followers": cells.read_count("follower_count"),
    "n_following": cells.read_count("following_count"),
}
POST_TYPED = {
    **ACCOUNT_TYPED,
    "posted_at": cells.read_time("tweet_time"),
    "n_reposts": cells.read_count("retweet_count"),
    "n_likes": cells.read_count("like_count"),
    "n_replies": cells.read_count("reply_count"),
}
REPOST_PREFIX = r"^RT @[A-Za-z0-9_+/=]{1,64}: ?"


def read(found: list[Recognised], about: About) -> Tables:
    """Return accounts, posts, decisions and quarantine of the recognised files, in their order."""
    tables = Tables()
    seen_in_posts: list[pl.DataFrame] = []
    platform = about.platform if about.platform != "unknown" else "twitter"
    for item in (item for item in found if item.layout is USERS):
        _read_users(item, tables, platform=platform)
    for item in (item for item in found if item.layout is TWEETS):
        seen_in_posts.extend(_read_tweets(item, tables, platform=platform))
    _add_accounts_of_posts(tables, seen_in_posts)
    return tables


def _read_users(item: Recognised, tables: Tables, *, platform: str) -> None:
    blocks = [_split(block, ACCOUNT_TYPED, _wrong_account(), label=item.part.label) for block in _blocks(item)]
    rows = pl.concat([block.rows for block in blocks])
    tables.accounts.append(_accounts(rows, platform=platform).with_columns(rows["line"], file=pl.lit(item.part.label)))
    _settle(item, blocks, tables)


def _read_tweets(item: Recognised, tables: Tables, *, platform: str) -> list[pl.DataFrame]:
    label = item.part.label
    blocks: list[Block] = []
    pieces: list[pl.DataFrame] = []
    owners: list[pl.DataFrame] = []
    n_stripped = 0
    seen = pl.concat([table["account_id"] for table in tables.accounts] or [pl.Series(dtype=pl.String)])
    for raw in _blocks(item):
        block = _split(raw, POST_TYPED, _wrong_post(), label=label)
        rows = block.rows.with_columns(_repeats_text().alias("repeats"))
        n_stripped += int(rows["repeats"].sum())
        pieces.append(_posts(rows, platform=platform))
        new = rows.filter(~pl.col("userid").is_in(seen.implode())).unique("userid", keep="first", maintain_order=True)
        seen = pl.concat([seen, new["userid"]])
        # Texts made anew: a few rows would else keep the whole block in memory.
        owners.append(_accounts(new, platform=platform).with_columns(pl.col(pl.String) + pl.lit("")))
        blocks.append(Block(block.rows.clear(), block.quarantine, block.n_records))
    restored = restore_times(pl.concat(pieces))
    tables.posts.append(restored.posts.with_columns(file=pl.lit(label)))
    n = _settle(item, blocks, tables)
    if n_stripped:
        action = f"removed RT and the name from the text of {n_stripped:,} reposts in {label}"
        tables.decide(action, "the text of a repost is the text it repeats", n_before=n, n_after=n)
    if restored.n_restored:
        action = f"took the exact time of {restored.n_restored:,} of {n:,} posts in {label} from their ids"
    else:
        action = f"kept the stamps of all {n:,} posts in {label} as they are"
    tables.decide(action, restored.reason, n_before=n, n_after=n)
    return owners


def _blocks(item: Recognised) -> Iterator[Block]:
    return read_blocks(item.part, read_header(item.part))


def _split(block: Block, typed: dict[str, pl.Expr], reason: pl.Expr, *, label: str) -> Block:
    """Read the typed columns and set aside the rows that cannot be read, each with its first reason."""
    judged = block.rows.with_columns(**typed).with_columns(reason.alias("reason"))
    if judged["reason"].null_count() == judged.height:
        return Block(judged.drop("reason"), block.quarantine, block.n_records)
    wrong = judged.filter(pl.col("reason").is_not_null())
    quarantine = pl.concat([block.quarantine, quarantine_rows(label, wrong["line"], wrong["reason"])])
    return Block(judged.filter(pl.col("reason").is_null()).drop("reason"), quarantine, block.n_records)


def _settle(item: Recognised, blocks: list[Block], tables: Tables) -> int:
    """Record how many records a file had and how many are kept; return the latter."""
    quarantine = pl.concat([block.quarantine for block in blocks])
    n_before = sum(block.n_records for block in blocks)
    n_after = n_before - quarantine.height
    tables.quarantine.append(quarantine)
    reason = "every record is a readable row" if quarantine.is_empty() else "the others are in quarantine with a reason"
    tables.decide(f"read {item.layout.name} from {item.part.label}", reason, n_before=n_before, n_after=n_after)
    return n_after


def _add_accounts_of_posts(tables: Tables, owners: list[pl.DataFrame]) -> None:
    if not owners:
        return
    listed = pl.concat(
        [table.select("account_id") for table in tables.accounts] or [owners[0].select("account_id").clear()]
    )
    seen = pl.concat(owners).unique("account_id", keep="first", maintain_order=True)
    added = seen.join(listed, on="account_id", how="anti", maintain_order="left")
    if added.height:
        tables.accounts.append(
            added.with_columns(line=pl.lit(None, dtype=pl.Int64), file=pl.lit(None, dtype=pl.String))
        )
        tables.decide(
            f"added {added.height:,} accounts known only from their posts",
            "no users file lists them; their posts carry the same columns",
            n_before=listed.height,
            n_after=listed.height + added.height,
        )


def _accounts(rows: pl.DataFrame, *, platform: str) -> pl.DataFrame:
    return rows.select(
        account_id="userid",
        platform=pl.lit(platform),
        kind=pl.lit("account"),
        handle=cells.read_text("user_screen_name"),
        display_name=cells.read_text("user_display_name"),
        created_at="created_at",
        n_followers="n_followers",
        n_following="n_following",
        location=cells.read_text("user_reported_location"),
        description=cells.read_text("user_profile_description"),
        language=cells.read_text("account_language"),
        is_pseudonymous=pl.col("userid").str.contains(cells.HASHED),
    )


def _posts(rows: pl.DataFrame, *, platform: str) -> pl.DataFrame:
    text = pl.when("repeats").then(pl.col("tweet_text").str.replace(REPOST_PREFIX, "")).otherwise("tweet_text")
    return rows.select(
        post_id="tweetid",
        account_id="userid",
        platform=pl.lit(platform),
        posted_at="posted_at",
        time_resolution_s=pl.when(cells.has_seconds("tweet_time")).then(1.0).otherwise(60.0),
        text=pl.when(text.str.strip_chars() != "").then(text),
        lang=cells.read_text("tweet_language"),
        client=cells.read_text("tweet_client_name"),
        urls=cells.read_list("urls", unquoted_separator=r",\s+"),
        hashtags=cells.read_list("hashtags").list.eval(pl.element().str.strip_chars_start("#＃")),
        mentions=cells.read_list("user_mentions"),
        repost_of_id=cells.read_id("retweet_tweetid"),
        repost_of_account_id=cells.read_id("retweet_userid"),
        reply_to_id=cells.read_id("in_reply_to_tweetid"),
        reply_to_account_id=cells.read_id("in_reply_to_userid"),
        quote_of_id=cells.read_id("quoted_tweet_tweetid"),
        media_hashes=pl.lit([], dtype=pl.List(pl.String)),
        n_reposts="n_reposts",
        n_likes="n_likes",
        n_replies="n_replies",
        line="line",
    )


def _repeats_text() -> pl.Expr:
    return cells.read_id("retweet_tweetid").is_not_null() & pl.col("tweet_text").str.contains(REPOST_PREFIX)


def _wrong_account() -> pl.Expr:
    return cells.first_reason(
        cells.wrong_id("userid", is_needed=True),
        cells.wrong_time("account_creation_date", moment="created_at", is_needed=False),
        cells.wrong_count("follower_count", count="n_followers"),
        cells.wrong_count("following_count", count="n_following"),
    )


def _wrong_post() -> pl.Expr:
    ids = ("in_reply_to_userid", "in_reply_to_tweetid", "quoted_tweet_tweetid", "retweet_userid", "retweet_tweetid")
    return cells.first_reason(
        cells.wrong_id("tweetid", is_needed=True),
        cells.wrong_time("tweet_time", moment="posted_at", is_needed=True),
        _wrong_account(),
        *(cells.wrong_id(column) for column in ids),
        cells.wrong_count("reply_count", count="n_replies"),
        cells.wrong_count("like_count", count="n_likes"),
        cells.wrong_count("retweet_count", count="n_reposts"),
        *(cells.wrong_list(column) for column in ("hashtags", "urls", "user_mentions")),
        cells.wrong_flag("is_retweet"),
    )
