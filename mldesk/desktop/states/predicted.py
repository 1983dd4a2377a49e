"""Every file of predictions that was written, and whether it still is what was written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from mldesk.core.observable import Observable
from mldesk.desktop.states.desk import Desk
from mldesk.desktop.tasks import in_thread

if TYPE_CHECKING:
    from mldesk.library.records import Model, PredictionRecord

_LOOKED_AT = 200   # the newest files: each is read whole


class PredictionList:
    """Files of predictions by any model, newest first."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._known: dict[int, tuple[tuple[int, int] | None, str]] = {}   # by key: the file's stamp then, its state
        self.models: Observable[tuple[Model, ...] | None] = Observable(None)   # None: not read yet
        self.made: Observable[tuple[PredictionRecord, ...]] = Observable(())
        self.states: Observable[Mapping[int, str]] = Observable({})   # by key: "unchanged", "changed" or "gone"

    async def refresh(self) -> None:
        """Read the list again, then look at the files."""
        bench = self._desk.workbench
        models = tuple(await in_thread(bench.models.list))
        self.made.value = tuple(await in_thread(bench.predictions.made))
        self.models.value = models
        for record in self.made.value[:_LOOKED_AT]:
            await in_thread(self._look, record)
        self.states.value = {key: state for key, (_, state) in self._known.items()}

    def _look(self, record: PredictionRecord) -> None:
        stamp = _stamp(Path(record.output))
        if record.key not in self._known or self._known[record.key][0] != stamp:
            self._known[record.key] = stamp, self._desk.workbench.predictions.state_of(record)


def _stamp(path: Path) -> tuple[int, int] | None:
    """Return what changes when a file does; None: there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
