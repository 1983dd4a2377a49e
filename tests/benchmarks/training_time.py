"""The fit itself, boosting, forests and torch networks: MLDesk's trainer against the same model in a bare script.

Both fit the same encoded rows of adult.csv with the same settings and threads, in a process of their own, turn about;
the bare script reports nothing, writes no checkpoint and listens to nobody. Of each, the fastest of the rounds counts.
usage: python -m tests.benchmarks.training_time [KIND] [--rounds N] [--json]
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # the same for both sides

import numpy as np
import pyarrow.csv as csv

from mldesk.training.catalogue import ESTIMATORS
from mldesk.training.features import FeatureEncoder
from mldesk.training.parameters import resolve
from mldesk.training.split import TRAIN, VALIDATION, make_split
from mldesk.training.table import read_columns
from mldesk.training.target import read_target
from mldesk.training.values import take
from mldesk.wire.jobs import SplitRequest
from tests.benchmarks._report import report
from tests.data_folder import SHARED
from tests.training.jobs import Table, events, make_job, of, put_table, result, start

ROUNDS = 5
SETTINGS: dict[str, dict[str, Any]] = {
    "lightgbm": {"rounds": 400, "patience": None, "refit": False},
    "mlp": {"epochs": 6, "patience": None, "refit": False},
    "tabm": {"epochs": 2, "patience": None, "refit": False, "members": 8},
    "xgboost": {"rounds": 400, "patience": None, "refit": False},
    "hist_gradient_boosting": {"rounds": 150, "patience": None, "refit": False},
    "random_forest": {"trees": 200, "refit": False},
}
NETWORKS = ("mlp", "tabm")


def main() -> None:
    """Print the seconds of both sides and their ratio."""
    rounds = int(sys.argv[sys.argv.index("--rounds") + 1]) if "--rounds" in sys.argv else ROUNDS
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        table = put_table(root, csv.read_csv(SHARED / "tabular" / "adult.csv", convert_options=csv.ConvertOptions(
            null_values=["?"], strings_can_be_null=True)))
        for kind in [kind for kind in SETTINGS if kind in sys.argv] or SETTINGS:
            _encode(table, root / f"{kind}.npz", "embed" if kind in NETWORKS else "trees")
            ours, bare = [], []
            for _ in range(rounds):
                ours.append(_ours(root, table, kind))
                bare.append(_bare(root / f"{kind}.npz", kind))
            lines += [(f"{kind}: MLDesk", min(ours), "s"), (f"{kind}: bare script", min(bare), "s"),
                      (f"{kind}: ratio", min(ours) / min(bare), "×")]
    report("training_time", lines, {"rounds": rounds})


def _encode(table: Table, path: Path, style: Any) -> None:
    columns = read_columns(table.store, table.manifest, table.columns)
    target = read_target(columns.pop("income"), table.columns[-1], None)
    membership = make_split(target, SplitRequest())
    encoder = FeatureEncoder.fit(take(columns, membership == TRAIN), table.columns[:-1], style)
    parts = {name: encoder.transform(take(columns, membership == part))
             for name, part in (("x", TRAIN), ("x_validation", VALIDATION))}
    np.savez(path, **parts, y=target.y[membership == TRAIN], y_validation=target.y[membership == VALIDATION],
             categorical=np.array(encoder.categorical, np.int64).reshape(-1, 2))


def _ours(root: Path, table: Table, kind: str) -> float:
    """Return the seconds between the start of the fit and the scoring, as the run's own events say."""
    folder = make_job(root, table, "income", estimator=kind, parameters=SETTINGS[kind], threads=0)
    assert start(folder, table).wait() == 0, (folder / "output.log").read_text()
    said = events(folder)
    result(said)
    stages = {event["name"]: event["time"] for event in of("stage", said)}
    seconds: float = stages["Scoring on the test rows"] - stages["Training"]
    return seconds


def _bare(data: Path, kind: str) -> float:
    done = subprocess.run([sys.executable, "-m", "tests.benchmarks.training_time", "bare", kind, str(data)],
                          capture_output=True, text=True, check=True, env={**os.environ, "OMP_NUM_THREADS": "2"})
    return float(done.stdout)


def _bare_lightgbm(data: Any) -> float:
    import lightgbm

    given = resolve(ESTIMATORS["lightgbm"].parameters, SETTINGS["lightgbm"])
    settings = {
        "objective": "binary", "metric": ["binary_logloss", "binary_error"], "learning_rate": given["learning_rate"],
        "num_leaves": 20, "min_data_in_leaf": given["min_samples_leaf"], "lambda_l2": given["l2"], "verbosity": -1,
        "feature_fraction_bynode": given["feature_fraction"], "num_threads": 2, "seed": 0, "deterministic": True,
        "force_col_wise": True,
    }
    began = time.perf_counter()
    train = lightgbm.Dataset(data["x"], data["y"])
    validation = lightgbm.Dataset(data["x_validation"], data["y_validation"], reference=train)
    booster = lightgbm.train(settings, train, given["rounds"], valid_sets=[validation],
                             callbacks=[lightgbm.early_stopping(10_000, verbose=False)])
    booster.predict(data["x_validation"])
    return time.perf_counter() - began


