"""What could be wrong: other windows and thresholds, what the tests cannot see, and the standard criticisms."""

from __future__ import annotations

import polars as pl

from workbench.charts import chart_sensitivity
from workbench.findings import Claim, Confidence, Observation, Section
from workbench.sections.base import make_figure, make_table, say_count, say_window

_ALWAYS = (
    (
        "Coordination is not inauthentic behaviour. Fans, activists, newsrooms and parliamentary groups trip every "
        "detector of coordination (Vargas et al. 2020; Nizzoli et al. 2021; Mannocci et al. 2024)."
    ),
    (
        "A time window is a choice, not a fact, and one signal is weak: claims from single signals have not stood up "
        "to controls (Pante et al. 2025; Seckin et al. 2025). Read the result beside those of other windows."
    ),
    (
        "A very active account can carry a pair by itself, and single accounts in large releases flatter any measure "
        "of precision. Look at the core, and at who acted first, before naming a group."
    ),
    (
        "A release holds what a platform chose to publish: posts deleted before it are absent, and nobody outside can "
        "check which accounts were left out."
    ),
    (
        "Meta writes in the notes of its threat research: “the mere sharing of these operations' links or engaging "
        "with them by online users would be insufficient to attribute accounts to a given campaign without "
        "corroborating evidence.”"
    ),
)


def describe_limits(
    *,
    time_window_s: float | None,
    n_shuffles: int,
    coarse_posts_frac: float | None = None,
    sensitivity: pl.DataFrame | None = None,
    controls: pl.DataFrame | None = None,
    has_control: bool = False,
) -> Section:
    """Return the section on what could be wrong; it is never empty.

    Args:
        time_window_s: the window used.
        n_shuffles: shuffles behind the tests.
        coarse_posts_frac: share of posts timed to the minute or worse.
        sensitivity: what `compare_settings` gives: time_window_s, max_fdr, n_accounts (in clusters), n_clusters, and
            perhaps actions_frac.
        controls: the same measure on benign datasets: dataset, n_accounts, n_clustered, n_clusters.
        has_control: whether a control dataset was loaded beside the release.
    """
    prose = [*_of_this_run(n_shuffles=n_shuffles, has_control=has_control), *_ALWAYS]
    if coarse_posts_frac and time_window_s is not None and time_window_s < 60:
        prose.insert(0, _coarse(coarse_posts_frac, time_window_s=time_window_s))
    claims, figures, tables = [], [], []
    if sensitivity is not None and not sensitivity.is_empty():
        looked_at = sensitivity.get_column("actions_frac", default=pl.Series([1.0]))[0]
        sensitivity = sensitivity.drop("actions_frac", strict=False)
        claims.append(_spread(sensitivity, looked_at=looked_at))
        if sensitivity["n_accounts"].sum():
            figures.append(make_figure("sensitivity", chart_sensitivity(sensitivity), sensitivity))
    if controls is not None and not controls.is_empty():
        labels = {
            "dataset": "Dataset", "n_accounts": "Accounts", "n_clustered": "in clusters", "n_clusters": "Clusters",
        }  # fmt: skip
        note = "Benign datasets that went through the same steps; what is found there is no sign of deception here."
        tables.append(make_table("controls", "The same measure on control data", controls, note=note, labels=labels))
    return Section("limits", claims, prose, figures, tables)


def _of_this_run(*, n_shuffles: int, has_control: bool) -> list[str]:
    tails = (
        f"The p-values come from the mean and spread of {say_count(n_shuffles, 'shuffle')} and from exact "
        "expectations, not from counting shuffles: the smaller they are, the more they lean on the assumed tail."
    )
    clocks = (
        "Groups that a shared clock explains (a scheduler's full hour, the polling of one feed, a common break, being "
        "awake at the same hours) are set apart and not called coordinated. Alerts are no clock: unrelated followers "
        "of one source who answer its alerts within the window can still pass as a group. A group that really works "
        "by a clock, on new things of its own, is set apart with the others."
    )
    prose = [tails, clocks]
    if not has_control:
        prose.append(
            "No control dataset was loaded beside the release. Groups that act on things nobody else in the data "
            "touched can then only earn the weaker grade, closed group."
        )
    return prose


def _coarse(frac: float, *, time_window_s: float) -> str:
    return (
        f"{frac:.0%} of the posts are timed to the minute only, yet the window is {say_window(time_window_s)}: for "
        "those posts, a gap of up to a minute cannot be told from none."
    )


def _spread(sensitivity: pl.DataFrame, *, looked_at: float) -> Claim:
    found = sensitivity["n_accounts"].to_list()
    windows = sensitivity["time_window_s"].n_unique()
    limits = sensitivity["max_fdr"].n_unique()
    tried = f"With {say_count(windows, 'window')} and {say_count(limits, 'false discovery limit')} tried, "
    spread = f"the clusters hold between {min(found):,} and {say_count(max(found), 'account')}."
    text = tried + (spread if max(found) else "no setting shows a cluster.")
    shown = (Observation("Accounts in clusters for each setting.", "sensitivity"),)
    whole = f"{sensitivity.height} settings tried"
    basis = "The same steps run again on the same data."
    if looked_at < 1:
        text += " These counts come from a part of what was acted on, so that only their spread says something."
        whole += f", each on {looked_at:.0%} of the actions, on things drawn at random"
        basis = "The same steps run again on things drawn at random."
    return Claim(text, "co-action", Confidence("high", basis), shown, whole)
