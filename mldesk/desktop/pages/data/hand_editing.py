"""Editing in a dataset's table: F2 or a double click changes a cell, Delete takes rows out, Ctrl+Z takes it back."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QMenu, QWidget

from mldesk.core.errors import MldeskError
from mldesk.desktop import words
from mldesk.desktop.errors import sentence
from mldesk.desktop.pages.data.edits_bar import EditsBar
from mldesk.desktop.states.dataset import DatasetState
from mldesk.desktop.states.hand_edits import MAX_ROWS, HandEdits
from mldesk.desktop.tasks import async_slot, start
from mldesk.desktop.widgets import DataTable, PagedTableModel
from mldesk.desktop.widgets.buttons import set_icon

_UNDO = (QKeySequence.StandardKey.Undo, QKeySequence.StandardKey.Redo)


class HandEditing(QObject):
    """Ties a table to the ``HandEdits`` of what it shows. ``bar`` says what was changed.

    Signals: ``wanted_recipe``, ``made`` (the new version, the number of the one before), ``said`` (a
    sentence, its tone).
    """

    wanted_recipe = Signal()
    made = Signal(object, int)
    said = Signal(str, str)

    def __init__(self, table: DataTable, state: DatasetState, host: QWidget) -> None:
        super().__init__(host)
        self._table, self._state = table, state
        self._edits: HandEdits | None = None
        self._model: PagedTableModel | None = None
        self._unfollow: Callable[[], None] = lambda: None
        self.bar = EditsBar()
        self.bar.wanted_recipe.connect(self.wanted_recipe)
        self.bar.wanted_version.connect(self._make)
        table.delete_pressed.connect(self.take_out)
        undo, redo = (QShortcut(QKeySequence(keys), host) for keys in _UNDO)
        for shortcut in (undo, redo):
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        undo.activated.connect(self._undo)
        redo.activated.connect(self._redo)

    def _undo(self) -> None:
        self._state.edits.changes.undo()

    def _redo(self) -> None:
        self._state.edits.changes.redo()

    def follow(self) -> None:
        """Show what was changed in the version that is shown now; called once the table has its model."""
        edits, model = self._state.edits, self._table.paged()
        if model is not None:
            model.set_by_hand(edits)
        if model is not None and model is not self._model:
            self._model = model
            model.refused.connect(lambda why: self.said.emit(why, "warning"))
        if edits is not self._edits:
            self._edits = edits
            self._unfollow()
            self._unfollow = edits.changes.changed.subscribe(lambda _: self._on_changes())
            self.bar.follow(edits)

    def let_go(self) -> None:
        """The page goes."""
        self._unfollow()
        self.bar.let_go()

    def _on_changes(self) -> None:
        model = self._table.paged()
        if model is not None:
            model.set_by_hand(self._state.edits)
        start(self._state.keep_edits(), "keep what was changed by hand")

    def rows_chosen(self) -> tuple[int, int] | None:
        """Return the first and last row of the selection, as the table shows them; None where there is none."""
        chosen = self._table.selectionModel().selection() if self._table.paged() is not None else None
        if chosen is None or chosen.isEmpty():
            return None
        blocks = [chosen.at(number) for number in range(chosen.count())]
        return min(block.top() for block in blocks), max(block.bottom() for block in blocks)

    def take_out(self) -> None:
        """Take out the chosen rows; those that are out already come back."""
        rows, model = self.rows_chosen(), self._table.paged()
        if rows is None or model is None:
            return
        if rows[1] - rows[0] >= MAX_ROWS:
            self.said.emit(self.tr("At most {rows} rows are taken out by hand at once. A filter step of a recipe takes "
                                   "out any number.").format(rows=words.number(MAX_ROWS)), "warning")
            return
        model.collect_places(*rows, self._state.edits.take_out)

    def add_to(self, menu: QMenu) -> None:
        """Add what can be done by hand to the menu of a cell."""
        rows = self.rows_chosen()
        current = self._table.currentIndex()
        entry = menu.addAction(self.tr("Change this cell"), self._table.edit_current)
        entry.setShortcut(QKeySequence("F2"))
        set_icon(entry, "edit", "muted")
        entry.setEnabled(bool(current.flags() & Qt.ItemFlag.ItemIsEditable))
        count = 0 if rows is None else rows[1] - rows[0] + 1
        model = self._table.paged()
        places = [] if rows is None or model is None else [model.place(row) for row in range(rows[0], rows[1] + 1)][:50]
        out = bool(places) and all(place is not None and self._state.edits.is_gone(place) for place in places)
        counted = words.counted(count, self.tr("row"), self.tr("rows"))
        out_entry = menu.addAction((self.tr("Bring back {rows}") if out else self.tr("Take out {rows}")).format(
            rows=counted), self.take_out)
        out_entry.setShortcut(QKeySequence("Delete"))
        set_icon(out_entry, "trash", "muted")
        out_entry.setEnabled(count > 0)
        for one in (entry, out_entry):
            one.setShortcutVisibleInContextMenu(True)

    @async_slot
    async def _make(self) -> None:
        number = self._state.version.value.number if self._state.version.value is not None else 0
        self.bar.set_busy(True)
        try:
            version = await self._state.make_version_of_edits()
        except MldeskError as error:
            self.said.emit(sentence(error), "danger")
            return
        finally:
            self.bar.set_busy(False)
        self.made.emit(version, number)
