"""An unfinished recipe is there again; it is used on another dataset and written as a script; files are read again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QComboBox
from pytestqt.qtbot import QtBot

from mldesk.data.recipes.steps import BY_NAME
from mldesk.desktop.pages.data.clean_dialog import CleanDialog
from mldesk.desktop.pages.data.read_again import _read, read_again
from mldesk.desktop.pages.data.recipe_menu import ChoiceDialog
from mldesk.desktop.pages.settings import SettingsPage
from mldesk.desktop.tasks import in_thread
from tests.desktop.scripted_user import User, dialogs, play

TABLE = "id,city,price\n" + "".join(f"{n},{'Lyon' if n % 2 else 'Oslo'},{n * 3}\n" for n in range(1, 41))
DERIVE = {"step": "derive", "name": "double", "expression": "price * 2"}


async def _dialog(user: User, version: str = "") -> CleanDialog:
    def shown() -> CleanDialog | None:
        return next((one for one in dialogs() if isinstance(one, CleanDialog)
                     and (not version or one.state.version.label == version)), None)

    dialog: CleanDialog = await user.until(shown, "the recipe's editor")
    await user.until(lambda: dialog.state.preview.value and not dialog.state.busy.value, "its preview")
    return dialog


async def _closed(user: User, dialog: CleanDialog) -> None:
    dialog.reject()
    await user.until(lambda: not dialogs(), "the editor to be closed")


async def _kept(user: User, page: Any) -> None:
    page.clean()
    dialog = await _dialog(user)
    await user.until(lambda: dialog.state.draft._kept is not None, "what was left before")
    dialog.state.add({"step": "drop", "columns": ["city"]})
    dialog.edit(BY_NAME["filter"])
    form: Any = dialog.editor.form
    form._rows["where"].editor.setPlainText("price > 30")
    await _closed(user, dialog)
    page.clean()
    dialog = await _dialog(user)
    await user.until(lambda: [step["step"] for step in dialog.state.steps.value] == ["drop", "filter"], "both steps")
    dialog.state.steps.undo()      # back to a new recipe
    await user.until(lambda: not dialog.state.steps.value, "no steps")
    dialog.state.steps.redo()
    key = f"recipe_draft:{dialog.state.version.manifest}"
    settings = user.window.desk.workbench.settings
    await user.until(lambda: len(settings.get(key) or ()) == 2, "the library to know them")   # after a kill, too
    await _closed(user, dialog)


async def _used(user: User, page: Any, folder: Path) -> None:
    page.clean()
    dialog = await _dialog(user, "t@1")
    await user.until(lambda: len(dialog.state.steps.value) == 2, "the steps")
    dialog.state.set_steps([DERIVE])
    await user.until(lambda: not dialog.state.busy.value and dialog.state.problem.value is None, "the preview")
    dialog.menu._script()
    await user.answer_file_dialog(folder / "again.py")
    await user.until(lambda: (folder / "again.py").exists(), "the script")
    dialog.menu._use()
    choice: ChoiceDialog = await user.until(
        lambda: next((one for one in dialogs() if isinstance(one, ChoiceDialog)), None), "the other datasets")
    assert isinstance(choice.box, QComboBox)
    choice.primary.click()
    other = await _dialog(user, "other@1")
    assert list(other.state.steps.value) == [DERIVE]
    await user.until(other.primary.isEnabled, "it to be good")
    other.primary.click()
    await user.until(lambda: not dialogs(), "the new version")


async def _joined(user: User, page: Any) -> None:
    """A recipe that joins a dataset is taken over after that was renamed: it is found by its rows."""
    bench = user.window.desk.workbench
    join = {"step": "join", "dataset": "t@1", "on": ["id"], "take": ["price"]}
    await in_thread(bench.cleaning.clean, "other@1", [join])
    await in_thread(bench.datasets.rename, "t", "fruit")
    page.clean()
    dialog = await _dialog(user, "other@2")
    dialog.menu._take()
    choice: ChoiceDialog = await user.until(
        lambda: next((one for one in dialogs() if isinstance(one, ChoiceDialog)), None), "the recipes")
    titles = [choice.box.itemText(place) for place in range(choice.box.count())]
    choice.box.setCurrentIndex(next(place for place, title in enumerate(titles) if "other@3" in title))
    choice.primary.click()
    await user.until(lambda: [step["step"] for step in dialog.state.steps.value] == ["join"], "its step")
    await user.until(lambda: dialog.state.counts.value and not dialog.state.busy.value, "what it gives")
    assert dialog.state.problem.value is None
    assert dialog.state.counts.value is not None
    assert "Step 1: t@1 of this recipe is fruit@1 now." in dialog.state.counts.value.notices
    await _closed(user, dialog)
    await in_thread(bench.datasets.rename, "fruit", "t")


async def _read_again(user: User, folder: Path) -> None:
    service = user.window.desk.workbench.datasets
    await _read(user.window, "t")
    assert service.show("t").number == 1   # nothing new
    (folder / "t.csv").write_text(TABLE + "41,Nice,5\n")
    read_again(user.window, "t")
    await user.until(lambda: service.show("t").number == 2, "version 2")
    assert service.show("t").rows == 41


def test_an_unfinished_recipe_is_there_again_and_goes_elsewhere(tmp_path: Path, qtbot: QtBot) -> None:
    (tmp_path / "t.csv").write_text(TABLE)

    async def script(user: User) -> None:
        window = user.window
        await user.until(lambda: window.desk.ready.value, "the library")
        service = window.desk.workbench.datasets
        await in_thread(service.import_files, [tmp_path / "t.csv"], "t")
        await in_thread(service.import_text, TABLE, "other")
        window.open_dataset("t")
        page = await user.until(window.dataset_page, "the dataset")
        await user.until(lambda: page.state.version.value, "its version")
        await _kept(user, page)
        await _used(user, page, tmp_path)
        assert [column.name for column in service.show("other@2").columns][-1] == "double"
        window.open_dataset("other")
        await user.until(lambda: (page := window.dataset_page()) and page.state.name == "other" and
                         page.state.version.value, "the other dataset")
        await _joined(user, window.dataset_page())
        await _read_again(user, tmp_path)
        window.go("settings")
        settings: Any = await user.until(lambda: window.findChild(SettingsPage), "the settings")
        settings.limit.set_value(1800.0)   # of a recipe
        await user.until(lambda: window.desk.workbench.cleaning.time_limit() == 1800, "it to be kept")

    play(tmp_path / "home", script, patience=60, meet_machine=False)
    done = subprocess.run([sys.executable, str(tmp_path / "again.py"), str(tmp_path / "t.csv"),
                           str(tmp_path / "made.csv")], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "made.csv").read_text().splitlines()[0] == "id,city,price,double"
