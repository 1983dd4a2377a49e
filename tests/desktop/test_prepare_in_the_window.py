"""Steps that learn, taken from recipes and files into the model, in the Train dialog over a real library."""

from __future__ import annotations

import json
from pathlib import Path

from pytestqt.qtbot import QtBot

from mldesk.desktop.pages.runs.prepare_section import PreparedStepSheet
from mldesk.desktop.pages.runs.train_dialog import TrainDialog
from mldesk.desktop.tasks import in_thread
from tests.desktop.scripted_user import User, dialogs, play

FILL = {"step": "fill_missing", "columns": ["TotalCharges"], "with": "median"}
SCALE = {"step": "scale", "columns": ["tenure"], "how": "standard"}
BIN = {"step": "bin", "columns": ["MonthlyCharges"], "by": "rows", "bins": 4}


def test_steps_are_taken_from_a_recipe_made_by_hand_and_read_from_a_file(tmp_path: Path, qtbot: QtBot) -> None:
    recipe = tmp_path / "recipe.json"
    recipe.write_text(json.dumps({"steps": [BIN, {"step": "filter", "where": "tenure > 1"}]}), "utf-8")

    async def script(user: User) -> None:
        window = user.window
        page = await user.sample()
        await in_thread(window.desk.workbench.cleaning.clean, page.state.name, [
            {"step": "drop", "columns": ["customerID"]}, {**FILL, "disabled": True}, {**SCALE, "disabled": True}])
        await user.until(lambda: page.state.version.value.number == 2, "a version that left steps to its models")
        page.shell.train(page.state.reference)
        dialog = await user.until(lambda: next((one for one in dialogs() if isinstance(one, TrainDialog)), None),
                                  "the dialog")
        prepare = dialog.prepare
        await user.until(lambda: prepare.offers and dialog.state.check.value, "what recipes have")
        assert [label for label, _ in prepare.offers] == [f"{page.state.name}@2"]
        prepare._menu.actions()[0].trigger()
        assert [step["step"] for step in dialog.state.order.value.prepare] == ["fill_missing", "scale"]
        prepare.read(recipe)
        await user.until(lambda: len(dialog.state.order.value.prepare) == 3, "the step of the file")
        assert "1 of the 2 steps" in prepare._error.text()
        await user.shot("prepare")
        prepare.edit(None)
        sheet = next(one for one in dialogs() if isinstance(one, PreparedStepSheet))
        assert not sheet.primary.isEnabled()
        sheet.kind.set_value("segment")
        assert "segments" in sheet.reason._text.text()
        sheet.reject()
        prepare.list.ticked.emit(0, False)
        assert [step["step"] for step in dialog.state.order.value.prepare] == ["scale", "bin"]
        prepare.state.steps.undo()
        dialog._on_target("TotalCharges")
        await user.until(lambda: not dialog.primary.isEnabled(), "the refusal to fill what is to be predicted")
        dialog._on_target("Churn")
        await user.until(dialog.primary.isEnabled, "Train to be on")
        dialog.reject()

    play(tmp_path / "home", script, patience=60, meet_machine=False)
