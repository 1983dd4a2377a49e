"""The graph of a text encoder alone: numbers of pieces become what the encoder makes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

from mldesk.core.errors import WorkFailed
from mldesk.training.export.bert import Bert, Weights
from mldesk.training.export.graph import INPUT, IR_VERSION, LARGEST, OPSET, OPSET_ML
from mldesk.training.pieces import Pieces


def encoder_graph(config: Mapping[str, Any], weights: Weights, pieces: Pieces) -> bytes:
    """Return the graph of (N, length) float32 to (N, hidden size). Raises KeyError for missing weights."""
    bert = bert_of(config, weights, pieces)
    answer = bert.answer(INPUT)
    return whole_graph([*bert.nodes, helper.make_node("Identity", [answer], ["embedding"])], bert.constants,
                       pieces.length, "embedding", int(config["hidden_size"]))


def bert_of(config: Mapping[str, Any], weights: Weights, pieces: Pieces) -> Bert:
    """Return what writes the encoder's nodes for texts cut into ``pieces``."""
    return Bert(config, weights, pieces.length, pieces.words.index(pieces.empty))


def whole_graph(nodes: Sequence[NodeProto], constants: dict[str, Any], n_features: int, result: str, width: int,
                more: Sequence[TensorProto] = ()) -> bytes:
    """Return the graph of (N, ``n_features``) to (N, ``width``), called ``result``. Raises WorkFailed: too large."""
    graph = GraphProto(name="mldesk")
    graph.node.extend(nodes)
    graph.initializer.extend([*(numpy_helper.from_array(value, name) for name, value in constants.items()), *more])
    graph.input.append(helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["N", n_features]))
    graph.output.append(helper.make_tensor_value_info(result, TensorProto.FLOAT, ["N", width]))
    model = ModelProto(producer_name="mldesk", ir_version=IR_VERSION, graph=graph, opset_import=[
        helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", OPSET_ML)])
    if model.ByteSize() > LARGEST:
        raise WorkFailed("This model and its text encoder are too large for a portable file.",
                         hint="Choose a smaller text encoder.")
    return bytes(model.SerializeToString())
