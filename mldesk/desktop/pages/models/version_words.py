"""The dialog of a version's note and tags."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QPlainTextEdit

from mldesk.core.errors import MldeskError
from mldesk.desktop import theme
from mldesk.desktop.errors import sentence
from mldesk.desktop.tasks import TaskOwner, async_slot, in_thread
from mldesk.desktop.widgets import FormRow, Sheet

if TYPE_CHECKING:
    from mldesk.desktop.shell import Shell
    from mldesk.library.records import ModelVersion


class VersionWords(Sheet, TaskOwner):
    """Asks for a note and tags; accepted once they are kept."""

    def __init__(self, shell: Shell, version: ModelVersion) -> None:
        super().__init__(version.label, shell.host, primary=shell.host.tr("Keep"), width=460)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._shell, self._version = shell, version
        self.note, self.tags = QPlainTextEdit(version.notes), QLineEdit(", ".join(version.tags))
        self.note.setFixedHeight(theme.px(120))
        self.note.setTabChangesFocus(True)
        self.add(FormRow(self.tr("Note"), self.note, self.tr("Why it was made, what is other than before.")))
        self.add(FormRow(self.tr("Tags"), self.tags, self.tr("Words with commas between.")))
        self.confirmed.connect(self._on_keep)
        self.finished.connect(self.cancel_tasks)
        self.note.setFocus()

    @async_slot
    async def _on_keep(self) -> None:
        service, note = self._shell.desk.workbench.models, self.note.toPlainText().strip()
        tags = [tag.strip() for tag in self.tags.text().split(",") if tag.strip()]
        try:
            await in_thread(lambda: service.annotate(self._version.label, note=note, tags=tags))
        except MldeskError as error:
            self.set_error(sentence(error))
            return
        self.accept()
