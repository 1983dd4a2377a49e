"""Bytes as people read them: decimal, as file managers and the makers of disks and cards write them."""

from __future__ import annotations


def size(amount: float) -> str:
    """Write bytes: ``970 kB``, ``1.9 MB``, ``128 GB``. The one way in which MLDesk writes a size."""
    for unit in ("B", "kB", "MB", "GB"):
        if round(amount, 0 if unit in ("B", "kB") else 1) < 1000:
            return f"{amount:.0f} {unit}" if unit in ("B", "kB") or amount >= 100 else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"
