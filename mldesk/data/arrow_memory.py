"""Where Arrow takes its memory from while tables are made."""

from __future__ import annotations

import os

import pyarrow as pa

_KEPT = 10_000   # milliseconds that free pages are kept for what comes next


def choose_memory() -> None:
    """Let Arrow use jemalloc, where there is one and the user says nothing else. To be called again does no harm.

    Its first choice, mimalloc, gives pages back to the system as soon as they are free, which then clears them anew for
    the next batch: an import of a million rows spent a third of its processor time so, and took more memory.
    """
    if "ARROW_DEFAULT_MEMORY_POOL" not in os.environ and "jemalloc" in pa.supported_memory_backends() \
            and pa.default_memory_pool().backend_name != "jemalloc":
        pa.set_memory_pool(pa.jemalloc_memory_pool())
        pa.jemalloc_set_decay_ms(_KEPT)
