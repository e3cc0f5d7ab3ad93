"""Reactions to a post: reposts, shares of its link with a remark, copies; by a community and by strangers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from workbench.simulate.accounts import Cast
from workbench.simulate.calendar import draw_delays, is_awake
from workbench.simulate.drafts import NONE, Pool, make_draft, where
from workbench.simulate.phrases import comments

AWAKE_FRAC = 0.55
"""About this part of the accounts drawn to react is awake; more are drawn accordingly."""


@dataclass(frozen=True)
class Reactions:
    """Pace and kind of reactions to a post.

    `median_s` (one, or one per object) and `sigma` shape lognormal delays; `repost_frac` and `copy_frac` are shares of
    reposts and of verbatim copies, the rest share the link with a remark (or repost where there is no link);
    `stranger_frac` is the share of reactions from outside the community.
    """

    median_s: float | np.ndarray
    sigma: float
    repost_frac: float
    copy_frac: float
    stranger_frac: float


def react(
    cast: Cast,
    rng: np.random.Generator,
    origins: pl.DataFrame,
    object_of: np.ndarray,
    size: np.ndarray,
    pace: Reactions,
    *,
    near: Pool,
    far: Pool,
    segment: np.ndarray | None,
    n: int,
    remarks: str = "chatter",
) -> pl.DataFrame:
    """Return the origins and reactions to them, `n` posts or fewer.

    Args:
        cast: all accounts.
        rng: source of chance.
        origins: draft of first posts, sorted by object; several may publish one object.
        object_of: object number of each origin, from 0.
        size: reactions wanted per object.
        pace: how fast and of what kind.
        near: pool of the community.
        far: pool of strangers.
        segment: sub-pool of `near` per object, or None.
        n: upper limit of rows.
        remarks: table of `texts.toml` with the remarks on links.
    """
    has_origin = np.bincount(object_of, minlength=len(size)) > 0
    first = np.searchsorted(object_of, np.arange(len(size)))
    wanted = np.where(has_origin, np.ceil(size / AWAKE_FRAC), 0).astype(np.int64)
    thing = np.repeat(np.arange(len(size)), wanted)
    median = pace.median_s[thing] if isinstance(pace.median_s, np.ndarray) else pace.median_s
    at = origins["at_ms"].to_numpy()[first[thing]] + draw_delays(rng, median, pace.sigma, n=len(thing))
    account = near.draw(rng, at, None if segment is None else segment[thing])
    account = np.where(rng.random(len(at)) < pace.stranger_frac, far.draw(rng, at), account)
    keep = (account >= 0) & is_awake(rng, at, rhythm=cast.rhythm[account], utc_offset_h=cast.utc_offset_h[account])
    keep &= _is_first_of_account(thing, account, keep, object_of, origins["account"].to_numpy(), n_accounts=len(cast))
    keep = np.flatnonzero(keep)[: max(0, n - origins.height)]
    thing, account, at = thing[keep], account[keep], at[keep]
    reactions = _write(cast, rng, origins, first[thing], account, at, pace, remarks)
    return pl.concat([origins, reactions])[:n]


def _is_first_of_account(
    thing: np.ndarray,
    account: np.ndarray,
    keep: np.ndarray,
    object_of: np.ndarray,
    author: np.ndarray,
    *,
    n_accounts: int,
) -> np.ndarray:
    """An account reacts to an object once, and nobody to an object of their own."""
    candidates = np.flatnonzero(keep)
    key = np.concatenate([object_of * n_accounts + author, thing[candidates] * n_accounts + account[candidates]])
    place = np.unique(key, return_index=True)[1] - len(author)
    is_first = np.zeros(len(thing), dtype=bool)
    is_first[candidates[place[place >= 0]]] = True
    return is_first


def _write(
    cast: Cast,
    rng: np.random.Generator,
    origins: pl.DataFrame,
    source: np.ndarray,
    account: np.ndarray,
    at: np.ndarray,
    pace: Reactions,
    remarks: str,
) -> pl.DataFrame:
    """Reposts, remarks and copies of the origin rows `source`."""
    kind, url = rng.random(len(source)), origins["url"].gather(source)
    is_copy = kind < pace.copy_frac
    is_repost = ~is_copy & ((kind < pace.copy_frac + pace.repost_frac) | url.is_null().to_numpy())
    language = np.where(is_copy, origins["language"].to_numpy()[source], cast.language[account])
    text = where(is_copy, origins["text"].gather(source), comments(remarks).draw(rng, language))
    return make_draft(
        account=account,
        at_ms=at,
        text=where(~is_repost, text, None),
        language=language,
        url=where(~is_repost, url, None),
        tags=where(is_copy, origins["tags"].gather(source), "[]"),
        repost_of=np.where(is_repost, source, NONE),
    )
