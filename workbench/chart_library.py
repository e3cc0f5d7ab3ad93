"""Altair, which makes every chart, imported without a part that takes longer to start than all the rest of it."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def _left_out(module: str) -> Generator[None]:
    """Let a module's import fail as where it is not installed, unless somebody needed it before."""
    was_there = module in sys.modules
    sys.modules.setdefault(module, None)  # ty: ignore[no-matching-overload]
    try:
        yield
    finally:
        if not was_there:
            del sys.modules[module]


# jsonschema, by which Altair checks a chart, makes it a parser of addresses in all scripts where it is installed, as it
# is beside JupyterLab. No part of a chart is defined as such an address: the same charts pass, a second sooner.
with _left_out("rfc3987_syntax"):
    import altair

__all__ = ["altair"]
