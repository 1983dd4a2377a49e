"""The layers of a torch network, read from its weights' header and its config: no torch, and no weight, is loaded.

A safetensors file begins with the length of a JSON header (8 bytes, little endian) and the header itself, which names
every tensor with its shape (the format's own specification).
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from mldesk.core.errors import LibraryDamaged
from mldesk.workbench.layer_graph import LayerEdge, LayerGraph, LayerNode, graph_of

__all__ = ["Layer", "LayerEdge", "LayerGraph", "LayerNode", "Layers", "read_layers"]

_MOST = 100_000_000   # bytes of a header; the format's own limit
# Set before training, not learned.
_BUFFERS = frozenset({"offset", "scale", "inputs.numeric", "inputs.codes", "inputs.numbers.least",
                      "inputs.numbers.most", "inputs.numbers.lower", "inputs.numbers.steepness"})
_ORDER = ("inputs", "summary", "weight", "first", "layers", "blocks", "last", "last_weight", "last_bias")
_WITHIN = ("embeddings", "numbers", "before", "asked", "answer", "between", "gate", "up", "down", "linear", "scale_in",
           "scale_out", "bias")
_TITLES = {"residual": "residual network", "tabm": "TabM: networks in one",
           "ft_transformer": "transformer over columns"}


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer with weights of its own, in the order rows pass it."""

    name: str                                  # as torch names it: "blocks.0.layers.1"
    what: str                                  # "linear", "embedding", "norm", "weights"
    takes: str                                 # shape of what comes in: "(N, 128)"
    gives: str                                 # ... and of what goes out
    parameters: int                            # numbers that were learned

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "kind": self.what, "input": self.takes, "output": self.gives,
                "parameters": self.parameters}


@dataclass(frozen=True, slots=True)
class Layers:
    """A network as a whole."""

    title: str
    parameters: int
    layers: tuple[Layer, ...]
    graph: LayerGraph                          # how rows pass them

    def to_json(self) -> dict[str, Any]:
        return {"network": self.title, "parameters": self.parameters,
                "layers": [item.to_json() for item in self.layers], "graph": self.graph.to_json()}


def read_layers(weights: BinaryIO, config: Mapping[str, Any]) -> Layers:
    """Return the layers of a network. Raises LibraryDamaged for a file that is no safetensors file."""
    shapes = {name: shape for name, shape in _shapes(weights).items() if name not in _BUFFERS}
    grouped: dict[str, dict[str, tuple[int, ...]]] = {}
    for name, shape in shapes.items():
        module, _, own = name.rpartition(".")
        grouped.setdefault(module if own in ("weight", "bias") and module else name, {})[own] = shape
    names = sorted(grouped, key=_place)
    layers = tuple(_layer(name, grouped[name], config) for name in names)
    graph = graph_of(config, {layer.name: layer.parameters for layer in layers},
                     {layer.name: layer.gives for layer in layers})
    return Layers(_TITLES.get(str(config.get("kind")), "network"), sum(layer.parameters for layer in layers), layers,
                  graph)


def _shapes(file: BinaryIO) -> dict[str, tuple[int, ...]]:
    try:
        length = struct.unpack("<Q", file.read(8))[0]
        if length > _MOST:
            raise ValueError(length)
        header = json.loads(file.read(length))
        return {name: tuple(map(int, item["shape"])) for name, item in header.items() if name != "__metadata__"}
    except (ValueError, KeyError, AttributeError, struct.error, TypeError) as error:
        raise LibraryDamaged("The weights of this network cannot be read.",
                             hint="Train it again, or import its bundle again.") from error


def _place(name: str) -> tuple[Any, ...]:
    parts = name.split(".")
    first = _ORDER.index(parts[0]) if parts[0] in _ORDER else len(_ORDER)
    rest = [(0, int(part)) if part.isdecimal() else (1, _WITHIN.index(part) if part in _WITHIN else len(_WITHIN))
            for part in parts[1:]]
    return (first, rest, name)


def _layer(name: str, shapes: Mapping[str, tuple[int, ...]], config: Mapping[str, Any]) -> Layer:
    count = sum(math.prod(shape) for shape in shapes.values())
    weight = shapes.get("weight", next(iter(shapes.values())))
    before = _before(name, config)
    if name.startswith("inputs.embeddings."):
        return Layer(name, "embedding", "(N)", f"(N, {weight[1]})", count)
    if name == "inputs.numbers":
        takes, gives = (f"(N, {weight[0]}, {size})" for size in weight[1:])
        return Layer(name, "number embedding", takes, gives, count)
    if "weight" in shapes and len(weight) == 2 and name != "weight":
        return Layer(name, "linear", f"({before}{weight[1]})", f"({before}{weight[0]})", count)
    if "weight" in shapes and len(weight) == 1:
        return Layer(name, "norm", f"({before}{weight[0]})", f"({before}{weight[0]})", count)
    shape = f"({', '.join(map(str, weight))})"
    return Layer(name, "weights", shape, shape, count)


def _before(name: str, config: Mapping[str, Any]) -> str:
    """Return the axes before a layer's own: rows, and the members or the tokens of the columns beside them."""
    if config.get("kind") == "tabm":
        return f"{config.get('members', 1)}, N, "
    if config.get("kind") == "ft_transformer" and not name.startswith("last"):
        return f"N, {1 + len(config.get('numeric', ())) + len(config.get('categories', ()))}, "
    return "N, 1, " if config.get("kind") == "ft_transformer" else "N, "
