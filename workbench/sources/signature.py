"""A format known by a few columns or keys that no other has together; whatever else it carries may be there or not.

Twitter's archive is known by all its columns. The formats of capture tools grow a column with every version, so they
are known by the few that made them what they are.
"""

from __future__ import annotations

from dataclasses import dataclass

from workbench.sources.tables import Layout


@dataclass(frozen=True)
class Signature(Layout):
    """The columns of a table (or, with `is_json`, the keys of a record) by which a format is known."""

    is_json: bool = False

    def nearness(self, columns: list[str]) -> float:
        """0.5 and more where the whole signature is there, the more the longer it is; under 0.3 otherwise."""
        there = len(set(self.read).intersection(columns)) / len(self.read)
        return min(0.5 + 0.02 * len(self.read), 0.95) if there == 1 else 0.29 * there
