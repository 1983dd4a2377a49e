"""What a runner does and what waits there: its places with the jobs that hold them, and the queue."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from mldesk.desktop import runner_words
from mldesk.desktop.pages.row_menu import Entry, give_menu
from mldesk.desktop.pages.runners.queue_table import QueueTable
from mldesk.desktop.states.runner import RunnerState, before_at, why_not_steer
from mldesk.desktop.tasks import TaskOwner, async_slot
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import (
    Badge,
    Card,
    ElidedLabel,
    FlowBox,
    IconLabel,
    SpinBox,
    disable,
    enable,
    make_button,
    make_icon_button,
    make_label,
    row,
)

if TYPE_CHECKING:
    from PySide6.QtWidgets import QAbstractButton

    from mldesk.desktop.shell import Shell
    from mldesk.wire.runner_view import QueueView, Slot, Waiting


class SlotTile(QFrame):
    """One place for a job, free or taken. Signals: ``opened`` (the job), ``cancelled`` (the job)."""

    opened = Signal(str)
    cancelled = Signal(str)

    def __init__(self, slot: Slot, job_name: str, load: str, ours: bool) -> None:
        super().__init__()
        self.setProperty("surface", "card")
        name = runner_words.slot_name(slot)
        text = QVBoxLayout()
        text.setSpacing(1)
        detail = f"{slot.name} · {runner_words.memory(slot.memory)}" if slot.kind == "gpu" and slot.name else ""
        text.addWidget(ElidedLabel(f"{name} · {detail}" if detail else name, "caption", "muted"))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(Space.M + 2, Space.M - 2, Space.S + 2, Space.M - 2)
        layout.setSpacing(Space.M)
        layout.addWidget(IconLabel("gpu" if slot.kind == "gpu" else "cpu", "muted", 20))
        layout.addLayout(text, 1)
        if not slot.job:
            text.addWidget(make_label(self.tr("Free"), "body", "muted"))
            text.addStretch(1)
            return
        text.addWidget(ElidedLabel(job_name, "strong"))
        if load:
            text.addWidget(ElidedLabel(load, "caption", "muted"))
        stop = make_icon_button("cancel", self.tr("Cancel {job}").format(job=job_name), size=15)
        look = make_icon_button("arrow-right", self.tr("Open {job}").format(job=job_name), size=15)
        stop.clicked.connect(lambda: self.cancelled.emit(slot.job))
        look.clicked.connect(lambda: self.opened.emit(slot.job))
        if not ours:
            why = self.tr("The job was started from another desktop; it can be stopped there.")
            disable(stop, why)
            disable(look, self.tr("The job was started from another desktop; it can be seen there."))
        layout.addWidget(look)
        layout.addWidget(stop)


class QueueBoard(QWidget, TaskOwner):
    """Draws the queue of a ``RunnerState``."""

    def __init__(self, shell: Shell, state: RunnerState) -> None:
        super().__init__()
        self._shell, self._state = shell, state
        self._said: object = None
        self._slots = FlowBox(spacing=Space.M, least=260)
        self.table = QueueTable()
        self.table.moved.connect(self._on_moved)
        self.table.chosen.connect(self._check)
        self.table.opened.connect(lambda item: self._open(item.job))
        give_menu(self.table, self._entries)
        self._make_tools()
        self._count = Badge("")
        card = Card(padding=0)
        head = row(make_label(self.tr("Queue"), "subtitle"), self._count, None, self._up, self._down,
                   make_label(self.tr("Priority"), "caption", "muted"), self._priority, self._move, self._cancel,
                   spacing=Space.S, margins=(Space.CARD, Space.M, Space.M, Space.M))
        card.body.setSpacing(0)
        card.add(head)
        card.add(self.table, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.L)
        layout.addWidget(self._slots)
        layout.addWidget(card, 1)
        self._check()

    def _make_tools(self) -> None:
        self._up = make_icon_button("chevron-up", self.tr("Earlier (Alt+Up)"))
        self._down = make_icon_button("chevron-down", self.tr("Later (Alt+Down)"))
        self._up.clicked.connect(lambda: self.table.move_chosen(-1))
        self._down.clicked.connect(lambda: self.table.move_chosen(1))
        self._priority = SpinBox(-10, 10, 0)
        self._priority.setAccessibleName(self.tr("Priority, -10 to 10; higher runs first"))
        self._priority.setToolTip(self.tr("Higher runs first; normal is 0"))
        self._priority.setKeyboardTracking(False)
        self._priority.valueChanged.connect(self._on_priority)
        self._move = make_button(self.tr("Move to…"), "secondary", "arrow-right", small=True)
        self._move.clicked.connect(lambda: self._with_chosen(self._move_away))
        self._cancel = make_button(self.tr("Cancel"), "danger", "cancel", small=True)
        self._cancel.clicked.connect(lambda: self._with_chosen(self.cancel))

    # Showing

    def refresh(self) -> None:
        """Draw the queue as it is now."""
        queue = self._state.queue.value
        if queue is None:
            return
        self._show_slots(queue)
        self.table.show_waiting(queue.waiting)
        self._count.set(self.tr("{count} waiting").format(count=len(queue.waiting)) if queue.waiting
                        else self.tr("empty"))
        self._check()

    def _show_slots(self, queue: QueueView) -> None:
        said = [(slot, self._name(slot.job), self._load(slot.job)) for slot in queue.slots]
        if said == self._said:
            return
        self._said = said
        self._slots.clear()
        for slot, name, load in said:
            tile = SlotTile(slot, name, load, self._state.run_of(slot.job) is not None)
            tile.opened.connect(self._open)
            tile.cancelled.connect(self.cancel)
            self._slots.add(tile)

    def _name(self, job: str) -> str:
        run = self._state.run_of(job)
        return run.name if run is not None else self.tr("a job of another desktop") if job else ""

    def _load(self, job: str) -> str:
        """Write what a job takes, coarsely: the tiles are made anew when it changes."""
        last = self._state.telemetry.last
        taken = last.jobs.get(job) if last is not None and job else None
        if taken is None:
            return ""
        parts = [self.tr("{count} cores").format(count=f"{taken.cpu:.1f}"), runner_words.memory(taken.memory)]
        if taken.gpu_memory:
            parts.append(self.tr("GPU {size}").format(size=runner_words.memory(taken.gpu_memory)))
        return " · ".join(parts)

    def _check(self) -> None:
        """Switch the tools on or off with their reasons."""
        chosen = self.table.selected()
        cannot = why_not_steer(self._state.trouble.value, self._state.since.value)
        self.table.why_not_move = cannot
        none = cannot or ("" if chosen else self.tr("Choose a waiting job first."))
        ours = bool(chosen) and self._state.run_of(chosen[0].job) is not None
        foreign = none or ("" if ours else self.tr("The job was started from another desktop; do it there."))
        at = self.table.records.row_of(chosen[0].job) if chosen else None
        last = len(self.table.records.records) - 1
        _switch(self._up, none or (self.tr("It is the first already.") if at == 0 else ""))
        _switch(self._down, none or (self.tr("It is the last already.") if at == last else ""))
        _switch(self._cancel, foreign)
        _switch(self._move, foreign)
        if none:
            disable(self._priority, none)
        else:
            enable(self._priority)
        if chosen and not self._priority.hasFocus():
            self._priority.blockSignals(True)
            self._priority.setValue(chosen[0].priority)
            self._priority.blockSignals(False)

    # Doing

    def _with_chosen(self, act: Callable[[str], object]) -> None:
        chosen = self.table.selected()
        if chosen:
            act(chosen[0].job)

    def _open(self, job: str) -> None:
        if self._state.run_of(job) is not None:
            self._shell.open_run(job)
        else:
            self._shell.say(self.tr("The job was started from another desktop; it can be seen there."), "neutral")

    def _move_away(self, job: str) -> None:
        from mldesk.desktop.pages.runners.move_dialog import open_move_dialog

        run = self._state.run_of(job)
        if run is not None:
            open_move_dialog(self._shell, run)

    @async_slot
    async def _on_moved(self, job: str, above: int) -> None:
        queue = self._state.queue.value
        before = before_at(queue.waiting, job, above) if queue is not None else None
        if before is not None:
            self.table.select([job])  # and stays so when its row moves
            await self._state.reorder(job, before)

    @async_slot
    async def _on_priority(self, value: int) -> None:
        chosen = self.table.selected()
        if chosen and chosen[0].priority != value:
            await self._state.prioritize(chosen[0].job, value)

    @async_slot
    async def cancel(self, job: str) -> None:
        """Stop a job of ours, at once and without its model."""
        name = self._name(job)
        await self._state.cancel(job)
        self._shell.say(self.tr("{name} is being cancelled.").format(name=name), "info")

    def _entries(self, item: Waiting) -> list[Entry]:
        def like(button: QAbstractButton) -> str:
            return "" if button.isEnabled() else button.toolTip()

        return [Entry("arrow-right", self.tr("Open the run"), lambda: self._open(item.job)),
                Entry("chevron-up", self.tr("Earlier"), lambda: self.table.move_chosen(-1), like(self._up)),
                Entry("chevron-down", self.tr("Later"), lambda: self.table.move_chosen(1), like(self._down)),
                Entry("runner", self.tr("Move to…"), lambda: self._move_away(item.job), like(self._move)),
                Entry("cancel", self.tr("Cancel"), lambda: self.cancel(item.job), like(self._cancel))]


def _switch(button: QAbstractButton, reason: str) -> None:
    if reason:
        disable(button, reason)
    else:
        enable(button)
