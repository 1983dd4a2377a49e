"""Graphs of models that compare rows with what they know: neighbours, support vectors, segments; and of small ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import NodeProto, TensorProto, helper

from mldesk.training.export.graph import INPUT, close

_GRID, _NEAREST = 1e4, 1e-3   # of mldesk.training.estimators, nearest and neighbors
Constants = dict[str, npt.NDArray[Any]]
node = helper.make_node


def neighbors(native: Mapping[str, Any], n_features: int) -> bytes:
    """Return the graph of ``estimators.neighbors``: the mean of what is known of the nearest rows."""
    nodes, constants = _squares(native["x"], native)
    nodes += [
        node("Mul", ["squares", "grid"], ["finer"]),
        node("Round", ["finer"], ["whole"]),
        node("Div", ["whole", "grid"], ["rounded"]),
        node("TopK", ["rounded", "count"], ["nearest", "which"], axis=1, largest=0, sorted=1),
        node("Gather", ["targets", "which"], ["known"], axis=0),                       # (N, k, C)
    ]
    constants |= {"grid": np.array(_GRID), "count": np.array([native["neighbors"]], np.int64),
                  "targets": np.asarray(native["targets"], np.float64)}
    if native["by_distance"]:
        nodes += [
            node("Sqrt", ["nearest"], ["distance"]),
            node("Add", ["distance", "least"], ["more"]),
            node("Reciprocal", ["more"], ["weight"]),
            node("Unsqueeze", ["weight", "last"], ["weights"]),
            node("Mul", ["known", "weights"], ["weighed"]),
            node("ReduceSum", ["weighed", "second"], ["sums"], keepdims=0),
            node("ReduceSum", ["weights", "second"], ["whole_weight"], keepdims=0),
            node("Div", ["sums", "whole_weight"], ["raw"]),
        ]
        constants |= {"least": np.array(_NEAREST), "last": np.array([2], np.int64), "second": np.array([1], np.int64)}
    else:
        nodes += [node("ReduceMean", ["known"], ["raw"], axes=[1], keepdims=0)]
    return close(nodes, constants, "identity", TensorProto.DOUBLE, n_features, native["targets"].shape[1])


def svm(native: Mapping[str, Any], n_features: int) -> bytes:
    """Return the graph of ``estimators.svm``."""
    nodes, constants = _squares(native["vectors"], native)
    nodes += [
        node("Mul", ["squares", "gamma"], ["exponent"]),
        node("Exp", ["exponent"], ["kernel"]),
        node("MatMul", ["kernel", "weights"], ["sums"]),
    ]
    constants |= {"gamma": np.array(-native["gamma"]), "weights": native["weights"], "offset": native["offset"]}
    if "link_weights" not in native:
        nodes += [node("Add", ["sums", "offset"], ["raw"])]
        return close(nodes, constants, "identity", TensorProto.DOUBLE, n_features, 1)
    nodes += [
        node("Add", ["sums", "offset"], ["margins"]),
        node("MatMul", ["margins", "link_weights"], ["linked_sums"]),
        node("Add", ["linked_sums", "link_offset"], ["raw"]),
    ]
    constants |= {"link_weights": native["link_weights"], "link_offset": native["link_offset"]}
    return close(nodes, constants, "softmax", TensorProto.DOUBLE, n_features, len(native["link_offset"]))


def naive_bayes(native: Mapping[str, Any], n_features: int) -> bytes:
    """Return the graph of ``estimators.naive_bayes``."""
    nodes = [
        node("Cast", [INPUT], ["x"], to=TensorProto.DOUBLE),
        node("Mul", ["x", "x"], ["squared"]),
        node("MatMul", ["squared", "squares"], ["first"]),
        node("MatMul", ["x", "slopes"], ["more"]),
        node("Add", ["first", "more"], ["sums"]),
        node("Add", ["sums", "offset"], ["raw"]),
    ]
    constants = {name: np.asarray(native[name], np.float64) for name in ("squares", "slopes", "offset")}
    return close(nodes, constants, "softmax", TensorProto.DOUBLE, n_features, len(constants["offset"]))


def ordinal(native: Mapping[str, Any], n_features: int) -> bytes:
    """Return the graph of ``estimators.ordinal``: chances of being at most each class, taken from one another."""
    classes = len(native["thresholds"]) + 1
    nodes = [
        node("Cast", [INPUT], ["x"], to=TensorProto.DOUBLE),
        node("MatMul", ["x", "weights"], ["place"]),                                   # (N, 1)
        node("Sub", ["thresholds", "place"], ["distance"]),
        node("Sigmoid", ["distance"], ["below"]),
        node("MatMul", ["below", "differences"], ["inner"]),
        node("Add", ["inner", "last"], ["raw"]),
    ]
    constants = {"weights": np.asarray(native["weights"], np.float64)[:, None],
                 "thresholds": np.asarray(native["thresholds"], np.float64)[None],
                 "differences": np.eye(classes - 1, classes) - np.eye(classes - 1, classes, 1),
                 "last": np.eye(1, classes, classes - 1)}
    return close(nodes, constants, "identity", TensorProto.DOUBLE, n_features, classes)


def segments(native: Mapping[str, Any], n_features: int) -> bytes:
    """Return the graph of ``estimators.segments``: every segment's model, of which the nearest one counts."""
    centres, weights = np.asarray(native["centres"], np.float64), np.asarray(native["weights"], np.float64)
    count, outputs = native["offsets"].shape
    nodes = [
        node("Cast", [INPUT], ["x"], to=TensorProto.DOUBLE),
        node("MatMul", ["x", "centres"], ["product"]),
        node("Sub", ["product", "lengths"], ["nearness"]),
        node("ArgMax", ["nearness"], ["place"], axis=1, keepdims=1),                   # (N, 1)
        node("Equal", ["place", "places"], ["here"]),                                  # (N, K)
        node("Cast", ["here"], ["chosen"], to=TensorProto.DOUBLE),
        node("Unsqueeze", ["chosen", "last"], ["counts"]),                             # (N, K, 1)
        node("MatMul", ["x", "weights"], ["sums"]),
        node("Add", ["sums", "offsets"], ["all"]),
        node("Reshape", ["all", "shape"], ["apart"]),                                  # (N, K, O)
        node("Mul", ["apart", "counts"], ["own"]),
        node("ReduceSum", ["own", "middle"], ["raw"], keepdims=0),
    ]
    constants = {
        "centres": np.ascontiguousarray(2 * centres.T), "lengths": (centres ** 2).sum(1),
        "places": np.arange(count)[None], "last": np.array([2], np.int64), "middle": np.array([1], np.int64),
        "weights": weights.reshape(n_features, count * outputs),
        "offsets": np.asarray(native["offsets"], np.float64).reshape(-1),
        "shape": np.array([-1, count, outputs], np.int64)}
    return close(nodes, constants, "softmax" if outputs > 1 else "identity", TensorProto.DOUBLE, n_features, outputs)


