"""What a run was made from and where it ran, as names and values on a page."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QVBoxLayout, QWidget

from mldesk.desktop import theme, words
from mldesk.desktop.pages.facts import FactGrid
from mldesk.desktop.pages.runs.run_facts import about, data_facts, settings
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import Card, ScrollPage, clear, make_button, make_label, row
from mldesk.workbench.run_book import Family

if TYPE_CHECKING:
    from mldesk.library.records import Run

_MOST_INSIDE = 100
_WIDE = 760   # pixels at 100 % from which there is room for two cards side by side


class DetailsPage(ScrollPage):
    """Shows the settings, the data and the place of a run, and what it is part of.

    run_chosen(str): the id of another run that is to be opened.
    """

    run_chosen = Signal(str)

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
        self.family = Card(self.tr("Nested runs"))
        self._family = Family(None, ())
        self.family.hide()
        self.body.addLayout(self._line)
        self.body.addWidget(self.family)
        self.body.addStretch(1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """In a narrow window the cards are below one another."""
        self._line.setDirection(QBoxLayout.Direction.LeftToRight if event.size().width() >= theme.px(_WIDE)
                                else QBoxLayout.Direction.TopToBottom)
        super().resizeEvent(event)

    def show_run(self, run: Run, attempt: Mapping[str, Any], looks: tuple[int, int] = (0, 0),
                 family: Family | None = None) -> None:
        """Show a run as it is now; ``attempt`` is the payload of its newest "started", the rest as of ``RunState``."""
        self._settings.show_facts(settings(run))
        self._data.show_facts(data_facts(run, looks))
        self._about.show_facts(about(run, attempt))
        self._show_family(family or Family(None, ()))

    def _show_family(self, family: Family) -> None:
        """Name the run that it is part of, and those that are part of it; each opens."""
        if family == self._family:
            return
        self._family = family
        clear(self.family.body)
        for title, run in (*((self.tr("Part of"), run) for run in (family.parent,) if run is not None),
                           *((self.tr("Inside"), run) for run in family.inside[:_MOST_INSIDE])):
            opens = make_button(run.name, "link")
            opens.setAccessibleName(f"{title} {run.name}")
            opens.clicked.connect(partial(self.run_chosen.emit, run.id))
            line = QWidget()
            line.setLayout(row(make_label(title, tone="muted"), opens, None, make_label(words.when(run.created),
                                                                                        tone="muted")))
            self.family.add(line)
        if len(family.inside) > _MOST_INSIDE:
            self.family.add(make_label(self.tr("and {count} more inside.").format(
                count=words.number(len(family.inside) - _MOST_INSIDE)), tone="muted"))
        self.family.setVisible(family.parent is not None or bool(family.inside))
