"""Run a script: a folder or a program, its parameters as a form, the tables it reads, the runner."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QLineEdit, QVBoxLayout, QWidget

from mldesk.core.errors import MldeskError, without_options
from mldesk.core.sizes import size
from mldesk.desktop import runner_words, words
from mldesk.desktop.errors import sentence
from mldesk.desktop.pages.asking import asked
from mldesk.desktop.pages.file_choice import choose_files, choose_folder
from mldesk.desktop.pages.room import fitting
from mldesk.desktop.pages.runs.script_editor import ScriptEditor
from mldesk.desktop.pages.runs.table_choice import TableChoice
from mldesk.desktop.pages.runs.when_section import WhenSection, show_begun
from mldesk.desktop.tasks import TaskOwner, async_slot, in_thread, start
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import (
    Card,
    ComboBox,
    FormRow,
    Sheet,
    Switch,
    clear,
    column,
    make_button,
    make_label,
    row,
)
from mldesk.workbench.script_parameters import range_words

if TYPE_CHECKING:
    from mldesk.desktop.shell import Shell
    from mldesk.library.records import Run
    from mldesk.workbench.scripts import ScriptOrder


def open_script_dialog(shell: Shell, path: Path | None = None) -> None:
    """Open the dialog, with a folder or a program to begin with if one is given."""
    ScriptDialog(shell, path).open()


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

    def __init__(self, shell: Shell, path: Path | None, again: Run | None = None) -> None:
        super().__init__(self.tr("Run a script"), shell.host, primary=self.tr("Run"), width=560, scrolls=True,
                         text=self.tr("A Python program of your own becomes a run like any other: on this machine or "
                                      "another, with its curves, output and files kept. A copy of it goes along, so "
                                      "that what ran can be compared."))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._shell, self._path, self._again = shell, path, again
        self._entry = "" if again is None else str(again.spec.get("payload", {}).get("entry", ""))
        self._why_not = ""   # what speaks against the script that is chosen
        self._fields: dict[str, Callable[[], str]] = {}
        self._tables: dict[str, TableChoice] = {}
        self._datasets: list[str] = []
        self.place = QLineEdit("" if path is None else str(path) if again is None else
                               self.tr("the files of {run}").format(run=again.name))
        self.alone = QCheckBox(self.tr("This file only, nothing that lies beside it"))
        self.name = QLineEdit("" if again is None else again.name)
        self.runner = ComboBox([("local", runner_words.where("local"))])
        self._about = about_scripts()
        self._form = QVBoxLayout()
        self._form.setSpacing(Space.L)
        self._rest = QWidget()
        rest = QVBoxLayout(self._rest)
        rest.setContentsMargins(0, 0, 0, 0)
        rest.setSpacing(Space.L)
        rest.addWidget(FormRow(self.tr("Runner"), self.runner))
        self.when = WhenSection(seeded=False)
        self.runner.currentIndexChanged.connect(lambda _: self.when.set_runner(str(self.runner.value() or "local")))
        self.when.changed.connect(lambda: self._allow(self._why_not))
        rest.addWidget(self.when)
        rest.addWidget(FormRow(self.tr("Name of the run"), self.name, self.tr(
            "That of the script if left empty. Runs of one name are compared with one another.")))
        self.add(column(self._make_place(), self.alone, spacing=Space.S))
        self.add(self._about)
        self.add(self._form)
        self.add(self._rest)
        self.resize(fitting(self, 620, 640))
        self.alone.toggled.connect(lambda _: self._look())
        self.confirmed.connect(self.run_script)
        self.finished.connect(self.cancel_tasks)
        self._show_parts()
        if path is not None:
            self._read()

    def _make_place(self) -> FormRow:
        """Make the line that says which script: typed, or chosen as a folder or a program."""
        line, buttons = QWidget(), []
        for icon, text, act in (("folder", self.tr("Folder…"), self._choose_folder),
                                ("file", self.tr("Program…"), self._choose_program)) if self._again is None else ():
            buttons.append(make_button(text, "secondary", icon))
            buttons[-1].clicked.connect(act)
        if self._again is None and self._path is None:
            buttons.append(make_button(self.tr("Write an example…"), "link"))
            buttons[-1].clicked.connect(self._choose_example)
        self.place.setPlaceholderText(self.tr("A folder, or a program that ends in .py"))
        self.place.setReadOnly(self._again is not None)
        self.place.editingFinished.connect(self._on_typed)
        line.setLayout(column(self.place, row(*buttons, None, spacing=Space.S), spacing=Space.S))
        found = FormRow(self.tr("Script"), line)
        self.place.setAccessibleName(self.tr("Script"))
        return found

    def _choose_folder(self) -> None:
        choose_folder(self, self.tr("The folder of the script"), self.take)

    def _choose_program(self) -> None:
        choose_files(self, self.tr("The program"), [self.tr("Python programs") + " (*.py)"],
                     lambda paths: self.take(paths[0]))

    def _choose_example(self) -> None:
        choose_folder(self, self.tr("Where to put the example: a folder “mldesk-script” is made there"),
                      lambda path: self.write_example(path / "mldesk-script"))

    @async_slot
    async def write_example(self, folder: Path) -> None:
        """Write the example into a new folder, and take it."""
        from mldesk.workbench.script_example import write_example

        try:
            await in_thread(write_example, folder)
        except (MldeskError, OSError) as error:
            self.set_error(sentence(error))
            return
        self.take(folder)

    def _on_typed(self) -> None:
        text = self.place.text().strip()
        if self._again is None and text != ("" if self._path is None else str(self._path)):
            if text:
                self.take(Path(text).expanduser())
            else:
                self._path = None
                self._show_parts()

    def take(self, path: Path) -> None:
        """Take a folder or a program, and read what it says of itself."""
        self._path = path
        self.place.setText(str(path))
        blocked = self.alone.blockSignals(True)
        self.alone.setChecked(False)
        self.alone.blockSignals(blocked)
        self._look()

    def _look(self) -> None:
        """Read the script anew; until that is done nothing is run, as Enter in the line of its path would."""
        self._allow(self.tr("Reading the script…"))
        self._read()

    def _show_parts(self) -> None:
        """Show what a script is until there is one, then what it is given."""
        chosen = self._path is not None
        self._about.setVisible(not chosen)
        self._rest.setVisible(chosen)
        self.alone.setVisible(chosen and self._again is None and self._path is not None and
                              self._path.suffix == ".py")
        if not chosen:
            clear(self._form)
            self.set_error("")
            self._allow(self.tr("Choose a folder or a program first."))

    @async_slot
    async def _read(self) -> None:
        """Read what the script says of itself, and what there is to give it."""
        bench, path, alone = self._shell.desk.workbench, self._path, self.alone.isChecked()
        self._show_parts()
        if path is None:
            return
        self.set_error("")
        try:
            settings = await in_thread(lambda: bench.scripts.settings(path, self._entry, alone=alone))
            self._datasets = [item.name for item in await in_thread(bench.datasets.list)]
            runners = [(item.name, runner_words.where(item.name)) for item in await in_thread(bench.runners.list)]
        except (MldeskError, OSError) as error:
            if (path, alone) == (self._path, self.alone.isChecked()):
                clear(self._form)
                self.set_error(without_options(sentence(error)))
                self._allow(self.tr("This cannot be run as it is."))
            return
        if (path, alone) != (self._path, self.alone.isChecked()):   # another one was chosen meanwhile
            return
        self._allow()
        if len(runners) > 1:
            runners.append(("any", self.tr("Whichever is free")))
        self.runner.set_options(runners, self.runner.value() or "local")
        self.show_settings(settings)

    def _allow(self, why_not: str = "") -> None:
        """Let it be run, unless something speaks against it: of the script, or of the time."""
        self._why_not = why_not
        self.set_primary_enabled(why_not or self.when.why_not())

    def show_settings(self, settings: Mapping[str, Any]) -> None:
        """Make a form of what ``ScriptService.settings`` returned."""
        clear(self._form)
        self._fields.clear()
        self._tables.clear()
        before = {} if self._again is None else dict(self._again.spec.get("payload", {}).get("parameters", {}))
        tables = {} if self._again is None else dict(self._again.spec.get("payload", {}).get("datasets", {}))
        self._form.addWidget(make_label(self.tr("Runs {entry}. {files}, {size}, {go} along.").format(
            entry=settings["entry"], size=size(settings["bytes"]),
            files=words.counted(settings["files"], self.tr("file"), self.tr("files")),
            go=self.tr("goes") if settings["files"] == 1 else self.tr("go")), "body", "muted", wrap=True))
        if settings.get("left_out"):
            self._form.addWidget(make_label(self.tr("Links that lead out of the folder stay behind: {names}.").format(
                names=", ".join(settings["left_out"])), "caption", "muted", wrap=True))
        edit = make_button(self.tr("Edit {entry}…").format(entry=settings["entry"]), "link", "edit")
        edit.clicked.connect(lambda: self.edit(str(settings["entry"])))
        self._form.addLayout(row(edit, None))
        parameters = settings["parameters"] or before
        if parameters:
            self._form.addWidget(make_label(self.tr("Parameters"), "subtitle"))
        for name, default in parameters.items():
            self._form.addWidget(self._field(name, settings.get("declared", {}).get(name, {"default": default}),
                                             before.get(name, default)))
        if not parameters:
            self._form.addWidget(make_label(self.tr("It declares no parameters; a mldesk.toml in its folder may."),
                                            "caption", "muted", wrap=True))
        inputs = settings["inputs"] | tables
        if inputs:
            self._form.addWidget(make_label(self.tr("Tables it reads"), "subtitle"))
        for name, reference in inputs.items():
            table = self._tables[name] = TableChoice(self._datasets, str(tables.get(name, reference)))
            table.wants_versions.connect(partial(self._read_versions, name))
            self._form.addWidget(FormRow(name, table))
            table.name_lines(name)
            table.ask()
        self._form.addWidget(make_label(self.tr("Where it runs"), "subtitle"))
        self._form.addWidget(make_label(
            self.tr("In an environment of its own, with {packages}.").format(
                packages=", ".join(settings["requirements"])) if settings["requirements"] else
            self.tr("With the packages that the runner has; it declares no others."), "body", "muted", wrap=True))

    @async_slot
    async def _read_versions(self, name: str, dataset: str) -> None:
        """Offer the versions of the dataset that was chosen for the input ``name``; none of one that is not there."""
        try:
            versions = await in_thread(self._shell.desk.workbench.datasets.versions, dataset)
        except MldeskError:   # said once it is run
            return
        if (table := self._tables.get(name)) is not None:
            table.show_versions(dataset, versions)

    def _field(self, name: str, about: Mapping[str, Any], value: Any) -> QWidget:
        """Return the row of a parameter, ``about`` being what ``declared`` says of it."""
        default, said = about["default"], _sentence(str(about.get("help", "")))
        if isinstance(default, bool):
            switch = Switch("", bool(value))
            self._fields[name] = lambda: "true" if switch.isChecked() else "false"
            return FormRow(name, switch, said)
        if "choices" in about:
            box = ComboBox([(str(item), str(item)) for item in about["choices"]], str(value))
            self._fields[name] = lambda: str(box.value())
            return FormRow(name, box, said)
        edit = QLineEdit(str(value))
        self._fields[name] = edit.text
        return FormRow(name, edit, " ".join(part for part in (said, self._kind(about)) if part))

    def _kind(self, about: Mapping[str, Any]) -> str:
        default, within = about["default"], range_words(about)
        kind = (self.tr("A whole number") if isinstance(default, int) else self.tr("A number")
                if isinstance(default, float) else self.tr("Text"))
        kind = f"{kind} {within}" if within else kind
        return self.tr("{kind}; usually {default}.").format(kind=kind, default=default) if default != "" else f"{kind}."

    def edit(self, entry: str) -> None:
        """Open the script's files as text; what they say of themselves is read again once one is saved."""
        if self._path is not None:
            folder = self._path if self._path.is_dir() else self._path.parent
            editor = ScriptEditor(self, folder, entry, copy=self._again is not None)
            editor.saved.connect(self._look)
            editor.open()

    def order(self) -> ScriptOrder:
        """Return what the dialog says."""
        from mldesk.workbench.scripts import ScriptOrder

        return ScriptOrder(self._path or Path(), {name: read() for name, read in self._fields.items()},
                           {name: table.reference() for name, table in self._tables.items()},
                           str(self.runner.value()), self.name.text().strip(), entry=self._entry,
                           alone=self.alone.isVisibleTo(self) and self.alone.isChecked())

    @async_slot
    async def run_script(self) -> None:
        """Start it; what is wrong is said here, and the dialog stays."""
        order, when = self.order(), self.when.when()
        schedule = self._shell.desk.workbench.schedule
        begun = await asked(self, self._shell, self.tr("Sending it…"), lambda: schedule.begin(order, when))
        if begun is not None:
            show_begun(self._shell, begun)


def _sentence(text: str) -> str:
    return text if not text or text.endswith((".", "!", "?")) else f"{text}."


def about_scripts() -> QWidget:
    """Return what a script is, for who has none yet."""
    tr = words.tr
    card = Card(tr("What makes a script"))
    for title, text in (
            (tr("A program"), tr("One .py file, or a folder with train.py or main.py and whatever it needs. Any Python "
                                 "program will do as it is.")),
            (tr("mldesk.track"), tr("What it imports to be followed: track.metrics(step, loss=…) draws a curve, "
                                    "track.artifact(name, file) keeps a file. Event files for TensorBoard are drawn, "
                                    "too.")),
            (tr("mldesk.toml"), tr("Beside the program, if you like: [parameters] become a form here, [inputs] name "
                                   "datasets it reads, requirements are packages in an environment of its own."))):
        card.add(column(make_label(title, "strong"), make_label(text, "body", "muted", wrap=True), spacing=Space.XS))
    return card
