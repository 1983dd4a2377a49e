"""A script's files as text, to be changed in the window before it runs."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFontMetricsF
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from mldesk.core.errors import MldeskError
from mldesk.desktop import theme
from mldesk.desktop.errors import sentence
from mldesk.desktop.pages.room import fitting
from mldesk.desktop.tasks import TaskOwner, async_slot, in_thread
from mldesk.desktop.widgets import ComboBox, FormRow, Sheet
from mldesk.workbench.script_source import read_source, save_source, source_files


class ScriptEditor(Sheet, TaskOwner):
    """Shows one file at a time. A file with changes has to be saved, or its changes dropped, before another is shown.

    saved(): a file was written.
    """

    saved = Signal()

    def __init__(self, host: QWidget, folder: Path, entry: str, *, copy: bool = False) -> None:
        super().__init__(self.tr("Edit the script"), host, primary=self.tr("Save"), secondary=self.tr("Close"),
                         width=760)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._folder, self._before = folder, ""
        self._shown = entry
        self.files = ComboBox([(name, name) for name in source_files(folder, entry)], entry)
        self.files.currentIndexChanged.connect(lambda _: self._choose())
        self.text = QPlainTextEdit()
        self.text.setFont(theme.font("mono"))
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.text.setTabStopDistance(4 * QFontMetricsF(theme.font("mono")).horizontalAdvance(" "))
        self.text.setAccessibleName(self.tr("The file's text"))
        self.text.textChanged.connect(self._check)
        self.add(FormRow(self.tr("File"), self.files, self.tr(
            "A copy of what ran; the run keeps its own.") if copy else self.tr("Saved where it lies.")))
        self.body.addWidget(self.text, 1)
        self.confirmed.connect(self.save)
        self.finished.connect(self.cancel_tasks)
        self.resize(fitting(self, 860, 680))
        self._read()

    def reject(self) -> None:
        """Close, unless there are changes: those are asked for once, in the line of errors."""
        if self.changed() and not self.property("warned"):
            self.setProperty("warned", True)
            self.set_error(self.tr("The changes of {name} are not saved. Close again to drop them.").format(
                name=self._shown))
            return
        super().reject()

    def changed(self) -> bool:
        """Say whether the text is another than the file's."""
        return self._written() != self._before.replace("\r\n", "\n")

    def _written(self) -> str:
        """Return the text; Qt's own way to ask for it makes plain spaces of those that do not break."""
        return self.text.document().toRawText().replace("\u2029", "\n")

    def _choose(self) -> None:
        if self.changed():
            self.files.set_value(self._shown)
            self.set_error(self.tr("Save the changes of {name} first.").format(name=self._shown))
            return
        self._shown = str(self.files.value())
        self._read()

    def _check(self) -> None:
        self.setProperty("warned", False)
        self.set_primary_enabled("" if self.changed() else self.tr("Nothing is changed."))

    @async_slot
    async def _read(self) -> None:
        self.set_error("")
        try:
            self.show_text(await in_thread(read_source, self._folder / self._shown))
            self.text.setReadOnly(False)
        except (MldeskError, OSError) as error:
            self.show_text("")
            self.text.setReadOnly(True)
            self.set_error(sentence(error))

    def show_text(self, text: str) -> None:
        """Show a file's text as it lies on the disk."""
        self._before = text
        self.text.setPlainText(text)
        self._check()

    @async_slot
    async def save(self) -> None:
        """Write the file. A program that Python cannot read is written, too, and what is wrong is said."""
        self.set_error("")
        text = self._written()
        try:
            fault = await in_thread(save_source, self._folder / self._shown, self._before, text)
            self._before = await in_thread(read_source, self._folder / self._shown)
        except (MldeskError, OSError) as error:
            self.set_error(sentence(error))
            return
        self._check()
        self.saved.emit()
        if fault:
            self.set_error(self.tr("Saved, but Python cannot read it. {why}").format(why=fault))
