"""Clean tables by recipes: every recipe makes a new version, and a preview keeps nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from mldesk.core.errors import BadInput
from mldesk.core.paths import Home
from mldesk.library import Library
from mldesk.library.records import DatasetVersion
from mldesk.workbench.datasets import Cancelled, DatasetService
from mldesk.workbench.imported import made_by_steps
from mldesk.workbench.joined import moved, pinned
from mldesk.workbench.pages import RecipePage
from mldesk.workbench.time_limit import KEY, USUAL, limited
from mldesk.workbench.trusted_code import TrustedCode


class CleaningService:
    """What recipes do with datasets."""

    def __init__(self, library: Library, datasets: DatasetService, home: Home) -> None:
        self._library, self._datasets, self._home = library, datasets, home
        self._trusted = TrustedCode(home.trusted_code)

    def clean(self, reference: str, steps: Sequence[Mapping[str, Any]], *,
              cancelled: Cancelled | None = None, seconds: float | None = None) -> DatasetVersion:
        """Apply a recipe and keep the result as the dataset's next version.

        ``seconds``: how long it may take, 0 for no limit; None: as ``time_limit`` says. Raises BadInput naming the
        step; CodeNotTrusted for Python code that ``trust_code`` was not told of; WorkFailed when the time is over.
        """
        version = self._datasets.show(reference)
        if not steps:
            raise BadInput("The recipe has no steps.", hint='Write {"steps": [{"step": "drop", "columns": [...]}]}.')
        from mldesk.data import apply_recipe

        steps = self._pinned(steps)
        with self._datasets.intact(version), self._limited(seconds, cancelled) as stops:
            table = apply_recipe(self._library.objects, self._home.scratch, version.manifest, version.columns, steps,
                                 trusted=self._trusted.digests(), cancelled=stops)
        return self._datasets.keep(version.dataset, table, parent=version.number, recipe=steps, source="recipe")

    def preview_recipe(self, reference: str, steps: Sequence[Mapping[str, Any]], *, rows: int = 20,
                       whole: bool = False, cancelled: Cancelled | None = None,
                       seconds: float | None = None) -> RecipePage:
        """Return the first rows a recipe would give, and what each step does to a large table's first rows.

        ``whole`` counts over all rows, however many. Keeps nothing. Raises BadInput naming the step, ImportCancelled;
        WorkFailed when the time is over, as ``clean``.
        """
        from mldesk.data import preview_recipe

        version, asked, steps = self._datasets.show(reference), steps, self._pinned(steps)
        sample = {"sample": version.rows} if whole else {}
        with self._datasets.intact(version), self._limited(seconds, cancelled) as stops:
            found = preview_recipe(self._library.objects, self._home.scratch, version.manifest, version.columns, steps,
                                   rows=rows, trusted=self._trusted.digests(), cancelled=stops, **sample)
        return RecipePage(tuple(column.name for column in found.columns), found.rows, 0,
                          found.rows_after if found.steps else version.rows,
                          types=tuple(column.type.value for column in found.columns), reports=found.steps,
                          notices=(*moved(asked, steps), *(notice.message for notice in found.notices)),
                          sampled=found.sampled)

    def time_limit(self) -> float:
        """Return how many seconds a recipe may take where nothing else is said; 0: no limit."""
        kept = self._library.settings.get(KEY, USUAL)
        return float(kept) if isinstance(kept, (int, float)) and 0 <= kept < math.inf else USUAL

    def set_time_limit(self, seconds: float) -> None:
        """Keep how many seconds a recipe may take; 0: no limit. Raises BadInput for less than that."""
        if not 0 <= seconds < math.inf:
            raise BadInput("A recipe cannot take less than no time.", hint="0 is no limit.")
        self._library.settings.set(KEY, seconds)

    def _limited(self, seconds: float | None,
                 cancelled: Cancelled | None) -> AbstractContextManager[Cancelled | None]:
        return limited(self.time_limit() if seconds is None else seconds, cancelled, "The recipe")

    def recipe_script(self, reference: str, steps: Sequence[Mapping[str, Any]]) -> str:
        """Return a Python script that repeats a recipe with duckdb alone. Raises BadInput naming the step."""
        from mldesk.data.recipes.applying import recipe_script

        version, steps = self._datasets.show(reference), self._pinned(steps)
        with self._datasets.intact(version):
            return recipe_script(self._library.objects, self._home.scratch, version.manifest, version.columns, steps,
                                 version.label, trusted=self._trusted.digests())

    def recipe_of(self, reference: str) -> list[Mapping[str, Any]]:
        """Return the recipe that made a version, for use on another dataset. Raises NotFound, BadInput for none."""
        version = self._datasets.show(reference)
        if not version.recipe:
            raise BadInput(f"{version.label} was not made by a recipe.", hint="`mldesk data versions N` shows which "
                           "versions were.")
        return [dict(step) for step in version.recipe]

    def untrusted_code(self, steps: Sequence[Mapping[str, Any]]) -> list[tuple[int, str]]:
        """Return the steps (number from 1, code) whose Python code nobody has allowed to run in this library yet."""
        from mldesk.data.recipes.code_trust import untrusted
        from mldesk.data.recipes.steps import check_steps

        return untrusted(check_steps(steps), self._trusted.digests())

    def trust_code(self, source: str) -> None:
        """Let this very code run in recipes of this library from now on: the user has said so. Raises DiskFull."""
        from mldesk.data.recipes.code_trust import code_digest

        self._trusted.add(code_digest(source))

    def made_by(self, reference: str, steps: Sequence[Mapping[str, Any]]) -> DatasetVersion | None:
        """Return the version in the line of ``reference`` that these very steps made, the newest; None for none."""
        return made_by_steps(self._datasets.line_of(self._datasets.show(reference)), steps)

    def made_of(self, reference: str, steps: Sequence[Mapping[str, Any]]) -> DatasetVersion | None:
        """Return the version that these very steps made of ``reference``; None for none."""
        version = self._datasets.show(reference)
        children = [item for item in self._datasets.versions(version.dataset) if item.parent == version.number]
        return made_by_steps(children, steps)

    def _pinned(self, steps: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        return pinned(self._library, self._datasets.show, steps)
