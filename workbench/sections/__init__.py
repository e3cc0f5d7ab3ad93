"""One file per section of the report: plain tables in, one `Section` out."""

from workbench.sections.accounts import describe_accounts
from workbench.sections.clusters import describe_clusters
from workbench.sections.coordination import describe_coordination
from workbench.sections.indicators import describe_indicators
from workbench.sections.limits import describe_limits
from workbench.sections.method import describe_method
from workbench.sections.origin import describe_origin
from workbench.sections.presence import describe_presence
from workbench.sections.prevalence import describe_prevalence
from workbench.sections.release import describe_release
from workbench.sections.state_media import describe_state_media

__all__ = [
    "describe_accounts",
    "describe_clusters",
    "describe_coordination",
    "describe_indicators",
    "describe_limits",
    "describe_method",
    "describe_origin",
    "describe_presence",
    "describe_prevalence",
    "describe_release",
    "describe_state_media",
]
