"""Look at a table: pages of rows, searches, read-only SQL, and export. Nothing here changes a table.

A page by its offset reads only the row groups it lies in, however long the table is. ``query`` runs locked in: it sees
the one table, as ``data`` and under its own name, and no files, settings or network. It is not bounded in memory: what
a user wrote is answered by way of ``query_process``, and so is a condition that may make much text of little.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from mldesk.core.durable import disk_errors
from mldesk.core.errors import NotFound
from mldesk.core.scratch import working_folder_in
from mldesk.data.damage import intact
from mldesk.data.engine import connect, free_name, identifier, literal_list, one_row, relation, sql_errors
from mldesk.data.export import EXPORTS, export_table
from mldesk.data.expression_size import MOST
from mldesk.data.expressions import check_expression, growth_of
from mldesk.data.fitting import FittingRows
from mldesk.data.near import which_column
from mldesk.data.parts import part_paths
from mldesk.data.query_process import QueriedTable
from mldesk.data.search_sql import search_sql
from mldesk.data.sql_answers import answer_of, export_rows, rows_taken, write_parquet
from mldesk.data.stored_rows import StoredRows
from mldesk.data.types import arrow_schema, plain, values_of
from mldesk.wire.objects import ObjectStore
from mldesk.wire.schema import Column, Order

MAX_ROWS = 100_000  # that one answer may have
_BLOCK = 4_000      # rows of an order that are read at once
_NEAR = 10_000      # rows from the first up to which rows in an order are asked for whole


class TableView:
    """One version of a table. Thread-safe: calls wait for one another, ``interrupt`` does not."""

    def __init__(self, store: ObjectStore, manifest: str, columns: Sequence[Column], *, name: str = "data",
                 label: str = "", scratch: Path | None = None, held: bool = False) -> None:
        """``name`` is what queries may call it, ``label`` what errors do; queries spill to a folder in ``scratch``.

        ``held`` says that this process is one that may take so much memory and no more.

        Raises ObjectMissing, LibraryDamaged.
        """
        self.columns = tuple(columns)
        self._intact: Callable[[], AbstractContextManager[None]] = partial(
            intact, store, manifest, f"the dataset {label}" if label else "this table")
        with self._intact():
            self._paths = part_paths(store, manifest)
            self._stored = StoredRows(self._paths)
        self._counts = self._stored.counts
        self.rows_total: int = sum(self._counts)
        self._name = name
        self._names = [column.name for column in self.columns]
        self._fitting = None if held else FittingRows(QueriedTable(store, manifest, self.columns, name, label, scratch))
        self._lock = threading.RLock()
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._spill = scratch
        self._scratch: Path | None = None
        self._block: tuple[str, int, pa.Table] | None = None   # an order, where in it, rows that were read together
        self._ordered: tuple[str, npt.NDArray[Any]] | None = None   # rows that fit, in an order: their places
        self._row = free_name("_row", self._names)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 traceback: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of files and memory; may be called twice."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
            if self._fitting is not None:
                self._fitting.forget()
            if self._scratch is not None:
                shutil.rmtree(self._scratch, ignore_errors=True)
                self._scratch = None
            self._ordered = self._block = None
            self._stored.forget()

    def interrupt(self) -> None:
        """Stop the query that another thread runs; it raises WorkFailed there."""
        connection = self._connection
        if connection is not None:
            connection.interrupt()
        if self._fitting is not None:
            self._fitting.interrupt()

    # --- rows

    def rows(self, offset: int, limit: int, *, order_by: Order | None = None, where: str | None = None,
             search: str | None = None, only: Sequence[int] | None = None) -> list[list[Any]]:
        """Return rows as plain JSON values, missing ones None, in the table's own order or by columns.

        ``order_by`` are (column, descending) pairs, of which the first counts most, missing values last; ``where`` is
        one SQL expression; ``search`` text that any column contains, upper and lower case alike; ``only`` the places of
        rows from 0, which are given in that order unless there is another. Raises BadInput, NotFound for an unknown
        column.
        """
        return self.placed_rows(offset, limit, order_by=order_by, where=where, search=search, only=only)[0]

    def placed_rows(self, offset: int, limit: int, *, order_by: Order | None = None,
                    where: str | None = None, search: str | None = None, only: Sequence[int] | None = None,
                    ) -> tuple[list[list[Any]], Sequence[int]]:
        """Return rows as ``rows`` does, and the place of each in the table, from 0."""
        limit = min(limit, MAX_ROWS)
        if limit <= 0 or offset < 0:
            return [], ()
        if order_by is None and not where and not search and only is None:
            with self._intact():
                found = self._page(offset, limit)
            return found, range(offset, offset + len(found))
        order = self._by(order_by)
        if only is not None and order_by is None:
            order = f"list_position({literal_list(only)}, {order})"
        with self._lock, self._intact(), sql_errors("The filter"):
            fitting = f"FROM _rows AS data{self._condition(where, search, only)} ORDER BY {order}"
            if offset + limit > _NEAR:  # whole rows that far down would have to be put in order, too
                places = self._order(fitting)[offset:offset + limit].tolist()
                return _rows(self._stored.take(places)), places
            place = identifier(self._row)
            sql = f"SELECT {place}, * EXCLUDE ({place}) {fitting} LIMIT {int(limit)} OFFSET {int(offset)}"
            got = self._engine().execute(sql).fetchall()
            return [[plain(value) for value in row[1:]] for row in got], [int(row[0]) for row in got]

    def arranged(self, offset: int, limit: int, *, order_by: Order | None = None, where: str | None = None,
                 search: str | None = None, only: Sequence[int] | None = None,
                 ) -> tuple[list[list[Any]], Sequence[int], int]:
        """Return rows and their places as ``placed_rows`` does, and how many fit in all.

        Which rows fit, in which order, is found out once and kept for the next page of the same. Raises as ``rows``,
        and WorkFailed when interrupted.
        """
        plain = not where and not search and only is None
        if only is not None or (plain and order_by is None) or (plain and not self._is_kept(order_by)
                                                                and offset + limit <= _NEAR):
            rows, at = self.placed_rows(offset, limit, order_by=order_by, where=where, search=search, only=only)
            return rows, at, self.count(where=where, search=search, only=only)
        with self._lock, self._intact(), sql_errors("The filter"):
            places = self._order(f"FROM _rows AS data{self._condition(where, search)} ORDER BY {self._by(order_by)}")
            return self._block_rows(offset, limit), places[offset:offset + limit].tolist(), len(places)

    def _block_rows(self, offset: int, limit: int) -> list[list[Any]]:
        """Return rows of the order that is kept; many around them are read at once, as they may lie anywhere."""
        assert self._ordered is not None  # noqa: S101 - it was just made
        fitting, places = self._ordered
        first, last = offset, min(offset + limit, len(places))
        if first >= last:
            return []
        if self._block is None or self._block[0] != fitting or first < self._block[1] or \
                last > self._block[1] + self._block[2].num_rows:
            begin = max(0, first - _BLOCK // 4)
            some = places[begin:max(last, begin + _BLOCK)].tolist()
            self._block = (fitting, begin, self._stored.take(some))
        _, begin, rows = self._block
        return _rows(rows.slice(first - begin, last - first))

    def _is_kept(self, order_by: Order | None) -> bool:
        return self._ordered is not None and \
            self._ordered[0] == f"FROM _rows AS data ORDER BY {self._by(order_by)}"

    def _by(self, order_by: Order | None) -> str:
        """Return the SQL of an order; rows that are alike in it keep their own."""
        place = identifier(self._row)
        if order_by is None:
            return place
        return "".join(f"{identifier(self._known(name))} {'DESC' if descending else 'ASC'} NULLS LAST, "
                       for name, descending in order_by) + place

    def count(self, *, where: str | None = None, search: str | None = None, only: Sequence[int] | None = None) -> int:
        """Return how many rows there are, or fit. Raises BadInput for an expression that cannot be used."""
        if not where and not search and only is None:
            return self.rows_total
        with self._lock, self._intact(), sql_errors("The filter"):
            sql = f"SELECT count(*) FROM _rows AS data{self._condition(where, search, only)}"
            return int(one_row(self._engine(), sql)[0])

    def places(self, offset: int, limit: int, where: str, only: Sequence[int] | None = None) -> list[int]:
        """Return the places, from 0, of the rows that fit, in the table's own order. Raises BadInput."""
        place = identifier(self._row)
        found = self.over(f"SELECT {place} FROM chosen ORDER BY {place} LIMIT {limit:d} OFFSET {offset:d}",
                          where=where, only=only)
        return [int(row[0]) for row in found]

    def all_places(self, where: str) -> npt.NDArray[np.int64]:
        """Return the places of all rows that fit. Raises BadInput."""
        place = identifier(self._row)
        with self._lock, self._intact(), sql_errors("The filter"):
            found = self._engine().execute(
                f"SELECT {place} AS place FROM _rows AS data{self._condition(where, None)} ORDER BY {place}")
            return np.asarray(found.fetchnumpy()["place"]).astype(np.int64)

    def over(self, sql: str, *, where: str | None = None, only: Sequence[int] | None = None) -> list[tuple[Any, ...]]:
        """Answer a query of our own over ``chosen``: the rows that fit, with ``place_name`` their places from 0.

        Raises BadInput for an expression that cannot be used, WorkFailed when interrupted.
        """
        with self._lock, self._intact(), sql_errors("The chart"):
            chosen = f"SELECT * FROM _rows AS data{self._condition(where, None, only)}"
            return self._engine().execute(f"WITH chosen AS ({chosen}) {sql}").fetchall()

    @property
    def place_name(self) -> str:
        """How ``over`` calls a row's place."""
        return self._row

    def query(self, sql: str, limit: int = 1000) -> tuple[list[str], list[list[Any]]]:
        """Answer one SELECT over the table ``data``. Raises BadInput for anything else, WorkFailed when interrupted."""
        return self.answer(sql, limit)[:2]

    def answer(self, sql: str, limit: int = 1000) -> tuple[list[str], list[list[Any]], bool]:
        """Answer like ``query``, and say whether there are more rows than ``limit`` (at most MAX_ROWS) let through."""
        limit = max(0, min(limit, MAX_ROWS))
        with self._lock, self._intact(), sql_errors("The query"):
            return answer_of(self._engine(), sql, limit)

    def write_answer(self, sql: str, path: Path) -> int:
        """Write all rows of one SELECT as Parquet; return how many.

        Raises BadInput as ``answer`` does, WorkFailed when interrupted, DiskFull.
        """
        with self._lock, self._intact(), sql_errors("The query"), disk_errors("The query"):
            # the engine itself may write no file
            return rows_taken(self._engine(), sql, lambda reader: write_parquet(reader, path), parquet=True)

    def batches(self, size: int = 65_536) -> Iterator[pa.RecordBatch]:
        """Give all rows as Arrow batches, in order."""
        for path in self._paths:
            with self._intact():
                file = pq.ParquetFile(path)
            with file:
                batches = file.iter_batches(size)
                while (batch := self._next(batches)) is not None:
                    yield batch

    def _next(self, batches: Iterator[pa.RecordBatch]) -> pa.RecordBatch | None:
        with self._intact():  # not around the yield: what the taker of a batch raises is not about reading
            return next(batches, None)

    def export(self, path: Path, format: str | None = None) -> None:  # noqa: A002 - the word users know
        """Write the table as CSV, JSON lines or Parquet, by ``format`` or the extension; the file appears when whole.

        Raises BadInput for another format, DiskFull, NotFound for a folder that is not there.
        """
        export_table(self.batches(), path, format, arrow_schema(self._names, [column.type for column in self.columns]))

    def export_to_database(self, path: Path, table: str, *, replace: bool = False) -> None:
        """Write the table into a SQLite or DuckDB file, see ``export_database``."""
        from mldesk.data.export_database import export_to_database  # only who writes to one needs it

        export_to_database(self.batches(), path, table, arrow_schema(
            self._names, [column.type for column in self.columns]), replace=replace)

    def export_answer(self, sql: str, path: Path) -> int:
        """Write all rows of one SELECT as ``export`` does; return how many. Raises as ``export`` and ``answer`` do."""
        with self._lock, self._intact(), sql_errors("The query"):
            return rows_taken(self._engine(), sql, lambda reader: export_rows(reader, path),
                              parquet=EXPORTS.get(path.suffix.lower()) == "parquet")

    # --- inside

    def _page(self, offset: int, limit: int) -> list[list[Any]]:
        with self._lock:
            return _rows(self._stored.slice(offset, limit))

    def _order(self, fitting: str) -> npt.NDArray[Any]:
        """Return the places of the rows that fit, in order; the last such order is kept, for its next page."""
        if self._ordered is None or self._ordered[0] != fitting:
            places = self._engine().execute(f"SELECT {identifier(self._row)} AS place {fitting}").fetchnumpy()["place"]
            self._ordered = (fitting, np.asarray(places).astype(np.int64 if self.rows_total >> 32 else np.uint32))
        return self._ordered[1]

    def _engine(self) -> duckdb.DuckDBPyConnection:
        if self._connection is None:
            self._scratch = working_folder_in(self._spill, "mldesk-view")
            connection = connect(self._paths, self._scratch)
            connection.execute(f"CREATE VIEW data AS SELECT * FROM {relation(self._paths)}")
            if self._name.casefold() not in ("data", "_rows"):
                connection.execute(f"CREATE VIEW {identifier(self._name)} AS SELECT * FROM data")
            connection.execute(f"CREATE VIEW _rows AS SELECT * FROM "
                               f"{relation(self._paths, row=self._row, counts=self._counts)}")
            self._connection = connection
        return self._connection

    def _condition(self, where: str | None, search: str | None, only: Sequence[int] | None = None) -> str:
        conditions = []
        if only is not None:
            conditions.append(f"{identifier(self._row)} IN {literal_list(only)}")
        if where and where.strip():
            expression = check_expression(self._engine(), where, self._names)
            plain = self._fitting is None or growth_of(self._engine(), where) <= MOST
            conditions.append(f"({expression})" if plain or self._fitting is None else
                              self._fitting.condition(self._engine(), expression, self._row))
        if search:
            conditions.append(search_sql(self.columns, search))
        return " WHERE " + " AND ".join(conditions) if conditions else ""

    def _known(self, name: str) -> str:
        if name not in self._names:
            raise NotFound(f"There is no column {name!r:.80} in this table.", hint=which_column(name, self._names))
        return name


def _rows(table: pa.Table) -> list[list[Any]]:
    """Turn a page into rows; the columns are converted one by one, which is quicker."""
    columns = [[plain(value) for value in values_of(column)] for column in table.columns]
    return [list(row) for row in zip(*columns, strict=True)]
