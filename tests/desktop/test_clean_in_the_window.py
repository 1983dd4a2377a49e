"""The recipe editor: what a step changes is marked, code runs once it was allowed, steps are left to the model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from mldesk.data.recipes.steps import BY_NAME
from mldesk.desktop.pages.data.clean_dialog import CleanDialog
from mldesk.desktop.pages.data.recipe_menu import CodeDialog
from mldesk.desktop.tasks import in_thread
from tests.desktop.scripted_user import User, dialogs, play

CODE = "def step(frame):\n    frame['twice'] = frame['tenure'] * 2\n    return frame\n"


async def _quiet(user: User, dialog: CleanDialog) -> None:
    await user.pause(0.5)   # a form waits that long before it asks for a preview
    await user.until(lambda: not dialog.state.busy.value and not dialog.editor.timer.isActive(), "the preview")


async def _marks(user: User, dialog: CleanDialog) -> None:
    dialog.edit(BY_NAME["derive"])
    form: Any = dialog.editor.form
    form._rows["name"].editor.setText("yearly")
    form._rows["expression"].editor.setPlainText("MonthlyCharges * 12")
    header = dialog.preview.table.header
    await user.until(lambda: header.marks == {"yearly": "new"}, "the new column to be marked")
    dialog.editor.keep_button.click()
    await user.until(lambda: len(dialog.state.steps.value) == 1, "the step")
    dialog.edit(BY_NAME["clip"])
    form = dialog.editor.form
    form._rows["columns"].editor.set_values(["tenure"])
    form._rows["high"].editor.setText("10")
    assert dialog.editor.learning.isHidden()   # limits of one's own are learnt from nothing
    form._rows["by"].editor.set_value("shares")
    form._rows["high"].editor.setText("0.9")
    assert "A model can learn it from its training rows instead" in dialog.editor.learning.text()
    form._rows["by"].editor.set_value("values")
    form._rows["high"].editor.setText("10")
    await user.until(lambda: header.marks == {"tenure": "changed"}, "the changed column to be marked")
    dialog.editor.leave()
    await _quiet(user, dialog)


async def _python(user: User, dialog: CleanDialog) -> None:
    dialog.edit(BY_NAME["python"])
    form: Any = dialog.editor.form
    form._rows["code"].editor.setPlainText("def step(frame):\n    return frame['nosuch']\n")
    await _quiet(user, dialog)
    assert dialog.state.problem.value is None   # nothing ran while it was typed
    dialog.editor.try_button.click()
    await user.until(lambda: dialog.state.problem.value is not None, "the failure")
    assert "line 2" in dialog.state.problem.value.message
    form._rows["code"].editor.setPlainText(CODE)
    dialog.editor.try_button.click()
    await user.until(lambda: "twice" in dialog.preview.table.header.marks, "what the code makes")
    dialog.editor.keep_button.click()
    await user.until(lambda: len(dialog.state.steps.value) == 2, "the step of code")
    await _quiet(user, dialog)
    assert dialog.primary.isEnabled()


async def _foreign_code(user: User, dialog: CleanDialog) -> None:
    before = dialog.state.steps.value
    foreign = {"step": "python", "code": CODE.replace("twice", "thrice")}
    QApplication.clipboard().setText(json.dumps({"steps": [foreign]}))
    dialog.menu.paste()
    asked = await user.until(lambda: next((one for one in dialogs() if isinstance(one, CodeDialog)), None), "a word")
    asked.reject()
    await user.until(lambda: dialog.state.steps.value[0].get("disabled"), "the code to be left out")
    dialog.state.steps.undo()
    assert dialog.state.steps.value == before
    QApplication.clipboard().setText(json.dumps({"steps": [{"step": "python", "code": CODE}]}))
    dialog.menu.paste()   # allowed already
    await user.until(lambda: [step.get("disabled") for step in dialog.state.steps.value] == [None], "it to be taken")
    dialog.state.steps.undo()


async def _order(user: User, dialog: CleanDialog) -> None:
    before = dialog.state.steps.value
    steps = [{"step": "drop", "columns": [name]} for name in ("customerID", "gender", "tenure")]
    dialog.state.set_steps(steps)
    await _quiet(user, dialog)
    dialog.list.setCurrentRow(0)
    for place in (1, 2, 2):   # beyond the end nothing happens
        QTest.keyClick(dialog.list, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
        await user.until(lambda place=place: dialog.list.chosen() == place, "the moved step to be the chosen one")
    assert list(dialog.state.steps.value) == [steps[1], steps[2], steps[0]]
    dialog.list.model().moveRow(QModelIndex(), 2, QModelIndex(), 0)   # as a step that was dragged to the top
    await user.until(lambda: list(dialog.state.steps.value) == steps, "the steps in their order")
    dialog.state.set_steps(before)
    await _quiet(user, dialog)


async def _cleaned_already(user: User, window: Any) -> None:
    service = window.desk.workbench.datasets
    steps = [{"step": "clean_text", "columns": ["gender"], "case": "upper"}]
    await in_thread(window.desk.workbench.cleaning.clean, "shares", steps)
    for version, said in ((1, "was made of this one"), (2, "are cleaned by them already")):
        dialog = CleanDialog(window, await in_thread(service.show, f"shares@{version}"), steps)
        dialog.open()
        await user.until(lambda dialog=dialog, said=said: said in dialog.notices.text.text(), "the hint")
        dialog.reject()


async def _learning(user: User, dialog: CleanDialog) -> None:
    dialog.state.set_steps([{"step": "scale", "columns": ["tenure"], "how": "standard"},
                            {"step": "filter", "where": "nosuch > 3"}])
    await user.until(lambda: dialog.state.wrong() == 1, "the wrong step")
    dialog.state.remove(1)
    await user.until(lambda: not dialog.notices.leave.isHidden(), "the offer to leave it to the model")
    dialog.notices.leave.click()
    assert dialog.state.steps.value[0].get("disabled")
    dialog.state.steps.undo()
    assert not dialog.state.steps.value[0].get("disabled")
    await _quiet(user, dialog)


def test_a_recipe_is_made_step_by_step_with_its_changes_in_sight(tmp_path: Path, qtbot: QtBot) -> None:
    async def script(user: User) -> None:
        window = user.window
        page = await user.sample()
        await in_thread(window.desk.workbench.datasets.import_text, "gender,share\nFemale,0.5\n", "shares")
        page.clean()
        dialog: CleanDialog = await user.until(
            lambda: next((one for one in dialogs() if isinstance(one, CleanDialog)), None), "the dialog")
        await user.until(lambda: dialog.state.preview.value and dialog.datasets, "the preview")
        await _marks(user, dialog)
        await _python(user, dialog)
        await _foreign_code(user, dialog)
        dialog.edit(BY_NAME["join"])
        form: Any = dialog.editor.form
        form._rows["dataset"].editor.setCurrentText("shares")
        assert form._rows["on"].editor.count() == 1   # what both have
        form._rows["on"].editor.set_values(["gender"])
        await user.until(lambda: "share" in dialog.preview.table.header.marks, "the other dataset's column")
        dialog.editor.leave()
        await _order(user, dialog)
        await _learning(user, dialog)
        dialog.resize(800, 560)   # a form takes the list's place
        dialog.editor.pick()
        assert dialog._left.isHidden() and not dialog.editor.isHidden()
        dialog.resize(1240, 700)
        await user.until(lambda: not dialog._left.isHidden(), "list and form beside one another")
        dialog.editor.leave()
        dialog.reject()
        await _cleaned_already(user, window)

    play(tmp_path / "home", script, patience=60, meet_machine=False)
