"""actions -> arrays: the actions of one trace as numbers, sorted by object and time, for the kernel to work on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from scipy import sparse

from workbench.schema import ParameterError, check_table

LONGEST_SPAN_US = 2**62


@dataclass(frozen=True)
class ActionLog:
    """The actions of one trace as arrays, sorted by object, then time, then row order.

    All arrays have one entry per action: `object_code` and `account_code` number the sorted distinct names from 0,
    `post_code` the distinct names in no particular order; `time_us` is microseconds since 1970. `accounts`, `objects`
    and `posts` are the names, code by code. A log packed without posts has none; one made `of_codes` has no
    names at all, to count in and no more.
    """

    trace: str
    object_code: np.ndarray
    account_code: np.ndarray
    post_code: np.ndarray
    time_us: np.ndarray
    accounts: pl.Series
    objects: pl.Series
    posts: pl.Series

    @classmethod
    def of_codes(cls, object_code: np.ndarray, account_code: np.ndarray, time_us: np.ndarray) -> ActionLog:
        """Return a log without names or posts, to count in; rows come sorted by object, then time."""
        nothing, no_names = np.empty(0, np.int64), pl.Series(dtype=pl.String)
        return cls("", object_code, account_code, nothing, time_us, no_names, no_names, no_names)

    def __len__(self) -> int:
        """Number of actions."""
        return len(self.time_us)

    def keep(self, rows: np.ndarray) -> ActionLog:
        """Return the log of the actions where `rows` is true; codes and names stay as they are."""
        arrays = ["object_code", "account_code", "time_us", *(["post_code"] if len(self.post_code) else [])]
        return replace(self, **{name: getattr(self, name)[rows] for name in arrays})


def pack_traces(actions: pl.DataFrame, *, with_posts: bool = True) -> list[ActionLog]:
    """Return one `ActionLog` per trace of the actions, in order of the traces' names; without posts if not needed.

    Raises:
        SchemaError: `actions` is not a table of actions.
        ParameterError: the times span more than 146,000 years, which no 64-bit line holds.
    """
    actions = check_table(actions, "actions").filter(pl.col("object_id").str.strip_chars() != "")
    traces = actions["trace"].unique().sort()
    return [pack_actions(actions.filter(pl.col("trace") == trace), with_posts=with_posts) for trace in traces]


def pack_actions(actions: pl.DataFrame, *, with_posts: bool = True) -> ActionLog:
    """Return the actions of a single trace as an `ActionLog`.

    Raises:
        ParameterError: more than one trace, or times that span more than 146,000 years.
    """
    traces = actions["trace"].unique()
    if len(traces) > 1:
        raise ParameterError(f"expected actions of one trace, found {sorted(traces)}. Use pack_traces.")
    with ThreadPoolExecutor(pl.thread_pool_size()) as pool:  # passes over all rows that need nothing of each other
        time = pool.submit(_sort_times, actions["acted_at"])
        post = pool.submit(number_in_passing, actions["post_id"] if with_posts else pl.Series("post_id", [], pl.String))
        (objects, object_code), (accounts, account_code) = pool.map(number_names, actions["object_id", "account_id"])
    (by_time, time_us), (posts, post_code) = time.result(), post.result()
    by_object, _ = group_codes(object_code[by_time], len(objects))
    rows = by_time[by_object]
    return ActionLog(
        trace=traces[0] if len(traces) else "",
        object_code=object_code[rows],
        account_code=account_code[rows],
        post_code=post_code[rows] if with_posts else post_code,
        time_us=time_us[by_object],
        accounts=accounts,
        objects=objects,
        posts=posts,
    )


def _sort_times(acted_at: pl.Series) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows in order of time, and the times so, in microseconds since 1970."""
    ordered = pl.DataFrame({"time": acted_at.dt.epoch("us")}).with_row_index().sort("time", maintain_order=True)
    time_us = ordered["time"].to_numpy()
    if len(time_us) and int(time_us[-1]) - int(time_us[0]) > LONGEST_SPAN_US:
        raise ParameterError("the actions' times span more than 146,000 years; check the unit of acted_at.")
    return ordered["index"].to_numpy(), time_us


def number_names(column: pl.Series) -> tuple[pl.Series, np.ndarray]:
    """Return the sorted distinct names of a column without nulls, and each row's number among them (int64)."""
    names, code = number_in_passing(column)
    order = names.arg_sort().to_numpy()
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return names.gather(order), rank[code]


def number_in_passing(column: pl.Series) -> tuple[pl.Series, np.ndarray]:
    """Return the distinct names of a column without nulls as they are met, and each row's number among them (int64).

    For names that only have to be told apart: sorting millions of them costs more than all else done with them.
    """
    seen = pl.Categories.random()
    met = column.cast(pl.Categorical(seen))
    names = seen.to_series()  # polars forgets them when the last column that uses them is gone
    return names.alias(column.name), met.to_physical().to_numpy().astype(np.int64)


def find_shared(object_code: np.ndarray) -> np.ndarray:
    """Return whether each action is on an object that another of these actions is on as well."""
    return (np.bincount(object_code, minlength=1) > 1)[object_code]


def order_rows(key: np.ndarray) -> np.ndarray:
    """Return the rows in order of an integer key, equal keys in row order.

    Key and row number are sorted as one integer where both fit in: numpy does that eight times as fast.
    """
    key = key.astype(np.int64, copy=False)
    least, bits = int(key.min(initial=0)), len(key).bit_length()
    if (int(key.max(initial=0)) - least).bit_length() + bits > 63:
        return np.argsort(key, kind="stable")
    return np.sort(((key - least) << bits) | np.arange(len(key))) & ((1 << bits) - 1)


def group_codes(codes: np.ndarray, n_codes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows in order of their codes, equal codes in row order, and where each code's rows start.

    Counting sort, in linear time: it is what scipy does to turn a sparse matrix on its side.
    """
    n = len(codes)
    table = sparse.csr_array((np.ones(n, np.int8), codes, np.arange(n + 1)), shape=(n, n_codes)).tocsc()
    return table.indices, table.indptr
