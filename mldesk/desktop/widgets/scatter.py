"""ScatterChart: points on a plane, as predicted over actual."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import ArrayLike, NDArray
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QWidget

from mldesk.desktop import theme
from mldesk.desktop.widgets.decimate import nice_range
from mldesk.desktop.widgets.legend import Legend, series_colour
from mldesk.desktop.widgets.overlay import Reading
from mldesk.desktop.widgets.plot import Plot
from mldesk.desktop.widgets.series import Series, extent

_RING = 12   # pixels across, around a point that is marked


class ScatterChart(Plot):
    """Points (x, y), in groups if there are any. ``identity`` draws the line x = y, and both axes then cover the same
    range.
    """

    def __init__(self, title: str = "", x_label: str = "", y_label: str = "", parent: QWidget | None = None, *,
                 identity: bool = False) -> None:
        super().__init__(title, x_label, y_label, parent)
        self._identity = identity
        self._x = self._y = np.empty(0)
        self._group = self._rows = np.empty(0, np.int64)
        self._marked = np.empty(0, bool)
        self._names: list[str] = []
        self._hidden: set[str] = set()
        self.legend = Legend()
        self.legend.toggled.connect(self._on_toggled)
        self.legend.hide()
        self.above.addWidget(self.legend)
        self._dots = pg.ScatterPlotItem(size=6, pxMode=True)
        self._rings = pg.ScatterPlotItem(size=_RING, pxMode=True)
        self._line = pg.PlotCurveItem()
        self.item.addItem(self._line, ignoreBounds=True)
        self.item.addItem(self._dots, ignoreBounds=True)
        self.item.addItem(self._rings, ignoreBounds=True)

    def set_points(self, xs: ArrayLike, ys: ArrayLike, groups: ArrayLike | None = None,
                   names: Sequence[str] = (), rows: ArrayLike | None = None) -> None:
        """Show these points (N, N), those that are finite. ``groups`` (N) are places in ``names``, -1 is none of them;
        ``rows`` (N) are the rows that they stand for.

        Raises ValueError for lengths that differ.
        """
        x, y = np.asarray(xs, dtype=np.float64), np.asarray(ys, dtype=np.float64)
        if x.shape != y.shape:
            raise ValueError(f"{x.shape} and {y.shape} do not go together")
        known = np.isfinite(x) & np.isfinite(y)
        self._x, self._y = x[known], y[known]
        self._group = np.zeros(len(self._x), np.int64) if groups is None else np.asarray(groups, np.int64)[known]
        self._rows = np.full(len(self._x), -1) if rows is None else np.asarray(rows, np.int64)[known]
        self._names = list(names)
        self.legend.show_series([Series(name, slot) for slot, name in enumerate(self._names)])
        self.redraw_soon()

    def mark(self, rows: Collection[int]) -> int:
        """Ring the points of these rows; return how many there are."""
        self._marked = np.isin(self._rows, np.fromiter(rows, np.int64, len(rows)))
        self.redraw_soon()
        return int(self._marked.sum())

    def _on_toggled(self, name: str, on: bool) -> None:
        self._hidden = self._hidden - {name} if on else self._hidden | {name}
        self.redraw_soon()

    def _redraw(self) -> None:
        seen = ~np.isin(self._group, [slot for slot, name in enumerate(self._names) if name in self._hidden])
        self._dots.setData(self._x[seen], self._y[seen], pen=None, brush=self._brushes(self._group[seen]))
        ringed = seen & self._marked if len(self._marked) == len(seen) else np.zeros(len(seen), bool)
        self._rings.setData(self._x[ringed], self._y[ringed], brush=None,
                            pen=pg.mkPen(theme.palette().text, width=2))
        x, y = nice_range(*extent([self._x])), nice_range(*extent([self._y]))
        if self._identity:
            x = y = min(x[0], y[0]), max(x[1], y[1])
            self._line.setData(np.array(x), np.array(x))
            self._line.setPen(pg.mkPen(theme.palette().faint, width=1, style=Qt.PenStyle.DashLine))
        self.set_ranges(self._zoom or x, y)

    def _brushes(self, groups: NDArray[np.int64]) -> Any:
        """Return the colour of each point; a single one where all have the same."""
        colours = [QColor(series_colour(slot)) for slot in range(max(1, len(self._names)))]
        colours.append(theme.colour("faint"))   # of no group: the place -1
        for colour in colours:
            colour.setAlpha(150)
        brushes = [pg.mkBrush(colour) for colour in colours]
        return [brushes[group] for group in groups] if self._names else brushes[0]

    def _readings(self, x: float) -> tuple[str, list[Reading]]:
        if not len(self._x):
            return "", []
        index = int(np.argmin(np.abs(self._x - x)))
        at, value = float(self._x[index]), float(self._y[index])
        return (f"{self._x_label or 'x'} {self.x_words(at)}",
                [Reading(self._y_label or "y", self.y_words(value), series_colour(max(0, int(self._group[index]))),
                         at, value)])

    def csv(self) -> str:
        out = io.StringIO()
        table = csv.writer(out, lineterminator="\n")
        table.writerow([self._x_label or "x", self._y_label or "y"])
        table.writerows((repr(float(x)), repr(float(y))) for x, y in zip(self._x, self._y, strict=True))
        return out.getvalue()

    def summary(self) -> str:
        return self.tr("{count} points").format(count=len(self._x))
