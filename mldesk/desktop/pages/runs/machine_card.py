"""What a run takes of its machine: processor, memory, GPU, each with its last minutes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from mldesk.desktop import words
from mldesk.desktop.states.run import Machine
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import Card, Sparkline, make_label

_KEPT = 240  # readings drawn


class _Line(QWidget):
    """One reading with its past."""

    def __init__(self, title: str, write: Callable[[float], str]) -> None:
        super().__init__()
        self._write = write
        self._value = make_label(words.MISSING, "strong")
        self._spark = Sparkline()
        text = QVBoxLayout()
        text.setSpacing(0)
        text.addWidget(make_label(title, "caption", "muted"))
        text.addWidget(self._value)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.L)
        layout.addLayout(text, 1)
        layout.addWidget(self._spark, 1)

    def show_values(self, values: Sequence[float], *, ended: bool, more: str = "") -> None:
        """Show the newest reading, of a run that has ended the highest; ``more`` is said after it."""
        known = [value for value in values if math.isfinite(value)]
        said = words.MISSING if not known else self._write(known[-1]) if not ended else words.tr(
            "at most {value}").format(value=self._write(max(known)))
        self._value.setText(" · ".join(filter(None, (said, more))))
        self._spark.set_values(list(values[-_KEPT:]))


class MachineCard(Card):
    """Draws a ``Machine``."""

    def __init__(self, machine: Machine, parent: QWidget | None = None) -> None:
        super().__init__(self.tr("Machine"), parent=parent)
        self._machine = machine
        self._cpu = _Line(self.tr("Processor"), lambda value: self.tr("{value} % of a core").format(value=round(value)))
        self._memory = _Line(self.tr("Memory"), words.size)
        self._gpu = _Line(self.tr("GPU"), lambda value: f"{value:.0f} %")
        self._gpu.hide()
        for line in (self._cpu, self._memory, self._gpu):
            self.add(line)

    def refresh(self, *, ended: bool = False) -> None:
        """Draw what is new; ``ended``: there will be no more."""
        self._cpu.show_values(self._machine.cpu, ended=ended)
        self._memory.show_values(self._machine.memory, ended=ended)
        has_gpu = any(math.isfinite(value) for value in self._machine.gpu)
        self._gpu.setVisible(has_gpu)
        if has_gpu:
            memory = [value for value in self._machine.gpu_memory if math.isfinite(value)]
            self._gpu.show_values(self._machine.gpu, ended=ended, more="" if not memory else self.tr(
                "{size} in use").format(size=words.size(max(memory) if ended else memory[-1])))
