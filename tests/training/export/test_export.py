"""The ONNX graph and the native files are the model: on real data with missing cells, ties and unseen values."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from mldesk.core.errors import BadInput, WorkFailed
from mldesk.training.export import TOLERANCE, deviation, load_native, onnx_parity, save_native, to_onnx
from mldesk.training.export.trusted import untrusted
from tests.training.export.cases import KINDS, TABLES, case, fitted, native_prediction

every_model = pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in KINDS for name in TABLES])


def _on_the_splits(kind: str, native, features: np.ndarray) -> np.ndarray:
    """Put values exactly on split thresholds (rounded to float32), where a careless converter errs."""
    from mldesk.training.export import trees

    readers = {"random_forest": trees.forest, "hist_gradient_boosting": trees.hist_gradient_boosting,
               "lightgbm": trees.lightgbm}
    if kind not in readers:
        return features
    features = features.copy()
    row = 0
    for tree in readers[kind](native).trees:
        for node in np.flatnonzero(tree.left >= 0)[:20]:
            with np.errstate(over="ignore"):
                value = np.float32(tree.threshold[node])
            if not np.isfinite(value):  # "is it missing?"
                continue
            features[row % len(features), tree.feature[node]] = value
            features[(row + 1) % len(features), tree.feature[node]] = np.nextafter(value, np.float32(np.inf))
            row += 2
    return features


@every_model
def test_the_graph_predicts_what_the_native_model_predicts(kind: str, name: str) -> None:
    native, data = fitted(kind, name)
    graph = to_onnx(kind, native, data.train.shape[1], data.classes)
    rows = np.concatenate([data.train, _on_the_splits(kind, native, data.fresh)])
    expected = native_prediction(kind, native, rows, data.classes)
    assert onnx_parity(graph, rows, expected) < TOLERANCE / 10


@every_model
def test_what_was_saved_predicts_the_same_when_loaded(kind: str, name: str, tmp_path: Path) -> None:
    native, data = fitted(kind, name)
    save_native(kind, native, tmp_path)
    loaded = load_native(kind, tmp_path, build=_rebuild)
    before, after = (native_prediction(kind, model, data.fresh, data.classes) for model in (native, loaded))
    assert np.array_equal(before, after)


def _rebuild(config):
    from mldesk.training.estimators.network import build

    return build(config)


@every_model
def test_a_graph_is_valid_onnx_of_the_pinned_versions_without_external_data(kind: str, name: str) -> None:
    import onnx

    native, data = fitted(kind, name)
    model = onnx.load_from_string(to_onnx(kind, native, data.train.shape[1], data.classes))
    onnx.checker.check_model(model, full_check=True)
    assert {(item.domain, item.version) for item in model.opset_import} <= {("", 17), ("ai.onnx.ml", 3)}
    assert [item.name for item in model.graph.input] == ["features"]
    assert [item.name for item in model.graph.output] == ["prediction" if data.classes is None else "probabilities"]


@pytest.mark.parametrize("rows", [1, 2])
def test_a_graph_takes_any_number_of_rows(rows: int) -> None:
    for kind in KINDS:
        native, data = fitted(kind, "binary")
        some = data.fresh[:rows]
        expected = native_prediction(kind, native, some, 2)
        assert onnx_parity(to_onnx(kind, native, some.shape[1], 2), some, expected) < TOLERANCE


def test_a_target_far_from_zero_keeps_its_last_digits() -> None:
    from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor

    data = case("regression")
    target = data.target + 5e8  # float32 sums would be off by tens
    for kind, model in [("random_forest", RandomForestRegressor(20, random_state=0)),
                        ("hist_gradient_boosting", HistGradientBoostingRegressor(max_iter=30))]:
        model.fit(data.train, target)
        graph = to_onnx(kind, model, data.train.shape[1], None)
        assert onnx_parity(graph, data.fresh, model.predict(data.fresh)) < 1e-7


def test_missing_values_go_where_lightgbm_sends_them_even_if_training_saw_none() -> None:
    import lightgbm

    data = case("binary")
    whole = np.nan_to_num(data.train) - 3  # zero lies inside the range, and NaN counts as zero here
    booster = lightgbm.train({"objective": "binary", "verbosity": -1, "num_threads": 2},
                             lightgbm.Dataset(whole, data.target), num_boost_round=20)
    rows = data.fresh - 3
    assert np.isnan(rows).any()
    graph = to_onnx("lightgbm", booster, rows.shape[1], 2)
    assert onnx_parity(graph, rows, native_prediction("lightgbm", booster, rows, 2)) < TOLERANCE / 10


def test_an_early_stopped_booster_is_saved_and_exported_up_to_its_best_round(tmp_path: Path) -> None:
    import lightgbm

    data = case("binary")
    half = len(data.train) // 2
    train = lightgbm.Dataset(data.train[:half], data.target[:half])
    booster = lightgbm.train(
        {"objective": "binary", "verbosity": -1, "learning_rate": 0.5, "num_threads": 2}, train, num_boost_round=200,
        keep_training_booster=True,
        valid_sets=[lightgbm.Dataset(data.train[half:], data.target[half:], reference=train)],
        callbacks=[lightgbm.early_stopping(5, verbose=False)])
    assert booster.best_iteration < booster.current_iteration()
    expected = native_prediction("lightgbm", booster, data.fresh, 2)
    assert onnx_parity(to_onnx("lightgbm", booster, data.fresh.shape[1], 2), data.fresh, expected) < TOLERANCE / 10
    save_native("lightgbm", booster, tmp_path)
    assert np.array_equal(native_prediction("lightgbm", load_native("lightgbm", tmp_path), data.fresh, 2), expected)


def test_a_model_that_never_splits_is_exported() -> None:
    import lightgbm
    from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier

    flat = np.zeros((40, 2), np.float32)
    target = np.arange(40) % 2
    booster = lightgbm.train({"objective": "binary", "verbosity": -1, "num_threads": 1},
                             lightgbm.Dataset(flat, target), num_boost_round=3)
    models = [("lightgbm", booster, 2), ("random_forest", RandomForestClassifier(3).fit(flat, target), 2),
              ("hist_gradient_boosting", HistGradientBoostingRegressor(max_iter=3).fit(flat, target), None)]
    for kind, model, classes in models:
        expected = native_prediction(kind, model, flat, classes)
        assert onnx_parity(to_onnx(kind, model, 2, classes), flat, expected) < TOLERANCE


def test_a_model_without_an_exact_counterpart_is_refused_with_the_reason() -> None:
    import lightgbm
    from sklearn.ensemble import HistGradientBoostingClassifier

    data = case("binary")
    codes = np.nan_to_num(data.train[:, [1, 3]])
    whole = lightgbm.Dataset(codes, data.target, categorical_feature=[0, 1], free_raw_data=False)
    booster = lightgbm.train({"objective": "binary", "verbosity": -1, "min_data_per_group": 5, "num_threads": 1},
                             whole, num_boost_round=3)
    with pytest.raises(WorkFailed, match="categories as sets"):
        to_onnx("lightgbm", booster, 2, 2)
    forest = HistGradientBoostingClassifier(max_iter=3, categorical_features=[0, 1]).fit(codes % 8, data.target)
    with pytest.raises(WorkFailed, match="categories as sets"):
        to_onnx("hist_gradient_boosting", forest, 2, 2)
    with pytest.raises(WorkFailed, match="2 outputs; 3 were expected"):
        to_onnx("hist_gradient_boosting", fitted("hist_gradient_boosting", "binary")[0], 14, 3)
    with pytest.raises(WorkFailed, match="'prophet'"):
        to_onnx("prophet", None, 2, 2)


def test_deviation_is_relative_above_one_and_infinite_for_another_shape_or_gap() -> None:
    assert deviation([1e6 + 1.0], [1e6]) == pytest.approx(1e-6)
    assert deviation([[0.5], [0.25]], [0.5, 0.25]) == 0
    assert deviation([0.5], [0.5, 0.5]) == float("inf")
    assert deviation([np.nan, 1.0], [np.nan, 1.0]) == 0
    assert deviation([np.nan, 1.0], [2.0, 1.0]) == float("inf")


def test_a_skops_file_that_names_a_type_off_the_list_is_not_loaded(tmp_path: Path) -> None:
    native, _ = fitted("linear", "binary")
    save_native("linear", native, tmp_path)
    file = tmp_path / "model.skops"
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    schema = json.loads(parts["schema.json"])
    schema["content"]["content"]["evil"] = {
        "__class__": "system", "__module__": "posix", "__loader__": "FunctionNode", "__id__": 1}
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in {**parts, "schema.json": json.dumps(schema).encode()}.items():
            archive.writestr(name, data)
    with pytest.raises(BadInput, match="FunctionNode"):
        load_native("linear", tmp_path)


def test_the_schema_check_sees_through_every_disguise() -> None:
    plain = {"__class__": "dict", "__module__": "builtins", "__loader__": "DictNode", "content": {}}
    assert untrusted(plain) is None
    for change in ({"__loader__": "ReduceNode"}, {"__class__": "eval"}, {"__module__": None},
                   {"content": [{"x": {"__class__": "Popen", "__module__": "subprocess"}}]}):
        assert untrusted({**plain, **change})
    generator = {"__class__": "Generator", "__module__": "numpy.random._generator",
                 "__loader__": "RandomGeneratorNode", "content": {"bit_generator": {"content": {
                     "bit_generator": {"content": '"seed"'}}}}}
    assert untrusted(generator) == "an unknown random generator"


def test_a_kind_nobody_knows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        save_native("prophet", None, tmp_path / "a")
    with pytest.raises(BadInput):
        load_native("prophet", tmp_path)


@pytest.mark.parametrize("by_distance", [True, False])
def test_neighbours_at_the_same_distance_are_the_same_everywhere(by_distance: bool) -> None:
    from mldesk.training.estimators.neighbors import Neighbors

    draw = np.random.default_rng(0)
    rows = draw.integers(0, 2, (400, 9)).astype(np.float32)   # hardly anything but ties
    native = {"x": rows, "targets": np.eye(3)[draw.integers(0, 3, 400)], "by_distance": by_distance, "neighbors": 7}
    expected = Neighbors().predict(native, rows, 3)
    assert onnx_parity(to_onnx("neighbors", native, 9, 3), rows, expected) < TOLERANCE / 10
