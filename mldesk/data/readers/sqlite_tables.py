"""SQLite databases: a table or a query becomes text columns. The database is opened read-only and locked down.

SQLite's columns may hold anything whatever they are called, so types are found out as those of a text file are.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.request import pathname2url

from mldesk.data.names import clean_names
from mldesk.data.readers.database_choice import choose_table, refuse_query
from mldesk.data.readers.raw import Context, Lines, RawTable, batch_rows, text_array
from mldesk.data.readers.spool import Spool
from mldesk.data.records import ImportCancelled, ImportRefused

_STEPS = 20_000   # of SQLite's machine between two looks at whether the user wants out
_LOOKS = 2_000    # while the rows of one table are counted: a view may go on for ever
_ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
_PREVIEW = 20_000  # rows


def read_sqlite(context: Context, source: Path) -> RawTable:
    """Read a table, or the answer to a query, into text columns. Raises ImportRefused, ImportCancelled, DiskFull."""
    with _errors(context), closing(_connect(context, source)) as connection:
        query = context.options.query
        if query is None:
            table = choose_table(context, _tables(context, connection), context.options.table)
            query, what = f"SELECT * FROM {_quoted(table)}", {"table": table}
        else:
            refuse_query(context, query)
            what = {"query": query}
        connection.set_authorizer(_authorize)
        cursor = connection.execute(query)
        if cursor.description is None:
            raise ImportRefused(f"{context.name}: the query gives no rows.", hint="A query is one SELECT.")
        names = clean_names([str(item[0]) for item in cursor.description], context.problems)
        spool, undecodable = _fill(context, cursor, len(names))
    if not spool.rows:
        raise ImportRefused(f"{context.name}: {'the query' if 'query' in what else repr(what['table'])} has no rows.")
    if undecodable:
        context.problems.add("remarks", f"{undecodable:,} cells are binary; they are kept as hexadecimal text.",
                             fix="A query can leave them out, or make something else of them.")
    return RawTable(names, spool, Lines.regular(1), reading={"format": "sqlite", **what})


def _connect(context: Context, source: Path) -> sqlite3.Connection:
    # A write-ahead log beside the file belongs to it; without one SQLite must not even try to make files there.
    mode = "mode=ro" if source.with_name(source.name + "-wal").exists() else "mode=ro&immutable=1"
    connection = sqlite3.connect(f"file:{pathname2url(str(source.absolute()))}?{mode}", uri=True)
    try:
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA cell_size_check = ON")
        connection.execute("PRAGMA query_only = ON")
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        connection.text_factory = lambda data: data.decode("utf-8", "replace")
        connection.set_progress_handler(lambda: _cancelled(context), _STEPS)
    except BaseException:
        connection.close()
        raise
    return connection


def _cancelled(context: Context) -> bool:
    return context.cancelled is not None and context.cancelled()


def _after_looks(context: Context) -> Callable[[], bool]:
    """Return what ends a query that was cancelled, or that was looked at often enough."""
    looks = iter(range(_LOOKS))
    return lambda: _cancelled(context) or next(looks, None) is None


def _tables(context: Context, connection: sqlite3.Connection) -> Iterator[tuple[str, int]]:
    """Give every table and view with its rows; 0 for a view that has not been counted after so many steps."""
    names = [row[0] for row in connection.execute(
        "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' "
        "ORDER BY name")]
    for name in names:
        connection.set_progress_handler(_after_looks(context), _STEPS)
        try:
            rows = int(connection.execute(f"SELECT count(*) FROM {_quoted(name)}").fetchone()[0])
        except sqlite3.Error as error:  # a view of what is not there or too big, or a kind of table not built in
            if "interrupted" not in str(error):
                continue
            if _cancelled(context):
                raise
            rows = 0
        yield name, rows
    connection.set_progress_handler(lambda: _cancelled(context), _STEPS)


def _fill(context: Context, cursor: sqlite3.Cursor, width: int) -> tuple[Spool, int]:
    spool, size, binary = Spool(context.scratch, str(context.number)), batch_rows(width), 0
    while rows := cursor.fetchmany(size):
        binary += sum(isinstance(cell, bytes) for row in rows for cell in row)
        spool.add([text_array([_text(cell) for cell in column]) for column in zip(*rows, strict=True)], len(rows))
        context.check()
        context.parsed(spool.rows / (spool.rows + 1_000_000))  # how many there will be, nobody knows
        if context.sampled and spool.rows >= _PREVIEW:
            return spool, binary
    context.sampled = False
    return spool, binary


def _text(cell: object) -> str | None:
    if cell is None or isinstance(cell, str):
        return cell
    return cell.hex() if isinstance(cell, bytes) else repr(cell)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _authorize(action: int, *_: object) -> int:
    return sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY


@contextmanager
def _errors(context: Context) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        said = str(error).rstrip(".")
        if "interrupted" in said:
            raise ImportCancelled from error
        if "prohibited" in said or "not authorized" in said:
            raise ImportRefused(f"{context.name}: a query may read the database only.", hint="A query is one SELECT."
                                ) from error
        if context.options.query is not None and isinstance(error, (sqlite3.OperationalError,
                                                                    sqlite3.ProgrammingError, sqlite3.Warning)):
            raise ImportRefused(f"{context.name}: the query cannot be answered: {said[:200]}.") from error
        raise ImportRefused(f"{context.name} is damaged or not an SQLite database: {said[:160]}.",
                            hint="Copy it again while no program writes to it.") from error
    except UnicodeDecodeError as error:  # what SQLite says of a damaged schema quotes it
        raise ImportRefused(f"{context.name} is damaged: its description of the tables is not text.",
                            hint="Copy it again while no program writes to it.") from error
