"""What a search may strive for: scikit-learn's metrics by name, each with its direction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from sklearn import metrics

from mldesk.core.errors import BadInput
from mldesk.training.intervals import TOPS
from mldesk.training.losses import pinball
from mldesk.training.metric_words import of_class
from mldesk.training.metrics import areas, brier, calibration_error, quadratic_kappa, rank_error
from mldesk.training.one_class import class_score, code_of
from mldesk.training.probabilities import predicted_codes, sum_to_one
from mldesk.training.values import Array

Measure = Callable[[Array, Array], float]   # of (N,) numbers or (N, C) probabilities, and (N,) truths


@dataclass(frozen=True, slots=True)
class Aim:
    """A metric and which way is better."""

    name: str
    larger: bool
    measure: Measure
    quantile: float | None = None   # that models are to predict, where it is not the mean
    labels: tuple[str, ...] = ()    # the classes by their codes, where it is of one of them

    def loss(self, prediction: Array, y: Array) -> float:
        """Return the metric so that smaller is better; infinity where it is not defined."""
        value = self.measure(prediction, y)
        return float("inf") if not np.isfinite(value) else -value if self.larger else value

    def by_parts(self, sizes: Sequence[int], shares: Sequence[float]) -> Aim:
        """Return the same aim as a mean over parts, one after another with so many rows and such a share each."""
        ends = np.cumsum(sizes)[:-1]

        def measure(prediction: Array, y: Array) -> float:
            values = np.array([self.measure(*part) for part in zip(
                np.split(prediction, ends), np.split(y, ends), strict=True)])
            weights = np.where(np.isfinite(values), shares, 0.0)
            return float(np.nan_to_num(values) @ weights / weights.sum()) if weights.any() else float("nan")

        return replace(self, measure=measure)

    def score(self, loss: float) -> float:
        """Return the metric itself from its loss."""
        return -loss if self.larger else loss


def _log_loss(prediction: Array, y: Array) -> float:
    chosen = sum_to_one(prediction)[np.arange(len(y)), y]
    return float(-np.log(np.clip(chosen, np.finfo(np.float64).eps, 1)).mean())


def _roc_auc(prediction: Array, y: Array) -> float:
    classes = prediction.shape[1]
    told_apart = [code for code in ([1] if classes == 2 else range(classes)) if 0 < (y == code).sum() < len(y)]
    if not told_apart:
        return float("nan")
    return float(np.mean([areas(y == code, prediction[:, code])[0] for code in told_apart]))


def _average_precision(prediction: Array, y: Array) -> float:
    classes = prediction.shape[1]
    told_apart = [code for code in ([1] if classes == 2 else range(classes)) if 0 < (y == code).sum() < len(y)]
    return float(np.mean([areas(y == code, prediction[:, code])[1] for code in told_apart])) if told_apart else np.nan


def _averaged(name: str, measure: Callable[..., float], average: str) -> Aim:
    return Aim(f"{name}_{average}", True, lambda p, y: float(measure(y, predicted_codes(p), average=average,
                                                                    zero_division=0)))


def _kappa(prediction: Array, y: Array) -> float:
    codes = predicted_codes(prediction)
    return float(metrics.cohen_kappa_score(y, codes)) if len(np.union1d(y, codes)) > 1 else np.nan


def _among_first(top: int, prediction: Array, y: Array) -> float:
    """Return the share of rows whose class is among the ``top`` most probable, ties as scikit-learn breaks them."""
    first = np.argsort(prediction, axis=1, kind="stable")[:, ::-1][:, :top]
    return float((first == y[:, None]).any(1).mean())


def _miscalibrated(prediction: Array, y: Array) -> float:
    codes = predicted_codes(prediction)
    return calibration_error(prediction[np.arange(len(y)), codes], codes == y)


def _percentage(prediction: Array, y: Array) -> float:
    return float(np.mean(np.abs((prediction - y) / y))) if (y != 0).all() else np.nan


_CLASSES: Mapping[str, Aim] = {aim.name: aim for aim in (
    Aim("log_loss", False, _log_loss), Aim("roc_auc", True, _roc_auc), Aim("brier_score", False, brier),
    Aim("accuracy", True, lambda p, y: float((predicted_codes(p) == y).mean())),
    Aim("balanced_accuracy", True, lambda p, y: float(metrics.recall_score(
        y, predicted_codes(p), labels=np.unique(y), average="macro", zero_division=0))),
    Aim("f1_macro", True, lambda p, y: float(metrics.f1_score(
        y, predicted_codes(p), average="macro", zero_division=0))),
    Aim("average_precision", True, _average_precision), _averaged("f1", metrics.f1_score, "weighted"),
    *(_averaged(name, measure, average) for name, measure in (("precision", metrics.precision_score),
                                                              ("recall", metrics.recall_score))
      for average in ("macro", "weighted")),
    Aim("cohen_kappa", True, _kappa), Aim("quadratic_kappa", True, quadratic_kappa),
    Aim("rank_error", False, rank_error), Aim("calibration_error", False, _miscalibrated),
    *(Aim(f"top_{top}_accuracy", True, partial(_among_first, top)) for top in TOPS),
    Aim("mcc", True, lambda p, y: float(metrics.matthews_corrcoef(y, predicted_codes(p)))),
)}
_NUMBERS: Mapping[str, Aim] = {aim.name: aim for aim in (
    Aim("root_mean_squared_error", False, lambda p, y: float(np.sqrt(np.mean((p - y) ** 2)))),
    Aim("mean_absolute_error", False, lambda p, y: float(np.abs(p - y).mean())),
    Aim("r2", True, lambda p, y: 1 - float(np.mean((p - y) ** 2)) / (float(np.var(y)) or 1.0)),
    Aim("mean_absolute_percentage_error", False, _percentage),
    Aim("median_absolute_error", False, lambda p, y: float(np.median(np.abs(p - y)))),
)}
PINBALL = "mean_pinball_loss"


def find_aim(name: str | None, classes: int, quantile: float | None = None, labels: Sequence[object] = ()) -> Aim:
    """Return the metric to strive for; None takes ROC AUC for two classes, log loss for more, RMSE for numbers, and
    the pinball loss for a ``quantile`` of numbers. ``labels``: the classes by their codes, one of which the metric may
    be of ("f1:yes").

    Raises BadInput for one that is not known for the task.
    """
    if quantile is not None and not classes and name in (None, PINBALL):
        return Aim(PINBALL, False, lambda p, y: float(pinball(p, y, quantile).mean()), quantile)
    if classes and name is not None and (one := of_class(name)) is not None:
        return Aim(name, True, partial(class_score, one[0], code_of(name, labels)), labels=tuple(map(str, labels)))
    known = _CLASSES if classes else _NUMBERS
    name = name or ("roc_auc" if classes == 2 else "log_loss" if classes else "root_mean_squared_error")
    if name not in known:
        raise BadInput(f"A search cannot strive for {name[:60]!r} here" + (" without a quantile." if name == PINBALL
                                                                          else "."),
                       hint="Choose one of: " + ", ".join(known) + ".")
    if classes and (top := next((top for top in TOPS if name == f"top_{top}_accuracy"), 0)) >= classes:
        raise BadInput(f"There are {classes} classes, so that every row's is among the {top} most probable.",
                       hint="Strive for accuracy.")
    return known[name]


def check_aim(aim: Aim, y: Array) -> None:
    """Raise BadInput for a metric that these truths leave undefined."""
    if aim.name == "mean_absolute_percentage_error" and (y == 0).any():
        raise BadInput("The target is zero in some rows, of which no error is a share.",
                       hint="Strive for mean_absolute_error.")
