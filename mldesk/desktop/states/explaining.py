"""Why a version of a model predicts what it predicts: the newest explanation there is, and one that is being made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mldesk.core.observable import Observable
from mldesk.desktop.states.desk import Desk
from mldesk.desktop.tasks import in_remote, in_thread

if TYPE_CHECKING:
    from mldesk.library.records import Run
    from mldesk.workbench.explaining import Explainable


class ExplainState:
    """Shows what explains one version."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.label = ""
        self.found: Observable[Mapping[str, Any] | None] = Observable(None)   # {} where there is none
        self.run: Observable[Run | None] = Observable(None)   # the one begun here; until it has succeeded
        self.tables: Observable[Explainable | None] = Observable(None)   # None until they are read
        self._shown = ""

    async def look(self, label: str) -> None:
        """Read what there is for a version. Raises NotFound."""
        if label != self.label:
            self.label, self._shown, self.run.value, self.tables.value = label, "", None, None
        service = self._desk.workbench.explaining
        tables = await in_thread(service.tables, label)
        if label == self.label:
            self.tables.value = tables
        if self.run.value is not None:
            run = await in_thread(self._desk.workbench.runs.get, self.run.value.id)
            self.run.value = None if run.state.value == "succeeded" else run
        newest = await in_thread(service.of_model, label)
        if newest is None:
            self.found.value = {}
        elif newest.id != self._shown:
            found = await in_thread(service.explanation, newest.id)
            if label == self.label:
                self.found.value, self._shown = found, newest.id

    async def start(self, dataset: str = "", classes: Sequence[str] = ()) -> Run:
        """Have this machine explain the version on what it was tested on, or on all rows of ``dataset`` (N@V); of many
        classes ``classes`` in any case.

        Raises BadInput, NotFound, RunnerUnreachable.
        """
        from mldesk.workbench.explaining import ExplainOrder

        self.run.value = run = await in_remote(self._desk.workbench.explaining.start,
                                               ExplainOrder(self.label, dataset, classes=classes))
        self._desk.nudge()
        return run
