"""Legend: one chip per curve that shows its line, its name, and switches it on and off."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QEnterEvent, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QLabel, QSizePolicy, QWidget

from mldesk.desktop import theme
from mldesk.desktop.theme.manager import RING
from mldesk.desktop.theme.wcag import mix
from mldesk.desktop.widgets.flow import FlowBox
from mldesk.desktop.widgets.series import Series
from mldesk.desktop.widgets.text import make_label

_CHIPS = 24       # more curves than that are counted, not listed
_LONGEST = 200    # pixels of a name at 100 %
_FAINT = 0.4      # how much of its colour a faint curve keeps


def series_colour(slot: int) -> str:
    """Return the colour of the curve at ``slot`` in the theme in force."""
    colours = theme.palette().series
    return colours[slot % len(colours)]


def colour_of(series: Series) -> str:
    """Return the colour a curve is drawn in: that of its place, paler for detail behind other curves."""
    colour = series_colour(series.slot)
    return mix(colour, theme.palette().surface, _FAINT) if series.faint else colour


def series_style(slot: int, *, dashed: bool = False) -> Qt.PenStyle:
    """Return the line style at ``slot``: once all colours are used they come again, dashed, then dotted."""
    styles = (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine)
    turn = slot // len(theme.palette().series)
    return styles[(turn + (1 if dashed else 0)) % len(styles)]


class Chip(QAbstractButton):
    """The line and name of one curve; checked while it is shown. Signals: ``pointed`` (name, or "" on leaving)."""

    pointed = Signal(str)

    def __init__(self, series: Series, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._series = series
        self.setText(series.name)
        self.setCheckable(True)
        self.setChecked(series.shown)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setToolTip(series.name)
        self.setAccessibleName(self.tr("Show {name}").format(name=series.name))

    def sizeHint(self) -> QSize:
        metrics = QFontMetrics(theme.font("caption"))
        return QSize(min(theme.px(_LONGEST), metrics.horizontalAdvance(self.text())) + 30, metrics.height() + 8)

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self.pointed.emit(self._series.name)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.pointed.emit("")

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle = self.height() / 2
        if self.underMouse() or self.property(RING):
            painter.setPen(QPen(theme.colour("accent_text"), 2) if self.property(RING) else Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("hover"))
            painter.drawRoundedRect(self.rect().adjusted(1, 1, -1, -1), 4, 4)
        on = self.isChecked()
        pen = QPen(QColor(colour_of(self._series)) if on else theme.colour("faint"), 2.5)
        pen.setStyle(series_style(self._series.slot, dashed=self._series.dashed))
        painter.setPen(pen)
        painter.drawLine(QPointF(4, middle), QPointF(18, middle))
        font = theme.font("caption")
        font.setStrikeOut(not on)
        painter.setFont(font)
        painter.setPen(theme.colour("text" if on else "muted"))
        words = QFontMetrics(font).elidedText(self.text(), Qt.TextElideMode.ElideMiddle, self.width() - 27)
        painter.drawText(self.rect().adjusted(24, 0, -3, 0), Qt.AlignmentFlag.AlignVCenter, words)


class Legend(FlowBox):
    """The chips of a chart. Signals: ``toggled`` (name, shown), ``pointed`` (name under the pointer, or "")."""

    toggled = Signal(str, bool)
    pointed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, spacing=2)
        self._names: tuple[str, ...] = ()
        self._more: QLabel | None = None

    def show_series(self, series: Sequence[Series]) -> None:
        """Make a chip for each; chips of the same curves are kept."""
        names = tuple(one.name for one in series)
        if names == self._names:
            return
        kept = len(self._names) if names[:len(self._names)] == self._names else 0
        self._names = names
        if not kept:
            self.clear()
        for one in series[kept:_CHIPS]:
            chip = Chip(one)
            chip.toggled.connect(lambda on, name=one.name: self.toggled.emit(name, on))
            chip.pointed.connect(self.pointed)
            self.add(chip)
        if len(series) > _CHIPS:
            words = self.tr("and {count} more").format(count=len(series) - _CHIPS)
            if kept > _CHIPS and self._more is not None:
                self._more.setText(words)
            else:
                self._more = make_label(words, "caption", "muted")
                self.add(self._more)
        self.setVisible(len(series) > 0)
        self.updateGeometry()
