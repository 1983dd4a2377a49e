"""How the rows of a run are dealt, and the guard that looks at the outcome before anything is trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from mldesk.core.errors import MldeskError
from mldesk.desktop.errors import sentence
from mldesk.desktop.pages.column_choice import ColumnBox
from mldesk.desktop.pages.data.rows_dialog import RowsDialog
from mldesk.desktop.pages.notice import Notice
from mldesk.desktop.shell import Shell
from mldesk.desktop.states.dataset import Picked
from mldesk.desktop.tasks import TaskOwner, async_slot, current, in_thread
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import ComboBox, FormRow, SpinBox, disable, enable, make_button
from mldesk.wire.jobs import BY_COLUMN
from mldesk.wire.schema import Column
from mldesk.workbench.orders import OF_RUN

if TYPE_CHECKING:
    from mldesk.workbench.orders import TrainOrder


class SplitSection(QWidget):
    """The way to split, the column it goes by, and folds. Signals: ``changed`` (fields of the order)."""

    changed = Signal(dict)

    def __init__(self, columns: Sequence[Column], order: TrainOrder, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.how = ComboBox([
            ("random", self.tr("At random, classes in equal shares")),
            ("stratified", self.tr("At random, numbers in equal shares, too")), ("shuffle", self.tr("Blindly")),
            ("group", self.tr("By groups that stay together")), ("time", self.tr("By time, the latest are tested")),
            ("column", self.tr("By a column that says it")),
            *([(order.split, self.tr("As in the run it is taken from"))] if order.split_of else [])])
        self.how.set_value(order.split)
        self.column = ColumnBox(columns)
        self.column.set_value(order.split_column or "")
        self.folds = SpinBox(0, 50, order.folds)
        self._column_row = FormRow(self.tr("Column to split by"), self.column)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.L)
        layout.addWidget(FormRow(self.tr("Split"), self.how, self.tr("How rows come to be test rows.")))
        layout.addWidget(self._column_row)
        self._folds_row = FormRow(self.tr("Folds"), self.folds,
                                  self.tr("From 2 on, the model is scored on every fold as well; 0 does not. With 5 "
                                          "and 20 % test rows, these stay the same. By time each fold is judged by a "
                                          "model of the rows before it."))
        layout.addWidget(self._folds_row)
        self.how.currentIndexChanged.connect(lambda _: self._tell())
        self.column.changed.connect(lambda _: self._tell())
        self.folds.valueChanged.connect(lambda _: self._tell())
        self._column_row.setVisible(order.split in BY_COLUMN)
        if order.split_of:
            disable(self.folds, self.tr("Rows that are dealt as in another run are in no folds."))

    def offer_folds(self, on: bool) -> None:
        """Ask for folds, or not: a search has its own."""
        self._folds_row.setVisible(on)

    def _tell(self) -> None:
        how = str(self.how.value())
        self._column_row.setVisible(how in BY_COLUMN)
        if how.startswith(OF_RUN):
            disable(self.folds, self.tr("Rows that are dealt as in another run are in no folds."))
            self.folds.setValue(0)
        else:
            enable(self.folds)
        self.changed.emit({"split": how, "split_column": self.column.value() or None, "folds": self.folds.value()})


class GuardSection(QWidget, TaskOwner):
    """Looks for what would spoil the scores when asked to. Signals: ``left`` when rows are shown instead."""

    left = Signal()

    def __init__(self, shell: Shell, order: Callable[[], TrainOrder], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shell, self._order = shell, order
        self.button = make_button(self.tr("Check for leaks"), "secondary", "search")
        self.button.clicked.connect(self.check)
        self.found: list[Notice] = []
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(Space.S)
        self._layout.addWidget(self.button, 0, Qt.AlignmentFlag.AlignLeft)

    @async_slot
    async def check(self) -> None:
        """Deal the rows as the run would, and say what was found."""
        order, closing = self._order(), current().closing
        self.button.setEnabled(False)
        self.button.setText(self.tr("Checking…"))
        try:
            found = await in_thread(lambda: self._shell.desk.workbench.explore.guard(order, cancelled=closing.is_set))
        except MldeskError as error:
            self.clear()
            self._add("warning", sentence(error), "", None)
            return
        finally:
            self.button.setText(self.tr("Check for leaks"))
            self.button.setEnabled(True)
        self.clear()
        for concern in found["concerns"]:
            self._add(concern["level"], concern["text"], concern["hint"], concern)
        if not found["concerns"]:
            self._add("success", self.tr("Nothing to worry about was found."), "", None)

    def clear(self) -> None:
        """Forget what was found: the order is another."""
        for notice in self.found:
            notice.hide()
            notice.deleteLater()
        self.found = []

    def _add(self, tone: Any, title: str, text: str, concern: Mapping[str, Any] | None) -> None:
        picked = None if concern is None else self._picked(concern)
        notice = Notice(self, below=True)
        notice.say(tone, title, text, "" if picked is None else self.tr("Show the rows"))
        if concern is not None and picked is not None:
            notice.acted.connect(lambda: self._show(concern, picked))
        self._layout.addWidget(notice)
        self.found.append(notice)

    def _picked(self, concern: Mapping[str, Any]) -> Picked | None:
        """Return the rows that a concern is about, None where it is about none."""
        if concern["where"]:
            return Picked(concern["text"], concern["where"])
        return Picked(concern["text"], None, tuple(concern["rows"])) if concern["rows"] else None

    def _show(self, concern: Mapping[str, Any], picked: Picked) -> None:
        groups = [[(item["row"], str(item["part"])) for item in group] for group in concern["groups"]]
        dialog = RowsDialog(self._shell, self._order().dataset, picked, self.window(), concern["hint"], groups)
        dialog.left.connect(self.left)
        dialog.open()
