"""A person takes a rejected file in spite of what is wrong with it, and says why."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QWidget

from mldesk.desktop.widgets import FormRow, Sheet


class TakeSheet(Sheet):
    """Asks for the reason. ``then`` is called with it, once there is one."""

    def __init__(self, name: str, parent: QWidget, then: Callable[[str], object]) -> None:
        super().__init__(self.tr("Accept {name} by hand?").format(name=name), parent, primary=self.tr("Accept it"),
                         width=460, text=self.tr(
            "All its rows are merged; cells that do not fit their column are missing there."))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.why = QLineEdit()
        self.why.textChanged.connect(self._check)
        self.add(FormRow(self.tr("Why"), self.why, self.tr("It is kept with the check, your name and the time.")))
        self.confirmed.connect(self.accept)
        self.confirmed.connect(lambda: then(self.why.text().strip()))
        self._check("")
        self.why.setFocus()

    def _check(self, text: str) -> None:
        self.set_primary_enabled("" if text.strip() else self.tr("Say why."))
