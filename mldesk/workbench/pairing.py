"""Runs of the library set side by side row by row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mldesk.core.errors import BadInput, MldeskError
from mldesk.library.records import Run
from mldesk.workbench.comparison import verdicts
from mldesk.workbench.fold_tests import crossed

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

    def __init__(self, read: Callable[[Run], RowsTested]) -> None:
        from mldesk.workbench.paired import Draws  # numpy and pyarrow load with it

        self._read, self._draws = read, Draws()
        self._tested: dict[str, RowsTested] = {}

    def pair(self, run: Run, against: Run) -> Mapping[str, Any]:
        """Return what ``paired.paired`` does, with "run", "against" and "why_not"."""
        from mldesk.workbench.paired import paired

        who = {"run": run.id, "against": against.id}
        try:
            if against.target != run.target or against.dataset != run.dataset:
                raise BadInput("The two runs were not tested on the same rows of the same dataset version.")
            return {**who, "why_not": None, **paired(self._of(run), self._of(against), self._draws)}
        except MldeskError as error:
            return {**who, "why_not": error.message}

    def _of(self, run: Run) -> RowsTested:
        if run.id not in self._tested:
            self._tested[run.id] = self._read(run)
        return self._tested[run.id]
