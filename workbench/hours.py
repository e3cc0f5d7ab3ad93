"""posts -> when in the day and week a group works, and which time zones that would fit."""

from __future__ import annotations

import numpy as np
import polars as pl
from scipy.sparse import csr_array

from workbench.schema import ParameterError, SchemaError, check_table

OFFSETS_H = tuple(range(-11, 15))
FIRST_HOUR, END_HOUR = 9, 18


def count_week_hours(posts: pl.DataFrame, *, utc_offset_h: int) -> pl.DataFrame:
    """Return posts per hour of the week on a clock shifted from UTC: weekday (1 = Monday), hour (0..23), n_posts.

    All 168 hours are there, those without posts with 0.

    Raises:
        SchemaError: `posts` is not a table of posts.
        ParameterError: an offset no clock has.
    """
    _check_offset(utc_offset_h)
    by_hour = check_table(posts, "posts").group_by(pl.col("posted_at").dt.truncate("1h")).agg(n=pl.len().cast(pl.Int64))
    local = pl.col("posted_at").dt.offset_by(f"{utc_offset_h}h")
    counted = by_hour.group_by(weekday=local.dt.weekday().cast(pl.Int64), hour=local.dt.hour().cast(pl.Int64)).agg(
        n_posts=pl.col("n").sum()
    )
    hours = pl.DataFrame({"weekday": range(1, 8)}).join(pl.DataFrame({"hour": range(24)}), how="cross")
    return hours.join(counted, on=["weekday", "hour"], how="left").with_columns(pl.col("n_posts").fill_null(0))


def fit_working_hours(
    posts: pl.DataFrame, *, holidays: pl.DataFrame | None = None, n_bootstrap: int = 200, seed: int
) -> pl.DataFrame:
    """Return, per UTC offset, how much of a group's posting falls into office hours there, and whether it fits best.

    Accounts, not posts, are drawn anew for the intervals: one busy account is one witness. Each account weighs the
    same up to 50 posts, so that no account decides alone.

    Args:
        posts: table `posts` of one group of accounts.
        holidays: from `read_holidays`: days off, and weekend days worked in exchange, on the calendar of each clock.
        n_bootstrap: draws of accounts for the intervals.
        seed: of the draws.

    Returns:
        One row per offset: utc_offset_h, office_frac (share of posts from 09:00 to 17:59 on working days: Monday to
        Friday but for holidays), low, high (95 % interval), weekday_ratio (posts per weekday over posts per weekend
        day; null without weekend posts), holiday_ratio (posts per holiday on a weekday over posts per other weekday,
        between the first post and the last; null without such a day), best_frac (share of the draws in which this
        offset is best), is_plausible (more than 2.5 % of them). No rows without posts.

    Raises:
        SchemaError: `posts` is not a table of posts, or `holidays` no calendar.
        ParameterError: no draws.

    Source: the office-hour argument is Uren, Thomas and Wallis 2019 (ASPI); the interval is ours.
    Beware: this says which clocks fit, never where anybody sits: scheduled posts, shifts, an audience elsewhere and
        neighbouring countries on one clock all look the same.
    """
    if n_bootstrap < 1:
        raise ParameterError(f"n_bootstrap is {n_bootstrap}; expected 1 or more.")
    posts = check_table(posts, "posts")
    if posts.is_empty():
        return pl.DataFrame(schema=_FIT)
    hours = _count_hours(posts)
    week, weight = _hours_by_account(hours)
    off, worked = _days(holidays)
    in_office = _office_share(hours, off, worked)
    observed = weight @ in_office / weight.sum()
    rng = np.random.default_rng(seed)
    draws = rng.multinomial(len(week), np.full(len(week), 1 / len(week)), size=n_bootstrap) * weight
    shares = draws @ in_office / draws.sum(axis=1, keepdims=True)
    best = np.bincount(shares.argmax(axis=1), minlength=len(OFFSETS_H)) / n_bootstrap
    low, high = np.quantile(shares, [0.025, 0.975], axis=0)
    total = weight @ week
    return pl.DataFrame(
        {
            "utc_offset_h": OFFSETS_H, "office_frac": observed, "low": low, "high": high,
            "weekday_ratio": [_weekday_ratio(total, offset) for offset in OFFSETS_H],
            "holiday_ratio": [_holiday_ratio(hours, weight, off, offset) for offset in OFFSETS_H],
            "best_frac": best,
            "is_plausible": best > 0.025,
        },
        schema=_FIT,
    )  # fmt: skip


def choose_clock(fit: pl.DataFrame) -> int:
    """Return the UTC offset with the most office hours in a fit of `fit_working_hours`; 0 (UTC) where it is empty."""
    best = fit.sort("office_frac", "utc_offset_h", descending=[True, False])["utc_offset_h"]
    return int(best[0]) if len(best) else 0


_FIT = {
    "utc_offset_h": pl.Int64, "office_frac": pl.Float64, "low": pl.Float64, "high": pl.Float64,
    "weekday_ratio": pl.Float64, "holiday_ratio": pl.Float64, "best_frac": pl.Float64, "is_plausible": pl.Boolean,
}  # fmt: skip
_HOURS = np.arange(168)
_HOUR_US = 3_600_000_000


