"""Parallel coordinates: brushes, the line that is pointed at, words for those who do not see it."""

from __future__ import annotations

import math

import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from mldesk.desktop.widgets.parallel import ParallelChart, Property


@pytest.fixture
def chart(qtbot: QtBot) -> ParallelChart:
    found = ParallelChart("Settings")
    qtbot.addWidget(found)
    found.resize(600, 300)
    found.show_lines(["a", "b", "c"], [
        Property("rate", [0.1, 0.2, math.nan]), Property("kind", [0, 1, 1], ("linear", "trees")),
        Property("loss", [0.3, 0.2, 0.1], downwards=True)])
    found.show()
    return found


def test_the_better_end_of_an_axis_is_at_the_top_and_what_a_line_lacks_has_no_place() -> None:
    score, loss = Property("score", [1.0, 3.0]), Property("loss", [1.0, 3.0], downwards=True)
    assert (score.share(3.0), loss.share(3.0)) == (0.0, 1.0)
    assert math.isnan(score.share(math.nan)) and score.words(math.nan) == "—"
    assert Property("one", [2.0, 2.0]).share(2.0) == 0.5
    with pytest.raises(ValueError, match="every line"):
        ParallelChart("").show_lines(["a"], [score])


def test_a_dragged_brush_leaves_the_lines_that_pass_it_and_a_click_takes_it_off(
        chart: ParallelChart, qtbot: QtBot) -> None:
    told: list[list[int]] = []
    chart.brushed.connect(told.append)
    area, x = chart._area(), round(chart._x(0))
    top, middle = QPoint(x, round(area.top())), QPoint(x, round(area.center().y()))
    assert chart._points(2)[0].y() > area.bottom()   # c has no rate, and goes past below
    qtbot.mousePress(chart, Qt.MouseButton.LeftButton, pos=top)
    qtbot.mouseMove(chart, middle)
    qtbot.mouseRelease(chart, Qt.MouseButton.LeftButton, pos=middle)
    assert chart.left() == told[-1] == [1]
    qtbot.mouseClick(chart, Qt.MouseButton.LeftButton, pos=middle)
    assert chart.left() == [0, 1, 2]


def test_a_line_is_pointed_at_and_opened_by_mouse_and_by_keyboard(chart: ParallelChart, qtbot: QtBot) -> None:
    pointed: list[int] = []
    opened: list[int] = []
    chart.pointed.connect(pointed.append)
    chart.opened.connect(opened.append)
    one, two = chart._points(0)[:2]
    at = ((one + two) / 2).toPoint()
    qtbot.mouseMove(chart, at)
    qtbot.mouseClick(chart, Qt.MouseButton.LeftButton, pos=at)
    assert pointed[-1] == 0 and opened == [0]
    qtbot.keyClick(chart, Qt.Key.Key_Down)
    qtbot.keyClick(chart, Qt.Key.Key_Return)
    assert opened == [0, 1]
    assert chart.accessibleDescription() == "b, rate 0.2, kind trees, loss 0.2"


def test_the_keyboard_brushes_halves_of_an_axis(chart: ParallelChart, qtbot: QtBot) -> None:
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_PageUp):
        qtbot.keyClick(chart, key)
    assert chart.left() == [1, 2]
    qtbot.keyClick(chart, Qt.Key.Key_Escape)
    assert chart.left() == [0, 1, 2]
    assert not chart.grab().isNull()
