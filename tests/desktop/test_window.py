"""The whole window over a real library, without a runner: everything but training."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from mldesk.app import open_workbench
from mldesk.desktop import theme
from mldesk.desktop.cheat_sheet import CheatSheet
from mldesk.desktop.command_palette import CommandPalette
from mldesk.desktop.pages.data.diff_dialog import DiffDialog
from mldesk.desktop.pages.data.import_dialog import ImportDialog
from mldesk.desktop.pages.runs.train_dialog import TrainDialog
from tests.data_folder import SHARED
from tests.desktop.reachable import stops_there, tab_around, where, worked
from tests.desktop.scripted_user import User, dialogs, play

Script = Callable[[User], Awaitable[Any]]


@pytest.fixture
def window(tmp_path: Path, qtbot: QtBot) -> Callable[[Script], Any]:
    """Open the window over a library of its own and let a script use it."""
    return lambda script: play(tmp_path / "home", script, patience=60, meet_machine=False)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A small table with a class, an id and a gap."""
    path = tmp_path / "fruit.csv"
    rows = [f"{number},{number * 0.5 if number % 7 else ''},{'apple' if number % 2 else 'pear'}"
            for number in range(80)]
    path.write_text("id,weight,kind\n" + "\n".join(rows) + "\n", "utf-8")
    return path


async def opened(user: User, *paths: Path) -> Any:
    """Drop files and wait for the page of the table."""
    await user.until(lambda: user.window.desk.ready.value, "the library")
    user.drop(*paths)
    page = await user.until(user.window.dataset_page, "the dataset")
    return await user.until(lambda: page.table.model() and page.table.model().rowCount() and page, "its rows")


def test_a_dropped_table_is_imported_and_shown(window: Any, table: Path) -> None:
    async def script(user: User) -> None:
        page = await opened(user, table)
        assert page.state.name == "fruit"
        assert page.table.model().rowCount() == 80
        page._search.setText("pear")
        await user.until(lambda: page._found.text() == "40 of 80 rows", "the search")
        page.show_tab("columns")
        await user.until(lambda: page.state.profile.value, "the profile")
        page.show_tab("query")
        page.query.field.setPlainText("SELECT kind, count(*) AS n FROM data GROUP BY 1")
        await user.press("Run")
        await user.until(lambda: page.query.answer.model() and page.query.answer.model().rowCount() == 2, "an answer")
        page.query.field.setPlainText("SELECT nothing FROM nowhere")
        await user.press("Run")
        await user.until(lambda: "nowhere" in page.query._said.text(), "the engine's complaint")

    window(script)


def test_a_file_that_is_refused_says_why_and_leaves_nothing(window: Any) -> None:
    async def script(user: User) -> None:
        await user.until(lambda: user.window.desk.ready.value, "the library")
        user.drop(SHARED / "broken" / "09_empty.csv")
        dialog = await user.until(lambda: next((item for item in dialogs() if isinstance(item, ImportDialog)), None),
                                  "the preview")
        problem = await user.until(lambda: dialog.draft.problem.value, "the refusal")
        assert "09_empty.csv" in problem.message and not dialog.primary.isEnabled()
        dialog.reject()
        assert user.window.imports.running.value == ()
        user.drop(Path("holiday.mp3"))
        await user.until(lambda: any("holiday.mp3" in text for text in user.window.toasts.texts()), "a plain answer")

    window(script)


