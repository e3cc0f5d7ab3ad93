"""How organic accounts post: chatter, shared links, breaking news, fans; and a newsroom whose outlets speak as one.

Nothing here is planted. Accounts act on the same post or link within seconds because it interests them at the same
moment: reactions to one object have the same spread of delays whoever reacts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from workbench.simulate.accounts import Cast
from workbench.simulate.calendar import CAMPAIGN_START, DAY_MS, HOUR_MS, LEISURE, draw_times, epoch_ms
from workbench.simulate.drafts import NONE, OUTSIDE, Pool, make_draft, make_urls, topic_tags, where, write_list
from workbench.simulate.phrases import LANGUAGES, TOPICS, UNDETERMINED, chatter, headlines, load_texts
from workbench.simulate.reactions import Reactions, react

NEWS_DOMAINS = ["tidehaven-courier.example"]
LINK_DOMAINS = ["saltmarket-times.example", "gull-hill-fm.example", "bay-video.example", "harbour-notes.example"]
BREAKING_FRAC = 1 / 15
_WORDLESS = ("🌊", "🙂🙂", "🦀", "❤️", "…", "🌫️🌫️🌫️")


@dataclass(frozen=True)
class Crowd:
    """The pools organic accounts are drawn from, and when each of them is due to have posted at least once."""

    cast: Cast
    everyone: Pool
    organic: Pool
    communities: Pool
    due_ms: np.ndarray


def make_crowd(cast: Cast, *, day_weights: np.ndarray, seed: int) -> Crowd:
    """Return the pools; operation accounts join everyone's shortly before the campaign, as camouflage."""
    rng = np.random.default_rng([seed, 3])
    organic = np.flatnonzero(~np.isin(cast.group, ["operation", "newsroom"]) & (cast.role != "idol"))
    operation = cast.codes(group="operation")
    since = np.repeat([0, epoch_ms(CAMPAIGN_START) - 30 * DAY_MS], [len(organic), len(operation)])
    activity = np.concatenate([cast.activity[organic], 0.9 * (cast.activity[operation] > 0)])
    everyone = Pool(cast, np.concatenate([organic, operation]), since_ms=since, activity=activity)
    due = draw_times(rng, day_weights, n=len(cast), rhythm=LEISURE, utc_offset_h=cast.utc_offset_h)
    between = cast.created_ms + rng.random(len(cast)) * (epoch_ms(CAMPAIGN_START) - cast.created_ms)
    due = np.where(due > cast.created_ms, due, between.astype(np.int64))
    due[np.setdiff1d(np.arange(len(cast)), organic[cast.activity[organic] > 0])] = -1
    communities = Pool(cast, organic, segment=cast.community[organic])
    return Crowd(cast, everyone, Pool(cast, organic), communities, due)


def chat(crowd: Crowd, rng: np.random.Generator, *, day_weights: np.ndarray, due: np.ndarray, n: int) -> pl.DataFrame:
    """Return `n` single posts: everyday talk, some answers and mentions, a few to accounts outside the data.

    The accounts `due` post once each; the others are drawn by activity.
    """
    cast = crowd.cast
    local = draw_times(rng, day_weights, n=n - len(due), rhythm=LEISURE, utc_offset_h=0)
    drawn = crowd.organic.draw(rng, local)
    account = np.concatenate([due, drawn])
    at = np.concatenate([crowd.due_ms[due], local - cast.utc_offset_h[drawn] * HOUR_MS])
    at = np.maximum(at, cast.created_ms[account] + 60_000)
    order = np.argsort(at, kind="stable")
    account, at = account[order], at[order]
    language, topic = cast.language[account], cast.topic[account]
    text = chatter().draw(rng, language, language * len(TOPICS) + topic, language, language)
    text = where(rng.random(n) < 0.015, '"' + text + '"\n(overheard)', text)
    is_wordless = rng.random(n) < 0.012
    text = where(is_wordless, pl.Series(_WORDLESS).gather(rng.integers(0, len(_WORDLESS), n)), text)
    draw, earlier = rng.random(n), np.arange(n) - rng.geometric(0.02, n)
    has_earlier = earlier >= 0
    return make_draft(
        account=account,
        at_ms=at,
        text=text,
        language=np.where(is_wordless, UNDETERMINED, language),
        tags=topic_tags(rng, topic, tagged_frac=0.22),
        reply_to=np.where((draw < 0.10) & has_earlier, earlier, np.where(draw > 0.995, OUTSIDE, NONE)),
        quote_of=np.where((draw > 0.98) & (draw < 0.99) & has_earlier, earlier, NONE),
        repost_of=np.where((draw > 0.99) & (draw < 0.993), OUTSIDE, NONE),
        mention=np.select(
            [(draw > 0.15) & (draw < 0.19), (draw > 0.2) & (draw < 0.206)], [crowd.organic.draw(rng, at), OUTSIDE], NONE
        ),
    )


