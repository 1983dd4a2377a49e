"""The profile of a table: for every column how full it is, how its values lie, and which are frequent.

Numbers and moments are put in order once per column, by numpy; the rest, and tables too long for that, are counted by
DuckDB, many columns at a time, out of core. A table of ten thousand columns takes seconds. Everything is exact.
"""

from __future__ import annotations

import contextvars
import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mldesk.core.cores import usable_cores
from mldesk.core.scratch import working_folder
from mldesk.data.engine import connect, free_name, identifier, one_row, relation, sql_errors
from mldesk.data.parts import part_paths
from mldesk.data.records import Cancelled
from mldesk.data.statistics.runs import Sorted, in_order, quantiles, spread
from mldesk.data.stopping import check_stopped, stoppable
from mldesk.data.types import plain
from mldesk.wire.objects import ObjectStore
from mldesk.wire.schema import Column, ColumnType

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
BINS = 20
TOP = 10
_CELLS = 12_000_000   # values that are sorted and counted at once
_MANY = 50_000        # rows from which a column is worth a query of its own
_COLUMNS = 250        # columns at once at most
_LONG = 200           # characters of a text that are shown
_SECONDS = "epoch_us({})::DOUBLE / 1e6"


def profile(store: ObjectStore, manifest: str, columns: Sequence[Column], *,
            cancelled: Cancelled | None = None, scratch: Path | None = None) -> dict[str, Any]:
    """Return {"rows", "duplicates", "columns": [...]}, plain JSON.

    Each column: name, type, missing, distinct, infinite, min, max, mean, std, quantiles {"0.5": v}, top [[value, n]],
    histogram {"edges", "counts"} (edges of dates as ISO text), and for text the lengths. None where it means nothing.
    ``duplicates`` counts rows that repeat an earlier one. What memory does not hold goes to a folder in
    ``scratch``, else in the system's. Raises ImportCancelled soon after ``cancelled`` says so.
    """
    return stoppable(lambda: _profile(store, manifest, columns, scratch), cancelled, "The profile")


def _profile(store: ObjectStore, manifest: str, columns: Sequence[Column], scratch: Path | None) -> dict[str, Any]:
    parts = part_paths(store, manifest)
    rows = sum(pq.read_metadata(path).num_rows for path in parts)
    with (working_folder(scratch, "mldesk-profile") as folder, sql_errors("The profile"),
          connect(parts, folder) as connection):
        facts: dict[str, dict[str, Any]] = {column.name: _empty(column) for column in columns}
        different = 0  # values of the column that has most
        for some, loaded in _load(connection, parts, columns, rows):
            check_stopped()
            if loaded is not None:
                found, some = _fill_sorted(loaded, some, facts)
                different = max(different, found)
            _fill_numbers(connection, some, facts)
            _fill_histograms(connection, some, facts)
            if loaded is None or rows > _MANY:
                different = max(different, *(_fill_from_groups(connection, column, facts[column.name])
                                             for column in some), 0)
            else:
                _fill_text_lengths(connection, some, facts)
                _fill_top(connection, some, facts)
        check_stopped()
        duplicates = _duplicates(connection, parts, rows) if different < rows else 0
    return {"rows": rows, "duplicates": duplicates, "columns": [facts[column.name] for column in columns]}


