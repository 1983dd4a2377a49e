"""FactGrid: names and values under one another. MetricTile: one score, large."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QVBoxLayout, QWidget

from mldesk.desktop import words
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import make_label


class FactGrid(QWidget):
    """Muted names on the left, values that can be copied on the right."""

    def __init__(self, facts: Sequence[tuple[str, str]] = (), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(Space.XL)
        self._grid.setVerticalSpacing(Space.S - 2)
        self._grid.setColumnStretch(1, 1)
        self._shown: list[tuple[str, str]] = []
        self.show_facts(facts)

    def show_facts(self, facts: Sequence[tuple[str, str]]) -> None:
        """Show other facts."""
        if list(facts) == self._shown:
            return
        self._shown = list(facts)
        while self._grid.count():
            item = self._grid.takeAt(0)
            if item is not None and (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        for line, (name, value) in enumerate(facts):
            label = make_label(name, "body", "muted")
            self._grid.addWidget(label, line, 0, Qt.AlignmentFlag.AlignTop)
            shown = make_label(value or words.MISSING, wrap=True, selectable=True)
            shown.setAccessibleName(f"{name}: {value}")
            self._grid.addWidget(shown, line, 1)


class MetricTile(QFrame):
    """A score of one metric, what it is called, and a second line."""

    def __init__(self, name: str, value: object, line: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "card")
        title, shown = words.metric_name(name), words.metric_value(value)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(Space.M + 2, Space.M, Space.M + 2, Space.M)
        layout.setSpacing(Space.XXS)
        layout.addWidget(make_label(title, "caption", "muted"))
        layout.addWidget(make_label(shown, "heading", selectable=True))
        if line:
            layout.addWidget(make_label(line, "caption", "muted"))
        layout.addStretch(1)
        self.setToolTip(words.metric_help(name))
        self.setAccessibleName(f"{title} {shown}")
        self.setAccessibleDescription(words.metric_help(name))
