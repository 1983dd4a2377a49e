"""What a search ends with: the best blend of its trials on the judged rows, or the best trial alone."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mldesk.core.errors import WorkFailed
from mldesk.training import blend as blends
from mldesk.training.blocks import Style
from mldesk.training.catalogue import ESTIMATORS
from mldesk.training.estimators.base import Part, load_estimator
from mldesk.training.job import Model, Workplace
from mldesk.training.joined import JoinedEncoder
from mldesk.training.prepared import OneEncoder
from mldesk.training.search.crew import Crew, Task
from mldesk.training.search.ensemble import select_calmly, stack, without_light
from mldesk.training.search.trial import LimitedControl, Outcome, run_trial
from mldesk.wire.jobs import SearchRequest

_BLENDED = 50          # trials that a blend is chosen from
_STACKED = 25          # ... and a stack: each weight is learned


def blend(request: SearchRequest, encoders: Mapping[Style, OneEncoder], task: Task, done: Sequence[Outcome],
          crew: Crew, late: float, work: Workplace) -> Model:
    """Choose the best blend, or the best trial where that was asked for, and make its members.

    ``late``: of time.monotonic, from when on no trial is fitted again that is not at hand as a model.
    """
    rows, aim = task.rows, task.aim
    natives = _Natives(task, crew, late, work)
    ranked = natives.possible(sorted(done, key=lambda outcome: outcome.loss)[:_BLENDED])
    weights, loss = [1.0] + [0.0] * (len(ranked) - 1), ranked[0].loss
    if request.stack:
        few = ranked[:_STACKED]
        found, loss = stack([outcome.prediction for outcome in few], rows.y, rows.classes, aim)
        weights = found + [0.0] * (len(ranked) - len(few))
    elif request.ensemble:
        weights, loss = select_calmly([outcome.prediction for outcome in ranked], rows.y, aim,
                                      task.seed, lambda: time.monotonic() > late)
        if request.seconds:   # keeping a member takes of it
            weights, loss = without_light(weights, [outcome.prediction for outcome in ranked], rows.y, aim, loss)
    chosen = [(outcome, weight) for outcome, weight in zip(ranked, weights, strict=True) if weight > 0]
    styles = list(dict.fromkeys(_style(outcome) for outcome, _ in chosen))
    joined = JoinedEncoder([encoders[style] for style in styles])
    places = dict(zip(styles, zip(joined.starts[:-1], joined.starts[1:], strict=True), strict=True))
    members: list[blends.Member] = []
    for done_so_far, (outcome, weight) in enumerate(chosen, start=1):
        made = natives.of(outcome)
        start, stop = places[_style(outcome)]
        members += [blends.Member(outcome.configuration.estimator, native, start, stop, weight / len(made))
                    for native in made]
        work.report.progress(done_so_far, len(chosen), "members")
    prediction = sum(weight * outcome.prediction.astype(np.float64) for outcome, weight in chosen)
    facts = {"score": aim.score(loss), "metric": aim.name, "trials": len(done), "members": [
        {"trial": outcome.number, "estimator": outcome.configuration.estimator, "weight": weight,
         "parameters": dict(outcome.configuration.parameters), "score": aim.score(outcome.loss)}
        for outcome, weight in chosen]}
    judged = Part(next(iter(rows.parts.values())).x[:0], rows.y)
    return Model(blends.KIND, _title(chosen), {}, facts, members, joined,
                 lambda x: blends.predict(members, x, rows.classes), judged, np.asarray(prediction),
                 work.control.finish)


class _Natives:
    """The models of trials: in memory, with the crew, or fitted again."""

    def __init__(self, task: Task, crew: Crew, late: float, work: Workplace) -> None:
        self._task, self._crew, self._late, self._work = task, crew, late, work

    def possible(self, ranked: Sequence[Outcome]) -> list[Outcome]:
        """Return the trials that there is still time to have models of; at least the best one."""
        left = self._late - time.monotonic()
        found = []
        for outcome in ranked:
            # Now means now: once the search is to finish, nothing is fitted again.
            if not outcome.natives and not self._crew.has_models(outcome.number):
                if self._work.control.finish or outcome.seconds > left:
                    continue
                left -= outcome.seconds      # as if it were chosen
            found.append(outcome)
        return found or list(ranked[:1])

    def of(self, outcome: Outcome) -> Sequence[Any]:
        """Return a trial's models, one per fold."""
        found = outcome.natives or self._crew.models(outcome) or run_trial(
            outcome.number, outcome.configuration, self._task.rows, self._task.aim, self._work.report,
            LimitedControl(self._work.control, float("inf")), seed=self._task.seed, threads=self._task.threads,
            device=self._task.device).natives
        if not found:
            raise WorkFailed(f"Trial {outcome.number} left no model.")
        return found


def _style(outcome: Outcome) -> Style:
    return load_estimator(ESTIMATORS[outcome.configuration.estimator]).style


def _title(chosen: Sequence[tuple[Outcome, float]]) -> str:
    names = list(dict.fromkeys(ESTIMATORS[outcome.configuration.estimator].title for outcome, _ in chosen))
    return names[0] if len(names) == 1 else f"Blend of {', '.join(names[:-1])} and {names[-1]}"
