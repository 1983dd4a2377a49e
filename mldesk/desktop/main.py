"""Open the window. It is shown first, with Qt and our own code only; everything slow comes after the first paint.

The order of the end: the window hides, tasks are cancelled, the library closes, threads end. Jobs go on.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from mldesk.core.errors import MldeskError
from mldesk.core.not_here import TRAINERS, only_elsewhere
from mldesk.core.paths import Home, default_home
from mldesk.desktop import errors, theme
from mldesk.desktop.garbage import GarbageCollector
from mldesk.desktop.login_asker import LoginAsker
from mldesk.desktop.notifications import Notifier
from mldesk.desktop.passphrase import PassphraseAsker
from mldesk.desktop.preferences import PreferencesFile
from mldesk.desktop.states.desk import Desk
from mldesk.desktop.tasks import Tasks, in_thread, made_current, start
from mldesk.desktop.theme import icons
from mldesk.desktop.window import MainWindow

if TYPE_CHECKING:
    from mldesk.library.secrets import SecretStore
    from mldesk.workbench.bench import Workbench

PATIENCE = 15.0  # seconds that a thread may go on after the window was closed: a query over a huge table, for one
AFTER = 0.5  # seconds after which the slow parts come even if nothing was painted (a window that starts hidden)


def run(home: Path | None = None, *, gallery: bool = False, quit_at_first_paint: bool = False) -> int:
    """Open the window over the library at ``home`` and return the exit code once it is closed."""
    place = Home(home or default_home())
    app = _application()
    preferences = PreferencesFile(place.root / "window.json")
    theme.apply(app, _mode(preferences.value.theme), scale=preferences.value.text_scale)
    if gallery:
        return _run_gallery(app)
    window = make_window(place, preferences)
    window.show()
    code = _live(app, window, quit_at_first_paint=quit_at_first_paint)
    left = [thread for thread in threading.enumerate() if thread.name.startswith("mldesk-")]
    if left:  # Python would wait for them; everything they could spoil is written in one piece or not at all
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code


def make_window(place: Home, preferences: PreferencesFile, *, meet_machine: bool = True) -> MainWindow:
    """Build the window over the library at ``place``, which it opens once it is shown.

    ``meet_machine`` starts the local runner without being asked, so that the first run begins at once.
    """
    asker, logins = PassphraseAsker(), LoginAsker()
    desk = Desk(lambda: _open_workbench(place, asker, logins), meet_machine=meet_machine)
    window = MainWindow(desk, place, preferences)
    window.logins = logins
    window.painted.connect(lambda: asker.attach(window))
    window.painted.connect(lambda: logins.attach(window))
    Notifier(window, window)
    return window


def _live(app: QApplication, window: MainWindow, *, quit_at_first_paint: bool = False) -> int:
    from qasync import QEventLoop  # looks for the Qt that is imported already

    app.setQuitOnLastWindowClosed(False)  # the end has an order of its own
    loop = QEventLoop(app)
    tasks = Tasks(lambda name, error: _on_task_failed(window, name, error))
    before, sys.excepthook = sys.excepthook, _excepthook(window)
    garbage = GarbageCollector()
    garbage.start()
    try:
        with loop, made_current(tasks), only_elsewhere(TRAINERS):
            loop.run_until_complete(live(window, tasks, garbage, quit_at_first_paint=quit_at_first_paint))
    finally:
        sys.excepthook = before
        garbage.stop()   # the loop's own signals are disconnected by now
    return 0


async def live(window: MainWindow, tasks: Tasks, garbage: GarbageCollector, *,
               quit_at_first_paint: bool = False) -> None:
    """Run the window until it is closed, then end in order."""
    closed, painted = asyncio.Event(), asyncio.Event()
    window.closing.connect(closed.set)
    window.painted.connect(painted.set)
    if quit_at_first_paint:
        window.painted.connect(window.close)
    undo = _listen_to_signals(window)
    log = None
    try:
        await _either(painted, closed, AFTER)
        if not closed.is_set():
            log = _start_log(window)
            start(window.desk.open(), "open the library")
            start(_warm_up(garbage), "load the charts")
        await closed.wait()
    finally:
        undo()
        window.hide()
        window.dispose()
        await tasks.cancel()
        await window.desk.close()
        if not tasks.join(PATIENCE):
            errors.LOGGER.warning("something was still at work %s s after the window was closed", PATIENCE)
        if log is not None:
            errors.stop_log(log)


async def _warm_up(garbage: GarbageCollector) -> None:
    """Import what the pages need while nobody waits for it: in a thread, one after the other."""
    pages = ("data.dataset", "data.datasets", "runs.runs", "runs.run", "models.models", "models.model",
             "runs.train_opening", "runners.runners", "runners.runner")
    for module in ("numpy", "pyqtgraph", "mldesk.desktop.widgets", "mldesk.desktop.widgets.chart",
                   *(f"mldesk.desktop.pages.{page}" for page in pages), "mldesk.data.recipes.steps"):
        await in_thread(importlib.import_module, module)
    garbage.settle()


async def _either(first: asyncio.Event, second: asyncio.Event, seconds: float) -> None:
    waiting = [asyncio.ensure_future(event.wait()) for event in (first, second)]
    await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for one in waiting:
        one.cancel()


def _application() -> QApplication:
    existing = QApplication.instance()
    if isinstance(existing, QApplication):
        return existing
    QApplication.setApplicationName("mldesk")
    QApplication.setApplicationDisplayName("MLDesk")
    QApplication.setDesktopFileName("mldesk")
    app = QApplication(sys.argv[:1])
    app.setWindowIcon(icons.app_icon())
    return app


def _mode(text: str) -> theme.Mode:
    modes: dict[str, theme.Mode] = {"light": "light", "dark": "dark", "contrast": "contrast"}
    return modes.get(text, "system")


def _open_workbench(home: Home, passphrase: Callable[[bool], str | None], logins: LoginAsker) -> Workbench:
    from mldesk.app import open_workbench  # SQLAlchemy loads with it, in a worker thread
    from mldesk.library.secrets import SecretStore

    secrets = SecretStore(home.vault, passphrase=passphrase)
    logins.why_not_keep = lambda: _why_not_keep(secrets, home)
    workbench = open_workbench(home.root, secrets=secrets)
    workbench.runners.set_asker(logins)
    return workbench


def _why_not_keep(secrets: SecretStore, home: Home) -> str:
    """Say why no password can be remembered, "" where one can. May wait for the keyring."""
    if secrets.place == "keyring" or home.vault.exists():
        return ""
    return "There is no keyring on this machine that works, so nothing can be remembered."


def _start_log(window: MainWindow) -> Any:
    try:
        return errors.start_log(window.home.logs)
    except OSError as error:
        window.say(window.tr("No log is written: {why}").format(why=error.strerror or error), "warning")
        return None


def _on_task_failed(window: MainWindow, name: str, error: BaseException) -> None:
    if not isinstance(error, MldeskError):
        errors.note(name, error)
    window.say(errors.sentence(error), "danger")


def _excepthook(window: MainWindow) -> Any:
    def hook(kind: type[BaseException], error: BaseException, trace: Any) -> None:
        if issubclass(kind, KeyboardInterrupt):
            window.close()
            return
        errors.note("a slot", error.with_traceback(trace))
        window.say(errors.sentence(error), "danger")

    return hook


def _listen_to_signals(window: MainWindow) -> Any:
    """Close the window on Ctrl-C in the terminal and on SIGTERM; return what undoes it."""
    heard: list[int] = []
    before = {number: signal.signal(number, lambda number, _frame: heard.append(number))
              for number in (signal.SIGINT, signal.SIGTERM)}
    timer = QTimer(window, interval=200)  # lets Python run, which hears signals, while Qt waits; and looks
    timer.timeout.connect(lambda: window.close() if heard else None)
    timer.start()

    def undo() -> None:
        timer.stop()
        for number, handler in before.items():
            signal.signal(number, handler)

    return undo


def _run_gallery(app: QApplication) -> int:
    from mldesk.desktop.gallery import Gallery

    shown = Gallery()
    shown.show()
    return app.exec()


def main(arguments: Sequence[str] | None = None) -> int:
    """Open the window from ``python -m mldesk.desktop.main``; benchmarks use its options."""
    parser = argparse.ArgumentParser("mldesk.desktop.main")
    parser.add_argument("--home", type=Path, default=None)
    parser.add_argument("--gallery", action="store_true")
    parser.add_argument("--quit-at-first-paint", action="store_true")
    given = parser.parse_args(arguments)
    return run(given.home, gallery=given.gallery, quit_at_first_paint=given.quit_at_first_paint)


if __name__ == "__main__":
    sys.exit(main())
