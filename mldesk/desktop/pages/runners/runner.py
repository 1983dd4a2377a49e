"""One runner, live: its load, its queue, its settings, what it is, its log; and what can be done with it."""

from __future__ import annotations

import asyncio

from PySide6.QtCore import QTimer
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QVBoxLayout

from mldesk.core.errors import MldeskError, NotFound
from mldesk.desktop import runner_words, words
from mldesk.desktop.errors import sentence
from mldesk.desktop.pages.notice import Notice
from mldesk.desktop.pages.page import Page
from mldesk.desktop.pages.row_menu import Entry, popup
from mldesk.desktop.pages.runners.runner_load import LoadView
from mldesk.desktop.pages.runners.runner_machine import MachineView
from mldesk.desktop.pages.runners.runner_queue import QueueBoard
from mldesk.desktop.pages.runners.runner_settings import SettingsForm
from mldesk.desktop.shell import Shell
from mldesk.desktop.states.runner import RunnerState, why_not_steer
from mldesk.desktop.states.runner_watch import LOCAL, Condition
from mldesk.desktop.tasks import async_slot, start
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import (
    Badge,
    LogView,
    PageHeader,
    ProgressLine,
    Tabs,
    disable,
    enable,
    make_button,
    set_icon,
)
from mldesk.wire.runner_view import RunnerSettings

LONG_POLL = 1.0   # seconds a look waits for the next sample; bounds how long leaving the page takes


