"""A chart as a file: a picture (PNG, SVG) or its numbers (CSV)."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, cast

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QRect
from PySide6.QtGui import QGuiApplication, QPixmap
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QWidget

from mldesk.core.durable import write_atomic
from mldesk.desktop import theme

KINDS = ("PNG (*.png)", "SVG (*.svg)", "CSV (*.csv)")
_RATIO = 2.0   # pixels of a picture per pixel of the screen


class _Tabular(Protocol):
    def csv(self) -> str: ...


def save_chart(chart: QWidget, path: Path) -> None:
    """Write ``chart`` as what the ending of ``path`` says, PNG without one. Raises OSError."""
    kind = path.suffix.lower()
    if kind == ".csv":
        data = cast(_Tabular, chart).csv().encode()
    else:
        data = svg(chart) if kind == ".svg" else png(chart)
    write_atomic(path, data)


def image(chart: QWidget) -> QPixmap:
    """Return what is drawn, on the theme's surface."""
    picture = QPixmap(chart.size() * _RATIO)
    picture.setDevicePixelRatio(_RATIO)
    picture.fill(theme.colour("surface"))
    chart.render(picture, renderFlags=QWidget.RenderFlag.DrawChildren)
    return picture


def copy_chart(chart: QWidget) -> None:
    """Put what is drawn on the clipboard."""
    QGuiApplication.clipboard().setPixmap(image(chart))


def png(chart: QWidget) -> bytes:
    """Return what is drawn as PNG."""
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image(chart).save(buffer, "PNG")
    return bytes(data.data())


def svg(chart: QWidget) -> bytes:
    """Return what is drawn as SVG, in lines and text."""
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QSvgGenerator()
    writer.setOutputDevice(buffer)
    writer.setSize(chart.size())
    writer.setViewBox(QRect(0, 0, chart.width(), chart.height()))
    writer.setTitle(chart.accessibleName())
    chart.render(writer, renderFlags=QWidget.RenderFlag.DrawChildren)
    return bytes(data.data())
