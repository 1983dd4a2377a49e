"""Answers queries and conditions that a user wrote in a process that may take so much memory and no more.

What a query makes of files appears in a folder of its own, and is the caller's once it is whole.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mldesk.core import durable
from mldesk.core.scratch import working_folder
from mldesk.core.targets import check_target
from mldesk.data.asking import ask
from mldesk.wire.objects import ObjectStore
from mldesk.wire.schema import Column


@dataclass(frozen=True, slots=True)
class QueriedTable:
    """One version of a table, as the process opens it. ``label`` is what errors call it, ``name`` what queries may."""

    store: ObjectStore
    manifest: str
    columns: Sequence[Column]
    name: str
    label: str
    scratch: Path | None   # the system's, if None

    def page(self, sql: str, limit: int) -> tuple[list[str], list[list[Any]], bool]:
        """Return columns, rows, and whether there are more than ``limit`` of them.

        Raises BadInput, WorkFailed for what needs too much memory or when the work is stopped, ObjectMissing,
        LibraryDamaged.
        """
        found = self._ask(sql, limit=limit)
        return found["columns"], found["rows"], found["more"]

    def write(self, sql: str, path: Path) -> int:
        """Write all rows as Parquet that an import can read; return how many. Raises as ``page`` does, and DiskFull."""
        return int(self._ask(sql, path=path, raw=True)["rows"])

    def export(self, sql: str, path: Path) -> int:
        """Write all rows as a file, whose ending says the format; it appears when it is whole.

        Raises as ``write`` does, NotFound for a folder that is not there.
        """
        check_target(path)
        return int(self._ask(sql, path=path, raw=False)["rows"])

    def fitting(self, where: str,
                started: Callable[[subprocess.Popen[bytes]], object] = lambda _: None) -> npt.NDArray[np.int64]:
        """Return the places, from 0, of the rows that meet a condition. Raises as ``page`` does; see ``ask``."""
        with working_folder(self.scratch, "mldesk-query") as folder:
            path = folder / "places"
            self._run(folder, "The filter", {"where": where, "path": str(path.absolute())}, started)
            return np.fromfile(path, np.int64)

    def _ask(self, sql: str, *, limit: int = 0, path: Path | None = None, raw: bool = False) -> dict[str, Any]:
        with working_folder(self.scratch, "mldesk-query") as folder:
            made = None if path is None else folder / f"answer{path.suffix}"
            found = self._run(folder, "The query", {
                "sql": sql, "limit": limit, "path": None if made is None else str(made.absolute()), "raw": raw})
            if made is not None and path is not None:
                _take(made, path)
            return found

    def _run(self, folder: Path, what: str, order: dict[str, Any],
             started: Callable[[subprocess.Popen[bytes]], object] = lambda _: None) -> dict[str, Any]:
        table = {"store": str(self.store.root.absolute()), "manifest": self.manifest, "name": self.name,
                 "label": self.label, "columns": [column.to_json() for column in self.columns]}
        return ask("mldesk.data.query_child", folder, {**table, **order}, what, started=started)


def _take(made: Path, path: Path) -> None:
    """Give a whole file its name, on whichever disk that is. Raises DiskFull."""
    with durable.disk_errors(f"writing {path.name}"):
        try:
            os.replace(made, path)
        except OSError:   # on another disk
            with made.open("rb") as source, durable.replacing(path) as file:
                shutil.copyfileobj(source, file, 1 << 20)
