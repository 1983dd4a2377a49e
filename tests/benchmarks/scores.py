"""Test scores of every default estimator on the shared sets, against the plain model of BASELINES.md, run here too.

The same rows, the same columns left out, the very same test rows. Where the split is by time, the last 15 % of the
training rows are the validation part. usage: python -m tests.benchmarks.scores [SET...] [--only ESTIMATOR,...]
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as mldesk.training.run does, before anything loads OpenMP

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.model_selection import train_test_split

from mldesk.training.catalogue import CLASSIFICATION, ESTIMATORS, REGRESSION
from tests.data_folder import SHARED
from tests.training.jobs import make_job, put_table, result, run_here

VALIDATION_SHARE = 0.15
METRICS = {"classification": (("roc_auc", "AUC"), ("accuracy", "accuracy"), ("f1_macro", "F1 macro")),
           "regression": (("r2", "R2"),)}


def main(arguments: list[str]) -> int:
    """Print a line per set, split and model; return 1 if the best model is below the plain one on any set."""
    parser = argparse.ArgumentParser()
    parser.add_argument("sets", nargs="*")
    parser.add_argument("--only", default=",".join(ESTIMATORS))
    given = parser.parse_args(arguments)
    baselines = _module()
    below = []
    print("| set | split | metric | plain model | " + " | ".join(given.only.split(",")) + " | best - plain |")
    print("| --- " * (5 + len(given.only.split(","))) + "|")
    for spec in json.loads((SHARED / "baselines.json").read_text("utf-8"))["sets"]:
        if given.sets and not any(name in spec["name"] for name in given.sets):
            continue
        x, y = baselines.prepare(baselines.load(str(SHARED), spec), spec)
        table = _as_imported(baselines.load(str(SHARED), spec), x, y, spec)
        for split, membership in _splits(len(y), bool(spec.get("time"))):
            plain = _plain(baselines, spec, x, y, membership)
            ours = {name: _ours(table, spec, membership, name) for name in given.only.split(",")}
            for ours_name, plain_name in METRICS[spec["task"]]:
                values = [ours[name][0][ours_name] for name in ours]
                gain = max(values) - plain[plain_name]
                below += [f"{spec['name']} {split} {ours_name}"] * (gain < 0)
                print(f"| {spec['name']} | {split} | {ours_name} | {plain[plain_name]:.4f} | "
                      + " | ".join(f"{value:.4f}" for value in values) + f" | {gain:+.4f} |", flush=True)
            print("| | | seconds | | " + " | ".join(f"{ours[name][1]:.1f}" for name in ours) + " | |", flush=True)
    print("\nbelow the plain model: " + (", ".join(below) or "none"))
    return 1 if below else 0


def _module() -> Any:
    """Import baselines.py from the shared folder."""
    spec = importlib.util.spec_from_file_location("baselines", SHARED / "baselines.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _as_imported(raw: pd.DataFrame, x: pd.DataFrame, y: pd.Series, spec: dict[str, Any]) -> pa.Table:
    """Return the same rows as a table whose columns have their types, dates as dates and text as text."""
    raw = raw.loc[x.index]
    columns: dict[str, pa.Array] = {}
    for name in raw.columns:
        if name in {spec["target"], *spec.get("drop", ())} or raw[name].isna().all():
            continue
        if name in spec.get("dates", {}):
            moments = pd.to_datetime(raw[name], format=spec["dates"][name] or None, errors="coerce")
            columns[name] = pa.array(moments.dt.date, pa.date32(), from_pandas=True)
        elif str(x[name].dtype) == "category":
            texts = [None if pd.isna(value) else str(value).strip() for value in raw[name]]
            columns[name] = pa.array(texts, pa.string())
        else:
            columns[name] = pa.array(x[name].to_numpy(float), from_pandas=True)
    columns[spec["target"]] = pa.array(y.to_numpy(float) if spec["task"] == "regression" else y.astype(str).tolist())
    return pa.table(columns)


def _splits(rows: int, by_time: bool) -> list[tuple[str, np.ndarray[Any, np.dtype[np.uint8]]]]:
    membership = np.zeros(rows, np.uint8)
    membership[train_test_split(np.arange(rows), test_size=0.2, random_state=0)[1]] = 2
    splits = [("random", membership)]
    if by_time:
        train = int(rows * 0.8)
        last = np.zeros(rows, np.uint8)
        last[int(train * (1 - VALIDATION_SHARE)):train], last[train:] = 1, 2
        splits.append(("last 20 %", last))
    return splits


def _plain(baselines: Any, spec: dict[str, Any], x: pd.DataFrame, y: pd.Series, membership: Any) -> dict[str, float]:
    test = membership == 2
    if not spec.get("time") or membership.tolist().count(1) == 0:
        train, held = train_test_split(np.arange(len(y)), test_size=0.2, random_state=0)  # in its order, as there
    else:
        train, held = np.flatnonzero(~test), np.flatnonzero(test)
    kind = HistGradientBoostingRegressor if spec["task"] == "regression" else HistGradientBoostingClassifier
    model = kind(categorical_features="from_dtype", random_state=0).fit(x.iloc[train], y.iloc[train])
    scores: dict[str, float] = baselines.score(spec["task"], model, x.iloc[held], y.iloc[held])
    return scores


def _ours(table: pa.Table, spec: dict[str, Any], membership: Any, estimator: str) -> tuple[dict[str, float], float]:
    with tempfile.TemporaryDirectory() as folder:
        stored = put_table(Path(folder), table)
        given = stored.store.put_bytes(membership.tobytes())
        features = tuple(name for name in table.column_names if name != spec["target"])
        job = make_job(Path(folder), stored, spec["target"], estimator=estimator, features=features, threads=0,
                       task=REGRESSION if spec["task"] == "regression" else CLASSIFICATION,
                       split={"method": "given", "membership": given})
        began = time.monotonic()
        done = result(run_here(job, stored))
        return dict(done["metrics"]), time.monotonic() - began


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
