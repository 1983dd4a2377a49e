"""Predict: a file of new rows in, the same rows with predictions out."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, QUrl
from PySide6.QtGui import QDesktopServices, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QMenu, QWidget

from mldesk.core.errors import Conflict, MldeskError
from mldesk.desktop import words
from mldesk.desktop.errors import sentence
from mldesk.desktop.pages.answer_table import show_page
from mldesk.desktop.pages.file_choice import choose_files, choose_place, open_folder, table_filters
from mldesk.desktop.pages.notice import Notice
from mldesk.desktop.pages.room import fitting
from mldesk.desktop.shell import Shell
from mldesk.desktop.states.model import Predictions
from mldesk.desktop.tasks import TaskOwner, async_slot
from mldesk.desktop.theme import Space, Tone
from mldesk.desktop.widgets import ComboBox, DataTable, FormRow, ScrollPage, Sheet, Switch, disable, make_button

if TYPE_CHECKING:
    from mldesk.workbench.predictions import PredictionReport

_LISTED = 40   # datasets in the menu; any other can be written
OUTPUTS = ("CSV (*.csv)", "Parquet (*.parquet)", "JSON lines (*.jsonl)", "Excel (*.xlsx)")


class PredictDialog(Sheet, TaskOwner):
    """Asks for both files, predicts, and says how it went."""

    def __init__(self, shell: Shell, model: str) -> None:
        super().__init__(self.tr("Predict with {model}").format(model=model), shell.host, primary=self.tr("Predict"),
                         text=self.tr("Each row of a file or dataset gets a prediction, in the same order."), width=560)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._shell, self._model = shell, model
        self._predictions = Predictions(shell.desk)
        self._can_clean = False   # there are recipes to clean with
        self._own_output = False  # the user chose where to write
        self.source, source = self._file_row(self._choose_source)
        self.output, output = self._file_row(self._choose_output)
        self.source.setPlaceholderText(self.tr("A file, or NAME@VERSION"))
        self._tables: tuple[str, ...] = ()   # versions of datasets that may be predicted
        self.dataset = make_button(self.tr("Dataset…"), "secondary", "dataset")
        self.dataset.clicked.connect(self._choose_dataset)
        layout = source.layout()
        if layout is not None:
            layout.addWidget(self.dataset)
        self.source.textChanged.connect(self._on_source)
        self.output.textChanged.connect(lambda _: self._check())
        self.output.textEdited.connect(lambda _: setattr(self, "_own_output", True))
        self._asking: list[QWidget] = [
            FormRow(self.tr("Rows to predict"), source, self.tr("Needs the columns the model learned from.")),
            FormRow(self.tr("Write predictions to"), output, self.tr(
                "A .csv, .parquet, .jsonl or .xlsx file: a prediction per row, and the probability of each class."))]
        self.level = ComboBox()
        for title, level in ((self.tr("none"), None), ("80 %", 0.8), ("90 %", 0.9), ("95 %", 0.95)):
            self.level.addItem(title, level)
        self._asking.append(FormRow(self.tr("Intervals"), self.level, self.tr(
            "What holds the truth in that share of rows: two ends of a number, a set of classes.")))
        self.keep = ComboBox()
        for title, value in ((self.tr("those that tell rows apart"), "keys"),
                             (self.tr("every column of the file"), "all"), (self.tr("none"), "none")):
            self.keep.addItem(title, value)
        self._asking.append(FormRow(self.tr("Columns to keep"), self.keep, self.tr(
            "Written before the predictions. An id or a name of its own tells a row apart.")))
        self.broken = ComboBox()
        for title, value in ((self.tr("predict them and say so"), "say"), (self.tr("refuse the file"), "refuse"),
                             (self.tr("leave them out, into a file of rejects"), "leave out")):
            self.broken.addItem(title, value)
        self._asking.append(FormRow(self.tr("Rows that break the contract"), self.broken, self.tr(
            "The contract of the dataset the model learned from, where it has one; a bundle brings it along. Left out "
            "are also rows that no model could read.")))
        self.clean = Switch(self.tr("Clean them first"))
        self.clean.setAccessibleName(self.tr("Clean the rows first"))
        self._cleaning = FormRow(self.tr("Rows as they were before cleaning"), self.clean, self.tr(
            "What the recipes of the model's table did is done to them as well."))
        self._cleaning.hide()
        self.cleaned = Notice()
        self.cleaned.hide()
        self._asking[1:1] = [self._cleaning, self.cleaned]
        self._done = self._replace = False
        self._notice = Notice()
        self._table = DataTable()
        self._form = ScrollPage(margin=0)   # a low screen, or large text, leaves no room for all of it
        self._form.body.setContentsMargins(0, 0, Space.M, 0)
        for item in self._asking:
            self._form.body.addWidget(item)
        self._form.body.addStretch(1)
        self.add(self._notice)
        self.body.addWidget(self._form, 1)
        self.body.addWidget(self._table, 1)
        self._table.hide()
        self._look = QTimer(self, interval=250)  # at the rows that the worker thread has counted
        self._look.timeout.connect(self._show_rows)
        self._settled = QTimer(self, singleShot=True, interval=300)   # while a path is being typed
        self._settled.timeout.connect(self._look_at_source)
        self.setAcceptDrops(True)
        self.confirmed.connect(self._on_confirmed)
        self.finished.connect(self.cancel_tasks)
        self.resize(fitting(self, 580, 640))
        self._check()
        self._look_for_recipes()
        self._look_for_tables()

    @async_slot
    async def _look_for_recipes(self) -> None:
        """Offer cleaning where the model learned from a cleaned table."""
        try:
            chain = await self._predictions.cleaning(self._model)
        except (MldeskError, OSError):  # whoever predicts says it
            return
        self._can_clean = bool(chain.recipes)
        self._cleaning.setVisible(self._can_clean)
        if chain.why_not:
            disable(self.clean, chain.why_not)
        self._settled.start()

    @async_slot
    async def _look_for_tables(self) -> None:
        """Offer what is in the library."""
        self._tables = await self._predictions.tables()
        if not self._tables:
            disable(self.dataset, self.tr("There is no dataset in the library yet."))
        self._check()

    def _choose_dataset(self) -> None:
        menu = QMenu(self)
        for label in self._tables[:_LISTED]:
            menu.addAction(label, partial(self.source.setText, label))
        menu.popup(self.dataset.mapToGlobal(self.dataset.rect().bottomLeft()))

    def _is_dataset(self, text: str) -> bool:
        return not Path(text).is_file() and text.partition("@")[0] in {label.rpartition("@")[0]
                                                                        for label in self._tables}

    @async_slot
    async def _look_at_source(self) -> None:
        """Say of rows that are cleaned already that they are, instead of offering to clean them again."""
        path = Path(self.source.text().strip())
        if not self._can_clean or not path.name:
            return
        if self._is_dataset(str(path)):
            self.cleaned.hide()
            self._cleaning.show()
            return
        try:
            why = await self._predictions.why_cleaned(self._model, path)
        except (MldeskError, OSError):  # whoever predicts says it
            why = ""
        if path != Path(self.source.text().strip()):
            return
        if why:
            self.clean.setChecked(False)
            self.cleaned.say("info", self.tr("These rows seem to be cleaned already."),
                             self.tr("There is nothing to clean again: {why}.").format(why=why), small=True)
        self.cleaned.setVisible(bool(why))
        self._cleaning.setVisible(not why)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if not self._done and _dropped(event) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        path = _dropped(event)
        if path is not None and not self._done:
            event.acceptProposedAction()
            self.source.setText(str(path))

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
        if self._is_dataset(text.strip()):
            path = Path.home() / text.strip().partition("@")[0]
        if path.name and not self._own_output:  # "/" and ".." have no name yet: the path is still being typed
            self.output.setText(str(path.with_name(f"{path.name.split('.')[0]}-predictions.csv")))
        self._settled.start()
        self._check()

    def _check(self) -> None:
        self.set_error("")
        self._replace = False
        self.primary.setText(self.tr("Predict"))
        if not self.source.text().strip():
            self.set_primary_enabled(self.tr("Choose the file or dataset with the rows to predict."))
        elif not Path(self.source.text().strip()).is_file() and not self._is_dataset(self.source.text().strip()):
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
        source, output = self.source.text().strip(), Path(self.output.text().strip())
        self.set_error("")
        self.set_busy(self.tr("Predicting…"))
        self._look.start()
        try:
            report = await self._predictions.predict(self._model, source, output, **self._wishes(output))
        except Conflict as error:
            self.set_busy("")
            self.set_error(error.message)
            self._replace = True
            self.primary.setText(self.tr("Replace it"))
            return
        except (MldeskError, OSError) as error:
            self.set_busy("")
            self.set_error(sentence(error))
            return
        finally:
            self._look.stop()
        self.set_busy("")
        await self._show_result(report)

    def _wishes(self, output: Path) -> dict[str, object]:
        keep, broken = self.keep.currentData(), self.broken.currentData()
        return {"level": self.level.currentData(), "keep": None if keep == "all" else (), "keep_keys": keep == "keys",
                "strict": broken == "refuse", "replace": self._replace, "clean": self.clean.isChecked(),
                "rejects": output.with_name(f"{output.stem}-rejects.csv") if broken == "leave out" else None}

    async def _show_result(self, report: PredictionReport) -> None:
        """Show what was written, and the ways on from here."""
        output = report.output
        self._done = True
        self._form.hide()
        tone: Tone = "warning" if report.doubtful else "success"
        self._notice.say(tone, self.tr("Predicted {rows} into {name}.").format(
            rows=words.counted(report.rows, self.tr("row"), self.tr("rows")), name=output.name),
            " ".join([*self._left_out(report), *report.warnings[:3]]), small=True)
        self._table.show()
        self.primary.setText(self.tr("Open the file"))
        self.primary.setFocus()
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

    def _left_out(self, report: PredictionReport) -> list[str]:
        name = f"{report.output.stem}-rejects.csv"
        if report.left_out:
            return [self.tr("{rows} left out, written to {name}.").format(
                rows=words.counted(report.left_out, self.tr("row"), self.tr("rows")), name=name)]
        return [] if self.broken.currentData() != "leave out" else [
            self.tr("No row left out; {name} holds only the names of its columns.").format(name=name)]

    def _import(self, output: Path) -> None:
        self.accept()
        self._shell.import_files([output])


def _dropped(event: QDropEvent) -> Path | None:
    """Return the one file that is dragged here."""
    paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
    return paths[0] if len(paths) == 1 and paths[0].is_file() else None
