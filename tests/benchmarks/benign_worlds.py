"""Worlds without a campaign in which some accounts act alike for an open reason: what a method must not misread.

Truth here is who the innocent group is, so that a page can say not only that a method reported somebody, but whom.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import polars as pl

sys.path.insert(0, str(Path(__file__).parents[1]))
import worlds

CONTROLS = {
    "organic": "interest communities only",
    "fans": "a fan community that shares its idol within minutes",
    "news": "breaking news that everybody shares at once",
    "fans_and_news": "both",
    "time_zones": "all of it, and accounts sleep at night",
    "newsroom": "seven openly related outlets publish one headline within seconds",
    "schedulers": "strangers whose tools post on the full hour",
}
"""name -> what is innocent in it"""
N_SISTERS, N_HEADLINES = 7, 120
N_SCHEDULERS = 60


def make_control(name: str, *, seed: int, n_organic: int = 3000) -> worlds.World:
    """Return the world of one of `CONTROLS`; its truth names the innocent group, if there is one."""
    if name in worlds.ORGANIC:
        return worlds.make_world(name, seed=seed, n_organic=n_organic, n_objects=n_organic)
    ground = worlds.make_world("fans_and_news", seed=seed, n_organic=n_organic, n_objects=n_organic).actions
    rng = np.random.default_rng([seed, *name.encode()])
    return _newsroom(ground, rng) if name == "newsroom" else _schedulers(ground, rng)


def _newsroom(ground: pl.DataFrame, rng: np.random.Generator) -> worlds.World:
    """Sisters post each headline within 20 seconds; some readers pass it on over the next hours."""
    start, end = ground["acted_at"].dt.timestamp("us").min(), ground["acted_at"].dt.timestamp("us").max()
    readers = ground["account_id"].unique().sort()
    rows = []
    for headline in range(N_HEADLINES):
        at = rng.uniform(start, end)
        rows += [(f"sister{k}", f"headline{headline}", at + rng.uniform(0, 20e6)) for k in range(N_SISTERS)]
        passed_on = rng.choice(len(readers), rng.integers(3, 30), replace=False)
        rows += [(readers[int(k)], f"headline{headline}", at + 1e6 * rng.lognormal(8, 1.2)) for k in passed_on]
    actions = _append(ground, rows)
    return worlds.World(actions, _group([f"sister{k}" for k in range(N_SISTERS)]))


def _schedulers(ground: pl.DataFrame, rng: np.random.Generator) -> worlds.World:
    """The actions of some strangers move to the next full hour, give or take two seconds of their tools."""
    busy = ground.group_by("account_id").len().filter(pl.col("len") >= 10)["account_id"].sort()
    chosen = busy.gather(rng.choice(len(busy), min(N_SCHEDULERS, len(busy)), replace=False))
    moved = pl.col("acted_at").dt.truncate("1h").dt.offset_by("1h") + pl.duration(
        microseconds=pl.Series(rng.integers(0, 2_000_000, ground.height))
    )
    is_scheduled = pl.col("account_id").is_in(chosen.implode())
    actions = ground.with_columns(acted_at=pl.when(is_scheduled).then(moved).otherwise("acted_at"))
    return worlds.World(actions, _group(chosen.to_list()))


def _append(ground: pl.DataFrame, rows: list[tuple[str, str, float]]) -> pl.DataFrame:
    added = pl.DataFrame(rows, schema=["account_id", "object_id", "t"], orient="row").select(
        "account_id",
        pl.format("more{}", pl.int_range(pl.len())).alias("post_id"),
        pl.lit("repost").alias("trace"),
        "object_id",
        pl.from_epoch(pl.col("t").cast(pl.Int64), time_unit="us").dt.replace_time_zone("UTC").alias("acted_at"),
    )
    return pl.concat([ground, added])


def _group(account_ids: list[str]) -> pl.DataFrame:
    return pl.DataFrame(
        {"account_id": account_ids, "group_id": 0}, schema={"account_id": pl.String, "group_id": pl.Int64}
    )
