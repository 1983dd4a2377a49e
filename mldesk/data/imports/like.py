"""Read a file of new rows the way a training table was read: its columns, in the wanted types, in the file's order."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy.typing as npt
import pyarrow as pa

from mldesk.core.errors import BadInput
from mldesk.core.scratch import working_folder_in
from mldesk.data.columns.retype import Misread, Retype, misread_cells
from mldesk.data.imports.importing import import_table
from mldesk.data.parts import part_paths
from mldesk.data.records import ImportOptions, Table
from mldesk.data.sources.partitions import names_among
from mldesk.data.types import to_numpy
from mldesk.data.view import TableView
from mldesk.wire.objects import ObjectStore
from mldesk.wire.schema import Column, ColumnType

_BATCH = 16_384  # rows


class NewRows:
    """A file that was read. Iterate for Arrow batches; close it, or use ``with``, to remove what it keeps on disk.

    A batch holds the wanted columns that the file has, in their types, and after them the file's other columns.
    """

    def __init__(self, folder: Path, store: ObjectStore, table: Table, wanted: Sequence[Column]) -> None:
        self._folder, self._store, self._table = folder, store, table
        texts = set(table.beside.values())
        have = {column.name: column for column in table.columns if column.name not in texts}
        self._wanted = [column for column in wanted if column.name in have]
        self.missing = tuple(column.name for column in wanted if column.name not in have)
        names = {column.name for column in wanted}
        self.extra = tuple(name for name in have if name not in names)
        self.rows = table.rows
        self.problems = list(table.problems)
        self._retypes = [Retype(have[column.name], column, table.source) for column in self._wanted]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 traceback: TracebackType | None) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        """Remove what was kept on disk; may be called twice."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """Give the rows in order. Raises BadInput for a column whose values are not of the wanted type."""
        place = {column.name: index for index, column in enumerate(self._table.columns)}
        with TableView(self._store, self._table.manifest, self._table.columns) as view:
            self._check(view, place)
            first = 0
            for batch in view.batches(_BATCH):
                arrays = [retype(batch.column(place[column.name]), first)
                          for column, retype in zip(self._wanted, self._retypes, strict=True)]
                others = [batch.column(place[name]) for name in self.extra]
                yield pa.RecordBatch.from_arrays(arrays + others,
                                                 names=[column.name for column in self._wanted] + list(self.extra))
                first += batch.num_rows
        self.close()

    def _check(self, view: TableView, place: Mapping[str, int]) -> None:
        """Raise BadInput that names all columns with a text that could not be read as their type."""
        found = {column.name: Misread(column) for column in self._wanted if column.name in self._table.beside}
        first = 0
        for batch in view.batches(_BATCH) if found else ():
            for name, misread in found.items():
                texts = batch.column(place[self._table.beside[name]])
                misread.look(batch.column(place[name]), texts, first)
            first += batch.num_rows
        if faults := [misread for misread in found.values() if misread.count]:
            raise misread_cells(self._table.source, self.missing, faults)

    def columns(self) -> dict[str, npt.NDArray[Any]]:
        """Return the wanted columns that the file has, whole: float64, datetime64[us] or objects (str or None)."""
        batches = list(self)
        return {column.name: to_numpy(pa.chunked_array([batch.column(index) for batch in batches]), column.type)
                for index, column in enumerate(self._wanted)}


def read_like(paths: Sequence[Path], columns: Sequence[Column | Mapping[str, Any]],
              options: ImportOptions | None = None, *, scratch: Path | None = None,
              called: str = "") -> NewRows:
    """Read files of new rows. ``columns`` are the wanted ones, as Column or {"name", "type"}.

    What comes as text is read as an import reads a column whose type was chosen. ``scratch`` is where a folder is made
    for it, else the system's; ``called`` what the user calls the files, where these are made of others.
    Every row counts here: a file with lines that would be left out is refused. Raises ImportRefused, BadInput.
    """
    wanted = [column if isinstance(column, Column) else Column(str(column["name"]), ColumnType(column["type"]))
              for column in columns]
    options = options or ImportOptions()
    options = replace(options, partitions=options.partitions and names_among(
        map(Path, paths), [column.name for column in wanted]), expected=tuple(
        (column.name, readable(column.type).value) for column in wanted if column.type is not ColumnType.TEXT),
        text=tuple(column.name for column in wanted if column.type is ColumnType.TEXT))
    folder = working_folder_in(scratch, "mldesk-rows")
    try:
        store = ObjectStore(folder / "objects")
        table = import_table([Path(path) for path in paths], store, folder / "scratch", options)
        table = replace(table, source=called or table.source)
        bad = next((problem for problem in table.problems if problem.message.endswith("it was left out.")
                    and problem.line is not None and " cell" in problem.message), None)
        if bad is not None:
            raise BadInput(f"{called or bad.file}: {bad.message.removesuffix('; it was left out.')}; every row must be "
                           "readable.", hint="Mend that line, or have such lines left out (--rejects FILE).")
        return NewRows(folder, store, table, wanted)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def readable(kind: ColumnType) -> ColumnType:
    """Return what cells must be for a model to read them: 5.5 where 5 was usual is a number all the same."""
    return ColumnType.NUMBER if kind is ColumnType.INTEGER else kind


def columns_as_numpy(store: ObjectStore, manifest: str, columns: Sequence[Column],
                     names: Sequence[str]) -> dict[str, npt.NDArray[Any]]:
    """Return columns of a stored table whole: float64 with NaN, datetime64[us] with NaT, or objects (str or None)."""
    import pyarrow.parquet as pq

    places = [[column.name for column in columns].index(name) for name in names]
    parts = []
    for path in part_paths(store, manifest):
        with pq.ParquetFile(path) as file:
            parts.append(file.reader.read_all(column_indices=sorted(places)))  # by place: names may hold dots
    table = pa.concat_tables(parts)
    return {name: to_numpy(table.column(sorted(places).index(place)), columns[place].type)
            for name, place in zip(names, places, strict=True)}
