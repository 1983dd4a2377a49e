"""What a user asks for when the best model is to be found, and what a search has tried so far."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mldesk.core.errors import BadInput
from mldesk.library.records import Run
from mldesk.training.catalogue import ESTIMATORS
from mldesk.training.knobs import QUANTILE
from mldesk.training.metric_words import ONE_CLASS, find_metric, lower_is_better
from mldesk.training.search.budget import Estimate, estimate, judging
from mldesk.wire.events import Event
from mldesk.wire.jobs import SearchRequest, TrainRequest
from mldesk.wire.shapes import readable
from mldesk.workbench.orders import TrainOrder
from mldesk.workbench.references import did_you_mean, listed

DEFAULT_SECONDS = 600.0
PINBALL = "mean_pinball_loss"
MOST_PARALLEL = 64
MOST_TRIALS = 1_000_000
_MOST_SECONDS = 366 * 86_400.0
METRICS: Mapping[str, tuple[str, ...]] = {  # by task; the first is what a search strives for by itself
    "tabular_classification": ("log_loss", "roc_auc", "accuracy", "balanced_accuracy", "f1_macro", "mcc",
                               "brier_score", "average_precision", "f1_weighted", "precision_macro", "recall_macro",
                               "precision_weighted", "recall_weighted", "cohen_kappa", "quadratic_kappa", "rank_error",
                               "top_3_accuracy", "top_5_accuracy", "calibration_error"),
    "tabular_regression": ("root_mean_squared_error", "mean_absolute_error", "r2", "mean_absolute_percentage_error",
                           "median_absolute_error", "mean_pinball_loss"),
}


@dataclass(frozen=True, slots=True)
class SearchOrder:
    """One press of Search."""

    train: TrainOrder               # what to learn; its estimator and parameters are of no matter
    metric: str | None = None       # None: ROC AUC for two classes, log loss for more, RMSE for numbers
    seconds: float = 0.0            # of the whole job; 0 with no trials and no target score: ten minutes
    trials: int = 0                 # at most; 0: as many as the time allows
    target_score: float | None = None   # good enough
    estimators: tuple[str, ...] = ()    # (): all that make sense
    ensemble: bool = True           # blend the best ones
    parallel: int = 1               # trials at once on each runner
    helpers: tuple[str, ...] = ()   # other runners that try models too
    stack: bool = False             # the blend's weights are learned together, or a second level over the models
    stack_columns: bool = False     # ... which may look at the columns, too; makes a stack
    refit: bool = False             # what is kept is fitted once more, on all rows but the test rows
    quantile: float | None = None   # that numbers are predicted by, for the pinball loss
    configurations: tuple[Mapping[str, Any], ...] = ()   # {"estimator", "parameters"}: these alone are tried


def search_request(order: SearchOrder, train: TrainRequest) -> SearchRequest:
    """Return the payload of the job. Raises BadInput for a metric or a model that is not known for the task."""
    task = train.task or ""
    if train.split.folds:
        raise BadInput("A search has folds of its own, and tests its best model once.",
                       hint="Leave --folds out, or cross-validate the model that it finds.")
    metric = None if order.metric is None else find_metric(order.metric, METRICS[task])
    if order.metric is not None and metric is None:
        raise BadInput(f"A search cannot strive for {order.metric[:60]!r} in {task.replace('_', ' ')}.",
                       hint=_one_class(order.metric, task) or did_you_mean(order.metric, METRICS[task]) or (
                           f"It can for: {listed(METRICS[task])}."))
    able = [name for name, entry in ESTIMATORS.items() if task in entry.tasks]
    for name in order.estimators:
        if name not in able:
            raise BadInput(f"There is no model {name[:60]!r} for {task.replace('_', ' ')}.",
                           hint=did_you_mean(name, able) or f"There are: {listed(able)}.")
    metric = _of_quantile(order, metric, task)
    check_amounts(order)
    endless = not (order.seconds or order.trials or order.configurations) and order.target_score is None
    stacked = order.stack or order.stack_columns
    return SearchRequest(train, metric, DEFAULT_SECONDS if endless else order.seconds,
                         order.trials or len(order.configurations), order.target_score, order.estimators,
                         order.ensemble or stacked, order.parallel,
                         stack=stacked, stack_columns=order.stack_columns, refit=order.refit,
                         configurations=order.configurations, quantile=order.quantile)


def _one_class(wanted: str, task: str) -> str:
    """Say how a score of one class is asked for, where it was without the class; "" for any other."""
    score = wanted.strip().casefold().partition(":")[0]
    return f"Name the class, as in {score}:yes." if score in ONE_CLASS and task == "tabular_classification" else ""


def _of_quantile(order: SearchOrder, metric: str | None, task: str) -> str | None:
    """Return the metric, which a quantile decides. Raises BadInput for one without the other."""
    if order.quantile is None:
        if metric == PINBALL:
            raise BadInput("The pinball loss is that of a quantile, and none is named.",
                           hint="For example 0.9: what nine rows of ten stay below (--quantile 0.9).")
        return metric
    if task != "tabular_regression":
        raise BadInput("Only numbers have quantiles.", hint="Leave the quantile out, or choose a target of numbers.")
    QUANTILE.parse(order.quantile)
    if metric not in (None, PINBALL):
        raise BadInput("A quantile is judged by the pinball loss alone.", hint="Leave the metric out.")
    return PINBALL


def check_amounts(order: SearchOrder) -> None:
    """Raise BadInput for time, trials or a score that no search can have."""
    if not all(-math.inf < number < math.inf for number in (order.seconds, order.target_score or 0.0)):
        raise BadInput("How long a search may take, and what is good enough, are numbers.",
                       hint="Leave them out to search for ten minutes.")
    if order.seconds < 0 or order.trials < 0:
        raise BadInput("A search cannot take less than no time.", hint="Leave it out to search for ten minutes.")
    if order.seconds > _MOST_SECONDS or order.trials > MOST_TRIALS:
        raise BadInput(f"A search may take a year or {MOST_TRIALS:,} trials at most.",
                       hint="Ask for less; one that has ended can be extended.")
    if not 1 <= order.parallel <= MOST_PARALLEL:
        raise BadInput(f"{order.parallel} trials cannot be made at once.",
                       hint=f"Choose a number from 1 to {MOST_PARALLEL}; one for each core is plenty.")


def search_estimate(order: SearchOrder, rows: int, columns: int, cores: int, values: int,
                    share: float = 1.0) -> Estimate:
    """Say what a search will come to, roughly. ``cores``: of all its runners together; ``values``: of the column that
    the rows are dealt by, 0 where there is none. ``share``: of the cores that other work leaves.
    """
    train, endless = order.train, not order.seconds and not order.trials
    seconds, kept = DEFAULT_SECONDS if endless else order.seconds, round(rows * (1 - train.test_size))
    folds = judging(kept, columns, seconds, train.split, round(kept * train.validation_size),
                    round(values * (1 - train.test_size)) if train.split == "group" else values)
    return estimate(kept, columns, seconds, order.trials, cores, folds, train.split, share,
                    order.parallel * (1 + len(order.helpers)))


def limits_of(run: Run) -> tuple[str, ...]:
    """Return what a search ends by as it was begun: of "seconds" and "trials"; () for its score alone."""
    asked = run.spec.get("payload") or {}
    return tuple(kind for kind in ("seconds", "trials") if asked.get(kind))


def fitted_whole(run: Run) -> str:
    """Say why a search whose trials were judged by rows dealt so has no second fit; "" for one that has."""
    result = run.result or {}
    by = "later rows" if result.get("forward") else "one validation part" if result.get("folds") == 1 else ""
    return by and f"its trials were judged by {by}, and what it keeps is fitted on all but the test rows at once"


def why_no_refit(run: Run) -> str:
    """Say why fitting once more what an ended search keeps would make the same model; "" where it would not."""
    members = (run.result or {}).get("members") or ()
    again = bool(members) and all(item.get("refitted") for item in members)
    return fitted_whole(run) or ("what it keeps was fitted on all but the test rows already" if again else "")


def leaderboard(events: Iterable[Event]) -> list[dict[str, Any]]:
    """Return every trial that was told of, the best first, those that failed last."""
    found = {int(event.payload["number"]): dict(event.payload) for event in events
             if event.kind == "trial" and isinstance(event.payload.get("number"), int) and readable(event)}
    done = [trial for trial in found.values() if isinstance(trial.get("score"), (int, float))]
    larger = not any(lower_is_better(str(trial.get("metric"))) for trial in done)
    done.sort(key=lambda trial: -trial["score"] if larger else trial["score"])
    scored = {trial["number"] for trial in done}
    return done + [trial for number, trial in found.items() if number not in scored]

