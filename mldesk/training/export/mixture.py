"""One graph that holds several and gives the weighted mean of what they give."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from onnx import GraphProto, ModelProto, TensorProto, compose, helper, load_from_string, numpy_helper

from mldesk.core.errors import WorkFailed
from mldesk.training.export.graph import INPUT, IR_VERSION, LARGEST, OPSET, OPSET_ML, PREDICTION, PROBABILITIES


def mix(graphs: Sequence[tuple[bytes, int, int, float]], n_features: int, n_classes: int | None) -> bytes:
    """Return the graph of sum(weight * member(features[:, start:stop])).

    ``graphs``: (the member's own graph as ``to_onnx`` gives it, start, stop, weight). Raises WorkFailed for a mixture
    that is too large for a file of this kind.
    """
    result, width = (PREDICTION, 1) if n_classes is None else (PROBABILITIES, n_classes)
    whole = GraphProto(name="mldesk")
    parts = []
    for number, (data, start, stop, weight) in enumerate(graphs):
        member = compose.add_prefix(load_from_string(data), f"m{number}/").graph
        whole.initializer.extend([
            numpy_helper.from_array(np.arange(start, stop), f"mix{number}/columns"),
            numpy_helper.from_array(np.array(weight), f"mix{number}/weight"), *member.initializer])
        whole.node.extend([
            helper.make_node("Gather", [INPUT, f"mix{number}/columns"], [member.input[0].name], axis=1), *member.node,
            helper.make_node("Cast", [member.output[0].name], [f"mix{number}/wide"], to=TensorProto.DOUBLE),
            helper.make_node("Reshape", [f"mix{number}/wide", "shape"], [f"mix{number}/shaped"]),
            helper.make_node("Mul", [f"mix{number}/shaped", f"mix{number}/weight"], [f"mix{number}/weighed"])])
        parts.append(f"mix{number}/weighed")
    whole.initializer.append(numpy_helper.from_array(np.array([-1, width], np.int64), "shape"))
    whole.node.extend([helper.make_node("Sum", parts, ["mean"]),
                       helper.make_node("Cast", ["mean"], [result], to=TensorProto.FLOAT)])
    whole.input.append(helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["N", n_features]))
    whole.output.append(helper.make_tensor_value_info(result, TensorProto.FLOAT, ["N", width]))
    model = ModelProto(producer_name="mldesk", ir_version=IR_VERSION, graph=whole, opset_import=[
        helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", OPSET_ML)])
    if model.ByteSize() > LARGEST:
        raise WorkFailed("This blend is too large for a portable file.", hint="Search with fewer or smaller models.")
    return bytes(model.SerializeToString())
