"""Icons: 24-px stroke SVGs in ``resources/icons``, found by name and tinted by the theme through ``icon``."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Literal

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from mldesk.core.resources import resource
from mldesk.desktop.theme.tokens import Palette

Role = Literal["text", "muted", "faint", "accent", "danger", "success", "warning", "info", "on_accent", "on_danger"]
_RATIOS = (1.0, 2.0)  # pixel densities drawn in advance; Qt scales the nearest for the others


def colour_of(role: Role, palette: Palette) -> str:
    """Return the colour that ``role`` has in ``palette``."""
    special = {"accent": palette.accent_text, "on_danger": "#ffffff"}
    return special.get(role) or str(getattr(palette, role))


@cache
def svg(name: str) -> str:
    """Return the text of icon ``name``, strokes in ``currentColor``. Raises NotFound."""
    return resource("icons", f"{name}.svg").read_text("utf-8")


def names() -> list[str]:
    """Return the names of all icons there are."""
    return sorted(path.stem for path in resource("icons").glob("*.svg"))


def tinted(name: str, colour: str) -> bytes:
    """Return the SVG of ``name`` drawn in ``colour``."""
    return svg(name).replace("currentColor", colour).encode()


@lru_cache(maxsize=2048)
def pixmap(name: str, colour: str, size: int, ratio: float = 1.0) -> QPixmap:
    """Draw ``name`` in ``colour``, ``size`` logical pixels square, at ``ratio`` device pixels per logical pixel."""
    picture = QSvgRenderer(QByteArray(tinted(name, colour)))
    image = QPixmap(QSize(round(size * ratio), round(size * ratio)))
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    picture.render(painter, QRectF(0, 0, image.width(), image.height()))
    painter.end()
    image.setDevicePixelRatio(ratio)
    return image


def app_icon() -> QIcon:
    """Return the application's own icon, in its own colours."""
    return QIcon(str(resource("app", "mldesk.svg")))


@lru_cache(maxsize=1024)
def make_icon(name: str, colour: str, disabled: str, on: str, size: int, air: int = 0) -> QIcon:
    """Return an icon in ``colour``; ``disabled`` and ``on`` (checked) are the colours of those states.

    ``air`` pixels are left free at its right, before the words of a button.
    """
    made = QIcon()
    for ratio in _RATIOS:
        made.addPixmap(_aired(name, colour, size, ratio, air), QIcon.Mode.Normal, QIcon.State.Off)
        made.addPixmap(_aired(name, on, size, ratio, air), QIcon.Mode.Normal, QIcon.State.On)
        for state in (QIcon.State.Off, QIcon.State.On):
            made.addPixmap(_aired(name, disabled, size, ratio, air), QIcon.Mode.Disabled, state)
    return made


def _aired(name: str, colour: str, size: int, ratio: float, air: int) -> QPixmap:
    image = pixmap(name, colour, size, ratio)
    if not air:
        return image
    wide = QPixmap(QSize(round((size + air) * ratio), round(size * ratio)))
    wide.fill(Qt.GlobalColor.transparent)
    wide.setDevicePixelRatio(ratio)
    painter = QPainter(wide)
    painter.drawPixmap(0, 0, image)
    painter.end()
    return wide
