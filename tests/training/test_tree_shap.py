"""TreeSHAP: equal to Shapley's definition over the trees' own paths, and adding up to what the model says."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mldesk.training.blend import Blend, Member, write_native
from mldesk.training.blend import predict as blended
from mldesk.training.catalogue import ESTIMATORS
from mldesk.training.estimators.base import load_estimator
from mldesk.training.explaining.tree_models import TreeModel, tree_model
from mldesk.training.explaining.tree_shap import CountedTree, Explainer
from mldesk.training.export import save_native
from mldesk.training.values import Array

COLUMNS = 4


def _data(classes: int) -> tuple[Array, Array]:
    draw = np.random.default_rng(5)
    x = draw.normal(size=(200, COLUMNS)).astype(np.float32)
    x[draw.random(x.shape) < 0.1] = np.nan
    score = np.nan_to_num(x[:, 0]) + np.nan_to_num(x[:, 1]) * np.nan_to_num(x[:, 2])
    return x, (np.digitize(score, [-0.4, 0.4]) if classes == 3 else (score > 0).astype(int)) if classes else score


def _model(kind: str, classes: int) -> Any:
    from sklearn import ensemble, tree

    x, y = _data(classes)
    name = {"random_forest": "RandomForest", "extra_trees": "ExtraTrees", "decision_tree": "DecisionTree",
            "hist_gradient_boosting": "HistGradientBoosting"}.get(kind)
    if name:
        made = getattr(tree if kind == "decision_tree" else ensemble, name + ("Classifier" if classes else "Regressor"))
        more: dict[str, Any] = {"max_depth": 4, "random_state": 0}
        more |= {"max_iter": 6, "min_samples_leaf": 5} if kind == "hist_gradient_boosting" else {}
        more |= {"n_estimators": 6} if kind in ("random_forest", "extra_trees") else {}
        more |= {"class_weight": "balanced"} if classes and kind == "random_forest" else {}
        return made(**more).fit(x, y)
    if kind == "lightgbm":
        import lightgbm

        aim = {"objective": "regression"} if not classes else {"objective": "binary"} if classes == 2 else {
            "objective": "multiclass", "num_class": 3}
        return lightgbm.train({**aim, "verbosity": -1, "num_leaves": 7, "num_threads": 1}, lightgbm.Dataset(x, y), 5)
    if kind == "catboost":
        import catboost

        loss = "RMSE" if not classes else "Logloss" if classes == 2 else "MultiClass"
        return catboost.CatBoost({"loss_function": loss, "iterations": 5, "depth": 3, "verbose": 0, "thread_count": 1,
                                  "allow_writing_files": False}).fit(x, y)
    import xgboost

    aim = {"objective": "reg:squarederror"} if not classes else {"objective": "binary:logistic"} if classes == 2 else {
        "objective": "multi:softprob", "num_class": 3}
    return xgboost.train({**aim, "max_depth": 3, "nthread": 1}, xgboost.DMatrix(x, y), 5)


def _explained(kind: str, native: Any, folder: Path, classes: int, shown: tuple[int, ...]) -> TreeModel | str:
    save_native(kind, native, folder / "kept")
    files = {item.name: item.read_bytes() for item in (folder / "kept").iterdir()}
    return tree_model(kind, files, folder, classes, shown, COLUMNS, 1)


@pytest.mark.parametrize(("kind", "classes"), [
    *((kind, classes) for kind in ("random_forest", "extra_trees", "decision_tree", "hist_gradient_boosting")
      for classes in (0, 2, 3)), ("lightgbm", 2), ("lightgbm", 3), ("xgboost", 0), ("xgboost", 3),
    *(("catboost", classes) for classes in (0, 2, 3) if ESTIMATORS["catboost"].installed)])
def test_values_add_up_to_what_the_model_says(tmp_path: Path, kind: str, classes: int) -> None:
    native, (x, _) = _model(kind, classes), _data(classes)
    shown = (1,) if classes == 2 else (0, 2) if classes else ()
    found = _explained(kind, native, tmp_path, classes, shown)
    assert isinstance(found, TreeModel)
    values = found.values(x[:20])
    assert values.shape == (20, max(1, len(shown)), COLUMNS + 1)
    said = load_estimator(ESTIMATORS[kind]).predict(native, x[:20], classes)
    if not classes:
        assert found.unit == "target" and values.sum(2)[:, 0] == pytest.approx(said, abs=1e-5)
    elif found.unit == "probability":
        assert values.sum(2) == pytest.approx(said[:, shown], abs=1e-6)
    elif classes == 2:
        assert values.sum(2)[:, 0] == pytest.approx(np.log(said[:, 1] / said[:, 0]), abs=1e-5)
    else:   # the difference of two classes' scores is that of the logarithms of their chances
        assert values[:, 0].sum(1) - values[:, 1].sum(1) == pytest.approx(np.log(said[:, 0] / said[:, 2]), abs=1e-5)


@pytest.mark.parametrize(("kind", "classes"), [
    ("random_forest", 0), ("random_forest", 2), ("extra_trees", 3), ("decision_tree", 0), ("hist_gradient_boosting", 0),
    ("hist_gradient_boosting", 2)])
def test_values_are_those_of_the_definition(tmp_path: Path, kind: str, classes: int,
                                            monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[tuple[Sequence[CountedTree], float]] = []
    make = Explainer.__init__

    def noting(self: Explainer, trees: Sequence[CountedTree], base: float, columns: int, threads: int = 1) -> None:
        kept.append((trees, base))
        make(self, trees, base, columns, threads)

    monkeypatch.setattr(Explainer, "__init__", noting)
    native, (x, _) = _model(kind, classes), _data(classes)
    found = _explained(kind, native, tmp_path, classes, (1,) if classes else ())
    assert isinstance(found, TreeModel)
    values = found.values(x[:4])[:, 0]
    (trees, base), = kept
    for row, got in zip(x[:4], values, strict=True):
        wanted = _by_definition(trees, row)
        assert got[:-1] == pytest.approx(wanted[:-1], abs=1e-6)
        assert got[-1] == pytest.approx(wanted[-1] + base, abs=1e-6)


def _by_definition(trees: Sequence[CountedTree], row: Array) -> Array:
    """Return Shapley's own sum over every coalition, of what trees say where the other columns are averaged over."""
    worth = {known: sum(_expected(tree, row, known, 0) for tree in trees)
             for size in range(COLUMNS + 1) for known in map(frozenset, itertools.combinations(range(COLUMNS), size))}
    values = np.zeros(COLUMNS + 1)
    values[-1] = worth[frozenset()]
    for column in range(COLUMNS):
        for known, value in worth.items():
            if column not in known:
                weight = math.factorial(len(known)) * math.factorial(COLUMNS - len(known) - 1) / math.factorial(COLUMNS)
                values[column] += weight * (worth[known | {column}] - value)
    return values


