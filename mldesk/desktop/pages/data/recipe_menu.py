"""What can be done with a recipe as a whole: from and to a file, another dataset, the clipboard, a Python script."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu

from mldesk.core import durable
from mldesk.core.errors import BadInput, MldeskError
from mldesk.desktop import words
from mldesk.desktop.errors import sentence
from mldesk.desktop.pages.file_choice import choose_files, choose_place
from mldesk.desktop.shell import Shell
from mldesk.desktop.states.clean import CleanState, Step
from mldesk.desktop.tasks import async_slot, in_thread
from mldesk.desktop.widgets import ComboBox, FormRow, Sheet, make_label

_JSON = "Recipes (*.json)"


class RecipeMenu(QMenu):
    """Acts on a ``CleanState``; ``host`` is the dialog that shows it."""

    wanted_on = Signal(object, object)   # a DatasetVersion, and the steps to clean it with

    def __init__(self, shell: Shell, state: CleanState, host: Sheet) -> None:
        super().__init__(host)
        self._shell, self._state, self._host = shell, state, host
        for title, act in ((self.tr("Load from a file…"), self._load), (self.tr("Save to a file…"), self._save),
                           (self.tr("Copy"), self.copy), (self.tr("Paste"), self.paste),
                           (self.tr("Take that of another version…"), self._take),
                           (self.tr("Use on another dataset…"), self._use),
                           (self.tr("Export as a Python script…"), self._script)):
            self.addAction(title).triggered.connect(lambda _checked=False, act=act: act())

    def copy(self) -> None:
        """Put the recipe on the clipboard, as JSON."""
        steps = self._state.steps.value
        QGuiApplication.clipboard().setText(_text(steps))
        self._shell.say(self.tr("{steps} are on the clipboard, as JSON.").format(steps=words.counted(
            len(steps), self.tr("step"), self.tr("steps"))), "success")

    def paste(self) -> None:
        """Take the recipe on the clipboard."""
        self._take_text(QGuiApplication.clipboard().text())

    def _load(self) -> None:
        choose_files(self._host, self.tr("Load a recipe"), [_JSON, self.tr("All files") + " (*)"],
                     lambda paths: self._read(paths[0]))

    @async_slot
    async def _read(self, path: Path) -> None:
        try:
            self._take_text(await in_thread(path.read_text, "utf-8-sig"))
        except (OSError, ValueError) as error:
            self._host.set_error(self.tr("{name} cannot be read: {why}").format(name=path.name, why=error))

    def _save(self) -> None:
        choose_place(self._host, self.tr("Save the recipe"), [_JSON], f"{self._state.version.dataset}-recipe.json",
                     lambda path: self._write(path, _text(self._state.steps.value)))

    @async_slot
    async def _write(self, path: Path, text: str) -> None:
        try:
            await in_thread(_keep, path, text)
        except (MldeskError, OSError) as error:
            self._host.set_error(sentence(error))
            return
        self._shell.say(self.tr("Wrote {name}.").format(name=path.name), "success")

    def _script(self) -> None:
        choose_place(self._host, self.tr("Export as a script"), ["Python (*.py)"],
                     f"{self._state.version.dataset}-recipe.py", self._write_script)

    @async_slot
    async def _write_script(self, path: Path) -> None:
        service, version = self._shell.desk.workbench.cleaning, self._state.version
        try:
            text = await in_thread(service.recipe_script, version.label, self._state.steps.value)
        except MldeskError as error:
            self._host.set_error(sentence(error))
            return
        self._write(path, text)

    @async_slot
    async def _take(self) -> None:
        service = self._shell.desk.workbench.datasets

        def found() -> list[tuple[tuple[Step, ...], str]]:
            return [(tuple(version.recipe), self.tr("{version}, {steps}").format(
                version=version.label, steps=words.counted(len(version.recipe), self.tr("step"), self.tr("steps"))))
                for item in service.list() for version in service.versions(item.name) if version.recipe]

        recipes = await in_thread(found)
        if not recipes:
            self._host.set_error(self.tr("No other version was made by a recipe yet."))
            return
        dialog = ChoiceDialog(self._host, self.tr("Take a recipe"), self.tr("Made"), [
            (index, title) for index, (_, title) in enumerate(recipes)])
        dialog.confirmed.connect(dialog.accept)
        dialog.accepted.connect(lambda: self.take(recipes[dialog.box.value()][0]))
        dialog.open()

    @async_slot
    async def _use(self) -> None:
        datasets = await in_thread(self._shell.desk.workbench.datasets.list)
        others = [item for item in datasets if item.name != self._state.version.dataset]
        if not others:
            self._host.set_error(self.tr("There is no other dataset in the library."))
            return
        dialog = ChoiceDialog(self._host, self.tr("Use the recipe on"), self.tr("Dataset"), [
            (index, f"{item.name} · {words.shape(item.head.rows, len(item.head.columns))}")
            for index, item in enumerate(others)])
        dialog.confirmed.connect(lambda: self._open_over(others[dialog.box.value()].head, dialog))
        dialog.open()

    def _open_over(self, version: object, dialog: Sheet) -> None:
        dialog.accept()
        self.wanted_on.emit(version, self._state.steps.value)

    def _take_text(self, text: str) -> None:
        from mldesk.data.recipes.steps import parse_recipe

        try:
            steps = parse_recipe(text)
        except BadInput as error:
            self._host.set_error(sentence(error))
            return
        self._host.set_error("")
        self.take(steps)

    @async_slot
    async def take(self, steps: Sequence[Step]) -> None:
        """Put a recipe in place of this one; code in it runs only if the user says so."""
        code = await self._state.untrusted(steps)
        if not code:
            self._put(steps)
            return
        dialog = CodeDialog(self._host, "\n\n".join(code))
        dialog.confirmed.connect(dialog.accept)
        dialog.accepted.connect(lambda: self._allow(steps))
        dialog.rejected.connect(lambda: self._state.set_steps(
            [{**step, "disabled": True} if step.get("code") else step for step in steps]))
        dialog.open()

    @async_slot
    async def _allow(self, steps: Sequence[Step]) -> None:
        try:
            await self._state.allow(steps)
        except MldeskError as error:
            self._host.set_error(sentence(error))
            return
        self._put(steps)

    def _put(self, steps: Sequence[Step]) -> None:
        before = len(self._state.steps.value)
        self._state.set_steps(steps)
        if before:
            self._shell.say(self.tr("{steps} took the place of those that were here; Undo brings them back.").format(
                steps=words.counted(len(steps), self.tr("step"), self.tr("steps"))), "neutral")


class ChoiceDialog(Sheet):
    """One of several; ``box`` has the choice when it is confirmed."""

    def __init__(self, host: QMenu | Sheet, title: str, label: str, options: Sequence[tuple[int, str]]) -> None:
        super().__init__(title, host, width=440)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.box = ComboBox(options)
        self.add(FormRow(label, self.box))


class CodeDialog(Sheet):
    """Shows code that came with a recipe, and asks whether it may run."""

    def __init__(self, host: Sheet, code: str) -> None:
        super().__init__(self.tr("This recipe runs code"), host, primary=self.tr("Run it"),
                         secondary=self.tr("Leave these steps out"), width=560, scrolls=True,
                         text=self.tr("It runs in a confined process with a limit of time and memory. Read it, unless "
                                      "you know where it comes from."))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.add(make_label(code, "mono", wrap=True, selectable=True))


def _text(steps: Sequence[Step]) -> str:
    return json.dumps({"steps": [dict(step) for step in steps]}, indent=2, ensure_ascii=False) + "\n"


def _keep(path: Path, text: str) -> None:
    with durable.disk_errors(f"writing {path.name}"), durable.replacing(path) as file:
        file.write(text.encode())
