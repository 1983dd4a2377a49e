"""The Search page: start a search, see every one live with what it has left, open one to steer it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from mldesk.desktop import words
from mldesk.desktop.pages.page import Page
from mldesk.desktop.pages.record_model import Field
from mldesk.desktop.pages.record_table import RecordTable
from mldesk.desktop.pages.row_menu import give_menu
from mldesk.desktop.pages.runs.run_fields import fields, left_of, score, score_words
from mldesk.desktop.pages.runs.run_menu import run_entries
from mldesk.desktop.shell import Shell
from mldesk.desktop.states.lists import DatasetList, SearchList
from mldesk.desktop.states.search import SearchWish
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import Card, ComboBox, EmptyState, PageHeader, disable, enable, make_button

if TYPE_CHECKING:
    from mldesk.desktop.states.lists import Standing
    from mldesk.library.records import Run

_NOTHING, _NO_DATA, _NO_SEARCH, _SEARCHES = range(4)
_LABELS, _ESTIMATOR, _SCORE = 2, 6, 7   # columns of the list of runs: two say nothing of searches, one too little


class SearchesPage(Page):
    """Every search, the newest first. Opening one shows its leaderboard, its curve and what can be done with it."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self.state, self._data = SearchList(shell.desk), DatasetList(shell.desk)
        self.table: RecordTable[Run] = RecordTable(self._fields(), lambda run: run.id, self.tr("Searches"), least=170)
        self.table.opened.connect(lambda run: shell.open_run(run.id))
        give_menu(self.table, lambda run: run_entries(shell, run))
        self._names: list[str] = []
        self.dataset = ComboBox()
        self.dataset.setAccessibleName(self.tr("Dataset to search on"))
        self.dataset.setFixedWidth(220)
        self.begin_button = make_button(self.tr("New search…"), "primary", "search", tooltip=self.tr(
            "Try many models and pipelines on this dataset, and keep a blend of the best"))
        self.begin_button.clicked.connect(self.start)
        self._stack = QStackedWidget()
        for page in self._pages():
            self._stack.addWidget(page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(Space.PAGE, Space.PAGE, Space.PAGE, Space.PAGE)
        layout.setSpacing(Space.L)
        layout.addWidget(PageHeader(self.tr("Search"), "", [self.dataset, self.begin_button]))
        layout.addWidget(self._stack, 1)
        self.keys_to = self.table
        self._clock = QTimer(self, interval=1000)   # what is left, and how long it took
        self._clock.timeout.connect(self._tick)
        self._clock.start()
        self.keep(self.state.runs.subscribe(lambda _: self._show()))
        self.keep(self.state.standing.changed.subscribe(lambda _: self.table.viewport().update()))
        self.keep(self._data.datasets.subscribe(lambda _: self._show()))
        self.keep(shell.desk.unreachable.changed.subscribe(lambda _: self._show()))
        self._show()

    def _fields(self) -> list[Field[Run]]:
        known = fields(self.shell)
        known[_SCORE] = replace(known[_SCORE], text=self._score, tip=self._score_tip, sort=self._score_value)
        known = [item for place, item in enumerate(known) if place not in (_LABELS, _ESTIMATOR)]
        started, took = known[-2:]
        return [*known[:-2], Field(words.tr("Trials"), lambda run: tried(run, self._standing(run)), 70, right=True,
                                   muted=True, spare=2),
                Field(words.tr("Left"), lambda run: left_of(run, self.shell.desk.pace.done(run)), 100, right=True),
                replace(started, spare=1), took]

    def _standing(self, run: Run) -> Standing | None:
        return self.state.standing.value.get(run.id)

    def _score(self, run: Run) -> str:
        """Write the score of its model; while there is none, that of its best trial."""
        stands = self._standing(run)
        if run.result is not None or stands is None:
            return score_words(run)
        return f"{words.metric_name(stands.metric)} {words.metric_value(stands.best)}"

    def _score_value(self, run: Run) -> float:
        stands, known = self._standing(run), score(run)
        return known[1] if known is not None else float("-inf") if stands is None else stands.best

    def _score_tip(self, run: Run) -> str:
        stands = self._standing(run)
        return self._score(run) if run.result is not None or stands is None else self.tr(
            "{score}: the best of {count} so far, on rows that they were not fitted on").format(
                score=self._score(run), count=words.counted(stands.trials, self.tr("trial"), self.tr("trials")))

    def _pages(self) -> list[QWidget]:
        no_data = EmptyState("dataset", self.tr("No data yet"), self.tr(
            "A search learns from a table. Import one first."), self.tr("Import…"), action_icon="import")
        no_data.acted.connect(self.shell.choose_import)
        no_search = EmptyState("search", self.tr("No searches yet"), self.tr(
            "A search tries many models, each with its pipeline, for as long as you give it, and keeps a blend of the "
            "best. Choose a dataset above; searches from the command line show up here, too."),
            self.tr("New search…"), action_icon="search")
        no_search.acted.connect(self.start)
        card = Card(padding=0)
        card.add(self.table, 1)
        return [QWidget(), no_data, no_search, card]

    async def refresh(self) -> None:
        await self._data.refresh()
        await self.state.refresh()

    def start(self) -> None:
        """Open the Train dialog over the chosen dataset, set to search."""
        from mldesk.desktop.pages.runs.train_opening import open_train_dialog

        if self._names:
            open_train_dialog(self.shell, str(self.dataset.value()), {"search": SearchWish()})

    def _show(self) -> None:
        datasets, runs = self._data.datasets.value, self.state.runs.value
        names = [item.name for item in sorted(datasets or (), key=lambda item: -item.head.created)]
        if names != self._names:
            self._names = names
            self.dataset.set_options([(name, name) for name in names], self.dataset.value())
        if names:
            enable(self.begin_button)
        else:
            disable(self.begin_button, self.tr("Import a table first: a search learns from one."))
        self.dataset.setVisible(bool(names))
        if runs is None or datasets is None:
            return
        self.table.set_records(runs)
        self._stack.setCurrentIndex(_SEARCHES if runs else _NO_SEARCH if names else _NO_DATA)

    def _tick(self) -> None:
        if self.isVisible() and any(not run.state.ended for run in self.state.runs.value or ()):
            self.table.viewport().update()


def tried(run: Run, stands: Standing | None = None) -> str:
    """Write how many trials a search has made, as far as its record or its curves say."""
    progress = run.progress or {}
    count = (run.result or {}).get("trials")
    if count is None and progress.get("unit") == "trials":
        count = progress.get("done")
    if count is None and stands is not None:
        count = stands.trials
    return words.MISSING if count is None else words.number(round(float(count)))
