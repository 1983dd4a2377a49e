"""Several files as one table: which columns it has, what type each is, and the rows of each file in that shape."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa
import pyarrow.compute as pc

from mldesk.data.columns.convert import Converter
from mldesk.data.columns.decide import FORCED, Decision, decide
from mldesk.data.columns.forced import forced_values
from mldesk.data.columns.guess import ColumnGuess, fits_group, marker_array
from mldesk.data.columns.temporal import PATTERNS
from mldesk.data.engine import free_name
from mldesk.data.imports.partitioned import FolderColumn, folder_columns
from mldesk.data.imports.skipping import PREVIEWED
from mldesk.data.options import FILE, ROW
from mldesk.data.parts import PartWriter
from mldesk.data.readers.early import EarlyTable, column_threads, new_guesses
from mldesk.data.readers.idle import refuse_unknown_columns, refuse_unknown_types
from mldesk.data.readers.raw import Context, RawTable
from mldesk.data.readers.typed import TypedTable
from mldesk.data.records import Fix, ImportOptions, ImportRefused
from mldesk.data.sources.gather import differing
from mldesk.data.types import ARROW
from mldesk.wire.schema import ColumnType

_WIDER = {
    frozenset({ColumnType.INTEGER, ColumnType.NUMBER}): ColumnType.NUMBER,
    frozenset({ColumnType.DATE, ColumnType.DATETIME}): ColumnType.DATETIME,
}


@dataclass(slots=True)
class Read:
    """One file of the import, read."""

    context: Context
    table: RawTable | TypedTable


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
    names = _common_names(files, options)
    folders = folder_columns([file.context for file in files], names, options)
    if options.told:
        refuse_unknown_types(options, [*names, *(column.name for column in folders)])
    decisions, markers = _decisions(files, names, options)
    types = [decision.type for decision in decisions]
    own, beside = len(names), dict[int, str]()
    for index, decision in enumerate(decisions):
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
    return Shape(names, types, own, decisions, markers, beside, folders, options.provenance)


def rows_of(file: Read, shape: Shape) -> Iterator[tuple[list[pa.Array], float]]:
    """Give a file's rows in the table's shape, with the share of the file that is done; say what did not fit."""
    batches = _typed_rows(file, shape) if isinstance(file.table, TypedTable) else _raw_rows(file, shape)
    yield from batches


def _raw_rows(file: Read, shape: Shape) -> Iterator[tuple[list[pa.Array], float]]:
    table, names = file.table, shape.names[:shape.own]
    assert isinstance(table, RawTable)  # noqa: S101 - for the type checker
    converters = [Converter(decision, ltrim=table.ltrim) for decision in shape.decisions]
    texts = [Converter(replace(shape.decisions[index], type=ColumnType.TEXT, form="text")) for index in shape.beside]
    order, done = _order(file, names), 0
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


def early_of(files: Sequence[Read]) -> EarlyTable | None:
    """Return the table that was made while the only file was read, if there is one."""
    return files[0].table.early if len(files) == 1 and isinstance(files[0].table, RawTable) else None


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
        context.problems.add("infinite values", f"{converter.infinite:,} values of {name!r} are infinite, or too large "
                             "for a number.", column=name,
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
    order, done = _order(file, shape.names[:shape.own]), 0
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


def _common_names(files: Sequence[Read], options: ImportOptions) -> list[str]:
    """Return the column names: all of them in union, else those of the first file, which all others must have."""
    for file in files:
        _refuse_none_left(file, options)
        file.context.problems.forget(options.without)
    names = [name for name in dict.fromkeys(name for file in files for name in file.table.names)
             if name not in options.without]
    if options.told:
        refuse_unknown_columns(options.without, [name for file in files for name in file.table.names])
    if options.union:
        for file in files:
            lacking = [name for name in names if name not in set(file.table.names)]
            if lacking:
                file.context.problems.add("columns that a file lacks", f"{file.context.name} has no column "
                                          f"{', '.join(map(repr, lacking[:5]))}{' and others' * (len(lacking) > 5)}; "
                                          "its cells are missing.", column=lacking[0],
                                          fix=Fix(f"Leave the column {lacking[0]!r} out", {"without": [lacking[0]]}))
        return names
    names = [name for name in files[0].table.names if name not in options.without]
    for file in files[1:]:
        for ours, theirs, at in ((names, file.table.names, file), (file.table.names, names, files[0])):
            lacking = [name for name in ours if name not in {*theirs, *options.without}]
            if lacking:
                raise ImportRefused(f"{at.context.name} has no column {lacking[0]!r}, which the other files have.",
                                    hint="Files that make one table together have the same columns, unless you ask "
                                         "for the union of their columns (--union).", fixes=differing(options))
    return names


def _refuse_none_left(file: Read, options: ImportOptions) -> None:
    if set(file.table.names) <= set(options.without):
        raise ImportRefused(f"{file.context.name} has no other columns than those that are to be left out.",
                            hint="Leave at least one in.")


def _decisions(files: Sequence[Read], names: Sequence[str],
               options: ImportOptions) -> tuple[list[Decision], frozenset[str]]:
    """Decide types over the rows of all files; a typed file's columns count as what they are.

    Return also the texts that stood for missing values.
    """
    raw = [file for file in files if isinstance(file.table, RawTable)]
    if len(raw) == len(files):
        early = early_of(files)
        guesses = new_guesses(names, options) if early is None else early.guesses
        for file in files if early is None else ():
            _observe(file, guesses, names)
        decided = decide(guesses, names, options, files[0].context.problems,
                         lambda *asked: _locate(files, names, *asked))
        stood = frozenset(text for guess, decision in zip(guesses, decided, strict=True)
                          for text in guess.stood_for_missing(typed=decision.type is not ColumnType.TEXT))
        return decided, stood
    if raw:
        typed = next(file for file in files if isinstance(file.table, TypedTable))
        raise ImportRefused(f"{raw[0].context.name} is text and {typed.context.name} has typed columns; they cannot "
                            "make one table.", hint="Import them one by one.")
    return _of_typed(files, names, options), frozenset()


def _of_typed(files: Sequence[Read], names: Sequence[str], options: ImportOptions) -> list[Decision]:
    """Decide types of typed files; texts that are to be another type are looked at for how they are written."""
    forced = {name: ColumnType(kind) for name, kind in options.types}
    expected = {name: ColumnType(kind) for name, kind in options.expected}
    found: list[Decision] = []
    texts: dict[str, ColumnType] = {}
    for name in names:
        kind = forced.get(name) or _agreed(files, name, options)
        beside = name not in forced and kind is ColumnType.TEXT and expected.get(name, kind) is not kind
        found.append(Decision(expected[name] if beside else kind, "", frozenset(), beside=beside))
        if found[-1].type is not ColumnType.TEXT and any(_kind_in(file, name) is ColumnType.TEXT for file in files):
            texts[name] = found[-1].type
    for name, decision in _of_texts(files, texts, options).items():
        place = names.index(name)
        found[place] = replace(decision, beside=found[place].beside)
    return found


def _of_texts(files: Sequence[Read], kinds: Mapping[str, ColumnType], options: ImportOptions) -> dict[str, Decision]:
    """Decide how columns of text in typed files are read as ``kinds``, and say what they leave open."""
    told = replace(options, types=tuple((name, kind.value) for name, kind in kinds.items()), text=(), expected=())
    guesses = new_guesses(list(kinds), told)
    for file in files if kinds else ():
        for name, guess in zip(kinds, guesses, strict=True):
            if _kind_in(file, name) is ColumnType.TEXT:
                _observe_typed(file, name, guess)
    return dict(zip(kinds, decide(guesses, list(kinds), told, files[0].context.problems, lambda *_: None),
                    strict=True))


def _observe_typed(file: Read, name: str, guess: ColumnGuess) -> None:
    table, seen = file.table, 0
    assert isinstance(table, TypedTable)  # noqa: S101 - for the type checker
    for values in table.column(file.context, name):
        file.context.check()
        guess.observe(values)
        seen += len(values)
        if file.context.sampled and seen >= PREVIEWED:
            return


def _kind_in(file: Read, name: str) -> ColumnType | None:
    """Return the type of a typed file's column; None if it has none of that name."""
    table = file.table
    assert isinstance(table, TypedTable)  # noqa: S101 - for the type checker
    return table.types[table.names.index(name)] if name in table.names else None


