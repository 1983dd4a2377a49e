"""Which columns a model learns from: all of them, unless some are chosen."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from mldesk.desktop.pages.column_choice import ColumnList
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import make_button, set_icon
from mldesk.wire.schema import Column


class FeatureSection(QWidget):
    """Edits ``TrainOrder.features``. Signals: ``changed`` (the chosen names as a tuple, None for all)."""

    changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._filling = False
        self.fold = make_button("", "fold", "chevron-right")
        self.columns = ColumnList([])
        self.fold.clicked.connect(lambda: self.unfold(self.columns.isHidden()))
        self.columns.changed.connect(self._on_columns)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.S)
        layout.addWidget(self.fold, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self.columns)
        self.unfold(False)

    def set_columns(self, columns: Sequence[Column], chosen: Sequence[str] | None, without: Sequence[str] = ()) -> None:
        """Offer columns; ``chosen`` None ticks all of them, but for those that are to be left out."""
        if without:
            chosen = [column.name for column in columns if column.name not in without
                      and (chosen is None or column.name in chosen)]
        self._filling = True
        self.columns.set_columns(columns, ticked=chosen is None)
        if chosen is not None:
            self.columns.set_values(chosen)
        self._filling = False
        self._say()

    def unfold(self, on: bool) -> None:
        """Show or fold the columns."""
        self.columns.setVisible(on)
        set_icon(self.fold, "chevron-down" if on else "chevron-right", "muted", 14)

    def _on_columns(self) -> None:
        if not self._filling:
            self._say()
            chosen = self.columns.values()
            self.changed.emit(None if len(chosen) == self.columns.count() else tuple(chosen))

    def _say(self) -> None:
        chosen, whole = len(self.columns.values()), self.columns.count()
        self.fold.setText(self.tr("Learn from all {count} other columns").format(count=whole) if chosen == whole
                          else self.tr("Learn from {count} of {all} other columns").format(count=chosen, all=whole))
