"""FlowLayout: widgets in lines, as many in each as fit. Grid cards: columns as wide as the room allows."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QLayout, QLayoutItem, QSizePolicy, QWidget

from mldesk.desktop.theme import Space


class FlowLayout(QLayout):
    """Lays its widgets out like words; ``least`` > 0 makes columns of equal width, at least so many pixels wide."""

    def __init__(self, parent: QWidget | None = None, *, spacing: int = Space.S, least: int = 0) -> None:
        super().__init__(parent)
        self._items: list[QLayoutItem] = []
        self._least = least
        self.setSpacing(spacing)
        self.setContentsMargins(0, 0, 0, 0)

    def addItem(self, item: QLayoutItem) -> None:
        self._items.append(item)

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def clear(self) -> None:
        """Take all widgets out and delete them."""
        while (item := self.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()

    def expandingDirections(self) -> Qt.Orientation:
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._arrange(QRect(0, 0, width, 0), apply=False)

    def setGeometry(self, rect: QRect) -> None:
        super().setGeometry(rect)
        self._arrange(rect, apply=True)

    def sizeHint(self) -> QSize:
        return self.minimumSize()

    def minimumSize(self) -> QSize:
        size = QSize()
        for item in self._items:
            size = size.expandedTo(item.minimumSize())
        return size

    def _arrange(self, rect: QRect, *, apply: bool) -> int:
        shown = [item for item in self._items if not item.isEmpty()]
        return self._columns(shown, rect, apply=apply) if self._least else self._words(shown, rect, apply=apply)

    def _words(self, items: list[QLayoutItem], rect: QRect, *, apply: bool) -> int:
        lines: list[list[QLayoutItem]] = []
        x = rect.right() + 1
        for item in items:
            width = item.sizeHint().width()
            if not lines or x + width > rect.right() + 1:
                lines.append([])
                x = rect.x()
            lines[-1].append(item)
            x += width + self.spacing()
        y = rect.y()
        for line in lines:
            height = max(item.sizeHint().height() for item in line)
            x = rect.x()
            for item in line:
                size = item.sizeHint().boundedTo(QSize(rect.width(), height))
                if apply:
                    item.setGeometry(QRect(QPoint(x, y + (height - size.height()) // 2), size))
                x += size.width() + self.spacing()
            y += height + self.spacing()
        return max(0, y - self.spacing() - rect.y())

    def _columns(self, items: list[QLayoutItem], rect: QRect, *, apply: bool) -> int:
        if not items:
            return 0
        gap = self.spacing()
        number = max(1, min(len(items), (rect.width() + gap) // (self._least + gap)))
        edges = [(rect.width() + gap) * place // number for place in range(number + 1)]   # as a box layout has them
        width = edges[1] - gap
        y = rect.y()
        for start in range(0, len(items), number):
            line = items[start:start + number]
            height = max(_height(item, width) for item in line)
            for place, item in enumerate(line):
                if apply:
                    item.setGeometry(QRect(rect.x() + edges[place], y, edges[place + 1] - gap - edges[place], height))
            y += height + gap
        return y - gap - rect.y()


def _height(item: QLayoutItem, width: int) -> int:
    if item.hasHeightForWidth():
        return max(item.heightForWidth(width), item.minimumSize().height())
    return item.sizeHint().height()


class FlowBox(QWidget):
    """A widget whose children flow. ``add`` puts one in.

    ``scrolls``: it is on a page that scrolls, which gives it the height it needs; else it insists on the height that it
    would need at its least width.
    """

    def __init__(self, parent: QWidget | None = None, *, spacing: int = Space.S, least: int = 0,
                 scrolls: bool = False) -> None:
        super().__init__(parent)
        self.flow = FlowLayout(self, spacing=spacing, least=least)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred,
                             QSizePolicy.Policy.Preferred if scrolls else QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def add(self, widget: QWidget) -> None:
        self.flow.addWidget(widget)

    def clear(self) -> None:
        """Take all widgets out and delete them."""
        self.flow.clear()
