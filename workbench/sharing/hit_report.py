"""What a receiver sends back, and keeps: hits, misses and disputes as files."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from workbench.schema import ParameterError
from workbench.sharing.match import VERDICTS, MatchReport
from workbench.sharing.summary import META_CAUTION
from workbench.sharing.tables import write_table

_MEANING = (
    "Corroborated: at least two independent indicators of at least two kinds, and more than an ordinary account as "
    "active touches by chance. A hit is a reason to look, never a finding about anybody."
)
_FILES = ("hit_report.md", "accounts.csv", "hits.csv", "indicators.csv", "disputes.csv")


def write_hit_report(report: MatchReport, out: str | Path, *, title: str, is_synthetic: bool = False) -> Path:
    """Write a hit report as a folder (a page to read, and the tables) and return it.

    Args:
        report: accounts hidden (`hide_accounts`) unless the folder stays with whoever may see them.
        out: the folder to make; files of an earlier hit report are replaced.
        title: the data the tip was matched against.
        is_synthetic: whether that data is invented.

    Raises:
        ParameterError: the folder holds something else.
    """
    out = Path(out)
    others = [file.name for file in out.iterdir() if file.name not in _FILES] if out.is_dir() else []
    if others:
        raise ParameterError(f"Expected a new folder at {out.name}; it holds {others[0]}. Name another folder.")
    out.mkdir(parents=True, exist_ok=True)
    write_table(report.accounts, out / "accounts.csv")
    write_table(report.hits, out / "hits.csv")
    write_table(report.indicators, out / "indicators.csv")
    write_table(report.disputes, out / "disputes.csv")
    text = "\n".join(_lines(report, title=title, is_synthetic=is_synthetic)) + "\n"
    (out / "hit_report.md").write_text(text, encoding="utf-8")
    return out


def _lines(report: MatchReport, *, title: str, is_synthetic: bool) -> list[str]:
    counts = dict(report.accounts["verdict"].value_counts().iter_rows())
    verdicts = [f"| {verdict} | {counts.get(verdict, 0):,} |" for verdict in VERDICTS]
    common = report.indicators.filter(pl.col("n_accounts") > 0).sort("organic_frac", descending=True).head(5)
    return [
        f"# Hit report: {title}",
        "",
        *(["**Synthetic data: everything here is invented.**", ""] if is_synthetic else []),
        f"Of {report.n_accounts:,} accounts, {report.accounts.height:,} touch something on the list.",
        "",
        "| verdict | accounts |",
        "|---|---|",
        *verdicts,
        "",
        _MEANING,
        "",
        "## Hits and misses",
        "",
        *[f"- {line}" for line in report.decisions],
        f"- {report.disputes.height:,} disputed (disputes.csv says why)",
        "",
        "## Most common among accounts not implicated",
        "",
        *[f"- {row['indicator'][:80]}: {row['organic_frac']:.1%} of them" for row in common.iter_rows(named=True)],
        "",
        f"Of such lists Meta says: {META_CAUTION}.",
    ]
