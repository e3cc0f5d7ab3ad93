"""What counting would cost, before it is done; and the explicit, recorded way to leave hub objects out."""

from __future__ import annotations

import numpy as np
import polars as pl

from workbench.action_log import ActionLog, pack_traces
from workbench.pairs import count_partners, estimate_edges, window_in_us
from workbench.schema import ParameterError, check_table, decision

BYTES_PER_EDGE = 16
"""two account numbers of 4 bytes and a count of 8, as `count_co_actions` holds many edges"""
N_NAMED = 3


def predict_cost(actions: pl.DataFrame, *, time_window_s: float | None) -> pl.DataFrame:
    """Return, per trace, how many pairs `count_co_actions` would count and what most of them come from.

    This takes seconds where counting takes minutes: pairs are known before any is made.

    Args:
        actions: table `actions`.
        time_window_s: longest gap in seconds, inclusive; None = any gap.

    Returns:
        trace, n_actions, n_accounts, n_objects, n_pairs (exact: pairs of actions within the window, those of one
        account with itself included), n_edges (estimated from a few hundred accounts; exact where there are no more),
        edges_bytes (what so many edges take in memory), heaviest_objects (up to three, by pairs), heaviest_frac
        (their share of the pairs); sorted by trace.

    Raises:
        ParameterError: a window out of range.
        SchemaError: `actions` is not a table of actions.
    """
    window_us = window_in_us(time_window_s)
    rows = [_predict(log, count_partners(log, window_us=window_us)) for log in pack_traces(actions, with_posts=False)]
    counts = dict.fromkeys(("n_actions", "n_accounts", "n_objects", "n_pairs", "n_edges", "edges_bytes"), pl.Int64)
    schema = {"trace": pl.String, **counts, "heaviest_objects": pl.List(pl.String), "heaviest_frac": pl.Float64}
    return pl.DataFrame(rows, schema=schema)


def drop_hubs(actions: pl.DataFrame, *, max_actions: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the actions without the objects that more than `max_actions` of a trace are on, and what was decided.

    Nothing else in the workbench drops a hub: without this, every object is counted exactly, whatever it costs.

    Args:
        actions: table `actions`.
        max_actions: largest number of actions an object may have in a trace and stay.

    Returns:
        The remaining actions in their order, and one row of table `decisions`, also where nothing was dropped.

    Raises:
        ParameterError: `max_actions` below 1.
        SchemaError: `actions` is not a table of actions.

    Beware: what everybody shares may be just what an operation pushed. Look at the hubs before leaving them out.
    """
    if max_actions < 1:
        raise ParameterError(f"max_actions is {max_actions}; expected 1 or more.")
    actions = check_table(actions, "actions")
    is_hub = (pl.len().over("trace", "object_id") > max_actions) & pl.col("object_id").is_not_null()
    kept = actions.filter(~is_hub)
    hubs = (
        actions.filter(is_hub).group_by("trace", "object_id").len().sort("len", "object_id", descending=[True, False])
    )
    shown = ", ".join(f"'{name[:80]}' ({n:,})" for _, name, n in hubs.head(N_NAMED).iter_rows())
    action = f"dropped {hubs.height:,} objects with more than {max_actions:,} actions" + (f": {shown}" if shown else "")
    reason = "an object that nearly everybody acts on says little of who acts together, and costs most of the pairs"
    return kept, decision("act", action, reason, n_before=actions.height, n_after=kept.height)


def refuse_too_many_pairs(log: ActionLog, n_after: np.ndarray, *, max_pairs: int) -> None:
    """Do nothing, or say which objects make a log's pairs too many.

    Raises:
        ParameterError: more pairs than `max_pairs`.
    """
    n_pairs = int(n_after.sum())
    if n_pairs <= max_pairs:
        return
    named = ", ".join(f"'{name[:80]}' ({n:,})" for name, n in _heaviest(log, n_after))
    raise ParameterError(
        f"trace '{log.trace}' has {n_pairs:,} pairs of actions within the window, more than max_pairs={max_pairs:,}. "
        f"Most come from {named}. Shorten time_window_s, leave those objects out with drop_hubs, or raise max_pairs."
    )


def _predict(log: ActionLog, n_after: np.ndarray) -> dict[str, object]:
    n_pairs, n_edges = int(n_after.sum()), estimate_edges(log, n_after=n_after)
    heaviest = _heaviest(log, n_after)
    return {
        "trace": log.trace,
        "n_actions": len(log),
        "n_accounts": len(log.accounts),
        "n_objects": len(log.objects),
        "n_pairs": n_pairs,
        "n_edges": n_edges,
        "edges_bytes": n_edges * BYTES_PER_EDGE,
        "heaviest_objects": [name for name, _ in heaviest],
        "heaviest_frac": sum(n for _, n in heaviest) / max(n_pairs, 1),
    }


def _heaviest(log: ActionLog, n_after: np.ndarray) -> list[tuple[str, int]]:
    """Return the objects that make most pairs, at least one, with how many."""
    per_object = np.bincount(log.object_code, weights=n_after, minlength=len(log.objects))
    worst = np.argsort(-per_object, kind="stable")[:N_NAMED]
    return [(log.objects[int(k)], int(per_object[k])) for k in worst if per_object[k] > 0]
