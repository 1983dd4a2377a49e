"""How pages write and draw what matters to a model: by name, with its unit, the largest first."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from mldesk.desktop import words
from mldesk.desktop.widgets import Bar, BarChart
from mldesk.training import metric_words

MOST = 15   # columns of a chart


def explained(found: Mapping[str, Any], output: int) -> str:
    """Write what an explanation is about: the chance of a class, or the number that is predicted."""
    if not found["outputs"]:
        return words.tr("the predicted {target}").format(target=found["target"])
    return words.tr("the chance that {target} is {name}").format(
        target=found["target"], name=words.cell(found["outputs"][output]))


def worsening(metric: str) -> str:
    """Write what importance measures, with its unit: the beginning of a sentence."""
    return words.tr("By how much {how}").format(how=metric_words.worsening(metric, words.tr))


def weighed(entries: Sequence[Mapping[str, Any]]) -> BarChart:
    """Return the bars of importance, the largest first, with their intervals (older ones: their spread)."""
    best = sorted(entries, key=lambda entry: -float(entry["value"]))
    most = abs(float(best[0]["value"])) if best else 0.0
    digits = max(0, min(6, 3 - math.floor(math.log10(most)))) if most > 0 and math.isfinite(most) else 4
    return BarChart([Bar(str(entry["feature"]), float(entry["value"]),
                         (entry["high"] - entry["low"]) / 2 if "high" in entry else float(entry.get("std") or 0.0),
                         words=words.locale().toString(round(float(entry["value"]), digits) + 0.0, "f", digits))
                     for entry in best], name=words.tr("Importance of columns"), most=MOST)


def points(value: float, shares: bool, *, signed: bool = False) -> str:
    """Write a part of a prediction: in percentage points of a chance, else in the target's unit."""
    if not shares:
        return words.figure(value, 4, signed=signed)
    rounded = round(100 * value, 1) + 0.0   # never "-0.0 %"
    return f"{rounded:{'+' if signed and rounded else ''}.1f} %"
