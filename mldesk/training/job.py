"""What jobs that end in a model share: the table on the way in, scores and files on the way out."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from mldesk.core import canonical
from mldesk.core.clock import iso
from mldesk.core.durable import disk_errors
from mldesk.core.errors import BadInput
from mldesk.training.checkpoints import Checkpoints
from mldesk.training.conformal import SHOWN, Margins, floor_of
from mldesk.training.estimators.base import Part
from mldesk.training.joined import Encoder
from mldesk.training.reach import Reach, reach_of, whole_of
from mldesk.training.split import LEFT_OUT, PARTS, make_folds, make_split, own_validation
from mldesk.training.steering import Steering
from mldesk.training.table import read_columns
from mldesk.training.target import Target, read_target
from mldesk.training.values import Array, ColumnData, take
from mldesk.wire.control import Control
from mldesk.wire.jobs import BY_COLUMN, TrainRequest
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
    steering: Steering = field(default_factory=Steering)   # what the job is told while it works


@dataclass(frozen=True, slots=True, eq=False)
class Folds:
    """The folds of a request."""

    codes: Array                       # (rows,) uint8: each row's fold, see training.split
    by: ColumnData | None              # the column that decided


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The table of a request, with its rows dealt."""

    tested: Mapping[str, ColumnData]   # the candidate features, test rows only
    candidates: list[Column]           # their schema, in table order
    column: Column                     # the target's own
    target: Target
    membership: Array                  # (rows,) uint8, see training.split
    folds: Folds | None = None         # where there are any
    own_validation: bool = False       # the split says which rows validate; they were not drawn
    by: ColumnData | None = None       # the column that the rows were dealt by
    reach: Reach = field(default_factory=dict)   # of the numbers among the candidates, but in test rows
    whole: frozenset[str] = frozenset()   # the candidates that miss no value there

    @property
    def learned(self) -> Array:
        """Which rows a model may learn from, (rows,) bool: those of training and validation."""
        return np.isin(self.membership, (PARTS["train"], PARTS["validation"]))


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A fitted model of any make, as evaluation and saving need it."""

    estimator: str                     # a name of the catalogue, or "blend"
    title: str                         # for people
    parameters: Mapping[str, Any]
    facts: Mapping[str, Any]           # of the fit, for the model card
    native: Any
    encoder: Encoder
    predict: Callable[[Array], Array]  # (N, F) of the encoder to (N,) numbers or (N, C) probabilities
    judged: Part                       # rows it was tuned on but, when ``validation`` was made, not fitted on
    validation: Array                  # predictions for them
    finished_early: bool


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """What the test rows said, and the validation rows before."""

    metrics: dict[str, float]
    validation_metrics: dict[str, float]
    payload: dict[str, Any]            # the evaluation
    x: Array                           # the test rows, encoded
    test: Array                        # predictions for them
    margins: Margins                   # how far off a prediction may be


def open_table(request: TrainRequest, work: Workplace) -> tuple[dict[str, ColumnData], Table]:
    """Read the table and deal its rows; return the columns that may be features, every row, and the rest.

    The columns come apart so that they can be let go once they are encoded. Raises BadInput for what the data do not
    allow.
    """
    shutil.rmtree(work.scratch, ignore_errors=True)
    work.report.stage("Reading the table")
    candidates, column = _columns(request)
    deciding = _deciding(request, column)
    also = [item for item in deciding if item.name not in {candidate.name for candidate in candidates}]
    columns = read_columns(work.store, request.dataset, [*candidates, column, *also])
    target = read_target(columns.pop(column.name), column, request.task, request.order)
    by = columns[deciding[0].name] if deciding else None
    for item in also:
        del columns[item.name]
    for warning in target.warnings:
        work.report.warning(warning)
    given = work.store.read(request.split.membership) if request.split.membership else None
    membership = make_split(target, request.split, given, by)
    if unplaced := int((target.usable & (membership == LEFT_OUT)).sum()):
        rows, belong = ("row is", "it belongs") if unplaced == 1 else ("rows are", "they belong")
        work.report.warning(f"{unplaced:,} {rows} left out because {request.split.column!r} does not say where "
                            f"{belong}.")
    folds = Folds(make_folds(target, request.split, by), by) if request.split.folds else None
    table = Table(take(columns, membership == PARTS["test"]), candidates, column, target, membership, folds,
                  own_validation(target, request.split, given, by), by)
    return columns, replace(table, reach=reach_of(columns, candidates, table.learned),
                            whole=whole_of(columns, candidates, table.learned))


def evaluate(model: Model, table: Table, seed: int, work: Workplace, seconds: float = math.inf) -> Scores:
    """Look at the test part, once. ``seconds``: in which the columns are weighed, on fewer rows if need be."""
    from mldesk.training import evaluation  # loads scikit-learn, which the torch network does without until here
    from mldesk.training.importance import importance, metric, weighed_on
    from mldesk.training.slices import slices, worst

    work.report.stage("Scoring on the test rows")
    classes = table.target.classes
    rows = np.flatnonzero(table.membership == PARTS["test"])
    kept = {item.name: table.tested[item.name] for item in model.encoder.columns}
    x, y = model.encoder.transform(kept), table.target.y[rows]
    began = time.monotonic()
    prediction = model.predict(x)
    once = time.monotonic() - began
    quantile = None if classes else model.parameters.get("quantile")
    parts = {"test": evaluation.payload(prediction, y, classes, quantile=quantile,
                                        ordered=table.target.ordered),
             "validation": evaluation.payload(model.validation, model.judged.y, classes, spread=False,
                                              quantile=quantile, ordered=table.target.ordered)}
    margins = Margins.measure(model.validation, model.judged.y, len(classes),
                              None if classes else floor_of(table.target.y[table.learned]))
    parts["test"]["coverage"] = [{"level": level, "share": margins.coverage(prediction, y, level)} for level in SHOWN]
    parts["test"]["worst"] = worst(prediction, y, rows, classes, quantile)
    sliced = np.unique(np.linspace(0, len(rows) - 1, min(len(rows), _MOST_SLICED)).round().astype(int))
    parts["test"]["slices"] = slices(
        take(kept, sliced), [Column(item.name, item.type) for item in model.encoder.columns], prediction[sliced],
        y[sliced], len(classes), quantile)
    work.control.check()
    work.report.stage("Weighing the columns")

    def on_column(done: int, total: int) -> None:
        work.control.check()
        work.report.progress(done, total, "columns")

    predictions = seconds * len(x) / max(once, 1e-9)
    ranking = importance(model.encoder, model.predict, x, y, len(classes), seed, on_column, predictions, quantile)
    payload = {"task": table.target.task, "classes": list(classes), "parts": parts, "importance": ranking,
               "importance_metric": metric(len(classes), quantile),
               "importance_on": weighed_on(model.encoder, x, seed, predictions)}
    return Scores(parts["test"]["metrics"], parts["validation"]["metrics"], payload, x, prediction, margins)


def save(request: TrainRequest, model: Model, table: Table, scores: Scores, work: Workplace) -> dict[str, Any]:
    """Write the model's files and the test predictions into the store, announce them; return the job's result.

    Of a request for scores only the model is not kept, and the result names none.
    """
    from mldesk.training import predictions  # loads pyarrow's writer

    work.report.stage("Saving the scores" if request.scores_only else "Saving the model")
    truth = table.target.y[table.membership == PARTS["test"]]
    with disk_errors("saving the model"):
        kept = {} if request.scores_only else {"model": _keep(request, model, table, scores, work)}
        path = work.scratch / "predictions.parquet"
        predictions.write(path, table.membership, truth, scores.test, table.target.classes)
        announce(work, "predictions", work.store.put_file(path, move=True), "table")
    announce(work, "evaluation", work.store.put_bytes(canonical.dumps(scores.payload)), "json")
    for digest in kept.values():
        announce(work, "model", digest, "manifest", work.store.manifest(digest).size)
    shutil.rmtree(work.scratch, ignore_errors=True)
    split = work.store.put_bytes(table.membership.tobytes())
    announce(work, "split", split, "bytes")
    if table.folds is not None:
        announce(work, "folds", work.store.put_bytes(table.folds.codes.tobytes()), "bytes")
    return {
        "task": table.target.task, "metrics": scores.metrics, "validation_metrics": scores.validation_metrics,
        "rows": rows_of(table.membership), "finished_early": model.finished_early, **kept,
        "estimator": model.estimator, "parameters": dict(model.parameters), "split": split,
    }


def _keep(request: TrainRequest, model: Model, table: Table, scores: Scores, work: Workplace) -> str:
    """Write the model's files into the store; return their manifest."""
    from mldesk.training import model_facts, model_files  # load onnxruntime's neighbours

    shown = {item.name: table.tested[item.name] for item in model.encoder.columns}
    sample = take(shown, np.arange(min(_SAMPLE_ROWS, len(scores.x))))
    facts = model_facts.ModelFacts(
        task=table.target.task, target=table.column, classes=table.target.classes, estimator=model.estimator,
        estimator_title=model.title, parameters=model.parameters, fit_facts=model.facts, encoder=model.encoder,
        dataset_name=request.dataset_name, dataset=request.dataset, rows=rows_of(table.membership), seed=request.seed,
        created=iso(time.time()), metrics=scores.metrics, validation_metrics=scores.validation_metrics,
        evaluation=scores.payload, finished_early=model.finished_early, margins=scores.margins,
        ordered=table.target.ordered,
        reach={item.name: table.reach[item.name] for item in model.encoder.columns if item.name in table.reach},
        whole=tuple(item.name for item in model.encoder.columns if item.name in table.whole))
    files, warning = model_files.write_model(work.scratch / "model", facts, model.native, sample, scores.x,
                                             scores.test)
    if warning:
        work.report.warning(warning)
    return work.store.put_manifest(files)


