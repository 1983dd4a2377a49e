"""How the table that a model learned from was read, for files that come later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mldesk.core.errors import BadInput, NotFound
from mldesk.library import Library
from mldesk.library.records import ModelVersion
from mldesk.workbench.references import parse_reference

if TYPE_CHECKING:  # pyarrow loads with them
    from mldesk.bundles import Predictor
    from mldesk.data.columns.as_imported import AsImported


def as_imported(library: Library, version: ModelVersion | None, predictor: Predictor) -> AsImported:
    """Return how the import read cells that a model learned from, or one of a bundle (``version`` None).

    It says nothing where that is not known. Raises BadBundle.
    """
    from mldesk.bundles import as_imported as bundled
    from mldesk.data.columns.as_imported import AsImported

    if version is None or version.run is None:
        data = predictor.reading_file()
        return AsImported() if data is None else bundled.from_bytes(data)
    return of_dataset(library, version.dataset)


def of_dataset(library: Library, reference: str) -> AsImported:
    """Return how the import read cells that a version of a dataset came of."""
    from mldesk.data.columns.as_imported import AsImported

    try:
        now = library.datasets.version(*parse_reference(reference))
        while now.reading is None and now.parent is not None:
            now = library.datasets.version(now.dataset, now.parent)
    except (NotFound, BadInput):
        return AsImported()
    return AsImported.of(now.reading or {})
