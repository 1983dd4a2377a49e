"""What every estimator is given, and what it gives back."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, cast

import numpy as np

from mldesk.core.errors import BadInput
from mldesk.training.blocks import Style
from mldesk.training.catalogue import EstimatorEntry
from mldesk.training.checkpoints import Checkpoints
from mldesk.training.losses import pinball
from mldesk.training.steering import Steering
from mldesk.training.values import Array
from mldesk.wire.control import Control
from mldesk.wire.report import Report


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Some rows, encoded."""

    x: Array     # (N, F) float32
    y: Array     # (N,) int64 class codes, or float64

    def __len__(self) -> int:
        return len(self.y)

    def and_also(self, other: Part) -> Part:
        """Return both parts' rows, these first."""
        return Part(np.concatenate([self.x, other.x]), np.concatenate([self.y, other.y]))


@dataclass(frozen=True, slots=True)
class FitContext:
    """Everything a fit may look at. There is no test row in it."""

    classes: int                              # 0 for regression
    parameters: Mapping[str, Any]             # resolved: every parameter of the catalogue's entry
    train: Part
    validation: Part
    report: Report
    control: Control
    checkpoints: Checkpoints
    categorical: tuple[tuple[int, int], ...] = ()   # "embed" style: (column of x, how many codes)
    seed: int = 0
    threads: int = 1
    device: str = "cpu"
    most_nodes: float = math.inf              # that a forest may have: it has fewer trees then, not smaller ones
    start: Any = None                         # the native model that an iterative fit goes on from; None: from nothing
    original: Part | None = None                     # the training rows before they were resampled
    resample: Callable[[Part], Part] | None = None   # ... and how that is done
    by_hand: tuple[float, ...] | None = None         # what a row of each class weighs, where a person said so
    steering: Steering = field(default_factory=Steering)   # what it is told while it goes on

    def patience_over(self, step: int, best: int) -> bool:
        """Say whether the validation loss has not fallen for long enough; steps from 1, ``best`` that of the lowest."""
        patience = self.parameters["patience"]
        return patience is not None and step - best >= patience

    def everything(self) -> Part:
        """Return training and validation rows together, for the fit once all is tuned."""
        if self.resample is None:
            return self.train.and_also(self.validation)
        return self.resample(self.given.and_also(self.validation))

    @property
    def given(self) -> Part:
        """The training rows as they are, before any resampling."""
        return self.train if self.original is None else self.original

    @property
    def quantile(self) -> float | None:
        """Which quantile of a number is predicted; None: its mean."""
        value: float | None = None if self.classes else self.parameters.get("quantile")
        return value

    def class_weights(self, y: Array) -> Array | None:
        """Return what a row of each class weighs, (C,), where the rows have the codes ``y``; None: all the same."""
        if not self.classes:
            return None
        if self.by_hand is not None:
            return np.array(self.by_hand)
        if self.parameters.get("class_weight") != "balanced":
            return None
        weights: Array = len(y) / (self.classes * np.maximum(np.bincount(y, minlength=self.classes), 1))
        return weights

    def row_weights(self, y: Array) -> Array | None:
        """Return what each row weighs, (N,), as its class does; None: all the same."""
        weights = self.class_weights(y)
        return None if weights is None else weights[y]

    @property
    def named_weights(self) -> str | dict[int, float] | None:
        """The weights of classes as scikit-learn's ``class_weight``."""
        if self.by_hand is not None:
            return dict(enumerate(self.by_hand))
        return "balanced" if self.classes and self.parameters.get("class_weight") == "balanced" else None

    def scores(self, prediction: Array) -> dict[str, float]:
        """Return the loss that is tuned for, and accuracy or R², of a prediction for the validation rows."""
        return quick_scores(prediction, self.validation.y, self.classes, self.quantile)

    @property
    def baseline_loss(self) -> float:
        """Mean squared deviation of the validation target from its own mean: what R² is measured against."""
        return float(np.var(self.validation.y)) or 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A model, and what it said about the validation rows before it was ever shown them."""

    native: Any                               # as training.export takes it
    validation: Array                         # predictions for the validation rows, (N,) or (N, C)
    finished_early: bool = False              # because the user asked
    facts: Mapping[str, Any] = field(default_factory=dict)  # for the model card: rounds, chosen penalty, ...


class Estimator(Protocol):
    """One kind of model. Stateless: the model is what ``fit`` returns as native."""

    style: ClassVar[Style]

    def fit(self, context: FitContext) -> Fitted:
        """Fit, reporting; stop early when asked to finish, and leave a checkpoint when asked to terminate."""
        ...

    def predict(self, native: Any, x: Array, classes: int) -> Array:
        """Return (N,) float64 numbers, or (N, C) float64 probabilities when ``classes`` is not 0."""
        ...


def load_estimator(entry: EstimatorEntry) -> Estimator:
    """Import the estimator's code, which imports its library. Raises BadInput if that is not installed."""
    if not entry.installed:
        raise BadInput(f"{entry.title} is an optional pack that is not installed where this was to be trained.",
                       hint=f'Install it there (pip install "mldesk[{entry.pack}]"), or choose another model.')
    module, name = entry.implementation.split(":")
    return cast(Estimator, getattr(importlib.import_module(module), name)())


def most_leaves(given: int | None, classes: int) -> int:
    """Return how many leaves a boosted tree may have. The defaults scored best over many splits of the shared sets."""
    return given or (20 if classes else 31)


def quick_scores(prediction: Array, y: Array, classes: int, quantile: float | None = None) -> dict[str, float]:
    """Return the loss and accuracy or R² of a prediction, in numpy alone.

    The loss is the log loss in nats, the mean squared error, or for a quantile the pinball loss in the target's unit.
    """
    if classes:
        chosen = prediction[np.arange(len(y)), y]
        loss = float(-np.log(np.clip(chosen, 1e-15, None)).mean())
        return {"loss": loss, "accuracy": float((prediction.argmax(1) == y).mean())}
    squares = float(np.mean((y - prediction) ** 2))
    loss = squares if quantile is None else float(pinball(prediction, y, quantile).mean())
    return {"loss": loss, "r2": 1 - squares / (float(np.var(y)) or 1.0)}


def prefixed(scores: Mapping[str, float], part: str) -> dict[str, float]:
    """Name scores after the part they are of: ``validation_loss``."""
    return {f"{part}_{name}": value for name, value in scores.items()}
