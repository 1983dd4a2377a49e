"""The Predict page: choose a model, predict a file or one row, and find every file of predictions again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from mldesk.desktop.pages.models.prediction_files import entries, fields, open_file
from mldesk.desktop.pages.page import Page
from mldesk.desktop.pages.record_table import RecordTable
from mldesk.desktop.pages.row_menu import give_menu
from mldesk.desktop.shell import Shell
from mldesk.desktop.states.predicted import PredictionList
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import Card, ComboBox, EmptyState, PageHeader, SearchField, disable, enable, make_button

if TYPE_CHECKING:
    from mldesk.library.records import PredictionRecord

_NOTHING, _NO_MODEL, _NO_FILE, _FILES = range(4)


class PredictionsPage(Page):
    """Predicting by any model of the library. Where there is none, the way to the first."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self.state = PredictionList(shell.desk)
        self.table: RecordTable[PredictionRecord] = RecordTable(
            fields(lambda item: self.state.states.value.get(item.key, "")), lambda item: item.key,
            self.tr("Files of predictions"))
        self.table.opened.connect(lambda item: open_file(shell, item))
        give_menu(self.table, lambda item: entries(shell, item))
        self._names: list[str] = []
        self.model = ComboBox()
        self.model.setAccessibleName(self.tr("Model to predict with"))
        self.model.setFixedWidth(220)
        self.one = make_button(self.tr("One row…"), "secondary", "edit",
                               tooltip=self.tr("Fill in a form and see what the model says, and why"))
        self.one.clicked.connect(lambda: shell.open_model(str(self.model.value()), tab="try"))
        self.file = make_button(self.tr("A file…"), "primary", "predict",
                                tooltip=self.tr("Predict every row of a file"))
        self.file.clicked.connect(lambda: shell.predict(str(self.model.value())))
        self._search = SearchField(self.tr("Find a file"))
        self._search.setFixedWidth(200)
        self._search.searched.connect(self.table.set_filter)
        self._stack = QStackedWidget()
        for page in self._pages():
            self._stack.addWidget(page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(Space.PAGE, Space.PAGE, Space.PAGE, Space.PAGE)
        layout.setSpacing(Space.L)
        layout.addWidget(PageHeader(self.tr("Predict"), "", [self._search, self.model, self.one, self.file]))
        layout.addWidget(self._stack, 1)
        self.keys_to = self.table
        self.keep(self.state.models.subscribe(lambda _: self._show()))
        self.keep(self.state.states.subscribe(lambda _: self._show()))

    def _pages(self) -> list[QWidget]:
        no_model = EmptyState("model", self.tr("No model yet"), self.tr(
            "Every run that succeeds leaves a model, which predicts then. A bundle from somebody else does, too: it is "
            "imported among the models."), self.tr("Go to the datasets"), action_icon="dataset")
        no_model.acted.connect(lambda: self.shell.go("datasets"))
        no_file = EmptyState("predict", self.tr("No predictions yet"), self.tr(
            "Choose a model above, then a file with rows to predict. Every file that is written is listed here: by "
            "which model, from which rows, when, and whether it was changed since."),
            self.tr("Predict a file…"), action_icon="predict")
        no_file.acted.connect(self.file.click)
        card = Card(padding=0)
        card.add(self.table, 1)
        return [QWidget(), no_model, no_file, card]

    async def refresh(self) -> None:
        await self.state.refresh()

    def _show(self) -> None:
        models, made = self.state.models.value, self.state.made.value
        if models is None:
            return
        names = [item.name for item in models]
        if names != self._names:
            self._names = names
            self.model.set_options([(name, name) for name in names], self.model.value())
        for button in (self.one, self.file):
            enable(button) if names else disable(button, self.tr("There is no model in the library yet."))
        self.model.setVisible(bool(names))
        self._search.setVisible(bool(made))
        self.table.set_records(made)
        self._stack.setCurrentIndex(_FILES if made else _NO_FILE if names else _NO_MODEL)