def test_a_table_of_a_known_name_asks_before_it_becomes_a_version(window: Any, table: Path) -> None:
    async def script(user: User) -> None:
        await opened(user, table)
        user.drop(table, look=True)
        dialog = await user.until(
            lambda: next((item for item in dialogs() if isinstance(item, ImportDialog)), None), "the question")
        await user.until(dialog._mode_row.isVisible, "the choice")
        await user.press("Import")
        page = user.window.dataset_page
        same = "The same rows as fruit@1; nothing was made."
        await user.until(lambda: any(same in text for text in user.window.toasts.texts()), "a word about the rows")
        await user.press("Make a version all the same")
        await user.until(lambda: page() and page().state.version.value and page().state.version.value.number == 2, "v2")
        user.drop(table, look=True)
        dialog = await user.until(
            lambda: next((item for item in dialogs() if isinstance(item, ImportDialog)), None), "the question again")
        await user.until(dialog._mode_row.isVisible, "the choice")
        dialog.mode.set_value("new")
        await user.press("Import")
        await user.until(lambda: page() and page().state.name == "fruit-2", "a dataset of its own")

    window(script)


def test_parquet_may_stay_where_it_lies(window: Any, tmp_path: Path) -> None:
    path = tmp_path / "lake.parquet"
    pq.write_table(pa.table({"n": pa.array(range(50), pa.int64()), "word": [f"w{n % 3}" for n in range(50)]}), path)

    async def script(user: User) -> None:
        await user.until(lambda: user.window.desk.ready.value, "the library")
        user.drop(path, look=True)
        dialog = await user.until(lambda: next((item for item in dialogs() if isinstance(item, ImportDialog)), None),
                                  "the preview")
        await user.until(dialog.register.isVisible, "the choice")
        dialog.register.setChecked(True)
        await user.press("Import")
        page = user.window.dataset_page
        version = await user.until(lambda: page() and page().state.version.value, "the table")
        assert (version.rows, version.outside) == (50, str(path))

    window(script)


def test_a_preview_follows_what_is_said_and_what_helps_is_a_button(window: Any, tmp_path: Path) -> None:
    path = tmp_path / "shop.csv"
    path.write_text("day;price\n" + "".join(f"0{n % 9 + 1}/0{n % 8 + 1}/2024;{n},5\n" for n in range(40))
                    + "1;2;3\n" * 2, "utf-8")

    async def script(user: User) -> None:
        await user.until(lambda: user.window.desk.ready.value, "the library")
        user.drop(path, look=True)
        dialog = await user.until(lambda: next((item for item in dialogs() if isinstance(item, ImportDialog)), None),
                                  "the preview")
        draft = dialog.draft
        found = await user.until(lambda: draft.preview.value, "what was found out")
        assert found.reading["delimiter"] == ";" and found.decimal == ","
        assert [column.type.value for column in found.columns] == ["date", "number"]
        dialog.view.tabs.set_value("problems")
        await user.press("Go on without such rows, and write them to a rejects file")
        await user.until(lambda: draft.changes.value.get("lenient") and not draft.busy.value, "the fix")
        assert dialog.rejects.isChecked()
        draft.set_types(["price"], "text")
        await user.until(lambda: not draft.busy.value and draft.preview.value.columns[1].type.value == "text", "text")
        draft.changes.undo()
        await user.until(lambda: not draft.busy.value and draft.preview.value.columns[1].type.value == "number", "undo")
        await user.press("Import")
        page = await user.until(user.window.dataset_page, "the dataset")
        await user.until(lambda: page.state.version.value and page.state.version.value.rows == 40, "its rows")
        assert (tmp_path / "shop-rejects.csv").read_text("utf-8").count("1;2;3") == 2

    window(script)


def test_a_table_on_the_clipboard_is_previewed_and_imported(window: Any) -> None:
    async def script(user: User) -> None:
        await user.until(lambda: user.window.desk.ready.value, "the library")
        QApplication.clipboard().setText("name\tage\nAda\t36\nAlan\t41\n")
        await user.keys("Ctrl+V")
        dialog = await user.until(lambda: next((item for item in dialogs() if isinstance(item, ImportDialog)), None),
                                  "the preview")
        await user.until(lambda: dialog.draft.preview.value and dialog.primary.isEnabled(), "two rows")
        dialog.name.setText("people")
        await user.press("Import")
        page = await user.until(user.window.dataset_page, "the dataset")
        await user.until(lambda: page.state.version.value and page.state.version.value.rows == 2, "its rows")
        assert page.state.name == "people"

    window(script)


