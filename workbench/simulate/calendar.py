"""When things happen in a synthetic release: its days, the hours accounts keep, and how long reactions take."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np

DAY_MS, HOUR_MS = 86_400_000, 3_600_000

HISTORY_START = date(2014, 1, 1)
CAMPAIGN_START, CAMPAIGN_END = date(2021, 4, 26), date(2021, 7, 5)
"""Ten weeks; the end is the first day after."""
DENSE_START = date(2021, 4, 1)
END = date(2021, 7, 16)
SPAM_START, SPAM_END = date(2016, 3, 1), date(2020, 2, 1)
CLOCK_START, CLOCK_END = date(2020, 10, 12), date(2020, 11, 2)
RESALE_START, RESALE_END = date(2020, 8, 20), date(2021, 3, 20)
HOLIDAYS = (date(2021, 5, 1), date(2021, 5, 2), date(2021, 5, 3), date(2021, 5, 4), date(2021, 5, 5), date(2021, 6, 14))
"""Public holidays in China within the campaign, when its workers rest."""

_LEISURE = (3, 2, 1, 1, 1, 2, 4, 7, 8, 7, 7, 8, 10, 8, 7, 7, 8, 9, 10, 11, 12, 12, 9, 6)
_OFFICE = (0.1, 0.05, 0, 0, 0, 0, 0.1, 0.3, 2, 9, 17, 17, 5, 8, 15, 14, 10, 6, 2, 1, 0.8, 0.6, 0.4, 0.2)
_OFFICE_DAYS = (1, 1, 0.97, 1, 0.95, 0.6, 0.3)
LEISURE, OFFICE, MACHINE = 0, 1, 2


def _week(hours: tuple[float, ...], days: tuple[float, ...]) -> np.ndarray:
    week = np.outer(np.array(days), np.array(hours)).ravel()
    return week / week.max()


WEEKS = np.array([_week(_LEISURE, (1, 1, 1, 1, 1.05, 1.15, 1.15)), _week(_OFFICE, _OFFICE_DAYS), np.ones(168)])
"""How readily an account acts in each local hour of the week (0 = Monday 00:00), 1 = most; one row per rhythm."""


def epoch_ms(day: date) -> int:
    """Return the day's first millisecond, UTC."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)


def day_number(day: date) -> int:
    """Return days since the history starts."""
    return (day - HISTORY_START).days


N_DAYS = day_number(END)
START_MS = epoch_ms(HISTORY_START)


def first_day_ms(number: int) -> int:
    """Return the first millisecond of a day counted from the history's start."""
    return START_MS + number * DAY_MS


def everyday_weights(*, dense_frac: float) -> np.ndarray:
    """Return the share of posts on each day: growing over the years, `dense_frac` of all in the last months."""
    weights, dense = np.linspace(0.2, 1.0, N_DAYS), day_number(DENSE_START)
    weights[:dense] *= (1 - dense_frac) / weights[:dense].sum()
    weights[dense:] = dense_frac / (N_DAYS - dense)
    return weights


def office_weights(start: date, end: date) -> np.ndarray:
    """Return the share of posts on each day of a campaign worked from an office: quiet Sundays and holidays."""
    weights = np.zeros(N_DAYS)
    for number in range(day_number(start), day_number(end)):
        weights[number] = _OFFICE_DAYS[(number + HISTORY_START.weekday()) % 7]
    for day in HOLIDAYS:
        weights[day_number(day)] *= 0.15
    return weights / weights.sum()


def even_weights(start: date, end: date) -> np.ndarray:
    """Return equal shares for the days from start to the day before end."""
    weights = np.zeros(N_DAYS)
    weights[day_number(start) : day_number(end)] = 1.0
    return weights / weights.sum()


def draw_times(
    rng: np.random.Generator, day_weights: np.ndarray, *, n: int, rhythm: int, utc_offset_h: np.ndarray | int
) -> np.ndarray:
    """Return `n` moments in ms since 1970: a day by weight, an hour by rhythm in the given local time."""
    days = rng.choice(N_DAYS, n, p=day_weights / day_weights.sum())
    hours = WEEKS[rhythm].reshape(7, 24).sum(axis=0)
    local_hour = rng.choice(24, n, p=hours / hours.sum())
    within = rng.integers(0, HOUR_MS, n)
    return START_MS + days * DAY_MS + (local_hour - utc_offset_h) * HOUR_MS + within


def is_awake(
    rng: np.random.Generator, at_ms: np.ndarray, *, rhythm: np.ndarray, utc_offset_h: np.ndarray
) -> np.ndarray:
    """Return which of the moments suit the accounts' rhythms: a random thinning by local hour of the week."""
    hour = (at_ms // HOUR_MS + utc_offset_h + 72) % 168  # 1970-01-01 was a Thursday: three days into the week
    return rng.random(len(at_ms)) < WEEKS[rhythm, hour]


def draw_delays(rng: np.random.Generator, median_s: np.ndarray | float, sigma: float, *, n: int) -> np.ndarray:
    """Return lognormal reaction times in ms, at least half a second and at most three days."""
    seconds = np.exp(rng.normal(0.0, sigma, n)) * median_s
    return (np.clip(seconds, 0.5, 3 * 86_400) * 1000).astype(np.int64)
