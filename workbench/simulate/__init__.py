"""A synthetic release with planted campaigns and the truth it must yield, in Twitter's own file layout."""

from workbench.simulate.release import simulate_release

__all__ = ["simulate_release"]
