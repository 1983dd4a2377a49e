"""One run, live: progress, curves, machine, log; the evaluation once it has finished; what it was made from."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QVBoxLayout

from mldesk.core.errors import MldeskError
from mldesk.desktop import runner_words, theme, words
from mldesk.desktop.errors import sentence
from mldesk.desktop.pages.page import Page
from mldesk.desktop.pages.row_menu import popup
from mldesk.desktop.pages.runs.evaluation import EvaluationView
from mldesk.desktop.pages.runs.extend_dialog import ExtendDialog
from mldesk.desktop.pages.runs.predicted_dialog import open_cell
from mldesk.desktop.pages.runs.run_details import DetailsPage
from mldesk.desktop.pages.runs.run_facts import learns, program_of
from mldesk.desktop.pages.runs.run_fields import began, state_badge
from mldesk.desktop.pages.runs.run_menu import run_entries
from mldesk.desktop.pages.runs.run_notice import RunNotice
from mldesk.desktop.pages.runs.run_training import OTHERS, RunTraining
from mldesk.desktop.pages.runs.script_dialog import run_again
from mldesk.desktop.pages.runs.script_view import ScriptView
from mldesk.desktop.pages.runs.start_dialog import start_now
from mldesk.desktop.pages.runs.threshold_keeping import ThresholdKeeping
from mldesk.desktop.shell import Shell
from mldesk.desktop.states import run_reasons as reasons
from mldesk.desktop.states.run import RunState
from mldesk.desktop.states.runner_watch import LOCAL
from mldesk.desktop.states.search import Trial, is_search
from mldesk.desktop.tasks import async_slot, in_remote
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import (
    Badge,
    LogPane,
    LogView,
    PageHeader,
    Sheet,
    Tabs,
    disable,
    enable,
    make_button,
    make_icon_button,
)
from mldesk.wire.states import JobState

if TYPE_CHECKING:
    from PySide6.QtWidgets import QPushButton

    from mldesk.library.records import Run

_WIDE = 880  # width of the page from which there is room for it


class RunPage(Page):
    """Draws a ``RunState``."""

    def __init__(self, shell: Shell, run_id: str, place: str = "runs") -> None:
        """``place``: whose list it was opened from."""
        super().__init__(shell)
        self.state = RunState(shell.desk, run_id)
        self._looking = False  # in its runner's queue
        self._ended_before: bool | None = None  # whether the run had ended when it was looked at first
        self.header = PageHeader(" ", " ", with_back=True)
        self.header.back.connect(lambda: shell.go(place))
        self._badge = Badge("")
        self._where = Badge("", icon="cpu")
        self.header.add_badge(self._badge)
        self.header.add_badge(self._where)
        self._make_buttons()
        self._notice = RunNotice(self.state)
        self._notice.acted.connect(self._on_notice)
        self.training = RunTraining(self.state, shell.preferences)
        self.training.leaderboard.wanted.connect(self._train_again)
        self.training.leaderboard.kept.connect(self.keep_trial)
        self.evaluation = EvaluationView()
        self.evaluation.row_opened.connect(self._open_row)
        self.evaluation.cell_chosen.connect(self._open_cell)
        self._thresholds = ThresholdKeeping(self, self.evaluation, self._made)
        self.log = LogView()
        self.script: ScriptView | None = None   # of a run that keeps files
        self.details = DetailsPage()
        self.details.run_chosen.connect(self._open_run)
        self.tabs = Tabs()
        self.tabs.add("training", self.tr("Training"), self.training, "chart")
        self.tabs.add("evaluation", self.tr("Evaluation"), self.evaluation, "success")
        self.tabs.add("details", self.tr("Details"), self.details, "info")
        self.tabs.add("log", self.tr("Log"), LogPane(self.log), "log")
        self.tabs.set_enabled("evaluation", self.tr("There is an evaluation once the run has finished."))
        self.tabs.changed.connect(lambda key: self._read_log() if key == "log" else None)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(Space.PAGE, Space.PAGE, Space.PAGE, Space.PAGE)
        layout.setSpacing(Space.L)
        layout.addWidget(self.header)
        layout.addWidget(self._notice)
        layout.addWidget(self.tabs, 1)
        self._connect()

    def _connect(self) -> None:
        self._clock = QTimer(self, interval=1000)  # the elapsed time
        self._clock.timeout.connect(self.training.progress.tick)
        self._clock.start()
        self._look = QTimer(self, interval=2000)  # at the queue, while it waits there
        self._look.timeout.connect(self._look_in_queue)
        self._look.start()
        desk = self.shell.desk
        self.keep(self.state.place.changed.subscribe(lambda _: self.training.progress.tick()))
        self.keep(desk.advanced.subscribe(self._on_advanced))
        self.keep(desk.unreachable.changed.subscribe(lambda _: self._show_run(self.state.run.value)))
        self.keep(self.state.run.subscribe(self._show_run))
        self.keep(self.state.advanced.subscribe(lambda _: self.training.draw()))
        self.keep(self.state.logged.subscribe(self.log.append_text))
        self.keep(self.state.evaluation.subscribe(self._show_evaluation))

    def _make_buttons(self) -> None:
        self._finish = make_button(self.tr("Finish now"), "secondary", "finish")
        self._finish.setToolTip(self.tr("Stop fitting, evaluate, and keep the model as it is"))
        self._finish.clicked.connect(self.finish)
        self._pause = make_button(self.tr("Pause"), "secondary", "pause")
        self._pause.clicked.connect(self.pause)
        self._extend = make_button(self.tr("Extend…"), "secondary", "clock")
        self._extend.setToolTip(self.tr("Give the search more time or trials"))
        self._extend.clicked.connect(self.extend)
        self._cancel = make_button(self.tr("Cancel"), "danger", "cancel")
        self._cancel.clicked.connect(self.cancel)
        self._more = make_icon_button("more", self.tr("More for this run"))
        self._more.clicked.connect(self._on_more)
        self._again = make_button(self.tr("Train again…"), "secondary", "refresh")
        self._again.setToolTip(self.tr("Open the Train dialog with the settings of this run"))
        self._again.clicked.connect(lambda _checked: self._train_again())
        self._model = make_button(self.tr("Open the model"), "primary", "model")
        self._model.clicked.connect(self._open_model)
        for button in (self._pause, self._finish, self._cancel, self._extend, self._again, self._model):
            button.hide()
            self.header.add_action(button)
        self.header.add_action(self._more)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """In a narrow window the machine goes below the curves, and its badge makes room for the run's name."""
        super().resizeEvent(event)
        wide = self.width() >= theme.px(_WIDE)
        self._where.setVisible(wide)
        if (run := self.state.run.value) is not None:
            self.header.set_subtitle(self._subtitle(run))
            self._show_buttons(run)
        self.training.set_wide(wide)

    # Showing

    async def refresh(self) -> None:
        await self.state.refresh()
        if self.tabs.value() == "log":
            await self.state.read_log()

    def grow_older(self) -> None:
        self._show_run(self.state.run.value)

    def _on_advanced(self, run_id: str) -> None:
        if run_id == self.state.id:
            self.refresh_soon()

    def _show_run(self, run: Run | None) -> None:
        if run is None:
            return
        place = self.state.place.value
        text, tone, icon = state_badge(run, self.shell, {} if place is None else {run.id: place})
        self._badge.set(text, tone, icon)
        self._where.set(runner_words.where(run.runner), icon=runner_words.where_icon(run.runner))
        self.header.set_title(run.name)
        self.header.set_subtitle(self._subtitle(run))
        self._show_buttons(run)
        self._notice.show_run(run)
        self.details.show_run(run, self.state.attempt, self.state.looks, self.state.family)
        self._show_kind(run)
        self.training.show_run(run)
        if self._ended_before is None:
            self._ended_before = run.state.ended

    def _show_kind(self, run: Run) -> None:
        """Say of what a search, a script and a run of another program do not have, and what Finish now does to each."""
        if is_search(run):
            self.tabs.bar.button("training").setText(self.tr("Search"))
            if self._finish.isEnabled():
                self._finish.setToolTip(self.tr("Stop searching, make the model from the best trials so far"))
        if run.kind in ("script", "imported"):
            self._show_files(run)
        if run.kind in (*OTHERS, "script", "imported"):
            self.tabs.set_enabled("evaluation", self.tr("Only a run that trains a model has an evaluation."))
            self.tabs.bar.button("training").setText(
                self.tr("Curves") if run.kind == "imported" else self.tr("Run"))
        if run.kind == "imported":
            self.tabs.set_enabled("log", self.tr("What it printed was not kept by {program}.").format(
                program=program_of(run)))

    def _show_files(self, run: Run) -> None:
        if self.script is None:
            script = run.kind == "script"
            self.script = ScriptView(self.shell, run.id, script=script)
            self.tabs.add("script", self.tr("Files and changes") if script else self.tr("Files"), self.script, "file")
            self._again.setText(self.tr("Run again…"))
            self._again.setToolTip(self.tr("Open the script's dialog with the files and settings of this run"))
        self.script.refresh()

    def _subtitle(self, run: Run) -> str:
        far = self.width() < theme.px(_WIDE) and run.runner != LOCAL  # there is no room for the badge then
        where = [self.tr("on {runner}").format(runner=run.runner)] if far else []
        when = began(run) if run.due(time.time()) is None else ""   # which its badge and its notice say
        return " · ".join(filter(None, (*where, learns(run), "" if when == words.MISSING else when)))

    def _show_buttons(self, run: Run) -> None:
        going = not run.state.ended
        self._cancel.setVisible(going)
        self._finish.setVisible(going)
        self._again.setVisible(not going and run.kind not in (*OTHERS, "imported"))
        self._model.setVisible(bool(_model_of(run)))
        self._model.setText(self.tr("Open the explanation") if run.kind == "explain" else self.tr("Open the model"))
        self._pause.setVisible(going and is_search(run))
        self._extend.setVisible(not (reasons.why_not_extend(run) or going) and self.width() >= theme.px(_WIDE))
        _switch(self._pause, reasons.why_not_pause(run))
        _switch(self._cancel, reasons.why_not_cancel(run))
        _switch(self._finish, reasons.why_not_finish(run))

    def _show_evaluation(self, payload: Mapping[str, Any] | None) -> None:
        if not payload:
            return
        self.evaluation.show_evaluation(payload)
        self._thresholds.look()
        self.tabs.set_enabled("evaluation")
        if self._ended_before or self.tabs.value() == "training":
            self.tabs.set_value("evaluation")

    def _made(self) -> str:
        run = self.state.run.value
        return "" if run is None or run.kind == "explain" else run.model or ""

    def _look_in_queue(self) -> None:
        run = self.state.run.value
        waits = run is not None and run.state is JobState.QUEUED
        if self.isVisible() and (waits or self.state.place.value is not None) and not self._looking:
            self.begin(self._look_once(), "look in the queue")

    async def _look_once(self) -> None:
        self._looking = True
        try:
            await self.state.look_in_queue()
        finally:
            self._looking = False

    # Doing

    def _on_notice(self) -> None:
        run = self.state.run.value
        if run is not None and run.state is JobState.INTERRUPTED:
            self.resume()
        elif run is not None and run.state is JobState.QUEUED and self.state.unreachable_since is None:
            start_now(self.shell, run)
        elif run is not None and run.state is JobState.SUCCEEDED:
            self.shell.open_dataset(run.dataset.rpartition("@")[0] or run.dataset, "explore")
        else:
            self._try_now()

    @async_slot
    async def _try_now(self) -> None:
        self._notice.button.setEnabled(False)
        self.shell.allow_questions()
        try:
            await self.shell.desk.retry(self.state.id)
        except MldeskError as error:
            self.shell.say(sentence(error), "warning")
        finally:
            self._notice.button.setEnabled(True)

    def move_away(self) -> None:
        """Ask where to, then let it go on there from its last checkpoint."""
        run = self.state.run.value
        if run is not None and not reasons.why_not_move(run):
            from mldesk.desktop.pages.runners.move_dialog import open_move_dialog

            open_move_dialog(self.shell, run)

    def _on_more(self) -> None:
        run = self.state.run.value
        if run is not None:
            at = self._more.mapToGlobal(self._more.rect().bottomLeft())
            popup(self, run_entries(self.shell, run, self.cancel), at)

    def cancel(self) -> None:
        """Ask once, since nothing of the run is kept."""
        run = self.state.run.value
        if run is None or reasons.why_not_cancel(run):
            return
        sheet = Sheet(self.tr("Cancel {name}?").format(name=run.name), self.shell.host, danger=True,
                      text=self.tr("It stops at once and no model is kept. Finish now would keep one."),
                      primary=self.tr("Cancel the run"), secondary=self.tr("Let it go on"), width=420)
        sheet.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        sheet.confirmed.connect(sheet.accept)
        sheet.accepted.connect(self._cancel_now)
        sheet.open()

    @async_slot
    async def _cancel_now(self) -> None:
        disable(self._cancel, self.tr("The run is being cancelled."))
        await self.state.cancel()

    @async_slot
    async def finish(self) -> None:
        """Stop fitting now and keep the model."""
        if not reasons.why_not_finish(self.state.run.value):
            disable(self._finish, self.tr("The run is being finished."))
            await self.state.finish()

    @async_slot
    async def pause(self) -> None:
        """Stop and keep all there is, to go on with Resume."""
        if not reasons.why_not_pause(self.state.run.value):
            disable(self._pause, self.tr("The run is being paused."))
            await self.state.pause()

    def extend(self) -> None:
        """Ask how much longer to search."""
        if (run := self.state.run.value) is not None and not reasons.why_not_extend(run):
            ExtendDialog(self.shell, run).open()

    @async_slot
    async def resume(self) -> None:
        """Go on from the last checkpoint."""
        await self.state.resume()
        self.tabs.set_value("training")

    @async_slot
    async def _read_log(self) -> None:
        await self.state.read_log()

    def _train_again(self, trial: Trial | None = None) -> None:
        run = self.state.run.value
        if run is not None and run.kind == "script":
            run_again(self.shell, run)
        elif run is not None:
            from mldesk.desktop.pages.runs.train_opening import train_again

            train_again(self.shell, run, trial)

    def _open_run(self, run_id: str) -> None:
        self.shell.open_run(run_id)

    def keep_trial(self, trial: Trial) -> None:
        """Ask once, since the test rows are looked at again; then make a model of one trial."""
        sheet = Sheet(self.tr("Keep trial {number} as a model?").format(number=trial.number), self.shell.host,
                      text=self.tr("It is fitted again as it was tried, with its pipeline, and scored on the test "
                                   "rows: that counts as a look at them. The model can be promoted once it is there."),
                      primary=self.tr("Make the model"), width=440)
        sheet.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        sheet.confirmed.connect(sheet.accept)
        sheet.accepted.connect(lambda: self._keep_trial(trial.number))
        sheet.open()

    @async_slot
    async def _keep_trial(self, number: int) -> None:
        self.shell.allow_questions()
        try:
            made = await in_remote(self.shell.desk.workbench.searches.keep_trial, self.state.id, number)
        except MldeskError as error:
            self.shell.say(sentence(error), "warning")
            return
        self.shell.desk.nudge()
        self.shell.open_run(made.id)

    def _open_row(self, row: int) -> None:
        if (run := self.state.run.value) is not None:
            self.shell.open_row(run.dataset, row)

    def _open_cell(self, actual: object, predicted: object) -> None:
        if (run := self.state.run.value) is not None:
            open_cell(self.shell, run.id, run.dataset, actual, predicted)

    def _open_model(self) -> None:
        if (run := self.state.run.value) is not None and (model := _model_of(run)):
            name, _, number = model.rpartition("@")
            self.shell.open_model(name, int(number), "explain" if run.kind == "explain" else "")


def _model_of(run: Run) -> str:
    """Return the model a run has made or explained, as name@version; "" for none."""
    if run.kind == "explain":
        return str((run.result or {}).get("explained") or "")
    return run.model or ""


def _switch(button: QPushButton, reason: str) -> None:
    if reason:
        disable(button, reason)
    else:
        enable(button)
