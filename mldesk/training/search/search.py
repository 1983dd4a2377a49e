"""A search job from the table to the blended model, read down the page.

Every trial is judged on the same rows, which are never test rows: of each fold in turn on small tables, of one
validation part on large ones. The portfolio comes first, TPE after it; at the end the best are blended.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.model_selection import KFold, StratifiedKFold

from mldesk.core.errors import BadInput, DiskFull, WorkFailed
from mldesk.training import blend
from mldesk.training.blocks import Style
from mldesk.training.catalogue import ESTIMATORS
from mldesk.training.estimators.base import Part, load_estimator
from mldesk.training.features import FeatureEncoder
from mldesk.training.job import Model, Table, Workplace, evaluate, open_table, save, warn_left_out
from mldesk.training.joined import JoinedEncoder
from mldesk.training.search.ensemble import select
from mldesk.training.search.measures import Aim, find_aim
from mldesk.training.search.portfolio import Configuration, may_use, portfolio
from mldesk.training.search.records import Records
from mldesk.training.search.trial import LimitedControl, Outcome, Rows, TimeUp, run_trial
from mldesk.training.split import TRAIN, VALIDATION
from mldesk.training.values import ColumnData, take
from mldesk.wire.failures import explain
from mldesk.wire.jobs import SearchRequest

_FOLDED = 15_000       # rows up to which trials are judged by folds
_FOLDS = 5
_KEPT = 12             # trials whose models are held in memory: the best
_FINAL = 0.15          # share of the time that scoring and saving may need
_SLOWER = 1.3          # a trial is not begun if one like it took more of the time that is left, by this factor
_BLENDED = 50          # trials that a blend is chosen from
_FAILURES = 25         # in a row, after which something else is wrong


@dataclass(slots=True)
class _Trials:
    """The trials so far."""

    done: list[Outcome]
    failed: int = 0          # in all
    in_a_row: int = 0

    @property
    def best(self) -> Outcome:
        return min(self.done, key=lambda outcome: outcome.loss)

    def seconds_of(self, configuration: Configuration) -> float:
        """Return how long trials of the same kind took, the longest; 0 while there was none."""
        return max((item.seconds for item in self.done
                    if item.configuration.estimator == configuration.estimator), default=0.0)

    def add(self, outcome: Outcome) -> None:
        """Keep it, and the models of the best only."""
        self.in_a_row = 0
        self.done.append(outcome)
        ranked = sorted(self.done, key=lambda item: item.loss)
        held = {item.number for item in ranked[:_KEPT]}
        self.done = [item if item.number in held or not item.natives else replace(item, natives=())
                     for item in self.done]


def search(request: SearchRequest, work: Workplace, folder: Path) -> dict[str, Any]:
    """Do the job; return the ``result`` of its "succeeded" event. ``folder`` keeps the trials for a resumed search.

    Raises BadInput for what the data or the order do not allow, WorkFailed when no trial succeeded, DiskFull,
    Terminated.
    """
    began = time.monotonic()
    columns, table = open_table(request.train, work)
    aim = find_aim(request.metric, len(table.target.classes))
    work.report.stage("Preparing the columns")
    encoders, rows = _rows(request, columns, table)
    warn_left_out(encoders["trees"], work.report)
    del columns

    work.report.stage("Searching")
    trials = _search(request, table, rows, aim, began, Records(folder), work)

    work.report.stage("Blending the best")
    model = _blend(request, encoders, rows, aim, trials, began, work)
    scores = evaluate(model, table, request.train.seed, work)
    result = save(request.train, model, table, scores, work)
    return {**result, "seconds": round(time.monotonic() - began, 3), "metric": aim.name,
            "score": model.facts["score"], "trials": len(trials.done), "failed_trials": trials.failed,
            "best_trial": trials.best.number, "members": model.facts["members"]}


def _rows(request: SearchRequest, columns: Mapping[str, ColumnData],
          table: Table) -> tuple[dict[Style, FeatureEncoder], Rows]:
    """Encode every row but the test rows in every style, and deal them into folds."""
    classes = len(table.target.classes)
    usable = np.flatnonzero((table.membership == TRAIN) | (table.membership == VALIDATION))
    given, y = take(columns, usable), table.target.y[usable]
    encoders: dict[Style, FeatureEncoder] = {}
    parts: dict[Style, Part] = {}
    for style in ("trees", "dense", "embed"):
        encoders[style] = FeatureEncoder.fit(given, table.candidates, style,
                                             chosen=request.train.features is not None)
        parts[style] = Part(encoders[style].transform(given), y)
    categorical = {style: tuple(encoder.categorical) for style, encoder in encoders.items()}
    return encoders, Rows(parts, categorical, classes, _folds(table, usable, y, classes, request.train.seed))


def _folds(table: Table, usable: Any, y: Any, classes: int, seed: int) -> list[tuple[Any, Any]]:
    if len(usable) > _FOLDED:
        part = table.membership[usable]
        return [(np.flatnonzero(part == TRAIN), np.flatnonzero(part == VALIDATION))]
    least = int(np.bincount(y, minlength=classes).min()) if classes else len(y)
    count = min(_FOLDS, len(y) // 2, max(least, 2))
    if classes and least >= count:
        return list(StratifiedKFold(count, shuffle=True, random_state=seed).split(y, y))
    folds = list(KFold(count, shuffle=True, random_state=seed).split(y))
    if classes and any(len(np.unique(y[fit_on])) < classes for fit_on, _ in folds):  # a class of one row
        part = table.membership[usable]
        return [(np.flatnonzero(part == TRAIN), np.flatnonzero(part == VALIDATION))]
    return folds


def _search(request: SearchRequest, table: Table, rows: Rows, aim: Aim, began: float, records: Records,
            work: Workplace) -> _Trials:
    """Try until the time, the trials or the wish for better are over."""
    from mldesk.training.search.space import Space  # loads Optuna

    deadline = began + request.seconds * (1 - _FINAL) if request.seconds else float("inf")
    fit_rows, width = len(rows.folds[0][0]), rows.parts["dense"].x.shape[1]
    usable = [name for name in ESTIMATORS
              if may_use(name, table.target.task, request.estimators, fit_rows, width)]
    waiting = portfolio(table.target.task, request.estimators, fit_rows, width)
    waiting += [Configuration(name, {}, "portfolio") for name in usable
                if request.estimators and name not in {item.estimator for item in waiting}]
    if not waiting:
        raise BadInput("None of the models that were asked for can do this task.",
                       hint="Leave the choice to the search.")
    space = Space(usable, request.train.seed)
    trials = _Trials([])
    for outcome in records.read(len(rows.judged)):
        trials.add(outcome)
        space.tell(outcome.number, outcome.configuration, outcome.loss)
        waiting = [item for item in waiting if (item.estimator, item.parameters) != (
            outcome.configuration.estimator, outcome.configuration.parameters)]
    number = max((outcome.number for outcome in trials.done), default=0)
    control = LimitedControl(work.control, deadline)
    while not _over(request, trials, aim, control):
        number += 1
        if not waiting and space.empty:
            break
        configuration = waiting.pop(0) if waiting else space.propose(number)
        left = deadline - time.monotonic()
        if trials.done and trials.seconds_of(configuration) > _SLOWER * left:
            if not waiting and min(item.seconds for item in trials.done) > _SLOWER * left:
                break
            space.tell(number, configuration, None)
            number -= 1
            if not waiting:
                time.sleep(0.01)  # the sampler may go on proposing what is too slow until the time is up
            continue
        _try(number, configuration, rows, aim, control, trials, records, space, request, work)
        _tell(request, trials, aim, time.monotonic() - began, work)
    if not trials.done:
        raise WorkFailed("No model of the search could be fitted.", hint="The warnings above say why each was not.")
    return trials


def _over(request: SearchRequest, trials: _Trials, aim: Aim, control: LimitedControl) -> bool:
    if not trials.done and trials.in_a_row < _FAILURES and not control.terminate:
        return False   # a search ends with something
    if trials.in_a_row >= _FAILURES or control.finish:
        return True
    if request.trials and len(trials.done) + trials.failed >= request.trials:
        return True
    goal = request.target_score
    return goal is not None and trials.best.loss <= (-goal if aim.larger else goal)


def _try(number: int, configuration: Configuration, rows: Rows, aim: Aim, control: LimitedControl, trials: _Trials,
         records: Records, space: Any, request: SearchRequest, work: Workplace) -> None:
    """Run one trial, keep it and tell of it; one that fails is told of and passed over."""
    began = time.monotonic()
    try:
        outcome = run_trial(number, configuration, rows, aim, work.report, control, seed=request.train.seed,
                            threads=work.threads, device=work.device, needed=not trials.done)
    except (DiskFull, MemoryError):
        raise
    except TimeUp:
        space.tell(number, configuration, None)
        work.report.log(f"Trial {number}: {configuration.estimator} was left unfinished when the search ended.")
        return
    except Exception as error:  # noqa: BLE001 - one configuration that does not work is no reason to end the search
        trials.failed += 1
        trials.in_a_row += 1
        space.tell(number, configuration, None)
        work.report.event("trial", number=number, estimator=configuration.estimator, state="failed",
                          parameters=dict(configuration.parameters), origin=configuration.origin, metric=aim.name,
                          score=None, seconds=round(time.monotonic() - began, 3), curve=[],
                          message=str(explain(error)["message"]))
        return
    records.keep(outcome)
    trials.add(outcome)
    space.tell(number, configuration, outcome.loss)
    work.report.event("trial", **outcome.to_json(aim))


def _tell(request: SearchRequest, trials: _Trials, aim: Aim, used: float, work: Workplace) -> None:
    """Report where the search stands: the best score as a curve over the trials, and the time or trials used.

    ``used``: seconds since the job began.
    """
    count = len(trials.done) + trials.failed
    if trials.done:
        last = max(trials.done, key=lambda outcome: outcome.number)
        work.report.metrics(last.number, {f"best_{aim.name}": aim.score(trials.best.loss),
                                          f"trial_{aim.name}": aim.score(last.loss)})
    if request.seconds:
        work.report.progress(min(used, request.seconds), request.seconds, "seconds")
    elif request.trials:
        work.report.progress(count, request.trials, "trials")


def _blend(request: SearchRequest, encoders: Mapping[Style, FeatureEncoder], rows: Rows, aim: Aim, trials: _Trials,
           began: float, work: Workplace) -> Model:
    """Choose the best blend on the judged rows, or the best trial alone, and make its members."""
    ranked = sorted(trials.done, key=lambda outcome: outcome.loss)[:_BLENDED]
    if work.control.finish:   # now means now: nothing is fitted again
        ranked = [outcome for outcome in ranked if outcome.natives] or ranked[:1]
    weights, loss = [1.0] + [0.0] * (len(ranked) - 1), ranked[0].loss
    if request.ensemble:
        late = began + request.seconds if request.seconds else float("inf")
        weights, loss = select([outcome.prediction for outcome in ranked], rows.y, aim,
                               lambda: time.monotonic() > late)
    chosen = [(outcome, weight) for outcome, weight in zip(ranked, weights, strict=True) if weight > 0]
    styles = list(dict.fromkeys(_style(outcome) for outcome, _ in chosen))
    joined = JoinedEncoder([encoders[style] for style in styles])
    places = dict(zip(styles, zip(joined.starts[:-1], joined.starts[1:], strict=True), strict=True))
    members: list[blend.Member] = []
    for done, (outcome, weight) in enumerate(chosen, start=1):
        natives = outcome.natives or run_trial(
            outcome.number, outcome.configuration, rows, aim, work.report, LimitedControl(work.control, float("inf")),
            seed=request.train.seed, threads=work.threads, device=work.device).natives
        start, stop = places[_style(outcome)]
        members += [blend.Member(outcome.configuration.estimator, native, start, stop, weight / len(natives))
                    for native in natives]
        work.report.progress(done, len(chosen), "members")
    prediction = sum(weight * outcome.prediction.astype(np.float64) for outcome, weight in chosen)
    facts = {"score": aim.score(loss), "metric": aim.name, "trials": len(trials.done), "members": [
        {"trial": outcome.number, "estimator": outcome.configuration.estimator, "weight": weight,
         "parameters": dict(outcome.configuration.parameters), "score": aim.score(outcome.loss)}
        for outcome, weight in chosen]}
    judged = Part(next(iter(rows.parts.values())).x[:0], rows.y)
    return Model(blend.KIND, _title(chosen), {}, facts, members, joined,
                 lambda x: blend.predict(members, x, rows.classes), judged, np.asarray(prediction),
                 work.control.finish)


def _style(outcome: Outcome) -> Style:
    return load_estimator(ESTIMATORS[outcome.configuration.estimator]).style


def _title(chosen: Sequence[tuple[Outcome, float]]) -> str:
    names = list(dict.fromkeys(ESTIMATORS[outcome.configuration.estimator].title for outcome, _ in chosen))
    return names[0] if len(names) == 1 else f"Blend of {', '.join(names[:-1])} and {names[-1]}"
