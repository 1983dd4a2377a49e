"""Predict: a file of new rows in, the same rows with predictions out."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from mldesk.core.errors import MldeskError
from mldesk.desktop import words
from mldesk.desktop.errors import sentence
from mldesk.desktop.pages.bring_in import table_filters
from mldesk.desktop.pages.dataset import open_folder
from mldesk.desktop.pages.file_choice import choose_files, choose_place
from mldesk.desktop.shell import Shell
from mldesk.desktop.states.model import Predictions
from mldesk.desktop.tasks import TaskOwner, async_slot
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import FormRow, Sheet, make_button

OUTPUTS = ("CSV (*.csv)", "Parquet (*.parquet)", "JSON lines (*.jsonl)")


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
        self.add(FormRow(self.tr("Rows to predict"), source, self.tr("Needs the columns the model learned from.")))
        self.add(FormRow(self.tr("Write predictions to"), output, self.tr(
            "A .csv, .parquet or .jsonl file: a prediction per row, and the probability of each class.")))
        self.body.addStretch(1)
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
        source, output = Path(self.source.text().strip()), Path(self.output.text().strip())
        self.set_busy(self.tr("Predicting…"))
        self._look.start()
        try:
            report = await self._predictions.predict(self._model, source, output)
        except (MldeskError, OSError) as error:
            self.set_busy("")
            self.set_error(sentence(error))
            return
        finally:
            self._look.stop()
        self.accept()
        text = self.tr("Predicted {rows} into {name}.").format(
            rows=words.counted(report.rows, self.tr("row"), self.tr("rows")), name=output.name)
        if report.warnings:
            text += " " + " ".join(report.warnings[:3])
        self._shell.say(text, "warning" if report.warnings else "success",
                        (self.tr("Open its folder"), lambda: open_folder(output)))
