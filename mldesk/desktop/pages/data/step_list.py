"""The steps of a recipe as a list: ticked ones count, dragging or Alt+arrows reorders, Enter edits, Delete removes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QListWidget, QListWidgetItem, QWidget

from mldesk.desktop import theme, words
from mldesk.desktop.states.clean import Step
from mldesk.desktop.step_words import step_words

if TYPE_CHECKING:
    from mldesk.workbench.pages import RecipePage

_DOWN, _UP = 1, -1


class StepList(QListWidget):
    """Signals: ``moved`` (from, to), ``ticked`` (index, on), ``edited``, ``removed``, ``doubled`` (index), ``looked``
    (index, or -1 where none is chosen).
    """

    moved = Signal(int, int)
    ticked = Signal(int, bool)
    edited = Signal(int)
    removed = Signal(int)
    doubled = Signal(int)
    looked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Steps"))
        self.setWordWrap(True)
        self.setSpacing(2)
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setDefaultDropAction(Qt.DropAction.MoveAction)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.model().rowsMoved.connect(self._on_moved)
        self.itemChanged.connect(self._on_item)
        self.itemDoubleClicked.connect(lambda item: self.edited.emit(self.row(item)))
        self.itemSelectionChanged.connect(lambda: self.looked.emit(self.chosen()))

    def chosen(self) -> int:
        """Return the index of the chosen step, -1 if none is."""
        return self.row(self.selectedItems()[0]) if self.selectedItems() else -1

    def show_steps(self, steps: Sequence[Step], lines: Sequence[str], chosen: int, wrong: int = -1) -> None:
        """Show steps, each with a line on what it does; ``chosen`` and ``wrong`` (it does not fit) are -1 for none."""
        blocked = self.blockSignals(True)
        self.clear()
        for number, (step, line) in enumerate(zip(steps, lines, strict=True), start=1):
            item = QListWidgetItem(f"{number}.  {step_words(step)}" + (f"\n{line}" if line else ""))
            item.setFlags((item.flags() | Qt.ItemFlag.ItemIsUserCheckable) & ~Qt.ItemFlag.ItemIsDropEnabled)
            item.setCheckState(Qt.CheckState.Unchecked if step.get("disabled") else Qt.CheckState.Checked)
            item.setToolTip(step_words(step))
            if step.get("disabled"):
                item.setForeground(theme.colour("faint"))
            elif number - 1 == wrong:
                item.setForeground(theme.colour("danger"))
            self.addItem(item)
        if 0 <= chosen < len(steps):
            self.setCurrentRow(chosen)
        self.blockSignals(blocked)

    def _on_moved(self, _parent: QModelIndex, start: int, _end: int, _to: QModelIndex, row: int) -> None:
        to = row if row < start else row - 1
        QTimer.singleShot(0, lambda: self.moved.emit(start, to))  # the list is made anew; the drag must have ended

    def _on_item(self, item: QListWidgetItem) -> None:
        self.ticked.emit(self.row(item), item.checkState() == Qt.CheckState.Checked)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        index, key = self.chosen(), event.key()
        alt = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
        ctrl = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if index < 0:
            super().keyPressEvent(event)
        elif alt and key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.moved.emit(index, index + (_UP if key == Qt.Key.Key_Up else _DOWN))
        elif key == Qt.Key.Key_Delete:
            self.removed.emit(index)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not ctrl:
            self.edited.emit(index)
        elif ctrl and key == Qt.Key.Key_D:
            self.doubled.emit(index)
        else:
            super().keyPressEvent(event)


def report_lines(steps: Sequence[Step], counts: RecipePage | None) -> list[str]:
    """Return for each step what it does to the rows, as far as that was counted."""
    reports = list(counts.reports) if counts is not None else []
    lines: list[str] = []
    for step in steps:
        if step.get("disabled"):
            lines.append(words.tr("left out"))
            continue
        done = reports.pop(0) if reports else None
        said = []
        if done is not None and done.rows_before != done.rows_after:
            said.append(words.tr("{before} → {after} rows").format(before=words.number(done.rows_before),
                                                                   after=words.number(done.rows_after)))
        if done is not None and done.cells_changed:
            said.append(words.counted(done.cells_changed, words.tr("cell changed"), words.tr("cells changed")))
        lines.append(" · ".join(said))
    return lines


def learning_words(steps: Sequence[Step]) -> str:
    """Say which steps learn from all rows, "" where none does."""
    from mldesk.data.recipes.steps import active
    from mldesk.data.recipes.steps_leak import learns

    numbers = [str(number) for number, step in active(steps) if learns(step)]
    if not numbers:
        return ""
    if len(numbers) == 1:
        return words.tr("Step {number} learns from all rows, also from those that test a model later.").format(
            number=numbers[0])
    return words.tr("Steps {numbers} and {last} learn from all rows, also from those that test a model later.").format(
        numbers=", ".join(numbers[:-1]), last=numbers[-1])


def step_learning_words(step: Step) -> str:
    """Say whether a step as it is filled in learns from all rows, and where else it could learn; "" if it does not."""
    from mldesk.data.recipes.steps_leak import by_model, learns
    from mldesk.training.preparing_check import why_not

    if not learns(step):
        return ""
    if by_model(step) or not (why := why_not(step)):
        return words.tr("It learns from all rows, also from those that test a model. A model can learn it from its "
                        "training rows instead: add it, then press Leave them to the model.")
    return words.tr("It learns from all rows, also from those that test a model. So filled in, a model cannot do it "
                    "instead: {why}.").format(why=why)
