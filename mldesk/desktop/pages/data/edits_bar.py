"""The line over a table that was changed by hand: how much, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from mldesk.desktop import words
from mldesk.desktop.states.hand_edits import Changes, HandEdits
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import ElidedLabel, IconLabel, disable, enable, make_button, make_icon_button


class EditsBar(QWidget):
    """Draws ``HandEdits``; hidden while there is nothing to undo, redo or keep.

    Signals: ``wanted_version``, ``wanted_recipe`` when its buttons are pressed.
    """

    wanted_version = Signal()
    wanted_recipe = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._edits = HandEdits()
        self._unfollow: Callable[[], None] = lambda: None
        self.said = ElidedLabel("", "body")
        self.undo = make_icon_button("undo", self.tr("Undo (Ctrl+Z)"))
        self.redo = make_icon_button("redo", self.tr("Redo (Ctrl+Shift+Z)"))
        self.back = make_button(self.tr("Take all back"), "secondary", small=True)
        self.recipe = make_button(self.tr("Go on in the recipe…"), "secondary", "edit", small=True)
        self.version = make_button(self.tr("Make a version"), "primary", "versions", small=True)
        self.undo.clicked.connect(self._undo)
        self.redo.clicked.connect(self._redo)
        self.back.clicked.connect(self._clear)
        self.recipe.clicked.connect(self.wanted_recipe)
        self.version.clicked.connect(self.wanted_version)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.S)
        layout.addWidget(IconLabel("edit", "warning", 16))
        layout.addWidget(self.said, 1)
        for button in (self.undo, self.redo, self.back, self.recipe, self.version):
            layout.addWidget(button)
        self.hide()

    def follow(self, edits: HandEdits) -> None:
        """Draw these from now on."""
        self._unfollow()
        self._edits = edits
        self._unfollow = edits.changes.subscribe(self._show)

    def set_busy(self, on: bool) -> None:
        """Say that a version is being made of them."""
        self.version.setText(self.tr("Making a version…") if on else self.tr("Make a version"))
        for button in (self.undo, self.redo, self.back, self.recipe, self.version):
            if on:
                disable(button, self.tr("A version is being made of it."))
        if not on:
            self._show(self._edits.changes.value)

    def let_go(self) -> None:
        """Follow nothing any more."""
        self._unfollow()

    def _show(self, changes: Changes) -> None:
        self.setVisible(bool(changes) or self._edits.changes.can_undo or self._edits.changes.can_redo)
        said = [words.counted(len(changes.cells), self.tr("cell changed"), self.tr("cells changed"))] \
            if changes.cells else []
        if changes.gone:
            said.append(words.counted(len(changes.gone), self.tr("row taken out"), self.tr("rows taken out")))
        self.said.setText(self.tr("{changes} by hand, in no version yet").format(changes=", ".join(said)) if said else
                          self.tr("Nothing is changed by hand any more."))
        for button, on, why in ((self.undo, self._edits.changes.can_undo, self.tr("There is nothing to undo.")),
                                (self.redo, self._edits.changes.can_redo, self.tr("There is nothing to redo.")),
                                (self.back, bool(changes), self.tr("Nothing is changed.")),
                                (self.recipe, bool(changes), self.tr("Nothing is changed.")),
                                (self.version, bool(changes), self.tr("Nothing is changed."))):
            if on:
                enable(button)
            else:
                disable(button, why)

    # those that are followed when it is pressed

    def _undo(self) -> None:
        self._edits.changes.undo()

    def _redo(self) -> None:
        self._edits.changes.redo()

    def _clear(self) -> None:
        self._edits.clear()
