"""The list of runs, live, whoever started them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from mldesk.core.errors import MldeskError
from mldesk.core.run_filter import RunFilter
from mldesk.desktop import words
from mldesk.desktop.errors import sentence
from mldesk.desktop.pages.file_choice import choose_files, choose_folder
from mldesk.desktop.pages.page import Page
from mldesk.desktop.pages.record_table import RecordTable
from mldesk.desktop.pages.row_menu import Entry, give_menu, popup
from mldesk.desktop.pages.runs.report_place import ask_csv
from mldesk.desktop.pages.runs.run_fields import LABELS, fields
from mldesk.desktop.pages.runs.run_filter import RunFilterBar
from mldesk.desktop.pages.runs.run_menu import run_entries
from mldesk.desktop.pages.runs.script_dialog import open_script_dialog
from mldesk.desktop.shell import Shell
from mldesk.desktop.states.lists import RunList
from mldesk.desktop.states.run_reasons import why_not_compare
from mldesk.desktop.tasks import async_slot, in_thread
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import (
    Card,
    EmptyState,
    PageHeader,
    disable,
    enable,
    make_button,
    row,
)
from mldesk.wire.states import JobState

if TYPE_CHECKING:
    from mldesk.library.records import Run


class RunsPage(Page):
    """Every run. Two or more can be chosen and compared."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self.state = RunList(shell.desk)
        self._looking = False
        self.table: RecordTable[Run] = RecordTable(
            fields(shell, lambda: self.state.places.value), lambda run: run.id, self.tr("Runs"), many=True, least=190)
        self.table.opened.connect(lambda run: shell.open_run(run.id))
        self.table.chosen.connect(self._check)
        give_menu(self.table, lambda run: run_entries(shell, run, chosen=self.table.selected()))
        self.bar = RunFilterBar(shell, self.state)
        self.bar.sorted_by = self.table.sorted_by
        self.bar.changed.connect(self._sort_as_kept)
        self.bar.changed.connect(lambda _: self.begin(self.state.refresh(), "read the runs that are wanted"))
        self._export = make_button(self.tr("Export…"), "secondary", "export")
        self._export.clicked.connect(self.export)
        self._compare = make_button(self.tr("Compare"), "secondary", "compare")
        self._compare.clicked.connect(self.compare)
        script = make_button(self.tr("Run a script…"), "secondary", "play")
        script.setToolTip(self.tr("Run a Python program of your own, with curves, on any runner"))
        script.clicked.connect(lambda: open_script_dialog(shell))
        self._import = make_button(self.tr("Import…"), "secondary", "import")
        self._import.setToolTip(self.tr("Take over runs that MLflow or TensorBoard kept"))
        self._import.clicked.connect(lambda: popup(self, self.import_entries(), self._import.mapToGlobal(
            self._import.rect().bottomLeft())))
        header = PageHeader(self.tr("Runs"), "", [self._import, self._export, script, self._compare])
        self._stack = QStackedWidget()
        self._stack.addWidget(QWidget())
        empty = EmptyState("run", self.tr("No runs yet"),
                           self.tr("A run is one training. Open a dataset and press Train; "
                                   "runs started from the command line show up here, too."),
                           self.tr("Go to the datasets"), action_icon="dataset")
        empty.acted.connect(lambda: shell.go("datasets"))
        self._stack.addWidget(empty)
        card = Card(padding=0)
        card.add(self.table, 1)
        self._older = make_button(self.tr("Show older runs"), "link")
        self._older.clicked.connect(lambda: self.begin(self.state.read_older(), "read older runs"))
        card.add(row(None, self._older, None, margins=(0, 0, 0, Space.M)))
        self._stack.addWidget(card)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(Space.PAGE, Space.PAGE, Space.PAGE, Space.PAGE)
        layout.setSpacing(Space.L)
        layout.addWidget(header)
        layout.addWidget(self.bar)
        layout.addWidget(self._stack, 1)
        self.keys_to = self.table
        self._clock = QTimer(self, interval=1000)  # durations of runs that go on
        self._clock.timeout.connect(self._tick)
        self._clock.start()
        self.keep(self.state.has_older.subscribe(self._older.setVisible))
        self.keep(self.state.runs.subscribe(lambda _: self._show()))
        self.keep(shell.desk.unreachable.changed.subscribe(lambda _: self._show()))
        self._look = QTimer(self, interval=3000)  # at the queues, while a run waits
        self._look.timeout.connect(self._look_in_queues)
        self._look.start()
        self.keep(self.state.places.changed.subscribe(lambda _: self._show()))
        self._check()

    async def refresh(self) -> None:
        await self.state.refresh()
        self._look_in_queues()

    def _look_in_queues(self) -> None:
        waits = any(run.state is JobState.QUEUED for run in self.state.runs.value or ())
        if self.isVisible() and not self._looking and (waits or self.state.places.value):
            self.begin(self._look_once(), "look in the queues")

    async def _look_once(self) -> None:
        self._looking = True
        try:
            await self.state.look_in_queues()
        finally:
            self._looking = False

    def _show(self) -> None:
        runs, narrowed = self.state.runs.value, self.state.wanted != RunFilter()
        if runs is not None:
            self.table.leave_out(() if any(run.group or run.tags for run in runs) else (LABELS,))
            self.table.set_records(runs)
        for tool in (self.bar, self._compare, self._export):
            tool.setVisible(bool(runs) or narrowed)
        self._stack.setCurrentIndex(0 if runs is None else 2 if runs or narrowed else 1)
        self.bar.show_line()
        self._check()

    def _sort_as_kept(self, wanted: RunFilter) -> None:
        if wanted.sort:
            self.table.sort_by(wanted.sort)

    def _tick(self) -> None:
        if self.isVisible() and any(not run.state.ended for run in self.state.runs.value or ()):
            self.table.viewport().update()

    def _check(self) -> None:
        reason = why_not_compare(self.table.selected())
        if reason:
            disable(self._compare, reason)
        else:
            enable(self._compare)
        if self.table.records.records:
            enable(self._export)
            self._export.setToolTip(self.tr("Write the list as CSV, with every score and parameter"))
        else:
            disable(self._export, self.tr("There is no run in the list."))

    def import_entries(self) -> list[Entry]:
        """Return what the Import menu holds."""
        title, what = self.tr("Import runs"), [self.tr("MLflow databases and TensorBoard logs") + " (*)"]
        return [Entry("folder", self.tr("A folder of MLflow (mlruns) or TensorBoard…"),
                      lambda: choose_folder(self.shell.host, title, self.take_over)),
                Entry("file", self.tr("A database of MLflow, or an event file of TensorBoard…"),
                      lambda: choose_files(self.shell.host, title, what, lambda paths: self.take_over(paths[0])))]

    @async_slot
    async def take_over(self, path: Path) -> None:
        """Make runs of what another program kept; the same ones come in only once."""
        disable(self._import, self.tr("Runs are being imported."))
        try:
            found = await in_thread(self.shell.desk.workbench.run_import.take, path)
        except (MldeskError, OSError) as error:
            self.shell.say(sentence(error), "danger")
            return
        finally:
            enable(self._import)
        taken = self.tr("Took over {count} from {name}.").format(
            count=words.counted(len(found.runs), self.tr("run"), self.tr("runs")), name=path.name)
        known = "" if not found.known else self.tr("1 was here already.") if found.known == 1 else self.tr(
            "{count} were here already.").format(count=words.number(found.known))
        self.shell.desk.nudge()
        if found.unreadable:   # the first says what kind of damage it is
            stayed = self.tr("{count} could not be read. {name}: {why}").format(
                count=words.counted(len(found.unreadable), self.tr("run"), self.tr("runs")),
                name=f"{found.unreadable[0].name:.80}",
                why=sentence(found.unreadable[0].why))
            self.shell.say(" ".join(filter(None, (taken, known, stayed))), "warning")
        else:
            self.shell.say(f"{taken} {known}".strip(), "success")
        self.refresh_soon()

    def export(self) -> None:
        """Write the runs that are shown as CSV."""
        ask_csv(self.shell, self.table.records.records, "runs")

    def compare(self) -> None:
        """Show the chosen runs side by side."""
        runs = self.table.selected()
        if len(runs) > 1:
            self.shell.compare_runs([run.id for run in runs])
