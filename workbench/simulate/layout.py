"""Twitter's release layout: drafts become rows with ids, and rows become files, slice by slice."""

from __future__ import annotations

import gzip
import hashlib
from io import BytesIO
from pathlib import Path

import numpy as np
import polars as pl

from workbench.schema import ParameterError
from workbench.simulate.accounts import Cast
from workbench.simulate.drafts import NONE, OUTSIDE
from workbench.simulate.phrases import TWEET_LANGUAGES
from workbench.simulate.profiles import SNOWFLAKE_EPOCH_MS

USER_COLUMNS = (
    "userid", "user_display_name", "user_screen_name", "user_reported_location", "user_profile_description",
    "user_profile_url", "follower_count", "following_count", "account_creation_date", "account_language",
)  # fmt: skip
TWEET_COLUMNS = (
    "tweetid", *USER_COLUMNS, "tweet_language", "tweet_text", "tweet_time", "tweet_client_name", "in_reply_to_userid",
    "in_reply_to_tweetid", "quoted_tweet_tweetid", "is_retweet", "retweet_userid", "retweet_tweetid", "latitude",
    "longitude", "quote_count", "reply_count", "like_count", "retweet_count", "hashtags", "urls", "user_mentions",
    "poll_choices",
)  # fmt: skip
_MAX_ROWS_PER_SLICE = 2**19
_OUTSIDE_FIRST_ID = 300_000_000_000_000_000
"""Ids no account of the release has: time-stamped ids of accounts began years later."""
_N_OUTSIDE = 3_000
_CLIENTS = ("Twitter Web Client", "Twitter for iPhone", "Twitter for Android", "PostPilot Scheduler", "TideDeck")


def lay_out(
    draft: pl.DataFrame, cast: Cast, users: pl.DataFrame, *, number: int, rng: np.random.Generator
) -> pl.DataFrame:
    """Return the 31 columns of a tweets file for a draft, sorted by account, then time; plus account, story and wave.

    `number` is the slice's: ids of neighbouring slices differ in their last three bits, so no two posts share one.
    """
    account = draft["account"].to_numpy()
    posts = draft.with_columns(
        id=pl.Series(_ids(draft["at_ms"].to_numpy(), number=number)),
        handle=users["handle"].gather(account),
        shown_id=users["userid"].gather(account),
        outside=pl.Series(rng.integers(0, _N_OUTSIDE, draft.height)),
    )
    posts = posts.with_columns(
        mentioned_id=_mentioned(posts, users, "userid"), mentioned_handle=_mentioned(posts, users, "handle")
    )
    posts = posts.with_columns(body=_bodies(posts))
    source = {name: _Source(posts, name) for name in ("repost_of", "reply_to", "quote_of")}
    rows = posts.select(
        tweetid=pl.col("id").cast(pl.String),
        tweet_language=pl.Series(TWEET_LANGUAGES).gather(source["repost_of"].own_or("language")),
        tweet_text=_texts(posts, source["repost_of"], source["reply_to"]),
        tweet_time=pl.col("at_ms").cast(pl.Datetime("ms")).dt.strftime("%Y-%m-%d %H:%M"),
        tweet_client_name=_clients(cast, account, rng),
        in_reply_to_userid=source["reply_to"].account_id,
        in_reply_to_tweetid=source["reply_to"].post_id,
        quoted_tweet_tweetid=source["quote_of"].post_id,
        is_retweet=pl.when(pl.col("repost_of") == NONE).then(pl.lit("false")).otherwise(pl.lit("true")),
        retweet_userid=source["repost_of"].account_id,
        retweet_tweetid=source["repost_of"].post_id,
        latitude=pl.lit("absent"),
        longitude=pl.lit("absent"),
        hashtags=source["repost_of"].own_or("tags"),
        urls=pl.concat_str(pl.lit("['"), source["repost_of"].own_or("url"), pl.lit("']")).fill_null("[]"),
        user_mentions=_mentions(source["repost_of"], source["reply_to"]),
        poll_choices=pl.lit(""),
        account="account",
        at_ms="at_ms",
        story="story",
        wave="wave",
    )
    rows = rows.hstack(_engagement(posts, rng)).sort("account", "at_ms", "tweetid")
    profile = users.select(USER_COLUMNS)[rows["account"]]
    return rows.hstack(profile).select(*TWEET_COLUMNS, "account", "at_ms", "story", "wave")


def _ids(at_ms: np.ndarray, *, number: int) -> np.ndarray:
    """Post ids that carry the millisecond; the low bits are a shuffled row number and the slice's number."""
    if len(at_ms) > _MAX_ROWS_PER_SLICE:
        raise ParameterError(
            f"one slice of days may hold {_MAX_ROWS_PER_SLICE} posts, found {len(at_ms)}. Ask for fewer posts."
        )
    shuffled = (np.arange(len(at_ms)) * 314_159 + 271_828) % _MAX_ROWS_PER_SLICE
    return ((at_ms - SNOWFLAKE_EPOCH_MS) << 22) | (shuffled << 3) | (number % 8)


