"""How the versions of a dataset came of one another, drawn: newest at the top, one lane per line of descent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from mldesk.desktop import theme, words
from mldesk.desktop.theme.manager import RING, RINGED

if TYPE_CHECKING:
    from mldesk.workbench.history import Ancestry

_LINE, _LANE, _DOT = 38, 22, 6   # pixels at 100 %


def lanes(versions: Sequence[Ancestry]) -> dict[int, int]:
    """Return the lane of each version: a first child goes on in its parent's, others open lanes of their own."""
    found: dict[int, int] = {}
    went_on: set[int] = set()
    for item in versions:
        parent = item.version.parent
        if parent in found and parent not in went_on:
            went_on.add(parent)
            found[item.version.number] = found[parent]
        else:
            found[item.version.number] = max(found.values(), default=-1) + 1
    return found


class LineageView(QWidget):
    """Signals: ``chosen`` (number of the version) when one is pressed, or Enter on the one that arrows went to."""

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._versions: list[Ancestry] = []
        self._lanes: dict[int, int] = {}
        self._at = 0   # place from the top that the keyboard is at
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setProperty(RINGED, True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("Lineage"))

    def show_versions(self, versions: Sequence[Ancestry]) -> None:
        """Draw a history, given oldest first."""
        self._versions, self._lanes = list(reversed(versions)), lanes(versions)
        self._at = min(self._at, max(0, len(versions) - 1))
        self.setAccessibleDescription("; ".join(self._words(item) for item in self._versions))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(theme.px(320), theme.px(_LINE) * max(1, len(self._versions)) + 4)

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.px(200), self.sizeHint().height())

    def _words(self, item: Ancestry) -> str:
        version = item.version
        made = words.counted(len(version.recipe), self.tr("step"), self.tr("steps")) if version.recipe else \
            version.source
        parts = [self.tr("Version {number}").format(number=version.number), made,
                 words.counted(version.rows, self.tr("row"), self.tr("rows")),
                 self.tr("rows purged") if version.purged is not None else
                 self.tr("adds {size}").format(size=words.size(item.alone))]
        if item.others:
            parts.append(self.tr("with {others}").format(others=", ".join(item.others)))
        if item.models:
            parts.append(words.counted(len(item.models), self.tr("model"), self.tr("models")))
        return " · ".join(parts)

    def _point(self, place: int) -> QPointF:
        lane = self._lanes[self._versions[place].version.number]
        return QPointF(theme.px(14) + lane * theme.px(_LANE), theme.px(_LINE) * (place + 0.5) + 2)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        places = {item.version.number: place for place, item in enumerate(self._versions)}
        painter.setPen(QPen(theme.colour("border_strong"), 2))
        for place, item in enumerate(self._versions):
            if item.version.parent in places:
                painter.drawPath(self._edge(self._point(place), self._point(places[item.version.parent])))
        left = theme.px(14) + (max(self._lanes.values(), default=0) + 1) * theme.px(_LANE)
        for place, item in enumerate(self._versions):
            self._paint_version(painter, place, item, left)

    @staticmethod
    def _edge(child: QPointF, parent: QPointF) -> QPainterPath:
        path = QPainterPath(child)
        if child.x() == parent.x():
            path.lineTo(parent)
        else:
            middle = parent.y() - theme.px(_LINE) / 2
            path.lineTo(QPointF(child.x(), middle - theme.px(8)))
            path.cubicTo(QPointF(child.x(), middle + theme.px(8)), QPointF(parent.x(), middle), parent)
        return path

    def _paint_version(self, painter: QPainter, place: int, item: Ancestry, left: int) -> None:
        at, dot = self._point(place), theme.px(_DOT)
        painter.save()
        painter.setBrush(theme.colour("accent" if item.current else "surface"))
        painter.setPen(QPen(theme.colour("accent_text"), 2))
        painter.drawEllipse(at, dot, dot)
        line = QRect(left, round(at.y()) - theme.px(_LINE) // 2, self.width() - left - 2, theme.px(_LINE))
        if self.hasFocus() and self.property(RING) and place == self._at:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(line).adjusted(-4, 2, 0, -2), 5, 5)
        painter.setPen(theme.colour("text"))
        painter.setFont(theme.font("body"))
        text = painter.fontMetrics().elidedText(self._words(item), Qt.TextElideMode.ElideRight, line.width())
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, text)
        if item.words.tags:
            used = QRect(line).adjusted(theme.px(10) + painter.fontMetrics().horizontalAdvance(text), 0, 0, 0)
            painter.setFont(theme.font("caption"))
            painter.setPen(theme.colour("accent_text"))
            painter.drawText(used, Qt.AlignmentFlag.AlignVCenter, "   ".join(f"#{tag}" for tag in item.words.tags))
        painter.restore()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        place = int((event.position().y() - 2) // theme.px(_LINE))
        if 0 <= place < len(self._versions):
            self._at = place
            self.chosen.emit(self._versions[place].version.number)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()), 0)
        if step and 0 <= self._at + step < len(self._versions):
            self._at += step
            self.update()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._versions:
            self.chosen.emit(self._versions[self._at].version.number)
        else:
            super().keyPressEvent(event)
