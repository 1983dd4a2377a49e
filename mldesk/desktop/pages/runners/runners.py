"""The runners: one card each, with how it stands and what it does now."""

from __future__ import annotations

import math

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from mldesk.desktop import runner_words
from mldesk.desktop.pages.page import Page
from mldesk.desktop.shell import Shell
from mldesk.desktop.states import telemetry
from mldesk.desktop.states.runner_watch import LOCAL, RunnerList, RunnerWatch
from mldesk.desktop.tasks import TaskOwner, start
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import (
    Badge,
    ElidedLabel,
    EmptyState,
    FlowBox,
    IconLabel,
    PageHeader,
    ScrollPage,
    Sparkline,
    make_button,
    make_label,
)
from mldesk.desktop.widgets.press_card import PressCard

_DRAWN = 120  # readings in a card's little curve: two minutes


class _Reading(QWidget):
    """A name, what it is now, and its last minutes below."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = make_label(title, "caption", "muted")
        self._value = make_label("–", "strong")
        self._spark = Sparkline(scale=(0.0, 1.0))
        head = QHBoxLayout()
        head.setSpacing(Space.XS)
        head.addWidget(self._title)
        head.addStretch(1)
        head.addWidget(self._value)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.XXS)
        layout.addLayout(head)
        layout.addWidget(self._spark)

    def show_values(self, values: list[float]) -> None:
        known = [value for value in values[-3:] if math.isfinite(value)]
        self._value.setText(runner_words.share(known[-1]) if known else "–")
        self._spark.set_values(values[-_DRAWN:])


class RunnerCard(PressCard, TaskOwner):
    """Draws a ``RunnerWatch``; pressing it opens the runner. It watches while it is shown.

    Signals: ``opened`` (the runner's name).
    """

    opened = Signal(str)

    def __init__(self, watch: RunnerWatch) -> None:
        super().__init__()
        self.watch = watch
        self.clicked.connect(lambda _checked=False: self.opened.emit(watch.name))
        self._badge = Badge("")
        self._has = ElidedLabel("", "caption", "muted")
        self._work = ElidedLabel("", "body")
        self._readings = {"cpu": _Reading(self.tr("Processor")), "memory": _Reading(self.tr("Memory")),
                          "gpu": _Reading(self.tr("GPU"))}
        self._readings["gpu"].hide()
        self._build()
        self._undo = [watch.record.subscribe(lambda _: self._show()), watch.queue.subscribe(lambda _: self._show()),
                      watch.since.subscribe(lambda _: self._show()), watch.trouble.subscribe(lambda _: self._show()),
                      watch.answered.changed.subscribe(lambda _: self._show()),
                      watch.telemetry.advanced.subscribe(lambda _: self._draw())]
        self._draw()

    def _build(self) -> None:
        name, address = runner_words.runner_name(self.watch.name), self._address()
        text = QVBoxLayout()
        text.setSpacing(1)
        text.addWidget(ElidedLabel(name, "subtitle"))
        text.addWidget(ElidedLabel(address, "caption", "muted"))
        head = QHBoxLayout()
        head.setSpacing(Space.M)
        head.addWidget(IconLabel(runner_words.where_icon(self.watch.name), "muted", 22))
        head.addLayout(text, 1)
        head.addWidget(self._badge, 0, Qt.AlignmentFlag.AlignTop)
        lines = QHBoxLayout()
        lines.setSpacing(Space.L)
        for reading in self._readings.values():
            lines.addWidget(reading, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(Space.CARD, Space.CARD, Space.CARD, Space.CARD)
        layout.setSpacing(Space.M)
        layout.addLayout(head)
        middle = QVBoxLayout()
        middle.setSpacing(Space.XXS)
        middle.addWidget(self._has)
        middle.addWidget(self._work)
        layout.addLayout(middle)
        layout.addLayout(lines)
        self.let_through()

    def _address(self) -> str:
        record = self.watch.record.value
        if self.watch.name == LOCAL or record is None:
            return self.tr("no network needed")
        return record.address

    def _show(self) -> None:
        record = self.watch.record.value
        self._badge.set(*runner_words.condition_badge(self.watch))
        self._has.setText(runner_words.devices(record.facts if record is not None else {}))
        why = self.watch.why
        trouble = self.watch.trouble.value
        text = why or (trouble.message if trouble is not None else runner_words.work(self.watch.queue.value))
        self._work.setText(text or self.tr("Asking it…"))
        self.setAccessibleName(f"{runner_words.runner_name(self.watch.name)}, {self._badge.text}")
        self.setAccessibleDescription(f"{self._has.text()}. {self._work.text()}")

    def _draw(self) -> None:
        seen = self.watch.telemetry
        self._readings["cpu"].show_values(seen.series(telemetry.cpu))
        self._readings["memory"].show_values(seen.series(telemetry.memory))
        self._readings["gpu"].setVisible(bool(seen.cards()))
        if seen.cards():
            self._readings["gpu"].show_values(seen.series(telemetry.gpu))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.own(start(self.watch.watch(), f"watch {self.watch.name}"))

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.cancel_tasks()

    def dispose(self) -> None:
        """Let go of the watch."""
        for undo in self._undo:
            undo()
        self.cancel_tasks()

    def sizeHint(self) -> QSize:
        layout = self.layout()
        return layout.sizeHint() if layout is not None else super().sizeHint()


class RunnersPage(Page):
    """Every runner, and the way to another one."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self.state = RunnerList(shell.desk)
        self.cards: dict[str, RunnerCard] = {}
        add = make_button(self.tr("Add a runner…"), "primary", "plus")
        add.clicked.connect(shell.add_runner)
        header = PageHeader(self.tr("Runners"), self.tr("The machines that train. Jobs go on when this window is "
                                                        "closed or the network is gone."), [add])
        self._flow = FlowBox(spacing=Space.L, least=400, scrolls=True)
        empty = EmptyState("runner", self.tr("More machines, one list"),
                           self.tr("Any Linux machine that you reach by SSH can train for you: no root, no open port, "
                                   "no internet needed there. Write its address, and see what would be done before "
                                   "anything is."))
        self._empty = empty
        page = ScrollPage(margin=0)
        page.body.addWidget(self._flow)
        page.body.addWidget(empty, 1)
        page.body.addStretch(0)
        self._stack = QStackedWidget()
        self._stack.addWidget(QWidget())
        self._stack.addWidget(page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(Space.PAGE, Space.PAGE, Space.PAGE, Space.PAGE)
        layout.setSpacing(Space.L)
        layout.addWidget(header)
        layout.addWidget(self._stack, 1)
        self.keep(self.state.watches.subscribe(lambda _: self._show()))

    async def refresh(self) -> None:
        await self.state.refresh()

    def dispose(self) -> None:
        for card in self.cards.values():
            card.dispose()
        super().dispose()

    def _show(self) -> None:
        watches = self.state.watches.value
        if watches is None:
            return
        if [watch.name for watch in watches] != list(self.cards):
            for card in self.cards.values():
                card.dispose()
            self._flow.clear()
            self.cards = {}
            for watch in watches:
                card = RunnerCard(watch)
                card.opened.connect(self.shell.open_runner)
                self.cards[watch.name] = card
                self._flow.add(card)
        self._empty.setVisible(len(watches) < 2)
        self._stack.setCurrentIndex(1)
