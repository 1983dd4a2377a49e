"""DensityChart: where the points of a plane lie, as shades of squares, however many points there are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QWidget

from mldesk.desktop import theme
from mldesk.desktop.widgets.heatmap import heat
from mldesk.desktop.widgets.overlay import Reading
from mldesk.desktop.widgets.plot import Plot
from mldesk.desktop.widgets.table_model import number

_SHADES = 64


class DensityChart(Plot):
    """Counts (rows from below, columns) over the edges of both. Shades grow with the square root of a count, so that
    what is rare can be seen beside what is frequent; empty squares are not drawn.
    """

    def __init__(self, title: str = "", x_label: str = "", y_label: str = "", parent: QWidget | None = None) -> None:
        super().__init__(title, x_label, y_label, parent)
        self._counts: NDArray[np.float64] = np.zeros((0, 0))
        self._across: list[float] = []
        self._up: list[float] = []
        self._image = pg.ImageItem(axisOrder="row-major")
        self.item.addItem(self._image, ignoreBounds=True)

    def set_counts(self, counts: Sequence[Sequence[float]], across: Sequence[float], up: Sequence[float]) -> None:
        """Show counts between edges ``across`` (C + 1) and ``up`` (R + 1). Raises ValueError where they do not fit."""
        made = np.asarray(counts, np.float64).reshape(len(up) - 1, -1)
        if made.shape[1] != len(across) - 1:
            raise ValueError(f"counts of shape {made.shape} need {made.shape[1] + 1} edges, not {len(across)}")
        self._counts, self._across, self._up = made, [*map(float, across)], [*map(float, up)]
        self.redraw_soon()

    def _redraw(self) -> None:
        if not self._counts.size:
            return
        ramp = theme.palette().heat[1:]
        table = np.array([QColor(heat(step / (_SHADES - 1), ramp)).getRgb() for step in range(_SHADES)], np.uint8)
        shares = np.sqrt(self._counts / max(1.0, float(self._counts.max())))
        picture = table[np.round(shares * (_SHADES - 1)).astype(np.int64)]
        picture[self._counts == 0] = 0
        self._image.setImage(picture, levels=None)
        x, y = (self._across[0], self._across[-1]), (self._up[0], self._up[-1])
        self._image.setRect(QRectF(x[0], y[0], x[1] - x[0], y[1] - y[0]))
        self.set_ranges(self._zoom or x, y)

    def _readings(self, x: float) -> tuple[str, list[Reading]]:
        index = int(np.searchsorted(self._across, x, "right")) - 1
        if not 0 <= index < self._counts.shape[1] or not self._counts[:, index].any():
            return "", []
        most = int(self._counts[:, index].argmax())
        low, high, middle = self._up[most], self._up[most + 1], (self._across[index] + self._across[index + 1]) / 2
        return (f"{self.x_words(self._across[index])} – {self.x_words(self._across[index + 1])}",
                [Reading(self.tr("most, {low} – {high}").format(low=self.y_words(low), high=self.y_words(high)),
                         number(float(self._counts[most, index])), theme.palette().heat[-1], middle, (low + high) / 2)])

    def _steps(self) -> Sequence[float]:
        return [(low + high) / 2 for low, high in zip(self._across, self._across[1:], strict=False)]

    def csv(self) -> str:
        lines = ["x_from,x_to,y_from,y_to,count"]
        for up, line in enumerate(self._counts):
            lines += [f"{self._across[place]!r},{self._across[place + 1]!r},{self._up[up]!r},{self._up[up + 1]!r},"
                      f"{float(count)!r}" for place, count in enumerate(line) if count]
        return "\n".join(lines) + "\n"

    def summary(self) -> str:
        if not self._counts.size:
            return self.tr("Nothing counted yet")
        up, across = np.unravel_index(int(self._counts.argmax()), self._counts.shape)
        return self.tr("{count} points; most around {x}, {y}").format(
            count=number(float(self._counts.sum())), x=self.x_words(self._across[int(across)]),
            y=self.y_words(self._up[int(up)]))
