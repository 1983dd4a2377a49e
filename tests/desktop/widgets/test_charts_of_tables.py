"""Charts that the Explore tab draws: groups on top of one another, densities, maps of values, moments, rectangles."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from pytestqt.qtbot import QtBot

from mldesk.desktop.widgets import DensityChart, HistogramChart, ScatterChart, moments
from mldesk.desktop.widgets.meetings import MeetingMap
from mldesk.desktop.widgets.plot import Plot


def _drag(plot: Plot, first: tuple[float, float], last: tuple[float, float]) -> None:
    """Drag from one place to another, in data units."""
    ends = [plot._pixel(*place) for place in (first, last)]
    none, left = Qt.KeyboardModifier.NoModifier, Qt.MouseButton.LeftButton
    for kind, at, button in ((QEvent.Type.MouseButtonPress, ends[0], left), (QEvent.Type.MouseMove, ends[1], left),
                             (QEvent.Type.MouseButtonRelease, ends[1], left)):
        plot.eventFilter(plot.view.viewport(), QMouseEvent(kind, QPointF(at), QPointF(at), button, left, none))


def test_groups_of_a_histogram_lie_on_top_of_one_another(qtbot: QtBot) -> None:
    chart = HistogramChart("", "age")
    qtbot.addWidget(chart)
    chart.set_groups([("yes", [1, 2]), ("no", [3, 5])], [0, 10, 20])
    chart.show()
    chart.redraw_now()
    assert chart.item.getViewBox().viewRange()[1][1] >= 7
    title, readings = chart._readings(15)
    assert title == "10 – 20" and [(one.name, one.words) for one in readings] == [("no", "5"), ("yes", "2")]
    chart._on_toggled("no", False)
    chart.redraw_now()
    assert chart.item.getViewBox().viewRange()[1][1] < 4
    assert chart.csv().splitlines()[:2] == ["from,to,group,count", '0.0,10.0,"yes",1.0']
    with pytest.raises(ValueError, match="need 3 edges"):
        chart.set_groups([("yes", [1, 2])], [0, 1])


def test_a_rectangle_is_chosen_by_dragging_and_taken_back_by_the_keyboard(qtbot: QtBot) -> None:
    chart = ScatterChart("", "x", "y")
    qtbot.addWidget(chart)
    chart.take_boxes()
    chart.resize(500, 400)
    chart.show()
    chart.set_points([0, 5, 10], [0, 5, 10], [0, 1, -1], ["a", "b"])
    chart.redraw_now()
    with qtbot.waitSignal(chart.boxed):
        _drag(chart, (2, 8), (6, 3))
    box = chart.box()
    assert box is not None and box == pytest.approx((2, 6, 3, 8), abs=0.2) and chart.zoom() is None
    chart.redraw_now()   # drawn again, it stays
    assert chart._overlay.box is not None
    chart.setFocus()
    qtbot.keyClick(chart, Qt.Key.Key_Escape)
    assert chart.box() is None and chart._overlay.box is None


def test_a_density_says_where_most_points_are(qtbot: QtBot) -> None:
    chart = DensityChart("", "x", "y")
    qtbot.addWidget(chart)
    chart.set_counts([[0, 1], [0, 9]], [0, 1, 2], [10, 20, 30])
    chart.show()
    chart.redraw_now()
    assert chart.summary() == "10 points; most around 1, 20"
    assert chart._readings(0.5) == ("", []) and chart._readings(1.5)[1][0].words == "9"
    assert chart.csv().splitlines()[1:] == ["1.0,2.0,10.0,20.0,1.0", "1.0,2.0,20.0,30.0,9.0"]
    assert chart._image.image.shape == (2, 2, 4) and chart._image.image[0, 0, 3] == 0   # nothing there
    with pytest.raises(ValueError):
        chart.set_counts([[0, 1]], [0, 1], [0, 1])


def test_a_map_of_values_need_not_be_square(qtbot: QtBot) -> None:
    chart = MeetingMap(row_title="colour", column_title="size")
    qtbot.addWidget(chart)
    chart.set_data(["red", "green"], [[1, 2, 3], [40_000, 5, 6]], ["s", "m", "l"])
    chart.resize(400, 300)
    chart.show()
    assert chart.sentence(1, 2) == "colour is green, size is l: 6 rows"
    corner = chart._cell(1, 2).center()
    assert chart.cell_at(corner.x(), corner.y()) == (1, 2)
    chart.setFocus()
    with qtbot.waitSignal(chart.chosen) as chosen:
        for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_Return):
            qtbot.keyClick(chart, key)
    assert chosen.args == [1, 2]
    assert chart.csv().splitlines()[0] == "colour/size,s,m,l" and not chart.grab().isNull()


@pytest.mark.parametrize(("low", "high", "least", "labels"), [
    ("2024-01-01", "2024-01-03", 20_000, ["2024-01-01", "06:00", "12:00", "18:00", "2024-01-02", "06:00", "12:00",
                                          "18:00", "2024-01-03"]),
    ("2023-11-15", "2024-02-15", 25 * 86_400, ["2023-12", "2024-01", "2024-02"]),
    ("1999-06-01", "2012-06-01", 3 * 365 * 86_400, ["2000", "2005", "2010"]),
])
def test_ticks_of_moments_are_whole(low: str, high: str, least: float, labels: list[str]) -> None:
    from datetime import UTC, datetime

    first, last = (datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() for text in (low, high))
    step, found = moments.ticks(first, last, least)
    assert [moments.tick_words(at, step) for at in found] == labels


def test_moments_beyond_the_calendar_are_cut() -> None:
    assert moments.words(1e18) == "9999-12-31" and moments.words(-1e18) == "0001-01-01"
    assert moments.words(1_700_000_000) == "2023-11-14 22:13:20"
    assert moments.ticks(-1e18, 1e18, 1e17)[1]   # ends
