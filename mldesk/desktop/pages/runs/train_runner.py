"""Where a run is to work: each runner with what it would take there, or any that is free; and how urgent it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from mldesk.desktop import runner_words, words
from mldesk.desktop.pages.runners.runner_choice import ChoiceList, Option
from mldesk.desktop.states.runner_watch import LOCAL
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import FormRow, Segmented, SpinBox, Spinner, make_button, make_label, row
from mldesk.workbench.runner_choice import cannot_train

if TYPE_CHECKING:
    from mldesk.library.records import RunnerRecord
    from mldesk.workbench.runners import RunnerEstimate

ANY = "any"
PRIORITIES = (-5, 0, 5)


class RunnerSection(QWidget):
    """Signals: ``changed`` when another runner or priority is chosen; ``adding`` when Add a runner is pressed."""

    changed = Signal()
    adding = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._records: list[RunnerRecord] = []
        self._estimates: dict[str, RunnerEstimate] = {}
        self._wanted = LOCAL
        self.choice = ChoiceList(self.tr("Train on"))
        self.choice.changed.connect(lambda _: self._on_chosen())
        self._spinner = Spinner(14)
        self._spinner.hide()
        self.memory = SpinBox(0, 2048, 0)
        self.memory.setSpecialValueText(self.tr("none needed"))
        self.memory.valueChanged.connect(lambda _: self.changed.emit())
        self._memory_row = FormRow(self.tr("GPU memory, at least"), self.memory, "", "GB")
        self.priority = Segmented([(-5, self.tr("Low")), (0, self.tr("Normal")), (5, self.tr("High"))], 0)
        self.priority.changed.connect(lambda _: self.changed.emit())
        self._priority_row = FormRow(self.tr("Priority"), self.priority, self.tr(
            "Within a runner's queue, higher runs first."))
        add = make_button(self.tr("Add a runner…"), "link")
        add.clicked.connect(self.adding)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.S)
        layout.addLayout(row(make_label(self.tr("Train on"), "strong"), self._spinner, None, add))
        layout.addWidget(self.choice)
        layout.addWidget(self._memory_row)
        layout.addSpacing(Space.XS)
        layout.addWidget(self._priority_row)
        self._show()

    def set_busy(self, on: bool) -> None:
        """Show that runners are being asked."""
        self._spinner.setVisible(on)

    def show_runners(self, records: Sequence[RunnerRecord], chosen: str = "") -> None:
        """Show which runners there are."""
        self._records = sorted(records, key=lambda record: (record.name != LOCAL, record.name.casefold()))
        if chosen:
            self._wanted = chosen
        self._show()

    def show_estimates(self, estimates: Sequence[RunnerEstimate]) -> None:
        """Show what it would take on each of them."""
        self._estimates = {estimate.name: estimate for estimate in estimates}
        self._show()

    def runner(self) -> str:
        """Return what ``TrainOrder.runner`` takes: a name, "any" or "any:24GB"."""
        if self.choice.value() != ANY:
            return self.choice.value() or LOCAL
        return f"{ANY}:{self.memory.value()}GB" if self.memory.value() else ANY

    def why_not(self) -> str:
        """Say why the runner that is chosen will not do; "" when it will."""
        option = self.choice.option(self.choice.value())
        if option is None or not option.why_not:
            return ""
        return self.tr("{runner}: {why}").format(runner=option.title, why=option.why_not)

    def _show(self) -> None:
        options = [self._option(record) for record in self._records]
        if len(self._records) > 1:
            free = sum(1 for option in options if not option.why_not)
            options.append(Option(ANY, self.tr("Any free runner"), "runner", self.tr(
                "The one of {count} that is free, or free first").format(count=free)))
        self.choice.set_options(options)
        if not self.choice.value():
            self.choice.set_value(self._wanted)
        self._memory_row.setVisible(self.choice.value() == ANY)
        self._priority_row.setVisible(len(self._records) > 1)

    def _option(self, record: RunnerRecord) -> Option:
        estimate = self._estimates.get(record.name)
        title, icon = runner_words.runner_name(record.name), runner_words.where_icon(record.name)
        cannot = cannot_train(record)
        if estimate is None:
            silent = self.tr("Unreachable since {time}.").format(time=runner_words.clock(record.unreachable)) \
                if record.unreachable is not None else ""
            return Option(record.name, title, icon, runner_words.devices(record.facts), "",
                          cannot or silent)
        return Option(record.name, title, "gpu" if estimate.gpu else icon, needs(estimate), took(estimate),
                      cannot or why_not(estimate), estimate.why)

    def _on_chosen(self) -> None:
        self._wanted = self.choice.value()
        self._memory_row.setVisible(self._wanted == ANY)
        self.changed.emit()


def took(estimate: RunnerEstimate) -> str:
    """Write the time that a run would take, as coarsely as it is known."""
    if estimate.seconds is None:
        return ""
    seconds = estimate.seconds
    if seconds < 10:
        return words.tr("a few seconds")
    rounded = round(seconds / 5) * 5 if seconds < 60 else round(seconds / 60) * 60
    return words.tr("about {time}").format(time=words.duration(float(rounded)))


def needs(estimate: RunnerEstimate) -> str:
    """Write the memory that a run would take, the card, and who is before it."""
    parts = [estimate.gpu.removeprefix("NVIDIA ").removeprefix("GeForce ")] if estimate.gpu else []
    if estimate.memory and estimate.memory_there:
        parts.append(words.tr("needs {needed} of {there}").format(
            needed=runner_words.memory(estimate.memory), there=runner_words.memory(estimate.memory_there)))
    if estimate.waiting:
        parts.append(words.tr("1 job before it") if estimate.waiting == 1
                     else words.tr("%n jobs before it", estimate.waiting))
    if estimate.seconds is None:
        parts.append(words.tr("time not known yet"))
    return " · ".join(parts)


def why_not(estimate: RunnerEstimate) -> str:
    """Say why a run cannot go there; "" when it can."""
    if not estimate.reachable:
        return estimate.why or words.tr("It cannot be reached now.")
    if not estimate.fits:
        return estimate.why or words.tr("It needs about {needed} of memory, and {there} are there.").format(
            needed=runner_words.memory(estimate.memory), there=runner_words.memory(estimate.memory_there))
    return ""