def _count_hours(posts: pl.DataFrame) -> pl.DataFrame:
    """Posts per account and hour, accounts numbered in order, with the number of posts of its account as whole."""
    names = posts["account_id"].unique().sort()
    row = posts["account_id"].replace_strict(names, np.arange(len(names)), return_dtype=pl.Int64).to_numpy()
    hour = posts["posted_at"].dt.epoch("us").to_numpy() // _HOUR_US
    first = int(hour.min())
    n_hours = int(hour.max()) - first + 1
    # Numbers sort many times faster than names and times.
    slots = np.sort(row * n_hours + (hour - first))
    starts = np.flatnonzero(np.diff(slots, prepend=-1))
    n = np.diff(np.append(starts, len(slots)))
    row, hour = np.divmod(slots[starts], n_hours)
    return pl.DataFrame(
        {
            "hour": pl.Series((hour + first) * _HOUR_US).cast(pl.Datetime("us", "UTC")),
            "n": n,
            "row": row,
            "whole": np.bincount(row, n).astype(np.int64)[row],
        }
    )


def _hours_by_account(hours: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Share of each account's posts per hour of the week (UTC, Monday 00:00 first), and each account's weight."""
    slot = hours.select((pl.col("hour").dt.weekday().cast(pl.Int64) - 1) * 24 + pl.col("hour").dt.hour()).to_series()
    row = hours["row"].to_numpy()
    week = np.bincount(row * 168 + slot.to_numpy(), hours["n"].to_numpy(), minlength=(row[-1] + 1) * 168)
    week = week.reshape(-1, 168)
    n = week.sum(axis=1)
    return week / n[:, None], np.minimum(n, 50)


def _days(holidays: pl.DataFrame | None) -> tuple[pl.Series, pl.Series]:
    """Days off, and weekend days that are worked."""
    if holidays is None:
        holidays = pl.DataFrame(schema={"day": pl.Date, "is_workday": pl.Boolean})
    lacking = [name for name in ("day", "is_workday") if name not in holidays.columns]
    if lacking:
        raise SchemaError(f"holidays lacks column '{lacking[0]}' (has {holidays.columns}). Pass it from read_holidays.")
    return holidays.filter(~pl.col("is_workday"))["day"], holidays.filter("is_workday")["day"]


def _office_share(hours: pl.DataFrame, off: pl.Series, worked: pl.Series) -> np.ndarray:
    """Per account and clock, the share of its posts in office hours."""
    moments = hours.select("hour").unique().sort("hour").with_row_index("at")
    at = hours.select("hour").join(moments, on="hour", how="left", maintain_order="left")["at"]
    counts = csr_array((hours["n"].cast(pl.Float64).to_numpy(), (hours["row"].to_numpy(), at.to_numpy())))
    is_office = moments.select(_is_office(offset, off, worked).alias(str(offset)) for offset in OFFSETS_H)
    return counts @ is_office.cast(pl.Float64).to_numpy() / counts.sum(axis=1)[:, None]


def _is_office(offset: int, off: pl.Series, worked: pl.Series) -> pl.Expr:
    local = pl.col("hour").dt.offset_by(f"{offset}h")
    day = local.dt.date()
    is_working = (local.dt.weekday() <= 5) & ~day.is_in(off.implode()) | day.is_in(worked.implode())
    return is_working & (local.dt.hour() >= FIRST_HOUR) & (local.dt.hour() < END_HOUR)


def _holiday_ratio(hours: pl.DataFrame, weight: np.ndarray, off: pl.Series, offset: int) -> float | None:
    """Posts per weekday holiday over posts per other weekday, accounts weighed as in the fit."""
    if off.is_empty():
        return None
    local = pl.col("hour").dt.offset_by(f"{offset}h").dt.date()
    first, last = hours.select(first=local.min(), last=local.max()).row(0)
    days = pl.DataFrame({"day": pl.date_range(first, last, "1d", eager=True)}).filter(pl.col("day").dt.weekday() <= 5)
    n_off = int(days["day"].is_in(off.implode()).sum())
    if not n_off or n_off == days.height:
        return None
    share = weight[hours["row"].to_numpy()] * (hours["n"] / hours["whole"]).to_numpy()
    weekdays = hours.select(day=local).with_columns(share=share).filter(pl.col("day").dt.weekday() <= 5)
    on_off = float(weekdays.filter(pl.col("day").is_in(off.implode()))["share"].sum())
    others = float(weekdays["share"].sum()) - on_off
    return on_off / n_off / (others / (days.height - n_off)) if others > 0 else None


def _weekday_ratio(total: np.ndarray, offset: int) -> float | None:
    is_weekday = (_HOURS + offset) % 168 // 24 < 5
    weekend = total[~is_weekday].sum() / 2
    return float(total[is_weekday].sum() / 5 / weekend) if weekend > 0 else None


def _check_offset(utc_offset_h: int) -> None:
    if utc_offset_h not in OFFSETS_H:
        raise ParameterError(
            f"utc_offset_h is {utc_offset_h}; expected whole hours from {OFFSETS_H[0]} to {OFFSETS_H[-1]}."
        )
