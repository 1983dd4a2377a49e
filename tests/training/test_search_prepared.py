"""Steps of a recipe in a search: learnt of each fold by itself, from the rows that are fitted on and no others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mldesk.bundles.predictor import Predictor
from mldesk.core import canonical
from mldesk.core.ids import new_id
from mldesk.training import preparing_fit
from mldesk.training.estimators.base import Part
from mldesk.training.features import FeatureEncoder
from mldesk.training.search.row_files import load_rows, save_rows
from mldesk.training.search.rows import LEFT_OUT, OwnRows, Rows
from mldesk.training.search.variants import Variants
from mldesk.wire.jobs import JobSpec, Resources, SearchRequest, TrainRequest
from tests.training.jobs import of, put_table, result, run_here
from tests.training.tables import mixed

STEPS: tuple[dict[str, Any], ...] = (
    {"step": "fill_missing", "columns": ["size"], "with": "knn", "neighbours": 2, "using": ["weight"]},
    {"step": "clip", "columns": ["weight"], "by": "shares", "low": 0.05, "high": 0.95},
    {"step": "encode_target", "columns": ["Farbe 色"], "target": "y"}, {"step": "rebalance", "column": "y"},
    {"step": "reduce", "columns": ["size", "weight"], "into": "pc", "components": 2})


@pytest.mark.parametrize(("folds", "refit"), [(3, False), (1, False), (3, True)])
def test_no_step_of_a_search_learns_from_a_row_it_is_judged_by(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folds: int, refit: bool) -> None:
    table = put_table(tmp_path, mixed(150, "two"))
    request = SearchRequest(TrainRequest(table.manifest, "test@1", tuple(
        column.to_json() for column in table.columns), "y", prepare=STEPS), trials=2, folds=folds, refit=refit,
        estimators=("linear",) if refit else ("linear", "decision_tree"))
    spec = JobSpec(new_id(), "search", "test", (table.manifest,), request.to_json(), Resources("cpu", 2))
    folder = tmp_path / "jobs" / spec.id
    folder.mkdir(parents=True)
    (folder / "spec.json").write_bytes(canonical.dumps(spec.to_json()))
    learnt_from: list[set[float]] = []
    encoded: list[set[float]] = []
    learn, encode = preparing_fit.fit_steps, FeatureEncoder.fit.__func__   # type: ignore[attr-defined]

    def learning(steps: Any, columns: Any, schema: Any, truth: Any) -> Any:
        learnt_from.append({*columns["id"].tolist()})
        assert len(truth.y) == len(columns["id"])
        return learn(steps, columns, schema, truth)

    def encoding(kind: Any, columns: Any, *args: Any, **more: Any) -> Any:
        encoded.append({*columns["id"].tolist()})
        return encode(kind, columns, *args, **more)

    monkeypatch.setattr(preparing_fit, "fit_steps", learning)
    monkeypatch.setattr(FeatureEncoder, "fit", classmethod(encoding))
    said = run_here(folder, table)
    drawn = [point["step"] for point in of("metrics", said) if "refit_loss" in point["values"]]
    assert (len(drawn) > 1) is refit and drawn == sorted(drawn)   # the second fit has a curve of its own
    done = result(said)
    judged_by = np.frombuffer(table.store.read(str(done["judged_by"])), np.uint8)
    number, known = np.arange(1, 151), judged_by != LEFT_OUT
    assert 20 < (~known).sum() < 40   # the test rows
    assert len(learnt_from) == folds
    for fold, rows in enumerate(learnt_from):
        assert rows == {*number[known & (judged_by != fold)].astype(float).tolist()}
        for style in range(3):
            assert encoded[1 + 3 * fold + style] <= rows
    predictor, manifest = Predictor.from_manifest(done["model"], table.store), table.store.manifest(done["model"])
    given, expected, model = (json.loads(table.store.read(manifest.entry(name).sha256))
                              for name in ("sample_input.json", "expected.json", "model.json"))
    assert model["onnx"]["verified"], model["onnx"]
    said = predictor.predict({name: [row[name] for row in given] for name in given[0]})
    assert list(said["prediction"]) == expected["prediction"]
    assert {part["style"] for part in json.loads(table.store.read(
        manifest.entry("preprocessing.json").sha256))["parts"]} == {"prepared"}


def test_the_rows_of_each_fold_are_the_same_in_other_processes(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    y, x = draw.integers(0, 2, 6), draw.normal(size=(6, 2)).astype(np.float32)
    folds = [(np.array([0, 1, 2]), np.array([3, 4, 5])), (np.array([3, 4, 5]), np.array([0, 1, 2]))]
    own = [OwnRows(Part(x[fit_on][[0, 0, 1, 2]], y[fit_on][[0, 0, 1, 2]]), Part(x[judge] + 1, y[judge]), ((1, 3),))
           for fit_on, judge in folds]
    part = {"dense": Part(x, y)}
    rows = Rows(part, {"dense": ()}, 2, folds, variants=Variants({}, part, {}), own={"trees": own})  # type: ignore[arg-type]
    save_rows(rows, tmp_path / "rows")
    read = load_rows(tmp_path / "rows")
    assert read.own.keys() == {"trees"}
    for fold in range(2):
        train, judged, categorical = read.fold("trees", fold, read.part("trees", {}))
        wanted = rows.own["trees"][fold]
        for got, want in ((train, wanted.train), (judged, wanted.judged)):
            assert (got.x == want.x).all() and (got.y == want.y).all() and got.x.flags.writeable
        assert categorical == ((1, 3),)