def test_the_lineage_is_drawn_and_the_bin_is_purged_when_a_person_is_sure(window: Any, table: Path) -> None:
    async def script(user: User) -> None:
        page = await opened(user, table)
        datasets, cleaning = user.window.desk.workbench.datasets, user.window.desk.workbench.cleaning
        cleaning.clean("fruit", [{"step": "drop", "columns": ["id"]}])
        cleaning.clean("fruit@1", [{"step": "drop", "columns": ["kind"]}])
        user.window.desk.nudge()
        await user.until(lambda: len(page.state.versions.value) == 3, "three versions")
        page.show_tab("versions")
        await user.until(lambda: len(page.state.lineage.value) == 3, "the lineage")
        assert page.versions.lineage._lanes == {1: 0, 2: 0, 3: 1}
        found = await page.state.diff(1, 3)
        assert (found["rows"]["keys"], found["rows"]["changed"]) == (["id"], 0)
        page.versions.diffed.emit(1, 3)
        told: Any = await user.until(lambda: next(iter(dialogs()), None), "the difference")
        assert isinstance(told, DiffDialog)
        told.key.setCurrentIndex(told.key.count() - 1)   # several columns together
        await user.until(lambda: told.ticked.isVisible() and not told.compare.isEnabled(), "columns to tick")
        assert [thing.name for thing in told.ticked._things] == ["id", "weight"]   # of both versions
        told.ticked.set_values(["id", "weight"])
        await user.press("Compare by these")
        await user.until(lambda: told._diff["rows"]["keys"] == ["id", "weight"], "the difference by both")
        told.reject()
        page.remove()
        listed = user.window.stack.currentWidget
        await user.until(lambda: hasattr(listed(), "list_page") and listed().list_page.state.removed.value, "the bin")
        await user.press("Bin (1)")
        await user.press("Purge all…")
        await user.press("Purge")
        await user.until(lambda: any("1 dataset purged" in text for text in user.window.toasts.texts()), "the purge")
        assert datasets.list(removed=True) == []

    window(script)


def test_cleaning_makes_a_version_that_can_be_taken_back(window: Any, table: Path) -> None:
    async def script(user: User) -> None:
        from mldesk.data.recipes.steps import BY_NAME

        page = await opened(user, table)
        page.clean()
        dialog = await user.until(lambda: next(iter(dialogs()), None), "the Clean dialog")
        dialog.edit(BY_NAME["drop_missing"])
        await user.press("Add this step")
        dialog.edit(BY_NAME["rename"])
        assert not dialog.editor.keep_button.isEnabled()
        dialog.editor.leave()
        await user.until(lambda: dialog.state.preview.value and dialog.state.preview.value.total == 68, "68 rows left")
        dialog.state.steps.undo()
        await user.until(lambda: not dialog.primary.isEnabled(), "nothing to apply")
        dialog.state.steps.redo()
        await user.press("Make the new version")
        page = await user.until(lambda: (found := user.window.dataset_page()) and found.state.version.value
                                and found.state.version.value.number == 2 and found, "version 2")
        page.show_tab("versions")
        await user.press("Make current")
        await user.until(lambda: page.state.head.value.number == 1, "version 1 again")

    window(script)


def test_the_bin_gives_back_what_was_removed(window: Any, table: Path) -> None:
    async def script(user: User) -> None:
        page = await opened(user, table)
        page.remove()
        await user.until(lambda: any("bin" in text for text in user.window.toasts.texts()), "the toast")
        listed = user.window.stack.currentWidget().list_page
        await user.until(lambda: listed.state.datasets.value == () and listed._bin.isVisible(), "an empty list")
        await user.press("Undo")
        await user.until(user.window.dataset_page, "the dataset")

    window(script)


