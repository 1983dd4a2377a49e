"""The rows of a search, encoded and dealt: what every trial of it is fitted on and judged by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mldesk.training.blocks import Style
from mldesk.training.estimators.base import Part
from mldesk.training.search.variants import Variants
from mldesk.training.values import Array, ColumnData


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """What trials are fitted on: every row but the test rows, encoded in each style that is needed."""

    parts: Mapping[Style, Part]               # all those rows
    categorical: Mapping[Style, tuple[tuple[int, int], ...]]
    classes: int
    folds: Sequence[tuple[Array, Array]]      # (rows to fit on, rows to judge by), as indices into ``parts``
    forward: bool = False                     # each fold is later than the one before; the last one's model counts
    variants: Variants | None = None          # the same rows as other pipelines have them; None: there are none

    @property
    def models(self) -> int:
        """How many models a trial leaves."""
        return 1 if self.forward else len(self.folds)

    @property
    def judged(self) -> Array:
        """Return the rows that some fold judges by, in the order of ``Outcome.prediction``."""
        return np.concatenate([judge for _, judge in self.folds])

    @property
    def y(self) -> Array:
        """Return the truth of those rows."""
        part = next(iter(self.parts.values()))
        truth: Array = part.y[self.judged]
        return truth

    def truth(self, fold: int) -> Array:
        """Return the truth of the rows that one fold judges by."""
        truth: Array = next(iter(self.parts.values())).y[self.folds[fold][1]]
        return truth

    def part(self, style: Style, pipeline: Mapping[str, Any]) -> Part:
        """Return all rows as a pipeline has them, but for what each fit learns by itself."""
        return self.parts[style] if self.variants is None else self.variants.part(style, pipeline)

    def told_by_means(self, pipeline: Mapping[str, Any]) -> Mapping[str, ColumnData]:
        """Return the columns whose values a pipeline tells by the target's mean in each."""
        if self.variants is None or pipeline.get("categories") != "means":
            return {}
        return {name: self.variants.raw[name] for name in self.variants.offered.meant}
