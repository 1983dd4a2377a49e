"""Many runs at once: what they were asked for on axes beside one another, the score on the last."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal

from mldesk.desktop import words
from mldesk.desktop.pages.runs.compare_rows import fact_name, fact_value, names_of
from mldesk.desktop.widgets import Card, ComboBox, make_label
from mldesk.desktop.widgets.parallel import ParallelChart, Property
from mldesk.training.metric_words import lower_is_better, ordered

if TYPE_CHECKING:
    from mldesk.library.records import Run

_AXES = 9      # at most, the score among them; more cannot be told apart
_LEAST = 3     # runs; fewer are read more easily in the table


class ParallelCard(Card):
    """Signals: ``pointed`` and ``opened`` (a run's id, "" for none)."""

    pointed = Signal(str)
    opened = Signal(str)

    def __init__(self) -> None:
        self.score = ComboBox()
        super().__init__(self.tr("How settings go with scores"),
                         self.tr("A line is a run. Drag along an axis to see only the runs that pass there; click a "
                                 "line to open its run."), actions=[self.score])
        self.score.setAccessibleName(self.tr("Score on the last axis"))
        self.score.currentIndexChanged.connect(lambda _: self._draw())
        self.chart = ParallelChart(self.tr("How settings go with scores"))
        self.chart.pointed.connect(lambda line: self.pointed.emit(self._ids[line] if line >= 0 else ""))
        self.chart.opened.connect(lambda line: self.opened.emit(self._ids[line]))
        self.chart.brushed.connect(self._say)
        self._said = make_label("", "caption", "muted")
        self.add(self.chart)
        self.add(self._said)
        self._ids: list[str] = []
        self._names: list[str] = []
        self._settings: list[Property] = []
        self._metrics: Mapping[str, Sequence[Any]] = {}

    def show_runs(self, runs: Sequence[Run], comparison: Mapping[str, Any]) -> None:
        """Show the runs; the card hides where there is nothing to set against one another."""
        self._ids = [run.id for run in runs]
        self._names = list(names_of(runs).values())
        self._settings = [_property(name, values) for name, values in comparison["differs"].items()
                          if name not in ("dataset", "target", "task", "runner")][:_AXES - 1]
        self._metrics = {name: values for name, values in comparison["metrics"].items()
                         if any(isinstance(value, (int, float)) for value in values)}
        names = ordered(self._metrics)
        if names != [self.score.itemData(place) for place in range(self.score.count())]:
            self.score.blockSignals(True)
            self.score.clear()
            for name in names:
                self.score.addItem(words.metric_name(name), name)
            self.score.setCurrentIndex(next((place for place, name in enumerate(names)
                                             if len(set(self._metrics[name])) > 1), 0))   # one that tells them apart
            self.score.blockSignals(False)
        self.setVisible(len(runs) >= _LEAST and bool(self._settings) and bool(names))
        self._draw()

    def point_at(self, run: str) -> None:
        """Single out a run; "" none."""
        self.chart.point_at(self._ids.index(run) if run in self._ids else -1)

    def _draw(self) -> None:
        name = self.score.currentData()
        if name is None:
            return
        values = [float(value) if isinstance(value, (int, float)) else math.nan for value in self._metrics[name]]
        last = Property(words.metric_name(name), values, downwards=lower_is_better(name))
        self.chart.show_lines(self._names, [*self._settings, last])
        self._say(self.chart.left())

    def _say(self, left: Sequence[int]) -> None:
        self._said.setText(self.tr("{count} of {all} runs lie within the brushes.").format(
            count=len(left), all=len(self._ids)) if len(left) < len(self._ids) else "")
        self._said.setVisible(len(left) < len(self._ids))


def _property(fact: str, values: Sequence[Any]) -> Property:
    """Return numbers as they are, and anything else as places in the order of the alphabet."""
    known = [value for value in values if value is not None]
    if all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in known):
        return Property(fact_name(fact), [math.nan if value is None else float(value) for value in values])
    labels = tuple(sorted({fact_value(fact, value) for value in known}))
    return Property(fact_name(fact), [math.nan if value is None else float(labels.index(fact_value(fact, value)))
                                      for value in values], labels)
