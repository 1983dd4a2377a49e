"""Asks between which values a column of numbers or dates lies."""

from __future__ import annotations

from datetime import date

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QWidget

from mldesk.desktop import words
from mldesk.desktop.states.dataset import Picked
from mldesk.desktop.widgets import FormRow, Sheet
from mldesk.wire.schema import Column, ColumnType


class RangeDialog(Sheet):
    """Two ends, of which one may be left open. ``picked`` is what they leave."""

    def __init__(self, column: Column, parent: QWidget) -> None:
        super().__init__(self.tr("Only rows by {name}").format(name=column.name), parent,
                         primary=self.tr("Show these rows"), width=420)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._column, self._dates = column, column.type in (ColumnType.DATE, ColumnType.DATETIME)
        self.low, self.high = QLineEdit(), QLineEdit()
        hint = self.tr("A day, such as 2024-05-31. Empty: no limit.") if self._dates else self.tr("Empty: no limit.")
        for title, field in ((self.tr("From"), self.low), (self.tr("To, that one included"), self.high)):
            if self._dates:
                field.setPlaceholderText("2024-05-31")
            field.textChanged.connect(self._check)
            self.add(FormRow(title, field, hint))
        self._check()

    def _check(self) -> None:
        wrong = [text for field in (self.low, self.high) if (text := field.text().strip()) and self._read(text) is None]
        if wrong:
            self.set_primary_enabled((self.tr("{text} is no day.") if self._dates else self.tr(
                "{text} is no number.")).format(text=wrong[0]))
        else:
            self.set_primary_enabled("" if self.low.text().strip() or self.high.text().strip()
                                     else self.tr("Write one end at least."))

    def _read(self, text: str) -> str | None:
        """Return an end as SQL; None for what is none."""
        from mldesk.data.engine import literal

        try:
            return f"{literal(date.fromisoformat(text).isoformat())}::DATE" if self._dates else literal(float(text))
        except ValueError:
            return None

    def picked(self) -> Picked:
        """Return the rows between the ends."""
        from mldesk.data.engine import identifier

        cell = identifier(self._column.name) + ("::DATE" if self._dates else "")
        said, conditions = [], []
        for field, sign, text in ((self.low, ">=", words.tr("from {value}")),
                                  (self.high, "<=", words.tr("to {value}"))):
            if (end := field.text().strip()) and (sql := self._read(end)) is not None:
                said.append(text.format(value=end))
                conditions.append(f"{cell} {sign} {sql}")
        return Picked(f"{self._column.name} {' '.join(said)}", " AND ".join(conditions))
