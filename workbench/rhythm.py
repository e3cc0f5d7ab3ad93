"""At which hours of the day each account acts: what a shuffle must keep where people sleep.

Two accounts awake at the same hours meet more often than any two readers of the same things. The plain within-object
shuffle deals night actions to day accounts, and so takes their meetings for more than chance. Here each action goes to
an account in proportion to how that account's other actions lie over the hours.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from workbench.coaction import ActionLog

N_HOURS = 24
HOUR_US = 3_600_000_000
DAY_US = N_HOURS * HOUR_US
STRENGTH_FRAC = 0.3
CHUNK_PAIRS = 1_000_000


def hours_of_day(time_us: np.ndarray) -> np.ndarray:
    """Return the hour of the day, 0 to 23 in UTC, of microseconds since 1970."""
    return time_us % DAY_US // HOUR_US


class Rhythm:
    """The hours of each account of a log, and how much they say.

    An hour of a day counts once, however often the account acted in it: a burst is no habit. `strength` says how far
    all accounts together keep their own hours: the pseudo-actions at everybody's hours that each profile is mixed with.
    It is infinite where accounts come back at the same hours of other days no more often than two strangers do; then
    nothing here changes anything.

    Source: moments of the Dirichlet-multinomial (Mosimann 1962) for `strength`. Differs: three tenths of it. Accounts
        are of few kinds (time zones, nights), which these moments take for many; whole, it left the first hundred
        edges of worlds with nights flattered by 0.2, and half as much again made others too cautious by 0.2.
    Beware: hours are UTC and the same all year. Week ends and changes of the clock blur them. A rhythm within the hour
        (posts on the full hour) is not kept.
    """

    def __init__(self, log: ActionLog):
        hour_of_day = hours_of_day(log.time_us)
        day = log.time_us // DAY_US
        day -= day.min(initial=0)
        account_day = log.account_code * (day.max(initial=0) + 1) + day
        cell = np.unique(account_day * N_HOURS + hour_of_day)
        n_accounts = max(len(log.accounts), 1)
        account, hour = cell // N_HOURS // (day.max(initial=0) + 1), cell % N_HOURS
        count = np.bincount(account * N_HOURS + hour, minlength=n_accounts * N_HOURS).reshape(n_accounts, N_HOURS)
        self.n_hours = count.astype(np.float32)
        self.everybody = count.sum(axis=0) / max(len(cell), 1)
        per_day = np.unique(cell // N_HOURS, return_counts=True)[1].astype(float)
        by_strangers = float((self.everybody**2).sum())
        n_pairs = (count.sum(axis=1).astype(float) ** 2).sum() - (per_day**2).sum()  # of different days
        by_oneself = (float(np.vdot(count, count)) - len(cell)) / max(n_pairs, 1)
        excess = by_oneself - by_strangers
        self.strength = STRENGTH_FRAC * (1 - by_oneself) / excess if excess > 0 else np.inf
        self._by_strangers = by_strangers

    @property
    def is_flat(self) -> bool:
        """Whether accounts keep no hours of their own."""
        return not np.isfinite(self.strength)

    def overlap(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return how many times as often as two strangers the accounts (codes) a[k] and b[k] act in one hour."""
        if self.is_flat or not len(a):
            return np.ones(len(a))
        profile = self._profile
        cuts = range(CHUNK_PAIRS, len(a), CHUNK_PAIRS)
        parts = zip(np.split(a, cuts), np.split(b, cuts), strict=True)
        inner = [np.einsum("ij,ij->i", profile[x], profile[y]) for x, y in parts]
        return np.concatenate(inner).astype(float) / self._by_strangers

    @cached_property
    def _profile(self) -> np.ndarray:
        """Per account, the share of its actions in each hour, mixed with everybody's."""
        profile = self.n_hours + (self.strength * self.everybody).astype(np.float32)
        profile /= profile.sum(axis=1, keepdims=True)
        return profile

    def fit(self, account: np.ndarray, hour: np.ndarray, *, is_own: np.ndarray) -> np.ndarray:
        """Return how readily accounts act at hours, up to a factor per account, judged by their other actions.

        Args:
            account: account codes.
            hour: an hour of the day (0 to 23) for each.
            is_own: whether the action asked about is one of its own at that hour, and so does not speak for it.
        """
        return self._readiness.take(account * N_HOURS + hour) - is_own

    @cached_property
    def _readiness(self) -> np.ndarray:
        """Per account and hour, its hours of the day mixed with everybody's."""
        return self.n_hours + self.strength * self.everybody
