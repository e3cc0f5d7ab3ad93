"""Worlds with planted truth: who acted on what and when, where we know which accounts act together.

Every world has the same organic ground (interest communities, objects of very different size and tempo, a dense fan
community, breaking news) and, per regime, groups planted in it. All is invented and numeric: no text, no names.
A regime says *how* a group acts; sizes, number of groups and seed are arguments. The generators are used by the tests
and by the page of `make evaluate`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

PLANTED = ("bursts", "alternating", "rotating", "drip", "camouflage", "closed", "touching")
ORGANIC = ("organic", "fans", "news", "fans_and_news", "time_zones")
CLOCKS = ("full_hour", "few_on_the_hour", "bell", "feeds", "by_day")
"""nothing is planted, but unrelated accounts keep one clock"""
ALERTS = ("alerts",)
"""nothing is planted, but unrelated fans answer one source's alerts at once: times cannot tell them from a group"""
PLANTED_ON_CLOCKS = ("scheduled", "among_schedulers", "among_sleepers")
"""the group itself waits for the full hour; or it does not, but a fifth of the others do; or all others keep days"""
HOUR_S = 3600
DAY_S = 86_400
SPAN_S = 14 * DAY_S


@dataclass(frozen=True)
class World:
    """Actions of one world and its truth: one row (account_id, group_id) per planted account."""

    actions: pl.DataFrame
    truth: pl.DataFrame


@dataclass
class _Rows:
    """Actions under construction: account number, object number, second."""

    account: list[np.ndarray]
    object: list[np.ndarray]
    time_s: list[np.ndarray]
    n_objects: int = 0

    def add(self, account: np.ndarray, object_number: np.ndarray | int, time_s: np.ndarray) -> None:
        self.account.append(np.asarray(account))
        self.object.append(np.broadcast_to(object_number, np.shape(account)))
        self.time_s.append(np.asarray(time_s))


