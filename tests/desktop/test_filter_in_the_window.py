"""The table of a dataset is narrowed by a text, by what a value is not, by some values, and by a condition in SQL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from mldesk.desktop.pages.data.filter_dialog import FilterDialog
from mldesk.desktop.tasks import in_thread
from tests.desktop.scripted_user import User, dialogs, play

TABLE = ("id,city,price,day\n1,Lyon,30,2024-01-01\n2,Oslo,10,2024-01-02\n3,,20,2024-01-03\n4,St. O'Lyon,,2024-01-04\n"
         "5,Oslo,10.5,2024-01-05\n")


async def _ask(user: User, page: Any, way: str, column: str = "") -> FilterDialog:
    page.state.picked.value = None
    dialog: FilterDialog | None = page.tools.ask_filter(column)
    assert dialog is not None
    dialog.way.set_value(way)
    dialog._show()
    return dialog


async def _rows(user: User, page: Any, wanted: list[int]) -> None:
    await user.until(lambda: not dialogs(), "the dialog to close")
    model = page.table.paged()

    def seen() -> bool:
        return bool(model.rowCount() == len(wanted) and model.is_loaded(0)
                    and [model.index(row, 0).data() for row in range(len(wanted))] == [str(row) for row in wanted])

    await user.until(seen, f"rows {wanted}, not {page.state.picked.value}")


async def _script(user: User) -> None:
    window = user.window
    await user.until(lambda: window.desk.ready.value, "the library")
    await in_thread(window.desk.workbench.datasets.import_text, TABLE, "t")
    window.open_dataset("t")
    page = await user.until(window.dataset_page, "the dataset")
    model = await user.until(lambda: page.table.paged(), "the table")
    await user.until(lambda: model.rowCount() == 5 and model.is_loaded(0), "rows")
    dialog = await _ask(user, page, "contains", "city")
    assert not dialog.primary.isEnabled()
    dialog.text.setText("o'lYON")
    dialog.primary.click()
    await _rows(user, page, [4])
    dialog = await _ask(user, page, "not", "price")
    dialog.text.setText("many")
    assert dialog._rows["text"].error() == "price holds no such value."
    dialog.text.setText("10")
    dialog.primary.click()
    await _rows(user, page, [1, 3, 4, 5])
    dialog = await _ask(user, page, "one_of", "city")
    await user.until(lambda: dialog.values.count() == 4, "the values")
    dialog.values.set_values(["Lyon", "\0"])   # and what is missing
    dialog.primary.click()
    await _rows(user, page, [1, 3])
    dialog = await _ask(user, page, "sql")
    dialog.sql.setPlainText("prise > 10")
    dialog.primary.click()
    await user.until(lambda: "prise" in dialog._rows["sql"].error(), "what is wrong with it")
    dialog.sql.setPlainText("price > 10 AND city = 'Oslo'")
    dialog.primary.click()
    await _rows(user, page, [5])
    page.state.picked.value = None
    await _rows(user, page, [1, 2, 3, 4, 5])
    menu = QMenu(page)
    page.table.more(menu, model.index(0, 1))
    next(action for action in menu.actions() if action.text() == "Only rows: city is not Lyon").trigger()
    await _rows(user, page, [2, 3, 4, 5])


def test_a_table_is_narrowed_in_every_way(tmp_path: Path, qtbot: QtBot) -> None:
    play(tmp_path / "home", _script, patience=60, meet_machine=False)
