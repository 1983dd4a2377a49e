"""Cells as text for the clipboard: as spreadsheets take them, or as a table in Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

How = Literal["cells", "named", "markdown"]   # cells alone, below the columns' names, or as Markdown


def as_text(names: Sequence[str], rows: Sequence[Sequence[Any]], how: How) -> str:
    """Return rows with tabs between cells (missing ones empty, each row a line), or as a Markdown table."""
    cells = [[_plain(value) for value in row] for row in rows]
    if how == "cells":
        return "\n".join("\t".join(row) for row in cells)
    lines = [[_plain(name) for name in names], *cells]
    if how == "named":
        return "\n".join("\t".join(row) for row in lines)
    # as GitHub's Markdown reads it; numbers stand at the right
    right = [any(row[place] is not None for row in rows) and all(
        row[place] is None or (isinstance(row[place], (int, float)) and not isinstance(row[place], bool))
        for row in rows) for place in range(len(names))]
    rule = ["---:" if number else "---" for number in right]
    return "\n".join(f"| {' | '.join(row)} |" for row in (
        [_escaped(cell) for cell in lines[0]], rule, *([_escaped(cell) for cell in row] for row in cells)))


def _plain(value: Any) -> str:
    return "" if value is None else str(value).replace("\t", " ").replace("\r", " ").replace("\n", " ")


def _escaped(cell: str) -> str:
    return cell.replace("\\", "\\\\").replace("|", "\\|")
