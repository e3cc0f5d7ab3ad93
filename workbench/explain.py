"""One account -> why it is, or is not, in a cluster: what it did, with whom, what the test said, which rule decided.

It works for every account of a release, also for one that never came near a cluster: to have been left out is a result
too, and somebody will ask for its reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from workbench.chance import check_window
from workbench.coordinated.confirm import Halves, split_objects
from workbench.coordinated.describe import MIN_MEMBERS
from workbench.coordinated.half import fuse_traces
from workbench.coordinated.membership import MIN_EXCESS, MIN_OBJECTS, adjust_p, tail_of_luck, weigh_nearness
from workbench.evidence import co_action_evidence
from workbench.schema import check_table

RULES = {
    "member": "near its cluster on more objects than luck gives, on halves that had no part in finding the cluster",
    "clock": "it acts with a group whose timing a shared clock explains: set apart, and never called coordinated",
    "no posts": "it has no post in the data",
    "no action": "none of its posts carries a trace that was looked at",
    "alone": "nobody else acted on any of its objects",
    "never near": "it never acted within the time window of anybody else on the same object",
    "no cluster": "no group was confirmed that a shared clock does not explain, so there is none it could belong to",
    "far": "it shares no object with any cluster",
    "too few": f"it acted near a cluster on fewer than {MIN_OBJECTS} objects",
    "no excess": f"it acted near a cluster less than {MIN_EXCESS:g} times as often as luck gives",
    "luck": "so many objects near a cluster can be luck, given how many accounts were looked at",
    "borderline": (
        "it passes beside the finished cluster, but not beside the group as it was found on either half, or it was "
        f"closer to another one, or its own group fell below {MIN_MEMBERS} accounts"
    ),
}
"""rule -> what it says"""
_HALVES = ("first half", "second half", "both halves")


@dataclass(frozen=True)
class Explanation:
    """Why one account is or is not in a cluster.

    Attributes:
        account_id: the account.
        rule: which of `RULES` decided.
        cluster_id: the cluster it is in; else the one it came nearest to, None where it came near none.
        n_posts: its posts in the data.
        traces: trace, n_actions, n_objects, n_objects_shared (others acted on them too), n_objects_near (within the
            window of somebody else); one row per trace.
        tests: cluster_id, half, n_objects (of the cluster, that it acted on), n_objects_near (within the window of a
            member), expected_objects (near by luck, at the rate of outsiders), p (of so many by luck), fdr (over all
            accounts that acted on the cluster's objects); the nearest cluster first, none it shares no object with.
        partners: account_id, cluster_id (null: in none), trace, n_co_actions, and expected_n and fdr where the edges
            are scored; the heaviest first.
        n_partners: accounts it acted with, and of those, in a cluster.
        posts: trace, object_id, post_id, acted_at, with_account, with_post, gap_s, cluster_id (of with_account);
            members of clusters before others, then the closest in time first.
        member: its row in the table of clusters; None where it is in none.
    """

    account_id: str
    rule: str
    cluster_id: int | None
    n_posts: int
    traces: pl.DataFrame
    tests: pl.DataFrame
    partners: pl.DataFrame
    n_partners: tuple[int, int]
    posts: pl.DataFrame
    member: dict | None


def explain_account(
    posts: pl.DataFrame,
    actions: pl.DataFrame,
    edges: pl.DataFrame,
    clusters: pl.DataFrame,
    *,
    account_id: str,
    time_window_s: float,
    max_fdr: float,
    seed: int,
    clocks: pl.DataFrame | None = None,
    most: int = 20,
) -> Explanation:
    """Return why an account is or is not in a cluster, with what it did and the rule that decided.

    Args:
        posts: table `posts`.
        actions: the table the clusters were found on.
        edges: table `edges` or `scored`, counted on them.
        clusters: from `find_coordinated_clusters`.
        account_id: any account of the release, as it stands in these tables; one without posts is said to have none.
        time_window_s: the window of the edges, in seconds; a cluster found in another window is weighed in its own.
        max_fdr: the line the clusters were found at.
        seed: theirs, so that the halves are the same.
        clocks: from `find_shared_clocks` with the same settings: the groups that were set apart.
        most: posts and partners shown at most.

    Raises:
        ParameterError: no window.
        SchemaError: a table lacks its columns.

    Beware: weighed here against the finished cluster, while membership was decided beside the group as it was found on
        the other half; an account at the line can fall on either side. For a member the half that found its cluster
        flatters; n_objects_near and p_member of the table of clusters leave that half out.
    """
    return explain_accounts(
        posts, actions, edges, clusters, account_ids=[account_id], time_window_s=time_window_s, max_fdr=max_fdr,
        seed=seed, clocks=clocks, most=most,
    )[0]  # fmt: skip


def explain_accounts(
    posts: pl.DataFrame,
    actions: pl.DataFrame,
    edges: pl.DataFrame,
    clusters: pl.DataFrame,
    *,
    account_ids: Sequence[str],
    time_window_s: float,
    max_fdr: float,
    seed: int,
    clocks: pl.DataFrame | None = None,
    most: int = 20,
) -> list[Explanation]:
    """Return the same for several accounts, in their order: all are weighed in one pass, which costs as much as one.

    Args:
        posts: as for `explain_account`, and so are the rest.
        actions: as there.
        edges: as there.
        clusters: as there.
        account_ids: any accounts of the release.
        time_window_s: in seconds.
        max_fdr: the line the clusters were found at.
        seed: theirs.
        clocks: the groups that were set apart.
        most: posts and partners shown at most.

    Raises:
        ParameterError: no window.
        SchemaError: a table lacks its columns.
    """
    check_window(time_window_s)
    posts, actions, edges = check_table(posts, "posts"), check_table(actions, "actions"), check_table(edges, "edges")
    clusters = check_table(clusters, "clusters")
    beside = _weigh_clusters(actions, clusters, account_ids, time_window_s=time_window_s, seed=seed)
    return [
        _explain(
            posts, actions, edges, clusters, account_id=account_id, tests=tests, time_window_s=time_window_s,
            max_fdr=max_fdr, clocks=clocks, most=most,
        )
        for account_id, tests in zip(account_ids, beside, strict=True)
    ]  # fmt: skip


def _explain(
    posts: pl.DataFrame,
    actions: pl.DataFrame,
    edges: pl.DataFrame,
    clusters: pl.DataFrame,
    *,
    account_id: str,
    tests: pl.DataFrame,
    time_window_s: float,
    max_fdr: float,
    clocks: pl.DataFrame | None,
    most: int,
) -> Explanation:
    is_own = pl.col("account_id") == account_id
    n_posts, own = posts.filter(is_own).height, actions.filter(is_own)
    member = next(iter(clusters.filter(is_own).to_dicts()), None)
    ties = edges.with_columns(pl.col("account_a", "account_b").cast(pl.String)).filter(
        (pl.col("account_a") == account_id) | (pl.col("account_b") == account_id)
    )
    met = co_action_evidence(_on_objects_of(actions, own), ties, time_window_s=time_window_s)
    traces = _count_traces(actions, own, met)
    on_clock = clocks is not None and not clocks.filter(is_own).is_empty()
    rule, nearest = (
        ("clock", None)
        if on_clock and member is None
        else _decide(member, n_posts, traces, clusters, tests, max_fdr=max_fdr)
    )
    partners, shown = _partners(ties, clusters, account_id), _posts(met, clusters, account_id)
    each = partners.unique("account_id")
    return Explanation(
        account_id=account_id, rule=rule, cluster_id=nearest, n_posts=n_posts, traces=traces, tests=tests,
        partners=partners.head(most), n_partners=(each.height, each["cluster_id"].count()), posts=shown.head(most),
        member=member,
    )  # fmt: skip


def _on_objects_of(actions: pl.DataFrame, own: pl.DataFrame) -> pl.DataFrame:
    return actions.join(own.select("trace", "object_id").unique(), on=["trace", "object_id"], how="semi")


def _count_traces(actions: pl.DataFrame, own: pl.DataFrame, met: pl.DataFrame) -> pl.DataFrame:
    keys = ["trace", "object_id"]
    others = _on_objects_of(actions, own).group_by(keys).agg(is_shared=pl.col("account_id").n_unique() > 1)
    near = met.select(keys).unique().with_columns(is_near=pl.lit(value=True))
    per_object = own.group_by(keys).agg(n=pl.len()).join(others, on=keys).join(near, on=keys, how="left")
    return (
        per_object.group_by("trace")
        .agg(
            n_actions=pl.col("n").sum().cast(pl.Int64),
            n_objects=pl.len().cast(pl.Int64),
            n_objects_shared=pl.col("is_shared").sum().cast(pl.Int64),
            n_objects_near=pl.col("is_near").fill_null(value=False).sum().cast(pl.Int64),
        )
        .sort("trace")
    )


def _weigh_clusters(
    actions: pl.DataFrame, clusters: pl.DataFrame, account_ids: Sequence[str], *, time_window_s: float, seed: int
) -> list[pl.DataFrame]:
    """Each account beside each finished cluster, on either half of the objects and on both together."""
    log = fuse_traces(actions)
    asked = [log.accounts.index_of(account_id) if len(log) else None for account_id in account_ids]
    if asked.count(None) == len(asked) or clusters.is_empty():
        return [pl.DataFrame(schema=_TESTS) for _ in asked]
    codes = pl.DataFrame({"account_id": log.accounts}).with_row_index("code")
    known = clusters.join(codes, on="account_id")
    inside = np.zeros(len(log.accounts), bool)
    inside[known["code"].to_numpy()] = True
    windows = dict.fromkeys(known["cluster_id"].unique(), time_window_s)
    if "time_window_s" in known.columns:
        windows = dict(known.select("cluster_id", "time_window_s").unique().rows())
    halves = split_objects(log, sorted({check_window(w) for w in windows.values()}), np.random.default_rng([seed, 1]))
    rows: list[list[tuple]] = [[] for _ in asked]
    for number, window_s in windows.items():
        members = np.sort(known.filter(cluster_id=number)["code"].to_numpy())
        weighed = _weigh_beside(halves, members, inside, window_us=check_window(window_s))
        for of_account, code in zip(rows, asked, strict=True):
            of_account += [(number, half, *(row[code] for row in x)) for half, x in weighed] if code is not None else []
    return [_nearest_first(pl.DataFrame(of_account, schema=_TESTS, orient="row")) for of_account in rows]


def _nearest_first(table: pl.DataFrame) -> pl.DataFrame:
    whole = table.filter(pl.col("half") == _HALVES[2], pl.col("n_objects") > 0)
    nearest = whole.sort("p", "n_objects_near", "n_objects", "cluster_id", descending=[False, True, True, False])
    return nearest.select("cluster_id").join(table, on="cluster_id", maintain_order="left_right")


def _weigh_beside(
    halves: Halves, members: np.ndarray, inside: np.ndarray, *, window_us: int
) -> list[tuple[str, tuple[np.ndarray, ...]]]:
    """Return, per half, what the columns of `tests` after it are for every account code."""
    sides = [weigh_nearness(halves[side, window_us], members, inside) for side in (0, 1)]
    weighed = []
    for half, (n_near, due, n_acted, *_) in zip(_HALVES, [*sides, sides[0] + sides[1]], strict=True):
        p = tail_of_luck(n_near, due)
        counts = (n_acted.astype(np.int64), n_near.astype(np.int64))
        weighed.append((half, (*counts, due, p, adjust_p(p, among=n_acted > 0))))
    return weighed


def _decide(
    member: dict | None,
    n_posts: int,
    traces: pl.DataFrame,
    clusters: pl.DataFrame,
    tests: pl.DataFrame,
    *,
    max_fdr: float,
) -> tuple[str, int | None]:
    """The rule that decided, and the cluster it speaks of."""
    if member is not None:
        return "member", member["cluster_id"]
    if traces.is_empty():
        return ("no action" if n_posts else "no posts"), None
    if not traces["n_objects_shared"].sum():
        return "alone", None
    if not traces["n_objects_near"].sum():
        return "never near", None
    if clusters.is_empty():
        return "no cluster", None
    best = next(iter(tests.filter(half=_HALVES[2]).to_dicts()), None)
    if best is None:
        return "far", None
    number, n_near, due = best["cluster_id"], best["n_objects_near"], best["expected_objects"]
    if n_near < MIN_OBJECTS:
        return "too few", number
    if n_near < MIN_EXCESS * due:
        return "no excess", number
    return ("luck" if best["fdr"] > max_fdr else "borderline"), number


def _partners(ties: pl.DataFrame, clusters: pl.DataFrame, account_id: str) -> pl.DataFrame:
    other = pl.when(pl.col("account_a") == account_id).then("account_b").otherwise("account_a")
    chance = [column for column in ("expected_n", "fdr") if column in ties.columns]
    return (
        ties.select("trace", "n_co_actions", *chance, account_id=other)
        .join(clusters.select("account_id", "cluster_id"), on="account_id", how="left")
        .select("account_id", "cluster_id", "trace", "n_co_actions", *chance)
        .sort("n_co_actions", "account_id", "trace", descending=[True, False, False])
    )


def _posts(met: pl.DataFrame, clusters: pl.DataFrame, account_id: str) -> pl.DataFrame:
    is_a = pl.col("account_a") == account_id
    return (
        met.select(
            "trace",
            "object_id",
            post_id=pl.when(is_a).then("post_a").otherwise("post_b"),
            acted_at=pl.when(is_a).then("at_a").otherwise("at_b"),
            with_account=pl.when(is_a).then("account_b").otherwise("account_a"),
            with_post=pl.when(is_a).then("post_b").otherwise("post_a"),
            gap_s="gap_s",
        )
        .join(clusters.select(with_account="account_id", cluster_id="cluster_id"), on="with_account", how="left")
        .sort(pl.col("cluster_id").is_null(), "gap_s", "acted_at", "post_id", "with_post")
        .unique(["post_id", "object_id"], keep="first", maintain_order=True)
    )


_TESTS = {
    "cluster_id": pl.Int64, "half": pl.String, "n_objects": pl.Int64, "n_objects_near": pl.Int64,
    "expected_objects": pl.Float64, "p": pl.Float64, "fdr": pl.Float64,
}  # fmt: skip
