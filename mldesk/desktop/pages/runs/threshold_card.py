"""The threshold of a two-class model: a slider that moves every metric, and what mistakes cost."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSlider, QWidget

from mldesk.desktop import theme, words
from mldesk.desktop.states.evaluation import Called, Thresholds
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import Card, DecimalBox, FlowBox, column, make_button, make_label, row

_STEPS = 1000
_PRICES = 1_000_000_000.0


class ThresholdCard(Card):
    """Calls a row the second class from a probability on. ``called`` is what comes of it."""

    def __init__(self, thresholds: Thresholds, positive: str, parent: QWidget | None = None) -> None:
        title = words.tr("When to say “{label}”").format(label=positive)
        super().__init__(title, words.tr("Move the threshold to trade false alarms for missed cases. It changes what "
                                         "you read here, not the model."), parent=parent)
        self._table, self._positive = thresholds, positive
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, _STEPS)
        self.slider.setAccessibleName(self.tr("Threshold"))
        self.threshold = DecimalBox(0.0, 1.0, 0.5, 0.01, 3)
        self.threshold.setAccessibleName(self.tr("Threshold"))
        self.false_alarm, self.missed = (DecimalBox(0.0, _PRICES, 1.0, 1.0, 2) for _ in range(2))
        self.false_alarm.setAccessibleName(self.tr("What a false alarm costs"))
        self.missed.setAccessibleName(self.tr("What a missed case costs"))
        self.cheapest = make_button(self.tr("Least cost"), "secondary", small=True,
                                    tooltip=self.tr("Go to the threshold with the least cost on these rows"))
        self._values = {key: make_label("", "heading", selectable=True)
                        for key in ("accuracy", "precision", "recall", "f1", "cost")}
        self._said = make_label("", "caption", "muted", wrap=True)
        self._build()
        self.slider.valueChanged.connect(lambda value: self.threshold.setValue(value / _STEPS))
        self.threshold.valueChanged.connect(self._on_threshold)
        self.false_alarm.valueChanged.connect(lambda _: self._show())
        self.missed.valueChanged.connect(lambda _: self._show())
        self.cheapest.clicked.connect(self.go_to_cheapest)
        self.slider.setValue(_STEPS // 2)
        self._show()

    def _build(self) -> None:
        line = row(self.slider, self.threshold, spacing=Space.M)
        line.setStretch(0, 1)
        self.add(line)
        tiles = FlowBox(spacing=Space.M, least=theme.px(76), scrolls=True)
        titles = {"cost": self.tr("Cost of a row")}
        for key, value in self._values.items():
            tile = QWidget()
            tile.setLayout(column(make_label(titles.get(key) or words.metric_name(key), "caption", "muted"), value,
                                  spacing=Space.XXS))
            tile.setToolTip(words.metric_help(key))
            tiles.add(tile)
        self.add(tiles)
        self.add(self._said)
        prices = FlowBox(spacing=Space.M, scrolls=True)
        for text, box in ((self.tr("A false alarm costs"), self.false_alarm),
                          (self.tr("A missed “{label}” costs").format(label=self._positive), self.missed)):
            pair = QWidget()
            pair.setLayout(row(make_label(text), box, spacing=Space.S))
            prices.add(pair)
        prices.add(self.cheapest)
        self.add(prices)
        self.body.addStretch(1)

    @property
    def called(self) -> Called:
        """What comes of the threshold that is set."""
        return self._table.at(self.threshold.value())

    def go_to_cheapest(self) -> None:
        """Set the threshold with the least cost."""
        self.threshold.setValue(self._table.cheapest(self.false_alarm.value(), self.missed.value()).threshold)

    def _on_threshold(self, value: float) -> None:
        blocked = self.slider.blockSignals(True)
        self.slider.setValue(round(value * _STEPS))
        self.slider.blockSignals(blocked)
        self._show()

    def _show(self) -> None:
        called = self.called
        for key in ("accuracy", "precision", "recall", "f1"):
            value: float | None = getattr(called, key)
            self._values[key].setText(words.MISSING if value is None else words.share(value))
        cost = called.cost(self.false_alarm.value(), self.missed.value())
        self._values["cost"].setText(words.metric_value(cost))
        self._said.setText(self.tr(
            "{called} of {rows} rows are called “{label}”: {tp} rightly, {fp} are false alarms. {fn} are missed."
        ).format(
            called=words.number(called.tp + called.fp), rows=words.number(called.rows), label=self._positive,
            tp=words.number(called.tp), fp=words.number(called.fp), fn=words.number(called.fn)))
