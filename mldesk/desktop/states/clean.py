"""A recipe in the making: steps that can be undone, a preview of what they give, and the new version in the end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mldesk.core.errors import MldeskError
from mldesk.core.observable import Observable
from mldesk.desktop.states.desk import Desk
from mldesk.desktop.tasks import in_thread

if TYPE_CHECKING:
    from mldesk.library.records import DatasetVersion
    from mldesk.workbench.pages import Page

Step = Mapping[str, Any]  # {"step": name, ...fields}, as mldesk.data reads it
PREVIEW_ROWS = 100


class CleanState:
    """Edits a recipe over one version. Nothing is kept until ``apply``."""

    def __init__(self, desk: Desk, version: DatasetVersion) -> None:
        self._desk, self.version = desk, version
        self._past: list[tuple[Step, ...]] = []
        self._future: list[tuple[Step, ...]] = []
        self.steps: Observable[tuple[Step, ...]] = Observable(())
        self.preview: Observable[Page | None] = Observable(None)
        self.problem: Observable[MldeskError | None] = Observable(None)
        self.busy = Observable(False)
        self._asked = 0  # previews asked for; an answer to an older one is dropped

    @property
    def can_undo(self) -> bool:
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        return bool(self._future)

    def add(self, step: Step) -> None:
        """Append a step."""
        self._change((*self.steps.value, dict(step)))

    def replace(self, index: int, step: Step) -> None:
        """Put another step in place of one."""
        steps = self.steps.value
        self._change((*steps[:index], dict(step), *steps[index + 1:]))

    def remove(self, index: int) -> None:
        """Take a step out."""
        steps = self.steps.value
        self._change(steps[:index] + steps[index + 1:])

    def move(self, index: int, by: int) -> None:
        """Move a step up (-1) or down (1); beyond the ends nothing happens."""
        steps = list(self.steps.value)
        if 0 <= index + by < len(steps):
            steps[index], steps[index + by] = steps[index + by], steps[index]
            self._change(tuple(steps))

    def undo(self) -> None:
        """Take back the latest change to the recipe."""
        if self._past:
            self._future.append(self.steps.value)
            self.steps.value = self._past.pop()

    def redo(self) -> None:
        """Bring back what ``undo`` took."""
        if self._future:
            self._past.append(self.steps.value)
            self.steps.value = self._future.pop()

    async def refresh(self) -> None:
        """Preview the recipe as it is now. A step that does not fit ends in ``problem``, which names it."""
        self._asked += 1
        asked, steps, service = self._asked, self.steps.value, self._desk.workbench.datasets
        self.busy.value = True
        page: Page | None = None
        problem: MldeskError | None = None
        try:
            if steps:
                page = await in_thread(lambda: service.preview_recipe(self.version.label, steps, rows=PREVIEW_ROWS))
            else:
                page = await in_thread(lambda: service.preview(self.version.label, rows=PREVIEW_ROWS))
        except MldeskError as error:
            problem = error
        if asked == self._asked:
            self.busy.value = False
            self.problem.value = problem
            self.preview.value = page or self.preview.value

    async def apply(self) -> DatasetVersion:
        """Keep the result as the dataset's next version. Raises BadInput, DiskFull."""
        made = await in_thread(self._desk.workbench.datasets.clean, self.version.label, self.steps.value)
        self._desk.nudge()
        return made

    def _change(self, steps: tuple[Step, ...]) -> None:
        self._past.append(self.steps.value)
        self._future.clear()
        self.steps.value = steps
