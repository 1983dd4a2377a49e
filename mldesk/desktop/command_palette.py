"""The command palette (Ctrl+K): everything that can be done, found by typing a few letters."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QFontMetrics, QKeyEvent, QKeySequence, QPainter
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QGraphicsDropShadowEffect,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from mldesk.desktop import theme
from mldesk.desktop.actions import Action, Actions
from mldesk.desktop.theme import Space
from mldesk.desktop.theme.icons import pixmap

_ROLE = Qt.ItemDataRole.UserRole
_MOST = 10  # rows shown without scrolling
_MARGIN = 24  # room for the shadow


class _RowDelegate(QStyledItemDelegate):
    """Icon, title, why it cannot be done now, shortcut."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(200, theme.px(38))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem,
              index: QModelIndex | QPersistentModelIndex) -> None:
        action: Action = index.data(_ROLE)
        reason, colours = action.why_not(), theme.palette()
        area: QRect = option.rect.adjusted(6, 1, -6, -1)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("selected"))
            painter.drawRoundedRect(area, 6, 6)
        size = theme.px(16)
        image = pixmap(action.icon or "chevron-right", colours.faint if reason else colours.muted, size)
        painter.drawPixmap(area.left() + 10, area.center().y() - size // 2, size, size, image)
        left, right = area.left() + 20 + size, area.right() - 12
        right -= self._paint_shortcut(painter, action.shortcut, area, right)
        painter.setFont(theme.font("body"))
        painter.setPen(theme.colour("faint" if reason else "text"))
        title = QRect(left, area.top(), right - left, area.height())
        painter.drawText(title, Qt.AlignmentFlag.AlignVCenter, action.title)
        if reason:
            used = QFontMetrics(theme.font("body")).horizontalAdvance(action.title) + 14
            painter.setFont(theme.font("caption"))
            room = QRect(left + used, area.top(), max(0, right - left - used), area.height())
            painter.drawText(room, Qt.AlignmentFlag.AlignVCenter,
                             painter.fontMetrics().elidedText(reason, Qt.TextElideMode.ElideRight, room.width()))
        painter.restore()

    @staticmethod
    def _paint_shortcut(painter: QPainter, shortcut: str, area: QRect, right: int) -> int:
        """Draw the keys at the right end; return the width they took."""
        if not shortcut:
            return 0
        words = QKeySequence(shortcut).toString(QKeySequence.SequenceFormat.NativeText)
        painter.setFont(theme.font("caption"))
        width = painter.fontMetrics().horizontalAdvance(words)
        painter.setPen(theme.colour("muted"))
        keys = QRect(right - width, area.top(), width + 2, area.height())
        painter.drawText(keys, Qt.AlignmentFlag.AlignVCenter, words)
        return width + 16


class CommandPalette(QDialog):
    """A field and a list over the window. Enter does, Esc leaves. An entry that cannot be done says why."""

    def __init__(self, actions: Actions, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.FramelessWindowHint | Qt.WindowType.Dialog)
        self.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setModal(True)
        self.setAccessibleName(self.tr("Command palette"))
        self._actions = actions
        self.field = QLineEdit()
        self.field.setPlaceholderText(self.tr("What do you want to do?"))
        self.field.setAccessibleName(self.tr("Command"))
        self.field.textChanged.connect(self._on_text)
        self.field.installEventFilter(self)
        self.list = QListWidget()
        self.list.setProperty("flush", True)
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setItemDelegate(_RowDelegate(self.list))
        self.list.setAccessibleName(self.tr("Commands"))
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.itemClicked.connect(self._on_chosen)
        self._build()
        self._on_text("")

    def _build(self) -> None:
        panel = QFrame()
        panel.setProperty("surface", "raised")
        inner = QVBoxLayout(panel)
        inner.setContentsMargins(Space.S, Space.S, Space.S, Space.S)
        inner.setSpacing(Space.XS)
        inner.addWidget(self.field)
        inner.addWidget(self.list)
        shadow = QGraphicsDropShadowEffect(panel, blurRadius=40, xOffset=0, yOffset=10)
        panel.setGraphicsEffect(shadow)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        layout.addWidget(panel)

    def show_over(self, window: QWidget) -> None:
        """Open in the upper middle of ``window``."""
        self.setFixedWidth(min(theme.px(620), window.width() - 80) + 2 * _MARGIN)
        self._fit()
        corner = window.mapToGlobal(window.rect().topLeft())
        self.move(corner.x() + (window.width() - self.width()) // 2,
                  corner.y() + max(0, window.height() // 8 - _MARGIN))
        self.open()
        self.field.setFocus()

    def _fit(self) -> None:
        rows = max(1, min(_MOST, self.list.count()))
        self.list.setFixedHeight(rows * theme.px(38) + 4)
        self.adjustSize()

    def _on_text(self, text: str) -> None:
        self.list.clear()
        for action in self._actions.find(text):
            item = QListWidgetItem(action.title)
            item.setData(_ROLE, action)
            self.list.addItem(item)
        self.list.setCurrentRow(0)
        if self.isVisible():
            self._fit()

    def _on_chosen(self, item: QListWidgetItem) -> None:
        action: Action = item.data(_ROLE)
        self.close()
        self._actions.trigger(action.id)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: _MOST, Qt.Key.Key_PageUp: -_MOST}.get(
                Qt.Key(event.key()))
            if step is not None and self.list.count():
                self.list.setCurrentRow(max(0, min(self.list.count() - 1, self.list.currentRow() + step)))
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                if (item := self.list.currentItem()) is not None:
                    self._on_chosen(item)
                return True
        return super().eventFilter(watched, event)
