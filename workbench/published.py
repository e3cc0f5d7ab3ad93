"""A release against what was published about it: announced, listed and active, and figure by figure.

A figure is named in `dataset.toml` and computed here from the release alone. Where rows it needs are not here, it is
not computed: half of the files would give a number that looks like a contradiction and is none.
"""

from __future__ import annotations

import polars as pl

from workbench.published_figures import Rows, find_figure
from workbench.schema import PublishedFigure, Release

MATCHES, DIFFERS, NOT_COMPUTED = "matches", "differs", "cannot be computed"
ABSENT = "absent"
CHECK_SCHEMA = {
    "figure": pl.String,
    "published": pl.String,
    "computed": pl.String,
    "tolerance": pl.Float64,
    "verdict": pl.String,
    "why": pl.String,
    "source": pl.String,
}


def check_published(release: Release) -> pl.DataFrame:
    """Return one row per published figure: what was published, what we compute, and whether they agree.

    A figure of one file of the release is named `<figure> in <file>`, the file without its ending.

    Returns:
        figure, published, computed (as text; null where not computed), tolerance, verdict (matches, differs, cannot be
        computed), why, source.
    """
    return pl.DataFrame([_check(release, figure) for figure in release.about.published], schema=CHECK_SCHEMA)


def reconcile(release: Release) -> pl.DataFrame:
    """Return the accounts and posts announced, listed, active, loaded and set aside, side by side.

    Returns:
        quantity, n (null where not known), remark.
    """
    about, posts = release.about, release.posts
    listed = Rows.of(release).listed
    n_only_posts = release.accounts.height - listed.height
    n_active = posts["account_id"].n_unique() if posts.height else None
    no_accounts, no_posts = _say_absent(release, "accounts"), _say_absent(release, "posts")
    rows = [
        ("accounts announced", about.announced_accounts, _say_announced(about.announced_accounts)),
        ("accounts listed", listed.height, no_accounts or _compare(listed.height, about.announced_accounts)),
        ("accounts known only from their posts", n_only_posts, "no accounts file here lists them"),
        ("accounts active", n_active, no_posts or "with at least one post"),
        ("posts announced", about.announced_posts, _say_announced(about.announced_posts)),
        ("posts loaded", posts.height, no_posts or _compare(posts.height, about.announced_posts)),
        ("records set aside", release.quarantine.height, "each with its reason in the quarantine table"),
    ]
    return pl.DataFrame(rows, schema={"quantity": pl.String, "n": pl.Int64, "remark": pl.String}, orient="row")


def _check(release: Release, published: PublishedFigure) -> dict[str, object]:
    computed, why = _compute(release, published)
    if computed is None:
        verdict = NOT_COMPUTED
    elif _agrees(computed, published):
        verdict = MATCHES
    else:
        verdict = DIFFERS
        why = _say_difference(computed, published)
    return {
        "figure": published.name,
        "published": _shown(published.value),
        "computed": None if computed is None else _shown(computed),
        "tolerance": float(published.tolerance),
        "verdict": verdict,
        "why": why,
        "source": published.source,
    }


def _compute(release: Release, published: PublishedFigure) -> tuple[float | str | None, str]:
    """Return the figure and no reason, or None and why it cannot be computed."""
    name, _, file = published.name.partition(" in ")
    figure, arguments, nearest = find_figure(name)
    if figure is None:
        return None, f"no figure is called {name}; the nearest is {nearest}"
    rows = Rows.of(release)
    if file:
        if not any(one.startswith(file) and state != ABSENT for one, state in release.about.files.items()):
            return None, f"{file} is not here"
        rows = rows.of_file(file)
    whole = [need for need in figure.needs if not file and _say_absent(release, need)]
    if whole:
        partial = figure.compute(rows, *arguments) if all(rows.has(need) for need in figure.needs) else None
        alone = "" if partial is None else f"; the files here alone give {_shown(partial)}"
        return None, " and ".join(_say_absent(release, need) for need in whole) + alone
    for need in figure.needs:
        if not rows.has(need):
            return None, f"there are no {need}" + (f" in {file}" if file else "")
    computed = figure.compute(rows, *arguments)
    return (None, "there is nothing to count") if computed is None else (computed, "")


def _say_absent(release: Release, need: str) -> str:
    """Which files of accounts or of posts are listed but not here; empty where all are."""
    holds = release.about.options.get("holds", {})
    files = {name: state for name, state in release.about.files.items() if holds.get(name, need) == need}
    absent = [name for name, state in files.items() if state == ABSENT]
    if not absent:
        return ""
    verb = "is" if len(absent) == 1 else "are"
    return f"{len(absent)} of {len(files)} {need} files {verb} absent ({', '.join(absent)})"


def _agrees(computed: float | str, published: PublishedFigure) -> bool:
    if isinstance(computed, str) or isinstance(published.value, str):
        return str(computed) == str(published.value)
    # the last digit of a published decimal must not decide by how a float is stored
    return abs(computed - published.value) <= published.tolerance + 1e-9


def _say_difference(computed: float | str, published: PublishedFigure) -> str:
    if isinstance(computed, str) or isinstance(published.value, str):
        return "another value"
    gap = computed - published.value
    return f"{_shown(abs(gap))} {'more' if gap > 0 else 'less'} than published, tolerance {_shown(published.tolerance)}"


def _compare(found: int, announced: int | None) -> str:
    if announced is None:
        return "nothing announced to compare with"
    gap = found - announced
    return "as announced" if gap == 0 else f"{abs(gap):,} {'more' if gap > 0 else 'fewer'} than announced"


def _say_announced(announced: int | None) -> str:
    return "nothing announced" if announced is None else "by the platform"


def _shown(value: float | str) -> str:
    if isinstance(value, float) and not value.is_integer():
        return f"{value:,.4f}".rstrip("0")
    return value if isinstance(value, str) else f"{value:,.0f}"
