"""DuckDB database files: a table or a query, with its types. Opened read-only, and able to reach nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from mldesk.core.durable import disk_errors
from mldesk.data.engine import MEMORY, first_line, identifier
from mldesk.data.readers.database_choice import choose_table
from mldesk.data.readers.raw import Context
from mldesk.data.readers.typed import TypedTable, read_typed
from mldesk.data.readers.typed_files import ArrowRows
from mldesk.data.records import ImportRefused
from mldesk.data.stopping import stoppable, watch

_BATCH = 32_768    # rows
_PREVIEW = 20_000  # rows


def read_duckdb(context: Context, source: Path) -> TypedTable:
    """Bring a table, or the answer to a query, here as an Arrow file. Raises ImportRefused, ImportCancelled."""
    target = context.scratch / f"{context.number}.arrow"
    what = stoppable(lambda: _bring(context, source, target), context.cancelled, "The import")
    table = read_typed(context, ArrowRows(target))
    table.reading = {"format": "duckdb", **what}
    return table


def _bring(context: Context, source: Path, target: Path) -> dict[str, Any]:
    with _errors(context), closing(_connect(source, context.scratch)) as connection:
        watch(connection)
        sql = context.options.query
        if sql is None:
            schema, table = _choose(context, connection)
            sql = f"SELECT * FROM {identifier(schema)}.{identifier(table)}"
            what = {"table": table if schema == "main" else f"{schema}.{table}"}
        else:
            what = {"query": sql}
        statements = connection.extract_statements(sql)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise ImportRefused(f"{context.name}: a query may read the database only.", hint="A query is one SELECT.")
        rows = write_arrow(connection.sql(sql).to_arrow_reader(_BATCH), target,
                           _PREVIEW if context.sampled else None)
        context.more = context.sampled = context.sampled and rows >= _PREVIEW
    if not rows:
        raise ImportRefused(f"{context.name}: the {'query' if 'query' in what else 'table'} has no rows.")
    return what


def write_arrow(reader: Any, target: Path, limit: int | None) -> int:
    """Write record batches to an Arrow file until they end or ``limit`` is passed; return the rows. Raises DiskFull."""
    rows = 0
    options = pa.ipc.IpcWriteOptions(compression="lz4", unify_dictionaries=False, emit_dictionary_deltas=True)
    with disk_errors("reading the database"), pa.ipc.new_stream(str(target), reader.schema, options=options) as out:
        for batch in reader:
            out.write_batch(batch)
            rows += batch.num_rows
            if limit is not None and rows >= limit:
                break
    return rows


def _connect(source: Path, scratch: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(str(source), read_only=True, config={
        "memory_limit": MEMORY, "temp_directory": str(scratch), "autoinstall_known_extensions": False,
        "autoload_known_extensions": False, "allow_community_extensions": False, "python_enable_replacements": False})
    try:
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
    except BaseException:
        connection.close()
        raise
    return connection


def _choose(context: Context, connection: duckdb.DuckDBPyConnection) -> tuple[str, str]:
    found = connection.execute(
        "SELECT schema_name, table_name, estimated_size FROM duckdb_tables() WHERE NOT internal AND NOT temporary "
        "UNION ALL SELECT schema_name, view_name, 0 FROM duckdb_views() WHERE NOT internal AND NOT temporary"
    ).fetchall()
    places = {name if schema == "main" else f"{schema}.{name}": (schema, name) for schema, name, _ in found}
    sizes = [(name if schema == "main" else f"{schema}.{name}", int(size or 0)) for schema, name, size in found]
    return places[choose_table(context, sizes, context.options.table)]


@contextmanager
def _errors(context: Context) -> Iterator[None]:
    try:
        yield
    except duckdb.InterruptException:
        raise
    except duckdb.PermissionException as error:
        raise ImportRefused(f"{context.name}: a query may read this database only: no files, no network, no settings."
                            ) from error
    except (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException,
            duckdb.ConversionException) as error:
        raise ImportRefused(f"{context.name}: the query cannot be answered: {first_line(error)}.") from error
    except duckdb.Error as error:
        raise ImportRefused(f"{context.name} is damaged, in use, or not a DuckDB database that can be read: "
                            f"{first_line(error)[:160]}.", hint="Close the program that writes to it, or copy it again."
                            ) from error
