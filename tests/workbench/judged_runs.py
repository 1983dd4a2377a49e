"""Runs that ended with a split, predictions and an evaluation that a test has written down, without any training."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mldesk.training import evaluation, predictions
from mldesk.training.slices import worst
from mldesk.training.split import TEST
from mldesk.training.values import Array
from mldesk.workbench.orders import TrainOrder
from tests.workbench.stand_ins import Desk


def finished(desk: Desk, order: TrainOrder, split: Array, y: Array, prediction: Array,
             classes: Sequence[Any] = (), **judged: Any) -> str:
    """Start a run and let it end well, tested on the rows of ``split`` that are TEST; return its id.

    ``y`` (N,) and ``prediction`` are of those rows; ``judged`` is handed to ``evaluation.payload``.
    """
    run = desk.runs.start(order)
    store, folder = desk.library.objects, Path(desk.library.home.root)
    path = folder / f"{run.id}.parquet"
    predictions.write(path, split, y, prediction, classes)
    part = evaluation.payload(prediction, y, classes, **judged)
    part["worst"], part["slices"] = worst(prediction, y, np.flatnonzero(split == TEST), classes), []
    payload: Mapping[str, Any] = {"classes": list(classes), "parts": {"test": part}}
    kept = {"predictions": path.read_bytes(), "evaluation": json.dumps(payload).encode(), "split": split.tobytes()}
    desk.runner.say(run.id, "started", attempt=1, pid=1, host="h", device="cpu", resumed_from=None)
    digests = {}
    for name, data in kept.items():
        digests[name] = store.put_bytes(data)
        desk.runner.say(run.id, "artifact", name=name, digest=digests[name], size=len(data), type="file")
    desk.runner.say(run.id, "succeeded", result={
        "task": run.task, "metrics": part["metrics"], "validation_metrics": {}, "seconds": 1.5,
        "rows": {"train": int((split == 0).sum()), "validation": int((split == 1).sum()), "test": len(y)},
        "finished_early": False, "estimator": run.estimator, "parameters": dict(run.parameters),
        "split": digests["split"]})
    list(desk.runs.follow(run.id))
    return run.id
