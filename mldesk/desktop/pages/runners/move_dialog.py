"""Move a run: it stops where it is after its last checkpoint, and goes on from there on another runner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from mldesk.core.errors import MldeskError
from mldesk.desktop import runner_words
from mldesk.desktop.errors import sentence
from mldesk.desktop.pages.runners.runner_choice import ChoiceList, Option
from mldesk.desktop.shell import Shell
from mldesk.desktop.tasks import TaskOwner, async_slot, in_remote, in_thread, start
from mldesk.desktop.widgets import ScrollPage, Sheet

if TYPE_CHECKING:
    from mldesk.library.records import Run, RunnerRecord


def open_move_dialog(shell: Shell, run: Run) -> None:
    """Open the dialog over a run that has not ended, or was interrupted."""
    start(_open(shell, run), f"open the Move dialog for {run.id}")


async def _open(shell: Shell, run: Run) -> None:
    records = await in_thread(shell.desk.workbench.runners.list)
    MoveDialog(shell, run, records).open()


class MoveDialog(Sheet, TaskOwner):
    """Chooses another runner."""

    def __init__(self, shell: Shell, run: Run, records: list[RunnerRecord]) -> None:
        super().__init__(self.tr("Move {name}").format(name=run.name), shell.host, primary=self.tr("Move"), width=480,
                         text=self.tr("It stops on {runner} and goes on from its last checkpoint where you choose. "
                                      "Nothing that it has learned until then is lost.").format(
                             runner=runner_words.where(run.runner)))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._shell, self._run = shell, run
        self.choice = ChoiceList(self.tr("Runners"))
        self.choice.set_options([self._option(record) for record in records])
        first = next((record.name for record in records if not self._why_not(record)), "")
        if first:
            self.choice.set_value(first)
        page = ScrollPage(margin=0)
        page.body.addWidget(self.choice)
        page.body.addStretch(1)
        self.body.addWidget(page, 1)
        self.choice.changed.connect(lambda _: self._check())
        self.confirmed.connect(self._on_confirmed)
        self.finished.connect(self.cancel_tasks)
        self.resize(500, 380)
        self._check()

    def _why_not(self, record: RunnerRecord) -> str:
        if record.name == self._run.runner:
            return self.tr("It is there now.")
        if record.unreachable is not None:
            return self.tr("Unreachable since {time}.").format(time=runner_words.clock(record.unreachable))
        return ""

    def _option(self, record: RunnerRecord) -> Option:
        return Option(record.name, runner_words.runner_name(record.name), runner_words.where_icon(record.name),
                      runner_words.devices(record.facts), "", self._why_not(record))

    def _check(self) -> None:
        self.set_primary_enabled("" if self.choice.value() else self.tr(
            "There is no other runner that can be reached. Add one on the Runners page."))

    @async_slot
    async def _on_confirmed(self) -> None:
        target = str(self.choice.value())
        self.set_error("")
        self.set_busy(self.tr("Moving…"))
        self._shell.allow_questions()
        try:
            await in_remote(self._shell.desk.workbench.runs.move, self._run.id, target)
        except MldeskError as error:
            self.set_busy("")
            self.set_error(sentence(error))
            return
        self._shell.desk.nudge()
        self.accept()
        self._shell.say(self.tr("{name} goes on on {runner}.").format(
            name=self._run.name, runner=runner_words.where(target)), "success")
