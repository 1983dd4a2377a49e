"""Workbooks: one sheet becomes a table. Which sheet, which header row and which rows were left out is always said."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, BinaryIO

import python_calamine as calamine

from mldesk.data.names import clean_names
from mldesk.data.options import parse_range
from mldesk.data.readers.dialect import joined_names
from mldesk.data.readers.raw import Context, Lines, RawTable, batch_rows, text_array
from mldesk.data.readers.sheet_extent import refuse_vast_sheets
from mldesk.data.readers.sheet_header import Area, spread_across
from mldesk.data.readers.sheet_layout import Layout, find_layout
from mldesk.data.readers.sheet_old import MAGIC as _OLD
from mldesk.data.readers.sheet_old import check_old_book
from mldesk.data.readers.sheet_texts import refuse_copied_texts
from mldesk.data.readers.spool import Spool
from mldesk.data.records import Fix, ImportRefused
from mldesk.data.sources.files import head_of

_UNPACKED = 4 * 1024**3   # bytes of XML in a workbook at most
_RATIO = 400              # how many times smaller packed than unpacked a real workbook may be
_EXACT = 1 << 53
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_SEARCHED = 1 << 20       # bytes
Cell = Any  # str, float, bool, date, datetime, time, timedelta; "" for an empty cell


def read_sheet(context: Context, source: Path) -> RawTable:
    """Read the sheet with the data into text columns. Raises ImportRefused, ImportCancelled, DiskFull."""
    with _errors(context):
        sheet = _choose(context, _opened(context, source))
        rows: list[list[Cell]] = sheet.to_python(skip_empty_area=False)
        merged = sheet.merged_cell_ranges or []
    if context.options.range is not None:
        rows = _within(context, rows, context.options.range)
    context.parsed(0.5)
    layout = find_layout(rows, merged, context.options.header_row, context.options.header_rows,
                         footers=context.options.keep_footers)
    if layout is None:
        raise ImportRefused(f"{context.name}: the sheet {sheet.name!r} has no rows of values.",
                            hint="Choose another sheet, or the row with the column names.")
    if context.options.range is not None:
        top, left, _, right = parse_range(context.options.range)
        merged = [area for area in merged if area[0][0] >= top and area[1][0] < len(rows) and area[0][1] >= left
                  and area[1][1] <= right]
    _fill_merged(context, rows, merged, layout)
    _say_what_was_left_out(context, rows, layout)
    header = layout.header
    first, last = layout.columns
    raw_names = (_names(rows, merged, layout) if header is not None
                 else [f"column_{number}" for number in range(1, last - first + 1)])
    if layout.storeys > 1 and context.options.header_rows is None and header is not None:
        _say_storeys(context, layout, raw_names)
    names = clean_names(raw_names, context.problems, line=None if header is None else header + 1)
    spool = Spool(context.scratch, str(context.number))
    lines = _fill(context, rows, layout, spool)
    return RawTable(names, spool, lines, reading={
        "format": "xlsx", "sheet": sheet.name, "header_line": 0 if header is None else header + 1,
        **({"header_rows": layout.storeys} if layout.storeys > 1 else {})})


def filled_sheets(context: Context, source: Path) -> tuple[list[str], list[str]]:
    """Return the names of a workbook's sheets, and of those with cells. Raises ImportRefused, ImportCancelled."""
    with _errors(context):
        book = _opened(context, source)
        return list(book.sheet_names), [name for name in book.sheet_names if _sheet(context, book, name) is not None]


def _opened(context: Context, source: Path) -> calamine.CalamineWorkbook:
    """Open a workbook that was looked at first."""
    _refuse_bomb(context, source)
    _refuse_locked(context, source)
    if head_of(source).startswith(_OLD):
        check_old_book(source, context.check)
    return calamine.load_workbook(str(source))


def _names(rows: Sequence[Sequence[Cell]], merged: Sequence[Area], layout: Layout) -> list[str | None]:
    """Return the names as they are written, those of several rows joined."""
    header, (first, last) = layout.header or 0, layout.columns
    if layout.storeys == 1:
        return [_text(cell) for cell in rows[header][first:last]]
    storeys = [[_text(cell) for cell in spread_across(rows[place], merged, place)[first:last]]
               for place in range(header, min(len(rows), header + layout.storeys))]
    return list(joined_names(storeys))


def _say_storeys(context: Context, layout: Layout, names: Sequence[str | None]) -> None:
    first, last = (layout.header or 0) + 1, (layout.header or 0) + layout.storeys
    example = next((name for name in names if name and " " in name), names[0])
    context.problems.add("guesses", f"The names stand in rows {first} to {last}, one above the other, and were joined, "
                         f"as in {example!r:.80}.", line=first,
                         fix=Fix(f"Take row {last} alone for the names", {"header_row": last, "header_rows": 1}))


