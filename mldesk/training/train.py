"""A training job from the table to the model's files, read down the page."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mldesk.core import canonical
from mldesk.core.clock import iso
from mldesk.core.durable import disk_errors
from mldesk.core.errors import BadInput
from mldesk.training.catalogue import EstimatorEntry, find_estimator
from mldesk.training.checkpoints import Checkpoints
from mldesk.training.estimators.base import Estimator, FitContext, Fitted, Part, load_estimator
from mldesk.training.features import FeatureEncoder
from mldesk.training.parameters import resolve
from mldesk.training.split import PARTS, TRAIN, make_split
from mldesk.training.table import read_columns
from mldesk.training.target import Target, read_target
from mldesk.training.values import Array, ColumnData, take
from mldesk.wire.control import Control
from mldesk.wire.jobs import TrainRequest
from mldesk.wire.objects import ObjectStore
from mldesk.wire.report import Report
from mldesk.wire.schema import Column, columns_from_json

_SAMPLE_ROWS = 5
_MOST_SLICED = 50_000   # test rows whose slices are looked at


@dataclass(frozen=True, slots=True)
class Workplace:
    """What a job has around it."""

    store: ObjectStore
    report: Report
    control: Control
    checkpoints: Checkpoints
    scratch: Path         # for files in the making; emptied first
    threads: int
    device: str


@dataclass(frozen=True, slots=True, eq=False)
class _Data:
    """The table as the estimator gets it."""

    target: Target
    column: Column                     # the target's own
    membership: Array                  # (rows,) uint8, see training.split
    encoder: FeatureEncoder
    parts: Mapping[str, Part]
    sample: Mapping[str, ColumnData]   # the first test rows, not encoded
    sliced: Array                      # which test rows ``to_slice`` holds, counted from 0 among them
    to_slice: Mapping[str, ColumnData]  # those rows, not encoded


def train(request: TrainRequest, work: Workplace) -> dict[str, Any]:
    """Do the job; return the ``result`` of its "succeeded" event.

    Raises BadInput for what the data or the parameters do not allow, DiskFull, Terminated.
    """
    began = time.monotonic()
    shutil.rmtree(work.scratch, ignore_errors=True)

    work.report.stage("Reading the table")
    candidates, column = _columns(request)
    columns = read_columns(work.store, request.dataset, [*candidates, column])
    target = read_target(columns.pop(column.name), column, request.task)
    for warning in target.warnings:
        work.report.warning(warning)
    entry = find_estimator(request.estimator, target.task)
    parameters = resolve(entry.parameters, request.parameters)

    work.report.stage("Preparing the columns")
    given = work.store.read(request.split.membership) if request.split.membership else None
    membership = make_split(target, request.split, given)
    estimator = load_estimator(entry)
    data = _prepare(columns, candidates, column, target, membership, estimator, request.features is not None, work)
    del columns

    work.report.stage("Training")
    fitted = estimator.fit(_context(data, parameters, request, work))
    if words := stopped_early(parameters, fitted):
        work.report.log(words)

    work.report.stage("Scoring on the test rows")
    scores = _evaluate(estimator, fitted, data, request.seed, work)

    work.report.stage("Saving the model")
    model = _save(request, entry, parameters, data, fitted, scores, work)
    split = work.store.put_bytes(membership.tobytes())
    _announce(work, "split", split, "bytes")
    return {
        "task": target.task, "metrics": scores.metrics, "validation_metrics": scores.validation_metrics,
        "rows": _rows(membership), "seconds": round(time.monotonic() - began, 3),
        "finished_early": fitted.finished_early, "model": model, "estimator": entry.name, "parameters": parameters,
        "split": split,
    }


def stopped_early(parameters: Mapping[str, Any], fitted: Fitted) -> str:
    """Say when a fit ran out of patience before its rounds or epochs were over, and which was the best; "" else."""
    patience = parameters.get("patience")
    for unit in ("rounds", "epochs"):
        best, limit = fitted.facts.get(unit), parameters.get(unit)
        if patience is None or best is None or limit is None or fitted.finished_early:
            continue
        if best + patience < limit:
            return f"Stopped early at {unit[:-1]} {best + patience}, best at {best}."
    return ""


def _columns(request: TrainRequest) -> tuple[list[Column], Column]:
    """Return the candidate features, in table order, and the target. Raises BadInput for one that is not there."""
    by_name = {column.name: column for column in columns_from_json(request.columns)}
    for name in [request.target, *(request.features or ())]:
        if name not in by_name:
            raise BadInput(f"The table has no column {name[:80]!r}.", hint="Choose among the columns it has.")
    if request.features is not None and request.target in request.features:
        raise BadInput(f"The target {request.target[:80]!r} cannot be a feature as well.",
                       hint="Take it out of the features.")
    chosen = set(by_name if request.features is None else request.features) - {request.target}
    if not chosen:
        raise BadInput("There is no column but the target, so there is nothing to learn from.",
                       hint="Use a table with more columns.")
    return [column for name, column in by_name.items() if name in chosen], by_name[request.target]


def _prepare(columns: Mapping[str, ColumnData], candidates: list[Column], column: Column, target: Target,
             membership: Array, estimator: Estimator, chosen: bool, work: Workplace) -> _Data:
    """Encode every part, by an encoder that saw the training rows alone."""
    encoder = FeatureEncoder.fit(take(columns, membership == TRAIN), candidates, estimator.style, chosen=chosen)
    if encoder.left_out:
        work.report.warning(_left_out(encoder.left_out))
    parts = {}
    for name, part in PARTS.items():
        rows = membership == part
        parts[name] = Part(encoder.transform(take(columns, rows)), target.y[rows])
    kept = {item.name: columns[item.name] for item in encoder.columns}
    test = np.flatnonzero(membership == PARTS["test"])
    sliced = np.unique(np.linspace(0, len(test) - 1, min(len(test), _MOST_SLICED)).round().astype(int))
    return _Data(target, column, membership, encoder, parts, take(kept, test[:_SAMPLE_ROWS]), sliced,
                 take(kept, test[sliced]))


def _context(data: _Data, parameters: Mapping[str, Any], request: TrainRequest, work: Workplace) -> FitContext:
    return FitContext(
        classes=len(data.target.classes), parameters=parameters, train=data.parts["train"],
        validation=data.parts["validation"], report=work.report, control=work.control, checkpoints=work.checkpoints,
        categorical=tuple(data.encoder.categorical), seed=request.seed, threads=work.threads, device=work.device)


@dataclass(frozen=True, slots=True, eq=False)
class _Scores:
    metrics: dict[str, float]
    validation_metrics: dict[str, float]
    payload: dict[str, Any]
    test: Array            # predictions for the test rows


def _evaluate(estimator: Estimator, fitted: Fitted, data: _Data, seed: int, work: Workplace) -> _Scores:
    """Look at the test part, once."""
    from mldesk.training import evaluation  # loads scikit-learn, which the torch network does without until here
    from mldesk.training.importance import METRIC, importance
    from mldesk.training.slices import slices, worst

    test, classes = data.parts["test"], data.target.classes
    prediction = estimator.predict(fitted.native, test.x, len(classes))
    parts = {"test": evaluation.payload(prediction, test.y, classes),
             "validation": evaluation.payload(fitted.validation, data.parts["validation"].y, classes, spread=False)}
    rows = np.flatnonzero(data.membership == PARTS["test"])
    parts["test"]["worst"] = worst(prediction, test.y, rows, classes)
    parts["test"]["slices"] = slices(data.to_slice, [Column(item.name, item.type) for item in data.encoder.columns],
                                     prediction[data.sliced], test.y[data.sliced], len(classes))
    work.control.check()
    work.report.stage("Weighing the columns")

    def on_column(done: int, total: int) -> None:
        work.control.check()
        work.report.progress(done, total, "columns")

    ranking = importance(data.encoder, lambda x: estimator.predict(fitted.native, x, len(classes)), test.x, test.y,
                         len(classes), seed, on_column)
    payload = {"task": data.target.task, "classes": list(classes), "parts": parts, "importance": ranking,
               "importance_metric": METRIC[bool(classes)]}
    return _Scores(parts["test"]["metrics"], parts["validation"]["metrics"], payload, prediction)


def _save(request: TrainRequest, entry: EstimatorEntry, parameters: Mapping[str, Any], data: _Data, fitted: Fitted,
          scores: _Scores, work: Workplace) -> str:
    """Write the model's files and the test predictions into the store, announce them, return the model's digest."""
    from mldesk.training import model_files, predictions  # load onnxruntime's neighbours and pyarrow's writer

    facts = model_files.ModelFacts(
        task=data.target.task, target=data.column, classes=data.target.classes, estimator=entry.name,
        estimator_title=entry.title, parameters=parameters, fit_facts=fitted.facts, encoder=data.encoder,
        dataset_name=request.dataset_name, dataset=request.dataset, rows=_rows(data.membership), seed=request.seed,
        created=iso(time.time()), metrics=scores.metrics, validation_metrics=scores.validation_metrics,
        evaluation=scores.payload, finished_early=fitted.finished_early)
    with disk_errors("saving the model"):
        files, warning = model_files.write_model(work.scratch / "model", facts, fitted.native, data.sample,
                                                 data.parts["test"].x, scores.test)
        if warning:
            work.report.warning(warning)
        model = work.store.put_manifest(files)
        table = work.scratch / "predictions.parquet"
        predictions.write(table, data.membership, data.parts["test"].y, scores.test, data.target.classes)
        _announce(work, "predictions", work.store.put_file(table, move=True), "table")
    _announce(work, "evaluation", work.store.put_bytes(canonical.dumps(scores.payload)), "json")
    _announce(work, "model", model, "manifest", work.store.manifest(model).size)
    shutil.rmtree(work.scratch, ignore_errors=True)
    return model


def _announce(work: Workplace, name: str, digest: str, kind: str, size: int | None = None) -> None:
    work.report.event("artifact", name=name, digest=digest, type=kind,
                      size=work.store.size(digest) if size is None else size)


def _rows(membership: Array) -> dict[str, int]:
    return {name: int((membership == part).sum()) for name, part in PARTS.items()}


def _left_out(left_out: Mapping[str, str]) -> str:
    shown = [f"“{name[:60]}” ({why})" for name, why in list(left_out.items())[:8]]
    more = f" and {len(left_out) - 8} more" if len(left_out) > 8 else ""
    return f"Not used for learning: {', '.join(shown)}{more}."
