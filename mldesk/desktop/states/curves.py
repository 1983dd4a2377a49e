"""The points of a run's curves, in the order of their steps, ready to be drawn."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from operator import itemgetter, lt
from typing import TYPE_CHECKING, Any

from mldesk.core import canonical
from mldesk.training.metric_words import part_of
from mldesk.wire.elapsed import Elapsed

if TYPE_CHECKING:
    from mldesk.library.points import Readings
    from mldesk.library.records import MetricPoint




class Curve:
    """One metric over the steps of one run."""

    def __init__(self) -> None:
        self.steps = array("d")    # rising, from 1
        self.epochs = array("d")   # nan where the estimator has none
        self.seconds = array("d")  # at work, over all attempts
        self.values = array("d")   # may be nan, which the chart draws as a gap

    def add(self, step: float, epoch: float | None, seconds: float, value: float) -> bool:
        """Append a point; False for one that is there already."""
        if self.steps and step <= self.steps[-1]:
            return False
        self.steps.append(step)
        self.epochs.append(float("nan") if epoch is None else epoch)
        self.seconds.append(seconds)
        self.values.append(value)
        return True

    @property
    def last(self) -> float | None:
        return self.values[-1] if self.values else None


class CurveFeed:
    """Every curve of one run, by metric. ``version`` rises with every change."""

    def __init__(self) -> None:
        self.curves: dict[str, Curve] = {}
        self.version = 0
        self._elapsed = Elapsed()

    def begin(self, resumed_from: int | None) -> None:
        """Take in that an attempt began (see ``Elapsed``); ``extend`` follows with what it says."""
        self._elapsed.begin(resumed_from)

    def replace(self, points: Iterable[MetricPoint]) -> None:
        """Start over from the library: first look, or a new attempt superseded points."""
        self.curves = {}
        for point in sorted(points, key=lambda item: item.step):
            self._curve(point.metric).add(point.step, point.epoch, point.seconds, point.value)
        self.version += 1

    def take(self, readings: Mapping[str, Readings]) -> None:
        """Start over from whole columns, as the library reads them: quicker where there are many."""
        self.curves = {}
        for metric, found in readings.items():
            curve = self._curve(metric)
            if all(map(lt, found.steps, found.steps[1:])):
                curve.steps.extend(array("d", found.steps))
                curve.epochs.extend(found.epochs)
                curve.seconds.extend(found.seconds)
                curve.values.extend(found.values)
            else:
                for step, epoch, seconds, value in sorted(zip(*found.columns[1:], strict=True), key=itemgetter(0)):
                    curve.add(step, epoch, seconds, value)
        self.version += 1

    def extend(self, payload: Mapping[str, Any]) -> None:
        """Take in one "metrics" event (see ``mldesk.wire.events``)."""
        seconds = self._elapsed.at(payload.get("seconds") or 0.0)
        for metric, value in payload["values"].items():
            if self._curve(metric).add(payload["step"], payload.get("epoch"), seconds,
                                       canonical.number(value)):
                self.version += 1

    def families(self) -> list[str]:
        """Return what can be shown, "loss" first: metrics without their part (train, validation)."""
        names = dict.fromkeys(family(metric) for metric in self.curves)
        return sorted(names, key=lambda name: (name != "loss", name))

    def of_family(self, name: str) -> dict[str, Curve]:
        """Return the curves of one family, training before validation, each step before the mean of its epoch."""
        found = {metric: curve for metric, curve in self.curves.items() if family(metric) == name}
        return dict(sorted(found.items(), key=lambda item: (not item[0].startswith("train"), item[0])))

    def is_background(self, metric: str) -> bool:
        """Say whether a curve is the noisy detail of another one: every step beside the mean of each epoch."""
        return f"{metric}_epoch" in self.curves or (
            metric.startswith("trial_") and f"best_{metric.removeprefix('trial_')}" in self.curves)

    def _curve(self, metric: str) -> Curve:
        return self.curves.setdefault(metric, Curve())


def family(metric: str) -> str:
    """Return a metric's name without its part: ``validation_loss`` and ``train_loss_epoch`` are both ``loss``.

    Of a search, ``best_roc_auc`` and ``trial_roc_auc`` are both ``roc_auc``; of a script ``val/loss`` is ``loss``, too.
    """
    part, rest = part_of(metric)
    return rest.removesuffix("_epoch") if part not in ("", "refit") else metric
