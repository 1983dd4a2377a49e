"""A name for this boot of the machine: what was written and not synced in another one may be gone."""

from __future__ import annotations

import contextlib
import functools
import secrets
from pathlib import Path


@functools.cache
def boot_id() -> str:
    """Return the name; where the system has none, one that is new for every process, so that nothing is trusted."""
    with contextlib.suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    return secrets.token_hex(16)
