"""What a finished run can do, in pictures: scores, confusion, ROC and PR curves, residuals, importance of columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from mldesk.desktop import theme, words
from mldesk.desktop.pages.facts import MetricTile
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import (
    Bar,
    BarChart,
    Card,
    Chart,
    ElidedLabel,
    FlowBox,
    HeatMap,
    HistogramChart,
    ScatterChart,
    ScrollPage,
    Segmented,
    row,
)

_CURVES = 12       # classes whose curves are drawn
_CLASSES = 60      # classes up to which the confusion matrix is drawn
_PLOT = 320        # height of a plot, pixels
_TWO = 700         # width from which two cards stand side by side, pixels at 100 %
ORDER = ("roc_auc", "accuracy", "balanced_accuracy", "f1_macro", "log_loss", "r2", "root_mean_squared_error",
          "mean_absolute_error")


class EvaluationView(ScrollPage):
    """Draws an evaluation payload (see ``mldesk.training``); one part of the rows at a time."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, margin=0, spacing=Space.L)
        self.body.setContentsMargins(0, 0, Space.S, Space.L)
        self._payload: Mapping[str, Any] = {}
        self.parts = Segmented()
        self._said = ElidedLabel("", "caption", "muted")
        self._head = QWidget()
        head = row(self.parts, self._said, spacing=Space.M)
        head.setStretch(1, 1)
        self._head.setLayout(head)
        self._tiles = FlowBox(spacing=Space.M, least=150)
        self._plots = QWidget()
        self._grid = QGridLayout(self._plots)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(Space.L)
        self._grid.setColumnStretch(0, 1)
        self._grid.setColumnStretch(1, 1)
        for widget in (self._head, self._tiles, self._plots):
            self.body.addWidget(widget)
        self.body.addStretch(1)
        self._connected = False
        self._cards: list[Card] = []
        self._were_across = 2
        self._pending: list[Callable[[], Card | None]] = []
        self._next = QTimer(self, singleShot=True, interval=0)
        self._next.timeout.connect(self._add_card)

    def show_evaluation(self, payload: Mapping[str, Any]) -> None:
        """Show ``payload``."""
        self._payload = payload
        names = {"test": self.tr("Test rows"), "validation": self.tr("Validation rows")}
        parts = [part for part in ("test", "validation") if part in payload.get("parts", {})]
        if not self._connected:
            for part in parts:
                self.parts.add(part, names[part])
            self.parts.changed.connect(lambda _: self._show())
            self._connected = True
        self._head.setVisible(bool(parts))
        self._show()

    @property
    def complete(self) -> bool:
        """Whether every card is there."""
        return not self._pending

    def _show(self) -> None:
        part = self.parts.value()
        facts = self._payload.get("parts", {}).get(part, {})
        count = facts.get("rows")
        said = self.tr("Rows the model has never seen, kept aside before anything was fitted.") if part == "test" \
            else self.tr("Rows that steered the fitting: their scores flatter.")
        self._said.setText(f"{words.counted(int(count), self.tr('row'), self.tr('rows'))} · {said}" if count else said)
        self._show_tiles(facts)
        _empty(self._grid)
        self._cards = []
        self._pending = [partial(make, facts) for make in (
            self._confusion, self._importance, self._scatter, self._residuals, self._roc, self._pr, self._calibration)]
        self._next.start()

    def _add_card(self) -> None:
        """Make one card; the next one waits until the window has looked at its events."""
        while self._pending:
            card = self._pending.pop(0)()
            if card is not None:
                self._cards.append(card)
                break
        self._place()
        if self._pending:
            self._next.start()

    def _place(self) -> None:
        """Lay the cards out, two in a line where there is room; the last one alone in its line takes all of it."""
        across = self._across()
        for index, card in enumerate(self._cards):
            alone = not self._pending and index == len(self._cards) - 1 and index % across == 0
            self._grid.addWidget(card, index // across, index % across, 1, 2 if alone or across == 1 else 1)

    def _across(self) -> int:
        return 2 if self.viewport().width() >= theme.px(_TWO) else 1

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._across() != self._were_across:
            self._were_across = self._across()
            self._place()

    def _show_tiles(self, facts: Mapping[str, Any]) -> None:
        self._tiles.clear()
        metrics = facts.get("metrics", {})
        ordered = [name for name in ORDER if name in metrics] + [name for name in metrics if name not in ORDER]
        for name in ordered:
            self._tiles.add(MetricTile(name, metrics[name], _interval(facts, name)))

    def _confusion(self, facts: Mapping[str, Any]) -> Card | None:
        confusion = facts.get("confusion")
        if not confusion or len(confusion["labels"]) > _CLASSES:
            return None
        card = Card(self.tr("Confusion matrix"), self.tr("Rows: what it was. Columns: what was predicted."))
        heat = HeatMap([str(label) for label in confusion["labels"]], confusion["counts"])
        choice = Segmented([("count", self.tr("Count")), ("percent", self.tr("Percent"))])
        choice.changed.connect(lambda key: heat.set_percent(key == "percent"))
        card.add_action(choice)
        heat.setMinimumHeight(_PLOT - 40)
        card.add(heat, 1)
        return card

    def _importance(self, _facts: Mapping[str, Any]) -> Card | None:
        entries = self._payload.get("importance") or ()
        if not entries:
            return None
        card = Card(self.tr("What it looks at"),
                    self.tr("How much the score drops when a column is shuffled; the line is its spread."))
        best = sorted(entries, key=lambda entry: -float(entry["value"]))[:15]
        card.add(BarChart([Bar(str(entry["feature"]), float(entry["value"]), float(entry.get("std") or 0.0))
                           for entry in best], name=self.tr("Importance of columns")))
        card.body.addStretch(1)
        return card

    def _roc(self, facts: Mapping[str, Any]) -> Card | None:
        curves = _drawn(facts.get("roc"))
        if not curves:
            return None
        card = Card(self.tr("ROC curve"), self.tr("Share found against share of false alarms; the diagonal is chance."))
        chart = _square(Chart("", self.tr("False positive rate"), self.tr("True positive rate"), with_log=False,
                              y_range=(0.0, 1.02)))
        for slot, curve in enumerate(curves):
            chart.set_series(f"{curve['class']} · AUC {words.metric_value(curve.get('auc'))}", curve["fpr"],
                             curve["tpr"], slot=slot)
        chart.set_series(self.tr("chance"), [0, 1], [0, 1], slot=6, dashed=True)
        card.add(chart, 1)
        return card

    def _pr(self, facts: Mapping[str, Any]) -> Card | None:
        curves = _drawn(facts.get("pr"))
        if not curves:
            return None
        card = Card(self.tr("Precision and recall"),
                    self.tr("How many alarms are right, against how many cases are found."))
        chart = _square(Chart("", self.tr("Recall"), self.tr("Precision"), with_log=False, y_range=(0.0, 1.02)))
        for slot, curve in enumerate(curves):
            chart.set_series(f"{curve['class']} · AP {words.metric_value(curve.get('ap'))}", curve["recall"],
                             curve["precision"], slot=slot)
        card.add(chart, 1)
        return card

    def _calibration(self, facts: Mapping[str, Any]) -> Card | None:
        calibration = facts.get("calibration")
        if not calibration or len(calibration.get("predicted", ())) < 2:
            return None
        card = Card(self.tr("Calibration"), self.tr("Whether what is promised comes true; on the dashed line it does."))
        chart = _square(Chart("", self.tr("Promised probability"), self.tr("Share that came true"), with_log=False,
                              y_range=(0.0, 1.02)))
        chart.set_series(self.tr("model"), calibration["predicted"], calibration["actual"], slot=0)
        chart.set_series(self.tr("perfect"), [0, 1], [0, 1], slot=6, dashed=True)
        card.add(chart, 1)
        return card

    def _scatter(self, facts: Mapping[str, Any]) -> Card | None:
        residuals = facts.get("residuals")
        if not residuals:
            return None
        card = Card(self.tr("Predicted against actual"), self.tr("On the dashed line the prediction is right."))
        chart = _square(ScatterChart("", self.tr("Actual"), self.tr("Predicted"), identity=True))
        chart.set_points(residuals["actual"], residuals["predicted"])
        card.add(chart, 1)
        return card

    def _residuals(self, facts: Mapping[str, Any]) -> Card | None:
        histogram = facts.get("residual_histogram")
        if not histogram:
            return None
        card = Card(self.tr("Errors"), self.tr("Truth minus prediction, in the unit of the target."))
        chart = _square(HistogramChart("", self.tr("Error"), self.tr("Rows")))
        chart.set_data(histogram["counts"], histogram["edges"])
        card.add(chart, 1)
        return card


def _drawn(curves: Sequence[Mapping[str, Any]] | None) -> list[Mapping[str, Any]]:
    return list(curves or ())[:_CURVES]


def _square(chart: Any) -> Any:
    chart.setMinimumHeight(_PLOT)
    return chart


def _interval(facts: Mapping[str, Any], name: str) -> str:
    interval = (facts.get("intervals") or {}).get(name)
    if isinstance(interval, Mapping):
        interval = (interval.get("low"), interval.get("high"))
    if not interval or len(interval) != 2:
        return ""
    return f"{words.metric_value(interval[0])} – {words.metric_value(interval[1])}"


def _empty(grid: QGridLayout) -> None:
    while grid.count():
        item = grid.takeAt(0)
        if item is not None and (widget := item.widget()) is not None:
            widget.hide()
            widget.deleteLater()


