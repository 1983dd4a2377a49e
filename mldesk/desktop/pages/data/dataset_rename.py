"""Another name for a dataset."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit

from mldesk.core.errors import MldeskError
from mldesk.desktop.errors import sentence
from mldesk.desktop.shell import Shell
from mldesk.desktop.states.dataset import DatasetState
from mldesk.desktop.tasks import async_slot
from mldesk.desktop.widgets import FormRow, Sheet


class RenameDialog(Sheet):
    """Asks for another name of a dataset."""

    def __init__(self, shell: Shell, state: DatasetState, renamed: Callable[[str], object]) -> None:
        """``renamed`` hears the new name."""
        super().__init__(self.tr("Rename {name}").format(name=state.name), shell.host, primary=self.tr("Rename"),
                         width=420)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._state, self._renamed = state, renamed
        self.name = QLineEdit(state.name)
        self.name.selectAll()
        self.name.textChanged.connect(self._check)
        self.add(FormRow(self.tr("Name"), self.name, self.tr("Runs and models keep the name they were made with.")))
        self.confirmed.connect(self._on_confirmed)
        self._check(state.name)

    def _check(self, text: str) -> None:
        same = text.strip() == self._state.name
        self.set_primary_enabled(self.tr("Write another name.") if same or not text.strip() else "")

    @async_slot
    async def _on_confirmed(self) -> None:
        try:
            await self._state.rename(self.name.text().strip())
        except MldeskError as error:
            self.set_error(sentence(error))
            return
        self._renamed(self._state.name)
        self.accept()
