"""Axes of plots: short tick labels in the locale's marks, grid lines as hairlines, decades on a log axis."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pyqtgraph as pg
from PySide6.QtCore import QLocale, QRectF

from mldesk.desktop import theme
from mldesk.desktop.widgets import moments
from mldesk.desktop.words import locale


class Axis(pg.AxisItem):  # type: ignore[misc]  # pyqtgraph carries no types
    """One axis in the theme's colours. With ``moments`` its numbers are seconds since 1970."""

    def __init__(self, orientation: str) -> None:
        super().__init__(orientation)
        self.enableAutoSIPrefix(False)
        self.setStyle(tickLength=0, tickTextOffset=6, maxTickLevel=0, maxTextLevel=1, hideOverlappingLabels=False)
        self.setGrid(255 if orientation == "left" else False)
        self._caption = ""
        self.moments = False
        self.whole = False   # it counts: there is nothing between two whole numbers
        self.dress()

    def set_caption(self, text: str) -> None:
        """Name what the axis shows."""
        self._caption = text
        self.dress()

    def dress(self) -> None:
        """Take the colours and sizes of the theme in force."""
        colours = theme.palette()
        self.setPen(pg.mkPen(colours.grid, width=1))
        self.setTextPen(pg.mkPen(colours.muted))
        self.setStyle(tickFont=theme.font("caption"))
        if self._caption:
            self.setLabel(self._caption, color=colours.muted, **{"font-size": f"{theme.px(12)}px"})
        else:
            self.showLabel(False)

    def boundingRect(self) -> QRectF:
        """Return where the axis draws; the labels at its two ends stick out by half a line."""
        out = theme.px(9) if self.orientation == "left" else 0
        return QRectF(super().boundingRect()).adjusted(0, -out, 0, out)

    def tickValues(self, low: float, high: float, size: float) -> list[tuple[float | None, list[float]]]:
        """Return one level of ticks at round distances, with room for their labels."""
        if self.logMode:
            return list(super().tickValues(low, high, size))
        if not high > low or size <= 0:
            return []
        room = theme.px(38 if self.orientation == "left" else 84)
        if self.moments:
            return [moments.ticks(low, high, (high - low) / max(2.0, size / room))]
        step = nice_step((high - low) / max(2.0, size / room))
        if self.whole:
            step = max(1.0, float(math.ceil(step)))
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        return [(step, [index * step for index in range(first, last + 1)])]

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float | None) -> list[str]:
        if self.logMode:
            return [_power(value, minor=spacing is None) for value in values]
        if self.moments:
            return [moments.tick_words(value, spacing or 1.0) for value in values]
        return [short(value * scale, (spacing or 1.0) * scale) for value in values]


def nice_step(least: float) -> float:
    """Return the smallest of 1, 2, 2.5, 5 times a power of ten that is not below ``least`` (> 0)."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(lead * power for lead in (1, 2, 2.5, 5, 10) if lead * power >= least * (1 - 1e-9))


def short(value: float, spacing: float) -> str:
    """Return a tick's label with as many digits as its distance to the next asks for: ``0.25``, ``1,500``, ``20k``."""
    marks, value = locale(), float(value)
    size = abs(value)
    if value == 0:
        return "0"
    for unit, name in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if size >= unit and spacing >= 1e4:
            text = marks.toString(value / unit, "f", _digits(spacing / unit))
            return _trim(text, marks) + name
    if size >= 1e6 or spacing < 1e-4:
        return marks.toString(value, "g", 4)
    return marks.toString(value, "f", _digits(spacing))


def _digits(spacing: float) -> int:
    if spacing <= 0:
        return 3
    digits = max(0, min(6, -math.floor(math.log10(spacing) + 1e-9)))
    exact = abs(round(spacing, digits) - spacing) < 1e-9 * max(1.0, spacing)
    return digits if exact else digits + 1  # 2.5 needs one more


def _trim(text: str, marks: QLocale) -> str:
    point = marks.decimalPoint()
    return text.rstrip("0").rstrip(point) if point in text else text


def _power(value: float, *, minor: bool) -> str:
    exponent = round(value, 6)
    if minor:
        lead = 10 ** (exponent - math.floor(exponent))
        if not (abs(lead - 2) < 0.01 or abs(lead - 5) < 0.01):
            return ""
    number = 10.0 ** value
    if 1e-3 <= number < 1e4:
        return locale().toString(number, "g", 4)
    raised = str(math.floor(exponent + 1e-6)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    lead = round(10 ** (exponent - math.floor(exponent + 1e-6)))
    return f"10{raised}" if lead == 1 else f"{lead}·10{raised}"
