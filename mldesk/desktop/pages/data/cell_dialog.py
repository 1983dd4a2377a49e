"""Asks for another value of one cell."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QWidget

from mldesk.desktop.widgets import FormRow, Sheet


class CellDialog(Sheet):
    """``step`` is the step of a recipe that changes the cell; ``row`` counts from 1."""

    def __init__(self, row: int, name: str, parent: QWidget) -> None:
        super().__init__(self.tr("Row {row}, {name}").format(row=row, name=name), parent,
                         primary=self.tr("Go on to the recipe"), width=420)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._row, self._name = row, name
        self.value = QLineEdit()
        self.add(FormRow(self.tr("New value"), self.value, self.tr("Empty: the cell is missing.")))

    def step(self) -> dict[str, Any]:
        """Return the step."""
        return {"step": "edit", "cells": [{"row": self._row, "column": self._name, "value": self.value.text() or None}]}
