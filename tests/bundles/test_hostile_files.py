"""Files in a bundle that are not what their names say, and graphs that want more than arithmetic."""

from __future__ import annotations

import io
import json
import pickle  # noqa: TID251 - to build what must be refused
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from mldesk.bundles import import_bundle, verify
from mldesk.bundles.contents import check_content
from mldesk.bundles.names import check_name
from mldesk.core import canonical
from mldesk.core.errors import BadBundle
from mldesk.wire.objects import ObjectStore
from tests.bundles.making import packed
from tests.bundles.spoiling import Parts, refused, resigned


class _Evil:
    def __reduce__(self) -> tuple:
        return print, ("opened",)


def _npy(array: np.ndarray, allow_pickle: bool = False) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=allow_pickle)
    return file.getvalue()


def _skops(parts: Parts, change: Callable[[dict[str, Any]], object] | None = None, **more: bytes) -> bytes:
    """Return the bundle's skops file with its schema changed and files added."""
    with zipfile.ZipFile(io.BytesIO(parts["native/model.skops"])) as archive:
        inner = {name: archive.read(name) for name in archive.namelist()}
    schema = json.loads(inner["schema.json"])
    if change is not None:
        change(schema)
    inner |= {"schema.json": json.dumps(schema).encode()} | {
        name.replace("_DOT_", ".").lstrip("_"): data for name, data in more.items()}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in inner.items():
            archive.writestr(name, data)
    return file.getvalue()


@pytest.mark.parametrize("name", ["native__model_DOT_txt", "native__config_DOT_json", "native__model_DOT_skops",
                                  "native__weights_DOT_safetensors", "notes_DOT_md", "model_DOT_onnx"])
@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_a_pickle_under_a_harmless_name_is_refused(name: str, protocol: int, parts: Parts, tmp_path: Path) -> None:
    spoilt = resigned(parts, **{name: pickle.dumps(_Evil(), protocol)})
    refused(packed(tmp_path / "bad.mlbundle", spoilt), "is a Python pickle")


@pytest.mark.parametrize("name", ["native__config_DOT_json", "native__model_DOT_skops",
                                  "native__weights_DOT_safetensors", "model_DOT_onnx"])
def test_an_old_pickle_is_not_what_its_name_says(name: str, parts: Parts, tmp_path: Path) -> None:
    spoilt = resigned(parts, **{name: pickle.dumps(_Evil(), 0)})
    refused(packed(tmp_path / "bad.mlbundle", spoilt), "not JSON|not a skops|not a safetensors|not an ONNX")


def test_a_skops_file_with_a_type_off_the_list_is_refused(parts: Parts, tmp_path: Path) -> None:
    for number, (node, reason) in enumerate([
            ({"__class__": "system", "__module__": "posix", "__loader__": "FunctionNode"}, "FunctionNode"),
            ({"__class__": "Popen", "__module__": "subprocess", "__loader__": "ObjectNode"}, "subprocess.Popen"),
            ({"__class__": "partial", "__module__": "functools", "__loader__": "PartialNode"}, "PartialNode"),
            ({"__class__": "str", "__module__": "builtins", "__loader__": "MethodNode"}, "MethodNode")]):
        data = _skops(parts, lambda schema, node=node: schema["content"]["content"].update(evil=node))
        path = packed(tmp_path / f"bad{number}.mlbundle", resigned(parts, native__model_DOT_skops=data))
        refused(path, reason)


def test_a_skops_file_with_pickled_objects_or_strangers_inside_is_refused(parts: Parts, tmp_path: Path) -> None:
    objects = _npy(np.array([_Evil()], object), allow_pickle=True)
    records = _npy(np.array([(1, None)], [("a", int), ("b", object)]), allow_pickle=True)
    for number, (more, reason) in enumerate([
            ({"_9_DOT_npy": objects}, "array of Python objects"), ({"_9_DOT_npy": records}, "array of Python objects"),
            ({"_9_DOT_npy": b"\x93NUMPY\1\0\xff\xff" + b" " * 9999}, "array of Python objects"),
            ({"_9_DOT_npy": pickle.dumps(1)}, "not an array"), ({"evil_DOT_py": b""}, "no part of a skops file"),
            ({"_9_DOT_bin": b""}, "no part of a skops file")]):
        path = packed(tmp_path / f"bad{number}.mlbundle", resigned(
            parts, native__model_DOT_skops=_skops(parts, None, **more)))
        refused(path, reason)


