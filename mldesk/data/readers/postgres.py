"""PostgreSQL: a table or a query of a server, with the types it has, inside a transaction that may only read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

import pyarrow as pa
import pyarrow.compute as pc

from mldesk.core.errors import WorkFailed
from mldesk.data.readers.database_choice import choose_table, refuse_query
from mldesk.data.readers.duckdb_tables import write_arrow
from mldesk.data.readers.raw import Context
from mldesk.data.readers.typed import TypedTable, read_typed
from mldesk.data.readers.typed_files import ArrowRows
from mldesk.data.records import Fix, ImportCancelled, ImportRefused
from mldesk.data.stopping import check_stopped, stoppable, watch

_PREVIEW = 20_000     # rows
_PATIENCE = 15        # seconds to connect in
_LACKING = "Reading PostgreSQL needs the package adbc-driver-postgresql."
# A table that was never analysed says -1 rows; its size (bytes) then tells it from one that is empty.
_TABLES = """SELECT CASE WHEN n.nspname = 'public' THEN c.relname ELSE n.nspname || '.' || c.relname END,
    CASE WHEN c.reltuples < 0 THEN coalesce(pg_relation_size(c.oid), 0) / 100 ELSE c.reltuples END::bigint
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
    AND n.nspname NOT LIKE 'pg\\_%' AND has_table_privilege(c.oid, 'SELECT')"""


class _Statement:
    """A cursor that another thread may stop."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor

    def interrupt(self) -> None:
        self._cursor.adbc_cancel()


def read_postgres(context: Context, url: str) -> TypedTable:
    """Bring a table, or the answer to a query, here as an Arrow file. Raises ImportRefused, WorkFailed, DiskFull."""
    target = context.scratch / f"{context.number}.arrow"
    what = stoppable(lambda: _bring(context, url, target), context.cancelled, "The import")
    table = read_typed(context, ArrowRows(target))
    table.reading = {"format": "postgresql", **what}
    return table


def _bring(context: Context, url: str, target: Path) -> dict[str, str]:
    try:
        from adbc_driver_postgresql import dbapi  # a shared library, seldom needed
    except ImportError as error:
        raise ImportRefused(_LACKING, hint="Install it: pip install adbc-driver-postgresql.") from error
    with _errors(context, url), closing(dbapi.connect(_patient(url))) as connection, connection.cursor() as cursor:
        watch(_Statement(cursor))
        check_stopped("The import")
        cursor.execute("SET TRANSACTION READ ONLY")
        sql, what = _question(context, cursor)
        cursor.execute(sql)
        reader = _Readable(cursor.fetch_record_batch())
        rows = write_arrow(reader, target, _PREVIEW if context.sampled else None)
        context.more = context.sampled = context.sampled and rows >= _PREVIEW
    if not rows and "query" in what:
        raise ImportRefused(f"{context.name}: the query has no rows.")
    if not rows:
        others = [name for name in context.choices if name != what["table"]]
        raise ImportRefused(f"{context.name}: the table {what['table']!r:.80} has no rows.",
                            fixes=[Fix(f"Read the table {name!r}", {"table": name}) for name in others[:5]])
    return what


def _question(context: Context, cursor: Any) -> tuple[str, dict[str, str]]:
    query = context.options.query
    if query is not None:
        refuse_query(context, query)
        return query, {"query": query}
    cursor.execute(_TABLES)
    table = choose_table(context, [(str(name), int(rows)) for name, rows in cursor.fetchall()], context.options.table)
    schema, _, name = table.rpartition(".")
    quoted = ".".join(_quoted(part) for part in ((schema, name) if schema else (name,)))
    return f"SELECT * FROM {quoted}", {"table": table}


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _patient(url: str) -> str:
    """Return the URL with a limit on how long connecting may take, unless it has one."""
    if "connect_timeout" in parse_qs(urlsplit(url).query):
        return url
    return f"{url}{'&' if urlsplit(url).query else '?'}connect_timeout={_PATIENCE}"


class _Readable:
    """The batches of a reader, exact decimals (which come as text) as numbers, unknown kinds as they are kept."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader
        self._numbers = [_is_numeric(field) for field in reader.schema]
        self.schema = pa.schema([pa.field(field.name, _plain_type(field)) for field in reader.schema])

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        for batch in self._reader:
            check_stopped("The import")
            columns = [self._column(*pair) for pair in zip(batch.columns, self._numbers, strict=True)]
            yield pa.RecordBatch.from_arrays(columns, schema=self.schema)

    def _column(self, values: pa.Array, number: bool) -> pa.Array:
        if isinstance(values, pa.ExtensionArray):
            values = values.storage
        if pa.types.is_fixed_size_binary(values.type):  # a UUID
            return pa.array([None if value is None else value.hex() for value in values.to_pylist()], pa.string())
        return pc.cast(values, pa.float64()) if number else values


def _is_numeric(field: pa.Field) -> bool:
    said = (field.metadata or {}).get(b"ADBC:postgresql:typname", b"")
    return bool(said == b"numeric" or getattr(field.type, "type_name", "") == "numeric")


def _plain_type(field: pa.Field) -> pa.DataType:
    if _is_numeric(field):
        return pa.float64()
    kind = field.type.storage_type if isinstance(field.type, pa.BaseExtensionType) else field.type
    return pa.string() if pa.types.is_fixed_size_binary(kind) else kind


@contextmanager
def _errors(context: Context, url: str) -> Iterator[None]:
    from adbc_driver_manager import Error, OperationalError, ProgrammingError

    try:
        yield
    except Error as error:
        check_stopped("The import")
        said = _said(error, url)
        if "canceling statement" in said:
            raise ImportCancelled from error
        if "read-only transaction" in said:
            raise ImportRefused(f"{context.name}: a query may read the database only.", hint="A query is one SELECT."
                                ) from error
        if isinstance(error, ProgrammingError) and "connect" not in said:
            raise ImportRefused(f"{context.name}: the query cannot be answered: {said}.") from error
        if isinstance(error, OperationalError) or "connect" in said:
            raise WorkFailed(f"{context.name} cannot be reached: {said}.",
                             hint="Check the address, the user and the password: postgresql://user:password@host/name."
                             ) from error
        raise ImportRefused(f"{context.name} cannot be read: {said}.") from error


def _said(error: BaseException, url: str) -> str:
    """Return what the server said, without where in our code, and never with the password."""
    found = re.search(r"(?:ERROR|FATAL|error):\s*([^\n]+)", str(error))
    text = found[1] if found else " ".join(line.strip() for line in str(error).splitlines()[:2])
    password = urlsplit(url).password
    for secret in {password, unquote(password), quote(unquote(password))} if password else set():
        text = text.replace(secret, "…")
    return text.rstrip(". ")[:240] or type(error).__name__
