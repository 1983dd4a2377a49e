"""A recipe in the making: steps that can be undone, what they give before and after, and the new version in the end."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mldesk.core.errors import MldeskError
from mldesk.core.observable import Observable, Undoable
from mldesk.desktop.states.desk import Desk
from mldesk.desktop.states.recipe_draft import RecipeDraft, together
from mldesk.desktop.tasks import current, in_thread

if TYPE_CHECKING:
    from mldesk.library.records import DatasetVersion
    from mldesk.workbench.pages import Page, RecipePage

Step = Mapping[str, Any]  # {"step": name, ...fields}, as mldesk.data reads it
PREVIEW_ROWS = 100


class CleanState:
    """Edits a recipe over one version. No version is made until ``apply``; until then its steps are kept as a draft.

    ``preview`` is what the steps give, ``before`` what the step that is looked at starts from. ``counts`` come with a
    preview, over a large table's first rows, and once more over all rows.
    """

    def __init__(self, desk: Desk, version: DatasetVersion) -> None:
        self._desk, self.version = desk, version
        self.steps: Undoable[tuple[Step, ...]] = Undoable(())
        self.seen: Observable[int | None] = Observable(None)  # the step that is looked at; None: all of them
        self.trial: Observable[tuple[int | None, Step] | None] = Observable(None)  # a step in its form, and its place
        self.preview: Observable[Page | None] = Observable(None)
        self.before: Observable[Page | None] = Observable(None)
        self.counts: Observable[RecipePage | None] = Observable(None)
        # by these very steps: this version, one that it came of, or one that came of it
        self.made_before: Observable[DatasetVersion | None] = Observable(None)
        self.problem: Observable[MldeskError | None] = Observable(None)
        self.busy = Observable(False)
        self.draft = RecipeDraft(desk, version.manifest)
        self.given: tuple[Step, ...] = ()   # what somebody came with, which is no draft
        self._asked = 0  # previews asked for; an answer to an older one is dropped
        self._stop = threading.Event()

    def add(self, step: Step) -> None:
        """Append a step."""
        self.steps.change((*self.steps.value, dict(step)))

    def replace(self, index: int, step: Step) -> None:
        """Put another step in place of one; a disabled one stays so."""
        steps = self.steps.value
        kept = {**step, "disabled": True} if steps[index].get("disabled") else dict(step)
        self.steps.change((*steps[:index], kept, *steps[index + 1:]))

    def remove(self, index: int) -> None:
        """Take a step out."""
        steps = self.steps.value
        self.steps.change(steps[:index] + steps[index + 1:])

    def duplicate(self, index: int) -> None:
        """Put the same step below once more."""
        steps = self.steps.value
        self.steps.change((*steps[:index + 1], dict(steps[index]), *steps[index + 1:]))

    def set_disabled(self, index: int, on: bool) -> None:
        """Leave a step out, or take it in again, without losing it."""
        steps = self.steps.value
        if bool(steps[index].get("disabled")) != on:
            bare = {name: value for name, value in steps[index].items() if name != "disabled"}
            self.steps.change((*steps[:index], {**bare, "disabled": True} if on else bare, *steps[index + 1:]))

    def move_to(self, index: int, place: int) -> None:
        """Move a step to another place; one that is none changes nothing."""
        steps = list(self.steps.value)
        if 0 <= place < len(steps) and place != index:
            steps.insert(place, steps.pop(index))
            self.steps.change(tuple(steps))

    def set_steps(self, steps: Sequence[Step]) -> None:
        """Put a whole recipe in place of what is there."""
        self.steps.change(tuple(dict(step) for step in steps))

    def begin(self, steps: Sequence[Step]) -> None:
        """Begin with steps that come from elsewhere."""
        self.given = tuple(dict(step) for step in steps)
        if self.given:
            self.steps.change(self.given)

    async def go_on(self) -> bool:
        """Take up the steps that were left over this version; say whether there were any. Raises DiskFull."""
        found = await self.draft.load()
        steps = together(self.steps.value, found)
        if steps == self.steps.value:
            return False
        self.steps.change(steps)
        return True

    async def keep(self) -> None:
        """Keep the steps as they are now for whoever comes back. Raises DiskFull."""
        steps = self.steps.value
        await self.draft.keep(() if steps == self.given else steps)

    def wrong(self) -> int:
        """Return the place of the step that ``problem`` is about, -1 where it is about none of those in the list."""
        problem = self.problem.value
        said = re.match(r"Step (\d+)\b", problem.message) if problem is not None and self.trial.value is None else None
        return int(said[1]) - 1 if said and int(said[1]) <= len(self.steps.value) else -1

    def marks(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the columns that what is looked at makes, and those of whose first cells it changes any."""
        before, after = self.before.value, self.preview.value
        if before is None or after is None or before is after:
            return (), ()
        old = {name: number for number, name in enumerate(before.columns)}
        made = tuple(name for name in after.columns if name not in old)
        if before.total != after.total or len(before.rows) != len(after.rows):
            return made, ()   # rows came or went: which is which is not known
        both = [(name, old[name], number) for number, name in enumerate(after.columns) if name in old]
        return made, tuple(name for name, was, now in both if any(
            one[was] != other[now] for one, other in zip(before.rows, after.rows, strict=True)))

    def leave_to_model(self) -> int:
        """Leave out the steps that a model can learn from its training rows; return how many."""
        from mldesk.workbench.preparing import leave_to_model

        steps, left = leave_to_model(self.steps.value)
        if left:
            self.steps.change(steps)
        return len(left)

    def looked_at(self) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
        """Return the steps up to what is looked at, without it and with it."""
        steps, trial, seen = self.steps.value, self.trial.value, self.seen.value
        if trial is not None:
            index = len(steps) if trial[0] is None else trial[0]
            return steps[:index], (*steps[:index], trial[1])
        if seen is not None and seen < len(steps):
            return steps[:seen], steps[:seen + 1]
        return (), steps

    async def untrusted(self, steps: Sequence[Step]) -> list[str]:
        """Return the code in steps that nobody has allowed to run in this library."""
        if not any(step.get("code") for step in steps):
            return []
        found = await in_thread(self._desk.workbench.cleaning.untrusted_code, steps)
        return [code for _, code in found]

    async def allow(self, steps: Sequence[Step]) -> None:
        """Let the code in steps run from now on: the user has written it, or said so. Raises DiskFull."""
        for code in await self.untrusted(steps):
            await in_thread(self._desk.workbench.cleaning.trust_code, code)

    async def refresh(self) -> None:
        """Preview what is looked at. A step that does not fit ends in ``problem``, which names it."""
        self._stop.set()
        self._stop = stop = threading.Event()
        self._asked += 1
        asked = self._asked
        before, after = self.looked_at()
        self.busy.value = True
        page: Page | None = None
        first: Page | None = None
        made: DatasetVersion | None = None
        problem: MldeskError | None = None
        try:
            page = await in_thread(self._page, after, stop)
            made = await in_thread(self._made_by, self.steps.value)
            first = page if before == after else await in_thread(self._page, before, stop)
        except MldeskError as error:
            problem = error
        if asked != self._asked:
            return
        self.problem.value = problem
        self.before.value = first or self.before.value
        self.preview.value = page or self.preview.value
        self.made_before.value = made
        self.counts.value = None if problem is not None else _counted(page)
        self.busy.value = False
        if problem is None and after and getattr(page, "sampled", False):
            await self._count(after, stop, asked)

    async def apply(self) -> DatasetVersion:
        """Keep the result as the dataset's next version. Raises BadInput, ImportCancelled, DiskFull."""
        self._stop.set()
        self._stop = stop = threading.Event()
        closing = current().closing
        made = await in_thread(lambda: self._desk.workbench.cleaning.clean(
            self.version.label, self.steps.value, cancelled=lambda: stop.is_set() or closing.is_set()))
        await self.draft.keep(())
        self._desk.nudge()
        return made

    def stop(self) -> None:
        """Stop what is being made; nothing of it stays."""
        self._stop.set()

    def _page(self, steps: tuple[Step, ...], stop: threading.Event, whole: bool = False) -> Page:
        bench, closing = self._desk.workbench, current().closing
        if not steps:
            return bench.datasets.preview(self.version.label, rows=PREVIEW_ROWS)
        return bench.cleaning.preview_recipe(self.version.label, steps, rows=PREVIEW_ROWS, whole=whole,
                                             cancelled=lambda: stop.is_set() or closing.is_set())

    def _made_by(self, steps: tuple[Step, ...]) -> DatasetVersion | None:
        active = [step for step in steps if not step.get("disabled")]
        service = self._desk.workbench.cleaning
        return (service.made_by(self.version.label, steps) or service.made_of(self.version.label, steps)) \
            if active else None

    async def _count(self, steps: tuple[Step, ...], stop: threading.Event, asked: int) -> None:
        """Count over all rows, as long as nobody asks for something else."""
        try:
            page = await in_thread(self._page, steps, stop, whole=True)
        except MldeskError:
            return  # stopped, or said already by the preview
        if asked == self._asked:
            self.counts.value = _counted(page)


def _counted(page: Page | None) -> RecipePage | None:
    from mldesk.workbench.pages import RecipePage

    return page if isinstance(page, RecipePage) else None
