"""ColumnProfileCard: what a column holds: type, missing share, a picture of its values, and the numbers that matter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from mldesk.desktop import theme
from mldesk.desktop.theme import Space, Tone
from mldesk.desktop.widgets.badges import Badge
from mldesk.desktop.widgets.buttons import IconLabel
from mldesk.desktop.widgets.spark import MiniHistogram
from mldesk.desktop.widgets.table_header import TYPE_ICONS, missing_share
from mldesk.desktop.widgets.table_model import number, shown
from mldesk.desktop.widgets.text import ElidedLabel, make_label
from mldesk.desktop.words import locale
from mldesk.wire.schema import ColumnType

_TOP = 5  # frequent values shown
_FEW = 10  # different numbers up to which their frequencies are shown as well
_CUTS = (("0.05", "5 %"), ("0.95", "95 %"), ("0.25", "25 %"), ("0.75", "75 %"))


class TopValues(QWidget):
    """The most frequent values with a bar behind each."""

    def __init__(self, values: list[tuple[str, int]], rows: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._values, self._rows = values[:_TOP], max(1, rows)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(", ".join(f"{words}: {count}" for words, count in self._values))

    def sizeHint(self) -> QSize:
        return QSize(160, theme.px(22) * max(1, len(self._values)))

    def minimumSizeHint(self) -> QSize:
        return QSize(80, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.font("caption"))
        metrics = QFontMetrics(painter.font())
        height = theme.px(22)
        most = max((count for _, count in self._values), default=1) or 1
        for index, (words, count) in enumerate(self._values):
            area = QRectF(0, index * height, self.width(), height - 3)
            share = f"{100 * count / self._rows:.0f} %" if count / self._rows >= 0.01 else "<1 %"
            room = metrics.horizontalAdvance("100 %") + 8
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("accent_soft"))
            width = max(4.0, (area.width() - room) * count / most)
            painter.drawRoundedRect(QRectF(0, area.top(), width, area.height()), 3, 3)
            painter.setPen(theme.colour("text"))
            painter.drawText(area.adjusted(6, 0, -room - 4, 0), Qt.AlignmentFlag.AlignVCenter,
                             metrics.elidedText(words, Qt.TextElideMode.ElideRight, int(area.width() - room - 10)))
            painter.setPen(theme.colour("muted"))
            painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, share)


class ColumnProfileCard(QFrame):
    """One column's profile; ``facts`` is its entry of ``mldesk.data.profile``. Signals: ``chosen`` (its name)."""

    chosen = Signal(str)

    def __init__(self, name: str, facts: Mapping[str, Any], rows: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self.setProperty("surface", "card")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        kind = ColumnType(facts["type"])
        missing = int(facts.get("missing", 0))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(Space.M + 2, Space.M, Space.M + 2, Space.M)
        layout.setSpacing(Space.S)
        layout.addLayout(self._make_head(kind, facts, missing, rows))
        self._add_picture(layout, kind, facts, rows, missing)
        lines = self._lines(kind, facts)
        if lines:
            layout.addLayout(_facts_grid(lines))
        layout.addStretch(1)
        self.setAccessibleName(name)
        self.setAccessibleDescription(", ".join([kind.value, *(f"{words} {value}" for words, value in lines)]))

    def _make_head(self, kind: ColumnType, facts: Mapping[str, Any], missing: int, rows: int) -> QVBoxLayout:
        line = QHBoxLayout()
        line.setSpacing(Space.S)
        line.addStrut(theme.px(22))   # of a badge, so that cards with and without one are alike
        line.addWidget(IconLabel(TYPE_ICONS[kind], "muted", 15))
        line.addWidget(ElidedLabel(self._name, "strong", mode=Qt.TextElideMode.ElideMiddle), 1)
        if missing and rows:
            tone: Tone = "danger" if missing == rows else "warning" if missing / rows >= 0.2 else "neutral"
            line.addWidget(Badge(missing_share(missing, rows), tone))
        distinct = self.tr("{kind} · {count} distinct").format(
            kind=kind.value, count=locale().toString(int(facts.get("distinct", 0))))
        head = QVBoxLayout()
        head.setSpacing(Space.XXS)
        head.addLayout(line)
        head.addWidget(ElidedLabel(distinct, "caption", "muted"))
        return head

    def _add_picture(self, layout: QVBoxLayout, kind: ColumnType, facts: Mapping[str, Any], rows: int,
                     missing: int) -> None:
        histogram = facts.get("histogram")
        top = facts.get("top") or facts.get("top_values") or []
        if rows and missing == rows:
            layout.addWidget(make_label(self.tr("Every value is missing."), "caption", "muted", wrap=True))
        elif histogram and histogram.get("counts") and kind is not ColumnType.BOOLEAN:
            edges = [edge for edge in histogram.get("edges", ()) if isinstance(edge, (int, float))]
            layout.addWidget(MiniHistogram(histogram["counts"], edges))
            if kind.numeric and 0 < int(facts.get("distinct", 0)) <= _FEW and top:
                layout.addWidget(TopValues([(shown(value, kind), int(count)) for value, count in top], rows))
        elif top:
            layout.addWidget(TopValues([(shown(value, kind) or "—", int(count)) for value, count in top], rows))

    def _lines(self, kind: ColumnType, facts: Mapping[str, Any]) -> list[tuple[str, str]]:
        names = {"min": self.tr("Min"), "max": self.tr("Max"), "mean": self.tr("Mean"), "std": self.tr("Std")}
        if kind.numeric:
            cuts = facts.get("quantiles") or {}
            found = [(words, facts.get(key)) for key, words in names.items()]
            found += [*((words, cuts.get(key)) for key, words in _CUTS), (self.tr("Median"), cuts.get("0.5"))]
            return [(words, number(float(value))) for words, value in found if value is not None]
        if kind.temporal and facts.get("min") is not None:
            return [(self.tr("From"), str(facts["min"])), (self.tr("To"), str(facts["max"]))]
        return []

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.chosen.emit(self._name)
            return
        super().keyPressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self.chosen.emit(self._name)
        super().mouseReleaseEvent(event)


def _facts_grid(lines: list[tuple[str, str]]) -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(Space.M)
    grid.setVerticalSpacing(Space.XXS)
    for index, (words, value) in enumerate(lines):
        grid.addWidget(make_label(words, "caption", "muted"), index // 2, 2 * (index % 2))
        grid.addWidget(ElidedLabel(value, "caption"), index // 2, 2 * (index % 2) + 1)
    grid.setColumnStretch(1, 1)
    grid.setColumnStretch(3, 1)
    return grid
