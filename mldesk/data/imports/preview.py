"""What an import would make of its sources before anything is kept: how they were read, rows, problems, fixes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mldesk.core.durable import disk_errors
from mldesk.core.scratch import working_folder
from mldesk.data.columns.missing import EXPECTED
from mldesk.data.imports.agreeing import Read
from mldesk.data.imports.importing import read_all, remark
from mldesk.data.imports.skipping import PREVIEWED
from mldesk.data.imports.together import Shape, rows_of, shape_of
from mldesk.data.readers.raw import RawTable
from mldesk.data.records import Cancelled, ImportOptions, ImportRefused, Problem, Progress
from mldesk.data.sources.locations import Location
from mldesk.data.types import plain, values_of
from mldesk.wire.schema import ColumnType

FILES = 20     # of many that a preview looks into


@dataclass(frozen=True, slots=True)
class ColumnPreview:
    """A column as it would be."""

    name: str
    type: ColumnType
    confidence: float      # 0 to 1: how sure its type and its reading are; 0 without values; of text: what is no other
    reading: str           # how its texts are read, in words; "" where they are plain
    missing: int           # cells of the rows looked at

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "type": self.type.value, "confidence": round(self.confidence, 3),
                "reading": self.reading, "missing": self.missing}


@dataclass(frozen=True, slots=True)
class ImportPreview:
    """What an import would make of its sources. ``options`` are what the user said; all else was found out."""

    files: tuple[str, ...]            # those looked into
    file_count: int                   # those there are
    reading: Mapping[str, Any]        # of the first: format, encoding, delimiter, header_line, sheet, table, …
    columns: tuple[ColumnPreview, ...]
    rows: list[list[Any]]             # the first ones, plain JSON values
    rows_seen: int                    # rows looked at
    whole: bool                       # that is all there are
    decimal: str | None               # the mark that numbers with decimals have; None where there are none
    thousands: str | None             # the mark between thousands; None where there is none
    dates: tuple[str, ...]            # in which ways dates are written: "ymd", "dmy", …
    missing: tuple[str, ...]          # the texts that stood for missing values
    problems: tuple[Problem, ...]
    counts: Mapping[str, int]         # problems by kind, also those that are not listed one by one
    options: ImportOptions = field(default_factory=ImportOptions)
    choices: tuple[str, ...] = ()     # sheets or tables of the first file, one of which was read
    total: int | None = None          # rows there are; None: nobody knows
    total_known: bool = False         # counted, or said by the files; else it follows from their sizes

    def to_json(self) -> dict[str, Any]:
        """Return it as the command line prints it."""
        return {
            "files": list(self.files), "file_count": self.file_count, "reading": dict(self.reading),
            "columns": [column.to_json() for column in self.columns], "rows": self.rows, "rows_seen": self.rows_seen,
            "rows_total": self.total if self.total_known else None,
            "rows_about": None if self.total_known else self.total,
            "whole": self.whole, "decimal": self.decimal, "thousands": self.thousands, "dates": list(self.dates),
            "missing": list(self.missing), "counts": dict(self.counts), "options": self.options.to_json(),
            "choices": list(self.choices),
            "problems": [{**problem.to_json(), "kind": problem.kind,
                          "fix": problem.fix.to_json() if problem.fix else None} for problem in self.problems]}


_WORDS = {"comma": "a comma for decimals", "point": "marks between the thousands", "ymd": "year, month, day",
          "dmy": "day, month, year", "mdy": "month, day, year", "d month y": "day, month by name, year",
          "month d y": "month by name, day, year", "money": "without the currency sign",
          "percent": "without the percent sign, 10% is 10",
          "forced": "what does not fit is missing"}
_DATES = ("ymd", "dmy", "mdy", "d month y", "month d y")


def preview_import(sources: Sequence[Location], options: ImportOptions | None, scratch: Path, *, rows: int = 50,
                   progress: Progress | None = None, cancelled: Cancelled | None = None) -> ImportPreview:
    """Return what an import of the sources would be. Long files are read for their beginning only; nothing is kept.

    Raises ImportRefused as the import would (its ``fixes`` may help), ImportCancelled, DiskFull.
    """
    if not sources:
        raise ImportRefused("There is no file to import.", hint="Give at least one file.")
    options = options or ImportOptions()
    with disk_errors("the preview"), working_folder(scratch) as folder:
        files = list(read_all(sources, folder, options, progress, cancelled, sampled=True, most=FILES))
        shape = shape_of(files, options)
        shown, missing, seen = _first_rows(files, shape, rows)
        remark(files, shape.names, sum(seen))
        return _preview(files, shape, options, shown, missing, seen)


def _first_rows(files: Sequence[Read], shape: Shape, rows: int) -> tuple[list[list[Any]], list[int], list[int]]:
    """Convert everything that was read, which tells what does not fit; return the first rows as plain values, the
    missing cells by column, and the rows seen by file.
    """
    shown: list[list[Any]] = []
    missing = [0] * len(shape.names)
    counts: list[int] = []
    for file in files:
        seen = 0
        table = file.table
        limit = None if isinstance(table, RawTable) else PREVIEWED
        for arrays, _ in rows_of(file, shape):
            file.context.check()
            seen += len(arrays[0])
            for index, values in enumerate(arrays):
                missing[index] += values.null_count
            if len(shown) < rows:
                first = rows - len(shown)
                heads = [[plain(value) for value in values_of(values.slice(0, first))] for values in arrays]
                shown += [list(row) for row in zip(*heads, strict=True)]
            if limit is not None and sum(counts) + seen >= limit:
                file.context.sampled = isinstance(table, RawTable) or table.rows is None or table.rows > seen
                break
        else:
            file.context.sampled = file.context.sampled and (isinstance(table, RawTable) or file.context.more)
        counts.append(seen)
    return shown, missing, counts


def _total(files: Sequence[Read], seen: Sequence[int]) -> tuple[int | None, bool]:
    """Return how many rows all files have, and whether that is known or follows from their sizes; None: neither."""
    found, known = 0.0, len(files) == files[0].context.of
    for file, rows in zip(files, seen, strict=True):
        context, table = file.context, file.table
        if not context.sampled:
            found += rows
        elif not isinstance(table, RawTable) and table.rows is not None and not context.more:
            found += table.rows
        elif context.whole_size:
            found, known = found + rows * context.whole_size / max(1, context.size), False
        else:
            return None, False
    return round(found * files[0].context.of / len(files)), known


def _preview(files: Sequence[Read], shape: Shape, options: ImportOptions, shown: list[list[Any]], missing: list[int],
             seen: Sequence[int]) -> ImportPreview:
    forms = [decision.form for decision in shape.decisions]
    columns = tuple(
        ColumnPreview(name, kind, shape.confidence(index, sum(seen) - missing[index]), _words(shape, index),
                      missing[index])
        for index, (name, kind) in enumerate(zip(shape.names, shape.types, strict=True)))
    counts: Counter[str] = Counter()
    for file in files:
        counts.update(file.context.problems.counts())
    number = next((index for index, kind in enumerate(shape.types) if kind is ColumnType.NUMBER), None)
    total = files[0].context.of
    rows, known = _total(files, seen)
    return ImportPreview(
        files=tuple(file.context.name for file in files), file_count=total, reading=dict(files[0].table.reading),
        columns=columns, rows=shown, rows_seen=sum(seen),
        whole=len(files) == total and not any(file.context.sampled for file in files),
        decimal="," if "comma" in forms else "." if number is not None else None,
        thousands="," if "point" in forms else None, dates=_dates(shape),
        missing=tuple(sorted(shape.markers | _told(options))), counts=dict(counts), options=options,
        choices=files[0].context.choices, total=rows, total_known=known,
        problems=tuple(problem for file in files for problem in file.context.problems.all()))


def _told(options: ImportOptions) -> set[str]:
    return {text.strip() for text in options.missing} - EXPECTED


def _dates(shape: Shape) -> tuple[str, ...]:
    """Return the ways in which dates are written, also those in columns whose type the user chose."""
    forms = [form for decision in shape.decisions
             for form in (decision.form, *(form for _, form in decision.spelled))]
    return tuple(form for form in dict.fromkeys(forms) if form in _DATES or "%" in form)


def _words(shape: Shape, index: int) -> str:
    if index >= shape.own:
        return ""
    form, spelled = shape.decisions[index].form, shape.decisions[index].spelled
    orders = [f"{'day' if one == 'dmy' else 'month'} first with {mark}" for mark, one in spelled if mark]
    if form == "percent" and shape.decisions[index].reading.shares:
        return "as shares, 10% is 0.1"
    return "; ".join([*orders, _WORDS.get(form, form if "%" in form else "")])
