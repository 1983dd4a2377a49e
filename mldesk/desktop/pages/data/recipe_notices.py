"""What is worth knowing about a recipe: what its steps chose, which of them learn from all rows, and the way out."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from mldesk.desktop.pages.data.step_list import learning_words
from mldesk.desktop.states.clean import CleanState
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import make_button, make_label


class RecipeNotices(QWidget):
    """Draws the notices of a ``CleanState``. Signals: ``refused`` (why no step can be left to the model)."""

    refused = Signal(str)

    def __init__(self, state: CleanState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.text = make_label("", "caption", "warning", wrap=True)
        self.leave = make_button(self.tr("Leave them to the model"), "secondary", "train", small=True)
        self.leave.setToolTip(self.tr("These steps are left out here; the Train dialog offers to have the model learn "
                                      "them from its training rows."))
        self.leave.clicked.connect(self._on_leave)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.S)
        layout.addWidget(self.text)
        layout.addWidget(self.leave, 0, Qt.AlignmentFlag.AlignLeft)
        self.show_notices()

    def show_notices(self) -> None:
        """Show them as they are now."""
        counts = self._state.counts.value
        notices = [] if counts is None else list(counts.notices)
        made = self._state.made_before.value
        if made is not None:
            said = self.tr("Version {number} was made of this one by these very steps; it need not be made again.") \
                if made.parent == self._state.version.number else self.tr(
                    "Version {number} was made by these very steps: its rows are cleaned by them already.")
            notices.insert(0, said.format(number=made.number))
        learning = learning_words(self._state.steps.value)
        told = [notice for notice in notices if "from all rows" not in notice][:2]   # that is said shorter, and once
        self.text.setText("\n".join([*told, *filter(None, [learning])]))
        self.text.setToolTip("\n".join(notices))
        self.text.setHidden(not told and not learning)
        self.leave.setHidden(not learning or self._state.trial.value is not None)

    def _on_leave(self) -> None:
        if not self._state.leave_to_model():
            self.refused.emit(self.tr("A model can do none of these steps by itself."))
