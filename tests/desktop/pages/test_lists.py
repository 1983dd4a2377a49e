from __future__ import annotations

from dataclasses import dataclass

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from mldesk.desktop.pages.column_choice import ColumnBox, ColumnList
from mldesk.desktop.pages.record_model import Field, RecordModel
from mldesk.desktop.pages.record_table import RecordTable
from mldesk.wire.schema import Column, ColumnType


@dataclass(frozen=True)
class Thing:
    """Something in a list."""

    name: str
    size: int


FIELDS: list[Field[Thing]] = [
    Field("Name", lambda thing: thing.name, strong=True),
    Field("Size", lambda thing: f"{thing.size} B", 100, lambda thing: thing.size, right=True, spare=1),
    Field("Kind", lambda _: "", 100, badge=lambda thing: ("large" if thing.size > 5 else "small", "info", ""), spare=2),
]
THINGS = [Thing("pear", 10), Thing("apple", 9), Thing("fig", 1)]


@pytest.fixture
def table(qtbot: QtBot) -> RecordTable[Thing]:
    made: RecordTable[Thing] = RecordTable(FIELDS, lambda thing: thing.name, "Things", many=True)
    qtbot.addWidget(made)
    made.resize(600, 300)
    made.show()
    made.set_records(THINGS)
    return made


def names(table: RecordTable[Thing]) -> list[str]:
    return [thing.name for thing in table.records.records]


def test_numbers_are_ordered_as_numbers_and_a_third_click_undoes_it(table: RecordTable[Thing]) -> None:
    for expected in (["fig", "apple", "pear"], ["pear", "apple", "fig"], ["pear", "apple", "fig"]):
        table._on_header(1)
        assert names(table) == expected


def test_every_word_of_the_filter_must_occur_in_some_cell(table: RecordTable[Thing]) -> None:
    table.set_filter("large 9")
    assert names(table) == ["apple"]
    table.set_filter("")
    assert len(names(table)) == 3


def test_what_is_chosen_stays_chosen_while_the_list_changes(table: RecordTable[Thing]) -> None:
    table.select(["apple", "fig"])
    table.set_records([Thing("new", 3), *THINGS])
    assert [thing.name for thing in table.selected()] == ["apple", "fig"]
    table.set_records([Thing("fig", 2)])
    assert [thing.name for thing in table.selected()] == ["fig"]


def test_a_list_is_sorted_again_as_it_was(table: RecordTable[Thing]) -> None:
    assert table.sorted_by() == ""
    title = FIELDS[1].title
    for kept in (f"-{title}", title):
        table.sort_by(kept)
        assert table.sorted_by() == kept
        sizes = [thing.size for thing in table.records.records]
        assert sizes == sorted(sizes, reverse=kept.startswith("-"))
    table._on_header(1)   # a click on a column that sorts upwards
    assert table.sorted_by() == f"-{title}"
    table.sort_by("a column of another release")
    assert table.sorted_by() == ""


def test_enter_opens_what_is_current(table: RecordTable[Thing], qtbot: QtBot) -> None:
    table.select(["apple"])
    with qtbot.waitSignal(table.opened) as opened:
        qtbot.keyClick(table, Qt.Key.Key_Return)
    assert opened.args == [THINGS[1]]


def test_columns_that_can_be_spared_make_room_for_the_name(table: RecordTable[Thing]) -> None:
    shown = []
    for width in (600, 300, 200):
        table.resize(width, 300)
        shown.append([not table.isColumnHidden(column) for column in range(3)])
    assert shown == [[True, True, True], [True, True, False], [True, False, False]]


def test_cells_that_are_cut_say_all_in_their_tooltip(table: RecordTable[Thing]) -> None:
    assert table.records.index(0, 0).data(Qt.ItemDataRole.ToolTipRole) == "pear"


def test_an_unchanged_list_is_not_rebuilt() -> None:
    model: RecordModel[Thing] = RecordModel(FIELDS, lambda thing: thing.name)
    assert model.set_records(THINGS)
    assert not model.set_records([Thing("pear", 11), *THINGS[1:]])
    assert model.records[0].size == 11


COLUMNS = [Column(name, ColumnType.TEXT) for name in ("customer id", "tenure", "Churn", "churn risk")]


def test_a_column_is_found_by_any_part_of_its_name(qtbot: QtBot) -> None:
    box = ColumnBox(COLUMNS)
    qtbot.addWidget(box)
    told: list[str] = []
    box.changed.connect(told.append)
    box.setEditText("risk")
    assert box.value() == ""
    box._settle()
    assert box.value() == "churn risk"
    box.set_value("Churn")
    assert (box.value(), told) == ("Churn", ["churn risk", "Churn"])


def test_ticks_survive_a_search_and_come_in_table_order(qtbot: QtBot) -> None:
    ticks = ColumnList(COLUMNS)
    qtbot.addWidget(ticks)
    ticks.set_values(["tenure"])
    ticks.show()
    ticks._on_searched("churn")
    ticks._tick_shown(True)
    assert ticks.values() == ["tenure", "Churn", "churn risk"]
    ticks._tick_shown(False)
    assert ticks.values() == ["tenure"]


def test_ten_thousand_columns_are_offered_without_making_a_row_for_each(qtbot: QtBot) -> None:
    ticks = ColumnList([Column(f"c{number}", ColumnType.NUMBER) for number in range(10_000)], ticked=True)
    qtbot.addWidget(ticks)
    assert len(ticks.values()) == ticks.count() == 10_000
    assert ticks.list.count() == 0
