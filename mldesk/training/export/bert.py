"""The graph of a BERT encoder with the mean of its last layer, written by hand from its weights.

Devlin, Chang, Lee, Toutanova: BERT, NAACL 2019; the mean over the pieces of a text as Reimers and Gurevych:
Sentence-BERT, EMNLP 2019. float32 throughout, as the weights are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import NodeProto, TensorProto, helper

Weights = Mapping[str, npt.NDArray[np.float32]]
node = helper.make_node
_MASKED = -1e4   # added to how much a piece that is not there is heeded


class Bert:
    """Writes the nodes for one text after another; the weights stand in the graph once."""

    def __init__(self, config: Mapping[str, Any], weights: Weights, length: int, empty: int) -> None:
        self._config, self._weights, self._length, self._empty = config, weights, length, empty
        self.constants: dict[str, npt.NDArray[Any]] = {}
        self.nodes: list[NodeProto] = []
        self._count = 0

    def answer(self, tokens: str) -> str:
        """Write what becomes of ``tokens``, the name of (N, length) float32; return that of (N, hidden) float32."""
        ids = self._do("Cast", tokens, to=TensorProto.INT64)
        there = self._do("Cast", self._do("Not", self._do("Equal", ids, self._constant("empty", np.array(
            self._empty, np.int64)))), to=TensorProto.FLOAT)
        bias = self._do("Mul", self._do("Sub", self._constant("one", np.float32(1)), there),
                        self._constant("masked", np.float32(_MASKED)))
        bias = self._do("Unsqueeze", bias, self._constant("between", np.array([1, 2])))     # (N, 1, 1, L)
        hidden = self._begin(ids)
        for layer in range(int(self._config["num_hidden_layers"])):
            hidden = self._layer(f"encoder.layer.{layer}", hidden, bias)
        weights = self._do("Unsqueeze", there, self._constant("last", np.array([2])))       # (N, L, 1)
        middle = self._constant("middle", np.array([1]))
        total = self._do("ReduceSum", self._do("Mul", hidden, weights), middle, keepdims=0)
        count = self._do("Max", self._do("ReduceSum", weights, middle, keepdims=0), "bert/one")
        return self._do("Div", total, count)

    def _begin(self, ids: str) -> str:
        words = self._do("Gather", self._weight("embeddings.word_embeddings.weight"), ids, axis=0)
        places = (self._weights["embeddings.position_embeddings.weight"][:self._length] +
                  self._weights["embeddings.token_type_embeddings.weight"][0])
        return self._norm("embeddings.LayerNorm", self._do("Add", words, self._constant("places", places)))

    def _layer(self, name: str, hidden: str, bias: str) -> str:
        size, heads = int(self._config["hidden_size"]), int(self._config["num_attention_heads"])
        apart = self._constant("apart", np.array([0, self._length, heads, size // heads]))
        together = self._constant("together", np.array([0, self._length, size]))

        def part(which: str, order: list[int]) -> str:
            linear = self._linear(f"{name}.attention.self.{which}", hidden)
            return self._do("Transpose", self._do("Reshape", linear, apart), perm=order)

        heed = self._do("MatMul", part("query", [0, 2, 1, 3]), part("key", [0, 2, 3, 1]))
        heed = self._do("Mul", heed, self._constant("scale", np.float32(1 / math.sqrt(size // heads))))
        heed = self._do("Softmax", self._do("Add", heed, bias), axis=-1)
        said = self._do("MatMul", heed, part("value", [0, 2, 1, 3]))
        said = self._do("Reshape", self._do("Transpose", said, perm=[0, 2, 1, 3]), together)
        hidden = self._norm(f"{name}.attention.output.LayerNorm", self._do(
            "Add", self._linear(f"{name}.attention.output.dense", said), hidden))
        inner = self._gelu(self._linear(f"{name}.intermediate.dense", hidden))
        return self._norm(f"{name}.output.LayerNorm", self._do(
            "Add", self._linear(f"{name}.output.dense", inner), hidden))

    def _gelu(self, x: str) -> str:
        half, root = self._constant("half", np.float32(0.5)), self._constant("root", np.float32(1 / math.sqrt(2)))
        erf = self._do("Add", self._do("Erf", self._do("Mul", x, root)), "bert/one")
        return self._do("Mul", self._do("Mul", x, half), erf)

    def _linear(self, name: str, x: str) -> str:
        weight = self._constant(f"{name}.weight", np.ascontiguousarray(self._weights[f"{name}.weight"].T))
        return self._do("Add", self._do("MatMul", x, weight), self._weight(f"{name}.bias"))

    def _norm(self, name: str, x: str) -> str:
        return self._do("LayerNormalization", x, self._weight(f"{name}.weight"), self._weight(f"{name}.bias"), axis=-1,
                        epsilon=float(self._config["layer_norm_eps"]))

    def _weight(self, name: str) -> str:
        return self._constant(name, self._weights[name])

    def _constant(self, name: str, value: Any) -> str:
        self.constants.setdefault(f"bert/{name}", np.asarray(value))
        return f"bert/{name}"

    def _do(self, operator: str, *inputs: str, **attributes: Any) -> str:
        self._count += 1
        name = f"bert/{self._count}"
        self.nodes.append(node(operator, list(inputs), [name], **attributes))
        return name