class _Source:
    """What a reference column points to, row by row: ids of post and account, and its fields."""

    def __init__(self, posts: pl.DataFrame, column: str):
        place = posts[column].to_numpy()
        self.is_inside, self.is_outside = pl.Series(place >= 0), pl.Series(place == OUTSIDE)
        self._posts, self._place = posts, pl.Series(np.where(place >= 0, place, 0))
        hour_earlier = posts["at_ms"] - 3_600_000
        elsewhere = pl.Series(_ids_elsewhere(hour_earlier.to_numpy())).cast(pl.String)
        self.post_id = self._pick(posts["id"].cast(pl.String), elsewhere)
        self.account_id = self._pick(posts["shown_id"], _outside_ids(posts))
        self.handle = self._pick(posts["handle"], _outside_handles(posts))

    def _pick(self, inside: pl.Series, outside: pl.Series) -> pl.Series:
        blank = pl.Series([""]).new_from_index(0, len(inside))
        return inside.gather(self._place).zip_with(self.is_inside, outside.zip_with(self.is_outside, blank))

    def own_or(self, column: str) -> pl.Series:
        """The column of the post referred to where it is inside the data, else the row's own."""
        return self._posts[column].gather(self._place).zip_with(self.is_inside, self._posts[column])


def _ids_elsewhere(at_ms: np.ndarray) -> np.ndarray:
    return ((at_ms - SNOWFLAKE_EPOCH_MS) << 22) | 0x155555


def _outside_ids(posts: pl.DataFrame) -> pl.Series:
    return (posts["outside"] + _OUTSIDE_FIRST_ID).cast(pl.String)


def _outside_handles(posts: pl.DataFrame) -> pl.Series:
    return "elsewhere_" + posts["outside"].cast(pl.String)


def _mentioned(posts: pl.DataFrame, users: pl.DataFrame, column: str) -> pl.Series:
    """The `userid` or `handle` of the mentioned account; blank where none is mentioned."""
    code = posts["mention"].to_numpy()
    inside = users[column].gather(np.where(code >= 0, code, 0))
    outside = _outside_ids(posts) if column == "userid" else _outside_handles(posts)
    blank = pl.Series([""]).new_from_index(0, posts.height)
    return inside.zip_with(pl.Series(code >= 0), outside.zip_with(pl.Series(code == OUTSIDE), blank))


def _bodies(posts: pl.DataFrame) -> pl.Series:
    """Text with mention, hashtags and short link, as posted."""
    named = pl.col("mentioned_handle")
    mention = pl.when(named == "").then(pl.lit("")).otherwise(pl.format("@{} ", named))
    tags = (
        pl.col("tags")
        .str.extract_all(r"'([^']+)'")
        .list.eval(pl.lit(" #") + pl.element().str.strip_chars("'"))
        .list.join("")
    )
    short = pl.lit(" https://lnk.example/") + pl.col("url").str.slice(-7)
    return posts.select(body=pl.concat_str(mention, "text", tags, short.fill_null("")))["body"]


def _texts(posts: pl.DataFrame, repost: _Source, reply: _Source) -> pl.Series:
    """What the release shows: of a repost `RT @author: ` and the text, of an answer `@author ` and the text."""
    is_repost = repost.is_inside | repost.is_outside
    reposted = "RT @" + repost.handle + ": " + repost.own_or("body")
    answered = ("@" + reply.handle + " " + posts["body"]).zip_with(reply.is_inside | reply.is_outside, posts["body"])
    return reposted.zip_with(is_repost, answered)


def _mentions(repost: _Source, reply: _Source) -> pl.Series:
    """Ids of the accounts named in the text, as a written list without quotes."""
    named = pl.DataFrame({"a": repost.account_id, "b": reply.account_id, "c": repost.own_or("mentioned_id")})
    ids = pl.concat_list(pl.all().replace("", None)).list.drop_nulls().list.unique(maintain_order=True)
    return named.select(m=pl.concat_str(pl.lit("["), ids.list.join(", "), pl.lit("]")))["m"]


def _clients(cast: Cast, account: np.ndarray, rng: np.random.Generator) -> pl.Series:
    """The operation and the newsroom mostly post from a browser or a scheduler, others from telephones."""
    usual = np.array([[0.15, 0.4, 0.35, 0.02, 0.08], [0.62, 0.05, 0.08, 0.22, 0.03], [0.05, 0.0, 0.0, 0.85, 0.1]])
    edges = np.cumsum(usual, axis=1)[cast.rhythm[account]]
    return pl.Series(_CLIENTS).gather((rng.random(len(account))[:, None] > edges[:, :-1]).sum(axis=1))


def _engagement(posts: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """Counts when collected: reposts and replies within the data plus some from outside it; none for a repost."""
    n = posts.height
    inside = {
        name: np.bincount(posts[name].filter(posts[name] >= 0), minlength=n)
        for name in ("repost_of", "reply_to", "quote_of")
    }
    own = (posts["repost_of"] == NONE).to_numpy()
    reposts = (inside["repost_of"] + rng.poisson(0.3, n)) * own
    columns = {
        "quote_count": (inside["quote_of"] + (rng.random(n) < 0.02)) * own,
        "reply_count": (inside["reply_to"] + rng.poisson(0.2, n)) * own,
        "like_count": (reposts * rng.integers(1, 6, n) + rng.geometric(0.5, n) - 1) * own,
        "retweet_count": reposts,
    }
    return pl.DataFrame({name: pl.Series(values).cast(pl.String) for name, values in columns.items()})


def write_gzip(table: pl.DataFrame, file: Path) -> str:
    """Write a table with every field quoted, gzipped without a time stamp; return the file's sha256."""
    content = BytesIO()
    table.write_csv(content, quote_style="always")
    with file.open("wb") as raw, gzip.GzipFile(filename="", fileobj=raw, mode="wb", compresslevel=6, mtime=0) as packed:
        packed.write(content.getbuffer())
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
