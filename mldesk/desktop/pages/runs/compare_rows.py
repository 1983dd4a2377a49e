"""Many runs compared: a row each, their scores and what differs across."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, Signal

from mldesk.desktop import words
from mldesk.desktop.pages.record_model import Field
from mldesk.desktop.pages.record_table import RecordTable
from mldesk.desktop.pages.runs.evaluation_tables import sized
from mldesk.desktop.widgets import Card, clear, make_button
from mldesk.training.metric_words import lower_is_better, ordered

if TYPE_CHECKING:
    from mldesk.library.records import Run

_NAMES = {"dataset": "Dataset", "target": "Target", "task": "Task", "estimator": "Estimator", "runner": "Runner",
          "seed": "Seed", "split": "Split"}
_ROWS = 10      # shown at once; the table scrolls
_SCORES = 5     # columns of scores, until all of them are asked for
_NONE = float("-inf")

Cells = tuple["Run", Sequence[tuple[str, Any]]]   # of each column: words, and what to sort by


class CompareRows(Card):
    """Signals: ``pointed`` (a run's id, "" for none), ``opened`` (a run's id)."""

    pointed = Signal(str)
    opened = Signal(str)

    def __init__(self) -> None:
        super().__init__(self.tr("Scores on the test rows, and what differs"))
        self.table: RecordTable[Cells] | None = None
        self._columns: tuple[str, ...] = ()
        self._names: dict[str, str] = {}
        self._last: tuple[Sequence[Run], Mapping[str, Any]] | None = None
        self.all = make_button("", "ghost", small=True)
        self.all.setCheckable(True)
        self.all.toggled.connect(self._show_again)
        self.add_action(self.all)

    def show_runs(self, runs: Sequence[Run], comparison: Mapping[str, Any]) -> None:
        """Show a row for each."""
        self._names, self._last = names_of(runs), (runs, comparison)
        metrics = ordered(comparison["metrics"])
        self.all.setText(self.tr("All {count} scores").format(count=len(metrics)))
        self.all.setVisible(len(metrics) > _SCORES)
        metrics = metrics if self.all.isChecked() else metrics[:_SCORES]
        differs = tuple(comparison["differs"])
        rows: list[Cells] = []
        for place, run in enumerate(runs):
            cells = [_score(run, name, comparison["metrics"][name][place], comparison) for name in metrics]
            cells += [(fact_value(name, comparison["differs"][name][place]), comparison["differs"][name][place])
                      for name in differs]
            rows.append((run, [*cells, (words.duration(run.seconds), run.seconds or 0.0)]))
        if self.table is None or self._columns != (*metrics, *differs):
            self._columns = (*metrics, *differs)
            self._make(metrics, differs, len(rows))
        if self.table is not None:
            self.table.set_records(rows)

    def _show_again(self) -> None:
        if self._last is not None:
            self.show_runs(*self._last)

    def _make(self, metrics: Sequence[str], differs: Sequence[str], count: int) -> None:
        fields: list[Field[Cells]] = [Field(self.tr("Run"), lambda row: self._names.get(row[0].id, ""),
                                            strong=True, middle=True)]
        names = [*map(words.metric_name, metrics), *map(fact_name, differs), self.tr("Took")]
        fields += [_field(place, name, score=place < len(metrics)) for place, name in enumerate(names)]
        clear(self.body)
        self.table = RecordTable(fields, lambda row: row[0].id, self.tr("Compared runs"), dense=True, least=200)
        self.table.opened.connect(lambda row: self.opened.emit(row[0].id))
        self.table.entered.connect(lambda index: self._point(index.row()))
        self.table.chosen.connect(self._on_chosen)
        self.add(sized(self.table, min(count, _ROWS) + 1))   # a line more, for the bar that scrolls sideways

    def point_at(self, run: str) -> None:
        """Mark the row of a run; "" leaves the mark where it is."""
        if run and self.table is not None and self.isVisible():
            blocked = self.table.blockSignals(True)
            self.table.select([run])
            self.table.blockSignals(blocked)

    def _point(self, row: int) -> None:
        if self.table is not None and 0 <= row < len(self.table.records.records):
            self.pointed.emit(self.table.records.records[row][0].id)

    def _on_chosen(self) -> None:
        if self.table is not None and (chosen := self.table.selected()):
            self.pointed.emit(chosen[0][0].id)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.pointed.emit("")


def _score(run: Run, name: str, value: Any, comparison: Mapping[str, Any]) -> tuple[str, Any]:
    won = comparison["best"].get(name) == run.id and comparison["verdicts"].get(name) == "clear"
    known = isinstance(value, (int, float))
    order = (-value if lower_is_better(name) else value) if known else _NONE
    return f"{words.metric_value(value)}{'  ★' if won else ''}" if known else "", order


def _field(place: int, name: str, *, score: bool) -> Field[Cells]:
    return Field(name, lambda row: row[1][place][0], 150,
                 sort=lambda row: _order(row[1][place][1]), right=score)


def _order(value: Any) -> tuple[int, Any]:
    """Return what numbers and words may be sorted by together."""
    if value is None:
        return 0, 0
    return (1, value) if isinstance(value, (int, float)) else (2, str(value).casefold())


def names_of(runs: Sequence[Run]) -> dict[str, str]:
    """Return what each run is called, by its id: its name, and the end of its id where others have that name, too."""
    names = [run.name for run in runs]
    return {run.id: run.name if names.count(run.name) == 1 else f"{run.name} · {run.id[-4:]}" for run in runs}


def fact_name(name: str) -> str:
    """Return what a fact or a parameter that differs is called."""
    if name in _NAMES:
        return words.tr(_NAMES[name])
    from mldesk.training.catalogue import ESTIMATORS

    own = name.removeprefix("parameter ")
    known = (item.title for entry in ESTIMATORS.values() for item in entry.parameters if item.name == own)
    return next(known, own.replace("_", " ").capitalize())


def fact_value(name: str, value: object) -> str:
    """Return such a fact as people read it."""
    if value is None or value == "":   # a script has no dataset and no target
        return words.MISSING
    if name == "estimator":
        return words.estimator_name(str(value))
    return words.task_name(str(value)) if name == "task" else words.cell(value)
