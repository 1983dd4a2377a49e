"""What a run was made from and where it ran, as names and values on a page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QVBoxLayout, QWidget

from mldesk.desktop import theme
from mldesk.desktop.pages.facts import FactGrid
from mldesk.desktop.pages.runs.run_facts import about, data_facts, settings
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import Card, ScrollPage

if TYPE_CHECKING:
    from mldesk.library.records import Run

_WIDE = 760   # pixels at 100 % from which there is room for two cards side by side


class DetailsPage(ScrollPage):
    """Shows the settings, the data and the place of a run."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, margin=0, spacing=Space.L)
        self.body.setContentsMargins(0, 0, Space.S, Space.L)
        self._settings, self._data, self._about = FactGrid(), FactGrid(), FactGrid()
        cards = [Card(self.tr("Settings")), Card(self.tr("Data")), Card(self.tr("Run"))]
        for card, grid in zip(cards, (self._settings, self._data, self._about), strict=True):
            card.add(grid)
            card.body.addStretch(1)
        right = QVBoxLayout()
        right.setSpacing(Space.L)
        right.addWidget(cards[1])
        right.addWidget(cards[2])
        right.addStretch(1)
        self._line = QHBoxLayout()
        self._line.setSpacing(Space.L)
        self._line.addWidget(cards[0], 1, Qt.AlignmentFlag.AlignTop)
        self._line.addLayout(right, 1)
        self.body.addLayout(self._line)
        self.body.addStretch(1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """In a narrow window the cards are below one another."""
        self._line.setDirection(QBoxLayout.Direction.LeftToRight if event.size().width() >= theme.px(_WIDE)
                                else QBoxLayout.Direction.TopToBottom)
        super().resizeEvent(event)

    def show_run(self, run: Run, attempt: Mapping[str, Any], looks: tuple[int, int] = (0, 0)) -> None:
        """Show a run as it is now; ``attempt`` is the payload of its newest "started", ``looks`` as of ``RunState``."""
        self._settings.show_facts(settings(run))
        self._data.show_facts(data_facts(run, looks))
        self._about.show_facts(about(run, attempt))
