"""One half of the objects: its actions, its usual pace by size of object."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import polars as pl

from workbench.action_log import LONGEST_SPAN_US, order_rows
from workbench.coaction import ActionLog, count_partners, pack_actions
from workbench.content_order import ALL_TRACES, order_by_content
from workbench.coordinated.edges import Edges
from workbench.schema import check_table

LIKE_SIZE_FRAC = 0.1
MIN_LIKE_SIZE = 100


class Half:
    """The actions on one half of the objects at one time window, with what is the same for every group weighed on it.

    Per object code: `size` actions from row `first` on, `n_pairs` of them by two accounts, `n_close` of those within
    the window; `n_close_rows` also counts an account with itself (`own` has those pairs); `n_paths` counts ordered
    pairs of partners of one action (the variance of the within-object shuffle needs both). `least_gap_us` is the time
    between the two actions nearest to each other. `like_size` holds each object against others of its trace.
    """

    def __init__(self, log: ActionLog, *, trace_code: np.ndarray, window_us: int):
        n_objects = len(log.objects)
        after = count_partners(log, window_us=window_us)
        line = place_on_line(log, window_us=window_us)
        partners = (after + np.arange(len(log)) - np.searchsorted(line, line - window_us)).astype(float)
        self.own = own = OwnPairs(log.object_code, log.account_code, n_objects)
        self.log, self.trace_code, self.window_us = log, trace_code, window_us
        # A post in several traces meets the same others in each: shuffles of single objects vary too little by as much.
        self.traces_per_post = len(log) / max(len(np.unique(log.post_code)), 1)
        self.size = np.bincount(log.object_code, minlength=n_objects).astype(float)
        self.first = (np.cumsum(self.size) - self.size).astype(np.int64)
        self.least_gap_us = find_least_gaps(log, n_objects)
        self.n_close_rows = np.bincount(log.object_code, after, n_objects)
        self.n_paths = np.bincount(log.object_code, partners * (partners - 1), n_objects)
        self.n_pairs = self.size * (self.size - 1) / 2 - own.n_pairs
        self.n_close = self.n_close_rows - own.count_close(log.time_us, window_us=window_us)
        self.rate = self.n_close / np.maximum(self.n_pairs, 1)
        self.like_size = LikeSize(self.size, self.rate, trace_code, is_usual=self.size > 1)

    @property
    def usual_rate(self) -> np.ndarray:
        """Per object, the mean co-action rate of the objects of its trace and of like size."""
        return self.like_size.mean_rate(np.arange(len(self.size)))

    @cached_property
    def edges(self) -> Edges:
        """The edges of this half."""
        return Edges(self.log, window_us=self.window_us)

    def leave_out(self, objects: np.ndarray) -> Half:
        """Return the same half where these objects no longer count for the usual pace; its edges stay the same."""
        is_usual = self.size > 1
        is_usual[objects] = False
        other = copy(self)
        other.edges = self.edges
        other.like_size = LikeSize(self.size, self.rate, self.trace_code, is_usual=is_usual)
        return other


@dataclass(frozen=True)
class Filled:
    """The objects that a group fills (a third of the actions or more are its members'), and which group that is."""

    objects: np.ndarray
    groups: np.ndarray


class LikeSize:
    """The objects in order of trace and size, so that each is held against neighbours of its trace and like size.

    `order` are the objects that count as usual; `low` and `high` the stretch of it that each object is held against.
    """

    def __init__(self, size: np.ndarray, rate: np.ndarray, trace_code: np.ndarray, *, is_usual: np.ndarray):
        n_usual = np.bincount(trace_code[is_usual], minlength=int(trace_code.max(initial=0)) + 1)
        n_paired = np.bincount(trace_code[size > 1], minlength=len(n_usual))
        is_starved = (n_usual < np.minimum(MIN_LIKE_SIZE, n_paired))[trace_code]  # then the whole trace is all there is
        width = int(size.max(initial=0)) + 1
        place = trace_code * width + size.astype(np.int64)
        self.rate = rate
        self.order = np.flatnonzero(is_usual | (is_starved & (size > 1)))
        self.order = self.order[order_rows(place[self.order])]
        self.position = np.full(len(size), -1)
        self.position[self.order] = np.arange(len(self.order))
        ordered = place[self.order]
        first, last = (np.searchsorted(ordered, (trace_code + step) * width) for step in (0, 1))
        reach = np.maximum(MIN_LIKE_SIZE, (LIKE_SIZE_FRAC * (last - first)).astype(np.int64))
        self.low = np.maximum(np.searchsorted(ordered, place, side="left") - reach, first)
        self.high = np.minimum(np.searchsorted(ordered, place, side="right") + reach, last)
        self._total = np.concatenate([[0.0], np.cumsum(rate[self.order])])

    def mean(self, values: np.ndarray) -> np.ndarray:
        """Return, per object, the mean of the values of the usual objects of like size."""
        total = np.concatenate([[0.0], np.cumsum(values[self.order])])
        return (total[self.high] - total[self.low]) / np.maximum(self.high - self.low, 1)

    def mean_rate(self, objects: np.ndarray) -> np.ndarray:
        """Return the mean co-action rate of the usual objects of like size."""
        low, high = self.low[objects], self.high[objects]
        return (self._total[high] - self._total[low]) / np.maximum(high - low, 1)

    def mean_rate_of_others(self, objects: np.ndarray, groups: np.ndarray, *, filled: Filled) -> np.ndarray:
        """Return the same without the objects that the group itself fills: no group is its own yardstick.

        Args:
            objects: object codes asked for.
            groups: the group asking, per object.
            filled: which objects which groups fill.
        """
        low, high = self.low[objects], self.high[objects]
        usual = self.position[filled.objects] >= 0
        width = len(self.order) + 1
        key = filled.groups[usual] * width + self.position[filled.objects[usual]]
        order = np.argsort(key)
        own_total = np.concatenate([[0.0], np.cumsum(self.rate[filled.objects[usual][order]])])
        first, last = (np.searchsorted(key[order], groups * width + end) for end in (low, high))
        n_others = high - low - (last - first)
        others = self._total[high] - self._total[low] - (own_total[last] - own_total[first])
        return np.where(n_others > 0, np.maximum(others, 0) / np.maximum(n_others, 1), self.mean_rate(objects))


def fuse_traces(actions: pl.DataFrame) -> ActionLog:
    """Return the actions of all traces as one log, ordered by content, without objects of a single action."""
    actions = check_table(actions, "actions").filter(pl.col("object_id").str.strip_chars() != "")
    object_id = pl.concat_str("trace", pl.lit("\x1f"), "object_id")
    shared = actions.with_columns(object_id=object_id, trace=pl.lit(ALL_TRACES)).filter(object_id.is_duplicated())
    return order_by_content(pack_actions(shared))


def draw_objects(log: ActionLog, *, max_actions: int, seed: int) -> ActionLog:
    """Return the log of objects drawn at random, whole, with as many actions as allowed; all of it where it fits.

    Half of the objects have half of the co-actions; half of the actions would have a quarter.
    """
    if len(log) <= max_actions:
        return log
    size = np.bincount(log.object_code, minlength=len(log.objects))
    order = np.random.default_rng([seed, 3]).permutation(len(size))
    is_drawn = np.zeros(len(size), bool)
    is_drawn[order[np.cumsum(size[order]) <= max_actions]] = True
    return log.keep(is_drawn[log.object_code])


def code_traces(log: ActionLog) -> np.ndarray:
    """Return, per object code of a fused log, the number of its trace."""
    names = log.objects.str.split_exact("\x1f", 1).struct.field("field_0")
    return names.rank("dense").to_numpy().astype(np.int64) - 1


def place_on_line(log: ActionLog, *, window_us: int) -> np.ndarray:
    """Return each action's place on one integer line: two are within the window if and only if so near on the line."""
    step = np.minimum(np.diff(log.time_us, prepend=log.time_us[:1]), window_us + 1)
    step[np.diff(log.object_code, prepend=-1) != 0] = window_us + 1
    return np.cumsum(step)


def find_least_gaps(log: ActionLog, n_objects: int) -> np.ndarray:
    """Return, per object code, the microseconds between the two nearest actions; very many where it has one."""
    gap = np.diff(log.time_us, prepend=0)
    starts = np.flatnonzero(np.diff(log.object_code, prepend=-1) != 0)
    gap[starts] = LONGEST_SPAN_US
    least = np.full(n_objects, LONGEST_SPAN_US)
    least[log.object_code[starts]] = np.minimum.reduceat(gap, starts) if len(gap) else 0
    return least


def count_close(code: np.ndarray, time_us: np.ndarray, n_codes: int, *, window_us: int) -> np.ndarray:
    """Return, per code, the pairs of its actions within the window (actions sorted by code, then time)."""
    part = ActionLog.of_codes(code, code, time_us)
    return np.bincount(code, count_partners(part, window_us=window_us), n_codes)


class OwnPairs:
    """The pairs of actions by one and the same account, per code (an object, or an object and group).

    `n_pairs`: how many there are per code, whatever the gap. `rows`: the rows in any of them, sorted by `code`, a
    number for each account and object (or object and group), then time.
    """

    def __init__(self, code: np.ndarray, account_code: np.ndarray, n_codes: int):
        """Take rows sorted by code, then time."""
        self.n_codes = n_codes
        key = code * (int(account_code.max(initial=0)) + 1) + account_code
        order = order_rows(key)
        starts = np.flatnonzero(np.diff(key[order], prepend=-1) != 0)
        n = np.diff(np.append(starts, len(key)))
        again = n > 1
        self.rows = order[np.repeat(again, n)]
        self.code = np.repeat(np.arange(np.count_nonzero(again)), n[again])
        self._at = code[order[starts[again]]]
        self.n_pairs = np.bincount(self._at, (n * (n - 1) / 2)[again], n_codes)

    def count_close(self, time_us: np.ndarray, *, window_us: int) -> np.ndarray:
        """Return, per code, how many of them are within the window when the rows have these times."""
        close = count_close(self.code, time_us[self.rows], len(self._at), window_us=window_us)
        return np.bincount(self._at, close, self.n_codes)

    def count_in_turn(self, turn: np.ndarray) -> np.ndarray:
        """Return, per code, how many of them are in one turn; `turn` is of all rows and never falls within a code."""
        own, in_turn = count_runs(self.code, turn[self.rows])
        return np.bincount(self._at[own], in_turn, self.n_codes)


def count_runs(code: np.ndarray, turn: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return, per run of one code and turn (rows sorted by both), its code and its pairs of rows."""
    is_first = np.ones(len(code), bool)
    is_first[1:] = (code[1:] != code[:-1]) | (turn[1:] != turn[:-1])
    first = np.flatnonzero(is_first)
    n = np.diff(np.append(first, len(code)))
    return code[first], n * (n - 1) / 2


def count_members_near(log: ActionLog, is_member: np.ndarray, window_us: int) -> np.ndarray:
    """Return, per action, how many actions of members other than its own account are within the window."""

    def count(part: ActionLog, counted: np.ndarray) -> np.ndarray:
        line = place_on_line(part, window_us=window_us)
        theirs = line[counted]
        return np.searchsorted(theirs, line + window_us, side="right") - np.searchsorted(theirs, line - window_us)

    near = count(log, is_member)
    cell = log.object_code * len(log.accounts) + log.account_code
    order = order_rows(cell)
    own = replace(log, object_code=cell[order], time_us=log.time_us[order])
    near[order] -= count(own, is_member[order])
    return near
