"""Findings out, tips in: packages, indicators in every published format, and matching a tip against one's own data."""

from workbench.sharing.evidence import Evidence, collect_evidence
from workbench.sharing.hit_report import write_hit_report
from workbench.sharing.indicators import read_indicators, summarise_indicators
from workbench.sharing.match import MatchReport, hide_accounts, match_indicators
from workbench.sharing.meta import write_meta_sheet
from workbench.sharing.package import Package, PackageError, WrittenPackage, read_package, write_package

__all__ = [
    "Evidence",
    "MatchReport",
    "Package",
    "PackageError",
    "WrittenPackage",
    "collect_evidence",
    "hide_accounts",
    "match_indicators",
    "read_indicators",
    "read_package",
    "summarise_indicators",
    "write_hit_report",
    "write_meta_sheet",
    "write_package",
]
