"""Which datasets the list shows: by size, by what was trained on them, by tags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QPoint, Signal
from PySide6.QtWidgets import QPushButton, QWidget

from mldesk.desktop import words
from mldesk.desktop.pages.row_menu import LINE, Entry, popup
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import make_button, make_label, row
from mldesk.wire.jobs import TASKS
from mldesk.workbench.dataset_filter import NO_TASK, DatasetFilter

_MOST = 12  # tags that the menu offers
_SIZES: tuple[Mapping[str, Any], ...] = (
    {"least_rows": None, "most_rows": 999}, {"least_rows": 1000, "most_rows": 99_999},
    {"least_rows": 100_000, "most_rows": 9_999_999}, {"least_rows": 10_000_000, "most_rows": None})


class DatasetFilterBar(QWidget):
    """Edits a DatasetFilter; hidden while it asks for nothing. Signals: ``changed`` once it does other things."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.wanted = DatasetFilter()
        self.tags: tuple[str, ...] = ()      # that there are
        self.button: QPushButton = make_button(self.tr("Filter"), "secondary", "filter")
        self.button.setToolTip(self.tr("By size, by what was trained on them, by tags"))
        self.button.clicked.connect(lambda: popup(self.button, self.entries(), self.button.mapToGlobal(
            QPoint(0, self.button.height() + Space.XS))))
        self._said = make_label("", "body", "muted")
        self.clear = make_button(self.tr("Show all datasets"), "link")
        self.clear.clicked.connect(lambda: self.want(DatasetFilter()))
        self.setLayout(row(self._said, self.clear, None, spacing=Space.M))
        self.hide()

    def entries(self) -> list[Entry]:
        """Return what the list can be narrowed by; what narrows it has a tick and is taken off again."""
        wanted = self.wanted
        sizes = [self._choice("columns", self._size(size), {"least_rows": wanted.least_rows,
                                                            "most_rows": wanted.most_rows} == size, size,
                              {"least_rows": None, "most_rows": None}) for size in _SIZES]
        tasks = [self._choice("train", self._task(task), wanted.task == task, {"task": task}, {"task": ""})
                 for task in (*TASKS, NO_TASK)]
        tags = [self._choice("tag", tag, tag in wanted.tags, {"tags": (*wanted.tags, tag)},
                             {"tags": tuple(other for other in wanted.tags if other != tag)})
                for tag in self.tags[:_MOST]]
        return [*sizes, LINE, *tasks, *([LINE, *tags] if tags else [])]

    def _choice(self, icon: str, title: str, on: bool, then: Mapping[str, Any], off: Mapping[str, Any]) -> Entry:
        return Entry("check" if on else icon, title,
                     lambda: self.want(replace(self.wanted, **(off if on else then))))

    def want(self, wanted: DatasetFilter) -> None:
        """Ask for other datasets."""
        self.wanted = wanted
        self.changed.emit()

    def say(self, shown: int, of: int) -> None:
        """Say how many datasets are shown, of how many, and why."""
        wanted = self.wanted
        asked = [*([self._size({"least_rows": wanted.least_rows, "most_rows": wanted.most_rows})]
                   if (wanted.least_rows, wanted.most_rows) != (None, None) else []),
                 *([self._task(wanted.task)] if wanted.task else []), *wanted.tags]
        self._said.setText(self.tr("{shown} of {all}: {asked}").format(
            shown=words.number(shown), asked=", ".join(asked),
            all=words.counted(of, self.tr("dataset"), self.tr("datasets"))))
        self.setVisible(bool(asked))

    def _size(self, size: Mapping[str, Any]) -> str:
        if size["least_rows"] is None:
            return self.tr("below {count} rows").format(count=words.number(size["most_rows"] + 1))
        if size["most_rows"] is None:
            return self.tr("from {count} rows").format(count=words.number(size["least_rows"]))
        return self.tr("{least} to {most} rows").format(
            least=words.number(size["least_rows"]), most=words.number(size["most_rows"] + 1))

    def _task(self, task: str) -> str:
        return self.tr("nothing trained on it") if task == NO_TASK else \
            self.tr("trained: {task}").format(task=words.task_name(task))
