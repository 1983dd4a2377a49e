"""What a person says of runs: the name, a group, tags and a note of one; a group and more tags for several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCompleter, QLineEdit, QPlainTextEdit

from mldesk.core.errors import MldeskError
from mldesk.desktop import theme
from mldesk.desktop.errors import sentence
from mldesk.desktop.pages.room import fitting
from mldesk.desktop.shell import Shell
from mldesk.desktop.tasks import TaskOwner, async_slot, in_thread, start
from mldesk.desktop.widgets import FormRow, Sheet

if TYPE_CHECKING:
    from mldesk.library.records import Run


def open_labels(shell: Shell, runs: Sequence[Run]) -> None:
    """Open the dialog over one run, or over several."""
    start(_open(shell, runs), "open the labels of runs")


async def _open(shell: Shell, runs: Sequence[Run]) -> None:
    _, groups = await in_thread(shell.desk.workbench.book.labels)
    LabelsDialog(shell, runs, list(groups)).open()


class LabelsDialog(Sheet, TaskOwner):
    """Edits them. Of several runs an empty group leaves each as it is, and tags are added."""

    def __init__(self, shell: Shell, runs: Sequence[Run], groups: Sequence[str]) -> None:
        one = runs[0] if len(runs) == 1 else None
        title = self.tr("Name, tags and note") if one else self.tr("Group and tags of {count} runs").format(
            count=len(runs))
        super().__init__(title, shell.host, primary=self.tr("Save"), width=460, text=one.name if one else "")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._shell, self._runs, self._one = shell, runs, one
        self.name = QLineEdit(one.name if one else "")
        self.group = QLineEdit(one.group if one else "")
        completer = QCompleter(list(groups), self)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.group.setCompleter(completer)
        self.tags = QLineEdit(", ".join(one.tags) if one else "")
        self.note = QPlainTextEdit(one.note if one else "")
        self.note.setTabChangesFocus(True)
        self.note.setMinimumHeight(theme.px(72))
        if one:
            self.body.addWidget(FormRow(self.tr("Name"), self.name))
        self.body.addWidget(FormRow(self.tr("Group"), self.group, self.tr("Runs that belong together.") if one else
                                    self.tr("Left empty, each stays in its own.")))
        self.body.addWidget(FormRow(self.tr("Tags") if one else self.tr("Tags to add"), self.tags,
                                    self.tr("Words with commas between them.")))
        if one:
            self.body.addWidget(FormRow(self.tr("Note"), self.note))
        self.resize(fitting(self, 480, 580 if one else 320))
        self.confirmed.connect(self.save)
        self.finished.connect(self.cancel_tasks)

    def _tags(self) -> list[str]:
        return [tag.strip() for tag in self.tags.text().split(",") if tag.strip()]

    def _write(self) -> None:
        book, group = self._shell.desk.workbench.book, self.group.text().strip()
        if self._one is not None:
            book.annotate(self._one.id, name=self.name.text(), note=self.note.toPlainText(), group=group,
                          tags=self._tags())
            return
        book.tag([run.id for run in self._runs], self._tags())
        for run in self._runs if group else ():
            book.annotate(run.id, group=group)

    @async_slot
    async def save(self) -> None:
        """Keep what was written."""
        try:
            await in_thread(self._write)
        except MldeskError as error:
            self.set_error(sentence(error))
            return
        self._shell.desk.nudge()
        self.accept()
