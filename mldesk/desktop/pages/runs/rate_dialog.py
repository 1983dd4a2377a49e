"""Another learning rate for a training that goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit

from mldesk.desktop.pages.asking import asked
from mldesk.desktop.shell import Shell
from mldesk.desktop.tasks import TaskOwner, async_slot
from mldesk.desktop.widgets import FormRow, Sheet
from mldesk.training.steering import HIGHEST, LOWEST

if TYPE_CHECKING:
    from mldesk.library.records import Run


class RateDialog(Sheet, TaskOwner):
    """Asks for the rate; the run takes it from its next step on, and draws it."""

    def __init__(self, shell: Shell, run: Run) -> None:
        super().__init__(
            self.tr("Learning rate of {name}").format(name=run.name), shell.host, primary=self.tr("Change it"),
            text=self.tr("It holds from the next step on, the schedule going on from there. The curve of the learning "
                         "rate shows it, and a run that is resumed repeats it."), width=440)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._shell, self._run = shell, run
        begun = run.spec.get("payload", {}).get("parameters", {}).get("learning_rate")
        self.rate = QLineEdit("" if begun is None else f"{begun:g}")
        self.body.addWidget(FormRow(
            self.tr("Learning rate"), self.rate,
            help="" if begun is None else self.tr("It began with {rate}.").format(rate=f"{begun:g}")))
        self.confirmed.connect(self.change)
        self.finished.connect(self.cancel_tasks)

    def wanted(self) -> float | None:
        """Return the rate that is written there; None for what cannot be one."""
        try:
            rate = float(self.rate.text().strip())
        except ValueError:
            return None
        return rate if LOWEST <= rate <= HIGHEST else None

    @async_slot
    async def change(self) -> None:
        """Tell the run's runner of it."""
        if (rate := self.wanted()) is None:
            self.set_error(self.tr("A number above 0 and at most 1 is needed, such as 0.001."))
            return
        service = self._shell.desk.workbench.runs
        run = await asked(self, self._shell, self.tr("Telling the runner…"),
                          lambda: service.set_learning_rate(self._run.id, rate))
        if run is not None:
            self._shell.say(self.tr("{name} learns on at {rate}.").format(name=run.name, rate=f"{rate:g}"), "success")
