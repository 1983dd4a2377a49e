"""GraphCanvas: a network's layers as boxes with lines between them. Arrows go from box to box, + and - zoom."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QFontMetricsF,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from mldesk.desktop import theme, words
from mldesk.desktop.pages.models.graph_places import Box, Places, places

if TYPE_CHECKING:
    from mldesk.workbench.layer_graph import LayerGraph, LayerNode

LEAST, MOST = 0.25, 2.0    # zoom
_STEP = 1.25
_AIR = 10.0                # inside a box


class GraphCanvas(QWidget):
    """Draws a ``LayerGraph`` as large as its zoom makes it; put it into a scroll area.

    Signals: ``chosen`` (name of the node) at a click or when the keyboard goes there; ``zoomed`` (the zoom).
    """

    chosen = Signal(str)
    zoomed = Signal(float)

    def __init__(self, graph: LayerGraph | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._nodes: dict[str, LayerNode] = {}
        self._places = Places(0, 0, {}, (), {})
        self._zoom, self._current = 1.0, ""
        self.setAccessibleName(self.tr("Graph of layers"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        if graph is not None:
            self.set_graph(graph)

    # What is shown

    def set_graph(self, graph: LayerGraph) -> None:
        """Show another graph."""
        self._nodes = {node.name: node for node in graph.nodes}
        self._places, self._current = places(graph), ""
        self.setAccessibleName(self.tr("Graph of {count}").format(
            count=words.counted(len(self._nodes), self.tr("layer"), self.tr("layers"))))
        self.setAccessibleDescription(self.tr("The list beside it says the same."))
        self._fit()

    @property
    def zoom(self) -> float:
        """How large it is drawn."""
        return self._zoom

    def set_zoom(self, zoom: float) -> None:
        """Draw it smaller or larger, within what can be read."""
        self._zoom = min(MOST, max(LEAST, zoom))
        self._fit()
        self.zoomed.emit(self._zoom)

    def zoom_in(self) -> None:
        self.set_zoom(self._zoom * _STEP)

    def zoom_out(self) -> None:
        self.set_zoom(self._zoom / _STEP)

    def fit(self, room: QSize) -> None:
        """Draw it as large as ``room`` allows, but not larger than life."""
        if self._nodes:
            self.set_zoom(min(1.0, room.width() / (self._places.wide * theme.THEME.scale),
                              room.height() / (self._places.high * theme.THEME.scale)))

    def choose(self, name: str) -> None:
        """Frame a node; "" frames none."""
        if name == self._current or (name and name not in self._nodes):
            return
        self._current = name
        if name:
            self.setAccessibleDescription(self.sentence(name))
        self.update()

    def place_of(self, name: str) -> QRect:
        """Return where a node is drawn, in pixels of the widget."""
        factor, box = self._factor(), self._places.boxes[name]
        return QRectF(box.x * factor, box.y * factor, box.wide * factor, box.high * factor).toAlignedRect()

    def sentence(self, name: str) -> str:
        """Say a node in words."""
        node = self._nodes[name]
        what = self.tr("{name}: {kind}, gives {shape}").format(name=node.name, kind=node.what, shape=node.gives)
        return what if not node.parameters else f"{what}, " + words.counted(
            node.parameters, self.tr("parameter"), self.tr("parameters"))

    def csv(self) -> str:
        """Return the nodes as a table in CSV."""
        out = io.StringIO()
        table = csv.writer(out, lineterminator="\n")
        table.writerow(["name", "kind", "output", "parameters"])
        table.writerows((node.name, node.what, node.gives, node.parameters) for node in self._nodes.values())
        return out.getvalue()

    def _factor(self) -> float:
        return self._zoom * theme.THEME.scale

    def _fit(self) -> None:
        self.setFixedSize(self.sizeHint())
        self.update()

    def sizeHint(self) -> QSize:
        factor = self._factor()
        return QSize(max(1, round(self._places.wide * factor)), max(1, round(self._places.high * factor)))

    # Drawing

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        factor, area = self._factor(), event.rect()
        painter.fillRect(area, theme.colour("surface"))
        painter.scale(factor, factor)
        seen = QRectF(area.x() / factor, area.y() / factor, area.width() / factor, area.height() / factor)
        for name, box in self._places.frames.items():
            self._paint_frame(painter, name, box)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for _, corners in self._places.lines:
            self._paint_line(painter, [QPointF(*corner) for corner in corners])
        for name, box in self._places.boxes.items():
            if seen.intersects(_rect(box)):
                self._paint_node(painter, self._nodes[name], _rect(box))

    def _paint_frame(self, painter: QPainter, name: str, box: Box) -> None:
        painter.setPen(QPen(theme.colour("border"), 1, Qt.PenStyle.DashLine))
        painter.setBrush(theme.colour("window"))
        painter.drawRoundedRect(_rect(box), 8, 8)

    def _paint_line(self, painter: QPainter, corners: list[QPointF]) -> None:
        painter.setPen(QPen(theme.colour("muted"), 1.3))
        path = QPainterPath(corners[0])
        for corner in corners[1:]:
            path.lineTo(corner)
        painter.drawPath(path)
        end, before = corners[-1], corners[-2]
        across, down = (0.0, 1.0) if before.x() == end.x() else (-1.0 if before.x() > end.x() else 1.0, 0.0)
        tip = QPainterPath(end)   # an arrow's head, pointing the way the line came
        tip.lineTo(end.x() - 7 * across - 4 * down, end.y() - 7 * down - 4 * across)
        tip.lineTo(end.x() - 7 * across + 4 * down, end.y() - 7 * down + 4 * across)
        tip.closeSubpath()
        painter.fillPath(tip, theme.colour("muted"))

    def _paint_node(self, painter: QPainter, node: LayerNode, area: QRectF) -> None:
        end = node.what in ("input", "output")
        current = node.name == self._current
        painter.setPen(QPen(theme.colour("accent_text" if current else "border_strong"), 2.2 if current else 1.0))
        painter.setBrush(theme.colour("info_soft" if end else "surface"))
        painter.drawRoundedRect(area, 8, 8)
        if node.parameters:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.palette().series[0]))
            painter.drawRoundedRect(QRectF(area.left() + 4, area.top() + 8, 3, area.height() - 16), 1.5, 1.5)
        inner = area.adjusted(_AIR + 4, 7, -_AIR, -7)
        upper = QRectF(inner.left(), inner.top(), inner.width(), inner.height() / 2)
        lower = upper.translated(0, inner.height() / 2)
        count = f"{node.parameters:,}" if node.parameters else ""
        self._text(painter, upper, node.what, node.name, "strong")
        self._text(painter, lower, node.gives, count, "caption", muted=True)

    def _text(self, painter: QPainter, area: QRectF, left: str, right: str, role: theme.TextRole, *,
              muted: bool = False) -> None:
        """Write two words of a line: one at its left, one at its right, which gives way."""
        font = theme.font(role)
        font.setPixelSize(max(1, round(font.pixelSize() / theme.THEME.scale)))   # the painter is scaled already
        small = theme.font("caption")
        small.setPixelSize(max(1, round(small.pixelSize() / theme.THEME.scale)))
        painter.setFont(font)
        painter.setPen(theme.colour("muted" if muted else "text"))
        first = QFontMetricsF(font)
        shown = first.elidedText(left, Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(area, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)
        room = area.width() - first.horizontalAdvance(shown) - 10
        painter.setFont(small)
        painter.setPen(theme.colour("muted"))
        painter.drawText(area, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter,
                         QFontMetricsF(small).elidedText(right, Qt.TextElideMode.ElideLeft, max(0.0, room)))

    # Mouse and keyboard

    def node_at(self, place: QPoint) -> str:
        """Return the name of the node at a place, "" where there is none."""
        factor = self._factor()
        x, y = place.x() / factor, place.y() / factor
        return next((name for name, box in self._places.boxes.items()
                     if box.x <= x <= box.right and box.y <= y <= box.bottom), "")

    def mousePressEvent(self, event: QMouseEvent) -> None:
        name = self.node_at(event.position().toPoint())
        if name and event.button() == Qt.MouseButton.LeftButton:
            self._go(name)
        super().mousePressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if not self._current and self._nodes and event.reason() != Qt.FocusReason.MouseFocusReason:
            self.choose(next(iter(self._nodes)))

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier and event.angleDelta().y():
            (self.zoom_in if event.angleDelta().y() > 0 else self.zoom_out)()
            event.accept()
            return
        event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Down: (1, False), Qt.Key.Key_Up: (-1, False), Qt.Key.Key_Right: (1, True),
                 Qt.Key.Key_Left: (-1, True)}
        key = Qt.Key(event.key())
        if key in steps and self._nodes:
            self._go(self._beside(*steps[key]))
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom_in()
        elif key == Qt.Key.Key_Minus:
            self.zoom_out()
        elif key == Qt.Key.Key_0:
            self.set_zoom(1.0)
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End) and self._nodes:
            self._go(list(self._nodes)[0 if key == Qt.Key.Key_Home else -1])
        else:
            super().keyPressEvent(event)

    def _beside(self, step: int, within: bool) -> str:
        """Return the node a step on: of all in their order, or within the row of the one that is framed."""
        names = list(self._nodes)
        if self._current not in self._nodes:
            return names[0]
        if within:
            depth = self._nodes[self._current].depth
            names = sorted((name for name in names if self._nodes[name].depth == depth),
                           key=lambda name: self._places.boxes[name].x)
        place = names.index(self._current) + step
        return names[min(len(names) - 1, max(0, place))]

    def _go(self, name: str) -> None:
        self.choose(name)
        self.chosen.emit(name)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            name = self.node_at(event.pos())
            QToolTip.showText(event.globalPos(), self.sentence(name), self) if name else QToolTip.hideText()
            return True
        return super().event(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if theme.is_theme_event(event):
            self._fit()


def _rect(box: Box) -> QRectF:
    return QRectF(box.x, box.y, box.wide, box.high)