def _bare_network(data: Any, kind: str) -> float:
    import torch
    from torch import nn

    from mldesk.training.estimators.columns import describe
    from mldesk.training.estimators.network import build

    given = resolve(ESTIMATORS[kind].parameters, SETTINGS[kind])
    torch.set_num_threads(2)
    torch.manual_seed(0)
    began = time.perf_counter()
    shape = {name: given[name] for name in ("width", "blocks", "dropout")}
    shape |= {"kind": "residual"} if kind == "mlp" else {"kind": "tabm", "members": given["members"]}
    network = build({**shape, **describe(
        data["x"], [tuple(pair) for pair in data["categorical"]], 2, given["number_embedding"])})
    network.inputs.fit(data["x"], data["y"], 2, 0)
    averaging = torch.optim.swa_utils
    average = averaging.AveragedModel(network, multi_avg_fn=averaging.get_ema_multi_avg_fn(0.98))
    optimizer = torch.optim.AdamW(network.parameters(), lr=given["learning_rate"], weight_decay=given["weight_decay"],
                                  fused=True)
    x, y = torch.from_numpy(data["x"]), torch.from_numpy(data["y"])
    held, truth = torch.from_numpy(data["x_validation"]), torch.from_numpy(data["y_validation"])
    for _ in range(given["epochs"]):
        network.train()
        for rows in torch.split(torch.randperm(len(x)), 256):
            output = network.raw(x[rows])
            loss = nn.functional.cross_entropy(output.flatten(0, 1), y[rows].repeat_interleave(output.shape[1]))
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), given["gradient_clip"])
            optimizer.step()
            average.update_parameters(network)
        average.eval()
        with torch.inference_mode():
            torch.cat([nn.functional.cross_entropy(average(part), wanted)[None] for part, wanted in zip(
                torch.split(held, 4096), torch.split(truth, 4096), strict=True)]).mean().item()
    return time.perf_counter() - began


def _bare_xgboost(data: Any) -> float:
    import xgboost

    given = resolve(ESTIMATORS["xgboost"].parameters, SETTINGS["xgboost"])
    settings = {
        "objective": "binary:logistic", "eval_metric": ["logloss", "error"], "eta": given["learning_rate"],
        "max_depth": given["max_depth"], "lambda": given["l2"], "subsample": given["row_fraction"],
        "colsample_bynode": given["feature_fraction"], "tree_method": "hist", "nthread": 2, "seed": 0}
    began = time.perf_counter()
    train = xgboost.QuantileDMatrix(data["x"], data["y"], nthread=2)
    held = xgboost.QuantileDMatrix(data["x_validation"], data["y_validation"], ref=train, nthread=2)
    booster = xgboost.train(settings, train, given["rounds"], evals=[(held, "held")], verbose_eval=False)
    booster.predict(held)
    return time.perf_counter() - began


def _bare_hist(data: Any) -> float:
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    given = resolve(ESTIMATORS["hist_gradient_boosting"].parameters, SETTINGS["hist_gradient_boosting"])
    began = time.perf_counter()
    with threadpool_limits(2):
        model = HistGradientBoostingClassifier(
            max_iter=given["rounds"], learning_rate=given["learning_rate"], max_leaf_nodes=20, random_state=0,
            min_samples_leaf=given["min_samples_leaf"], max_features=given["feature_fraction"], early_stopping=True,
            scoring="loss", n_iter_no_change=10_000)
        model.fit(data["x"], data["y"], X_val=data["x_validation"], y_val=data["y_validation"])
        model.predict_proba(data["x_validation"])
    return time.perf_counter() - began


def _bare_forest(data: Any) -> float:
    from sklearn.ensemble import RandomForestClassifier

    began = time.perf_counter()
    forest = RandomForestClassifier(SETTINGS["random_forest"]["trees"], min_samples_leaf=max(2, len(data["y"]) // 4000),
                                    n_jobs=2, random_state=0)
    forest.fit(data["x"], data["y"])
    forest.predict_proba(data["x_validation"])
    return time.perf_counter() - began


if __name__ == "__main__":
    if "bare" in sys.argv:
        loaded = dict(np.load(sys.argv[3]))
        name = sys.argv[2]
        if name in NETWORKS:
            print(_bare_network(loaded, name))
        else:
            print({"lightgbm": _bare_lightgbm, "xgboost": _bare_xgboost, "hist_gradient_boosting": _bare_hist,
                   "random_forest": _bare_forest}[name](loaded))
    else:
        main()
