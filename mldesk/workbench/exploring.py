"""Looking into a dataset: its statistics, the view of a target, charts, and the guard against leaks.

What takes long is made once per version and kept in the library's cache, by what it is of and how it is made.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from typing import TYPE_CHECKING, Any

from mldesk.core import canonical
from mldesk.core.durable import write_atomic
from mldesk.core.errors import BadInput
from mldesk.core.paths import Home
from mldesk.library import Library
from mldesk.library.records import DatasetVersion
from mldesk.training.catalogue import CLASSIFICATION
from mldesk.training.task_guess import guess_task, target_hint, target_problem
from mldesk.wire.jobs import TASKS
from mldesk.workbench.checks import check_order, find_column, refuse
from mldesk.workbench.datasets import Cancelled, DatasetService
from mldesk.workbench.far_data import refuse_elsewhere
from mldesk.workbench.orders import TrainOrder
from mldesk.workbench.references import did_you_mean, listed
from mldesk.workbench.same_split import split_of

if TYPE_CHECKING:  # duckdb and pyarrow load with them
    from mldesk.data.statistics.charting import Kind
    from mldesk.training.values import Array

MOST_KEPT = 400   # documents in the cache; the oldest go first


class ExploreService:
    """Answers questions about versions of tables. Changes nothing but its cache."""

    def __init__(self, library: Library, datasets: DatasetService, home: Home) -> None:
        self._library, self._datasets, self._home = library, datasets, home

    def statistics(self, reference: str, *, cancelled: Cancelled | None = None) -> Mapping[str, Any]:
        """Return {"rows", "associations", "missing", "outliers", "repeats"}, see ``mldesk.data.statistics.exploring``.

        Raises NotFound; ImportCancelled soon after ``cancelled`` says so, which is asked in this thread.
        """
        from mldesk.data.statistics.exploring import FORMAT, explore

        version = self._datasets.show(reference)
        return self._kept(["statistics", FORMAT, version.manifest], lambda: explore(
            self._library.objects, version.manifest, version.columns, cancelled=cancelled,
            scratch=self._home.scratch), version)

    def known_statistics(self, reference: str) -> Mapping[str, Any] | None:
        """Return the statistics if they are in the cache. Raises NotFound."""
        from mldesk.data.statistics.exploring import FORMAT

        return self._read(["statistics", FORMAT, self._datasets.show(reference).manifest])

    def target(self, reference: str, target: str, task: str | None = None, *,
               cancelled: Cancelled | None = None) -> Mapping[str, Any]:
        """Return how every column lies beside a target, see ``mldesk.data.statistics.targeting``.

        Raises as ``statistics``, and BadInput for a column that cannot be one.
        """
        from mldesk.data.statistics.exploring import FORMAT, explore_target

        version = self._datasets.show(reference)
        task = task_of(version, target, task)
        return self._kept(["target", FORMAT, version.manifest, target, task], lambda: explore_target(
            self._library.objects, version.manifest, version.columns, target, classes=task == CLASSIFICATION,
            cancelled=cancelled), version)

    def chart(self, reference: str, kind: Kind, x: str | None, y: str | None, by: str | None = None, *,
              where: str | None = None, cancelled: Cancelled | None = None) -> Mapping[str, Any]:
        """Return what a chart of some rows shows, see ``statistics.charting``. Raises NotFound, BadInput."""
        from mldesk.data.statistics.charting import KINDS, chart, is_axis
        from mldesk.data.stopping import stoppable

        version = self._datasets.show(reference)
        for role, name in (("x", x), ("y", y), ("by", by)):
            if name:
                column = find_column(version, name, role)
                if role == "y" and kind != "heat" and not is_axis(column):
                    raise BadInput(f"The column {name!r:.80} holds {column.type.value}, not numbers.",
                                   hint="Choose a column of numbers or dates for y.")
                if role == "x" and kind in ("scatter", "density", "line") and not is_axis(column):
                    raise BadInput(f"The column {name!r:.80} holds {column.type.value}, not numbers.",
                                   hint="Choose a column of numbers or dates for x.")
            elif role in KINDS[kind]:
                raise BadInput(f"A {kind} needs a column for {role}.", hint="Choose one.")
        with self._datasets.view(version) as view:
            return stoppable(lambda: chart(view, kind, x, y, by, where=where), cancelled, "The chart")

    def membership(self, order: TrainOrder, *, unlearned: bool = False) -> Array:
        """Return the part of every row that a run of ``order`` would give it, see ``training.split``.

        Raises what keeps the order from being trained: NotFound, BadInput; not, with ``unlearned``, that a class has
        no training row.
        """
        version = self._datasets.show(order.dataset)
        refuse(check_order(order, version))
        from mldesk.training.split import make_split
        from mldesk.training.table import read_columns
        from mldesk.training.target import read_target

        request = split_of(self._library, self._datasets, order, version)
        given = None if request.membership is None else self._library.objects.read(request.membership)
        column = find_column(version, order.target, "target")
        by = [find_column(version, request.column, "split")] if request.column else []
        with self._intact(version):
            columns = read_columns(self._library.objects, version.manifest, [column, *by])
        target = read_target(columns[column.name], column, order.task)
        return make_split(target, request, given, columns[by[0].name] if by else None, unlearned=unlearned)

    def guard(self, order: TrainOrder, *, cancelled: Cancelled | None = None) -> Mapping[str, Any]:
        """Return {"rows": {"train", "validation", "test"}, "concerns": [...]}: what would make the scores of ``order``
        say more than they should, see ``statistics.guarding``. Raises as ``membership``, and ImportCancelled.
        """
        version = self._datasets.show(order.dataset)
        check = check_order(order, version)
        refuse(check)
        key = ["guard", 4, version.manifest, order.target, check.task, sorted(check.features),
               split_of(self._library, self._datasets, order, version).to_json()]

        def make() -> dict[str, Any]:
            from mldesk.data.statistics.guarding import guard
            from mldesk.training.split import PARTS

            parts = self.membership(order, unlearned=True)   # such a class is a concern, with its rows
            features = set(check.features)
            if order.split == "column" or (order.split == "group" and order.features is None):
                features.discard(order.split_column or "")
            found = guard(self._library.objects, version.manifest, version.columns, order.target, features, parts,
                          classes=check.task == CLASSIFICATION, split=order.split, split_column=order.split_column,
                          cancelled=cancelled, scratch=self._home.scratch)
            return {"rows": {name: int((parts == part).sum()) for name, part in PARTS.items()},
                    "concerns": [concern.to_json() for concern in found]}

        return self._kept(key, make, version)

    # The cache

    def _kept(self, key: Sequence[Any], make: Callable[[], dict[str, Any]],
              version: DatasetVersion) -> Mapping[str, Any]:
        found = self._read(key)
        if found is not None:
            return found
        with self._intact(version):
            made = make()
        data = canonical.dumps(made)
        folder = self._home.cache
        with suppress(OSError):  # the disk is full: what was asked for is here all the same
            folder.mkdir(exist_ok=True, mode=0o700)
            write_atomic(folder / _file(key), data)
            for old in sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime)[:-MOST_KEPT]:
                old.unlink(missing_ok=True)
        fresh: Mapping[str, Any] = json.loads(data)
        return fresh

    def _intact(self, version: DatasetVersion) -> AbstractContextManager[None]:
        from mldesk.data.damage import intact

        refuse_elsewhere(self._library, version)
        return intact(self._library.objects, version.manifest, f"the dataset {version.label}")

    def _read(self, key: Sequence[Any]) -> Mapping[str, Any] | None:
        try:
            found = json.loads((self._home.cache / _file(key)).read_bytes())
        except (OSError, ValueError):  # not made yet, or spoilt: it is made anew
            return None
        return found if isinstance(found, dict) else None


def _file(key: Sequence[Any]) -> str:
    return f"{key[0]}-{canonical.digest(list(key))}.json"


def task_of(version: DatasetVersion, target: str, task: str | None) -> str:
    """Return the task of a target, given or guessed. Raises BadInput for a column or a task that cannot be."""
    column = find_column(version, target, "target")
    if task is not None and task not in TASKS:
        raise BadInput(f"There is no task {task[:60]!r}.",
                       hint=did_you_mean(task, TASKS) or f"There are: {listed(TASKS)}.")
    task = task or guess_task(column, version.rows)
    problem = target_problem(column, version.rows, task)
    if problem is not None:
        raise BadInput(problem, hint=target_hint(column, version.rows, task))
    return task
