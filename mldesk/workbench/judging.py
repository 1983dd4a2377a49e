"""What runs achieved: their evaluations, and several side by side, judged by more than luck."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mldesk.core.errors import BadInput, MldeskError, NotFound
from mldesk.library import Library
from mldesk.library.records import ModelVersion, Run
from mldesk.training.metric_words import direction, leading
from mldesk.workbench import comparison
from mldesk.workbench.aims import is_ordered, quantile_of
from mldesk.workbench.class_deltas import ClassScore, class_deltas
from mldesk.workbench.evaluated import intervals_of
from mldesk.workbench.fold_tests import fold_differences
from mldesk.workbench.pairing import Pairing, judge
from mldesk.workbench.predicted_rows import PredictedRows, rows_where
from mldesk.workbench.runs import RunService
from mldesk.workbench.tested_rows import TestedRows, tested_on

if TYPE_CHECKING:
    from mldesk.workbench.paired import RowsTested


class JudgingService:
    """Reads what runs kept; asks no runner."""

    def __init__(self, library: Library, runs: RunService) -> None:
        self._library, self._runs = library, runs
        self._rows = TestedRows(library)

    def evaluation(self, reference: str) -> Mapping[str, Any]:
        """Return the evaluation payload. Raises NotFound while there is none."""
        run = self._runs.get(reference)
        if (found := self._evaluation(run)) is None:
            raise NotFound(f"Run {run.name} has no evaluation.", hint="Only a run that succeeded has one.")
        return found

    def _evaluation(self, run: Run) -> Mapping[str, Any] | None:
        artifact = self._library.runs.artifacts(run.id).get("evaluation")
        if artifact is None:
            return None
        payload: Mapping[str, Any] = json.loads(self._library.objects.read(str(artifact["digest"])))
        return payload

    def intervals(self, reference: str) -> dict[str, list[float]]:
        """Return [low, high] of the 95 % interval of each test score that has one; {} where none is kept."""
        try:
            return intervals_of((self.evaluation(reference).get("parts") or {}).get("test") or {})
        except MldeskError:   # it has no evaluation, or lost it: its scores stand all the same
            return {}

    def predictions_where(self, reference: str, actual: object, predicted: object, *,
                          limit: int = 500) -> PredictedRows:
        """Return the test rows of one class that were called another: a cell of the confusion matrix.

        Raises NotFound where the run has no predictions, BadInput for a class it does not know.
        """
        run = self._runs.get(reference)
        artifact = self._library.runs.artifacts(run.id).get("predictions")
        if artifact is None:
            raise NotFound(f"Run {run.name} has no predictions.", hint="Only a run that succeeded has them.")
        return rows_where(self._library.objects.path(str(artifact["digest"])), actual, predicted, limit)

    def compare(self, references: Sequence[str], *, judged: bool = True) -> Mapping[str, Any]:
        """Put runs side by side: what differs, which is best, by more than luck or not, and whether they may be ranked.

        Beside what ``comparison.compare`` returns it holds "verdicts" of ``comparison.verdicts``, and "crossed": what
        ``fold_differences`` says of runs of two settings, {"first", "second"} their ids, None for any others. Without
        ``judged`` both are empty, and of runs on other versions it is not said whether their test rows are the same,
        which takes no time.
        """
        runs = [self._runs.get(reference) for reference in references]
        if not judged:
            return {**comparison.compare(runs), "verdicts": {}, "crossed": None}
        found = comparison.compare(runs, self._rows.same)
        return {**found, **judge(found, runs, Pairing(self._tested, self._rows))}

    def better(self, version: ModelVersion, others: Sequence[ModelVersion]) -> tuple[ModelVersion, str] | None:
        """Return which of other versions scored best on the test rows of this one, and in what, if better than it.

        None too where nobody knows: of versions that came in a bundle, or learned from another table.
        """
        best, name = version, leading(version.metrics) or ""
        for other in others:
            if name in other.metrics and (other.metrics[name] - best.metrics[name]) * direction(name) > 0 and \
                    self._tested_alike(version, other):
                best = other
        return None if best is version else (best, name)

    def _tested_alike(self, version: ModelVersion, other: ModelVersion) -> bool:
        with suppress(NotFound):
            run, before = (self._runs.get(item.run or "") for item in (version, other))
            ours, theirs = tested_on(run), tested_on(before)
            return ours is not None and theirs is not None and ours[0] == theirs[0] and self._rows.same(run, before)
        return False

    def paired(self, references: Sequence[str], against: str = "") -> list[Mapping[str, Any]]:
        """Set each run against one of them, the first if none is named, row by row, as ``paired.paired`` does.

        Each item holds "run" and "against", "why_not" where there is nothing to pair, and "folds" of
        ``fold_differences`` where both were cross-validated on the same folds, else None. Raises NotFound, BadInput
        for a run to set them against that is not among them.
        """
        runs = [self._runs.get(reference) for reference in references]
        base = self._baseline(runs, against)
        pairing = Pairing(self._tested, self._rows)
        return [{**pairing.pair(other, base), "folds": fold_differences([other], [base])}
                for other in runs if other.id != base.id]

    def class_deltas(self, references: Sequence[str], against: str = "") -> list[ClassScore]:
        """Return F1 of every class in each run, beside one of them, the first if none is named. Raises BadInput."""
        runs = [self._runs.get(reference) for reference in references]
        evaluations = [self._evaluation(run) or {} for run in runs]
        return class_deltas([run.id for run in runs], evaluations, self._baseline(runs, against).id)

    def _baseline(self, runs: Sequence[Run], against: str) -> Run:
        base = self._runs.get(against) if against else runs[0]
        if base.id not in {run.id for run in runs}:
            raise BadInput(f"{base.name} is not among the compared runs.", hint="Name it with them, too.")
        return base

    def _tested(self, run: Run) -> RowsTested:
        from mldesk.workbench.paired import read_tested

        artifact = self._library.runs.artifacts(run.id).get("predictions")
        if artifact is None:
            raise NotFound(f"Run {run.name} has no predictions.", hint="Only a run that succeeded has them.")
        found = read_tested(self._library.objects.path(str(artifact["digest"])))
        return replace(found, quantile=quantile_of(run), ordered=is_ordered(run))