def test_a_page_that_is_read_while_its_dataset_goes_to_the_bin_or_is_renamed_says_nothing_wrong(
    window: Any, table: Path
) -> None:
    async def script(user: User) -> None:
        page = await opened(user, table)
        service, loop, asked = user.window.desk.workbench.datasets, asyncio.get_running_loop(), threading.Event()

        def meanwhile(change: Any) -> Any:
            def changed(*arguments: str) -> Any:
                done = change(*arguments)
                asked.clear()
                loop.call_soon_threadsafe(lambda: (page.refresh_soon(), loop.call_later(0.2, asked.set)))
                assert asked.wait(60)
                return done
            return changed

        with patch.object(service, "rename", meanwhile(service.rename)):
            await page.state.rename("apples")
        await user.until(lambda: page.header._title.text() == "apples", "the new name")
        user.window.toasts.clear()
        with patch.object(service, "remove", meanwhile(service.remove)):
            page.remove()
            await user.until(user.window.toasts.texts, "a toast")
        assert user.window.toasts.texts() == ["apples is in the bin."]
        await user.press("Undo")
        await user.until(lambda: user.window.dataset_page() not in (None, page), "the dataset")

    window(script)


def test_what_another_process_writes_shows_up_by_itself(window: Any, table: Path, tmp_path: Path) -> None:
    async def script(user: User) -> None:
        await user.until(lambda: user.window.desk.ready.value, "the library")
        user.window.go("datasets")
        listed = user.window.stack.currentWidget().list_page
        await user.until(lambda: listed.state.datasets.value == (), "an empty list")
        with open_workbench(tmp_path / "home") as other:
            other.datasets.import_files([table], "from-elsewhere")
        await user.until(lambda: listed.state.datasets.value, "the dataset")
        assert [item.name for item in listed.state.datasets.value] == ["from-elsewhere"]

    window(script)


def test_train_says_why_it_is_off_and_what_to_know(window: Any, table: Path) -> None:
    async def script(user: User) -> None:
        page = await opened(user, table)
        user.window.train(page.state.reference)
        dialog: TrainDialog = await user.until(
            lambda: next((item for item in dialogs() if isinstance(item, TrainDialog)), None), "the Train dialog")
        await user.until(lambda: dialog.state.check.value and dialog.primary.isEnabled(), "Train to be on")
        assert dialog.target.value() == "kind"
        assert any("80 rows" in advice.text for advice in dialog.state.check.value.advice)
        dialog.target.set_value("")
        await user.until(lambda: not dialog.primary.isEnabled(), "Train to be off")
        assert "Choose the column" in dialog.primary.toolTip()
        dialog.target.set_value("weight")
        await user.until(lambda: dialog.primary.isEnabled() and dialog.task.value() == "tabular_regression", "a number")
        names = {entry.name for entry in dialog.state.estimators("tabular_regression")}
        for name in names:
            dialog.estimator.set_value(name)
            await user.until(lambda name=name: dialog.state.order.value.estimator == name and dialog._form is not None,
                             name)
        dialog.features.columns.set_values([])
        await user.until(lambda: not dialog.primary.isEnabled(), "nothing to learn from")

    window(script)


def test_every_action_is_in_the_palette_and_its_keys_on_the_cheat_sheet(window: Any) -> None:
    async def script(user: User) -> None:
        main = user.window
        await user.keys("Ctrl+K")
        palette = await user.until(
            lambda: next((item for item in dialogs() if isinstance(item, CommandPalette)), None), "the palette")
        assert palette.list.count() == len(list(main.registry))
        palette.field.setText("go to mod")
        QTest.keyClick(palette.field, Qt.Key.Key_Return)
        await user.until(lambda: main.sidebar.current() == "models", "the models")
        await user.keys("?")
        await user.until(lambda: any(isinstance(item, CheatSheet) for item in dialogs()), "the cheat sheet")
        dialogs()[0].close()

    window(script)