def test_a_skops_file_that_is_a_bomb_is_refused(parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mldesk.bundles.contents._MAX_UNPACKED", 1000)
    refused(packed(tmp_path / "bad.mlbundle", parts), "too much memory")


def test_a_model_of_catboosts_begins_as_they_do() -> None:
    assert check_name("native/0-model.cbm")
    check_content("native/model.cbm", b"CBM1\x04\0\0\0abcd")
    for data in (b"", b"CBM1", b"CBM1\x05\0\0\0abcd", b"MZ\x90\0\x04\0\0\0abcd"):
        with pytest.raises(BadBundle, match="not a model of CatBoost's"):
            check_content("native/model.cbm", data)


@pytest.mark.parametrize("data", [b"", b"PK\3\4", struct.pack("<Q", 1 << 60) + b"{}", struct.pack("<Q", 2) + b"[]",
                                  struct.pack("<Q", 9) + b"{}"])
def test_safetensors_that_are_none_are_refused(data: bytes, parts: Parts, tmp_path: Path) -> None:
    spoilt = resigned(parts, native__weights_DOT_safetensors=data)
    refused(packed(tmp_path / "bad.mlbundle", spoilt), "not a safetensors file")


@pytest.mark.parametrize(("name", "data", "reason"), [
    ("notes_DOT_md", b"\xff\xfe", "not text"), ("native__model_DOT_txt", b"tree\0", "not text"),
    ("metrics_DOT_json", b"{" * 500, "not JSON"), ("metrics_DOT_json", b"[" * 50 + b"]" * 50, "nested too deep"),
    ("model_DOT_json", b"[]", "not a JSON object"),
])
def test_files_that_are_not_what_their_names_say_are_refused(
        name: str, data: bytes, reason: str, parts: Parts, tmp_path: Path) -> None:
    refused(packed(tmp_path / "bad.mlbundle", resigned(parts, **{name: data})), reason)


def _graph(parts: Parts, change: Callable[[onnx.ModelProto], object]) -> bytes:
    model = onnx.load_from_string(parts["model.onnx"])
    change(model)
    return model.SerializeToString()


def _external(model: onnx.ModelProto, location: str = "../../etc/passwd") -> None:
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)


def _node(operator: str, domain: str = "", **attributes: Any) -> onnx.NodeProto:
    return onnx.helper.make_node(operator, ["raw"], ["more"], domain=domain, **attributes)


@pytest.mark.parametrize(("change", "reason"), [
    (_external, "data outside the file"),
    (lambda m: _external(m, "*/_ORT_MEM_ADDR_/*"), "data outside the file"),
    (lambda m: setattr(m.graph.initializer[0], "data_location", 1), "data outside the file"),
    (lambda m: m.graph.initializer[0].external_data.add(key="location", value="x"), "data outside the file"),
    (lambda m: m.graph.node.append(_node("Constant", value=onnx.TensorProto(data_location=1))), "data outside"),
    (lambda m: m.graph.node.append(_node("Evil", "com.evil")), "'Evil' of 'com.evil', which is not part of ONNX"),
    (lambda m: m.graph.node.append(_node("Inverse", "com.microsoft")), "not part of ONNX"),
    (lambda m: m.opset_import.append(onnx.helper.make_opsetid("com.microsoft", 1)), "asks for operators of"),
    (lambda m: m.graph.node.append(_node("Loop")), "'Loop', which bundles may not use"),
    (lambda m: m.graph.node.append(_node("StringNormalizer")), "which bundles may not use"),
    (lambda m: m.graph.node.append(_node("ConstantOfShape")), "which bundles may not use"),
    (lambda m: m.graph.node.append(_node("If", then_branch=onnx.GraphProto())), "a graph within an operator"),
    (lambda m: m.graph.sparse_initializer.add(), "sparse tensors"),
    (lambda m: m.functions.add(name="f"), "functions of its own"),
    (lambda m: m.training_info.add(), "training information"),
    (lambda m: m.ClearField("graph"), "not an ONNX model"),
])
def test_a_graph_that_reaches_for_more_than_arithmetic_is_refused(
        change: Callable, reason: str, parts: Parts, tmp_path: Path) -> None:
    spoilt = resigned(parts, model_DOT_onnx=_graph(parts, change))
    refused(packed(tmp_path / "bad.mlbundle", spoilt), reason)


