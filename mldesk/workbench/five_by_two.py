"""The 5x2cv paired test of two runs: the ten runs it needs are started, found again, and then compared.

Dietterich, Approximate statistical tests for comparing supervised classification learning algorithms, 1998: five times
the rows are dealt into two folds, and both models are fitted on each and scored on the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mldesk.core.errors import BadInput
from mldesk.core.run_filter import RunFilter
from mldesk.library import Library
from mldesk.library.records import Run
from mldesk.wire.states import JobState
from mldesk.workbench.fold_tests import fold_differences
from mldesk.workbench.orders import TrainOrder
from mldesk.workbench.references import slug
from mldesk.workbench.runs import RunService

SEEDS = range(5)
TRIALS = 2 * len(SEEDS)   # runs, of two fits each
_LATEST = 3000            # runs among which those of a test are looked for
_SAME = ("target", "task", "estimator", "parameters", "features", "order", "prepare")   # of what was asked


@dataclass(frozen=True, slots=True)
class FiveByTwo:
    """How far a test is."""

    first: Run                     # as it was asked about
    second: Run
    runs: tuple[Run, ...]          # of the ten, those there are; the last attempt of each

    @property
    def begun(self) -> bool:
        """Any of its runs was started."""
        return bool(self.runs)

    @property
    def done(self) -> int:
        """How many of the ten have succeeded."""
        return sum(run.state is JobState.SUCCEEDED for run in self.runs)

    @property
    def failed(self) -> tuple[Run, ...]:
        """Those that ended without a score, or wait to be resumed."""
        return tuple(run for run in self.runs if run.state.ended and run.state is not JobState.SUCCEEDED)

    @property
    def active(self) -> tuple[Run, ...]:
        """Those that go on."""
        return tuple(run for run in self.runs if not run.state.ended)

    @property
    def result(self) -> Mapping[str, Any] | None:
        """What ``fold_differences`` says, first minus second; None until all ten have succeeded."""
        mine = [run for run in self.runs if _alike(run, self.first)]
        other = [run for run in self.runs if _alike(run, self.second)]
        return fold_differences(mine, other) if self.done == TRIALS else None

    def to_json(self) -> dict[str, Any]:
        return {"first": self.first.id, "second": self.second.id, "runs": [run.id for run in self.runs],
                "done": self.done, "of": TRIALS, "failed": [run.id for run in self.failed], "result": self.result}


class CrossTestService:
    """Starts 5x2cv tests and says how far they are. A test is found by what its runs were asked, so that it goes on
    whoever asks again, and no run is done twice.
    """

    def __init__(self, library: Library, runs: RunService) -> None:
        self._library, self._runs = library, runs

    def why_not(self, references: Sequence[str]) -> str:
        """Say why runs cannot be tested so; "" where they can."""
        if len(references) != 2:
            return "The 5x2cv test sets two runs side by side."
        first, second = (self._runs.get(reference) for reference in references)
        for run in (first, second):
            if run.kind != "train":
                return f"{run.name} is no training, so it cannot be trained again on other folds."
            if _split(run).get("method") in ("time", "column"):
                return f"The rows of {run.name} are split by {_split(run)['method']}, and cannot be dealt at random."
        if (first.dataset, first.target, _dealt(first)) != (second.dataset, second.target, _dealt(second)):
            return "These runs are of different data, targets or ways to split it."
        return "Both runs have the same settings." if _alike(first, second) else ""

    def look(self, first: str, second: str) -> FiveByTwo:
        """Return how far the test of two runs is. Raises NotFound."""
        pair = self._runs.get(first), self._runs.get(second)
        found: dict[tuple[int, int], Run] = {}
        known = self._library.runs.list(limit=_LATEST, wanted=RunFilter(dataset=pair[0].dataset))   # newest first
        for run in known:
            place = _place(run, pair)
            if place is not None and (place not in found or _worth(run) < _worth(found[place])):
                found[place] = run
        return FiveByTwo(*pair, tuple(found[place] for place in sorted(found)))

    def start(self, first: str, second: str, runner: str = "local") -> FiveByTwo:
        """Start what is missing of the test of two runs: ten runs at first, then those that failed.

        Raises NotFound; BadInput for runs that cannot be tested so; as ``RunService.start``.
        """
        if why := self.why_not([first, second]):
            raise BadInput(why, hint="Choose two trainings of the same dataset and target.")
        before = self.look(first, second)
        pair = (before.first, before.second)
        there = {_place(run, pair) for run in before.runs if not run.state.ended or run.state is JobState.SUCCEEDED}
        group = f"5x2cv {before.first.name[:80]} and {before.second.name[:80]}"
        for seed in SEEDS:
            for side, run in enumerate(pair):
                if (seed, side) not in there:
                    made = self._runs.start(replace(_order(run, seed), runner=runner))
                    self._library.runs.annotate(made.id, group=group, tags=["5x2cv"])
        return self.look(first, second)

    def cancel(self, first: str, second: str) -> FiveByTwo:
        """Cancel those of its runs that go on. Raises NotFound, RunnerUnreachable."""
        for run in self.look(first, second).active:
            self._runs.cancel(run.id)
        return self.look(first, second)


def _payload(run: Run) -> Mapping[str, Any]:
    found: Mapping[str, Any] = run.spec.get("payload", {})
    return found


def _split(run: Run) -> Mapping[str, Any]:
    found: Mapping[str, Any] = _payload(run).get("split") or {}
    return found


def _dealt(run: Run) -> tuple[str, Any]:
    """Return how rows are dealt; given bytes mean nothing for other folds."""
    method = str(_split(run).get("method") or "random")
    return "random" if method == "given" else method, _split(run).get("column")


def _alike(run: Run, other: Run) -> bool:
    """Say whether two runs were asked for the same model of the same rows, however these were dealt."""
    return run.kind == other.kind and run.dataset == other.dataset and all(
        _plain(_payload(run).get(key)) == _plain(_payload(other).get(key)) for key in _SAME)


def _plain(value: Any) -> Any:
    """Return a value such that what JSON made of it is equal to it."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value or None


def _place(run: Run, pair: Sequence[Run]) -> tuple[int, int] | None:
    """Return which of the ten a run is: its seed, and 0 or 1 for the side; None for no run of the test."""
    split = _split(run)
    seed = split.get("seed")
    if run.kind != "train" or split.get("folds") != 2 or type(seed) is not int or seed not in SEEDS or _dealt(
            run) != _dealt(pair[0]) or split.get("same_test"):
        return None
    return next(((seed, side) for side, one in enumerate(pair) if _alike(run, one)), None)


def _worth(run: Run) -> int:
    """Order runs of one place: one that has succeeded, one that goes on, any other; the newest of each."""
    return 0 if run.state is JobState.SUCCEEDED else 1 if not run.state.ended else 2


def _order(run: Run, seed: int) -> TrainOrder:
    """Return the order that trains a run's model on two folds dealt by ``seed``, and keeps the scores alone."""
    asked, split = _payload(run), _split(run)
    features, (method, column) = asked.get("features"), _dealt(run)
    return TrainOrder(
        run.dataset, run.target, task=asked.get("task"), estimator=str(asked["estimator"]),
        parameters=dict(asked.get("parameters") or {}), order=tuple(asked.get("order") or ()),
        features=None if features is None else tuple(features), prepare=tuple(asked.get("prepare") or ()),
        validation_size=float(split.get("validation_size", 0.15)), split=method, split_column=column, folds=2,
        seed=seed, model=f"{slug(str(asked.get('model') or run.name)) or 'model'}-5x2cv", scores_only=True)
