"""The window: navigation, places, menus, palette, toasts, files dropped anywhere. Pages are made when first seen."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QByteArray, QTimer, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QHBoxLayout,
    QMainWindow,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from mldesk.core.paths import Home
from mldesk.desktop import errors, theme
from mldesk.desktop.actions import Actions
from mldesk.desktop.palette_key import PaletteKey
from mldesk.desktop.preferences import PreferencesFile
from mldesk.desktop.shell import ToastAction
from mldesk.desktop.states.desk import Desk
from mldesk.desktop.states.imports import Imports
from mldesk.desktop.status_bar import StatusBar
from mldesk.desktop.theme import Space, Tone
from mldesk.desktop.widgets.toasts import Toasts
from mldesk.desktop.window_actions import register
from mldesk.desktop.window_doors import Doors
from mldesk.desktop.window_places import PLACES, make_place, make_sidebar, start_ageing

if TYPE_CHECKING:
    from mldesk.desktop.drop_overlay import FileDrops
    from mldesk.desktop.login_asker import LoginAsker
    from mldesk.desktop.pages.data.dataset import DatasetPage
    from mldesk.desktop.pages.models.model import ModelPage
    from mldesk.desktop.pages.place import Place
    from mldesk.desktop.pages.runs.run import RunPage
    from mldesk.desktop.pages.runs.runs import RunsPage
    from mldesk.library.records import Model, Run

class MainWindow(Doors, QMainWindow):
    """The one window. Signals: ``painted`` once, after the first paint; ``closing`` when it was told to close."""

    painted = Signal()
    closing = Signal()

    def __init__(self, desk: Desk, home: Home, preferences: PreferencesFile) -> None:
        super().__init__()
        self.desk, self.home, self.preferences = desk, home, preferences
        self.actions_: Actions = Actions()
        self.imports = Imports(desk)
        self.logins: LoginAsker | None = None
        self._painted = False
        self._file_drops: FileDrops | None = None
        self._places: dict[str, QWidget] = {}
        self.setWindowTitle("MLDesk")
        self.setMinimumSize(880, 560)
        self.setAcceptDrops(True)
        self.sidebar = make_sidebar()
        self.sidebar.selected.connect(self._on_selected)
        self.sidebar.pressed.connect(self.go)
        self.stack = QStackedWidget()
        self._pages = QWidget()  # holds the stack, and below it the toasts
        self._tray = QVBoxLayout()
        self.toasts = Toasts(self._pages, self._tray)
        self._build()
        register(self.actions_, self)
        self._install_menus()
        self.go("home")
        self._restore()
        self._palette_key = PaletteKey(self)
        self._ageing = start_ageing(self.stack)
        desk.active.subscribe(lambda runs: self.sidebar.set_count(
            "runs", sum(1 for run in runs if run.due(time.time()) is None)))
        desk.troubled.subscribe(self.report)
        self.actions_.refused.subscribe(lambda reason: self.say(reason, "neutral"))

    # What pages ask for (Shell)

    @property
    def host(self) -> QWidget:
        return self

    @property
    def registry(self) -> Actions:
        return self.actions_

    def go(self, place: str) -> None:
        """Show a place; asked for where it is shown already, its list."""
        widget = self._place(place)
        if self.stack.currentWidget() is widget and place in PLACES and self.can_go_back():
            self.back()
        self.stack.setCurrentWidget(widget)
        self.sidebar.set_current(place)

    def say(self, text: str, tone: Tone = "info", action: ToastAction | None = None) -> None:
        if text not in self.toasts.texts():
            self.toasts.show(text, tone, action)

    def report(self, error: BaseException) -> None:
        errors.note("window", error)
        self.say(errors.sentence(error), "danger")

    # What the actions ask for

    def why_not_ready(self) -> str:
        """Say why nothing can be imported yet."""
        if self.desk.failed.value is not None:
            return errors.sentence(self.desk.failed.value)
        return "" if self.desk.ready.value else self.tr("The library is being opened; in a moment it can be done.")

    def dataset_page(self) -> DatasetPage | None:
        """Return the dataset page if it is what is seen."""
        page: DatasetPage | None = self._seen("datasets", "DatasetPage")
        return page

    def run_page(self) -> RunPage | None:
        """Return the run page if it is what is seen."""
        page: RunPage | None = self._seen("runs", "RunPage") or self._seen("search", "RunPage")
        return page

    def model_page(self) -> ModelPage | None:
        """Return the model page if it is what is seen."""
        page: ModelPage | None = self._seen("models", "ModelPage")
        return page

    def shown_dataset(self) -> str:
        """Return the reference of the dataset that is seen or chosen in its list, "" where there is none."""
        page = self.dataset_page()
        return page.state.reference if page is not None else ""

    def shown_run(self) -> Run | None:
        """Return the run that is seen."""
        page = self.run_page()
        return page.state.run.value if page is not None else None

    def shown_model(self) -> Model | None:
        """Return the model that is seen."""
        page = self.model_page()
        return page.state.model.value if page is not None else None

    def train_shown(self) -> None:
        """Open the Train dialog over the dataset that is seen."""
        if reference := self.shown_dataset():
            self.train(reference)

    def why_not_compare(self) -> str:
        """Say why the runs cannot be compared."""
        from mldesk.desktop.states.run_reasons import why_not_compare

        page: RunsPage | None = self._seen("runs", "RunsPage")
        return why_not_compare(page.table.selected() if page is not None else [])

    def compare_chosen(self) -> None:
        """Compare the runs chosen in the list."""
        page: RunsPage | None = self._seen("runs", "RunsPage")
        if page is not None:
            page.compare()

    def can_go_back(self) -> bool:
        """Say whether something is open over a list."""
        return getattr(self.stack.currentWidget(), "detail", None) is not None

    def back(self) -> None:
        """Go back to the list."""
        if self.can_go_back():
            self.stack.currentWidget().back()  # type: ignore[union-attr]

    def set_theme(self, mode: str) -> None:
        """Wear another theme, now and from now on."""
        app = QApplication.instance()
        if isinstance(app, QApplication):
            theme.apply(app, mode)  # type: ignore[arg-type]
        self.preferences.change(theme=mode)

    def change_scale(self, by: float) -> None:
        """Make the text larger or smaller, 80 to 200 %."""
        app = QApplication.instance()
        if isinstance(app, QApplication):
            theme.apply(app, theme.THEME.mode, scale=round(theme.THEME.scale + by, 2))
        self.preferences.change(text_scale=theme.THEME.scale)

    def toggle_sidebar(self) -> None:
        """Show the navigation as icons only, or in full."""
        self.preferences.change(sidebar_compact=not self.preferences.value.sidebar_compact)
        self._fit_sidebar()

    def show_palette(self) -> None:
        """Open the command palette."""
        from mldesk.desktop.command_palette import CommandPalette

        CommandPalette(self.actions_, self).show_over(self)

    def show_keys(self) -> None:
        """Open the cheat sheet."""
        from mldesk.desktop.cheat_sheet import CheatSheet

        CheatSheet(self.actions_, self).open()

    def dispose(self) -> None:
        """Let go of every page, before the tasks and the library end."""
        self._palette_key.end()
        for dialog in self.findChildren(QDialog):
            dialog.reject()  # whoever waits for its answer hears that there is none
        for widget in self._places.values():
            widget.dispose()  # type: ignore[attr-defined]
        self.toasts.clear()

    # Building

    def _build(self) -> None:
        pages = QVBoxLayout(self._pages)
        pages.setContentsMargins(0, 0, 0, 0)
        pages.setSpacing(0)
        pages.addWidget(self.stack, 1)
        self._tray.setSpacing(Space.S)
        pages.addLayout(self._tray)
        right = QVBoxLayout()
        right.setContentsMargins(0, 0, 0, 0)
        right.setSpacing(0)
        right.addWidget(self._pages, 1)
        right.addWidget(StatusBar(self))
        inner = QWidget()
        layout = QHBoxLayout(inner)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.sidebar)
        layout.addLayout(right, 1)
        self.setCentralWidget(inner)

    def _install_menus(self) -> None:
        from mldesk.desktop.menus import install

        self.qt_actions = install(self, self.actions_)

    def _restore(self) -> None:
        saved = self.preferences.value.geometry
        if not saved or not self.restoreGeometry(QByteArray.fromBase64(saved.encode("ascii", "replace"))):
            self.resize(1280, 820)

    def _place(self, key: str) -> QWidget:
        if key not in self._places:
            widget = make_place(self, key)
            self._places[key] = widget
            self.stack.addWidget(widget)
        return self._places[key]

    def _open(self, key: str, page: Any) -> None:
        place: Place = self._place(key)  # type: ignore[assignment]
        place.open(page)
        self.stack.setCurrentWidget(place)
        self.sidebar.set_current(key)

    def _seen(self, key: str, kind: str) -> Any:
        place = self._places.get(key)
        if place is None or self.stack.currentWidget() is not place:
            return None
        widget = place.currentWidget()  # type: ignore[attr-defined]
        return widget if type(widget).__name__ == kind else None

    def _ready_or_say(self) -> bool:
        if reason := self.why_not_ready():
            self.say(reason, "neutral")
        return not self.why_not_ready()

    def _on_selected(self, key: str) -> None:
        if hasattr(self, "stack"):
            self.stack.setCurrentWidget(self._place(key))

    # Qt

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._painted:
            self._painted = True
            QTimer.singleShot(0, self.painted.emit)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_sidebar()

    def _fit_sidebar(self) -> None:
        """Icons only where that was chosen, and where the window is too narrow for words."""
        if self.preferences.value.sidebar_compact:
            self.sidebar.set_compact(True)
        else:
            self.sidebar.adapt(self.width())

    def closeEvent(self, event: QCloseEvent) -> None:
        self.preferences.change(geometry=bytes(self.saveGeometry().toBase64().data()).decode())
        event.accept()
        self.closing.emit()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        self._drops().enter(event)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._drops().leave()

    def dropEvent(self, event: QDropEvent) -> None:
        self._drops().drop(event)

    def _drops(self) -> FileDrops:
        if self._file_drops is None:
            from mldesk.desktop.drop_overlay import FileDrops

            self._file_drops = FileDrops(self, self.import_files)
        return self._file_drops
