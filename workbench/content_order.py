"""An order of accounts and objects that hangs on what was done and when, never on what anybody is called.

Names of accounts are keyed pseudonyms, and so are those of many objects (reposted posts, texts that mention somebody).
A split, a shuffle or a tie broken in order of names would give each newsroom's key another result.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from workbench.coaction import ActionLog

N_ROUNDS = 3


def order_by_content(log: ActionLog) -> ActionLog:
    """Return the log with accounts and objects numbered, and actions sorted, by who did what when.

    Each object is summed up by its trace and the times of its actions, each account by its objects and times, and
    again each by the other. Renaming accounts, objects or posts, another order of rows, or another start of the clock
    changes no number. Accounts that no such sum tells apart did the same at the same times; their names decide then.

    Source: colour refinement, Weisfeiler and Leman 1968, on the graph of accounts and objects.
    """
    if not len(log):
        return log
    time = _mix((log.time_us - log.time_us.min()).astype(np.uint64))
    trace = log.objects.str.split_exact("\x1f", 1).struct.field("field_0") if log.trace == ALL_TRACES else None
    object_sum = _mix(trace.rank("dense").to_numpy().astype(np.uint64) if trace is not None else _zeros(log.objects))
    account_sum = _zeros(log.accounts)
    for _ in range(N_ROUNDS):
        object_sum = _mix(object_sum + _add_up(_mix(account_sum[log.account_code] ^ time), log.object_code, object_sum))
        account_sum = _add_up(_mix(object_sum[log.object_code] ^ time), log.account_code, account_sum)
    accounts, objects = (np.argsort(sums, kind="stable") for sums in (account_sum, object_sum))
    account_code, object_code = _rank(accounts)[log.account_code], _rank(objects)[log.object_code]
    rows = np.lexsort((account_code, log.time_us, object_code))
    return replace(
        log.keep(rows),
        account_code=account_code[rows],
        object_code=object_code[rows],
        accounts=log.accounts.gather(accounts),
        objects=log.objects.gather(objects),
    )


ALL_TRACES = "all"
"""name of a log of several traces, whose objects are written `trace`, U+001F, `object`"""


def _zeros(names: pl.Series) -> np.ndarray:
    return np.zeros(len(names), np.uint64)


def _rank(order: np.ndarray) -> np.ndarray:
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return rank


def _mix(x: np.ndarray) -> np.ndarray:
    """Scatter 64-bit numbers (the finaliser of splitmix64), so that sums of them tell sets apart."""
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _add_up(x: np.ndarray, code: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Return the sum of x per code, modulo 2**64."""
    total = np.zeros_like(like)
    np.add.at(total, code, x)
    return total