def announce(work: Workplace, name: str, digest: str, kind: str, size: int | None = None) -> None:
    """Say that an object is there to be fetched. ``size``: bytes, where it is more than the object's own."""
    work.report.event("artifact", name=name, digest=digest, type=kind,
                      size=work.store.size(digest) if size is None else size)


def rows_of(membership: Array) -> dict[str, int]:
    """Return how many rows each part has."""
    return {name: int((membership == part).sum()) for name, part in PARTS.items()}


def warn_left_out(encoder: Encoder, report: Report) -> None:
    """Say which columns are not used, and why."""
    left_out = list(encoder.left_out.items())
    if left_out:
        shown = [f"“{name[:60]}” ({why})" for name, why in left_out[:8]]
        more = f" and {len(left_out) - 8} more" if len(left_out) > 8 else ""
        report.warning(f"Not used for learning: {', '.join(shown)}{more}.")


def _deciding(request: TrainRequest, target: Column) -> list[Column]:
    """Return the column that the rows are dealt by, if there is one. Raises BadInput for one that is not there."""
    name = request.split.column
    if name is None or request.split.method not in BY_COLUMN:
        return []
    found = [column for column in columns_from_json(request.columns) if column.name == name != target.name]
    if not found:
        raise BadInput(f"The rows cannot be split by {name[:80]!r}.",
                       hint="Choose a column of the table other than the target.")
    return found


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
    if request.split.method == "column" or (request.split.method == "group" and request.features is None):
        chosen -= {request.split.column}  # it says how rows were dealt, nothing about what they are
    if not chosen:
        raise BadInput("There is no column but the target, so there is nothing to learn from.",
                       hint="Use a table with more columns.")
    return [column for name, column in by_name.items() if name in chosen], by_name[request.target]
