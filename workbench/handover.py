"""A case's findings handed on, a tip matched, an account explained: what the commands share, match and why do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from workbench.actions import extract_actions
from workbench.case import Case
from workbench.chance import judge_edges
from workbench.coaction import count_co_actions
from workbench.coordinated import judge_groups
from workbench.explain import Explanation, explain_account
from workbench.explain_words import say_why
from workbench.findings import Findings
from workbench.platforms import load_protected
from workbench.schema import ParameterError, Release, SourceError
from workbench.sharing.cover import LEVELS
from workbench.sharing.evidence import collect_evidence
from workbench.sharing.hit_report import write_hit_report
from workbench.sharing.indicators import read_indicators
from workbench.sharing.match import MatchReport, hide_accounts, match_indicators, pair_names
from workbench.sharing.package import WrittenPackage, write_package
from workbench.sources import load_release

GRADES = ("beyond shared interest",)
"""Grades that are handed on: of a closed group nothing tells its links from anybody's."""
_NEEDED = ("traces", "time_window_s", "n_shuffles", "max_fdr", "seed")


def share_case(
    case: Case,
    findings: Findings,
    out: str | Path,
    *,
    key: bytes,
    level: str = "public",
    grades: tuple[str, ...] = GRADES,
    contact: str = "not stated",
    producer: str = "not stated",
    retention_days: int = 365,
    salt: str | None = None,
    second: str = "",
) -> WrittenPackage:
    """Write a case's package at a sharing level, from the settings its report was made with.

    Args:
        case: from `open_case`.
        findings: of the case's report; its parameters say with which settings clusters were found.
        out: the package's folder; the .zip is written beside it.
        key: from `read_key`.
        level: public, trusted or hashed.
        grades: clusters of these grades are handed on.
        contact: where the receiver answers.
        producer: who hands it on.
        retention_days: after how many days the receiver deletes it.
        salt: the agreed one, for "hashed".
        second: where the report's second platform lies now; blank = as its report names it.

    Raises:
        ParameterError: an unknown level, or the findings do not say how clusters were found.
        SourceError: the second platform's dataset is not where the report's name for it leads.
    """
    if level not in LEVELS:
        raise ParameterError(f"A sharing level is one of {', '.join(LEVELS)}; found '{level}'. Choose one.")
    settings = _settings(findings)
    original = case.keep(load_release, case.dataset)
    protected = _load_as_shown(case, findings, key=key, second=second)
    clusters, _, scored = _found(case, protected, settings)
    clusters = clusters.filter(pl.col("grade").is_in(grades))
    release = protected
    if level != "public":
        # Clusters were found among pseudonyms; a partner gets the ids they stand for.
        release, names = original, pair_names(original, protected)
        clusters = _reveal(clusters, names, "account_id")
        scored = _reveal(_reveal(scored, names, "account_a"), names, "account_b")
    evidence = collect_evidence(release, clusters=clusters, scored=scored, time_window_s=settings["time_window_s"])
    return write_package(
        findings,
        out,
        level=level,
        evidence=evidence,
        contact=contact,
        producer=producer,
        retention_days=retention_days,
        salt=salt,
    )


def match_case(
    tip: str | Path, case: Case, *, key: bytes, out: str | Path | None = None, salt: str | None = None
) -> MatchReport:
    """Match a tip against a case's data and return the report with accounts as they may be shown.

    Args:
        tip: a findings package, Meta's sheet, a STIX 2.1 bundle or a MISP event.
        case: from `open_case`.
        key: from `read_key`.
        out: folder for the hit report; None writes nothing.
        salt: the agreed one, where the tip holds keyed hashes.
    """
    original = case.keep(load_release, case.dataset)
    found = match_indicators(read_indicators(tip), original, salt=salt)
    report = hide_accounts(found, original, load_protected(case, key=key))
    if out is not None:
        write_hit_report(report, out, title=original.about.title, is_synthetic=original.about.is_synthetic)
    return report


