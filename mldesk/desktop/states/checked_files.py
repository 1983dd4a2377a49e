"""The files that were checked for a dataset before, as their dialog shows them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mldesk.core.observable import Observable
from mldesk.desktop.states.desk import Desk
from mldesk.desktop.tasks import current, in_thread

if TYPE_CHECKING:
    from mldesk.library.checks import CheckRecord
    from mldesk.workbench.checked_files import Taken


class CheckedFiles:
    """What checks said of files, the newest first."""

    def __init__(self, desk: Desk, name: str) -> None:
        self._desk, self.name = desk, name
        self.records: Observable[tuple[CheckRecord, ...]] = Observable(())

    async def load(self) -> None:
        """Read them. Raises NotFound."""
        self.records.value = tuple(await in_thread(self._desk.workbench.checked.list, self.name))

    async def where(self, record: CheckRecord) -> Path | None:
        """Return where a file is now; None where it is gone or has changed."""
        return await in_thread(self._desk.workbench.checked.where, record)

    async def take(self, record: CheckRecord, why: str) -> Taken:
        """Merge a file's rows in spite of what is wrong. Raises as ``CheckedFileService.accept``."""
        closing, service = current().closing, self._desk.workbench.checked
        made = await in_thread(lambda: service.accept(self.name, [record.number], why, cancelled=closing.is_set))
        self._desk.nudge()
        await self.load()
        return made
