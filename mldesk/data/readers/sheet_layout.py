"""Where on a sheet the table lies: header, first and last row, first and last column."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_LOOK = 60        # rows from the top among which the header must be
_HEADER = 0.6     # share of the columns that a header must name
_FOOTERS = 40     # rows at the end that are looked at for totals and notes
_FOOTER = re.compile(r"(?i)\s*(total|sum|subtotal|grand total|average|mean|note|notes|source|summe|gesamt|mittelwert|"
                     r"quelle|moyenne|somme|합계|평균|\*|¹|†)")


@dataclass(frozen=True, slots=True)
class Layout:
    """Rows and columns counted from 0."""

    header: int | None          # None: the first row holds values already
    first: int                  # first row of values
    last: int                   # last row of values, inclusive
    columns: tuple[int, int]    # from, to (exclusive)


def find_layout(rows: Sequence[Sequence[Any]], merged: Sequence[Any], header_row: int | None) -> Layout | None:
    """Find the table on a sheet; None if there are no rows of values. ``header_row`` from 1, 0 for none."""
    filled = [_count(row) for row in rows]
    if not any(filled):
        return None
    last = max(place for place, count in enumerate(filled) if count)
    width = _usual_width(filled)
    header: int | None
    if header_row:
        header = header_row - 1
    elif header_row == 0:
        header = None
    else:
        header = _find_header(rows, filled, width, merged)
    first = (header + 1 if header is not None
             else next(place for place, count in enumerate(filled) if count >= width / 2))
    while first <= last and not filled[first]:
        first += 1
    if first > last:
        return None
    last = _without_footers(rows, filled, first, last, width)
    used = [column for row in ([*rows[first:last + 1]] + ([] if header is None else [rows[header]]))
            for column, cell in enumerate(row) if not _empty(cell)]
    return Layout(header, first, last, (min(used), max(used) + 1))


def _empty(cell: Any) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _count(row: Sequence[Any]) -> int:
    return sum(not _empty(cell) for cell in row)


def _usual_width(filled: Sequence[int]) -> int:
    """Return how many cells most rows have, the fuller ones where that is a tie."""
    counts = Counter(count for count in filled if count)
    best = max(counts.values())
    return max(count for count, times in counts.items() if times >= 0.5 * best)


def _find_header(rows: Sequence[Sequence[Any]], filled: Sequence[int], width: int, merged: Sequence[Any]) -> int | None:
    """Return the first row near the top that names enough columns, in text, each its own."""
    spread = {row for (top, left), (bottom, right) in merged if right > left for row in range(top, bottom + 1)}
    for place, count in enumerate(filled[:_LOOK]):
        if count < max(1, _HEADER * width) or (place in spread and width > 1):
            continue
        cells = [cell for cell in rows[place] if not _empty(cell)]
        if all(isinstance(cell, str) and not _is_number(cell) for cell in cells):
            return place
        numbers = sum(not isinstance(cell, str) or _is_number(cell) for cell in cells)
        return None if numbers > len(cells) / 2 else place
    return next((place for place, count in enumerate(filled) if count), None)


def _is_number(text: str) -> bool:
    return re.fullmatch(r"\s*[-+]?[\d.,]+%?\s*", text) is not None


def _without_footers(rows: Sequence[Sequence[Any]], filled: Sequence[int], first: int, last: int, width: int) -> int:
    """Return the last row that is not a total, a note or empty. Narrow tables have no footers."""
    if width < 3:
        return last
    end = last
    while end > first and last - end < _FOOTERS and filled[end] <= max(1, width // 3):
        cells = [cell for cell in rows[end] if not _empty(cell)]
        if cells and not _like_a_footer(rows, filled, end, cells):
            break
        end -= 1
    return end


def _like_a_footer(rows: Sequence[Sequence[Any]], filled: Sequence[int], place: int, cells: Sequence[Any]) -> bool:
    if isinstance(cells[0], str) and _FOOTER.match(cells[0]):
        return True
    if not filled[place - 1]:
        return True
    column = next(index for index, cell in enumerate(rows[place]) if not _empty(cell))
    above = [rows[row][column] for row in range(max(0, place - 20), place) if not _empty(rows[row][column])]
    numbers = sum(not isinstance(cell, str) for cell in above)
    return isinstance(cells[0], str) and numbers > 0.8 * max(1, len(above))
