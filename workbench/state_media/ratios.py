"""The ratio of two shares of posts, with an interval that knows that one account makes many posts."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import polars as pl
from scipy.stats import beta


class Ratio(NamedTuple):
    """A ratio with its interval; a bound is null where the data sets none."""

    ratio: float | None
    low: float | None
    high: float | None


def estimate_ratio(
    n_hits: pl.Series, n_posts: pl.Series, rest_n_hits: pl.Series, rest_n_posts: pl.Series, *, level_frac: float = 0.95
) -> Ratio:
    """Return how many times the share of hits among one group's posts is that among another's, with an interval.

    Each series has one value per account. Posts of one account are alike, so the counts are first divided by their
    design effect (variance of the share between accounts over the variance independent posts would have), then the
    interval is the exact one for two Poisson counts (Clopper-Pearson on the share of hits that are the group's).

    Args:
        n_hits: hits of each account of the group.
        n_posts: posts of each.
        rest_n_hits: hits of each account of the rest.
        rest_n_posts: posts of each.
        level_frac: coverage asked for.

    Returns:
        ratio (null where the rest has no hit or one side no post), low, high (null where nothing bounds it above).

    Source: Rao and Scott 1992 (effective counts of clustered data); Clopper and Pearson 1934; Przyborowski and
    Wilenski 1940 (conditional test of two Poisson counts).
    Beware: with fewer than about ten accounts on a side the design effect is itself a guess.
    """
    total, rest_total = float(n_posts.sum()), float(rest_n_posts.sum())
    hits, rest_hits = float(n_hits.sum()), float(rest_n_hits.sum())
    if not total or not rest_total or not hits + rest_hits:
        return Ratio(None, None, None)
    effects = [_design_effect(n_hits, n_posts), _design_effect(rest_n_hits, rest_n_posts)]
    # A side without hits shows no spread of its own: it takes the other's.
    known = [effect for effect in effects if effect is not None]
    effect, rest_effect = (effect if effect is not None else max(known, default=1.0) for effect in effects)
    x, n, y, m = hits / effect, total / effect, rest_hits / rest_effect, rest_total / rest_effect
    tail = (1 - level_frac) / 2
    low = float(beta.ppf(tail, x, y + 1)) if x else 0.0
    high = float(beta.ppf(1 - tail, x + 1, y)) if y else 1.0
    ratio = (hits / total) / (rest_hits / rest_total) if rest_hits else None
    return Ratio(ratio, _odds(low) * m / n, None if high >= 1 else _odds(high) * m / n)


def _odds(share: float) -> float:
    return share / (1 - share) if share < 1 else math.inf


def _design_effect(hits: pl.Series, posts: pl.Series) -> float | None:
    x, n = hits.to_numpy().astype(float), posts.to_numpy().astype(float)
    total = n.sum()
    share = x.sum() / total
    if share in (0.0, 1.0) or len(n) < 2:
        return None
    residual = x - share * n
    variance = len(n) / (len(n) - 1) * np.sum(residual**2) / total**2
    return max(1.0, float(variance / (share * (1 - share) / total)))
