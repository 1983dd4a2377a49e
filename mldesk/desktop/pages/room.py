"""How large a dialog may be: as large as it likes, but never larger than the screen it is on."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QWidget

from mldesk.desktop import theme

_AROUND = 64  # pixels left free for the frame and for what is behind


def fitting(widget: QWidget, width: int, height: int) -> QSize:
    """Return ``width`` by ``height`` (pixels at 100 %) at the present text size, cut to the screen."""
    screen = widget.screen().availableSize()
    return QSize(min(theme.px(width), screen.width() - _AROUND), min(theme.px(height), screen.height() - _AROUND))
