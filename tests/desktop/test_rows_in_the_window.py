"""The way from an evaluation to a row of the data, in a real window over a real library."""

from __future__ import annotations

from pathlib import Path

from pytestqt.qtbot import QtBot

from tests.desktop.scripted_user import User, play


def test_a_row_is_shown_in_its_own_version(tmp_path: Path, qtbot: QtBot) -> None:
    async def script(user: User) -> None:
        window = user.window
        page = await user.sample()
        await user.until(lambda: page.table.model() and page.table.model().rowCount(), "rows")
        window.desk.workbench.cleaning.clean("telco_churn", [{"step": "drop", "columns": ["customerID"]}])
        window.open_row("telco_churn@1", 4000)
        page = await user.until(window.dataset_page, "the page")
        await user.until(lambda: page.table.currentIndex().row() == 4000, "the row")
        version = page.state.version.value
        assert version is not None and version.number == 1
        area = page.table.viewport().rect()
        await user.until(lambda: area.contains(page.table.visualRect(page.table.currentIndex()).center()), "to see it")
        assert page.table.selectionModel().isRowSelected(4000)
        page.go_to_row(10**9, 1)  # a row that is not there moves nothing
        assert page.table.currentIndex().row() == 4000

    play(tmp_path / "home", script, patience=60, meet_machine=False)
