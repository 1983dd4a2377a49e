"""Everything the statistics of a table hold, put together: what goes together, is missing, far off, or there twice."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mldesk.data.parts import part_paths
from mldesk.data.records import Cancelled
from mldesk.data.statistics.associations import associations
from mldesk.data.statistics.gaps import gaps
from mldesk.data.statistics.outliers import outliers
from mldesk.data.statistics.repeats import repeats
from mldesk.data.statistics.scan import rows_of
from mldesk.data.statistics.targeting import target_view
from mldesk.data.stopping import stoppable
from mldesk.wire.objects import ObjectStore
from mldesk.wire.schema import Column

FORMAT = 2   # of what ``explore`` and ``explore_target`` return; another number makes them anew


def explore(store: ObjectStore, manifest: str, columns: Sequence[Column], *, cancelled: Cancelled | None = None,
            scratch: Path | None = None) -> dict[str, Any]:
    """Return {"rows", "associations", "missing", "outliers", "repeats"}, plain JSON; see the modules of those names.

    Raises ImportCancelled soon after ``cancelled`` says so, ObjectMissing.
    """
    def work() -> dict[str, Any]:
        parts = part_paths(store, manifest)
        return {"rows": rows_of(parts), "associations": associations(parts, columns), "missing": gaps(parts, columns),
                "outliers": outliers(parts, columns), "repeats": repeats(parts, columns, scratch)}

    return stoppable(work, cancelled, "The statistics")


def explore_target(store: ObjectStore, manifest: str, columns: Sequence[Column], target: str, *, classes: bool,
                   cancelled: Cancelled | None = None) -> dict[str, Any]:
    """Return the view of one target, see ``targeting``. Raises as ``explore`` does."""
    return stoppable(lambda: target_view(part_paths(store, manifest), columns, target, classes=classes), cancelled,
                     "The statistics")
