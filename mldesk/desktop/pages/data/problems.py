"""What an import noticed, in a list that can be read: where, and what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtWidgets import QWidget

from mldesk.desktop.pages.record_model import Field
from mldesk.desktop.pages.record_table import RecordTable
from mldesk.desktop.widgets import Card

_Problem = tuple[int, Mapping[str, Any]]


class ProblemsView(Card):
    """One row per problem, in the order they were found."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent, padding=0)
        fields: list[Field[_Problem]] = [
            Field(self.tr("Line"), lambda item: _line(item[1]), 70, lambda item: item[1].get("line") or 0, right=True,
                  muted=True),
            Field(self.tr("Column"), lambda item: str(item[1].get("column") or ""), 150, strong=True),
            Field(self.tr("What"), lambda item: str(item[1].get("message", "")),
                  tip=lambda item: str(item[1].get("message", ""))),
            Field(self.tr("File"), lambda item: str(item[1].get("file") or ""), 170, muted=True, spare=1),
        ]
        self.table: RecordTable[_Problem] = RecordTable(fields, lambda item: item[0], self.tr("Things to know"))
        self.add(self.table, 1)

    def show_problems(self, problems: tuple[Mapping[str, Any], ...]) -> None:
        """Show what an import noticed."""
        self.table.set_records(list(enumerate(problems)))


def _line(problem: Mapping[str, Any]) -> str:
    line = problem.get("line")
    return "" if line is None else f"{int(line):,}"
