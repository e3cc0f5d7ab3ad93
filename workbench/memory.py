"""Memory that a stage has freed, handed back to the system."""

from __future__ import annotations

import ctypes
import sys


def give_memory_back() -> None:
    """Hand freed memory back where the C library would keep it for later: glibc does, once for each thread there was.

    Call it after a heavy step, not in a loop over rows: it takes some milliseconds.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)
