"""Ask a dataset in SQL."""

from __future__ import annotations

import threading

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QLineEdit, QMenu, QStackedWidget, QVBoxLayout, QWidget

from mldesk.core.errors import MldeskError
from mldesk.desktop import theme, words
from mldesk.desktop.pages.answer_table import show_page
from mldesk.desktop.pages.data.sql_field import SqlField
from mldesk.desktop.states.dataset import QUERY_LIMIT, DatasetState
from mldesk.desktop.tasks import TaskOwner, async_slot, start
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import (
    Card,
    DataTable,
    FormRow,
    Segmented,
    Sheet,
    Spinner,
    disable,
    enable,
    make_button,
    make_label,
    row,
    set_tone,
)

_SHOWN = 20   # queries that the history lists


class QueryView(QWidget, TaskOwner):
    """A query field over its answer. Signals: ``kept`` (the version made of an answer, the head before it)."""

    kept = Signal(object, int)

    def __init__(self, state: DatasetState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.field = SqlField()
        self.field.setFont(theme.font("mono"))
        self.field.setFixedHeight(theme.px(96))
        self.field.setPlaceholderText("SELECT … FROM data")
        self.field.run = self.run_query
        self.field.textChanged.connect(self._check)
        self._run = make_button(self.tr("Run"), "primary", "play")
        self._run.setToolTip(self.tr("Ctrl+Enter; Ctrl+Space completes, Ctrl+Up goes back to what was run"))
        self._run.clicked.connect(self.run_query)
        self._menu = QMenu(self)
        self._menu.setToolTipsVisible(True)
        self._menu.aboutToShow.connect(self._fill_menu)
        self.history = make_button(self.tr("History"), "secondary", menu=self._menu)
        self._loaded = False
        self._stop = threading.Event()
        self.cancel = make_button(self.tr("Cancel"), "secondary")
        self.cancel.clicked.connect(self._on_cancel)
        self.cancel.hide()
        self.keep = make_button(self.tr("Make a version of it…"), "secondary", "versions")
        self.keep.clicked.connect(self._ask_to_keep)
        disable(self.keep, self.tr("Run the query first."))
        self._answered = ""   # the query whose answer is shown
        self._spinner = Spinner(16)
        self._spinner.hide()
        self._said = make_label(self.tr("The table is called data. Nothing can be changed from here."), "caption",
                                "muted", wrap=True, selectable=True)
        self.answer = DataTable(flush=True)
        self.answer.setAccessibleName(self.tr("Answer"))
        card = Card(padding=0)
        card.add(self.answer, 1)
        self._stack = QStackedWidget()
        self._stack.addWidget(QWidget())
        self._stack.addWidget(card)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.M)
        layout.addWidget(self.field)
        line = row(self._said, spacing=Space.M)
        line.setStretch(0, 1)
        line.addWidget(self._spinner)
        line.addWidget(self.cancel)
        line.addWidget(self.history)
        line.addWidget(self.keep)
        line.addWidget(self._run)
        layout.addLayout(line)
        layout.addWidget(self._stack, 1)
        self._check()
        state.version.subscribe(lambda version: self.field.set_columns(
            [column.name for column in version.columns] if version else []))

    def suggest(self, sql: str) -> None:
        """Put a query into the field if it is empty."""
        if not self.field.toPlainText().strip():
            self.field.setPlainText(sql)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._loaded:
            self._loaded = True
            self._load_past()

    @async_slot
    async def _load_past(self) -> None:
        self.field.set_past(await self._state.past_queries())

    def _fill_menu(self) -> None:
        self._menu.clear()
        for sql in reversed(self.field.past()[-_SHOWN:]):
            line = " ".join(sql.split())
            entry = self._menu.addAction((f"{line[:70]}…" if len(line) > 70 else line).replace("&", "&&"))
            entry.setToolTip(sql)
            entry.triggered.connect(lambda _checked=False, sql=sql: self._take(sql))
        if not self.field.past():
            self._menu.addAction(self.tr("Nothing was run yet")).setEnabled(False)

    def _take(self, sql: str) -> None:
        self.field.setPlainText(sql)
        self.field.setFocus()

    def _on_cancel(self) -> None:
        self._stop.set()

    def _check(self) -> None:
        if self.field.toPlainText().strip():
            enable(self._run)
        else:
            disable(self._run, self.tr("Write a query first."))

    @async_slot
    async def run_query(self) -> None:
        """Answer what stands in the field."""
        sql = self.field.toPlainText().strip()
        if not sql or not self._spinner.isHidden():
            return
        self._stop = stop = threading.Event()
        self.field.remember(sql)
        start(self._state.keep_queries(self.field.past()), "keep the history of queries")
        self._spinner.show()
        self.cancel.show()
        try:
            page = await self._state.query(sql, stop.is_set)
        except MldeskError as error:
            set_tone(self._said, "danger")
            self._said.setText(f"{error.message} {error.advice}".strip())
            self._stack.setCurrentIndex(0)   # the answer to another query would seem to be this one's
            self._answered = ""
            disable(self.keep, self.tr("Run the query first."))
            return
        finally:
            self._spinner.hide()
            self.cancel.hide()
        set_tone(self._said, "muted")
        count = words.counted(len(page.rows), self.tr("row"), self.tr("rows"))
        cut = self.tr(" – the first ones; the query has more") if len(page.rows) >= QUERY_LIMIT else ""
        self._said.setText(f"{count}{cut}")
        show_page(self.answer, page, self._state.version.value.columns if self._state.version.value else ())
        self._stack.setCurrentIndex(1)
        self._answered = sql
        enable(self.keep)

    def _ask_to_keep(self) -> None:
        dialog = KeepDialog(self._state.name, self)
        dialog.confirmed.connect(lambda: self._keep(dialog))
        dialog.open()

    @async_slot
    async def _keep(self, dialog: KeepDialog) -> None:
        """Keep all rows of the query, not only those that are shown."""
        head = self._state.head.value
        dialog.set_busy(self.tr("Making it…"))
        try:
            made = await self._state.keep_query(self._answered, dialog.chosen(), dialog.stop.is_set)
        except MldeskError as error:
            if dialog.stop.is_set():   # it is closed already
                return
            dialog.set_busy("")
            dialog.set_error(f"{error.message} {error.advice}".strip())
            return
        dialog.accept()
        self.kept.emit(made, head.number if head is not None else made.number)


class KeepDialog(Sheet):
    """Asks whether a query's answer is the next version or a dataset of its own. Cancel stops it."""

    def __init__(self, name: str, parent: QWidget) -> None:
        super().__init__(self.tr("Make a version of the answer"), parent.window(), primary=self.tr("Make it"),
                         width=460, text=self.tr("All rows of the query are kept, not only those that are shown."))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.stop = threading.Event()
        self.kind = Segmented([("version", self.tr("Next version of {name}").format(name=name)),
                               ("new", self.tr("A new dataset"))])
        self.kind.changed.connect(self._check)
        self.name = QLineEdit()
        self.name.textChanged.connect(self._check)
        self._row = FormRow(self.tr("Its name"), self.name)
        self.add(self.kind)
        self.add(self._row)
        self.rejected.connect(self.stop.set)
        self._check()

    def chosen(self) -> str:
        """Return the name of the new dataset; "" for a version of this one."""
        return self.name.text().strip() if self.kind.value() == "new" else ""

    def _check(self, _: object = None) -> None:
        new = self.kind.value() == "new"
        self._row.setVisible(new)
        self.set_primary_enabled(self.tr("Write a name.") if new and not self.chosen() else "")
