"""Two windows over one library at once: what one renames or throws away, the other takes in its stride."""

from __future__ import annotations

from pathlib import Path

from pytestqt.qtbot import QtBot

from mldesk.app import open_workbench
from mldesk.core.paths import Home
from mldesk.desktop import main
from mldesk.desktop.pages.data.datasets import DatasetsPage
from mldesk.desktop.pages.models.model import ModelPage
from mldesk.desktop.preferences import PreferencesFile
from mldesk.desktop.tasks import in_thread, start
from mldesk.desktop.window import MainWindow
from tests.bundles.making import stored_model
from tests.desktop.scripted_user import User, play
from tests.desktop.test_runs_taken_over import mlruns


def _another_window(home: Path) -> MainWindow:
    """Open one; its tasks end with those of the first, and its library is closed after both."""
    window = main.make_window(Home(home), PreferencesFile(home / "other.json"), meet_machine=False)
    window.show()
    start(window.desk.open(), "open the library once more")
    return window


def _fill(home: Path, folder: Path) -> None:
    (folder / "shop.csv").write_text("id,price\n" + "".join(f"{n},{n * 2}\n" for n in range(30)), "utf-8")
    with open_workbench(home) as bench:
        bench.datasets.import_files([folder / "shop.csv"], "shop")
        bench.run_import.take(mlruns(folder))
        bench.models.import_file(stored_model("linear", "binary", folder).bundle(folder / "m.mlbundle", name="income"))


async def _rename_and_remove_the_table(user: User, other: MainWindow) -> None:
    window = user.window
    window.open_dataset("shop")
    await user.until(lambda: (page := window.dataset_page()) and page.state.version.value, "the table")
    other.open_dataset("shop")
    there = await user.until(lambda: (page := other.dataset_page()) and page.state.version.value and page, "the other")
    await there.state.rename("store")
    await user.until(lambda: window.dataset_page() is None or window.dataset_page().state.name == "store",
                     "the page to follow or to go")
    window.open_dataset("store")
    page = await user.until(lambda: (found := window.dataset_page()) and found.state.name == "store" and
                            found.state.version.value and found, "the table by its new name")
    await in_thread(other.desk.workbench.datasets.remove, "store")
    other.desk.nudge()
    await user.until(lambda: window.dataset_page() is not page, "its page to go")
    window.go("datasets")
    listed = await user.until(lambda: next((one for one in window.findChildren(DatasetsPage) if one.isVisible()), None),
                              "the list")
    await user.until(lambda: not listed.table.records.records, "an empty list")


async def _rename_a_run_and_promote(user: User, other: MainWindow) -> None:
    window = user.window
    run = (await in_thread(other.desk.workbench.runs.list))[0]
    window.open_run(run.id)
    await user.until(lambda: (page := window.run_page()) and page.state.run.value, "the run")
    await in_thread(lambda: other.desk.workbench.book.annotate(run.id, name="a better name"))
    other.desk.nudge()
    await user.until(lambda: window.run_page().state.run.value.name == "a better name", "its new name")
    window.open_model("income")
    page = await user.until(lambda: next((one for one in window.findChildren(ModelPage) if one.isVisible()), None),
                            "the model")
    await user.until(lambda: page.state.model.value is not None, "its facts")
    await in_thread(other.desk.workbench.models.promote, "income", 1)
    other.desk.nudge()
    await user.until(lambda: page.state.model.value.promoted == 1, "that it was promoted")


def test_what_one_window_changes_the_other_takes_in_its_stride(tmp_path: Path, qtbot: QtBot) -> None:
    home = tmp_path / "home"
    _fill(home, tmp_path)

    opened: list[MainWindow] = []

    async def script(user: User) -> None:
        await user.until(lambda: user.window.desk.ready.value, "the library")
        other = _another_window(home)
        opened.append(other)
        await user.until(lambda: other.desk.ready.value, "the library in the other window")
        await _rename_and_remove_the_table(user, other)
        await _rename_a_run_and_promote(user, other)
        said = [*user.window.toasts.texts(), *other.toasts.texts()]
        assert not any("MLDesk" in text and "failed" in text for text in said), said
        other.hide()
        other.dispose()

    try:
        play(home, script, patience=90, meet_machine=False)
    finally:
        for other in opened:
            other.desk.workbench.close()
            other.deleteLater()
