"""Write a table out again: CSV (RFC 4180), JSON lines, Parquet, Arrow (Feather) or a workbook.

Values are written as they are. A cell of CSV that begins with ``=`` stays so: a spreadsheet may take it for a formula,
and altering it would alter the data.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from mldesk.core import durable
from mldesk.core.errors import BadInput
from mldesk.core.targets import check_target
from mldesk.data.parts import group_rows
from mldesk.data.types import plain, values_of

EXPORTS = {".csv": "csv", ".tsv": "tsv", ".tab": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl",
           ".parquet": "parquet", ".pq": "parquet", ".xlsx": "xlsx",
           ".feather": "arrow", ".arrow": "arrow", ".ipc": "arrow"}
Batches = Iterable[pa.RecordBatch]


def export_table(batches: Batches, path: Path, kind: str | None, schema: pa.Schema) -> int:
    """Write the rows, return how many; ``path`` appears when it is whole. Raises BadInput, NotFound, DiskFull."""
    names, rows = schema.names, _Counted(batches)
    kind = kind or EXPORTS.get(path.suffix.lower())
    if kind not in EXPORTS.values():
        raise BadInput(f"A table cannot be written as {kind or path.suffix or 'a file without extension'!r}.",
                       hint="Name the file with .csv, .tsv, .jsonl, .parquet, .feather, .xlsx, .sqlite or .duckdb.")
    check_target(path)
    with durable.disk_errors(f"writing {path.name}"), durable.replacing(path) as file:
        if kind == "parquet":
            _write_parquet(rows, file, schema)
        elif kind == "arrow":
            _write_arrow(rows, file, schema)
        elif kind == "jsonl":
            _write_jsonl(rows, file, names)
        elif kind == "xlsx":
            _write_sheet(rows, file, names)
        else:
            _write_delimited(rows, file, names, "\t" if kind == "tsv" else ",")
    return rows.count


class _Counted:
    """Batches whose rows are counted while they are taken."""

    def __init__(self, batches: Batches) -> None:
        self._batches, self.count = batches, 0

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        for batch in self._batches:
            self.count += batch.num_rows
            yield batch


def _write_delimited(batches: Batches, file: BinaryIO, names: Sequence[str], delimiter: str) -> None:
    out = io.TextIOWrapper(file, encoding="utf-8", newline="")
    try:
        writer = csv.writer(out, delimiter=delimiter, lineterminator="\r\n")
        writer.writerow(names)
        for batch in batches:
            columns = [[_cell(value) for value in values_of(column)] for column in batch.columns]
            writer.writerows(zip(*columns, strict=True))
        out.flush()
    finally:
        out.detach()  # the file is closed by who opened it


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return plain(value)


def _write_jsonl(batches: Batches, file: BinaryIO, names: Sequence[str]) -> None:
    for batch in batches:
        columns = [[plain(value) for value in values_of(column)] for column in batch.columns]
        rows = (dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True))
        file.writelines(json.dumps(row, ensure_ascii=False).encode("utf-8") + b"\n" for row in rows)


def _write_sheet(batches: Batches, file: BinaryIO, names: Sequence[str]) -> None:
    from mldesk.data.sheet_output import SheetWriter  # only who writes workbooks needs it

    sheet = SheetWriter(file, names)
    try:
        for batch in batches:
            sheet.write(list(zip(*(values_of(column) for column in batch.columns), strict=True)))
    finally:
        sheet.close()  # also where it is refused: the library keeps rows in a file of its own until then


def _write_parquet(batches: Batches, file: BinaryIO, schema: pa.Schema) -> None:
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch, row_group_size=group_rows(len(schema)))


def _write_arrow(batches: Batches, file: BinaryIO, schema: pa.Schema) -> None:
    """Write an Arrow file, which Feather's second version is: https://arrow.apache.org/docs/python/feather.html."""
    with pa.ipc.new_file(file, schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as writer:
        for batch in batches:
            writer.write_batch(batch)
