"""Predict: a file of new rows in, the same rows with predictions out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from mldesk.core.errors import MldeskError
from mldesk.desktop import words
from mldesk.desktop.errors import sentence
from mldesk.desktop.pages.answer_table import show_page
from mldesk.desktop.pages.bring_in import table_filters
from mldesk.desktop.pages.data.dataset import open_folder
from mldesk.desktop.pages.file_choice import choose_files, choose_place
from mldesk.desktop.pages.notice import Notice
from mldesk.desktop.pages.room import fitting
from mldesk.desktop.shell import Shell
from mldesk.desktop.states.model import Predictions
from mldesk.desktop.tasks import TaskOwner, async_slot
from mldesk.desktop.theme import Space, Tone
from mldesk.desktop.widgets import ComboBox, DataTable, FormRow, Sheet, make_button

if TYPE_CHECKING:
    from mldesk.workbench.predictions import PredictionReport

OUTPUTS = ("CSV (*.csv)", "Parquet (*.parquet)", "JSON lines (*.jsonl)", "Excel (*.xlsx)")


class PredictDialog(Sheet, TaskOwner):
    """Asks for both files, predicts, and says how it went."""

    def __init__(self, shell: Shell, model: str) -> None:
        super().__init__(self.tr("Predict with {model}").format(model=model), shell.host, primary=self.tr("Predict"),
                         text=self.tr("Every row of a file gets a prediction, in the same order."), width=560)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._shell, self._model = shell, model
        self._predictions = Predictions(shell.desk)
        self._own_output = False  # the user chose where to write
        self.source, source = self._file_row(self._choose_source)
        self.output, output = self._file_row(self._choose_output)
        self.source.setPlaceholderText(self.tr("CSV, Excel, JSON or Parquet"))
        self.source.textChanged.connect(self._on_source)
        self.output.textChanged.connect(lambda _: self._check())
        self.output.textEdited.connect(lambda _: setattr(self, "_own_output", True))
        self._asking = [
            FormRow(self.tr("Rows to predict"), source, self.tr("Needs the columns the model learned from.")),
            FormRow(self.tr("Write predictions to"), output, self.tr(
                "A .csv, .parquet, .jsonl or .xlsx file: a prediction per row, and the probability of each class."))]
        self.level = ComboBox()
        for title, level in ((self.tr("none"), None), ("80 %", 0.8), ("90 %", 0.9), ("95 %", 0.95)):
            self.level.addItem(title, level)
        self._asking.append(FormRow(self.tr("Intervals"), self.level, self.tr(
            "Also say what holds the truth in at least that share of rows: two ends of a number, a set of classes.")))
        self._done = False
        self._notice = Notice()
        self._table = DataTable()
        for item in (*self._asking, self._notice):
            self.add(item)
        self.body.addWidget(self._table, 1)
        self._table.hide()
        self._look = QTimer(self, interval=250)  # at the rows that the worker thread has counted
        self._look.timeout.connect(self._show_rows)
        self.confirmed.connect(self._on_confirmed)
        self.finished.connect(self.cancel_tasks)
        self._check()

    def _file_row(self, choose: object) -> tuple[QLineEdit, QWidget]:
        field = QLineEdit()
        button = make_button(self.tr("Browse…"), "secondary", "folder")
        button.clicked.connect(choose)
        row = QWidget()
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.S)
        layout.addWidget(field, 1)
        layout.addWidget(button)
        row.setFocusProxy(field)
        return field, row

    def _choose_source(self) -> None:
        choose_files(self, self.tr("Rows to predict"), table_filters(),
                     lambda paths: self.source.setText(str(paths[0])))

    def _choose_output(self) -> None:
        def chosen(path: Path) -> None:
            self._own_output = True
            self.output.setText(str(path))

        choose_place(self, self.tr("Write predictions to"), OUTPUTS, "predictions.csv", chosen)

    def _on_source(self, text: str) -> None:
        path = Path(text.strip())
        if path.name and not self._own_output:  # "/" and ".." have no name yet: the path is still being typed
            self.output.setText(str(path.with_name(f"{path.name.split('.')[0]}-predictions.csv")))
        self._check()

    def _check(self) -> None:
        self.set_error("")
        if not self.source.text().strip():
            self.set_primary_enabled(self.tr("Choose the file with the rows to predict."))
        elif not Path(self.source.text().strip()).is_file():
            self.set_primary_enabled(self.tr("There is no such file."))
        elif not self.output.text().strip():
            self.set_primary_enabled(self.tr("Choose where the predictions are written."))
        else:
            self.set_primary_enabled("")

    def _show_rows(self) -> None:
        if self._predictions.rows:
            self.set_busy(self.tr("Predicting… {rows} so far").format(rows=words.counted(
                self._predictions.rows, self.tr("row"), self.tr("rows"))))

    @async_slot
    async def _on_confirmed(self) -> None:
        if self._done:
            QDesktopServices.openUrl(QUrl.fromLocalFile(self.output.text().strip()))
            return
        source, output = Path(self.source.text().strip()), Path(self.output.text().strip())
        self.set_busy(self.tr("Predicting…"))
        self._look.start()
        try:
            report = await self._predictions.predict(self._model, source, output,
                                                     self.level.currentData())
        except (MldeskError, OSError) as error:
            self.set_busy("")
            self.set_error(sentence(error))
            return
        finally:
            self._look.stop()
        self.set_busy("")
        await self._show_result(report)

    async def _show_result(self, report: PredictionReport) -> None:
        """Show what was written, and the ways on from here."""
        output = report.output
        self._done = True
        for item in self._asking:
            item.hide()
        tone: Tone = "warning" if report.warnings else "success"
        self._notice.say(tone, self.tr("Predicted {rows} into {name}.").format(
            rows=words.counted(report.rows, self.tr("row"), self.tr("rows")), name=output.name),
            " ".join(report.warnings[:3]))
        self._table.show()
        self.primary.setText(self.tr("Open the file"))
        self.secondary.setText(self.tr("Close"))
        for text, icon, act in ((self.tr("Show in its folder"), "folder", lambda: open_folder(output)),
                                (self.tr("Import as a dataset"), "dataset", lambda: self._import(output))):
            button = make_button(text, "ghost", icon)
            button.clicked.connect(act)
            self.extra.addWidget(button)
        self.resize(fitting(self, 860, 560))
        try:
            show_page(self._table, await self._predictions.look(output))
        except OSError as error:
            self.set_error(sentence(error))

    def _import(self, output: Path) -> None:
        self.accept()
        self._shell.import_files([output])
