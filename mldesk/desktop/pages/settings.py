"""Settings: how the window looks, where the library is, what this program is."""

from __future__ import annotations

import platform

from PySide6.QtCore import Qt, QUrl, qVersion
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from mldesk import __version__
from mldesk.desktop import theme, words
from mldesk.desktop.pages.facts import FactGrid
from mldesk.desktop.pages.page import Page
from mldesk.desktop.shell import Shell
from mldesk.desktop.tasks import async_slot, in_thread
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import (
    Card,
    ComboBox,
    FormRow,
    PageHeader,
    ScrollPage,
    Segmented,
    Spinner,
    Switch,
    column,
    make_button,
    make_label,
    row,
)
from mldesk.workbench.time_limit import told

_SCALES = (0.8, 0.9, 1.0, 1.15, 1.3, 1.5, 2.0)


class SettingsPage(Page):
    """Everything takes effect at once."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        page = ScrollPage()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(page)
        page.body.addWidget(PageHeader(self.tr("Settings")))
        cards = column(self._make_look(), self._make_notices(), self._make_library(), self._make_machine(),
                       self._make_about(), spacing=Space.L)
        inner = QWidget()
        inner.setLayout(cards)
        inner.setMaximumWidth(760)
        line = QHBoxLayout()  # knows the width that the cards really get, and so how high their text is
        line.addWidget(inner, 100)
        line.addStretch(1)
        page.body.addLayout(line)
        page.body.addStretch(1)
        theme.changed.connect(self._show_look)
        self._show_look()
        self.keep(shell.desk.machine.subscribe(lambda _: self._show_machine()))

    async def refresh(self) -> None:
        self._show_machine()
        self._load_limit()

    def grow_older(self) -> None:
        self._show_machine()

    def _make_look(self) -> Card:
        card = Card(self.tr("Look"))
        self.mode = Segmented([("system", self.tr("As the system")), ("light", self.tr("Light")),
                               ("dark", self.tr("Dark")), ("contrast", self.tr("High contrast"))])
        self.mode.changed.connect(lambda mode: self.shell.registry.trigger(f"view.theme.{mode}"))
        self.scale = Segmented([(scale, f"{scale:.0%}") for scale in _SCALES])
        self.scale.changed.connect(self._on_scale)
        card.add(FormRow(self.tr("Theme"), self.mode, self.tr("As the system: changes with it, at once.")))
        card.add(FormRow(self.tr("Text size"), self.scale))
        return card

    def _make_notices(self) -> Card:
        card = Card(self.tr("Notices"))
        self.notify = Switch(self.tr(
            "Say when a run has ended while this window is not in front"),
                             self.shell.preferences.value.notify)
        self.notify.toggled.connect(lambda on: self.shell.preferences.change(notify=on))
        card.add(self.notify)
        return card

    def _make_library(self) -> Card:
        card = Card(self.tr("Library"), self.tr("Datasets, runs and models are in this folder, and nowhere else."))
        place = make_label(str(self.shell.home.root), "mono", selectable=True, wrap=True)
        place.setAccessibleName(self.tr("Library folder"))
        show = make_button(self.tr("Open the folder"), "secondary", "folder", small=True)
        show.clicked.connect(lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.shell.home.root))))
        line = row(place, show, spacing=Space.M)
        line.setStretch(0, 1)
        card.add(line)
        card.add(make_label(self.tr("To use another one, start MLDesk with --home DIR or set MLDESK_HOME."), "caption",
                            "muted", wrap=True))
        self.limit = ComboBox([(300.0, self.tr("5 minutes")), (1800.0, self.tr("30 minutes")),
                               (3600.0, self.tr("An hour")), (21_600.0, self.tr("6 hours")),
                               (0.0, self.tr("As long as they want"))], 3600.0)
        self.limit.currentIndexChanged.connect(lambda _: self._keep_limit())
        card.add(FormRow(self.tr("Recipes may take"), self.limit, self.tr(
            "A recipe that takes longer is stopped, and nothing of it is kept. Python steps have a limit of their "
            "own.")))
        return card

    @async_slot
    async def _load_limit(self) -> None:
        if not self.shell.desk.ready.value:
            return
        seconds = await in_thread(self.shell.desk.workbench.cleaning.time_limit)
        blocked = self.limit.blockSignals(True)
        if self.limit.findData(seconds) < 0:   # set by the command line's library, or by hand
            self.limit.addItem(told(seconds), seconds)
        self.limit.set_value(seconds)
        self.limit.blockSignals(blocked)

    @async_slot
    async def _keep_limit(self) -> None:
        await in_thread(self.shell.desk.workbench.cleaning.set_time_limit, float(self.limit.value()))

    def _make_machine(self) -> Card:
        card = Card(self.tr("This machine"), self.tr("Runs work here, in processes of their own; closing the window "
                                                     "does not end them."))
        self._machine = FactGrid()
        self._waiting = QHBoxLayout()
        self._spinner = Spinner(16)
        self._waiting.addWidget(self._spinner)
        self._waiting.addStretch(1)
        card.add(self._machine)
        card.add(self._waiting)
        return card

    def _make_about(self) -> Card:
        card = Card(self.tr("About MLDesk"))
        card.add(FactGrid([
            (self.tr("Version"), __version__), ("Python", platform.python_version()), ("Qt", qVersion() or ""),
            (self.tr("Licence"), self.tr("MIT. Free, and complete: nothing here is behind a plan.")),
            (self.tr("Network"), self.tr("MLDesk needs none and asks nobody anything.")),
        ]))
        keys = make_button(self.tr("Keyboard shortcuts"), "secondary", "info", small=True)
        keys.clicked.connect(lambda: self.shell.registry.trigger("help.keys"))
        card.add(keys)
        card.body.setAlignment(keys, Qt.AlignmentFlag.AlignLeft)
        return card

    def _on_scale(self, scale: float) -> None:
        from PySide6.QtWidgets import QApplication

        app = QApplication.instance()
        if isinstance(app, QApplication) and scale != theme.THEME.scale:
            theme.apply(app, theme.THEME.mode, scale=scale)
            self.shell.preferences.change(text_scale=scale)

    def _show_look(self) -> None:
        self.mode.blockSignals(True)
        self.mode.set_value(theme.THEME.mode)
        self.mode.blockSignals(False)
        nearest = min(_SCALES, key=lambda scale: abs(scale - theme.THEME.scale))
        self.scale.blockSignals(True)
        self.scale.set_value(nearest)
        self.scale.blockSignals(False)

    def _show_machine(self) -> None:
        record = self.shell.desk.machine.value
        self._spinner.setVisible(record is None)
        if record is None:
            return
        facts = record.facts
        lines = [(self.tr("Hardware"), words.machine(facts)), ("Python", str(facts.get("python", "")))]
        versions = facts.get("versions")
        if isinstance(versions, dict):
            used = ", ".join(f"{name} {value}" for name, value in versions.items() if value)
            lines.append((self.tr("Trainers use"), used))
        lines.append((self.tr("Answered"), words.when(record.seen)))
        self._machine.show_facts(lines)