def _agreed(files: Sequence[Read], name: str, options: ImportOptions) -> ColumnType:
    """Return the type that holds what a column is in every file. Raises ImportRefused if there is none."""
    kinds: dict[ColumnType, Context] = {}
    for file in files:
        assert isinstance(file.table, TypedTable)  # noqa: S101 - for the type checker
        if name in file.table.names:
            kinds.setdefault(file.table.types[file.table.names.index(name)], file.context)
    if len(kinds) == 1:
        return next(iter(kinds))
    (one, first), (two, second) = list(kinds.items())[:2]
    wider = _WIDER.get(frozenset(kinds)) or (ColumnType.TEXT if options.union else None)
    if wider is None:
        raise ImportRefused(f"The column {name!r} is {one.value} in {first.name} and {two.value} in {second.name}.",
                            fixes=[Fix(f"Read {name!r} as text", {"types": [[name, "text"]]})])
    first.problems.add("columns of two types", f"{name!r} is {one.value} in {first.name} and {two.value} in "
                       f"{second.name}; it became {wider.value}.", column=name,
                       fix=Fix(f"Read {name!r} as text", {"types": [[name, "text"]]}))
    return wider


def _order(file: Read, names: Sequence[str]) -> list[int | None]:
    """Return where the file has each of the table's columns; None for one it lacks."""
    place = {name: index for index, name in enumerate(file.table.names)}
    return [place.get(name) for name in names]


