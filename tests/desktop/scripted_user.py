"""A user who does the whole main job with mouse and keyboard, on the real workbench and the real runner.

    python -m tests.desktop.scripted_user --out DIR [--mode dark] [--size 900x600]

drops in a table, looks at it, cleans it, trains, watches, reads the evaluation, exports and predicts, and leaves a
screenshot of each step in DIR. Offscreen unless QT_QPA_PLATFORM says otherwise (under Xvfb: ``xcb``).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

if __name__ == "__main__" and "--xcb" not in sys.argv:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEvent, QMimeData, QObject, QPoint, QPointF, Qt, QTimer, QUrl
from PySide6.QtGui import QColor, QDragEnterEvent, QDropEvent, QPainter, QPixmap
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog, QPushButton, QWidget

from mldesk.core.paths import Home
from mldesk.desktop import main, theme
from mldesk.desktop.pages.data.import_dialog import ImportDialog
from mldesk.desktop.preferences import PreferencesFile
from mldesk.desktop.tasks import start
from mldesk.desktop.window import MainWindow
from mldesk.wire.states import JobState
from tests.desktop.pictures import picture_arguments
from tests.desktop.reachable import nameless, out_of_reach, traps

W = TypeVar("W", bound=QWidget)


class User:
    """Sees the window, presses what is there, and waits for what it says."""

    def __init__(self, window: MainWindow, shots: Path | None, *, patience: float = 120.0) -> None:
        self.window, self.shots, self.patience = window, shots, patience
        self.number = 0
        self.log: list[str] = []
        self.hard: dict[str, str] = {}   # what cannot be worked by keyboard, or has no name, and where it was seen

    async def until(self, seen: Callable[[], Any], what: str) -> Any:
        """Wait until ``seen()`` is true; raise with what was waited for after ``patience`` seconds."""
        deadline = time.monotonic() + self.patience
        while not (found := seen()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"waited in vain for {what}; toasts: {self.window.toasts.texts()}")
            await asyncio.sleep(0.03)
        return found

    async def pause(self, seconds: float = 0.3) -> None:
        """Let everything be drawn."""
        await asyncio.sleep(seconds)

    async def settle(self, seconds: float) -> None:
        """Let everything be drawn, where there will be a picture of it."""
        await asyncio.sleep(0.02 if self.shots is None else seconds)

    async def shot(self, name: str) -> None:
        """Keep a picture of the window and of the dialogs over it."""
        await self.pause(0.3)
        self.number += 1
        for root in (self.window, *dialogs()):
            for fault in (nameless, out_of_reach, traps):
                self.hard |= {f"{fault.__name__}: {one}": name for one in fault(root)}
        if self.shots is not None:
            picture(self.window).save(str(self.shots / f"{self.number:02}-{name}.png"))

    def find(self, kind: type[W], **wanted: str) -> W | None:
        """Return the first visible widget of ``kind`` whose text or name is as wanted; the topmost dialog first."""
        for root in [*reversed(dialogs()), self.window]:
            for widget in root.findChildren(kind):
                if widget.isVisible() and all(_word(widget, key) == value for key, value in wanted.items()):
                    return widget
        return None

    async def press(self, text: str) -> None:
        """Press the button that says ``text``, once it is on."""
        button = await self.until(lambda: self._button(text), f"a button {text!r} that is on")
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        await self.pause(0.05)

    def _button(self, text: str) -> QPushButton | None:
        button = self.find(QPushButton, text=text)
        return button if button is not None and button.isEnabled() else None

    async def keys(self, keys: str) -> None:
        """Press a shortcut, once the window is the active one again."""
        self.window.activateWindow()
        await self.until(self.window.isActiveWindow, "the window to be active")
        QTest.keySequence(self.window, keys)

    async def sample(self) -> Any:
        """Import the sample of the first screen; return the page of its dataset, which knows its version."""
        await self.until(lambda: self.window.desk.ready.value, "the library")
        self.window.import_sample()
        page = await self.until(self.window.dataset_page, "the sample")
        await self.until(lambda: page.state.version.value, "its version")
        return page

    def drop(self, *paths: Path, look: bool = False) -> None:
        """Drag files over the window and let go; press Import once tables are previewed, unless the user wants to look.

        What is refused stays open.
        """
        mime = QMimeData()
        mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
        how = (Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
        middle = self.window.rect().center()
        self.window.dragEnterEvent(QDragEnterEvent(middle, *how))
        self.window.dropEvent(QDropEvent(QPointF(middle), *how))
        if not look:
            start(self._import_what_is_previewed(), "the user presses Import")

    async def _import_what_is_previewed(self) -> None:
        for _ in range(600):
            dialog = next((item for item in dialogs() if isinstance(item, ImportDialog)), None)
            if dialog is not None and dialog.primary.isEnabled():
                dialog.primary.click()
                return
            if dialog is not None and dialog.draft.problem.value is not None:
                return
            await self.pause(0.05)

    async def answer_file_dialog(self, path: Path) -> None:
        """Choose ``path`` in the file dialog that is open."""
        dialog = await self.until(
            lambda: next((item for item in dialogs() if isinstance(item, QFileDialog)), None), "a file dialog")
        dialog.filesSelected.emit([str(path)])
        dialog.close()
        await self.pause(0.05)


def dialogs() -> list[QDialog]:
    """Return the open dialogs, the topmost last."""
    return [widget for widget in QApplication.topLevelWidgets() if isinstance(widget, QDialog) and widget.isVisible()]


def picture(window: MainWindow) -> QPixmap:
    """Draw the window with its dialogs where they would be."""
    image = window.grab()
    painter = QPainter(image)
    for dialog in dialogs():
        painter.fillRect(image.rect(), Qt.GlobalColor.transparent)
        corner = QPoint((window.width() - dialog.width()) // 2, max(0, (window.height() - dialog.height()) // 2))
        painter.fillRect(image.rect(), QColor(0, 0, 0, 90))
        painter.drawPixmap(corner, dialog.grab())
    painter.end()
    return image


def _word(widget: QWidget, key: str) -> str:
    value = getattr(widget, {"name": "accessibleName"}.get(key, key))
    return str(value()).strip()


async def main_job(user: User, table: Path, rows: Path, folder: Path, *, epochs: int) -> dict[str, Any]:
    """Do the main job and return what came of it."""
    window = user.window
    await user.until(lambda: window.desk.ready.value, "the library")
    await user.shot("home-first-run")
    window.go("datasets")
    await user.shot("datasets-empty")
    user.drop(table)
    page = await user.until(window.dataset_page, "the dataset")
    await user.until(lambda: page.table.model() and page.table.model().rowCount(), "rows")
    await user.settle(0.5)
    await user.shot("dataset-table")
    window.toasts.clear()
    page.show_tab("columns")
    await user.until(lambda: page.state.profile.value, "the profile")
    await user.shot("dataset-columns")
    page.show_tab("query")
    page.query.field.setPlainText('SELECT "Contract", count(*) AS customers, avg("MonthlyCharges") AS monthly\n'
                                  'FROM data\nGROUP BY 1\nORDER BY customers DESC')
    await user.press("Run")
    await user.until(lambda: page.query.answer.model() and page.query.answer.model().rowCount(), "an answer")
    await user.shot("dataset-sql")
    if page.state.version.value.problems:
        page.show_tab("problems")
        await user.shot("dataset-problems")
    page.show_tab("table")
    await clean(user)
    version = await user.until(
        lambda: (found := window.dataset_page()) and found.state.version.value and
        found.state.version.value.number == 2 and found.state.version.value, "version 2")
    window.dataset_page().show_tab("versions")
    await user.shot("dataset-versions")
    run = await train(user, epochs)
    model = await look_at_model(user, folder)
    await predict(user, rows, folder / "predictions.csv")
    return {"version": version, "run": run, "model": model}


async def clean(user: User) -> None:
    """Drop the id, drop duplicates, make a new version."""
    from mldesk.data.recipes.steps import BY_NAME

    await user.keys("Ctrl+E")
    dialog = await user.until(lambda: next(iter(dialogs()), None), "the Clean dialog")
    await user.until(lambda: dialog.state.preview.value, "the preview")
    await user.shot("clean-empty")
    dialog.edit(BY_NAME["drop"])
    dialog.editor.form._read["columns"].__self__.set_values(["customerID"])
    await user.shot("clean-step-form")
    await user.press("Add this step")
    dialog.edit(BY_NAME["deduplicate"])
    await user.press("Add this step")
    await user.until(lambda: len(dialog.state.steps.value) == 2 and not dialog.state.busy.value, "two steps previewed")
    await user.shot("clean-two-steps")
    await user.press("Make the new version")
    await user.until(lambda: not dialogs(), "the Clean dialog to close")


async def train(user: User, epochs: int) -> Any:
    """Train the neural network on the cleaned table and watch it."""
    window = user.window
    await user.press("Train…")
    dialog = await user.until(lambda: next(iter(dialogs()), None), "the Train dialog")
    await user.until(lambda: dialog.state.check.value and dialog._form is not None, "the check")
    dialog.target.set_value("")
    await user.until(lambda: not dialog.primary.isEnabled(), "Train to be off")
    await user.shot("train-off")
    dialog.target.set_value("Churn")
    await user.until(lambda: dialog.primary.isEnabled(), "Train to be on")
    dialog.estimator.set_value("mlp")
    await user.until(lambda: "epochs" in dialog._form.values(), "the form of the neural network")
    dialog._form.set_values({"epochs": epochs, "patience": None})
    await user.until(lambda: dialog.primary.isEnabled() and
                     dialog.state.order.value.parameters.get("epochs") == epochs, "the order")
    await user.settle(0.5)
    await user.shot("train-dialog")
    await user.press("Train")
    page = await user.until(window.run_page, "the run page")
    await user.until(lambda: page.state.run.value and (page.state.curves.curves or page.state.run.value.state.ended),
                     "the first points")
    await user.settle(1.5)
    await user.shot("run-live")
    page.tabs.set_value("log")
    await user.settle(0.5)
    await user.shot("run-log")
    page.tabs.set_value("training")
    window.go("runs")
    window.go("runs")
    await user.settle(1.2)
    await user.shot("runs-live")
    await user.until(lambda: window.desk.active.value == (), "the run to end")
    run = window.desk.workbench.runs.list()[0]
    window.open_run(run.id)
    page = window.run_page()
    await user.until(lambda: page.state.run.value and page.state.run.value.state.ended, "the ended run")
    if page.state.run.value.state is not JobState.SUCCEEDED:
        raise AssertionError(f"{page.state.run.value.message} {page.state.run.value.hint}")
    await user.until(lambda: page.state.evaluation.value, "the evaluation")
    await user.settle(0.5)
    await user.shot("run-evaluation")
    page.evaluation.cell_chosen.emit("No", "No")
    await user.until(lambda: next((item for item in dialogs() if hasattr(item, "table")), None), "the rows of a cell")
    await user.shot("run-cell")
    dialogs()[-1].reject()
    page.tabs.set_value("training")
    await user.shot("run-curve")
    page.tabs.set_value("details")
    await user.shot("run-details")
    return page.state.run.value


async def look_at_model(user: User, folder: Path) -> Any:
    """Open the model, export it."""
    window = user.window
    await user.press("Open the model")
    page = await user.until(window.model_page, "the model page")
    await user.until(lambda: page.state.evaluation.value, "the model's evaluation")
    await user.shot("model")
    page.tabs.set_value("versions")
    await user.shot("model-versions")
    bundle = folder / "churn.mlbundle"
    await user.press("Export…")
    await user.answer_file_dialog(bundle)
    asked = await user.until(lambda: bundle.exists() or next(iter(dialogs()), None), "the passphrase to be asked for")
    if asked is not True:  # no keyring on this machine
        asked.first.setText("correct horse battery")
        asked.again.setText("correct horse battery")
        await user.shot("passphrase")
        await user.press("Go on")
    await user.until(bundle.exists, "the bundle")
    await user.until(lambda: window.toasts.texts(), "the toast")
    await user.shot("model-exported")
    window.toasts.clear()
    user.drop(bundle)
    await user.until(lambda: dialogs() and dialogs()[0].facts.isVisible() and dialogs()[0]._signed.isVisible(),
                     "the bundle's contents")
    await user.settle(0.3)
    await user.shot("bundle")
    dialogs()[0].reject()
    return page.state.version.value


async def predict(user: User, rows: Path, output: Path) -> None:
    """Predict a file with the model that is open."""
    await user.press("Predict…")
    dialog = await user.until(lambda: next(iter(dialogs()), None), "the Predict dialog")
    dialog.source.setText(str(rows))
    dialog.output.setText(str(output))
    await user.shot("predict")
    await user.press("Predict")
    await user.until(output.exists, "the predictions")
    await user.until(lambda: dialog._table.model() and dialog._table.model().rowCount(), "their first rows")
    await user.shot("predicted")
    await user.press("Close")


async def follow_the_command_line(user: User, home: Path) -> None:
    """Start a run from a terminal; it must show up here by itself. Then compare it with the first."""
    window = user.window
    window.go("runs")
    window.back()
    command = [sys.executable, "-m", "mldesk", "--home", str(home), "train", "telco_churn", "--target", "Churn",
               "--model", "lightgbm", "--param", "rounds=300", "--detach", "--json"]
    process = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stdout + process.stderr
    page = window.stack.currentWidget().list_page
    await user.until(lambda: len(page.state.runs.value or ()) == 2, "the run of the command line")
    await user.until(lambda: all(run.state.ended for run in page.state.runs.value), "its end")
    await user.shot("runs-two")
    page.table.select([run.id for run in page.state.runs.value])
    await user.keys("Ctrl+D")
    compared = await user.until(lambda: window._seen("runs", "ComparePage"), "the comparison")
    await user.until(lambda: compared.state.comparison.value, "its figures")
    await user.settle(0.5)
    await user.shot("compare")


async def look_around(user: User) -> None:
    """Palette, cheat sheet, settings, lists, comparison."""
    window = user.window
    for key in ("home", "datasets", "models", "runners", "settings"):
        window.go(key)
        window.back()
        await user.settle(0.5)
        await user.shot(f"place-{key}")
    window.open_runner("local")
    page = window._seen("runners", "RunnerPage")
    await user.until(lambda: page.state.telemetry.after, "its load")
    for tab in ("load", "queue", "settings", "machine", "log"):
        page.tabs.set_value(tab)
        await user.settle(1.5)
        await user.shot(f"runner-{tab}")
    await user.keys("Ctrl+K")
    await user.until(dialogs, "the palette")
    await user.shot("palette")
    dialogs()[0].close()
    await user.keys("?")
    await user.until(dialogs, "the cheat sheet")
    await user.shot("cheat-sheet")
    dialogs()[0].close()


class Flashes(QObject):
    """Notes widgets that became windows of their own by being shown before they had a parent."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Show and isinstance(watched, QWidget) and watched.isWindow() \
                and watched.windowType() == Qt.WindowType.Window and not isinstance(watched, MainWindow):
            self.seen.append(f"{type(watched).__name__} {watched.accessibleName() or getattr(watched, 'text', str)()}")
        return False


