"""Would a shared clock do it? Strangers whose posts snap to one clock meet without meaning to.

Schedulers post on the full hour, pollers of a feed every thirty minutes, pupils at the bell, everybody by day. Such
accounts keep one *phase* of some period on different things too, where they cannot have acted together. So what a
clock explains can be worked out: how often others fall into the same turn of the clock on the same object, times how
often the group's own actions on *different* objects are within the window of each other on the dial.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from workbench.action_log import order_rows
from workbench.coaction import ActionLog
from workbench.coordinated.half import Half, OwnPairs, count_members_near, count_runs

PERIODS_S = (60, 300, 600, 900, 1200, 1800, 3600, 7200, 10_800, 14_400, 21_600, 43_200, 86_400)
MIN_WINDOWS_PER_PERIOD = 6
MIN_RATIO = 2.0
MAX_LUCK_P = 0.001
PSEUDO_PAIRS = 20.0
LOCKED_FRAC = 0.5
PROMPT_FRAC = 0.5
MAX_UNIFORM_P = 0.001


@dataclass(frozen=True)
class Clock:
    """The clock that explains most of a group's co-actions on one half, and whether it explains them."""

    period_s: float = 0.0
    """0 where no clock could matter"""
    due: float = 0.0
    """co-actions the members would have by keeping this clock alone"""
    explains: bool = False


NO_CLOCK = Clock()