def _expected(tree: CountedTree, row: Array, known: frozenset[int], node: int) -> float:
    if tree.left[node] < 0:
        return float(tree.value[node])
    left, right, column = int(tree.left[node]), int(tree.right[node]), int(tree.feature[node])
    if column not in known:
        share = tree.rows[left] / (tree.rows[left] + tree.rows[right])
        return float(share * _expected(tree, row, known, left) + (1 - share) * _expected(tree, row, known, right))
    value = float(row[column])
    goes_left = bool(tree.nan_left[node]) if math.isnan(value) else value <= tree.threshold[node]
    return _expected(tree, row, known, left if goes_left else right)


def test_a_blend_is_the_weighted_sum_of_its_members_where_these_add_up(tmp_path: Path) -> None:
    def blend(classes: int, kinds: Sequence[str]) -> tuple[Blend, dict[str, bytes], Array]:
        x, _ = _data(classes)
        members = [Member(kind, _model(kind, classes), place * COLUMNS, (place + 1) * COLUMNS, weight)
                   for place, (kind, weight) in enumerate(zip(kinds, (0.7, 0.3), strict=True))]
        made, folder = Blend(members), tmp_path / f"{classes}-{'-'.join(kinds)}"
        write_native(made, folder)
        return made, {item.name: item.read_bytes() for item in folder.iterdir()}, np.hstack([x, x])[:10]

    for classes, kinds, unit in ((0, ("lightgbm", "random_forest"), "target"),
                                 (2, ("extra_trees", "decision_tree"), "probability")):
        made, files, x = blend(classes, kinds)
        shown = (1,) if classes else ()
        found = tree_model("blend", files, tmp_path, classes, shown, 2 * COLUMNS, 1)
        assert isinstance(found, TreeModel) and found.unit == unit
        said = blended(made, x, classes)
        assert found.values(x).sum(2)[:, 0] == pytest.approx(said[:, 1] if classes else said, abs=1e-6)
    _, files, _ = blend(2, ("lightgbm", "random_forest"))
    why = tree_model("blend", files, tmp_path, 2, (1,), 2 * COLUMNS, 1)
    assert why == "its member lightgbm does not add up to probabilities"
    assert tree_model("mlp", {}, tmp_path, 2, (1,), COLUMNS, 1) == "a model of the kind mlp is no trees"


def test_a_tree_without_a_split_is_only_its_mean() -> None:
    leaf = CountedTree(*(np.array([value]) for value in (0, 0.0, -1, -1, False, 3.0, 9)))
    assert Explainer([leaf], 1.0, 2).values(np.zeros((2, 2), np.float32)).tolist() == [[0.0, 0.0, 4.0]] * 2
