"""Clean tables by recipes: every recipe makes a new version, and a preview keeps nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mldesk.core.errors import BadInput
from mldesk.core.paths import Home
from mldesk.library import Library
from mldesk.library.records import DatasetVersion
from mldesk.workbench.datasets import Cancelled, DatasetService
from mldesk.workbench.imported import made_by_steps
from mldesk.workbench.joined import moved, pinned
from mldesk.workbench.pages import RecipePage
from mldesk.workbench.trusted_code import TrustedCode


class CleaningService:
    """What recipes do with datasets."""

    def __init__(self, library: Library, datasets: DatasetService, home: Home) -> None:
        self._library, self._datasets, self._home = library, datasets, home
        self._trusted = TrustedCode(home.trusted_code)

    def clean(self, reference: str, steps: Sequence[Mapping[str, Any]], *,
              cancelled: Cancelled | None = None) -> DatasetVersion:
        """Apply a recipe and keep the result as the dataset's next version.

        Raises BadInput naming the step; CodeNotTrusted for Python code that ``trust_code`` was not told of.
        """
        version = self._datasets.show(reference)
        if not steps:
            raise BadInput("The recipe has no steps.", hint='Write {"steps": [{"step": "drop", "columns": [...]}]}.')
        from mldesk.data import apply_recipe

        steps = self._pinned(steps)
        with self._datasets.intact(version):
            table = apply_recipe(self._library.objects, self._home.scratch, version.manifest, version.columns, steps,
                                 trusted=self._trusted.digests(), cancelled=cancelled)
        return self._datasets.keep(version.dataset, table, parent=version.number, recipe=steps, source="recipe")

    def preview_recipe(self, reference: str, steps: Sequence[Mapping[str, Any]], *, rows: int = 20,
                       whole: bool = False, cancelled: Cancelled | None = None) -> RecipePage:
        """Return the first rows a recipe would give, and what each step does to a large table's first rows.

        ``whole`` counts over all rows, however many. Keeps nothing. Raises BadInput naming the step, ImportCancelled.
        """
        from mldesk.data import preview_recipe

        version, asked, steps = self._datasets.show(reference), steps, self._pinned(steps)
        sample = {"sample": version.rows} if whole else {}
        with self._datasets.intact(version):
            found = preview_recipe(self._library.objects, self._home.scratch, version.manifest, version.columns, steps,
                                   rows=rows, trusted=self._trusted.digests(), cancelled=cancelled, **sample)
        return RecipePage(tuple(column.name for column in found.columns), found.rows, 0,
                          found.rows_after if found.steps else version.rows,
                          types=tuple(column.type.value for column in found.columns), reports=found.steps,
                          notices=(*moved(asked, steps), *(notice.message for notice in found.notices)),
                          sampled=found.sampled)

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
