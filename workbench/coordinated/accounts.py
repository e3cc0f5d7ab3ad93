"""Why any account is, or is not, held to act with known ones: each account's evidence, on all objects."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import polars as pl

from workbench.chance import check_window
from workbench.coordinated.half import Half, code_traces, fuse_traces
from workbench.coordinated.membership import adjust_p, tail_of_luck, weigh_nearness
from workbench.schema import ParameterError


def weigh_accounts(actions: pl.DataFrame, *, known: Collection[str], time_window_s: float) -> pl.DataFrame:
    """Rank all accounts by how often they act near known ones, against what outsiders of the same objects do.

    Use it to expand from accounts that others have named, or, with the members of a cluster, to see why an account is
    or is not one of them.

    Args:
        actions: table `actions`, one trace or several.
        known: account_ids known from elsewhere. They are weighed too, each against the others.
        time_window_s: seconds, inclusive.

    Returns:
        One row per account that acted on an object of a known one, strongest first: account_id, is_known, n_objects
        (of the known accounts, that it acted on), n_objects_near (of them within the window of a known account other
        than itself), expected_objects (near by luck, at the rate of the objects' outsiders), p (of so many by luck),
        fdr (Benjamini and Hochberg over all rows).

    Raises:
        ParameterError: no window, or none of the known accounts shares an object with anybody.

    Beware: the p-values are honest where `known` comes from elsewhere. For members of a cluster found on the same
        actions they flatter; `find_coordinated_clusters` reports p_member from the half that did not find it.
    """
    window_us = check_window(time_window_s)
    log = fuse_traces(actions)
    is_known = log.accounts.is_in(pl.Series(sorted(set(known)), dtype=pl.String).implode()).to_numpy()
    members = np.flatnonzero(is_known)
    if not len(members):
        raise ParameterError(
            f"none of the {len(known)} known accounts acted on an object that anybody else acted on. "
            "Pass account_ids as they stand in actions."
        )
    half = Half(log, trace_code=code_traces(log), window_us=window_us)
    n_near, due, n_acted = weigh_nearness(half, members, is_known)[:3]
    rows = np.flatnonzero(n_acted > 0)
    p = tail_of_luck(n_near, due)[rows]
    return pl.DataFrame(
        {
            "account_id": log.accounts.gather(rows), "is_known": is_known[rows],
            "n_objects": n_acted[rows].astype(np.int64), "n_objects_near": n_near[rows].astype(np.int64),
            "expected_objects": due[rows], "p": p, "fdr": adjust_p(p),
        }
    ).sort("p", "n_objects_near", "account_id", descending=[False, True, False])  # fmt: skip
