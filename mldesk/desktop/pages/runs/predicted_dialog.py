"""The rows behind one cell of a confusion matrix, and the way from each to its place in the dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from mldesk.core.errors import MldeskError
from mldesk.desktop import theme, words
from mldesk.desktop.errors import sentence
from mldesk.desktop.pages.record_model import Field
from mldesk.desktop.pages.record_table import RecordTable
from mldesk.desktop.shell import Shell
from mldesk.desktop.tasks import in_thread, start
from mldesk.desktop.widgets import Sheet

if TYPE_CHECKING:
    from mldesk.workbench.predicted_rows import PredictedRow, PredictedRows


def open_cell(shell: Shell, run: str, dataset: str, actual: object, predicted: object) -> None:
    """Show the test rows of ``actual`` that ``run`` called ``predicted``; ``dataset`` is ``name@version``."""
    start(_open(shell, run, dataset, actual, predicted), f"read the predictions of {run}")


async def _open(shell: Shell, run: str, dataset: str, actual: object, predicted: object) -> None:
    try:
        found = await in_thread(shell.desk.workbench.judging.predictions_where, run, actual, predicted)
    except (MldeskError, OSError) as error:
        shell.say(sentence(error), "danger")
        return
    if not found.total:
        shell.say(words.tr("No row of “{actual}” was predicted as “{predicted}”.").format(
            actual=words.cell(actual), predicted=words.cell(predicted)), "neutral")
        return
    PredictedDialog(shell, dataset, found).open()


class PredictedDialog(Sheet):
    """Lists the rows; one that is opened is shown in the dataset."""

    def __init__(self, shell: Shell, dataset: str, found: PredictedRows) -> None:
        first = found.rows[0]
        title = words.tr("{count} of “{actual}”, predicted as “{predicted}”").format(
            count=words.counted(found.total, words.tr("row"), words.tr("rows")), actual=words.cell(first.actual),
            predicted=words.cell(first.predicted))
        text = words.tr("Test rows of {dataset}, the surest first.").format(dataset=dataset)
        if found.total > len(found.rows):
            text += " " + words.tr("The first {count} are shown.").format(count=words.number(len(found.rows)))
        super().__init__(title, shell.host, text=text, primary=words.tr("Show in the dataset"),
                         secondary=words.tr("Close"), width=520)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._shell, self._dataset = shell, dataset
        fields: list[Field[PredictedRow]] = [
            Field(words.tr("Row"), lambda item: words.number(item.row + 1), 100, lambda item: item.row, right=True),
            Field(words.tr("Actual"), lambda item: words.cell(item.actual), strong=True),
            Field(words.tr("Predicted"), lambda item: words.cell(item.predicted)),
            Field(words.tr("Probability"), lambda item: words.MISSING if item.probability is None
                  else words.share(item.probability), 110, lambda item: item.probability or 0.0, right=True)]
        self.table: RecordTable[PredictedRow] = RecordTable(fields, lambda item: item.row, title, dense=True)
        self.table.set_records(found.rows)
        self.table.setMinimumHeight(theme.px(320))
        self.table.chosen.connect(self._on_chosen)
        self.table.opened.connect(self._show)
        self.body.addWidget(self.table, 1)
        self.confirmed.connect(lambda: self._show(self.table.selected()[0]))
        self.table.select([first.row])

    def _on_chosen(self) -> None:
        self.set_primary_enabled("" if self.table.selected() else words.tr("Choose a row first."))

    def _show(self, item: PredictedRow) -> None:
        self.accept()
        self._shell.open_row(self._dataset, item.row)
