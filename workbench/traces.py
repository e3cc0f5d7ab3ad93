"""The traces: one short function each, which says what object a post acted on.

A trace is only a choice of object. To add one, write a function here with `@trace`, whose docstring's first line is its
line in `workbench traces`, and one test. Everything after it (kernel, chance, network, evidence) is written once.

A function takes the posts (lazy) and its settings, and returns post_id and object_id (lazy); where the action is not
the post itself, also acted_at. One that needs the table of accounts names it as an argument.
"""

from __future__ import annotations

from types import FunctionType

import polars as pl

from workbench.image_hashes import group_near_hashes
from workbench.near_duplicates import group_near_duplicates
from workbench.text import canonical_url, normalise_text

Trace = FunctionType  # posts.lazy(), **settings -> lazy frame of post_id, object_id
TRACES: dict[str, Trace] = {}

IS_REPOST = (
    pl.col("repost_of_id").is_not_null()
    | pl.col("repost_of_account_id").is_not_null()
    | pl.col("text").str.contains(r"^RT @").fill_null(value=False)
)
"""A repost whose original the source does not name still is no original."""


def trace(function: Trace) -> Trace:
    """Register a function `posts -> post_id, object_id` (lazy) under its own name."""
    TRACES[function.__name__] = function
    return function


@trace
def repost(posts: pl.LazyFrame) -> pl.LazyFrame:
    """Reposted the same post.

    Source: Keller et al. 2020; Schoch et al. 2022 (co-retweet).
    Beware: fans repost their idol within seconds, and so does everybody with a breaking story.
    """
    return posts.select("post_id", object_id="repost_of_id")


@trace
def fast_repost(posts: pl.LazyFrame, *, max_delay_s: float = 10.0) -> pl.LazyFrame:
    """Reposted the same account within seconds of its post.

    The delay is `max_delay_s` at most, in total seconds: a day and five seconds is not fast. Only originals in the data
    are timed.

    Source: Luceri et al. 2024 (fast retweet, 10 s).
    Beware: minute stamps make every repost in the same minute look instant; alerts on a phone make honest ones fast.
    """
    original = posts.select(repost_of_id="post_id", author="account_id", original_at="posted_at")
    delay_s = (pl.col("posted_at") - pl.col("original_at")).dt.total_microseconds() / 1e6
    return (
        posts.join(original, on="repost_of_id", how="inner")
        .filter(delay_s.is_between(0, max_delay_s))
        .select("post_id", object_id="author")
    )


@trace
def url(posts: pl.LazyFrame) -> pl.LazyFrame:
    """Posted the same address, in canonical form.

    Source: Giglietto et al. 2020; Pacheco et al. 2021; form: `workbench.text.canonical_url`.
    Beware: a popular article is shared by thousands; a shortener hides that two addresses are one.
    """
    return _own(posts).explode("urls").select("post_id", object_id=canonical_url(pl.col("urls")))


@trace
def domain(posts: pl.LazyFrame) -> pl.LazyFrame:
    """Linked to the same host.

    Source: Cinus et al. 2025 (co-domain as the coarser co-URL).
    Beware: everybody links to the large platforms and newspapers; only far too coarse for short windows.
    """
    host = canonical_url(pl.col("urls")).str.extract(r"^https://([^/?#]+)")
    return _own(posts).explode("urls").select("post_id", object_id=host)


@trace
def hashtag(posts: pl.LazyFrame) -> pl.LazyFrame:
    """Used the same hashtag.

    Source: Weber and Neumann 2021 (co-hashtag).
    Beware: a hashtag is made to be shared; alone it says little.
    """
    return _own(posts).explode("hashtags").select("post_id", object_id=_tag(pl.col("hashtags")))


@trace
def hashtag_sequence(posts: pl.LazyFrame, *, min_hashtags: int = 3) -> pl.LazyFrame:
    """Used the same hashtags in the same order in one post.

    `min_hashtags` or more of them.

    Source: Pacheco et al. 2021 and Luceri et al. 2024. Differs: per post as in Luceri, but three tags are enough.
    Beware: a share button or an event's organisers hand out ready-made hashtags.
    """
    tags = pl.col("hashtags").list.eval(_tag(pl.element()).replace("", None).drop_nulls())
    return _own(posts).filter(tags.list.len() >= min_hashtags).select("post_id", object_id=tags.list.join(" "))


@trace
def mention(posts: pl.LazyFrame) -> pl.LazyFrame:
    """Mentioned the same account.

    Source: Weber and Neumann 2021 (co-mention).
    Beware: a public figure is mentioned by everybody.
    """
    return _own(posts).explode("mentions").select("post_id", object_id="mentions")


@trace
def reply(posts: pl.LazyFrame) -> pl.LazyFrame:
    """Replied to the same post.

    Source: coordination-network-toolkit (co-reply); Pote et al. 2025 (reply attacks).
    Beware: a popular post draws replies from strangers within seconds.
    """
    return _own(posts).select("post_id", object_id="reply_to_id")


@trace
def quote(posts: pl.LazyFrame) -> pl.LazyFrame:
    """Quoted the same post.

    Source: as repost.
    Beware: as repost.
    """
    return _own(posts).select("post_id", object_id="quote_of_id")


@trace
def same_text(posts: pl.LazyFrame, *, min_characters: int = 10) -> pl.LazyFrame:
    """Posted the same text, normalised.

    Of `min_characters` or more; a Chinese, Japanese or Korean character counts as three.

    Source: Schoch et al. 2022 (co-tweet); normal form: `workbench.text.normalise_text`.
    Beware: share buttons post a headline for everybody; greetings and slogans are common property.
    """
    text = normalise_text(pl.col("text"))
    return _own(posts).select("post_id", object_id=pl.when(_weight(text) >= min_characters).then(text))


