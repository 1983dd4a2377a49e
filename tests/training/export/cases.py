"""Real tables as float32 features, and one small model of every kind fitted on each; shared by export and bundles."""

from __future__ import annotations

import csv
import warnings
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from tests.data_folder import SHARED

TABLES = {  # name: (file, target, encoding)
    "binary": ("adult.csv", "income"),
    "multiclass": ("penguins_raw.csv", "Species"),
    "regression": ("california_housing.csv", "median_house_value"),
}
KINDS = ("linear", "random_forest", "hist_gradient_boosting", "lightgbm", "mlp")
MISSING = {"", "?", "NA"}


@dataclass(frozen=True)
class Case:
    """Features with NaN and ties; ``fresh`` rows hold unseen codes, other missing cells, and values on the splits."""

    train: np.ndarray   # (N, F) float32
    target: np.ndarray  # (N,) class numbers or float64
    fresh: np.ndarray   # (M, F) float32
    classes: int | None
    categorical: tuple[tuple[int, int], ...] = ()  # columns that hold codes, and how many there are; for the network

    def filled(self) -> Case:
        """The same without missing cells and on one scale, for models that need it."""
        centre, spread = np.nanmean(self.train, axis=0), np.nanstd(self.train, axis=0) + 1e-3
        plain = [np.nan_to_num((part - centre) / spread).astype(np.float32) for part in (self.train, self.fresh)]
        return Case(plain[0], self.target, plain[1], self.classes)

    def coded(self) -> Case:
        """The same, filled, with the last column as codes from 0 to 4."""
        filled = self.filled()
        for part in (filled.train, filled.fresh):
            part[:, -1] = np.clip(np.round(part[:, -1]) + 2, 0, 4)
        return Case(filled.train, filled.target, filled.fresh, filled.classes, ((part.shape[1] - 1, 5),))


@cache
def case(name: str, rows: int = 1500) -> Case:
    """Read the first ``rows`` of a table: numbers as they are, texts as codes in order of appearance."""
    file, target = TABLES[name]
    with open(SHARED / "tabular" / file, encoding="utf-8", newline="") as source:
        table = [row for row, _ in zip(csv.DictReader(source), range(rows), strict=False)]
    columns = [np.array([_cells([row[key] for row in table])]).reshape(-1) for key in table[0] if key != target]
    features = np.column_stack(columns).astype(np.float32)
    answers = _cells([row[target] for row in table])
    random = np.random.default_rng(7)
    fresh = features[random.permutation(len(features))].copy()
    fresh[random.random(fresh.shape) < 0.05] = np.nan
    fresh[::7, -1] = 99  # a code that training never saw
    classes = None if name == "regression" else len(np.unique(answers))
    return Case(features, answers if classes is None else answers.astype(int), fresh, classes)


def _cells(texts: list[str]) -> np.ndarray:
    try:
        return np.array([np.nan if text in MISSING else float(text) for text in texts])
    except ValueError:
        codes: dict[str, int] = {}
        return np.array([np.nan if text in MISSING else codes.setdefault(text, len(codes)) for text in texts])


@cache
def fitted(kind: str, name: str) -> tuple[Any, Case]:
    """Return a fitted native model and the case in the form it takes."""
    data = case(name)
    if kind == "linear":
        data = data.filled()
    elif kind == "mlp":
        data = data.coded()
    return fit(kind, data), data


def fit(kind: str, data: Case) -> Any:
    """Fit a small model of a kind. Linear models and networks want data without missing cells."""
    if kind == "lightgbm":
        return _lightgbm(data)
    if kind == "mlp":
        return _network(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # not converged: of no matter here
        return _sklearn(kind, data.classes).fit(data.train.astype(np.float64), data.target)


def _sklearn(kind: str, classes: int | None) -> Any:
    from sklearn import ensemble, linear_model

    if kind == "linear":
        return linear_model.Ridge() if classes is None else linear_model.LogisticRegression(max_iter=100)
    if kind == "random_forest":
        make = ensemble.RandomForestRegressor if classes is None else ensemble.RandomForestClassifier
        return make(n_estimators=30, random_state=0)
    make = (ensemble.HistGradientBoostingRegressor if classes is None else ensemble.HistGradientBoostingClassifier)
    return make(max_iter=25, random_state=0)


def _lightgbm(data: Case) -> Any:
    import lightgbm

    objective = {None: "regression", 2: "binary"}.get(data.classes, "multiclass")
    given = {"objective": objective, "verbosity": -1, "num_threads": 2, "seed": 0, "min_data_in_leaf": 5}
    if objective == "multiclass":
        given["num_class"] = data.classes
    return lightgbm.train(given, lightgbm.Dataset(data.train, data.target), num_boost_round=40)


def _network(data: Case) -> Any:
    """Return the trainer's own network, with weights as they are before the first step: any will do here."""
    import torch

    from mldesk.training.estimators.columns import describe
    from mldesk.training.estimators.network import build

    torch.manual_seed(0)
    network = build({"kind": "residual", "width": 24, "blocks": 2, "dropout": 0.1,
                     **describe(data.train, data.categorical, data.classes or 1, 4)})
    network.inputs.fit(data.train, data.target, data.classes or 0, 0)
    if data.classes is None:
        network.set_target(float(data.target.mean()), float(data.target.std()))
    return network.eval()


def native_prediction(kind: str, native: Any, features: np.ndarray, classes: int | None) -> np.ndarray:
    """Return (N, C) probabilities or (N,) values, by the native library."""
    if kind == "mlp":
        from mldesk.training.estimators.torch_fit import predict

        return predict(native, features, classes or 0)
    if kind == "lightgbm":
        raw = np.asarray(native.predict(features))
        return np.column_stack([1 - raw, raw]) if classes == 2 else raw
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.asarray(native.predict(features) if classes is None else native.predict_proba(features))
