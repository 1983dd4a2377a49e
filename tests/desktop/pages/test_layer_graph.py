"""The graph of a network's layers: where boxes lie, the way through it by keyboard, and what is saved of it."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from mldesk.desktop.pages.models.graph_canvas import LEAST, MOST
from mldesk.desktop.pages.models.graph_places import WIDE, places
from mldesk.desktop.pages.models.layers_card import LayersCard
from mldesk.workbench.layer_graph import graph_of
from mldesk.workbench.layers import Layer, Layers

CONFIG = {"kind": "residual", "width": 8, "blocks": 2, "outputs": 2, "numeric": ["a", "b"], "number_embedding": 4,
          "categories": [["c", 5, 3]]}
COUNTS = {"inputs.embeddings.0": 15, "inputs.numbers": 16, "first": 120, "blocks.0.layers.0": 16,
          "blocks.0.layers.1": 144, "blocks.0.layers.4": 136, "last.0": 16, "last.2": 18}
GRAPH = graph_of(CONFIG, COUNTS, dict.fromkeys(COUNTS, "(N, 8)"))
LAYERS = Layers("residual network", sum(COUNTS.values()), tuple(
    Layer(name, "linear", "(N, 8)", "(N, 8)", count) for name, count in COUNTS.items()), GRAPH)


def test_boxes_stand_in_rows_of_their_own_and_lines_go_down_around_them() -> None:
    found = places(GRAPH)
    boxes = found.boxes
    assert set(boxes) == {node.name for node in GRAPH.nodes} and set(found.frames) == {"blocks.0"}
    for edge, corners in found.lines:
        assert boxes[edge.source].y < boxes[edge.target].y
        start, end = boxes[edge.source], boxes[edge.target]
        assert corners[0][1] >= start.y and corners[-1] in ((end.middle, end.y), (end.right, corners[-1][1]))
        for (x, y), (onward, below) in itertools.pairwise(corners):
            middle = ((x + onward) / 2, (y + below) / 2)
            assert not any(box.x + 1 < middle[0] < box.right - 1 and box.y + 1 < middle[1] < box.bottom - 1
                           for box in boxes.values()), (edge, middle)
            assert 0 <= x <= found.wide and 0 <= below <= found.high
    rows: dict[float, list[float]] = {}
    for box in boxes.values():
        rows.setdefault(box.y, []).append(box.x)
    assert all(right - left > WIDE for row in rows.values()
               for left, right in zip(sorted(row), sorted(row)[1:], strict=False))


@pytest.fixture
def card(qtbot: QtBot) -> LayersCard:
    made = LayersCard()
    qtbot.addWidget(made)
    made.resize(800, 600)
    made.show_layers(LAYERS)
    made.show()
    return made


def test_the_keyboard_goes_from_layer_to_layer_and_the_list_follows(card: LayersCard) -> None:
    canvas = card.canvas
    for key in (Qt.Key.Key_End, Qt.Key.Key_Up, Qt.Key.Key_Up):
        QTest.keyClick(canvas, key)
    assert canvas.accessibleDescription() == "last.2: linear, gives (N, 2), 18 parameters"
    assert [layer.name for layer in card.table.selected()] == ["last.2"]
    QTest.keyClick(canvas, Qt.Key.Key_Home)
    QTest.keyClick(canvas, Qt.Key.Key_Right)
    assert canvas.accessibleDescription().startswith("categories: input")
    card.shown_as.set_value("list")
    card.table.select(["first"])
    assert canvas.accessibleDescription() == "first: linear, gives (N, 8), 120 parameters"


def test_the_graph_is_zoomed_within_bounds_and_fits_its_room(card: LayersCard) -> None:
    canvas, usual = card.canvas, card.canvas.width()
    QTest.keyClick(canvas, Qt.Key.Key_Minus)
    assert canvas.width() < usual
    QTest.keyClick(canvas, Qt.Key.Key_0)
    assert (canvas.zoom, canvas.width()) == (1.0, usual)
    for _ in range(20):
        canvas.zoom_in()
    assert canvas.zoom == MOST
    canvas.fit(QSize(10_000, 500))
    assert canvas.height() <= 501 and canvas.zoom < 1
    canvas.fit(QSize(1, 1))
    assert canvas.zoom == LEAST


def test_the_graph_is_saved_as_a_picture_or_a_table(card: LayersCard, tmp_path: Path) -> None:
    said: list[tuple[str, str]] = []
    card.notice.connect(lambda text, tone: said.append((text, tone)))
    card.canvas.set_zoom(0.3)
    for ending in ("svg", "png", "csv"):
        card.write(tmp_path / f"layers.{ending}")
    assert (tmp_path / "layers.png").read_bytes().startswith(b"\x89PNG")
    drawing = (tmp_path / "layers.svg").read_text("utf-8")
    assert "number embedding" in drawing and "softmax" in drawing
    assert "last.2,linear,\"(N, 2)\",18" in (tmp_path / "layers.csv").read_text("utf-8")
    assert said[-1] == ("Saved layers.csv.", "success")
    card.write(tmp_path / "nowhere" / "layers.png")
    assert said[-1][1] == "danger" and said[-1][0].startswith("layers.png cannot be written")
    card.show_layers(None)
    assert card.isHidden()
