"""ONNX graphs written by hand: one input ``features`` float32 (N, F), one output, nothing outside the file.

Inside, numbers are float64 wherever the native model's are; the output is rounded to float32 once, at the end.
Opsets are pinned to what onnxruntime has understood for years, so that old readers open new bundles.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from mldesk.core.errors import WorkFailed
from mldesk.training.export import packed
from mldesk.training.export.trees import Ensemble, Tree

OPSET, OPSET_ML, IR_VERSION = 17, 3, 8
INPUT, PROBABILITIES, PREDICTION = "features", "probabilities", "prediction"
LARGEST = 2_000_000_000  # bytes; protobuf ends at 2 GiB
_GRAPH_NODE, _MODEL_GRAPH = 1, 7  # onnx.proto: fields of GraphProto and ModelProto


def linear(coefficients: npt.ArrayLike, intercept: npt.ArrayLike, link: str, n_features: int) -> bytes:
    """Return the graph of link(features @ coefficients.T + intercept); coefficients are (outputs, F)."""
    weights = np.atleast_2d(np.asarray(coefficients, np.float64)).T
    offset = np.broadcast_to(np.asarray(intercept, np.float64).reshape(-1), weights.shape[1:])
    nodes = [
        helper.make_node("Cast", [INPUT], ["x"], to=TensorProto.DOUBLE),
        helper.make_node("MatMul", ["x", "weights"], ["product"]),
        helper.make_node("Add", ["product", "offset"], ["raw"]),
    ]
    constants = {"weights": weights, "offset": offset.copy()}
    return close(nodes, constants, link, TensorProto.DOUBLE, n_features, weights.shape[1])


def ensemble(trees: Ensemble, n_features: int) -> bytes:
    """Return the graph of a tree ensemble. Raises WorkFailed for one that is too large for a file of this kind."""
    cast = helper.make_node("Cast", [INPUT], ["x"], to=TensorProto.DOUBLE)
    node = _ensemble_node(trees, "x", "raw")
    return close([cast], {}, trees.link, TensorProto.FLOAT, n_features, len(trees.base), first=node)


def _ensemble_node(model: Ensemble, source: str, result: str) -> bytes:
    """Return one TreeEnsembleRegressor with float64 thresholds and weights (the ``…_as_tensor`` attributes)."""
    trees = model.trees
    sizes = [len(tree.left) for tree in trees]
    leaf = _joined(trees, lambda tree: tree.left < 0)
    node = helper.make_node("TreeEnsembleRegressor", [source], [result], domain="ai.onnx.ml",
                            n_targets=len(model.base), aggregate_function="SUM", post_transform="NONE")
    doubles = {
        "nodes_values_as_tensor": np.where(leaf, 0.0, _joined(trees, lambda tree: tree.threshold)),
        "target_weights_as_tensor": _joined(trees, lambda tree: tree.weight),
        "base_values_as_tensor": model.base,
    }
    for name, numbers in doubles.items():
        tensor = numpy_helper.from_array(np.ascontiguousarray(numbers, np.float64), name)
        node.attribute.append(helper.make_attribute(name, tensor))
    integers = {
        "nodes_treeids": np.repeat(np.arange(len(trees)), sizes),
        "nodes_nodeids": _joined(trees, lambda tree: np.arange(len(tree.left))),
        "nodes_featureids": np.where(leaf, 0, _joined(trees, lambda tree: tree.feature)),
        "nodes_truenodeids": np.where(leaf, 0, _joined(trees, lambda tree: tree.left)),
        "nodes_falsenodeids": np.where(leaf, 0, _joined(trees, lambda tree: tree.right)),
        "nodes_missing_value_tracks_true": np.where(leaf, 0, _joined(trees, lambda tree: tree.nan_left)),
        "target_treeids": np.repeat(np.arange(len(trees)), [len(tree.weight) for tree in trees]),
        "target_nodeids": _joined(trees, lambda tree: tree.weight_node),
        "target_ids": _joined(trees, lambda tree: tree.weight_target),
    }
    # Fields of a message may follow one another in any order: more attributes are simply more bytes.
    return b"".join([
        node.SerializeToString(),
        *(packed.integers(name, values) for name, values in integers.items()),
        packed.strings("nodes_modes", (b"LEAF" if is_leaf else b"BRANCH_LEQ" for is_leaf in leaf.tolist()))])


def _joined(trees: Sequence[Tree], part: Any) -> npt.NDArray[Any]:
    return np.concatenate([part(tree) for tree in trees])


def close(nodes: list[NodeProto], constants: dict[str, npt.NDArray[Any]], link: str, element: int, n_features: int,
          outputs: int, first: bytes = b"") -> bytes:
    """Add the link behind ``raw`` (of type ``element``, ``outputs`` wide) and close the graph.

    ``first``: a serialized node that comes behind ``nodes`` and before the link.
    """
    classes = {"softmax": outputs, "sigmoid": 2}.get(link)
    result, width = (PREDICTION, 1) if classes is None else (PROBABILITIES, classes)
    if link == "identity" and outputs > 1:  # a forest's shares are probabilities already
        result, width = PROBABILITIES, outputs
    links, more = _link(link, element)
    links.append(helper.make_node("Cast", ["linked"], [result], to=TensorProto.FLOAT))
    before = helper.make_graph(nodes, "mldesk", [], []).SerializeToString()
    after = helper.make_graph(
        links, "mldesk",
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["N", n_features])],
        [helper.make_tensor_value_info(result, TensorProto.FLOAT, ["N", width])],
        [numpy_helper.from_array(value, name) for name, value in {**constants, **more}.items()]).SerializeToString()
    graph = before + (packed.field(_GRAPH_NODE, first) if first else b"") + after
    shell = ModelProto(producer_name="mldesk", ir_version=IR_VERSION, opset_import=[
        helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", OPSET_ML)])
    if len(graph) > LARGEST:
        raise WorkFailed("This model is too large for a portable file.", hint="Train fewer or shallower trees.")
    return bytes(shell.SerializeToString() + packed.field(_MODEL_GRAPH, graph))


def _link(link: str, element: int) -> tuple[list[NodeProto], dict[str, npt.NDArray[Any]]]:
    """Return the nodes from ``raw`` to ``linked``, and the constants they use."""
    if link == "identity":
        return [helper.make_node("Identity", ["raw"], ["linked"])], {}
    if link == "exp":
        return [helper.make_node("Exp", ["raw"], ["linked"])], {}
    if link == "softmax":
        return [helper.make_node("Softmax", ["raw"], ["linked"], axis=1)], {}
    one = np.ones(1, helper.tensor_dtype_to_np_dtype(element))
    return [
        helper.make_node("Sigmoid", ["raw"], ["second"]),
        helper.make_node("Sub", ["one", "second"], ["first"]),
        helper.make_node("Concat", ["first", "second"], ["linked"], axis=1),
    ], {"one": one}
