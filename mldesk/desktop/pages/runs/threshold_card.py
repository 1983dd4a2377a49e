"""The threshold of a class: a slider that moves every metric, what mistakes cost, and the way into the model."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QSlider, QWidget

from mldesk.desktop import theme, words
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import (
    Card,
    ComboBox,
    DecimalBox,
    ElidedLabel,
    FlowBox,
    column,
    make_button,
    make_label,
    row,
)
from mldesk.workbench.evaluated import Called, Costs, Thresholds

_STEPS = 1000
_PRICES = 1_000_000_000.0
_SHARES = ("accuracy", "balanced_accuracy", "precision", "recall", "specificity", "f1")
_CORRELATIONS = ("mcc", "cohen_kappa")   # from -1 to 1


class ThresholdCard(Card):
    """Calls a row a class from a probability on. ``called`` is what comes of it.

    Signals: ``kept`` with the class and the probability that the model shall go by, None for the most probable class.
    """

    kept = Signal(object, object)

    def __init__(self, tables: Sequence[tuple[object, Thresholds]], parent: QWidget | None = None, *,
                 tested: bool = False) -> None:
        """``tested``: they are of test rows, which a choice among thresholds uses up."""
        super().__init__(words.tr("When to say “{label}”").format(label=words.cell(tables[0][0])) if len(tables) == 1
                         else words.tr("When to say that it is"),
                         words.tr("Move the threshold to trade false alarms for missed cases. It changes what you read "
                                  "here; the model goes by it once it is kept.")
                         + (" " + words.tr("One chosen by test rows looks better on them than it is; the "
                                           "validation rows have others.") if tested else ""), parent=parent)
        self._tables = list(tables)
        self.choice = ComboBox([(place, words.cell(label)) for place, (label, _) in enumerate(tables)])
        self.choice.setAccessibleName(self.tr("Class"))
        self.choice.currentIndexChanged.connect(lambda _: self._show())
        if len(tables) > 1:
            self.add_action(self.choice)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, _STEPS)
        self.slider.setAccessibleName(self.tr("Threshold"))
        self.threshold = DecimalBox(0.0, 1.0, 0.5, 0.01, 3)
        self.threshold.setAccessibleName(self.tr("Threshold"))
        self.keep = make_button(self.tr("Keep for predictions"), "secondary", small=True, tooltip=self.tr(
            "The model calls rows by this threshold from now on, in bundles, too"))
        self.keep.clicked.connect(lambda _checked: self.kept.emit(self._label, self.threshold.value() or None))
        self.forget = make_button(self.tr("Forget it"), "secondary", small=True, tooltip=self.tr(
            "The model calls rows the most probable class again"))
        self.forget.clicked.connect(lambda _checked: self.kept.emit(self._label, None))
        self._kept = make_label("", "caption", "muted", wrap=True)
        for widget in (self.keep, self.forget, self._kept):
            widget.hide()
        self.costs = {field: DecimalBox(-_PRICES, _PRICES, getattr(Costs(), field), 1.0, 2)
                      for field in ("tp", "fn", "fp", "tn")}
        for field, name in (("tp", self.tr("What a case that is found costs")),
                            ("fn", self.tr("What a missed case costs")),
                            ("fp", self.tr("What a false alarm costs")),
                            ("tn", self.tr("What a row that is rightly passed over costs"))):
            self.costs[field].setAccessibleName(name)
            self.costs[field].setToolTip(self.tr("{name}; less than nothing is a gain").format(name=name))
        self.cheapest = make_button(self.tr("Least cost"), "secondary", small=True,
                                    tooltip=self.tr("Go to the threshold with the least cost on these rows"))
        self._values = {key: make_label("", "heading", selectable=True)
                        for key in (*_SHARES, *_CORRELATIONS, "cost")}
        self._said = make_label("", "caption", "muted", wrap=True)
        self._build()
        self.slider.valueChanged.connect(lambda value: self.threshold.setValue(value / _STEPS))
        self.threshold.valueChanged.connect(self._on_threshold)
        for box in self.costs.values():
            box.valueChanged.connect(lambda _: self._show())
        self.cheapest.clicked.connect(self.go_to_cheapest)
        self.slider.setValue(_STEPS // 2)
        self._show()

    def _build(self) -> None:
        line = row(self.slider, self.threshold, spacing=Space.M)
        line.setStretch(0, 1)
        self.add(line)
        tiles = FlowBox(spacing=Space.M, least=theme.px(136), scrolls=True)
        titles = {"cost": self.tr("Cost of a row"), "specificity": self.tr("Specificity")}
        for key, value in self._values.items():
            tile = QWidget()
            tile.setLayout(column(make_label(titles.get(key) or words.metric_name(key), "caption", "muted"), value,
                                  spacing=Space.XXS))
            tile.setToolTip(words.metric_help(key))
            tiles.add(tile)
        self.add(tiles)
        self.add(self._said)
        self.add(self._make_costs())
        keeping = row(self.keep, self.forget, self._kept, spacing=Space.M)
        keeping.setStretch(2, 1)
        self.add(keeping)
        self.body.addStretch(1)

    def _make_costs(self) -> QWidget:
        """Lay out the cost of a row by what it is (down) and what it is called (across)."""
        box = QWidget()
        grid = QGridLayout(box)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(Space.M)
        grid.setVerticalSpacing(Space.S)
        many = len(self._tables) > 1
        other = self.tr("not so") if many else self.tr("not “{label}”").format(label=self._positive)
        same = self.tr("so") if many else f"“{self._positive}”"
        grid.addWidget(make_label(self.tr("Cost of a row"), "caption", "muted"), 0, 0)
        for place, name in enumerate((same, other), 1):
            grid.addWidget(ElidedLabel(self.tr("called {name}").format(name=name), "caption"), 0, place)
            grid.addWidget(ElidedLabel(self.tr("is {name}").format(name=name), "caption"), place, 0)
        for place, field in enumerate(("tp", "fn", "fp", "tn")):
            grid.addWidget(self.costs[field], 1 + place // 2, 1 + place % 2)
        grid.addWidget(self.cheapest, 1, 3, 2, 1, Qt.AlignmentFlag.AlignVCenter)
        grid.setColumnStretch(4, 1)
        return box

    @property
    def _label(self) -> object:
        return self._tables[int(self.choice.value() or 0)][0]

    @property
    def _table(self) -> Thresholds:
        return self._tables[int(self.choice.value() or 0)][1]

    @property
    def _positive(self) -> str:
        return words.cell(self._label)

    def show_kept(self, kept: tuple[object, float] | None) -> None:
        """Say which threshold the model goes by, and let it be changed; at first the slider stands there."""
        if kept is not None and self._kept.isHidden():
            self.choice.setCurrentIndex(next((place for place, (label, _) in enumerate(self._tables)
                                              if label == kept[0]), self.choice.currentIndex()))
            self.threshold.setValue(kept[1])
        self.keep.show()
        self.forget.setVisible(kept is not None)
        self._kept.show()
        self._kept.setText(self.tr("The model calls a row the most probable class.") if kept is None else self.tr(
            "The model calls a row “{label}” from {at} on.").format(label=words.cell(kept[0]), at=f"{kept[1]:g}"))

    @property
    def priced(self) -> Costs:
        """The costs that are set."""
        return Costs(**{field: box.value() for field, box in self.costs.items()})

    @property
    def called(self) -> Called:
        """What comes of the threshold that is set."""
        return self._table.at(self.threshold.value())

    def go_to_cheapest(self) -> None:
        """Set the threshold with the least cost."""
        self.threshold.setValue(self._table.cheapest(self.priced).threshold)

    def _on_threshold(self, value: float) -> None:
        blocked = self.slider.blockSignals(True)
        self.slider.setValue(round(value * _STEPS))
        self.slider.blockSignals(blocked)
        self._show()

    def _show(self) -> None:
        called = self.called
        for key in (*_SHARES, *_CORRELATIONS):
            value: float | None = getattr(called, key)
            write = words.share if key in _SHARES else words.metric_value
            self._values[key].setText(words.MISSING if value is None else write(value))
        self._values["cost"].setText(words.metric_value(called.cost(self.priced)))
        self._said.setText(self.tr(
            "{called} of {rows} rows are called “{label}”: {tp} rightly, {fp} are false alarms. {fn} are missed."
        ).format(
            called=words.number(called.tp + called.fp), rows=words.number(called.rows), label=self._positive,
            tp=words.number(called.tp), fp=words.number(called.fp), fn=words.number(called.fn)))
