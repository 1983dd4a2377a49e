"""Runs of the library set side by side row by row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mldesk.core.errors import MldeskError
from mldesk.library.records import Run
from mldesk.workbench.comparison import verdicts
from mldesk.workbench.fold_tests import crossed
from mldesk.workbench.tested_rows import Key, TestedRows, tested_on

if TYPE_CHECKING:
    from mldesk.workbench.paired import RowsTested


def judge(found: Mapping[str, Any], runs: Sequence[Run], pairing: Pairing) -> dict[str, Any]:
    """Return {"verdicts", "crossed"} of runs that ``comparison.compare`` has ``found`` this of."""
    named = {run.id: run for run in runs}
    kept: dict[tuple[str, str], Mapping[str, Any]] = {}

    def pair(one: str, other: str) -> Mapping[str, Any] | None:
        if (one, other) not in kept:
            kept[one, other] = pairing.pair(named[one], named[other])
        return None if kept[one, other]["why_not"] else kept[one, other]

    return {"verdicts": verdicts(found, pair), "crossed": crossed(runs)}


class Pairing:
    """Sets runs side by side row by row; what is read and drawn of each is kept."""

    def __init__(self, read: Callable[[Run], RowsTested], rows: TestedRows) -> None:
        from mldesk.workbench.paired import Draws  # numpy and pyarrow load with it

        self._read, self._rows, self._draws = read, rows, Draws()
        self._tested: dict[str, RowsTested] = {}
        self._placed: dict[tuple[Key, str], RowsTested] = {}

    def pair(self, run: Run, against: Run) -> Mapping[str, Any]:
        """Return what ``paired.paired`` does, with "run", "against" and "why_not". Rows are numbered as ``run`` has
        them.
        """
        from mldesk.workbench.paired import paired

        who = {"run": run.id, "against": against.id}
        try:
            return {**who, "why_not": None, **paired(self._of(run), self._placed_as(run, against), self._draws)}
        except MldeskError as error:
            return {**who, "why_not": error.message}

    def _placed_as(self, run: Run, against: Run) -> RowsTested:
        """Return what ``against`` said of the rows of ``run``, in their order. Raises BadInput."""
        places, tested = self._rows.places(run, against), self._of(against)
        here, there = tested_on(run), tested_on(against)
        if here is None or there is None or here[0] == there[0]:   # one table
            return tested
        if (key := (here, against.id)) not in self._placed:
            self._placed[key] = tested.placed(places, self._of(run).rows)
        return self._placed[key]

    def _of(self, run: Run) -> RowsTested:
        if run.id not in self._tested:
            self._tested[run.id] = self._read(run)
        return self._tested[run.id]
