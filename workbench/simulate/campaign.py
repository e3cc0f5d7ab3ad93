"""What is planted: adverts of accounts later sold, the sale, bursts of copy-paste with their amplifiers, a slow drip.

Each burst is a wave: part of a team's core (a new part each time) posts one text, link and hashtag sequence within a
minute or so; amplifiers repost it in the minutes after. A few organic accounts share the links too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from workbench.simulate.accounts import Cast
from workbench.simulate.calendar import MACHINE, OFFICE, SPAM_START, draw_delays, draw_times, epoch_ms
from workbench.simulate.crowd import Crowd
from workbench.simulate.drafts import NONE, OUTSIDE, Pool, make_draft, make_urls, where, write_list
from workbench.simulate.phrases import LANGUAGES, STORIES, Deck, comments, headlines, load_texts, slogans

CORE_TURNOUT, CORE_HELP, AMPLIFIER_TURNOUT = 0.35, 0.04, 0.16
PASTE_FRAC = 0.06
OUTSIDERS_PER_WAVE = 10.0
SPAM_LANGUAGES = (4, 0, 3)
_EMOJI = ("👍", "🔥", "💪", "👏", "🌊", "🚋")


@dataclass(frozen=True)
class Plot:
    """One planted story: who pushes it, with what hand."""

    story: int
    core: np.ndarray
    amplifiers: np.ndarray
    n_teams: int


def make_plot(cast: Cast, *, story: str, team_of: str) -> Plot:
    """Return who pushes `story`: the active core and amplifiers (or drip accounts) planted for `team_of`."""
    wanted = STORIES.index(team_of)
    active = np.flatnonzero((cast.activity > 0) & (cast.group == "operation") & (cast.story == wanted))
    is_core = np.isin(cast.role[active], ["core", "drip"])
    n_teams = int(cast.team[cast.group == "operation"].max()) + 1
    return Plot(STORIES.index(story), active[is_core], active[~is_core], n_teams)


def run_waves(
    crowd: Crowd, plot: Plot, rng: np.random.Generator, *, day_weights: np.ndarray, n: int, first_wave: int
) -> pl.DataFrame:
    """Return `n` posts of bursts: copy-paste by part of a core, reposts by amplifiers, a few shares by others."""
    per_team = (len(plot.core) * (CORE_TURNOUT + CORE_HELP) + len(plot.amplifiers) * AMPLIFIER_TURNOUT) / plot.n_teams
    n_waves = int(np.ceil(1.15 * n / (per_team + OUTSIDERS_PER_WAVE))) + 2
    team = rng.integers(0, plot.n_teams, n_waves)
    start = draw_times(rng, day_weights, n=n_waves, rhythm=OFFICE, utc_offset_h=8)
    wave, member = np.nonzero(_turnout(crowd.cast, rng, team, start, plot.core, CORE_TURNOUT))
    hurry = rng.uniform(0, 50_000, len(wave))
    delay = np.where(rng.random(len(wave)) < 0.85, hurry, hurry + rng.exponential(120_000, len(wave)))
    copies = _copy_paste(rng, plot, wave, plot.core[member], start[wave] + delay.astype(np.int64), n_waves)
    n_copies = np.bincount(wave, minlength=n_waves)
    # Two of a wave's posts are given to the amplifiers, one more than the other.
    chosen = np.searchsorted(wave, np.arange(n_waves)) + (rng.random((2, n_waves)) * n_copies).astype(np.int64)
    team[n_copies == 0] = -1
    helped, reached_by_helpers = _amplify(crowd.cast, plot, rng, copies, team, start, chosen)
    others, reached = _outsiders(crowd, rng, copies, wave, chosen[0][n_copies > 0])
    rows = pl.concat([copies, helped, others])
    return _cut(rows, np.concatenate([wave, reached_by_helpers, reached]), n=n, first_wave=first_wave)


def _turnout(
    cast: Cast,
    rng: np.random.Generator,
    team: np.ndarray,
    start_ms: np.ndarray,
    members: np.ndarray,
    turnout: float | np.ndarray,
) -> np.ndarray:
    """Which member takes part in which wave: a fresh part of the wave's team each time, of those that exist by then."""
    is_able = (team[:, None] == cast.team[members]) & (start_ms[:, None] > cast.created_ms[members])
    return is_able & (rng.random(is_able.shape) < turnout)


