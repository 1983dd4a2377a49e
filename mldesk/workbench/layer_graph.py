"""How rows pass a torch network: its layers and what lies between them, as nodes and edges that can be drawn.

Made of the network's config and of the names of its weights, as ``training.estimators.network`` builds it; neither
torch nor a weight is loaded. A network of another make is a chain of its layers. Dropout is left out: when a model
predicts, it does nothing.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class LayerNode:
    """One step on the way; ``parameters`` of all nodes together are those of the network."""

    name: str                        # as torch names it, "blocks.0.layers.1"; of what has no weights: "blocks.0.add"
    what: str                        # "input", "linear", "norm", "relu", "embedding", "add", "attention", "output", ...
    gives: str                       # shape of what goes out: "(N, 128)"
    parameters: int = 0              # numbers that were learned
    layers: tuple[str, ...] = ()     # the layers (``Layer.name``) that it consists of
    group: str = ""                  # what belongs together, "blocks.0": drawn in one frame
    depth: int = 0                   # edges on the longest way here from an input

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "kind": self.what, "output": self.gives, "parameters": self.parameters,
                "layers": list(self.layers), "group": self.group, "depth": self.depth}


@dataclass(frozen=True, slots=True)
class LayerEdge:
    """What goes from one node to another."""

    source: str
    target: str
    shape: str                       # of what passes: "(N, 128)"

    def to_json(self) -> dict[str, Any]:
        return {"from": self.source, "to": self.target, "shape": self.shape}


@dataclass(frozen=True, slots=True)
class LayerGraph:
    """All of it. Every node comes after those that lead to it."""

    nodes: tuple[LayerNode, ...]
    edges: tuple[LayerEdge, ...]

    def to_json(self) -> dict[str, Any]:
        return {"nodes": [node.to_json() for node in self.nodes], "edges": [edge.to_json() for edge in self.edges]}


def graph_of(config: Mapping[str, Any], parameters: Mapping[str, int], shapes: Mapping[str, str]) -> LayerGraph:
    """Return the graph of a network.

    Args:
        config: as the network was built from
        parameters: of every layer by its name, in the order rows pass them
        shapes: of what every layer gives, by its name
    """
    try:
        drawing = _Drawing(parameters)
        {"residual": _residual, "tabm": _tabm, "ft_transformer": _ft_transformer}[config["kind"]](drawing, config)
        if drawing.complete:
            return drawing.graph
    except (KeyError, TypeError, ValueError, IndexError):   # a stranger's config
        pass
    return _chain(parameters, shapes)


class _Drawing:
    """Nodes and edges as they are put down."""

    def __init__(self, parameters: Mapping[str, int]) -> None:
        self._parameters = parameters
        self._nodes: dict[str, LayerNode] = {}
        self._edges: list[LayerEdge] = []

    @property
    def graph(self) -> LayerGraph:
        return LayerGraph(tuple(self._nodes.values()), tuple(self._edges))

    @property
    def complete(self) -> bool:
        """Every layer that learned anything is in one node."""
        drawn = [layer for node in self._nodes.values() for layer in node.layers if self._parameters[layer]]
        return sorted(drawn) == sorted(layer for layer, count in self._parameters.items() if count)

    def parts(self, prefix: str) -> list[str]:
        """Return what there is right below a list of layers: "0", "1", ... for "blocks"."""
        found = {name.split(".")[1] for name in self._parameters if name.startswith(prefix + ".")}
        return sorted(found, key=int)

    def add(self, name: str, what: str, gives: str, *sources: str, of: Sequence[str] = (), group: str = "") -> str:
        """Put a node down behind its sources; ``of``: the layers it consists of, or else those below its name."""
        layers = tuple(layer for layer in self._parameters
                       if layer in of or (not of and (layer == name or layer.startswith(name + "."))))
        depth = max((self._nodes[source].depth + 1 for source in sources), default=0)
        learned = sum(self._parameters[layer] for layer in layers)
        self._nodes[name] = LayerNode(name, what, gives, learned, layers, group, depth)
        self._edges += [LayerEdge(source, name, self._nodes[source].gives) for source in sources]
        return name


def _inputs(draw: _Drawing, config: Mapping[str, Any]) -> tuple[str | None, str | None, str | None]:
    """Draw the columns, their numbers unfolded and their categories embedded; None for what there is not."""
    count, categories = len(config["numeric"]), config["categories"]
    numbers = draw.add("numbers", "input", f"(N, {count})") if count else None
    unfolded = embedded = None
    if numbers is not None and config["number_embedding"]:
        size = int(config["number_embedding"])
        unfolded = draw.add("inputs.numbers", "number embedding", f"(N, {count}, {size})", numbers)
    if categories:
        codes = draw.add("categories", "input", f"(N, {len(categories)})")
        dims = [int(dim) for _, _, dim in categories]
        shape = f"(N, {len(dims)}, {dims[0]})" if config["kind"] == "ft_transformer" else f"(N, {sum(dims)})"
        embedded = draw.add("inputs.embeddings", "embedding", shape, codes)
    return numbers, unfolded, embedded


def _in_a_row(draw: _Drawing, config: Mapping[str, Any]) -> str:
    """Draw the inputs up to all of them side by side."""
    numbers, unfolded, embedded = _inputs(draw, config)
    count, size = len(config["numeric"]), int(config["number_embedding"])
    if unfolded is not None:
        unfolded = draw.add("inputs.relu", "relu", f"(N, {count * size})", unfolded)
    there = [name for name in (numbers, unfolded, embedded) if name is not None]
    width = (count if numbers else 0) + (count * size if unfolded else 0) + sum(int(dim) for _, _, dim in
                                                                                config["categories"])
    return draw.add("inputs.joined", "concatenate", f"(N, {width})", *there)


def _end(draw: _Drawing, config: Mapping[str, Any], source: str) -> None:
    outputs = int(config["outputs"])
    if outputs > 1:
        source = draw.add("softmax", "softmax", f"(N, {outputs})", source)
    else:
        source = draw.add("unit", "scale", "(N, 1)", source)   # into the target's own unit
    draw.add("output", "output", f"(N, {outputs})", source)


def _residual(draw: _Drawing, config: Mapping[str, Any]) -> None:
    width, outputs = int(config["width"]), int(config["outputs"])
    narrow, wide = f"(N, {width})", f"(N, {2 * width})"
    hidden = draw.add("first", "linear", narrow, _in_a_row(draw, config))
    for number in draw.parts("blocks"):
        group = f"blocks.{number}"
        inner = draw.add(f"{group}.layers.0", "norm", narrow, hidden, group=group)
        inner = draw.add(f"{group}.layers.1", "linear", wide, inner, group=group)
        inner = draw.add(f"{group}.relu", "relu", wide, inner, group=group)
        inner = draw.add(f"{group}.layers.4", "linear", narrow, inner, group=group)
        hidden = draw.add(f"{group}.add", "add", narrow, hidden, inner, group=group)
    hidden = draw.add("last.0", "norm", narrow, hidden)
    hidden = draw.add("last.relu", "relu", narrow, hidden)
    _end(draw, config, draw.add("last.2", "linear", f"(N, {outputs})", hidden))


def _tabm(draw: _Drawing, config: Mapping[str, Any]) -> None:
    members, width, outputs = int(config["members"]), int(config["width"]), int(config["outputs"])
    hidden = _in_a_row(draw, config)
    for number in draw.parts("layers"):
        group = f"layers.{number}"
        hidden = draw.add(group, "shared linear", f"({members}, N, {width})", hidden, group=group)
        hidden = draw.add(f"{group}.relu", "relu", f"({members}, N, {width})", hidden, group=group)
    hidden = draw.add("last", "linear per member", f"(N, {members}, {outputs})", hidden,
                      of=("last_weight", "last_bias"))
    _end(draw, config, draw.add("mean", "mean of members", f"(N, {outputs})", hidden))


def _ft_transformer(draw: _Drawing, config: Mapping[str, Any]) -> None:
    width, count = int(config["width"]), len(config["numeric"])
    tokens = 1 + count + len(config["categories"])
    numbers, unfolded, embedded = _inputs(draw, config)
    parts = [draw.add("summary", "token", f"(1, 1, {width})")]
    if numbers is not None:
        plain = draw.add("weight", "weights", f"(N, {count}, {width})", numbers)
        parts.append(plain if unfolded is None else draw.add("inputs.add", "add", f"(N, {count}, {width})", plain,
                                                             unfolded))
    parts += [] if embedded is None else [embedded]
    shape = f"(N, {tokens}, {width})"
    hidden = draw.add("inputs.joined", "concatenate", shape, *parts)
    for number in draw.parts("blocks"):
        hidden = _attention(draw, f"blocks.{number}", hidden, tokens, width)
    first = f"(N, 1, {width})"
    hidden = draw.add("last.first", "first token", first, hidden)
    hidden = draw.add("last.0", "norm", first, hidden)
    hidden = draw.add("last.relu", "relu", first, hidden)
    _end(draw, config, draw.add("last.2", "linear", f"(N, 1, {int(config['outputs'])})", hidden))


def _attention(draw: _Drawing, group: str, hidden: str, tokens: int, width: int) -> str:
    shape, wide = f"(N, {tokens}, {width})", f"(N, {tokens}, {2 * width})"

    def add(name: str, what: str, gives: str, *sources: str) -> str:
        return draw.add(f"{group}.{name}", what, gives, *sources, group=group)

    asked = add("asked", "linear", f"(N, {tokens}, {3 * width})", add("before", "norm", shape, hidden))
    answer = add("answer", "linear", shape, add("attention", "attention", shape, asked))
    hidden = add("add", "add", shape, hidden, answer)
    normed = add("between", "norm", shape, hidden)
    gate = add("relu", "relu", wide, add("gate", "linear", wide, normed))
    product = add("multiply", "multiply", wide, gate, add("up", "linear", wide, normed))
    return add("add_again", "add", shape, hidden, add("down", "linear", shape, product))


def _chain(parameters: Mapping[str, int], shapes: Mapping[str, str]) -> LayerGraph:
    names = list(parameters)
    nodes = [LayerNode(name, "layer", shapes[name], parameters[name], (name,), "", depth)
             for depth, name in enumerate(names)]
    edges = [LayerEdge(before, after, shapes[before]) for before, after in itertools.pairwise(names)]
    return LayerGraph(tuple(nodes), tuple(edges))
