"""Chart: live curves. Any number of points comes in; at most thirty pictures a second of what can be seen go out."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence

import pyqtgraph as pg
from numpy.typing import ArrayLike
from PySide6.QtCore import Qt
from PySide6.QtGui import QPen
from PySide6.QtWidgets import QPushButton, QSlider, QWidget

from mldesk.desktop import theme
from mldesk.desktop.theme.wcag import mix
from mldesk.desktop.widgets.buttons import make_button
from mldesk.desktop.widgets.decimate import Floats, dashes, nice_range
from mldesk.desktop.widgets.legend import Legend, colour_of, series_colour, series_style
from mldesk.desktop.widgets.overlay import Reading
from mldesk.desktop.widgets.plot import Plot
from mldesk.desktop.widgets.series import Series, extent, to_log
from mldesk.desktop.widgets.table_model import number
from mldesk.desktop.widgets.text import make_label

_FEW = 6          # curves drawn wide and smooth-edged however dense they are
_SPARSE = 400     # points up to which any curve is
_EXACT = 120      # points up to which the pieces of a wide line are joined exactly
_POINTS = 60_000  # drawn at once, at most; many curves share them


class Chart(Plot):
    """Curves over a common x. Points may be added as they come; drawing is coalesced and thinned.

    ``with_smoothing`` shows a slider; the raw curve stays as a ghost. ``with_log`` shows a switch for a log axis.
    """

    def __init__(self, title: str = "", x_label: str = "", y_label: str = "", parent: QWidget | None = None, *,
                 with_smoothing: bool = False, with_log: bool = True,
                 y_range: tuple[float, float] | None = None) -> None:
        super().__init__(title, x_label, y_label, parent)
        self._series: dict[str, Series] = {}
        self._curves: dict[str, tuple[pg.PlotCurveItem, pg.PlotCurveItem]] = {}
        self._log = False
        self._share = 0.0
        self._y_range = y_range
        self._pointed = ""
        self.legend = Legend()
        self.legend.toggled.connect(self.set_visible_series)
        self.legend.pointed.connect(self._on_pointed)
        self.legend.setVisible(False)
        self.above.addWidget(self.legend)
        self._log_button = self._make_log_button()
        self._slider = self._make_slider()
        if with_smoothing:
            self.tools.addWidget(make_label(self.tr("Smoothing"), "caption", "muted"))
            self.tools.addWidget(self._slider)
        if with_log:
            self.tools.addWidget(self._log_button)

    def _make_log_button(self) -> QPushButton:
        button = make_button(self.tr("Log"), "ghost", small=True, tooltip=self.tr("Logarithmic axis"))
        button.setCheckable(True)
        button.setAccessibleName(self.tr("Logarithmic axis"))
        button.toggled.connect(self.set_log)
        return button

    def _make_slider(self) -> QSlider:
        slider = QSlider(Qt.Orientation.Horizontal)
        slider.setRange(0, 99)
        slider.setFixedWidth(84)
        slider.setAccessibleName(self.tr("Smoothing"))
        slider.setToolTip(self.tr("Smoothing: how much of the average each point keeps"))
        slider.valueChanged.connect(lambda value: self.set_smoothing(value / 100))
        return slider

    # What it shows.

    def set_series(self, name: str, xs: ArrayLike, ys: ArrayLike, *, slot: int | None = None,
                   dashed: bool = False, faint: bool = False) -> None:
        """Show the curve ``name`` with these points (N, N), instead of those it had. NaN is a gap.

        ``slot`` chooses its colour, so that the same thing has the same colour everywhere. ``faint`` is for detail
        behind the other curves: paler, and never smoothed.
        """
        self._get(name, slot, dashed=dashed, faint=faint).set(xs, ys)
        self.redraw_soon()

    def append(self, name: str, xs: ArrayLike, ys: ArrayLike) -> None:
        """Add points (N, N) to the curve ``name``, which is made if it is new."""
        self._get(name, None, dashed=False).append(xs, ys)
        self.redraw_soon()

    def remove(self, name: str) -> None:
        """Take a curve away; an unknown one is none."""
        self._series.pop(name, None)
        for curve in self._curves.pop(name, ()):
            self.item.removeItem(curve)
        self.legend.show_series(list(self._series.values()))
        self.redraw_soon()

    def clear(self) -> None:
        """Take all curves away."""
        for name in tuple(self._series):
            self.remove(name)
        self._zoom = None

    def names(self) -> list[str]:
        return list(self._series)

    def set_visible_series(self, name: str, on: bool) -> None:
        """Show or hide a curve. Raises KeyError."""
        self._series[name].shown = on
        self.redraw_soon()

    def set_log(self, on: bool) -> None:
        """Draw the values on a log axis; those that are not positive become gaps."""
        self._log_button.setChecked(on)
        self._log = on
        self._y_axis.setLogMode(False, on)
        self.redraw_soon()

    def set_smoothing(self, share: float) -> None:
        """Smooth with an exponential average, 0 (not at all) ≤ share < 1."""
        self._share = min(0.99, max(0.0, share))
        self._slider.setValue(round(100 * self._share))
        self.redraw_soon()

    def _get(self, name: str, slot: int | None, *, dashed: bool, faint: bool = False) -> Series:
        series = self._series.get(name)
        if series is None:
            taken = {one.slot for one in self._series.values()}
            free = next(number for number in range(len(taken) + 1) if number not in taken)
            series = self._series[name] = Series(name, free if slot is None else slot, dashed=dashed,
                                                 faint=faint)
            ghost, curve = (pg.PlotCurveItem(connect="finite", skipFiniteCheck=False) for _ in range(2))
            ghost.setZValue(1)
            curve.setZValue(2)
            for item in (ghost, curve):
                self.item.addItem(item, ignoreBounds=True)
            self._curves[name] = ghost, curve
            self.legend.show_series(list(self._series.values()))
        return series

    def _shown(self) -> list[Series]:
        return [series for series in self._series.values() if series.shown and len(series)]

    # Drawing.

    def _redraw(self) -> None:
        shown = self._shown()
        low, high = self._x_range(shown)
        buckets = max(50, min(self.buckets(), _POINTS // (4 * max(1, len(shown)))))
        drawn: list[Floats] = []
        most = max(map(len, shown), default=0)
        for name, series in self._series.items():
            ghost, curve = self._curves[name]
            if series not in shown:
                ghost.setVisible(False)
                curve.setVisible(False)
                continue
            share = self._share_of(series, most)
            smooth = share > 0
            values = series.smooth(share) if smooth else series.y
            xs, ys = series.drawn(values, low, high, buckets, log=self._log)
            drawn.append(ys)
            # Qt joins the pieces of a wide line exactly, which takes a second for a noisy curve; single pieces are
            # quick. Qt's dashes need the joined line, so those of a dense curve are cut out of its points instead.
            fine = len(shown) <= _FEW or len(xs) <= _SPARSE
            pen = self._pen(series, fine=fine)
            if pen.style() != Qt.PenStyle.SolidLine and len(xs) > buckets // 4:
                pen.setStyle(Qt.PenStyle.SolidLine)
                ys = dashes(xs, ys, low, high, buckets)
            curve.opts["antialias"] = fine
            curve.setPen(pen)
            single = pen.widthF() > 1 and pen.style() == Qt.PenStyle.SolidLine and len(xs) > _EXACT
            curve.setSegmentedLineMode("on" if single else "off")
            curve.setData(xs, ys)
            curve.setVisible(True)
            if smooth:
                gx, gy = series.drawn(series.y, low, high, buckets, log=self._log)
                ghost.setPen(self._ghost_pen(series))
                ghost.setData(gx, gy)
                drawn.append(gy)
            ghost.setVisible(smooth)
        self.set_ranges((low, high), self._y_limits(drawn))

    def _share_of(self, series: Series, most: int) -> float:
        """Return how much a curve is smoothed: as far along x as the densest one, which has ``most`` points."""
        smoothed = self._share > 0 and len(series) > 2 and not series.faint
        share = self._share ** (most / len(series)) if smoothed else 0.0
        return share if share > 0.05 else 0.0

    def _x_range(self, shown: Sequence[Series]) -> tuple[float, float]:
        if self._zoom is not None:
            return self._zoom
        low, high = extent([series.x[[0, -1]] for series in shown])
        if not math.isfinite(low):
            return 0.0, 1.0
        room = (high - low) * 0.01
        return (low - room, high + room) if high > low else (low - 0.5, high + 0.5)

    def _y_limits(self, drawn: Sequence[Floats]) -> tuple[float, float]:
        if self._y_range is not None and not self._log:
            return self._y_range
        low, high = extent(drawn)
        return nice_range(low, high, from_zero=not self._log)

    def _pen(self, series: Series, *, fine: bool) -> QPen:
        """Return colour, width and style; wide for the curve pointed at in the legend, pale for the others then."""
        colour, width = colour_of(series), 1.5 if fine and not series.faint else 1.0
        if self._pointed == series.name:
            width = 2.6
        elif self._pointed:
            colour = mix(colour, theme.palette().surface, 0.3)
        style = series_style(series.slot, dashed=series.dashed)
        pen: QPen = pg.mkPen(colour, width=width, style=style)
        return pen

    def _ghost_pen(self, series: Series) -> QPen:
        pen: QPen = pg.mkPen(mix(series_colour(series.slot), theme.palette().surface, 0.3), width=1)
        return pen

    def _on_pointed(self, name: str) -> None:
        self._pointed = name
        self.redraw_soon()

    # Reading.

    def _readings(self, x: float) -> tuple[str, list[Reading]]:
        low, high = self.item.getViewBox().viewRange()[0]
        found: list[tuple[float, Reading]] = []
        nearest, best = x, math.inf
        shown = self._shown()
        most = max(map(len, shown), default=0)
        for series in shown:
            index = series.nearest(x)
            if index is None or not low <= series.x[index] <= high:
                continue
            at, raw = float(series.x[index]), float(series.y[index])
            share = self._share_of(series, most)
            value = float(series.smooth(share)[index]) if share > 0 else raw
            y = float(to_log(series.y[index:index + 1] * 0 + value)[0]) if self._log else value
            if math.isnan(y):
                continue
            if abs(at - x) < best:
                nearest, best = at, abs(at - x)
            words = f"{number(value)} ({number(raw)})" if share > 0 else number(value)
            found.append((y, Reading(series.name, words, series_colour(series.slot), at, y)))
        found.sort(key=lambda pair: -pair[0])
        label = self._x_label or self.tr("x")
        return f"{label} {number(nearest)}", [reading for _, reading in found]

    def _steps(self) -> Sequence[float]:
        shown = self._shown()
        return max((series.x for series in shown), key=len).tolist() if shown else ()

    def csv(self) -> str:
        out = io.StringIO()
        table = csv.writer(out, lineterminator="\n")
        table.writerow(["series", self._x_label or "x", self._y_label or "y"])
        for series in self._series.values():
            table.writerows((series.name, repr(float(x)), "" if math.isnan(y) else repr(float(y)))
                            for x, y in zip(series.x, series.y, strict=True))
        return out.getvalue()

    def summary(self) -> str:
        parts = []
        for series in self._shown()[:12]:
            low, high = extent([series.y])
            known = series.y[series.y == series.y]
            if len(known):
                parts.append(self.tr("{name}: last {last}, from {low} to {high}").format(
                    name=series.name, last=number(float(known[-1])), low=number(low), high=number(high)))
        return "; ".join(parts) or self.tr("No points yet")
