"""The rows that an import left out, as a CSV file for whoever mends them. Standard library only."""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from mldesk.core.durable import disk_errors
from mldesk.core.errors import BadInput

COLUMNS = ("file", "line", "reason", "raw")


class Rejects:
    """Collects rows in ``draft``; ``publish`` puts them where the user wants them, whole or not at all."""

    def __init__(self, draft: Path, target: Path) -> None:
        """Raises BadInput if ``target`` lies in no folder, or is there and no file."""
        if not target.parent.is_dir() or (target.exists() and not target.is_file()):  # a device would be replaced
            raise BadInput(f"The rejects file {target.name!r:.80} cannot be written there.",
                           hint="Name a file in a folder that exists.")
        self.target, self._draft = target, draft
        self._file: IO[str] | None = None
        self.rows = 0

    def spare(self, sources: Iterable[Path]) -> None:
        """Raise BadInput if the file would take the place of one that is read."""
        if self.target.exists() and any(path.exists() and self.target.samefile(path) for path in sources):
            raise BadInput(f"The rejects file {self.target.name!r:.80} is the very file that is imported, which would "
                           "be lost.", hint="Name another file.")

    def __enter__(self) -> Self:
        with disk_errors("the rejects file"):
            self._file = open(self._draft, "w", encoding="utf-8", newline="", errors="replace")
            self._writer = csv.writer(self._file)
            self._writer.writerow(COLUMNS)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 traceback: TracebackType | None) -> None:
        if self._file is not None:
            try:
                self._file.close()
            except OSError:  # the disk is full; whoever publishes says so, and nobody else needs the file
                pass

    def add(self, file: str, line: int | None, reason: str, raw: str) -> None:
        """Take a row as it stands in ``file``. Raises DiskFull."""
        self.rows += 1
        with disk_errors("the rejects file"):
            self._writer.writerow((file, "" if line is None else line, reason, raw.rstrip("\r\n")))

    def publish(self) -> None:
        """Put the file in its place, in one step. Raises DiskFull, OSError."""
        beside = self.target.with_name(f".{self.target.name}.part")
        with disk_errors("the rejects file"):
            if self._file is not None:
                self._file.flush()
            try:
                shutil.copyfile(self._draft, beside)
                os.replace(beside, self.target)
            finally:
                beside.unlink(missing_ok=True)