class Stalls:
    """Watches the UI thread from another one: how much work it did without looking at its events, and which.

    Counts processor time of that thread, so that a machine busy with something else does not count as a stall.
    """

    def __init__(self, least: float = 0.1) -> None:
        self._least = least
        self._clock = time.pthread_getcpuclockid(threading.main_thread().ident or 0)
        self._beat = self._now()
        self._ended = threading.Event()
        self.seen: list[tuple[float, str]] = []  # seconds of work, the lines on the stack in the middle of it
        self._timer = QTimer(interval=10)
        self._timer.timeout.connect(self._on_beat)
        self._timer.start()
        self._thread = threading.Thread(target=self._watch, name="stall-watch", daemon=True)
        self._thread.start()

    def _now(self) -> float:
        return time.clock_gettime(self._clock)

    def _on_beat(self) -> None:
        self._beat = self._now()

    def _watch(self) -> None:
        main = threading.main_thread().ident or 0
        while not self._ended.wait(0.01):
            beat = self._beat
            if self._now() - beat < 0.7 * self._least:
                continue
            stack = "".join(traceback.format_stack(sys._current_frames()[main])[-9:])
            spent = self._now() - beat
            while self._beat == beat and not self._ended.wait(0.003):
                spent = self._now() - beat
            if spent > self._least:
                self.seen.append((spent, stack))

    def end(self) -> None:
        """Stop watching."""
        self._timer.stop()
        self._ended.set()
        self._thread.join()


