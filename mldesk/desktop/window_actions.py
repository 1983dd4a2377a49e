"""Everything the window can be told to do, as entries of the registry."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QCoreApplication, QUrl
from PySide6.QtGui import QDesktopServices

from mldesk.desktop.actions import Action, Actions
from mldesk.desktop.states.run_reasons import why_not_cancel, why_not_finish, why_not_move, why_not_resume

if TYPE_CHECKING:
    from mldesk.core.paths import Home
    from mldesk.desktop.pages.data.dataset import DatasetPage
    from mldesk.desktop.pages.models.model import ModelPage
    from mldesk.desktop.pages.runs.run import RunPage
    from mldesk.library.records import Model, Run


class Commanded(Protocol):
    """The window, as its actions see it."""

    home: Home

    def why_not_ready(self) -> str: ...
    def choose_import(self) -> None: ...
    def choose_address(self) -> None: ...
    def paste_table(self) -> None: ...
    def choose_sample(self) -> None: ...
    def choose_bundle(self) -> None: ...
    def import_sample(self) -> None: ...
    def add_runner(self) -> None: ...
    def run_script(self) -> None: ...
    def close(self) -> bool: ...
    def go(self, place: str) -> None: ...
    def back(self) -> None: ...
    def can_go_back(self) -> bool: ...
    def dataset_page(self) -> DatasetPage | None: ...
    def run_page(self) -> RunPage | None: ...
    def model_page(self) -> ModelPage | None: ...
    def shown_dataset(self) -> str: ...
    def shown_run(self) -> Run | None: ...
    def shown_model(self) -> Model | None: ...
    def train_shown(self) -> None: ...
    def why_not_compare(self) -> str: ...
    def compare_chosen(self) -> None: ...
    def set_theme(self, mode: str) -> None: ...
    def change_scale(self, by: float) -> None: ...
    def toggle_sidebar(self) -> None: ...
    def show_palette(self) -> None: ...
    def show_keys(self) -> None: ...


def tr(text: str) -> str:
    """Translate a title."""
    return QCoreApplication.translate("Actions", text)


def register(actions: Actions, window: Commanded) -> None:
    """Fill ``actions`` with what ``window`` can do."""
    for group in (_file, _go, _data, _run, _model, _view, _help):
        for action in group(window):
            actions.add(action)


def _file(window: Commanded) -> list[Action]:
    return [
        Action("data.import", tr("Import a table…"), window.choose_import, "File", "Ctrl+O", "import",
               window.why_not_ready, "open csv excel parquet json file dataset"),
        Action("data.address", tr("Import from an address or a folder…"), window.choose_address, "File",
               "Ctrl+Alt+O", "folder", window.why_not_ready, "url http s3 sftp postgres directory"),
        Action("data.paste", tr("Paste a table"), window.paste_table, "File", "Ctrl+V", "copy",
               window.why_not_ready, "clipboard"),
        Action("data.sample", tr("Import the sample data"), window.import_sample, "File", "", "play",
               window.why_not_ready),
        Action("data.samples", tr("Sample data…"), window.choose_sample, "File", "", "play", window.why_not_ready,
               "example penguins flights telco"),
        Action("model.import", tr("Import a bundle…"), window.choose_bundle, "File", "Ctrl+Shift+O", "bundle",
               window.why_not_ready, "mlbundle model inspect"),
        Action("script.run", tr("Run a script…"), window.run_script, "File", "Ctrl+Alt+R", "play", window.why_not_ready,
               "python program folder track"),
        Action("runner.add", tr("Add a runner…"), window.add_runner, "File", "Ctrl+Shift+R", "runner",
               window.why_not_ready, "ssh machine server connect gpu"),
        Action("window.quit", tr("Quit"), window.close, "File", "Ctrl+Q", "close", words="exit close"),
    ]


def _go(window: Commanded) -> list[Action]:
    places = (("home", tr("Home"), "home"), ("datasets", tr("Datasets"), "dataset"),
              ("search", tr("Search"), "search"), ("runs", tr("Runs"), "run"),
              ("models", tr("Models"), "model"), ("predict", tr("Predict"), "predict"),
              ("runners", tr("Runners"), "runner"))
    actions = [Action(f"go.{key}", tr("Go to {place}").format(place=title), partial(window.go, key), "Go",
                      f"Ctrl+{number}", icon) for number, (key, title, icon) in enumerate(places, start=1)]
    return [*actions,
            Action("go.settings", tr("Settings"), lambda: window.go("settings"), "Go", "Ctrl+,", "settings"),
            Action("go.back", tr("Back to the list"), window.back, "Go", "Alt+Left", "chevron-left",
                   lambda: "" if window.can_go_back() else tr("This is a list already."))]


def _data(window: Commanded) -> list[Action]:
    def why_not() -> str:
        return "" if window.shown_dataset() else tr("Open a dataset first.")

    def on_page(method: str) -> None:
        page = window.dataset_page()
        if page is not None:
            getattr(page, method)()

    return [
        Action("data.train", tr("Train a model…"), window.train_shown, "Data", "Ctrl+T", "train", why_not, "fit learn"),
        Action("data.clean", tr("Clean…"), lambda: on_page("clean"), "Data", "Ctrl+E", "edit", why_not, "recipe steps"),
        Action("data.query", tr("Ask in SQL"), lambda: on_page("show_query"), "Data", "Ctrl+L", "search", why_not),
        Action("data.export", tr("Export the table…"), lambda: on_page("export"), "Data", "Ctrl+Shift+E", "export",
               why_not),
        Action("data.rename", tr("Rename…"), lambda: on_page("rename"), "Data", "Shift+F2", "edit", why_not),
        Action("data.remove", tr("Move to the bin"), lambda: on_page("remove"), "Data", "", "trash", why_not, "delete"),
    ]


def _run(window: Commanded) -> list[Action]:
    def on_page(method: str) -> None:
        page = window.run_page()
        if page is not None:
            getattr(page, method)()

    return [
        Action("run.cancel", tr("Cancel the run"), lambda: on_page("cancel"), "Run", "Ctrl+.", "cancel",
               lambda: why_not_cancel(window.shown_run()), "stop abort"),
        Action("run.finish", tr("Finish now and keep the model"), lambda: on_page("finish"), "Run", "Ctrl+Return",
               "finish", lambda: why_not_finish(window.shown_run()), "stop early"),
        Action("run.resume", tr("Resume from the last checkpoint"), lambda: on_page("resume"), "Run", "Ctrl+R", "play",
               lambda: why_not_resume(window.shown_run()), "continue"),
        Action("run.move", tr("Move to another runner…"), lambda: on_page("move_away"), "Run", "Ctrl+M", "runner",
               lambda: why_not_move(window.shown_run()), "migrate machine"),
        Action("run.compare", tr("Compare the chosen runs"), window.compare_chosen, "Run", "Ctrl+D", "compare",
               window.why_not_compare),
    ]


def _model(window: Commanded) -> list[Action]:
    def why_not() -> str:
        return "" if window.shown_model() else tr("Open a model first.")

    def on_page(method: str) -> None:
        page = window.model_page()
        if page is not None:
            getattr(page, method)()

    def as_form(form: str) -> None:
        page = window.model_page()
        if page is not None:
            page.export_as(form)

    return [
        Action("model.predict", tr("Predict a file…"), lambda: on_page("predict"), "Model", "Ctrl+P", "predict",
               why_not),
        Action("model.export", tr("Export as a bundle…"), lambda: on_page("export"), "Model", "Ctrl+S", "bundle",
               why_not),
        *(Action(f"model.export_{form}", title, partial(as_form, form), "Model", "", "export", why_not, "write save")
          for form, title in (("onnx", tr("Export as ONNX…")), ("native", tr("Export as a folder of native files…")),
                              ("mlflow", tr("Export as an MLflow model…")))),
        Action("model.promote", tr("Promote this version"), lambda: on_page("promote"), "Model", "", "success",
               why_not),
    ]


def _view(window: Commanded) -> list[Action]:
    themes = (("system", tr("Theme: as the system"), "contrast"), ("light", tr("Theme: light"), "sun"),
              ("dark", tr("Theme: dark"), "moon"), ("contrast", tr("Theme: high contrast"), "contrast"))
    return [
        *(Action(f"view.theme.{mode}", title, partial(window.set_theme, mode), "View", "", icon)
          for mode, title, icon in themes),
        Action("view.larger", tr("Larger text"), lambda: window.change_scale(0.1), "View", "Ctrl++", "plus",
               words="zoom"),
        Action("view.smaller", tr("Smaller text"), lambda: window.change_scale(-0.1), "View", "Ctrl+-", "minus",
               words="zoom"),
        Action("view.sidebar", tr("Narrow the navigation"), window.toggle_sidebar, "View", "Ctrl+B", "columns"),
    ]


def _help(window: Commanded) -> list[Action]:
    return [
        Action("help.palette", tr("All commands…"), window.show_palette, "Help", "Ctrl+K", "search"),
        Action("help.keys", tr("Keyboard shortcuts"), window.show_keys, "Help", "?", "info", words="cheat sheet"),
        Action("help.log", tr("Show the log folder"), partial(_show_folder, window.home.logs), "Help", "", "folder"),
        Action("help.about", tr("About MLDesk"), lambda: window.go("settings"), "Help", "", "logo"),
    ]


def _show_folder(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
