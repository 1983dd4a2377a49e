"""The doors of the window: what opens a page over its list, or a dialog. What lies behind is imported when opened."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from PySide6.QtWidgets import QStackedWidget, QWidget

from mldesk.desktop.shell import Shell
from mldesk.desktop.states.dataset import Picked

if TYPE_CHECKING:
    from mldesk.desktop.login_asker import LoginAsker


class Window(Shell, Protocol):
    """The window, as its doors see it."""

    stack: QStackedWidget
    logins: LoginAsker | None
    _places: dict[str, QWidget]

    def _open(self, key: str, page: Any) -> None:
        """Show a page in a place, over its list."""
        ...

    def _ready_or_say(self) -> bool:
        """Say whether the library is open, to the user where it is not."""
        ...


class Doors:
    """A part of the window; pages know it as a part of their ``Shell``."""

    def open_dataset(self: Window, name: str, tab: str = "") -> None:
        from mldesk.desktop.pages.data.dataset import DatasetPage

        page = DatasetPage(self, name)
        self._open("datasets", page)
        if tab:
            page.show_tab(tab)

    def open_row(self: Window, reference: str, row: int) -> None:
        from mldesk.desktop.pages.data.dataset import page_at

        self._open("datasets", page_at(self, reference, row))

    def open_rows(self: Window, reference: str, picked: Picked) -> None:
        from mldesk.desktop.pages.data.dataset import page_at

        self._open("datasets", page_at(self, reference, picked=picked))

    def open_run(self: Window, run_id: str) -> None:
        from mldesk.desktop.pages.runs.run import RunPage

        place = "search" if self.stack.currentWidget() is self._places.get("search", self) else "runs"
        self._open(place, RunPage(self, run_id, place))

    def open_model(self: Window, name: str, number: int | None = None, tab: str = "") -> None:
        from mldesk.desktop.pages.models.model import ModelPage

        page = ModelPage(self, name, number)
        if tab:
            page.tabs.set_value(tab)
        self._open("models", page)

    def open_runner(self: Window, name: str) -> None:
        from mldesk.desktop.pages.runners.runner import RunnerPage

        self._open("runners", RunnerPage(self, name))

    def add_runner(self: Window) -> None:
        from mldesk.desktop.pages.runners.add_runner_dialog import open_add_runner

        if self._ready_or_say():
            open_add_runner(self)

    def run_script(self: Window) -> None:
        """Ask for a script, then run it."""
        from mldesk.desktop.pages.runs.script_dialog import open_script_dialog

        if self._ready_or_say():
            open_script_dialog(self)

    def train_on(self: Window, runner: str) -> None:
        from mldesk.desktop.pages.runs.train_opening import train_on

        train_on(self, runner)

    def allow_questions(self: Window) -> None:
        if self.logins is not None:
            self.logins.allow()

    def compare_runs(self: Window, run_ids: Sequence[str]) -> None:
        from mldesk.desktop.pages.runs.compare import ComparePage

        self._open("runs", ComparePage(self, run_ids))

    def train(self: Window, reference: str) -> None:
        from mldesk.desktop.pages.runs.train_opening import open_train_dialog

        open_train_dialog(self, reference)

    def predict(self: Window, model: str) -> None:
        from mldesk.desktop.pages.models.predict_dialog import PredictDialog

        PredictDialog(self, model).open()

    def import_files(self: Window, paths: Sequence[Path]) -> None:
        from mldesk.desktop.pages.bring_in import bring_in

        if self._ready_or_say():
            bring_in(self, paths)

    def choose_import(self: Window) -> None:
        from mldesk.desktop.pages.bring_in import choose_tables

        if self._ready_or_say():
            choose_tables(self)

    def choose_address(self: Window) -> None:
        from mldesk.desktop.pages.bring_in import choose_address

        if self._ready_or_say():
            choose_address(self)

    def paste_table(self: Window) -> None:
        from mldesk.desktop.pages.bring_in import paste

        if self._ready_or_say():
            paste(self)

    def choose_sample(self: Window) -> None:
        from mldesk.desktop.pages.bring_in import choose_sample

        if self._ready_or_say():
            choose_sample(self)

    def start_template(self: Window, name: str) -> None:
        from mldesk.desktop.pages.bring_in import bring_in_template

        if self._ready_or_say():
            bring_in_template(self, name)

    def choose_bundle(self: Window) -> None:
        from mldesk.desktop.pages.bring_in import choose_bundle

        if self._ready_or_say():
            choose_bundle(self)

    def import_sample(self: Window) -> None:
        from mldesk.desktop.pages.bring_in import bring_in_sample

        if self._ready_or_say():
            bring_in_sample(self)
