"""Extend a search: more minutes or more trials, for one that goes on or one that has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from mldesk.desktop.pages.asking import asked
from mldesk.desktop.shell import Shell
from mldesk.desktop.tasks import TaskOwner, async_slot
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import DecimalBox, FormRow, Segmented, Sheet, SpinBox, row
from mldesk.workbench.searching import limits_of, why_no_refit

if TYPE_CHECKING:
    from mldesk.library.records import Run


class ExtendDialog(Sheet, TaskOwner):
    """Asks by how much. A search that has ended goes on as a new run, which is opened then."""

    def __init__(self, shell: Shell, run: Run) -> None:
        text = self.tr("A new run begins with all that this one has tried.") if run.state.final else self.tr(
            "It goes on as before, for longer.")
        super().__init__(self.tr("Extend {name}").format(name=run.name), shell.host, primary=self.tr("Extend"),
                         text=text, width=440)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._shell, self._run = shell, run
        self.by = Segmented([("time", self.tr("Minutes")), ("trials", self.tr("Trials")), *(
            [("refit", self.tr("A second fit"))] if run.state.final and not why_no_refit(run) else [])])
        self.minutes = DecimalBox(0.5, 24 * 60.0, 10.0, 1.0, 1)
        self.trials = SpinBox(1, 10_000, 20)
        self.minutes.setAccessibleName(self.tr("Minutes more"))
        self.trials.setAccessibleName(self.tr("Trials more"))
        more = QWidget()
        more.setLayout(row(self.by, self.minutes, self.trials, None, spacing=Space.M))
        self.amount = FormRow(self.tr("By how much"), more)
        self.body.addWidget(self.amount)
        self.by.changed.connect(lambda _: self._show())
        self.confirmed.connect(self.extend)
        self.finished.connect(self.cancel_tasks)
        self._show()

    def _show(self) -> None:
        self.minutes.setVisible(self.by.value() == "time")
        self.trials.setVisible(self.by.value() == "trials")
        limits = () if self._run.state.final else limits_of(self._run)
        self.amount.set_help({
            ("time", ("trials",)): self.tr("They come once its trials are made."),
            ("time", ("seconds", "trials")): self.tr("They come once its time or its trials are over."),
            ("trials", ("seconds",)): self.tr("They come once its time is over."),
            ("trials", ("seconds", "trials")): self.tr("They come once its time or its trials are over.")}.get(
                (str(self.by.value()), limits), self.tr(
                    "What the search keeps is fitted again on all rows but the test rows; nothing else is tried.")
                if self.by.value() == "refit" else ""))

    @async_slot
    async def extend(self) -> None:
        """Ask the search's runner for it."""
        by, extend = self.by.value(), self._shell.desk.workbench.searches.extend
        seconds, trials = 60 * self.minutes.value() * (by == "time"), self.trials.value() * (by == "trials")
        run = await asked(self, self._shell, self.tr("Asking the runner…"),
                          lambda: extend(self._run.id, seconds, trials, refit=by == "refit"))
        if run is not None and run.id == self._run.id:
            self._shell.say(self.tr("{name} was extended.").format(name=run.name), "success")
        elif run is not None:
            self._shell.open_run(run.id)
