"""A search as it is ordered and as it goes: its wishes, its trials in order, the members of what it made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from mldesk.library.records import Run
    from mldesk.wire.events import Event
    from mldesk.workbench.orders import TrainOrder
    from mldesk.workbench.searching import SearchOrder


@dataclass(frozen=True, slots=True)
class SearchWish:
    """How long to look and for what; what is to be learned is the order's."""

    ends: Literal["time", "trials", "either"] = "time"   # "either": whichever comes first
    minutes: float = 10.0
    trials: int = 30
    metric: str | None = None           # None: what suits the task
    estimators: tuple[str, ...] = ()    # (): all that make sense
    blend: bool = True                  # else the best one alone
    parallel: int = 1                   # models at once on each runner
    helpers: tuple[str, ...] = ()       # runners that try models besides the order's own
    stack: bool = False                 # a blend whose weights are learned together, or a second level
    stack_columns: bool = False         # ... which may look at the columns, too
    refit: bool = False                 # what is kept is fitted once more, on all rows but the test rows
    quantile: float = 0.9               # that is predicted where the metric is the pinball loss
    good_enough: float | None = None    # the score, in ``metric``, at which it ends before its time

    def order(self, train: TrainOrder) -> SearchOrder:
        """Return what the workbench is asked for."""
        from mldesk.workbench.searching import SearchOrder

        return SearchOrder(train, self.metric, 0.0 if self.ends == "trials" else 60.0 * self.minutes,
                           0 if self.ends == "time" else self.trials, self.good_enough, self.estimators, self.blend,
                           self.parallel, self.helpers, self.stack, self.stack_columns, self.refit,
                           self.quantile if self.metric == "mean_pinball_loss" else None)

    @classmethod
    def asked_as(cls, order: SearchOrder) -> SearchWish:
        """Return the wish that such an order is of."""
        usual = cls()
        return cls("time" if not order.trials else "either" if order.seconds else "trials",
                   order.seconds / 60 or usual.minutes, order.trials or usual.trials, order.metric, order.estimators,
                   order.ensemble, order.parallel, order.helpers, order.stack, order.stack_columns, order.refit,
                   usual.quantile if order.quantile is None else order.quantile, order.target_score)

    @classmethod
    def of(cls, run: Run) -> SearchWish:
        """Return what an earlier search was ordered with; its record does not name the runners of its helpers."""
        payload = run.spec.get("payload", {})
        seconds, trials = float(payload.get("seconds") or 0), int(payload.get("trials") or 0)
        usual, good_enough = cls(), payload.get("target_score")
        return cls("time" if not trials else "either" if seconds else "trials",
                   seconds / 60 or usual.minutes, trials or usual.trials,
                   payload.get("metric"), tuple(payload.get("estimators") or ()), bool(payload.get("ensemble", True)),
                   int(payload.get("parallel") or 1), stack=bool(payload.get("stack")),
                   stack_columns=bool(payload.get("stack_columns")), refit=bool(payload.get("refit")),
                   quantile=float(payload.get("quantile") or usual.quantile),
                   good_enough=None if good_enough is None else float(good_enough))


@dataclass(frozen=True, slots=True)
class Trial:
    """One configuration that was tried."""

    rank: int                        # from 1; 0 for one without a score
    number: int
    estimator: str
    parameters: Mapping[str, Any]    # those that are not the estimator's own
    metric: str
    score: float | None              # None where it failed or was given up
    seconds: float
    message: str = ""                # why it has no score
    runner: str = ""                 # of the helper that made it; "": the search itself
    weak: bool = False               # it was given up after its first folds
    curve: tuple[tuple[float, float], ...] = ()   # (step, validation loss) of its first fold
    pipeline: str = ""               # what is not usual around its model, in words
    pruned: bool = False             # it was ended on the way through its first fit


@dataclass(frozen=True, slots=True)
class Member:
    """One model of a blend."""

    trial: int
    estimator: str
    weight: float                    # of all members together: 1
    score: float | None
    parameters: Mapping[str, Any]
    pipeline: str = ""


def is_search(run: Run | None) -> bool:
    """Say whether a run looks for the best model."""
    return run is not None and run.kind == "search"


def asked(run: Run) -> Mapping[str, Any]:
    """Return what a run was asked to learn: a search says it one level deeper than a training."""
    payload: Mapping[str, Any] = run.spec.get("payload", {})
    train = payload.get("train")
    return train if is_search(run) and isinstance(train, Mapping) else payload


def trials_of(events: Iterable[Event]) -> list[Trial]:
    """Return every trial that was told of: the best first, those without a score last."""
    from mldesk.workbench.searching import leaderboard

    found, rank = [], 0
    for facts in leaderboard(events):
        score: Any = facts.get("score")
        known = isinstance(score, (int, float))
        rank += known
        parameters, seconds = facts.get("parameters"), facts.get("seconds")
        found.append(Trial(
            rank if known else 0, int(facts["number"]), str(facts.get("estimator", "")),
            dict(parameters) if isinstance(parameters, Mapping) else {}, str(facts.get("metric", "")),
            float(score) if known else None, float(seconds) if isinstance(seconds, (int, float)) else 0.0,
            str(facts.get("message") or ""), str(facts.get("runner") or ""),
            facts.get("state") == "weak", _points(facts.get("curve")), _pipeline(facts),
            facts.get("state") == "pruned"))
    return found


def _pipeline(facts: Mapping[str, Any]) -> str:
    from mldesk.training.pipeline_words import pipeline_words

    given = facts.get("pipeline")
    return pipeline_words(given) if isinstance(given, Mapping) else ""


def _points(given: Any) -> tuple[tuple[float, float], ...]:
    """Return a curve as a trial's event has it; () for anything else."""
    try:
        return tuple((float(step), float(loss)) for step, loss in given or ())
    except (TypeError, ValueError):
        return ()


def members_of(run: Run | None) -> list[Member]:
    """Return what a search's model is made of, the heaviest first; [] before it is made."""
    members: Sequence[Mapping[str, Any]] = (run.result or {}).get("members") or () if run is not None else ()
    found = [Member(int(item["trial"]), str(item["estimator"]), float(item["weight"]), item.get("score"),
                    dict(item.get("parameters") or {}), _pipeline(item)) for item in members]
    return sorted(found, key=lambda member: -member.weight)


def in_words(estimator: str, parameters: Mapping[str, Any]) -> str:
    """Write parameters as people read them: "Rounds 300 · Learning rate 0.05"; "" where all are the defaults."""
    from mldesk.training.catalogue import ESTIMATORS

    entry = ESTIMATORS.get(estimator)
    titles = {parameter.name: parameter.title for parameter in entry.parameters} if entry is not None else {}
    return " · ".join(f"{titles.get(name, name.replace('_', ' '))} {_value(value)}"
                      for name, value in parameters.items())


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, (list, tuple)):
        return " × ".join(_value(item) for item in value)
    return "none" if value is None else str(value).replace("_", " ")
