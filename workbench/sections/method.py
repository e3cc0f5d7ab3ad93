"""The method card: the eleven rows by which Pacheco et al. (2021) describe a method, filled from the run."""

from __future__ import annotations

from typing import Any

import polars as pl

from workbench.findings import Section
from workbench.schema import About, ParameterError
from workbench.sections.base import make_table, name_trace, say_list, say_platform, say_window

_NEEDED = ("traces", "time_window_s", "n_shuffles", "max_fdr", "seed")
_TRACES = {
    "repost": "reposting the same post",
    "fast_repost": "reposting the same post soon after it appeared",
    "url": "sharing the same link",
    "domain": "sharing links to the same web site",
    "hashtag": "using the same hashtag",
    "hashtag_sequence": "using the same hashtags in the same order",
    "mention": "mentioning the same account",
    "reply": "replying to the same post",
    "quote": "quoting the same post",
    "same_text": "posting the same text",
    "similar_text": "posting nearly the same text",
    "media": "posting the same image",
}


def describe_method(parameters: dict[str, Any], *, about: About, period: str, n_accounts: int, n_posts: int) -> Section:
    """Return the method card, filled from the run's parameters.

    Args:
        parameters: at least traces (list), time_window_s, n_shuffles, max_fdr, seed; min_actions where used.
        about: of the dataset.
        period: first to last day, in words.
        n_accounts: accounts that could be paired.
        n_posts: posts read.

    Raises:
        ParameterError: a parameter the card needs is missing.

    Source: Pacheco et al. 2021 (ICWSM), tables of their five case studies. Differs: edges are kept by false discovery
        rate where they keep a percentile of weights.
    """
    missing = [name for name in _NEEDED if name not in parameters]
    if missing:
        raise ParameterError(
            f"The method card needs the parameter {missing[0]}; found {say_list(sorted(parameters), most=20)}. "
            "Pass the run's parameters whole."
        )
    window, shuffles = say_window(parameters["time_window_s"]), parameters["n_shuffles"]
    actions = [_TRACES.get(trace, trace.replace("_", " ")) for trace in parameters["traces"]]
    support = parameters.get("min_actions", 1)
    rows = [
        ("Conjecture", f"Accounts that keep {say_list(actions, most=9)} within {window} of each other act together."),
        ("Support filter", f"Accounts with at least {support} {'action' if support == 1 else 'actions'}."),
        ("Trace", say_list([name_trace(trace) for trace in parameters["traces"]], most=20) + "."),
        (
            "Engineered trace",
            "The object acted on (canonical link, normalised text, post), with the time to act on it.",
        ),
        ("Bipartite weight", "One per action of an account on an object; times are kept."),
        ("Projection weight", f"Co-actions: pairs of actions on one object within {window}, counted exactly."),
        (
            "Edge filter",
            (
                f"False discovery rate of at most {parameters['max_fdr']:.0%}, by {shuffles} shuffles of accounts "
                f"within objects, by the hours they keep (seed {parameters['seed']})."
            ),
        ),
        (
            "Clustering",
            (
                "Leiden (CPM) on one half of the objects, confirmed on the other half against the group's own "
                "outsiders and two shuffles; then with the halves exchanged."
            ),
        ),
        ("Data source", f"{about.title}; {say_platform(about.platform)}; licence: {about.licence}."),
        ("Data period", period),
        ("Number of accounts", f"{n_accounts:,} accounts that could be paired; {n_posts:,} posts read."),
    ]
    card = make_table(
        "method_card",
        "The method in eleven rows",
        pl.DataFrame(rows, schema=["step", "choice"], orient="row"),
        note="Rows after Pacheco et al., “Uncovering Coordinated Networks on Social Media” (ICWSM 2021).",
        labels={"step": "Step", "choice": "What was done"},
    )
    return Section("method", tables=[card])
