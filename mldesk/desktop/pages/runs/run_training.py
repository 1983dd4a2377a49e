"""A run at work: progress, trials, curves, machine, and what is worth knowing."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QVBoxLayout, QWidget

from mldesk.desktop import theme, words
from mldesk.desktop.pages.facts import FactGrid
from mldesk.desktop.pages.runs.curves_card import CurvesCard
from mldesk.desktop.pages.runs.leaderboard import LeaderboardCard, MembersCard
from mldesk.desktop.pages.runs.machine_card import MachineCard
from mldesk.desktop.pages.runs.run_progress import ProgressCard
from mldesk.desktop.preferences import PreferencesFile
from mldesk.desktop.states.run import RunState
from mldesk.desktop.states.search import is_search, members_of
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import Card, ScrollPage, clear, make_label

if TYPE_CHECKING:
    from mldesk.library.records import Run

OTHERS = ("explain", "import")   # kinds that train nothing and draw no curves
_SIDE = 300         # width of the column beside the curves, pixels at 100 %
_ANY = 16_777_215   # Qt's word for no limit


class RunTraining(ScrollPage):
    """Draws a ``RunState``; what a run does not have is not there."""

    def __init__(self, state: RunState, preferences: PreferencesFile) -> None:
        super().__init__(margin=0, spacing=Space.L)
        self._state, self._wide, self._begun = state, True, True
        self.progress = ProgressCard(state)
        self.members, self.leaderboard = MembersCard(), LeaderboardCard()
        self.curves = CurvesCard(state.curves, preferences)
        self.machine = MachineCard(state.machine)
        self.last = Card(self.tr("Last values"))   # of a run of another program
        self._warnings = Card(self.tr("Worth knowing"))
        for card in (self.leaderboard, self.last, self._warnings):
            card.hide()
        self._side = QWidget()
        side = QVBoxLayout(self._side)
        side.setSpacing(Space.L)
        side.setContentsMargins(0, 0, 0, 0)
        for card in (self.machine, self.last, self._warnings):
            side.addWidget(card)
        side.addStretch(1)
        self._beside = QHBoxLayout()
        self._beside.setSpacing(Space.L)
        self._beside.addWidget(self.curves, 1)
        self._beside.addWidget(self._side)
        self.body.setContentsMargins(0, 0, Space.S, Space.L)
        for card in (self.progress, self.members, self.leaderboard):
            self.body.addWidget(card)
        self.body.addLayout(self._beside, 1)

    def set_wide(self, wide: bool) -> None:
        """Put the machine beside the curves, or below them where there is no room."""
        self._wide = wide
        self._beside.setDirection(QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom)
        self._side.setMinimumWidth(theme.px(_SIDE) if wide else 0)
        self._side.setMaximumWidth(theme.px(_SIDE) if wide and not self.curves.isHidden() else _ANY)

    def show_run(self, run: Run) -> None:
        """Show what a run of its kind has, as it is now."""
        self.members.show_members(members_of(run))
        self.leaderboard.setVisible(is_search(run) and run.due(time.time()) is None)
        if is_search(run):
            self.curves.speak_of_trials()
        if run.kind == "imported":
            self._show_imported(run)
        if run.kind in OTHERS:
            self._without_curves()
        elif run.kind != "imported":
            self._show_begun(run.due(time.time()) is None)
        self.draw()

    def draw(self) -> None:
        """Draw what came since."""
        self.curves.refresh()
        run = self._state.run.value
        self.machine.refresh(ended=run is not None and run.state.ended)
        if run is not None and is_search(run):
            self.leaderboard.show_trials(self._state.trials, run.runner)
        self.progress.tick()
        self._show_warnings()

    def _show_imported(self, run: Run) -> None:
        """A run of another program has curves, parameters and last values, and nothing of a machine."""
        self.machine.hide()
        self.progress.hide()
        values = (run.result or {}).get("metrics") or {}
        if not self.last.body.count():
            self.last.add(FactGrid([(words.metric_name(name), words.metric_value(value))
                                    for name, value in values.items()]) if values else
                          make_label(self.tr("It kept no values."), "body", "muted"))
        self.last.show()
        if not values:
            self._without_curves()

    def _show_begun(self, begun: bool) -> None:
        """What waits for its moment has no curves and takes nothing of a machine yet."""
        if self._begun is not begun:
            self._begun = begun
            self.curves.setVisible(begun)
            self.machine.setVisible(begun)
            self.set_wide(self._wide)

    def _without_curves(self) -> None:
        self.curves.hide()
        self.set_wide(self._wide)   # the others have the line to themselves

    def _show_warnings(self) -> None:
        layout = self._warnings.body
        if layout.count() == len(self._state.warnings):
            return
        clear(layout)
        for text, hint in self._state.warnings:
            layout.addWidget(make_label(f"{text} {hint}".strip(), wrap=True, selectable=True))
        self._warnings.setVisible(bool(self._state.warnings))