def _amplify(
    cast: Cast,
    plot: Plot,
    rng: np.random.Generator,
    copies: pl.DataFrame,
    team: np.ndarray,
    start_ms: np.ndarray,
    chosen: np.ndarray,
) -> tuple[pl.DataFrame, np.ndarray]:
    """Who passes on the `chosen` posts of each wave, mostly by reposting, some by pasting; and their waves.

    Amplifiers do, and a few of the core.
    """
    helpers = np.concatenate([plot.amplifiers, plot.core])
    turnout = np.repeat([AMPLIFIER_TURNOUT, CORE_HELP], [len(plot.amplifiers), len(plot.core)])
    wave, helper = np.nonzero(_turnout(cast, rng, team, start_ms, helpers, turnout))
    source = chosen[(rng.random(len(wave)) < 0.3).astype(np.int64), wave]
    is_other = copies["account"].to_numpy()[source] != helpers[helper]
    wave, helper, source = wave[is_other], helper[is_other], source[is_other]
    is_paste = rng.random(len(wave)) < PASTE_FRAC
    draft = make_draft(
        account=helpers[helper],
        at_ms=copies["at_ms"].to_numpy()[source] + draw_delays(rng, 40.0, 0.8, n=len(source)),
        text=where(is_paste, copies["text"].gather(source), None),
        language=copies["language"].gather(source),
        url=where(is_paste, copies["url"].gather(source), None),
        tags=where(is_paste, copies["tags"].gather(source), "[]"),
        repost_of=np.where(is_paste, NONE, source),
        story=np.full(len(wave), plot.story),
        wave=wave,
    )
    return draft, wave


def _copy_paste(
    rng: np.random.Generator, plot: Plot, wave: np.ndarray, account: np.ndarray, at: np.ndarray, n_waves: int
) -> pl.DataFrame:
    """One text, link and hashtag sequence per wave; some waves hide it behind trailing ids, emoji or a mention."""
    table = load_texts()["stories"][STORIES[plot.story]]
    language = rng.choice(3, n_waves, p=[0.3, 0.5, 0.2])
    group = plot.story * len(LANGUAGES) + language
    text = slogans().draw(rng, group, group, group).gather(wave)
    style = rng.choice(4, n_waves, p=[0.45, 0.25, 0.15, 0.15])[wave]
    tails = pl.Series([f" k{one:06d}" for one in rng.integers(0, 10**6, len(wave)).tolist()], dtype=pl.String)
    text = where(style == 1, text + tails, text)
    text = where(style == 2, text + pl.Series(_EMOJI).gather(rng.integers(0, len(_EMOJI), len(wave))), text)
    tag_lists = pl.Series([write_list(tags) for tags in table["tags"]])
    tags = tag_lists.gather(rng.integers(0, len(tag_lists), n_waves))
    urls = make_urls(rng, table["domains"], at[np.minimum(np.searchsorted(wave, np.arange(n_waves)), len(wave) - 1)])
    has_url, has_tags = rng.random(n_waves) < 0.8, rng.random(n_waves) < 0.7
    return make_draft(
        account=account,
        at_ms=at,
        text=text,
        language=language[wave],
        url=where(has_url, urls, None).gather(wave),
        tags=where(has_tags, tags, "[]").gather(wave),
        mention=np.where(style == 3, OUTSIDE, NONE),
        story=np.full(len(wave), plot.story),
        wave=wave,
    )


def _outsiders(
    crowd: Crowd, rng: np.random.Generator, copies: pl.DataFrame, wave: np.ndarray, seen: np.ndarray
) -> tuple[pl.DataFrame, np.ndarray]:
    """Organic accounts that repost the post `seen` of a wave or share its link, within an hour or so; their waves."""
    source = np.repeat(seen, rng.poisson(OUTSIDERS_PER_WAVE, len(seen)))
    at = copies["at_ms"].to_numpy()[source] + draw_delays(rng, 1_500.0, 1.5, n=len(source))
    account, url = crowd.organic.draw(rng, at), copies["url"].gather(source)
    language = crowd.cast.language[account]
    is_repost = url.is_null().to_numpy() | (rng.random(len(source)) < 0.4)
    remark = comments("chatter").draw(rng, language)
    draft = make_draft(
        account=account,
        at_ms=at,
        text=where(~is_repost, remark, None),
        language=language,
        url=where(~is_repost, url, None),
        repost_of=np.where(is_repost, source, NONE),
    )
    return draft, wave[source]


