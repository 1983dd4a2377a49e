"""The names of a sheet's columns: in which row they stand, or in which rows, one above the other.

"2023" merged over "Q1" and "Q2" makes the columns "2023 Q1" and "2023 Q2".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from mldesk.data.options import MOST_HEADER_ROWS

Area = tuple[tuple[int, int], tuple[int, int]]   # first and last cell of merged ones: row and column, from 0
Rows = Sequence[Sequence[Any]]

LOOK = 60         # rows from the top among which the header must be
NAMED = 0.6       # share of the columns that a header must name
_YEARS = range(1900, 2101)


def find_header(rows: Rows, filled: Sequence[int], width: int, merged: Sequence[Area]) -> tuple[int | None, int]:
    """Return the first row near the top that names enough columns, in text, each its own, and how many rows do so
    together; None where the first row holds values already."""
    spread = {row for (top, left), (bottom, right) in merged if right > left for row in range(top, bottom + 1)}
    for place, count in enumerate(filled[:LOOK]):
        storeys = storeys_at(rows, filled, width, merged, place)
        if storeys > 1:
            return place, storeys
        if count < max(1, NAMED * width) or (place in spread and width > 1):
            continue
        cells = [cell for cell in rows[place] if not is_empty(cell)]
        if all(_is_name(cell) for cell in cells):
            return place, 1
        numbers = sum(not _is_name(cell) for cell in cells)
        return (None if numbers > len(cells) / 2 else place), 1
    return next((place for place, count in enumerate(filled) if count), None), 1


def storeys_at(rows: Rows, filled: Sequence[int], width: int, merged: Sequence[Area], place: int) -> int:
    """Return how many rows from ``place`` on plainly make the names together: 1 unless cells merged across stand over
    names, each of which is another one."""
    last = place
    while last < len(rows) and last - place < MOST_HEADER_ROWS and filled[last] and _across(merged, last, width):
        last += 1
    if last == place or last >= len(rows) or filled[last] < 2:
        return 1
    upper = _across(merged, last - 1, width)
    named = [column for column, cell in enumerate(rows[last]) if not is_empty(cell)]
    if filled[place] < 2 and upper[0][0][1] <= named[0]:
        return 1   # a title over the first columns
    for (_, left), (_, right) in upper:
        below = [rows[last][column] if column < len(rows[last]) else None for column in range(left, right + 1)]
        if not all(_is_name(cell) or _is_year(cell) for cell in below) or len(set(map(str, below))) < len(below):
            return 1
    tall = sum(top <= last <= bottom and top < bottom and left == right and top >= place
               for (top, left), (bottom, right) in merged)
    others = [rows[last][column] for column in named]
    if filled[last] + tall < NAMED * width or not all(_is_name(cell) or _is_year(cell) for cell in others):
        return 1
    return last - place + 1


def rows_above(rows: Rows, filled: Sequence[int], header: int, count: int) -> int:
    """Return the first of ``count`` rows that make the names together, one of which was taken for the header."""
    below = rows[header + 1:header + count]
    if len(below) == count - 1 and all(
            filled[header + 1 + number] and all(_is_name(cell) for cell in row if not is_empty(cell))
            for number, row in enumerate(below)):
        return header
    first = header - count + 1
    return first if first >= 0 and all(filled[first:header]) else header


def spread_across(row: Sequence[Any], merged: Sequence[Area], place: int) -> list[Any]:
    """Return a row in which every cell of merged ones has their value."""
    cells = list(row)
    for (top, left), (bottom, right) in merged:
        if top <= place <= bottom and right > left and left < len(cells):
            cells[left:right + 1] = [cells[left]] * (min(right, len(cells) - 1) - left + 1)
    return cells


def _across(merged: Sequence[Area], row: int, width: int) -> list[Area]:
    """Return the areas of one row that are merged across, none of which is as wide as the table."""
    areas = [area for area in merged if area[0][0] == area[1][0] == row and area[1][1] > area[0][1]]
    return [] if any(right - left + 1 >= width for (_, left), (_, right) in areas) else sorted(areas)


def is_empty(cell: Any) -> bool:
    """Say whether a cell holds nothing."""
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _is_name(cell: Any) -> bool:
    return isinstance(cell, str) and bool(cell.strip()) and not re.fullmatch(r"\s*[-+]?[\d.,]+%?\s*", cell)


def _is_year(cell: Any) -> bool:
    if isinstance(cell, str):
        return cell.strip().isdecimal() and len(cell.strip()) == 4 and int(cell) in _YEARS
    return isinstance(cell, (int, float)) and not isinstance(cell, bool) and float(cell) in _YEARS
