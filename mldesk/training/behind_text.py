"""Graphs with a text encoder in front: numbers of pieces become what the encoder makes of them, then the model's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import GraphProto, NodeProto, compose, helper, load_from_string

from mldesk.training.export.encoder import bert_of, whole_graph
from mldesk.training.export.graph import INPUT

if TYPE_CHECKING:
    from mldesk.training.over_text import OverText


def behind_encoder(graph: bytes, over: OverText) -> bytes:
    """Return the graph of a model that takes what ``over`` makes of a row. Raises WorkFailed if it is too large."""
    encoder = over.encoder
    bert = bert_of(encoder.config, encoder.weights, encoder.pieces)
    inner: GraphProto = compose.add_prefix(load_from_string(graph), "model/").graph
    constants: dict[str, Any] = {"rest": np.array(over.rest, np.int64), "over/mean": over.mean,
                                 "over/scale": over.scale}
    nodes: list[NodeProto] = [helper.make_node("Gather", [INPUT, "rest"], ["others"], axis=1)]
    parts = ["others"]
    for number, (start, stop) in enumerate(over.slots):
        constants[f"slot{number}"] = np.arange(start, stop)
        before = len(bert.nodes)
        answer = bert.answer(f"tokens{number}")
        nodes += [helper.make_node("Gather", [INPUT, f"slot{number}"], [f"tokens{number}"], axis=1),
                  *bert.nodes[before:], helper.make_node("Sub", [answer, "over/mean"], [f"centred{number}"]),
                  helper.make_node("Div", [f"centred{number}", "over/scale"], [f"embedded{number}"])]
        parts.append(f"embedded{number}")
    nodes.append(helper.make_node("Concat", parts, [inner.input[0].name], axis=1))
    output = inner.output[0]
    nodes += [*inner.node, helper.make_node("Identity", [output.name], [output.name.removeprefix("model/")])]
    width = output.type.tensor_type.shape.dim[1].dim_value
    return whole_graph(nodes, {**bert.constants, **constants}, over.width, output.name.removeprefix("model/"), width,
                       inner.initializer)
