"""The line at the foot of the window: the machine that works, what goes on, and where runners cannot be reached."""

from __future__ import annotations

import time

from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from mldesk.desktop import theme, words
from mldesk.desktop.shell import Shell
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets.badges import Badge
from mldesk.desktop.widgets.buttons import make_button
from mldesk.desktop.widgets.text import make_label


class StatusBar(QFrame):
    """Machine badge on the left, imports and running jobs on the right."""

    def __init__(self, shell: Shell, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shell = shell
        self.setProperty("surface", "footer")
        self.setFixedHeight(theme.px(34))
        self._machine = Badge(self.tr("This machine"), icon="cpu")
        self._facts = make_label("", "caption", "muted")
        self._hint = make_label(self.tr("Ctrl+K for everything"), "caption", "muted")
        self.jobs = make_button("", "ghost", "run", small=True)
        self.jobs.clicked.connect(self._on_jobs)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(Space.L, 0, Space.L, 0)
        layout.setSpacing(Space.M)
        layout.addWidget(self._machine)
        layout.addWidget(self._facts)
        layout.addStretch(1)
        layout.addWidget(self.jobs)
        layout.addWidget(self._hint)
        shell.desk.active.subscribe(lambda _: self._show_jobs())
        shell.desk.advanced.subscribe(lambda _: self._show_jobs())
        shell.imports.running.subscribe(lambda _: self._show_jobs())
        shell.desk.machine.subscribe(lambda _: self._show_machine())

    def _show_machine(self) -> None:
        record = self._shell.desk.machine.value
        if record is None:
            self._facts.setText("")
            return
        self._facts.setText(words.machine(record.facts))
        self._machine.setToolTip(self.tr("Jobs run here unless you choose another machine."))

    def _show_jobs(self) -> None:
        runs, imports = self._shell.desk.active.value, self._shell.imports.running.value
        parts = []
        if imports:
            parts.append(words.counted(len(imports), self.tr("import"), self.tr("imports")))
        now = time.time()
        later = sum(1 for run in runs if run.due(now) is not None)
        if len(runs) > later:
            parts.append(words.counted(len(runs) - later, self.tr("run"), self.tr("runs")))
        if later:
            parts.append(self.tr("{count} scheduled").format(count=later))
        lost = sum(1 for run in runs if run.id in self._shell.desk.unreachable.value)
        if lost:
            parts.append(self.tr("{count} out of reach").format(count=lost))
        self.jobs.setText(" · ".join(parts))
        self.jobs.setVisible(bool(parts))

    def _on_jobs(self) -> None:
        runs = self._shell.desk.active.value
        if len(runs) == 1:
            self._shell.open_run(runs[0].id)
        elif runs:
            self._shell.go("runs")
        else:
            self._shell.go("datasets")
