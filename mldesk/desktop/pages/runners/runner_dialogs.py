"""Taking a runner away: with everything of ours on the machine, or off the list only."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QCheckBox

from mldesk.core.errors import MldeskError
from mldesk.desktop.errors import sentence
from mldesk.desktop.shell import Shell
from mldesk.desktop.states.runner import RunnerState
from mldesk.desktop.tasks import TaskOwner, async_slot
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import ProgressLine, Sheet, column, make_label


class RemoveDialog(Sheet, TaskOwner):
    """Says what goes, refuses while jobs run there unless they may be ended, and shows how far it is."""

    def __init__(self, shell: Shell, state: RunnerState) -> None:
        super().__init__(self.tr("Remove {name}?").format(name=state.name), shell.host, danger=True, width=480,
                         primary=self.tr("Remove"), text=self.tr(
                             "MLDesk takes itself off {address} again, file by file as it was put there.").format(
                             address=state.record.value.address if state.record.value else state.name))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._shell, self._state = shell, state
        self.add(column(*(make_label(f"–  {line}", wrap=True) for line in (
            self.tr("the agent and what starts it with the machine"),
            self.tr("the training packages in ~/.mldesk"),
            self.tr("datasets, checkpoints and logs that are kept there"))), spacing=Space.XS))
        self.add(make_label(self.tr("Runs, curves and models in your library stay."), "body", "muted", wrap=True))
        self.keep = QCheckBox(self.tr("Keep the jobs' folders there"))
        self.kill = QCheckBox(self.tr("End the jobs that run there now"))
        self.add(self.keep)
        self.add(self.kill)
        self._line = ProgressLine()
        self.add(self._line)
        self._line.hide()
        self._timer = QTimer(self, interval=250)
        self._timer.timeout.connect(state.glance)
        self._undo = state.doing.subscribe(self._show_doing)
        self.kill.toggled.connect(lambda _: self._check())
        self.confirmed.connect(self._on_confirmed)
        self.finished.connect(self._on_finished)
        self._check()

    def _running(self) -> int:
        queue = self._state.queue.value
        return 0 if queue is None else sum(1 for slot in queue.slots if slot.job) + len(queue.waiting)

    def _check(self) -> None:
        jobs = self._running()
        self.kill.setVisible(bool(jobs))
        self.set_primary_enabled(self.tr("{count} jobs run or wait there. Wait for them, move them, or let them be "
                                         "ended.").format(count=jobs) if jobs and not self.kill.isChecked() else "")

    def _show_doing(self, doing: tuple[str, float] | None) -> None:
        self._line.setVisible(doing is not None)
        if doing is not None:
            self._line.set(doing[1] or None, doing[0] or self.tr("Removing…"), "")

    @async_slot
    async def _on_confirmed(self) -> None:
        self.set_error("")
        self.set_busy(self.tr("Removing…"))
        self._timer.start()
        self._shell.allow_questions()
        try:
            left = await self._state.remove(kill_jobs=self.kill.isChecked(), keep_data=self.keep.isChecked())
        except MldeskError as error:
            self.set_busy("")
            self.set_error(sentence(error))
            return
        self.set_busy("")
        self.accept()
        self._shell.go("runners")
        said = self.tr("{name} is removed.").format(name=self._state.name)
        self._shell.say(f"{said} {self.tr('Left there: {what}.').format(what=left)}" if left else said, "success")

    def _on_finished(self) -> None:
        self._timer.stop()
        self._undo()
        self.cancel_tasks()


class ForgetDialog(Sheet, TaskOwner):
    """Takes a runner off the list; nothing on the machine changes."""

    def __init__(self, shell: Shell, state: RunnerState) -> None:
        super().__init__(self.tr("Forget {name}?").format(name=state.name), shell.host, danger=True, width=440,
                         primary=self.tr("Forget"), text=self.tr(
                             "It goes off the list of this desktop only. MLDesk stays on the machine, its jobs go on, "
                             "and your runs keep what they know. Add it again to see them move on."))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._shell, self._state = shell, state
        self.confirmed.connect(self._on_confirmed)
        self.finished.connect(self.cancel_tasks)

    @async_slot
    async def _on_confirmed(self) -> None:
        self.set_busy(self.tr("Forgetting…"))
        try:
            await self._state.forget()
        except MldeskError as error:
            self.set_busy("")
            self.set_error(sentence(error))
            return
        self.accept()
        self._shell.go("runners")
