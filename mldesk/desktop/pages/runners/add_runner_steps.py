"""The pages of the Add runner dialog after the address: the key, the plan, the work, the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QCheckBox, QFrame, QHBoxLayout, QVBoxLayout, QWidget

from mldesk.desktop import runner_words, words
from mldesk.desktop.pages.facts import FactGrid
from mldesk.desktop.pages.notice import Notice
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import (
    EmptyState,
    IconLabel,
    ProgressLine,
    ScrollPage,
    make_button,
    make_label,
    row,
)

if TYPE_CHECKING:
    from mldesk.library.records import RunnerRecord
    from mldesk.runners.provision.probe import HostFacts
    from mldesk.workbench.runners import Preparation


class _Art(QFrame):
    """The picture of a key, in a font whose letters are all of one width."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("surface", "sunken")
        self.text = make_label("", "mono", selectable=True)
        self.text.setAccessibleName(self.tr("Picture of the key"))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(Space.L, Space.M, Space.L, Space.M)
        layout.addWidget(self.text)


class KeyStep(ScrollPage):
    """First contact: the machine's key, to be compared with what its owner says."""

    def __init__(self) -> None:
        super().__init__(margin=0)
        self._title = make_label("", "subtitle", wrap=True)
        self._kind = make_label("", "caption", "muted")
        self.fingerprint = make_label("", "mono", selectable=True, wrap=True)
        self.fingerprint.setAccessibleName(self.tr("Fingerprint of the key"))
        self._art = _Art()
        copy = make_button(self.tr("Copy the fingerprint"), "secondary", "copy", small=True)
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.fingerprint.text()))
        text = QVBoxLayout()
        text.setSpacing(Space.S)
        text.addWidget(self._kind)
        text.addWidget(self.fingerprint)
        text.addLayout(row(copy, None))
        text.addSpacing(Space.S)
        text.addWidget(make_label(self.tr("On the machine itself this shows the same:"), "caption", "muted", wrap=True))
        self._command = make_label("", "mono", selectable=True, wrap=True)
        text.addWidget(self._command)
        text.addStretch(1)
        line = QHBoxLayout()
        line.setSpacing(Space.L)
        line.addWidget(self._art, 0, Qt.AlignmentFlag.AlignTop)
        line.addLayout(text, 1)
        self.body.addWidget(self._title)
        self.body.addWidget(make_label(self.tr(
            "Compare its key with what the machine's owner says. If it is the same, accept it: from then on, a machine "
            "that shows another key there is refused."), "body", "muted", wrap=True))
        self.body.addLayout(line)
        self.body.addStretch(1)

    def show_key(self, error: Any) -> None:
        """Show the key that an ``UnknownHost`` brought."""
        key = error.key
        where = error.host if error.port == 22 else f"{error.host}:{error.port}"
        self._title.setText(self.tr("{host} has not been met before.").format(host=where))
        self._kind.setText(self.tr("Its {kind} key").format(kind=key.name))
        self.fingerprint.setText(key.fingerprint)
        self._art.text.setText(key.randomart)
        self._command.setText(f"ssh-keygen -lvf /etc/ssh/ssh_host_{key.name.lower()}_key.pub")


class StoppedStep(ScrollPage):
    """Another key than before, or a revoked one. There is no way on from here."""

    def __init__(self) -> None:
        super().__init__(margin=0)
        self._notice = Notice()
        self._facts = FactGrid()
        self.body.addWidget(self._notice)
        self.body.addWidget(self._facts)
        self.body.addStretch(1)

    def show_error(self, error: Any) -> None:
        """Show what stopped us, with both fingerprints."""
        where = error.host if error.port == 22 else f"{error.host}:{error.port}"
        title = self.tr("{host} shows another key than before.") if hasattr(error, "known") \
            else self.tr("{host} shows a key that was revoked.")
        text = self.tr("Somebody may be in between, so nothing was sent to it.") if hasattr(error, "known") \
            else self.tr("It was marked as stolen or retired, so nothing was sent to the machine.")
        self._notice.say("danger", title.format(host=where), f"{text} {error.advice}")
        lines = [(self.tr("Shown now"), error.key.fingerprint)]
        lines += [(self.tr("Known until now"), key.fingerprint) for key in getattr(error, "known", ())]
        lines.append((self.tr("Kept in"), str(error.where)))
        self._facts.show_facts(lines)