def _placed(native: Mapping[str, Any]) -> tuple[list[NodeProto], Constants]:
    """Return the nodes up to ``x``: rows as they are, or along axes, see ``estimators.axes``."""
    if "axes" not in native:
        return [node("Cast", [INPUT], ["x"], to=TensorProto.DOUBLE)], {}
    return [node("Cast", [INPUT], ["given"], to=TensorProto.DOUBLE), node("Sub", ["given", "mean"], ["centred"]),
            node("MatMul", ["centred", "axes"], ["x"])], {
                "mean": np.asarray(native["mean"], np.float64), "axes": np.asarray(native["axes"], np.float64)}


def _squares(known: npt.NDArray[Any], native: Mapping[str, Any]) -> tuple[list[NodeProto], Constants]:
    """Return the nodes up to ``squares``: squared distances of rows to those of ``known``, (N, M), never negative."""
    wide = np.asarray(known, np.float64)
    first, more = _placed(native)
    nodes = [
        *first,
        node("Mul", ["x", "x"], ["squared"]),
        node("ReduceSum", ["squared", "axis"], ["own"], keepdims=1),
        node("MatMul", ["x", "others"], ["product"]),
        node("Sub", ["own", "product"], ["difference"]),
        node("Add", ["difference", "lengths"], ["distance_squared"]),
        node("Max", ["distance_squared", "zero"], ["squares"]),
    ]
    return nodes, {**more, "axis": np.array([1], np.int64), "others": np.ascontiguousarray(2.0 * wide.T),
                   "lengths": (wide ** 2).sum(1), "zero": np.array(0.0)}


WRITERS: Mapping[str, Callable[[Mapping[str, Any], int], bytes]] = {
    "neighbors": neighbors, "naive_bayes": naive_bayes, "svm": svm, "ordinal": ordinal,
    "segments": segments}