def _load(connection: duckdb.DuckDBPyConnection, parts: Sequence[Path], columns: Sequence[Column],
          rows: int) -> Iterator[tuple[list[Column], pa.Table | None]]:
    """Make ``data`` some columns at a time; give those, and the values unless they stay on disk."""
    if rows > _CELLS:
        connection.execute(f"CREATE VIEW data AS SELECT * FROM {relation(parts)}")
        for column in columns:
            yield [column], None
        return
    size = max(1, min(_COLUMNS, _CELLS // max(1, rows)))
    with ExitStack() as stack:
        files = [stack.enter_context(pq.ParquetFile(part)) for part in parts]
        for first in range(0, len(columns), size):
            some = list(columns[first:first + size])
            places = list(range(first, first + len(some)))
            # By place, not by name: pyarrow reads "a.b" when asked for "a".
            loaded = pa.concat_tables(file.reader.read_all(column_indices=places) for file in files)
            connection.register("data", loaded)
            yield some, loaded
            connection.unregister("data")


def _empty(column: Column) -> dict[str, Any]:
    return {"name": column.name, "type": column.type.value, "missing": column.missing, "distinct": column.distinct,
            "infinite": 0, "min": None, "max": None, "mean": None, "std": None, "quantiles": {}, "top": [],
            "histogram": None, "lengths": None}


def _long(columns: Sequence[Column], expression: Callable[[Column], str]) -> str:
    """Return SQL with one row per column and row: (k: the column's place, v: the expression)."""
    values = ", ".join(expression(column) for column in columns)
    return (f"(SELECT unnest(range({len(columns)})) AS k, unnest([{values}]) AS v FROM data)")


def _as_number(column: Column) -> str:
    """Return SQL for a column's value as a number: seconds for dates and times."""
    name = identifier(column.name)
    if column.type is ColumnType.TIME:
        return f"epoch_us(DATE '1970-01-01' + {name})::DOUBLE / 1e6"
    if column.type.temporal:
        return _SECONDS.format(f"{name}::TIMESTAMP")
    return f"{name}::DOUBLE"


def _countable(columns: Sequence[Column]) -> list[Column]:
    return [column for column in columns if column.type.numeric or column.type.temporal]


def _fill_numbers(connection: duckdb.DuckDBPyConnection, columns: Sequence[Column],
                  facts: dict[str, dict[str, Any]]) -> None:
    chosen = _countable(columns)
    if not chosen:
        return
    quantiles = ", ".join(str(q) for q in QUANTILES)
    answer = connection.execute(
        f"SELECT k, count(*) FILTER (isinf(v)), min(v), max(v), avg(v) FILTER (isfinite(v)), "
        f"stddev_samp(v) FILTER (isfinite(v)), quantile_cont(v, [{quantiles}]) FILTER (isfinite(v)) "
        f"FROM {_long(chosen, _as_number)} WHERE v IS NOT NULL GROUP BY k").fetchall()
    for place, infinite, low, high, mean, std, cuts in answer:
        column = chosen[place]
        fact = facts[column.name]
        fact["infinite"] = infinite
        fact["min"], fact["max"], fact["mean"] = (_value(column, number) for number in (low, high, mean))
        fact["std"] = plain(std)  # seconds for dates and times
        if column.type is ColumnType.INTEGER:
            fact["mean"] = plain(mean)
        fact["quantiles"] = {str(q): _value(column, cut) for q, cut in zip(QUANTILES, cuts or (), strict=False)}
    whole = [column for column in chosen if column.type is ColumnType.INTEGER]
    if whole:  # exact also beyond 2^53, where doubles are not
        bounds = ", ".join(f"min({identifier(column.name)}), max({identifier(column.name)})" for column in whole)
        row = one_row(connection, f"SELECT {bounds} FROM data")
        for column, low, high in zip(whole, row[::2], row[1::2], strict=True):
            facts[column.name]["min"], facts[column.name]["max"] = low, high


def _fill_sorted(loaded: pa.Table, columns: Sequence[Column],
                 facts: dict[str, dict[str, Any]]) -> tuple[int, list[Column]]:
    """Fill in the columns of numbers and moments; return how many values the most different has, and what is left."""
    def fill(place: int) -> int:
        check_stopped()
        column = columns[place]
        ordered = in_order(loaded.column(place), column.type)
        return -1 if ordered is None else _fill_from_order(column, ordered, facts[column.name])

    places = [place for place, column in enumerate(columns) if column.type.numeric or column.type.temporal]
    with ThreadPoolExecutor(min(4, usable_cores()), "columns") as pool:
        contexts = [contextvars.copy_context() for _ in places]
        different = list(pool.map(lambda context, place: context.run(fill, place), contexts, places))
    done = {place for place, count in zip(places, different, strict=True) if count >= 0}
    return max(different, default=0), [column for place, column in enumerate(columns) if place not in done]


def _fill_from_order(column: Column, ordered: Sorted, fact: dict[str, Any]) -> int:
    """Fill in what values in order tell; return how many different ones there are."""
    different, top = ordered.top(TOP)
    fact["top"] = [[_shown(column, value), count] for value, count in top]
    values, numbers = ordered.values, ordered.finite()
    fact["infinite"] = len(values) - len(numbers)
    if len(values):
        ends = (values[0].item(), values[-1].item())  # whole numbers exactly, also beyond 2^53
        fact["min"], fact["max"] = (_value(column, end / 1e6) if column.type.temporal else plain(end) for end in ends)
    if len(numbers):
        mean, fact["std"] = map(plain, spread(numbers))
        fact["mean"] = plain(mean) if column.type is ColumnType.INTEGER else _value(column, mean)
        fact["quantiles"] = {str(q): _value(column, cut)
                             for q, cut in zip(QUANTILES, quantiles(numbers, QUANTILES), strict=True)}
        low, width, bins = _bounds(column, float(numbers[0]), float(numbers[-1]))
        half = 1.0 if math.isfinite(float(numbers[-1]) - low) else 0.5  # what lies further apart than a double can say
        places = np.clip(np.floor((numbers * half - low * half) / (width * half)), 0, bins - 1).astype(np.int64)
        fact["histogram"] = {"edges": [_edge(column, low + width * step) for step in range(bins + 1)],
                             "counts": np.bincount(places, minlength=bins).tolist()}
    return different


def _shown(column: Column, value: float) -> Any:
    """Return one of the frequent values: a number, or how a moment is written."""
    if not column.type.temporal:
        return plain(value)
    day, clock = _moment(value)
    if column.type is ColumnType.DATE:
        return day
    clock = clock.rstrip("0").rstrip(".") if "." in clock else clock
    return clock if column.type is ColumnType.TIME else f"{day} {clock}"


def _value(column: Column, number: float | None) -> Any:
    """Return a number as the column's own kind of value."""
    if number is None or not column.type.temporal:
        whole = number is not None and column.type is ColumnType.INTEGER and float(number).is_integer()
        return int(number) if whole and number is not None else plain(number)
    if not math.isfinite(number):
        return None
    day, clock = _moment(number * 1e6)
    if column.type is ColumnType.DATE:
        return day
    return clock if column.type is ColumnType.TIME else f"{day} {clock.partition('.')[0]}"


def _moment(microseconds: float) -> tuple[str, str]:
    """Return day and time of day of a moment since 1970 as ISO text; NumPy knows years that Python does not."""
    most = 2**63 - 1
    whole = max(-most, min(most, round(microseconds)))
    day, _, clock = str(np.datetime64(whole, "us")).partition("T")
    return day, clock.removesuffix(".000000")


def _fill_histograms(connection: duckdb.DuckDBPyConnection, columns: Sequence[Column],
                     facts: dict[str, dict[str, Any]]) -> None:
    chosen = _countable(columns)
    if not chosen:
        return
    ranges = connection.execute(
        f"SELECT k, min(v), max(v) FROM {_long(chosen, _as_number)} WHERE isfinite(v) GROUP BY k").fetchall()
    bounds = {place: _bounds(chosen[place], low, high) for place, low, high in ranges}
    if not bounds:
        return
    lows = ", ".join(repr(bounds[place][0]) if place in bounds else "0.0" for place in range(len(chosen)))
    widths = ", ".join(repr(bounds[place][1]) if place in bounds else "1.0" for place in range(len(chosen)))
    answer = connection.execute(
        f"SELECT k, least(greatest(floor((v - ([{lows}])[k + 1]) / ([{widths}])[k + 1]), 0), 1000)::INTEGER AS b, "
        f"count(*) FROM {_long(chosen, _as_number)} WHERE isfinite(v) GROUP BY k, b").fetchall()
    counts = {place: [0] * bins for place, (_, _, bins) in bounds.items()}
    for place, bin_, count in answer:
        into = counts[place]
        into[min(bin_, len(into) - 1)] += count
    for place, (low, width, bins) in bounds.items():
        column = chosen[place]
        facts[column.name]["histogram"] = {"edges": [_edge(column, low + width * step) for step in range(bins + 1)],
                                           "counts": counts[place]}


def _bounds(column: Column, low: float, high: float) -> tuple[float, float, int]:
    """Return the first edge, the width of a bin and the number of bins. Whole numbers get whole bins."""
    if column.type is ColumnType.INTEGER:
        width = max(1.0, math.ceil((high - low + 1) / BINS))
        return low, width, max(1, min(BINS, math.ceil((high - low + 1) / width)))
    if column.type is ColumnType.DATE:
        width = 86_400.0 * max(1, math.ceil((high - low + 86_400) / 86_400 / BINS))
        return low, width, max(1, min(BINS, math.ceil((high - low + 86_400) / width)))
    if low == high:
        return low, 1.0, 1
    width = high / BINS - low / BINS
    return (low, width, BINS) if width > 0 and math.isfinite(width) else (low, 1.0, 1)


def _edge(column: Column, number: float) -> Any:
    if column.type is ColumnType.TIME:
        return _value(column, min(number, 86_399.0))
    return _value(column, number)


def _fill_text_lengths(connection: duckdb.DuckDBPyConnection, columns: Sequence[Column],
                       facts: dict[str, dict[str, Any]]) -> None:
    chosen = [column for column in columns if column.type is ColumnType.TEXT]
    if not chosen:
        return
    answer = connection.execute(
        f"SELECT k, min(length(v)), max(length(v)), avg(length(v)), left(min(v), {_LONG}), left(max(v), {_LONG}) "
        f"FROM {_long(chosen, lambda column: identifier(column.name))} WHERE v IS NOT NULL GROUP BY k").fetchall()
    for place, shortest, longest, mean, first, last in answer:
        fact = facts[chosen[place].name]
        fact["lengths"] = {"min": shortest, "max": longest, "mean": plain(mean)}
        fact["min"], fact["max"] = first, last


def _fill_top(connection: duckdb.DuckDBPyConnection, columns: Sequence[Column],
              facts: dict[str, dict[str, Any]]) -> None:
    """Fill in the most frequent values, those of equal count in their own order."""
    text = _long(columns, lambda column: f"{identifier(column.name)}::VARCHAR")
    answer = connection.execute(
        f"SELECT k, v, n FROM (SELECT k, v, count(*) AS n, "
        f"row_number() OVER (PARTITION BY k ORDER BY n DESC, v) AS place FROM {text} "
        f"WHERE v IS NOT NULL GROUP BY k, v) WHERE place <= {TOP} ORDER BY k, place").fetchall()
    for place, value, count in answer:
        column = columns[place]
        facts[column.name]["top"].append([_typed(column, value), count])


def _fill_from_groups(connection: duckdb.DuckDBPyConnection, column: Column, fact: dict[str, Any]) -> int:
    """Fill in what the different values of one column tell, counted once; return how many there are."""
    check_stopped()
    name = identifier(column.name)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE _groups AS SELECT {name} AS v, count(*) AS n FROM data "
                       f"WHERE {name} IS NOT NULL GROUP BY v")
    for value, count in connection.execute(f"SELECT v::VARCHAR, n FROM _groups ORDER BY n DESC, v LIMIT {TOP}"
                                           ).fetchall():
        fact["top"].append([_typed(column, value), count])
    different = int(one_row(connection, "SELECT count(*) FROM _groups")[0])
    if column.type is ColumnType.TEXT and different:
        shortest, longest, mean, first, last = one_row(
            connection, "SELECT min(length(v)), max(length(v)), sum(length(v) * n)::DOUBLE / sum(n)::DOUBLE, "
                        f"left(min(v), {_LONG}), left(max(v), {_LONG}) FROM _groups")
        fact["lengths"] = {"min": shortest, "max": longest, "mean": plain(mean)}
        fact["min"], fact["max"] = first, last
    connection.execute("DROP TABLE _groups")
    return different


def _typed(column: Column, text: str) -> Any:
    if column.type is ColumnType.INTEGER:
        return int(text)
    if column.type is ColumnType.NUMBER:
        return plain(float(text))
    if column.type is ColumnType.BOOLEAN:
        return text == "true"
    return text[:_LONG]


def _duplicates(connection: duckdb.DuckDBPyConnection, parts: Sequence[Path], rows: int) -> int:
    """Count rows that repeat an earlier one, by a hash of 64 bits: at a billion rows it may be off by one."""
    table = free_name("_table", pq.read_schema(parts[0]).names)  # a column of that name would be meant instead
    sql = f"SELECT count(DISTINCT hash({table})) FROM {relation(parts)} AS {table}"
    return rows - int(one_row(connection, sql)[0])
