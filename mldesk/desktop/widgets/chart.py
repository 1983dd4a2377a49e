"""Chart: live curves. Any number of points comes in; at most thirty pictures a second of what can be seen go out."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence

from numpy.typing import ArrayLike
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPen
from PySide6.QtWidgets import QPushButton, QSlider, QWidget

from mldesk.desktop import theme
from mldesk.desktop.theme.wcag import mix
from mldesk.desktop.widgets.buttons import make_button
from mldesk.desktop.widgets.decimate import Floats, nice_range
from mldesk.desktop.widgets.legend import Legend, colour_of, series_colour, series_style
from mldesk.desktop.widgets.overlay import Reading
from mldesk.desktop.widgets.plot import Plot
from mldesk.desktop.widgets.series import Series, View, extent, to_log
from mldesk.desktop.widgets.strokes import Stroke, Strokes
from mldesk.desktop.widgets.table_model import number
from mldesk.desktop.widgets.text import make_label

_FEW = 6          # curves drawn wide and smooth-edged however dense they are
_SMOOTH = 12_000  # points of all curves up to which they are, too
_EXACT = 120      # points up to which the pieces of a wide line are joined exactly
_NEAR = 24        # pixels at 100 % from the pointer to a curve that it is at
_POINTS = 60_000  # drawn at once, at most; many curves share them


class Chart(Plot):
    """Curves over a common x. Points may be added as they come; drawing is coalesced and thinned.

    ``with_smoothing`` shows a slider; the raw curve stays as a ghost. ``with_log`` shows a switch for a log axis.
    ``with_pointing`` lets the pointer single out the curve it is at. Signals: ``pointed`` (its name, or "").
    """

    pointed = Signal(str)

    def __init__(self, title: str = "", x_label: str = "", y_label: str = "", parent: QWidget | None = None, *,
                 with_smoothing: bool = False, with_log: bool = True, with_pointing: bool = False,
                 y_range: tuple[float, float] | None = None) -> None:
        super().__init__(title, x_label, y_label, parent)
        self._series: dict[str, Series] = {}
        self._strokes: dict[tuple[str, bool], Stroke] = {}  # by name, and whether it is the ghost
        self._canvas = Strokes()
        self._canvas.setZValue(1)
        self.item.addItem(self._canvas, ignoreBounds=True)
        self._log = False
        self._share = 0.0
        self._y_range = y_range
        self._pointed, self._points = "", with_pointing
        self._overlay.more = self.tr("and {count} more")
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
        for ghost in (True, False):
            self._strokes.pop((name, ghost), None)
        self.legend.show_series(list(self._series.values()))
        self.redraw_soon()

    def clear(self) -> None:
        """Take all curves away."""
        self._series.clear()
        self._strokes.clear()
        self._zoom, self._pointed = None, ""
        self.legend.show_series(())
        self.redraw_soon()

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
            self.legend.show_series(list(self._series.values()))
        return series

    def _shown(self) -> list[Series]:
        return [series for series in self._series.values() if series.shown and len(series)]

    # Drawing.

    def line(self, name: str, *, ghost: bool = False) -> Stroke | None:
        """Return how a curve, or its raw ghost, is drawn now; None while it is not."""
        stroke = self._strokes.get((name, ghost))
        return stroke if stroke in self._canvas.strokes else None

    def _redraw(self) -> None:
        shown = self._shown()
        low, high = self._x_range(shown)
        buckets = max(50, min(self.buckets(), _POINTS // (4 * max(1, len(shown)))))
        most = max(map(len, shown), default=0)
        ghosts, curves = [], []
        for series in shown:
            share = self._share_of(series, most)
            view = View(low, high, buckets, self._log)
            if share > 0:
                ghosts.append(self._stroke(series, view, 0.0, len(shown), ghost=True))
            curves.append(self._stroke(series, view, share, len(shown)))
        y = self._y_limits([stroke.ys for stroke in (*ghosts, *curves)])
        curves.sort(key=lambda stroke: stroke is self._strokes.get((self._pointed, False)))  # that one last: on top
        self._canvas.show_strokes([*ghosts, *curves], QRectF(low, y[0], high - low, y[1] - y[0]))
        self.set_ranges((low, high), y)

    def _stroke(self, series: Series, view: View, share: float, count: int, *,
                ghost: bool = False) -> Stroke:
        """Return how a curve is drawn; its path is kept while its points are the same.

        Qt joins the pieces of a wide line exactly, which takes a second for a noisy curve; single pieces are quick.
        Qt's dashes need the joined line, so those of a dense curve are gaps between its points instead.
        """
        style = Qt.PenStyle.SolidLine if ghost else series_style(series.slot, dashed=series.dashed)
        xs, ys = series.drawn(share, view._replace(dashed=style != Qt.PenStyle.SolidLine))
        fine = not ghost and (count <= _FEW or count * len(xs) <= _SMOOTH)
        pen = self._ghost_pen(series) if ghost else self._pen(series, fine=fine)
        if len(xs) <= view.buckets // 4:
            pen.setStyle(style)
        pieces = pen.widthF() > 1 and pen.style() == Qt.PenStyle.SolidLine and len(xs) > _EXACT
        kept = self._strokes.get((series.name, ghost))
        if kept is None or kept.ys is not ys:
            kept = self._strokes[series.name, ghost] = Stroke(xs, ys, pen)
        kept.pen, kept.smooth, kept.pieces = pen, fine, pieces
        return kept

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
        """Return colour and width; wide for the curve pointed at in the legend, pale for the others then."""
        colour, width = colour_of(series), 1.5 if fine and not series.faint else 1.0
        if self._pointed == series.name:
            width = 2.6
        elif self._pointed:
            colour = mix(colour, theme.palette().surface, 0.3)
        return _pen(colour, width)

    def _ghost_pen(self, series: Series) -> QPen:
        return _pen(mix(series_colour(series.slot), theme.palette().surface, 0.3), 1.0)

    def point_at(self, name: str) -> None:
        """Single out a curve, as the pointer does; "" none."""
        if name != self._pointed:
            self._pointed = self._overlay.pointed = name
            self.redraw_soon()

    def _on_pointed(self, name: str) -> None:
        self.point_at(name)
        self.pointed.emit(name)

    def _on_move(self, at: QPointF) -> None:
        super()._on_move(at)
        if self._points:
            dots = [(abs(dot.y() - at.y()), reading.name) for dot, reading in self._overlay.dots]
            distance, name = min(dots, default=(math.inf, ""))
            self._on_pointed(name if distance <= theme.px(_NEAR) else "")

    def _on_leave(self) -> None:
        super()._on_leave()
        if self._points:
            self._on_pointed("")

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
        return f"{label} {self.x_words(nearest)}", [reading for _, reading in found]

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


def _pen(colour: str, width: float) -> QPen:
    pen = QPen(QColor(colour), width)
    pen.setCosmetic(True)  # as wide in pixels whatever the axes' units
    return pen
