"""How a dataset's table is laid out is kept with the dataset, and pinned columns stay in sight.

    python -m tests.desktop.test_layout_in_the_window DIR WIDTH HEIGHT MODE

leaves screenshots in DIR.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from mldesk.desktop import theme
from mldesk.desktop.pages.data.dataset_table_menu import TableMenu
from mldesk.desktop.pages.data.shown_columns import ShownColumnsDialog
from mldesk.desktop.states.dataset import LAYOUT
from tests.desktop.scripted_user import User, dialogs, play


async def opened(user: User, version: int) -> tuple[Any, Any, dict[str, int]]:
    """Wait for the page, and return its table, its tools, and the places of its columns."""
    page = await user.until(user.window.dataset_page, "the page")
    await user.until(lambda: (seen := page.state.version.value) and seen.number == version, "the version")
    table = page.table
    await user.until(lambda: table.paged() and table.paged().rowCount() and table.paged().is_loaded(0), "rows")
    return table, table.findChild(TableMenu), {one.name: at for at, one in enumerate(table.paged().columns)}


def choose(table: Any, section: int, words: str) -> None:
    """Choose an entry of a cell's menu."""
    menu = QMenu(table)
    table.more(menu, table.paged().index(0, section))
    next(entry for entry in menu.actions() if entry.text() == words).trigger()


def seen(table: Any) -> list[str]:
    return [table.paged().columns[section].name for section in table.columns_seen()]


async def lay_out(user: User) -> None:
    window = user.window
    await user.until(lambda: window.desk.ready.value, "the library")
    window.import_sample()
    table, tools, at = await opened(user, 1)
    frozen = tools.arrangement.frozen
    assert not frozen.isVisible() and not tools.arrangement.note.isVisible()
    choose(table, at["tenure"], "Pin tenure")
    choose(table, at["Contract"], "Pin Contract")
    choose(table, at["gender"], "Hide gender")
    choose(table, at["Churn"], "Move Churn to the front")
    table.setColumnWidth(at["Contract"], 150)
    assert seen(table)[:4] == ["tenure", "Contract", "Churn", "customerID"] and "gender" not in seen(table)
    assert frozen.isVisible() and frozen.columnWidth(at["Contract"]) == 150
    assert table.fixed == {at["tenure"], at["Contract"]}
    assert frozen.width() == table.columnWidth(at["tenure"]) + 150

    tools.arrangement.choose.click()
    sheet = next(one for one in dialogs() if isinstance(one, ShownColumnsDialog))
    sheet.columns.set_values([])
    assert not sheet.primary.isEnabled()
    sheet.columns.set_values([name for name in at if name not in ("gender", "Partner")])
    sheet.primary.click()
    assert "Partner" not in seen(table) and len(seen(table)) == len(at) - 2
    tools.arrangement.show_only([name for name in at if name != "gender"])

    table.setCurrentIndex(table.paged().index(700, at["MonthlyCharges"]))
    await user.until(lambda: table.paged().is_loaded(700), "the rows looked at")
    assert frozen.verticalScrollBar().value() == table.verticalScrollBar().value() > 0
    assert frozen.rowAt(10) == table.rowAt(10)
    table.horizontalScrollBar().setValue(table.horizontalScrollBar().maximum())
    far = table.horizontalScrollBar().value()
    assert far > 0
    table.setCurrentIndex(table.paged().index(700, at["tenure"]))   # it is seen already
    assert table.horizontalScrollBar().value() == far
    await user.shot("scrolled")
    table.setCurrentIndex(table.paged().index(700, at["Churn"]))    # not left under the pinned ones
    assert table.visualRect(table.currentIndex()).left() >= frozen.width()

    place = frozen.visualRect(table.paged().index(701, at["Contract"])).center()
    QTest.mouseClick(frozen.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert (table.currentIndex().row(), table.currentIndex().column()) == (701, at["Contract"])
    table.selectRow(701)
    table.copy()
    await user.until(lambda: QGuiApplication.clipboard().text().count("\t") == len(at) - 2, "what is seen of the row")
    await user.shot("pinned")

    settings = window.desk.workbench.settings
    await user.until(lambda: settings.get(LAYOUT.format(name="telco_churn"), {}).get("widths") == {"Contract": 150},
                     "it to be kept")
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    theme.apply(app, scale=2.0)
    theme.apply(app, scale=1.0)
    assert not tools.arrangement._settle.isActive()   # nobody laid anything out
    window.go("datasets")
    window.desk.workbench.cleaning.clean("telco_churn", [
        {"step": "drop", "columns": ["tenure"]}])
    window.open_dataset("telco_churn")
    table, tools, at = await opened(user, 2)
    assert seen(table)[:3] == ["Contract", "Churn", "customerID"] and "gender" not in seen(table)
    await user.until(lambda: table.columnWidth(at["Contract"]) == 150, "its width")
    assert tools.arrangement.note.text() == "1 column hidden"
    await user.shot("again")
    choose(table, at["Contract"], "Unpin Contract")
    choose(table, at["Contract"], "Show all columns")
    assert seen(table)[0] == "Churn" and set(seen(table)) == set(at)
    assert not tools.arrangement.frozen.isVisible() and not table.covered
    await user.until(lambda: settings.get(LAYOUT.format(name="telco_churn"))["pinned"] == ["tenure"], "that")


def test_a_table_is_laid_out_as_it_was_left(tmp_path: Path, qtbot: QtBot) -> None:
    play(tmp_path / "home", lay_out, patience=60, meet_machine=False)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
        play(Path(home) / "home", lay_out, mode=sys.argv[4], shots=Path(sys.argv[1]), meet_machine=False,
             size=(int(sys.argv[2]), int(sys.argv[3])))
