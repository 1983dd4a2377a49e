"""A word from the system when a run has ended while the window is not in front. Silent, and off where it was chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication, QSystemTrayIcon, QWidget

from mldesk.core.errors import MldeskError
from mldesk.desktop import words
from mldesk.desktop.shell import Shell
from mldesk.desktop.tasks import in_thread, start
from mldesk.desktop.theme import icons
from mldesk.desktop.widgets.badges import state_words
from mldesk.wire.states import JobState

if TYPE_CHECKING:
    from mldesk.library.records import Run

SHOWN = 20_000  # milliseconds a notice, and the icon that it needs, stay


class Notifier(QObject):
    """Listens to the desk. ``told`` keeps what was said, newest last, for whoever wants to know."""

    def __init__(self, shell: Shell, window: QWidget) -> None:
        super().__init__(window)
        self._shell, self._window = shell, window
        self._tray: QSystemTrayIcon | None = None
        self._run_id = ""
        self.told: list[tuple[str, str]] = []
        self._gone = QTimer(self, singleShot=True, interval=SHOWN)
        self._gone.timeout.connect(self._hide)
        self.end = shell.desk.ended.subscribe(self._on_ended)

    def _on_ended(self, run_id: str) -> None:
        if self._shell.preferences.value.notify and not self._window.isActiveWindow():
            start(self._tell(run_id), f"tell that {run_id} ended")

    async def _tell(self, run_id: str) -> None:
        try:
            run = await in_thread(self._shell.desk.workbench.runs.get, run_id)
        except MldeskError:  # it was removed meanwhile
            return
        title, text = notice(run)
        self.told.append((title, text))
        QApplication.alert(self._window)
        if not QSystemTrayIcon.isSystemTrayAvailable():
            return
        if self._tray is None:
            self._tray = QSystemTrayIcon(icons.app_icon(), self)
            self._tray.messageClicked.connect(self._on_clicked)
            self._tray.activated.connect(lambda _: self._on_clicked())
        self._run_id = run_id
        self._tray.show()
        self._tray.showMessage(title, text, icons.app_icon(), SHOWN // 2)
        self._gone.start()

    def _on_clicked(self) -> None:
        self._hide()
        self._window.showNormal() if self._window.isMinimized() else self._window.show()
        self._window.raise_()
        self._window.activateWindow()
        self._shell.open_run(self._run_id)

    def _hide(self) -> None:
        if self._tray is not None:
            self._tray.hide()


def notice(run: Run) -> tuple[str, str]:
    """Return title and text of the word on a run that has ended."""
    from mldesk.desktop.pages.runs.run_fields import score

    title = f"{run.name}: {state_words(run.state)[0].lower()}"
    if run.state is JobState.SUCCEEDED and (found := score(run)) is not None:
        return title, f"{words.metric_name(found[0])} {words.metric_value(found[1])}"
    return title, run.message or words.tr("on {dataset}").format(dataset=run.dataset)
