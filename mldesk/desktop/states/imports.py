"""Bringing tables in: each import is a piece of work with progress that can be cancelled."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mldesk.core.errors import MldeskError, NotFound
from mldesk.core.observable import Observable
from mldesk.desktop.states.desk import Desk
from mldesk.desktop.tasks import current, in_thread

if TYPE_CHECKING:
    from mldesk.data import ImportOptions
    from mldesk.workbench.imported import Imported

_DOUBLE = {".gz", ".zst", ".bz2"}  # endings that come after the one that says what is inside


def name_for(paths: Sequence[Path | str]) -> str:
    """Return the name a dataset gets from its first file or URL: its stem, without ``@`` and odd characters."""
    if isinstance(paths[0], str):
        from mldesk.workbench.sources import name_of

        return name_of(paths[0])
    path = paths[0]
    stem = Path(path.stem).stem if path.suffix.lower() in _DOUBLE else path.stem
    cleaned = "".join(letter if letter.isprintable() and letter != "@" else "_" for letter in stem).strip(" -_.")
    return cleaned[:80] or "table"


def free_name(name: str, taken: Sequence[str]) -> str:
    """Return ``name``, or ``name-2``, ``name-3``, … whichever is not taken."""
    if name not in taken:
        return name
    number = 2
    while f"{name}-{number}" in taken:
        number += 1
    return f"{name}-{number}"


class Import:
    """One import under way. ``share`` is 0 to 1, None while nothing is known yet."""

    def __init__(self, desk: Desk, paths: Sequence[Path | str], name: str, options: ImportOptions | None = None, *,
                 text: str = "", rejects: Path | None = None, again: bool = False, register: bool = False,
                 anew: bool = False, without_merged: bool = False) -> None:
        self._anew, self._without_merged = anew, without_merged
        self._desk, self.paths, self.name, self.options = desk, tuple(paths), name, options
        self._text, self._rejects, self._again, self._register = text, rejects, again, register
        self._stop = threading.Event()
        self._seen: float | None = None  # written by the worker thread, read by ``look``
        self.share: Observable[float | None] = Observable(None)
        self.cancelled = False

    def cancel(self) -> None:
        """Ask it to stop; nothing half-imported stays."""
        self.cancelled = True
        self._stop.set()

    def look(self) -> None:
        """Bring ``share`` up to date; the page calls it a few times a second."""
        self.share.value = self._seen

    async def run(self) -> Imported | None:
        """Import; None when it was cancelled. Raises BadInput (ImportRefused), DiskFull."""
        closing = current().closing
        try:
            return await in_thread(lambda: self._import(lambda: self._stop.is_set() or closing.is_set()))
        except MldeskError:
            if self.cancelled:
                return None
            raise
        finally:
            self._desk.nudge()

    def _import(self, cancelled: Callable[[], bool]) -> Imported:
        service = self._desk.workbench.datasets
        if self._anew:
            return service.import_again(self.name, progress=self._on_progress, cancelled=cancelled,
                                        without_merged=self._without_merged)
        if self._register:
            return service.register(self.paths[0], self.name, progress=self._on_progress, cancelled=cancelled,
                                    again=self._again)
        if self._text:
            return service.import_text(self._text, self.name, options=self.options, progress=self._on_progress,
                                       cancelled=cancelled, rejects=self._rejects, again=self._again)
        return service.import_files(self.paths, self.name, options=self.options, progress=self._on_progress,
                                    cancelled=cancelled, rejects=self._rejects, again=self._again)

    def _on_progress(self, done: float, total: float) -> None:
        self._seen = min(1.0, done / total) if total > 0 else None


class Imports:
    """The imports that go on, oldest first."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.running: Observable[tuple[Import, ...]] = Observable(())

    async def exists(self, name: str) -> bool:
        """Say whether a dataset of that name is in the library."""
        try:
            await in_thread(self._desk.workbench.datasets.show, name)
        except NotFound:
            return False
        return True

    async def run(self, paths: Sequence[Path | str], name: str, options: ImportOptions | None = None, *,
                  text: str = "", rejects: Path | None = None, again: bool = False,
                  register: bool = False) -> Imported | None:
        """Import sources, or a table from the clipboard, as one table. See ``Import.run``.

        ``register``: a Parquet file or a folder of them, left where it lies.
        """
        return await self._run(Import(self._desk, paths, name, options, text=text, rejects=rejects, again=again,
                                      register=register))

    async def run_anew(self, name: str, *, without_merged: bool = False) -> Imported | None:
        """Read the files of a dataset's last import anew, as then. See ``Import.run``.

        Raises Conflict where none are known, or rows of others were merged since and ``without_merged`` is not said.
        """
        return await self._run(Import(self._desk, (), name, anew=True, without_merged=without_merged))

    async def _run(self, one: Import) -> Imported | None:
        self.running.value = (*self.running.value, one)
        try:
            return await one.run()
        finally:
            self.running.value = tuple(other for other in self.running.value if other is not one)
