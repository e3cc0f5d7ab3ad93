"""Invented posts about a fictional city, for the tests of narratives. Nothing here is real."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

DAY_0 = datetime(2031, 3, 1, tzinfo=UTC)
STORIES = {
    "tram": ["tram", "rails", "ticket", "depot", "line", "driver", "timetable", "platform", "wires", "conductor"],
    "bakery": ["bread", "oven", "flour", "crust", "dough", "queue", "bakery", "rye", "yeast", "crumbs"],
    "lighthouse": ["lighthouse", "lamp", "keeper", "fog", "cliff", "beam", "tower", "ships", "lantern", "stairs"],
    "电车": ["电车", "轨道", "车票", "司机", "站台", "线路", "时刻", "车库", "电线", "乘客"],
    "面包": ["面包", "烤箱", "面粉", "酵母", "排队", "师傅", "黑麦", "面团", "香味", "早餐"],
}
FILLER = ["the", "a", "and", "is", "on", "we", "of", "in", "today", "very"]
FILLER_ZH = ["的", "是", "我们", "今天", "很", "在", "和", "了"]


def make_posts(texts: list[str | None], **columns) -> pl.DataFrame:
    """Return a posts table with these texts, one a minute, each by its own account unless given."""
    n = len(texts)
    content = {
        "post_id": [f"p{i:05d}" for i in range(n)],
        "account_id": [f"a{i:05d}" for i in range(n)],
        "platform": ["harbour"] * n,
        "posted_at": [DAY_0 + timedelta(minutes=i) for i in range(n)],
        "text": texts,
        "lang": [None] * n,
        "urls": [[]] * n,
        "hashtags": [[]] * n,
        "mentions": [[]] * n,
        "repost_of_id": [None] * n,
        "reply_to_account_id": [None] * n,
    } | columns
    schema = {
        "post_id": pl.String,
        "account_id": pl.String,
        "platform": pl.String,
        "posted_at": pl.Datetime("us", "UTC"),
        "text": pl.String,
        "lang": pl.String,
        "urls": pl.List(pl.String),
        "hashtags": pl.List(pl.String),
        "mentions": pl.List(pl.String),
        "repost_of_id": pl.String,
        "reply_to_account_id": pl.String,
    }
    return pl.DataFrame(content, schema=schema)


def tell_stories(n_each: int, *, seed: int, stories: tuple[str, ...] = tuple(STORIES)) -> tuple[list[str], list[str]]:
    """Return texts of planted stories, shuffled, and the story of each; Chinese ones without spaces."""
    random = np.random.default_rng(seed)
    rows = []
    for story in stories:
        is_chinese = not story.isascii()
        filler = FILLER_ZH if is_chinese else FILLER
        for _ in range(n_each):
            words = [*random.choice(STORIES[story], 5, replace=False), *random.choice(filler, 4)]
            random.shuffle(words)
            rows.append((("" if is_chinese else " ").join(words), story))
    order = random.permutation(len(rows))
    return [rows[i][0] for i in order], [rows[i][1] for i in order]
