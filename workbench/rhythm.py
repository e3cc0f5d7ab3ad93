"""At which hours of the day each account acts: what a shuffle must keep where people sleep.

Two accounts awake at the same hours meet more often than any two readers of the same things. The plain within-object
shuffle deals night actions to day accounts, and so takes their meetings for more than chance. Here each action goes to
an account in proportion to how that account's other actions lie over the hours.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from workbench.coaction import ActionLog

N_HOURS = 24
HOUR_US = 3_600_000_000
DAY_US = N_HOURS * HOUR_US
N_SWEEPS = 6
STRENGTH_FRAC = 0.3
CHUNK_PAIRS = 1_000_000


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
        self.hour = log.time_us % DAY_US // HOUR_US
        day = log.time_us // DAY_US
        day -= day.min(initial=0)
        account_day = log.account_code * (day.max(initial=0) + 1) + day
        cell = np.unique(account_day * N_HOURS + self.hour)
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
        self._mixed: _Mixed | None = None

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

    def deal(self, log: ActionLog, rng: np.random.Generator) -> ActionLog:
        """Return the log with the accounts of each object dealt anew to its actions, each by its hours.

        Args:
            log: the log the rhythm was made of.
            rng: random numbers.

        Source: Metropolis et al. 1953, started from the plain shuffle: two actions of an object exchange their accounts
            as readily as these accounts' hours suggest. An account's own action does not speak for its hour.
        Beware: after six rounds large objects are not quite in balance; four or twelve gave the same error rates.
        """
        dealt = np.lexsort((rng.random(len(log)), log.object_code))  # per action, the row whose account now does it
        for _ in range(0 if self.is_flat else N_SWEEPS):
            one, two = self._pair_up(log, rng)
            exchanged = self._fit(log, dealt[one], self.hour[two]) * self._fit(log, dealt[two], self.hour[one])
            kept = self._fit(log, dealt[one], self.hour[one]) * self._fit(log, dealt[two], self.hour[two])
            accepted = rng.random(len(one)) * kept < exchanged
            one, two = one[accepted], two[accepted]
            dealt[one], dealt[two] = dealt[two], dealt[one]
        return replace(log, account_code=log.account_code[dealt])

    def _pair_up(self, log: ActionLog, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return rows in pairs of one object and two hours, no row twice: their places add up to a random number."""
        if self._mixed is None:
            self._mixed = _Mixed.find(log, self.hour)
        mixed = self._mixed
        turn = (rng.random(mixed.n_objects)[mixed.object] * mixed.size).astype(np.int64)
        partner = turn - mixed.place
        partner[partner < 0] += mixed.size[partner < 0]
        step = partner - mixed.place
        kept = np.flatnonzero(step > 0)
        one = mixed.row[kept]
        two = one + step[kept]
        differ = self.hour[one] != self.hour[two]
        return one[differ], two[differ]

    def _fit(self, log: ActionLog, row: np.ndarray, hour: np.ndarray) -> np.ndarray:
        """Return how well an hour fits the account of a row, judged by the account's other actions."""
        own = self.hour[row] == hour
        return self.n_hours[log.account_code[row], hour] - own + self.strength * self.everybody[hour]


@dataclass(frozen=True)
class _Mixed:
    """The rows of objects acted on at several hours; per row its place on the object, the object's size and number."""

    row: np.ndarray
    place: np.ndarray
    size: np.ndarray
    object: np.ndarray
    n_objects: int

    @classmethod
    def find(cls, log: ActionLog, hour: np.ndarray) -> _Mixed:
        changes = (hour[1:] != hour[:-1]) & (log.object_code[1:] == log.object_code[:-1])
        is_mixed = np.zeros(len(log.objects), bool)
        is_mixed[log.object_code[1:][changes]] = True
        row = np.flatnonzero(is_mixed[log.object_code])
        _, first, number, size = np.unique(
            log.object_code[row], return_index=True, return_inverse=True, return_counts=True
        )
        return cls(row, np.arange(len(row)) - first[number], size[number], number, len(first))
