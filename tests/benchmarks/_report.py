"""What every benchmark prints: a table for people, or with ``--json`` the same as one JSON document."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from mldesk.core.not_here import STEPS, only_elsewhere


def report(name: str, rows: Sequence[tuple[str, float, str]], facts: Mapping[str, Any] | None = None) -> None:
    """Print (what, value, unit) lines. Ratios are among them, with unit "×"."""
    if "--json" in sys.argv:
        print(json.dumps({"benchmark": name, "cores": os.cpu_count(), "python": platform.python_version(),
                          "values": {what: {"value": round(value, 6), "unit": unit} for what, value, unit in rows},
                          **(facts or {})}))
        return
    width = max(len(what) for what, _, _ in rows)
    for what, value, unit in rows:
        print(f"{what:<{width}}  {value:>12,.4g} {unit}")
    for what, value in (facts or {}).items():
        print(f"{what:<{width}}  {value}")


def without_pandas(name: str) -> AbstractContextManager[None]:
    """Let what is MLDesk's run as its command does, which never imports pandas; rivals may import what they like."""
    return only_elsewhere(STEPS) if name.startswith("mldesk") else nullcontext()


def median(values: Sequence[float]) -> float:
    """Return the middle value."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least ``share`` (0 to 1) of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered) + 0.5) - 1))]
