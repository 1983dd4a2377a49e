"""Columns that the names of folders give to the files in them: which there are, of what type, and their values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from mldesk.data.columns.forced import forced_values
from mldesk.data.options import Reading
from mldesk.data.readers.raw import Context
from mldesk.data.records import Fix, ImportOptions
from mldesk.data.types import ARROW
from mldesk.wire.schema import ColumnType

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_SHORT = re.compile(r"[0-9]{1,2}")   # 01 is January; 01234 is a code
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class FolderColumn:
    """A column whose value is the same in all rows of a file."""

    name: str
    type: ColumnType

    def values(self, context: Context, rows: int) -> pa.Array:
        """Return the cells of some rows of a file."""
        text = None if context.partitions is None else context.partitions.own.get(self.name)
        cell = _typed([text], self.type)
        return pa.repeat(cell[0], rows)


def folder_columns(contexts: Sequence[Context], own: Sequence[str], options: ImportOptions) -> tuple[FolderColumn, ...]:
    """Return the columns that the folders of the files make, beside those of the files; say which they are."""
    first = contexts[0]
    if first.partitions is None:
        return ()
    taken = {name.casefold() for name in own}
    found: list[FolderColumn] = []
    for name, texts in first.partitions.all.items():
        if name.casefold() in taken:
            first.problems.add("columns left out", f"The folders' names say {name!r:.80} and so does a column of the "
                               "files; what the files hold was taken.", column=name,
                               fix=Fix("Leave out what the folders' names say", {"partitions": False}))
            continue
        taken.add(name.casefold())
        found.append(FolderColumn(name, _type(name, [text for text in texts if text is not None], options)))
        _say(first, found[-1], texts)
    return tuple(found)


def _say(context: Context, column: FolderColumn, texts: Sequence[str | None]) -> None:
    read = _typed(texts, column.type)
    lost = next((text for text, value in zip(texts, read, strict=True) if text is not None and not value.is_valid), "")
    shown = next((text for text in texts if text is not None), "nothing")
    context.problems.add(
        "remarks", f"{column.name!r:.80} is what the names of the folders say, like {f'{column.name}={shown}'!r:.100}"
        + (f"; {lost!r:.60} does not fit the type {column.type.value} and is missing." if lost else "."),
        column=column.name, fix=Fix("Leave out what the folders' names say", {"partitions": False}))


def _type(name: str, texts: Sequence[str], options: ImportOptions) -> ColumnType:
    if name in options.text:
        return ColumnType.TEXT
    forced = dict(options.types).get(name)
    if forced is not None:
        return ColumnType(forced)
    expected = dict(options.expected).get(name)
    if expected is not None and not _typed(texts, ColumnType(expected)).null_count:
        return ColumnType(expected)
    if texts and any(all(map(pattern.fullmatch, texts)) for pattern in (_INTEGER, _SHORT)):
        return ColumnType.INTEGER
    return ColumnType.DATE if texts and all(map(_is_date, texts)) else ColumnType.TEXT


def _typed(texts: Sequence[str | None], kind: ColumnType) -> pa.Array:
    if kind.numeric:   # which is more than texts with a nought before them are elsewhere
        texts = [str(int(text)) if text is not None and _SHORT.fullmatch(text) else text for text in texts]
    made = pa.array(texts, pa.string())
    return made if kind is ColumnType.TEXT else forced_values(made, kind, Reading()).cast(ARROW[kind])


def _is_date(text: str) -> bool:
    try:
        return _DATE.fullmatch(text) is not None and date.fromisoformat(text) is not None
    except ValueError:
        return False