def make_world(
    regime: str,
    *,
    seed: int,
    group_sizes: tuple[int, ...] = (40,),
    n_organic: int = 3000,
    n_objects: int = 3000,
    n_events: int = 60,
) -> World:
    """Return a world of the regime (see `PLANTED` and `ORGANIC`), the same for the same seed.

    Args:
        regime: how the planted groups act, or what moves the organic accounts where nothing is planted (see also
            `CLOCKS`, `ALERTS` and `PLANTED_ON_CLOCKS`).
        seed: of all random draws.
        group_sizes: accounts per planted group; ignored by organic regimes.
        n_organic: accounts that nobody coordinates.
        n_objects: objects of the organic ground.
        n_events: objects each group acts on together (drip: three times as many, two or three accounts at a time).
    """
    rng = np.random.default_rng([seed, *regime.encode()])
    rows = _Rows([], [], [])
    has_fans = regime in ("fans", "fans_and_news", "camouflage", "time_zones")
    onset, members = _organic(rows, rng, n_organic, n_objects, sleeps=regime == "time_zones")
    if has_fans:
        _fans(rows, rng, n_organic)
    if regime in CLOCKS + PLANTED_ON_CLOCKS + ALERTS:
        _keep_clocks(rows, rng, regime, n_organic)
    elif regime != "organic" and regime != "fans":
        _breaking_news(rows, rng, n_organic)
    truth = []
    if regime in PLANTED + PLANTED_ON_CLOCKS:
        first = n_organic
        events = None
        for number, size in enumerate(group_sizes):
            group = np.arange(first, first + size)
            first += size
            truth += [(int(account), number) for account in group]
            if regime == "touching" and number:
                n_both = max(1, min(size, group_sizes[number - 1]) // 10)
                group = np.append(group, np.arange(group[0] - n_both, group[0]))  # these are in the last group too
            else:
                events = rng.choice(np.flatnonzero(members >= 8), _n_events(regime, n_events, size))
            _plant(rows, rng, regime, group, events, onset)
            _own_interests(rows, rng, group, n_objects, onset, busy=regime == "camouflage")
    return World(_frame(rows, rng, n_organic), _truth(truth, n_organic))


def in_several_traces(actions: pl.DataFrame) -> pl.DataFrame:
    """Return the actions with those of two further traces: a post of some objects is also of a link and of a text.

    Half of the objects have a link of their own, and of a third of them three at a time share one text. So one post
    stands in up to three traces, and meets the same others in each.
    """
    number = pl.col("object_id").str.extract(r"(\d+)").cast(pl.Int64)
    links = actions.filter(number % 2 == 0).with_columns(trace=pl.lit("url"))
    texts = actions.filter(number % 3 == 0).with_columns(
        trace=pl.lit("same_text"), object_id=pl.format("text{}", number // 9)
    )
    return pl.concat([actions, links, texts])


def _organic(
    rows: _Rows, rng: np.random.Generator, n_organic: int, n_objects: int, *, sleeps: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Interest communities of very different activity on objects of very different size and tempo."""
    community = rng.integers(0, 30, n_organic)
    activity = rng.lognormal(0, 1.0, n_organic)
    zone_s = (community % 3) * 8 * 3600
    size = np.minimum(2 + (rng.pareto(1.1, n_objects) * 4).astype(int), n_organic // 6)
    onset = rng.uniform(0, SPAN_S, n_objects)
    tempo_s = np.exp(rng.normal(np.log(2 * 3600), 1.0, n_objects))
    topic = rng.integers(0, 30, n_objects)
    rows.n_objects = n_objects
    for number in range(n_objects):
        taste = activity * np.where(community == topic[number], 30.0, 1.0)
        who = rng.choice(n_organic, size[number], replace=False, p=taste / taste.sum())
        when = onset[number] + tempo_s[number] * rng.lognormal(0, 1.2, len(who))
        if sleeps:  # whoever would act in the night of its time zone does so in the morning after
            local = (when + zone_s[who]) % DAY_S
            when = np.where(local < 8 * 3600, when + 8 * 3600 - local + rng.exponential(3600, len(who)), when)
        rows.add(who, number, when)
    return onset, size


def _fans(rows: _Rows, rng: np.random.Generator, n_organic: int, n_fans: int = 150, n_idol_posts: int = 300) -> None:
    """A community that shares nearly everything its idol posts, within minutes."""
    fans = rng.choice(n_organic, min(n_fans, n_organic // 4), replace=False)
    eagerness = rng.beta(4, 3, len(fans))
    for onset in rng.uniform(0, SPAN_S, n_idol_posts):
        who = fans[rng.random(len(fans)) < eagerness]
        passers_by = rng.choice(n_organic, rng.integers(5, 40), replace=False)
        who = np.unique(np.concatenate([who, passers_by]))
        rows.add(who, rows.n_objects, onset + rng.lognormal(np.log(600), 1.2, len(who)))
        rows.n_objects += 1


def _breaking_news(rows: _Rows, rng: np.random.Generator, n_organic: int, n_stories: int = 15) -> None:
    """Stories that everybody shares at once."""
    for onset in rng.uniform(0, SPAN_S, n_stories):
        who = rng.choice(n_organic, rng.integers(n_organic // 30, n_organic // 8), replace=False)
        rows.add(who, rows.n_objects, onset + rng.lognormal(np.log(420), 0.8, len(who)))
        rows.n_objects += 1


def _keep_clocks(rows: _Rows, rng: np.random.Generator, regime: str, n_organic: int) -> None:
    """Some organic accounts wait for the full hour, for the bell, for their morning; or poll a feed; or get alerts."""
    if regime in ("feeds", "alerts"):
        _subscribers(rows, rng, n_organic, polls=regime == "feeds")
        return
    sleeps = regime in ("by_day", "among_sleepers")
    share = 1.0 if sleeps else {"few_on_the_hour": 0.05, "bell": 0.1, "scheduled": 0.0}.get(regime, 0.2)
    waits = rng.random(n_organic) < share
    zone_s = rng.integers(0, 3, n_organic) * 8 * HOUR_S
    for k, (who, when) in enumerate(zip(rows.account, rows.time_s, strict=True)):
        if sleeps:  # awake for eight hours a day, and all on line in the first minutes of it
            local = (when + zone_s[who]) % DAY_S
            later = np.where(local < 16 * HOUR_S, when + 16 * HOUR_S - local + rng.exponential(1200, len(who)), when)
        elif regime == "bell":
            later = np.ceil(when / (3 * HOUR_S)) * 3 * HOUR_S + rng.exponential(120, len(who))
        else:
            later = np.ceil(when / HOUR_S) * HOUR_S + rng.uniform(0, 30, len(who))
        rows.time_s[k] = np.where(waits[who], later, when)


def _subscribers(rows: _Rows, rng: np.random.Generator, n_organic: int, *, polls: bool) -> None:
    """Feeds whose items unrelated pollers repeat, each at its own minutes; or one source whose fans get its alerts."""
    free = rng.permutation(n_organic)
    for _ in range(12 if polls else 1):
        n = int(rng.integers(3, 9)) if polls else 40
        subscribers, free = free[:n], free[n:]
        phase_s = rng.uniform(0, HOUR_S / 2, n)
        for onset in rng.uniform(0, SPAN_S, 30 if polls else 80):
            readers = rng.choice(n_organic, rng.integers(5, 30), replace=False)
            rows.add(readers, rows.n_objects, onset + rng.lognormal(np.log(HOUR_S), 1.1, len(readers)))
            who = np.flatnonzero(rng.random(n) < (1.0 if polls else 0.4))
            polled = np.ceil((onset - phase_s[who]) / (HOUR_S / 2)) * HOUR_S / 2 + phase_s[who]
            answered = onset + rng.lognormal(np.log(60), 0.8, len(who))
            rows.add(subscribers[who], rows.n_objects, (polled + rng.uniform(0, 20, len(who))) if polls else answered)
            rows.n_objects += 1


def _n_events(regime: str, n_events: int, size: int) -> int:
    """Where only a few act at a time, more accounts need more events to act as often."""
    per_account = {"drip": 3.0, "rotating": 1.0}.get(regime, 0.0)
    return max(n_events, int(n_events * per_account * max(1.0, size / 40)))


def _plant(
    rows: _Rows, rng: np.random.Generator, regime: str, group: np.ndarray, events: np.ndarray, onset: np.ndarray
) -> None:
    """The group acts together on each event's object, within some 50 seconds."""
    for k, event in enumerate(events):
        if regime == "alternating":
            who = group[k % 2 :: 2]
        elif regime == "rotating":
            who = rng.choice(group, max(3, min(len(group), 8, len(group) // 2 + 1)), replace=False)
        elif regime == "drip":
            who = rng.choice(group, rng.integers(2, 4), replace=False)
        else:
            who = group[rng.random(len(group)) < 0.8]
        where = int(event)
        start = onset[where] + rng.exponential(3 * 3600)
        if regime == "scheduled":
            start = np.ceil(start / HOUR_S) * HOUR_S
        if regime == "closed":
            where = rows.n_objects
            rows.n_objects += 1
        rows.add(who, where, start + rng.uniform(0, 50, len(who)))


def _own_interests(
    rows: _Rows, rng: np.random.Generator, group: np.ndarray, n_objects: int, onset: np.ndarray, *, busy: bool
) -> None:
    """Planted accounts also act alone, on anything: a little, or (camouflage) far more often than together."""
    for account in group:
        what = rng.integers(0, n_objects, rng.poisson(120 if busy else 10))
        rows.add(np.full(len(what), account), what, onset[what] + rng.lognormal(np.log(7200), 1.5, len(what)))


def _frame(rows: _Rows, rng: np.random.Generator, n_organic: int) -> pl.DataFrame:
    account, number, time_s = (np.concatenate(part) for part in (rows.account, rows.object, rows.time_s))
    order = rng.permutation(len(account))  # nothing may hang on the order of rows
    microseconds = (time_s[order] * 1_000_000).astype(np.int64) + 1_600_000_000_000_000
    return pl.DataFrame({"account": account[order], "object": number[order], "t": microseconds}).select(
        _name(pl.col("account"), n_organic).alias("account_id"),
        pl.format("post{}", pl.int_range(pl.len())).alias("post_id"),
        pl.lit("repost").alias("trace"),
        pl.format("object{}", "object").alias("object_id"),
        pl.from_epoch("t", time_unit="us").dt.replace_time_zone("UTC").alias("acted_at"),
    )


def _truth(planted: list[tuple[int, int]], n_organic: int) -> pl.DataFrame:
    frame = pl.DataFrame(planted, schema={"account": pl.Int64, "group_id": pl.Int64}, orient="row")
    return frame.select(_name(pl.col("account"), n_organic).alias("account_id"), "group_id")


def _name(number: pl.Expr, n_organic: int) -> pl.Expr:
    """Names do not tell planted from organic by their order."""
    return pl.format("account{}", (number * 7919) % 1_000_003).alias("account_id")
