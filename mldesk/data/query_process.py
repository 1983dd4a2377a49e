"""Answers queries that a user wrote in a process that may take so much memory and no more.

The engine's own limit does not count texts, of which one function can make gigabytes; here the system's limit of a
process does. What a query makes of files appears in a folder of its own, and is the caller's once it is whole.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mldesk.core import durable
from mldesk.core.errors import BadInput, DiskFull, LibraryDamaged, MldeskError, NotFound, WorkFailed
from mldesk.core.scratch import working_folder
from mldesk.core.targets import check_target
from mldesk.data.helper import GIB, guard, helper, last_of
from mldesk.wire.objects import ObjectMissing, ObjectStore
from mldesk.wire.schema import Column

MEMORY = 2 * GIB            # bytes that a query's process may take beyond what it begins with
_KINDS: dict[str, type[MldeskError]] = {
    kind.code: kind for kind in (BadInput, DiskFull, LibraryDamaged, NotFound, WorkFailed)}


@dataclass(frozen=True, slots=True)
class QueriedTable:
    """One version of a table, as the process opens it. ``label`` is what errors call it, ``name`` what queries may."""

    store: ObjectStore
    manifest: str
    columns: Sequence[Column]
    name: str
    label: str
    scratch: Path

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

    def _ask(self, sql: str, *, limit: int = 0, path: Path | None = None, raw: bool = False) -> dict[str, Any]:
        with working_folder(self.scratch, "mldesk-query") as folder:
            made = None if path is None else folder / f"answer{path.suffix}"
            found = self._run(folder, {
                "store": str(self.store.root.absolute()), "manifest": self.manifest, "name": self.name,
                "label": self.label, "columns": [column.to_json() for column in self.columns], "sql": sql,
                "limit": limit, "memory": MEMORY, "path": None if made is None else str(made.absolute()), "raw": raw})
            if made is not None and path is not None:
                _take(made, path)
            return found

    def _run(self, folder: Path, order: dict[str, Any]) -> dict[str, Any]:
        with helper("mldesk.data.query_child", folder.absolute()) as process:
            assert process.stdin is not None and process.stdout is not None and process.stderr is not None  # noqa: S101
            stderr, why = process.stderr, []
            threads = [threading.Thread(target=lambda: last_of(stderr), name="query-noise"),
                       threading.Thread(target=lambda: why.append(guard(process, MEMORY + GIB)), name="query-guard")]
            for thread in threads:
                thread.start()
            try:
                with suppress(OSError):   # it has ended already; stdin stays open, as it ends with us
                    process.stdin.write(json.dumps(order).encode() + b"\n")
                    process.stdin.flush()
                said = process.stdout.read()
                process.wait()
            finally:
                if process.poll() is None:
                    process.kill()
                for thread in threads:
                    thread.join()
            return _understood(said, process.returncode, "".join(why))


def _understood(said: bytes, status: int, why: str) -> dict[str, Any]:
    """Return what the process answered; raise what it says, or why it said nothing."""
    with suppress(ValueError):
        found = json.loads(said)
        if isinstance(found, dict):
            if "error" not in found:
                return found
            error = found["error"]
            if error["code"] == ObjectMissing.code:
                raise ObjectMissing("", error["message"], hint=error["hint"])
            raise _KINDS.get(error["code"], LibraryDamaged)(error["message"], hint=error["hint"])
    if why or status != -9:   # what runs out of memory far below ends as it likes
        raise too_much()
    raise WorkFailed("The query's process was ended from outside; perhaps this machine's memory ran out.",
                     hint="Ask again, or for fewer rows or columns.")


def too_much() -> WorkFailed:
    """Return what is said of a query that needs more memory than it may have."""
    return WorkFailed(f"The query needs more memory than it may have: {MEMORY / GIB:g} GB.",
                      hint="Ask for fewer rows or columns, or for shorter texts.")


def _take(made: Path, path: Path) -> None:
    """Give a whole file its name, on whichever disk that is. Raises DiskFull."""
    with durable.disk_errors(f"writing {path.name}"):
        try:
            os.replace(made, path)
        except OSError:   # on another disk
            with made.open("rb") as source, durable.replacing(path) as file:
                shutil.copyfileobj(source, file, 1 << 20)
