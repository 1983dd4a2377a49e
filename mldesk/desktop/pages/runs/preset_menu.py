"""The menu of presets in the Train dialog: start from one, keep the settings as one, bring some in, write them out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QPushButton, QWidget

from mldesk.core.errors import MldeskError
from mldesk.desktop import words
from mldesk.desktop.errors import sentence
from mldesk.desktop.pages.file_choice import choose_files, choose_place
from mldesk.desktop.pages.row_menu import LINE, Entry, popup
from mldesk.desktop.states.train import fields_of
from mldesk.desktop.tasks import in_thread, start
from mldesk.desktop.widgets import FormRow, Sheet, make_button

if TYPE_CHECKING:
    from mldesk.desktop.shell import Shell
    from mldesk.desktop.states.train import TrainState
    from mldesk.workbench.presets import Preset

Chosen = Callable[[Mapping[str, Any]], object]   # is given fields of an order to begin with


def preset_button(shell: Shell, host: QWidget, state: TrainState, chosen: Chosen) -> QPushButton:
    """Return the button that shows the menu once the presets are read. What it starts from keeps the runner."""
    button = make_button(words.tr("Presets"), "link", "folder", small=True)
    button.setToolTip(words.tr("Start from settings that were kept, or keep these"))

    async def show() -> None:
        presets = await in_thread(shell.desk.workbench.presets.list)
        popup(host, preset_entries(shell, host, presets, state, chosen),
              button.mapToGlobal(button.rect().bottomLeft()))

    button.clicked.connect(lambda _checked: start(show(), "show the presets"))
    return button


def preset_entries(shell: Shell, host: QWidget, presets: Mapping[str, Preset], state: TrainState,
                   chosen: Chosen) -> list[Entry]:
    """Return what the menu holds."""
    tr, service = words.tr, shell.desk.workbench.presets
    files = [tr("Presets") + " (*.json)"]

    def begin(preset: Preset) -> None:
        chosen({**fields_of(preset, state.version), "runner": state.order.value.runner})

    starts = [Entry("train" if preset.search is None else "search", tr("Start from {name}").format(name=name),
                    lambda preset=preset: begin(preset)) for name, preset in presets.items()]   # type: ignore[misc]
    none = "" if presets else tr("There is no preset yet.")
    return [*starts, *([LINE] if starts else []),
            Entry("plus", tr("Keep these settings as a preset…"), lambda: ask_name(shell, host, state)),
            Entry("import", tr("Bring in presets from a file…"), lambda: choose_files(
                host, tr("Bring in presets"), files,
                lambda paths: _do(shell, lambda: service.take(paths[0]), tr("The presets are in the menu now.")))),
            Entry("export", tr("Write all presets to a file…"), lambda: choose_place(
                host, tr("Write presets"), files, "presets.json",
                lambda path: _do(shell, lambda: service.export(path), tr("Wrote {name}.").format(name=path.name))),
                none),
            *([LINE] if starts else []),
            *(Entry("trash", tr("Forget {name}").format(name=name), lambda name=name: _do(   # type: ignore[misc]
                shell, lambda: service.remove(name), tr("Forgot {name}.").format(name=name))) for name in presets)]


def ask_name(shell: Shell, host: QWidget, state: TrainState) -> Sheet:
    """Ask what the settings are to be called, and keep them."""
    name = QLineEdit()
    sheet = Sheet(words.tr("Keep these settings"), host, primary=words.tr("Keep"), width=400)
    sheet.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    sheet.body.addWidget(FormRow(words.tr("Name"), name, words.tr("One of the same name is replaced. The table and the "
                                                                  "runner are no part of it.")))
    sheet.confirmed.connect(lambda: start(_keep(shell, sheet, state, name.text()), "keep a preset"))
    sheet.open()
    name.setFocus()
    return sheet


async def _keep(shell: Shell, sheet: Sheet, state: TrainState, name: str) -> None:
    try:
        await in_thread(shell.desk.workbench.presets.save, name, state.set_up())
    except MldeskError as error:
        sheet.set_error(sentence(error))
        return
    sheet.accept()


def _do(shell: Shell, work: Callable[[], Any], done: str) -> None:
    start(_done(shell, work, done), "change the presets")


async def _done(shell: Shell, work: Callable[[], Any], done: str) -> None:
    try:
        await in_thread(work)
    except (MldeskError, OSError) as error:
        shell.say(sentence(error), "danger")
        return
    shell.say(done, "success")

