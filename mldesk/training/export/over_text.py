"""Graphs with a text encoder in front: numbers of pieces become what the encoder makes of them, then the model's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, compose, helper, load_from_string, numpy_helper

from mldesk.core.errors import WorkFailed
from mldesk.training.export.bert import Bert
from mldesk.training.export.graph import INPUT, IR_VERSION, LARGEST, OPSET, OPSET_ML

if TYPE_CHECKING:
    from mldesk.training.over_text import OverText
    from mldesk.training.text_encoder import TextEncoder


def encoder_graph(encoder: TextEncoder) -> bytes:
    """Return the graph of an encoder alone: (N, length) float32 to (N, size). Raises KeyError for missing weights."""
    bert = _bert(encoder)
    answer = bert.read(INPUT)
    return _whole([*bert.nodes, helper.make_node("Identity", [answer], ["embedding"])], bert.constants,
                  encoder.pieces.length, "embedding", encoder.size)


def behind_encoder(graph: bytes, over: OverText) -> bytes:
    """Return the graph of a model that takes what ``over`` makes of a row. Raises WorkFailed if it is too large."""
    bert = _bert(over.encoder)
    inner: GraphProto = compose.add_prefix(load_from_string(graph), "model/").graph
    constants: dict[str, Any] = {"rest": np.array(over.rest, np.int64), "over/mean": over.mean,
                                 "over/scale": over.scale}
    nodes: list[NodeProto] = [helper.make_node("Gather", [INPUT, "rest"], ["others"], axis=1)]
    parts = ["others"]
    for number, (start, stop) in enumerate(over.slots):
        constants[f"slot{number}"] = np.arange(start, stop)
        before = len(bert.nodes)
        answer = bert.read(f"tokens{number}")
        nodes += [helper.make_node("Gather", [INPUT, f"slot{number}"], [f"tokens{number}"], axis=1),
                  *bert.nodes[before:], helper.make_node("Sub", [answer, "over/mean"], [f"centred{number}"]),
                  helper.make_node("Div", [f"centred{number}", "over/scale"], [f"embedded{number}"])]
        parts.append(f"embedded{number}")
    nodes.append(helper.make_node("Concat", parts, [inner.input[0].name], axis=1))
    output = inner.output[0]
    nodes += [*inner.node, helper.make_node("Identity", [output.name], [output.name.removeprefix("model/")])]
    width = output.type.tensor_type.shape.dim[1].dim_value
    return _whole(nodes, {**bert.constants, **constants}, over.width, output.name.removeprefix("model/"), width,
                  inner.initializer)


def _bert(encoder: TextEncoder) -> Bert:
    pieces = encoder.pieces
    return Bert(encoder.config, encoder.weights, pieces.length, pieces.words.index(pieces.empty))


def _whole(nodes: Sequence[NodeProto], constants: dict[str, Any], n_features: int, result: str, width: int,
           more: Sequence[TensorProto] = ()) -> bytes:
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
