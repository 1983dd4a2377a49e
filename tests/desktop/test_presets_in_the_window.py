"""Presets in the Train dialog over a real library: keep the settings, and start from them again."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from mldesk.desktop.pages.runs.preset_menu import ask_name, preset_entries
from mldesk.desktop.pages.runs.train_dialog import TrainDialog
from tests.desktop.scripted_user import User, dialogs, play


def test_settings_are_kept_and_started_from(tmp_path: Path, qtbot: QtBot) -> None:
    async def script(user: User) -> None:
        page = await user.sample()
        page.shell.train(page.state.reference)

        def shown() -> TrainDialog | None:
            return next((one for one in dialogs() if isinstance(one, TrainDialog)), None)

        dialog = await user.until(shown, "the dialog")
        await user.until(lambda: dialog.state.check.value is not None, "what is said of the order")
        dialog.seed.setValue(7)
        dialog.split.how.set_value("group")
        dialog.split.column.set_value("tenure")
        sheet = ask_name(page.shell, dialog, dialog.state)
        sheet.findChildren(QLineEdit)[0].setText("by tenure")
        await user.shot("keep a preset")
        sheet.confirmed.emit()
        bench = page.shell.desk.workbench
        await user.until(lambda: "by tenure" in bench.presets.list(), "the preset")
        await user.until(lambda: dialogs() == [dialog], "the sheet is closed")
        dialog.seed.setValue(0)
        assert dialog.presets.isVisible()
        preset_entries(page.shell, dialog, bench.presets.list(), dialog.state, dialog._start_from)[0].act()
        again = await user.until(lambda: (found := shown()) is not dialog and found, "the dialog, anew")
        assert (again.seed.value(), again.split.how.value(), again.state.order.value.split_column) == (
            7, "group", "tenure")
        await user.shot("started from a preset")
        again.reject()

    play(tmp_path / "home", script, patience=60, meet_machine=False)
