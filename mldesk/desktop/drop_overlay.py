"""Files dragged over the window and let go: what is shown meanwhile, and what was dropped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QDragEnterEvent, QDropEvent
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
        layout.addWidget(make_label(self.tr("Tables become datasets, bundles become models, Python programs "
                                            "become runs."), "body", "muted"), 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(1)
        self.hide()

    def show_over(self) -> None:
        """Cover the window."""
        host = self.parentWidget()
        if host is not None:
            self.setGeometry(host.rect().adjusted(12, 12, -12, -12))
        self.raise_()
        self.show()


class FileDrops:
    """Takes local files from drags over ``window`` and hands them to ``dropped``."""

    def __init__(self, window: QWidget, dropped: Callable[[Sequence[Path]], object]) -> None:
        self._dropped = dropped
        self.overlay = DropOverlay(window)

    def enter(self, event: QDragEnterEvent) -> None:
        """Take a drag that brings files, and say what letting go will do."""
        if local_files(event):
            event.acceptProposedAction()
            self.overlay.show_over()

    def leave(self) -> None:
        """The drag went elsewhere."""
        self.overlay.hide()

    def drop(self, event: QDropEvent) -> None:
        """Hand over what was dropped, once the drag has ended."""
        self.overlay.hide()
        if paths := local_files(event):
            event.acceptProposedAction()
            QTimer.singleShot(0, lambda: self._dropped(paths))


def local_files(event: QDropEvent) -> list[Path]:
    """Return the files of this machine that a drag brings."""
    if not event.mimeData().hasUrls():
        return []
    return [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
