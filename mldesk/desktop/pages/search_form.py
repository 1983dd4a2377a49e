"""How a search is ordered: how long, by which score, among which models, blended or not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QVBoxLayout, QWidget

from mldesk.desktop import words
from mldesk.desktop.states.search import SearchWish
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import (
    ComboBox,
    DecimalBox,
    FormRow,
    Segmented,
    SpinBox,
    column,
    make_button,
    row,
    set_icon,
)

if TYPE_CHECKING:
    from mldesk.training.catalogue import EstimatorEntry

_AUTO = ""


class SearchForm(QWidget):
    """Edits a ``SearchWish``. Signals: ``changed``."""

    changed = Signal()

    def __init__(self, wish: SearchWish, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._ticks: dict[str, QCheckBox] = {}
        self._wish = wish
        self.ends = Segmented([("time", self.tr("Minutes")), ("trials", self.tr("Trials"))])
        self.minutes = DecimalBox(0.5, 24 * 60.0, wish.minutes, 1.0, 1)
        self.trials = SpinBox(1, 10_000, wish.trials)
        self.aim = ComboBox([])
        self.blend = Segmented([(True, self.tr("A blend of the best")), (False, self.tr("The best one"))])
        self.fold = make_button("", "fold", "chevron-right")
        self._models = QWidget()
        self._model_list = QVBoxLayout(self._models)
        self._model_list.setContentsMargins(Space.L, 0, 0, 0)
        self._model_list.setSpacing(Space.XS)
        self._build()
        self.ends.set_value("trials" if wish.by_trials else "time")
        self.blend.set_value(wish.blend)
        self._show_end()
        self.ends.changed.connect(lambda _: self._show_end())
        self.fold.clicked.connect(lambda: self._unfold(self._models.isHidden()))
        for signal in (self.ends.changed, self.minutes.valueChanged, self.trials.valueChanged,
                       self.aim.currentIndexChanged, self.blend.changed):
            signal.connect(lambda _: self.changed.emit())

    def _build(self) -> None:
        length = QWidget()
        length.setLayout(row(self.ends, self.minutes, self.trials, None, spacing=Space.M))
        self._length_row = FormRow(self.tr("How long"), length)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.L)
        layout.addWidget(self._length_row)
        layout.addWidget(FormRow(self.tr("Strive for"), self.aim, self.tr(
            "The score by which models are compared, on rows they were not fitted on.")))
        layout.addWidget(FormRow(self.tr("Keep"), self.blend, self.tr(
            "A blend lets several models vote: mostly better, slower to ask.")))
        layout.addLayout(column(row(self.fold, None), self._models, spacing=Space.S))
        self._unfold(False)

    def offer(self, task: str, entries: Sequence[EstimatorEntry]) -> None:
        """Offer what suits a task."""
        from mldesk.workbench.searching import METRICS

        names = [entry.name for entry in entries]
        chosen = [name for name in self._wish.estimators if name in names]
        self.aim.set_options([(_AUTO, self.tr("What suits the task")),
                                 *((name, words.metric_name(name)) for name in METRICS.get(task, ()))],
                                self._wish.metric or _AUTO)
        while (item := self._model_list.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        self._ticks = {}
        for entry in entries:
            tick = QCheckBox(entry.title)
            tick.setToolTip(entry.help)
            tick.setChecked(not chosen or entry.name in chosen)
            tick.toggled.connect(self._on_tick)
            self._ticks[entry.name] = tick
            self._model_list.addWidget(tick)
        self._say()

    def wish(self) -> SearchWish:
        """Return what is asked for now."""
        ticked = [name for name, tick in self._ticks.items() if tick.isChecked()]
        return SearchWish(self.ends.value() == "trials", self.minutes.value(), self.trials.value(),
                          self.aim.value() or None,
                          () if len(ticked) == len(self._ticks) else tuple(ticked), bool(self.blend.value()))

    def error(self) -> str:
        """Say what keeps it from being ordered, "" if nothing does."""
        if self._ticks and not any(tick.isChecked() for tick in self._ticks.values()):
            return self.tr("Choose at least one model to try.")
        return ""

    def _on_tick(self) -> None:
        self._say()
        self.changed.emit()

    def _say(self) -> None:
        ticked = sum(tick.isChecked() for tick in self._ticks.values())
        whole = len(self._ticks)
        self.fold.setText(self.tr("Try all {count} kinds of models").format(count=whole) if ticked == whole else
                          self.tr("Try {count} of {all} kinds of models").format(count=ticked, all=whole))

    def _show_end(self) -> None:
        trials = self.ends.value() == "trials"
        self.minutes.setVisible(not trials)
        self.trials.setVisible(trials)
        self._length_row.set_help(
            self.tr("It ends after so many trials; Finish now ends it sooner and keeps the best so far.") if trials else
            self.tr("It ends after so many minutes; Finish now ends it sooner and keeps the best so far."))

    def _unfold(self, on: bool) -> None:
        self._models.setVisible(on)
        set_icon(self.fold, "chevron-down" if on else "chevron-right", "muted", 14)
