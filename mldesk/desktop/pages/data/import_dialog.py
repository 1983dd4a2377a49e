"""Import: how the sources are read on the left, what they would be on the right; nothing is kept before Import."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QLineEdit, QWidget

from mldesk.desktop import theme
from mldesk.desktop.errors import sentence
from mldesk.desktop.pages.data.import_one import import_one
from mldesk.desktop.pages.data.import_options import ImportOptionsForm, has_partitions
from mldesk.desktop.pages.data.import_preview import ImportPreviewView
from mldesk.desktop.pages.file_choice import choose_place
from mldesk.desktop.pages.room import fitting
from mldesk.desktop.shell import Shell
from mldesk.desktop.states.import_draft import ImportDraft
from mldesk.desktop.states.imports import free_name, name_for
from mldesk.desktop.states.lists import DatasetList
from mldesk.desktop.tasks import TaskOwner, async_slot, in_thread, start
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import (
    ComboBox,
    FormRow,
    ScrollPage,
    Segmented,
    Sheet,
    Switch,
    disable,
    enable,
    make_button,
    make_icon_button,
    make_label,
    row,
)

_LEFT, _LEFT_NARROW = 390, 290   # pixels at 100 %: of the options, and of those where there is less room than
_WIDE = 960                      # this for the whole
Source = Path | str


class ImportDialog(Sheet, TaskOwner):
    """Draws an ``ImportDraft``: a name, the reader's options, the preview that follows them."""

    def __init__(self, shell: Shell, sources: Sequence[Source], *, text: str = "",
                 changes: dict[str, Any] | None = None) -> None:
        super().__init__(self._title_for(sources, text), shell.host, primary=self.tr("Import"), width=760)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._shell, self._sources, self._text = shell, list(sources), text
        self._taken: list[str] = []
        self.draft = ImportDraft(shell.desk, sources[:1] if len(sources) > 1 else sources, text)
        self.draft.changes.value = dict(changes or {})
        self._left = left = self._make_left()
        self.view = ImportPreviewView(self.draft)
        parts = row(left, self.view, spacing=Space.XL)
        parts.setStretch(1, 1)
        self.body.addLayout(parts, 1)
        self.confirmed.connect(self._on_confirmed)
        self.finished.connect(self._on_finished)
        self.draft.changes.subscribe(lambda _: self._on_changes())
        self.draft.busy.changed.subscribe(lambda _: self._check())
        self.draft.problem.changed.subscribe(lambda _: self._check())
        QShortcut(QKeySequence(QKeySequence.StandardKey.Undo), self).activated.connect(self.draft.changes.undo)
        self._find_names()
        self._check()
        self.resize(fitting(self, 1180, 740))
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if hasattr(self, "view"):
            self._arrange()

    def _arrange(self) -> None:
        """Leave the preview what it needs."""
        wide = self.width() >= theme.px(_WIDE)
        self._left.setFixedWidth(theme.px(_LEFT if wide else _LEFT_NARROW))
        self.options.set_narrow(not wide)

    def _title_for(self, sources: Sequence[Source], text: str) -> str:
        if text:
            return self.tr("Import a table from the clipboard")
        if len(sources) == 1:
            return self.tr("Import {name}").format(name=_shown(sources[0]))
        return self.tr("Import {count} files").format(count=len(sources))

    # Building

    def _make_left(self) -> QWidget:
        page = ScrollPage(margin=0, spacing=Space.M)
        page.body.setContentsMargins(0, 0, Space.M, 0)
        self.name = QLineEdit("clipboard" if self._text else name_for(self._sources))
        self._name_row = FormRow(self.tr("Name"), self.name, self.tr("What the dataset is called in the library."))
        self.name.textChanged.connect(self._check)
        page.body.addWidget(self._name_row)
        self._make_many(page)
        self.mode = Segmented([("version", self.tr("A new version")), ("new", self.tr("One of its own"))])
        self._mode_row = FormRow(self.tr("That name is here already"), self.mode,
                                 self.tr("Earlier versions stay; you can go back to them."))
        self.mode.changed.connect(self._check)
        self._mode_row.hide()
        page.body.addWidget(self._mode_row)
        self._undo = make_icon_button("undo", self.tr("Undo (Ctrl+Z)"))
        self._undo.clicked.connect(self.draft.changes.undo)
        page.body.addLayout(row(make_label(self.tr("Reading"), "subtitle"), None, self._undo))
        self.options = ImportOptionsForm(self.draft)
        page.body.addWidget(self.options)
        self._make_rejects(page)
        page.body.addStretch(1)
        return page

    def _make_many(self, page: ScrollPage) -> None:
        self.many = Segmented([("each", self.tr("A table each")), ("one", self.tr("One table"))])
        self._file = ComboBox([(index, _shown(source)) for index, source in enumerate(self._sources)])
        self._file.setAccessibleName(self.tr("File that is previewed"))
        self._file.currentIndexChanged.connect(lambda _: self._on_file())
        if len(self._sources) > 1:
            page.body.addWidget(FormRow(self.tr("Files"), self.many,
                                        self.tr("One table takes all rows under the same columns.")))
            page.body.addWidget(self._file)
            self.many.changed.connect(self._on_many)

    def _make_rejects(self, page: ScrollPage) -> None:
        self.rejects = Switch(self.tr("Write rows left out to a file"))
        self.rejects.toggled.connect(self._on_rejects)
        self._rejects_path = QLineEdit()
        self._rejects_path.setAccessibleName(self.tr("File for the rows left out"))
        choose = make_button(self.tr("Choose…"), "secondary", small=True)
        choose.clicked.connect(lambda: choose_place(
            self, self.tr("Rows left out"), ["CSV (*.csv)"], "rejects.csv",
            lambda path: self._rejects_path.setText(str(path))))
        self._rejects_row = QWidget()
        self._rejects_row.setLayout(row(self._rejects_path, choose))
        self._rejects_row.hide()
        page.body.addWidget(self.rejects)
        page.body.addWidget(self._rejects_row)
        self.register = Switch(self.tr("Leave the files where they are"))
        self.register.setToolTip(self.tr("Parquet is registered, not copied; the files must stay as they are."))
        self.register.hide()
        page.body.addWidget(self.register)

    # Following

    @async_slot
    async def _on_changes(self) -> None:
        changes = self.draft.changes.value
        self._undo.setEnabled(self.draft.changes.can_undo)
        if changes.get("lenient") and not self.rejects.isChecked():
            self.rejects.setChecked(True)
        await self.draft.refresh()

    def _on_many(self, _key: object = None) -> None:
        each = self.many.value() == "each"
        self._file.setVisible(each)
        if each:
            self._on_file()
        else:
            self.draft.look_at(self._sources)
            self._on_changes()
        self._check()

    def _on_file(self) -> None:
        self.draft.look_at([self._sources[int(self._file.value() or 0)]])
        self._on_changes()

    def _on_rejects(self, on: bool) -> None:
        self._rejects_row.setVisible(on)
        if on and not self._rejects_path.text():
            self._rejects_path.setText(str(_rejects_place(self._sources, self.name.text().strip() or "table")))
        self.draft.say(lenient=on)

    @async_slot
    async def _find_names(self) -> None:
        names = DatasetList(self._shell.desk)
        await names.refresh()
        self._taken = [item.name for item in names.datasets.value or ()]
        self._check()

    def _check(self, *_: object) -> None:
        name = self.name.text().strip()
        each = len(self._sources) > 1 and self.many.value() == "each"
        self._name_row.setVisible(not each)
        exists = name in self._taken and not each
        self._mode_row.setVisible(exists)
        if exists and self.mode.value() == "new":
            self._name_row.set_help(self.tr("It will be called {name}.").format(name=free_name(name, self._taken)))
        else:
            self._name_row.set_help(self.tr("What the dataset is called in the library."))
        preview = self.draft.preview.value
        self.register.setVisible(len(self._sources) == 1 and preview is not None
                                 and preview.reading.get("format") == "parquet"
                                 and isinstance(self._sources[0], Path))
        if has_partitions(preview):
            self.register.setChecked(False)
            disable(self.register, self.tr("Files that stay where they are cannot have the columns that the folders' "
                                           "names make: switch those off first."))
        else:
            enable(self.register)
        self.set_primary_enabled(self._why_not(name, each))

    def _why_not(self, name: str, each: bool) -> str:
        if not name and not each:
            return self.tr("Give the dataset a name.")
        if self.draft.problem.value is not None:
            return self.tr("The file cannot be read like this.")
        if self.draft.busy.value or self.draft.preview.value is None:
            return self.tr("Reading the beginning of it…")
        return ""

    # Importing

    @async_slot
    async def _on_confirmed(self) -> None:
        from mldesk.core.errors import MldeskError

        try:
            options = await in_thread(_options, dict(self.draft.changes.value))
        except MldeskError as error:
            self.set_error(sentence(error))
            return
        name = self.name.text().strip()
        each = len(self._sources) > 1 and self.many.value() == "each"
        if name in self._taken and self.mode.value() == "new":
            name = free_name(name, self._taken)
        rejects = Path(self._rejects_path.text()) if self.rejects.isChecked() and self._rejects_path.text() else None
        again = partial(ask_again, self._shell, self._sources, self._text, dict(self.draft.changes.value))
        if each:
            start(_import_each(self._shell, self._sources, self._taken, options, again), "import files")
        elif self.register.isChecked() and not self.register.isHidden():
            start(import_one(self._shell, self._sources, name, again=again, register=True), f"register {name}")
        else:
            start(import_one(self._shell, self._sources, name, options, again=again, text=self._text,
                             rejects=rejects), f"import {name}")
        self.accept()

    def _on_finished(self) -> None:
        self.draft.stop()
        self.cancel_tasks()


def _options(changes: dict[str, Any]) -> Any:
    from mldesk.data import ImportOptions

    return ImportOptions.from_json(changes)


async def _import_each(shell: Shell, sources: Sequence[Source], taken: Sequence[str], options: Any,
                       again: Any) -> None:
    names = list(taken)
    for source in sources:
        name = free_name(name_for([source]), names)
        names.append(name)
        await import_one(shell, [source], name, options, again=again, show=False)


def ask_again(shell: Shell, sources: Sequence[Source], text: str = "", changes: dict[str, Any] | None = None) -> None:
    """Open the dialog over sources that could not be read, as they were to be read."""
    ImportDialog(shell, sources, text=text, changes=changes).open()


def _shown(source: Source) -> str:
    return source.name if isinstance(source, Path) else source.rpartition("/")[2] or source


def _rejects_place(sources: Sequence[Source], name: str) -> Path:
    first = sources[0] if sources else ""
    folder = first.parent if isinstance(first, Path) else Path.home()
    return folder / f"{name}-rejects.csv"
