"""F1 of every class in compared runs, and by how much it differs from the run they are set against. No I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class ClassScore(NamedTuple):
    """One class in one run."""

    label: str
    run: str              # its id
    f1: float             # 0 to 1
    delta: float | None   # less the F1 of that class in the run they are set against; None for that run itself


def class_deltas(runs: Sequence[str], evaluations: Sequence[Mapping[str, Any]], against: str) -> list[ClassScore]:
    """Return the test rows' F1, class by class, in the order of the run ``against`` and then of ``runs`` (ids).

    ``evaluations`` are the payloads of the runs, {} where there is none. A class that one of the two lacks is left out
    there; empty where fewer than two runs were scored by class, or the one they are set against was not, or
    no class is in it and in another.
    """
    scores = {run: {str(item["class"]): float(item["f1"]) for item in _per_class(facts)}
              for run, facts in zip(runs, evaluations, strict=False)}
    scores = {run: table for run, table in scores.items() if table}
    base = scores.get(against)
    if base is None or len(scores) < 2:
        return []
    found = [ClassScore(label, run, table[label], None if run == against else table[label] - base[label])
             for label in base for run, table in scores.items() if label in table]
    return found if any(item.delta is not None for item in found) else []


def most_moved(found: Sequence[ClassScore], lines: int) -> list[ClassScore]:
    """Return the classes whose F1 differs most, as many as have so many lines; all in their order where these do."""
    if len(found) <= lines:
        return list(found)
    by_class: dict[str, list[ClassScore]] = {}
    for item in found:
        by_class.setdefault(item.label, []).append(item)
    moved = sorted(by_class.values(), key=lambda items: -max(abs(item.delta or 0.0) for item in items))
    kept = list[ClassScore]()
    for items in moved:
        if kept and len(kept) + len(items) > lines:
            break
        kept += items
    return kept


def _per_class(facts: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return ((facts.get("parts") or {}).get("test") or {}).get("per_class") or ()
