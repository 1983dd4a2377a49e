"""Where on a sheet the table lies: header, first and last row, first and last column."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mldesk.data.readers.sheet_header import NAMED, Area, find_header, is_empty, rows_above, storeys_at

_FOOTERS = 40     # rows at the end that are looked at for totals and notes
_FOOTER = re.compile(r"(?i)\s*(total|sum|subtotal|grand total|average|mean|note|notes|source|summe|gesamt|mittelwert|"
                     r"quelle|moyenne|somme|합계|평균|\*|¹|†)")


@dataclass(frozen=True, slots=True)
class Layout:
    """Rows and columns counted from 0."""

    header: int | None          # None: the first row holds values already
    storeys: int                # rows that make the names together, the first of them the header
    first: int                  # first row of values
    last: int                   # last row of values, inclusive
    columns: tuple[int, int]    # from, to (exclusive)


def find_layout(rows: Sequence[Sequence[Any]], merged: Sequence[Area], header_row: int | None,
                header_rows: int | None = None, *, footers: bool = False) -> Layout | None:
    """Find the table on a sheet; None if there are no rows of values. ``header_row`` from 1, 0 for none;
    ``header_rows``, that make the names together, None where the sheet tells. ``footers``: keep them as rows."""
    filled = [_count(row) for row in rows]
    if not any(filled):
        return None
    last = max(place for place, count in enumerate(filled) if count)
    width = _usual_width(filled)
    header, storeys = _header_of(rows, filled, width, merged, header_row, header_rows)
    first = (header + storeys if header is not None
             else next(place for place, count in enumerate(filled) if count >= width / 2))
    while first <= last and not filled[first]:
        first += 1
    if first > last:
        return None
    last = last if footers else _without_footers(rows, filled, first, last, width)
    used = [column for row in ([*rows[first:last + 1]] + ([] if header is None
                                                             else [*rows[header:header + storeys]]))
            for column, cell in enumerate(row) if not is_empty(cell)]
    return Layout(header, storeys, first, last, (min(used), max(used) + 1))


def _header_of(rows: Sequence[Sequence[Any]], filled: Sequence[int], width: int, merged: Sequence[Area],
               header_row: int | None, header_rows: int | None) -> tuple[int | None, int]:
    """Return the first row of names and how many they are, as was told or as the sheet tells."""
    if header_row == 0:
        return None, 1
    if header_row:
        place = header_row - 1
        return place, header_rows or storeys_at(rows, filled, width, merged, place)
    header, storeys = find_header(rows, filled, width, merged)
    if header_rows is None:
        return header, storeys
    if header is None:   # names that look like values
        header = next((place for place, count in enumerate(filled) if count >= NAMED * width), 0)
    if header_rows < storeys:
        return header + storeys - header_rows, header_rows
    return rows_above(rows, filled, header, header_rows) if storeys == 1 else header, header_rows


def _count(row: Sequence[Any]) -> int:
    return sum(not is_empty(cell) for cell in row)


def _usual_width(filled: Sequence[int]) -> int:
    """Return how many cells most rows have, the fuller ones where that is a tie."""
    counts = Counter(count for count in filled if count)
    best = max(counts.values())
    return max(count for count, times in counts.items() if times >= 0.5 * best)


def _without_footers(rows: Sequence[Sequence[Any]], filled: Sequence[int], first: int, last: int, width: int) -> int:
    """Return the last row that is not a total, a note or empty. Narrow tables have no footers."""
    if width < 3:
        return last
    end = last
    while end > first and last - end < _FOOTERS and filled[end] <= max(1, width // 3):
        cells = [cell for cell in rows[end] if not is_empty(cell)]
        if cells and not _like_a_footer(rows, filled, end, cells):
            break
        end -= 1
    return end


def _like_a_footer(rows: Sequence[Sequence[Any]], filled: Sequence[int], place: int, cells: Sequence[Any]) -> bool:
    if isinstance(cells[0], str) and _FOOTER.match(cells[0]):
        return True
    if not filled[place - 1]:
        return True
    column = next(index for index, cell in enumerate(rows[place]) if not is_empty(cell))
    above = [rows[row][column] for row in range(max(0, place - 20), place) if not is_empty(rows[row][column])]
    numbers = sum(not isinstance(cell, str) for cell in above)
    return isinstance(cells[0], str) and numbers > 0.8 * max(1, len(above))
