"""HistogramChart: counts over a range, of one kind of row or of several on top of one another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtWidgets import QWidget

from mldesk.desktop import theme
from mldesk.desktop.widgets.decimate import nice_range
from mldesk.desktop.widgets.legend import Legend, series_colour
from mldesk.desktop.widgets.overlay import Reading
from mldesk.desktop.widgets.plot import Plot
from mldesk.desktop.widgets.series import Series
from mldesk.desktop.widgets.table_model import number


class HistogramChart(Plot):
    """Counts (N) over edges (N + 1). Groups lie on top of one another, so that their sum can be read."""

    def __init__(self, title: str = "", x_label: str = "", y_label: str = "", parent: QWidget | None = None) -> None:
        super().__init__(title, x_label, y_label, parent)
        self._groups: list[tuple[str, NDArray[np.float64]]] = []
        self._edges: list[float] = []
        self._hidden: set[str] = set()
        self._bars: list[pg.BarGraphItem] = []
        self.legend = Legend()
        self.legend.toggled.connect(self._on_toggled)
        self.legend.hide()
        self.above.addWidget(self.legend)

    def set_data(self, counts: Sequence[float], edges: Sequence[float]) -> None:
        """Show ``counts`` over ``edges``. Raises ValueError unless there is one edge more than counts."""
        self.set_groups([("", counts)], edges)

    def set_groups(self, groups: Sequence[tuple[str, Sequence[float]]], edges: Sequence[float]) -> None:
        """Show the counts of named groups. Raises ValueError unless there is one edge more than counts of each."""
        for _, counts in groups:
            if len(edges) != len(counts) + 1:
                raise ValueError(f"{len(counts)} counts need {len(counts) + 1} edges, not {len(edges)}")
        self._groups = [(name, np.asarray(counts, np.float64)) for name, counts in groups]
        self._edges = [float(edge) for edge in edges]
        if len(groups) > 1:
            self.legend.show_series([Series(name, slot) for slot, (name, _) in enumerate(self._groups)])
        for bars in self._bars:
            self.item.removeItem(bars)
        self._bars = [pg.BarGraphItem(x0=[], x1=[], height=[]) for _ in self._groups]
        for bars in self._bars:
            self.item.addItem(bars, ignoreBounds=True)
        self.redraw_soon()

    def _on_toggled(self, name: str, on: bool) -> None:
        self._hidden = self._hidden - {name} if on else self._hidden | {name}
        self.redraw_soon()

    def _redraw(self) -> None:
        below = np.zeros(max(0, len(self._edges) - 1))
        for slot, ((name, counts), bars) in enumerate(zip(self._groups, self._bars, strict=True)):
            height = np.zeros_like(counts) if name in self._hidden else counts
            bars.setOpts(x0=self._edges[:-1], x1=self._edges[1:], y0=below, height=height,
                         pen=pg.mkPen(theme.palette().surface, width=1), brush=pg.mkBrush(series_colour(slot)))
            below = below + height
        whole = nice_range(self._edges[0], self._edges[-1], 0.01, from_zero=False) if self._edges else (0.0, 1.0)
        self.set_ranges(self._zoom or whole, (0.0, max(below, default=1.0) * 1.08 or 1.0))

    def _readings(self, x: float) -> tuple[str, list[Reading]]:
        index = int(np.searchsorted(self._edges, x, "right")) - 1
        if not 0 <= index < len(self._edges) - 1:
            return "", []
        low, high = self._edges[index], self._edges[index + 1]
        readings: list[Reading] = []
        below = 0.0
        for slot, (name, counts) in enumerate(self._groups):
            if name not in self._hidden:
                below += float(counts[index])
                readings.append(Reading(name or self._y_label or self.tr("Count"), number(float(counts[index])),
                                        series_colour(slot), (low + high) / 2, below))
        return f"{self.x_words(low)} – {self.x_words(high)}", readings[::-1]

    def _steps(self) -> Sequence[float]:
        return [(low + high) / 2 for low, high in zip(self._edges, self._edges[1:], strict=False)]

    def csv(self) -> str:
        grouped = len(self._groups) > 1
        lines = ["from,to," + ("group,count" if grouped else "count")]
        for name, counts in self._groups:
            told = '"' + name.replace('"', '""') + '",' if grouped else ""
            lines += [f"{low!r},{high!r},{told}{float(count)!r}" for low, high, count in
                      zip(self._edges, self._edges[1:], counts, strict=False)]
        return "\n".join(lines) + "\n"

    def summary(self) -> str:
        if not self._edges:
            return self.tr("Nothing counted yet")
        words = self.tr("{count} values from {low} to {high}").format(
            count=number(sum(float(counts.sum()) for _, counts in self._groups)), low=self.x_words(self._edges[0]),
            high=self.x_words(self._edges[-1]))
        if len(self._groups) > 1:
            words += "; " + ", ".join(f"{name} {number(float(counts.sum()))}" for name, counts in self._groups)
        return words