def test_the_palette_opens_from_within_a_text_field(window: Any, table: Path) -> None:
    async def script(user: User) -> None:
        page = await opened(user, table)
        user.window.activateWindow()
        page._search.setFocus()
        await user.until(lambda: isinstance(QApplication.focusWidget(), QLineEdit), "the field to have the focus")
        QTest.keyClick(page._search, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
        await user.until(lambda: any(isinstance(item, CommandPalette) for item in dialogs()), "the palette")

    window(script)


def test_what_cannot_be_done_now_says_why(window: Any) -> None:
    async def script(user: User) -> None:
        await user.until(lambda: user.window.desk.ready.value, "the library")
        for keys in ("Ctrl+T", "Ctrl+.", "Ctrl+P", "Ctrl+D"):
            user.window.toasts.clear()
            await user.keys(keys)
            said = await user.until(user.window.toasts.texts, f"an answer to {keys}")
            assert said[0].endswith(".")

    window(script)


def test_every_control_has_a_name_and_can_be_reached_by_keyboard(window: Any, table: Path) -> None:
    async def script(user: User) -> None:
        await opened(user, table)
        for place in ("datasets", "home", "datasets", "search", "runs", "models", "predict", "runners", "settings"):
            user.window.go(place)
            await user.shot(place)
            await _tab_around(user, user.window)
        user.window.open_dataset("fruit")
        page = await user.until(user.window.dataset_page, "the dataset")
        await user.until(lambda: page.state.version.value, "its version")
        for tab in ("table", "columns", "explore", "versions", "contract", "query"):
            page.show_tab(tab)
            await user.shot(tab)
            await _tab_around(user, user.window)
        for opens in ("data.train", "data.clean", "data.rename", "script.run", "data.address", "data.samples",
                      "runner.add", "help.keys"):
            assert user.window.registry.trigger(opens)
            dialog = await user.until(lambda: next(iter(dialogs()), None), opens)
            await user.shot(opens)
            await _tab_around(user, dialog)
            QTest.keyClick(dialog, Qt.Key.Key_Escape)
            await user.until(lambda: not dialogs(), "Esc to close it")

    window(script)


async def _tab_around(user: User, root: QWidget) -> None:
    root.activateWindow()
    await user.until(root.isActiveWindow, "the window to be active")
    stops, unseen = tab_around(root)
    assert not unseen
    missed = [where(one) for one in worked(root) if one.isEnabled() and stops_there(one) and one not in stops]
    assert not missed, [where(one) for one in stops]


def test_the_theme_changes_live_and_is_remembered(window: Any) -> None:
    async def script(user: User) -> None:
        for mode in ("dark", "contrast", "light"):
            user.window.registry.trigger(f"view.theme.{mode}")
            assert theme.palette().name == mode
            await user.pause(0.05)
        assert user.window.preferences.value.theme == "light"
        user.window.change_scale(0.3)
        assert theme.THEME.scale == 1.3

    window(script)


def test_an_error_of_ours_is_logged_and_told(window: Any, tmp_path: Path) -> None:
    async def script(user: User) -> None:
        from mldesk.desktop.tasks import start

        await user.until(lambda: user.window.desk.ready.value, "the library")

        async def fail() -> None:
            raise ZeroDivisionError("by nothing")

        start(fail(), "a task that fails")
        said = await user.until(user.window.toasts.texts, "the toast")
        assert "ZeroDivisionError" in said[0]

    window(script)
    text = (tmp_path / "home" / "logs" / "window.log").read_text("utf-8")
    assert "a task that fails failed" in text and "Traceback" in text


def test_a_library_that_cannot_be_opened_is_explained_on_the_first_page(tmp_path: Path, qtbot: QtBot) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "library.db").write_bytes(b"this is no database, but it is long enough to be taken for one" * 40)

    async def script(user: User) -> None:
        await user.until(lambda: user.window.desk.failed.value, "the refusal")
        assert user.window._places["home"]._problem.isVisible()
        await user.keys("Ctrl+O")
        assert await user.until(user.window.toasts.texts, "why nothing can be imported")

    play(home, script, patience=60, meet_machine=False)