def share_in_communities(crowd: Crowd, rng: np.random.Generator, *, day_weights: np.ndarray, n: int) -> pl.DataFrame:
    """Return `n` posts: members' posts and links, and who in the community reposted or shared them, over hours."""
    cast = crowd.cast
    size = 1 + np.minimum(rng.pareto(0.95, n // 3 + 1) * 3, max(40, len(cast) // 60)).astype(np.int64)
    size = size[: np.searchsorted(np.cumsum(size + 1), n * 1.05) + 1]
    local = draw_times(rng, day_weights, n=len(size), rhythm=LEISURE, utc_offset_h=0)
    author = crowd.organic.draw(rng, local)
    at = np.maximum(local - cast.utc_offset_h[author] * HOUR_MS, cast.created_ms[author] + 60_000)
    language, topic = cast.language[author], cast.topic[author]
    has_url = rng.random(len(size)) < 0.5
    origins = make_draft(
        account=author,
        at_ms=at,
        text=chatter().draw(rng, language, language * len(TOPICS) + topic, language, language),
        language=language,
        url=where(has_url, make_urls(rng, LINK_DOMAINS, at), None),
        tags=topic_tags(rng, topic, tagged_frac=0.3),
    )
    pace = Reactions(median_s=3_600.0, sigma=1.6, repost_frac=0.5, copy_frac=0.1, stranger_frac=0.15)
    return react(
        crowd.cast, rng, origins, np.arange(len(size)), size, pace,
        near=crowd.communities, far=crowd.everyone, segment=cast.community[author], n=n,
    )  # fmt: skip


def publish_news(crowd: Crowd, rng: np.random.Generator, *, day_weights: np.ndarray, n: int) -> pl.DataFrame:
    """Return `n` posts: headlines that all sister outlets of a newsroom publish within seconds, and what readers do.

    One headline in fifteen is breaking news that everybody passes on within minutes.
    """
    cast = crowd.cast
    sisters = cast.codes(group="newsroom")
    team = cast.team[sisters]
    is_breaking = rng.random(n // 6 + 1) < BREAKING_FRAC
    big = np.minimum(25 * (1 + rng.pareto(1.6, len(is_breaking))), max(60, len(cast) // 25))
    size = np.where(is_breaking, big, rng.pareto(1.3, len(is_breaking)) * 0.8).astype(np.int64)
    size = size[: np.searchsorted(np.cumsum(size + 0.8 * len(sisters) / (team.max() + 1)), n * 1.05) + 1]
    at = draw_times(rng, day_weights, n=len(size), rhythm=LEISURE, utc_offset_h=8)
    publishes = (rng.integers(0, team.max() + 1, len(size))[:, None] == team) & (
        rng.random((len(size), len(team))) < 0.8
    )
    story, who = np.nonzero(publishes)
    language = rng.choice(3, len(size), p=[0.5, 0.35, 0.15])
    text, urls = headlines("news").draw(rng, language, language, language), make_urls(rng, NEWS_DOMAINS, at)
    tags = pl.Series([write_list(_news_tags(lang)) for lang in LANGUAGES])
    origins = make_draft(
        account=sisters[who],
        at_ms=at[story] + rng.integers(0, 20_000, len(story)),
        text=text.gather(story),
        language=language[story],
        url=urls.gather(story),
        tags=tags.gather(language[story]),
    )
    median = np.where(is_breaking[: len(size)], 240.0, 7_200.0)
    pace = Reactions(median_s=median, sigma=1.2, repost_frac=0.45, copy_frac=0.15, stranger_frac=1.0)
    return react(cast, rng, origins, story, size, pace, near=crowd.everyone, far=crowd.everyone, segment=None, n=n)


def _news_tags(language: str) -> list[str]:
    return load_texts()["news"]["zh-Hans" if language.startswith("zh") else "en"]["tags"][:2]


def follow_the_band(crowd: Crowd, rng: np.random.Generator, *, day_weights: np.ndarray, n: int) -> pl.DataFrame:
    """Return `n` posts: a band's posts, and its fans (a quarter are others) reposting and copying them in seconds."""
    cast = crowd.cast
    idols = cast.codes(role="idol")
    club_size = len(cast.codes(role="fan")) / len(idols)
    mean = np.clip(0.08 * club_size, 3, 60)
    size = 1 + rng.poisson(rng.gamma(2.0, mean / 2, n // 3 + 1))
    size = size[: np.searchsorted(np.cumsum(size + 1), n * 1.05) + 1]
    idol = idols[rng.integers(0, len(idols), len(size))]
    at = draw_times(rng, day_weights, n=len(size), rhythm=LEISURE, utc_offset_h=8)
    language = rng.choice(3, len(size), p=[0.6, 0.3, 0.1])
    origins = make_draft(
        account=idol,
        at_ms=at,
        text=headlines("fans").draw(rng, language, language, language),
        language=language,
        url=where(rng.random(len(size)) < 0.5, make_urls(rng, ["foghorns-band.example"], at), None),
        tags=pl.Series([write_list(load_texts()["fans"]["en"]["tags"])]).new_from_index(0, len(size)),
    )
    pace = Reactions(median_s=75.0, sigma=1.2, repost_frac=0.72, copy_frac=0.12, stranger_frac=0.25)
    return react(
        cast, rng, origins, np.arange(len(size)), size, pace,
        near=crowd.communities, far=crowd.everyone, segment=cast.community[idol], n=n, remarks="fans",
    )  # fmt: skip
