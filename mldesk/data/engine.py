"""DuckDB, bounded and locked in: so much memory, so many threads, these files and no others."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from mldesk.core.cores import usable_cores
from mldesk.core.errors import BadInput, DiskFull, LibraryDamaged, WorkFailed
from mldesk.data.near import did_you_mean
from mldesk.data.stopping import watch

MEMORY = "1GiB"
_NO_TABLE = re.compile(r'Table with name .* does not exist|Referenced table ".*" not found')
_UNKNOWN = re.compile(r'Referenced column "(?P<column>.+?)" not found|'
                      r'Function with name (?P<function>\S+) does not exist')
_QUOTED = re.compile(r'"([^"]+)"')
_PREFIX = re.compile(r"^[A-Za-z ]+ Error: ")


def connect(parts: Sequence[Path], scratch: Path, *, threads: int | None = None,
            layered: bool = False) -> duckdb.DuckDBPyConnection:
    """Return a connection that can read ``parts`` and spill to ``scratch``, and reach nothing else, now or later.

    ``layered`` is for queries over queries over queries, as the steps of a recipe are.
    """
    connection = duckdb.connect(":memory:", config={
        "threads": threads or min(4, usable_cores()), "memory_limit": MEMORY, "temp_directory": str(scratch),
        "autoinstall_known_extensions": False, "autoload_known_extensions": False, "allow_community_extensions": False,
        "python_enable_replacements": False, "preserve_insertion_order": True, "errors_as_json": False,
    })
    allowed = ", ".join(literal(str(part)) for part in parts)
    connection.execute(f"SET allowed_paths = [{allowed}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET TimeZone = 'UTC'")
    if layered:  # to read other columns last, it would write each query into the next: 5 steps alike took minutes
        connection.execute("SET disabled_optimizers = 'late_materialization'")
    connection.execute("SET lock_configuration = true")
    watch(connection)
    return connection


def identifier(name: str) -> str:
    """Quote a column's or table's name for SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: Any) -> str:
    """Write a value for SQL."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return f"'{value!r}'::DOUBLE"
    if "\0" in str(value):
        return " || ".join("chr(0)" if piece == "\0" else literal(piece)
                           for piece in re.split("(\0)", str(value)) if piece) or "''"
    return "'" + str(value).replace("'", "''") + "'"


def literal_list(values: Iterable[int]) -> str:
    """Write whole numbers as a list for SQL."""
    return f"[{', '.join(str(int(value)) for value in values)}]::BIGINT[]"


def free_name(name: str, taken: Iterable[str]) -> str:
    """Return ``name``, with as many underscores after it as make it none of ``taken``, upper or lower case alike."""
    folded = {item.casefold() for item in taken}
    while name.casefold() in folded:
        name += "_"
    return name


def relation(parts: Sequence[Path], *, row: str | None = None, counts: Sequence[int] = ()) -> str:
    """Return SQL for all rows of the parts; with ``row`` also their place from 0, given the parts' row ``counts``."""
    if row is None:
        return f"read_parquet([{', '.join(literal(str(part)) for part in parts)}])"
    names = {name.casefold() for name in pq.read_schema(parts[0]).names}
    first, pieces = 0, []
    for part, count in zip(parts, counts, strict=True):
        path = literal(str(part))
        if "file_row_number" in names:  # a column of the table, which DuckDB's own of that name would clash with
            pieces.append(f"SELECT *, {first - 1} + row_number() OVER () AS {identifier(row)} "
                          f"FROM read_parquet({path})")
        else:
            pieces.append(f"SELECT * EXCLUDE (file_row_number), {first} + file_row_number AS {identifier(row)} "
                          f"FROM read_parquet({path}, file_row_number = true)")
        first += count
    return "(" + " UNION ALL ".join(pieces) + ")"


def one_row(connection: duckdb.DuckDBPyConnection, sql: str, values: Sequence[Any] = ()) -> tuple[Any, ...]:
    """Return the only row of an answer, () if it has none; fetched to its end, so that nothing is left pending."""
    rows = connection.execute(sql, list(values)).fetchall()
    return tuple(rows[0]) if rows else ()


@contextlib.contextmanager
def sql_errors(doing: str) -> Iterator[None]:
    """Turn DuckDB's errors into sentences. ``doing`` says what was tried: "The query"."""
    try:
        yield
    except duckdb.InterruptException as error:
        raise WorkFailed(f"{doing} was stopped.") from error
    except duckdb.OutOfMemoryException as error:
        raise WorkFailed(f"{doing} needs more memory or disk space than it may have.",
                         hint="Ask for fewer rows or columns, or make shorter texts.") from error
    except duckdb.PermissionException as error:
        raise BadInput(f"{doing} may read this table only: no files, no network, no settings.") from error
    except duckdb.IOException as error:
        if "space" in str(error).lower():
            raise DiskFull(f"The disk is full: {doing[:1].lower() + doing[1:]} stopped, and nothing that was saved "
                           "before is lost.", hint="Free some space, then do it again.") from error
        raise LibraryDamaged(f"The table's files cannot be read: {first_line(error)}.") from error
    except OSError as error:  # DuckDB's own words, by way of Arrow
        if "Arrow Appender" not in str(error):
            raise
        raise WorkFailed(f"{doing} makes more text than can be handed on at once: over 2 GB.",
                         hint="Make shorter cells.") from error
    except duckdb.Error as error:
        raise BadInput(f"{doing} cannot be answered: {first_line(error)}.", hint=_advice(error)) from error


def _advice(error: BaseException) -> str:
    """Return what was perhaps meant. DuckDB always names something, however far off; only what is near is of help."""
    text = str(error)
    if _NO_TABLE.search(text):
        return "The table's name is `data`."
    found = _UNKNOWN.search(text)
    if found is None:
        return ""
    word = found["column"] or found["function"]
    line = next((line for line in text.splitlines() if line.startswith(("Candidate bindings:", "Did you mean"))), "")
    near = did_you_mean(word, [name.rpartition(".")[2] for name in _QUOTED.findall(line)])
    return near or ("`SELECT * FROM data LIMIT 1` shows the columns." if found["column"] else "")


def first_line(error: BaseException) -> str:
    """Return DuckDB's message without its kind, its candidates and its drawing of the place."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = _PREFIX.sub("", lines[0]) if lines else type(error).__name__
    return text.rstrip(".!")[:300]
