"""Narrows a dataset's table: by a text in a column, what it is not, some of its values, or a condition in SQL."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from mldesk.core.errors import MldeskError
from mldesk.desktop import theme, words
from mldesk.desktop.errors import sentence
from mldesk.desktop.pages.column_choice import ColumnBox
from mldesk.desktop.pages.data.sql_field import EXPRESSION_WORDS, SqlField
from mldesk.desktop.pages.tick_list import Tickable, TickList
from mldesk.desktop.states.dataset import DatasetState, Picked
from mldesk.desktop.states.row_filter import containing, fits, frequent, one_of, other_than
from mldesk.desktop.tasks import TaskOwner, async_slot
from mldesk.desktop.widgets import FormRow, Segmented, Sheet
from mldesk.wire.schema import Column

MOST = 200   # values that are offered to tick
_MISSING = "\0"   # the name of what has no value, which no cell can be


class FilterDialog(Sheet, TaskOwner):
    """Signals: ``chosen`` (the rows, a ``Picked``), once it is known that the condition can be read."""

    chosen = Signal(object)

    def __init__(self, state: DatasetState, columns: Sequence[Column], parent: QWidget, column: str = "") -> None:
        super().__init__(self.tr("Only some rows"), parent, primary=self.tr("Show these rows"), width=480)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._state, self._columns = state, {item.name: item for item in columns}
        self._offered = ""   # the column whose values are offered
        self.way = Segmented([("contains", self.tr("contains")), ("not", self.tr("is not")),
                              ("one_of", self.tr("is one of")), ("sql", self.tr("condition"))], "contains")
        self.column, self.text = ColumnBox(columns), QLineEdit()
        self.values = TickList(self.tr("Find a value"), self.tr("Values"))
        self.sql = SqlField(EXPRESSION_WORDS)
        self.sql.set_columns(list(self._columns))
        self.sql.setFont(theme.font("mono"))
        self.sql.setFixedHeight(theme.px(72))
        self.sql.setPlaceholderText("price > 3 AND city <> 'Lyon'")
        self.sql.setAccessibleName(self.tr("Condition"))
        self._rows = {"column": FormRow(self.tr("Column"), self.column), "text": FormRow(self.tr("Text"), self.text),
                      "values": FormRow(self.tr("Values"), self.values, self.tr(
                          "The {most} most frequent ones.").format(most=MOST)),
                      "sql": FormRow(self.tr("Condition"), self.sql, self.tr(
                          "SQL over the columns, as --where on the command line. Ctrl+Space offers names."))}
        self.add(FormRow(self.tr("Rows whose value"), self.way))
        for item in self._rows.values():
            self.add(item)
        self.column.set_value(column or next(iter(self._columns), ""))
        self.way.changed.connect(lambda _: self._show())
        self.column.changed.connect(lambda _: self._show())
        self.text.textChanged.connect(lambda _: self._check())
        self.values.changed.connect(self._check)
        self.sql.textChanged.connect(self._check)
        self.sql.run = self.primary.click
        self.confirmed.connect(self._on_confirmed)
        self.finished.connect(self.cancel_tasks)
        self._show()

    def picked(self) -> Picked | None:
        """Return the rows that are meant; None while something is missing."""
        way, column, text = self.way.value(), self._columns.get(self.column.value()), self.text.text()
        if way == "sql":
            where = self.sql.toPlainText().strip()
            return Picked(" ".join(where.split())[:200], where) if where else None
        if column is None:
            return None
        if way == "one_of":
            ticked: list[str | None] = [None if name == _MISSING else name for name in self.values.values()]
            return one_of(column, ticked) if ticked else None
        if not text.strip():
            return None
        return containing(column, text) if way == "contains" else other_than(column, text)

    def _show(self) -> None:
        way = self.way.value()
        for name, ways in (("column", ("contains", "not", "one_of")), ("text", ("contains", "not")),
                           ("values", ("one_of",)), ("sql", ("sql",))):
            self._rows[name].setVisible(way in ways)
        if way == "one_of":
            self._offer()
        self._check()
        self.adjustSize()

    @async_slot
    async def _offer(self) -> None:
        column = self._columns.get(self.column.value())
        if column is None or self._offered == column.name:
            return
        self._offered = column.name
        self.values.offer(())
        try:
            page = await self._state.query(frequent(column, MOST))
        except MldeskError as error:
            self._offered = ""
            self._rows["values"].set_error(sentence(error))
            return
        if self._offered == column.name:
            self._rows["values"].set_error("")
            self.values.offer([Tickable(_MISSING if value is None else str(value), self.tr("{value}  ({count})").format(
                value=self.tr("missing") if value is None else str(value)[:200] or self.tr("empty text"),
                count=words.number(int(count)))) for value, count in page.rows])
            self.adjustSize()

    def _check(self) -> None:
        column, text = self._columns.get(self.column.value()), self.text.text()
        self._rows["sql"].set_error("")
        wrong = self.way.value() == "not" and column is not None and bool(text.strip()) and not fits(column, text)
        self._rows["text"].set_error(self.tr("{column} holds no such value.").format(column=self.column.value())
                                     if wrong else "")
        if wrong:
            QTimer.singleShot(0, self, self.adjustSize)
        lacks = {"sql": self.tr("Write a condition."), "one_of": self.tr("Tick at least one value.")}
        self.set_primary_enabled("" if self.picked() is not None else self.tr("Write a value of the column.") if wrong
                                 else lacks.get(self.way.value(), self.tr("Write a text.")))

    @async_slot
    async def _on_confirmed(self) -> None:
        picked = self.picked()
        if picked is None:
            return
        self.set_busy(self.tr("Reading the condition…"))
        try:
            await self._state.try_filter(picked)
        except MldeskError as error:
            self._rows["sql" if self.way.value() == "sql" else "text"].set_error(sentence(error))
            QTimer.singleShot(0, self, self.adjustSize)   # the sentence needs room
            return
        finally:
            self.set_busy("")
        self.chosen.emit(picked)
        self.accept()
