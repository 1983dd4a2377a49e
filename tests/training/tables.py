"""Small tables that have something to learn in them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from mldesk.training.catalogue import ESTIMATORS

NAMES = ("flower", "shrub", "tree")


def mixed(rows: int = 240, task: str = "classes", seed: int = 0) -> pa.Table:
    """Return a table of every column type with gaps, and a target ``y`` that follows from it."""
    draw = np.random.default_rng(seed)
    size, weight = draw.normal(size=rows), draw.gamma(2.0, 10.0, rows)
    colour = draw.integers(0, 3, rows)
    sunny = draw.random(rows) < 0.5
    days = draw.integers(0, 700, rows)
    score = size + (colour - 1) + 0.5 * sunny + draw.normal(scale=0.3, size=rows)
    if task == "classes":
        y = pa.array([NAMES[k] for k in np.digitize(score, [-0.5, 0.8])])
    elif task == "two":
        y = pa.array([("no", "yes")[int(s > 0.2)] for s in score])
    else:
        y = pa.array(100 + 10 * score)
    gap = draw.random(rows) < 0.1
    return pa.table({
        "id": pa.array(range(1, rows + 1)),
        "size": pa.array(size, mask=gap),
        "weight": pa.array(weight.round().astype(int)),
        "Farbe 色": pa.array([("rot", "grün", "青い")[k] for k in colour], mask=draw.random(rows) < 0.05),
        "sunny": pa.array(sunny, mask=draw.random(rows) < 0.05),
        "day": pa.array(np.datetime64("2023-01-01", "D") + days),
        "note": pa.array([f"seen {('early', 'late')[int(day % 2)]} in garden {i % 40} today"
                          for i, day in enumerate(days)]),
        "y": y,
    })


MODELS = [name for name, entry in ESTIMATORS.items() if entry.installed]   # XGBoost is a test's need, CatBoost is large
FAST = {
    "linear": {"iterations": 20},
    "random_forest": {"trees": 20},
    "hist_gradient_boosting": {"rounds": 20},
    "lightgbm": {"rounds": 30},
    "extra_trees": {"trees": 20},
    "decision_tree": {},
    "neighbors": {},
    "naive_bayes": {},
    "ordinal": {"iterations": 30},
    "segments": {"segments": 2, "iterations": 30},
    "xgboost": {"rounds": 30},
    "catboost": {"rounds": 30, "learning_rate": 0.3},
    "svm": {},
    "mlp": {"epochs": 12, "width": 32, "blocks": 1},
    "tabm": {"epochs": 12, "width": 16, "blocks": 1, "members": 4},
    "ft_transformer": {"epochs": 10, "width": 16, "blocks": 1, "learning_rate": 0.01},
}
