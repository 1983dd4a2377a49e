"""How many cores there are to work with. Standard library only."""

from __future__ import annotations

import os


def usable_cores() -> int:
    """Return how many cores this process may use, which may be fewer than the machine has (taskset, a container)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def free_share() -> float:
    """Return which share of the cores a job with a thread for each would get beside what ran in the last minute.

    1 where the system does not say how much that is (Windows).
    """
    if not hasattr(os, "getloadavg"):
        return 1.0
    cores = usable_cores()
    return cores / (cores + max(0.0, os.getloadavg()[0]))
