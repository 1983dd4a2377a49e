"""Plot: pyqtgraph behind one class of ours: themed axes, zoom, crosshair, export. Charts derive from it."""

from __future__ import annotations

from collections.abc import Sequence

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QShowEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QHBoxLayout, QMenu, QSizePolicy, QVBoxLayout, QWidget

from mldesk.desktop import theme
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import moments
from mldesk.desktop.widgets.axis import Axis
from mldesk.desktop.widgets.buttons import make_icon_button, set_icon
from mldesk.desktop.widgets.overlay import Overlay, Reading
from mldesk.desktop.widgets.plot_saving import PlotSaving
from mldesk.desktop.widgets.table_model import number
from mldesk.desktop.widgets.text import ElidedLabel, make_label

REDRAW = 34      # milliseconds between two pictures: at most 30 a second
DESCRIBE = 1000  # milliseconds between two descriptions for screen readers


class Plot(QWidget):
    """A plot with title, tools and themed axes. Drag to zoom along x, double click (or 0) to see all again.

    The arrow keys move the crosshair while the plot has the focus. Signals: ``hovered`` (x in data units, or None);
    ``notice`` (sentence, tone) after something was saved or could not be.
    """

    hovered = Signal(object)
    notice = Signal(str, str)
    zoomed = Signal()   # into another part of x, or out again
    boxed = Signal()    # another part of the plane is chosen, or none; only of plots that ``take_boxes``

    def __init__(self, title: str = "", x_label: str = "", y_label: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title_text, self._x_label, self._y_label = title, x_label, y_label
        self.saving = PlotSaving(self, lambda: self._title_text, self.image, self.csv)
        self.saving.said.connect(self.notice)
        self._zoom: tuple[float, float] | None = None
        self._pressed: QPointF | None = None
        self._boxes = False
        self._box: QRectF | None = None   # in data units, its top is its least y
        self._dirty = self._ringed = False
        self._x_axis, self._y_axis = Axis("bottom"), Axis("left")
        self._y_axis.setWidth(theme.px(48))
        self.view = pg.PlotWidget(axisItems={"bottom": self._x_axis, "left": self._y_axis}, background=None,
                                  enableMenu=False)  # its menus take longer to make than all the rest
        self.item = self.view.getPlotItem()
        self.item.hideButtons()
        self.item.setMenuEnabled(False)
        self.item.getViewBox().setMouseEnabled(x=False, y=False)
        self.item.getViewBox().disableAutoRange()
        self.item.layout.setContentsMargins(0, Space.S, Space.L, 0)
        for axis in (self._x_axis, self._y_axis):
            axis.setZValue(-1000)  # grid lines go under the curves
        self.set_x_label(x_label)
        self.view.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
        self.view.setMinimumHeight(140)
        self.view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.view.setFrameShape(pg.QtWidgets.QFrame.Shape.NoFrame)
        self.view.viewport().setAutoFillBackground(False)
        self.view.viewport().installEventFilter(self)
        self.view.viewport().setMouseTracking(True)
        self._overlay = Overlay(self.view.viewport(), self.area)
        self._build()
        self._timer = QTimer(self, singleShot=True, interval=REDRAW)
        self._timer.timeout.connect(self._on_timer)
        self._describe = QTimer(self, singleShot=True, interval=DESCRIBE)
        self._describe.timeout.connect(lambda: self.setAccessibleDescription(self.summary()))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(title or self.tr("Chart"))
        self.setMinimumHeight(theme.px(240))
        theme.changed.connect(self._on_theme)

    def set_whole_x(self, on: bool) -> None:
        """Say whether the x axis counts, as steps and trials do."""
        self._x_axis.whole = on

    def set_x_label(self, text: str) -> None:
        """Name what goes across."""
        self._x_label = text
        self._x_axis.set_caption(text)

    def set_moments(self, *, x: bool = False, y: bool = False) -> None:
        """Say which axes show moments (seconds since 1970) instead of numbers."""
        self._x_axis.moments, self._y_axis.moments = x, y
        self._y_axis.setWidth(theme.px(74 if y else 48))

    def x_words(self, x: float) -> str:
        """Write a place on the x axis."""
        return moments.words(x) if self._x_axis.moments else number(x)

    def y_words(self, y: float) -> str:
        """Write a place on the y axis."""
        return moments.words(y) if self._y_axis.moments else number(y)

    def _build(self) -> None:
        self._title = ElidedLabel(self._title_text, "subtitle")
        if not self._title_text:  # shown before it has a parent, a label would be a window of its own
            self._title.hide()
        self._unit = make_label(self._y_label, "caption", "muted")
        if not self._y_label:
            self._unit.hide()
        self.tools = QHBoxLayout()
        self.tools.setSpacing(Space.XS)
        self._more = make_icon_button("more", self.tr("More for this chart"))
        self._more.clicked.connect(self._on_more)
        head = QHBoxLayout()
        head.setSpacing(Space.S)
        head.addWidget(self._title, 1)
        if not self._title_text:
            head.addStretch(1)
        head.addLayout(self.tools)
        head.addWidget(self._more)
        self.above = QVBoxLayout()
        self.above.setSpacing(0)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.XS)
        layout.addLayout(head)
        layout.addLayout(self.above)
        layout.addWidget(self._unit)
        layout.addWidget(self.view, 1)

    def sizeHint(self) -> QSize:
        return QSize(480, theme.px(280))

    # What a chart says about itself: overridden by charts.

    def csv(self) -> str:
        """Return what is shown as a table in CSV."""
        raise NotImplementedError

    def summary(self) -> str:
        """Return what is shown in words, for those who do not see it."""
        raise NotImplementedError

    def _redraw(self) -> None:
        """Draw anew; called at most 30 times a second, and only while shown."""
        raise NotImplementedError

    def _readings(self, x: float) -> tuple[str, list[Reading]]:
        """Return the readout's title and lines at ``x``."""
        return "", []

    def _steps(self) -> Sequence[float]:
        """Return the places the arrow keys step through, ascending."""
        return ()

    # Drawing.

    def redraw_soon(self) -> None:
        """Draw anew within a thirtieth of a second; many calls make one picture."""
        self._dirty = True
        if not self._timer.isActive() and self.isVisible():
            self._timer.start()

    def redraw_now(self) -> None:
        """Draw anew at once (for pictures and tests)."""
        self._dirty = False
        self._timer.stop()
        self._redraw()
        self._show_box()
        if not self._describe.isActive():
            self._describe.start()

    def _on_timer(self) -> None:
        if self._dirty:
            self.redraw_now()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._dirty:
            self.redraw_soon()

    def _on_theme(self) -> None:
        self._x_axis.dress()
        self._y_axis.dress()
        self.set_moments(x=self._x_axis.moments, y=self._y_axis.moments)
        self.redraw_soon()
        self.update()

    def area(self) -> QRectF:
        """Return where the curves are, in pixels of the viewport."""
        return QRectF(self.item.getViewBox().sceneBoundingRect())

    def buckets(self) -> int:
        """Return how many pixel columns there are to draw into."""
        return max(100, int(self.area().width()))

    def set_ranges(self, x: tuple[float, float], y: tuple[float, float]) -> None:
        """Show this part of the plane."""
        self.item.getViewBox().setRange(xRange=x, yRange=y, padding=0, disableAutoRange=True)

    # Zoom and crosshair.

    def zoom(self) -> tuple[float, float] | None:
        """Return the part of x that is zoomed into; None while all is shown."""
        return self._zoom

    def set_zoom(self, part: tuple[float, float] | None) -> None:
        """Show a part of x; None shows all."""
        self._zoom = part if part is None or part[1] > part[0] else None
        self.redraw_soon()
        self.zoomed.emit()

    def take_boxes(self) -> None:
        """Dragging chooses a rectangle from now on, instead of zooming into a part of x."""
        self._boxes = True

    def box(self) -> tuple[float, float, float, float] | None:
        """Return the rectangle that is chosen: least and greatest x, least and greatest y; None for none."""
        return None if self._box is None else (
            self._box.left(), self._box.right(), self._box.top(), self._box.bottom())

    def set_box(self, box: tuple[float, float, float, float] | None) -> None:
        """Choose a rectangle (as ``box`` returns it); None chooses none."""
        self._box = None if box is None else QRectF(QPointF(box[0], box[2]), QPointF(box[1], box[3]))
        self._show_box()
        self.boxed.emit()

    def _show_box(self) -> None:
        self._overlay.box = None if self._box is None else QRectF(
            self._pixel(self._box.left(), self._box.top()),
            self._pixel(self._box.right(), self._box.bottom())).normalized()
        self._overlay.setGeometry(self.view.viewport().rect())
        self._overlay.raise_()
        self._overlay.update()

    def show_cross(self, x: float | None) -> None:
        """Put the crosshair at ``x`` (data units); None takes it away. Charts side by side share it by ``hovered``."""
        if x is None:
            self._overlay.cross, self._overlay.dots = None, []
        else:
            title, readings = self._readings(x)
            self._overlay.title = title
            self._overlay.dots = [(self._pixel(reading.x, reading.y), reading) for reading in readings]
            at = readings[0].x if readings else x
            self._overlay.cross = self._pixel(at, 0.0).x()
        self._overlay.setGeometry(self.view.viewport().rect())
        self._overlay.raise_()
        self._overlay.update()

    def _pixel(self, x: float, y: float) -> QPointF:
        return QPointF(self.item.getViewBox().mapViewToScene(pg.Point(x, y)))

    def _data_x(self, pixel: float) -> float:
        return float(self.item.getViewBox().mapSceneToView(pg.Point(pixel, 0)).x())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind == QEvent.Type.Resize:
            self._overlay.setGeometry(self.view.viewport().rect())
            self.redraw_soon()
        elif kind == QEvent.Type.Leave:
            self._on_leave()
        elif isinstance(event, QMouseEvent):
            return self._on_mouse(event)
        elif isinstance(event, QWheelEvent):
            return self._on_wheel(event)
        return super().eventFilter(watched, event)

    def _on_mouse(self, event: QMouseEvent) -> bool:
        kind, at = event.type(), event.position()
        if kind == QEvent.Type.MouseButtonDblClick:
            self._see_all()
        elif kind == QEvent.Type.MouseButtonPress and event.button() == Qt.MouseButton.LeftButton:
            self.setFocus(Qt.FocusReason.MouseFocusReason)
            self._pressed = at if self.area().contains(at) else None
        elif kind == QEvent.Type.MouseButtonRelease:
            self._end_band()
        elif kind == QEvent.Type.MouseMove:
            self._on_move(at)
        else:
            return False
        return True

    def _on_move(self, at: QPointF) -> None:
        if self._pressed is not None and self._boxes and (at - self._pressed).manhattanLength() > 6:
            self._overlay.box = QRectF(self._pressed, at).normalized().intersected(self.area())
            self._overlay.update()
        elif self._pressed is not None and not self._boxes and abs(at.x() - self._pressed.x()) > 4:
            self._overlay.band = (self._pressed.x(), min(max(at.x(), self.area().left()), self.area().right()))
        if self.area().contains(at):
            x = self._data_x(at.x())
            self.show_cross(x)
            self.hovered.emit(x)
        else:
            self.show_cross(None)
            self.hovered.emit(None)

    def _on_leave(self) -> None:
        self.show_cross(None)
        self.hovered.emit(None)

    def _end_band(self) -> None:
        if self._overlay.band is not None:
            low, high = sorted(self._data_x(edge) for edge in self._overlay.band)
            self._overlay.band = None
            self._overlay.update()
            self.set_zoom((low, high))
        elif self._pressed is not None and self._boxes and self._overlay.box is not None:
            first, last = (self.item.getViewBox().mapSceneToView(pg.Point(corner.x(), corner.y()))
                           for corner in (self._overlay.box.bottomLeft(), self._overlay.box.topRight()))
            self.set_box((first.x(), last.x(), first.y(), last.y()))
        self._pressed = None

    def _see_all(self) -> None:
        self.set_box(None)
        self.set_zoom(None)

    def _on_wheel(self, event: QWheelEvent) -> bool:
        """The wheel scrolls the page; with Ctrl it zooms around the pointer."""
        if not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            event.ignore()
            return False
        self._zoom_by(0.8 if event.angleDelta().y() > 0 else 1.25, self._data_x(event.position().x()))
        return True

    def _zoom_by(self, factor: float, around: float | None = None) -> None:
        low, high = self.item.getViewBox().viewRange()[0]
        around = (low + high) / 2 if around is None else around
        self.set_zoom((around - (around - low) * factor, around + (high - around) * factor))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, steps = event.key(), self._steps()
        if key in (Qt.Key.Key_Left, Qt.Key.Key_Right) and len(steps):
            self._step(1 if key == Qt.Key.Key_Right else -1, steps)
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self._zoom_by(0.8)
        elif key == Qt.Key.Key_Minus:
            self._zoom_by(1.25)
        elif key in (Qt.Key.Key_0, Qt.Key.Key_Escape) and (self._zoom is not None or self._box is not None):
            self._see_all()
        else:
            super().keyPressEvent(event)

    def _step(self, way: int, steps: Sequence[float]) -> None:
        at = self._overlay.cross
        here = self._data_x(at) if at is not None else (steps[-1] if way < 0 else steps[0])
        nearest = min(range(len(steps)), key=lambda index: abs(steps[index] - here))
        index = nearest if at is None else min(len(steps) - 1, max(0, nearest + way))
        self.show_cross(steps[index])
        title, readings = self._readings(steps[index])
        self.setAccessibleDescription(", ".join([title, *(f"{reading.name} {reading.words}" for reading in readings)]))

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._ringed:
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(theme.colour("accent_text"), 2))
            painter.drawRoundedRect(QRectF(self.view.geometry()).adjusted(1, 1, -1, -1), 6, 6)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._ringed = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._ringed = False
        self.show_cross(None)
        self.update()

    # Export.

    def _on_more(self) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        set_icon(menu.addAction(self.tr("Show all"), self._see_all), "refresh", "muted")
        self.saving.add_to(menu)
        menu.popup(self._more.mapToGlobal(self._more.rect().bottomLeft()))

    def image(self, ratio: float = 2.0) -> QPixmap:
        """Return the chart as a picture, ``ratio`` pixels per logical pixel."""
        self.redraw_now()
        picture = QPixmap(self.size() * ratio)
        picture.setDevicePixelRatio(ratio)
        picture.fill(theme.colour("surface"))
        self.render(picture, renderFlags=QWidget.RenderFlag.DrawChildren)
        return picture
