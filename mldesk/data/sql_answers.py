"""Answers to SELECTs that a user wrote, over a connection that can reach nothing but one table.

Whoever asks has the connection's errors turned into sentences, and bounds what an answer may take.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from mldesk.core.errors import BadInput
from mldesk.data.engine import identifier
from mldesk.data.export import export_table
from mldesk.data.names import clean_names
from mldesk.data.records import Problems
from mldesk.data.types import plain
from mldesk.data.unwritable import refuse_unwritable, unwritable

Taken = TypeVar("Taken")
_DECIMAL = "DECIMAL(38,0)"
_ZONE = " WITH TIME ZONE"
_BATCH = 65_536     # rows of an answer that are handed on at once


def answer_of(connection: duckdb.DuckDBPyConnection, sql: str, limit: int) -> tuple[list[str], list[list[Any]], bool]:
    """Return the columns of one SELECT, its first ``limit`` rows as plain JSON values, and whether there are more.

    Raises BadInput for anything else than one SELECT.
    """
    statement = _select(connection, sql)
    answer = connection.execute(statement)
    if any(_ZONE in str(item[1]) for item in answer.description or ()):
        answer = _without_zones(connection, statement)
    names = [str(item[0]) for item in answer.description or ()]
    rows = answer.fetchmany(limit + 1)
    return names, [[plain(value) for value in row] for row in rows[:limit]], len(rows) > limit


def rows_taken(connection: duckdb.DuckDBPyConnection, sql: str, take: Callable[[pa.RecordBatchReader], Taken], *,
               parquet: bool) -> Taken:
    """Hand on all rows of one SELECT. Sums of whole numbers are whole if they can be, which Arrow would not have.

    ``take`` may be called twice; what it made the first time is to be replaced then. Raises BadInput for a column
    that Parquet, if it is for that, or Arrow cannot hold.
    """
    query = _select(connection, sql).query.rstrip("; \n")
    found = connection.sql(query)
    if parquet:
        refuse_unwritable(found.columns, found.types)
    huge = [name for name, kind in zip(found.columns, found.types, strict=True) if "HUGEINT" in str(kind)]
    if huge and len(set(found.columns)) == len(found.columns):
        pairs = ", ".join(f"CAST({identifier(name)} AS BIGINT) AS {identifier(name)}" for name in huge)
        with suppress(duckdb.ConversionException):  # too large for that
            whole = f"SELECT * REPLACE ({pairs}) FROM ({query}\n)"
            return take(connection.sql(whole).to_arrow_reader(_BATCH))
        signed = [name for name, kind in zip(found.columns, found.types, strict=True) if str(kind) == "HUGEINT"]
        if signed:
            return _decimal(connection, query, signed, take)
    return take(found.to_arrow_reader(_BATCH))


def export_rows(reader: pa.RecordBatchReader, path: Path) -> int:
    """Write rows as a file; return how many. Columns of one name get numbers, as in an import: JSON keeps but the last.
    """
    names = reader.schema.names
    if len(set(names)) < len(names):
        names = clean_names(names, Problems(path.name))
        schema = pa.schema([field.with_name(name) for field, name in zip(reader.schema, names, strict=True)])
        reader = pa.RecordBatchReader.from_batches(schema, (batch.rename_columns(names) for batch in reader))
    return export_table(reader, path, None, reader.schema)


def write_parquet(reader: pa.RecordBatchReader, path: Path) -> int:
    """Write rows as Parquet; return how many."""
    rows = 0
    with pq.ParquetWriter(path, reader.schema) as writer:
        for batch in reader:
            writer.write_batch(batch)
            rows += batch.num_rows
    return rows


def _select(connection: duckdb.DuckDBPyConnection, sql: str) -> duckdb.Statement:
    """Return the one SELECT that a query is. Raises BadInput for anything else."""
    statements = connection.extract_statements(sql)
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise BadInput("A query is one SELECT; nothing else is allowed here.",
                       hint="For example: SELECT count(*) FROM data.")
    return statements[0]


def _without_zones(connection: duckdb.DuckDBPyConnection, statement: duckdb.Statement) -> duckdb.DuckDBPyConnection:
    """Begin a query, moments with a time zone as of UTC: to hand on theirs the engine wants another library."""
    query = statement.query.rstrip("; \n")
    found = connection.sql(query)
    columns = [f"#{place}" if _ZONE not in kind else
               f"CAST(#{place} AS {'TIMESTAMP' if kind == f'TIMESTAMP{_ZONE}' else 'VARCHAR'})"
               for place, kind in enumerate(map(str, found.types), start=1)]
    named = ", ".join(f"{column} AS {identifier(name)}"
                      for column, name in zip(columns, found.columns, strict=True))
    return connection.execute(f"SELECT {named} FROM ({query}\n)")


def _decimal(connection: duckdb.DuckDBPyConnection, query: str, names: Sequence[str],
             take: Callable[[pa.RecordBatchReader], Taken]) -> Taken:
    """Hand on the rows with HUGEINTs as the decimals Arrow has for them, which end sooner. Raises BadInput."""
    pairs = ", ".join(f"CAST({identifier(name)} AS {_DECIMAL}) AS {identifier(name)}" for name in names)
    try:
        return take(connection.sql(f"SELECT * REPLACE ({pairs}) FROM ({query}\n)").to_arrow_reader(_BATCH))
    except duckdb.ConversionException as error:
        if _DECIMAL not in str(error):
            raise
        raise unwritable(" or ".join(names), "HUGEINT", "with numbers of over 38 digits, which cannot be handed on",
                         "DOUBLE") from error
