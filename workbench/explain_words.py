"""Why an account is, or is not, in a cluster, in plain sentences."""

from __future__ import annotations

import polars as pl

from workbench.explain import RULES, Explanation
from workbench.sections.base import say_count, say_list, say_times, say_window

_INNOCENT = (
    "Being in a cluster says that its timing is not explained by shared interest or the usual pace; it does not say "
    "inauthentic. Being in none says that nothing was shown, not that there is nothing."
)


def say_why(explanation: Explanation, *, time_window_s: float) -> list[str]:
    """Return why an account is or is not in a cluster, as sentences in the order of the argument.

    Args:
        explanation: from `explain_account`.
        time_window_s: the window it was made with, in seconds.
    """
    window = say_window(time_window_s)
    said = [_verdict(explanation), *_did(explanation, window), *_met(explanation, window), *_tested(explanation)]
    return [*said, _INNOCENT]


def _verdict(why: Explanation) -> str:
    if why.member is not None:
        part = "core" if why.member["is_core"] else "periphery"
        return f"{why.account_id} is in cluster {why.cluster_id}, in its {part}: {RULES[why.rule]}."
    return f"{why.account_id} is in no cluster: {RULES[why.rule]}."


def _did(why: Explanation, window: str) -> list[str]:
    if why.traces.is_empty():
        return [f"It has {say_count(why.n_posts, 'post')} in the data."] if why.n_posts else []
    acted, shared, near = (int(why.traces[name].sum()) for name in ("n_objects", "n_objects_shared", "n_objects_near"))
    kinds = say_list([trace.replace("_", " ") for trace in why.traces["trace"]], most=9)
    text = (
        f"It has {say_count(why.n_posts, 'post')} and acted on {say_count(acted, 'object')} (by {kinds}). Others acted "
        f"on {shared:,} of them, and within {window} of it on {near:,}."
    )
    return [text]


def _met(why: Explanation, window: str) -> list[str]:
    if why.partners.is_empty():
        return []
    most = why.partners.row(0, named=True)
    n_all, n_clustered = why.n_partners
    text = (
        f"It acted within {window} of {say_count(n_all, 'other account')}, {n_clustered:,} of them in a cluster; most "
        f"often of {most['account_id']}, {say_count(most['n_co_actions'], 'time')} by {most['trace'].replace('_', ' ')}"
    )
    if "expected_n" in most:
        text += f", where chance gives {most['expected_n']:,.2f}"
    return [text + "."]


def _tested(why: Explanation) -> list[str]:
    said = []
    if why.member is not None and "n_objects_near" in why.member:
        row = why.member
        said.append(
            f"What counted: on the halves that had no part in finding the cluster it acted near the cluster on "
            f"{say_count(row['n_objects_near'], 'object')}, where an outsider would on {row['expected_objects']:,.1f} "
            f"(chance of so many by luck: {_say_p(row['p_member'])}). The cluster as a whole acted together "
            f"{say_times(row['ratio'])} as often as others did on the same objects ({row['grade']})."
        )
    number = why.cluster_id if why.cluster_id is not None else next(iter(why.tests["cluster_id"]), None)
    beside = why.tests.filter(pl.col("cluster_id") == number).to_dicts() if number is not None else []
    return said + [_test(row) for row in beside]


def _test(row: dict) -> str:
    return (
        f"Beside the finished cluster {row['cluster_id']}, on {_HALF[row['half']]}: it acted near the cluster on "
        f"{row['n_objects_near']:,} of {say_count(row['n_objects'], 'object')}; an outsider would on "
        f"{row['expected_objects']:,.1f} (chance of so many by luck: {_say_p(row['p'])}; "
        f"false discovery rate {_say_p(row['fdr'])})."
    )


_HALF = {
    "first half": "the first half of the objects",
    "second half": "the second half",
    "both halves": "both together",
}


def _say_p(p: float) -> str:
    return "below 0.001" if p < 0.001 else f"{p:.3f}"
