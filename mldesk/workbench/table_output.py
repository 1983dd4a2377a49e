"""A table written piece by piece to CSV, Parquet, JSON lines or a workbook; the file appears when it is whole."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from mldesk.core import durable
from mldesk.data.sheet_output import SheetWriter
from mldesk.data.types import plain


class TableOutput:
    """Writes batches of equal-length columns. An error inside the ``with`` block leaves ``path`` as it was."""

    def __init__(self, path: Path) -> None:
        self._path, self._kind = path, path.suffix.lower()
        self._stack = ExitStack()
        self._writer: Any = None

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(durable.disk_errors(f"writing {self._path.name}"))
            self._file = stack.enter_context(durable.replacing(self._path))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 traceback: TracebackType | None) -> bool | None:
        try:
            if self._writer is not None:
                self._writer.close()
        except OSError as failed:  # the last piece did not fit: the temporary file must go, too
            self._stack.__exit__(type(failed), failed, failed.__traceback__)
            raise
        return self._stack.__exit__(kind, error, traceback)

    def write(self, columns: Mapping[str, np.ndarray[Any, Any] | pa.Array]) -> None:
        """Append rows; every call must bring the same columns."""
        table = pa.table({name: values if isinstance(values, pa.Array) else pa.array(values, from_pandas=False)
                          for name, values in columns.items()})
        if self._kind == ".jsonl":
            for row in table.to_pylist():
                cells = {name: plain(value) for name, value in row.items()}
                self._file.write(json.dumps(cells, ensure_ascii=False).encode("utf-8") + b"\n")
            return
        if self._kind == ".xlsx":
            if self._writer is None:
                self._writer = SheetWriter(self._file, list(columns))
            self._writer.write(list(zip(*(column.to_pylist() for column in table.columns), strict=True)))
            return
        if self._writer is None:
            make = pq.ParquetWriter if self._kind == ".parquet" else pacsv.CSVWriter
            self._writer = make(self._file, table.schema)
        self._writer.write_table(table)
