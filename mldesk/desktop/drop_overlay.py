"""What lies over the window while files are dragged across it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from mldesk.desktop.theme import Space
from mldesk.desktop.widgets.buttons import IconLabel
from mldesk.desktop.widgets.text import make_label


class DropOverlay(QFrame):
    """Says that letting go imports. Lets every event through."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("surface", "drop")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        layout = QVBoxLayout(self)
        layout.setSpacing(Space.S)
        layout.addStretch(1)
        layout.addWidget(IconLabel("import", "accent", 40), 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addWidget(make_label(self.tr("Let go to import"), "title"), 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addWidget(make_label(self.tr("Tables become datasets, bundles become models."), "body", "muted"), 0,
                         Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(1)
        self.hide()

    def show_over(self) -> None:
        """Cover the window."""
        host = self.parentWidget()
        if host is not None:
            self.setGeometry(host.rect().adjusted(12, 12, -12, -12))
        self.raise_()
        self.show()
