"""The parameters that a trial's fit is given: its own, those of its pipeline, and what the folds decide."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mldesk.training.catalogue import ESTIMATORS
from mldesk.training.many_classes import MANY, resolve_for

SECOND = "linear"     # what learns from the answers of others
_TREES = 100          # of a forest on each of several folds


def parameters_of(pipeline: Mapping[str, Any]) -> dict[str, Any]:
    """Return those parts of a pipeline that are parameters of the estimator."""
    found: dict[str, Any] = {}
    if (how := pipeline.get("balance")) is not None:
        found["class_weight" if how == "weights" else "resampling"] = "balanced" if how == "weights" else how
    if (count := pipeline.get("components")) is not None:
        found["components"] = count
    return found


def fit_parameters(estimator: str, parameters: Mapping[str, Any], pipeline: Mapping[str, Any], *, models: int,
                   last: bool, classes: int) -> dict[str, Any]:
    """Return every parameter's value. ``models``: that the trial leaves; ``last``: this is the last fold.

    A model that is a trial's only one is fitted again on the judged rows too; the forests of several folds are one in
    the end.
    """
    entry = ESTIMATORS[estimator]
    given, known = {**parameters, **parameters_of(pipeline)}, {item.name for item in entry.parameters}
    if "refit" in known:
        given["refit"] = models == 1 and last
    if "trees" in known and models > 1 and classes < MANY:
        given.setdefault("trees", _TREES)
    return resolve_for(entry, given, classes)[0]


def second_parameters(classes: int) -> dict[str, Any]:
    """Return every parameter's value of the model over the answers of others."""
    return resolve_for(ESTIMATORS[SECOND], {}, classes)[0]
