"""SplitView: two or more parts side by side, with a hairline that can be dragged."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSplitter, QWidget


class SplitView(QSplitter):
    """Parts side by side (or one over the other). None can be dragged away."""

    def __init__(self, *parts: QWidget, vertical: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Vertical if vertical else Qt.Orientation.Horizontal, parent)
        self.setHandleWidth(1)
        self.setChildrenCollapsible(False)
        for part in parts:
            self.addWidget(part)

    def set_shares(self, *shares: int) -> None:
        """Divide the room in proportion to ``shares``; the first part keeps its size when the window grows."""
        self.setSizes([share * 100 for share in shares])
        for index in range(self.count()):
            self.setStretchFactor(index, 0 if index == 0 else 1)
