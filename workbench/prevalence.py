"""posts and a network's members -> what part of the conversation the network was, and who outside took it up."""

from __future__ import annotations

import polars as pl

from workbench.languages import name_languages
from workbench.schema import check_table

MIN_COMMUNITY = 5
"""accounts that make a community, where communities are told apart by the language they mostly post in"""


def find_conversation(posts: pl.DataFrame, members: pl.DataFrame, *, min_accounts: int = 2) -> pl.DataFrame:
    """Return the posts of the conversation a network took part in, with `is_network` beside each.

    A post belongs to it if it carries a hashtag or a link that at least `min_accounts` of the network's accounts
    carried, repeats a post that they repeated or wrote, or is such a post itself.

    Args:
        posts: table `posts` of everybody in the data.
        members: account_id of the network's accounts.
        min_accounts: how many of them must have used a hashtag or link for it to be the conversation's.

    Raises:
        SchemaError: `posts` is not a table of posts.

    Beware: a hashtag that everybody uses makes the conversation large and the network's part small; the data holds
        what was collected, not all that was said.
    """
    marked = mark_network(posts, members)
    return marked.filter(_is_conversation(marked, min_accounts=min_accounts))


def _is_conversation(marked: pl.DataFrame, *, min_accounts: int = 2) -> pl.Series:
    """Whether each post, marked by `mark_network`, is of the conversation."""
    repeats = [pl.col(column).alias("post_id") for column in ("repost_of_id", "quote_of_id")]
    posts = marked.select("account_id", "platform", "post_id", "hashtags", "urls", "is_network",
                          "repost_of_id", "quote_of_id").with_row_index("row")  # fmt: skip
    own = posts.filter("is_network")
    rows = [_that_share(posts, own, column, min_accounts=min_accounts) for column in ("hashtags", "urls")]
    taken = pl.concat([posts.select("row", "platform", repeat).drop_nulls() for repeat in repeats])
    theirs = pl.concat(
        [own.select("platform", "post_id"), own.select("platform", repeats[0]), own.select("platform", repeats[1])]
    )
    touched = taken.join(theirs.drop_nulls().unique(), on=["platform", "post_id"], how="semi")
    repeated = posts.select("row", "platform", "post_id").join(touched, on=["platform", "post_id"], how="semi")
    kept = pl.concat([*rows, touched["row"], repeated["row"]]).unique()
    return posts["row"].is_in(kept.implode())


