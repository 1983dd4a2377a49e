"""What a search ends with: the best blend of its trials on the judged rows, or the best trial alone."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from mldesk.core.errors import WorkFailed
from mldesk.training import blend as blends
from mldesk.training.bent import OF_MEDIAN
from mldesk.training.blocks import Style
from mldesk.training.catalogue import ESTIMATORS
from mldesk.training.estimators.base import Part, load_estimator
from mldesk.training.job import Model, Workplace
from mldesk.training.joined import JoinedEncoder
from mldesk.training.means import Means
from mldesk.training.prepared import OneEncoder
from mldesk.training.search.crew import Crew, Task
from mldesk.training.search.ensemble import FEW, OF_A_KIND, STACKED, evenly, select_calmly, stack, without_light
from mldesk.training.search.measures import PINBALL, Aim
from mldesk.training.search.piped import Piped
from mldesk.training.search.rows import Rows
from mldesk.training.search.second import second_level
from mldesk.training.search.trial import LimitedControl, Outcome, best_of_kinds, run_trial
from mldesk.training.search.variants import Variants
from mldesk.training.values import Array
from mldesk.wire.control import Control
from mldesk.wire.jobs import SearchRequest

_BLENDED = 50          # trials that a blend is chosen from
_OTHERWISE = (*OF_MEDIAN, PINBALL)   # squared errors say little of these
_TOWARDS = (0.25, 0.5, 0.75)   # shares of the best trial in a blend that is worse than it alone
_UNSURE = 0.05   # of the best trial's error, by which a blend over rows in order of time may look worse and be taken
_AGAIN = (1.5, 20.0)   # times as long as at first, and the fewest seconds, of a fit made again while it is to finish
_BELOW = 5             # trials below a second level where one alone has all the weight


def blend(request: SearchRequest, variants: Variants, task: Task, done: Sequence[Outcome],
          crew: Crew, late: float, work: Workplace, *, nodes: float = math.inf) -> Model:
    """Choose the best blend, or the best trial where that was asked for, and make its members.

    ``late``: of time.monotonic, from when on no trial is fitted again that is not at hand as a model. ``nodes``: of
    trees that a trial may have, all its models together; writing a forest of tens of millions takes minutes.
    """
    rows, aim = task.rows, task.rows.judging(task.aim)
    natives = _Natives(task, crew, late, work)
    ranked = sorted(done, key=lambda outcome: outcome.loss)
    steady = request.ensemble and (len(rows.y) <= FEW or rows.forward) and aim.name not in _OTHERWISE
    ranked = small_enough(ranked, nodes / (1 if request.refit else rows.models), work)
    plain = [outcome for outcome in ranked if rows.forward and outcome.configuration.plain]
    ranked = natives.possible(_candidates(ranked, plain) if steady else ranked[:_BLENDED])
    chosen, loss = _weighed(request, ranked, task, late, steady=steady)
    level = None
    if request.stack:
        report = work.report
        level = second_level(
            [outcome for outcome, _ in chosen] if len(chosen) > 1 else ranked[:_BELOW], rows, task.aim, late=late,
            beat=loss, columns=request.stack_columns, seed=task.seed, threads=task.threads, report=report,
            control=work.control)
        if level is not None:
            if len(chosen) == 1:
                chosen = [(outcome, 1 / len(ranked[:_BELOW])) for outcome in ranked[:_BELOW]]
            loss = level.loss
            report.log(f"A model over the answers of {len(chosen)} models is kept: {aim.name} "
                       f"{aim.score(level.loss):.5g} on rows that it had not seen, {aim.score(level.instead_of):.5g} "
                       "with weights alone.")
        else:
            report.log("No model over the answers of the others was better than weights; weights are kept.")
    if not request.refit:
        crew.fetch(outcome.number for outcome, _ in chosen if not outcome.natives)
    row = Row(variants, rows)
    members: list[blends.Member] = []
    again: dict[int, Outcome] = {}   # trials that are fitted once more
    cuts: dict[int, dict[str, Any]] = {}   # where fits of each trial were cut, as a script that repeats them needs it
    for group, (outcome, weight) in enumerate(chosen):
        whole = request.refit and natives.may_be_anew(outcome)
        if whole:
            again[outcome.number] = natives.anew(outcome)
        kept = again[outcome.number] if whole else natives.of(outcome)
        made = kept.natives
        cuts[outcome.number] = {"cuts": list(outcome.cuts if whole else kept.cuts),
                                **({"refitted": True, "refit_cut": kept.cuts[0]} if whole else {})}
        first = 0 if whole else len(rows.folds) - len(made)
        members += [_member(outcome, native, row, (weight if level is None else 1.0) / len(made),
                            0 if level is None else group, fold) for fold, native in enumerate(made, start=first)]
        work.report.progress(group + 1, len(chosen), "members")
    if heaviest := max((item for item in chosen if item[0].number in again), key=lambda item: item[1], default=None):
        for step, value in again[heaviest[0].number].curve:
            work.report.metrics(step, {"refit_loss": value})
    dense = row.place_plain("dense", {}) if level is not None and level.columns else (0, 0)
    joined = row.encoder()
    blended = blends.Blend(members)
    prediction = sum(weight * outcome.prediction.astype(np.float64) for outcome, weight in chosen)
    facts = {"score": aim.score(loss), "metric": aim.name, "trials": len(done), "members": [
        {"trial": outcome.number, "estimator": outcome.configuration.estimator, "weight": weight,
         "parameters": dict(outcome.configuration.parameters), "score": aim.score(outcome.loss),
         **({"pipeline": dict(outcome.configuration.pipeline)} if outcome.configuration.pipeline else {}),
         "seconds": round(outcome.seconds, 3), **cuts[outcome.number]}
        for outcome, weight in chosen]}
    if level is not None:
        blended = blends.Blend(members, replace(level.second, start=dense[0], stop=dense[1]))
        prediction = level.prediction
        facts["second"] = {"estimator": level.second.estimator, "columns": level.columns,
                           "score": aim.score(level.loss), "score_of_weights": aim.score(level.instead_of)}
    latest = slice(-len(rows.folds[-1][1]) if rows.forward else 0, None)   # models of far fewer rows judge nothing
    judged = Part(next(iter(rows.parts.values())).x[:0], rows.y[latest])
    return Model(blends.KIND, _title(chosen, stacked=level is not None),
                 {} if aim.quantile is None else {"quantile": aim.quantile}, facts, blended, joined,
                 lambda x: blends.predict(blended, x, rows.classes), judged, np.asarray(prediction)[latest],
                 work.control.finish)


def small_enough(ranked: Sequence[Outcome], most: float, work: Workplace) -> list[Outcome]:
    """Leave out trials whose models have more nodes each than there is time to write, unless that is all of them."""
    kept = [outcome for outcome in ranked if outcome.facts.get("nodes", 0) <= most]
    if kept and (large := [str(outcome.number) for outcome in ranked if outcome not in kept]):
        work.report.log(f"Too large to be kept in the time that is left: the forests of trial {', '.join(large)}. A "
                        "longer search can.")
    return kept or list(ranked)


def _weighed(request: SearchRequest, ranked: Sequence[Outcome], task: Task,
             late: float, *, steady: bool) -> tuple[list[tuple[Outcome, float]], float]:
    """Return the trials that are to answer together with their weights, and the loss of that.

    ``steady``: rows are so few, or like their neighbours in time, that picking by the aim follows their noise. Weights
    that are learned together, by the log loss or the squared error, did better there over many tables. What comes of
    it is not worse than the best trial by the aim. In order of time nothing is learned of weights (``evenly``), and
    what comes of it may look a little worse.
    """
    rows, aim = task.rows, task.rows.judging(task.aim)
    weights, loss = [1.0] + [0.0] * (len(ranked) - 1), ranked[0].loss
    if request.stack or steady:
        few = ranked[:STACKED]
        said = [outcome.prediction for outcome in few]
        if rows.forward and not request.stack:
            plain = next((place for place, outcome in enumerate(few) if outcome.configuration.plain), None)
            found = evenly(said, rows.y, rows.classes, rows.weights, plain)
            mean = sum(weight * prediction for weight, prediction in zip(found, said, strict=True))
            loss = aim.loss(np.asarray(mean), rows.y)
        else:
            found, loss = stack(said, rows.y, rows.classes, aim, rows.weights)
        weights = found + [0.0] * (len(ranked) - len(few))
    elif request.ensemble:
        weights, loss = select_calmly([outcome.prediction for outcome in ranked], rows.y, aim,
                                      task.seed, lambda: time.monotonic() > late)
        if request.seconds:   # keeping a member takes of it
            weights, loss = without_light(weights, [outcome.prediction for outcome in ranked], rows.y, aim, loss)
    bound = ranked[0].loss
    if rows.forward and steady and not request.stack:
        bound += _UNSURE * abs(1 + bound if aim.larger else bound)
    if loss > bound:
        weights, loss = _not_worse(weights, [outcome.prediction for outcome in ranked], rows.y, aim, bound)
    return [(outcome, weight) for outcome, weight in zip(ranked, weights, strict=True) if weight > 0], loss


def _candidates(ranked: Sequence[Outcome], plain: Sequence[Outcome]) -> list[Outcome]:
    """Return the best of every kind, from the best to the worst, and ``plain`` whatever its place."""
    held = {outcome.number for outcome in [*best_of_kinds(ranked, OF_A_KIND)[:_BLENDED], *plain[:1]]}
    return [outcome for outcome in ranked if outcome.number in held]


def _not_worse(weights: Sequence[float], predictions: Sequence[Array], y: Array, aim: Aim,
               bound: float) -> tuple[list[float], float]:
    """Return the weights, moved towards the first prediction until their loss, which comes with them, is within
    ``bound``.
    """
    alone = np.eye(1, len(weights))[0]
    for share in _TOWARDS:
        tried = share * alone + (1 - share) * np.asarray(weights)
        mean = sum(weight * prediction for weight, prediction in zip(tried, predictions, strict=True) if weight)
        if (loss := aim.loss(np.asarray(mean), y)) <= bound:
            return tried.tolist(), loss
    return alone.tolist(), aim.loss(predictions[0], y)


class _Natives:
    """The models of trials: in memory, with the crew, or fitted again."""

    def __init__(self, task: Task, crew: Crew, late: float, work: Workplace) -> None:
        self._task, self._crew, self._late, self._work = task, crew, late, work

    def possible(self, ranked: Sequence[Outcome]) -> list[Outcome]:
        """Return the trials that there is still time to have models of; at least the best one.

        A search that was resumed or extended has no models of the trials before: the best is fitted again in any case,
        or what is found since would take its place. Now means now, though: once the search is to finish, nothing is
        fitted again where there is any model.
        """
        left = self._late - time.monotonic()
        found = []
        for outcome in ranked:
            if not outcome.natives and not self._crew.has_models(outcome.number):
                if self._work.control.finish or (outcome.seconds > left and outcome is not ranked[0]):
                    continue
                left -= outcome.seconds      # as if it were chosen
            found.append(outcome)
        return found or list(ranked[:1])

    def may_be_anew(self, outcome: Outcome) -> bool:
        """Say whether there is time to fit a trial once more, where it has no model of all rows already."""
        rows = self._task.rows
        return rows.models > 1 and not self._work.control.finish and outcome.seconds / len(rows.folds) <= (
            self._late - time.monotonic())

    def anew(self, outcome: Outcome) -> Outcome:
        """Return it with one model of all rows, tuned as that of the first fold was, and the curve of that."""
        rows = self._task.rows
        return run_trial(outcome.number, outcome.configuration, replace(rows, folds=rows.folds[:1]), self._task.aim,
                         self._work.report, LimitedControl(self._work.control, float("inf")), seed=self._task.seed,
                         threads=self._task.threads, device=self._task.device, nodes=self._task.nodes)

    def of(self, outcome: Outcome) -> Outcome:
        """Return a trial with its models."""
        models = outcome.natives or self._crew.models(outcome)
        found = replace(outcome, natives=models) if models else run_trial(
            outcome.number, outcome.configuration, self._task.rows, self._task.aim, self._work.report,
            self._again(outcome), seed=self._task.seed, threads=self._task.threads,
            device=self._task.device, nodes=self._task.nodes)
        if not found.natives:
            raise WorkFailed(f"Trial {outcome.number} left no model.")
        return found

    def _again(self, outcome: Outcome) -> Control:
        """Return what a fit that is made again listens to: a search that is to finish would end it before it began."""
        control = self._work.control
        return LimitedControl(_Unhurried(control), time.monotonic() + max(_AGAIN[0] * outcome.seconds, _AGAIN[1])
                              if control.finish else math.inf)


class _Unhurried(Control):
    """The job's control, deaf to Finish now."""

    def __init__(self, control: Control) -> None:
        self._control = control

    finish = False

    @property
    def terminate(self) -> bool:
        return self._control.terminate

    def check(self) -> None:
        self._control.check()


