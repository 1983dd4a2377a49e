"""How files are read: under which name, and what the reader would otherwise find out by itself."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from mldesk.core.errors import MldeskError
from mldesk.desktop.pages.import_one import import_one
from mldesk.desktop.shell import Shell
from mldesk.desktop.states.imports import free_name, name_for
from mldesk.desktop.states.lists import DatasetList
from mldesk.desktop.tasks import TaskOwner, async_slot, start
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import ComboBox, FormRow, Segmented, Sheet, SpinBox, Switch, make_button, set_icon

if TYPE_CHECKING:
    from mldesk.data import ImportOptions

_AUTO = ""
_DELIMITERS = ((",", "comma"), (";", "semicolon"), ("\t", "tab"), ("|", "bar"), (" ", "space"))
_ENCODINGS = ("utf-8", "cp1252", "latin-1", "utf-16", "cp1250", "cp1251", "gb18030", "shift_jis", "euc-kr", "big5")


class ImportDialog(Sheet, TaskOwner):
    """Name, version or new, and the reader's options, folded away until they are needed."""

    def __init__(self, shell: Shell, paths: Sequence[Path], *, unfolded: bool = False) -> None:
        title = self.tr("Import {name}").format(name=paths[0].name) if len(paths) == 1 else \
            self.tr("Import {count} files").format(count=len(paths))
        super().__init__(title, shell.host, primary=self.tr("Import"), width=540)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._shell, self._paths = shell, list(paths)
        self._taken: list[str] = []
        self.name = QLineEdit(name_for(paths))
        self._name_row = FormRow(self.tr("Name"), self.name, self.tr("What the dataset is called in the library."))
        self.name.textChanged.connect(self._check)
        self.add(self._name_row)
        self.many = Segmented([("each", self.tr("A table each")), ("one", self.tr("One table from all"))])
        if len(paths) > 1:
            self.add(FormRow(self.tr("Files"), self.many, self.tr("One table takes all rows under the same columns.")))
            self.many.changed.connect(self._check)
        self.mode = Segmented([("version", self.tr("A new version of it")), ("new", self.tr("A dataset of its own"))])
        self._mode_row = FormRow(self.tr("A dataset of this name is here already"), self.mode,
                                 self.tr("Earlier versions stay; you can go back to them."))
        self.mode.changed.connect(self._check)
        self._mode_row.hide()
        self.add(self._mode_row)
        self._make_options(unfolded)
        self.body.addStretch(1)
        self.confirmed.connect(self._on_confirmed)
        self.finished.connect(self.cancel_tasks)
        self._find_names()
        self._check()

    def _make_options(self, unfolded: bool) -> None:
        self._fold = make_button(self.tr("How the file is read"), "fold", "chevron-right")
        self._fold.clicked.connect(self._on_fold)
        self.add(self._fold)
        self.body.setAlignment(self._fold, Qt.AlignmentFlag.AlignLeft)
        self._options = QWidget()
        box = QVBoxLayout(self._options)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(Space.L)
        found = (_AUTO, self.tr("found out from the file"))
        self.encoding = ComboBox([found, *((name, name) for name in _ENCODINGS)])
        self.delimiter = ComboBox([found, *_DELIMITERS])
        self.sheet = QLineEdit()
        self.sheet.setPlaceholderText(self.tr("the first with a table"))
        self.header_found = Switch(self.tr("found out from the file"), checked=True)
        self.header = SpinBox(0, 10_000, 1)
        self.header.setEnabled(False)
        self.header_found.toggled.connect(lambda on: self.header.setEnabled(not on))
        for row in (
            FormRow(self.tr("Encoding"), self.encoding, self.tr("Choose one when letters come out wrong.")),
            FormRow(self.tr("Delimiter"), self.delimiter, self.tr("What stands between two cells of a text file.")),
            FormRow(self.tr("Sheet"), self.sheet, self.tr("Of a workbook.")),
            FormRow(self.tr("Row with the column names"), self._header_editor(),
                    self.tr("Counted from 1; 0 says that there is none.")),
        ):
            box.addWidget(row)
        self.add(self._options)
        self._unfold(unfolded)

    def _header_editor(self) -> QWidget:
        from mldesk.desktop.widgets import row

        editor = QWidget()
        editor.setLayout(row(self.header, self.header_found, None, spacing=Space.M))
        return editor

    def _on_fold(self) -> None:
        self._unfold(self._options.isHidden())

    def _unfold(self, on: bool) -> None:
        self._options.setVisible(on)
        set_icon(self._fold, "chevron-down" if on else "chevron-right", "muted", 14)
        self.adjustSize()

    @async_slot
    async def _find_names(self) -> None:
        names = DatasetList(self._shell.desk)
        await names.refresh()
        self._taken = [item.name for item in names.datasets.value or ()]
        self._check()

    def _check(self, *_: object) -> None:
        name = self.name.text().strip()
        each = len(self._paths) > 1 and self.many.value() == "each"
        self._name_row.setVisible(not each)
        exists = name in self._taken and not each
        self._mode_row.setVisible(exists)
        if exists and self.mode.value() == "new":
            self._name_row.set_help(self.tr("It will be called {name}.").format(name=free_name(name, self._taken)))
        else:
            self._name_row.set_help(self.tr("What the dataset is called in the library."))
        self.set_primary_enabled("" if name or each else self.tr("Give the dataset a name."))

    def _chosen_options(self) -> ImportOptions:
        """Raises BadInput."""
        from mldesk.data import ImportOptions

        return ImportOptions(encoding=self.encoding.value() or None, delimiter=self.delimiter.value() or None,
                             sheet=self.sheet.text().strip() or None,
                             header_row=None if self.header_found.isChecked() else self.header.value())

    def _on_confirmed(self) -> None:
        try:
            options = self._chosen_options()
        except MldeskError as error:
            self.set_error(str(error))
            return
        self.accept()
        if len(self._paths) > 1 and self.many.value() == "each":
            start(self._import_each(options), "import files")
            return
        name = self.name.text().strip()
        if name in self._taken and self.mode.value() == "new":
            name = free_name(name, self._taken)
        again = partial(ask_again, self._shell)
        start(import_one(self._shell, self._paths, name, options, again=again), f"import {name}")

    async def _import_each(self, options: ImportOptions) -> None:
        shell, taken = self._shell, list(self._taken)
        for path in self._paths:
            name = free_name(name_for([path]), taken)
            taken.append(name)
            await import_one(shell, [path], name, options, again=partial(ask_again, self._shell), show=False)


def ask_again(shell: Shell, paths: Sequence[Path]) -> None:
    """Open the dialog over files that could not be read, with the reader's options to be seen."""
    ImportDialog(shell, paths, unfolded=True).open()
