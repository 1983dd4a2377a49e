"""All rows of a query's answer as a table of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq

from mldesk.core.errors import BadInput
from mldesk.core.scratch import working_folder
from mldesk.data import ImportOptions, Table, import_table
from mldesk.data.query_process import QueriedTable
from mldesk.data.stopping import stoppable
from mldesk.wire.objects import ObjectStore


def answer_as_table(asked: QueriedTable, sql: str, store: ObjectStore, scratch: Path,
                    cancelled: Callable[[], bool] | None) -> Table:
    """Return the answer as an import makes it of a Parquet file. Raises BadInput, ImportCancelled, DiskFull."""
    with working_folder(scratch) as folder:
        answer = folder / "answer.parquet"
        stoppable(lambda: asked.write(sql, answer), cancelled, "The query")
        if not pq.read_metadata(answer).num_rows:
            raise BadInput("The query gives no rows, and a table without rows is of no use.",
                           hint="Look at its condition.")
        return import_table([answer], store, scratch, ImportOptions(), cancelled=cancelled)
