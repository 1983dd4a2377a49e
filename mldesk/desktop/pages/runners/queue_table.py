"""The waiting jobs of a runner, in the order in which they will run; dragged, or moved with Alt+Up and Alt+Down."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QMimeData, QModelIndex, QPersistentModelIndex, QRect, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QWidget

from mldesk.desktop import runner_words, theme, words
from mldesk.desktop.pages.record_model import Field, RecordModel
from mldesk.desktop.pages.record_table import RecordTable
from mldesk.desktop.widgets.text import make_label

if TYPE_CHECKING:
    from mldesk.wire.runner_view import Waiting

_MIME = "application/x-mldesk-waiting-job"
Index = QModelIndex | QPersistentModelIndex


class _QueueModel(RecordModel["Waiting"]):
    """Rows that can be dragged."""

    def flags(self, index: Index) -> Qt.ItemFlag:
        return super().flags(index) | Qt.ItemFlag.ItemIsDragEnabled

    def mimeTypes(self) -> list[str]:
        return [_MIME]

    def mimeData(self, indexes: list[Index]) -> QMimeData:  # type: ignore[override]
        data = QMimeData()
        data.setData(_MIME, self.records[indexes[0].row()].job.encode() if indexes else b"")
        return data


class QueueTable(RecordTable["Waiting"]):
    """Signals: ``moved`` (job, row that it is to stand above) when it was dropped or moved by key."""

    moved = Signal(str, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        tr = words.tr
        super().__init__([
            Field(tr("Place"), lambda item: words.number(item.position), 70, lambda item: item.position, right=True,
                  muted=True),
            Field(tr("Job"), lambda item: item.name, strong=True),
            Field(tr("Priority"), lambda item: runner_words.priority(item.priority), 110, lambda item: -item.priority),
            Field(tr("Waits for"), lambda item: _why(item) or tr("a free place"), 300, muted=True, spare=1,
                  tip=lambda item: _why(item) or tr("It is next: it begins when a place is free.")),
        ], lambda item: item.job, tr("Waiting jobs"), parent=parent)
        self.why_not_move = ""   # why the order cannot be changed now
        self._line = -1          # row above which a dragged job would land, -1: none is dragged
        self._hint = make_label(tr("Nothing waits."), "body", "muted")
        self._hint.setParent(self.viewport())
        self._hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.horizontalHeader().setSectionsClickable(False)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.setDragEnabled(True)
        self.setAcceptDrops(True)
        self.setDropIndicatorShown(False)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragDrop)
        self.setDefaultDropAction(Qt.DropAction.MoveAction)

    def _make_model(self, fields: Sequence[Field[Waiting]], key: Callable[[Waiting], Hashable]) -> RecordModel[Waiting]:
        return _QueueModel(fields, key, self)

    def show_waiting(self, waiting: tuple[Waiting, ...]) -> None:
        """Show the queue as it is now."""
        self.set_records(waiting)
        self._hint.setVisible(not waiting)
        self._place_hint()

    def _place_hint(self) -> None:
        self._hint.setGeometry(self.viewport().rect())

    def _row_at(self, y: int) -> int:
        row = self.rowAt(y)
        if row < 0:
            return len(self.records.records)
        return row if y < self.rowViewportPosition(row) + self.rowHeight(row) / 2 else row + 1

    def startDrag(self, actions: Qt.DropAction) -> None:
        if not self.why_not_move:
            super().startDrag(actions)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.source() is self:
            event.acceptProposedAction()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        if event.source() is self:
            self._line = self._row_at(round(event.position().y()))
            self.viewport().update()
            event.acceptProposedAction()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._line = -1
        self.viewport().update()

    def dropEvent(self, event: QDropEvent) -> None:
        self._line = -1
        self.viewport().update()
        if event.source() is self:
            event.setDropAction(Qt.DropAction.CopyAction)  # the rows move when the runner has moved them
            event.accept()
            job = bytes(event.mimeData().data(_MIME).data()).decode()
            self.moved.emit(job, self._row_at(round(event.position().y())))

    def move_chosen(self, by: int) -> None:
        """Move the chosen job up (-1) or down (1)."""
        chosen = self.selected()
        if len(chosen) != 1 or self.why_not_move:
            return
        row = self.records.row_of(chosen[0].job)
        if row is not None and 0 <= row + by < len(self.records.records):
            self.moved.emit(chosen[0].job, row + by if by < 0 else row + by + 1)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
        if event.modifiers() & Qt.KeyboardModifier.AltModifier and event.key() in steps:
            self.move_chosen(steps[Qt.Key(event.key())])
            return
        super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._line < 0:
            return
        rows = len(self.records.records)
        y = self.rowViewportPosition(self._line) if self._line < rows else \
            self.rowViewportPosition(rows - 1) + self.rowHeight(rows - 1) if rows else 0
        painter = QPainter(self.viewport())
        painter.fillRect(QRect(0, y - 1, self.viewport().width(), 3), theme.colour("accent"))

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        self._place_hint()


def _why(item: Waiting) -> str:
    """Return what a job waits for; a moment in the time zone of whoever reads it."""
    return words.tr("Starts {moment}").format(moment=words.upcoming(item.starts)) if item.starts else item.why
