"""A model that learns on, from new rows: which rows may judge it, and why some models cannot.

What it learned from before stays with the rows it learns from, in whatever version of the data it comes again: neither
the test nor an early stop may look at a row that the weights have seen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from mldesk.core.errors import BadInput
from mldesk.library import Library
from mldesk.library.records import DatasetVersion, ModelVersion, Run
from mldesk.training.catalogue import ESTIMATORS
from mldesk.training.split import TEST, TRAIN, VALIDATION
from mldesk.training.values import ColumnData, take
from mldesk.wire.objects import ObjectMissing
from mldesk.wire.schema import columns_from_json
from mldesk.workbench.orders import Beginning, TrainOrder
from mldesk.workbench.seen_rows import seen

ENOUGH = 30    # new rows that it can be tested on
_HINT = "Add rows, or retrain it from the beginning."
_STOPPING = 3   # one in so many new rows, where the split gives no other to stop by
_MOST_STEPS = 1000   # of models that each went on from the one before


class WarmStart:
    """Knows what a model has learned from, itself and through the models it went on from."""

    def __init__(self, library: Library, deal: Callable[[TrainOrder], npt.NDArray[np.uint8]]) -> None:
        self._library, self._deal = library, deal

    def begin(self, version: ModelVersion, run: Run, data: DatasetVersion, order: TrainOrder) -> Beginning:
        """Return where the training on ``data`` begins. Raises BadInput for a model that cannot go on, or too few rows
        that are new to it.
        """
        entry = ESTIMATORS.get(version.estimator)
        if entry is None or not entry.iterative:
            able = ", ".join(item.name for item in ESTIMATORS.values() if item.iterative)
            why = (f"{entry.title} begins anew each time" if entry is not None and entry.pack
                   else f"a {version.estimator} is not trained step by step")
            raise BadInput(f"{version.label} cannot learn on: {why}.",
                           hint=f"Retrain it from the beginning; these can go on: {able}.")
        parts = self._deal(replace(order, folds=0)).copy()
        try:
            learned = self._learned(run, data)
        except ObjectMissing as error:
            raise BadInput(f"The rows that {version.label} learned from are not here, so it cannot be told which are "
                           "new to it.", hint=_HINT) from error
        parts[learned & np.isin(parts, (VALIDATION, TEST))] = TRAIN
        if not (parts == VALIDATION).any():   # the rows of before, dealt as before: some of those tested then say when
            new_to_it = np.flatnonzero(parts == TEST)   # to stop now
            chosen = np.random.default_rng(order.seed).permutation(new_to_it)[:len(new_to_it) // _STOPPING]
            parts[chosen] = VALIDATION
        new = int((parts == TEST).sum())
        if new < ENOUGH or not (parts == VALIDATION).any():
            raise BadInput(f"Only {new} of the rows that would be tested are new to {version.label}; at least {ENOUGH} "
                           "have to be.", hint=_HINT)
        return Beginning(version.manifest, self._library.objects.put_bytes(parts.tobytes()))

    def _learned(self, run: Run, data: DatasetVersion) -> npt.NDArray[np.bool_]:
        """Say of each row whether the model of ``run``, or one it went on from, was fitted or tuned on it."""
        found = np.zeros(data.rows, bool)
        rows: dict[str, ColumnData] | None = None
        for before in self._line(run):
            split, manifest = str((before.result or {})["split"]), str(before.spec["payload"]["dataset"])
            membership = np.isin(np.frombuffer(self._library.objects.read(split), np.uint8), (TRAIN, VALIDATION))
            if manifest == data.manifest:
                found |= membership
                continue
            rows = rows or self._rows(data.manifest, [column.to_json() for column in data.columns])
            learned = take(self._rows(manifest, before.spec["payload"]["columns"]), np.flatnonzero(membership))
            found |= seen(rows, learned)
        return found

    def _line(self, run: Run) -> list[Run]:
        """Return the run and those of the models it went on from."""
        found = [run]
        while (manifest := found[-1].spec["payload"].get("warm")) and len(found) < _MOST_STEPS:
            version = next((item for model in self._library.models.list()
                            for item in self._library.models.versions(model.name) if item.manifest == manifest), None)
            if version is None or version.run is None:
                raise BadInput("A model that this one went on from is not here any more, so it cannot be told which "
                               "rows are new to it.", hint=_HINT)
            found.append(self._library.runs.get(version.run))
        return found

    def _rows(self, manifest: str, columns: object) -> dict[str, ColumnData]:
        from mldesk.training.table import read_columns  # pyarrow

        return read_columns(self._library.objects, manifest, columns_from_json(columns))  # type: ignore[arg-type]
