"""Logs of shares: who shared what and when, in the layouts of the field's two coordination tools.

CooRTweet's four columns name an object and leave open what it is; the dataset says so by `[options] trace`.
coordination-network-toolkit's eight columns name reposts, replies, text and addresses.

Source: CooRTweet reference manual, `prep_data`; coordination-network-toolkit README, "Input format".
"""

from __future__ import annotations

import difflib

import polars as pl

from workbench.schema import About, SourceError, empty_table
from workbench.sources import cells
from workbench.sources.columnar import read_parquet_rows
from workbench.sources.delimited import quarantine_rows, read_blocks, read_header
from workbench.sources.tables import Layout, Recognised, Tables

SHARES = Layout("share_log", "shares", ("object_id", "account_id", "content_id", "timestamp_share"))
MESSAGES = Layout(
    "share_log",
    "messages",
    ("message_id", "user_id", "username", "repost_id", "reply_id", "message", "timestamp", "urls"),
)
LAYOUTS = (SHARES, MESSAGES)
OPTIONS = ("trace",)
TRACES = {"repost": "repost_of_id", "url": "urls", "same_text": "text", "hashtag": "hashtags"}
"""what the objects of a share log are -> the column of the posts they go to"""
LIST_COLUMNS = ("urls", "hashtags")
LATEST_S = 4_102_444_800
"""2100-01-01; a larger number of seconds is most likely milliseconds"""


def read(found: list[Recognised], about: About) -> Tables:
    """Return accounts, posts, decisions and quarantine of the recognised files, in their order.

    Raises:
        SourceError: the dataset's option `trace` is none we know.
    """
    tables = Tables()
    everyone: list[pl.DataFrame] = []
    for item in found:
        rows, set_aside, n_records = _read_rows(item)
        if item.layout is SHARES:
            posts, more = _posts_of_shares(rows, _choose_trace(about), item.part.label, about, tables)
            set_aside = [*set_aside, more]
            owners = posts.select("account_id", handle=pl.lit(None, dtype=pl.String))
        else:
            posts = _posts_of_messages(rows)
            owners = rows.select(account_id="user_id", handle=cells.read_text("username"))
        quarantine = pl.concat(set_aside)
        reason = (
            "every record is a readable row" if quarantine.is_empty() else "the others are in quarantine with a reason"
        )
        action = f"read {item.layout.name} from {item.part.label}"
        tables.decide(action, reason, n_before=n_records, n_after=n_records - quarantine.height)
        tables.quarantine.append(quarantine)
        tables.posts.append(_complete(posts, platform=about.platform, label=item.part.label))
        everyone.append(_accounts(owners, platform=about.platform))
    tables.accounts.append(pl.concat(everyone).unique("account_id", keep="first", maintain_order=True))
    n = tables.accounts[0].height
    tables.decide(f"made {n:,} accounts out of their shares", "a share log lists no accounts", n_before=0, n_after=n)
    return tables


def _choose_trace(about: About) -> str:
    trace = about.options.get("trace", "repost")
    if trace not in TRACES:
        near = difflib.get_close_matches(str(trace), TRACES, n=1)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        raise SourceError(f"[options] trace is '{trace}', expected one of {', '.join(TRACES)}.{hint}")
    return trace


def _read_rows(item: Recognised) -> tuple[pl.DataFrame, list[pl.DataFrame], int]:
    """Return the rows whose cells can be read, what is set aside, and how many records there were."""
    label = item.part.label
    if item.part.is_parquet:
        rows = read_parquet_rows(item.part, item.layout.read)
        quarantine, n_records = [], rows.height
    else:
        blocks = list(read_blocks(item.part, read_header(item.part)))
        rows = pl.concat([block.rows for block in blocks])
        quarantine, n_records = [block.quarantine for block in blocks], sum(block.n_records for block in blocks)
    keys = ("content_id", "account_id", "object_id") if item.layout is SHARES else ("message_id", "user_id")
    time = "timestamp_share" if item.layout is SHARES else "timestamp"
    seconds = pl.col(time).str.strip_chars().cast(pl.Float64, strict=False)
    moment = pl.from_epoch((seconds * 1e6).round().cast(pl.Int64, strict=False), time_unit="us")
    posted_at = pl.coalesce(moment.dt.replace_time_zone("UTC"), cells.read_time(time))
    reason = cells.first_reason(*(cells.wrong_key(key) for key in keys), _wrong_time(time, seconds))
    judged = rows.with_columns(posted_at=posted_at).with_columns(reason=reason)
    wrong = judged.filter(pl.col("reason").is_not_null())
    quarantine.append(quarantine_rows(label, wrong["line"], wrong["reason"]))
    return judged.filter(pl.col("reason").is_null()).drop("reason"), quarantine, n_records


def _wrong_time(column: str, seconds: pl.Expr) -> pl.Expr:
    beyond = pl.format("{} is {}, not within 1970 to 2100 in seconds (milliseconds?)", pl.lit(column), pl.col(column))
    unread = cells.wrong_time(column, moment="posted_at", is_needed=True)
    return pl.when(seconds.is_not_null() & ~seconds.is_between(0, LATEST_S)).then(beyond).otherwise(unread)