class Row:
    """The row that a blend's models share: what each takes of it is put there once."""

    def __init__(self, variants: Variants, rows: Rows) -> None:
        self._variants, self._rows = variants, rows
        self._parts: list[OneEncoder] = []
        self._places: list[tuple[int, int]] = []

    def place(self, style: Style, pipeline: Mapping[str, Any], fold: int) -> tuple[int, int]:
        """Return where the model of a fold finds its columns, [start, stop)."""
        own = self._rows.own[style][fold].encoder if self._rows.own else None
        return self.place_plain(style, pipeline) if own is None else self._put(own)

    def place_plain(self, style: Style, pipeline: Mapping[str, Any]) -> tuple[int, int]:
        """Return where the columns are that no steps prepared."""
        return self._put(self._variants.encoder(style, pipeline))

    def place_of_means(self, means: Mapping[str, Means]) -> tuple[int, int]:
        """Return where a model finds the means that it learned; (0, 0) for none."""
        return self._put(self._variants.means_encoder(means)) if means else (0, 0)

    def encoder(self) -> JoinedEncoder:
        """Return what makes the row of a table's columns."""
        return JoinedEncoder(self._parts)

    def _put(self, encoder: OneEncoder) -> tuple[int, int]:
        for known, place in zip(self._parts, self._places, strict=True):
            if known is encoder:
                return place
        start = self._places[-1][1] if self._places else 0
        self._parts.append(encoder)
        self._places.append((start, start + encoder.width))
        return self._places[-1]


def _member(outcome: Outcome, made: Any, row: Row, weight: float, group: int,
            fold: int) -> blends.Member:
    configuration = outcome.configuration
    piped = made if isinstance(made, Piped) else Piped(made)
    start, stop = row.place(load_estimator(ESTIMATORS[configuration.estimator]).style, configuration.pipeline,
                            fold)
    return blends.Member(configuration.estimator, piped.native, start, stop, weight, group,
                         row.place_of_means(piped.means), piped.bent, outcome.number,
                         b"" if piped.plain else piped.write())


def _title(chosen: Sequence[tuple[Outcome, float]], stacked: bool) -> str:
    names = list(dict.fromkeys(ESTIMATORS[outcome.configuration.estimator].title for outcome, _ in chosen))
    if len(names) == 1 and not stacked:
        return names[0]
    kind = "Stack" if stacked else "Blend"
    return f"{kind} of {names[0]}" if len(names) == 1 else f"{kind} of {', '.join(names[:-1])} and {names[-1]}"
