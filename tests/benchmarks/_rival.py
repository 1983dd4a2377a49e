"""Run by the Python of a rival's environment: fit for so many seconds, predict the test rows. Knows nothing of MLDesk.

usage: python _rival.py flaml|autogluon TABLE.parquet SECONDS PREDICTION.npz
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from typing import Any

import numpy as np
import pandas as pd


def main(who: str, table: str, seconds: float, out: str) -> None:
    """Read the rows, fit, write what is predicted for those marked as test rows, and the seconds each step took."""
    data = pd.read_parquet(table)
    test = data.pop("__test")
    y = data.pop("__y")
    numbers = pd.api.types.is_float_dtype(y)
    aim = "rmse" if numbers else "binary" if y.nunique() == 2 else "multi"
    began = time.monotonic()
    fit = _flaml if who == "flaml" else _autogluon
    predict, classes = fit(data[~test], y[~test], aim, seconds)
    fitted = time.monotonic() - began
    prediction = np.asarray(predict(data[test]), float)
    np.savez(out, prediction=prediction, facts=json.dumps({
        "fit": fitted, "predict": time.monotonic() - began - fitted, "classes": [str(item) for item in classes]}))


def _flaml(x: pd.DataFrame, y: pd.Series, aim: str, seconds: float) -> tuple[Any, list[Any]]:
    from flaml import AutoML

    metric = {"rmse": "rmse", "binary": "roc_auc", "multi": "log_loss"}[aim]
    automl = AutoML()
    automl.fit(X_train=x, y_train=y, task="regression" if aim == "rmse" else "classification", metric=metric,
               time_budget=seconds, seed=0, verbose=0, n_jobs=_cores())
    return (automl.predict, []) if aim == "rmse" else (automl.predict_proba, list(automl.classes_))


def _autogluon(x: pd.DataFrame, y: pd.Series, aim: str, seconds: float) -> tuple[Any, list[Any]]:
    from autogluon.tabular import TabularPredictor

    metric, problem = {"rmse": ("root_mean_squared_error", "regression"), "binary": ("roc_auc", "binary"),
                       "multi": ("log_loss", "multiclass")}[aim]
    predictor = TabularPredictor("__y", problem_type=problem, eval_metric=metric, path=tempfile.mkdtemp(),
                                 verbosity=1).fit(x.assign(__y=y), time_limit=seconds, presets="best_quality",
                                                  num_cpus=_cores(), num_gpus=0)
    if aim == "rmse":
        return predictor.predict, []
    return lambda rows: predictor.predict_proba(rows)[predictor.class_labels], list(predictor.class_labels)


def _cores() -> int:
    """Return how many cores this process may use: a rival that starts more threads than that hinders itself."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]), sys.argv[4])