@trace
def similar_text(posts: pl.LazyFrame, *, min_similarity: float = 0.7, min_characters: int = 1) -> pl.LazyFrame:
    """Posted nearly the same text: copied, cut or decorated.

    Or moved to the other Chinese script. Shingles of characters are compared, not words, so text without spaces is
    treated like any other. The object is the exemplar of the family of near-duplicates, in normal form.

    Source: Pacheco et al. 2021 and Luceri et al. 2024 (text similarity); families: `workbench.near_duplicates`.
    Beware: greetings, quotations and headlines are alike without anybody having copied; raise min_characters.
    """
    own = _own(posts).filter(_weight(normalise_text(pl.col("text"))) >= min_characters).collect()
    families = group_near_duplicates(own["text"], min_similarity=min_similarity)
    member = own.select("post_id", text=normalise_text(pl.col("text"))).with_columns(
        families["family_id", "is_exemplar"]
    )
    exemplar = member.filter("is_exemplar").select("family_id", object_id="text")
    return member.lazy().join(exemplar.lazy(), on="family_id").select("post_id", "object_id")


@trace
def media(posts: pl.LazyFrame, *, max_bits_pdq: int = 31, max_bits_phash: int = 8) -> pl.LazyFrame:
    """Posted the same image or video, or a lightly edited one.

    By perceptual hash within a radius: a hash of 256 bits is taken for a PDQ hash and may differ in `max_bits_pdq`
    bits; one of 64 bits for a pHash, in `max_bits_phash`; any other (MD5, a platform's own key) must be equal. A
    SHA-256 also has 256 bits, but two of different files are never so near. The object is the hash of its family that
    most posts have.

    Source: Pacheco et al. 2021 (co-image); Facebook 2019 (PDQ, match at 31 bits or fewer).
    Beware: memes and press pictures travel by themselves; screenshots of text are near each other.
    """
    posted = _own(posts).explode("media_hashes").select("post_id", hash="media_hashes").collect()
    families = group_near_hashes(posted["hash"], max_bits={256: max_bits_pdq, 64: max_bits_phash})
    return posted.lazy().join(families.lazy(), on="hash").select("post_id", object_id="family")


@trace
def client_switch(posts: pl.LazyFrame, *, min_posts: int = 3) -> pl.LazyFrame:
    """Moved from one posting application to the same other.

    For `min_posts` posts or more on both sides. An account-level trace: the action is the first post by the new
    application, the object is which replaced which.

    Source: own. Operations moved between tools show it together; cf. shared clients in Twitter's disclosures.
    Beware: an application that is closed or renamed moves everybody at once, and a new phone moves one at a time.
    """
    by_account = posts.filter(pl.col("client").str.strip_chars() != "").sort("account_id", "posted_at", "post_id")
    runs = (
        by_account.with_columns(run=pl.struct("account_id", "client").rle_id())
        .group_by("run")
        .agg(pl.first("account_id", "client", "post_id"), n=pl.len())
        .sort("run")
    )
    before = {name: pl.col(name).shift(1).over("account_id") for name in ("client", "n")}
    switched = runs.with_columns(old=before["client"], n_before=before["n"])
    return switched.filter(pl.min_horizontal("n", "n_before") >= min_posts, pl.col("old").is_not_null()).select(
        "post_id", object_id=pl.concat_str("old", pl.lit(" > "), "client")
    )


@trace
def created_on(posts: pl.LazyFrame, *, accounts: pl.LazyFrame) -> pl.LazyFrame:
    """Made the account on the same day (UTC).

    An account-level trace: the action is at the account's creation, so a window says how near in that day (None: the
    whole day); its post is the account's first here. Accounts without a post are not in it: see
    `find_creation_bursts` for all. Needs `extract_actions(..., accounts=...)`.

    Source: Twitter's and Meta's disclosures name accounts made in batches; Uren, Thomas and Wallis 2019 (Hong Kong).
    Beware: a campaign to sign up, an event or a new market makes thousands of accounts a day; where only the day is
    known, all are made at midnight.
    """
    first = posts.sort("posted_at", "post_id").group_by("account_id", "platform", maintain_order=True).first()
    made = accounts.select("account_id", "platform", acted_at="created_at").drop_nulls()
    day = pl.col("acted_at").dt.strftime("%Y-%m-%d")
    return first.join(made, on=["account_id", "platform"]).select("post_id", "acted_at", object_id=day)


@trace
def synchrony(posts: pl.LazyFrame, *, bin_s: int = 1_800, min_posts: int = 8) -> pl.LazyFrame:
    """Posted anything in the same bin of time.

    Bins have `bin_s` seconds; accounts have `min_posts` posts or more.

    Source: Pacheco et al. 2021, case study 5 (30 minutes, 8 posts), there by TF-IDF cosine: `project_similarity`.
    Beware: people of one time zone, and of one event, are awake together; nearly every pair co-acts.
    """
    bin_start_s = pl.col("posted_at").dt.epoch("s") // bin_s * bin_s
    start = pl.from_epoch(bin_start_s, time_unit="s").dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    return posts.filter(pl.len().over("account_id") >= min_posts).select("post_id", object_id=start)


def _own(posts: pl.LazyFrame) -> pl.LazyFrame:
    """Originals, replies and quotes: posts whose text and links are their author's own."""
    return posts.filter(~IS_REPOST)


def _tag(tag: pl.Expr) -> pl.Expr:
    return tag.str.normalize("NFKC").str.to_lowercase().str.strip_chars().str.strip_chars_start("#")


def _weight(text: pl.Expr) -> pl.Expr:
    """Characters; a Chinese, Japanese or Korean one counts as three, for it carries as much as two or three letters."""
    return text.str.len_chars() + 2 * text.str.count_matches(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}]")
