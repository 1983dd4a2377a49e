"""One fit of a trial: a configuration and its pipeline on the rows of one fold.

All that a pipeline learns from the target it learns from the rows that are fitted on, here, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mldesk.training.bent import OF_MEDIAN, Bent
from mldesk.training.catalogue import ESTIMATORS
from mldesk.training.estimators.base import FitContext, Part, load_estimator
from mldesk.training.fitting import fit
from mldesk.training.means import Means
from mldesk.training.search.fit_parameters import fit_parameters
from mldesk.training.search.measures import Aim
from mldesk.training.search.piped import Piped, with_means
from mldesk.training.search.portfolio import Configuration
from mldesk.training.search.quiet import NoCheckpoints
from mldesk.training.search.rows import Categorical, Rows
from mldesk.training.values import Array
from mldesk.wire.control import Control
from mldesk.wire.report import Report


class Asking(Control):
    """The control of one fit, which counts how often that asks whether to finish. A fit asks at fixed places, so that
    the count of the first yes says where it was cut, on any machine.
    """

    def __init__(self, control: Control) -> None:
        self._control, self._asked = control, 0
        self.cut = 0     # the question that was answered with yes, from 1; 0: none was

    @property
    def finish(self) -> bool:
        self._asked += 1
        told = self._control.finish
        if told and not self.cut:
            self.cut = self._asked
        return told

    @property
    def terminate(self) -> bool:
        return self._control.terminate

    def check(self) -> None:
        self._control.check()


@dataclass(frozen=True, slots=True)
class OneFold:
    """What every fit of one trial shares. ``part``: all rows as the trial's pipeline has them."""

    configuration: Configuration
    rows: Rows
    aim: Aim
    part: Part
    seed: int
    device: str
    nodes: float    # of trees, that a model may have

    def fit(self, fold: int, report: Report, control: Control, threads: int) -> tuple[Array, Any, Mapping[str, Any]]:
        """Fit; return what is predicted for the judged rows, the model (with its pipeline's own part, if there is
        such), and the fit's facts, "cut" among them as ``Asking`` has it. Raises what the estimator raises,
        ArithmeticError for what is not finite.
        """
        rows, pipeline = self.rows, self.configuration.pipeline
        estimator = load_estimator(ESTIMATORS[self.configuration.estimator])
        train, judged, categorical = rows.fold(estimator.style, fold, self.part)
        means: dict[str, Means] = {}
        bent = None
        if raw := rows.told_by_means(pipeline):
            means, more, of_judged = with_means(raw, *rows.folds[fold], train.y, rows.classes,
                                                 rows.seed(self.seed, fold))
            train, judged = Part(np.hstack([train.x, more]), train.y), Part(np.hstack([judged.x, of_judged]), judged.y)
        if (kind := pipeline.get("target")) is not None and not rows.classes:
            bent = Bent.of(kind, train.y)
        asking = Asking(control)
        made = fit(estimator, self._context(
            train if bent is None else Part(train.x, bent.bend(train.y)),
            judged if bent is None else Part(judged.x, bent.bend(judged.y)), categorical, fold, report,
            asking, threads))
        prediction = np.asarray(made.validation, np.float32 if rows.classes else np.float64)
        if bent is not None:
            bent = bent if self.aim.name in OF_MEDIAN else bent.corrected(prediction, judged.y)
            prediction = bent.back(prediction)
        if not np.isfinite(prediction).all():
            raise ArithmeticError("the model predicts numbers that are not finite")
        piped = Piped(made.native, bent, means)
        return prediction, made.native if piped.plain else piped, {**made.facts, "cut": asking.cut}

    def _context(self, train: Part, judged: Part, categorical: Categorical, fold: int, report: Report,
                 control: Control, threads: int) -> FitContext:
        """Return what the fit of one fold may look at."""
        rows, chosen = self.rows, self.configuration
        parameters = fit_parameters(chosen.estimator, chosen.parameters, chosen.pipeline, models=rows.models,
                                    last=fold == len(rows.folds) - 1, classes=rows.classes)
        return FitContext(
            classes=rows.classes, parameters=parameters, train=train, validation=judged, report=report, control=control,
            checkpoints=NoCheckpoints(), categorical=categorical, seed=rows.seed(self.seed, fold), threads=threads,
            device=self.device, most_nodes=self.nodes)
