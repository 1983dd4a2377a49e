"""ScatterChart: points on a plane, as predicted over actual. HistogramChart: counts over a range."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from numpy.typing import ArrayLike
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QWidget

from mldesk.desktop import theme
from mldesk.desktop.widgets.decimate import nice_range
from mldesk.desktop.widgets.legend import series_colour
from mldesk.desktop.widgets.overlay import Reading
from mldesk.desktop.widgets.plot import Plot
from mldesk.desktop.widgets.series import extent
from mldesk.desktop.widgets.table_model import number


class ScatterChart(Plot):
    """Points (x, y). ``identity`` draws the line x = y, and both axes then cover the same range."""

    def __init__(self, title: str = "", x_label: str = "", y_label: str = "", parent: QWidget | None = None, *,
                 identity: bool = False) -> None:
        super().__init__(title, x_label, y_label, parent)
        self._identity = identity
        self._x = self._y = np.empty(0)
        self._dots = pg.ScatterPlotItem(size=6, pxMode=True)
        self._line = pg.PlotCurveItem()
        self.item.addItem(self._line, ignoreBounds=True)
        self.item.addItem(self._dots, ignoreBounds=True)

    def set_points(self, xs: ArrayLike, ys: ArrayLike) -> None:
        """Show these points (N, N), those that are finite. Raises ValueError for lengths that differ."""
        x, y = np.asarray(xs, dtype=np.float64), np.asarray(ys, dtype=np.float64)
        if x.shape != y.shape:
            raise ValueError(f"{x.shape} and {y.shape} do not go together")
        known = np.isfinite(x) & np.isfinite(y)
        self._x, self._y = x[known], y[known]
        self.redraw_soon()

    def _redraw(self) -> None:
        colour = QColor(series_colour(0))
        colour.setAlpha(150)
        self._dots.setData(self._x, self._y, pen=None, brush=pg.mkBrush(colour))
        x, y = nice_range(*extent([self._x])), nice_range(*extent([self._y]))
        if self._identity:
            x = y = min(x[0], y[0]), max(x[1], y[1])
            self._line.setData(np.array(x), np.array(x))
            self._line.setPen(pg.mkPen(theme.palette().faint, width=1, style=Qt.PenStyle.DashLine))
        self.set_ranges(self._zoom or x, y)

    def _readings(self, x: float) -> tuple[str, list[Reading]]:
        if not len(self._x):
            return "", []
        index = int(np.argmin(np.abs(self._x - x)))
        at, value = float(self._x[index]), float(self._y[index])
        return (f"{self._x_label or 'x'} {number(at)}",
                [Reading(self._y_label or "y", number(value), series_colour(0), at, value)])

    def csv(self) -> str:
        out = io.StringIO()
        table = csv.writer(out, lineterminator="\n")
        table.writerow([self._x_label or "x", self._y_label or "y"])
        table.writerows((repr(float(x)), repr(float(y))) for x, y in zip(self._x, self._y, strict=True))
        return out.getvalue()

    def summary(self) -> str:
        return self.tr("{count} points").format(count=len(self._x))


class HistogramChart(Plot):
    """Counts (N) over edges (N + 1)."""

    def __init__(self, title: str = "", x_label: str = "", y_label: str = "", parent: QWidget | None = None) -> None:
        super().__init__(title, x_label, y_label, parent)
        self._counts: list[float] = []
        self._edges: list[float] = []
        self._bars = pg.BarGraphItem(x0=[], x1=[], height=[])
        self.item.addItem(self._bars, ignoreBounds=True)

    def set_data(self, counts: Sequence[float], edges: Sequence[float]) -> None:
        """Show ``counts`` over ``edges``. Raises ValueError unless there is one edge more than counts."""
        if len(edges) != len(counts) + 1:
            raise ValueError(f"{len(counts)} counts need {len(counts) + 1} edges, not {len(edges)}")
        self._counts, self._edges = [float(count) for count in counts], [float(edge) for edge in edges]
        self.redraw_soon()

    def _redraw(self) -> None:
        self._bars.setOpts(x0=self._edges[:-1], x1=self._edges[1:], height=self._counts, y0=0,
                           pen=pg.mkPen(theme.palette().surface, width=1), brush=pg.mkBrush(series_colour(0)))
        whole = nice_range(self._edges[0], self._edges[-1], 0.01, from_zero=False) if self._edges else (0.0, 1.0)
        self.set_ranges(self._zoom or whole, (0.0, max(self._counts, default=1.0) * 1.08 or 1.0))

    def _readings(self, x: float) -> tuple[str, list[Reading]]:
        index = int(np.searchsorted(self._edges, x, "right")) - 1
        if not 0 <= index < len(self._counts):
            return "", []
        low, high = self._edges[index], self._edges[index + 1]
        return (f"{number(low)} – {number(high)}",
                [Reading(self._y_label or self.tr("Count"), number(self._counts[index]), series_colour(0),
                         (low + high) / 2, self._counts[index])])

    def _steps(self) -> Sequence[float]:
        return [(low + high) / 2 for low, high in zip(self._edges, self._edges[1:], strict=False)]

    def csv(self) -> str:
        rows = zip(self._edges, self._edges[1:], self._counts, strict=False)
        return "from,to,count\n" + "".join(f"{low!r},{high!r},{count!r}\n" for low, high, count in rows)

    def summary(self) -> str:
        if not self._edges:
            return self.tr("Nothing counted yet")
        return self.tr("{count} values from {low} to {high}").format(
            count=number(sum(self._counts)), low=number(self._edges[0]), high=number(self._edges[-1]))
