"""Cross-validation of the model that a job makes: the same estimator on every other fold, for its scores alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mldesk.core.durable import disk_errors
from mldesk.core.errors import BadInput
from mldesk.training.catalogue import EstimatorEntry
from mldesk.training.class_weights import weights_by_hand
from mldesk.training.estimators.base import FitContext, Part, load_estimator
from mldesk.training.fitting import fit
from mldesk.training.job import Folds, Scores, Table, Workplace, announce
from mldesk.training.over_text import OverText, categories, wish
from mldesk.training.prepared import fit_rows
from mldesk.training.preparing_target import Truth
from mldesk.training.search.quiet import NoCheckpoints, Quiet
from mldesk.training.split import TEST, TRAIN, VALIDATION, fold_split
from mldesk.training.text_encoder import read_text_encoder
from mldesk.training.values import Array, ColumnData, take
from mldesk.wire.jobs import TrainRequest


def cross_validate(request: TrainRequest, entry: EstimatorEntry, parameters: Mapping[str, Any],
                   columns: Mapping[str, ColumnData], table: Table, folds: Folds, first: Scores,
                   work: Workplace) -> dict[str, Any]:
    """Return {"folds", "metrics": {name: {"mean", "std", "values"}}}; ``first`` are the scores of the first fold.

    Everything is fitted anew on each fold's training rows, the encoder included. ``std`` is that of a sample. Asked to
    finish, it leaves the folds that are left; one that lacks a class to learn is left out with a warning. The
    predictions of all rows, each by the model that did not see it, are kept as the artifact "out_of_fold".
    Raises what the estimator raises; Terminated.
    """
    from mldesk.training.metrics import score  # loads scikit-learn, which the torch network does without until here

    work.report.stage("Cross-validating")
    scores: list[Mapping[str, float]] = [first.metrics]
    tested = [np.flatnonzero(table.membership == TEST)]
    predicted = [first.test]
    classes = table.target.classes
    quantile = None if classes else parameters.get("quantile")
    for fold in range(1, request.split.folds):
        work.control.check()
        if work.control.finish:
            break
        try:
            membership = fold_split(table.target, request.split, folds.codes, fold, folds.by)
        except BadInput as error:   # all rows of a class are in it, say: the other folds still tell something
            work.report.warning(f"Fold {fold + 1} is left out of the cross-validation. {error.message}")
            continue
        prediction = _predict(request, entry, parameters, columns, table, membership, fold, work)
        tested.append(np.flatnonzero(membership == TEST))
        predicted.append(prediction)
        scores.append(score(prediction, table.target.y[tested[-1]], len(classes), quantile,
                            ordered=table.target.ordered))
        work.report.progress(fold + 1, request.split.folds, "folds")   # the first is the model's own
    _keep(tested, predicted, folds, table, work)
    return {"folds": len(scores), "metrics": _together(scores)}


def _keep(tested: Sequence[Array], predicted: Sequence[Array], folds: Folds, table: Table, work: Workplace) -> None:
    """Put the predictions of all folds into the store and announce them. Raises DiskFull."""
    from mldesk.training import predictions  # loads pyarrow's writer

    rows = np.concatenate(tested)
    path = work.scratch / "out_of_fold.parquet"
    with disk_errors("saving the predictions"):
        work.scratch.mkdir(parents=True, exist_ok=True)
        predictions.write_folds(path, rows, folds.codes[rows].astype(np.int64), table.target.y[rows],
                                np.concatenate(predicted), table.target.classes)
        announce(work, "out_of_fold", work.store.put_file(path, move=True), "table")


def _predict(request: TrainRequest, entry: EstimatorEntry, parameters: Mapping[str, Any],
             columns: Mapping[str, ColumnData], table: Table, membership: Array, fold: int,
             work: Workplace) -> Array:
    estimator = load_estimator(entry)
    reader = read_text_encoder(parameters["text_encoder"]) if parameters["text_encoder"] else None
    learned, judged = membership == TRAIN, membership == VALIDATION
    truth = Truth(table.target.name, table.target.y[learned], table.target.classes)
    encoder, x, kept = fit_rows(take(columns, learned), table.candidates, estimator.style, truth,
                                chosen=request.features is not None, text=wish(parameters, reader),
                                steps=request.prepare)
    fit_on = Part(x, truth.y[kept])
    judge_by = Part(encoder.transform(take(columns, judged)), table.target.y[judged])
    classes, over = len(table.target.classes), OverText.fit(reader, encoder, fit_on.x)
    if over is not None:
        fit_on, judge_by = over.part(fit_on), over.part(judge_by)
    fitted = fit(estimator, FitContext(
        classes=classes, parameters=parameters, train=fit_on, validation=judge_by, report=Quiet(work.report),
        control=work.control, checkpoints=NoCheckpoints(), categorical=categories(over, encoder.categorical),
        seed=request.seed + fold, threads=work.threads, device=work.device,
        by_hand=weights_by_hand(parameters, table.target.classes)))
    x = encoder.transform(take(columns, membership == TEST))
    return estimator.predict(fitted.native, x if over is None else over.transform(x), classes)


def _together(scores: Sequence[Mapping[str, float]]) -> dict[str, dict[str, Any]]:
    """Return mean, spread and values of every metric that all folds have."""
    found = {}
    for name in scores[0]:
        values = [float(one[name]) for one in scores if one.get(name) is not None]
        if len(values) == len(scores):
            spread = float(np.std(values, ddof=1)) if len(values) > 1 else None
            found[name] = {"mean": float(np.mean(values)), "std": spread, "values": values}
    return found
