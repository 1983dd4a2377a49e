"""What an import gave: a new version, or the one there was that has the same rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mldesk.core.errors import NotFound
from mldesk.library import Library
from mldesk.library.records import Dataset, DatasetVersion
from mldesk.workbench.sources import Source, remembered

if TYPE_CHECKING:  # duckdb and pyarrow load with mldesk.data: only where a table is really touched
    from mldesk.data import Table


@dataclass(frozen=True, slots=True)
class Imported(Dataset):
    """A dataset after an import. ``head`` is the version that holds the rows, which need not be the current one."""

    made: bool = True   # False: the version was there before, nothing was made


def same_rows(library: Library, name: str, manifest: str) -> DatasetVersion | None:
    """Return the version of a dataset that has these very rows: the current one, else the newest; None for none."""
    try:
        head = library.datasets.get(name).head
    except NotFound:
        return None
    alike = [version for version in library.datasets.versions(name)
             if version.manifest == manifest and version.purged is None]
    return head if head.manifest == manifest else alike[-1] if alike else None


def reading_of(sources: Sequence[Source], table: Table, files: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return what is kept of an import, so that it can be repeated, and its files told from others."""
    return {"sources": [remembered(source) for source in sources], "options": table.options.to_json(),
            "found": dict(table.reading), "files": [dict(file) for file in files]}


def made_by_steps(line: Sequence[DatasetVersion], steps: Sequence[Mapping[str, Any]]) -> DatasetVersion | None:
    """Return the first version of a line that these very steps made; None for none. Raises BadInput for no steps."""
    from mldesk.data.recipes.steps import check_steps

    wanted = [_told(step) for step in check_steps(steps)]
    return next((item for item in line if item.recipe and item.parent is not None
                 and [_told(step) for step in check_steps(item.recipe)] == wanted), None)


def _told(step: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a step was told, without what was found out when it was done."""
    return {key: value for key, value in step.items() if key != "digest"}