def _import_refused(path: Path, reason: str) -> None:
    """For what only trying shows: every file is what it says, but they make no model."""
    verify(path)
    with pytest.raises(BadBundle, match=reason) as caught:
        import_bundle(path, ObjectStore(path.parent / "store"))
    assert "\n" not in str(caught.value)
    assert list(ObjectStore(path.parent / "store").digests()) == []


@pytest.mark.parametrize(("change", "reason"), [
    (lambda m: setattr(m.graph.input[0], "name", "other"), "cannot be opened|does not take"),
    (lambda m: m.graph.node.pop(), "cannot be opened"),
    (lambda m: m.graph.initializer.pop(), "cannot be opened"),
    (lambda m: setattr(m, "ir_version", 999), "cannot be opened"),
    (lambda m: setattr(m.graph.input[0].type.tensor_type.shape.dim[1], "dim_value", 3), "cannot be|numbers a row"),
])
def test_a_graph_that_does_not_work_is_refused(change: Callable, reason: str, parts: Parts, tmp_path: Path) -> None:
    spoilt = resigned(parts, model_DOT_onnx=_graph(parts, change))
    _import_refused(packed(tmp_path / "bad.mlbundle", spoilt), reason)


def test_a_model_that_does_not_give_the_predictions_it_claims_is_refused(parts: Parts, tmp_path: Path) -> None:
    expected = json.loads(parts["expected.json"])
    expected["probability_<=50K"][0] += 0.01
    spoilt = resigned(parts, expected_DOT_json=canonical.dumps(expected))
    _import_refused(packed(tmp_path / "bad.mlbundle", spoilt), "does not give the predictions")


@pytest.mark.parametrize(("name", "value", "reason"), [
    ("expected_DOT_json", {}, "cannot predict its own sample"),
    ("expected_DOT_json", {"prediction": ["<=50K"]}, "cannot predict its own sample"),
    ("sample_input_DOT_json", [], "cannot predict its own sample"),
    ("sample_input_DOT_json", {"a": 1}, "cannot predict its own sample"),
    ("sample_input_DOT_json", [{"age": "old"}], "cannot predict its own sample"),
    ("preprocessing_DOT_json", {"format": 9}, "preprocessing.json cannot be used"),
    ("preprocessing_DOT_json", {"format": 1, "style": "dense", "left_out": {}, "columns": [{"name": 1}]}, "cannot be"),
])
def test_parts_that_do_not_make_a_model_are_refused(
        name: str, value: object, reason: str, parts: Parts, tmp_path: Path) -> None:
    spoilt = resigned(parts, **{name: canonical.dumps(value)})
    _import_refused(packed(tmp_path / "bad.mlbundle", spoilt), reason)


@pytest.mark.parametrize(("change", "reason"), [
    ({"format": 2}, "which this MLDesk does not know"),
    ({"task": "tabular_sorcery"}, "which this MLDesk does not know"),
    ({"classes": [1, 2, 3]}, "does not describe a model"),
    ({"classes": [["a"], ["b"]]}, "does not describe a model"),
    ({"outputs": [{"name": "prediction"}]}, "does not describe a model"),
    ({"outputs": 7}, "does not describe a model"),
])
def test_a_model_description_that_is_none_is_refused(change: dict, reason: str, parts: Parts, tmp_path: Path) -> None:
    model = json.loads(parts["model.json"]) | change
    told = {key: value for key, value in change.items() if key in ("task", "classes")}
    spoilt = resigned(parts, lambda manifest: manifest.update(told), model_DOT_json=canonical.dumps(model))
    _import_refused(packed(tmp_path / "bad.mlbundle", spoilt), reason)
