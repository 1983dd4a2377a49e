"""Charts: what they draw, how often, what they say, what they export."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QPainter, QPen, QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from mldesk.desktop import theme
from mldesk.desktop.widgets import Bar, BarChart, Chart, HeatMap, HistogramChart, MiniHistogram, ScatterChart, Sparkline
from mldesk.desktop.widgets.axis import nice_step, short
from mldesk.desktop.widgets.strokes import Stroke


@pytest.fixture
def chart(qtbot: QtBot) -> Chart:
    made = Chart("Loss", "Step", "nats", with_smoothing=True)
    qtbot.addWidget(made)
    made.resize(640, 400)
    made.show()
    return made


def test_many_appends_make_few_pictures(chart: Chart, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures: list[int] = []
    drawn = Chart._redraw
    monkeypatch.setattr(Chart, "_redraw", lambda self: (pictures.append(1), drawn(self)))
    for step in range(2000):
        chart.append("train_loss", [step], [1 / (step + 1)])
    assert not pictures
    qtbot.waitUntil(lambda: bool(pictures))
    qtbot.wait(80)
    assert len(pictures) == 1


def test_a_curve_of_one_point_is_a_dot() -> None:
    image = QImage(40, 40, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.white)
    painter = QPainter(image)
    for y, seen in ((float("nan"), False), (20.0, True)):
        Stroke(np.array([20.0]), np.array([y]), QPen(Qt.GlobalColor.black)).paint(painter)
        assert (image.pixelColor(20, 20) == Qt.GlobalColor.black) == seen
    painter.end()


def test_a_hidden_chart_draws_nothing_until_it_is_shown(qtbot: QtBot) -> None:
    chart = Chart()
    qtbot.addWidget(chart)
    chart.append("loss", range(10), range(10))
    assert not chart._timer.isActive()
    chart.show()
    qtbot.waitUntil(lambda: not chart._dirty)


def test_a_million_points_are_thinned_to_what_can_be_seen(chart: Chart) -> None:
    chart.set_series("loss", np.arange(1_000_000), np.random.default_rng(0).standard_normal(1_000_000))
    chart.redraw_now()
    assert len(chart.line("loss").xs) <= 4 * (chart.buckets() + 3)


def test_all_is_in_view_with_air_around_it(chart: Chart) -> None:
    chart.set_series("loss", [0, 100], [2.0, 3.0])
    chart.redraw_now()
    (left, right), (low, high) = chart.item.getViewBox().viewRange()
    assert left < 0 and right > 100 and low < 2.0 and high > 3.0


def test_zooming_shows_a_part_and_fits_y_to_it(chart: Chart) -> None:
    chart.set_series("loss", range(101), range(101))
    chart.set_zoom((10, 20))
    chart.redraw_now()
    (left, right), (_low, high) = chart.item.getViewBox().viewRange()
    assert (left, right) == pytest.approx((10, 20))
    assert high < 30
    chart.set_zoom(None)
    chart.redraw_now()
    assert chart.item.getViewBox().viewRange()[0][1] > 100


def test_dragging_zooms_and_a_double_click_shows_all(chart: Chart, qtbot: QtBot) -> None:
    chart.set_series("loss", range(101), range(101))
    chart.redraw_now()
    port, area = chart.view.viewport(), chart.area()
    at = [QPoint(round(area.left() + area.width() * share), round(area.center().y())) for share in (0.25, 0.5)]
    qtbot.mousePress(port, Qt.MouseButton.LeftButton, pos=at[0])
    qtbot.mouseMove(port, at[1])
    qtbot.mouseRelease(port, Qt.MouseButton.LeftButton, pos=at[1])
    zoomed = chart.zoom()
    assert zoomed is not None and zoomed == pytest.approx((25, 50), abs=2)
    qtbot.mouseDClick(port, Qt.MouseButton.LeftButton, pos=at[0])
    assert chart.zoom() is None


def test_the_wheel_scrolls_the_page_and_zooms_with_ctrl(chart: Chart, qapp: QApplication) -> None:
    chart.set_series("loss", range(101), range(101))
    chart.redraw_now()
    centre = chart.area().center()

    def turn(keys: Qt.KeyboardModifier) -> QWheelEvent:
        event = QWheelEvent(centre, QPointF(chart.mapToGlobal(centre.toPoint())), QPoint(), QPoint(0, 120),
                            Qt.MouseButton.NoButton, keys, Qt.ScrollPhase.NoScrollPhase, False)
        qapp.sendEvent(chart.view.viewport(), event)
        return event

    turn(Qt.KeyboardModifier.NoModifier)
    assert chart.zoom() is None
    turn(Qt.KeyboardModifier.ControlModifier)
    assert chart.zoom() is not None


def test_the_arrow_keys_read_the_curve_point_by_point(chart: Chart, qtbot: QtBot) -> None:
    chart.set_series("loss", [1, 2, 3], [0.9, 0.5, 0.25])
    chart.redraw_now()
    qtbot.keyClick(chart, Qt.Key.Key_Right)
    assert "Step 1" in chart.accessibleDescription()
    qtbot.keyClick(chart, Qt.Key.Key_Right)
    assert "Step 2" in chart.accessibleDescription() and "0.5" in chart.accessibleDescription()
    qtbot.keyClick(chart, Qt.Key.Key_Left)
    assert "Step 1" in chart.accessibleDescription()


def test_the_pointer_is_told_where_it_is(chart: Chart, qtbot: QtBot) -> None:
    chart.set_series("loss", range(101), range(101))
    chart.redraw_now()
    with qtbot.waitSignal(chart.hovered) as told:
        qtbot.mouseMove(chart.view.viewport(), chart.area().center().toPoint())
    assert told.args[0] == pytest.approx(50, abs=2)
    assert [reading.name for _, reading in chart._overlay.dots] == ["loss"]


def test_a_log_axis_leaves_gaps_where_values_are_not_positive(chart: Chart) -> None:
    chart.set_series("loss", [1, 2, 3, 4], [100.0, 0.0, 10.0, 1.0])
    chart.set_log(on=True)
    chart.redraw_now()
    low, high = chart.item.getViewBox().viewRange()[1]
    assert low < 0 < 2 < high < 3
    assert [reading.name for reading in chart._readings(2)[1]] == []


def test_smoothing_keeps_the_raw_curve_as_a_ghost_and_spares_sparse_curves(chart: Chart) -> None:
    draw = np.random.default_rng(0)
    chart.set_series("train_loss", range(2000), draw.standard_normal(2000))
    chart.set_series("validation_loss", range(0, 2000, 100), draw.standard_normal(20))
    chart.set_smoothing(0.9)
    chart.redraw_now()
    ghost, curve = chart.line("train_loss", ghost=True), chart.line("train_loss")
    assert np.nanstd(curve.ys) < np.nanstd(ghost.ys) / 2
    assert chart.line("validation_loss", ghost=True) is None


def test_a_chip_hides_its_curve_and_only_it(chart: Chart) -> None:
    chart.set_series("a", [0, 1], [0, 1])
    chart.set_series("b", [0, 1], [1, 0])
    chart.redraw_now()
    chips = [chart.legend.flow.itemAt(index).widget() for index in range(2)]
    chips[0].click()
    chart.redraw_now()
    assert chart.line("a") is None and chart.line("b") is not None
    assert "a" not in chart.summary().split(":")[0]


def test_colours_are_kept_when_a_curve_goes(chart: Chart) -> None:
    for name in ("a", "b", "c"):
        chart.set_series(name, [0, 1], [0, 1])
    chart.remove("a")
    chart.set_series("d", [0, 1], [0, 1])
    assert {name: series.slot for name, series in chart._series.items()} == {"b": 1, "c": 2, "d": 0}
    chart.clear()
    assert chart.names() == [] and chart.summary()


def test_a_nan_in_the_loss_draws_and_exports_as_a_gap(chart: Chart, tmp_path: Path) -> None:
    chart.set_series("loss", [1, 2, 3], [0.5, float("nan"), 0.25])
    chart.redraw_now()
    chart.saving.write_csv(tmp_path / "curve.csv")
    assert (tmp_path / "curve.csv").read_text() == "series,Step,nats\nloss,1.0,0.5\nloss,2.0,\nloss,3.0,0.25\n"


def test_the_picture_is_as_large_as_asked_and_not_empty(chart: Chart, tmp_path: Path) -> None:
    chart.set_series("loss", range(50), range(50))
    chart.saving.write_image(tmp_path / "curve.png")
    image = QImage(str(tmp_path / "curve.png"))
    assert image.width() == 2 * chart.width()
    assert len({image.pixel(x, y) for x in range(0, image.width(), 7) for y in range(0, image.height(), 7)}) > 3


def test_a_place_that_cannot_be_written_is_named(chart: Chart, tmp_path: Path, qtbot: QtBot) -> None:
    with qtbot.waitSignal(chart.notice) as told:
        chart.saving.save(tmp_path / "missing" / "curve.csv", chart.saving.write_csv)
    assert "curve.csv" in told.args[0] and told.args[1] == "danger"


def test_charts_take_the_colours_of_a_new_theme(chart: Chart, qapp: QApplication) -> None:
    chart.set_series("loss", [0, 1], [0, 1])
    chart.redraw_now()
    theme.apply(qapp, "dark")
    chart.redraw_now()
    assert chart.line("loss").pen.color().name() == theme.palette().series[0]


def test_ticks_are_round_and_short() -> None:
    assert [nice_step(value) for value in (0.011, 0.3, 1.0, 2.2, 30, 51)] == pytest.approx([0.02, 0.5, 1, 2.5, 50, 100])
    assert short(0.25, 0.25) == "0.25" and short(1500, 500) == "1,500"
    assert short(20_000, 5000) == "20,000" and short(20_000, 10_000) == "20k"
    assert short(2_500_000, 500_000) == "2.5M" and short(0, 1) == "0"
    assert short(2_500_000, 500_000) == "2.5M" and short(0, 1) == "0"


def test_scatter_leaves_out_what_is_not_finite(qtbot: QtBot) -> None:
    chart = ScatterChart("Residuals", "Actual", "Predicted", identity=True)
    qtbot.addWidget(chart)
    chart.set_points([1, 2, float("nan")], [1, 4, 5])
    chart.redraw_now()
    assert chart.csv() == "Actual,Predicted\n1.0,1.0\n2.0,4.0\n"
    (left, right), (low, high) = chart.item.getViewBox().viewRange()
    assert (left, right) == (low, high)
    with pytest.raises(ValueError, match="go together"):
        chart.set_points([1], [1, 2])


def test_a_histogram_needs_one_edge_more_than_counts(qtbot: QtBot) -> None:
    chart = HistogramChart("Residuals", "Error", "Rows")
    qtbot.addWidget(chart)
    chart.redraw_now()
    chart.set_data([1, 5, 2], [-1.5, -0.5, 0.5, 1.5])
    chart.redraw_now()
    assert chart._readings(0.1)[1][0].words == "5"
    assert "8 values" in chart.summary()
    with pytest.raises(ValueError, match="4 edges"):
        chart.set_data([1, 2, 3], [0, 1])


def test_a_confusion_matrix_says_shares_of_what_was(qtbot: QtBot) -> None:
    heat = HeatMap(["cat", "dog"], [[8, 2], [0, 0]])
    qtbot.addWidget(heat)
    heat.resize(300, 240)
    assert heat.share(0, 1) == 0.2 and heat.share(1, 0) == 0.0
    assert heat.sentence(0, 1) == "2 of “cat” were predicted as “dog” (20.0%)"
    assert "dog" in heat.accessibleDescription()
    with pytest.raises(ValueError, match="2 by 2"):
        heat.set_data(["a", "b"], [[1, 2]])


def test_cells_are_chosen_by_mouse_and_by_keys(qtbot: QtBot) -> None:
    heat = HeatMap(["cat", "dog", "cow"], [[8, 2, 0], [1, 9, 0], [0, 0, 5]])
    qtbot.addWidget(heat)
    heat.resize(420, 360)
    heat.show()
    with qtbot.waitSignal(heat.chosen) as told:
        qtbot.mouseClick(heat, Qt.MouseButton.LeftButton, pos=heat._cell(1, 2).center().toPoint())
    assert told.args == [1, 2]
    qtbot.keyClick(heat, Qt.Key.Key_Left)
    with qtbot.waitSignal(heat.chosen) as told:
        qtbot.keyClick(heat, Qt.Key.Key_Return)
    assert told.args == [1, 1]
    assert heat.cell_at(1, 1) is None
    assert heat.csv().splitlines()[1] == "cat,8.0,2.0,0.0"


@pytest.mark.parametrize("number", [0, 1, 2, 12, 60])
def test_a_matrix_of_any_size_is_painted(qtbot: QtBot, number: int) -> None:
    labels = [f"a rather long name {index}" for index in range(number)]
    heat = HeatMap(labels, [[float(row == column) for column in range(number)] for row in range(number)])
    qtbot.addWidget(heat)
    heat.set_percent(on=True)
    heat.resize(heat.sizeHint())
    assert not heat.grab().isNull()


@pytest.mark.parametrize("bars", [[], [Bar("zero", 0.0)], [Bar("up", 2.0, 0.5), Bar("down", -1.0)]])
def test_bars_of_any_sign_are_painted(qtbot: QtBot, bars: list[Bar]) -> None:
    chart = BarChart(bars, name="Importance")
    qtbot.addWidget(chart)
    chart.resize(400, 120)
    assert not chart.grab().isNull()
    assert chart.csv().count("\n") == len(bars) + 1


def test_small_pictures_take_anything(qtbot: QtBot) -> None:
    for widget in (MiniHistogram(), MiniHistogram([0, 0]), MiniHistogram([1, 2, 3], [0, 1, 2, 3]), Sparkline(),
                   Sparkline([1.0]), Sparkline([float("nan")]), Sparkline([1, float("nan"), float("inf"), 2])):
        qtbot.addWidget(widget)
        widget.resize(120, 40)
        assert not widget.grab().isNull()
        assert widget.accessibleName()


def test_a_path_is_made_once_for_the_same_points_however_often_a_curve_is_pointed_at(chart: Chart) -> None:
    for number in range(40):
        chart.set_series(f"run {number}", range(1000), np.random.default_rng(number).standard_normal(1000))
    chart.redraw_now()
    before = [chart.line(name) for name in chart.names()]
    chart.point_at("run 7")
    chart.redraw_now()
    assert [chart.line(name) for name in chart.names()] == before
    assert before[7].pen.widthF() > before[8].pen.widthF() and chart._canvas.strokes[-1] is before[7]
    chart.set_series("run 8", range(1000), np.zeros(1000))
    chart.redraw_now()
    assert chart.line("run 8") is not before[8] and chart.line("run 9") is before[9]


def test_the_pointer_singles_out_the_curve_it_is_at(qtbot: QtBot) -> None:
    chart = Chart(with_pointing=True)
    qtbot.addWidget(chart)
    chart.resize(700, 400)
    chart.show()
    for name, height in (("low", 0.0), ("high", 1.0)):
        chart.set_series(name, range(100), np.full(100, height))
    chart.redraw_now()
    told = []
    chart.pointed.connect(told.append)
    for height in (0.0, 0.5, 1.0):
        chart._on_move(chart._pixel(50.0, height))
    assert told == ["low", "", "high"]
    chart._on_leave()
    assert told[-1] == "" and chart._pointed == ""


def test_a_readout_without_room_for_all_shows_those_around_the_one_pointed_at(chart: Chart) -> None:
    for number in range(50):
        chart.set_series(f"run {number}", [0, 1], [number, number])
    chart.redraw_now()
    chart.point_at("run 20")
    chart.show_cross(1.0)
    readings, left_out = chart._overlay._lines()
    assert "run 20" in [reading.name for reading in readings] and len(readings) + left_out == 50
    assert not chart.image().isNull()


def test_more_curves_than_chips_are_counted(chart: Chart) -> None:
    for number in range(30):
        chart.set_series(f"run {number}", [0, 1], [0, number])
    labels = [chart.legend.flow.itemAt(place).widget() for place in range(chart.legend.flow.count())]
    assert len(labels) == 25 and labels[-1].text() == "and 6 more"
