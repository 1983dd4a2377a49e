"""CellDelegate: how the cells of a table are drawn and edited."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import QPlainTextEdit, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from mldesk.desktop import theme
from mldesk.desktop.theme import Size, Space
from mldesk.desktop.widgets.table_model import ChangedRole, GoneRole, Index, LoadingRole, MissingRole

WIDEST = 340       # a column, pixels at 100 %
_LONG_LINE = 200   # letters up to which a cell is edited in one line


class CellDelegate(QStyledItemDelegate):
    """Draws a cell: its value, a muted dash where it is missing, a faint bar while it is on its way.

    What was changed by hand stands on a colour, a row that was taken out is struck through.
    """

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        area: QRect = option.rect
        state: QStyle.StateFlag = option.state
        painter.save()
        changed, gone = bool(index.data(ChangedRole)), bool(index.data(GoneRole))
        if gone or changed:
            painter.fillRect(area, theme.colour("danger_soft" if gone else "warning_soft"))
        elif state & QStyle.StateFlag.State_Selected:
            painter.fillRect(area, theme.colour("selected"))
        inner = area.adjusted(Space.S + 2, 0, -Space.S - 2, 0)
        if index.data(LoadingRole):
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("hover"))
            width = min(inner.width(), 28 + (index.row() * 37 + index.column() * 61) % 70)
            painter.drawRoundedRect(QRect(inner.left(), inner.center().y() - 4, width, 8), 4, 4)
        else:
            missing = bool(index.data(MissingRole))
            painter.setPen(theme.colour("muted" if missing or gone else "text"))
            painter.setFont(_font(painter.font(), bold=changed, struck=gone))
            text = "—" if missing else str(index.data() or "")
            side = index.data(Qt.ItemDataRole.TextAlignmentRole) or int(Qt.AlignmentFlag.AlignVCenter)
            shown = QFontMetrics(painter.font()).elidedText(text, Qt.TextElideMode.ElideRight, inner.width())
            painter.drawText(inner, int(side), shown)
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(theme.colour("accent_text"))
            painter.drawRect(area.adjusted(0, 0, -1, -1))
        painter.restore()

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        """A line, or for texts of several or very long lines a field of several, which Tab leaves."""
        text = str(index.data(Qt.ItemDataRole.EditRole) or "")
        if "\n" not in text and len(text) <= _LONG_LINE:
            line: QWidget = super().createEditor(parent, option, index)
            line.setAccessibleName(self.tr("New value"))
            return line
        field = QPlainTextEdit(parent)
        field.setTabChangesFocus(True)
        field.setAccessibleName(self.tr("New value"))
        return field

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: Index) -> None:
        super().updateEditorGeometry(editor, option, index)
        room = editor.parentWidget()
        if isinstance(editor, QPlainTextEdit) and room is not None:
            area: QRect = option.rect
            width, height = min(room.width(), theme.px(WIDEST)), min(room.height(), theme.px(5 * Size.ROW))
            editor.setGeometry(max(0, min(area.left(), room.width() - width)),
                               max(0, min(area.top(), room.height() - height)), width, height)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        text = "—" if index.data(MissingRole) else str(index.data() or "")
        width = QFontMetrics(theme.font("body")).horizontalAdvance(text[:80]) + 2 * Space.S + 8
        return QSize(width, theme.px(Size.ROW))


def _font(plain: QFont, *, bold: bool, struck: bool) -> QFont:
    if not bold and not struck:
        return plain
    font = QFont(plain)
    font.setBold(bold)
    font.setStrikeOut(struck)
    return font
