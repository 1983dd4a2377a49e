"""Which columns several files make together, and what type each is: decided over the rows of all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from mldesk.data.columns.decide import Decision, decide
from mldesk.data.columns.guess import ColumnGuess, fits_group
from mldesk.data.columns.temporal import PATTERNS
from mldesk.data.imports.skipping import PREVIEWED
from mldesk.data.readers.early import EarlyTable, column_threads, new_guesses
from mldesk.data.readers.idle import refuse_unknown_columns
from mldesk.data.readers.raw import Context, RawTable
from mldesk.data.readers.typed import TypedTable
from mldesk.data.records import Fix, ImportOptions, ImportRefused
from mldesk.data.sources.gather import differing
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


def common_names(files: Sequence[Read], options: ImportOptions) -> list[str]:
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


def decisions(files: Sequence[Read], names: Sequence[str],
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


def early_of(files: Sequence[Read]) -> EarlyTable | None:
    """Return the table that was made while the only file was read, if there is one."""
    return files[0].table.early if len(files) == 1 and isinstance(files[0].table, RawTable) else None


def _observe(file: Read, guesses: Sequence[ColumnGuess], names: Sequence[str]) -> None:
    table = file.table
    assert isinstance(table, RawTable)  # noqa: S101 - for the type checker
    order = order_of(file, names)
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


def _locate(files: Sequence[Read], names: Sequence[str], column: int, group: str,
            missing: frozenset[str]) -> tuple[int | None, str] | None:
    """Find the first value that does not fit a group; for dates also the first written unlike the one before it."""
    absent = pa.array(sorted(missing))
    like: str | None = None
    for file in files:
        table, row = file.table, 0
        assert isinstance(table, RawTable)  # noqa: S101 - for the type checker
        place = order_of(file, names)[column]
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


def order_of(file: Read, names: Sequence[str]) -> list[int | None]:
    """Return where the file has each of the table's columns; None for one it lacks."""
    place = {name: index for index, name in enumerate(file.table.names)}
    return [place.get(name) for name in names]


def without(arrays: list[pa.Array], dropped: frozenset[int], first: int) -> list[pa.Array]:
    """Return the arrays of a batch that begins with row ``first`` without the dropped rows."""
    rows = len(arrays[0])
    gone = [row - first for row in dropped if first <= row < first + rows]
    if not gone:
        return arrays
    mask = pc.invert(pc.is_in(pa.array(range(rows), pa.int64()), pa.array(gone, pa.int64())))
    return [values.filter(mask) for values in arrays]
