"""The stretch of time in which most of a chart's posts lie: years of next to nothing would squeeze it into a corner."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from workbench.chart_style import name_period, say_when

LEAST_EXCESS = 0.5
"""of the posts beyond the stretch's share of the time: it holds more than half, so neither of two campaigns is chosen
before the other; a release that grows as the years go by stays below 0.3"""
LEAST_POSTS = 50
"""of fewer, a few that fall together by chance look like a stretch; of fifty at random times the excess (Kuiper's
statistic) passed LEAST_EXCESS in none of 200,000 trials"""
MOST_OF_WHOLE = 1 / 3
"""as wide may the stretch be, of the whole: a chart twice as wide as its posts need is still read with ease"""
LEAST_DAYS = 56
MARGIN = 0.1
FEW_FRAC = 0.02
"""of the posts may be missing from every picture, where they are counted beside it and stand in its data"""
_STEPS = {"day": "1d", "week": "1w", "month": "1mo"}


@dataclass(frozen=True)
class Stretch:
    """The days a picture shows.

    Args:
        first: the first day.
        last: the last day.
        outside_frac: share of the posts before and after.
    """

    first: date
    last: date
    outside_frac: float

    @property
    def is_nearly_all(self) -> bool:
        """Whether so few posts lie outside that saying how many is enough."""
        return self.outside_frac <= FEW_FRAC

    @property
    def n_days(self) -> int:
        """The days from the first to the last."""
        return (self.last - self.first).days + 1


def find_stretch(table: pl.DataFrame, *, when: str = "day") -> Stretch | None:
    """Return the stretch of time a chart of these posts should show; None where it should show all of it.

    The stretch is the one that holds most posts beyond its share of the time, a tenth of its width added on either
    side so that a rise is seen to rise, and eight weeks at least.

    Args:
        table: `n_posts` by the column named in `when` (date: a day, or the first of a week or month) and anything else.
        when: that column.

    Beware: half of the posts may lie outside. Say how many (`say_stretch`), and show them too unless `is_nearly_all`.
    """
    by_day = table.drop_nulls(when).group_by(when).agg(pl.col("n_posts").sum()).filter(pl.col("n_posts") > 0).sort(when)
    if by_day.height < 2 or int(by_day["n_posts"].sum()) < LEAST_POSTS:
        return None
    step = _STEPS[name_period(by_day[when])]
    begins, posts = by_day[when], by_day["n_posts"].to_numpy()
    ends = begins.dt.offset_by(step).dt.offset_by("-1d")
    start, end, excess = _find_densest(_count_days(begins), _count_days(ends) + 1, posts)
    first, last = _widen(begins[start], ends[end], within=(begins[0], ends[-1]))
    if excess < LEAST_EXCESS or (last - first).days + 1 > MOST_OF_WHOLE * ((ends[-1] - begins[0]).days + 1):
        return None
    n_inside = int(cut_to(by_day, Stretch(first, last, 0.0), when=when)["n_posts"].sum())
    return Stretch(first, last, 1 - n_inside / int(posts.sum()))


def _count_days(days: pl.Series) -> np.ndarray:
    return (days.cast(pl.Int32) - int(days.cast(pl.Int32)[0])).to_numpy()


def drop_strays(table: pl.DataFrame, *, when: str) -> Stretch | None:
    """Return the stretch for a chart that few posts stretch out of shape; None where more than a few lie outside.

    For charts that bear a long time well, as columns of shares do: nothing that matters is then left out.
    """
    found = find_stretch(table, when=when)
    return found if found is not None and found.is_nearly_all else None


def _find_densest(begins: np.ndarray, ends: np.ndarray, posts: np.ndarray) -> tuple[int, int, float]:
    """Return first and last index of the run whose share of the posts exceeds its share of the time most, and by what.

    A run's excess is a difference of two sums, one up to its end and one before its start: the least sum so far is the
    best start.
    """
    share, whole = posts / posts.sum(), ends[-1]
    upto = np.cumsum(share)
    before = upto - share - begins / whole
    excess = upto - ends / whole - np.minimum.accumulate(before)
    end = int(excess.argmax())
    return int(before[: end + 1].argmin()), end, float(excess[end])


def _widen(first: date, last: date, *, within: tuple[date, date]) -> tuple[date, date]:
    n_days = (last - first).days + 1
    margin = timedelta(days=max(round(n_days * MARGIN), (LEAST_DAYS - n_days + 1) // 2))
    return max(first - margin, within[0]), min(last + margin, within[1])


def cut_to(table: pl.DataFrame, within: Stretch | None, *, when: str) -> pl.DataFrame:
    """Return the rows whose day, week or month lies in the stretch, even in part; all of them without one."""
    if within is None or table.is_empty():
        return table
    first = pl.lit(within.first).dt.truncate(_STEPS[name_period(table[when])])
    return table.filter(pl.col(when).is_between(first, within.last))


def say_stretch(table: pl.DataFrame, within: Stretch | None, *, when: str = "day", period: str) -> str:
    """Return the sentence that says how many posts a picture leaves out, and from when they are; nothing without one.

    Args:
        table: the whole table the picture is drawn of, with `n_posts`.
        within: the stretch shown.
        when: the table's column of days.
        period: "day", "week" or "month", of which the picture has one step each.
    """
    if within is None:
        return ""
    counted = table.filter(pl.col("n_posts") > 0).drop_nulls(when).sort(when)
    inside = cut_to(counted, within, when=when)
    before = counted.filter(pl.col(when) < inside[when][0])
    after = counted.filter(pl.col(when) > inside[when][-1])
    sides = [
        _say_side(before, "before", f"back to {_say_step(counted[when][0], period)}"),
        _say_side(after, "after", f"up to {_say_step(counted[when][-1], period)}"),
    ]
    n_inside, n_whole = int(inside["n_posts"].sum()), int(counted["n_posts"].sum())
    return f" Of all {n_whole:,} posts, {n_inside:,} lie in the {period}s shown; {sides[0]}, and {sides[1]}."


def _say_side(outside: pl.DataFrame, side: str, until: str) -> str:
    n = int(outside["n_posts"].sum())
    return f"{n:,} {'lies' if n == 1 else 'lie'} {side} them, {until}" if n else f"none {side} them"


def _say_step(moment: date, period: str) -> str:
    return f"the week of {say_when(moment)}" if period == "week" else say_when(moment, period)
