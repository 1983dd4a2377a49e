"""Write a table into a SQLite or DuckDB database: a new file, or a new table in one that is there.

All rows are there or none: in a file that is there by one transaction, else the file appears when it is whole.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from mldesk.core.durable import disk_errors, sync_directory
from mldesk.core.errors import BadInput, Conflict, WorkFailed
from mldesk.core.targets import check_target
from mldesk.data.engine import first_line, identifier
from mldesk.data.export import Batches
from mldesk.data.types import plain, values_of

DATABASES = {".sqlite": "sqlite", ".sqlite3": "sqlite", ".db": "sqlite", ".duckdb": "duckdb", ".ddb": "duckdb"}
_CALLED = {"sqlite": "SQLite", "duckdb": "DuckDB"}
_LONGEST = 120   # characters of a table's name
_WAIT = 5.0      # seconds for whoever else writes to the database


def database_kind(path: Path) -> str:
    """Return "sqlite" or "duckdb" by a file's extension, "" for other files."""
    return DATABASES.get(path.suffix.lower(), "")


def tables_in(path: Path) -> list[str]:
    """Return the tables and views of a database; none where there is no file. Raises BadInput for another file."""
    if not _there(path):
        return []
    if database_kind(path) == "sqlite":
        with _errors(path), closing(sqlite3.connect(path, timeout=_WAIT)) as sqlite:
            return [str(name) for name, in sqlite.execute(
                "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE "
                "'\\' ORDER BY name")]
    with _errors(path), closing(duckdb.connect(str(path), read_only=True)) as connection:
        return [str(row[0]) for row in connection.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'main' ORDER BY 1").fetchall()]


def export_to_database(batches: Batches, path: Path, table: str, schema: pa.Schema, *, replace: bool = False) -> int:
    """Write the rows as a table of that name, return how many; other tables stay as they are.

    Raises Conflict where a table of that name is there, unless ``replace``; BadInput for a file that is no such
    database, a name that cannot be one or columns that differ by capitals only; NotFound, WorkFailed, DiskFull.
    """
    check_target(path)
    _check_names(table, schema.names)
    there = {name.casefold(): name for name in tables_in(path)}
    if table.casefold() in there and not replace:
        raise Conflict(f"{path.name} has a table {there[table.casefold()]!r:.80} already, which would be lost.",
                       hint="Give another name (--table), or say that it may be replaced (--force).")
    write = _write_sqlite if database_kind(path) == "sqlite" else _write_duckdb
    old = there.get(table.casefold(), "")
    with disk_errors(f"writing {path.name}"), _errors(path):
        if _there(path):
            return write(path, table, old, batches, schema)
        draft = path.with_name(f".{path.name[:80]}.{secrets.token_hex(6)}.tmp")
        try:
            rows = write(draft, table, "", batches, schema)
            os.replace(draft, path)
            sync_directory(path.parent)
        finally:
            for left in (draft, draft.with_name(draft.name + "-journal"), draft.with_name(draft.name + ".wal")):
                left.unlink(missing_ok=True)
        return rows


def _check_names(table: str, columns: Sequence[str]) -> None:
    if not table.strip() or len(table) > _LONGEST or not table.isprintable() or table.lower().startswith("sqlite_"):
        raise BadInput(f"A table cannot be called {table!r:.80}.", hint=f"Give a name of at most {_LONGEST} letters.")
    seen: dict[str, str] = {}
    for name in columns:
        if name.casefold() in seen:
            raise BadInput(f"The columns {seen[name.casefold()]!r:.60} and {name!r:.60} are one to a database.",
                           hint="Rename one of them by a recipe.")
        seen[name.casefold()] = name


def _there(path: Path) -> bool:
    """Say whether a database is there. Raises BadInput for a file that is another."""
    if not path.is_file() or not path.stat().st_size:
        return False
    with open(path, "rb") as file:
        head = file.read(16)
    kind = database_kind(path)
    if not (head.startswith(b"SQLite format 3\0") if kind == "sqlite" else head[8:12] == b"DUCK"):
        raise BadInput(f"{path.name} is no {_CALLED[kind]} database, and would be lost.", hint="Name another file.")
    return True


@contextmanager
def _errors(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, duckdb.Error) as error:
        said = first_line(error)[:200]
        if "lock" in said.lower():
            raise WorkFailed(f"{path.name} is in use: another program writes to it.", hint="Close it there.") from error
        if "full" in said.lower():
            raise OSError(28, "No space left on device", str(path)) from error
        raise WorkFailed(f"{path.name} could not be written: {said}.") from error


_SQLITE = ((pa.types.is_boolean, "BOOLEAN"), (pa.types.is_integer, "INTEGER"), (pa.types.is_floating, "REAL"),
           (pa.types.is_date, "DATE"), (pa.types.is_timestamp, "DATETIME"), (pa.types.is_time, "TIME"))


def _write_sqlite(path: Path, table: str, old: str, batches: Batches, schema: pa.Schema) -> int:
    columns = ", ".join(f"{identifier(item.name)} {_sqlite_type(item.type)}" for item in schema)
    cells, rows = ", ".join("?" * len(schema)), 0
    with closing(sqlite3.connect(path, timeout=_WAIT, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        if old:
            connection.execute(f"DROP TABLE {identifier(old)}")
        connection.execute(f"CREATE TABLE {identifier(table)} ({columns})")
        for batch in batches:
            values = [[_cell(value) for value in values_of(column)] for column in batch.columns]
            connection.executemany(f"INSERT INTO {identifier(table)} VALUES ({cells})",
                                   zip(*values, strict=True))
            rows += batch.num_rows
        connection.execute("COMMIT")   # whoever does not come so far: closing takes everything back
    return rows


def _sqlite_type(kind: pa.DataType) -> str:
    return next((name for is_kind, name in _SQLITE if is_kind(kind)), "TEXT")


def _cell(value: Any) -> Any:
    return int(value) if isinstance(value, bool) else value if isinstance(value, float) else plain(value)


def _write_duckdb(path: Path, table: str, old: str, batches: Batches, schema: pa.Schema) -> int:
    rows = pa.RecordBatchReader.from_batches(schema, batches)
    with closing(duckdb.connect(str(path))) as connection:
        connection.register("_mldesk_rows", rows)
        connection.execute("BEGIN")
        if old:
            connection.execute(f"DROP TABLE {identifier(old)}")
        connection.execute(f"CREATE TABLE {identifier(table)} AS SELECT * FROM _mldesk_rows")
        connection.execute("COMMIT")
        connection.unregister("_mldesk_rows")
        found = connection.execute(f"SELECT count(*) FROM {identifier(table)}").fetchone()
    return int(found[0]) if found is not None else 0