def _cut(rows: pl.DataFrame, wave: np.ndarray, *, n: int, first_wave: int) -> pl.DataFrame:
    """The first `n` rows wave by wave; reposts come after what they repeat, so none loses its source."""
    order = np.argsort(wave, kind="stable")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    source = rows["repost_of"].to_numpy()
    moved = rows.with_columns(
        repost_of=pl.Series(np.where(source >= 0, place[source], source)),
        wave=pl.when(pl.col("wave") >= 0).then(pl.col("wave") + first_wave).otherwise(pl.col("wave")),
    )
    return moved[order][:n]


def drip(
    crowd: Crowd, plot: Plot, rng: np.random.Generator, *, day_weights: np.ndarray, n: int, first_wave: int
) -> pl.DataFrame:
    """Return `n` posts of a slow drip: two or three accounts at a time post one text and link within a minute."""
    n_waves = n // 2 + 1
    size = rng.integers(2, 4, n_waves)
    team = rng.integers(0, plot.n_teams, n_waves)
    start = draw_times(rng, day_weights, n=n_waves, rhythm=OFFICE, utc_offset_h=8)
    order = np.argsort(crowd.cast.team[plot.core], kind="stable")
    by_team, sizes = plot.core[order], np.bincount(crowd.cast.team[plot.core], minlength=plot.n_teams)
    begin = np.cumsum(sizes) - sizes
    wave = np.repeat(np.arange(n_waves), size)
    turn = np.arange(len(wave)) - np.repeat(np.cumsum(size) - size, size)
    # Seats a random stride apart, at most half way round the table: distinct members, ever new company.
    stride = 1 + (rng.random(n_waves) * ((sizes[team] - 1) // 2)).astype(np.int64)
    seat = rng.integers(0, 10**6, n_waves)[wave] + turn * stride[wave]
    account = by_team[begin[team[wave]] + seat % sizes[team[wave]]]
    at = start[wave] + turn * rng.integers(3_000, 25_000, n_waves)[wave]
    rows = _copy_paste(rng, plot, wave, account, at, n_waves)
    return _cut(rows, wave, n=n, first_wave=first_wave)


def advertise(crowd: Crowd, rng: np.random.Generator, *, day_weights: np.ndarray, n: int) -> pl.DataFrame:
    """Return `n` adverts by repurposed accounts in their first life; about half copy another account's advert."""
    cast = crowd.cast
    sellers = np.flatnonzero(cast.is_repurposed & (cast.activity > 0))
    tongue = sellers % len(SPAM_LANGUAGES)
    since = np.full(len(sellers), epoch_ms(SPAM_START))
    pool = Pool(cast, sellers, segment=tongue, since_ms=since)
    size = np.minimum(rng.geometric(0.45, n), 6)
    advert = np.repeat(np.arange(n), size)[:n]
    spoken = rng.choice(np.unique(tongue), n)
    start = draw_times(rng, day_weights, n=n, rhythm=MACHINE, utc_offset_h=0)
    at = np.maximum(start[advert] + draw_delays(rng, 1_800.0, 1.2, n=n), epoch_ms(SPAM_START) + 86_400_000)
    language = np.array(SPAM_LANGUAGES)[spoken]
    text = headlines("spam").draw(rng, language, language, language)
    url = where(rng.random(n) < 0.5, make_urls(rng, ["umbrella-shop.example", "lamp-shop.example"], start), None)
    account = pool.draw(rng, at, spoken[advert])
    return make_draft(
        account=account, at_ms=at, text=text.gather(advert), language=language[advert], url=url.gather(advert)
    ).filter(pl.col("account") >= 0)


def try_out(crowd: Crowd, rng: np.random.Generator, *, day_weights: np.ndarray, n: int) -> pl.DataFrame:
    """Return `n` posts by which a new owner tries out a bought account."""
    cast = crowd.cast
    bought = np.flatnonzero(cast.is_repurposed & (cast.activity > 0))
    phrases = Deck([load_texts()["accounts"]["resale"]])
    text = phrases.draw(rng, np.zeros(n, dtype=np.int64)).str.replace("{n}", "2", literal=True)
    at = draw_times(rng, day_weights, n=n, rhythm=OFFICE, utc_offset_h=8)
    return make_draft(account=rng.choice(bought, n), at_ms=at, text=text, language=np.zeros(n, dtype=np.int64))
