"""Which groups act together beyond chance: found on one half of the objects, confirmed on the other."""

from workbench.coordinated.accounts import weigh_accounts
from workbench.coordinated.describe import SHARED_CLOCK, list_clusters
from workbench.coordinated.find import find_coordinated_clusters, find_groups, find_shared_clocks, judge_groups
from workbench.coordinated.repeat import repeat_clusters

__all__ = [
    "SHARED_CLOCK",
    "find_coordinated_clusters",
    "find_groups",
    "find_shared_clocks",
    "judge_groups",
    "list_clusters",
    "repeat_clusters",
    "weigh_accounts",
]