class PlanStep(ScrollPage):
    """What would be done, in words and sizes.

    Signals: ``changed``; ``processor_only`` (whether the graphics cards are to be left alone).
    """

    changed = Signal()
    processor_only = Signal(bool)

    def __init__(self) -> None:
        super().__init__(margin=0)
        self.body.setContentsMargins(0, 0, Space.M, 0)
        self._title = make_label("", "subtitle", wrap=True)
        self._facts = make_label("", "body", "muted", wrap=True)
        self._lines = QVBoxLayout()
        self._lines.setSpacing(Space.S + 2)
        self.at_boot = QCheckBox(self.tr("Start with the machine"))
        self.at_boot.setChecked(True)
        self._at_boot_words = make_label("", "caption", "muted", wrap=True)
        self.only = QCheckBox(self.tr("Use the processor only"))
        self.only.clicked.connect(self.processor_only)
        self._only_words = make_label(self.tr("Its graphics cards are left alone; smaller packages are enough."),
                                      "caption", "muted", wrap=True)
        self.problem = Notice()
        self.problem.acted.connect(lambda: self.processor_only.emit(True))
        for widget in (self._title, self._facts):
            self.body.addWidget(widget)
        self.body.addLayout(self._lines)
        boot, only = QVBoxLayout(), QVBoxLayout()
        for box, items in ((boot, (self.at_boot, self._at_boot_words)), (only, (self.only, self._only_words))):
            box.setSpacing(Space.XXS)
            for item in items:
                box.addWidget(item)
        self.body.addLayout(boot)
        self.body.addLayout(only)
        self.body.addWidget(self.problem)
        self.body.addStretch(1)

    def show_plan(self, preparation: Preparation, processor_only: bool) -> None:
        """Show another plan."""
        self._title.setText(self.tr("This is what would be done on {address}").format(address=preparation.address))
        self._facts.setText(host_words(preparation.facts))
        while self._lines.count():
            item = self._lines.takeAt(0)
            if item is not None and (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        boot = preparation.at_boot
        for line in preparation.words:
            if line != boot.value:  # said beside the choice
                self._lines.addWidget(_Point(line))
        self.at_boot.setVisible(boot.name != "NEXT_CONNECT")
        self._at_boot_words.setText(boot.value)
        cards = bool(preparation.facts.gpus or preparation.facts.gpu_problem)
        self.only.setChecked(processor_only)
        self.only.setVisible(cards)
        self._only_words.setVisible(cards)


class _Point(QWidget):
    """A line of the plan."""

    def __init__(self, text: str) -> None:
        super().__init__()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.S + 2)
        warns = text.startswith("It cannot train")
        layout.addWidget(IconLabel("warning" if warns else "check", "warning" if warns else "accent", 15), 0,
                         Qt.AlignmentFlag.AlignTop)
        layout.addWidget(make_label(text, wrap=True, selectable=True), 1)


class WorkStep(QWidget):
    """What has been done, what is being done, and how far it is."""

    def __init__(self) -> None:
        super().__init__()
        self._done: tuple[str, ...] = ()
        self._lines = QVBoxLayout()
        self._lines.setSpacing(Space.S)
        self.line = ProgressLine()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.L)
        layout.addLayout(self._lines)
        layout.addWidget(self.line)
        layout.addStretch(1)

    def show_progress(self, done: Sequence[str], what: str, share: float) -> None:
        """Show how far it is, ``share`` from 0 to 1."""
        if tuple(done)[:len(self._done)] != self._done:
            self._clear()
        for text in tuple(done)[len(self._done):]:
            self._lines.addWidget(_Point(text))
        self._done = tuple(done)
        self.line.set(share if share > 0 else None, what or self.tr("Beginning…"),
                      "")

    def _clear(self) -> None:
        self._done = ()
        while self._lines.count():
            item = self._lines.takeAt(0)
            if item is not None and (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()


class DoneStep(QWidget):
    """It is a runner now."""

    def __init__(self) -> None:
        super().__init__()
        self._state = EmptyState("success", " ", " ")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._state)

    def show_record(self, record: RunnerRecord | None) -> None:
        """Say what it has."""
        if record is not None:
            trains = record.options.get("trains", True)
            then = self.tr("Choose it under “Train on” in the Train dialog.") if trains \
                else str(record.options.get("training", ""))
            problem = str(record.options.get("at_boot_problem", ""))
            self._state.set_texts(self.tr("{name} is a runner now").format(name=record.name), " ".join(filter(None, (
                f"{runner_words.devices(record.facts)}.", then, problem))))


def host_words(facts: HostFacts) -> str:
    """Write what a machine is, from its probe."""
    tr = words.tr
    parts = [facts.distribution or facts.os, words.counted(facts.cores, tr("core"), tr("cores")),
             tr("{size} of memory").format(size=runner_words.memory(facts.memory))]
    names = [f"{card.name}, {runner_words.memory(card.memory)}" for card in facts.gpus]
    if facts.gpu_problem:
        parts.append(tr("a graphics card that cannot be used"))
    parts += names or ([] if facts.gpu_problem else [tr("no GPU")])
    if facts.home.free:
        parts.append(tr("{size} free").format(size=words.size(facts.home.free)))
    return " · ".join(part for part in parts if part)