def _within(context: Context, rows: list[list[Cell]], text: str) -> list[list[Cell]]:
    """Return the sheet with nothing but the cells of a range, each in its place."""
    top, left, bottom, right = parse_range(text)
    last = len(rows) - 1 if bottom is None else min(bottom, len(rows) - 1)
    if top > last or not rows or left >= len(rows[0]):
        raise ImportRefused(f"{context.name}: the range {text} lies outside of the cells that are filled.",
                            hint=f"They end at {cell_name(len(rows) - 1, len(rows[0]) - 1)}." if rows else "")
    blank: list[Cell] = [""] * min(right + 1, len(rows[0]))
    return [blank if number < top else [*blank[:left], *row[left:right + 1]]
            for number, row in enumerate(rows[:last + 1])]


def _refuse_bomb(context: Context, source: Path) -> None:
    """Look at the sizes a packed workbook claims before anything is unpacked."""
    if not zipfile.is_zipfile(source):
        return  # the old .xls format is no archive
    with zipfile.ZipFile(source) as archive:
        unpacked = sum(item.file_size for item in archive.infolist())
    if unpacked > _UNPACKED or unpacked > _RATIO * max(context.size, 100_000):
        raise ImportRefused(f"{context.name} unpacks to {unpacked:,} bytes; that is too much for a workbook.")
    refuse_vast_sheets(context.name, source, context.check)
    with zipfile.ZipFile(source) as archive:
        refuse_copied_texts(context.name, archive, context.check)


def _refuse_locked(context: Context, source: Path) -> None:
    """A workbook with a password is a container of the old kind with the packed one, encrypted, in it."""
    with open(source, "rb") as file:
        head = file.read(8)
        if head == _OLD and (context.name.lower().endswith((".xlsx", ".xlsm", ".xlsb")) or _encrypted(file)):
            raise ImportRefused(f"{context.name} is password-protected or an old .xls workbook.",
                                hint="Open it in a spreadsheet program and save it as .xlsx without a password.")


def _encrypted(file: BinaryIO) -> bool:
    """Look for the name that the encrypted workbook has in the container; directories stand near either end."""
    file.seek(0)
    head = file.read(_SEARCHED)
    file.seek(max(0, file.seek(0, 2) - _SEARCHED))
    return _ENCRYPTED in head or _ENCRYPTED in file.read()


@contextmanager
def _errors(context: Context) -> Iterator[None]:
    """Turn what the readers of archives and workbooks raise for damaged ones into a sentence."""
    try:
        yield
    except calamine.PasswordError as error:
        raise ImportRefused(f"{context.name} is protected by a password.",
                            hint="Open it in a spreadsheet program and save it without one.") from error
    except (calamine.CalamineError, zipfile.BadZipFile, zlib.error, RuntimeError, EOFError, ValueError,
            OSError) as error:
        raise _damaged(context, error) from error
    except BaseException as error:
        # calamine is Rust; what it did not foresee ends in a panic, which is no Exception
        if type(error).__name__ != "PanicException":
            raise
        raise _damaged(context, error) from error


def _damaged(context: Context, error: BaseException) -> ImportRefused:
    reason = str(error).splitlines()[0][:160].rstrip(".") if str(error) else type(error).__name__
    return ImportRefused(f"{context.name} is damaged or not a workbook: {reason}.",
                         hint="Open it in a spreadsheet program and save it anew, or save it as CSV.")


def _choose(context: Context, book: calamine.CalamineWorkbook) -> calamine.CalamineSheet:
    """Return the sheet asked for, else the one with the most cells."""
    wanted = context.options.sheet
    context.choices = tuple(book.sheet_names)
    if wanted is not None and wanted not in book.sheet_names:
        raise ImportRefused(f"{context.name} has no sheet {wanted!r:.80}.",
                            hint=f"Its sheets: {', '.join(map(repr, book.sheet_names[:20]))}.",
                            fixes=[Fix(f"Take the sheet {name!r}", {"sheet": name}) for name in book.sheet_names[:5]])
    sheets = [_sheet(context, book, name) for name in ([wanted] if wanted is not None else book.sheet_names)]
    readable = [sheet for sheet in sheets if sheet is not None]
    if not readable:
        raise ImportRefused(f"{context.name} has no sheet with cells.")
    chosen = max(readable, key=lambda sheet: sheet.height * sheet.width)
    others = [name for name in book.sheet_names if name != chosen.name]  # none where all are called the same
    if wanted is None and others:
        left = ", ".join(map(repr, others))
        context.problems.add("guesses", f"The table is the sheet {chosen.name!r}, the one with the most cells; left "
                             f"out: {left[:200]}.", fix=_instead(chosen, readable))
    return chosen


def _instead(chosen: calamine.CalamineSheet, readable: Sequence[calamine.CalamineSheet]) -> Fix | str:
    """Return what other sheets may be taken, where one was chosen."""
    others = [sheet.name for sheet in readable if sheet.name != chosen.name]
    if not others:
        return "The others have no cells."
    if _alike(readable):
        return Fix("Take all sheets together as one table", {"sheets": ["*"]})
    return Fix(f"Take the sheet {others[0]!r}", {"sheet": others[0]})


def _alike(sheets: Sequence[calamine.CalamineSheet]) -> bool:
    """Say whether all sheets begin with the same row, as those do that are one table cut into pieces."""
    heads = [next(iter(sheet.to_python(nrows=1)), []) for sheet in sheets]
    return len(heads) > 1 and any(heads[0]) and all(head == heads[0] for head in heads)


