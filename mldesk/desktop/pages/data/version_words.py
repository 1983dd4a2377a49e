"""What a person says of a version, or of the dataset as a whole: tags and a note."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QPlainTextEdit, QWidget

from mldesk.core.errors import MldeskError
from mldesk.desktop import theme
from mldesk.desktop.errors import sentence
from mldesk.desktop.states.dataset import DatasetState
from mldesk.desktop.tasks import TaskOwner, async_slot
from mldesk.desktop.widgets import FormRow, Sheet


class VersionWordsDialog(Sheet, TaskOwner):
    """Edits the tags and the note of one version, 0: of the dataset. What is in it stays as it is."""

    def __init__(self, state: DatasetState, number: int, parent: QWidget) -> None:
        super().__init__(self.tr("Tags and note of version {number}").format(number=number) if number else
                         self.tr("Tags and note of {name}").format(name=state.name), parent,
                         primary=self.tr("Save"), width=460)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._state, self._number = state, number
        said = state.about.value if not number else next(
            (item.words for item in state.lineage.value if item.version.number == number), None)
        self.tags = QLineEdit(", ".join(said.tags) if said else "")
        self.note = QPlainTextEdit(said.note if said else "")
        self.note.setTabChangesFocus(True)
        self.note.setMinimumHeight(theme.px(96))
        self.add(FormRow(self.tr("Tags"), self.tags, self.tr("Words with commas between them.")))
        self.add(FormRow(self.tr("Note"), self.note))
        self.confirmed.connect(self._save)
        self.finished.connect(self.cancel_tasks)

    @async_slot
    async def _save(self) -> None:
        tags = [tag.strip() for tag in self.tags.text().split(",") if tag.strip()]
        try:
            await self._state.annotate(self._number, self.note.toPlainText().strip(), tags)
        except MldeskError as error:
            self.set_error(sentence(error))
            return
        self.accept()
