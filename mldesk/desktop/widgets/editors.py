"""Editors for one value: a switch, and spin boxes and choices that let a page scroll over them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QComboBox,
    QDoubleSpinBox,
    QSizePolicy,
    QSpinBox,
    QStyle,
    QStyleOptionComboBox,
    QWidget,
)

from mldesk.desktop import theme
from mldesk.desktop.theme.manager import RING

_PAUSE = 500  # milliseconds after the last letter until what is typed counts
_INSET = 6  # pixels left of a spin box's number: the stylesheet does not reach the field inside


class Switch(QAbstractButton):
    """An on/off control that takes effect at once."""

    def __init__(self, text: str = "", checked: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setText(text)
        self.setCheckable(True)
        self.setChecked(checked)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        words = QFontMetrics(self.font()).horizontalAdvance(self.text()) + 10 if self.text() else 0
        return QSize(theme.px(34) + 6 + words, max(theme.px(20), QFontMetrics(self.font()).height()) + 6)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        colours = theme.palette()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        width, height = theme.px(34), theme.px(20)
        track = QRectF(3, (self.height() - height) / 2, width, height)
        on = self.isChecked()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour("pressed" if not self.isEnabled() else "accent" if on else "border_strong"))
        painter.drawRoundedRect(track, height / 2, height / 2)
        knob = height - 4
        left = track.right() - knob - 2 if on else track.left() + 2
        painter.setBrush(theme.colour("on_accent" if on else "window" if colours.dark else "surface"))
        painter.drawEllipse(QRectF(left, track.top() + 2, knob, knob))
        if self.property(RING):
            painter.setPen(QPen(theme.colour("accent_text"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(track.adjusted(-2, -2, 2, 2), height / 2 + 2, height / 2 + 2)
        if self.text():
            painter.setPen(theme.colour("text" if self.isEnabled() else "faint"))
            painter.drawText(QRectF(track.right() + 10, 0, self.width() - track.right() - 10, self.height()),
                             Qt.AlignmentFlag.AlignVCenter, self.text())


class SpinBox(QSpinBox):
    """A spin box that the wheel changes only while it has the focus."""

    def __init__(self, low: int = 0, high: int = 2**31 - 1, value: int = 0, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._blank = False
        self.lineEdit().setTextMargins(_INSET, 0, 0, 0)
        self.setRange(max(low, -2**31), min(high, 2**31 - 1))
        self.setValue(value)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setGroupSeparatorShown(True)

    def set_blank(self, on: bool) -> None:
        """Show nothing while the value does not count."""
        self._blank = on
        self.lineEdit().setText(self.textFromValue(self.value()))

    def textFromValue(self, value: int) -> str:
        return "" if self._blank else super().textFromValue(value)

    def wheelEvent(self, event: QWheelEvent) -> None:
        _wheel_with_focus(self, event, super().wheelEvent)


class DecimalBox(QDoubleSpinBox):
    """A spin box for fractions that the wheel changes only while it has the focus."""

    def __init__(self, low: float = 0.0, high: float = 1.0, value: float = 0.0, step: float = 0.01, decimals: int = 2,
                 parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.lineEdit().setTextMargins(_INSET, 0, 0, 0)
        self.setDecimals(decimals)
        self.setRange(low, high)
        self.setSingleStep(step)
        self.setValue(value)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, event: QWheelEvent) -> None:
        _wheel_with_focus(self, event, super().wheelEvent)


class ComboBox(QComboBox):
    """A choice among (value, words). The wheel changes it only while it has the focus."""

    def __init__(self, options: Sequence[tuple[Any, str]] = (), current: Any = None,
                 parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(10)
        self.set_options(options, current)

    def set_options(self, options: Sequence[tuple[Any, str]], current: Any = None) -> None:
        """Offer other choices; ``changed`` signals are silent meanwhile."""
        blocked = self.blockSignals(True)
        self.clear()
        self._values = [value for value, _ in options]
        for _, words in options:
            self.addItem(words)
        self.blockSignals(blocked)
        if current is not None:
            self.set_value(current)

    def value(self) -> Any:
        """Return the chosen value; None while there is nothing to choose."""
        index = self.currentIndex()
        return self._values[index] if 0 <= index < len(self._values) else None

    def set_value(self, value: Any) -> None:
        """Choose ``value``; an unknown one changes nothing."""
        for index, known in enumerate(self._values):
            if known == value and type(known) is type(value):
                self.setCurrentIndex(index)
                return

    def initStyleOption(self, option: QStyleOptionComboBox) -> None:
        """Leave out the middle of what is too long: names often differ at their ends."""
        super().initStyleOption(option)
        room = self.style().subControlRect(QStyle.ComplexControl.CC_ComboBox, option,
                                           QStyle.SubControl.SC_ComboBoxEditField, self).width() - 4
        option.currentText = self.fontMetrics().elidedText(self.currentText(), Qt.TextElideMode.ElideMiddle, room)

    def wheelEvent(self, event: QWheelEvent) -> None:
        _wheel_with_focus(self, event, super().wheelEvent)


class TypedBox(ComboBox):
    """A choice among (value, words), or whatever is typed instead. Signals: ``said`` once it is chosen or typed."""

    said = Signal()

    def __init__(self, options: Sequence[tuple[Any, str]] = (), current: Any = None,
                 parent: QWidget | None = None) -> None:
        super().__init__(options, current, parent)
        self.setEditable(True)
        self.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.setCompleter(None)  # type: ignore[arg-type]  # Qt takes none
        self._told: Any = self.value()
        self._timer = QTimer(self, singleShot=True, interval=_PAUSE)
        self._timer.timeout.connect(self._tell)
        self.currentIndexChanged.connect(lambda _: self._tell())
        editor = self.lineEdit()
        if editor is not None:
            editor.textEdited.connect(lambda _: self._timer.start())
            editor.editingFinished.connect(self._tell)

    def is_typing(self) -> bool:
        """Say whether somebody is in the middle of a word that was not told yet."""
        editor = self.lineEdit()
        return editor is not None and editor.hasFocus() and editor.isModified() and self.value() != self._told

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.is_typing():
            self._tell()   # and no more: Return is for the dialog's main button else
        else:
            super().keyPressEvent(event)

    def setAccessibleName(self, name: str) -> None:
        super().setAccessibleName(name)
        editor = self.lineEdit()
        if editor is not None:
            editor.setAccessibleName(name)

    def value(self) -> Any:
        """Return the chosen value, or the text that was typed and is none of the choices."""
        text = self.currentText() if self.isEditable() else self.itemText(self.currentIndex())
        for index, known in enumerate(self._values):
            if self.itemText(index) == text or (known and known == text.strip()):
                return known
        return text.strip() or (self._values[0] if self._values else None)

    def set_value(self, value: Any) -> None:
        """Choose ``value``, or write it if it is none of the choices."""
        if value in self._values:
            self.setCurrentIndex(self._values.index(value))
            self.setEditText(self.itemText(self._values.index(value)))
        else:
            self.setEditText(str(value))
        if self.signalsBlocked():
            self._told = self.value()
        else:
            self._tell()

    def set_options(self, options: Sequence[tuple[Any, str]], current: Any = None) -> None:
        super().set_options(options, current)
        if self.isEditable():
            self._told = self.value()

    def _tell(self) -> None:
        self._timer.stop()
        if self.value() != self._told:
            self._told = self.value()
            self.said.emit()


def _wheel_with_focus(widget: QWidget, event: QWheelEvent, default: Any) -> None:
    if widget.hasFocus():
        default(event)
    else:
        event.ignore()