def explain_case(
    case: Case, findings: Findings, *, account: str, key: bytes, second: str = ""
) -> tuple[list[str], Explanation]:
    """Return why an account of a case is or is not in a cluster: in sentences, and with the tables behind them.

    Args:
        case: from `open_case`.
        findings: of the case's report; its parameters say with which settings clusters were found.
        account: as the report shows it, or its own account_id or handle, which only whoever holds the data knows. The
            answer shows it as the report does.
        key: from `read_key`.
        second: where the report's second platform lies now; blank = as its report names it.

    Raises:
        ParameterError: the release has no such account, or the findings do not say how clusters were found.
        SourceError: the second platform's dataset is not where the report's name for it leads.
    """
    settings = _settings(findings)
    original = case.keep(load_release, case.dataset)
    protected = _load_as_shown(case, findings, key=key, second=second)
    clusters, clocks, scored = _found(case, protected, settings)
    actions = case.keep(extract_actions, protected.posts, traces=settings["traces"])
    explanation = explain_account(
        protected.posts,
        actions,
        scored,
        clusters,
        account_id=_find_account(account, original, protected),
        time_window_s=settings["time_window_s"],
        max_fdr=settings["max_fdr"],
        seed=settings["seed"],
        clocks=clocks,
    )
    return say_why(explanation, time_window_s=settings["time_window_s"]), explanation


def _load_as_shown(case: Case, findings: Findings, *, key: bytes, second: str) -> Release:
    """The case's release as its report shows it; a record says of a second platform's folder only its name."""
    named = second or str(findings.parameters.get("second_dataset", ""))
    beside = case.dataset.parent / named
    try:
        return load_protected(case, key=key, second=str(beside) if named and beside.exists() else named)
    except SourceError as error:
        if second or not named:
            raise
        raise SourceError(
            f"The report was made with a second platform's dataset called '{named}', which is neither in datasets/ nor "
            "beside the case's own. Give its path with --second."
        ) from error


def _find_account(account: str, original: Release, protected: Release) -> str:
    """The account as it is shown, from its shown name, its own id or its handle."""
    names = pair_names(original, protected)
    handles = original.accounts.select("account_id", handle=pl.col("handle").str.to_lowercase())
    known = names.join(handles, on="account_id", how="left")
    bare = account.strip().lstrip("@＠")
    for column, wanted in (("shown", bare), ("account_id", bare), ("handle", bare.lower())):
        shown = known.filter(pl.col(column) == wanted)["shown"].unique()
        if len(shown) == 1:
            return shown[0]
    raise ParameterError(
        f"The release has no account '{account[:80]}'. Pass the name its report shows, or the account_id or handle "
        "that stands in the files."
    )


def _settings(findings: Findings) -> dict[str, Any]:
    lacking = [name for name in _NEEDED if name not in findings.parameters]
    if lacking:
        raise ParameterError(
            f"The findings do not say with which {lacking[0]} they were made. Run the case's report again."
        )
    return findings.parameters


def _found(case: Case, protected: Release, settings: dict[str, Any]) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Clusters, groups of a shared clock and scored edges as the notebooks made them: from the cache where they ran."""
    window_s, n_shuffles, seed = (settings[name] for name in ("time_window_s", "n_shuffles", "seed"))
    actions = case.keep(extract_actions, protected.posts, traces=settings["traces"])
    edges = case.keep(count_co_actions, actions, time_window_s=window_s)
    chance = {"time_window_s": window_s, "n_shuffles": n_shuffles, "seed": seed}
    scored, _ = case.keep(judge_edges, edges, actions, **chance)
    clusters, clocks = case.keep(judge_groups, actions, max_fdr=settings["max_fdr"], **chance)
    return clusters, clocks, scored


def _reveal(table: pl.DataFrame, names: pl.DataFrame, column: str) -> pl.DataFrame:
    own = names.select(pl.col("shown").alias(column), own="account_id")
    table = table.with_columns(pl.col(column).cast(pl.String)).join(own, on=column, how="left", maintain_order="left")
    # An account that was only mentioned is in no list: it stays a pseudonym.
    return table.with_columns(pl.coalesce("own", column).alias(column)).drop("own")
