"""A model leaves the desk, arrives elsewhere, and predicts there what it predicted here."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mldesk.bundles import Predictor, import_bundle, inspect, verify
from mldesk.core.errors import DiskFull, WorkFailed
from mldesk.training.export.parity import TOLERANCE, deviation
from mldesk.wire.objects import ObjectStore
from tests.bundles.making import KEY, TABLES, StoredModel, packed, parts_of, stored_model
from tests.training.export.cases import KINDS

Models = Callable[[str, str], StoredModel]
ELSEWHERE = """
import json, sys
from pathlib import Path
from mldesk.bundles import Predictor
rows = json.loads(Path(sys.argv[2]).read_text("utf-8"))
answer = Predictor.open(Path(sys.argv[1])).predict(rows)
heavy = {"torch", "sklearn", "lightgbm", "pandas", "skops", "onnx", "skl2onnx", "scipy", "pyarrow"} & set(sys.modules)
print(json.dumps({"answer": {name: values.tolist() for name, values in answer.items()}, "heavy": sorted(heavy)}))
"""


def _assert_same(answer: dict, model: StoredModel) -> None:
    assert list(answer) == list(model.expected)
    for name, expected in model.expected.items():
        if name == "prediction" and model.task == "tabular_classification":
            assert list(answer[name]) == expected
        else:
            assert deviation(answer[name], expected) < TOLERANCE, name


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in KINDS for name in TABLES])
def test_a_bundle_of_every_kind_predicts_what_was_predicted_at_training_time(
        kind: str, name: str, models: Models, tmp_path: Path) -> None:
    model = models(kind, name)
    path = model.bundle(tmp_path / "model.mlbundle")
    _assert_same(Predictor.open(path).predict(model.rows), model)
    elsewhere = ObjectStore(tmp_path / "elsewhere")
    digest, facts = import_bundle(path, elsewhere)
    assert facts["estimator"] == kind and facts["signature"]["valid"]
    _assert_same(Predictor.from_manifest(digest, elsewhere).predict(model.rows), model)


@pytest.mark.parametrize("kind", KINDS)
def test_prediction_elsewhere_imports_nothing_of_what_trained_the_model(
        kind: str, models: Models, tmp_path: Path) -> None:
    model = models(kind, "multiclass")
    path = model.bundle(tmp_path / "model.mlbundle")
    (tmp_path / "rows.json").write_text(json.dumps(model.rows), "utf-8")
    done = subprocess.run([sys.executable, "-c", ELSEWHERE, path, tmp_path / "rows.json"],
                          capture_output=True, text=True, check=True)
    result = json.loads(done.stdout)
    assert result["heavy"] == []
    _assert_same({name: np.array(values) for name, values in result["answer"].items()}, model)


def test_the_same_model_makes_the_same_bytes(model: StoredModel, bundle: Path, tmp_path: Path) -> None:
    assert model.bundle(tmp_path / "again.mlbundle").read_bytes() == bundle.read_bytes()


def test_any_zip_program_can_look_into_a_bundle(bundle: Path) -> None:
    with zipfile.ZipFile(bundle) as archive:
        assert archive.testzip() is None
        assert archive.namelist()[:2] == ["manifest.json", "signature.json"]
        assert "MODEL_CARD.md" in archive.namelist()


def test_inspect_tells_what_a_bundle_is_without_reading_the_model(bundle: Path, tmp_path: Path) -> None:
    report = inspect(bundle)
    told = report.to_json()
    assert (told["name"], told["version"], told["format"]) == ("a model", 3, 1)
    assert told["target"] == "income" and told["classes"] == ["<=50K", ">50K"]
    assert {item["path"] for item in told["files"]} >= {"model.onnx", "native/model.skops"}
    assert all(len(item["sha256"]) == 64 and item["size"] > 0 for item in told["files"])
    json.dumps(told)
    spoilt = bytearray(bundle.read_bytes())
    spoilt[spoilt.index(b"native/model.skops") + 40] ^= 1  # in the content: not inspect's business
    (tmp_path / "spoilt.mlbundle").write_bytes(spoilt)
    assert inspect(tmp_path / "spoilt.mlbundle") == report


def test_an_unsigned_bundle_says_so_and_can_be_used(model: StoredModel, tmp_path: Path) -> None:
    path = model.bundle(tmp_path / "plain.mlbundle", key=None)
    assert verify(path, deep=True).signature == {
        "valid": False, "by": None, "known": False, "fingerprint": None, "claims": None, "problem": ""}


def test_a_signer_nobody_knows_is_called_by_the_key_and_a_known_one_by_the_users_own_name(bundle: Path) -> None:
    stranger = inspect(bundle).signature
    assert stranger["valid"] and not stranger["known"]
    assert stranger["by"] == KEY.fingerprint and stranger["claims"] == "A. Tester"
    friend = verify(bundle, known={KEY.fingerprint: "Anna from work"}).signature
    assert friend["known"] and friend["by"] == "Anna from work"


def test_a_model_without_a_graph_is_not_exported_and_nothing_is_left_behind(tmp_path: Path) -> None:
    model = stored_model("linear", "binary", tmp_path, change=lambda folder: (folder / "model.onnx").unlink())
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(WorkFailed, match=r"no model\.onnx"):
        model.bundle(out / "model.mlbundle")
    assert list(out.iterdir()) == []


def test_what_we_would_not_let_in_does_not_leave(tmp_path: Path) -> None:
    model = stored_model("linear", "binary", tmp_path,
                         change=lambda folder: (folder / "native/model.skops").write_bytes(b"\x80\x04."))
    with pytest.raises(WorkFailed, match="pickle"):
        model.bundle(tmp_path / "model.mlbundle")
    assert not (tmp_path / "model.mlbundle").exists()


def test_a_model_without_a_card_gets_a_short_one(tmp_path: Path) -> None:
    model = stored_model("linear", "binary", tmp_path, change=lambda folder: (folder / "MODEL_CARD.md").unlink())
    card = parts_of(model.bundle(tmp_path / "model.mlbundle"))["MODEL_CARD.md"].decode()
    assert "income" in card and "some table@2" in card


def test_a_full_disk_leaves_the_bundle_that_was_there(
        model: StoredModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = model.bundle(tmp_path / "model.mlbundle")
    before = path.read_bytes()

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mldesk.core.durable.os.fsync", full)
    with pytest.raises(DiskFull):
        model.bundle(path, notes="another text")
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_zeros_by_the_million_are_stored_unpacked_rather_than_taken_for_a_bomb(tmp_path: Path) -> None:
    path = packed(tmp_path / "zeros.zip", {"zeros.txt": bytes(5_000_000), "few.txt": bytes(1000), "none.txt": b""})
    assert path.stat().st_size > 5_000_000
    assert parts_of(path) == {"zeros.txt": bytes(5_000_000), "few.txt": bytes(1000), "none.txt": b""}
