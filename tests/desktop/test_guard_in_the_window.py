"""Another split, and the guard, in the Train dialog over a real library."""

from __future__ import annotations

from pathlib import Path

from pytestqt.qtbot import QtBot

from mldesk.desktop.pages.data.rows_dialog import RowsDialog
from mldesk.desktop.pages.runs.train_dialog import TrainDialog
from tests.desktop.scripted_user import User, dialogs, play


def test_the_guard_says_what_it_found_and_shows_the_rows(tmp_path: Path, qtbot: QtBot) -> None:
    async def script(user: User) -> None:
        window = user.window
        page = await user.sample()
        page.shell.train(page.state.reference)
        dialog = await user.until(lambda: next((one for one in dialogs() if isinstance(one, TrainDialog)), None),
                                  "the dialog")
        dialog.split.how.set_value("group")
        dialog.split.column.set_value("tenure")
        assert dialog.state.order.value.split_column == "tenure"
        dialog.split.how.set_value("random")
        await user.until(lambda: dialog.state.check.value is not None, "what is said of the order")
        assert dialog._order_row.isHidden()   # two classes have no order to speak of
        dialog.target.set_value("Contract")
        dialog._on_target("Contract")
        await user.until(lambda: not dialog._order_row.isHidden(), "the order of three classes")
        dialog.order.setText("Month-to-month, One year, Two year")
        assert dialog.state.order.value.order == ("Month-to-month", "One year", "Two year")
        await user.shot("order of the classes")
        dialog.kind.set_value("search")
        await user.until(lambda: dialog.windowTitle() == "Search for the best model", "its other title")
        dialog.search.blend.set_value("stack")
        dialog._on_search()
        assert dialog.state.search is not None and dialog.state.search.stack
        await user.shot("a stack")
        dialog.kind.set_value("one")
        dialog._on_search()
        dialog._on_target("Churn")
        assert dialog.state.order.value.order == ()
        dialog.state.change(features=("gender", "Partner", "tenure"))  # so few that rows are alike
        dialog.guard.check()
        await user.until(lambda: dialog.guard.found, "what the guard found")
        await user.shot("guard")
        shown = next(notice for notice in dialog.guard.found if not notice.button.isHidden())
        shown.button.click()
        rows = await user.until(lambda: next((one for one in dialogs() if isinstance(one, RowsDialog)), None), "rows")
        await user.until(lambda: rows.table.paged() and rows.table.paged().rowCount() > 1, "what they are")
        assert rows.table.paged().columns[0].name == "alike" and rows.table.paged().place(0) is not None
        await user.shot("rows of a concern")
        assert dialog.isVisible()   # with all that was filled in
        rows.primary.click()
        page = await user.until(window.dataset_page, "the page")
        await user.until(lambda: page.state.version.value and page.table.paged() and
                         page.table.paged().rowCount() == len(page.state.picked.value.only), "the rows")
        assert not dialogs()

    play(tmp_path / "home", script, patience=60, meet_machine=False)
