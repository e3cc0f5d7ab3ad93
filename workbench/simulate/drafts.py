"""Posts before they have ids: the table every part of a synthetic release adds rows to, and who writes them."""

from __future__ import annotations

import numpy as np
import polars as pl

from workbench.simulate.accounts import Cast
from workbench.simulate.phrases import TOPICS, load_texts

NONE, OUTSIDE = -1, -2
"""In reference columns: no such row; a row or account outside the data."""
_DEFAULTS: dict[str, tuple[pl.DataType | type[pl.DataType], object]] = {
    "account": (pl.Int64, None),
    "at_ms": (pl.Int64, None),
    "text": (pl.String, None),
    "language": (pl.Int64, 0),
    "url": (pl.String, None),
    "tags": (pl.String, "[]"),
    "repost_of": (pl.Int64, NONE),
    "reply_to": (pl.Int64, NONE),
    "quote_of": (pl.Int64, NONE),
    "mention": (pl.Int64, NONE),
    "story": (pl.Int64, -1),
    "wave": (pl.Int64, -1),
}
_REFERENCES = ("repost_of", "reply_to", "quote_of")


def make_draft(**columns: np.ndarray | pl.Series) -> pl.DataFrame:
    """Return a draft: one row per post, missing columns at their default.

    Columns: account (code), at_ms, text (null in a repost), language (index), url, tags (as the release writes lists),
    repost_of, reply_to, quote_of (row of the same draft, `NONE` or `OUTSIDE`), mention (account code, `NONE`,
    `OUTSIDE`), story (index, -1 where nothing is planted), wave (number of the burst, -1 for none).
    """
    n = len(columns["account"])
    series = []
    for name, (dtype, default) in _DEFAULTS.items():
        if name in columns:
            series.append(pl.Series(name, columns[name]).cast(dtype))
        else:
            series.append(pl.Series(name, [default], dtype=dtype).new_from_index(0, n))
    return pl.DataFrame(series)


def join_drafts(drafts: list[pl.DataFrame]) -> pl.DataFrame:
    """Return all rows of the drafts; their references follow the rows to their new places."""
    moved, offset = [], 0
    for one in drafts:
        shift = [
            pl.when(pl.col(name) >= 0).then(pl.col(name) + offset).otherwise(name).alias(name) for name in _REFERENCES
        ]
        moved.append(one.with_columns(shift))
        offset += one.height
    return pl.concat(moved)


class Pool:
    """Accounts to draw from, by activity, among those that exist at the moment asked for.

    Args:
        cast: all accounts.
        codes: those in the pool; accounts with no activity are left out.
        segment: number of the sub-pool of each code, 0 for all where None.
        since_ms: when each code joins the pool; its creation where None.
        activity: weight of each code; the cast's where None.
    """

    def __init__(
        self,
        cast: Cast,
        codes: np.ndarray,
        *,
        segment: np.ndarray | None = None,
        since_ms: np.ndarray | None = None,
        activity: np.ndarray | None = None,
    ):
        weight = cast.activity[codes] if activity is None else activity
        since = cast.created_ms[codes] if since_ms is None else np.maximum(since_ms, cast.created_ms[codes])
        part = np.zeros(len(codes), dtype=np.int64) if segment is None else segment.astype(np.int64)
        keep = weight > 0
        key = self._key(part, since)[keep]
        order = np.argsort(key, kind="stable")
        self._codes, self._keys = codes[keep][order], key[order]
        self._heap = np.concatenate([[0.0], np.cumsum(weight[keep][order])])

    @staticmethod
    def _key(segment: np.ndarray, at_ms: np.ndarray) -> np.ndarray:
        return (segment << 41) | at_ms

    def draw(self, rng: np.random.Generator, at_ms: np.ndarray, segment: np.ndarray | None = None) -> np.ndarray:
        """Return one account code per moment, -1 where nobody of the segment exists yet."""
        if not len(self._codes):
            return np.full(len(at_ms), NONE)
        part = np.zeros(len(at_ms), dtype=np.int64) if segment is None else segment
        first = np.searchsorted(self._keys, self._key(part, np.zeros_like(part)))
        last = np.searchsorted(self._keys, self._key(part, at_ms), side="right")
        low, high = self._heap[first], self._heap[last]
        pick = np.searchsorted(self._heap, low + rng.random(len(at_ms)) * (high - low), side="right") - 1
        pick = np.clip(pick, first, np.maximum(last - 1, first))
        return np.where(last > first, self._codes[np.minimum(pick, len(self._codes) - 1)], NONE)


def make_urls(rng: np.random.Generator, domains: list[str], at_ms: np.ndarray) -> pl.Series:
    """Return one new address per moment, on a domain of the list; all domains end in the reserved `.example`."""
    domain = pl.Series(domains).gather(rng.integers(0, len(domains), len(at_ms)))
    serial = pl.Series([f"{one:012x}" for one in rng.integers(0, 2**48, len(at_ms)).tolist()], dtype=pl.String)
    table = pl.DataFrame({"domain": domain, "at": pl.Series(at_ms).cast(pl.Datetime("ms")), "serial": serial})
    day = pl.col("at").dt.strftime("%Y/%m/%d")
    return table.select(url=pl.concat_str(pl.lit("https://"), "domain", pl.lit("/"), day, pl.lit("/"), "serial"))["url"]


def where(condition: np.ndarray, yes: pl.Series, no: pl.Series | str | None) -> pl.Series:
    """Return `yes` where the condition holds and `no` elsewhere."""
    other = no if isinstance(no, pl.Series) else pl.Series([no], dtype=yes.dtype).new_from_index(0, len(yes))
    return yes.zip_with(pl.Series(condition), other)


def write_list(items: list[str]) -> str:
    """Return a list as the release writes it: `['a', 'b']`."""
    return "[" + ", ".join(f"'{item}'" for item in items) + "]"


def topic_tags(rng: np.random.Generator, topic: np.ndarray, *, tagged_frac: float) -> pl.Series:
    """Return for each row a hashtag of its topic, as a written list, or an empty list."""
    lists = pl.Series([write_list([tag]) for name in TOPICS for tag in load_texts()["interests"][name]["tags"]])
    picked = lists.gather(topic * 3 + rng.integers(0, 3, len(topic)))
    return where(rng.random(len(topic)) < tagged_frac, picked, "[]")
