"""The rows of a search, encoded and dealt: what every trial of it is fitted on and judged by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mldesk.training.blocks import Style
from mldesk.training.estimators.base import Part
from mldesk.training.prepared import OneEncoder
from mldesk.training.search.measures import Aim
from mldesk.training.search.variants import Variants
from mldesk.training.values import Array, ColumnData

FADING = 0.25   # weight of a part that judges beside that of the part after it, where rows are in order of time
Categorical = tuple[tuple[int, int], ...]
NOBODY, LEFT_OUT = 254, 255   # of ``judged_by``: a row that no fold judges by; one that is a test row or nothing


@dataclass(frozen=True, slots=True, eq=False)
class OwnRows:
    """The rows of one fold in one style, prepared by steps of a recipe: learnt from those that are fitted on alone."""

    train: Part                       # some may be left out or repeated, where they were rebalanced
    judged: Part
    categorical: Categorical
    encoder: OneEncoder | None = None   # with the process that made them


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """What trials are fitted on: every row but the test rows, encoded in each style that is needed."""

    parts: Mapping[Style, Part]               # all those rows
    categorical: Mapping[Style, Categorical]
    classes: int
    folds: Sequence[tuple[Array, Array]]      # (rows to fit on, rows to judge by), as indices into ``parts``
    forward: bool = False                     # each fold is later than the one before; the last one's model counts
    variants: Variants | None = None          # the same rows as other pipelines have them; None: there are none
    own: Mapping[Style, Sequence[OwnRows]] = field(default_factory=dict)   # of each fold, where steps prepare columns

    @property
    def models(self) -> int:
        """How many models a trial leaves."""
        return 1 if self.forward else len(self.folds)

    def seed(self, given: int, fold: int) -> int:
        """Return the seed of a fold's fits. The one whose model is a trial's only one has the seed of a training."""
        return given + (len(self.folds) - 1 - fold if self.forward else fold)

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

    @property
    def shares(self) -> Sequence[float]:
        """Return how much each fold counts, together one: by its rows, or in order of time the later the more.

        A model of the earlier rows alone is unlike the one that is kept, and its part unlike the rows to come.
        """
        last = len(self.folds) - 1
        weights = [FADING ** (last - fold) if self.forward else float(len(judge))
                   for fold, (_, judge) in enumerate(self.folds)]
        return [weight / sum(weights) for weight in weights]

    @property
    def weights(self) -> Array:
        """Return how much each judged row counts, (N,) with a mean of one, in the order of ``judged``."""
        sizes = [len(judge) for _, judge in self.folds]
        return np.repeat(np.array(self.shares) * sum(sizes) / sizes, sizes)

    def judging(self, aim: Aim) -> Aim:
        """Return the aim as it judges all of ``judged`` at once: in order of time by the mean over the parts, by their
        shares; one in which it is not defined is left out.
        """
        return aim.by_parts([len(judge) for _, judge in self.folds], self.shares) if self.forward else aim

    def truth(self, fold: int) -> Array:
        """Return the truth of the rows that one fold judges by."""
        truth: Array = next(iter(self.parts.values())).y[self.folds[fold][1]]
        return truth

    def part(self, style: Style, pipeline: Mapping[str, Any]) -> Part:
        """Return all rows as a pipeline has them, but for what each fit learns by itself."""
        if self.own:
            return next(iter(self.parts.values()))
        return self.parts[style] if self.variants is None else self.variants.part(style, pipeline)

    def fold(self, style: Style, fold: int, whole: Part) -> tuple[Part, Part, Categorical]:
        """Return the rows of a fold that are fitted on, those judged by, and where the categories are.

        ``whole``: what ``part`` returned.
        """
        if self.own:
            own = self.own[style][fold]
            # Copies, as below: matrices of files may not be written to, which torch does not like.
            train, judged = (Part(np.array(part.x), part.y) for part in (own.train, own.judged))
            return train, judged, own.categorical
        train, judged = (Part(whole.x[chosen], whole.y[chosen]) for chosen in self.folds[fold])
        return train, judged, self.categorical[style]

    def judged_by(self, membership: Array) -> bytes:
        """Return the fold that judges by each row of the table, a byte each; b"" where they are too many to be told.

        ``membership``: (rows,) uint8 of the table, see ``training.split``.
        """
        if len(self.folds) >= NOBODY:
            return b""
        usable = np.flatnonzero(membership <= 1)   # training and validation rows, in the order of ``parts``
        found, dealt = np.full(len(membership), LEFT_OUT, np.uint8), np.full(len(usable), NOBODY, np.uint8)
        for fold, (_, judge_by) in enumerate(self.folds):
            dealt[judge_by] = fold
        found[usable] = dealt
        return found.tobytes()

    def told_by_means(self, pipeline: Mapping[str, Any]) -> Mapping[str, ColumnData]:
        """Return the columns whose values a pipeline tells by the target's mean in each."""
        if self.variants is None or pipeline.get("categories") != "means":
            return {}
        return {name: self.variants.raw[name] for name in self.variants.offered.meant}
