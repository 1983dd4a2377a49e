"""Several files as one table: which columns it has, what type each is, and the rows of each file in that shape."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa
import pyarrow.compute as pc

from mldesk.data.columns.convert import Converter
from mldesk.data.columns.decide import FORCED, Decision
from mldesk.data.columns.forced import forced_values
from mldesk.data.columns.guess import marker_array
from mldesk.data.engine import free_name
from mldesk.data.imports.agreeing import Read, common_names, decisions, early_of, order_of, without
from mldesk.data.imports.partitioned import FolderColumn, folder_columns
from mldesk.data.options import FILE, ROW
from mldesk.data.parts import PartWriter
from mldesk.data.readers.early import column_threads
from mldesk.data.readers.idle import refuse_unknown_types
from mldesk.data.readers.raw import Context, RawTable
from mldesk.data.readers.typed import TypedTable
from mldesk.data.records import Fix, ImportOptions
from mldesk.data.types import ARROW
from mldesk.wire.schema import ColumnType


@dataclass(slots=True)
class Shape:
    """The table that the files make."""

    names: list[str]                  # with those of provenance
    types: list[ColumnType]
    own: int                          # columns that come from the files; texts beside them, what folders say and
    #                                   provenance follow
    decisions: list[Decision]         # of the own columns
    markers: frozenset[str] = frozenset()  # texts that stood for missing values
    beside: dict[int, str] = field(default_factory=dict)  # what the texts of an own column are called, as they were
    folders: tuple[FolderColumn, ...] = ()
    provenance: bool = False
    unfit: Counter[int] = field(default_factory=Counter)  # values of a column, so far, that its type made missing

    def confidence(self, column: int, there: int) -> float:
        """Return how sure the type of a column is, 0 to 1; ``there`` is how many of its values are not missing."""
        unfit = self.unfit[column]
        return there / (there + unfit) * self._decided(column) if unfit else self._decided(column)

    def _decided(self, column: int) -> float:
        return self.decisions[column].confidence if column < self.own else 1.0


def shape_of(files: Sequence[Read], options: ImportOptions) -> Shape:
    """Return what table the files make. Raises ImportRefused for files that do not belong together."""
    names = common_names(files, options)
    folders = folder_columns([file.context for file in files], names, options)
    if options.told:
        refuse_unknown_types(options, [*names, *(column.name for column in folders)])
    decided, markers = decisions(files, names, options)
    types = [decision.type for decision in decided]
    own, beside = len(names), dict[int, str]()
    for index, decision in enumerate(decided):
        if decision.beside:
            names.append(free_name(names[index], [*names, *(column.name for column in folders)]))
            types.append(ColumnType.TEXT)
            beside[index] = names[-1]
    names += [column.name for column in folders]
    types += [column.type for column in folders]
    if options.provenance:
        for name, kind in ((FILE, ColumnType.TEXT), (ROW, ColumnType.INTEGER)):
            names.append(free_name(name, names))
            types.append(kind)
    return Shape(names, types, own, decided, markers, beside, folders, options.provenance)


def rows_of(file: Read, shape: Shape) -> Iterator[tuple[list[pa.Array], float]]:
    """Give a file's rows in the table's shape, with the share of the file that is done; say what did not fit."""
    batches = _typed_rows(file, shape) if isinstance(file.table, TypedTable) else _raw_rows(file, shape)
    yield from batches


def _raw_rows(file: Read, shape: Shape) -> Iterator[tuple[list[pa.Array], float]]:
    table, names = file.table, shape.names[:shape.own]
    assert isinstance(table, RawTable)  # noqa: S101 - for the type checker
    converters = [Converter(decision, ltrim=table.ltrim) for decision in shape.decisions]
    texts = [Converter(replace(shape.decisions[index], type=ColumnType.TEXT, form="text")) for index in shape.beside]
    order, done = order_of(file, names), 0
    with column_threads() as pool:
        for arrays in _chosen(table, order):
            rows = len(arrays[0])
            arrays += _added(file, shape, done, rows, table)
            kept = without(arrays, table.drop_rows, done)
            raw = [as_text(kept[index]) for as_text, index in zip(texts, shape.beside, strict=True)]
            yield ([*pool.map(Converter.__call__, converters, kept[:shape.own]), *raw, *kept[shape.own:]],
                   (done + rows) / max(1, table.spool.rows))
            done += rows
    for index, (name, converter) in enumerate(zip(names, converters, strict=True)):
        shape.unfit[index] += converter.unfit
        _say_converted(file.context, name, converter)


def early_rows(files: Sequence[Read], shape: Shape) -> PartWriter | None:
    """Return what wrote all rows of the table already; say what did not fit, as ``rows_of`` does."""
    early = early_of(files)
    writer = early.writer(shape.decisions) if early is not None and not shape.beside else None
    if early is not None and writer is not None:
        for name, converter in zip(shape.names, early.converters, strict=True):
            _say_converted(files[0].context, name, converter)
    return writer


def _say_converted(context: Context, name: str, converter: Converter) -> None:
    if converter.infinite:
        one = converter.infinite == 1
        context.problems.add("infinite values", f"{converter.infinite:,} {'value' if one else 'values'} of {name!r} "
                             f"{'is' if one else 'are'} infinite, or too large for a number.", column=name,
                             fix=Fix(f"Keep {name!r} as text", {"types": [[name, "text"]]}))
    if converter.unfit:
        _say_unfit(context, name, converter.unfit, converter.example, converter.type)


def _say_unfit(context: Context, name: str, count: int, example: str, kind: ColumnType) -> None:
    cells = f"{count:,} {'value' if count == 1 else 'values'} of {name!r} {'does' if count == 1 else 'do'}"
    such = f", {example!r} for example" if example else ""
    context.problems.add("values that do not fit", f"{cells} not fit the type {kind.value}{such}; missing now.",
                         column=name,
                         fix=Fix(f"Keep {name!r} as text", {"types": [[name, "text"]]}))


def _typed_rows(file: Read, shape: Shape) -> Iterator[tuple[list[pa.Array], float]]:
    table = file.table
    assert isinstance(table, TypedTable)  # noqa: S101 - for the type checker
    order, done = order_of(file, shape.names[:shape.own]), 0
    unfit, examples = [0] * shape.own, [""] * shape.own
    for arrays in table.batches(file.context):
        rows = len(arrays[0])
        columns, texts = [], []
        for index, place in enumerate(order):
            decision = shape.decisions[index]
            have = pa.nulls(rows, ARROW[decision.type]) if place is None else _there(arrays[place], decision)
            columns.append(recast(have, decision))
            if index in shape.beside:
                texts.append(pc.cast(have, pa.string()))
            lost = columns[-1].null_count - have.null_count
            if lost and not unfit[index]:
                odd = have.filter(pc.and_(pc.is_valid(have), pc.is_null(columns[-1])))
                examples[index] = str(pc.cast(odd[:1], pa.string())[0].as_py())[:60]
            unfit[index] += lost
            shape.unfit[index] += lost
        share = done / max(1, table.rows or 2 * (done + rows))
        yield [*columns, *texts, *_added(file, shape, done, rows, None)], share
        done += rows
    for name, kind, count, example in zip(shape.names, shape.types, unfit, examples, strict=False):
        if count:
            _say_unfit(file.context, name, count, example, kind)


def _there(values: pa.Array, decision: Decision) -> pa.Array:
    """Return values, of texts that are to be another type those that stand for no missing value."""
    if decision.form != FORCED or not pa.types.is_string(values.type):
        return values
    trimmed = pc.utf8_trim_whitespace(values)
    return pc.if_else(pc.is_in(trimmed, marker_array(decision.missing)), pa.scalar(None, pa.string()), values)


def recast(values: pa.Array, decision: Decision) -> pa.Array:
    """Return typed values as the type that was decided, null where they do not fit."""
    want = decision.type
    if values.type == ARROW[want]:
        return values
    if not pa.types.is_string(values.type):
        if want is ColumnType.TEXT:
            return pc.cast(values, pa.string())
        try:
            return pc.cast(values, ARROW[want])
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            values = pc.cast(values, pa.string())
    encoded = pc.utf8_trim_whitespace(values).dictionary_encode()
    return forced_values(encoded.dictionary, want, decision.reading).take(encoded.indices)


def _added(file: Read, shape: Shape, first: int, rows: int, table: RawTable | None) -> list[pa.Array]:
    """Return what is in no file: the cells of folders' columns and of provenance."""
    told = [column.values(file.context, rows) for column in shape.folders]
    if not shape.provenance:
        return told
    numbers = table.lines.numbers(first, rows) if table is not None else \
        pa.array(range(first + 1, first + rows + 1), pa.int64())
    return [*told, pa.repeat(pa.scalar(file.context.name, pa.string()), rows), numbers]


def _chosen(table: RawTable, order: Sequence[int | None]) -> Iterator[list[pa.Array]]:
    """Give the rows with the columns in order, those that the file lacks all null."""
    for arrays in table.spool.batches([place for place in order if place is not None]):
        there = iter(arrays)
        rows = len(arrays[0]) if arrays else 0
        yield [pa.nulls(rows, pa.string()) if place is None else next(there) for place in order]
