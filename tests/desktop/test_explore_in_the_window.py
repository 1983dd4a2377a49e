"""The Explore tab over a real library: pairs, a target, and the way to the rows."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from mldesk.desktop.pages.data.dataset_table_menu import TableMenu, like
from mldesk.desktop.pages.data.explore_chart import ChartCard
from mldesk.desktop.pages.data.explore_view import ExploreView
from mldesk.desktop.widgets import BarChart, DensityChart, HistogramChart, ScatterChart, ScrollPage
from mldesk.desktop.widgets.boxes import BoxChart
from mldesk.desktop.widgets.meetings import MeetingMap
from tests.desktop.scripted_user import User, play

DEAR = 175   # customers of at least 71 months who pay 100 or more


async def explore(user: User) -> None:
    """Look into the sample, leaving screenshots where they are wanted."""
    page = await user.sample()
    page.show_tab("explore")
    view = page.findChild(ExploreView)
    await user.until(lambda: view.state.statistics.value, "the statistics")
    assert not view.state.busy.value and not view.cancel.isVisible()
    names = [view.map.name(place) for place in range(len(view.map._labels))]
    view.map.chosen.emit(names.index("Contract"), names.index("tenure"))
    assert view.chart.kind.value() == "box" and view.chart.axes["y"].value() == "tenure"
    await user.until(lambda: isinstance(view.chart.picture, BoxChart), "boxes")
    assert "Two year" in view.chart.picture.accessibleDescription()
    assert "tenure and Contract: correlation ratio" in view.map.sentence(names.index("tenure"),
                                                                         names.index("Contract"))
    await user.shot("pair")
    view.map.chosen.emit(names.index("Contract"), names.index("PaymentMethod"))
    await user.until(lambda: isinstance(view.chart.picture, MeetingMap), "values that meet")
    view.target.set_value("Churn")
    await user.until(lambda: view.target_card, "the target")
    await user.shot("target")
    QTest.keyClick(view.target_card.columns, Qt.Key.Key_Down)
    QTest.keyClick(view.target_card.columns, Qt.Key.Key_Return)   # the second of those that tell most: a number
    assert (view.chart.kind.value(), view.chart.axes["b"].value()) == ("box", "Churn")
    await user.until(lambda: isinstance(view.chart.picture, BoxChart), "its boxes by class")
    view.findChild(ScrollPage).verticalScrollBar().setValue(100_000)
    await user.shot("findings")
    button = next(button for card in view.findings for button in card.buttons)
    button.click()
    assert page.tabs.value() == "table" and page.state.picked.value
    rows = page.state.version.value.rows
    await user.until(lambda: 0 < page.table.model().rowCount() < rows, "fewer rows")
    await user.shot("rows")
    page.state.picked.value = None
    await user.until(lambda: page.table.model().rowCount() == rows, "all rows")
    page.show_tab("explore")
    view.chart.choose("bar", x="Contract")
    await user.until(lambda: isinstance(view.chart.picture, BarChart), "bars")
    view.chart.picture.setFocus()
    QTest.keyClick(view.chart.picture, Qt.Key.Key_Down)
    QTest.keyClick(view.chart.picture, Qt.Key.Key_Return)   # the second bar
    count = view.chart.picture._bars[1].value
    await user.until(lambda: page.table.model().rowCount() == count, "the bar's rows")
    page.show_tab("explore")
    view.chart.choose("histogram", x="tenure")
    await user.until(lambda: isinstance(view.chart.picture, HistogramChart), "the histogram")
    view.chart.picture.set_zoom((71.5, 72.5))
    await user.shot("part")
    view.chart.rows.click()
    await user.until(lambda: page.table.model().rowCount() == 362, "who stayed 72 months")
    page.show_tab("explore")
    check_files(view.chart)
    view.chart.choose("density", x="tenure", y="MonthlyCharges")
    await user.until(lambda: isinstance(view.chart.picture, DensityChart), "the density")
    view.chart.picture.set_box((70.5, 72.5, 100, 200))
    view.chart.rows.click()
    await user.until(lambda: page.table.model().rowCount() == DEAR, "who pays much, and for long")
    page.show_tab("explore")
    view.chart.narrowed.setChecked(True)   # the chart follows the table, too
    await user.until(lambda: view.chart.picture.summary().startswith(f"{DEAR} points"), "a chart of these alone")
    view.chart.choose("scatter", x="tenure", y="MonthlyCharges")
    await user.until(lambda: isinstance(view.chart.picture, ScatterChart), "points")
    page.show_tab("table")
    await user.until(lambda: page.table.paged().is_loaded(0), "rows")
    page.table.selectRow(0)
    page.show_tab("explore")
    picture = view.chart.picture
    assert picture._marked.sum() == 1 and "in the table are ringed" in view.chart._said.text()
    cell = page.table.paged().index(0, view.chart.axes["y"].findText("MonthlyCharges"))
    assert picture._y[picture._marked].tolist() == [float(cell.data(Qt.ItemDataRole.EditRole))]
    await user.shot("ringed")
    page.table.clearSelection()
    assert not picture._marked.any() and "ringed" not in view.chart._said.text()


def check_files(card: ChartCard) -> None:
    """Save the chart as each kind of file."""
    with TemporaryDirectory() as folder:
        for kind, begin in (("png", b"\x89PNG"), ("svg", b"<?xml"), ("csv", b"from,to,count")):
            path = Path(folder, f"chart.{kind}")
            card._save(path)
            assert path.read_bytes().startswith(begin)


def test_the_explore_tab_leads_from_pairs_and_findings_to_rows(tmp_path: Path, qtbot: QtBot) -> None:
    play(tmp_path / "home", explore, patience=60, meet_machine=False)


async def narrow(user: User) -> None:
    """Narrow the table by cells, and hide a column."""
    page = await user.sample()
    model = await user.until(lambda: page.table.paged(), "the table")
    await user.until(lambda: model.rowCount() and model.is_loaded(0), "rows")
    names = [column.name for column in model.columns]
    tools = page.table.findChild(TableMenu)
    menu = QMenu(page)
    page.table.more(menu, model.index(0, names.index("Contract")))
    menu.actions()[1].trigger()   # the first is a line
    await user.until(lambda: model.rowCount() == 3875, "the monthly contracts")
    tools.narrow(like(model.columns[names.index("tenure")], 72)[0])
    await user.until(lambda: 0 < model.rowCount() < 100, "those that stayed")
    tools.arrangement.hide("gender")
    page.state.picked.value = None
    await user.until(lambda: model.rowCount() > 7000, "all rows")
    assert page.table.isColumnHidden(names.index("gender"))   # also of a table that was read again
    tools.arrangement.show_all()
    assert not page.table.isColumnHidden(names.index("gender"))

    page.show_query()
    page.query.field.setPlainText("SELECT count(*) FROM range(3000000) AS a, range(3000000) AS b")
    page.query.run_query()
    await user.until(lambda: page.query.cancel.isVisible(), "the query under way")
    await user.shot("query")
    page.query.cancel.click()
    await user.until(lambda: not page.query.cancel.isVisible(), "its end")


def test_the_table_is_narrowed_by_its_cells(tmp_path: Path, qtbot: QtBot) -> None:
    play(tmp_path / "home", narrow, patience=60, meet_machine=False)
