"""actions -> clusters beyond chance.

1. *Find.* Candidates of any size on one half of the objects, liberally (`candidates.py`).
2. *Confirm.* Each is weighed on the other half, which it never saw, against its own outsiders and two shuffles. Then
   the halves change roles. All candidates of all windows, resolutions and both halves pay together for the many looks.
   Views of one group become one (`grouping.py`).
3. *Belong.* Each account is weighed for acting near a confirmed group, on the half that group was not found on
   (`membership.py`): nobody is a member because of the luck that made the group.

Several traces are one log here, an object being (trace, object), so accounts that act together in any of them are
found once. A post with actions in several traces falls into one half only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from workbench.chance import check_window
from workbench.clusters import measure_members, number_clusters
from workbench.coaction import ActionLog, count_pairs
from workbench.coordinated.candidates import MIN_RATIO, Group, add_swaps, find_candidates, list_filled, weigh_groups
from workbench.coordinated.grouping import (
    choose_disjoint,
    count_shared,
    join_fragments,
    pair_halves,
    take_apart,
    unite_overlapping,
)
from workbench.coordinated.half import Half, code_traces, fuse_traces
from workbench.coordinated.membership import Membership, adjust_p, grow_group, weigh_membership
from workbench.schema import ParameterError, empty_table

N_ROUNDS = 4
MIN_MEMBERS = 3
BEYOND_SHARED_INTEREST = "beyond shared interest"
CLOSED_GROUP = "closed group"

CLUSTER_COLUMNS = {
    "grade": pl.String, "ratio": pl.Float64, "z": pl.Float64, "p_within": pl.Float64, "p_swap": pl.Float64,
    "outsiders_frac": pl.Float64, "n_co_actions": pl.Int64, "expected_n": pl.Float64, "time_window_s": pl.Float64,
}  # fmt: skip
ACCOUNT_COLUMNS = {"n_objects_near": pl.Int64, "expected_objects": pl.Float64, "p_member": pl.Float64}
_Halves = Mapping[tuple[int, int], Half]


def find_coordinated_clusters(
    actions: pl.DataFrame,
    *,
    time_window_s: float | Sequence[float],
    n_shuffles: int,
    max_fdr: float,
    seed: int,
) -> pl.DataFrame:
    """Find the groups of accounts that act together beyond what shared interest and the usual pace explain.

    Args:
        actions: table `actions`, of one trace or several. Load a control dataset beside a takedown where you can: the
            outsiders are the yardstick.
        time_window_s: seconds, inclusive; one window or several (say 10, 60), the many looks paid for.
        n_shuffles: swaps of delays per half and window, at least 2 (20 is usual).
        max_fdr: share of clusters, and of members in each, that may be there by luck (0 < max_fdr < 1).
        seed: of the split, Leiden and the swaps; the order of the rows changes nothing.

    Returns:
        Table `clusters` (one row per clustered account; empty where nothing is beyond chance). strength is the
        account's co-actions with its cluster. Further columns, repeated per cluster: grade ("beyond shared interest"
        or "closed group"), ratio (acted together that many times as often as outsiders did on the same objects), z
        (standard deviations above the nearer null), p_within, p_swap, outsiders_frac, n_co_actions and expected_n
        (co-actions of the group, and due at the outsiders' rate, both on halves that had no part in finding it),
        time_window_s. Per account: n_objects_near (objects on which it acted within the window of another member),
        expected_objects (by luck) and p_member, again on those halves. `list_clusters` gives a row per cluster.

    Raises:
        ParameterError: a window, number of shuffles or max_fdr out of range.
        SchemaError: `actions` is not a table of actions.

    Source: split-sample inference (Cox 1975) on communities found by Leiden with CPM (Traag et al. 2011, 2019).
        Differs from a percentile cut of a similarity network (Pacheco et al. 2021; CooRTweet): the error is stated.
    Beware: unrelated accounts that share a clock are found too: scheduled posts on the full hour, push alerts, polling
        of one feed. With windows of many minutes, so are accounts that are merely awake at the same hours.
        A newsroom's sister pages and a fan club with a schedule earn both grades. Coordination is not
        inauthenticity. A group active on a handful of objects cannot be confirmed: one half is not enough.
    """
    windows_us = _check_parameters(time_window_s, n_shuffles, max_fdr)
    log = fuse_traces(actions)
    if not len(log):
        return _empty_clusters()
    halves = _split(log, windows_us, np.random.default_rng([seed, 1]))
    swap_seeds = [[seed, 2, k] for k in range(n_shuffles)]
    halves, confirmed, largest_p = _confirm(halves, swap_seeds=swap_seeds, max_fdr=max_fdr, seed=seed)
    sides = [
        _settle([g for g in confirmed if g.found_on == side], halves, swap_seeds=swap_seeds, largest_p=largest_p)
        for side in (0, 1)
    ]
    grouped = _mask([group.members for side in sides for group in side], len(log.accounts))
    pairs = pair_halves(sides)
    weighed = [weigh_membership(pair, halves, grouped=grouped, max_fdr=max_fdr) for pair in pairs]
    return _table(log, pairs, weighed, largest_p=largest_p)


def list_clusters(clusters: pl.DataFrame) -> pl.DataFrame:
    """Return one row per cluster of `find_coordinated_clusters`: cluster_id, n_accounts, n_core, grade and evidence."""
    sizes = [pl.len().cast(pl.Int64).alias("n_accounts"), pl.col("is_core").sum().cast(pl.Int64).alias("n_core")]
    evidence = [pl.col(column).first() for column in CLUSTER_COLUMNS]
    return clusters.group_by("cluster_id").agg(*sizes, *evidence).sort("cluster_id")


def _check_parameters(time_window_s: float | Sequence[float], n_shuffles: int, max_fdr: float) -> list[int]:
    windows = time_window_s if isinstance(time_window_s, Sequence) else [time_window_s]
    if not windows:
        raise ParameterError("time_window_s is empty; expected seconds, one window or several.")
    if n_shuffles < 2:
        raise ParameterError(f"n_shuffles is {n_shuffles}; expected 2 or more (20 is usual).")
    if not 0 < max_fdr < 1:
        raise ParameterError(f"max_fdr is {max_fdr}; expected a share between 0 and 1, such as 0.05.")
    return sorted({check_window(window) for window in windows})


def _split(log: ActionLog, windows_us: Sequence[int], rng: np.random.Generator) -> dict[tuple[int, int], Half]:
    """Deal objects to two halves, one each of any two neighbours in size; a post goes where its rarest object goes."""
    size = np.bincount(log.object_code, minlength=len(log.objects))
    by_size = np.lexsort((rng.random(len(size)), size))
    side_by_rank = (np.arange(len(size)) + rng.integers(0, 2, (len(size) + 1) // 2).repeat(2)[: len(size)]) % 2
    rank = np.empty(len(size), np.int64)
    rank[by_size] = np.arange(len(size))
    rarest = np.full(len(log.posts), len(size) - 1)
    np.minimum.at(rarest, log.post_code, rank[log.object_code])
    row_side = side_by_rank[rarest[log.post_code]]
    trace_code = code_traces(log)
    return {
        (side, w): Half(log.keep(row_side == side), trace_code=trace_code, window_us=w)
        for side in (0, 1)
        for w in windows_us
    }


def _confirm(
    halves: _Halves,
    *,
    swap_seeds: Sequence[Sequence[int]],
    max_fdr: float,
    seed: int,
) -> tuple[_Halves, list[Group], float]:
    """Weigh all candidates, again without the objects of groups already confirmed in the usual pace, until none is new.

    Objects that a coordinated group fills do not show the usual pace. The first round leaves out those of groups that
    shared interest cannot explain; a closed group is left out once its pace is shown to be unusual.
    """
    n_left_out = -1
    left_out: dict[tuple[int, int], np.ndarray] = {key: np.empty(0, np.int64) for key in halves}
    paced: _Halves = halves
    for _ in range(N_ROUNDS):
        distinct: list[Group] = []
        for (side, window_us), half in paced.items():
            other = paced[1 - side, window_us]
            weighed = [
                g for groups in find_candidates(half, seed=seed) for g in weigh_groups(other, groups, found_on=side)
            ]
            once = {g.members.tobytes(): g for g in weighed}
            distinct += add_swaps(other, list(once.values()), swap_seeds=swap_seeds)
        largest_p = _largest_p(np.array([g.p for g in distinct]), max_fdr)
        confirmed = [group for group in distinct if _passes(group, largest_p)]
        by_interest = _largest_p(np.array([g.p_within for g in distinct]), max_fdr)
        unusual = [g for g in distinct if g.ratio >= MIN_RATIO and (g.p_within <= by_interest or g.p <= largest_p)]
        left_out = {
            (side, w): np.union1d(
                objects,
                list_filled(halves[side, w], [g for g in unusual if (1 - g.found_on, g.window_us) == (side, w)]),
            )
            for (side, w), objects in left_out.items()
        }
        n = sum(len(objects) for objects in left_out.values())
        if n <= max(n_left_out, 0):
            break
        n_left_out = n
        paced = {key: half.leave_out(left_out[key]) for key, half in halves.items()}
    return paced, confirmed, largest_p


def _largest_p(p: np.ndarray, max_fdr: float) -> float:
    """Return the largest p-value that is kept at the false discovery rate; below every p-value if none is."""
    kept = p[adjust_p(p) <= max_fdr]
    return float(kept.max()) if len(kept) else -1.0


def _settle(
    confirmed: list[Group], halves: _Halves, *, swap_seeds: Sequence[Sequence[int]], largest_p: float
) -> list[Group]:
    """Make one view of each group confirmed on one half: choose, join fragments, complete, weigh again.

    A group whose completed form does not pass is kept as it was confirmed.
    """
    chosen = choose_disjoint(confirmed)
    settled = []
    for window_us in sorted({group.window_us for group in chosen}):
        views = [group for group in chosen if group.window_us == window_us]
        side = views[0].found_on
        own, other = halves[side, window_us], halves[1 - side, window_us]
        found = take_apart(join_fragments(other, [group.members for group in views]))
        grouped = _mask(found, len(own.log.accounts))
        grown = unite_overlapping([grow_group(own, members, grouped=grouped) for members in found])
        grouped = _mask([*found, *grown], len(own.log.accounts))
        whole, before = (
            add_swaps(other, weigh_groups(other, groups, found_on=side, grouped=grouped), swap_seeds=swap_seeds)
            for groups in (grown, found)
        )
        whole = [group for group in whole if _passes(group, largest_p)]
        settled += whole
        settled += [b for b in before if _passes(b, largest_p) and not any(count_shared(b, w) for w in whole)]
    return settled


def _passes(group: Group, largest_p: float) -> bool:
    return group.p <= largest_p and group.ratio >= MIN_RATIO


def _mask(groups: Sequence[np.ndarray], n_accounts: int) -> np.ndarray:
    is_in = np.zeros(n_accounts, bool)
    is_in[np.concatenate([np.empty(0, np.int64), *groups])] = True
    return is_in


def _table(
    log: ActionLog, pairs: Sequence[Sequence[Group]], weighed: Sequence[Membership], *, largest_p: float
) -> pl.DataFrame:
    """One row per account, in the group whose actions it is closest to."""
    best, closest = np.full(len(log.accounts), -1), np.zeros(len(log.accounts))
    for number, membership in enumerate(weighed):
        closeness = np.where(membership.is_member, membership.closeness, 0)
        best[closeness > closest] = number
        closest = np.maximum(closest, closeness)
    parts = []
    for number, (groups, membership) in enumerate(zip(pairs, weighed, strict=True)):
        members = np.flatnonzero(best == number)
        if len(members) >= MIN_MEMBERS:
            evidence = _describe_group(groups, largest_p)
            parts.append(_rows_of_members(log, membership, members, groups[0].window_us).with_columns(**evidence))
    if not parts:
        return _empty_clusters()
    table = pl.concat([part.with_columns(cluster_id=number) for number, part in enumerate(parts)], how="vertical")
    columns = _empty_clusters().schema
    return number_clusters(table.select(pl.col(name).cast(dtype) for name, dtype in columns.items()))


def _rows_of_members(log: ActionLog, membership: Membership, members: np.ndarray, window_us: int) -> pl.DataFrame:
    chosen = np.zeros(len(log.accounts), bool)
    chosen[members] = True
    a, b, n = count_pairs(log.keep(chosen[log.account_code]), window_us=window_us)
    strength, is_core = measure_members(members, a, b, n)
    return pl.DataFrame(
        {
            "account_id": log.accounts.gather(members), "strength": strength, "is_core": is_core,
            "n_objects_near": membership.n_near[members], "expected_objects": membership.due[members],
            "p_member": membership.p[members],
        }
    )  # fmt: skip


def _describe_group(groups: Sequence[Group], largest_p: float) -> dict[str, pl.Expr]:
    """The evidence on a group, from one or both halves: counts add up, of p-values the larger is shown."""
    seen, due = sum(g.seen for g in groups), sum(g.due for g in groups)
    is_closed = any(g.is_closed and g.p_within > largest_p for g in groups)
    nulls = [[g.swap or (0.0, 0.0) for g in groups]] + ([] if is_closed else [[g.within for g in groups]])
    moments = [np.array(null).sum(axis=0) for null in nulls]
    z = min((seen - mean) / max(variance, 1.0) ** 0.5 for mean, variance in moments)
    evidence = {
        "grade": CLOSED_GROUP if is_closed else BEYOND_SHARED_INTEREST, "ratio": seen / max(due, 1e-9), "z": z,
        "p_within": max(g.p_within for g in groups), "p_swap": max(g.p_swap for g in groups),
        "outsiders_frac": float(np.mean([g.outsiders_frac for g in groups])), "n_co_actions": int(seen),
        "expected_n": due, "time_window_s": groups[0].window_us / 1e6,
    }  # fmt: skip
    return {name: pl.lit(value, CLUSTER_COLUMNS[name]) for name, value in evidence.items()}


def _empty_clusters() -> pl.DataFrame:
    extra = [pl.Series(name, [], dtype) for name, dtype in (CLUSTER_COLUMNS | ACCOUNT_COLUMNS).items()]
    return empty_table("clusters").with_columns(extra)