class RunnerPage(Page):
    """Draws a ``RunnerState``. It asks the runner only while it is shown."""

    def __init__(self, shell: Shell, name: str) -> None:
        super().__init__(shell)
        self.state = RunnerState(shell.desk, name)
        self._watching: asyncio.Task[None] | None = None
        self.header = PageHeader(runner_words.runner_name(name), " ", with_back=True)
        self.header.back.connect(lambda: shell.go("runners"))
        self._badge = Badge("")
        self.header.add_badge(self._badge)
        self._make_buttons()
        self._notice = Notice()
        self._notice.acted.connect(self._on_notice)
        self._working = ProgressLine()
        self._working.hide()
        self.load, self.board = LoadView(self.state.telemetry), QueueBoard(shell, self.state)
        self.form, self.machine, self.log = SettingsForm(), MachineView(), LogView()
        self.form.saved.connect(self._on_save)
        self.machine.freeing.connect(self._on_free)
        self.tabs = Tabs()
        for key, title, page, icon in (
            ("load", self.tr("Load"), self.load, "chart"), ("queue", self.tr("Queue"), self.board, "run"),
            ("settings", self.tr("Settings"), self.form, "settings"),
            ("machine", self.tr("Machine"), self.machine, "info"), ("log", self.tr("Log"), self.log, "log"),
        ):
            self.tabs.add(key, title, page, icon)
        self.tabs.changed.connect(lambda _: self._load_tab())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(Space.PAGE, Space.PAGE, Space.PAGE, Space.PAGE)
        layout.setSpacing(Space.L)
        for widget, stretch in ((self.header, 0), (self._notice, 0), (self._working, 0), (self.tabs, 1)):
            layout.addWidget(widget, stretch)
        self._connect()

    def _make_buttons(self) -> None:
        self._check = make_button(self.tr("Check"), "secondary", "refresh",
                                  tooltip=self.tr("Ask the machine what it is and has, now"))
        self._check.clicked.connect(self.check)
        self._drain = make_button(self.tr("Drain"), "secondary", "pause")
        self._drain.clicked.connect(self._on_drain)
        self._more = make_button(self.tr("More"), "secondary", "more")
        self._more.clicked.connect(self._on_more)
        for button in (self._check, self._drain, self._more):
            self.header.add_action(button)

    def _connect(self) -> None:
        state = self.state
        self._clock = QTimer(self, interval=250)  # looks at what a worker thread has noted
        self._clock.timeout.connect(state.glance)
        self._log_clock = QTimer(self, interval=4000)
        self._log_clock.timeout.connect(self._read_log)
        self.keep(state.record.subscribe(lambda record: self.machine.show_record(record) if record else None))
        for signal in (state.record, state.queue, state.trouble, state.since, state.answered):
            self.keep(signal.changed.subscribe(lambda _: self._show()))
        self.keep(state.telemetry.advanced.subscribe(lambda _: self._draw()))
        self.keep(state.settings.subscribe(self._show_settings))
        self.keep(state.cache.subscribe(lambda value: self.machine.show_cache(value) if value else None))
        self.keep(state.log.subscribe(self._show_log))
        self.keep(state.doing.subscribe(self._show_doing))
        self.keep(self.shell.desk.active.changed.subscribe(lambda _: self.board.refresh()))
        self._show()

    # Showing

    async def refresh(self) -> None:
        try:
            await self.state.refresh()
        except NotFound:
            self.shell.go("runners")
            return
        self._load_tab()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._watching is None and self.shell.desk.ready.value:
            self._watching = self.own(start(self.state.watch(0.05, LONG_POLL), f"watch {self.state.name}"))
        self._clock.start()
        self._log_clock.start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        if self._watching is not None:
            self._watching.cancel()
            self._watching = None
        self._clock.stop()
        self._log_clock.stop()

    def _draw(self) -> None:
        if self.tabs.value() == "load":
            self.load.refresh()
        elif self.tabs.value() == "queue":
            self.board.refresh()

    def _show(self) -> None:
        state, record = self.state, self.state.record.value
        self._badge.set(*runner_words.condition_badge(state))
        if record is not None:
            parts = [record.address, runner_words.devices(record.facts), runner_words.work(state.queue.value)]
            self.header.set_subtitle(" · ".join(part for part in parts if part))
        self.board.refresh()
        self._show_notice()
        self._show_buttons()

    def _show_notice(self) -> None:
        state, trouble = self.state, self.state.trouble.value
        condition = state.condition
        if condition is Condition.UNREACHABLE:
            hint = trouble.advice if trouble is not None else ""
            self._notice.say("warning", self.tr("Unreachable since {time}.").format(
                time=runner_words.clock(state.since.value)), f"{state.why} {hint}".strip() + " " + self.tr(
                "Its jobs go on; what they did is shown as soon as it answers."), self.tr("Try now"))
        elif condition is Condition.OLD:
            self._notice.say("warning", self.tr("The agent there is older than this desktop."), self.tr(
                "It trains, but its queue, load and settings can be seen once it is upgraded. Jobs go on meanwhile."),
                self.tr("Upgrade"))
        elif trouble is not None:
            self._notice.say("danger", trouble.message, trouble.advice)
        elif condition is Condition.DRAINING:
            self._notice.say("info", self.tr("Draining: what runs is finished, nothing new starts."), "",
                             self.tr("Go on"))
        elif condition is Condition.QUIET:
            self._notice.say("info", self.tr("Quiet hours: what waits starts when they are over."))
        else:
            self._notice.hide()

    def _show_buttons(self) -> None:
        cannot = why_not_steer(self.state.trouble.value, self.state.since.value)
        queue = self.state.queue.value
        draining = queue is not None and queue.draining
        self._drain.setText(self.tr("Go on") if draining else self.tr("Drain"))
        set_icon(self._drain, "play" if draining else "pause")
        if cannot:
            disable(self._drain, cannot)
        else:
            enable(self._drain)
            self._drain.setToolTip(self.tr("Let jobs start again") if draining else
                                   self.tr("Finish what runs, start nothing new, so that somebody else can use it"))
        self.form.set_cannot(cannot)
        if cannot:
            self.machine.set_cannot(cannot)
        elif self.state.cache.value is not None:
            self.machine.show_cache(self.state.cache.value)

    def _show_settings(self, settings: RunnerSettings | None) -> None:
        if settings is not None:
            self.form.show_settings(settings, self.state.zone)

    def _show_log(self, text: str | None) -> None:
        if text is not None and text != self.log.toPlainText():
            self.log.set_text(text)

    def _show_doing(self, doing: tuple[str, float] | None) -> None:
        self._working.setVisible(doing is not None)
        if doing is not None:
            self._working.set(doing[1] or None, doing[0] or self.tr("Working…"), "")
            disable(self._more, self.tr("Something is being done to it already."))
        else:
            enable(self._more)

    # Asking for what a tab shows

    @async_slot
    async def _load_tab(self) -> None:
        tab = self.tabs.value()
        if self.state.since.value is not None and tab in ("settings", "machine", "log"):
            return
        try:
            if tab == "settings" and self.state.settings.value is None:
                await self.state.load_settings()
            elif tab == "machine":
                await self.state.load_cache()
            elif tab == "log":
                await self.state.load_log()
        except MldeskError as error:
            self.state.trouble.value = self.state.trouble.value or error
        self._draw()

    @async_slot
    async def _read_log(self) -> None:
        if self.tabs.value() == "log" and self.state.since.value is None:
            await self.state.load_log()

    # Doing

    def _on_notice(self) -> None:
        condition = self.state.condition
        if condition is Condition.OLD:
            self.upgrade()
        elif condition is Condition.DRAINING:
            self._on_drain()
        else:
            self.check()

    @async_slot
    async def check(self) -> None:
        """Ask the machine what it is, now."""
        disable(self._check, self.tr("It is being asked."))
        self.shell.allow_questions()
        try:
            await self.state.check()
        except MldeskError as error:
            self.shell.say(sentence(error), "warning")
            return
        finally:
            enable(self._check)
        self.shell.say(self.tr("{name} answers.").format(name=runner_words.runner_name(self.state.name)), "success")

    @async_slot
    async def _on_drain(self) -> None:
        queue = self.state.queue.value
        await self.state.drain(not (queue is not None and queue.draining))

    @async_slot
    async def _on_save(self, settings: RunnerSettings) -> None:
        await self.state.configure(settings)
        self.shell.say(self.tr("The runner's settings are kept there."), "success")

    @async_slot
    async def _on_free(self) -> None:
        freed = await self.state.free_space()
        self.shell.say(self.tr("{size} freed.").format(size=words.size(freed)) if freed else
                       self.tr("There was nothing to free."), "success")

    @async_slot
    async def upgrade(self) -> None:
        """Put this desktop's agent there; jobs go on."""
        self.shell.allow_questions()
        await self.state.upgrade()
        self.shell.say(self.tr("{name} is up to date.").format(name=self.state.name), "success")

    def remove(self) -> None:
        """Ask, then take MLDesk off the machine."""
        from mldesk.desktop.pages.runners.runner_dialogs import RemoveDialog

        RemoveDialog(self.shell, self.state).open()

    def forget(self) -> None:
        """Ask, then take the runner out of the library only."""
        from mldesk.desktop.pages.runners.runner_dialogs import ForgetDialog

        ForgetDialog(self.shell, self.state).open()

    def _on_more(self) -> None:
        local = self.tr("This machine is always a runner.") if self.state.name == LOCAL else ""
        away = self.tr("It cannot be reached now; Forget takes it off the list only.") \
            if self.state.since.value is not None else ""
        popup(self, [Entry("import", self.tr("Upgrade"), self.upgrade, local or away),
                     Entry("trash", self.tr("Remove…"), self.remove, local or away),
                     Entry("close", self.tr("Forget…"), self.forget, local)],
              self._more.mapToGlobal(self._more.rect().bottomLeft()))
