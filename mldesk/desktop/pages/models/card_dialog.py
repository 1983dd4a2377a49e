"""Rewriting a model card: its Markdown, which bundles carry from then on."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPlainTextEdit

from mldesk.core.errors import MldeskError
from mldesk.desktop import theme
from mldesk.desktop.errors import sentence
from mldesk.desktop.pages.room import fitting
from mldesk.desktop.shell import Shell
from mldesk.desktop.states.about import AboutState
from mldesk.desktop.tasks import TaskOwner, async_slot
from mldesk.desktop.widgets import Sheet, make_button


class CardDialog(Sheet, TaskOwner):
    """The text of a card, Save, and the way back to the card as it was made."""

    def __init__(self, shell: Shell, state: AboutState, text: str, edited: bool) -> None:
        super().__init__(self.tr("Model card"), shell.host, primary=self.tr("Save"), width=560, text=self.tr(
            "Markdown. Bundles of this version carry the card; the version itself does not change."))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._shell, self._state = shell, state
        self.text = QPlainTextEdit(text)
        self.text.setAccessibleName(self.tr("Model card"))
        self.text.setFont(theme.font("mono"))
        self.text.setTabChangesFocus(True)
        self.text.textChanged.connect(self._check)
        self.body.addWidget(self.text, 1)
        if edited:
            reset = make_button(self.tr("As it was made"), "ghost", "undo")
            reset.setToolTip(self.tr("Give up this text; the card is what the training wrote."))
            reset.clicked.connect(lambda: self._keep(None))
            self.extra.addWidget(reset)
        self.confirmed.connect(lambda: self._keep(self.text.toPlainText()))
        self.finished.connect(self.cancel_tasks)
        self.resize(fitting(self, 760, 620))

    def _check(self) -> None:
        self.set_primary_enabled("" if self.text.toPlainText().strip() else self.tr("A card has some text."))

    @async_slot
    async def _keep(self, text: str | None) -> None:
        try:
            await self._state.keep_card(text)
        except MldeskError as error:
            self.set_error(sentence(error))
            return
        self.accept()
