"""What a page may ask of the window around it. Pages know this and not the window."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from PySide6.QtWidgets import QWidget

from mldesk.core.paths import Home
from mldesk.desktop.actions import Actions
from mldesk.desktop.preferences import PreferencesFile
from mldesk.desktop.states.dataset import Picked
from mldesk.desktop.states.desk import Desk
from mldesk.desktop.states.imports import Imports
from mldesk.desktop.theme import Tone

ToastAction = tuple[str, Callable[[], object]]


class Shell(Protocol):
    """The window, as its pages see it."""

    desk: Desk
    imports: Imports
    preferences: PreferencesFile
    home: Home

    @property
    def registry(self) -> Actions:
        """Everything the window can be told to do."""
        ...

    @property
    def host(self) -> QWidget:
        """The widget that dialogs belong to."""
        ...

    def go(self, place: str) -> None:
        """Show a place: "home", "datasets", "search", "runs", "models", "predict", "runners", "settings"."""
        ...

    def open_dataset(self, name: str, tab: str = "") -> None:
        """Show one dataset."""
        ...

    def open_row(self, reference: str, row: int) -> None:
        """Show one row of a version of a dataset (``name@version``); ``row`` counts from 0."""
        ...

    def open_rows(self, reference: str, picked: Picked) -> None:
        """Show some rows of a version of a dataset (``name@version``)."""
        ...

    def open_run(self, run_id: str) -> None:
        """Show one run."""
        ...

    def open_model(self, name: str, number: int | None = None, tab: str = "") -> None:
        """Show one model, on one of its tabs: "evaluation", "explain", "try", "versions", "about"."""
        ...

    def open_runner(self, name: str) -> None:
        """Show one runner."""
        ...

    def add_runner(self) -> None:
        """Open the Add runner dialog."""
        ...

    def train_on(self, runner: str) -> None:
        """Open the Train dialog with a runner chosen, over the dataset looked at last or the newest one."""
        ...

    def allow_questions(self) -> None:
        """Ask for passwords again where somebody said no before: a person has just asked for a connection."""
        ...

    def compare_runs(self, run_ids: Sequence[str]) -> None:
        """Show runs side by side."""
        ...

    def train(self, reference: str) -> None:
        """Open the Train dialog over a dataset or one of its versions."""
        ...

    def predict(self, model: str) -> None:
        """Open the Predict dialog for a model or one of its versions."""
        ...

    def import_files(self, paths: Sequence[Path]) -> None:
        """Bring files in: tables as datasets, bundles as models."""
        ...

    def choose_import(self) -> None:
        """Ask for files, then bring them in."""
        ...

    def choose_sample(self) -> None:
        """Show the sample data that came with MLDesk."""
        ...

    def start_template(self, name: str) -> None:
        """Bring in the data of a project to start from, and its settings."""
        ...

    def choose_bundle(self) -> None:
        """Ask for a bundle and show what is in it before anything is loaded."""
        ...

    def import_sample(self) -> None:
        """Bring in the sample data that came with MLDesk."""
        ...

    def say(self, text: str, tone: Tone = "info", action: ToastAction | None = None) -> None:
        """Show a toast."""
        ...

    def report(self, error: BaseException) -> None:
        """Tell the user about an error: its sentence and hint, or that we failed and where the log is."""
        ...
