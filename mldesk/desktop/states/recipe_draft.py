"""A recipe that is not finished: kept for the version it is over until one is made of it, or its steps are gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mldesk.desktop.states.desk import Desk
from mldesk.desktop.tasks import in_thread

Step = Mapping[str, Any]
DRAFT = "recipe_draft:{manifest}"   # the setting that holds it


class RecipeDraft:
    """The steps that somebody left over one version. Nothing is kept before ``load`` knows what there is."""

    def __init__(self, desk: Desk, manifest: str) -> None:
        self._desk, self._manifest = desk, manifest
        self._kept: tuple[Step, ...] | None = None   # as the library has it
        self._wanted: tuple[Step, ...] = ()
        self._keeping = False

    async def load(self) -> tuple[Step, ...]:
        """Return the steps that were left; none where none were, or where they cannot be read."""
        found = self._desk.recipe_drafts.get(self._manifest)
        if found is None:
            found = _steps(await in_thread(self._desk.workbench.settings.get, self._key))
        self._kept = self._wanted = found
        return found

    async def keep(self, steps: Sequence[Step]) -> None:
        """Keep steps instead of those before; none take it away."""
        if self._kept is None:
            return
        self._wanted = self._desk.recipe_drafts[self._manifest] = tuple(steps)
        if self._keeping:
            return
        self._keeping, settings = True, self._desk.workbench.settings
        try:
            while (wanted := self._wanted) != self._kept:
                if wanted:
                    await in_thread(settings.set, self._key, [dict(step) for step in wanted])
                else:
                    await in_thread(settings.delete, self._key)
                self._kept = wanted
        finally:
            self._keeping = False

    @property
    def _key(self) -> str:
        return DRAFT.format(manifest=self._manifest)


def together(given: Sequence[Step], draft: Sequence[Step]) -> tuple[Step, ...]:
    """Return a draft with the steps that somebody comes with: what was changed by hand first, anything else last."""
    edits = [step for step in given if step["step"] == "edit"]
    kept = [step for step in draft if not edits or step["step"] != "edit"]
    return (*edits, *kept, *(step for step in given if step not in edits and step not in kept))


def _steps(value: Any) -> tuple[Step, ...]:
    if not isinstance(value, list):
        return ()
    return tuple(step for step in value if isinstance(step, dict) and isinstance(step.get("step"), str))
