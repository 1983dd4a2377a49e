"""Run a script: a folder or a program, its parameters as a form, the tables it reads, the runner."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QLineEdit, QVBoxLayout, QWidget

from mldesk.core.errors import MldeskError
from mldesk.desktop import runner_words, words
from mldesk.desktop.errors import sentence
from mldesk.desktop.pages.file_choice import choose_files
from mldesk.desktop.pages.room import fitting
from mldesk.desktop.tasks import TaskOwner, async_slot, in_remote, in_thread, start
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import (
    ComboBox,
    FormRow,
    Sheet,
    Switch,
    clear,
    make_button,
    make_label,
    row,
)

if TYPE_CHECKING:
    from mldesk.desktop.shell import Shell
    from mldesk.library.records import Run
    from mldesk.workbench.scripts import ScriptOrder


def open_script_dialog(shell: Shell, folder: Path | None = None) -> None:
    """Ask for a folder, unless one is given, then for what its program shall be given."""
    if folder is not None:
        ScriptDialog(shell, folder).open()
        return
    dialog = QFileDialog(shell.host, words.tr("The folder of the script"), str(Path.home()))
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setFileMode(QFileDialog.FileMode.Directory)
    dialog.setOption(QFileDialog.Option.ShowDirsOnly, on=True)
    dialog.filesSelected.connect(lambda names: ScriptDialog(shell, Path(names[0])).open() if names else None)
    dialog.open()


def run_again(shell: Shell, run: Run) -> None:
    """Run the files of an earlier run once more, with its parameters to begin with."""
    start(_run_again(shell, run), f"run {run.name} again")


async def _run_again(shell: Shell, run: Run) -> None:
    try:
        folder = await in_thread(shell.desk.workbench.scripts.lay_out, run.id)
    except MldeskError as error:
        shell.say(sentence(error), "danger")
        return
    ScriptDialog(shell, folder, run).open()


class ScriptDialog(Sheet, TaskOwner):
    """Starts a run of a script, which is opened then. ``again`` is the run whose parameters to begin with."""

    def __init__(self, shell: Shell, folder: Path, again: Run | None = None) -> None:
        super().__init__(self.tr("Run a script"), shell.host, primary=self.tr("Run"), width=560, scrolls=True,
                         text=self.tr("A copy of the folder goes along, so what ran is kept and can be compared."))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._shell, self._folder, self._again = shell, folder, again
        self._entry = "" if again is None else str(again.spec.get("payload", {}).get("entry", ""))
        self._fields: dict[str, Callable[[], str]] = {}
        self._tables: dict[str, ComboBox] = {}
        self._datasets: list[str] = []
        self.place = QLineEdit(str(folder) if again is None else self.tr("the files of {run}").format(run=again.name))
        self.place.setReadOnly(True)
        line = QWidget()
        buttons = []
        for icon, text, act in (("folder", self.tr("Folder…"), self._choose_folder),
                                ("file", self.tr("Program…"), self._choose_program)) if again is None else ():
            buttons.append(make_button(text, "secondary", icon))
            buttons[-1].clicked.connect(act)
        line.setLayout(row(self.place, *buttons, spacing=Space.S))
        self.place_row = FormRow(self.tr("Script"), line)
        self.place.setAccessibleName(self.tr("Script"))
        self.name = QLineEdit("" if again is None else again.name)
        self.runner = ComboBox([("local", runner_words.where("local"))])
        self._form = QVBoxLayout()
        self._form.setSpacing(Space.L)
        self.add(self.place_row)
        self.add(self._form)
        self.add(FormRow(self.tr("Runner"), self.runner))
        self.add(FormRow(self.tr("Name of the run"), self.name, self.tr("That of the folder if left empty. Runs of one "
                                                                        "name are compared with one another.")))
        self.resize(fitting(self, 600, 620))
        self.confirmed.connect(self.run_script)
        self.finished.connect(self.cancel_tasks)
        self._read()

    def _choose_folder(self) -> None:
        dialog = QFileDialog(self, self.tr("The folder of the script"), str(self._folder))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.filesSelected.connect(lambda names: self._take(Path(names[0])) if names else None)
        dialog.open()

    def _choose_program(self) -> None:
        choose_files(self, self.tr("The program"), [self.tr("Python programs") + " (*.py)"],
                     lambda paths: self._take(paths[0]))

    def _take(self, path: Path) -> None:
        self._folder = path
        self.place.setText(str(path))
        self._read()

    @async_slot
    async def _read(self) -> None:
        """Read what the script says of itself, and what there is to give it."""
        bench = self._shell.desk.workbench
        self.set_error("")
        try:
            settings = await in_thread(bench.scripts.settings, self._folder, self._entry)
            self._datasets = [item.name for item in await in_thread(bench.datasets.list)]
            runners = [(item.name, runner_words.where(item.name)) for item in await in_thread(bench.runners.list)]
        except MldeskError as error:
            self.set_error(sentence(error))
            self.set_primary_enabled(self.tr("This cannot be run as it is."))
            return
        self.set_primary_enabled()
        if len(runners) > 1:
            runners.append(("any", self.tr("Whichever is free")))
        self.runner.set_options(runners, self.runner.value() or "local")
        self.show_settings(settings)

    def show_settings(self, settings: Mapping[str, Any]) -> None:
        """Make a form of what ``ScriptService.settings`` returned."""
        clear(self._form)
        self._fields.clear()
        self._tables.clear()
        before = {} if self._again is None else dict(self._again.spec.get("payload", {}).get("parameters", {}))
        tables = {} if self._again is None else dict(self._again.spec.get("payload", {}).get("datasets", {}))
        self._form.addWidget(make_label(self.tr("Runs {entry}.").format(entry=settings["entry"]), "body", "muted"))
        parameters = settings["parameters"] or before
        for name, default in parameters.items():
            self._form.addWidget(self._field(name, default, before.get(name, default)))
        for name, reference in (settings["inputs"] | tables).items():
            chosen = str(tables.get(name, reference))
            options = list(dict.fromkeys([*self._datasets, chosen]))
            box = self._tables[name] = ComboBox([(item, item) for item in options], chosen)
            self._form.addWidget(FormRow(self.tr("Table “{name}”").format(name=name), box))
        if not parameters:
            self._form.addWidget(make_label(self.tr("It has no parameters; a mldesk.toml beside it may name some."),
                                            "caption", "muted", wrap=True))
        if settings["requirements"]:
            self._form.addWidget(make_label(self.tr("In an environment of its own, with {packages}.").format(
                packages=", ".join(settings["requirements"])), "caption", "muted", wrap=True))

    def _field(self, name: str, default: Any, value: Any) -> QWidget:
        if isinstance(default, bool):
            switch = Switch("", bool(value))
            self._fields[name] = lambda: "true" if switch.isChecked() else "false"
            return FormRow(name, switch)
        edit = QLineEdit(str(value))
        self._fields[name] = edit.text
        kind = self.tr("A number") if isinstance(default, (int, float)) else self.tr("Text")
        return FormRow(name, edit, self.tr("{kind}; usually {default}.").format(kind=kind, default=default)
                       if default != "" else kind)

    def order(self) -> ScriptOrder:
        """Return what the dialog says."""
        from mldesk.workbench.scripts import ScriptOrder

        return ScriptOrder(self._folder, {name: read() for name, read in self._fields.items()},
                           {name: str(box.value()) for name, box in self._tables.items()},
                           str(self.runner.value()), self.name.text().strip(), entry=self._entry)

    @async_slot
    async def run_script(self) -> None:
        """Start it; what is wrong is said here, and the dialog stays."""
        order = self.order()
        self.set_error("")
        self.set_busy(self.tr("Sending it…"))
        self._shell.allow_questions()
        try:
            run = await in_remote(self._shell.desk.workbench.scripts.start, order)
        except (MldeskError, OSError) as error:
            self.set_error(sentence(error))
            return
        finally:
            self.set_busy("")
        self._shell.desk.nudge()
        self.accept()
        self._shell.open_run(run.id)
