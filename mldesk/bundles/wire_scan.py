"""Looking through an ONNX file without loading it: protobuf fields on the wire, nothing interpreted.

Refused, wherever it stands: data outside the file (a path, or onnxruntime's tag for an address in memory), operators
of other domains or off the list, nested graphs, functions, training information. The list of operators is short on
purpose: none of them runs a loop, reads a file, or makes much out of little.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mldesk.bundles.names import GRAPH
from mldesk.core.errors import BadBundle

_STANDARD = """
    Abs Add And ArgMax BatchNormalization Cast Ceil Clip Concat Constant Cos Div Elu Equal Erf Exp Flatten Floor Gather
    Gelu Gemm Greater GreaterOrEqual HardSigmoid HardSwish Identity IsInf IsNaN LayerNormalization LeakyRelu Less
    LessOrEqual Log LogSoftmax MatMul Max Mean Min Mish Mul Neg Not Or PRelu Pow Reciprocal ReduceLogSumExp ReduceMax
    ReduceMean ReduceMin ReduceSum Relu Reshape Round Selu Shape Sigmoid Sign Sin Slice Softmax Softplus Softsign Split
    Sqrt Squeeze Sub Sum Tanh TopK Transpose Unsqueeze Where
    """
OPERATORS: dict[str, frozenset[str]] = {
    "": frozenset(_STANDARD.split()),
    "ai.onnx": frozenset(_STANDARD.split()),
    "ai.onnx.ml": frozenset({"LinearClassifier", "LinearRegressor", "Normalizer", "Scaler", "TreeEnsemble",
                             "TreeEnsembleClassifier", "TreeEnsembleRegressor"}),
}

_MAX_FIELDS = 2_000_000
_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5

# onnx.proto. For each message: what stands in its length-delimited fields, by field number.
_TRAINING, _OUTSIDE, _GRAPHS, _FUNCTIONS, _SPARSE = (
    "training information", "data outside the file", "a graph within an operator", "functions of its own",
    "sparse tensors")
_MESSAGES: dict[str, dict[int, str]] = {
    "model": {7: "graph", 8: "opset"},
    "graph": {1: "node", 5: "tensor"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 10: "tensor"},
    "tensor": {},
    "opset": {},
}
_REFUSED: dict[str, dict[int, str]] = {
    "model": {20: _TRAINING, 25: _FUNCTIONS},
    "graph": {15: _SPARSE},
    "attribute": {6: _GRAPHS, 11: _GRAPHS, 22: _SPARSE, 23: _SPARSE},
    "tensor": {13: _OUTSIDE},
}
_OPERATOR, _DOMAIN = 4, 7        # of a node
_OPSET_DOMAIN = 1
_TEXTS = {"node": (_OPERATOR, _DOMAIN), "opset": (_OPSET_DOMAIN,)}
_GRAPH = 7                       # of a model
_LOCATION = 14                   # of a tensor; 0 is "in this file"
# Lists of an attribute stand number by number, word by word, and a forest has millions: skip a whole run at once.
# Possessive (++), for otherwise the pattern would keep a way back for each of them.
_MODES = (b"LEAF", b"BRANCH_LEQ", b"BRANCH_LT", b"BRANCH_GTE", b"BRANCH_GT", b"BRANCH_EQ", b"BRANCH_NEQ")
_RUNS = re.compile(rb"(?:\x40[\x80-\xff]{0,9}+[\x00-\x7f])++|(?:\x3d[\s\S]{4})++|(?:%s)++" % b"|".join(
    b"\\x4a\\x%02x%s" % (len(mode), mode) for mode in _MODES))


def check_graph(data: bytes) -> None:
    """Raise BadBundle with the reason if ``data`` is not an ONNX model that is fit for a bundle."""
    found = _Scan(data)
    found.message("model", 0, len(data))
    if found.graphs != 1:
        raise BadBundle(f"This bundle's {GRAPH} is not an ONNX model.")
    for domain, operator in sorted(found.operators):
        if domain not in OPERATORS:
            raise BadBundle(f"This bundle's {GRAPH} uses the operator {operator!r:.60} of {domain!r:.60}, which is not "
                            "part of ONNX.", hint="Bundles use standard operators only.")
        if operator not in OPERATORS[domain]:
            raise BadBundle(f"This bundle's {GRAPH} uses the operator {operator!r:.60}, which bundles may not use.")
    for domain in found.domains - OPERATORS.keys():
        raise BadBundle(f"This bundle's {GRAPH} asks for operators of {domain!r:.60}, which are not part of ONNX.")


class _Scan:
    """One pass over the bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._fields = 0
        self.graphs = 0
        self.operators: set[tuple[str, str]] = set()
        self.domains: set[str] = set()

    def message(self, kind: str, start: int, end: int) -> None:
        """Look through one message between two offsets."""
        operator, domain = "", ""
        for number, wire, begin, stop in self._each(kind, start, end):
            if number in _REFUSED.get(kind, {}):
                raise BadBundle(f"This bundle's {GRAPH} holds {_REFUSED[kind][number]}.", hint="Do not use it.")
            if kind == "tensor" and number == _LOCATION and (wire != _VARINT or self._number(begin)[0]):
                raise BadBundle(f"This bundle's {GRAPH} holds {_OUTSIDE}.", hint="Do not use it.")
            if number not in _TEXTS.get(kind, ()) and number not in _MESSAGES[kind]:
                continue
            if wire != _BYTES:  # protobuf would overlook such a field, and we must not see it as something else
                raise _broken()
            if kind == "node" and number == _OPERATOR:
                operator = self._text(begin, stop)
            elif kind == "node" and number == _DOMAIN:
                domain = self._text(begin, stop)
            elif kind == "opset":
                self.domains.add(self._text(begin, stop))
            else:
                self.graphs += kind == "model" and number == _GRAPH
                self.message(_MESSAGES[kind][number], begin, stop)
        if kind == "node":
            self.operators.add((domain, operator))

    def _each(self, kind: str, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
        """Give each field's number, wire type, and where its content begins and ends."""
        position = start
        while position < end:
            if kind == "attribute":
                run = _RUNS.match(self._data, position, end)
                if run is not None:
                    position = run.end()
                    continue
            self._fields += 1
            if self._fields > _MAX_FIELDS:
                raise BadBundle(f"This bundle's {GRAPH} has too many parts.")
            tag, position = self._number(position)
            number, wire = tag >> 3, tag & 7
            begin, stop = self._extent(wire, position)
            if stop > end or not number:
                raise _broken()
            yield number, wire, begin, stop
            position = stop

    def _extent(self, wire: int, position: int) -> tuple[int, int]:
        if wire == _BYTES:
            length, begin = self._number(position)
            return begin, begin + length
        if wire == _VARINT:
            return position, self._number(position)[1]
        if wire in (_EIGHT, _FOUR):
            return position, position + (8 if wire == _EIGHT else 4)
        raise _broken()

    def _number(self, position: int) -> tuple[int, int]:
        """Read a varint; return it and where it ends."""
        value = 0
        for index, byte in enumerate(self._data[position:position + 10]):
            value |= (byte & 0x7F) << 7 * index
            if byte < 0x80:
                return value, position + index + 1
        raise _broken()

    def _text(self, begin: int, stop: int) -> str:
        return self._data[begin:stop].decode("utf-8", "replace")


def _broken() -> BadBundle:
    return BadBundle(f"This bundle's {GRAPH} is not an ONNX model.")
