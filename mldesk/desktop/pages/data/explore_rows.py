"""The line over a table that is narrowed to some of its rows."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QWidget

from mldesk.desktop.states.dataset import DatasetState, Picked
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import ElidedLabel, IconLabel, make_button


class PickedBar(QWidget):
    """Says which rows are shown and takes it back. Hidden while all are."""

    def __init__(self, state: DatasetState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words = ElidedLabel("", "body")
        self.all = make_button(self.tr("Show all rows"), "secondary", "close", small=True)
        self.all.clicked.connect(lambda: setattr(state.picked, "value", None))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.S)
        layout.addWidget(IconLabel("filter", "info", 16))
        layout.addWidget(self._words, 1)
        layout.addWidget(self.all)
        self._show(state.picked.value)
        undo = state.picked.subscribe(self._show)
        self.destroyed.connect(undo)

    def _show(self, picked: Picked | None) -> None:
        self.setVisible(picked is not None)
        self._words.setText(self.tr("Only rows: {which}").format(which=picked.words) if picked else "")
