"""The within-object shuffle: another world in which any account of an object could have made any action on it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from workbench.action_log import ActionLog, find_shared, group_codes, order_rows
from workbench.rhythm import Rhythm, hours_of_day

N_SWEEPS = 6
TICKET_BITS = 32


class Shuffle:
    """Deals the accounts of each object anew to its actions, as often as asked.

    Objects with a single action are left out: nothing about them can change, and no two accounts meet there.

    With a rhythm, each action goes to an account as readily as its hour fits the account's hours: two actions of an
    object exchange their accounts as these hours suggest, from the plain shuffle on. An account's own action does not
    speak for its hour.

    Source: Metropolis et al. 1953.
    Beware: after six rounds large objects are not quite in balance; four or twelve gave the same error rates.
    """

    def __init__(self, log: ActionLog, rhythm: Rhythm | None = None):
        self.log = log.keep(find_shared(log.object_code))
        self._rhythm = None if rhythm is None or rhythm.is_flat else rhythm
        self._hour = hours_of_day(self.log.time_us)
        self._mixed = _Mixed.find(self.log, self._hour)

    def deal(self, rng: np.random.Generator) -> ActionLog:
        """Return the actions on shared objects in a shuffled world: all but the accounts is as it was."""
        # Numbered tickets in place of floats: equal ones cannot be sorted differently on another machine.
        ticket = rng.integers(0, 2**TICKET_BITS, len(self.log))
        drawn = order_rows(ticket)
        by_object, _ = group_codes(self.log.object_code[drawn], len(self.log.objects))
        dealt = drawn[by_object]  # whose account now acts
        for _ in range(N_SWEEPS):
            if self._rhythm:
                self._exchange(self._rhythm, dealt, rng)
        return replace(self.log, account_code=self.log.account_code[dealt])

    def _exchange(self, rhythm: Rhythm, dealt: np.ndarray, rng: np.random.Generator) -> None:
        """Let each action exchange its account with at most one other of its object, where their hours suggest it."""
        one, two = self._pair_up(rng)
        at = self._hour[one], self._hour[two]
        own = [self._hour[dealt[rows]] for rows in (one, two)]
        account = [self.log.account_code[dealt[rows]] for rows in (one, two)]

        def fit(whose: int, hour: np.ndarray) -> np.ndarray:
            return rhythm.fit(account[whose], hour, is_own=own[whose] == hour)

        exchanged = fit(0, at[1]) * fit(1, at[0])
        kept = fit(0, at[0]) * fit(1, at[1])
        accepted = rng.random(len(one)) * kept < exchanged
        one, two = one[accepted], two[accepted]
        dealt[one], dealt[two] = dealt[two], dealt[one]

    def _pair_up(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return rows in pairs of one object and two hours, no row twice: their places add up to a random number."""
        mixed = self._mixed
        turn = (rng.random(mixed.n_objects)[mixed.object] * mixed.size).astype(np.int64)
        partner = turn - mixed.place
        step = partner + mixed.size * (partner < 0) - mixed.place
        kept = np.flatnonzero(step > 0)
        one = mixed.row[kept]
        two = one + step[kept]
        differ = self._hour[one] != self._hour[two]
        return one[differ], two[differ]


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
