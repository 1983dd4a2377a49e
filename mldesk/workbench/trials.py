"""One trial of a search: found by its number, and as the order that trains it as a model of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from mldesk.core.errors import BadInput, NotFound
from mldesk.library.records import Run
from mldesk.wire.jobs import SearchRequest
from mldesk.workbench.orders import OF_RUN, TrainOrder, order_of


def find_trial(run: Run, trials: Sequence[Mapping[str, Any]], number: int) -> Mapping[str, Any]:
    """Return a trial of a search's leaderboard. Raises BadInput for no search, NotFound."""
    if run.kind != "search":
        raise BadInput(f"Run {run.name} is not a search, so it has no trials.", hint="Name a search.")
    for trial in trials:
        if trial.get("number") == number:
            return trial
    known = sorted(int(trial["number"]) for trial in trials)
    raise NotFound(f"The search {run.name} has no trial {number}.", hint=(
        f"It has trials from {known[0]} to {known[-1]}." if known else "None has ended yet."))


def trial_order(run: Run, trial: Mapping[str, Any], *, name: str = "", runner: str = "local",
                model: str = "") -> TrainOrder:
    """Return the order that trains a trial's configuration, on the rows that the search left for that.

    Raises BadInput where the search was given its rows and what became of them is not known, and for a trial whose
    pipeline only a search knows.
    """
    if trial.get("pipeline"):
        raise BadInput(f"Trial {trial['number']} of {run.name} has a pipeline that only a search can fit.",
                       hint="Keep the trial itself as a model: it is fitted again as it was tried.")
    asked = order_of(run)
    features, split = asked.get("features"), asked["split"]
    given = split["method"] == "given"
    if given and not (run.result or {}).get("split"):
        raise BadInput(f"The rows of {run.name} were dealt as in another run, and it has not ended well.",
                       hint="Train the model by its name and parameters: mldesk train.")
    return TrainOrder(
        run.dataset, run.target, task=run.task, estimator=str(trial["estimator"]),
        parameters=dict(trial.get("parameters") or {}), order=tuple(asked.get("order") or ()),
        features=None if features is None else tuple(features), test_size=float(split["test_size"]),
        validation_size=float(split["validation_size"]), split=f"{OF_RUN}{run.id}" if given else str(split["method"]),
        split_column=split.get("column"),
        prepare=tuple(asked.get("prepare") or ()), seed=int(asked.get("seed") or 0), name=name, runner=runner,
        model=model)


def kept_request(run: Run, trial: Mapping[str, Any], model: str = "") -> SearchRequest:
    """Return the job that makes a model of a trial alone: on the search's own rows and folds, with its pipeline.

    ``model``: its name in the library; "" for that of the search's model.
    """
    before, folds = SearchRequest.from_json(run.spec["payload"]), int((run.result or {}).get("folds") or 0)
    one = {"trial": int(trial["number"]), "estimator": str(trial["estimator"]),
           "parameters": dict(trial.get("parameters") or {}),
           **({"pipeline": dict(trial["pipeline"])} if trial.get("pipeline") else {})}
    return replace(
        before, train=replace(before.train, model=model or before.train.model), trials=1,
        seconds=0.0 if folds or before.folds else before.seconds,   # of which the folds depend, where they are not said
        folds=folds or before.folds, target_score=None, ensemble=False, stack=False, stack_columns=False, parallel=1,
        configurations=(one,), earlier=(), kept="", helpers=(), helps="", share=(0, 1))
