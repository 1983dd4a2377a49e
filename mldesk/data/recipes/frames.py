"""A function of the user's over a pandas DataFrame. pandas and pyarrow only: scripts of recipes carry this file.

Whole numbers with gaps come as Int64, truth values with gaps as boolean, dates as datetime64, texts as str. The index
holds the rows' places in the table that the recipe starts from.
"""

from __future__ import annotations

import ast
import random
import traceback
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

SOURCE = "<step>"
Function = Callable[[pd.DataFrame], Any]


class StepProblem(Exception):
    """What is wrong with the user's function or its answer, as the end of a sentence."""


def load_function(code: str) -> Function:
    """Run ``code`` and return its function ``step``, or the only one that it defines. Raises StepProblem."""
    random.seed(0)
    np.random.seed(0)
    names = [node.name for node in ast.parse(code, SOURCE).body if isinstance(node, ast.FunctionDef)]
    space: dict[str, Any] = {"__name__": "step", "pd": pd, "np": np}
    try:
        exec(compile(code, SOURCE, "exec"), space)  # noqa: S102 - this is what the step is for
    except MemoryError:
        raise
    except Exception as error:
        raise StepProblem(f"its code failed {_where(error)}") from error
    function: Function = space["step" if "step" in names else names[0]]
    return function


def call(function: Function, rows: pa.Table, kinds: Mapping[str, pa.DataType]) -> tuple[pa.Table, bool]:
    """Return what the function makes of ``rows``, with the rows' places in the last column, and whether they stayed.

    The last column of ``rows`` holds the places. They stay while the function only takes out rows; otherwise rows are
    in the order that it gave, and the places are 0. ``kinds`` are the types of the columns before: a column that keeps
    its name keeps its type if nothing is lost. Raises StepProblem.
    """
    places = np.asarray(rows.column(rows.num_columns - 1))
    frame = pd.DataFrame({name: _series(rows.column(number)) for number, name in enumerate(rows.column_names[:-1])})
    frame.index = pd.Index(places, dtype="int64")
    try:
        made = function(frame)
    except MemoryError:
        raise
    except Exception as error:
        raise StepProblem(f"its function failed {_where(error)}") from error
    if not isinstance(made, pd.DataFrame):
        raise StepProblem(f"its function gave {type(made).__name__}, not a DataFrame")
    stayed = _stayed(made.index, places)
    columns = {_name(name): _column(made.iloc[:, number], str(name), kinds) for number, name in enumerate(made.columns)}
    if len(columns) < len(made.columns):
        raise StepProblem("two columns of its answer have the same name")
    last = pa.array(np.asarray(made.index, np.int64) if stayed else np.zeros(len(made), np.int64))
    return pa.Table.from_arrays([*columns.values(), last], names=[*columns, rows.column_names[-1]]), stayed


def run_code(rows: pa.Table, code: str, kinds: Mapping[str, str], batch: int) -> pa.Table:
    """Return what ``code`` makes of a table, ``batch`` rows at a time (0: all at once); for scripts of recipes."""
    function = load_function(code)
    types = {name: getattr(pa, kind)("us") if kind in ("timestamp", "time64") else getattr(pa, kind)()
             for name, kind in kinds.items()}
    pieces = [call(function, rows.slice(first, batch or None), types)[0]
              for first in range(0, max(1, rows.num_rows), batch or max(1, rows.num_rows))]
    return pa.concat_tables(pieces)


def _where(error: BaseException) -> str:
    """Say in which line of the user's code an error came up, and what it says."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == SOURCE]
    words = " ".join(str(error).split())[:300]
    line = f"in line {lines[-1]}: " if lines else ": "
    return f"{line}{type(error).__name__}{f': {words}' if words else ''}".replace(": :", ":")


def _series(column: pa.ChunkedArray) -> Any:
    kind = column.type
    if column.null_count and pa.types.is_integer(kind):
        return column.to_pandas(types_mapper={kind: pd.Int64Dtype()}.get)
    if column.null_count and pa.types.is_boolean(kind):
        return column.to_pandas(types_mapper={kind: pd.BooleanDtype()}.get)
    if pa.types.is_date(kind):
        return pc.cast(column, pa.timestamp("us")).to_pandas()
    return column.to_pandas()


def _stayed(index: pd.Index, places: np.ndarray) -> bool:
    """Say whether these are rows of the table as they were, some taken out. A new RangeIndex says that they are not."""
    if isinstance(index, pd.RangeIndex) or not pd.api.types.is_integer_dtype(index.dtype) or index.hasnans:
        return False
    labels = np.asarray(index, np.int64)
    return bool((np.diff(labels) > 0).all() and np.isin(labels, places).all())


def _name(name: Any) -> str:
    if not isinstance(name, (str, int, np.integer)) or not str(name).strip():
        raise StepProblem(f"a column of its answer is called {name!r:.60}, which is no text")
    return str(name)


def _column(series: pd.Series[Any], name: str, kinds: Mapping[str, pa.DataType]) -> pa.ChunkedArray:
    try:
        made = pa.array(series, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise StepProblem(f"column {name!r:.60} of its answer holds values of several kinds, or of one that no column "
                          "can hold") from error
    values = made if isinstance(made, pa.ChunkedArray) else pa.chunked_array([made])
    try:
        return _kept(_plain(values, name), kinds.get(name))
    except pa.ArrowException as error:
        raise StepProblem(f"column {name!r:.60} of its answer holds values that are too large") from error


def _plain(values: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    """Return the values as one of the types that tables have."""
    kind, types = values.type, pa.types
    if types.is_dictionary(kind):
        return _plain(pc.cast(values, kind.value_type), name)
    if types.is_timestamp(kind):  # of a time zone: as UTC
        return pc.cast(values, pa.timestamp("us"), safe=False)
    for test, plain in ((types.is_integer, pa.int64()), (types.is_floating, pa.float64()),
                        (types.is_decimal, pa.float64()), (types.is_boolean, pa.bool_()),
                        (types.is_string, pa.string()), (types.is_large_string, pa.string()),
                        (types.is_null, pa.null()), (types.is_date, pa.date32()), (types.is_time, pa.time64("us"))):
        if test(kind):
            return pc.cast(values, plain)
    raise StepProblem(f"column {name!r:.60} of its answer is of the kind {str(kind)[:60]}, which no column can hold")


def _kept(values: pa.ChunkedArray, before: pa.DataType | None) -> pa.ChunkedArray:
    """Return the values in the type they had, if nothing is lost by that; of nothing but gaps, as text."""
    if before is None or values.type == before:
        return pc.cast(values, pa.string()) if pa.types.is_null(values.type) else values
    if pa.types.is_null(values.type):
        return pc.cast(values, before)
    lossless = {(pa.float64(), pa.int64()), (pa.int64(), pa.float64()), (pa.timestamp("us"), pa.date32())}
    if (values.type, before) not in lossless:
        return values
    try:
        made = pc.cast(values, before)
    except pa.ArrowException:
        return values
    same = pc.all(pc.equal(pc.cast(made, values.type), values)).as_py()
    return values if same is False else made
