"""Profile cards of a dataset's columns: pictures of what each holds, a screenful at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from mldesk.desktop import words
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import (
    ColumnProfileCard,
    ElidedLabel,
    FlowBox,
    ScrollPage,
    SearchField,
    Segmented,
    Spinner,
    make_button,
    make_label,
)

BATCH = 48     # cards shown before one asks for more: ten thousand columns must not stop the window
_TURN = 6      # cards made before the window looks at its events
_CARD = 250    # least width of a card, pixels


class ColumnsView(QWidget):
    """Cards, narrowed by a text and ordered. Signals: ``chosen`` (a column's name) when a card is pressed."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._profile: Mapping[str, Any] | None = None
        self._names: list[str] = []
        self._made = self._wanted = 0
        self._next = QTimer(self, singleShot=True, interval=0)
        self._next.timeout.connect(self._add_some)
        self._search = SearchField(self.tr("Find a column"))
        self._search.setMaximumWidth(240)
        self._search.setMinimumWidth(120)
        self._search.searched.connect(lambda _: self._fill())
        self._order = Segmented([("table", self.tr("As in the table")), ("missing", self.tr("Most missing")),
                                 ("distinct", self.tr("Most distinct"))])
        self._order.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)   # no word is cut
        self._order.changed.connect(lambda _: self._fill())
        self._summary = ElidedLabel("", "body", "muted")
        self._summary.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        tools = QHBoxLayout()
        tools.setSpacing(Space.M)
        tools.addWidget(self._search, 2)
        tools.addWidget(self._order)
        tools.addWidget(self._summary, 1)
        self._cards = FlowBox(spacing=Space.M, least=_CARD)
        self._more = make_button("", "secondary")
        self._more.clicked.connect(self._add_batch)
        page = ScrollPage(margin=0, spacing=Space.L)
        page.body.setContentsMargins(0, 0, Space.S, Space.L)
        page.body.addWidget(self._cards)
        page.body.addWidget(self._more)
        page.body.addStretch(1)
        waiting = QWidget()
        line = QHBoxLayout(waiting)
        line.addStretch(1)
        line.addWidget(Spinner(20))
        line.addWidget(make_label(self.tr("Looking at every column…"), tone="muted"))
        line.addStretch(1)
        self._stack = QStackedWidget()
        self._stack.addWidget(waiting)
        self._stack.addWidget(page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.L)
        layout.addLayout(tools)
        layout.addWidget(self._stack, 1)

    def show_profile(self, profile: Mapping[str, Any] | None) -> None:
        """Show a profile; None while it is being made."""
        self._profile = profile
        self._stack.setCurrentIndex(0 if profile is None else 1)
        self._fill()

    def _fill(self) -> None:
        self._next.stop()
        self._cards.clear()
        self._made = self._wanted = 0
        if self._profile is None:
            self._names = []
            self._summary.setText("")
            return
        facts = columns_of(self._profile)
        text = self._search.text().strip().casefold()
        self._names = [name for name in facts if text in name.casefold()]
        order = self._order.value()
        if order != "table":
            self._names.sort(key=lambda name: -int(facts[name].get(order, 0)))
        duplicates = self._profile.get("duplicates")
        self._summary.setText(
            self.tr("{rows} more than once").format(rows=words.counted(
                int(duplicates), self.tr("row is there"), self.tr("rows are there"))) if duplicates else "")
        self._add_batch()

    def _add_batch(self) -> None:
        self._wanted = min(len(self._names), self._made + BATCH)
        self._add_some()

    def _add_some(self) -> None:
        """Make a few cards; the next ones wait until the window has looked at its events."""
        if self._profile is None:
            return
        facts, rows = columns_of(self._profile), int(self._profile.get("rows", 0))
        until = min(self._wanted, self._made + _TURN)
        for name in self._names[self._made:until]:
            card = ColumnProfileCard(name, facts[name], rows)
            card.chosen.connect(self.chosen)
            self._cards.add(card)
        self._made = until
        if self._made < self._wanted:
            self._next.start()
        left = len(self._names) - self._wanted
        self._more.setVisible(left > 0)
        self._more.setText(self.tr("Show {count} more of {left}").format(
            count=min(BATCH, left), left=words.number(left)))


def columns_of(profile: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the facts of each column by its name, in table order."""
    columns = profile["columns"]
    if isinstance(columns, Mapping):
        return dict(columns)
    return {str(entry["name"]): entry for entry in columns}
