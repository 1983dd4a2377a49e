"""Some rows of a dataset, over whatever led to them, so that nothing has to be left to see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from mldesk.core.errors import MldeskError
from mldesk.desktop import words
from mldesk.desktop.errors import sentence
from mldesk.desktop.pages.answer_table import columns_of, show_page
from mldesk.desktop.pages.room import fitting
from mldesk.desktop.shell import Shell
from mldesk.desktop.states.dataset import Picked
from mldesk.desktop.tasks import TaskOwner, async_slot, in_thread
from mldesk.desktop.widgets import Card, DataTable, Sheet, make_label
from mldesk.wire.schema import Column, ColumnType

_MOST = 500   # rows that are shown


class RowsDialog(Sheet, TaskOwner):
    """Shows the rows of ``picked`` with their numbers. Signals: ``left`` when they are opened on the dataset's page.

    ``groups``, where there are some, are rows that belong together: (place from 0, part of the split).
    """

    left = Signal()

    def __init__(self, shell: Shell, reference: str, picked: Picked, host: QWidget, text: str = "",
                 groups: Sequence[Sequence[tuple[int, str]]] = ()) -> None:
        super().__init__(picked.words, host, text=text, width=640, primary=self.tr("Open in the dataset"),
                         secondary=self.tr("Close"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._shell, self._reference, self._picked, self._groups = shell, reference, picked, groups
        self.table = DataTable(flush=True)
        self._said = make_label(self.tr("Reading the rows…"), "caption", "muted")
        card = Card(padding=0)
        card.add(self.table, 1)
        self.add(self._said)
        self.body.addWidget(card, 1)
        self.confirmed.connect(self._on_open)
        self.finished.connect(self.cancel_tasks)
        self.resize(fitting(self, 860, 480))
        self._load()

    @async_slot
    async def _load(self) -> None:
        service, picked = self._shell.desk.workbench.datasets, self._picked
        only = tuple(row for group in self._groups for row, _ in group) or picked.only
        try:
            version = await in_thread(service.show, self._reference)
            page = await in_thread(lambda: service.preview(
                version.label, rows=_MOST, where=picked.where, only=only))
        except MldeskError as error:
            self.set_error(sentence(error))
            return
        columns = columns_of(page, version.columns)
        if self._groups:
            told = {row: (number, part) for number, group in enumerate(self._groups, start=1) for row, part in group}
            names = [column.name for column in columns]
            extra = [Column(_free(self.tr("alike"), names), ColumnType.INTEGER),
                     Column(_free(self.tr("part"), names), ColumnType.TEXT)]
            page = replace(page, columns=tuple(column.name for column in (*extra, *columns)), rows=[
                [*told[place], *row] for place, row in zip(page.places, page.rows, strict=True)])
            columns = [*extra, *columns]
        show_page(self.table, page, columns)
        self.table.set_numbers_up_to(version.rows)
        self._said.setText(words.counted(page.total, self.tr("row"), self.tr("rows")) + (
            self.tr(" · the first {count} are shown").format(count=words.number(_MOST)) if page.total > _MOST else ""))

    def _on_open(self) -> None:
        self.accept()
        self.left.emit()
        self._shell.open_rows(self._reference, self._picked)


def _free(name: str, taken: Sequence[str]) -> str:
    while name in taken:
        name += "_"
    return name
