"""The live curves of a run: which metric, over what, how smooth. New points are appended to what is drawn."""

from __future__ import annotations

import math

from PySide6.QtWidgets import QWidget

from mldesk.desktop import words
from mldesk.desktop.pages.runs.metric_picker import MetricPicker
from mldesk.desktop.preferences import PreferencesFile
from mldesk.desktop.states.curves import Curve, CurveFeed
from mldesk.desktop.widgets import Card, Chart, Segmented

_BACKGROUND = 6  # the grey of the palette, for noisy detail


class CurvesCard(Card):
    """Draws a ``CurveFeed``."""

    def __init__(self, feed: CurveFeed, preferences: PreferencesFile, parent: QWidget | None = None) -> None:
        super().__init__(self.tr("Learning curve"), parent=parent)
        self._feed = feed
        self._version = -1
        self._trials = False   # of a search: steps are trials
        self._shown: dict[str, int] = {}  # points of each curve in the chart
        self.metrics = MetricPicker(preferences)
        self.metrics.changed.connect(lambda _: self._on_metrics())
        self.across = Segmented([("step", self.tr("Step")), ("epoch", self.tr("Epoch")), ("time", self.tr("Time"))])
        self.across.changed.connect(lambda _: self._start_over())
        self.add_action(self.across)
        self.chart = Chart("", self.tr("step"), "", with_smoothing=True)
        self.chart.setMinimumHeight(320)
        self.chart.set_whole_x(True)
        if preferences.value.curve_smoothing:
            self.chart.set_smoothing(preferences.value.curve_smoothing)
        if preferences.value.curve_log:
            self.chart.set_log(True)
        self.add(self.metrics)
        self.add(self.chart, 1)

    def speak_of_trials(self) -> None:
        """Call the steps trials, and drop what only one fit has: the run is a search."""
        self._trials = True
        self.set_title(self.tr("Best score so far"))
        self.across.button("step").setText(self.tr("Trial"))
        self.across.button("epoch").hide()
        self.chart.set_x_label(self.tr("trial"))
        self.chart.set_whole_x(True)

    def refresh(self) -> None:
        """Draw what is new in the feed."""
        if self._feed.version == self._version:
            return
        self._version = self._feed.version
        before = self.metrics.value()
        self.metrics.offer(self._feed.families())
        self._offer_epochs()
        if before and self.metrics.value() != before:   # what was looked at last came only now
            self._start_over()
        else:
            self._draw()

    def _on_metrics(self) -> None:
        self._offer_epochs()
        self._start_over()

    def _offer_epochs(self) -> None:
        """Let epochs be chosen where what is drawn has them: a step is none."""
        curves = [curve for family in self.metrics.value() for curve in self._feed.of_family(family).values()]
        none = bool(curves) and not any(map(has_epochs, curves))
        if none and self.across.value() == "epoch":
            self.across.set_value("step")
        self.across.set_enabled("epoch", self.tr("These curves have no epochs, only steps.") if none else "")

    def _start_over(self) -> None:
        first = self.tr("trial") if self._trials else self.tr("step")
        self.chart.set_x_label({"epoch": self.tr("epoch"), "time": self.tr("seconds")}.get(
            self.across.value() or "", first))
        self.chart.set_whole_x(self.across.value() != "time")
        self.chart.clear()
        self._shown.clear()
        self._draw()

    def _draw(self) -> None:
        chosen = self.metrics.value()
        for place, family in enumerate(chosen):
            self._draw_family(family, place if len(chosen) > 1 else None)

    def _draw_family(self, family: str, place: int | None) -> None:
        """Draw the curves of a metric; ``place`` is its place among several in the chart, None if it is alone there."""
        for metric, curve in self._feed.of_family(family).items():
            name = self._name(metric)
            done = self._shown.get(name, 0)
            if len(curve.values) < done:  # a new attempt superseded points
                done = 0
            if len(curve.values) == done or (self.across.value() == "epoch" and not has_epochs(curve)):
                continue
            xs = self._across(curve, done)
            ys = curve.values[done:].tolist()
            if done:
                self.chart.append(name, xs, ys)
            else:
                self._begin(metric, name, xs, ys, place)
            self._shown[name] = len(curve.values)

    def _begin(self, metric: str, name: str, xs: list[float], ys: list[float], place: int | None) -> None:
        if self._feed.is_background(metric):
            self.chart.remove(words.metric_name(metric))  # its name while it was the only curve of training
        background = self._feed.is_background(metric)
        training = metric.startswith("train")
        slot = place if place is not None else _BACKGROUND if background else 0 if training else 1
        self.chart.set_series(name, xs, ys, slot=slot, faint=background, dashed=place is not None and training)

    def _name(self, metric: str) -> str:
        name = words.metric_name(metric)
        if metric.endswith("_epoch"):
            return self.tr("{metric}, each epoch").format(metric=words.metric_name(metric.removesuffix("_epoch")))
        if metric.startswith("trial_") or not self._feed.is_background(metric):
            return name
        return self.tr("{metric}, each step").format(metric=name)

    def _across(self, curve: Curve, first: int) -> list[float]:
        which = self.across.value()
        if which == "time":
            return curve.seconds[first:].tolist()
        if which == "epoch":
            return curve.epochs[first:].tolist()
        return curve.steps[first:].tolist()


def has_epochs(curve: Curve) -> bool:
    """Say whether a curve can be drawn over epochs."""
    return not all(map(math.isnan, curve.epochs))
