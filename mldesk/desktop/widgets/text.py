"""Labels of the type scale, elided labels, hairlines, and the small layout helpers that pages are built with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFocusEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLayout, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from mldesk.desktop import theme
from mldesk.desktop.theme import Space, TextRole, Tone
from mldesk.desktop.theme.manager import RING

Item = QWidget | QLayout | int | None


def make_label(text: str = "", role: TextRole = "body", tone: Tone | str = "", *, wrap: bool = False,
               selectable: bool = False) -> QLabel:
    """Return a label of one step of the type scale; ``tone`` is "muted" or a tone."""
    label = QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setProperty("type", role)
    if tone:
        label.setProperty("tone", tone)
    if wrap:
        label.setWordWrap(True)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        label.setSizePolicy(policy)
    if selectable:
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse
                                      | Qt.TextInteractionFlag.TextSelectableByKeyboard)
    return label


def set_role(label: QLabel, role: TextRole) -> None:
    """Give a label another step of the type scale."""
    if label.property("type") != role:
        label.setProperty("type", role)
        theme.repolish(label)


def set_tone(label: QLabel, tone: Tone | str) -> None:
    """Give a label another tone."""
    if label.property("tone") != tone:
        label.setProperty("tone", tone)
        theme.repolish(label)


class ElidedLabel(QLabel):
    """A label of one line that ends in … where there is no room; the whole text is its tooltip then.

    ``whole``: it shows nothing there, as half a hint helps nobody.
    """

    def __init__(self, text: str = "", role: TextRole = "body", tone: str = "",
                 mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight, parent: QWidget | None = None, *,
                 whole: bool = False) -> None:
        super().__init__(text, parent)
        self._mode, self._whole = mode, whole
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("type", role)
        if tone:
            self.setProperty("tone", tone)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def minimumSizeHint(self) -> QSize:
        return QSize(self.fontMetrics().averageCharWidth() * 4, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        room = self.contentsRect().width()
        shown = self.fontMetrics().elidedText(self.text(), self._mode, room)
        self.setToolTip(self.text() if shown != self.text() else "")
        if self._whole and shown != self.text():
            return
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(self.contentsRect(), int(self.alignment() | Qt.AlignmentFlag.AlignVCenter), shown)


def hairline(*, vertical: bool = False) -> QFrame:
    """Return a line one pixel thick in the colour of borders."""
    line = QFrame()
    line.setProperty("line", True)
    if vertical:
        line.setFixedWidth(1)
    else:
        line.setFixedHeight(1)
    return line


def row(*items: Item, spacing: int = Space.S, margins: Sequence[int] = (0, 0, 0, 0)) -> QHBoxLayout:
    """Lay ``items`` out from left to right; None is a stretch, a number is a gap in pixels."""
    return cast(QHBoxLayout, _fill(QHBoxLayout(), items, spacing, margins))


def column(*items: Item, spacing: int = Space.S, margins: Sequence[int] = (0, 0, 0, 0)) -> QVBoxLayout:
    """Lay ``items`` out from top to bottom; None is a stretch, a number is a gap in pixels."""
    return cast(QVBoxLayout, _fill(QVBoxLayout(), items, spacing, margins))


def _fill(layout: QHBoxLayout | QVBoxLayout, items: Sequence[Item], spacing: int,
          margins: Sequence[int]) -> QHBoxLayout | QVBoxLayout:
    layout.setSpacing(spacing)
    left, top, right, bottom = margins
    layout.setContentsMargins(left, top, right, bottom)
    for item in items:
        if item is None:
            layout.addStretch(1)
        elif isinstance(item, int):
            layout.addSpacing(item)
        elif isinstance(item, QLayout):
            layout.addLayout(item)
        else:
            layout.addWidget(item)
    return layout


class ScrollPage(QScrollArea):
    """A page that scrolls up and down, and sideways only where it cannot get narrower. Put widgets into ``body``.

    Where there is something to scroll it is a stop of the Tab key, and its bar says that the keys are with it.
    """

    def __init__(self, parent: QWidget | None = None, *, margin: int = Space.PAGE, spacing: int = Space.L) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        inner = QWidget()
        inner.setProperty("page", True)
        self.body = QVBoxLayout(inner)
        self.body.setContentsMargins(margin, margin, margin, margin)
        self.body.setSpacing(spacing)
        self.setWidget(inner)
        self.setAccessibleName(self.tr("Page that scrolls"))
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.verticalScrollBar().rangeChanged.connect(lambda _, most: self.setFocusPolicy(
            Qt.FocusPolicy.StrongFocus if most else Qt.FocusPolicy.ClickFocus))

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason):
            self._mark(on=True)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() is not Qt.FocusReason.ActiveWindowFocusReason:
            self._mark(on=False)

    def _mark(self, *, on: bool) -> None:
        bar = self.verticalScrollBar()
        if bool(bar.property(RING)) != on:
            bar.setProperty(RING, on)
            theme.repolish(bar)

    def minimumSizeHint(self) -> QSize:
        bar = self.verticalScrollBar().sizeHint().width()   # whose room would else be what is missing sideways
        return QSize(min(480, self.body.minimumSize().width() + bar), 120)


def clear(layout: QLayout) -> None:
    """Take every widget out of a layout, and let go of it."""
    while (item := layout.takeAt(0)) is not None:
        if (widget := item.widget()) is not None:
            widget.hide()
            widget.deleteLater()
