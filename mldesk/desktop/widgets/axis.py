"""Axes of plots: short tick labels in the locale's marks, grid lines as hairlines, decades on a log axis."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pyqtgraph as pg
from PySide6.QtCore import QLocale

from mldesk.desktop import theme


class Axis(pg.AxisItem):  # type: ignore[misc]  # pyqtgraph carries no types
    """One axis in the theme's colours. ``names`` puts words at 0, 1, 2, … instead of numbers."""

    def __init__(self, orientation: str) -> None:
        super().__init__(orientation)
        self.enableAutoSIPrefix(False)
        self.setStyle(tickLength=0, tickTextOffset=6, maxTickLevel=1, maxTextLevel=1)
        self.setGrid(255)
        self._caption = ""
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

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float | None) -> list[str]:
        if self.logMode:
            return [_power(value, minor=spacing is None) for value in values]
        return [short(value * scale, (spacing or 1.0) * scale) for value in values]


def short(value: float, spacing: float) -> str:
    """Return a tick's label with as many digits as its distance to the next asks for: ``0.25``, ``1,500``, ``20k``."""
    locale = QLocale()
    size = abs(value)
    if value == 0:
        return "0"
    for unit, name in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if size >= unit and spacing >= unit / 20 and (unit > 1e3 or size >= 1e4):
            text = locale.toString(value / unit, "f", _digits(spacing / unit))
            return _trim(text, locale) + name
    if size >= 1e6 or spacing < 1e-4:
        return locale.toString(value, "g", 4)
    return locale.toString(value, "f", _digits(spacing))


def _digits(spacing: float) -> int:
    return max(0, min(6, -math.floor(math.log10(spacing) + 1e-9))) if spacing > 0 else 3


def _trim(text: str, locale: QLocale) -> str:
    point = locale.decimalPoint()
    return text.rstrip("0").rstrip(point) if point in text else text


def _power(value: float, *, minor: bool) -> str:
    exponent = round(value, 6)
    if minor:
        lead = 10 ** (exponent - math.floor(exponent))
        if not (abs(lead - 2) < 0.01 or abs(lead - 5) < 0.01):
            return ""
    number = 10.0 ** value
    if 1e-3 <= number < 1e4:
        return QLocale().toString(number, "g", 4)
    raised = str(math.floor(exponent + 1e-6)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    lead = round(10 ** (exponent - math.floor(exponent + 1e-6)))
    return f"10{raised}" if lead == 1 else f"{lead}·10{raised}"
