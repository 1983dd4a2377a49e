"""The trees of the optional packs, XGBoost and CatBoost, as flat arrays; see ``trees``."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mldesk.core.errors import WorkFailed
from mldesk.training.export.trees import Ensemble, Tree

_XGBOOST_LINKS = {"reg:squarederror": "identity", "reg:quantileerror": "identity", "binary:logistic": "sigmoid",
                  "multi:softprob": "softmax"}


def xgboost(booster: Any) -> Ensemble:
    """Read a booster from its JSON form. Raises WorkFailed for splits on categories as sets, and unknown objectives."""
    learner = json.loads(bytes(booster.save_raw("json")))["learner"]
    link = _XGBOOST_LINKS.get(learner["objective"]["name"])
    if link is None or learner["gradient_booster"]["name"] != "gbtree":
        raise WorkFailed(f"This model cannot be written as ONNX: XGBoost's {learner['objective']['name']!r:.60} has no "
                         "counterpart.")
    facts = learner["learner_model_param"]
    outputs = max(1, int(facts["num_class"]))
    base = np.array(json.loads(facts["base_score"]) if facts["base_score"].startswith("[")
                    else float(facts["base_score"]), np.float64).reshape(-1)
    if link == "sigmoid":   # given as a chance
        base = np.log(base / (1 - base))
    model = learner["gradient_booster"]["model"]
    trees = tuple(_xgboost_tree(tree, output)
                  for tree, output in zip(model["trees"], model["tree_info"], strict=True))
    return Ensemble(trees, np.broadcast_to(base, (outputs,)).copy(), link)


def _xgboost_tree(tree: Mapping[str, Any], output: int) -> Tree:
    if any(tree["split_type"]):
        raise WorkFailed("This model cannot be written as ONNX: it splits on categories as sets.")
    left, right = np.array(tree["left_children"], np.int64), np.array(tree["right_children"], np.int64)
    values = np.array(tree["split_conditions"], np.float32)
    leaves = np.flatnonzero(left < 0)
    # XGBoost sends x < t to the left, a float32; below t and up to the next smaller number are the same there.
    below = np.nextafter(values, np.float32(-np.inf)).astype(np.float64)
    return Tree(np.array(tree["split_indices"], np.int64), below, left, right,
                np.array(tree["default_left"]).astype(bool), leaves, np.full(len(leaves), output, np.int64),
                values[leaves].astype(np.float64))


def catboost(model: Any) -> Ensemble:
    """Read a CatBoost model from its JSON form. Raises WorkFailed for other than balanced trees over numbers."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.json"
        model.save_model(str(path), format="json")   # there is no way past a file
        value = json.loads(path.read_text("utf-8"))
    if "oblivious_trees" not in value:
        raise WorkFailed("This model cannot be written as ONNX: its trees are not balanced.")
    scale, bias = value["scale_and_bias"]
    base = np.array(bias, np.float64).reshape(-1)
    # A column that no tree needs is missing from the list, so numbers within it are not those of the table.
    columns = [item["flat_feature_index"] for item in value["features_info"]["float_features"]]
    left = [_missing_left(item) for item in value["features_info"]["float_features"]]
    trees = tuple(tree for one in value["oblivious_trees"]
                  for tree in [_balanced_tree(one, len(base), scale, columns, left)])
    loss = value["model_info"]["params"]["loss_function"]["type"]
    link = {"Logloss": "sigmoid", "MultiClass": "softmax", "RMSE": "identity", "Quantile": "identity"}.get(loss)
    if link is None:
        raise WorkFailed(f"This model cannot be written as ONNX: CatBoost's {loss!r:.60} has no counterpart.")
    return Ensemble(trees, base, link)


def _missing_left(feature: Mapping[str, Any]) -> bool:
    """Say whether a missing value counts as the smallest of all. Where none was seen, CatBoost takes it so, too."""
    return str(feature.get("nan_value_treatment", "AsIs")) != "AsTrue"


def _balanced_tree(tree: Mapping[str, Any], outputs: int, scale: float, columns: list[int], left: list[bool]) -> Tree:
    """Unfold a tree that asks the same question everywhere on a level; bit k of a leaf's number answers question k."""
    splits = tree["splits"] or []
    if any(split["split_type"] != "FloatFeature" for split in splits):
        raise WorkFailed("This model cannot be written as ONNX: it splits on categories.")
    depth = len(splits)
    inner = (1 << depth) - 1
    total = inner + (1 << depth)
    feature, threshold = np.zeros(total, np.int64), np.zeros(total)
    nan_left = np.zeros(total, bool)
    for level, split in enumerate(reversed(splits)):   # the root asks the last question, the highest bit
        nodes = slice((1 << level) - 1, (1 << level + 1) - 1)
        feature[nodes] = columns[split["float_feature_index"]]
        threshold[nodes] = float(np.float32(split["border"]))
        nan_left[nodes] = left[split["float_feature_index"]]
    places = np.arange(total)
    is_leaf = places >= inner
    values = np.array(tree["leaf_values"], np.float64).reshape(1 << depth, outputs) * scale
    where, target = np.nonzero(np.ones_like(values, bool))
    if not math.isfinite(scale):
        raise WorkFailed("This model holds a number that is not finite.")
    return Tree(feature, threshold, np.where(is_leaf, -1, 2 * places + 1), np.where(is_leaf, -1, 2 * places + 2),
                nan_left, inner + where, target.astype(np.int64), values[where, target])
