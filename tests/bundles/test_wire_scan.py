"""The graph scan sees what protobuf would see, and is not led astray by fields it would overlook."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from mldesk.bundles.wire_scan import check_graph
from mldesk.core.errors import BadBundle
from mldesk.training.export.packed import field, integers, strings, varints
from tests.bundles.making import parts_of


@pytest.fixture
def graph(bundle: Path) -> bytes:
    return parts_of(bundle)["model.onnx"]


def test_a_second_operator_name_that_protobuf_overlooks_does_not_hide_the_first(graph: bytes) -> None:
    """A field of the wrong wire type is unknown to protobuf: the operator stays the one before it."""
    fixed64 = varints(np.array([4 << 3 | 1])) + b"Identity"
    node = field(4, b"Loop") + fixed64
    assert onnx.NodeProto.FromString(node).op_type == "Loop"
    with pytest.raises(BadBundle, match="not an ONNX model"):
        check_graph(_with_node(graph, node))


def _with_node(graph: bytes, node: bytes) -> bytes:
    """Return the model with one more serialized node."""
    model = onnx.load_from_string(graph)
    inner = model.graph.SerializeToString()
    model.ClearField("graph")
    return model.SerializeToString() + field(7, inner + field(1, node))


def test_the_last_operator_name_counts_as_it_does_for_protobuf(graph: bytes) -> None:
    with pytest.raises(BadBundle, match="'Loop'"):
        check_graph(_with_node(graph, field(4, b"Identity") + field(4, b"Loop")))


def test_a_second_graph_is_refused_for_protobuf_would_merge_the_two(graph: bytes) -> None:
    model = onnx.load_from_string(graph)
    with pytest.raises(BadBundle, match="not an ONNX model"):
        check_graph(graph + field(7, model.graph.SerializeToString()))


@pytest.mark.parametrize("data", [
    b"", b"\x00", b"\x3a", b"\x3a\xff\xff\xff\xff\x7f", b"\x3b\x3c", b"\x08" + b"\xff" * 11, b"\x3a\x02\x0a\x7f",
    b"\x38\x01", b"\x3d\x01\x02\x03\x04"])
def test_bytes_that_are_no_model(data: bytes) -> None:
    with pytest.raises(BadBundle, match="not an ONNX model"):
        check_graph(data)


def test_a_model_of_millions_of_nodes_is_looked_through_at_once() -> None:
    """Written number by number, as other programs do: were each looked at by itself, there would be too many parts."""
    node = helper.make_node("TreeEnsembleRegressor", ["features"], ["prediction"], domain="ai.onnx.ml")
    node.attribute.append(helper.make_attribute("nodes_featureids", [300] * 1_000_000))
    node.attribute.append(helper.make_attribute("nodes_values", [0.5] * 1_000_000))
    node.attribute.append(helper.make_attribute("nodes_modes", ["BRANCH_LEQ", "LEAF"] * 500_000))
    model = helper.make_model(helper.make_graph([node], "g", [], []))
    check_graph(model.SerializeToString())


def test_parts_without_end_are_refused(monkeypatch: pytest.MonkeyPatch, graph: bytes) -> None:
    monkeypatch.setattr("mldesk.bundles.wire_scan._MAX_FIELDS", 10)
    with pytest.raises(BadBundle, match="too many parts"):
        check_graph(graph)


def test_packed_attributes_are_what_protobuf_reads() -> None:
    values = np.array([0, 1, 127, 128, 16_383, 16_384, 2**31, 2**62])
    node = onnx.NodeProto.FromString(integers("numbers", values) + strings("words", [b"a", b"bc", b"a"]))
    assert list(node.attribute[0].ints) == values.tolist()
    assert list(node.attribute[1].strings) == [b"a", b"bc", b"a"]
    assert [item.name for item in node.attribute] == ["numbers", "words"]
    assert onnx.NodeProto.FromString(integers("none", np.array([], int))).attribute[0].ints == []
