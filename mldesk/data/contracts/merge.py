"""Accepted files become a new version: the parts that are there stay, the new rows are parts of their own."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq

from mldesk.core.durable import disk_errors
from mldesk.core.errors import Conflict
from mldesk.core.scratch import working_folder
from mldesk.data.contracts.check import CheckedFile
from mldesk.data.counting import distinct_counts
from mldesk.data.parts import PartWriter, keep, part_name, part_paths
from mldesk.data.records import Table
from mldesk.wire.manifest import Manifest
from mldesk.wire.objects import ObjectStore
from mldesk.wire.schema import Column


def merge_files(store: ObjectStore, scratch: Path, manifest: str, columns: Sequence[Column],
                files: Sequence[CheckedFile], unique: Collection[str] = ()) -> Table:
    """Return the table ``manifest`` with the good rows of ``files`` below it.

    Raises Conflict where values of a column in ``unique`` would then be there twice, which no file shows by itself;
    DiskFull.
    """
    with disk_errors("the merge"), working_folder(scratch) as folder:
        out = folder / "parts"
        out.mkdir()
        writer = PartWriter(out, [column.name for column in columns], [column.type for column in columns],
                            counted=())
        try:
            for file in files:
                for arrays in file.rows(columns, folder):
                    writer.write(arrays)
            writer.close()
        finally:
            writer.abandon()
        old = part_paths(store, manifest)
        before = sum(pq.read_metadata(path).num_rows for path in old)
        distinct = distinct_counts([*old, *writer.paths], [column.name for column in columns], folder)
        for column, more, count in zip(columns, writer.missing, distinct, strict=True):
            twice = (writer.rows - more) - (count - column.distinct)  # new rows less new values
            if column.name in unique and twice:
                raise Conflict(f"Nothing was merged: {twice:,} values of {column.name!r:.60} would be there more than "
                               "once, and the contract says that it is unique.",
                               hint="Leave out the files whose rows are there already, or change the contract.")
        fresh = store.manifest(keep(store, writer)[0])
    entries = [entry for entry in store.manifest(manifest).entries if entry.path.startswith("parts/")]
    whole = Manifest(tuple(replace(entry, path=part_name(number))
                           for number, entry in enumerate((*entries, *fresh.entries))))
    made = tuple(replace(column, missing=column.missing + more, distinct=count)
                 for column, more, count in zip(columns, writer.missing, distinct, strict=True))
    return Table(store.put_bytes(whole.to_bytes()), before + writer.rows, made, whole.size, (),
                 ", ".join(Path(file.verdict.file).name for file in files[:3])
                 + (f" and {len(files) - 3} more" if len(files) > 3 else ""))
