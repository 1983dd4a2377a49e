"""The little charts of a runner's load."""

from __future__ import annotations

import math

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from mldesk.desktop import theme
from mldesk.desktop.widgets.strip import SPAN, Strip, StripChart


@pytest.fixture
def chart(qtbot: QtBot) -> StripChart:
    made = StripChart("Processor", lambda value: f"{value:.0%}")
    qtbot.addWidget(made)
    made.resize(500, 168)
    made.show()
    return made


def test_it_says_in_words_what_it_shows(chart: StripChart) -> None:
    assert chart.accessibleDescription() == ""
    chart.show_strips([2.0, 1.0, 0.0], [Strip("", [0.5, math.nan, 0.25])])
    assert chart.accessibleDescription() == "Processor 25%, between 25% and 50% in the last 10 minutes"
    chart.show_strips([], [])
    assert chart.summary() == "Nothing is known yet"


def test_silence_parts_the_line_and_what_is_too_high_stays_inside(chart: StripChart) -> None:
    strip = Strip("", [0.1, 0.2, math.nan, 0.4, 7.0])
    chart.show_strips([20.0, 19.0, 18.0, 17.0, 3.0], [strip])
    area = chart._area()
    lines = chart._lines(area, strip)
    assert [line.count() for line in lines] == [2, 1, 1]
    assert lines[-1].first().y() == area.top()
    assert chart._x(area, SPAN) == area.left() and chart._x(area, 0.0) == area.right()


def test_the_scale_fits_what_was_seen_where_no_top_is_given(chart: StripChart) -> None:
    chart._high = None
    chart.show_strips([1.0, 0.0], [Strip("", [312.0, 587.0])])
    assert chart._top() == 700.0
    chart.show_strips([1.0], [Strip("", [0.0])])
    assert chart._top() == 1.0


def test_the_past_is_read_by_pointer_and_by_key(chart: StripChart, qtbot: QtBot) -> None:
    chart.show_strips([float(age) for age in range(599, -1, -1)], [Strip("", [0.5] * 600)])
    QTest.mouseMove(chart, chart._area().center().toPoint())
    qtbot.waitUntil(lambda: chart._nearest() is not None)
    assert abs(chart._ages[chart._nearest() or 0] - SPAN / 2) < 5
    chart._at = None
    QTest.keyClick(chart, Qt.Key.Key_Left)
    assert chart._at == 10.0
    QTest.keyClick(chart, Qt.Key.Key_Right)
    assert chart._at == 0.0


@pytest.mark.parametrize("mode", ["light", "dark", "contrast"])
def test_curves_are_painted_in_every_theme(chart: StripChart, mode: str) -> None:
    from PySide6.QtWidgets import QApplication

    app = QApplication.instance()
    assert isinstance(app, QApplication)
    theme.apply(app, mode)  # type: ignore[arg-type]
    strips = [Strip("GPU 0", [0.5] * 300, 0), Strip("GPU 1", [0.9] * 300, 1)]
    chart.show_strips([float(age) for age in range(299, -1, -1)], strips)
    image = chart.grab().toImage()
    ratio = image.devicePixelRatio()
    for strip in strips:
        at = QPointF(chart._x(chart._area(), 100.0), chart._y(chart._area(), strip.values[0])) * ratio
        wanted = QColor(theme.palette().series[strip.slot]).hslHue()
        seen = [image.pixelColor(round(at.x()), round(at.y()) + by) for by in (-1, 0, 1)]
        assert any(abs(colour.hslHue() - wanted) < 8 and colour.hslSaturation() > 60 for colour in seen)