def play(home: Path, script: Callable[[User], Any], *, mode: str = "light", shots: Path | None = None,
         size: tuple[int, int] = (1280, 820), patience: float = 120.0, watch: bool = False,
         meet_machine: bool = True) -> Any:
    """Open the window over ``home``, let ``script(user)`` run in it, close it; return what the script returned."""
    app = QApplication.instance() or QApplication(["mldesk"])
    assert isinstance(app, QApplication)
    theme.apply(app, mode, scale=1.0)
    place = Home(home)
    window = main.make_window(place, PreferencesFile(home / "window.json"), meet_machine=meet_machine)
    window.resize(*size)
    window.show()
    result: dict[str, Any] = {}

    async def act() -> None:
        user = User(window, shots, patience=patience)
        try:
            result["value"] = await script(user)
            assert not user.hard, user.hard
        except asyncio.CancelledError:
            result["error"] = AssertionError("The window was closed under the user: by a signal, or by what it said.")
        except BaseException as error:
            result["error"] = error
            if shots is not None:
                picture(window).save(str(shots / "99-failed.png"))
        finally:
            for dialog in dialogs():
                dialog.close()
            window.close()

    flashes = Flashes()
    if not watch:  # the filter would count as work
        app.installEventFilter(flashes)
    stalls = Stalls() if watch else None
    window.painted.connect(lambda: start(act(), "the user"))
    try:
        main._live(app, window)
    finally:
        app.removeEventFilter(flashes)
        if stalls is not None:
            stalls.end()
            for seconds, stack in sorted(stalls.seen, reverse=True)[:12]:
                print(f"the UI thread worked {seconds:.3f} s without looking at its events\n{stack}", file=sys.stderr)
        window.deleteLater()
    if "error" in result:
        raise result["error"]
    assert not flashes.seen, flashes.seen
    return result.get("value")


