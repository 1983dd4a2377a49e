"""How a runner is to behave: places, quiet hours, what follows a reboot, room for datasets."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTime, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QHBoxLayout, QTimeEdit, QVBoxLayout, QWidget

from mldesk.desktop.runner_words import GB
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import (
    Card,
    DecimalBox,
    FormRow,
    ReasonLine,
    ScrollPage,
    Segmented,
    SpinBox,
    disable,
    enable,
    make_button,
    make_icon_button,
    make_label,
    row,
)
from mldesk.desktop.words import clock_format

if TYPE_CHECKING:
    from mldesk.wire.runner_view import RunnerSettings


class _Time(QTimeEdit):
    """A time of day. The wheel changes it only while it has the focus."""

    def __init__(self, minutes: int) -> None:
        super().__init__(QTime(minutes // 60 % 24, minutes % 60))
        self.setDisplayFormat(clock_format())
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.lineEdit().setTextMargins(6, 0, 0, 0)

    def minutes(self) -> int:
        """Return it as minutes since midnight."""
        return self.time().hour() * 60 + self.time().minute()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class QuietHours(QWidget):
    """Hours in which nothing starts. Signals: ``changed``."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[tuple[_Time, _Time, QWidget]] = []
        self._box = QVBoxLayout()
        self._box.setSpacing(Space.S)
        self._add = make_button(self.tr("Add hours"), "secondary", "plus", small=True)
        self._add.clicked.connect(self._on_add)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.S)
        layout.addLayout(self._box)
        layout.addLayout(row(self._add, None))

    def values(self) -> tuple[tuple[int, int], ...]:
        """Return (from, to) in minutes since midnight."""
        return tuple((first.minutes(), last.minutes()) for first, last, _ in self._lines)

    def set_values(self, quiet: tuple[tuple[int, int], ...]) -> None:
        """Show other hours."""
        for _, _, line in self._lines:
            line.hide()
            line.deleteLater()
        self._lines.clear()
        for first, last in quiet:
            self._line(first, last)

    def _line(self, first: int, last: int) -> None:
        start, end = _Time(first), _Time(last)
        line = QWidget()
        layout = QHBoxLayout(line)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.S)
        remove = make_icon_button("close", self.tr("Take these hours out"), size=14)
        for field, name in ((start, self.tr("Quiet from")), (end, self.tr("Quiet until"))):
            field.setAccessibleName(name)
            field.timeChanged.connect(lambda _: self.changed.emit())
        for item in (make_label(self.tr("from"), "body", "muted"), start, make_label(self.tr("until"), "body", "muted"),
                     end, remove):
            layout.addWidget(item)
        layout.addStretch(1)
        self._lines.append((start, end, line))
        remove.clicked.connect(lambda: self._on_remove(line))
        self._box.addWidget(line)

    def _on_add(self) -> None:
        self._line(9 * 60, 17 * 60)
        self.changed.emit()

    def _on_remove(self, line: QWidget) -> None:
        self._lines = [item for item in self._lines if item[2] is not line]
        line.hide()
        line.deleteLater()
        self.changed.emit()


class SettingsForm(QWidget):
    """A form over ``RunnerSettings``. Signals: ``saved`` (the settings) when Save is pressed."""

    saved = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._given: RunnerSettings | None = None
        self._cannot = ""
        self.cpu = SpinBox(0, 256, 1)
        self.gpu = SpinBox(0, 16, 1)
        self.quiet = QuietHours()
        self.reboot = Segmented([("resume", self.tr("Go on with the jobs")), ("wait", self.tr("Wait for somebody"))])
        self.quota = DecimalBox(0.0, 100_000.0, 0.0, 5.0, 1)
        self.save = make_button(self.tr("Save"), "primary", "check")
        self.save.clicked.connect(lambda: self.saved.emit(self.value()))
        self.undo = make_button(self.tr("Take back"), "secondary")
        self.undo.clicked.connect(lambda: self.show_settings(self._given, "") if self._given is not None else None)
        for signal in (self.cpu.valueChanged, self.gpu.valueChanged, self.quiet.changed, self.reboot.changed,
                       self.quota.valueChanged):
            signal.connect(lambda *_: self._check())
        self._build()
        self._check()

    def _build(self) -> None:
        card = Card(self.tr("Work"), self.tr("Kept on the runner: every desktop that uses it sees the same."))
        self._quiet_row = FormRow(self.tr("Quiet hours"), self.quiet, self.tr(
            "In these hours nothing new starts; what runs goes on."))
        places = row(
            FormRow(self.tr("Jobs at once without a card"), self.cpu, self.tr(
                "They share the processor. One at a time is quickest for each.")),
            FormRow(self.tr("Jobs at once on each card"), self.gpu, self.tr(
                "More than one share the card's memory, too.")), spacing=Space.XL)
        card.add(places)
        for item in (
            self._quiet_row,
            FormRow(self.tr("After a reboot"), self.reboot, self.tr(
                "Jobs that it cut go on from their last checkpoint, or wait until you press Resume.")),
            FormRow(self.tr("Room for datasets"), self.quota, self.tr(
                "What is sent is kept for the next run, up to this much. 0: as much as the disk has."), "GB"),
        ):
            card.add(item)
        card.setMaximumWidth(680)
        page = ScrollPage(margin=0)
        page.body.setContentsMargins(0, 0, Space.S, 0)
        line = row(card, None)
        line.setStretch(0, 100)
        page.body.addLayout(line)
        page.body.addStretch(1)
        foot = row(self.save, self.undo, ReasonLine(self.save), None, spacing=Space.M)
        foot.setStretch(2, 100)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.M)
        layout.addWidget(page, 1)
        layout.addLayout(foot)

    def show_settings(self, settings: RunnerSettings, zone: str = "") -> None:
        """Show what the runner says."""
        self._given = settings
        for field in (self.cpu, self.gpu, self.quota, self.reboot):
            field.blockSignals(True)
        self.cpu.setValue(settings.cpu_slots)
        self.gpu.setValue(settings.gpu_slots)
        self.quiet.set_values(settings.quiet)
        self.reboot.set_value(settings.on_reboot)
        self.quota.setValue(settings.quota / GB)
        for field in (self.cpu, self.gpu, self.quota, self.reboot):
            field.blockSignals(False)
        if zone:
            self._quiet_row.set_help(self.tr("In these hours, by the runner's clock ({zone}), nothing new starts; "
                                             "what runs goes on.").format(zone=zone))
        self._check()

    def set_cannot(self, why: str) -> None:
        """Say why nothing can be saved now; "" when it can."""
        self._cannot = why
        self._check()

    def value(self) -> RunnerSettings:
        """Return what the form says."""
        from mldesk.wire.runner_view import RunnerSettings

        given = self._given or RunnerSettings()
        quota = given.quota if abs(self.quota.value() - round(given.quota / GB, 1)) < 0.05 \
            else round(self.quota.value() * GB)
        return replace(given, cpu_slots=self.cpu.value(), gpu_slots=self.gpu.value(), quiet=self.quiet.values(),
                       on_reboot=self.reboot.value(), quota=quota)

    def _check(self) -> None:
        same = self._given is not None and self.value() == self._given
        empty = any(first == last for first, last in self.quiet.values())
        reason = self._cannot or (self.tr("The runner has not said yet how it is set.") if self._given is None else
                                  self.tr("Quiet hours must end at another time than they begin.") if empty else
                                  self.tr("Nothing is changed.") if same else "")
        if reason:
            disable(self.save, reason)
        else:
            enable(self.save)
        self.undo.setVisible(self._given is not None and not same)
