"""What a person changes in a table by hand: cells and rows, undone and done again, until a version is made of it.

It lies over the version it was made on and changes nothing there. In a recipe it is one step, "edit".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mldesk.core.observable import Undoable
from mldesk.desktop.words import tr
from mldesk.wire.schema import Column, ColumnType

MAX_ROWS = 10_000   # that may be taken out


@dataclass(frozen=True, slots=True)
class Changes:
    """Cells by (place from 0, column) with their new value, None for missing; and the places of rows taken out."""

    cells: Mapping[tuple[int, str], Any] = field(default_factory=dict)
    gone: frozenset[int] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.cells or self.gone)

    def step(self) -> dict[str, Any]:
        """Return them as the step of a recipe, which counts rows from 1."""
        step: dict[str, Any] = {"step": "edit"}
        if self.cells:
            step["cells"] = [{"row": place + 1, "column": name, "value": value}
                             for (place, name), value in sorted(self.cells.items()) if place not in self.gone]
        if self.gone:
            step["remove"] = [place + 1 for place in sorted(self.gone)]
        return {name: value for name, value in step.items() if value}

    def to_json(self) -> dict[str, Any]:
        """Return them as the library keeps them."""
        return {"cells": [[place, name, value] for (place, name), value in sorted(self.cells.items())],
                "gone": sorted(self.gone)}

    @classmethod
    def from_json(cls, value: Any) -> Changes:
        """Read what ``to_json`` wrote; what is not that is no change."""
        try:
            return cls({(int(place), str(name)): new for place, name, new in value["cells"]},
                       frozenset(map(int, value["gone"])))
        except (TypeError, ValueError, KeyError):
            return cls()


class HandEdits:
    """The changes to one version. ``changes`` is what they are now."""

    def __init__(self, changes: Changes | None = None) -> None:
        self.changes: Undoable[Changes] = Undoable(changes or Changes())

    def cell(self, place: int, column: str) -> tuple[Any] | None:
        """Return the new value of a cell as a tuple of one, None where it is as it was."""
        key = (place, column)
        return (self.changes.value.cells[key],) if key in self.changes.value.cells else None

    def is_gone(self, place: int) -> bool:
        """Say whether a row was taken out."""
        return place in self.changes.value.gone

    def put(self, place: int, column: Column, text: str, was: Any) -> str:
        """Change a cell to what was typed, "" meaning missing; return why that cannot be, "" if it can."""
        try:
            value = cell_value(text, column.type)
        except (ValueError, OverflowError):
            return refusal(text, column)
        now = self.changes.value
        cells = {key: old for key, old in now.cells.items() if key != (place, column.name)}
        if value != was or type(value) is not type(was):
            cells[place, column.name] = value
        self.changes.change(Changes(cells, now.gone))
        return ""

    def take_out(self, places: Iterable[int]) -> None:
        """Take rows out; those that all are out already come back."""
        now, rows = self.changes.value, frozenset(places)
        self.changes.change(Changes(now.cells, now.gone - rows if rows <= now.gone else now.gone | rows))

    def clear(self) -> None:
        """Take everything back; this can be undone, too."""
        self.changes.change(Changes())

    def forget(self) -> None:
        """Be as new: a version was made of it."""
        self.changes.forget(Changes())


def cell_value(text: str, kind: ColumnType) -> Any:
    """Read what was typed as a value of a column. Raises ValueError, OverflowError."""
    from mldesk.data.columns.casts import typed_value

    if not (text if kind is ColumnType.TEXT else text.strip()):
        return None
    return typed_value(text, kind)


def refusal(text: str, column: Column) -> str:
    """Say why what was typed is no value of a column."""
    from mldesk.data.columns.casts import in_words

    return tr("{text} is not {kind}, which {column} holds. The cell stays as it was.").format(
        text=f"“{text[:40]}”", kind=in_words(column.type), column=column.name)
