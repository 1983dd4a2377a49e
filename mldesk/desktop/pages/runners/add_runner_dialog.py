"""Add a runner: its address, its key on first contact, what would be done, and then how far it is. One dialog."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QLineEdit, QStackedWidget, QVBoxLayout, QWidget

from mldesk.core.errors import MldeskError
from mldesk.desktop import words
from mldesk.desktop.errors import sentence
from mldesk.desktop.pages.notice import Notice
from mldesk.desktop.pages.room import fitting
from mldesk.desktop.pages.runners.add_runner_steps import DoneStep, KeyStep, PlanStep, StoppedStep, WorkStep
from mldesk.desktop.shell import Shell
from mldesk.desktop.states.add_runner import AddRunner, Step
from mldesk.desktop.tasks import TaskOwner, async_slot, in_thread, start
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import FormRow, Sheet, make_button


def open_add_runner(shell: Shell) -> None:
    """Open the dialog."""
    start(_open(shell), "open the Add runner dialog")


async def _open(shell: Shell) -> None:
    taken = [record.name for record in await in_thread(shell.desk.workbench.runners.list)]
    AddRunnerDialog(shell, AddRunner(shell.desk, taken)).open()


class AddressStep(QWidget):
    """Where the machine is, and what it is to be called. Signals: ``changed``."""

    changed = Signal()

    def __init__(self, state: AddRunner) -> None:
        super().__init__()
        self._state = state
        self._own_name = False
        self.address = QLineEdit()
        self.address.setPlaceholderText("me@machine")
        self.name = QLineEdit()
        self.address.textChanged.connect(self._on_address)
        self.name.textEdited.connect(lambda _: setattr(self, "_own_name", True))
        self.name.textChanged.connect(lambda _: self.changed.emit())
        self.problem = Notice()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.L)
        layout.addWidget(FormRow(self.tr("Address"), self.address, self.tr(
            "user@host or user@host:port, a name of your ~/.ssh/config, or a whole ssh command. "
            "Your keys and settings of ssh are used.")))
        layout.addWidget(FormRow(self.tr("Name"), self.name, self.tr("How it is called here.")))
        layout.addWidget(self.problem)
        layout.addStretch(1)

    def _on_address(self, text: str) -> None:
        if not self._own_name:
            self.name.setText(self._state.suggest(text))
        self.changed.emit()


class AddRunnerDialog(Sheet, TaskOwner):
    """Draws an ``AddRunner``, a page per step."""

    def __init__(self, shell: Shell, state: AddRunner) -> None:
        super().__init__(self.tr("Add a runner"), shell.host, primary=self.tr("Connect"), width=600, text=self.tr(
            "A Linux machine that you reach by SSH. Nothing is changed there before you have seen the plan."))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._shell, self.state = shell, state
        self._gone = False  # hidden while it was at work
        self.where = AddressStep(state)
        self.key, self.stopped, self.plan = KeyStep(), StoppedStep(), PlanStep()
        self.work, self.done_page = WorkStep(), DoneStep()
        self._pages = QStackedWidget()
        self._of: dict[Step, QWidget] = {
            Step.ADDRESS: self.where, Step.KEY: self.key, Step.STOPPED: self.stopped, Step.PLAN: self.plan,
            Step.WORKING: self.work, Step.DONE: self.done_page}
        for page in self._of.values():
            self._pages.addWidget(page)
        self.body.addWidget(self._pages, 1)
        self._back = make_button(self.tr("Back"), "ghost", "chevron-left")
        self._back.clicked.connect(self._on_back)
        self.extra.addWidget(self._back)
        self._timer = QTimer(self, interval=150)  # looks at what a worker thread has noted
        self._timer.timeout.connect(state.glance)
        self.where.changed.connect(self._on_written)
        self.plan.changed.connect(self._check)
        self.plan.processor_only.connect(self._on_processor_only)
        self.where.problem.acted.connect(lambda: self._on_processor_only(True))
        self.confirmed.connect(self._on_confirmed)
        self.finished.connect(self._on_finished)
        self._undo = [state.step.subscribe(self._show), state.busy.subscribe(lambda _: self._check()),
                      state.problem.subscribe(lambda _: self._show_problem()),
                      state.progress.subscribe(lambda _: self._show_progress())]
        self.resize(fitting(self, 640, 520))
        self.where.address.setFocus()

    # Showing

    def _show(self, step: Step) -> None:
        self._pages.setCurrentWidget(self._of[step])
        state = self.state
        if step is Step.KEY:
            self.key.show_key(state.asked)
        elif step is Step.STOPPED:
            self.stopped.show_error(state.asked)
        elif step is Step.PLAN and state.preparation is not None:
            self.plan.show_plan(state.preparation, state.processor_only)
        elif step is Step.DONE:
            self.done_page.show_record(state.record)
        if step is Step.WORKING:
            self._timer.start()
        else:
            self._timer.stop()
        texts = {Step.ADDRESS: self.tr("Connect"), Step.KEY: self.tr("Accept this key"),
                 Step.PLAN: self.tr("Set it up"), Step.WORKING: self.tr("Set it up"),
                 Step.STOPPED: self.tr("Close"), Step.DONE: self.tr("Train on it…")}
        self.primary.setText(texts[step])
        self._back.setVisible(step in (Step.KEY, Step.PLAN, Step.STOPPED))
        self.secondary.setVisible(step is not Step.STOPPED)
        others = {Step.WORKING: self.tr("Hide"), Step.DONE: self.tr("Close")}
        self.secondary.setText(others.get(step, self.tr("Cancel")))
        self._show_problem()
        self._check()

    def _show_problem(self) -> None:
        problem = self.state.problem.value
        step = self.state.step.value
        self.where.problem.hide()
        self.plan.problem.hide()
        if problem is None:
            return
        reasons = tuple(getattr(problem, "reasons", ()))
        text = "\n".join(filter(None, (problem.advice, *reasons)))
        shown = self.plan.problem if step is Step.PLAN else self.where.problem
        button = self.tr("Use the processor only") if self.state.offers_processor_only else ""
        shown.say("danger", problem.message, text, button)

    def _show_progress(self) -> None:
        what, share = self.state.progress.value
        self.work.show_progress(self.state.done.value, what, share)

    def _check(self) -> None:
        step, busy = self.state.step.value, self.state.busy.value
        self.set_busy(busy)
        self.where.setEnabled(not busy)
        self.plan.setEnabled(not busy)
        self._back.setEnabled(not busy)
        if busy:
            return
        if step is Step.ADDRESS:
            text = self.where.address.text()
            self.set_primary_enabled(self.state.why_not(text, self.where.name.text()) if text.strip() else
                                     self.tr("Write the machine's address."))
        elif step is Step.WORKING:
            self.set_busy(self.tr("It goes on if this dialog is hidden."))
        else:
            self.set_primary_enabled("")

    # Doing

    def _on_written(self) -> None:
        self.state.problem.value = None
        self._check()

    def _on_back(self) -> None:
        self.state.back()

    @async_slot
    async def _on_confirmed(self) -> None:
        step = self.state.step.value
        self._shell.allow_questions()
        if step is Step.ADDRESS:
            await self.state.connect(self.where.address.text(), self.where.name.text())
        elif step is Step.KEY:
            await self.state.accept()
        elif step is Step.PLAN:
            # not a task of the dialog's own: it goes on when the dialog is hidden
            start(self._install(), f"set up {self.state.name}")
        elif step is Step.DONE:
            self._on_train()
        else:
            self.accept()

    async def _install(self) -> None:
        shell, state = self._shell, self.state
        await state.install(at_boot=self.plan.at_boot.isChecked())
        if self._gone:
            tell(shell, state)

    @async_slot
    async def _on_processor_only(self, on: bool) -> None:
        await self.state.without_gpu(on)

    def _on_train(self) -> None:
        name = self.state.name
        self.accept()
        self._shell.train_on(name)

    def _on_finished(self) -> None:
        self._gone = True
        self._timer.stop()
        for undo in self._undo:
            undo()
        self.cancel_tasks()


def tell(shell: Shell, state: AddRunner) -> None:
    """Say how it ended, to somebody who hid the dialog."""
    problem: MldeskError | None = state.problem.value
    if problem is not None:
        shell.say(sentence(problem), "danger")
    else:
        shell.say(words.tr("{name} is a runner now.").format(name=state.name), "success",
                  (words.tr("Show it"), lambda: shell.open_runner(state.name)))
