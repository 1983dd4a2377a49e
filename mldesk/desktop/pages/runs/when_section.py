"""When what is ordered begins: at once or at a moment, once or several times."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from mldesk.desktop import runner_words, words
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import ComboBox, FormRow, MomentBox, Segmented, SpinBox, column, row

if TYPE_CHECKING:
    from mldesk.desktop.shell import Shell
    from mldesk.workbench.scheduling import Begun, When

_HOUR, _DAY = 3600, 86_400


class WhenSection(QWidget):
    """Edits a ``When``. Signals: ``changed``."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None, *, seeded: bool = True) -> None:
        """``seeded``: what is repeated has a seed."""
        super().__init__(parent)
        self.kind = Segmented([("now", self.tr("Now")), ("at", self.tr("At…"))], "now")
        self.moment = MomentBox()
        self.moment.setAccessibleName(self.tr("Start at"))
        start = QWidget()
        start.setLayout(column(row(self.kind, None), self.moment))
        self._start_row = FormRow(self.tr("When"), start)
        self.times = SpinBox(1, 100, 1)
        self.every = ComboBox([(0, self.tr("one after another, each with the next seed") if seeded else
                                self.tr("one after another")),
                               (_HOUR, self.tr("an hour apart")), (_DAY, self.tr("a day apart")),
                               (7 * _DAY, self.tr("a week apart"))], 0)
        self.every.setAccessibleName(self.tr("How they follow one another"))
        again = QWidget()
        again.setLayout(column(row(self.times, None), self.every))
        self._again_row = FormRow(self.tr("How many runs"), again)
        self.times.setAccessibleName(self.tr("How many runs"))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.L)
        layout.addWidget(self._start_row)
        layout.addWidget(self._again_row)
        self._runner = "local"
        self.kind.changed.connect(lambda _: self._on_changed())
        self.moment.changed.connect(self._on_changed)
        self.times.valueChanged.connect(lambda _: self._on_changed())
        self.every.currentIndexChanged.connect(lambda _: self._on_changed())
        self._show()

    def when(self) -> When:
        """Return what is chosen."""
        from mldesk.workbench.scheduling import When

        times = self.times.value()
        return When(self.moment.value() if self.kind.value() == "at" else None, times,
                    float(self.every.value()) if times > 1 else 0.0)

    def why_not(self) -> str:
        """Say why nothing can begin then; "" if it can."""
        if self.kind.value() == "at" and self.moment.value() <= time.time():
            return self.tr("Choose a moment to come, or start now.")
        return ""

    def set_runner(self, name: str) -> None:
        """Say by whose clock it begins."""
        self._runner = name
        self._show()

    def _on_changed(self) -> None:
        self._show()
        self.changed.emit()

    def _show(self) -> None:
        later, several = self.kind.value() == "at", self.times.value() > 1
        self.moment.setVisible(later)
        self.every.setVisible(several)
        waits = later or (several and bool(self.every.value()))
        self._start_row.set_help("" if not waits else self.tr(
            "This machine must be on then; MLDesk need not be open.") if self._runner == "local" else self.tr(
            "By the clock of {runner}; this machine need not be on.").format(
                runner=runner_words.where(self._runner) if not self._runner.startswith("any") else self.tr(
                    "the runner")))
        self._start_row.set_error(self.why_not())
        self._again_row.set_help("" if not several else self.tr("They become a group."))


def show_begun(shell: Shell, begun: Begun) -> None:
    """Open the first of the runs that were begun, and say what is to be known of them."""
    shell.open_run(begun.runs[0].id)
    if len(begun.runs) > 1:
        shell.say(words.tr("{count} runs were begun, in the group {group}.").format(
            count=words.number(len(begun.runs)), group=begun.group), "success")
    if begun.note:
        shell.say(begun.note, "warning")
