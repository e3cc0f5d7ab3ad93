"""posts -> actions: one short function per trace, which says what object a post acted on.

A trace is only a choice of object. To add one, write a function here with `@trace`, whose docstring's first line is its
line in `workbench traces`, and one test. Everything after it (kernel, chance, network, evidence) is written once.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterable, Mapping
from types import FunctionType
from typing import Any

import polars as pl

from workbench.schema import ParameterError, check_table
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


def extract_actions(posts: pl.DataFrame, *, traces: Iterable[str] | Mapping[str, Mapping[str, Any]]) -> pl.DataFrame:
    """Return what each account acted on, one row per action, for the named traces.

    Args:
        posts: table `posts`.
        traces: names from `list_traces`, or a mapping name -> settings, as `{"fast_repost": {"max_delay_s": 10}}`.

    Returns:
        Table `actions`, without null or blank objects; one row per distinct post and object of a trace, sorted by
        trace, then as the posts came.

    Raises:
        ParameterError: an unknown trace or setting, or no trace at all.
        SchemaError: `posts` is not a table of posts.
    """
    chosen = dict(traces) if isinstance(traces, Mapping) else {name: {} for name in traces}
    if not chosen:
        raise ParameterError(f"no trace named; expected some of {', '.join(sorted(TRACES))}.")
    posts = check_table(posts, "posts").with_row_index("_row")
    parts = [_actions(posts, name, settings) for name, settings in sorted(chosen.items())]
    return check_table(pl.concat(parts), "actions")


def list_traces() -> pl.DataFrame:
    """Return the traces known: trace, what (one line), settings (name=default), beware, source."""
    return pl.DataFrame(
        [
            {
                "trace": name,
                "what": _line(function, 0),
                "settings": ", ".join(f"{p.name}={p.default}" for p in _settings(function)),
                "beware": _labelled(function, "Beware:"),
                "source": _labelled(function, "Source:"),
            }
            for name, function in sorted(TRACES.items())
        ]
    )


@trace
def repost(posts: pl.LazyFrame) -> pl.LazyFrame:
    """Reposted the same post.

    Source: Keller et al. 2020; Schoch et al. 2022 (co-retweet).
    Beware: fans repost their idol within seconds, and so does everybody with a breaking story.
    """
    return posts.select("post_id", object_id="repost_of_id")


@trace
def fast_repost(posts: pl.LazyFrame, *, max_delay_s: float = 10.0) -> pl.LazyFrame:
    """Reposted the same account within `max_delay_s` of its post.

    The delay is in total seconds, so a day and five seconds is not fast. Only originals in the data are timed.

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
    """Used the same hashtags in the same order in one post, `min_hashtags` or more.

    Source: Pacheco et al. 2021 and Luceri et al. 2024. Differs: per post as in Luceri, but three tags are enough.
    Beware: a share button or an event's organisers hand out ready-made hashtags.
    """
    sequence = pl.col("hashtags").list.eval(_tag(pl.element())).list.join(" ")
    return _own(posts).filter(pl.col("hashtags").list.len() >= min_hashtags).select("post_id", object_id=sequence)


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
    """Posted the same text, normalised, of `min_characters` or more.

    Source: Schoch et al. 2022 (co-tweet); normal form: `workbench.text.normalise_text`.
    Beware: share buttons post a headline for everybody; greetings and slogans are common property.
    """
    text = normalise_text(pl.col("text"))
    # A Chinese, Japanese or Korean character carries about as much as two or three letters.
    weight = text.str.len_chars() + 2 * text.str.count_matches(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}]")
    return _own(posts).select("post_id", object_id=pl.when(weight >= min_characters).then(text))


@trace
def media(posts: pl.LazyFrame) -> pl.LazyFrame:
    """Posted the same image or video, by identical hash.

    Source: Pacheco et al. 2021 (co-image).
    Beware: memes and press pictures travel by themselves.
    """
    return _own(posts).explode("media_hashes").select("post_id", object_id="media_hashes")


def _own(posts: pl.LazyFrame) -> pl.LazyFrame:
    """Originals, replies and quotes: posts whose text and links are their author's own."""
    return posts.filter(~IS_REPOST)


def _tag(tag: pl.Expr) -> pl.Expr:
    return tag.str.normalize("NFKC").str.to_lowercase().str.strip_chars().str.strip_chars_start("#")


def _actions(posts: pl.DataFrame, name: str, settings: Mapping[str, Any]) -> pl.DataFrame:
    if name not in TRACES:
        raise ParameterError(f"no trace '{name}'. {_nearest(name, TRACES)}")
    known = [setting.name for setting in _settings(TRACES[name])]
    for setting in settings:
        if setting not in known:
            raise ParameterError(f"trace '{name}' has no setting '{setting}'. {_nearest(setting, known)}")
    objects = TRACES[name](posts.lazy(), **settings).filter(pl.col("object_id").str.strip_chars() != "").unique()
    return (
        posts.lazy()
        .join(objects, on="post_id", how="inner")
        .sort("_row", "object_id")
        .select("account_id", "post_id", pl.lit(name).alias("trace"), "object_id", acted_at="posted_at")
        .collect()
    )


def _settings(function: Trace) -> list[inspect.Parameter]:
    return [p for p in inspect.signature(function).parameters.values() if p.kind is p.KEYWORD_ONLY]


def _line(function: Trace, number: int) -> str:
    return inspect.cleandoc(function.__doc__ or "").splitlines()[number]


def _labelled(function: Trace, label: str) -> str:
    lines = inspect.cleandoc(function.__doc__ or "").splitlines()
    return next((line.removeprefix(label).strip() for line in lines if line.startswith(label)), "")


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"Did you mean '{near[0]}'?" if near else f"Known: {', '.join(sorted(known)) or 'none'}."
