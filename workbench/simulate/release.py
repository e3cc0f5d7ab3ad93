"""A synthetic release with planted truth, made in slices of whole days so that any size fits in memory."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from workbench.schema import ParameterError
from workbench.simulate import calendar as cal
from workbench.simulate.accounts import make_accounts
from workbench.simulate.campaign import Plot, advertise, drip, make_plot, run_waves, try_out
from workbench.simulate.crowd import Crowd, chat, follow_the_band, make_crowd, publish_news, share_in_communities
from workbench.simulate.drafts import join_drafts
from workbench.simulate.profiles import describe_accounts
from workbench.simulate.writer import ReleaseWriter

MIN_ACCOUNTS, MAX_POSTS, MIN_POSTS_PER_ACCOUNT = 1_000, 10_000_000, 5
POSTS_PER_SLICE = 150_000
MIN_SLICES = 4


@dataclass(frozen=True)
class Stream:
    """A part of the release: its share of all posts, and the share of these on each day."""

    share: float
    day_weights: np.ndarray


def simulate_release(out: str | Path, *, n_accounts: int, n_posts: int, seed: int) -> Path:
    """Write a synthetic release in Twitter's own file layout, with the truth it must yield; return its folder.

    The world is a fictional port city. About 7 % of the accounts are an operation: teams with a core that pastes the
    same texts within a minute and amplifiers that repost them, one group that drips, accounts that sold adverts first.
    The rest are organic: interest communities, fans of a band, and a newsroom whose sister outlets openly publish the
    same headlines within seconds. Written are the users file, tweets files (one per slice of days), `truth.csv` (every
    account), `truth_posts.csv.gz` (every planted post), `dataset.toml` and a README; same arguments, same bytes.

    Args:
        out: folder to make; must not exist or be empty.
        n_accounts: accounts listed in the users file, at least 1,000; a few of them never post.
        n_posts: posts in the tweets files, exactly; at least 5 per account, at most 10 million.
        seed: 0 or more.

    Returns:
        The folder.

    Raises:
        ParameterError: a number is out of range, or the folder holds something.

    Beware: the organic accounts coordinate too (fans, newsroom, breaking news); only `truth.csv` says who was planted.
    """
    folder = Path(out)
    _check(folder, n_accounts=n_accounts, n_posts=n_posts, seed=seed)
    folder.parent.mkdir(parents=True, exist_ok=True)
    half_done = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        _write(half_done, n_accounts=n_accounts, n_posts=n_posts, seed=seed)
        half_done.chmod(0o755)
        half_done.replace(folder)
    finally:
        shutil.rmtree(half_done, ignore_errors=True)
    return folder


def _check(folder: Path, *, n_accounts: int, n_posts: int, seed: int) -> None:
    if n_accounts < MIN_ACCOUNTS:
        raise ParameterError(f"n_accounts must be at least {MIN_ACCOUNTS}, found {n_accounts}. Pass a larger number.")
    if not MIN_POSTS_PER_ACCOUNT * n_accounts <= n_posts <= MAX_POSTS:
        raise ParameterError(
            f"n_posts must be between {MIN_POSTS_PER_ACCOUNT} per account ({MIN_POSTS_PER_ACCOUNT * n_accounts}) and "
            f"{MAX_POSTS}, found {n_posts}. Pass another number of posts or of accounts."
        )
    if seed < 0:
        raise ParameterError(f"seed must be 0 or more, found {seed}. Pass a whole number that is not negative.")
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise ParameterError(
            f"{folder} must not exist or be an empty folder, but holds something. Name another folder."
        )


def _streams() -> dict[str, Stream]:
    everyday = cal.everyday_weights(dense_frac=0.6)
    campaign = cal.office_weights(cal.CAMPAIGN_START, cal.CAMPAIGN_END)
    return {
        "spam": Stream(0.075, cal.even_weights(cal.SPAM_START, cal.SPAM_END)),
        "clock": Stream(0.012, cal.office_weights(cal.CLOCK_START, cal.CLOCK_END)),
        "resale": Stream(0.0008, cal.even_weights(cal.RESALE_START, cal.RESALE_END)),
        "tram": Stream(0.078, campaign),
        "toll": Stream(0.056, campaign),
        "market": Stream(0.008, campaign),
        "news": Stream(0.15, everyday),
        "fans": Stream(0.13, everyday),
        "communities": Stream(0.29, everyday),
        "chatter": Stream(0.2002, everyday),
    }


def _slices(streams: dict[str, Stream], *, n_posts: int) -> list[tuple[int, int]]:
    """First day and day after the last of each slice, with about equal numbers of posts."""
    per_day = sum(stream.share * stream.day_weights for stream in streams.values())
    n_slices = max(MIN_SLICES, -(-n_posts // POSTS_PER_SLICE))
    cuts = np.searchsorted(np.cumsum(per_day), np.arange(1, n_slices) / n_slices)
    edges = np.unique(np.concatenate([[0], cuts, [cal.N_DAYS]]))
    return list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))


def _write(folder: Path, *, n_accounts: int, n_posts: int, seed: int) -> None:
    """Make the accounts, then slice after slice of posts, each written and forgotten before the next."""
    cast = make_accounts(n_accounts=n_accounts, seed=seed)
    streams = _streams()
    crowd = make_crowd(cast, day_weights=streams["chatter"].day_weights, seed=seed)
    plots = {story: make_plot(cast, story=story, team_of=story) for story in ("tram", "toll", "market")}
    plots["clock"] = make_plot(cast, story="clock", team_of="toll")
    writer = ReleaseWriter(folder, cast, describe_accounts(cast, seed=seed), seed=seed)
    done, n_done, n_waves = dict.fromkeys(streams, 0), 0, 0
    for number, (first_day, end_day) in enumerate(_slices(streams, n_posts=n_posts)):
        rng = np.random.default_rng([seed, 4, number])
        upto = {name: round(n_posts * s.share * s.day_weights[:end_day].sum()) for name, s in streams.items()}
        target = n_posts if end_day == cal.N_DAYS else sum(upto.values())
        days = {name: _only(s.day_weights, first_day, end_day) for name, s in streams.items()}
        wanted = {name: upto[name] - done[name] for name in streams if name != "chatter"}
        drafts = []
        for name, n in wanted.items():
            if n > 0:
                drafts.append(_make(name, crowd, plots, rng, day_weights=days[name], n=n, first_wave=n_waves))
                n_waves = max(n_waves, int(drafts[-1]["wave"].to_numpy().max()) + 1)
        begin_ms, end_ms = cal.first_day_ms(first_day), cal.first_day_ms(end_day)
        due = np.flatnonzero((crowd.due_ms >= begin_ms) & (crowd.due_ms < end_ms))
        # Everyday talk fills up what the others, cut to whole objects or thinned by sleep, left open.
        n_left = target - n_done - sum(draft.height for draft in drafts)
        drafts.append(chat(crowd, rng, day_weights=days["chatter"], due=due[:n_left], n=n_left))
        writer.write_slice(join_drafts(drafts), number=number + 1, rng=rng)
        done, n_done = upto, target
    writer.finish(n_posts=n_posts)


def _make(
    name: str,
    crowd: Crowd,
    plots: dict[str, Plot],
    rng: np.random.Generator,
    *,
    day_weights: np.ndarray,
    n: int,
    first_wave: int,
) -> pl.DataFrame:
    """Return about `n` posts of one stream on the days given; its waves are numbered from `first_wave`."""
    if name in plots:
        hand = drip if name == "market" else run_waves
        return hand(crowd, plots[name], rng, day_weights=day_weights, n=n, first_wave=first_wave)
    makers = {
        "spam": advertise,
        "resale": try_out,
        "news": publish_news,
        "fans": follow_the_band,
        "communities": share_in_communities,
    }
    return makers[name](crowd, rng, day_weights=day_weights, n=n)


def _only(day_weights: np.ndarray, first_day: int, end_day: int) -> np.ndarray:
    """Return the weights of the days from first to the day before end; all others 0."""
    kept = np.zeros_like(day_weights)
    kept[first_day:end_day] = day_weights[first_day:end_day]
    return kept
