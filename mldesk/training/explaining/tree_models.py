"""Which models TreeSHAP can explain, and in which unit: trees of every library, and blends whose members all are.

Boosted trees add up to log-odds where there are classes; the shares of a forest's leaves add up to probabilities. A
blend is the weighted sum of its members' probabilities or numbers, so it can be explained by theirs where those of each
add up to just that: numbers by any trees, classes by forests and single trees. Log-odds of members do not add up to
anything the blend says, and a second level is no sum of the members at all.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mldesk.training.explaining.tree_shap import CountedTree, Explainer, leaves
from mldesk.training.export.native import load_native
from mldesk.training.values import Array

FORESTS = ("random_forest", "extra_trees", "decision_tree")
BOOSTERS = ("lightgbm", "xgboost", "catboost", "hist_gradient_boosting")
_MOST_LEAVES = 2_000_000   # of a forest; beyond, handing them over takes longer than anybody waits

# (R, F) float32 to (R, K, F + 1): what each column adds to each output, the mean last.
Values = Callable[[Array], Array]


@dataclass(frozen=True, slots=True)
class TreeModel:
    """How to explain one model."""

    values: Values
    unit: str        # "log-odds", "probability" or "target"


def tree_model(estimator: str, files: Mapping[str, bytes], scratch: Path, classes: int, shown: tuple[int, ...],
               columns: int, threads: int) -> TreeModel | str:
    """Return how to explain a model, or why TreeSHAP cannot, as the end of a sentence.

    Args:
        estimator: its name in the catalogue, or "blend"
        files: the model's native files by name, without their folder
        classes: how many, 0 for numbers; ``shown``: the codes of those that are explained
        columns: how many numbers a row is encoded to
    """
    outputs = shown if classes else (0,)
    if estimator != "blend":
        found = _one(estimator, files, scratch, classes, outputs, columns, threads)
        if isinstance(found, str):
            return found
        return TreeModel(found, "target" if not classes else "probability" if estimator in FORESTS else "log-odds")
    facts = json.loads(files["blend.json"])
    if facts.get("second") is not None:
        return "its second level is no sum of its members"
    parts: list[tuple[float, int, int, Values]] = []
    for number, member in enumerate(facts["members"]):
        kind, start, stop = str(member["estimator"]), int(member["start"]), int(member["stop"])
        if kind not in FORESTS and (classes or kind not in BOOSTERS):
            return f"its member {kind} does not add up to {'probabilities' if classes else 'the target'}"
        own = {name.removeprefix(f"{number}-"): data for name, data in files.items() if name.startswith(f"{number}-")}
        found = _one(kind, own, scratch, classes, outputs, stop - start, threads)
        if isinstance(found, str):
            return found
        parts.append((float(member["weight"]), start, stop, found))
    return TreeModel(_together(parts, columns, len(outputs)), "probability" if classes else "target")


def _together(parts: list[tuple[float, int, int, Values]], columns: int, outputs: int) -> Values:
    def values(x: Array) -> Array:
        total = np.zeros((len(x), outputs, columns + 1))
        for weight, start, stop, own in parts:
            added = weight * own(np.ascontiguousarray(x[:, start:stop]))
            total[:, :, start:stop] += added[:, :, :-1]
            total[:, :, -1] += added[:, :, -1]
        return total
    return values


def _one(kind: str, files: Mapping[str, bytes], scratch: Path, classes: int, outputs: tuple[int, ...], columns: int,
         threads: int) -> Values | str:
    if kind not in (*FORESTS, *BOOSTERS):
        return f"a model of the kind {kind} is no trees"
    native = _read(kind, files, scratch)
    if kind in ("lightgbm", "xgboost", "catboost"):
        return _by_itself(kind, native, outputs if classes > 2 else (0,), columns)
    if kind == "hist_gradient_boosting":
        trees, base = _boosted(native, outputs if classes > 2 else (0,))
    else:
        grown = native.estimators_ if hasattr(native, "estimators_") else [native]
        trees, base = [_counted(grown, code) for code in outputs], [0.0] * len(outputs)
    if leaves(trees[0]) > _MOST_LEAVES:
        return f"its {leaves(trees[0]):,} leaves are too many"
    if native.n_features_in_ != columns:   # texts became numbers of their own before it
        return "an encoder of texts comes before it"
    explainers = [Explainer(some, start, columns, threads) for some, start in zip(trees, base, strict=True)]
    return lambda x: np.stack([explainer.values(x) for explainer in explainers], 1)


def _read(kind: str, files: Mapping[str, bytes], scratch: Path) -> Any:
    """Load a native model, of types from our list alone. Raises BadInput, OSError."""
    folder = scratch / "native"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return load_native(kind, folder)


def _by_itself(kind: str, native: Any, outputs: tuple[int, ...], columns: int) -> Values | str:
    """Let the library work it out, which knows its own trees best."""
    asks: Callable[[Array], Any]
    if kind == "lightgbm":
        width, asks = native.num_feature(), lambda x: native.predict(x, pred_contrib=True)
    elif kind == "xgboost":
        import xgboost  # slow

        width = native.num_features()
        asks = lambda x: native.predict(xgboost.DMatrix(np.asarray(x, np.float32)), pred_contribs=True)
    else:
        import catboost  # slow

        width = len(native.feature_names_)
        asks = lambda x: native.get_feature_importance(catboost.Pool(x), type="ShapValues")
    if width != columns:
        return "an encoder of texts comes before it"

    def values(x: Array) -> Array:
        found: Array = np.asarray(asks(x), np.float64).reshape(len(x), -1, columns + 1)[:, outputs]
        return found

    return values


def _counted(grown: list[Any], code: int) -> list[CountedTree]:
    """Read scikit-learn's trees: their mean share of a class, or number."""
    return [CountedTree(tree.feature, tree.threshold, tree.children_left, tree.children_right,
                        np.asarray(tree.missing_go_to_left).astype(bool),
                        np.asarray(tree.value, np.float64)[:, 0, code] / len(grown), tree.weighted_n_node_samples)
            for tree in (estimator.tree_ for estimator in grown)]


def _boosted(native: Any, outputs: tuple[int, ...]) -> tuple[list[list[CountedTree]], list[float]]:
    """Read scikit-learn's histogram gradient boosting: trees and what they begin with, by output."""
    base = np.asarray(native._baseline_prediction, np.float64).reshape(-1)  # noqa: SLF001 - nothing public holds it
    return ([[_of_nodes(stage[code].nodes) for stage in native._predictors] for code in outputs],  # noqa: SLF001
            [float(base[code]) for code in outputs])


def _of_nodes(nodes: Any) -> CountedTree:
    leaf = nodes["is_leaf"].astype(bool)
    left, right = (np.where(leaf, -1, nodes[side].astype(np.int64)) for side in ("left", "right"))
    return CountedTree(nodes["feature_idx"].astype(np.int64), nodes["num_threshold"].astype(np.float64), left, right,
                       nodes["missing_go_to_left"].astype(bool), nodes["value"].astype(np.float64),
                       nodes["count"].astype(np.float64))
