"""Where the boxes and lines of a graph of layers go: row by row from the top, what skips rows at the side. No Qt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mldesk.workbench.layer_graph import LayerEdge, LayerGraph

WIDE, HIGH = 236.0, 54.0   # of a box, pixels at 100 % and zoom 1, as everything here
BETWEEN, BELOW = 30.0, 30.0   # of boxes side by side, and of rows
_LANE = 14.0               # between lines that skip rows beside one another
_MARGIN = 18.0
_FRAME = 10.0              # around what belongs together
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """A place: left, top, width, height."""

    x: float
    y: float
    wide: float
    high: float

    @property
    def right(self) -> float:
        return self.x + self.wide

    @property
    def bottom(self) -> float:
        return self.y + self.high

    @property
    def middle(self) -> float:
        return self.x + self.wide / 2


@dataclass(frozen=True, slots=True)
class Places:
    """The whole drawing."""

    wide: float
    high: float
    boxes: Mapping[str, Box]                       # by a node's name
    lines: tuple[tuple[LayerEdge, tuple[Point, ...]], ...]   # corners on the way from source to target
    frames: Mapping[str, Box]                      # by the name of a group


def places(graph: LayerGraph) -> Places:
    """Lay a graph out. Every node stands in the row of its depth, as nearly below its sources as there is room."""
    rows: dict[int, list[str]] = {}
    for node in graph.nodes:
        rows.setdefault(node.depth, []).append(node.name)
    sources: dict[str, list[str]] = {}
    for edge in graph.edges:
        sources.setdefault(edge.target, []).append(edge.source)
    middles: dict[str, float] = {}
    for depth in sorted(rows):
        _put(rows[depth], sources, middles)
    left = min(middles.values(), default=0.0) - WIDE / 2
    order = {depth: number for number, depth in enumerate(sorted(rows))}
    boxes = {node.name: Box(middles[node.name] - WIDE / 2 - left + _MARGIN,
                            _MARGIN + order[node.depth] * (HIGH + BELOW), WIDE, HIGH) for node in graph.nodes}
    lines = _lines(graph, boxes)
    frames = _frames(graph, boxes)
    right = max((x for _, corners in lines for x, _ in corners), default=0.0)
    wide = max(right, *(box.right for box in boxes.values()), *(box.right for box in frames.values()), 0.0) + _MARGIN
    return Places(wide, max((box.bottom for box in boxes.values()), default=0.0) + _MARGIN, boxes, lines, frames)


def _put(row: list[str], sources: Mapping[str, list[str]], middles: dict[str, float]) -> None:
    """Give the nodes of a row their places: below the mean of their sources, pushed apart evenly."""
    wanted = {}
    for number, name in enumerate(row):
        above = [middles[source] for source in sources.get(name, ()) if source in middles]
        wanted[name] = sum(above) / len(above) if above else number * (WIDE + BETWEEN)
    ordered = sorted(row, key=lambda name: wanted[name])
    placed: list[float] = []
    for name in ordered:
        placed.append(max(wanted[name], placed[-1] + WIDE + BETWEEN) if placed else wanted[name])
    shift = sum(wanted[name] - place for name, place in zip(ordered, placed, strict=True)) / max(1, len(placed))
    middles.update((name, place + shift) for name, place in zip(ordered, placed, strict=True))


def _lines(graph: LayerGraph, boxes: Mapping[str, Box]) -> tuple[tuple[LayerEdge, tuple[Point, ...]], ...]:
    """Return the way of every edge: down to the next row, or out to the right and around what is between."""
    lanes: list[tuple[float, float, float]] = []   # top, bottom and x of those that are taken
    found = []
    for edge in graph.edges:
        start, end = boxes[edge.source], boxes[edge.target]
        between = [box for box in boxes.values() if start.bottom < box.y and box.bottom < end.y]
        if not any(box.x - 4 < start.middle < box.right + 4 for box in between):
            half = end.y - BELOW / 2
            bend = () if abs(start.middle - end.middle) < 1 else ((start.middle, half), (end.middle, half))
            found.append((edge, ((start.middle, start.bottom), *bend, (end.middle, end.y))))
            continue
        hidden = any(box.y == start.y and box.x > start.x for box in boxes.values())   # by a neighbour at the right
        top, bottom = start.bottom + BELOW / 2 if hidden else start.y + HIGH / 2, end.y + HIGH / 2
        out = ((start.middle, start.bottom), (start.middle, top)) if hidden else ((start.right, top),)
        x = max(box.right for box in (start, end, *between)) + _FRAME + _LANE
        while any(upper < bottom and lower > top and abs(taken - x) < _LANE for upper, lower, taken in lanes):
            x += _LANE
        lanes.append((top, bottom, x))
        found.append((edge, (*out, (x, top), (x, bottom), (end.right, bottom))))
    return tuple(found)


def _frames(graph: LayerGraph, boxes: Mapping[str, Box]) -> dict[str, Box]:
    members: dict[str, list[Box]] = {}
    for node in graph.nodes:
        if node.group:
            members.setdefault(node.group, []).append(boxes[node.name])
    found = {}
    for group, inside in members.items():
        x, y = min(box.x for box in inside) - _FRAME, min(box.y for box in inside) - _FRAME
        found[group] = Box(x, y, max(box.right for box in inside) + _FRAME - x,
                           max(box.bottom for box in inside) + _FRAME - y)
    return found