def _chosen(table: RawTable, order: Sequence[int | None]) -> Iterator[list[pa.Array]]:
    """Give the rows with the columns in order, those that the file lacks all null."""
    for arrays in table.spool.batches([place for place in order if place is not None]):
        there = iter(arrays)
        rows = len(arrays[0]) if arrays else 0
        yield [pa.nulls(rows, pa.string()) if place is None else next(there) for place in order]


def _observe(file: Read, guesses: Sequence[ColumnGuess], names: Sequence[str]) -> None:
    table = file.table
    assert isinstance(table, RawTable)  # noqa: S101 - for the type checker
    order = _order(file, names)
    seen = [guess for guess, place in zip(guesses, order, strict=True) if place is not None]
    done = 0
    with column_threads() as pool:
        for arrays in table.spool.batches([place for place in order if place is not None]):
            kept = without(arrays, table.drop_rows, done)
            for number, _ in enumerate(pool.map(ColumnGuess.observe, seen, kept)):
                if number % 500 == 499:
                    file.context.check()
            done += len(arrays[0])
            file.context.typed(done / max(1, table.spool.rows))


def without(arrays: list[pa.Array], dropped: frozenset[int], first: int) -> list[pa.Array]:
    """Return the arrays of a batch that begins with row ``first`` without the dropped rows."""
    rows = len(arrays[0])
    gone = [row - first for row in dropped if first <= row < first + rows]
    if not gone:
        return arrays
    mask = pc.invert(pc.is_in(pa.array(range(rows), pa.int64()), pa.array(gone, pa.int64())))
    return [values.filter(mask) for values in arrays]


def _locate(files: Sequence[Read], names: Sequence[str], column: int, group: str,
            missing: frozenset[str]) -> tuple[int | None, str] | None:
    """Find the first value that does not fit a group; for dates also the first written unlike the one before it."""
    absent = pa.array(sorted(missing))
    like: str | None = None
    for file in files:
        table, row = file.table, 0
        assert isinstance(table, RawTable)  # noqa: S101 - for the type checker
        place = _order(file, names)[column]
        for (values,) in table.spool.batches([place]) if place is not None else ():
            trimmed = pc.utf8_trim_whitespace(values)
            real = pc.fill_null(pc.invert(pc.is_in(trimmed, absent)), False)
            real = pc.and_(real, pc.is_valid(trimmed))
            odd = pc.fill_null(pc.and_(real, pc.invert(fits_group(trimmed, group))), False)
            if group == "date" and not pc.any(odd).as_py():
                like = like or _pattern_of(trimmed.filter(real))
                if like is not None:
                    odd = pc.fill_null(pc.and_(real, pc.invert(pc.match_substring_regex(trimmed, like))), False)
            found = pc.index(odd, True).as_py()
            if found >= 0 and (row + found) not in table.drop_rows:
                return table.lines.of(row + found), trimmed[found].as_py()
            row += len(values)
    return None


def _pattern_of(texts: pa.Array) -> str | None:
    """Return the pattern that most dates follow."""
    counts = {pattern: pc.sum(pc.match_substring_regex(texts, pattern)).as_py() or 0
              for name, pattern in PATTERNS.items() if name != "time"}
    return max(counts, key=lambda pattern: counts[pattern]) if len(texts) else None
