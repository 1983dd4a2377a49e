"""A skewed target of numbers, bent straight before a fit and back after it.

"log" is the logarithm beside the target's own unit, "root" the square root. What comes back is the mean rather than
the median of what lies behind it, by a correction that the validation rows give, as Duan's smearing (Duan: Smearing
estimate, JASA 78, 1983) does; losses of absolute errors want the median and have none. numpy only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from mldesk.training.values import Array

KINDS = ("log", "root")
# Losses that the median is the best answer to.
OF_MEDIAN = ("mean_absolute_error", "mean_absolute_percentage_error", "median_absolute_error")
_BEYOND = 0.5          # of the bent target's deviation that a prediction may lie outside what was seen
_MOST_FACTOR = 2.0     # that the correction may be, either way


@dataclass(frozen=True, slots=True)
class Bent:
    """How one fit's target was bent, and how its predictions come back."""

    kind: str            # one of KINDS
    unit: float          # of the target; never zero
    low: float           # of the bent target: predictions are held between
    high: float
    factor: float = 1.0  # ... of the mean, for "log"
    added: float = 0.0   # ... for "root", in the target's unit

    @classmethod
    def of(cls, kind: str, y: Array) -> Bent:
        """Learn from the rows that are fitted on. ``y``: (N,) none negative."""
        known = y[y > 0]
        unit = float(np.median(known)) if len(known) else 1.0
        bent = cls(kind, unit, 0.0, 0.0).bend(y)
        beyond = _BEYOND * float(bent.std())
        return cls(kind, unit, max(0.0, float(bent.min()) - beyond), float(bent.max()) + beyond)

    def bend(self, y: Array) -> Array:
        """Return (N,) of the target as it is fitted to."""
        share = np.maximum(y, 0.0) / self.unit
        bent: Array = np.log1p(share) if self.kind == "log" else np.sqrt(share)
        return bent

    def back(self, prediction: Array) -> Array:
        """Return (N,) in the target's unit."""
        held = np.clip(prediction.astype(np.float64), self.low, self.high)
        if self.kind == "log":
            found: Array = self.factor * self.unit * np.exp(held) - self.unit
            return found
        return self.unit * held * held + self.added

    def corrected(self, prediction: Array, y: Array) -> Bent:
        """Return it so that ``back`` has the mean of these rows' target. ``prediction``: bent, for rows not fitted."""
        found = self.back(prediction)
        if self.kind == "root":
            return replace(self, added=float(np.mean(y - found)))
        ratio = float(np.mean(y + self.unit) / np.mean(found + self.unit))
        return replace(self, factor=float(np.clip(ratio, 1 / _MOST_FACTOR, _MOST_FACTOR)))

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "unit": self.unit, "low": self.low, "high": self.high, "factor": self.factor,
                "added": self.added}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Raises KeyError, TypeError or ValueError for what ``to_json`` did not write."""
        numbers = {key: float(value[key]) for key in ("unit", "low", "high", "factor", "added")}
        if value["kind"] not in KINDS or not np.isfinite(list(numbers.values())).all() or not numbers["unit"]:
            raise ValueError("not a bent target")
        return cls(str(value["kind"]), **numbers)