def _sheet(context: Context, book: calamine.CalamineWorkbook, name: str) -> calamine.CalamineSheet | None:
    """Return a sheet, None for a chart or macro sheet that has no cells."""
    context.check()
    try:
        sheet = book.get_sheet_by_name(name)
    except calamine.WorksheetNotFound:
        return None
    return sheet if sheet.height and sheet.width else None


def _fill_merged(context: Context, rows: list[list[Cell]], merged: Sequence[Any], layout: Layout) -> None:
    """Give every row that a merged cell spans its value, and say so."""
    header = range(0) if layout.header is None else range(layout.header, layout.header + layout.storeys)
    for (top, left), (bottom, right) in merged:
        if top in header and bottom in header and layout.storeys > 1:
            continue   # its text is part of the names
        where = cell_name(top, left) + ":" + cell_name(bottom, right)
        body = top >= layout.first and bottom <= layout.last and left >= layout.columns[0] and right < layout.columns[1]
        if body and left == right:
            value = rows[top][left]
            for row in range(top + 1, bottom + 1):
                rows[row][left] = value
            context.problems.add("merged cells", f"The cells {where} are merged; their value {_text(value)!r:.60} was "
                                 "read for each of these rows.", line=top + 1,
                                 fix="Unmerge them in a spreadsheet program if the rows below have no value.")
        else:
            context.problems.add("merged cells", f"The cells {where} are merged; their value was read for the first of "
                                 "them only.", line=top + 1, fix=_of_merged(layout, top, left, bottom, right))


def _of_merged(layout: Layout, top: int, left: int, bottom: int, right: int) -> Fix | str:
    """Return what may be done about merged cells whose value only one of them has."""
    if layout.header is not None and right > left and top == bottom == layout.header - 1:
        return Fix(f"Take rows {top + 1} and {top + 2} for the names together",
                   {"header_row": top + 1, "header_rows": 2})
    if layout.first <= top <= layout.last:
        return "One value for several columns may belong to any of them; unmerge them in a spreadsheet program."
    return "They are no part of the table."


def cell_name(row: int, column: int) -> str:
    """Return a cell's name as spreadsheets show it: (0, 27) is AB1."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{letters}{row + 1}"


def _say_what_was_left_out(context: Context, rows: Sequence[Sequence[Cell]], layout: Layout) -> None:
    problems = context.problems
    above = range(layout.first if layout.header is None else layout.header)
    for place, what in [*((row, "stands above the header") for row in above),
                        *((row, "looks like a total or a note below the table")
                          for row in range(layout.last + 1, len(rows)))]:
        text = next((_text(cell) for cell in rows[place] if _text(cell)), None)
        if text is not None:
            problems.add("rows left out", f"Row {place + 1} ({text[:40]!r}) {what}; it was left out.", line=place + 1,
                         fix=Fix("Keep totals and notes as rows", {"keep_footers": True}) if place > layout.last else
                         Fix(f"Take row {place + 1} for the names", {"header_row": place + 1}))
    if layout.header is None:
        problems.add("guesses", "The first row holds values, not names; the columns are called column_1, column_2, …",
                     line=layout.first + 1,
                     fix=Fix(f"Take row {layout.first + 1} for the names", {"header_row": layout.first + 1}))
    elif above and layout.storeys == 1 and context.options.header_row is None and context.options.range is None:
        problems.add("guesses", f"Row {layout.header + 1} was taken for the column names. Choose another header row if "
                     "that is wrong.", line=layout.header + 1,
                     fix=Fix(f"Take row {layout.header} for the names", {"header_row": layout.header}))


def _fill(context: Context, rows: Sequence[Sequence[Cell]], layout: Layout, spool: Spool) -> Lines:
    lines = Lines.unknown()
    first, last = layout.columns
    size = batch_rows(last - first)
    waiting: list[list[str | None]] = []
    for place in range(layout.first, layout.last + 1):
        cells = [_text(cell) for cell in rows[place][first:last]]
        if not any(cells):
            context.problems.add("empty rows", f"Row {place + 1} is empty; it was left out.", line=place + 1,
                                 fix="Nothing is lost: an empty row holds no values.")
            continue
        waiting.append(cells)
        lines.append(place + 1)
        if len(waiting) == size or place == layout.last:
            _flush(waiting, spool)
            context.parsed(0.5 + place / (2 * max(1, layout.last)))
    _flush(waiting, spool)
    return lines


def _flush(waiting: list[list[str | None]], spool: Spool) -> None:
    if waiting:
        spool.add([text_array(list(column)) for column in zip(*waiting, strict=True)], len(waiting))
        waiting.clear()


def _text(value: Cell) -> str | None:
    """Return a cell as the text that a CSV file would have."""
    if value is None or isinstance(value, str):
        return value or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (float, int)):
        # A spreadsheet knows no whole numbers: 181 is kept as 181.0.
        return str(int(value)) if float(value).is_integer() and abs(value) < _EXACT else repr(value)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return repr(value.total_seconds() / 86_400)
    return str(value)
