"""Another start for a run that waits: at a moment, or now."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from mldesk.core.errors import MldeskError
from mldesk.desktop import words
from mldesk.desktop.errors import sentence
from mldesk.desktop.pages.asking import asked
from mldesk.desktop.shell import Shell
from mldesk.desktop.tasks import TaskOwner, async_slot, in_remote, start
from mldesk.desktop.widgets import FormRow, MomentBox, Sheet

if TYPE_CHECKING:
    from mldesk.library.records import Run


class StartDialog(Sheet, TaskOwner):
    """Asks for the moment."""

    def __init__(self, shell: Shell, run: Run) -> None:
        super().__init__(self.tr("Start {name} at…").format(name=run.name), shell.host,
                         primary=self.tr("Set the start"), width=440, text=self.tr(
                             "It waits in the queue of {runner} until then, by the clock there.").format(
                                 runner=run.runner) if run.runner != "local" else "")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._shell, self._run = shell, run
        self.moment = MomentBox()
        if (due := run.due(time.time())) is not None:
            self.moment.set_value(due)
        self._row = FormRow(self.tr("Start at"), self.moment)
        self.body.addWidget(self._row)
        self.moment.changed.connect(lambda: self.set_error(""))
        self.confirmed.connect(self.set_start)
        self.finished.connect(self.cancel_tasks)

    @async_slot
    async def set_start(self) -> None:
        """Tell the run's runner of it."""
        moment = self.moment.value()
        service = self._shell.desk.workbench.schedule
        run = await asked(self, self._shell, self.tr("Telling the runner…"),
                          lambda: service.start_at(self._run.id, moment))
        if run is not None:
            self._shell.say(self.tr("{name} starts {moment}.").format(name=run.name, moment=words.upcoming(moment)),
                            "success")


def start_now(shell: Shell, run: Run) -> None:
    """Let a run that waits for its time begin as soon as there is a place."""
    start(_start_now(shell, run.id), f"start {run.id}")


async def _start_now(shell: Shell, run_id: str) -> None:
    try:
        await in_remote(shell.desk.workbench.schedule.start_at, run_id, None)
    except MldeskError as error:
        shell.say(sentence(error), "danger")
    shell.desk.nudge()
