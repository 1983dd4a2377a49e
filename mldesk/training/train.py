"""A training job from the table to the model's files, read down the page."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from mldesk.training.catalogue import ORDINAL, find_estimator
from mldesk.training.class_weights import weights_by_hand
from mldesk.training.doubts import doubts
from mldesk.training.estimators.base import FitContext, Fitted, Part, load_estimator
from mldesk.training.fitting import fit
from mldesk.training.job import Model, Workplace, evaluate, open_table, save, warn_left_out
from mldesk.training.many_classes import resolve_for
from mldesk.training.over_text import OverText, WithText, categories, wish
from mldesk.training.prepared import fit_rows
from mldesk.training.preparing_target import Truth
from mldesk.training.split import TRAIN, VALIDATION
from mldesk.training.text_encoder import read_text_encoder
from mldesk.training.values import take
from mldesk.training.warm import taken_up
from mldesk.wire.jobs import TrainRequest


def train(request: TrainRequest, work: Workplace) -> dict[str, Any]:
    """Do the job; return the ``result`` of its "succeeded" event.

    Raises BadInput for what the data or the parameters do not allow, DiskFull, Terminated.
    """
    began = time.monotonic()
    columns, table = open_table(request, work)
    classes = len(table.target.classes)
    entry = find_estimator(request.estimator, table.target.task)
    parameters, smaller = resolve_for(entry, request.parameters, classes)
    if smaller:
        work.report.warning(smaller)
    if entry.name == ORDINAL and not table.target.ordered and classes > 2:
        work.report.warning("The classes are taken in the order " + ", ".join(map(str, table.target.classes[:8])) + (
            " …." if classes > 8 else "."), hint="Give their order (--order low,medium,high) if that is not it.")

    work.report.stage("Preparing the columns")
    estimator = load_estimator(entry)
    reader = read_text_encoder(parameters["text_encoder"]) if parameters["text_encoder"] else None
    rows = table.membership == TRAIN   # nothing is fitted on any other, the encoder included
    learned = Truth(table.target.name, table.target.y[rows], table.target.classes)
    native: Any = None
    if request.warm:
        encoder, native = taken_up(request.warm, entry, table, work)
        fit_on = Part(encoder.transform(take(columns, rows)), learned.y)
    else:
        encoder, x, kept_rows = fit_rows(take(columns, rows), table.candidates, estimator.style, learned,
                                         chosen=request.features is not None, text=wish(parameters, reader),
                                         steps=request.prepare)
        fit_on = Part(x, learned.y[kept_rows])
        if len(x) != len(learned.y):
            work.report.log(f"Rebalanced, {len(learned.y):,} training rows became {len(x):,}.")
    warn_left_out(encoder, work.report)
    judged = table.membership == VALIDATION
    judge_by = Part(encoder.transform(take(columns, judged)), table.target.y[judged])
    kept = columns if table.folds is not None else {}
    del columns

    def told(done: int, total: int) -> None:
        work.control.check()
        work.report.progress(done, total, "texts")

    if reader is not None:
        work.report.stage("Reading the texts")
    over = None if native is not None else OverText.fit(reader, encoder, fit_on.x, told)
    if over is not None:
        fit_on, judge_by = over.part(fit_on), over.part(judge_by, told)

    work.report.stage("Training")
    fitted = fit(estimator, FitContext(
        classes=classes, parameters=parameters, train=fit_on, validation=judge_by, report=work.report,
        control=work.control, checkpoints=work.checkpoints, categorical=categories(over, encoder.categorical),
        seed=request.seed, threads=work.threads, device=work.device, start=native,
        by_hand=weights_by_hand(parameters, table.target.classes), steering=work.steering))
    if words := stopped_early(parameters, fitted):
        work.report.log(words)

    model = Model(entry.name, entry.title, parameters, fitted.facts,
                  fitted.native if over is None else WithText(over, fitted.native), encoder,
                  lambda x: estimator.predict(fitted.native, x if over is None else over.transform(x), classes),
                  judge_by, fitted.validation, fitted.finished_early)
    scores = evaluate(model, table, request.seed, work)
    more: dict[str, Any] = {"warnings": doubts(request, model, table, scores, work)}
    if table.folds is not None:
        from mldesk.training.folds import cross_validate  # loads scikit-learn, which few jobs need that early

        more["cross_validation"] = cross_validate(request, entry, parameters, kept, table, table.folds, scores,
                                                  work)
    return {**save(request, model, table, scores, work), **more, "seconds": round(time.monotonic() - began, 3)}


def stopped_early(parameters: Mapping[str, Any], fitted: Fitted) -> str:
    """Say when a fit met a plateau, so that its patience was over before its rounds or epochs were; "" else."""
    patience = parameters.get("patience")
    for unit in ("rounds", "epochs"):
        best, limit = fitted.facts.get(unit), parameters.get(unit)
        if patience is None or best is None or limit is None or fitted.finished_early:
            continue
        if best + patience < limit:
            return (f"Stopped early at {unit[:-1]} {best + patience}, best at {best}: a plateau, the validation loss "
                    f"fell no further for {patience} {unit}.")
    return ""