def run(arguments: list[str] | None = None) -> None:
    """Play the main job and look around, leaving screenshots."""
    parser = argparse.ArgumentParser("scripted_user")
    parser.add_argument("--xcb", action="store_true", help="use the X display instead of drawing offscreen")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--stalls", action="store_true", help="say what kept the UI thread for more than 100 ms")
    given, how = picture_arguments(parser, arguments)
    table = Path(__file__).resolve().parents[2] / "resources" / "samples" / "telco_churn.csv"
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        rows = folder / "new_customers.csv"
        rows.write_text("".join(table.read_text("utf-8").splitlines(keepends=True)[:201]), "utf-8")
        home = given.home or folder / "home"

        async def script(user: User) -> None:
            told = await main_job(user, table, rows, folder, epochs=given.epochs)
            await follow_the_command_line(user, home)
            await look_around(user)
            print(f"{user.number} screenshots in {given.out}; {told['run'].name}: {told['run'].result['metrics']}")

        try:
            play(home, script, watch=given.stalls, **how)
        finally:
            stop_agent(home)


def stop_agent(home: Path) -> None:
    """End the runner that the window left at work, as it should."""
    from mldesk.runners.local import LocalRunner

    runner = LocalRunner(Home(home))
    try:
        runner.stop_agent(kill_jobs=True)
    finally:
        runner.close()


if __name__ == "__main__":
    run()
