"""The paged table: right rows in right places, whatever the order in which pages come."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from PySide6.QtCore import QModelIndex, QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QAbstractItemModelTester, QTest
from PySide6.QtWidgets import QPlainTextEdit
from pytestqt.qtbot import QtBot

from mldesk.core.errors import WorkFailed
from mldesk.desktop.widgets import DataTable, PagedTableModel
from mldesk.desktop.widgets.table_header import missing_share
from mldesk.desktop.widgets.table_model import (
    PAGE,
    ChangedRole,
    ColumnRole,
    GoneRole,
    LoadingRole,
    MissingRole,
    ValueRole,
    number,
    shown,
)
from mldesk.wire.schema import Column, ColumnType, Order

COLUMNS = (Column("id", ColumnType.INTEGER, 0, 1000), Column("名前", ColumnType.TEXT, 10, 3),
           Column("score", ColumnType.NUMBER, 500, 99))


@dataclass
class Page:
    rows: list[list[Any]]
    total: int


@dataclass
class Numbered(Page):
    places: Sequence[int]


class Source:
    """A table of ``total`` rows that answers at once, later, or from a thread."""

    def __init__(self, total: int = 1000) -> None:
        self.total = total
        self.asked: list[tuple[int, int, Order | None]] = []
        self.waiting: list[tuple[Future[Page], Page]] = []

    def page(self, offset: int, limit: int, order: Order | None) -> Page:
        self.asked.append((offset, limit, order))
        numbers: Sequence[int] = range(self.total)
        if order is not None and order[0][1]:
            numbers = numbers[::-1]
        return Page([[i, f"name\n{i}", None if i % 2 else i / 8] for i in numbers[offset:offset + limit]], self.total)

    def later(self, offset: int, limit: int, order: Order | None) -> Future[Page]:
        future: Future[Page] = Future()
        self.waiting.append((future, self.page(offset, limit, order)))
        return future

    def arrive(self, index: int = 0) -> None:
        future, page = self.waiting.pop(index)
        future.set_result(page)


def _tested(model: PagedTableModel) -> PagedTableModel:
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal, model)
    return model


def test_rows_come_page_by_page_and_only_where_one_looks(qtbot: QtBot) -> None:
    source = Source()
    model = _tested(PagedTableModel(COLUMNS, source.page))
    assert (model.rowCount(), model.columnCount()) == (1000, 3)
    assert model.index(999, 0).data() == "999"
    assert {offset for offset, _, _ in source.asked} <= {0, 800}
    assert model.rowCount(model.index(0, 0)) == 0


def test_every_row_is_in_its_place_when_pages_come_in_any_order(qtbot: QtBot) -> None:
    source = Source()
    model = _tested(PagedTableModel(COLUMNS, source.later, total=1000))
    for row in (0, 250, 999):
        assert model.index(row, 0).data() is None
        assert model.index(row, 0).data(LoadingRole) is True
    with qtbot.waitSignal(model.loaded):
        source.arrive(2)
    with qtbot.waitSignal(model.loaded):
        source.arrive(0)
    assert model.index(999, 0).data(ValueRole) == 999
    assert model.index(3, 0).data(ValueRole) == 3
    assert model.index(250, 0).data(LoadingRole) is True
    assert len(source.asked) == 3  # nothing is asked for twice


def test_pages_come_from_a_thread_without_blocking(qtbot: QtBot) -> None:
    source = Source(5000)
    with ThreadPoolExecutor(2) as pool:
        model = _tested(PagedTableModel(COLUMNS, lambda *wish: pool.submit(source.page, *wish)))
        qtbot.waitUntil(lambda: model.rowCount() == 5000)
        table = DataTable(model)
        qtbot.addWidget(table)
        table.resize(600, 400)
        table.show()
        table.setCurrentIndex(model.index(4321, 0))
        qtbot.waitUntil(lambda: model.index(4321, 0).data(ValueRole) == 4321)


def test_pages_may_be_awaited(qtbot: QtBot) -> None:
    source = Source()

    async def fetch(offset: int, limit: int, order: Order | None) -> Page:
        await asyncio.sleep(0)
        return source.page(offset, limit, order)

    async def look() -> Any:
        model = PagedTableModel(COLUMNS, fetch)
        for _ in range(10):
            await asyncio.sleep(0)
        return model.index(7, 0).data(ValueRole)

    assert asyncio.run(look()) == 7


def test_an_answer_to_an_older_question_is_not_shown(qtbot: QtBot) -> None:
    source = Source()
    model = _tested(PagedTableModel(COLUMNS, source.later, total=1000))
    assert model.index(0, 0).data() is None
    model.sort(0, Qt.SortOrder.DescendingOrder)
    assert model.index(0, 0).data() is None
    source.arrive(0)  # of the old order
    with qtbot.waitSignal(model.loaded):
        source.arrive(0)
    assert model.index(0, 0).data(ValueRole) == 999


def test_the_order_is_the_far_sides_business(qtbot: QtBot) -> None:
    source = Source()
    model = _tested(PagedTableModel(COLUMNS, source.page))
    with qtbot.waitSignal(model.ordered) as told:
        model.sort(2, Qt.SortOrder.DescendingOrder)
    assert told.args == [(("score", True),)]
    assert model.index(0, 0).data(ValueRole) == 999
    assert source.asked[-1] == (0, PAGE, (("score", True),))
    model.sort(-1)
    assert model.order is None and model.index(0, 0).data(ValueRole) == 0


def test_a_reset_shows_another_table_and_keeps_an_order_that_still_makes_sense(qtbot: QtBot) -> None:
    model = _tested(PagedTableModel(COLUMNS, Source().page))
    model.sort(2)
    model.reset(fetch=Source(7).page)
    assert model.rowCount() == 7 and model.order == (("score", False),)
    model.reset(columns=COLUMNS[:1], fetch=Source(3).page)
    assert (model.rowCount(), model.columnCount(), model.order) == (3, 1, None)


def test_a_table_that_shrinks_or_grows_underneath_is_followed(qtbot: QtBot) -> None:
    source = Source(450)
    model = _tested(PagedTableModel(COLUMNS, source.page))
    source.total = 250
    assert model.index(230, 0).data(ValueRole) == 230
    assert model.rowCount() == 250
    source.total = 800
    model.reset()
    assert model.rowCount() == 800


def test_a_failure_is_a_sentence_and_may_be_tried_again(qtbot: QtBot) -> None:
    source, broken = Source(), [True]

    def fetch(offset: int, limit: int, order: Order | None) -> Page:
        if broken[0]:
            raise WorkFailed("The disk is gone.")
        return source.page(offset, limit, order)

    heard: list[str] = []
    model = PagedTableModel(COLUMNS, fetch, total=10)
    model.failed.connect(heard.append)
    assert model.index(0, 0).data() is None
    assert heard[0] == model.error == "The disk is gone."
    broken[0] = False
    model.reset(total=10)
    assert model.index(0, 0).data(ValueRole) == 0 and model.error == ""


def test_old_pages_make_room(qtbot: QtBot) -> None:
    source = Source(100_000)
    model = PagedTableModel(COLUMNS, source.page)
    for row in range(0, 100_000, PAGE):
        assert model.index(row, 0).data(ValueRole) == row
    assert len(model._pages) <= 60


def test_an_empty_table_and_a_table_without_columns_stand(qtbot: QtBot) -> None:
    assert _tested(PagedTableModel(COLUMNS, Source(0).page)).rowCount() == 0
    model = _tested(PagedTableModel((), lambda *_: Page([], 0)))
    table = DataTable(model)
    qtbot.addWidget(table)
    assert not table.grab().isNull()


def test_missing_cells_are_told_from_empty_ones(qtbot: QtBot) -> None:
    model = PagedTableModel(COLUMNS, lambda *_: Page([[None, "", 0.5]], 1))
    assert [model.index(0, column).data(MissingRole) for column in range(3)] == [True, False, False]
    assert model.index(0, 0).data(Qt.ItemDataRole.TextAlignmentRole) & int(Qt.AlignmentFlag.AlignRight)
    assert model.index(0, 1).data(Qt.ItemDataRole.TextAlignmentRole) & int(Qt.AlignmentFlag.AlignLeft)
    assert model.headerData(1, Qt.Orientation.Horizontal, ColumnRole).name == "名前"
    assert "10 missing" in model.headerData(1, Qt.Orientation.Horizontal, Qt.ItemDataRole.ToolTipRole)
    assert not model.index(0, 9).isValid() and model.data(QModelIndex()) is None


@pytest.mark.parametrize(("value", "kind", "words"), [
    (None, ColumnType.TEXT, ""), (True, ColumnType.BOOLEAN, "true"), (1234567, ColumnType.INTEGER, "1,234,567"),
    (2014, ColumnType.INTEGER, "2014"), (10000, ColumnType.INTEGER, "10,000"),
    (-5, ColumnType.INTEGER, "-5"), (2**70, ColumnType.INTEGER, str(2**70)), (0.1, ColumnType.NUMBER, "0.1"),
    (1234.5, ColumnType.NUMBER, "1,234.5"), (2.0, ColumnType.NUMBER, "2"), (float("inf"), ColumnType.NUMBER, "inf"),
    ("two\nlines", ColumnType.TEXT, "two lines"), ("x" * 900, ColumnType.TEXT, "x" * 200),
    ("2026-01-31", ColumnType.DATE, "2026-01-31"),
])
def test_values_are_shown_so_that_people_can_read_them(value: object, kind: ColumnType, words: str) -> None:
    assert shown(value, kind) == words


def test_very_small_and_large_fractions_are_written_short() -> None:
    assert number(1.23456789e-7).lower() == "1.23457e-07"
    assert number(123456.789) == "123,457"
    assert len(number(1.5e30)) < 10


def test_a_little_missing_is_not_nothing() -> None:
    assert missing_share(1, 1_000_000) == "<1 % missing"
    assert missing_share(999_999, 1_000_000) == "99 % missing"
    assert missing_share(5, 5) == "100 % missing"


@pytest.fixture
def table(qtbot: QtBot) -> DataTable:
    made = DataTable(PagedTableModel(COLUMNS, Source().page))
    qtbot.addWidget(made)
    made.resize(700, 400)
    made.show()
    return made


def test_a_header_orders_turns_round_and_undoes(table: DataTable, qtbot: QtBot) -> None:
    model = table.paged()
    assert model is not None
    seen = []
    for _ in range(3):
        table.header.sectionClicked.emit(2)
        seen.append(model.order)
    assert seen == [(("score", False),), (("score", True),), None]
    assert not table.header.order


def test_shift_orders_rows_that_are_alike_by_further_columns(table: DataTable, qtbot: QtBot) -> None:
    model = table.paged()
    assert model is not None
    qtbot.waitUntil(lambda: model.rowCount() > 0 and table.columnWidth(2) > 0)

    def click(section: int, keys: Qt.KeyboardModifier = Qt.KeyboardModifier.ShiftModifier) -> object:
        spot = QPoint(table.header.sectionViewportPosition(section) + 20, 10)
        qtbot.mouseClick(table.header.viewport(), Qt.MouseButton.LeftButton, keys, spot)
        return model.order

    assert click(2) == (("score", False),)
    assert click(1) == (("score", False), ("名前", False))
    assert click(2) == (("score", True), ("名前", False))   # in its place
    assert click(2) == (("名前", False),)                    # it is undone, the other stays
    assert click(2) == (("名前", False), ("score", False))
    assert table.header.order == model.order
    assert click(1, Qt.KeyboardModifier.NoModifier) == (("名前", False),)
    table.setCurrentIndex(model.index(0, 0))
    qtbot.keyClick(table, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.ShiftModifier)
    assert model.order == (("名前", False), (COLUMNS[0].name, True))


def test_cells_are_copied_as_a_table_that_spreadsheets_take(table: DataTable, qtbot: QtBot) -> None:
    model = table.model()
    table.setCurrentIndex(model.index(1, 0))
    table.selectionModel().select(model.index(1, 0), table.selectionModel().SelectionFlag.Select)
    from PySide6.QtCore import QItemSelection
    table.selectionModel().select(QItemSelection(model.index(1, 0), model.index(2, 2)),
                                  table.selectionModel().SelectionFlag.ClearAndSelect)
    qtbot.keyClick(table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == "1\tname 1\t\n2\tname 2\t0.25"


def test_rows_never_looked_at_are_fetched_before_they_are_copied(qtbot: QtBot) -> None:
    source = Source()
    model = PagedTableModel(COLUMNS, source.later, total=1000)
    table = DataTable(model)
    qtbot.addWidget(table)
    table.resize(400, 200)
    table.show()
    qtbot.waitExposed(table)
    QGuiApplication.clipboard().setText("before")
    table.selectAll()
    table.copy()
    assert QGuiApplication.clipboard().text() == "before"
    with qtbot.waitSignal(table.copied) as told:
        while source.waiting:
            source.arrive()
    assert told.args == [1000, 0]
    assert QGuiApplication.clipboard().text().splitlines()[777] == "777\tname 777\t"


def test_the_keyboard_orders_too(table: DataTable, qtbot: QtBot) -> None:
    table.setCurrentIndex(table.model().index(0, 2))
    qtbot.keyClick(table, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert table.paged().order == (("score", True),)
    qtbot.keyClick(table, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert table.paged().order == (("score", False),)
    qtbot.keyClick(table, Qt.Key.Key_Backspace, Qt.KeyboardModifier.AltModifier)
    assert table.paged().order is None


def test_the_keyboard_reaches_both_ends(table: DataTable, qtbot: QtBot) -> None:
    table.setCurrentIndex(table.model().index(3, 1))
    qtbot.keyClick(table, Qt.Key.Key_End, Qt.KeyboardModifier.ControlModifier)
    assert (table.currentIndex().row(), table.currentIndex().column()) == (999, 1)
    qtbot.keyClick(table, Qt.Key.Key_Home, Qt.KeyboardModifier.ControlModifier)
    assert table.currentIndex().row() == 0


def test_tab_leaves_the_table(table: DataTable) -> None:
    assert not table.tabKeyNavigation()


def test_columns_are_as_wide_as_they_need_within_limits(table: DataTable, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: table._sized)
    assert all(72 <= table.columnWidth(column) <= 340 for column in range(3))


def test_ten_thousand_columns_and_a_million_rows_open(qtbot: QtBot) -> None:
    wide = [Column(f"column {index}", ColumnType.NUMBER) for index in range(10_000)]
    table = DataTable(PagedTableModel(wide, lambda offset, limit, _: Page([[0.5] * 10_000] * 3, 3)))
    qtbot.addWidget(table)
    table.resize(800, 300)
    table.show()
    qtbot.waitUntil(lambda: table._sized)
    long = DataTable(PagedTableModel(COLUMNS, Source(1_000_000).page))
    qtbot.addWidget(long)
    long.resize(800, 300)
    long.show()
    long.scrollToBottom()
    assert not long.grab().isNull()


def test_a_cell_of_several_lines_is_edited_whole(qtbot: QtBot) -> None:
    from mldesk.desktop.states.hand_edits import HandEdits

    source = Source()

    def numbered(offset: int, limit: int, order: Order | None) -> Any:
        page = source.page(offset, limit, order)
        return Numbered(page.rows, page.total, range(offset, offset + len(page.rows)))

    table = DataTable(PagedTableModel(COLUMNS, numbered))
    qtbot.addWidget(table)
    edits, model = HandEdits(), table.paged()
    assert model is not None
    model.set_by_hand(edits)
    with qtbot.waitExposed(table):
        table.show()
    table.setCurrentIndex(model.index(3, 1))
    table.edit_current()
    field = table.viewport().findChild(QPlainTextEdit)
    assert field is not None and field.toPlainText() == "name\n3"
    field.setPlainText("one\ntwo")
    QTest.keyClick(field, Qt.Key.Key_Tab)
    qtbot.waitUntil(lambda: edits.cell(3, COLUMNS[1].name) == ("one\ntwo",))
    assert model.index(3, 1).data(ChangedRole) and "name\n3" in model.index(3, 1).data(Qt.ItemDataRole.ToolTipRole)
    edits.take_out([3])
    assert model.index(3, 0).data(GoneRole)
    table.selectAll()
    model.collect(3, 3, lambda rows: edits.put(0, COLUMNS[1], str(rows[0][1]), ""))
    assert edits.cell(0, COLUMNS[1].name) == ("one\ntwo",)
