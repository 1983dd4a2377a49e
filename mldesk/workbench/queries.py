"""All rows of a query's answer as a table of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mldesk.data import ImportOptions, Table, TableView, import_table
from mldesk.data.imports.importing import working_folder
from mldesk.data.stopping import stoppable
from mldesk.wire.objects import ObjectStore


def answer_as_table(view: TableView, sql: str, store: ObjectStore, scratch: Path,
                    cancelled: Callable[[], bool] | None) -> Table:
    """Return the answer as an import makes it of a Parquet file. Raises BadInput, ImportCancelled, DiskFull."""
    with working_folder(scratch) as folder:
        answer = folder / "answer.parquet"
        stoppable(lambda: view.write_answer(sql, answer), cancelled, "The query")
        return import_table([answer], store, scratch, ImportOptions(), cancelled=cancelled)
