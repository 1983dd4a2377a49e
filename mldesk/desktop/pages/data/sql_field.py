"""A field for SQL: completes names and keywords, and goes back to what was run before."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from PySide6.QtCore import QStringListModel, Qt
from PySide6.QtGui import QKeyEvent, QTextCursor
from PySide6.QtWidgets import QCompleter, QListView, QPlainTextEdit, QWidget

KEYWORDS = ("SELECT", "FROM", "WHERE", "GROUP BY", "ORDER BY", "HAVING", "LIMIT", "DISTINCT", "AND", "OR", "NOT", "IN",
            "BETWEEN", "LIKE", "ILIKE", "IS NULL", "IS NOT NULL", "CASE", "WHEN", "THEN", "ELSE", "END", "AS", "DESC",
            "COUNT(*)", "SUM(", "AVG(", "MIN(", "MAX(", "MEDIAN(", "ROUND(", "CAST(", "WITH", "JOIN", "UNION ALL",
            "data")
EXPRESSION_WORDS = ("AND", "OR", "NOT", "IN", "BETWEEN", "LIKE", "ILIKE", "IS NULL", "IS NOT NULL", "CASE", "WHEN",
                    "THEN", "ELSE", "END", "CAST(", "ROUND(", "ABS(", "GREATEST(", "LEAST(", "COALESCE(", "LOWER(",
                    "UPPER(", "TRIM(", "LENGTH(", "CONTAINS(", "STARTS_WITH(", "REGEXP_MATCHES(", "DATE_DIFF(",
                    "YEAR(", "MONTH(")
_FEWEST = 2      # letters of a word before words are offered
_MOST = 200      # queries that are remembered
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class SqlField(QPlainTextEdit):
    """Ctrl+Enter runs it, Ctrl+Space completes, Ctrl+Up and Ctrl+Down go through what was run."""

    def __init__(self, keywords: Sequence[str] = KEYWORDS, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._keywords = tuple(keywords)
        self.setProperty("code", True)
        self.setTabChangesFocus(True)
        self.setAccessibleName(self.tr("SQL query"))
        self.run: Callable[[], object] | None = None
        self._past: list[str] = []
        self._place = 0
        self._words = QStringListModel(list(keywords), self)
        self.completer = QCompleter(self._words, self)
        self.list = QListView()
        self.completer.setPopup(self.list)
        self.completer.setWidget(self)
        self.completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.completer.activated.connect(self._complete)

    def set_columns(self, names: Sequence[str]) -> None:
        """Offer these columns before the keywords."""
        self._words.setStringList([*map(quoted, names), *self._keywords])

    def remember(self, sql: str) -> None:
        """Keep a query that was run; the same one twice in a row once."""
        if not self._past or self._past[-1] != sql:
            self._past = [*self._past, sql][-_MOST:]
        self._place = len(self._past)

    def past(self) -> list[str]:
        """Return what was run, the newest last."""
        return list(self._past)

    def set_past(self, queries: Sequence[str]) -> None:
        """Take over what was run before, in another window or another time."""
        self._past = [*queries, *self._past][-_MOST:]
        self._place = len(self._past)

    def _go(self, step: int) -> None:
        place = self._place + step
        if 0 <= place < len(self._past):
            self._place = place
            self.setPlainText(self._past[place])
            self.moveCursor(QTextCursor.MoveOperation.End)

    def word(self) -> str:
        """Return what is written of the word before the cursor, with the quote it begins with."""
        cursor = self.textCursor()
        before = cursor.block().text()[:cursor.positionInBlock()]
        found = re.search(r'(?:"[^"]*|[\w]+)$', before)
        return found[0] if found else ""

    def _complete(self, text: str) -> None:
        cursor = self.textCursor()
        cursor.movePosition(QTextCursor.MoveOperation.Left, QTextCursor.MoveMode.KeepAnchor, len(self.word()))
        cursor.insertText(text)
        self.setTextCursor(cursor)

    def _offer(self, *, always: bool = False) -> None:
        word, popup = self.word(), self.list
        self.completer.setCompletionPrefix(word)
        if (not always and len(word) < _FEWEST) or not self.completer.completionCount() or (
                self.completer.completionCount() == 1 and self.completer.currentCompletion() == word):
            popup.hide()
            return
        area = self.cursorRect()
        area.setWidth(popup.sizeHintForColumn(0) + popup.verticalScrollBar().sizeHint().width() + 16)
        popup.setCurrentIndex(self.completer.completionModel().index(0, 0))
        self.completer.complete(area)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if self.list.isVisible() and key in (
                Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Tab, Qt.Key.Key_Escape):
            event.ignore()   # the list of words takes it
        elif control and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.run is not None:
            self.run()
        elif control and key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self._go(-1 if key == Qt.Key.Key_Up else 1)
        elif control and key == Qt.Key.Key_Space:
            self._offer(always=True)
        else:
            super().keyPressEvent(event)
            if event.text().strip() or key == Qt.Key.Key_Backspace:
                self._offer()


def quoted(name: str) -> str:
    """Return a column's name as SQL wants it written."""
    return name if _PLAIN.fullmatch(name) and name.upper() not in KEYWORDS else '"' + name.replace('"', '""') + '"'