def weigh_clock(half: Half, together: Sequence[Together], *, seen: float) -> Clock:
    """Return the clock that explains a group best.

    A clock explains a group that acted together less than twice as often as the clock alone gives, or so little more
    often that it may be luck, objects being counted and not pairs. It also explains one whose actions mostly keep one
    phase and mostly come within one turn of the object's first action: whatever polls one feed does so, and nothing in
    the times tells it from a group.

    Args:
        half: the half the group was not found on.
        together: where the group met on it, and on the other half. That too is asked for phases: the group was not
            chosen by those.
        seen: co-actions of the group on `half`.

    Source: own; keeps slow rates and phases and breaks the rest, as surrogates of spike trains do (Grün 2009).
    Beware: a group that really works by such a clock, on new things of its own, is explained away too.
    """
    place = np.concatenate([together[0].object_code, together[1].object_code + len(half.size)])
    time_us = np.concatenate([part.time_us for part in together])
    since_first_us = np.concatenate([part.since_first_us for part in together])
    dial = Dial(place, time_us)
    if dial.n_places < 2:
        return NO_CLOCK
    own = half.log.keep(together[0].own)
    by_itself = OwnPairs(own.object_code, own.account_code, len(half.size))
    own_pairs = count_in_turns(own, by_itself, np.zeros(len(own), np.int64))
    n_events = len(np.unique(together[0].object_code))
    best = NO_CLOCK
    for period_us in (period_s * 1_000_000 for period_s in PERIODS_S):
        if period_us < MIN_WINDOWS_PER_PERIOD * half.window_us:
            continue
        frac = dial.share_in_phase(period_us=period_us, window_us=half.window_us)
        is_even = frac < LOCKED_FRAC
        if is_even and not _is_enough(frac * own_pairs.sum(), seen, n_events):  # not if everybody fell into one turn
            continue
        middle, p_uniform = dial.find_phase(period_us)
        due = frac * _due_in_turn(half, own, by_itself, own_pairs, period_us=period_us, from_us=middle - period_us // 2)
        is_locked = not is_even and p_uniform <= MAX_UNIFORM_P
        is_prompt = is_locked and (since_first_us <= period_us).mean() >= PROMPT_FRAC
        clock = Clock(period_us / 1e6, due, bool(is_prompt or _is_enough(due, seen, n_events)))
        if (clock.explains, clock.due) > (best.explains, best.due):
            best = clock
    return best


def _is_enough(due: float, seen: float, n_events: int) -> bool:
    """Whether a clock that gives `due` co-actions is enough to explain `seen` of them, on so many objects."""
    luck = float(stats.poisson.sf(n_events - 1, due * n_events / max(seen, 1)))
    return seen < MIN_RATIO * due or luck > MAX_LUCK_P


class Together:
    """The rows of a half where members (account codes) acted within the window of each other."""

    def __init__(self, half: Half, members: np.ndarray):
        is_member = np.zeros(len(half.log.accounts), bool)
        is_member[members] = True
        self.window_us = half.window_us
        self.own = is_member[half.log.account_code]
        part = half.log.keep(self.own)
        is_near = count_members_near(part, np.ones(len(part), bool), half.window_us) > 0
        self.object_code, self.time_us = part.object_code[is_near], part.time_us[is_near]
        first = np.searchsorted(half.log.object_code, self.object_code)
        self.since_first_us = self.time_us - half.log.time_us[first]


def share_at_start(together: Sequence[Together]) -> float:
    """Return the share of objects the group met on where it met within the window of the object's first action.

    Whoever answers a source's alerts does so when the thing is new; a low share rules that out. A high share rules out
    nothing: a group that puts things up itself is early too. Both halves are asked, as for phases; NaN where the group
    never met.
    """
    early = [_start_of_each(part) <= part.window_us for part in together]
    return float(np.concatenate(early).mean()) if sum(map(len, early)) else float("nan")


def _start_of_each(together: Together) -> np.ndarray:
    """Return, per object the group met on, how long after the object's first action it began to."""
    _, first = np.unique(together.object_code, return_index=True)  # rows are in order of time within each object
    return together.since_first_us[first]


class Dial:
    """Actions that may lie on a dial of any period: the same places and times, asked for one period after the other.

    Each place weighs the same, however many actions are on it.
    """

    def __init__(self, place: np.ndarray, time_us: np.ndarray):
        """Take, per action, the place (object) it was on, and microseconds."""
        _, self._code, self._n = np.unique(place, return_inverse=True, return_counts=True)
        self._weight = 1 / self._n[self._code]
        self._time_us = time_us

    @property
    def n_places(self) -> int:
        """Number of places."""
        return len(self._n)

    def share_in_phase(self, *, period_us: int, window_us: int) -> float:
        """Return the share of pairs of actions at different places that are within the window on the dial.

        Args:
            period_us: one turn of the dial.
            window_us: inclusive; less than half a turn.
        """
        phase = self._time_us % period_us
        by_phase = order_rows(phase)  # ties too add up in the same order on every machine
        by_place = by_phase[order_rows(self._code[by_phase])]
        near, near_here = (
            _weigh_near(code[rows], phase[rows], self._weight[rows], period_us, window_us)
            for code, rows in ((np.zeros_like(self._code), by_phase), (self._code, by_place))
        )
        return (near - near_here) / max(self.n_places * (self.n_places - 1), 1)

    def find_phase(self, period_us: int) -> tuple[int, float]:
        """Return the mean phase of the places, in microseconds, and the chance of so uneven ones (Rayleigh's test)."""
        turn = np.exp(2j * np.pi * (self._time_us % period_us) / period_us)
        per_place = (np.bincount(self._code, turn.real) + 1j * np.bincount(self._code, turn.imag)) / self._n
        mean = (per_place / np.maximum(abs(per_place), 1e-12)).mean()
        return int(np.angle(mean) / (2 * np.pi) * period_us), float(np.exp(-self.n_places * abs(mean) ** 2))


def _weigh_near(code: np.ndarray, phase: np.ndarray, weight: np.ndarray, period_us: int, window_us: int) -> float:
    """Return the summed product of weights of all ordered pairs of one code within the window on the dial.

    Rows come in order of code and phase. Each action is a pair with itself.
    """
    line = code * (3 * period_us) + phase  # codes lie so far apart that no window reaches from one to the next
    total = np.concatenate([[0.0], np.cumsum(weight)])
    ahead = total[np.searchsorted(line, line + window_us, side="right")] - total[1:]
    over = np.flatnonzero(phase + window_us >= period_us)  # past the top of the dial is its beginning
    reach = line[over] + (window_us - period_us)
    begins, ends = np.searchsorted(line, line[over] - phase[over]), np.searchsorted(line, reach, side="right")
    return float(weight @ (weight + 2 * ahead) + 2 * weight[over] @ (total[ends] - total[begins]))


def _due_in_turn(
    half: Half, own: ActionLog, by_itself: OwnPairs, own_pairs: np.ndarray, *, period_us: int, from_us: int
) -> float:
    """Return the pairs of the group's actions on one object, each times how often outsiders fall into one turn."""
    one_turn, own_turn = (
        count_in_turns(log, itself, (log.time_us - from_us) // period_us)
        for log, itself in ((half.log, half.own), (own, by_itself))
    )
    usual = half.like_size.mean(one_turn / np.maximum(half.n_pairs, 1))
    n_outside = np.maximum(half.n_pairs - own_pairs, 0)
    rate = (np.maximum(one_turn - own_turn, 0) + PSEUDO_PAIRS * usual) / (n_outside + PSEUDO_PAIRS)
    return float((own_pairs * rate).sum())


def count_in_turns(log: ActionLog, by_itself: OwnPairs, turn: np.ndarray) -> np.ndarray:
    """Return, per object, the pairs of actions by two accounts that are in one turn; turns never fall with time."""
    objects, in_turn = count_runs(log.object_code, turn)
    return np.bincount(objects, in_turn, by_itself.n_codes) - by_itself.count_in_turn(turn)
