"""Strokes: all curves of a chart as one item of the plot, so that a hundred cost little more than their lines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyqtgraph as pg
from pyqtgraph.Qt.internals import PrimitiveArray
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPen

from mldesk.desktop.widgets.decimate import Floats

_DOT = 6.0   # pixels of a curve that has one point


@dataclass(slots=True, eq=False)
class Stroke:
    """One line as it is drawn: points (N, N) in the plot's units, NaN a gap. Its path is made once for the points."""

    xs: Floats
    ys: Floats
    pen: QPen
    smooth: bool = True     # edges
    pieces: bool = False    # as single pieces, which for a wide dense line is far quicker than joining them
    _path: QPainterPath | None = field(default=None, init=False)
    _lines: Any = field(default=None, init=False)

    def paint(self, painter: QPainter) -> None:
        """Draw it."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, self.smooth)
        painter.setPen(self.pen)
        if len(self.xs) == 1:   # which is no line yet
            self._paint_dot(painter)
            return
        if self.pieces:
            if self._lines is None:
                self._lines = _lines(self.xs, self.ys)
            painter.drawLines(*self._lines.drawargs())
            return
        if self._path is None:
            whole = bool(np.isfinite(self.ys).all())   # which is quicker made
            self._path = pg.functions.arrayToQPath(self.xs, self.ys, "all" if whole else "finite", not whole)
        painter.drawPath(self._path)


    def _paint_dot(self, painter: QPainter) -> None:
        at = float(self.xs[0]), float(self.ys[0])
        if math.isfinite(at[1]):
            pen = QPen(self.pen)
            pen.setWidthF(_DOT)
            pen.setCapStyle(Qt.PenCapStyle.RoundCap)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(pen)
            painter.drawPoint(QPointF(*at))


def _lines(xs: Floats, ys: Floats) -> PrimitiveArray:
    pieces = np.column_stack((xs[:-1], ys[:-1], xs[1:], ys[1:]))
    pieces = pieces[np.isfinite(pieces).all(axis=1)]
    lines = PrimitiveArray(QLineF, 4)
    lines.resize(len(pieces))
    lines.ndarray()[:] = pieces
    return lines


class Strokes(pg.GraphicsObject):  # type: ignore[misc]  # pyqtgraph carries no types
    """Draws strokes in their order, over all of the view."""

    def __init__(self) -> None:
        super().__init__()
        self.strokes: Sequence[Stroke] = ()
        self._area = QRectF()

    def show_strokes(self, strokes: Sequence[Stroke], area: QRectF) -> None:
        """Draw these instead of those before, in the part of the plane that is in view."""
        if area != self._area:
            self.prepareGeometryChange()
            self._area = area
        self.strokes = strokes
        self.update()

    def boundingRect(self) -> QRectF:
        return self._area

    def paint(self, painter: QPainter, *_: Any) -> None:
        for stroke in self.strokes:
            stroke.paint(painter)