def mark_network(posts: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """Return the posts with `is_network`: whether a member wrote it."""
    posts = check_table(posts, "posts")
    return posts.with_columns(is_network=pl.col("account_id").is_in(members["account_id"].unique().implode()))


def measure_prevalence(posts: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """Return the network's part of the posts, accounts and engagements, of all posts and of the conversation.

    Args:
        posts: table `posts` of everybody in the data.
        members: account_id of the network's accounts.

    Returns:
        One row per scope (`all posts in the data`, `the conversation it took part in`) and what (`posts`, `accounts`,
        `engagements`): scope, what, n_network, n_whole, network_frac. Engagements are the reposts, likes and replies
        the source counts for original posts (a repost's counts are those of the post it repeats); rows without any
        known are left out.
    """
    rows = []
    marked = mark_network(posts, members)
    counted = marked.select("account_id", "is_network", "repost_of_id", "n_reposts", "n_likes", "n_replies")
    scopes = {
        "all posts in the data": counted,
        "the conversation it took part in": counted.filter(_is_conversation(marked)),
    }
    for scope, frame in scopes.items():
        originals = frame.filter(pl.col("repost_of_id").is_null()).with_columns(
            n_engagements=pl.sum_horizontal("n_reposts", "n_likes", "n_replies"),
            is_known=pl.any_horizontal(pl.col("n_reposts", "n_likes", "n_replies").is_not_null()),
        )
        own = frame.filter("is_network")
        rows += [
            (scope, "posts", own.height, frame.height),
            (scope, "accounts", own["account_id"].n_unique(), frame["account_id"].n_unique()),
        ]
        if originals["is_known"].any():
            known = originals.filter("is_known")
            inner = known.filter("is_network")["n_engagements"].sum()
            rows.append((scope, "engagements", inner, known["n_engagements"].sum()))
    schema = {"scope": pl.String, "what": pl.String, "n_network": pl.Int64, "n_whole": pl.Int64}
    table = pl.DataFrame(rows, schema=schema, orient="row")
    return table.with_columns(
        network_frac=pl.when(pl.col("n_whole") > 0).then((pl.col("n_network") / pl.col("n_whole")).round(6))
    )


def count_conversation(posts: pl.DataFrame, members: pl.DataFrame, *, every: str = "1d") -> pl.DataFrame:
    """Return the conversation's posts per period: day (its first), group (`the network`, `everybody else`), n_posts.

    Both groups have a row for every period from the first to the last.
    """
    marked = mark_network(posts, members)
    frame = marked.select("is_network", "posted_at").filter(_is_conversation(marked))
    if frame.is_empty():
        return pl.DataFrame(schema={"day": pl.Date, "group": pl.String, "n_posts": pl.Int64})
    day = pl.col("posted_at").dt.truncate(every).dt.date()
    counted = frame.group_by("is_network", day=day).agg(n_posts=pl.len().cast(pl.Int64))
    days = counted.select(day=pl.date_range(pl.col("day").min(), pl.col("day").max(), every))
    named = {"group": ["the network", "everybody else"], "is_network": [True, False]}
    grid = days.join(pl.DataFrame(named), how="cross")
    filled = grid.join(counted, on=["day", "is_network"], how="left").with_columns(pl.col("n_posts").fill_null(0))
    return filled.select("day", "group", "n_posts").sort("day", "group", descending=[False, True])


def measure_uptake(posts: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """Return who took up the network's own posts, by platform and community: who reposted or quoted them.

    Args:
        posts: table `posts` of everybody in the data.
        members: account_id of the network's accounts.

    Returns:
        platform, is_network, community (the language in which these accounts mostly post; null for the network's own),
        n_accounts, n_posts, is_community (outside the network and at least MIN_COMMUNITY accounts).

    Beware: a community is more than a language; two of one language are seen as one here, so the number of communities
        is at least this. Only the network's posts that are in the data can be seen to be taken up.
    """
    frame = mark_network(posts, members)
    keys = ["platform", "post_id"]
    written = frame.filter("is_network").select(*keys)
    taken = pl.concat(
        [
            frame.select("platform", "account_id", "is_network", post_id=pl.col(column)).drop_nulls("post_id")
            for column in ("repost_of_id", "quote_of_id")
        ]
    ).join(written, on=keys, how="semi")
    outside = taken.filter(~pl.col("is_network"))["account_id"].unique().implode()
    theirs = frame.select("account_id", "text", "lang").filter(pl.col("account_id").is_in(outside))
    languages = name_languages(theirs["text"], given=theirs["lang"], tells_scripts=False)
    main = (
        theirs.select("account_id", community=languages)
        .group_by("account_id", "community")
        .len()
        .sort("account_id", "len", "community", descending=[False, True, False])
        .unique("account_id", keep="first", maintain_order=True)
    )
    named = taken.join(main.select("account_id", "community"), on="account_id", how="left")
    return (
        named.group_by("platform", "is_network", "community")
        .agg(n_accounts=pl.col("account_id").n_unique().cast(pl.Int64), n_posts=pl.len().cast(pl.Int64))
        .with_columns(
            is_community=~pl.col("is_network")
            & (pl.col("n_accounts") >= MIN_COMMUNITY)
            & (pl.col("community") != "und").fill_null(value=False)
        )
        .sort("platform", "is_network", "n_posts", "community", descending=[False, True, True, False])
    )


def _that_share(posts: pl.DataFrame, own: pl.DataFrame, column: str, *, min_accounts: int) -> pl.Series:
    """Rows of the posts with a hashtag or link that enough of the network's accounts carried."""
    has_any = pl.col(column).list.len() > 0
    used = own.filter(has_any).select("account_id", item=pl.col(column)).explode("item").drop_nulls()
    shared = used.group_by("item").agg(n=pl.col("account_id").n_unique()).filter(pl.col("n") >= min_accounts)
    carried = posts.filter(has_any).select("row", item=pl.col(column)).explode("item")
    return carried.join(shared, on="item", how="semi")["row"]
