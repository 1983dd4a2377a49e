"""The load of a runner over the last ten minutes: processor, memory, disk, and every graphics card."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from mldesk.desktop import runner_words, words
from mldesk.desktop.states import telemetry
from mldesk.desktop.states.telemetry import Telemetry
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import Card, FlowBox, ScrollPage
from mldesk.desktop.widgets.strip import Strip, StripChart

if TYPE_CHECKING:
    from mldesk.wire.runner_view import GpuSample

Read = Callable[["GpuSample"], float | None]


class LoadView(ScrollPage):
    """Draws a ``Telemetry``."""

    def __init__(self, seen: Telemetry, parent: QWidget | None = None) -> None:
        super().__init__(parent, margin=0)
        self.body.setContentsMargins(0, 0, Space.S, Space.L)
        self._seen = seen
        self._cards: dict[StripChart, Card] = {}
        self._flow = FlowBox(spacing=Space.L, least=290, scrolls=True)
        self.body.addWidget(self._flow)
        self.body.addStretch(1)
        self.cpu = self._chart(self.tr("Processor"), runner_words.share)
        self.memory = self._chart(self.tr("Memory"), runner_words.memory, None)
        self.disk = self._chart(self.tr("Disk"), words.size, None)
        self.utilization = self._chart(self.tr("GPU at work"), runner_words.share)
        self.gpu_memory = self._chart(self.tr("GPU memory"), runner_words.memory, None)
        self.temperature = self._chart(self.tr("GPU temperature"), lambda value: f"{value:.0f} °C", 100.0)
        self.power = self._chart(self.tr("GPU power"), lambda value: f"{value:.0f} W", None)
        self._of_cards = (self.utilization, self.gpu_memory, self.temperature, self.power)
        for chart in self._of_cards:
            self._cards[chart].hide()

    def _chart(self, title: str, write: Callable[[float], str], high: float | None = 1.0) -> StripChart:
        chart = StripChart(title, write, high)
        card = Card()
        card.add(chart)
        self._cards[chart] = card
        self._flow.add(card)
        return chart

    def refresh(self) -> None:
        """Draw what is known now."""
        seen, last = self._seen, self._seen.last
        if last is None:
            return
        ages = seen.ages()
        self.cpu.show_strips(ages, [Strip("", seen.series(telemetry.cpu))])
        self.memory.show_strips(ages, [Strip("", seen.series(lambda sample: sample.memory_used))],
                                high=float(max(1, last.memory_total)), note=self._of(last.memory_total))
        self.disk.show_strips(ages, [Strip("", seen.series(lambda sample: sample.disk_used))],
                              high=float(max(1, last.disk_total)),
                              note=self.tr("of {all}").format(all=words.size(last.disk_total)))
        self._show_cards(ages)

    def _show_cards(self, ages: list[float]) -> None:
        cards = self._seen.cards()
        for chart in self._of_cards:
            self._cards[chart].setVisible(bool(cards))
        if not cards:
            return
        self.utilization.show_strips(ages, self._strips(lambda card: card.utilization))
        most = max(card.memory_total for card in cards)
        self.gpu_memory.show_strips(ages, self._strips(lambda card: card.memory_used), high=float(max(1, most)),
                                    note=self._of(most) if len(cards) == 1 else "")
        self.temperature.show_strips(ages, self._strips(lambda card: card.temperature))
        self.power.show_strips(ages, self._strips(lambda card: card.power))

    def _strips(self, read: Read) -> list[Strip]:
        return [Strip(self.tr("GPU {number}").format(number=card.index), self._seen.of_card(card.index, read), slot)
                for slot, card in enumerate(self._seen.cards())]

    def _of(self, whole: float) -> str:
        return self.tr("of {all}").format(all=runner_words.memory(whole))