def _posts_of_shares(
    rows: pl.DataFrame, trace: str, label: str, about: About, tables: Tables
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return one post per share or, where a post may have several objects of the trace, per content id."""
    key = ["content_id", "account_id", "posted_at"]
    first = rows.unique("content_id", keep="first", maintain_order=True).select(
        "content_id", first_account="account_id", first_at="posted_at", first_line="line"
    )
    joined = rows.join(first, on="content_id", how="left", maintain_order="left")
    is_other = (pl.col("account_id") != pl.col("first_account")) | (pl.col("posted_at") != pl.col("first_at"))
    is_repeat = ~pl.struct(*key, "object_id").is_first_distinct()
    why = (
        pl.when(is_other)
        .then(pl.format("content_id repeats that of line {}, with another account or time", "first_line"))
        .when(is_repeat)
        .then(pl.format("repeats a share of the post on line {}: one share is counted once", "first_line"))
    )
    judged = joined.with_columns(why=why)
    wrong = judged.filter(pl.col("why").is_not_null())
    shares = judged.filter(pl.col("why").is_null()).drop("why")
    n_several = shares.group_by("content_id").len().filter(pl.col("len") > 1).height
    if "trace" not in about.options:
        tables.decide(
            f"took the objects of {label} for reposted posts",
            "the layout does not say what its objects are; [options] trace in dataset.toml does",
            n_before=shares.height,
            n_after=shares.height,
        )
    column = TRACES[trace]
    if column in LIST_COLUMNS:
        posts = shares.group_by("content_id", maintain_order=True).agg(
            pl.col("account_id", "posted_at", "line").first(), pl.col("object_id").alias(column)
        )
    else:
        posts = _number_shares(shares).rename({"object_id": column})
    if n_several:
        how = "as one post each" if column in LIST_COLUMNS else "as one post per object, numbered <content_id>#2 and on"
        tables.decide(
            f"kept {n_several:,} posts of {label} that share several objects {how}",
            f"no share is lost, and a post has {'a list of' if column in LIST_COLUMNS else 'one'} {column}"
            + (
                ""
                if column in LIST_COLUMNS
                else '; min_participation counts them apart unless [options] trace is "url"'
            ),
            n_before=shares.height,
            n_after=posts.height,
        )
    return posts.rename({"content_id": "post_id"}), quarantine_rows(label, wrong["line"], wrong["why"])


def _number_shares(shares: pl.DataFrame) -> pl.DataFrame:
    number = pl.int_range(pl.len()).over("content_id") + 1
    numbered = pl.format("{}#{}", "content_id", number)
    return shares.with_columns(content_id=pl.when(number > 1).then(numbered).otherwise("content_id"))


def _posts_of_messages(rows: pl.DataFrame) -> pl.DataFrame:
    words = (
        pl.col("urls")
        .str.strip_chars()
        .str.replace_all(r"\s+", " ")
        .str.split(" ")
        .list.eval(pl.element().filter(pl.element() != ""))
    )
    is_bracketed = pl.col("urls").str.strip_chars().str.starts_with("[")
    return rows.select(
        post_id="message_id",
        account_id="user_id",
        posted_at="posted_at",
        text=cells.read_text("message"),
        urls=pl.when(is_bracketed).then(cells.read_list("urls", unquoted_separator=r",\s+")).otherwise(words),
        repost_of_id=cells.read_text("repost_id"),
        reply_to_id=cells.read_text("reply_id"),
        line="line",
    )


def _complete(posts: pl.DataFrame, *, platform: str, label: str) -> pl.DataFrame:
    """Return the posts with every agreed column, and where each came from."""
    is_whole = bool((posts["posted_at"].dt.microsecond() == 0).all())
    known = posts.with_columns(
        platform=pl.lit(platform),
        time_resolution_s=pl.lit(1.0 if is_whole else 1e-6),
        file=pl.lit(label),
    )
    lists = {name: pl.lit([], dtype=pl.List(pl.String)) for name in ("urls", "hashtags", "mentions", "media_hashes")}
    absent = {name: value for name, value in lists.items() if name not in posts.columns}
    schema = empty_table("posts").schema
    nulls = {name: pl.lit(None, dtype=kind) for name, kind in schema.items() if name not in (*known.columns, *absent)}
    return known.with_columns(**absent, **nulls).select(*schema.names(), "line", "file")


def _accounts(owners: pl.DataFrame, *, platform: str) -> pl.DataFrame:
    known = owners.unique("account_id", keep="first", maintain_order=True).with_columns(
        platform=pl.lit(platform),
        kind=pl.lit("account"),
        is_pseudonymous=pl.col("account_id").str.contains(cells.HASHED_KEY),
        line=pl.lit(None, dtype=pl.Int64),
        file=pl.lit(None, dtype=pl.String),
    )
    schema = empty_table("accounts").schema
    nulls = {name: pl.lit(None, dtype=kind) for name, kind in schema.items() if name not in known.columns}
    return known.with_columns(**nulls).select(*schema.names(), "line", "file")
