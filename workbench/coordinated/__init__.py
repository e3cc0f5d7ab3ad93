"""Which groups act together beyond chance: found on one half of the objects, confirmed on the other."""

from workbench.coordinated.accounts import weigh_accounts
from workbench.coordinated.find import find_coordinated_clusters, list_clusters

__all__ = ["find_coordinated_clusters", "list_clusters", "weigh_accounts"]
